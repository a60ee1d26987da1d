//! The testkit on the command line, for scripts: a throw-away server around a command, Kong's data, digests.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::str::FromStr;

use testkit::{Client, Server, kong};

const USAGE: &str = "usage:
  testkit run [--pg VERSION] [--conf LINE]… -- COMMAND…   start a server, run COMMAND with PGHOST, PGPORT and PGUSER set, stop the server
  testkit seed --url URL --consumers N [--upgraded]       load Kong's schema and N consumers into an empty database
  testkit digests --url URL                               print every table with its rows and a hash of them
  testkit versions                                        print the major versions of the servers that are installed
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("run") => run(args),
        Some("seed") => with_options(args, seed),
        Some("digests") => with_options(args, digests),
        Some("versions") => {
            for version in testkit::installed() {
                print(&version.to_string());
            }
            ExitCode::SUCCESS
        }
        _ => usage(""),
    }
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("{problem}\n{USAGE}");
    ExitCode::from(2)
}

fn run(mut args: impl Iterator<Item = String>) -> ExitCode {
    let mut version = None;
    let mut conf = String::new();
    loop {
        match (args.next().as_deref(), &mut args) {
            (Some("--pg"), rest) => version = rest.next().and_then(|version| version.parse().ok()),
            (Some("--conf"), rest) => conf = conf + &rest.next().unwrap_or_default() + "\n",
            (Some("--"), _) => break,
            (other, _) => return usage(&format!("run: {other:?} is not an option; the command follows --")),
        }
    }
    let Some(program) = args.next() else { return usage("run: no command") };
    let Some(version) = version.or_else(|| testkit::installed().last().copied()) else {
        eprintln!("testkit: no PostgreSQL server is installed: run scripts/servers");
        return ExitCode::FAILURE;
    };
    let server = Server::spec(version).conf(&conf).start();
    let status = Command::new(&program)
        .args(args)
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", server.port().to_string())
        .env("PGUSER", "postgres")
        .env("TESTKIT_PG_VERSION", version.to_string())
        .status();
    drop(server);
    match status {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("testkit: {program}: {error}");
            ExitCode::from(127)
        }
    }
}

/// Options of a command, each `--name value` but for `--upgraded`.
fn with_options(mut args: impl Iterator<Item = String>, command: fn(&Client, &BTreeMap<String, String>) -> ExitCode) -> ExitCode {
    let mut options = BTreeMap::new();
    while let Some(name) = args.next() {
        let value = if name == "--upgraded" { Some(String::new()) } else { args.next() };
        let Some(value) = value.filter(|_| name.starts_with("--")) else { return usage(&format!("{name}: not an option with a value")) };
        options.insert(name, value);
    }
    let Some(config) = options.get("--url").and_then(|url| tokio_postgres::Config::from_str(url).ok()) else {
        return usage("--url URL is missing, or is no URL");
    };
    match testkit::connect(config) {
        Ok(client) => command(&client, &options),
        Err(error) => {
            eprintln!("testkit: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn seed(client: &Client, options: &BTreeMap<String, String>) -> ExitCode {
    let Some(consumers) = options.get("--consumers").and_then(|count| count.parse().ok()) else { return usage("--consumers N is missing") };
    if options.contains_key("--upgraded") {
        kong::load_upgraded_by(client, "public")
    } else {
        kong::load_by(client, "public")
    }
    kong::seed_by(client, "public", consumers);
    ExitCode::SUCCESS
}

fn digests(client: &Client, _options: &BTreeMap<String, String>) -> ExitCode {
    for (table, (rows, hash)) in testkit::digests_by(client) {
        print(&format!("{table}\t{rows}\t{hash}"));
    }
    ExitCode::SUCCESS
}

/// Prints a line; a reader that has gone is no failure.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
