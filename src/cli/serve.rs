//! `portcullis serve`: the server, until it is asked to stop.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{Ending, write_out};
use crate::app::forges;
use crate::evaluator::this_program;
use crate::forges::Pace;
use crate::server::{Server, Start};
use crate::settings::{Layers, LogFormat, LogSettings, Settings, SettingsErrors};
use crate::store::Clock;
use crate::web::figures;

/// Run the server: webhooks in, check runs out.
///
/// Settings come from a file, over it the environment (PORTCULLIS_…), over it these flags. The README lists them all.
#[derive(Args)]
pub(super) struct ServeArguments {
    /// The settings file; `portcullis.toml` in the current folder when there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Address and port to listen on (server.listen).
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// `sqlite:FILE` or `postgres://…` (database.url).
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,

    /// What is logged: error, warn, info, debug or trace (log.level).
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,

    /// Only check the settings, then end.
    #[arg(long)]
    check: bool,
}

/// Runs until SIGTERM or SIGINT.
pub(super) fn serve(arguments: &ServeArguments) -> anyhow::Result<Ending> {
    let layers = Layers::gather(arguments.config.as_deref(), std::env::vars_os(), &flags(arguments))?;
    let settings = Settings::load(&layers)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    if arguments.check {
        let _in_runtime = runtime.enter();
        forges(&settings, Pace::default()).map_err(|error| placed(&layers, error))?;
        let watched = settings.sources.iter().filter(|source| source.enabled).count();
        let sources = settings.sources.len();
        write_out(&format!("The settings are right. {watched} of {sources} sources are under watch.\n"))?;
        return Ok(Ending::Clean);
    }
    start_logging(&settings.log)?;
    if !layers.foreign_variables().is_empty() {
        let variables = layers.foreign_variables().join(", ");
        tracing::warn!(variables, "environment variables that are no settings of ours were passed over");
    }
    runtime.block_on(run(&settings)).map_err(|error| placed(&layers, error))
}

/// Mistakes in the settings that only the parts built from them found, with the places they were given at.
fn placed(layers: &Layers, error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<SettingsErrors>() {
        Ok(errors) => layers.placed(errors).into(),
        Err(error) => error,
    }
}

async fn run(settings: &Settings) -> anyhow::Result<Ending> {
    let start = Start {
        program: this_program().context("this program cannot find its own file")?,
        pace: Pace::default(),
        clock: Clock::system(),
        figures: figures::collect()?,
    };
    let mut server = Server::start(settings, start).await?;
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be heard")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be heard")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = server.broken() => return Err(anyhow!("a part of the server ended by itself; the log says why")),
    }
    server.stop().await;
    Ok(Ending::Clean)
}

/// The settings given on the command line, nested as in the file.
fn flags(arguments: &ServeArguments) -> Value {
    let mut flags = Map::new();
    if let Some(listen) = &arguments.listen {
        flags.insert("server".into(), json!({ "listen": listen }));
    }
    if let Some(url) = &arguments.database_url {
        flags.insert("database".into(), json!({ "url": url }));
    }
    if let Some(level) = &arguments.log_level {
        flags.insert("log".into(), json!({ "level": level }));
    }
    Value::Object(flags)
}

/// Sends log lines to standard error.
pub(super) fn start_logging(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(&settings.level).context("log.level")?;
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match settings.format {
        LogFormat::Text => logging.try_init(),
        LogFormat::Json => logging.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow!("logging cannot be started: {error}"))
}
