//! How long a command takes, and how much memory.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::usage;

/// Runs the command and appends "SECONDS<tab>KIB" to the file.
pub(crate) fn run(mut args: impl Iterator<Item = String>) -> ExitCode {
    let (Some(file), Some("--"), Some(program)) =
        (args.next(), args.next().as_deref(), args.next())
    else {
        return usage("measure FILE -- COMMAND…");
    };
    let started = Instant::now();
    let mut child = match Command::new(&program).args(args).spawn() {
        Ok(child) => child,
        Err(error) => return usage(&format!("{program}: {error}")),
    };
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(high_water_kib(child.id()));
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let line = format!("{:.3}\t{peak_kib}\n", started.elapsed().as_secs_f64());
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    if let Err(error) = written {
        return usage(&format!("{file}: {error}"));
    }
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// The most memory that the process ever held; 0 once it has ended.
fn high_water_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
