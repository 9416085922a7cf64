//! The queue's promises on both databases.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use portcullis::store::{
    Claimed, End, Enqueued, JobId, JobState, Moment, NewJob, QueueFigure, Standing, Store, StoreError,
};
use serde_json::{Value, json};

use crate::databases::{TestDatabase, on_both_databases};
use crate::store::{LEASE, accept, at, delivery};

on_both_databases!(
    the_most_urgent_comes_first_then_the_oldest,
    a_job_is_not_due_before_its_time,
    one_job_of_a_lane_runs_at_a_time,
    many_workers_share_the_jobs_and_no_lane_runs_twice,
    a_job_whose_worker_vanished_is_run_again_and_the_vanished_cannot_finish_it,
    a_lease_that_is_extended_holds,
    a_failed_job_comes_back_at_its_time_with_its_error,
    a_postponed_job_has_lost_no_try,
    a_released_job_is_as_it_was,
    what_follows_from_a_job_is_enqueued_exactly_when_it_is_done,
    while_an_equal_job_is_live_another_is_not_enqueued,
    a_job_takes_the_place_of_its_equal,
    a_newer_job_supersedes_the_older_ones_of_its_lane,
    a_superseded_job_that_fails_or_vanishes_is_not_run_again,
    of_two_equal_jobs_that_vanished_one_is_run_again,
    kinds_nobody_here_knows_are_left_alone,
    the_figures_tell_what_waits,
    workers_are_woken,
    a_backlog_in_one_lane_holds_nobody_else_up,
);

fn job(kind: &str) -> NewJob {
    NewJob::new(kind, Value::Null)
}

fn numbered(number: u64) -> NewJob {
    NewJob::new("test", json!(number))
}

async fn claim(store: &Store, most: usize, now: Moment) -> Vec<Claimed> {
    store.claim_jobs(&["test"], most, LEASE, now).await.unwrap()
}

async fn claim_one(store: &Store, now: Moment) -> Claimed {
    let mut claimed = claim(store, 1, now).await;
    assert_eq!(claimed.len(), 1, "a job is due");
    claimed.remove(0)
}

async fn add(store: &Store, job: NewJob, now: Moment) -> JobId {
    match store.enqueue(job, now).await.unwrap() {
        Enqueued::Added(id) => id,
        other => panic!("{other:?}"),
    }
}

async fn state(store: &Store, id: JobId) -> JobState {
    store.job(id).await.unwrap().unwrap().state
}

fn numbers(claimed: &[Claimed]) -> Vec<u64> {
    claimed.iter().map(|job| job.payload.as_u64().unwrap()).collect()
}

async fn the_most_urgent_comes_first_then_the_oldest(database: &TestDatabase) {
    let store = database.open().await;
    add(&store, numbered(1).with_priority(-5), at(0)).await;
    add(&store, numbered(2), at(1)).await;
    add(&store, numbered(3), at(1)).await;
    add(&store, numbered(4).with_priority(10), at(9)).await;
    add(&store, numbered(5), at(0)).await;
    let mut order = Vec::new();
    while let [job] = claim(&store, 1, at(10)).await.as_slice() {
        order.push(job.payload.as_u64().unwrap());
    }
    assert_eq!(order, [4, 5, 2, 3, 1]);
}

async fn a_job_is_not_due_before_its_time(database: &TestDatabase) {
    let store = database.open().await;
    add(&store, numbered(1).not_before(at(100)), at(0)).await;
    add(&store, numbered(2).not_before(at(200)), at(0)).await;
    assert_eq!(claim(&store, 9, at(99)).await.len(), 0);
    assert_eq!(store.next_due(at(99)).await.unwrap(), Some(at(100)));
    assert_eq!(numbers(&claim(&store, 9, at(100)).await), [1]);
    assert_eq!(store.next_due(at(100)).await.unwrap(), Some(at(200)));
    assert_eq!(store.next_due(at(200)).await.unwrap(), None);
}

