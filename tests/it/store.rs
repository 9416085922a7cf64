//! Records on both databases.

use std::collections::BTreeMap;

use bytes::Bytes;
use portcullis::forges::{Access, CheckId, CheckKey, Conclusion};
use portcullis::store::{
    Acceptance, CheckRecord, DeliveryRef, End, Installation, InstallationState, JobState, Moment, NewDelivery, NewJob,
    PullRequestRecord, RepositoryRef, Review, Store, StoreError,
};
use portcullis_engine::evaluate::Verdict;
use serde_json::{Value, json};

use crate::databases::{TestDatabase, on_both_databases};

on_both_databases!(
    a_delivery_is_accepted_once_however_often_it_comes,
    a_body_comes_back_as_it_was,
    a_repeated_delivery_revives_what_was_given_up,
    a_change_that_fails_takes_no_other_down,
    a_check_keeps_the_id_the_host_gave_it,
    a_review_is_saved_once_for_a_key,
    pull_requests_are_found_by_head_and_the_later_word_counts,
    installations_follow_the_later_word,
    a_purge_takes_what_ended_long_ago_and_nothing_else,
    a_text_from_outside_is_a_value_and_never_a_statement,
);

pub(crate) const LEASE: std::time::Duration = std::time::Duration::from_secs(60);

pub(crate) fn at(millis: i64) -> Moment {
    Moment(1_800_000_000_000 + millis)
}

pub(crate) fn delivery(id: &str) -> DeliveryRef {
    DeliveryRef { endpoint: "github".parse().unwrap(), id: id.parse().unwrap() }
}

pub(crate) async fn accept(store: &Store, id: &str, body: &[u8], now: Moment) -> Acceptance {
    let new = NewDelivery { delivery: delivery(id), kind: "push".into(), body: Bytes::copy_from_slice(body) };
    store.accept_delivery(new, NewJob::new("handle", Value::Null), now).await.unwrap()
}

fn repository() -> RepositoryRef {
    RepositoryRef { endpoint: "github".parse().unwrap(), name: "acme/infra".parse().unwrap() }
}

fn sha<T: std::str::FromStr<Err: std::fmt::Debug>>(digit: char) -> T {
    digit.to_string().repeat(40).parse().unwrap()
}

async fn a_delivery_is_accepted_once_however_often_it_comes(database: &TestDatabase) {
    let store = database.open().await;
    let many = (0..40).map(|index| {
        let store = store.clone();
        tokio::spawn(async move { accept(&store, &format!("d-{}", index % 4), b"{}", at(index)).await })
    });
    let mut new = 0;
    for accepted in many.collect::<Vec<_>>() {
        new += usize::from(accepted.await.unwrap() == Acceptance::New);
    }
    assert_eq!(new, 4);
    for index in 0..4 {
        assert_eq!(store.jobs_of_delivery(&delivery(&format!("d-{index}"))).await.unwrap().len(), 1);
    }
    let claimed = store.claim_jobs(&["handle"], 10, LEASE, at(100)).await.unwrap();
    assert_eq!(claimed.len(), 4);
    assert_eq!(accept(&store, "d-0", b"{}", at(200)).await, Acceptance::Repeated, "while its job runs");
    for job in claimed {
        store.finish_job(&job.lease, End::Done, vec![], at(300)).await.unwrap();
    }
    assert_eq!(accept(&store, "d-0", b"{}", at(400)).await, Acceptance::Repeated, "when its job is done");
    assert!(store.claim_jobs(&["handle"], 10, LEASE, at(500)).await.unwrap().is_empty());
}

async fn a_body_comes_back_as_it_was(database: &TestDatabase) {
    let store = database.open().await;
    let noise: Vec<u8> = (0..2_000_000_u64).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    for (id, body) in [("small", &b"{}\0\xff"[..]), ("empty", b""), ("large", &noise)] {
        assert_eq!(accept(&store, id, body, at(7)).await, Acceptance::New);
        let stored = store.delivery(&delivery(id)).await.unwrap().unwrap();
        assert_eq!(stored.body.as_deref(), Some(body), "{id}");
        assert_eq!((stored.kind.as_str(), stored.received_at), ("push", at(7)));
    }
    assert_eq!(store.delivery(&delivery("none")).await.unwrap(), None);
}

