//! Reading pull requests, trees and blobs: completely, from the right host, as git has them.

use portcullis::forges::{BlobRequest, Forge, ForgeError, PullRequestFilter, PullRequestState};
use portcullis_engine::source_tree::{FILE_LIMIT_BYTES, TreePath, Unreadable};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::scripted::{Host, Reply, Seen, token_text};
use super::{forge, repository, sha};

fn pull_request(number: u64, base: &str, head: char) -> Value {
    json!({"number": number, "title": format!("no. {number}"), "state": "open", "draft": number.is_multiple_of(2),
        "head": {"sha": sha(head).as_str()}, "base": {"ref": base, "sha": sha('0').as_str()}})
}

fn tip_of_main(seen: &Seen) -> Option<Reply> {
    (seen.path == "/repos/octo/infra/git/ref/heads/main")
        .then(|| Reply::ok(json!({"object": {"sha": sha('b').as_str()}})))
}

#[tokio::test]
async fn every_page_is_asked_for_at_the_own_host_whatever_the_link_says() {
    let elsewhere = Host::start("", |_| Some(Reply::ok(json!([])))).await;
    let other = elsewhere.origin().to_owned();
    let host = Host::start("/api/v3", move |seen| {
        if seen.path != "/repos/octo/infra/pulls" {
            return tip_of_main(seen);
        }
        assert_eq!(seen.query["per_page"], "100");
        let page: u64 = seen.query.get("page").map_or(1, |page| page.parse().unwrap());
        let listed: Vec<Value> = (0..100).map(|n| pull_request(page * 100 + n, "main", 'a')).collect();
        let link = |page| format!("<{other}/api/v3/repos/octo/infra/pulls?per_page=100&page={page}>");
        let links = format!("{}; rel=\"next\", {}; rel=\"last\"", link(page + 1), link(3));
        let reply = Reply::ok(json!(listed));
        Some(if page < 3 { reply.with("link", &links) } else { reply })
    })
    .await;
    let filter = PullRequestFilter::IntoBranch("main".parse().unwrap());
    let open = forge(&host).open_pull_requests(&repository("octo/infra"), &filter).await.unwrap();
    assert_eq!(open.iter().map(|pr| pr.number).collect::<Vec<_>>(), (100..400).collect::<Vec<_>>());
    assert_eq!((open[1].title.as_str(), open[1].draft, open[0].draft), ("no. 101", false, true));
    let pages: Vec<Seen> = host.seen().into_iter().filter(|seen| seen.path.ends_with("/pulls")).collect();
    assert_eq!(pages.len(), 3);
    assert!(pages.iter().all(|seen| seen.header("authorization") == format!("Bearer {}", token_text(1))));
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn an_endless_list_ends() {
    let host = Host::start("", |seen| {
        (seen.path == "/repos/octo/infra/pulls")
            .then(|| Reply::ok(json!([])).with("link", "</repos/octo/infra/pulls?page=1>; rel=\"next\""))
    })
    .await;
    let filter = PullRequestFilter::IntoBranch("main".parse().unwrap());
    let error = forge(&host).open_pull_requests(&repository("octo/infra"), &filter).await.unwrap_err();
    assert!(matches!(&error, ForgeError::TooLarge(text) if text.contains("100 pages")), "{error}");
}

#[tokio::test]
async fn a_redirect_is_followed_at_home_and_nowhere_else() {
    let elsewhere = Host::start("", |_| Some(Reply::ok(pull_request(7, "main", 'a')))).await;
    let other = elsewhere.origin().to_owned();
    let host = Host::start("", move |seen| match seen.path.as_str() {
        "/repos/octo/infra/pulls/7" => Some(Reply::json(301, json!({})).with("location", "/repositories/501/pulls/7")),
        "/repositories/501/pulls/7" => Some(Reply::ok(pull_request(7, "main", 'a'))),
        "/repos/octo/infra/pulls/8" => {
            Some(Reply::json(302, json!({})).with("location", &format!("{other}/repos/octo/infra/pulls/8")))
        }
        "/repos/octo/infra/pulls/9" => Some(Reply::json(307, json!({})).with("location", "/repos/octo/infra/pulls/9")),
        _ => tip_of_main(seen),
    })
    .await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let found = forge.pull_request(&infra, 7).await.unwrap();
    assert_eq!((found.number, found.head), (7, sha('a')));
    assert_eq!((found.base_branch.as_str(), found.state, found.draft), ("main", PullRequestState::Open, false));
    let followed = host.seen().into_iter().find(|seen| seen.path.starts_with("/repositories/")).unwrap();
    assert_eq!(followed.header("authorization"), format!("Bearer {}", token_text(1)));
    let strayed = forge.pull_request(&infra, 8).await.unwrap_err();
    assert!(matches!(&strayed, ForgeError::Refused(text) if text.contains("not followed")), "{strayed}");
    assert!(elsewhere.seen().is_empty());
    let circle = forge.pull_request(&infra, 9).await.unwrap_err();
    assert!(circle.to_string().contains("more than 3 redirects"), "{circle}");
}

#[tokio::test]
async fn a_closed_pull_request_may_have_lost_its_base_branch() {
    let host = Host::start("", |seen| {
        (seen.path == "/repos/octo/infra/pulls/7").then(|| {
            let mut closed = pull_request(7, "gone/for good", 'a');
            closed["state"] = "closed".into();
            closed["title"] = Value::Null;
            Reply::ok(closed)
        })
    })
    .await;
    let found = forge(&host).pull_request(&repository("octo/infra"), 7).await.unwrap();
    assert_eq!((found.state, found.title.as_str()), (PullRequestState::Closed, ""));
    let tip = forge(&host).tip(&repository("octo/infra"), &found.base_branch).await;
    assert!(matches!(tip, Err(ForgeError::NotFound(_))), "{tip:?}");
    assert_eq!(host.asked()[1], "GET /repos/octo/infra/git/ref/heads/gone/for%20good");
}

#[tokio::test]
async fn the_pull_request_of_a_forks_commit_is_found_among_the_open_ones() {
    let host = Host::start("", |seen| match seen.path.as_str() {
        path if path == format!("/repos/octo/infra/commits/{}/pulls", sha('a')) => {
            let mut merged = pull_request(1, "main", 'a');
            merged["state"] = "closed".into();
            Some(Reply::ok(json!([merged, pull_request(2, "main", 'a'), pull_request(3, "main", 'c')])))
        }
        path if path.starts_with("/repos/octo/infra/commits/") => {
            Some(Reply::json(422, json!({"message": "No commit found for SHA"})))
        }
        "/repos/octo/infra/pulls" => {
            assert!(!seen.query.contains_key("base"));
            Some(Reply::ok(json!([pull_request(4, "main", 'd'), pull_request(5, "main", 'c')])))
        }
        _ => tip_of_main(seen),
    })
    .await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let of_head = async |head| {
        let found = forge.open_pull_requests(&infra, &PullRequestFilter::OfHead(sha(head))).await.unwrap();
        found.iter().map(|pr| pr.number).collect::<Vec<_>>()
    };
    assert_eq!(of_head('a').await, [2]);
    assert_eq!(of_head('d').await, [4]);
    assert_eq!(of_head('e').await, [0; 0]);
}

#[tokio::test]
async fn the_merge_base_is_had_without_the_changed_files() {
    let host = Host::start("", |seen| {
        let (path, second) = (seen.path.as_str(), seen.query.contains_key("page"));
        let compare = |base, head| format!("/repos/octo/infra/compare/{}...{}", sha(base), sha(head));
        let found = || Reply::ok(json!({"merge_base_commit": {"sha": sha('c').as_str()}, "commits": []}));
        match path {
            _ if path == compare('1', '2') => Some(if second { found() } else { Reply::json(500, json!({})) }),
            _ if path == compare('1', '3') => Some(if second { Reply::ok(json!({"commits": []})) } else { found() }),
            _ if path == compare('1', '4') => {
                Some(Reply::json(404, json!({"message": "No common ancestor between 1 and 4."})))
            }
            _ => None,
        }
    })
    .await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    assert_eq!(forge.merge_base(&infra, &sha('1'), &sha('2')).await.unwrap(), sha('c'));
    assert_eq!(forge.merge_base(&infra, &sha('1'), &sha('3')).await.unwrap(), sha('c'));
    let unrelated = forge.merge_base(&infra, &sha('1'), &sha('4')).await.unwrap_err();
    assert!(matches!(&unrelated, ForgeError::Refused(text) if text.contains("no commit in common")), "{unrelated}");
    let unknown = forge.merge_base(&infra, &sha('1'), &sha('5')).await.unwrap_err();
    assert!(matches!(unknown, ForgeError::NotFound(_)));
}

fn entry(path: &str, mode: &str, id: char) -> Value {
    let kind = if mode == "040000" { "tree" } else { "blob" };
    json!({"path": path, "mode": mode, "type": kind, "sha": sha(id).as_str(), "size": 5})
}

#[tokio::test]
async fn a_tree_cut_short_is_walked_folder_by_folder() {
    let host = Host::start("", |seen| {
        let recursive = seen.query.contains_key("recursive");
        let (tree, truncated) = match (seen.path.strip_prefix("/repos/octo/infra/git/trees/")?, recursive) {
            (root, true) if root == sha('a').as_str() => (vec![entry("modules/x/main.tf", "100644", '1')], true),
            (root, false) if root == sha('a').as_str() => (
                vec![
                    entry("main.tf", "100644", '1'),
                    entry("link", "120000", '2'),
                    entry("live", "040000", 'b'),
                    entry("modules", "040000", 'c'),
                    json!({"path": "vendored", "mode": "160000", "type": "commit", "sha": sha('9').as_str()}),
                ],
                false,
            ),
            (live, true) if live == sha('b').as_str() => (
                vec![entry("prod", "040000", 'e'), entry("prod/a.tf", "100755", '3'), entry("prod/l", "120000", '2')],
                false,
            ),
            (modules, true) if modules == sha('c').as_str() => (vec![], true),
            (modules, false) if modules == sha('c').as_str() => (vec![entry("x", "040000", 'd')], false),
            (x, true) if x == sha('d').as_str() => (vec![entry("main.tf", "100644", '4')], false),
            other => panic!("{other:?}"),
        };
        Some(Reply::ok(json!({"sha": sha('a').as_str(), "tree": tree, "truncated": truncated})))
    })
    .await;
    let files = forge(&host).tree(&repository("octo/infra"), &sha('a')).await.unwrap();
    let found: Vec<(&str, &str)> =
        files.iter().map(|file| (file.path.as_str(), &file.blob.as_deref().unwrap()[..1])).collect();
    let all =
        [("link", "2"), ("live/prod/a.tf", "3"), ("live/prod/l", "2"), ("main.tf", "1"), ("modules/x/main.tf", "4")];
    assert_eq!(found, all);
    assert_eq!(files.iter().map(|file| file.is_link).collect::<Vec<_>>(), [true, false, true, false, false]);
    assert_eq!(files[1].size_bytes, 5);
    assert_eq!(host.asked().len(), 6, "{:#?}", host.asked());
}

#[tokio::test]
async fn a_tree_that_cannot_be_seen_whole_is_an_error() {
    let host = Host::start("", |seen| {
        let tree = seen.path.strip_prefix("/repos/octo/infra/git/trees/")?;
        // `a`: one folder with more entries than GitHub lists. `b`: a folder in a folder, without end.
        let level =
            if tree.starts_with('a') { vec![entry("f", "100644", '1')] } else { vec![entry("d", "040000", 'b')] };
        let truncated = tree.starts_with('a') || seen.query.contains_key("recursive");
        Some(Reply::ok(json!({"tree": level, "truncated": truncated})))
    })
    .await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let wide = forge.tree(&infra, &sha('a')).await.unwrap_err();
    assert!(matches!(&wide, ForgeError::TooLarge(text) if text.contains("only 1 entries")), "{wide}");
    let deep = forge.tree(&infra, &sha('b')).await.unwrap_err();
    assert!(matches!(&deep, ForgeError::TooLarge(text) if text.contains("250 listings")), "{deep}");
    assert!(matches!(forge.tree(&repository("octo/none"), &sha('a')).await, Err(ForgeError::NotFound(_))));
}

fn git_id(bytes: &[u8]) -> String {
    hex::encode(Sha1::new().chain_update(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
}

fn wanted(bytes: &[u8], size_bytes: u64) -> BlobRequest {
    BlobRequest { blob: git_id(bytes), path: TreePath::new("f").unwrap(), size_bytes }
}

/// What GraphQL says about each blob of a question, in its order.
fn graphql_answer(seen: &Seen, say: impl Fn(&str) -> Value) -> Reply {
    assert_eq!(seen.body["variables"], json!({"owner": "octo", "name": "infra"}));
    let query = seen.body["query"].as_str().unwrap();
    let ids = query.split("oid: \"").skip(1).map(|rest| &rest[..40]);
    let answers: serde_json::Map<String, Value> = ids.enumerate().map(|(at, id)| (format!("b{at}"), say(id))).collect();
    Reply::ok(json!({"data": {"repository": answers}}))
}

#[tokio::test]
async fn blobs_come_in_the_order_asked_and_as_git_has_them() {
    const TEXT: &[u8] = "resource \"größe\" {}\n".as_bytes();
    const BINARY: &[u8] = b"\x89PNG\r\n\0\xff";
    const CONVERTED: &[u8] = b"latin \xe9";
    let truncated = b"#\n".repeat(50_000);
    let large = b"{}\n".repeat(100_000);
    let lying = vec![b'x'; usize::try_from(FILE_LIMIT_BYTES).unwrap() + 1];
    let missing = b"nobody has this".as_slice();
    let stored: Vec<Vec<u8>> =
        vec![TEXT.to_vec(), BINARY.to_vec(), CONVERTED.to_vec(), truncated.clone(), large.clone(), lying.clone()];
    let host = Host::start("/api/v3", move |seen| {
        if seen.path == "/api/graphql" {
            return Some(graphql_answer(seen, |id| match stored.iter().find(|bytes| git_id(bytes) == id) {
                Some(bytes) if bytes == TEXT => {
                    json!({"isBinary": false, "isTruncated": false, "text": String::from_utf8_lossy(TEXT)})
                }
                Some(bytes) if bytes == BINARY => json!({"isBinary": true, "isTruncated": false, "text": null}),
                Some(bytes) if bytes == CONVERTED => {
                    json!({"isBinary": false, "isTruncated": false, "text": "latin é"})
                }
                Some(_) => json!({"isBinary": false, "isTruncated": true, "text": "#\n"}),
                None => Value::Null,
            }));
        }
        let id = seen.path.strip_prefix("/repos/octo/infra/git/blobs/")?;
        assert_eq!(seen.header("accept"), "application/vnd.github.raw+json");
        stored.iter().find(|bytes| git_id(bytes) == id).map(|bytes| Reply::raw(bytes))
    })
    .await;
    let size = |bytes: &[u8]| bytes.len() as u64;
    let asked = [
        wanted(&large, size(&large)),
        wanted(TEXT, size(TEXT)),
        wanted(b"too large to be asked for", FILE_LIMIT_BYTES + 1),
        wanted(BINARY, size(BINARY)),
        wanted(missing, size(missing)),
        wanted(&truncated, size(&truncated)),
        wanted(TEXT, size(TEXT)),
        wanted(CONVERTED, size(CONVERTED)),
        wanted(&lying, 10),
    ];
    let got = forge(&host).blobs(&repository("octo/infra"), &asked).await.unwrap();
    let too_large = || Err(Unreadable::TooLarge { size_bytes: FILE_LIMIT_BYTES + 1, limit_bytes: FILE_LIMIT_BYTES });
    assert!(matches!(&got[4], Err(Unreadable::Refused(_))), "{:?}", got[4]);
    let expected = [
        Ok(large),
        Ok(TEXT.to_vec()),
        too_large(),
        Ok(BINARY.to_vec()),
        got[4].clone(),
        Ok(truncated),
        Ok(TEXT.to_vec()),
        Ok(CONVERTED.to_vec()),
        too_large(),
    ];
    assert!(got == expected);
    let asked = host.asked();
    assert_eq!(asked.iter().filter(|what| *what == "POST /api/graphql").count(), 1);
    assert_eq!(asked.len(), 1 + 6, "{asked:#?}");
}

#[tokio::test]
async fn where_graphql_fails_blobs_are_asked_for_one_by_one() {
    let host = Host::start("", |seen| match seen.path.as_str() {
        "/graphql" => Some(Reply::json(502, json!({"message": "Something went wrong"}))),
        path => path.ends_with(&git_id(b"a")).then(|| Reply::raw(b"a")),
    })
    .await;
    let got = forge(&host).blobs(&repository("octo/infra"), &[wanted(b"a", 1)]).await.unwrap();
    assert_eq!(got, [Ok(b"a".to_vec())]);
    assert!(forge(&host).blobs(&repository("octo/infra"), &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn bytes_that_are_not_the_blob_are_not_taken_for_it() {
    let host = Host::start("", |seen| match seen.path.as_str() {
        "/graphql" => Some(graphql_answer(seen, |_| json!({"isBinary": false, "isTruncated": false, "text": "b"}))),
        _ => seen.path.contains("/git/blobs/").then(|| Reply::raw(b"b")),
    })
    .await;
    let got = forge(&host).blobs(&repository("octo/infra"), &[wanted(b"a", 1)]).await.unwrap();
    assert!(matches!(&got[0], Err(Unreadable::Refused(_))));
}