async fn one_job_of_a_lane_runs_at_a_time(database: &TestDatabase) {
    let store = database.open().await;
    for number in 1..=3 {
        add(&store, numbered(number).in_lane("pr:7"), at(0)).await;
    }
    add(&store, numbered(8).in_lane("pr:8"), at(0)).await;
    let first = claim(&store, 9, at(1)).await;
    assert_eq!(numbers(&first).into_iter().collect::<HashSet<_>>(), HashSet::from([1, 8]));
    assert_eq!(claim(&store, 9, at(2)).await.len(), 0);
    let seven = first.iter().find(|job| job.payload == json!(1)).unwrap();
    store.finish_job(&seven.lease, End::Done, vec![], at(3)).await.unwrap();
    let second = claim_one(&store, at(4)).await;
    assert_eq!(second.payload, json!(2));
    store.retry_job(&second.lease, at(1000), "later", at(5)).await.unwrap();
    assert_eq!(numbers(&claim(&store, 9, at(6)).await), [3], "a job that waits for its next try holds no lane");
}

async fn many_workers_share_the_jobs_and_no_lane_runs_twice(database: &TestDatabase) {
    static RUNNING: Mutex<Vec<(bool, String)>> = Mutex::new(Vec::new());
    let is_postgres = database.is_postgres();
    let store = database.open().await;
    for number in 0..120 {
        store.enqueue(numbered(number).in_lane(format!("lane-{}", number % 10)), at(0)).await.unwrap();
    }
    let workers = (0..6).map(|worker| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut done = Vec::new();
            for moment in 0..2000 {
                let claimed = claim(&store, 1 + worker % 3, at(moment)).await;
                for job in claimed {
                    let lane = (is_postgres, format!("lane-{}", job.payload.as_u64().unwrap() % 10));
                    assert!(!RUNNING.lock().unwrap().contains(&lane), "{lane:?} runs twice");
                    RUNNING.lock().unwrap().push(lane.clone());
                    tokio::task::yield_now().await;
                    RUNNING.lock().unwrap().retain(|running| running != &lane);
                    store.finish_job(&job.lease, End::Done, vec![], at(moment)).await.unwrap();
                    done.push(job.payload.as_u64().unwrap());
                }
                if store.queue_figures().await.unwrap().is_empty() {
                    break;
                }
            }
            done
        })
    });
    let mut all = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        all.extend(worker.await.unwrap());
    }
    all.sort_unstable();
    assert_eq!(all, (0..120).collect::<Vec<_>>());
}

async fn a_job_whose_worker_vanished_is_run_again_and_the_vanished_cannot_finish_it(database: &TestDatabase) {
    let store = database.open().await;
    add(&store, numbered(1).in_lane("l"), at(0)).await;
    let vanished = claim_one(&store, at(0)).await;
    let end_of_lease = at(0).plus(LEASE);
    assert_eq!(store.reclaim_jobs(end_of_lease).await.unwrap(), 0, "the lease still holds");
    assert_eq!(store.reclaim_jobs(end_of_lease.plus(Duration::from_millis(1))).await.unwrap(), 1);
    let now = end_of_lease.plus(Duration::from_secs(1));
    let successor = claim_one(&store, now).await;
    assert_eq!((successor.attempt, successor.last_error.as_deref()), (2, Some("the worker vanished")));

    let lost = |result: Result<(), StoreError>| matches!(result, Err(StoreError::LeaseLost));
    let follow_up = vec![job("other")];
    assert!(lost(store.finish_job(&vanished.lease, End::Done, follow_up, now).await));
    assert!(lost(store.retry_job(&vanished.lease, now, "x", now).await.map(drop)));
    assert!(lost(store.release_job(&vanished.lease, now).await.map(drop)));
    assert_eq!(store.extend_lease(&vanished.lease, LEASE, now).await.unwrap(), Standing::Lost);
    assert_eq!(store.standing(&vanished.lease).await.unwrap(), Standing::Lost);
    assert!(store.claim_jobs(&["other"], 9, LEASE, now).await.unwrap().is_empty(), "nothing follows from a lost job");

    assert_eq!(store.standing(&successor.lease).await.unwrap(), Standing::Held);
    store.finish_job(&successor.lease, End::Done, vec![], now).await.unwrap();
    assert!(lost(store.finish_job(&successor.lease, End::Done, vec![], now).await), "a job is finished once");
    assert_eq!(state(&store, successor.lease.job()).await, JobState::Done);
}

