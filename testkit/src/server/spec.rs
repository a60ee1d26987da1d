//! What a throw-away server is to be, and how its cluster is made.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use super::{Server, State, free_port, new_folder};
use crate::process::{self, User};
use crate::reaper::Reaper;
use crate::{binaries, extensions, tls};

/// What a server is to be. The plain one trusts everybody, speaks no TLS, and holds UTF8 in the C
/// locale.
#[derive(Clone, Debug)]
pub struct ServerSpec {
    pub(super) version: u32,
    pub(super) conf: String,
    pub(super) hba: String,
    pub(super) password: Option<String>,
    pub(super) encoding: String,
    pub(super) initdb_args: Vec<String>,
    pub(super) certificate: Option<(String, String)>,
    pub(super) client_authority: Option<String>,
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
