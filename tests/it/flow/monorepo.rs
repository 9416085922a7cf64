//! Repositories too large to be read whole: what a change reaches is followed to its end, and what was not looked for is said.

use portcullis::github_stand_in::actions::Changes;
use portcullis::github_stand_in::state::Conclusion;

use super::world::{Shape, World, base, world_of};

/// Files of configuration with more bytes together than are searched for callers.
fn bulk(content: Changes) -> Changes {
    let text = format!("# {}\n", "x".repeat(4_000_000));
    (0..9).fold(content, |content, number| content.write(&format!("bulk/{number}/main.tf"), text.clone()))
}

/// Modules that call each other one after the other; the last one holds a volume without encryption.
fn chain(content: Changes, name: &str, length: usize) -> Changes {
    let volume =
        "resource \"aws_ebs_volume\" \"data\" {\n  availability_zone = \"a\"\n  size = 1\n  encrypted = false\n}\n";
    let content = content.write(&format!("{name}/{length}/main.tf"), volume);
    (1..length).fold(content, |content, number| {
        let call = format!("module \"next\" {{\n  source = \"../{}\"\n}}\n", number + 1);
        content.write(&format!("{name}/{number}/main.tf"), call)
    })
}

async fn large(test: impl AsyncFnOnce(&World)) {
    let content = chain(chain(bulk(base()), "short", 12), "long", 40);
    world_of(Shape { content, ..Shape::default() }, |w| async move { test(&w).await }).await;
}

fn call(module: &str) -> String {
    format!("module \"first\" {{\n  source = \"../../{module}/1\"\n}}\n")
}

#[tokio::test]
async fn a_chain_of_modules_is_followed_to_its_end_or_said_to_be_too_long() {
    large(async |w| {
        let check = w.review("Short", Changes::new().write("live/short/main.tf", call("short"))).await;
        assert_eq!(check.conclusion, Conclusion::Failure, "{check:#?}");
        let found = "live/short/main.tf:1 EBS volumes are encrypted";
        assert!(check.remarks().contains(&found.to_owned()), "{:#?}", check.remarks());

        let check = w.review("Long", Changes::new().write("live/long/main.tf", call("long"))).await;
        check.assert_blocked("Could not be evaluated");
        check.assert_says(&["the limit is 32"]);
    })
    .await;
}

#[tokio::test]
async fn callers_that_were_not_looked_for_are_a_problem_that_blocks() {
    large(async |w| {
        let module = "variable \"size\" {\n  type = number\n}\n";
        let check = w.review("Module", Changes::new().write("modules/disk/main.tf", module)).await;
        check.assert_blocked("1 place cannot be read");
        check.assert_says(&["modules/disk/main.tf", "the limits are 5000 files and 32 MiB"]);
    })
    .await;
}
