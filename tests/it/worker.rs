//! The worker's promises: every job ends in exactly one recorded way, whatever its code does.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use portcullis::forges::ForgeError;
use portcullis::jobs::{GivenUp, Job, JobError, Jobs, Outcome, Run, Worker, WorkerRules};
use portcullis::store::{Clock, Enqueued, JobId, JobRecord, JobState, NewJob, Store};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::databases::{TestDatabase, on_both_databases};
use crate::store::{at, delivery};

on_both_databases!(
    jobs_run_with_what_follows_from_them_until_none_is_due,
    a_job_that_keeps_failing_is_given_up_in_words,
    a_panic_and_a_timeout_are_failures_like_others,
    being_asked_to_wait_costs_no_try_on_the_first_day,
    a_hopeless_job_is_given_up_at_once,
    giving_up_is_tried_again_until_somebody_was_told,
    an_outage_of_less_than_a_day_costs_nothing,
    after_an_outage_of_days_it_is_told_all_the_same,
    what_keeps_failing_while_the_host_listens_is_told_and_tried_on,
    a_job_that_takes_its_worker_down_is_given_up_without_being_run,
    a_running_job_hears_that_it_is_superseded,
    a_job_whose_lease_is_lost_is_cut_off,
    a_stop_waits_for_jobs_and_puts_the_rest_back,
    as_many_jobs_run_at_a_time_as_there_are_workers,
    a_payload_of_another_shape_is_hopeless,
);

const JOBS: Jobs<World> = Jobs::new(&[&Scripted, &Hasty]);

/// What the jobs of these tests see and leave behind.
#[derive(Default)]
struct World {
    log: Mutex<Vec<String>>,
    started: Notify,
    go_on: Notify,
    at_work: AtomicUsize,
    most_at_work: AtomicUsize,
    silent: AtomicUsize,
    work_is_out: AtomicBool,
    telling_is_out: AtomicBool,
}

/// Does what its payload says.
struct Scripted;

#[derive(Deserialize)]
struct Script {
    name: String,
    does: Does,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Does {
    Succeed,
    Follow(Vec<Value>),
    Fail,
    Panic,
    Wait(u64),
    Hopeless,
    Reach,
    UntilTold,
    UntilStopped,
}

#[async_trait]
impl Job<World> for Scripted {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    async fn run(&self, world: &World, run: &Run) -> Result<Outcome, JobError> {
        let script: Script = run.payload()?;
        world.log.lock().unwrap().push(format!("{} {}", script.name, run.attempt));
        match script.does {
            Does::Succeed => Ok(Outcome::done()),
            Does::Follow(payloads) => {
                Ok(Outcome::followed_by(payloads.into_iter().map(|payload| NewJob::new("scripted", payload)).collect()))
            }
            Does::Fail => Err(anyhow::anyhow!("cause").context("no luck").into()),
            Does::Panic => panic!("bang {}", script.name),
            Does::Wait(secs) => {
                Err(JobError::Retry { after: Duration::from_secs(secs), reason: "the host asks to wait".into() })
            }
            Does::Hopeless => Err(JobError::Hopeless(anyhow::anyhow!("refused"))),
            Does::Reach => reach(&world.work_is_out).map(|()| Outcome::done()),
            Does::UntilTold => {
                let now = world.at_work.fetch_add(1, Ordering::SeqCst) + 1;
                world.most_at_work.fetch_max(now, Ordering::SeqCst);
                world.started.notify_one();
                world.go_on.notified().await;
                world.at_work.fetch_sub(1, Ordering::SeqCst);
                Ok(Outcome::done())
            }
            Does::UntilStopped => {
                world.started.notify_one();
                run.stop.cancelled().await;
                Ok(Outcome::superseded())
            }
        }
    }

    async fn give_up(&self, world: &World, run: &Run, why: &GivenUp<'_>) -> Result<(), JobError> {
        world.log.lock().unwrap().push(format!("gave up in try {}: {}", run.attempt, why.reason));
        reach(&world.telling_is_out)?;
        let silent = world.silent.load(Ordering::SeqCst);
        world.silent.store(silent.saturating_sub(1), Ordering::SeqCst);
        if silent > 0 { Err(anyhow::anyhow!("the host is down").into()) } else { Ok(()) }
    }
}

fn reach(is_out: &AtomicBool) -> Result<(), JobError> {
    if is_out.load(Ordering::SeqCst) { Err(ForgeError::Unreachable("nobody there".into()).into()) } else { Ok(()) }
}

/// Has no patience.
struct Hasty;

#[async_trait]
impl Job<World> for Hasty {
    fn kind(&self) -> &'static str {
        "hasty"
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(20)
    }

