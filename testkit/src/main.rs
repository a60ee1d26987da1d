//! The testkit on the command line, for scripts: a throw-away server around a command, Kong's data,
//! digests.

mod far;
mod measure;
mod receive;
mod report;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::str::FromStr;

use testkit::{Client, Server, kong};
use tokio_postgres::Config;

const USAGE: &str = "usage:
  testkit run [--pg VERSION] [--conf LINE]… -- COMMAND…   start a server, run COMMAND with PGHOST, \
  PGPORT and PGUSER set, stop the server
  testkit seed --url URL --consumers N [--upgraded]       load Kong's schema and N consumers into \
  an empty database
  testkit digests --url URL                               print every table with its rows and a \
  hash of them
  testkit sql --url URL --do STATEMENTS                   run statements
  testkit compare --left URL --right URL --left-list FILE --right-list FILE
                                                          compare two databases table by table, by \
                                                          a hash that their servers compute,
                                                          and by the digests that `silverback list \
                                                          --json` prints of their archives
  testkit measure FILE -- COMMAND…                        run COMMAND, append its seconds and its \
  peak memory in KiB (VmHWM) to FILE
  testkit receive --url URL --sessions N [--server-only]  copy every table out and keep nothing; \
  with --server-only the rows do not even leave it
  testkit far --port PORT --round-trip-ms MS [--mbit N] [--window BYTES]
                                                          print the port of a proxy to PORT that \
                                                          adds this much, and serve until \
                                                          standard input ends;
                                                          --mbit is the rate of all connections \
                                                          together, each way, --window what one \
                                                          may have on its way;
                                                          a line of input is answered with what \
                                                          went since the one before
  testkit tool NAME                                       print the path of the newest pg_dump, \
  pg_restore or psql
  testkit versions                                        print the major versions of the servers \
  that are installed
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("run") => run(args),
        Some("seed") => with_options(args, seed),
        Some("digests") => with_options(args, digests),
        Some("sql") => with_options(args, sql),
        Some("compare") => with_options(args, report::compare),
        Some("measure") => measure::run(args),
        Some("receive") => with_options(args, receive::run),
        Some("far") => with_options(args, far::run),
        Some("tool") => {
            print(&testkit::client_tool(&args.next().unwrap_or_default()).display().to_string());
            ExitCode::SUCCESS
        }
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
            (other, _) => {
                return usage(&format!("run: {other:?} is not an option; the command follows --"));
            }
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
        Ok(status) => {
            ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
        }
        Err(error) => {
            eprintln!("testkit: {program}: {error}");
            ExitCode::from(127)
        }
    }
}

/// Options without a value.
const FLAGS: [&str; 2] = ["--upgraded", "--server-only"];

/// Options of a command, each `--name value` but for [`FLAGS`].
fn with_options(
    mut args: impl Iterator<Item = String>,
    command: fn(&Options) -> ExitCode,
) -> ExitCode {
    let mut options = Options::new();
    while let Some(name) = args.next() {
        let value = if FLAGS.contains(&name.as_str()) { Some(String::new()) } else { args.next() };
        let Some(value) = value.filter(|_| name.starts_with("--")) else {
            return usage(&format!("{name}: not an option with a value"));
        };
        options.insert(name, value);
    }
    command(&options)
}

type Options = BTreeMap<String, String>;

fn connect(options: &Options, name: &str) -> Result<Client, ExitCode> {
    let url = options
        .get(name)
        .and_then(|url| Config::from_str(url).ok())
        .ok_or_else(|| usage(&format!("{name} URL is missing, or is no URL")))?;
    testkit::connect(url).map_err(|error| {
        eprintln!("testkit: {error:?}");
        ExitCode::FAILURE
    })
}

/// Loads as the owner of the database, and seeds as the superuser that the URL must name.
fn seed(options: &Options) -> ExitCode {
    let Some(consumers) = options.get("--consumers").and_then(|count| count.parse().ok()) else {
        return usage("--consumers N is missing");
    };
    let client = match connect(options, "--url") {
        Ok(client) => client,
        Err(code) => return code,
    };
    let owner = client.value(
        "SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database WHERE \
         datname = current_database()",
    );
    client.execute(&format!("SET ROLE {owner}"));
    if options.contains_key("--upgraded") {
        kong::load_upgraded_by(&client, "public");
    } else {
        kong::load_by(&client, "public");
    }
    client.execute("RESET ROLE");
    kong::seed_by(&client, "public", consumers);
    ExitCode::SUCCESS
}

fn digests(options: &Options) -> ExitCode {
    let client = match connect(options, "--url") {
        Ok(client) => client,
        Err(code) => return code,
    };
    for (table, (rows, hash)) in testkit::digests_by(&client) {
        print(&format!("{table}\t{rows}\t{hash}"));
    }
    ExitCode::SUCCESS
}

/// One statement at a time: some may not stand in a transaction, as those of one message would.
fn sql(options: &Options) -> ExitCode {
    let Some(statements) = options.get("--do") else { return usage("--do STATEMENTS is missing") };
    let client = match connect(options, "--url") {
        Ok(client) => client,
        Err(code) => return code,
    };
    for statement in statements.split(';').filter(|statement| !statement.trim().is_empty()) {
        client.execute(statement);
    }
    ExitCode::SUCCESS
}

/// Prints a line; a reader that has gone is no failure.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
