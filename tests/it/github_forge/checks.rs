//! Publishing a check: one run, complete, each annotation once, whatever gets lost in between.

use std::sync::{Arc, Mutex};

use portcullis::forges::github::CHECK_NAME;
use portcullis::forges::{
    Annotation, AnnotationLevel, Check, CheckId, CheckKey, CheckOutput, CheckState, Conclusion, Forge, ForgeError,
    KnownCheck,
};
use portcullis_engine::source_tree::TreePath;
use serde_json::{Value, json};

use super::scripted::{Host, Reply, Seen};
use super::{forge, repository, sha};

/// The check runs of a repository, as GitHub keeps them.
#[derive(Default)]
pub(crate) struct Runs {
    pub(crate) runs: Vec<Value>,
    pub(crate) annotations: Vec<Vec<Value>>,
}

impl Runs {
    pub(crate) fn answer(&mut self, seen: &Seen) -> Option<Reply> {
        let path = seen.path.strip_prefix("/repos/octo/infra/")?;
        let parts: Vec<&str> = path.split('/').collect();
        match (seen.method.as_str(), parts.as_slice()) {
            ("POST", ["check-runs"]) => Some(self.create(&seen.body)),
            ("PATCH", ["check-runs", id]) => Some(self.change(id.parse().unwrap(), &seen.body)),
            ("GET", ["check-runs", id]) => {
                let at = self.at(id.parse().unwrap())?;
                Some(Reply::ok(self.runs[at].clone()))
            }
            ("GET", ["check-runs", id, "annotations"]) => {
                let at = self.at(id.parse().unwrap())?;
                Some(page(seen, &self.annotations[at], |part| json!(part)))
            }
            ("GET", ["commits", sha, "check-runs"]) => {
                let of_sha: Vec<Value> =
                    self.runs.iter().rev().filter(|run| run["head_sha"] == *sha).cloned().collect();
                Some(page(seen, &of_sha, |part| json!({"total_count": of_sha.len(), "check_runs": part})))
            }
            _ => None,
        }
    }

    fn at(&self, id: u64) -> Option<usize> {
        self.runs.iter().position(|run| run["id"] == id)
    }

    fn create(&mut self, body: &Value) -> Reply {
        let mut run = body.clone();
        run["id"] = (self.runs.len() as u64 + 71).into();
        run["app"] = json!({"id": 4242, "client_id": "Iv23liOurOwnClient"});
        run["output"]["annotations"].take();
        self.runs.push(run);
        self.annotations.push(Vec::new());
        self.annotate(self.runs.len() - 1, body);
        Reply::json(201, self.runs[self.runs.len() - 1].clone())
    }

    fn change(&mut self, id: u64, body: &Value) -> Reply {
        let Some(at) = self.at(id) else {
            return Reply::json(404, json!({"message": "Not Found"}));
        };
        for (name, value) in body.as_object().unwrap() {
            self.runs[at][name] = value.clone();
        }
        self.annotate(at, body);
        Reply::ok(self.runs[at].clone())
    }

    fn annotate(&mut self, at: usize, body: &Value) {
        let added = body["output"]["annotations"].as_array().cloned().unwrap_or_default();
        assert!(added.len() <= 50);
        self.annotations[at].extend(added);
        let output = self.runs[at]["output"].as_object_mut().unwrap();
        output.remove("annotations");
        output.insert("annotations_count".to_owned(), self.annotations[at].len().into());
    }
}

fn page(seen: &Seen, all: &[Value], wrap: impl Fn(&[Value]) -> Value) -> Reply {
    let size = seen.query.get("per_page").map_or(30, |size| size.parse().unwrap());
    let number: usize = seen.query.get("page").map_or(1, |number| number.parse().unwrap());
    let (start, end) = ((number - 1) * size, (number * size).min(all.len()));
    let reply = Reply::ok(wrap(&all[start.min(end)..end]));
    if end == all.len() {
        return reply;
    }
    let query: Vec<String> =
        seen.query.iter().filter(|(name, _)| *name != "page").map(|(n, v)| format!("{n}={v}")).collect();
    reply.with("link", &format!("<{}?{}&page={}>; rel=\"next\"", seen.path, query.join("&"), number + 1))
}

