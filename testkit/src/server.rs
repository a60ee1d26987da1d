//! A throw-away server: what it is to be, and its life.
//!
//! Does not know: what is done with its databases.

mod spec;
mod standby;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub use self::spec::ServerSpec;
use crate::process::{self, User};
use crate::reaper::Reaper;
use crate::{Client, binaries};

/// The server of a version that every test of this process shares, started at the first call.
pub fn server(version: u32) -> &'static Server {
    static SERVERS: Mutex<BTreeMap<u32, &'static OnceLock<Server>>> = Mutex::new(BTreeMap::new());
    let cell =
        *lock(&SERVERS).entry(version).or_insert_with(|| Box::leak(Box::new(OnceLock::new())));
    cell.get_or_init(|| Server::spec(version).start())
}

/// The shared server of the newest version.
pub fn newest_server() -> &'static Server {
    server(binaries::newest())
}

/// The shared server of the newest version before this one, for what later servers refuse to have.
///
/// # Panics
/// If there is none.
pub fn newest_server_before(version: u32) -> &'static Server {
    let (tested, installed) = (binaries::versions(), binaries::installed());
    let older = tested.iter().rev().chain(installed.iter().rev()).find(|one| **one < version);
    server(*older.unwrap_or_else(|| {
        panic!("no PostgreSQL before {version} is installed: run scripts/servers")
    }))
}

/// How to end a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Ends the sessions, then itself.
    Fast,
    /// Ends at once, as after a crash; recovers at the next start.
    Immediate,
    /// SIGKILL to the postmaster; its children notice.
    Kill,
}

/// A running server. The folder and every process go when it is dropped or when this process ends.
pub struct Server {
    version: u32,
    dir: PathBuf,
    /// Its own copy of the program.
    program: PathBuf,
    user: Option<User>,
    port: u16,
    serial: AtomicU64,
    state: Mutex<State>,
}

struct State {
    child: Option<Child>,
    reaper: Reaper,
}

impl Server {
    /// Describes a server of a major version.
    pub fn spec(version: u32) -> ServerSpec {
        ServerSpec {
            version,
            conf: String::new(),
            hba: "local all all trust\nhost all all 127.0.0.1/32 trust\nhost replication all \
                127.0.0.1/32 trust"
                .to_owned(),
            password: None,
            encoding: "UTF8".to_owned(),
            initdb_args: Vec::new(),
            certificate: None,
            client_authority: None,
        }
    }

    /// The major version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The port on 127.0.0.1; it stays the same over restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the unix socket.
    pub fn socket_dir(&self) -> &Path {
        &self.dir
    }

    /// How many bytes the server's log has by now, for [`Server::log_since`].
    pub fn log_size(&self) -> usize {
        fs::metadata(self.dir.join("log")).map_or(0, |log| log.len() as usize)
    }

    /// What the server logged after it had `size` bytes of log.
    pub fn log_since(&self, size: usize) -> String {
        let log = fs::read(self.dir.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log[size.min(log.len())..]).into_owned()
    }

    /// The end of the server's log.
    fn log_end(&self) -> String {
        self.log_since(self.log_size().saturating_sub(20_000))
    }

    /// A connection URL for a role and a database, without password.
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgresql://{}@127.0.0.1:{}/{}", percent(role), self.port, percent(database))
    }

    /// Opens a superuser session on a database, by the unix socket.
    #[track_caller]
    pub fn connect(&self, database: &str) -> Client {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(&self.dir)
            .port(self.port)
            .user("postgres")
            .dbname(database)
            .application_name("testkit");
        crate::connect(config).unwrap_or_else(|error| {
            panic!(
                "connect to {database} of PostgreSQL {}: {error:?}\n{}",
                self.version,
                self.log_end()
            )
        })
    }

    /// Ends sessions: `which` is a condition on `pg_stat_activity`, such as `application_name =
    /// 'silverback'`. Says how many.
    pub fn terminate(&self, which: &str) -> usize {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
             AND ({which})"
        );
        self.connect("postgres").rows(&sql).len()
    }

    /// Ends the server; its data stay for [`Server::start`].
    pub fn stop(&self, how: Stop) {
        let mut state = self.state();
        let Some(mut child) = state.child.take() else { return };
        match how {
            Stop::Fast => process::signal(child.id(), "INT"),
            Stop::Immediate => process::signal(child.id(), "QUIT"),
            Stop::Kill => process::signal(child.id(), "KILL"),
        }
        child.wait().expect("a child can be waited for");
    }

    /// Starts the server again after [`Server::stop`].
    ///
    /// # Panics
    /// If it does not start; with the end of its log.
    pub fn start(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Err(log) = self.try_start() {
            // After a kill the old children hold the shared memory for a moment, and somebody may
            // have taken the port.
            assert!(Instant::now() < deadline, "PostgreSQL {} does not start: {log}", self.version);
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn try_start(&self) -> Result<(), String> {
        let mut state = self.state();
        assert!(state.child.is_none(), "the server is running already");
        let data = self.dir.join("data");
        let log = fs::File::create(self.dir.join("log")).expect("the folder is writable");
        let mut command = process::command(&self.program, self.user, &data);
        command.arg("-D").arg(&data).arg("-p").arg(self.port.to_string());
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle can be copied"))
            .stderr(log);
        let mut child = match command.spawn() {
            Ok(child) => child,
            // Another thread has begun a process while the program was being copied.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                return Err(error.to_string());
            }
            Err(error) => panic!("{}: {error}", self.program.display()),
        };
        state.reaper.guard(child.id());
        while !is_ready(&data, child.id()) {
            if child.try_wait().expect("a child can be waited for").is_some() {
                return Err(self.log_end());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        state.child = Some(child);
        drop(state);
        if let Ok(sql) = fs::read_to_string(data.join("password.sql")) {
            self.connect("postgres").execute(&sql);
        }
        Ok(())
    }

    /// Stops and starts again.
    pub fn restart(&self, how: Stop) {
        self.stop(how);
        self.start();
    }

    /// A number that no other call on this server gave.
    pub(crate) fn next_number(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The reaper, dropped next, removes the folder.
        self.stop(Stop::Immediate);
    }
}

/// A test that failed while it held the lock has left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Line 8 of `postmaster.pid` says what the postmaster is doing; the file may be an older run's.
fn is_ready(data: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines();
    lines.next().is_some_and(|line| line.trim() == pid.to_string())
        && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port of 127.0.0.1 is free");
    listener.local_addr().expect("a listener has an address").port()
}

/// A folder with a short path, for the path of a unix socket must fit in 107 bytes.
pub(crate) fn new_folder(user: Option<User>) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let base = std::env::var_os("SILVERBACK_TEST_TMP")
        .map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let base = base.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", base.display()));
    loop {
        let salt = std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.subsec_nanos());
        let dir = base.join(format!(
            "sbk-pg-{}-{}-{salt:x}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        match fs::create_dir(&dir) {
            Ok(()) => {
                process::give(&dir, user);
                return dir;
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("{}: {error}", dir.display()),
        }
    }
}

/// Percent-encodes a part of a URL.
pub(crate) fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