async fn a_repeated_delivery_revives_what_was_given_up(database: &TestDatabase) {
    let store = database.open().await;
    accept(&store, "d", b"first", at(0)).await;
    let root = store.claim_jobs(&["handle"], 1, LEASE, at(1)).await.unwrap().remove(0);
    let follow_ups = ["a", "b", "c"].map(|kind| NewJob::new(kind, Value::Null).unless_live(format!("key-{kind}")));
    store.finish_job(&root.lease, End::Done, follow_ups.to_vec(), at(2)).await.unwrap();
    for job in store.claim_jobs(&["a", "b"], 2, LEASE, at(3)).await.unwrap() {
        store.finish_job(&job.lease, End::Dead("no luck".into()), vec![], at(4)).await.unwrap();
    }
    store.enqueue(NewJob::new("b", Value::Null).unless_live("key-b"), at(5)).await.unwrap();

    assert_eq!(accept(&store, "d", b"second", at(10)).await, Acceptance::Revived);
    let states: Vec<(String, JobState)> =
        store.jobs_of_delivery(&delivery("d")).await.unwrap().into_iter().map(|job| (job.kind, job.state)).collect();
    let wanted = [
        ("handle", JobState::Done),
        ("a", JobState::Ready),
        ("b", JobState::Dead), // An equal job stands for it.
        ("c", JobState::Ready),
    ];
    assert_eq!(states, wanted.map(|(kind, state)| (kind.to_owned(), state)));
    let revived = store.claim_jobs(&["a"], 9, LEASE, at(11)).await.unwrap().remove(0);
    assert_eq!((revived.attempt, revived.last_error.as_deref()), (1, Some("no luck")));
    assert_eq!(revived.delivery, Some(delivery("d")));
    let body = store.delivery(&delivery("d")).await.unwrap().unwrap().body.unwrap();
    assert_eq!(body, b"first", "what was accepted first counts");
}

