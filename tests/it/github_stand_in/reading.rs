//! Repositories, pull requests, commits, trees and files as a client reads them.

use base64::Engine;
use http::StatusCode;
use portcullis::github_stand_in::actions::{Changes, NewCommit, NewPull, Proposal};
use portcullis::github_stand_in::git::Mode;
use serde_json::{Value, json};

use super::world::{World, world};

const REPO: &str = "/repos/acme/platform";

async fn json_of(world: &World, path: &str) -> Value {
    let answer = world.get(&format!("{REPO}{path}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|pull| pull["number"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn pull_requests_are_listed_filtered_and_sorted() {
    world("pulls", async |world| {
        for number in 1..=5 {
            world.propose(&format!("Change {number}"), Changes::new().write(&format!("{number}.txt"), "x"));
        }
        world.stand_in.github(|github| {
            let pulls: Vec<_> =
                github.repository(world.repository).unwrap().pulls.values().map(|pull| pull.id).collect();
            let (base, change) = ("release", NewCommit::new("lee", "Release", Changes::new().write("r", "r")));
            github.push(world.repository, base, &change).unwrap();
            github.retarget(pulls[3], base).unwrap();
            github.close(pulls[4]).unwrap();
        });
        for (query, expected) in [
            ("", vec![4, 3, 2, 1]),
            ("?state=closed", vec![5]),
            ("?state=all&direction=asc", vec![1, 2, 3, 4, 5]),
            ("?base=release", vec![4]),
            ("?base=main&state=all", vec![5, 3, 2, 1]),
            ("?head=acme:change-2", vec![2]),
            ("?head=acme:nothing", vec![]),
            ("?sort=created&direction=desc&per_page=2&page=2", vec![2, 1]),
        ] {
            assert_eq!(numbers(&json_of(&world, &format!("/pulls{query}")).await), expected, "{query}");
        }
        let wrong = world.get(&format!("{REPO}/pulls?state=merged")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.get(&format!("{REPO}/pulls/99")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&format!("{REPO}/pulls/x")).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn pages_are_linked_by_absolute_addresses_to_the_end() {
    world("pages", async |world| {
        let changes = (0..250).fold(Changes::new(), |all, n| all.write(&format!("f/{n:03}.txt"), n.to_string()));
        world.propose("Many files", changes);
        let pages = world.pages(&format!("{REPO}/pulls/1/files?per_page=100")).await;
        let files: Vec<String> = pages
            .iter()
            .flat_map(|page| page.json().as_array().unwrap().clone())
            .map(|file| file["filename"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!((pages.len(), files.len()), (3, 250));
        assert_eq!((files[0].as_str(), files[249].as_str()), ("f/000.txt", "f/249.txt"));
        assert!(pages[1].header("link").contains("rel=\"prev\"") && pages[1].header("link").contains("rel=\"last\""));
        assert_eq!(json_of(&world, "/pulls/1/files").await.as_array().unwrap().len(), 30, "the default");
        let large = json_of(&world, "/pulls/1/files?per_page=1000").await;
        assert_eq!(large.as_array().unwrap().len(), 100, "the most");
        assert_eq!(json_of(&world, "/pulls/1").await["changed_files"], 250);
        world.stand_in.github(|github| github.limits_mut().pull_files = 120);
        assert_eq!(world.pages(&format!("{REPO}/pulls/1/files?per_page=100")).await.len(), 2, "cut at the limit");
        assert_eq!(json_of(&world, "/pulls/1").await["changed_files"], 250, "which this tells");
    })
    .await;
}

#[tokio::test]
async fn changed_files_say_what_happened_to_them() {
    world("files", async |world| {
        let lines = (1..=20).map(|n| format!("line {n}\n")).collect::<String>();
        let start = Changes::new()
            .write("old.txt", lines.clone())
            .write("same.txt", "moved as it is\n")
            .write("gone.txt", "x\n")
            .write("binary.dat", vec![0_u8, 1, 2])
            .write("large.txt", "x\n");
        world
            .stand_in
            .github(|github| github.push(world.repository, "main", &NewCommit::new("lee", "Start", start)).unwrap());
        let changes = Changes::new()
            .delete("old.txt")
            .write("new.txt", lines.replace("line 7\n", "line seven\n"))
            .delete("same.txt")
            .write("elsewhere/same.txt", "moved as it is\n")
            .delete("gone.txt")
            .write("binary.dat", vec![0_u8, 1, 3])
            .write("large.txt", "y\n".repeat(30_000))
            .write("added.txt", "one\ntwo");
        world.propose("All kinds", changes);
        let files = json_of(&world, "/pulls/1/files?per_page=100").await;
        let told: Vec<String> = files
            .as_array()
            .unwrap()
            .iter()
            .map(|file| {
                let patch = if file["patch"].is_string() { "patch" } else { "-" };
                let (a, d) = (&file["additions"], &file["deletions"]);
                format!("{} {} +{a} -{d} {patch} {}", file["status"], file["filename"], file["previous_filename"])
                    .replace('"', "")
            })
            .collect();
        assert_eq!(
            told,
            [
                "added added.txt +2 -0 patch null",
                "modified binary.dat +0 -0 - null",
                "renamed elsewhere/same.txt +0 -0 - same.txt",
                "removed gone.txt +0 -1 patch null",
                "modified large.txt +30000 -1 - null",
                "renamed new.txt +1 -1 patch old.txt",
            ]
        );
        let patch = files[5]["patch"].as_str().unwrap();
        let expected =
            "@@ -4,7 +4,7 @@ line 3\n line 4\n line 5\n line 6\n-line 7\n+line seven\n line 8\n line 9\n line 10";
        assert_eq!(patch, expected);
        assert_eq!(files[0]["patch"], "@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file");
    })
    .await;
}

#[tokio::test]
async fn a_comparison_starts_where_the_two_parted() {
    world("compare", async |world| {
        let base = world.stand_in.github(|github| github.branch(world.repository, "main").unwrap());
        world.propose("Work", Changes::new().write("work.txt", "x"));
        world.stand_in.github(|github| {
            let moved = NewCommit::new("lee", "Main moves on", Changes::new().write("other.txt", "y"));
            github.push(world.repository, "main", &moved).unwrap();
        });
        let compared = json_of(&world, "/compare/main...work").await;
        assert_eq!(compared["merge_base_commit"]["sha"], base.to_string());
        assert_eq!(
            (&compared["status"], &compared["ahead_by"], &compared["behind_by"]),
            (&json!("diverged"), &json!(1), &json!(1))
        );
        assert_eq!(compared["files"].as_array().unwrap().len(), 1, "what main did is not in it");
        assert_eq!(compared["files"][0]["filename"], "work.txt");
        assert_eq!(json_of(&world, "/compare/main...main").await["status"], "identical");
        assert_eq!(json_of(&world, &format!("/compare/main...{base}")).await["status"], "behind");
        let second = json_of(&world, "/compare/main...work?page=2").await;
        assert!(second.get("files").is_none(), "files are on the first page alone");
        assert_eq!(world.get(&format!("{REPO}/compare/main..work")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&format!("{REPO}/compare/main...nothing")).await.status, StatusCode::NOT_FOUND);
        world.stand_in.github(|github| github.limits_mut().compare_files = 0);
        assert_eq!(json_of(&world, "/compare/main...work").await["files"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_fork_shares_its_commits_but_not_its_pushes() {
    world("fork", async |world| {
        let proposal = world.stand_in.github(|github| {
            let fork = github.fork(world.repository, "mallory").unwrap();
            let proposal = Proposal::new("mallory", "From afar", Changes::new().write("a.tf", "# a\n"));
            Proposal { pull: NewPull { fork: Some(fork), ..proposal.pull }, changes: proposal.changes }
        });
        world.forget().await;
        world.stand_in.github(|github| github.propose(world.repository, &proposal).unwrap());
        let arrived = super::world::counts(&{
            world.stand_in.deliveries_idle().await;
            world.receiver.received()
        });
        assert_eq!(
            arrived.into_iter().collect::<Vec<_>>(),
            [("pull_request.opened".to_owned(), 1)],
            "no push, no suite"
        );
        let pull = json_of(&world, "/pulls/1").await;
        assert_eq!(pull["head"]["repo"]["full_name"], "mallory/platform");
        assert_eq!(pull["head"]["label"], "mallory:from-afar");
        let head = pull["head"]["sha"].as_str().unwrap();
        json_of(&world, &format!("/git/trees/{head}?recursive=1")).await;
        json_of(&world, &format!("/contents/a.tf?ref={head}")).await;
        assert_eq!(json_of(&world, "/compare/main...mallory:from-afar").await["ahead_by"], 1);
        assert_eq!(numbers(&json_of(&world, &format!("/commits/{head}/pulls")).await), [1]);
        assert_eq!(
            world.get("/repos/mallory/platform").await.status,
            StatusCode::NOT_FOUND,
            "the fork itself is not ours"
        );
    })
    .await;
}

#[tokio::test]
async fn trees_are_whole_or_say_that_they_are_not() {
    world("trees", async |world| {
        let whole = json_of(&world, "/git/trees/main?recursive=1").await;
        let paths: Vec<&str> =
            whole["tree"].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect();
        assert_eq!(
            paths,
            [
                "README.md",
                "terraform",
                "terraform/main.tf",
                "terraform/modules",
                "terraform/modules/net",
                "terraform/modules/net/main.tf",
            ]
        );
        assert_eq!(whole["tree"][2]["size"], 54);
        assert_eq!(json_of(&world, "/git/trees/main").await["tree"].as_array().unwrap().len(), 2);
        assert_eq!(json_of(&world, "/git/trees/main?recursive=0").await["tree"].as_array().unwrap().len(), 6);
        let folder = whole["tree"][1]["sha"].as_str().unwrap();
        assert_eq!(json_of(&world, &format!("/git/trees/{folder}")).await["tree"][0]["path"], "main.tf");
        world.stand_in.github(|github| github.limits_mut().tree_entries = 3);
        let cut = json_of(&world, "/git/trees/main?recursive=1").await;
        assert_eq!((cut["tree"].as_array().unwrap().len(), &cut["truncated"]), (3, &json!(true)));
        assert_eq!(world.get(&format!("{REPO}/git/trees/nothing")).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn blobs_come_in_base64_or_raw() {
    world("blobs", async |world| {
        let content: Vec<u8> = (0..=255_u8).cycle().take(1000).collect();
        let change = NewCommit::new("lee", "Bytes", Changes::new().write("bytes.dat", content.clone()));
        world.stand_in.github(|github| github.push(world.repository, "main", &change).unwrap());
        let file = json_of(&world, "/contents/bytes.dat").await;
        let path = format!("{REPO}/git/blobs/{}", file["sha"].as_str().unwrap());
        let blob = world.get(&path).await.json();
        let text = blob["content"].as_str().unwrap();
        assert!(text.lines().all(|line| line.len() <= 60) && text.lines().count() > 1, "broken into lines");
        let decoded = base64::engine::general_purpose::STANDARD.decode(text.replace('\n', "")).unwrap();
        assert_eq!((decoded, &blob["size"]), (content.clone(), &json!(1000)));
        let token = format!("Bearer {}", world.token().await);
        for accept in ["application/vnd.github.raw+json", "application/vnd.github.v3.raw", "application/vnd.github.raw"]
        {
            let headers = [("authorization", token.as_str()), ("user-agent", "x"), ("accept", accept)];
            assert_eq!(world.bare("GET", &path, &headers, "").await.body, content, "{accept}");
        }
        let unknown = format!("{REPO}/git/blobs/{}", "0".repeat(40));
        assert_eq!(world.get(&unknown).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&format!("{REPO}/git/blobs/short")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    })
    .await;
}

#[tokio::test]
async fn contents_know_folders_links_and_limits() {
    world("contents", async |world| {
        let changes = Changes::new()
            .put("link.tf", Mode::Link, "terraform/main.tf")
            .put("dangling", Mode::Link, "../outside")
            .put("run.sh", Mode::Executable, "#!/bin/sh\n")
            .write("with space/ü.md", "x");
        world
            .stand_in
            .github(|github| github.push(world.repository, "main", &NewCommit::new("lee", "More", changes)).unwrap());
        let listed = json_of(&world, "/contents").await;
        let kinds: Vec<String> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|e| format!("{} {}", e["type"], e["name"]).replace('"', ""))
            .collect();
        let expected =
            ["file README.md", "symlink dangling", "symlink link.tf", "file run.sh", "dir terraform", "dir with space"];
        assert_eq!(kinds, expected);
        let followed = json_of(&world, "/contents/link.tf").await;
        assert_eq!((&followed["type"], &followed["size"]), (&json!("file"), &json!(54)), "a link is what it leads to");
        assert_eq!(json_of(&world, "/contents/dangling").await["target"], "../outside");
        let escaped = json_of(&world, "/contents/with%20space/%C3%BC.md").await;
        assert_eq!(escaped["path"], "with space/ü.md");
        assert_eq!(world.get(&format!("{REPO}/contents/nothing.tf")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&format!("{REPO}/contents/README.md?ref=nothing")).await.status, StatusCode::NOT_FOUND);
        world.stand_in.github(|github| github.limits_mut().contents_bytes = 10);
        let large = json_of(&world, "/contents/terraform/main.tf").await;
        assert_eq!((&large["content"], &large["encoding"]), (&json!(""), &json!("none")));
        world.stand_in.github(|github| github.limits_mut().contents_raw_bytes = 10);
        assert_eq!(world.get(&format!("{REPO}/contents/terraform/main.tf")).await.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn branches_with_slashes_and_commits_are_found() {
    world("branches", async |world| {
        let change = NewCommit::new("lee", "Fix", Changes::new().write("fix.txt", "x"));
        let head = world.stand_in.github(|github| github.push(world.repository, "release/1.x", &change).unwrap());
        for path in ["/branches/release%2F1.x", "/branches/release/1.x"] {
            assert_eq!(json_of(&world, path).await["commit"]["sha"], head.to_string(), "{path}");
        }
        assert_eq!(json_of(&world, "/git/ref/heads/release/1.x").await["object"]["sha"], head.to_string());
        let commit = json_of(&world, "/commits/release%2F1.x").await;
        assert_eq!((&commit["stats"]["additions"], &commit["files"][0]["status"]), (&json!(1), &json!("added")));
        assert_eq!(world.get(&format!("{REPO}/branches/nothing")).await.json()["message"], "Branch not found");
        let unknown = world.get(&format!("{REPO}/commits/{}", "1".repeat(40))).await;
        assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    })
    .await;
}
