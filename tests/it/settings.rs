//! Settings from all three layers, and what is said about mistakes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use portcullis::settings::{DatabaseLocation, Layers, LogFormat, Origin, Settings};
use portcullis_engine::evaluate::{OnUndecided, OnUnreadable, SuppressionsTaken};
use portcullis_engine::policy::Severity;
use portcullis_engine::source_tree::TreePath;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const KEY: &str = "fixtures/keys/test-app.pem";

/// The smallest file that is enough.
const SMALLEST: &str = r#"
[github]
app_id = 12345
private_key_path = "fixtures/keys/test-app.pem"
webhook_secret = "It's a Secret to Everybody"
"#;

/// The same after something else.
fn and_the_rest(before: &str) -> Given {
    file(format!("{before}{SMALLEST}").leak())
}

struct Given {
    file: &'static str,
    environment: Vec<(&'static str, String)>,
    flags: Value,
}

fn file(file: &'static str) -> Given {
    Given { file, environment: Vec::new(), flags: json!({}) }
}

impl Given {
    fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    fn flags(mut self, flags: Value) -> Self {
        self.flags = flags;
        self
    }

    fn load(self) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portcullis.toml");
        std::fs::write(&path, self.file).unwrap();
        let environment = self.environment.into_iter().map(|(name, value)| (name.into(), OsString::from(value)));
        let layers = Layers::gather(Some(&path), environment, &self.flags).map_err(|errors| errors.to_string());
        let told = layers.and_then(|layers| {
            let settings = Settings::load(&layers).map_err(|errors| errors.to_string())?;
            portcullis::app::github(&settings.github).map_err(|errors| layers.placed(errors).to_string())?;
            Ok(settings)
        });
        told.map_err(|text| text.replace(path.to_str().unwrap(), "portcullis.toml"))
    }

    fn problem(self) -> String {
        self.load().unwrap_err()
    }
}

#[test]
fn everything_that_can_have_a_default_has_one() {
    let settings = file(SMALLEST).load().unwrap();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.github.app, ("12345".to_owned(), "github.app_id"));
    assert_eq!((settings.github.host.as_str(), settings.github.api_url), ("github.com", None));
    assert!(settings.github.private_key.expose_secret().contains("BEGIN RSA PRIVATE KEY"));
    assert!(settings.github.webhook_secret_previous.is_none());
    assert!(
        matches!(&settings.database.location, DatabaseLocation::Sqlite(path) if path == Path::new("portcullis.db"))
    );
    assert_eq!((settings.queue.workers, settings.queue.lease.as_secs(), settings.queue.max_attempts), (4, 60, 10));
    assert_eq!((settings.log.format, settings.log.level.as_str()), (LogFormat::Text, "info"));
    assert!(settings.sources.is_empty());
}

#[test]
fn the_environment_lies_over_the_file_and_the_command_line_over_both() {
    let settings = file(SMALLEST)
        .variable("PORTCULLIS_SERVER__LISTEN", "127.0.0.1:1111")
        .variable("PORTCULLIS_QUEUE__WORKERS", "7")
        .variable("PORTCULLIS_GITHUB__APP_ID", "777")
        .variable("OTHER_SERVER__LISTEN", "127.0.0.1:3333")
        .flags(json!({"server": {"listen": "127.0.0.1:2222"}}))
        .load()
        .unwrap();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:2222");
    assert_eq!(settings.queue.workers, 7);
    assert_eq!(settings.github.app, ("777".to_owned(), "github.app_id"));
}

