//! The program itself, as people run it: started, asked over HTTP, stopped or killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portcullis::github_stand_in::GitHubStandIn;

/// How long anything may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// `portcullis serve` at work. It is killed when this is dropped.
pub(super) struct Server {
    child: Child,
    lines: Receiver<String>,
    pub(super) url: String,
}

impl Server {
    /// Starts it from a file with a database in a folder, and waits until it listens.
    pub(super) fn start(program: &Path, stand_in: &GitHubStandIn, folder: &Path) -> Self {
        let settings = format!(
            r#"
            [server]
            listen = "127.0.0.1:0"
            stop_grace_secs = 20
            [database]
            url = "sqlite:{}"
            [queue]
            lease_secs = 5
            workers = 4
            [log]
            format = "json"
            [github]
            api_url = "{}"
            app_id = {}
            private_key = """{}"""
            webhook_secret = "{}"
            [[sources]]
            name = "everything"
            repository = "acme/*"
            "#,
            folder.join("server.db").display(),
            stand_in.base_url,
            stand_in.app.0,
            stand_in.private_key_pem,
            stand_in.webhook_secret,
        );
        let file = folder.join("portcullis.toml");
        std::fs::write(&file, settings).unwrap();
        let mut child = Command::new(program)
            .args(["serve", "--config"])
            .arg(&file)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, lines) = channel();
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Self { child, lines, url: String::new() };
        let ready = server.wait_for("the server is ready");
        let address = ready["address"].as_str().expect("its address").to_owned();
        server.url = format!("http://{address}");
        server
    }

    /// Waits for a line of its log.
    fn wait_for(&mut self, message: &str) -> serde_json::Value {
        let began = Instant::now();
        let mut heard = Vec::new();
        while began.elapsed() < PATIENCE {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else { break };
            if line.contains(message) {
                return serde_json::from_str(&line).unwrap();
            }
            heard.push(line);
        }
        panic!("`{message}` never came: {heard:#?}");
    }

    /// `kill -9`.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended.
    pub(super) fn terminate(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not stop");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