async fn a_lease_that_is_extended_holds(database: &TestDatabase) {
    let store = database.open().await;
    add(&store, numbered(1), at(0)).await;
    let claimed = claim_one(&store, at(0)).await;
    let later = at(0).plus(LEASE / 2);
    assert_eq!(store.extend_lease(&claimed.lease, LEASE, later).await.unwrap(), Standing::Held);
    assert_eq!(store.reclaim_jobs(at(0).plus(LEASE * 5 / 4)).await.unwrap(), 0);
    assert_eq!(store.reclaim_jobs(at(0).plus(LEASE * 2)).await.unwrap(), 1);
}

async fn a_failed_job_comes_back_at_its_time_with_its_error(database: &TestDatabase) {
    let store = database.open().await;
    let id = add(&store, numbered(1), at(0)).await;
    let first = claim_one(&store, at(0)).await;
    assert_eq!((first.attempt, first.last_error.as_deref()), (1, None));
    let long = "x".repeat(9000);
    assert_eq!(store.retry_job(&first.lease, at(500), &long, at(1)).await.unwrap(), JobState::Ready);
    assert_eq!(claim(&store, 9, at(499)).await.len(), 0);
    let second = claim_one(&store, at(500)).await;
    assert_eq!((second.attempt, second.last_error.map(|error| error.len())), (2, Some(2000)));
    store.finish_job(&second.lease, End::Dead("gave up".into()), vec![], at(501)).await.unwrap();
    let record = store.job(id).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempts, record.last_error.as_deref()), (JobState::Dead, 2, Some("gave up")));
}

async fn a_postponed_job_has_lost_no_try(database: &TestDatabase) {
    let store = database.open().await;
    add(&store, numbered(1), at(0)).await;
    let first = claim_one(&store, at(0)).await;
    store.postpone_job(&first.lease, at(9), "the host asks to wait", at(1)).await.unwrap();
    assert_eq!(claim_one(&store, at(9)).await.attempt, 1);
}

async fn a_released_job_is_as_it_was(database: &TestDatabase) {
    let store = database.open().await;
    add(&store, numbered(1).not_before(at(5)), at(0)).await;
    let claimed = claim_one(&store, at(7)).await;
    store.release_job(&claimed.lease, at(8)).await.unwrap();
    let record = store.job(claimed.lease.job()).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempts, record.run_at), (JobState::Ready, 0, at(5)));
    assert_eq!(record.last_error, None);
}

async fn what_follows_from_a_job_is_enqueued_exactly_when_it_is_done(database: &TestDatabase) {
    let store = database.open().await;
    accept(&store, "d-1", b"{}", at(0)).await;
    let root = store.claim_jobs(&["handle"], 1, LEASE, at(0)).await.unwrap().remove(0);
    let follow_ups = vec![numbered(1), numbered(2).of_delivery(delivery("d-2"))];
    let too_large = vec![numbered(3), NewJob::new("test", json!("x".repeat(2 << 20)))];
    assert!(store.finish_job(&root.lease, End::Done, too_large, at(1)).await.is_err());
    assert_eq!(state(&store, root.lease.job()).await, JobState::Running, "both or neither");
    assert_eq!(claim(&store, 9, at(1)).await.len(), 0);
    store.finish_job(&root.lease, End::Done, follow_ups, at(2)).await.unwrap();
    let mut claimed = claim(&store, 9, at(3)).await;
    claimed.sort_by_key(|job| job.payload.as_u64());
    let deliveries: Vec<String> = claimed.iter().map(|job| job.delivery.as_ref().unwrap().to_string()).collect();
    assert_eq!(deliveries, ["github/d-1", "github/d-2"], "a follow-up inherits the delivery unless it names one");
}

