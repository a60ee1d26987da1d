//! `silverback kong info`.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use super::as_json::as_json;
use super::as_text::{Place, as_text};
use crate::archive::Archive;
use crate::cli::args::connection::{Connection, ConnectionArgs};
use crate::cli::args::metrics::MetricsArgs;
use crate::cli::args::output::OutputArgs;
use crate::cli::args::{values, words};
use crate::cli::command::{Outcome, connect, run_stoppable};
use crate::cli::progress::reporter::Reporter;
use crate::cli::text::stdio;
use crate::error::{Error, Kind, Result};
use crate::kong::info::{Facts, Info, Request, archived, live};
use crate::kong::reader::Node;
use crate::sql::ident;
use crate::storage::Source;

/// Tell Kong's version, migrations, tables and what is to be looked at, of a database or an archive
#[derive(Args, Debug)]
pub(super) struct InfoArgs {
    /// The archive; without one, the database is asked
    #[arg(value_name = "ARCHIVE")]
    pub(super) archive: Option<PathBuf>,
    /// Look into this schema; otherwise into the one that Kong would use
    #[arg(short = 'n', long, value_name = "SCHEMA", value_parser = words::given_name())]
    schema: Option<String>,
    /// Read tables of any size, to count rows and what has expired; otherwise 64 MiB at most
    #[arg(long)]
    exact: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    /// Take at most this much memory (256MiB, 1GB) for an archive's description, if that is more
    /// than is usual for its size
    #[arg(long, value_name = "SIZE", value_parser = values::memory)]
    max_memory: Option<u64>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
}

pub(super) fn run(args: &InfoArgs) -> Result<Outcome> {
    let reporter = args.output.reporter();
    let found = match &args.archive {
        Some(path) => of_archive(args, path),
        None => of_database(args, &reporter),
    };
    reporter.finish();
    let (place, facts) = found?;
    let info = Info::of(facts);
    if args.json {
        stdio::print_json(&as_json(&place, &info))?;
    } else {
        stdio::print_with(|out| as_text(&place, &info, out))?;
    }
    Ok(if info.notes.is_empty() { Outcome::Done } else { Outcome::Noted })
}

fn of_database(args: &InfoArgs, reporter: &Reporter) -> Result<(Place, Facts)> {
    let Connection { server, kong_schema, .. } =
        connect(&args.connection, Node::Primary, "look into", reporter)?;
    let kong_schema = kong_schema.as_ref().map(|value| value.text.as_str());
    let schema = args.schema.as_deref().or(kong_schema);
    let request = Request { schema, exact: args.exact, ..Request::default() };
    let cancel = async || server.cancel_all().await;
    let facts = run_stoppable(args.output.log_format, 1, live::read(&server, request), cancel)?;
    let name = format!("{} ({})", ident::quote(server.database()), server.describe());
    Ok((Place { kind: "database", name }, facts))
}

fn of_archive(args: &InfoArgs, path: &Path) -> Result<(Place, Facts)> {
    if !args.connection.words().is_empty() {
        let cause = "an archive and a database are named";
        return Err(Error::new(Kind::Usage, "tell about Kong", cause).hint("name one of them"));
    }
    let (path, max_memory) = (path.to_owned(), args.max_memory.unwrap_or(0));
    let (schema, exact) = (args.schema.clone(), args.exact);
    let read = move || {
        let Source::File(file, name) = Source::open(&path)? else {
            let cause = "it is read in no fixed order, which standard input cannot give";
            return Err(Error::new(Kind::Usage, "read the archive", cause)
                .hint("save the archive to a file first"));
        };
        let archive = Archive::open_within(file, &name, max_memory)?;
        let request = Request { schema: schema.as_deref(), exact, ..Request::default() };
        let facts = archived::read(&archive, request, microseconds_since_1970())?;
        Ok((Place { kind: "archive", name }, facts))
    };
    let work = async move {
        let reading = tokio::task::spawn_blocking(read);
        reading
            .await
            .map_err(|error| Error::new(Kind::Unexpected, "read the archive", error.to_string()))?
    };
    run_stoppable(args.output.log_format, 1, work, async || ())
}

fn microseconds_since_1970() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
