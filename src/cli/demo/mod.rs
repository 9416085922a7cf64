//! `portcullis demo`: the whole road on one machine. A GitHub stand-in on loopback, the server as it is, a database in a file;
//! pull requests are opened, and what their authors would see is printed.

mod show;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::Ending;
use super::serve::start_logging;
use crate::evaluator::this_program;
use crate::forges::Pace;
use crate::github_stand_in::fixtures::Fixture;
use crate::github_stand_in::state::{CheckRun, CheckStatus, PullId, RepositoryId, Selection};
use crate::github_stand_in::{Config, GitHubStandIn};
use crate::server::{Server, Start};
use crate::settings::{Layers, LogFormat, LogSettings, Settings};
use crate::store::Clock;
use crate::web::figures;
use show::Printer;

/// How long a check may take before the demo gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the stand-in is asked whether a check is done.
const LOOK: Duration = Duration::from_millis(2);
/// The server spares GitHub: a second between two writes. Pull requests are opened no faster, so that each is timed alone.
const BETWEEN: Duration = Duration::from_millis(1_100);

/// See it work: pull requests on a local GitHub stand-in, from webhook to check run. No account, no network.
#[derive(Args)]
pub(super) struct DemoArguments {
    /// Keep the stand-in and the server running, to look at the pull requests in a browser.
    #[arg(long)]
    keep: bool,

    /// Port of the stand-in on loopback; any free one when not given.
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Write every request of the server to the stand-in, and its answer, to this file, one JSON line each.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Show the server's log.
    #[arg(long)]
    log: bool,
}

/// Runs the demo.
pub(super) fn demo(arguments: &DemoArguments) -> anyhow::Result<Ending> {
    let level = if arguments.log { "info" } else { "error" };
    start_logging(&LogSettings { format: LogFormat::Text, level: level.to_owned() })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let folder = std::env::temp_dir().join(format!("portcullis-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let ended = runtime.block_on(run(arguments, &folder));
    // What is left behind in the folder for temporary files does no harm.
    let _ = std::fs::remove_dir_all(&folder);
    ended
}

async fn run(arguments: &DemoArguments, folder: &Path) -> anyhow::Result<Ending> {
    let printer = Printer::new();
    let config = Config { port: arguments.port, recording: arguments.record.clone(), ..Config::default() };
    let stand_in = GitHubStandIn::start(config).await?;
    let server = start_server(&stand_in, folder).await?;
    printer.started(&stand_in.base_url, server.address)?;
    let fixtures = Fixture::embedded()?;
    for fixture in &fixtures {
        let repository = set_up(&stand_in, &server, fixture)?;
        for pull in &fixture.pulls {
            tokio::time::sleep(BETWEEN).await;
            let opened = Instant::now();
            let pull = stand_in.github(|github| github.open_fixture(repository, pull))?;
            let check = finished_check(&stand_in, pull).await?;
            printer.pull_request(&stand_in, pull, &check, opened.elapsed())?;
        }
    }
    if arguments.keep {
        printer.kept(&stand_in.base_url)?;
        tokio::signal::ctrl_c().await.context("Ctrl-C cannot be heard")?;
    } else {
        printer.goodbye()?;
    }
    server.stop().await;
    stand_in.stop().await;
    Ok(Ending::Clean)
}

/// The server as `portcullis serve` starts it, with one source and a database in a file.
async fn start_server(stand_in: &GitHubStandIn, folder: &Path) -> anyhow::Result<Server> {
    let database = folder.join("portcullis.db");
    let flags = json!({
        "server": { "listen": "127.0.0.1:0" },
        "database": { "url": format!("sqlite:{}", database.display()) },
        "github": {
            "api_url": stand_in.base_url,
            "app_id": stand_in.app.0,
            "private_key": stand_in.private_key_pem,
            "webhook_secret": stand_in.webhook_secret,
        },
        "sources": [{ "name": "Everything that goes into main", "repository": "acme/*", "branches": "main" }],
    });
    let settings = Settings::load(&Layers::gather(None, [], &flags)?)?;
    let start = Start {
        program: this_program().context("this program cannot find its own file")?,
        pace: Pace::default(),
        clock: Clock::system(),
        figures: figures::collect()?,
    };
    Server::start(&settings, start).await
}

fn set_up(stand_in: &GitHubStandIn, server: &Server, fixture: &Fixture) -> anyhow::Result<RepositoryId> {
    let webhook = format!("http://{}/webhooks/github", server.address);
    stand_in.github(|github| {
        let repository = github.add_fixture(fixture, Some(stand_in.app))?;
        let owner = github.full_name(repository);
        let owner = owner.split('/').next().unwrap_or_default().to_owned();
        github.set_webhook(stand_in.app, &webhook)?;
        github.install(stand_in.app, &owner, Selection::All)?;
        Ok(repository)
    })
}

/// Waits until the newest check of a pull request's head is done.
async fn finished_check(stand_in: &GitHubStandIn, pull: PullId) -> anyhow::Result<CheckRun> {
    let began = Instant::now();
    loop {
        let check = stand_in.github(|github| {
            let head = github.pull(pull)?.head;
            let runs = github.check_runs(pull.repository, head);
            runs.into_iter().rfind(|run| run.status == CheckStatus::Completed).cloned()
        });
        match check {
            Some(check) => return Ok(check),
            None if began.elapsed() > PATIENCE => {
                bail!("no check came within {} s; --log shows what the server did", PATIENCE.as_secs())
            }
            None => tokio::time::sleep(LOOK).await,
        }
    }
}
