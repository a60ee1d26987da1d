//! A throw-away server: what it is to be, and its life.
//!
//! Does not know: what is done with its databases.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::process::{self, User};
use crate::reaper::Reaper;
use crate::{Client, binaries, extensions, tls};

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

/// What a server is to be. The plain one trusts everybody, speaks no TLS, and holds UTF8 in the C
/// locale.
#[derive(Clone, Debug)]
pub struct ServerSpec {
    version: u32,
    conf: String,
    hba: String,
    password: Option<String>,
    encoding: String,
    initdb_args: Vec<String>,
    certificate: Option<(String, String)>,
    client_authority: Option<String>,
}

impl ServerSpec {
    /// Adds lines to `postgresql.conf`.
    #[must_use]
    pub fn conf(mut self, lines: &str) -> Self {
        self.conf.push_str(lines);
        self.conf.push('\n');
        self
    }

    /// Replaces `pg_hba.conf`, but for its first line: `postgres` may always come in by the unix
    /// socket.
    #[must_use]
    pub fn hba(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.hba);
        self
    }

    /// Sets the password of `postgres`.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Sets the encoding of the cluster, `UTF8` otherwise.
    #[must_use]
    pub fn encoding(mut self, encoding: &str) -> Self {
        encoding.clone_into(&mut self.encoding);
        self
    }

    /// Adds an argument of `initdb`.
    #[must_use]
    pub fn initdb_arg(mut self, arg: &str) -> Self {
        self.initdb_args.push(arg.to_owned());
        self
    }

    /// Turns TLS on.
    #[must_use]
    pub fn tls(mut self, certificate: &tls::Certificate) -> Self {
        self.certificate = Some((certificate.chain_pem.clone(), certificate.key_pem.clone()));
        self
    }

    /// Accepts client certificates that this authority issued (`clientcert=` and `cert` in
    /// `pg_hba.conf`).
    #[must_use]
    pub fn client_authority(mut self, authority: &tls::Authority) -> Self {
        self.client_authority = Some(authority.pem());
        self
    }

    /// Creates the cluster and starts it.
    ///
    /// # Panics
    /// If the version is not installed or does not start; with the end of its log.
    pub fn start(self) -> Server {
        let bin = binaries::bin_dir(self.version);
        let user = User::unprivileged();
        let dir = new_folder(user);
        let mut reaper = Reaper::watch(&dir);
        self.initdb(&bin, &dir, user, &mut reaper);
        self.write_files(&dir, user);
        let program = extensions::plant(&bin, &dir);
        let state = State { child: None, reaper };
        let server = Server {
            version: self.version,
            dir,
            program,
            user,
            port: free_port(),
            serial: AtomicU64::new(0),
            state: Mutex::new(state),
        };
        server.start();
        server
    }

    fn initdb(&self, bin: &Path, dir: &Path, user: Option<User>, reaper: &mut Reaper) {
        let mut command = process::command(&bin.join("initdb"), user, dir);
        command.arg("-D").arg(dir.join("data")).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "--locale=C",
            "--no-sync",
            "-E",
            &self.encoding,
        ]);
        command
            .args(&self.initdb_args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", bin.join("initdb").display()));
        reaper.guard(child.id());
        let output = child.wait_with_output().expect("a child can be waited for");
        assert!(
            output.status.success(),
            "initdb of PostgreSQL {}: {}",
            self.version,
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn write_files(&self, dir: &Path, user: Option<User>) {
        let data = dir.join("data");
        let mut conf =
            fs::read_to_string(data.join("postgresql.conf")).expect("initdb wrote postgresql.conf");
        conf.push_str(CONF);
        conf = conf + "unix_socket_directories = '" + &dir.display().to_string() + "'\n";
        let secret = |name: &str, text: &str| {
            let path = data.join(name);
            fs::write(&path, text).expect("the data folder is writable");
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
                .expect("the file is ours");
            process::give(&path, user);
        };
        if let Some((chain, key)) = &self.certificate {
            secret("server.crt", chain);
            secret("server.key", key);
            conf.push_str("ssl = on\n");
        }
        if let Some(authority) = &self.client_authority {
            secret("root.crt", authority);
            conf.push_str("ssl_ca_file = 'root.crt'\n");
        }
        conf.push_str(&self.conf);
        secret("postgresql.conf", &conf);
        secret("pg_hba.conf", &format!("local all postgres trust\n{}\n", self.hba));
        if let Some(password) = &self.password {
            let sql = format!("ALTER ROLE postgres PASSWORD '{}'", password.replace('\'', "''"));
            secret("password.sql", &sql);
        }
    }
}

/// Settings of every server: nothing need survive a crash of the machine, and many tests share it.
const CONF: &str = "
listen_addresses = '127.0.0.1'
unix_socket_permissions = 0777
fsync = off
full_page_writes = off
max_connections = 200
max_prepared_transactions = 20
max_locks_per_transaction = 256
max_wal_size = 512MB
log_min_messages = warning
";

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
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
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
