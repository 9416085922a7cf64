//! A client that others wrote understands the stand-in: its models parse what GitHub sends.

use jsonwebtoken::EncodingKey;
use octocrab::Octocrab;
use octocrab::models::{AppId, InstallationId};
use octocrab::params::State;
use octocrab::params::checks::{CheckRunConclusion, CheckRunOutput, CheckRunStatus};
use portcullis::github_stand_in::Config;
use portcullis::github_stand_in::actions::Changes;
use portcullis::github_stand_in::state::Layout;

use super::world::{CHECK, World, world_with};

#[tokio::test]
async fn at_github() {
    world_with("octocrab-github", Layout::GitHub, Config::default(), async |world| review(&world).await).await;
}

#[tokio::test]
async fn at_enterprise_server() {
    let layout = Layout::EnterpriseServer;
    world_with("octocrab-enterprise", layout, Config::default(), async |world| review(&world).await).await;
}

async fn review(world: &World) {
    let key = EncodingKey::from_rsa_pem(world.stand_in.private_key_pem.as_bytes()).unwrap();
    let builder = Octocrab::builder().base_uri(format!("{}/", world.stand_in.rest_url(world.layout))).unwrap();
    let app = builder.app(AppId(world.stand_in.app.0), key).build().unwrap();
    assert_eq!(app.apps().installations().send().await.unwrap().items.len(), 1);
    let client = app.installation(InstallationId(world.installation.0)).unwrap();
    let pull = world.propose("Change", Changes::new().write("a.tf", "x\n"));
    let pulls = client.pulls("acme", "platform").list().state(State::Open).per_page(100).send().await.unwrap();
    assert_eq!(pulls.items[0].title.as_deref(), Some("Change"));
    let found = client.pulls("acme", "platform").get(pull.number).await.unwrap();
    assert_eq!(found.head.sha, world.head(pull));
    assert_eq!(found.changed_files, Some(1));
    let files = client.pulls("acme", "platform").list_files(pull.number).await.unwrap();
    assert_eq!(files.items[0].patch.as_deref(), Some("@@ -0,0 +1 @@\n+x"));
    let compared = client.commits("acme", "platform").compare("main", &found.head.sha).send().await.unwrap();
    assert_eq!(compared.merge_base_commit.sha, found.base.sha);
    let checks = client.checks("acme", "platform");
    let run = checks.create_check_run(CHECK, &found.head.sha).status(CheckRunStatus::InProgress).send().await.unwrap();
    let output = CheckRunOutput {
        title: "Done".to_owned(),
        summary: "All is well".to_owned(),
        text: None,
        annotations: Vec::new(),
        images: Vec::new(),
    };
    let done =
        checks.update_check_run(run.id).conclusion(CheckRunConclusion::Success).output(output).send().await.unwrap();
    assert_eq!(done.conclusion.as_deref(), Some("success"));
    let head = octocrab::params::repos::Commitish(found.head.sha.clone());
    let listed = checks.list_check_runs_for_git_ref(head).send().await.unwrap();
    assert_eq!((listed.total_count, listed.check_runs[0].id), (1, run.id));
    let query = serde_json::json!({ "query": "{ repository(owner: \"acme\", name: \"platform\") { nameWithOwner } }" });
    let answer = client.graphql::<serde_json::Value>(&query).await;
    match world.layout {
        Layout::GitHub => assert_eq!(answer.unwrap()["repository"]["nameWithOwner"], "acme/platform"),
        // This client asks at /api/v3/graphql, where Enterprise Server has nothing.
        Layout::EnterpriseServer => assert!(answer.is_err()),
    }
}