#[test]
fn the_environment_alone_is_enough() {
    let key = std::fs::read_to_string(KEY).unwrap().replace('\n', "\\n");
    let settings = file("")
        .variable("PORTCULLIS_GITHUB__CLIENT_ID", "Iv23liAbC")
        .variable("PORTCULLIS_GITHUB__PRIVATE_KEY", key)
        .variable("PORTCULLIS_GITHUB__WEBHOOK_SECRET", "01234567890123456789")
        .variable("PORTCULLIS_SOURCES__0__NAME", "all")
        .variable("PORTCULLIS_SOURCES__0__REPOSITORY", "acme/*")
        .variable("PORTCULLIS_SOURCES__0__FOLDERS__0", "infra")
        .variable("PORTCULLIS_SOURCES__0__FOLDERS__1", "/live/prod/")
        .variable("PORTCULLIS_SOURCES__1__NAME", "one")
        .variable("PORTCULLIS_SOURCES__1__REPOSITORY", "acme/one")
        .variable("PORTCULLIS_SOURCES__1__FOLDERS", "/")
        .variable("PORTCULLIS_SOURCES__1__ENABLED", "false")
        .load()
        .unwrap();
    assert_eq!(settings.github.app, ("Iv23liAbC".to_owned(), "github.client_id"));
    assert_eq!(
        settings.github.webhook_secret.expose_secret(),
        "01234567890123456789",
        "a secret of digits stays as it was typed"
    );
    let folders: Vec<String> = settings.sources[0].folders.iter().map(ToString::to_string).collect();
    assert_eq!(folders, ["/infra", "/live/prod"]);
    assert!(!settings.sources[1].matches("acme/one", "main"), "a source that is not enabled matches nothing");
}

#[test]
fn secrets_come_from_files_too_without_the_line_end_editors_add() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "s p a c e s p a c e\r\n").unwrap();
    let settings = file("[github]\napp_id = 1\nprivate_key_path = 'fixtures/keys/test-app.pem'\n")
        .variable("PORTCULLIS_GITHUB__WEBHOOK_SECRET_PATH", path.to_str().unwrap())
        .variable("PORTCULLIS_GITHUB__WEBHOOK_SECRET_PREVIOUS", "the secret before it")
        .load()
        .unwrap();
    assert_eq!(settings.github.webhook_secret.expose_secret(), "s p a c e s p a c e");
    assert_eq!(settings.github.webhook_secret_previous.unwrap().expose_secret(), "the secret before it");
}

#[test]
fn a_source_says_what_it_watches_and_what_blocks() {
    let settings = file(
        r#"
        [github]
        app_id = 1
        private_key_path = "fixtures/keys/test-app.pem"
        webhook_secret = "It's a Secret to Everybody"

        [[sources]]
        name = "Prod us-east cloud resources"
        repository = "Acme/infra-*"
        folders = ["live/prod", "/modules/"]
        branches = "main|release/.*"
        blocking_severity = "high"
        on_unreadable = "report"
        on_undecided = "block"
        suppressions = "base"
        "#,
    )
    .load()
    .unwrap();
    let source = &settings.sources[0];
    assert!(source.matches("acme/infra-eu", "main"));
    assert!(source.matches("acme/infra-eu", "release/1.0"));
    assert!(!source.matches("acme/infra-eu", "main-2"));
    assert!(!source.matches("acme/app", "main"));
    assert!(source.contains(&TreePath::new("live/prod/main.tf").unwrap()));
    assert!(source.contains(&TreePath::new("modules/vpc/main.tf").unwrap()));
    assert!(!source.contains(&TreePath::new("live/prod2/main.tf").unwrap()));
    assert_eq!(source.blocking_severity, Severity::High);
    assert_eq!((source.on_unreadable, source.on_undecided), (OnUnreadable::Report, OnUndecided::Block));
    assert_eq!(source.suppressions, SuppressionsTaken::Base);
}

