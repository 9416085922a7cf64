//! A PostgreSQL of our own for the tests: one server per test run, one database per test.
//!
//! The server is a child of a shell that waits for the end of its input. Its input is a pipe this process holds, so however
//! this process ends, the server is stopped and its folder removed.

use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

const KEEPER: &str = r#"
trap '' INT HUP TERM
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses='' -c fsync=off -c full_page_writes=off \
    -c max_connections=300 -c shared_buffers=32MB >"$2/log" 2>&1 &
server=$!
read -r _
kill -QUIT "$server"
wait "$server"
rm -rf "$2"
"#;

struct Server {
    folder: PathBuf,
    /// Holds the writing end of the pipe.
    _keeper: Child,
}

/// The URL of a new, empty database; nothing where PostgreSQL is not installed, which is said once.
pub(crate) async fn new_database() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let server = SERVER.get_or_init(start).as_ref()?;
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = connect(server).await;
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    connection.close().await.unwrap();
    Some(url(server, &name))
}

fn url(server: &Server, database: &str) -> String {
    format!("postgres://portcullis@localhost/{database}?host={}", server.folder.display())
}

/// Connects once the server has started.
async fn connect(server: &Server) -> PgConnection {
    let mut last = None;
    for _ in 0..300 {
        match PgConnection::connect(&url(server, "postgres")).await {
            Ok(connection) => return connection,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = std::fs::read_to_string(server.folder.join("log")).unwrap_or_default();
    panic!("PostgreSQL does not start: {last:?}\n{log}");
}

fn start() -> Option<Server> {
    let Some(programs) = programs() else {
        // Past the test harness, which would swallow it.
        let _ = std::io::stderr().write_all(b"SKIPPED: no initdb found, so nothing is tested on PostgreSQL\n");
        return None;
    };
    let folder = tempfile::Builder::new().prefix("portcullis-pg-").tempdir().unwrap().keep();
    let user = unprivileged_user(&folder);
    if let Some((uid, gid)) = user {
        chown(&folder, Some(uid), Some(gid)).unwrap();
    }
    let as_user = |program: &Path| {
        let mut command = Command::new(program);
        command.current_dir(&folder).env_remove("PGDATA").stdout(Stdio::null());
        if let Some((uid, gid)) = user {
            command.uid(uid).gid(gid);
        }
        command
    };
    let made = as_user(&programs.join("initdb"))
        .args(["--no-sync", "--auth=trust", "--username=portcullis", "--encoding=UTF8", "--locale=C", "-D", "data"])
        .output()
        .unwrap();
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let keeper = as_user(Path::new("/bin/sh"))
        .args(["-c", KEEPER, "keeper"])
        .args([&programs, &folder])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let socket = folder.join(".s.PGSQL.5432");
    for _ in 0..300 {
        if UnixStream::connect(&socket).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(Server { folder, _keeper: keeper })
}

/// Where `initdb` and `postgres` lie: on the path, or where Debian keeps them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    on_path.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let mut folders: Vec<PathBuf> = versions.flatten().map(|version| version.path().join("bin")).collect();
        folders.retain(|folder| folder.join("initdb").exists());
        folders.sort();
        folders.pop()
    })
}

/// Whom to run as: `initdb` refuses to run as root.
fn unprivileged_user(owned_by_us: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata(owned_by_us).unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |wanted: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields[0] == wanted).then(|| (fields[2].parse().unwrap(), fields[3].parse().unwrap()))
        })
    };
    of("postgres").or_else(|| of("nobody"))
}