/// What happens to a request that changes a run.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Done, but the answer does not arrive.
    Lost,
    /// Not done.
    Refused,
    /// Done, but a gateway says otherwise.
    DoneAnd502,
}

/// A host with runs, where the nth write suffers the nth fault.
async fn host(faults: impl IntoIterator<Item = Fault, IntoIter: Send + 'static>) -> (Host, Arc<Mutex<Runs>>) {
    let runs = Arc::new(Mutex::new(Runs::default()));
    let (kept, mut faults) = (Arc::clone(&runs), faults.into_iter());
    let host = Host::start("", move |seen| {
        let writes = seen.method != "GET" && seen.path.contains("/check-runs");
        let fault = if writes { faults.next().unwrap_or(Fault::None) } else { Fault::None };
        let gateway = || Some(Reply::json(502, json!({"message": "Bad Gateway"})));
        if fault == Fault::Refused {
            return gateway();
        }
        let reply = kept.lock().unwrap().answer(seen);
        match fault {
            Fault::Lost => Some(Reply::lost()),
            Fault::DoneAnd502 => gateway(),
            _ => reply,
        }
    })
    .await;
    (host, runs)
}

pub(crate) fn check(key: &str, state: CheckState, annotations: u32) -> Check {
    let annotation = |n| Annotation {
        path: TreePath::new("live/main.tf").unwrap(),
        start_line: n + 1,
        end_line: n + 1,
        level: if n < 60 { AnnotationLevel::Failure } else { AnnotationLevel::Warning },
        title: "Encrypt storage".to_owned(),
        message: format!("bucket {n} is not encrypted"),
    };
    Check {
        key: CheckKey(key.to_owned()),
        head: sha('a'),
        state,
        started_at: "2026-11-20T10:00:00Z".to_owned(),
        output: CheckOutput {
            title: "2 violations".to_owned(),
            summary: "| a | b |".to_owned(),
            text: Some("more".to_owned()),
            annotations: (0..annotations).map(annotation).collect(),
        },
    }
}

fn failed() -> CheckState {
    CheckState::Completed { conclusion: Conclusion::Failure, completed_at: "2026-11-20T10:00:02Z".to_owned() }
}

fn writes(host: &Host) -> Vec<Seen> {
    host.seen().into_iter().filter(|seen| seen.method != "GET" && seen.path.contains("/check-runs")).collect()
}