#[test]
fn every_mistake_is_told_at_once_with_key_place_and_remedy() {
    let problem = file(
        r#"[server]
listen = "nowhere"

[queue]
workers = 0

[[sources]]
name = "prod"
repository = "acme/[a"
folders = ["a/../b"]
branches = "release/("

[[sources]]
name = "prod"
repository = "acme/b"
"#,
    )
    .variable("PORTCULLIS_DATABASE__URL", "mysql://root:hunter2@db/x")
    .problem();
    insta::assert_snapshot!(problem, @r"
    the settings cannot be used
    - server.listen: `nowhere` is no address to listen on (portcullis.toml:2)
      Give address and port, like 127.0.0.1:8080 or 0.0.0.0:8080.
    - database.url: it names neither SQLite nor PostgreSQL (environment variable PORTCULLIS_DATABASE__URL)
      Give sqlite://FILE (three slashes for an absolute path) or postgres://USER:PASSWORD@HOST/NAME.
    - github.app_id: it is not given
      Set it (or github.client_id, or PORTCULLIS_GITHUB__APP_ID) to the id on the App's page.
    - github.private_key: it is not given
      Set github.private_key_path to the .pem file of the App, or PORTCULLIS_GITHUB__PRIVATE_KEY to its text.
    - github.webhook_secret: it is not given
      Set it (or github.webhook_secret_path, or PORTCULLIS_GITHUB__WEBHOOK_SECRET) to the secret of the App's webhook.
    - queue.workers: 0 is out of bounds (portcullis.toml:5)
      Give a whole number from 1 to 256.
    - sources[0].repository: source `prod`: column 6: unclosed character class; missing ']' (portcullis.toml:9)
      Give owner/name; * stands for any part of a name, as in acme/*.
    - sources[0].branches: source `prod`: column 9: unclosed group (portcullis.toml:11)
      Give a regular expression of whole branch names, such as main|release/.*
    - sources[0].folders[0]: source `prod`: `a/../b`, column 3: a path has no `.` or `..` segment (portcullis.toml:10)
      Give folders from the root of the repository, such as infra/prod; / stands for all.
    - sources[1].name: another source is named `prod` too (portcullis.toml:14)
      Give each source a name of its own.
    ");
}

#[test]
fn a_key_nobody_knows_is_refused_where_it_stands() {
    let problem = and_the_rest("[server]\nlisten = '127.0.0.1:1'\nport = 8080\n").problem();
    insta::assert_snapshot!(problem, @r"
    the settings cannot be used
    - server.port: unknown key `port`, expected `listen` or `stop_grace_secs` (portcullis.toml:3)
      Correct the key or take it out.
    ");
    let problem = file(SMALLEST).variable("PORTCULLIS_GITHUB__APPID", "1").problem();
    insta::assert_snapshot!(problem, @r"
    the settings cannot be used
    - github.appid: unknown key `appid`, expected one of `host`, `api_url`, `app_id`, `client_id`, `private_key`, `private_key_path`, `webhook_secret`, `webhook_secret_path`, `webhook_secret_previous`, `webhook_secret_previous_path` (environment variable PORTCULLIS_GITHUB__APPID)
      Correct the key or take it out.
    ");
}

#[test]
fn what_an_orchestrator_puts_into_the_environment_is_no_setting() {
    // Kubernetes tells every pod of the services beside it; one of them may be called `portcullis`.
    let settings = file(SMALLEST)
        .variable("PORTCULLIS_PORT", "tcp://10.0.0.9:80")
        .variable("PORTCULLIS_PORT_80_TCP_ADDR", "10.0.0.9")
        .variable("PORTCULLIS_SERVICE_HOST", "10.0.0.9")
        .variable("PORTCULLIS_SERVER_SERVICE_HOST", "10.0.0.9");
    settings.load().unwrap();
    let problem = file(SMALLEST).variable("PORTCULLIS_SEVER__LISTEN", "127.0.0.1:1").problem();
    assert!(problem.contains("PORTCULLIS_SEVER__LISTEN"), "what is meant as a setting is not passed over: {problem}");
}

#[test]
fn keys_nobody_knows_and_values_of_the_wrong_kind_are_told_all_at_once() {
    let problem = file(
        "[server]\nport = 8080\nhost = 'a'\n[queue]\nworkers = 'many'\nlease_secs = 0\n[github]\napp_id = 'x'\nsecret = 1\n",
    )
    .problem();
    for key in ["server.port", "server.host", "queue.workers", "queue.lease_secs", "github.app_id", "github.secret"] {
        assert_eq!(problem.matches(&format!("- {key}: ")).count(), 1, "{key} in {problem}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_where_it_stands_and_never_repeated_when_secret() {
    insta::assert_snapshot!(and_the_rest("[queue]\n\nworkers = 'many'\n").problem(), @r"
    the settings cannot be used
    - queue.workers: not a whole number from 0 (portcullis.toml:3)
      Correct the value.
    ");
    insta::assert_snapshot!(file("[github]\nwebhook_secret = 123456\napp_id = 1\nprivate_key_path = 'fixtures/keys/test-app.pem'\n").problem(), @r"
    the settings cannot be used
    - github.webhook_secret: a number; expected a text in quotes (portcullis.toml:2)
      Correct the value.
    ");
    insta::assert_snapshot!(and_the_rest("[[sources]]\nname = 'a'\nrepository = 'a/b'\nblocking_severity = 'huge'\n").problem(), @r"
    the settings cannot be used
    - sources[0].blocking_severity: unknown variant `huge`, expected one of `low`, `medium`, `high`, `critical` (portcullis.toml:4)
      Correct the value.
    ");
    insta::assert_snapshot!(and_the_rest("[[sources]]\nname = 'a'\n").problem(), @r"
    the settings cannot be used
    - sources[0]: missing key `repository` (portcullis.toml:1)
      Add the key.
    ");
    insta::assert_snapshot!(file("[server\nlisten = 1\n").problem(), @r"
    the settings cannot be used
    - unclosed table, expected `]` (portcullis.toml:1)
      Mend the file; it is TOML (https://toml.io).
    ");
    insta::assert_snapshot!(file("").variable("PORTCULLIS_SOURCES__1__NAME", "x").problem(), @r"
    the settings cannot be used
    - sources.1.name: `1` comes after a gap: the list has 0 elements (environment variable PORTCULLIS_SOURCES__1__NAME)
      Two underscores go one level down, a number counts in a list from 0: PORTCULLIS_SOURCES__0__NAME.
    ");
    insta::assert_snapshot!(file(SMALLEST).flags(json!({"server": {"stop_grace_secs": 99999}})).problem(), @r"
    the settings cannot be used
    - server.stop_grace_secs: 99999 is out of bounds (command line)
      Give a whole number from 0 to 3600.
    ");
}

#[test]
fn keys_and_secrets_that_cannot_work_are_refused_at_start() {
    let problem = file(
        "[github]\nhost = 'https://git.acme.io'\napp_id = 0\nprivate_key = 'nonsense'\nwebhook_secret = ' '\nwebhook_secret_previous = 'short'\n",
    )
    .problem();
    insta::assert_snapshot!(problem, @r"
    the settings cannot be used
    - github.host: `https://git.acme.io` is no host: write its name alone, as in github.com or ghe.example.com (portcullis.toml:2)
    - github.app_id: no App has the id 0 (portcullis.toml:3)
    - github.private_key: no private key: the text of the .pem file GitHub gave out begins with `-----BEGIN RSA PRIVATE KEY-----` (portcullis.toml:4)
    - github.webhook_secret: the secret begins or ends with white space: is it the newline of a file? (portcullis.toml:5)
    - github.webhook_secret_previous: a secret of 5 bytes is too short, it needs 16: make one with `openssl rand -hex 32` (portcullis.toml:6)
    ");
    let problem = file(SMALLEST).variable("PORTCULLIS_GITHUB__API_URL", "http://git.acme.io/api/v3").problem();
    insta::assert_snapshot!(problem, @r"
    the settings cannot be used
    - github.api_url: `http://git.acme.io/api/v3` is no API URL: use https; http is for loopback addresses only, the App's tokens travel on it (environment variable PORTCULLIS_GITHUB__API_URL)
    ");
    let problem = file(SMALLEST).variable("PORTCULLIS_GITHUB__HOST", "api.github.com").problem();
    insta::assert_snapshot!(problem, @r"
    the settings cannot be used
    - github.host: `api.github.com`: write the host whose pages people visit, `github.com` (environment variable PORTCULLIS_GITHUB__HOST)
    ");
    let problem = file(SMALLEST).variable("PORTCULLIS_GITHUB__CLIENT_ID", "Iv23liAbC").problem();
    insta::assert_snapshot!(problem, @r"
    the settings cannot be used
    - github.client_id: github.app_id is given too (environment variable PORTCULLIS_GITHUB__CLIENT_ID)
      Give one of the two.
    ");
}

/// The example file with every line that is a setting uncommented.
fn example() -> String {
    let text = std::fs::read_to_string("portcullis.example.toml").unwrap();
    let is_setting = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line != "#";
    text.lines().map(|line| if is_setting(line) { &line[1..] } else { line }).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_file_shows_every_key_and_the_defaults() {
    let load = |text: String| file(text.leak()).load();
    let example = example();
    let readme = std::fs::read_to_string("README.md").unwrap();
    let settings = load(example.clone()).unwrap();
    let defaults = file(SMALLEST).load().unwrap();
    assert_eq!(settings.server.listen, defaults.server.listen);
    assert_eq!(settings.server.stop_grace, defaults.server.stop_grace);
    assert_eq!(settings.queue, defaults.queue);
    assert_eq!(settings.log, defaults.log);
    assert_eq!(settings.database.connections, defaults.database.connections);
    assert_eq!(settings.database.keep_bodies, defaults.database.keep_bodies);
    assert_eq!(settings.database.keep_history, defaults.database.keep_history);
    let source = &settings.sources[0];
    assert_eq!((source.on_unreadable, source.on_undecided), (OnUnreadable::default(), OnUndecided::default()));
    assert_eq!(source.suppressions, SuppressionsTaken::default());
    assert_eq!((source.blocking_severity, source.enabled), (Severity::Medium, true));

    for section in ["server", "database", "github", "log", "queue", "policies", "sources"] {
        let header = if section == "sources" { "[[sources]]".to_owned() } else { format!("[{section}]") };
        let problem = load(example.replace(&header, &format!("{header}\nnobody_knows = 1"))).unwrap_err();
        let (_, known) = problem.split_once("expected ").expect("the keys are listed");
        for key in known.split('`').skip(1).step_by(2) {
            assert!(example.contains(key), "{section}.{key} is in the example");
            assert!(readme.contains(&format!("`{section}.{key}`")), "{section}.{key} is in the README");
        }
    }
}

#[test]
fn a_named_file_that_is_not_there_is_a_mistake() {
    let none: [(OsString, OsString); 0] = [];
    let named = PathBuf::from("does/not/exist.toml");
    let errors = Layers::gather(Some(&named), none, &json!({})).map(|_| ()).unwrap_err();
    assert!(errors.to_string().contains("does/not/exist.toml cannot be read"), "{errors}");
    let variable = [(OsString::from("PORTCULLIS_CONFIG"), OsString::from("neither/is/this.toml"))];
    let errors = Layers::gather(None, variable, &json!({})).map(|_| ()).unwrap_err();
    assert!(errors.to_string().contains("neither/is/this.toml cannot be read"), "{errors}");
    assert_eq!(errors.0[0].origin, None::<Origin>);
}

#[test]
fn no_secret_is_ever_shown() {
    let settings = file(SMALLEST).variable("PORTCULLIS_DATABASE__URL", "postgres://u:hunter2@db/x").load().unwrap();
    let shown = format!("{settings:?}");
    for secret in ["Secret to Everybody", "hunter2", "BEGIN RSA"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