async fn a_change_that_fails_takes_no_other_down(database: &TestDatabase) {
    let store = database.open().await;
    let huge = json!("x".repeat(2 << 20));
    let many = (0..60).map(|index| {
        let payload = if index % 10 == 3 { huge.clone() } else { json!(index) };
        let store = store.clone();
        tokio::spawn(async move { store.enqueue(NewJob::new("test", payload), at(index)).await })
    });
    let (mut added, mut refused) = (0, 0);
    for enqueued in many.collect::<Vec<_>>() {
        match enqueued.await.unwrap() {
            Ok(_) => added += 1,
            Err(StoreError::TooLarge(figure)) if figure.contains("1048576") => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((added, refused), (54, 6));
    assert_eq!(store.claim_jobs(&["test"], 100, LEASE, at(100)).await.unwrap().len(), 54);
}

async fn a_check_keeps_the_id_the_host_gave_it(database: &TestDatabase) {
    let store = database.open().await;
    let key = CheckKey("head/0".into());
    let mut check = CheckRecord {
        repository: repository(),
        key: key.clone(),
        pull_request: Some(7),
        head: sha('a'),
        host_id: None,
        conclusion: None,
    };
    store.save_check(check.clone(), at(0)).await.unwrap();
    assert_eq!(store.checks_in_progress(&repository(), 7).await.unwrap(), [check.clone()]);
    check.host_id = Some(CheckId("4711".into()));
    store.save_check(check.clone(), at(1)).await.unwrap();
    let late = CheckRecord { host_id: None, conclusion: Some(Conclusion::Failure), ..check.clone() };
    store.save_check(late, at(2)).await.unwrap();
    check.conclusion = Some(Conclusion::Failure);
    assert_eq!(store.check(&repository(), &key).await.unwrap(), Some(check.clone()));
    assert_eq!(store.checks_in_progress(&repository(), 7).await.unwrap(), []);
    assert_eq!(store.checks_of_head(&repository(), &sha('a')).await.unwrap(), [check]);
    assert_eq!(store.checks_of_head(&repository(), &sha('b')).await.unwrap(), []);
    assert_eq!(store.check(&repository(), &CheckKey("other".into())).await.unwrap(), None);
}

async fn a_review_is_saved_once_for_a_key(database: &TestDatabase) {
    let store = database.open().await;
    let mut review = Review {
        repository: repository(),
        key: CheckKey("k1".into()),
        pull_request: Some(7),
        base_branch: "main".parse().unwrap(),
        head: sha('a'),
        merge_base: sha('b'),
        verdict: Verdict::Error,
        report: json!({"violations": []}),
        timings: BTreeMap::from([("fetch".into(), 120), ("evaluate".into(), 9)]),
        started_at: at(0),
        finished_at: at(1),
    };
    store.save_review(&review).await.unwrap();
    review.verdict = Verdict::Fail;
    review.report = json!({"violations": vec!["ümlaut"; 1000]});
    review.finished_at = at(2);
    store.save_review(&review).await.unwrap();
    assert_eq!(store.review(&repository(), &review.key).await.unwrap(), Some(review.clone()));
    let newer = Review { key: CheckKey("k2".into()), finished_at: at(3), ..review.clone() };
    store.save_review(&newer).await.unwrap();
    store.save_review(&Review { key: CheckKey("g".into()), pull_request: None, ..review }).await.unwrap();
    let subject = store.latest_subject(&repository(), 7).await.unwrap().unwrap();
    assert_eq!(
        (&subject.head, &subject.base_branch, &subject.merge_base),
        (&newer.head, &newer.base_branch, &newer.merge_base)
    );
    assert_eq!(store.latest_subject(&repository(), 8).await.unwrap(), None);
    store.forget_review(&repository(), &newer.key).await.unwrap();
    assert_eq!(store.review(&repository(), &newer.key).await.unwrap(), None);
    assert_eq!(store.review(&repository(), &CheckKey("g".into())).await.unwrap().unwrap().pull_request, None);
}

async fn pull_requests_are_found_by_head_and_the_later_word_counts(database: &TestDatabase) {
    let store = database.open().await;
    let seen = |number, head, is_open| PullRequestRecord {
        repository: repository(),
        number,
        head: sha(head),
        base_branch: "main".parse().unwrap(),
        is_open,
    };
    store.save_pull_request(seen(1, 'b', true), at(20)).await.unwrap();
    store.save_pull_request(seen(1, 'a', true), at(10)).await.unwrap();
    store.save_pull_request(seen(2, 'b', true), at(10)).await.unwrap();
    store.save_pull_request(seen(3, 'c', false), at(10)).await.unwrap();
    let numbers = |found: Vec<PullRequestRecord>| found.into_iter().map(|pr| pr.number).collect::<Vec<_>>();
    assert_eq!(numbers(store.pull_requests_of_head(&repository(), &sha('b')).await.unwrap()), [1, 2]);
    assert_eq!(numbers(store.pull_requests_of_head(&repository(), &sha('a')).await.unwrap()), [0; 0]);
    assert_eq!(numbers(store.open_pull_requests(&repository(), &"main".parse().unwrap()).await.unwrap()), [1, 2]);
    store.save_pull_request(seen(1, 'b', false), at(30)).await.unwrap();
    assert_eq!(numbers(store.open_pull_requests(&repository(), &"main".parse().unwrap()).await.unwrap()), [2]);
    let elsewhere = RepositoryRef { name: "acme/other".parse().unwrap(), ..repository() };
    assert_eq!(numbers(store.pull_requests_of_head(&elsewhere, &sha('b')).await.unwrap()), [0; 0]);
}

async fn installations_follow_the_later_word(database: &TestDatabase) {
    let store = database.open().await;
    let endpoint = "github".parse().unwrap();
    let access = Access("99".into());
    let seen = |state| Installation {
        endpoint: "github".parse().unwrap(),
        access: Access("99".into()),
        account: "acme".into(),
        state,
    };
    store.save_installation(seen(InstallationState::Active), at(0)).await.unwrap();
    store.save_installation(seen(InstallationState::Removed), at(20)).await.unwrap();
    store.save_installation(seen(InstallationState::Suspended), at(10)).await.unwrap();
    let found = store.installation(&endpoint, &access).await.unwrap().unwrap();
    assert_eq!(found.state, InstallationState::Removed);
    assert_eq!(store.installations().await.unwrap(), [found]);
    assert_eq!(store.installation(&endpoint, &Access("1".into())).await.unwrap(), None);
}

async fn a_purge_takes_what_ended_long_ago_and_nothing_else(database: &TestDatabase) {
    let store = database.open().await;
    for id in ["done", "live", "dead", "young"] {
        accept(&store, id, b"body", at(if id == "young" { 1000 } else { 0 })).await;
    }
    for job in store.claim_jobs(&["handle"], 10, LEASE, at(1000)).await.unwrap() {
        let id = job.delivery.clone().unwrap().id;
        let end = if id.as_str() == "dead" { End::Dead("x".into()) } else { End::Done };
        match id.as_str() {
            "live" => drop(store.release_job(&job.lease, at(5)).await.unwrap()),
            "young" => store.finish_job(&job.lease, end, vec![], at(1000)).await.unwrap(),
            _ => store.finish_job(&job.lease, end, vec![], at(5)).await.unwrap(),
        }
    }
    let body = async |id: &str| store.delivery(&delivery(id)).await.unwrap().map(|found| found.body.is_some());

    store.purge(at(500), at(-1)).await.unwrap();
    let bodies = [body("done").await, body("live").await, body("dead").await, body("young").await];
    assert_eq!(bodies, [Some(false), Some(true), Some(true), Some(true)]);
    assert_eq!(accept(&store, "done", b"body", at(600)).await, Acceptance::Repeated);

    store.purge(at(500), at(500)).await.unwrap();
    let bodies = [body("done").await, body("live").await, body("dead").await, body("young").await];
    assert_eq!(bodies, [None, Some(true), None, Some(true)]);
    assert_eq!(store.claim_jobs(&["handle"], 10, LEASE, at(1000)).await.unwrap().len(), 1);
}

async fn a_text_from_outside_is_a_value_and_never_a_statement(database: &TestDatabase) {
    let store = database.open().await;
    let evil = "'; DROP TABLE jobs; --\u{0}$1 ü\u{1f980}";
    let job = NewJob::new("test", json!({ "text": evil })).in_lane("x'); DELETE FROM jobs; --").unless_live("'\"$2");
    store.enqueue(job, at(0)).await.unwrap();
    let claimed = store.claim_jobs(&["test", "' OR 1=1 --"], 9, LEASE, at(1)).await.unwrap().remove(0);
    assert_eq!(claimed.payload, json!({ "text": evil }));
    store.retry_job(&claimed.lease, at(2), evil, at(2)).await.unwrap();
    let again = store.claim_jobs(&["test"], 9, LEASE, at(3)).await.unwrap().remove(0);
    assert_eq!(again.last_error.unwrap(), evil.replace('\0', ""));
}