fn lines(annotations: &[Value]) -> Vec<u64> {
    let mut lines: Vec<u64> = annotations.iter().map(|annotation| annotation["start_line"].as_u64().unwrap()).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn a_check_begins_and_ends_as_one_run() {
    let (host, runs) = host([]).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let id = forge.publish_check(&infra, &check("k1", CheckState::InProgress, 3), KnownCheck::Perhaps).await.unwrap();
    let done = forge.publish_check(&infra, &check("k1", failed(), 3), KnownCheck::As(&id)).await.unwrap();
    assert_eq!(done, id);
    let runs = runs.lock().unwrap();
    assert_eq!(runs.runs.len(), 1);
    let expected = json!({
        "id": 71, "name": CHECK_NAME, "head_sha": sha('a').as_str(), "external_id": "k1",
        "started_at": "2026-11-20T10:00:00Z", "status": "completed", "conclusion": "failure",
        "completed_at": "2026-11-20T10:00:02Z", "app": {"id": 4242, "client_id": "Iv23liOurOwnClient"},
        "output": {"title": "2 violations", "summary": "| a | b |", "text": "more", "annotations_count": 3},
    });
    assert_eq!(runs.runs[0], expected);
    assert_eq!(writes(&host)[0].body["output"].get("annotations"), None, "what is in progress may turn out otherwise");
    let first = json!({"path": "live/main.tf", "start_line": 1, "end_line": 1, "annotation_level": "failure",
        "title": "Encrypt storage", "message": "bucket 0 is not encrypted"});
    assert_eq!(runs.annotations[0][0], first);
}

#[tokio::test]
async fn a_check_published_again_stays_one_run_and_costs_no_write() {
    let (host, runs) = host([]).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let id = forge.publish_check(&infra, &check("k1", failed(), 3), KnownCheck::Perhaps).await.unwrap();
    let writes_before = writes(&host).len();
    let (gone, none) = (CheckId("999".to_owned()), CheckId("no number".to_owned()));
    for known in [KnownCheck::Perhaps, KnownCheck::As(&id), KnownCheck::As(&gone), KnownCheck::As(&none)] {
        assert_eq!(forge.publish_check(&infra, &check("k1", failed(), 3), known).await.unwrap(), id);
        let begun_again = check("k1", CheckState::InProgress, 0);
        assert_eq!(forge.publish_check(&infra, &begun_again, known).await.unwrap(), id);
    }
    assert_eq!(writes(&host).len(), writes_before, "what is done stays done");
    let another = forge.publish_check(&infra, &check("k2", failed(), 3), KnownCheck::As(&id)).await.unwrap();
    assert_ne!(another, id, "asked for again: a new run, since annotations cannot be taken back");
    assert_eq!(runs.lock().unwrap().runs.len(), 2);
}

#[tokio::test]
async fn annotations_go_fifty_at_a_time_worst_first_and_the_last_request_completes() {
    let (host, runs) = host([]).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    forge.publish_check(&infra, &check("k1", failed(), 120), KnownCheck::Perhaps).await.unwrap();
    let shape: Vec<(String, Value, usize)> = writes(&host)
        .iter()
        .map(|seen| {
            let annotations = seen.body["output"]["annotations"].as_array().map_or(0, Vec::len);
            (seen.method.clone(), seen.body["status"].clone(), annotations)
        })
        .collect();
    let expected = [("POST", "in_progress", 50), ("PATCH", "in_progress", 50), ("PATCH", "completed", 20)];
    assert_eq!(shape, expected.map(|(method, status, n)| (method.to_owned(), json!(status), n)));
    assert_eq!(writes(&host)[0].body.get("conclusion"), None, "not finished before all is shown");
    let runs = runs.lock().unwrap();
    let in_order: Vec<u64> = runs.annotations[0].iter().map(|a| a["start_line"].as_u64().unwrap()).collect();
    assert_eq!(in_order, (1..=120).collect::<Vec<_>>());
}

#[tokio::test]
async fn more_annotations_than_the_limit_leave_out_the_mildest() {
    let (host, runs) = host([]).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let limit = forge.capabilities().check_annotation_limit;
    forge
        .publish_check(&infra, &check("k1", failed(), u32::try_from(limit).unwrap() + 9), KnownCheck::Perhaps)
        .await
        .unwrap();
    assert_eq!(lines(&runs.lock().unwrap().annotations[0]), (1..=limit as u64).collect::<Vec<_>>());
    assert_eq!(runs.lock().unwrap().runs[0]["status"], "completed");
}

#[tokio::test]
async fn whatever_is_lost_there_is_one_run_with_each_annotation_once() {
    use Fault::{DoneAnd502, Lost, None as Fine, Refused};
    for faults in [
        vec![Lost],
        vec![Refused],
        vec![DoneAnd502],
        vec![Refused, Lost],
        vec![Fine, Lost],
        vec![Fine, Refused],
        vec![Fine, Fine, Lost],
        vec![Fine, Fine, Refused],
        vec![Lost, Refused, DoneAnd502, Refused, Lost],
    ] {
        for annotations in [0, 1, 50, 51, 120] {
            let (host, runs) = host(faults.to_vec()).await;
            let (forge, infra) = (forge(&host), repository("octo/infra"));
            let id =
                forge.publish_check(&infra, &check("k1", failed(), annotations), KnownCheck::Perhaps).await.unwrap();
            let runs = runs.lock().unwrap();
            assert_eq!(runs.runs.len(), 1);
            assert_eq!(runs.runs[0]["id"].to_string(), id.0);
            assert_eq!(runs.runs[0]["conclusion"], "failure");
            assert_eq!(lines(&runs.annotations[0]), (1..=u64::from(annotations)).collect::<Vec<_>>());
        }
    }
}

#[tokio::test]
async fn a_host_that_stays_broken_is_said_to_be_and_the_next_try_finishes() {
    for faults in [[Fault::Refused; 3], [Fault::Lost; 3]] {
        let (host, runs) = host(faults).await;
        let (forge, infra) = (forge(&host), repository("octo/infra"));
        let mut tries = 0;
        while let Err(error) = forge.publish_check(&infra, &check("k1", failed(), 120), KnownCheck::Perhaps).await {
            assert!(matches!(error, ForgeError::Unreachable(_)), "{error}");
            tries += 1;
            assert!(tries < 3);
        }
        let runs = runs.lock().unwrap();
        assert_eq!(runs.runs.len(), 1);
        assert_eq!(lines(&runs.annotations[0]), (1..=120).collect::<Vec<_>>());
        assert_eq!(runs.runs[0]["status"], "completed");
    }
}

#[tokio::test]
async fn a_try_that_was_killed_is_finished_by_the_next() {
    let (host, runs) = host([]).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let full = check("k1", failed(), 120);
    // The first try came as far as its first 50 annotations; its id was never stored.
    forge.publish_check(&infra, &check("k1", failed(), 50), KnownCheck::Perhaps).await.unwrap();
    {
        let mut runs = runs.lock().unwrap();
        runs.runs[0]["status"] = "in_progress".into();
        runs.runs[0]["conclusion"] = Value::Null;
    }
    let again =
        forge.publish_check(&infra, &check("k1", CheckState::InProgress, 0), KnownCheck::Perhaps).await.unwrap();
    assert_eq!(forge.publish_check(&infra, &full, KnownCheck::As(&again)).await.unwrap(), again);
    let runs = runs.lock().unwrap();
    assert_eq!(runs.runs.len(), 1);
    assert_eq!(lines(&runs.annotations[0]), (1..=120).collect::<Vec<_>>());
    assert_eq!(runs.runs[0]["conclusion"], "failure");
}

#[tokio::test]
async fn a_check_that_was_done_is_mended_without_going_back() {
    let (host, runs) = host([]).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let mut unavailable = check("k1", failed(), 0);
    unavailable.output.title = "The policies could not be loaded".to_owned();
    let id = forge.publish_check(&infra, &unavailable, KnownCheck::Perhaps).await.unwrap();
    assert_eq!(forge.publish_check(&infra, &check("k1", failed(), 120), KnownCheck::As(&id)).await.unwrap(), id);
    assert!(writes(&host).iter().all(|seen| seen.body["status"] == "completed"));
    let runs = runs.lock().unwrap();
    assert_eq!(runs.runs[0]["output"]["title"], "2 violations");
    assert_eq!(lines(&runs.annotations[0]), (1..=120).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_check_called_off_halfway_ends_as_cancelled() {
    let (host, runs) = host([]).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let id = forge.publish_check(&infra, &check("k1", failed(), 50), KnownCheck::Perhaps).await.unwrap();
    runs.lock().unwrap().runs[0]["status"] = "in_progress".into();
    let completed_at = "2026-11-20T10:00:03Z".to_owned();
    let called_off = check("k1", CheckState::Completed { conclusion: Conclusion::Cancelled, completed_at }, 0);
    assert_eq!(forge.publish_check(&infra, &called_off, KnownCheck::Perhaps).await.unwrap(), id);
    let runs = runs.lock().unwrap();
    assert_eq!((runs.runs.len(), &runs.runs[0]["conclusion"]), (1, &json!("cancelled")));
}

#[tokio::test]
async fn a_run_that_shows_what_is_no_longer_so_is_closed_and_replaced() {
    let (host, runs) = host([]).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let old = forge.publish_check(&infra, &check("k1", failed(), 120), KnownCheck::Perhaps).await.unwrap();
    runs.lock().unwrap().runs[0]["status"] = "in_progress".into();
    // This time only ten are found, and the policy set has changed.
    let mut fewer = check("k1", failed(), 10);
    fewer.output.annotations[0].message = "another message".to_owned();
    let new = forge.publish_check(&infra, &fewer, KnownCheck::As(&old)).await.unwrap();
    assert_ne!(new, old);
    assert_eq!(forge.publish_check(&infra, &fewer, KnownCheck::As(&old)).await.unwrap(), new, "and that once");
    let runs = runs.lock().unwrap();
    let states: Vec<(&Value, &Value)> = runs.runs.iter().map(|run| (&run["status"], &run["conclusion"])).collect();
    assert_eq!(states, [(&json!("completed"), &json!("cancelled")), (&json!("completed"), &json!("failure"))]);
    assert_eq!((runs.annotations[0].len(), runs.annotations[1].len()), (120, 10));
}

#[tokio::test]
async fn runs_of_others_are_not_taken_for_ours() {
    let (host, runs) = host([]).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let like_ours = |id: u64, app: u64, name: &str, key: &str| {
        json!({"id": id, "name": name, "head_sha": sha('a').as_str(), "external_id": key, "status": "in_progress",
            "conclusion": null, "app": {"id": app}, "output": {"annotations_count": 0}})
    };
    {
        let mut runs = runs.lock().unwrap();
        runs.runs = vec![
            like_ours(1, 666, CHECK_NAME, "k1"),
            like_ours(2, 4242, "Another check", "k1"),
            like_ours(3, 4242, CHECK_NAME, "k0"),
        ];
        runs.annotations = vec![Vec::new(); 3];
    }
    let (theirs, other) = (CheckId("1".to_owned()), CheckId("3".to_owned()));
    for known in [KnownCheck::Perhaps, KnownCheck::As(&theirs), KnownCheck::As(&other)] {
        let id = forge.publish_check(&infra, &check("k1", CheckState::InProgress, 0), known).await.unwrap();
        assert_eq!(id.0, "74");
    }
    let list = host.seen().into_iter().find(|seen| seen.path.ends_with("/check-runs") && seen.method == "GET").unwrap();
    assert_eq!((list.query["app_id"].as_str(), list.query["filter"].as_str()), ("4242", "all"));
}

#[tokio::test]
async fn a_run_among_hundreds_is_found() {
    let (host, runs) = host([]).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let first = forge.publish_check(&infra, &check("k1", failed(), 0), KnownCheck::Perhaps).await.unwrap();
    for n in 0..250 {
        let body = json!({"name": CHECK_NAME, "head_sha": sha('a').as_str(), "external_id": format!("other {n}"),
            "status": "completed", "conclusion": "success", "output": {}});
        runs.lock().unwrap().create(&body);
    }
    assert_eq!(forge.publish_check(&infra, &check("k1", failed(), 0), KnownCheck::Perhaps).await.unwrap(), first);
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let host = Host::start("", |seen| match (seen.method.as_str(), seen.is_mint()) {
        ("POST", false) => Some(
            Reply::json(403, json!({"message": "Resource not accessible by integration"}))
                .with("x-accepted-github-permissions", "checks=write"),
        ),
        ("GET", _) => Some(Reply::ok(json!({"check_runs": []}))),
        _ => None,
    })
    .await;
    let check = check("k1", CheckState::InProgress, 0);
    let error = forge(&host).publish_check(&repository("octo/infra"), &check, KnownCheck::Perhaps).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Refused(text) if text.contains("the permission checks=write")), "{error}");
}
