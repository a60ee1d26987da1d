//! A tiny shell beside each server that outlives the process which started it, stops the server and
//! removes its folder.
//!
//! It waits for the end of its standard input. Only this process holds the other end, so the end
//! comes when this process drops it or dies, by whatever signal. Nothing else would do: statics are
//! never dropped, and nobody runs a destructor after SIGKILL.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Reads process ids, the last of which is the one to stop. A process counts as ours only while it
/// works in the folder: ids are used again.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM PIPE
dir=$1
pid=
while read -r line; do pid=$line; done
ours() {
    [ -n "$pid" ] || return 1
    case $(readlink "/proc/$pid/cwd" 2>/dev/null) in "$dir"|"$dir"/*) return 0 ;; *) return 1 ;; esac
}
ours && kill -QUIT "$pid" 2>/dev/null
tries=0
while ours && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
ours && kill -KILL "$pid" 2>/dev/null
tries=0
while [ -e "$dir" ] && [ $tries -lt 50 ]; do rm -rf "$dir" 2>/dev/null; [ -e "$dir" ] && sleep 0.1; tries=$((tries + 1)); done
"#;

pub(crate) struct Reaper {
    shell: Child,
    /// Dropping it is the signal to clean up.
    stdin: Option<ChildStdin>,
}

impl Reaper {
    /// Watches a folder, which must be given without links.
    pub(crate) fn watch(dir: &Path) -> Self {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "reaper"])
            .arg(dir)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the terminal's foreground group: Ctrl-C must not end it.
            .process_group(0)
            .spawn()
            .expect("/bin/sh runs");
        let stdin = shell.stdin.take();
        Self { shell, stdin }
    }

    /// Names the process that works in the folder now.
    pub(crate) fn guard(&mut self, pid: u32) {
        let stdin = self.stdin.as_mut().expect("open until dropped");
        writeln!(stdin, "{pid}").expect("the reaper reads until it is dropped");
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.shell.wait();
    }
}
