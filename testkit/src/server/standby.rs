//! A hot standby of a server.
//!
//! Knows one way to make it: a copy of the data directory while the server is down.

use std::fs;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use super::{Server, State, Stop, free_port, new_folder};
use crate::reaper::Reaper;
use crate::{binaries, extensions, process};

impl Server {
    /// Starts a hot standby of this server, which is restarted for that: whoever is connected is
    /// cut off.
    ///
    /// # Panics
    /// If it does not start; with the end of its log.
    #[must_use]
    pub fn standby(&self) -> Self {
        let bin = binaries::bin_dir(self.version);
        let dir = new_folder(self.user);
        let reaper = Reaper::watch(&dir);
        let program = extensions::plant(&bin, &dir);
        let data = dir.join("data");
        self.stop(Stop::Fast);
        let copied = Command::new("cp").arg("-a").arg(self.dir.join("data")).arg(&data).status();
        assert!(copied.expect("cp can be run").success(), "cp -a to {}", data.display());
        self.start();
        let path = data.join("postgresql.conf");
        let conf = fs::read_to_string(&path).expect("the copy has one");
        let conf = format!(
            "{conf}\nunix_socket_directories = '{}'\nprimary_conninfo = 'host=127.0.0.1 port={} \
             user=postgres'\n",
            dir.display(),
            self.port
        );
        fs::write(&path, conf).expect("the data directory is writable");
        // What is done at each start needs a server that takes writes.
        let _ = fs::remove_file(data.join("password.sql"));
        let signal = data.join("standby.signal");
        fs::write(&signal, "").expect("the data directory is writable");
        process::give(&signal, self.user);
        let server = Self {
            version: self.version,
            dir,
            program,
            user: self.user,
            port: free_port(),
            serial: AtomicU64::new(0),
            state: Mutex::new(State { child: None, reaper }),
        };
        server.start();
        server
    }
}