async fn while_an_equal_job_is_live_another_is_not_enqueued(database: &TestDatabase) {
    let store = database.open().await;
    let enqueue = async |number| store.enqueue(numbered(number).unless_live("k"), at(0)).await.unwrap();
    assert!(matches!(enqueue(1).await, Enqueued::Added(_)));
    assert_eq!(enqueue(2).await, Enqueued::Standing, "while it is ready");
    let claimed = claim_one(&store, at(1)).await;
    assert_eq!(claimed.payload, json!(1));
    assert_eq!(enqueue(3).await, Enqueued::Standing, "while it runs");
    store.finish_job(&claimed.lease, End::Done, vec![], at(2)).await.unwrap();
    assert!(matches!(enqueue(4).await, Enqueued::Added(_)), "when it is done");
    assert_eq!(numbers(&claim(&store, 9, at(3)).await), [4]);

    let many = (0..20).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.enqueue(numbered(number).unless_live("k2"), at(0)).await.unwrap() })
    });
    let mut added = 0;
    for enqueued in many.collect::<Vec<_>>() {
        added += usize::from(matches!(enqueued.await.unwrap(), Enqueued::Added(_)));
    }
    assert_eq!(added, 1, "at the same moment too");
}

async fn a_job_takes_the_place_of_its_equal(database: &TestDatabase) {
    let store = database.open().await;
    let newer = |number| numbered(number).in_place_of("k").in_lane("l");
    let id = add(&store, newer(1), at(0)).await;
    let replaced = store.enqueue(newer(2).with_priority(3).not_before(at(50)), at(1)).await.unwrap();
    assert_eq!(replaced, Enqueued::Replaced(id));
    assert_eq!(claim(&store, 9, at(49)).await.len(), 0);
    let running = claim_one(&store, at(50)).await;
    assert_eq!(running.payload, json!(2));
    assert!(matches!(store.enqueue(newer(3), at(51)).await.unwrap(), Enqueued::Added(_)));
    assert_eq!(store.standing(&running.lease).await.unwrap(), Standing::Cancelled);
    assert_eq!(store.extend_lease(&running.lease, LEASE, at(52)).await.unwrap(), Standing::Cancelled);
    assert_eq!(claim(&store, 9, at(53)).await.len(), 0, "it waits for its lane");
    store.finish_job(&running.lease, End::Superseded, vec![], at(54)).await.unwrap();
    assert_eq!(numbers(&claim(&store, 9, at(55)).await), [3]);
}

async fn a_newer_job_supersedes_the_older_ones_of_its_lane(database: &TestDatabase) {
    let store = database.open().await;
    let review = |number| numbered(number).in_lane("pr:7").superseding_lane().unless_live(format!("head-{number}"));
    let first = add(&store, review(1), at(0)).await;
    let running = claim_one(&store, at(1)).await;
    let second = add(&store, review(2), at(2)).await;
    add(&store, numbered(8).in_lane("pr:8"), at(2)).await;
    let other_kind = add(&store, job("close").in_lane("pr:7"), at(2)).await;
    let third = add(&store, review(3), at(3)).await;
    assert_eq!(store.enqueue(review(3), at(4)).await.unwrap(), Enqueued::Standing, "a repeat supersedes nothing");

    assert_eq!(store.standing(&running.lease).await.unwrap(), Standing::Cancelled);
    assert_eq!(state(&store, first).await, JobState::Running);
    assert_eq!(state(&store, second).await, JobState::Superseded);
    assert_eq!(state(&store, third).await, JobState::Ready);
    assert_eq!(state(&store, other_kind).await, JobState::Ready);
    assert_eq!(numbers(&claim(&store, 9, at(5)).await), [8]);
    store.finish_job(&running.lease, End::Superseded, vec![], at(6)).await.unwrap();
    let next = store.claim_jobs(&["test", "close"], 9, LEASE, at(7)).await.unwrap();
    assert_eq!(next.len(), 1, "one at a time");
    assert_eq!(next[0].kind, "close");
}