    async fn run(&self, _: &World, _: &Run) -> Result<Outcome, JobError> {
        std::future::pending().await
    }
}

/// A worker and everything around it; time moves only by hand.
struct Scene {
    store: Store,
    world: Arc<World>,
    worker: Worker<World>,
    hand: Arc<AtomicI64>,
    clock: Clock,
}

impl Scene {
    async fn set(database: &TestDatabase, workers: usize) -> Self {
        let store = database.open().await;
        let world = Arc::new(World::default());
        let hand = Arc::new(AtomicI64::new(at(0).0));
        let clock = Clock::by_hand(hand.clone());
        let look_after = Duration::from_millis(5);
        let rules = WorkerRules { workers, lease: Duration::from_millis(300), max_attempts: 3, look_after };
        let worker = Worker::new(store.clone(), JOBS, world.clone(), rules, clock.clone());
        Self { store, world, worker, hand, clock }
    }

    async fn add(&self, name: &str, does: Value) -> JobId {
        self.enqueue(job(name, does)).await
    }

    async fn enqueue(&self, job: NewJob) -> JobId {
        match self.store.enqueue(job, self.clock.now()).await.unwrap() {
            Enqueued::Added(id) => id,
            other => panic!("{other:?}"),
        }
    }

    async fn run_until_idle(&self) -> usize {
        self.worker.run_until_idle().await.unwrap()
    }

    /// Lets time pass until the next job is due, and runs what is.
    async fn run_next_due(&self) {
        let due = self.store.next_due(self.clock.now()).await.unwrap().expect("a job waits for its time");
        self.hand.store(due.0, Ordering::SeqCst);
        self.run_until_idle().await;
    }

    /// The same, again and again until so much time has passed.
    async fn run_next_dues_for(&self, time: Duration) {
        let end = self.clock.now().plus(time);
        while self.clock.now() < end {
            self.run_next_due().await;
        }
    }

    /// Whether the host cannot be reached for the work, and for telling.
    fn outage(&self, work: bool, telling: bool) {
        self.world.work_is_out.store(work, Ordering::SeqCst);
        self.world.telling_is_out.store(telling, Ordering::SeqCst);
    }

    async fn record(&self, id: JobId) -> JobRecord {
        self.store.job(id).await.unwrap().unwrap()
    }

