//! Processes: who a server runs as, and signals.

use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal};

/// Sends a signal, named as `kill` names it ("INT", "TERM", "QUIT", "KILL", "STOP", "CONT"); a
/// process that is gone is no error.
pub fn signal(pid: u32, name: &str) {
    let signal = match name {
        "INT" => Signal::INT,
        "TERM" => Signal::TERM,
        "QUIT" => Signal::QUIT,
        "KILL" => Signal::KILL,
        "STOP" => Signal::STOP,
        "CONT" => Signal::CONT,
        "HUP" => Signal::HUP,
        _ => panic!("signal {name:?} is not one of INT, TERM, QUIT, KILL, STOP, CONT, HUP"),
    };
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .unwrap_or_else(|| panic!("{pid} is not a process id"));
    let _ = rustix::process::kill_process(pid, signal);
}

/// The user that a server runs as when this process is root, which PostgreSQL refuses to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// `nobody`, if this process is root.
    pub(crate) fn unprivileged() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let passwd = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
        let nobody = passwd
            .lines()
            .find(|line| line.starts_with("nobody:"))
            .expect("/etc/passwd has a user nobody to run PostgreSQL as");
        let field = |n: usize| {
            nobody
                .split(':')
                .nth(n)
                .and_then(|id| id.parse().ok())
                .expect("/etc/passwd gives nobody a uid and a gid")
        };
        Some(Self { uid: field(2), gid: field(3) })
    }
}

/// A command that runs as `user`, in a folder, with nothing of this process's environment that
/// could steer PostgreSQL.
pub(crate) fn command(program: &Path, user: Option<User>, dir: &Path) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("HOME", dir)
        .process_group(0);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Gives a file or folder to the user that servers run as.
pub(crate) fn give(path: &Path, user: Option<User>) {
    if let Some(user) = user {
        std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid))
            .unwrap_or_else(|error| panic!("chown {}: {error}", path.display()));
    }
}