async fn a_superseded_job_that_fails_or_vanishes_is_not_run_again(database: &TestDatabase) {
    let store = database.open().await;
    let review = |number, lane: &str| numbered(number).in_lane(lane).superseding_lane();
    add(&store, review(1, "a"), at(0)).await;
    add(&store, review(2, "b"), at(0)).await;
    let old = claim(&store, 9, at(1)).await;
    add(&store, review(11, "a"), at(2)).await;
    add(&store, review(12, "b"), at(2)).await;
    let failed = old.iter().find(|job| job.payload == json!(1)).unwrap();
    let outcome = store.retry_job(&failed.lease, at(9), "x", at(3)).await.unwrap();
    assert_eq!(outcome, JobState::Superseded);
    assert_eq!(store.reclaim_jobs(at(0).plus(LEASE * 2)).await.unwrap(), 1);
    let now = at(0).plus(LEASE * 2);
    let mut left = numbers(&claim(&store, 9, now).await);
    left.sort_unstable();
    assert_eq!(left, [11, 12]);
}

async fn of_two_equal_jobs_that_vanished_one_is_run_again(database: &TestDatabase) {
    let store = database.open().await;
    for number in [1, 2] {
        // A running job that was asked to stop does not stand for a new one, so two of a key can run.
        add(&store, numbered(number).in_place_of("k"), at(0)).await;
        claim_one(&store, at(0)).await;
    }
    assert_eq!(store.reclaim_jobs(at(0).plus(LEASE * 2)).await.unwrap(), 2);
    assert_eq!(numbers(&claim(&store, 9, at(0).plus(LEASE * 2)).await), [2]);
}

async fn kinds_nobody_here_knows_are_left_alone(database: &TestDatabase) {
    let store = database.open().await;
    let id = add(&store, job("of a newer program").with_priority(9), at(0)).await;
    add(&store, numbered(1), at(0)).await;
    assert_eq!(numbers(&claim(&store, 9, at(1)).await), [1]);
    assert_eq!(state(&store, id).await, JobState::Ready);
    assert!(store.claim_jobs(&[], 9, LEASE, at(1)).await.unwrap().is_empty());
}

async fn the_figures_tell_what_waits(database: &TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.queue_figures().await.unwrap(), []);
    for number in 0..3 {
        add(&store, numbered(number).not_before(at(10 + i64::try_from(number).unwrap())), at(0)).await;
    }
    let dead = claim_one(&store, at(10)).await;
    store.finish_job(&dead.lease, End::Dead("x".into()), vec![], at(11)).await.unwrap();
    let figure = |state, jobs, oldest| QueueFigure { kind: "test".into(), state, jobs, oldest_run_at: at(oldest) };
    let mut figures = store.queue_figures().await.unwrap();
    figures.sort_by_key(|figure| figure.state.as_str());
    assert_eq!(figures, [figure(JobState::Dead, 1, 10), figure(JobState::Ready, 2, 11)]);
}

async fn workers_are_woken(database: &TestDatabase) {
    let store = database.open().await;
    // On PostgreSQL the job comes from another process: here, another store on the same database.
    let other = if database.is_postgres() { database.open().await } else { store.clone() };
    let mut wakeups = store.wakeups();
    let woken = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            // The first may be sent before the other listens.
            other.enqueue(job("test"), at(0)).await.unwrap();
            if let Ok(changed) = tokio::time::timeout(Duration::from_millis(200), wakeups.changed()).await {
                return changed;
            }
        }
    });
    woken.await.expect("nobody was woken").unwrap();
}

async fn a_backlog_in_one_lane_holds_nobody_else_up(database: &TestDatabase) {
    let store = database.open().await;
    let many = (0..2000).map(|number| {
        let store = store.clone();
        async move { store.enqueue(numbered(number).in_lane("busy"), at(0)).await }
    });
    let mut tasks: Vec<_> = many.map(tokio::spawn).collect();
    for task in tasks.drain(..) {
        task.await.unwrap().unwrap();
    }
    add(&store, numbered(9999).in_lane("quiet"), at(1)).await;
    let mut claimed = numbers(&claim(&store, 9, at(2)).await);
    claimed.sort_unstable();
    assert_eq!((claimed.len(), claimed.last()), (2, Some(&9999)));
}