    /// Until a job is in a state; whoever is slow here is slow for good.
    async fn reaches(&self, id: JobId, state: JobState) {
        let reached = async {
            while self.record(id).await.state != state {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reached).await.expect("the job gets there");
    }

    fn log(&self) -> Vec<String> {
        self.world.log.lock().unwrap().clone()
    }
}

fn job(name: &str, does: Value) -> NewJob {
    NewJob::new("scripted", json!({"name": name, "does": does}))
}

async fn jobs_run_with_what_follows_from_them_until_none_is_due(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    let leaf = |name: &str| json!({"name": name, "does": "succeed"});
    let root = job("root", json!({"follow": [leaf("a"), leaf("b")]})).of_delivery(delivery("d-1"));
    scene.enqueue(root).await;
    assert_eq!(scene.run_until_idle().await, 3);
    assert_eq!(scene.log(), ["root 1", "a 1", "b 1"]);
    let jobs = scene.store.jobs_of_delivery(&delivery("d-1")).await.unwrap();
    assert!(jobs.iter().all(|job| job.state == JobState::Done));
    assert_eq!(jobs.len(), 3);
    assert_eq!(scene.run_until_idle().await, 0);
}

async fn a_job_that_keeps_failing_is_given_up_in_words(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    let id = scene.add("f", json!("fail")).await;
    scene.run_until_idle().await;
    let record = scene.record(id).await;
    assert_eq!((record.state, record.last_error.as_deref()), (JobState::Ready, Some("no luck: cause")));
    let wait = record.run_at.since(scene.clock.now());
    assert!((2_500..=5_000).contains(&wait.as_millis()), "{wait:?}");
    scene.run_next_due().await;
    let wait = scene.record(id).await.run_at.since(scene.clock.now());
    assert!((5_000..=10_000).contains(&wait.as_millis()), "{wait:?}");
    scene.run_next_due().await;
    assert_eq!(scene.record(id).await.state, JobState::Dead);
    assert_eq!(scene.log(), ["f 1", "f 2", "f 3", "gave up in try 3: no luck: cause"]);
}

async fn a_panic_and_a_timeout_are_failures_like_others(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    let panics = scene.add("p", json!("panic")).await;
    let hangs = scene.enqueue(NewJob::new("hasty", Value::Null)).await;
    scene.run_until_idle().await;
    assert_eq!(scene.record(panics).await.last_error.as_deref(), Some("it panicked: bang p"));
    assert_eq!(scene.record(hangs).await.last_error.as_deref(), Some("it took longer than the limit of 0 s"));
    assert_eq!(scene.record(hangs).await.state, JobState::Ready);
}

async fn being_asked_to_wait_costs_no_try_on_the_first_day(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    let id = scene.add("w", json!({"wait": 3600})).await;
    scene.run_until_idle().await;
    for _ in 0..24 {
        assert_eq!(scene.record(id).await.attempts, 0);
        assert_eq!(scene.record(id).await.run_at, scene.clock.now().plus(Duration::from_secs(3600)));
        scene.run_next_due().await;
    }
    for _ in 0..4 {
        scene.run_next_due().await;
    }
    assert_eq!(scene.record(id).await.state, JobState::Dead, "waiting for ever is being stuck");
    assert_eq!(scene.log().last().unwrap(), "gave up in try 4: the host asks to wait");
}

async fn a_hopeless_job_is_given_up_at_once(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    let id = scene.add("h", json!("hopeless")).await;
    scene.run_until_idle().await;
    assert_eq!(scene.record(id).await.state, JobState::Dead);
    assert_eq!(scene.log(), ["h 1", "gave up in try 1: refused"]);
}

async fn giving_up_is_tried_again_until_somebody_was_told(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    scene.world.silent.store(2, Ordering::SeqCst);
    let id = scene.add("f", json!("fail")).await;
    scene.run_until_idle().await;
    for _ in 0..4 {
        scene.run_next_due().await;
    }
    assert_eq!(scene.record(id).await.state, JobState::Dead);
    let told = scene.log().split_off(3);
    let words = |attempt| format!("gave up in try {attempt}: no luck: cause");
    assert_eq!(told, [words(3), words(4), words(5)]);

    scene.world.silent.store(100, Ordering::SeqCst);
    let id = scene.add("f", json!("fail")).await;
    scene.run_until_idle().await;
    for _ in 0..6 {
        scene.run_next_due().await;
    }
    assert_eq!(scene.record(id).await.state, JobState::Dead, "it ends though nobody can be told");
}

async fn an_outage_of_less_than_a_day_costs_nothing(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    scene.outage(true, true);
    let id = scene.add("r", json!("reach")).await;
    scene.run_until_idle().await;
    scene.run_next_dues_for(Duration::from_secs(20 * 3600)).await;
    assert_eq!(scene.record(id).await.state, JobState::Ready);
    let tries = scene.log().iter().filter(|line| line.starts_with("r ")).count();
    assert!((80..300).contains(&tries), "{tries} tries");
    scene.outage(false, false);
    scene.run_next_due().await;
    assert_eq!(scene.record(id).await.state, JobState::Done);
}

async fn after_an_outage_of_days_it_is_told_all_the_same(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    scene.outage(true, true);
    let id = scene.add("r", json!("reach")).await;
    scene.run_until_idle().await;
    scene.run_next_dues_for(Duration::from_secs(5 * 24 * 3600)).await;
    assert_eq!(scene.record(id).await.state, JobState::Ready);
    assert!(scene.log().len() < 700, "{} tries", scene.log().len());
    scene.outage(true, false);
    scene.run_next_due().await;
    assert_eq!(scene.record(id).await.state, JobState::Dead);
    let last = scene.log().pop().unwrap();
    assert!(last.starts_with("gave up in try") && last.contains("nobody there"), "{last}");
}

async fn what_keeps_failing_while_the_host_listens_is_told_and_tried_on(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    scene.outage(true, false);
    let id = scene.add("r", json!("reach")).await;
    scene.run_until_idle().await;
    scene.run_next_dues_for(Duration::from_secs(3600)).await;
    assert!(scene.log().iter().any(|line| line.starts_with("gave up in try 3")), "{:?}", scene.log());
    assert_eq!(scene.record(id).await.state, JobState::Ready);
    scene.outage(false, false);
    scene.run_next_due().await;
    assert_eq!(scene.record(id).await.state, JobState::Done);
}

async fn a_job_that_takes_its_worker_down_is_given_up_without_being_run(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    let id = scene.add("killer", json!("succeed")).await;
    for _ in 0..3 {
        let vanished = scene.store.claim_jobs(&["scripted"], 1, Duration::ZERO, scene.clock.now()).await.unwrap();
        assert_eq!(vanished.len(), 1);
        scene.hand.fetch_add(1, Ordering::SeqCst);
        scene.store.reclaim_jobs(scene.clock.now()).await.unwrap();
    }
    scene.run_until_idle().await;
    assert_eq!(scene.record(id).await.state, JobState::Dead);
    assert_eq!(scene.log(), ["gave up in try 4: the worker vanished"]);
}

async fn a_running_job_hears_that_it_is_superseded(database: &TestDatabase) {
    let scene = Scene::set(database, 2).await;
    let stopping = CancellationToken::new();
    let worker = scene.worker.clone();
    let running = tokio::spawn({
        let stopping = stopping.clone();
        async move { worker.run(stopping, Duration::from_secs(20)).await }
    });
    let older = scene.enqueue(job("old", json!("untilstopped")).in_lane("pr").superseding_lane()).await;
    scene.world.started.notified().await;
    let newer = scene.enqueue(job("new", json!("succeed")).in_lane("pr").superseding_lane()).await;
    scene.reaches(older, JobState::Superseded).await;
    scene.reaches(newer, JobState::Done).await;
    stopping.cancel();
    running.await.unwrap();
}

async fn a_job_whose_lease_is_lost_is_cut_off(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    let id = scene.add("slow", json!("untiltold")).await;
    let worker = scene.worker.clone();
    let running = tokio::spawn(async move { worker.run_until_idle().await });
    scene.world.started.notified().await;
    // As if this process had slept: somebody takes the job back, and it is run again.
    let past_the_lease = scene.clock.now().plus(Duration::from_secs(3600));
    assert_eq!(scene.store.reclaim_jobs(past_the_lease).await.unwrap(), 1);
    scene.world.started.notified().await;
    scene.world.go_on.notify_one();
    running.await.unwrap().unwrap();
    assert_eq!(scene.log(), ["slow 1", "slow 2"]);
    assert_eq!(scene.world.at_work.load(Ordering::SeqCst), 1, "the first try never came to its end");
    let record = scene.record(id).await;
    assert_eq!((record.state, record.attempts), (JobState::Done, 2));
}

async fn a_stop_waits_for_jobs_and_puts_the_rest_back(database: &TestDatabase) {
    let scene = Scene::set(database, 2).await;
    let stopping = CancellationToken::new();
    let worker = scene.worker.clone();
    let ends = scene.add("ends", json!("untiltold")).await;
    let running = tokio::spawn({
        let stopping = stopping.clone();
        async move { worker.run(stopping, Duration::from_millis(200)).await }
    });
    scene.world.started.notified().await;
    let stays = scene.add("stays", json!("untilstopped")).await;
    scene.world.started.notified().await;
    stopping.cancel();
    let late = scene.add("late", json!("succeed")).await;
    scene.world.go_on.notify_one();
    running.await.unwrap();
    assert_eq!(scene.record(ends).await.state, JobState::Done);
    let (stays, late) = (scene.record(stays).await, scene.record(late).await);
    assert_eq!((stays.state, stays.attempts), (JobState::Ready, 0), "as if it had not been tried");
    assert_eq!((late.state, late.attempts), (JobState::Ready, 0), "nothing is begun any more");
}

async fn as_many_jobs_run_at_a_time_as_there_are_workers(database: &TestDatabase) {
    let scene = Scene::set(database, 3).await;
    let stopping = CancellationToken::new();
    let worker = scene.worker.clone();
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(scene.add(&format!("j{number}"), json!("untiltold")).await);
    }
    let running = tokio::spawn({
        let stopping = stopping.clone();
        async move { worker.run(stopping, Duration::from_secs(20)).await }
    });
    for _ in 0..3 {
        while scene.world.at_work.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            if scene.log().len() == 6 {
                break;
            }
        }
        scene.world.go_on.notify_one();
    }
    while scene.store.queue_figures().await.unwrap().iter().any(|figure| figure.state != JobState::Dead) {
        scene.world.go_on.notify_one();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    stopping.cancel();
    running.await.unwrap();
    assert_eq!(scene.world.most_at_work.load(Ordering::SeqCst), 3);
    for id in ids {
        assert_eq!(scene.record(id).await.state, JobState::Done);
    }
}

async fn a_payload_of_another_shape_is_hopeless(database: &TestDatabase) {
    let scene = Scene::set(database, 1).await;
    let id = scene.enqueue(NewJob::new("scripted", json!({"name": 7}))).await;
    scene.run_until_idle().await;
    let record = scene.record(id).await;
    assert_eq!(record.state, JobState::Dead);
    assert!(record.last_error.unwrap().starts_with("reading the job's payload: name: invalid type"));
}
