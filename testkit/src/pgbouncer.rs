//! A throw-away pgbouncer in front of a server.
//!
//! Does not know: what goes through it.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::process::{self, User};
use crate::reaper::Reaper;
use crate::server::{free_port, new_folder, percent};
use crate::{Client, Server};

/// A running pgbouncer; it is gone, folder and all, when it is dropped or when this process ends.
pub struct Pgbouncer {
    port: u16,
    child: Child,
    _reaper: Reaper,
}

impl Pgbouncer {
    /// Starts one that lets these roles in, in a pool mode ("transaction", "session"), with so many
    /// sessions of the server for each role and database. `conf` is added to its configuration.
    ///
    /// # Panics
    /// If it is not installed or does not start; with its log.
    pub fn start(
        server: &Server,
        mode: &str,
        pool_size: usize,
        roles: &[&str],
        conf: &str,
    ) -> Self {
        let program = program();
        let user = User::unprivileged();
        let (dir, port) = (new_folder(user), free_port());
        let mut reaper = Reaper::watch(&dir);
        let write = |name: &str, text: &str| {
            let path = dir.join(name);
            fs::write(&path, text).expect("the folder is writable");
            process::give(&path, user);
            path
        };
        let users: Vec<String> = roles.iter().map(|role| format!("\"{role}\" \"\"")).collect();
        write("users", &(users.join("\n") + "\n"));
        let ini = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = \
             127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = users\nlogfile = log\npool_mode = \
             {mode}\ndefault_pool_size = {pool_size}\nmax_client_conn = 200\n{conf}\n",
            server.port()
        );
        let ini = write("ini", &ini);
        let mut command = process::command(&program, user, &dir);
        command
            .arg("-q")
            .arg(&ini)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        reaper.guard(child.id());
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = child.try_wait().expect("a child can be waited for").is_some();
            let log = || fs::read_to_string(dir.join("log")).unwrap_or_default();
            assert!(!ended && Instant::now() < deadline, "pgbouncer does not start: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { port, child, _reaper: reaper }
    }

    /// A connection URL for a role and a database.
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgresql://{}@127.0.0.1:{}/{}", percent(role), self.port, percent(database))
    }

    /// Opens a session of one of its clients.
    #[track_caller]
    pub fn connect(&self, role: &str, database: &str) -> Client {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user(role)
            .dbname(database)
            .application_name("testkit");
        crate::connect(config).unwrap_or_else(|error| {
            panic!("connect to {database} as {role} by way of pgbouncer: {error:?}")
        })
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        process::signal(self.child.id(), "KILL");
        let _ = self.child.wait();
    }
}

/// Debian has it in /usr/sbin, which is not on everybody's path.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(|dir| Path::new(dir).to_owned()));
    let mut programs = folders.map(|dir| dir.join("pgbouncer"));
    programs.find(|program| program.is_file()).expect(
        "pgbouncer is not installed: run scripts/test, which installs it, or install the \
            package pgbouncer",
    )
}
