//! What a review asks of the host, and no more: each request costs the author time and the installation its budget.

use portcullis::github_stand_in::actions::Changes;

use super::manifests::{deployment, privileged};
use super::world::world;

#[tokio::test]
async fn a_review_asks_for_what_it_needs_once() {
    world(|w| async move {
        let review = async |title: &str, changes: Changes| {
            let before = w.asked().len();
            let check = w.review(title, changes).await;
            (check, shape(&w.asked()[before..]))
        };
        let (_, asked) = review("First", Changes::new().write("k8s/web.yaml", privileged("web"))).await;
        let all = [
            "GET pulls/1",
            "GET git/ref/heads/main",
            "GET compare/*",
            "GET git/trees/*",
            "GET git/trees/*",
            "POST graphql",
            "GET pulls/1",
            "POST check-runs",
        ];
        assert_eq!(asked, all);
        assert_eq!(w.minted(), 1);

        // What was fetched once is not fetched again.
        let (_, asked) = review("Second", Changes::new().delete("k8s/web.yaml")).await;
        assert!(!asked.contains(&"POST graphql".to_owned()), "{asked:?}");
        let (_, asked) = review("Third", Changes::new().write("docs/notes.md", "x")).await;
        assert!(!asked.contains(&"POST graphql".to_owned()), "{asked:?}");
        let (_, asked) = review("Fourth", Changes::new().write("k8s/more.yaml", deployment("more"))).await;
        assert_eq!(asked.iter().filter(|asked| *asked == "POST graphql").count(), 1);
        assert_eq!(w.minted(), 1, "one token for all of them");
    })
    .await;
}

#[tokio::test]
async fn what_is_answered_already_costs_three_questions() {
    world(|w| async move {
        let pull = w.propose("Twice", Changes::new().write("k8s/web.yaml", privileged("web")));
        w.settle().await;
        let before = w.asked().len();
        w.stand_in.github(|github| github.mark_ready(pull).unwrap());
        w.settle().await;
        let asked = shape(&w.asked()[before..]);
        assert_eq!(asked, ["GET pulls/1", "GET git/ref/heads/main", "GET compare/*"]);
    })
    .await;
}

/// Requests without their repository and object ids.
fn shape(asked: &[String]) -> Vec<String> {
    let id = regex::Regex::new("/[0-9a-f]{40}.*").unwrap();
    asked
        .iter()
        .map(|asked| id.replace(&asked.replace("/repos/acme/shop/", "").replace(" /", " "), "/*").into_owned())
        .collect()
}
