//! The stand-in's git against git itself: ids, merge bases, patches, merges. Without git on the machine it says so and passes.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use portcullis::github_stand_in::actions::{Changes, NewCommit};
use portcullis::github_stand_in::fixtures::Fixture;
use portcullis::github_stand_in::git::{Mode, ObjectStore, Oid};
use portcullis::github_stand_in::state::PullId;
use serde_json::Value;

use super::world::{World, world};

/// A repository of git's own.
struct Git {
    folder: tempfile::TempDir,
}

impl Git {
    /// `None`, and a word about it, where there is no git.
    #[expect(clippy::explicit_write, reason = "a skipped test must be seen, and `eprintln` is captured")]
    fn new() -> Option<Self> {
        if Command::new("git").arg("--version").stdout(Stdio::null()).status().is_err() {
            writeln!(std::io::stderr(), "SKIPPED: git is not installed, so the stand-in was not compared with it")
                .unwrap();
            return None;
        }
        let git = Self { folder: tempfile::tempdir().unwrap() };
        git.run(&["init", "--quiet"], &[], b"");
        Some(git)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str], envs: &[(&str, &str)], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .current_dir(self.path())
            .args(["-c", "core.autocrlf=false", "-c", "core.fileMode=true", "-c", "diff.renames=true"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .envs(envs.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a commit of the stand-in anew, its parents first; gives the id git computes.
    fn import(&self, objects: &ObjectStore, oid: Oid, done: &mut BTreeSet<Oid>) -> Oid {
        let commit = objects.commit(oid).unwrap();
        for parent in &commit.parents {
            if !done.contains(parent) {
                self.import(objects, *parent, done);
            }
        }
        let tree = self.write_tree(objects, commit.tree);
        assert_eq!(tree, commit.tree.to_string(), "the tree of {oid}");
        let date = format!("{} +0000", commit.author.at.unix_timestamp());
        let envs = [
            ("GIT_AUTHOR_NAME", commit.author.name.as_str()),
            ("GIT_AUTHOR_EMAIL", commit.author.email.as_str()),
            ("GIT_AUTHOR_DATE", date.as_str()),
            ("GIT_COMMITTER_NAME", commit.committer.name.as_str()),
            ("GIT_COMMITTER_EMAIL", commit.committer.email.as_str()),
            ("GIT_COMMITTER_DATE", date.as_str()),
        ];
        let parents: Vec<String> = commit.parents.iter().flat_map(|p| ["-p".to_owned(), p.to_string()]).collect();
        let mut arguments = vec!["commit-tree", tree.as_str()];
        arguments.extend(parents.iter().map(String::as_str));
        let made = self.run(&arguments, &envs, commit.message.as_bytes());
        done.insert(oid);
        made.trim().parse().unwrap()
    }

    fn write_tree(&self, objects: &ObjectStore, tree: Oid) -> String {
        self.run(&["read-tree", "--empty"], &[], b"");
        let mut index = String::new();
        for (path, file) in objects.files(tree) {
            let blob = self.run(&["hash-object", "-w", "--stdin"], &[], objects.blob(file.oid).unwrap());
            index.push_str(&format!("{} {}\t{path}\n", file.mode.six_digits(), blob.trim()));
        }
        self.run(&["update-index", "--index-info"], &[], index.as_bytes());
        self.run(&["write-tree"], &[], b"").trim().to_owned()
    }

    /// The hunks of one file between two commits.
    fn hunks(&self, base: &str, head: &str, path: &str) -> String {
        let diff = self.run(&["diff", "--no-color", "--no-ext-diff", "--no-renames", base, head, "--", path], &[], b"");
        diff.find("@@").map(|at| diff[at..].trim_end_matches('\n').to_owned()).unwrap_or_default()
    }
}

fn open_demo(world: &World) -> Vec<PullId> {
    let mut fixture = Fixture::embedded().unwrap().remove(0);
    fixture.repository.full_name = "acme/shop".to_owned();
    world.stand_in.github(|github| {
        let repository = github.add_fixture(&fixture, None).unwrap();
        let pulls = fixture.pulls.iter().map(|pull| github.open_fixture(repository, pull).unwrap()).collect();
        let moved = Changes::new().write("README.md", "# platform\n\nMoved on.\n").put("link", Mode::Link, "README.md");
        let moved =
            moved.put("tools/run.sh", Mode::Executable, "#!/bin/sh\n").write("tools.txt", "sorted before tools/\n");
        github.push(repository, "main", &NewCommit::new("lee", "Main moves on\n\nWith a body.\n", moved)).unwrap();
        pulls
    })
}

#[tokio::test]
async fn ids_merge_bases_patches_and_merges_are_those_of_git() {
    let Some(git) = Git::new() else { return };
    world("git", async |world| {
        let token = world.mint(serde_json::json!({})).await;
        for pull in open_demo(&world) {
            let (base, head, merge, merge_tree) = world.stand_in.github(|github| {
                let found = github.pull(pull).unwrap().clone();
                let objects = github.objects(pull.repository).unwrap();
                let base = github.branch(pull.repository, "main").unwrap();
                let merge = found.test_merge.unwrap();
                let mut done = BTreeSet::new();
                for oid in [base, found.head, merge] {
                    assert_eq!(git.import(objects, oid, &mut done), oid);
                }
                (base.to_string(), found.head.to_string(), merge.to_string(), objects.commit(merge).unwrap().tree)
            });
            let path = format!("/repos/acme/shop/compare/{base}...{head}");
            let compared = world.ask(&token, "GET", &path, None).await.json();
            let merge_base = git.run(&["merge-base", &base, &head], &[], b"");
            assert_eq!(compared["merge_base_commit"]["sha"], merge_base.trim(), "#{}", pull.number);
            let range = format!("{base}..{head}");
            let ahead = git.run(&["rev-list", "--count", &range], &[], b"");
            assert_eq!(compared["ahead_by"], ahead.trim().parse::<u64>().unwrap());
            let names = git.run(&["diff", "--name-status", "--no-renames", merge_base.trim(), &head], &[], b"");
            let files = compared["files"].as_array().unwrap();
            assert_eq!(files.len(), names.lines().count(), "#{}: {names}", pull.number);
            for file in files {
                let name = file["filename"].as_str().unwrap();
                assert_eq!(
                    file["patch"],
                    Value::from(git.hunks(merge_base.trim(), &head, name)),
                    "#{} {name}",
                    pull.number
                );
            }
            let merged = git.run(&["merge-tree", "--write-tree", &base, &head], &[], b"");
            assert_eq!(merged.trim(), merge_tree.to_string(), "#{} merged as {merge}", pull.number);
        }
    })
    .await;
}
