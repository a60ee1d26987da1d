//! `silverback dump`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::args::connection::{Connection, ConnectionArgs};
use super::args::filters::For;
use super::args::metrics::MetricsArgs;
use super::args::output::OutputArgs;
use super::args::sections::SectionArgs;
use super::args::selection::{OwnerArgs, SelectionArgs};
use super::args::values::{self, Compression};
use super::args::words;
use super::command::{Outcome, connect, run_stoppable, tell_not_carried};
use super::guards;
use super::metrics::Figures;
use super::text::{objects, units};
use crate::archive::Codec;
use crate::dump::{self, Options, Report};
use crate::error::{Error, Kind, Result};
use crate::kong::reader::Node;
use crate::kong::sources::Value;
use crate::limits::Limits;
use crate::pg::connect::secret::Secret;
use crate::pg::snapshot::Begin;
use crate::progress::{Level, Progress};
use crate::select::{LargeObjects, Pattern, Selection};
use crate::sql::ident;
use crate::storage::Sink;

/// Write a database into an archive
#[derive(Args, Debug)]
pub(super) struct DumpArgs {
    /// Dump this database: a name, a URI, or "key=value ..."; the same as -d
    #[arg(value_name = "DBNAME", value_parser = words::secret(), conflicts_with = "dbname")]
    database: Option<Secret>,
    /// Write the archive to this file, where nothing may be yet; - is standard output
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Copy with this many sessions at a time [default: cores + 2, at most 8; more while each makes
    /// it faster by a tenth; at most half of the connections that are free]
    #[arg(short, long, value_name = "NUMBER", value_parser = values::job_number)]
    jobs: Option<u16>,
    /// Compress with zstd (levels 1 to 22, 1 unless given) or not at all (none)
    #[arg(short = 'Z', long, value_name = "zstd[:LEVEL]|none")]
    compress: Option<String>,
    /// Refused: there is one format
    #[arg(short = 'F', long, hide = true)]
    format: Option<String>,
    /// Leave comments out
    #[arg(long)]
    no_comments: bool,
    /// Leave security labels out
    #[arg(long)]
    no_security_labels: bool,
    /// Take large objects, also where -t, -n or -e choose; without these and -s, that is the default
    #[arg(short = 'b', long, visible_alias = "blobs")]
    large_objects: bool,
    /// Leave large objects out
    #[arg(short = 'B', long, visible_alias = "no-blobs")]
    no_large_objects: bool,
    /// Take the extensions that match; without -t and -n, with all that is in schemas
    #[arg(short = 'e', long, value_name = "PATTERN", value_parser = words::extension_pattern())]
    extension: Vec<Pattern>,
    /// Leave out the extensions that match: what uses them expects them in the target
    #[arg(long, value_name = "PATTERN", value_parser = words::extension_pattern())]
    exclude_extension: Vec<Pattern>,
    /// Take the definitions, not the rows, of unlogged tables
    #[arg(long)]
    no_unlogged_table_data: bool,
    #[command(flatten)]
    sections: SectionArgs,
    /// Dump what this snapshot shows, which another session has exported and holds
    #[arg(long, value_name = "ID", value_parser = words::given_name(), conflicts_with = "serializable_deferrable")]
    snapshot: Option<String>,
    /// Let a restore send the rows of partitions to the partitioned table at the top
    #[arg(long)]
    load_via_partition_root: bool,
    /// Dump the rows that row security lets this role see; without it, a table that hides rows is
    /// an error
    #[arg(long)]
    enable_row_security: bool,
    /// Dump a database in which a restore is incomplete; without it, that is refused
    #[arg(long)]
    allow_incomplete: bool,
    /// Connect to Kong's read replica (pg_ro_host) instead of its primary
    #[arg(long)]
    read_replica: bool,
    /// Hold Kong's lock for migrations meanwhile, so that none begins: writes a row into its table
    /// locks, the one thing that a dump ever writes, and takes it away at the end
    #[arg(long, conflicts_with = "read_replica")]
    hold_migrations: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
}

/// What a dump may take.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Wait this long for a table's lock; milliseconds, or with a unit (30s, 5min); 0 waits for
    /// ever
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::milliseconds)]
    lock_wait_timeout: Duration,
    /// Give up when the server sends nothing for this long; with a unit (60s, 5min)
    #[arg(long, value_name = "TIME", default_value = "5min", value_parser = values::stall)]
    stall_timeout: Duration,
    /// Hold at most this much of the rows in memory (256MiB, 1GB) [default: 16MiB for each session,
    /// at most 96MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::memory)]
    max_memory: Option<u64>,
    /// Read at most this much a second from the server, by all sessions together: kilobytes, or with
    /// a suffix k or M, as pg_basebackup has it (32k to 1024M)
    #[arg(long, value_name = "RATE", value_parser = values::rate)]
    max_rate: Option<u64>,
    /// Wait for a snapshot that no serializable transaction can contradict
    #[arg(long)]
    serializable_deferrable: bool,
}

impl DumpArgs {
    /// The connection options; a database that is named without -d is as good as one with it.
    fn connection(&self) -> ConnectionArgs {
        let connection = self.connection.clone();
        let dbname = connection.dbname.or_else(|| self.database.clone());
        ConnectionArgs { dbname, ..connection }
    }

    /// Reads the files that say what is meant, and takes together all that does.
    pub(super) fn read_files(&mut self) -> Result<()> {
        self.selection.read_filters(For::Dump)?;
        let large_objects = match (self.large_objects, self.no_large_objects) {
            (true, _) => LargeObjects::Taken,
            (_, true) => LargeObjects::LeftOut,
            _ => LargeObjects::default(),
        };
        self.selection.add(|selection| {
            selection.extensions.append(&mut self.extension);
            selection.exclude_extensions.append(&mut self.exclude_extension);
            selection.large_objects = large_objects;
        });
        Ok(())
    }
}

impl DumpArgs {
    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

pub(super) fn run(args: &DumpArgs) -> Result<Outcome> {
    values::refuse_format(args.format.as_deref())?;
    let codec = match values::compression(args.compress.as_deref())? {
        Compression::None => Codec::None,
        Compression::Zstd(level) => Codec::Zstd(level),
    };
    let reporter = args.output.reporter();
    args.selection.check(reporter.as_ref())?;
    if args.selection.selection().statistics && args.sections.are_chosen() {
        let cause = "--statistics is about all of a table";
        let hint = "dump all sections into one archive, or leave --statistics out: ANALYZE gathers \
            them";
        return Err(Error::new(Kind::Usage, "read --section", cause).hint(hint));
    }
    let node = if args.read_replica { Node::ReadReplica } else { Node::Primary };
    let Connection { server, kong_schema, .. } =
        connect(&args.connection(), node, "dump", reporter.as_ref())?;
    let server = args.limits.max_rate.map_or(server.clone(), |rate| server.paced(rate));
    let options = Options {
        codec,
        selection: select(&args.selection, kong_schema.as_ref(), reporter.as_ref())?,
        sections: args.sections.sections(),
        no_unlogged_table_data: args.no_unlogged_table_data,
        snapshot: args.snapshot.clone(),
        no_owner: args.owner.no_owner,
        no_privileges: args.owner.no_privileges,
        no_comments: args.no_comments,
        no_security_labels: args.no_security_labels,
        via_partition_root: args.load_via_partition_root,
        allow_incomplete: args.allow_incomplete,
        begin: Begin { role: args.owner.role.clone(), row_security: args.enable_row_security },
        lock_wait_timeout: args.limits.lock_wait_timeout,
        serializable_deferrable: args.limits.serializable_deferrable,
        limits: Limits {
            jobs: values::jobs(args.jobs),
            max_memory: args.limits.max_memory,
            stall_timeout: args.limits.stall_timeout,
        },
    };
    let held = OnceLock::new();
    let cancel = async || {
        tokio::join!(server.cancel_all(), guards::hold::release(&held));
    };
    let patient = server.patient(args.limits.stall_timeout);
    let asked = guards::dump::Asked {
        server: &patient,
        selection: &options.selection,
        schema: kong_schema.as_ref().map(|value| value.text.as_str()),
        role: args.owner.role.as_deref(),
        holds: args.hold_migrations,
    };
    let dump = async {
        // Before the server is asked for anything: an unwritable output is the cheapest thing to
        // find out.
        let sink = Sink::create(&args.file)?;
        let dump = dump::run(&server, sink, &options, reporter.clone());
        Box::pin(guards::dump::dump(asked, &held, reporter.as_ref(), Box::pin(dump))).await
    };
    let result = run_stoppable(args.output.log_format, values::coding_threads(), dump, cancel);
    reporter.finish();
    let report = result.map_err(|error| match error.kind() {
        Kind::Interrupted | Kind::Terminated => error.hint(STOPPED),
        _ => error,
    })?;
    let outcome = tell_not_carried(&report.not_carried, reporter.as_ref());
    reporter.summary(&as_text(&report), &as_json(&report));
    args.metrics.count(&Figures {
        tables: Some(report.tables.len() as u64),
        rows: Some(report.summary.rows),
        raw_bytes: Some(report.summary.raw_bytes),
        file_bytes: Some(report.summary.total_bytes),
    });
    Ok(outcome)
}

/// Standard output may have had some of it.
const STOPPED: &str = "dump again: no file was left behind, and what went to a pipe is no archive";

/// What is meant: what the options choose; where they choose nothing, the schema that Kong uses.
fn select(
    args: &SelectionArgs,
    kong_schema: Option<&Value>,
    progress: &dyn Progress,
) -> Result<Selection> {
    let mut selection = args.selection();
    let Some(value) = kong_schema.filter(|_| !args.choose_objects()) else {
        return Ok(selection);
    };
    let schema = ident::quote(&value.text);
    selection.schemas = vec![Pattern::schema(&schema)?];
    let text = format!(
        "{} = {} (from {}): only schema {schema} and what it needs is dumped; -n '*' dumps all \
         schemas",
        value.property, value.text, value.source
    );
    progress.message(Level::Info, &text);
    Ok(selection)
}

fn as_text(report: &Report) -> String {
    let summary = &report.summary;
    let objects = objects::counted(&report.objects);
    let database = ident::quote(&report.database);
    let database = units::printable(&database);
    let archive = format!(
        "archive {}, {}\nroot {}",
        units::printable(&report.archive),
        units::bytes(summary.total_bytes),
        summary.root,
    );
    if report.tables.is_empty() {
        let what = if objects.is_empty() { "nothing".to_owned() } else { objects };
        let seconds = units::seconds(report.seconds);
        return format!(
            "dumped the definitions of database {database}: {what}, {seconds}\n{archive}"
        );
    }
    let objects = if objects.is_empty() { "rows only".to_owned() } else { objects };
    format!(
        "dumped {}, {}: {} of rows in {} (ratio {}), {}, {}\ndatabase {database}: {objects}\n{archive}",
        units::plural(report.tables.len() as u64, "table"),
        units::plural(summary.rows, "row"),
        units::bytes(summary.raw_bytes),
        units::bytes(summary.stored_bytes),
        units::ratio(summary.raw_bytes, summary.stored_bytes),
        units::seconds(report.seconds),
        units::rate(summary.raw_bytes, Duration::from_secs_f64(report.seconds)),
    )
}

fn as_json(report: &Report) -> serde_json::Value {
    let summary = &report.summary;
    let objects: serde_json::Map<_, _> =
        report.objects.iter().map(|(kind, number)| (kind.to_string(), json!(number))).collect();
    json!({
        "command": "dump",
        "archive": report.archive,
        "database": report.database,
        "objects": objects,
        "root": summary.root.to_string(),
        "tables": report.tables.len(),
        "rows": summary.rows,
        "chunks": summary.chunks,
        "raw_bytes": summary.raw_bytes,
        "stored_bytes": summary.stored_bytes,
        "file_bytes": summary.total_bytes,
        "not_carried": report.not_carried,
        "seconds": report.seconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::ObjectKind;
    use crate::archive::{Root, Summary};

    #[test]
    fn summary() {
        let summary = Summary {
            root: Root([7; 32]),
            total_bytes: 120_300_000,
            chunks: 90,
            rows: 1_234_567,
            raw_bytes: 700_000_000,
            stored_bytes: 120_000_000,
            tables: Vec::new(),
        };
        let tables = vec!["public.routes".to_owned()];
        let report = Report {
            archive: "kong\n.sbk".to_owned(),
            summary,
            database: "kong".to_owned(),
            objects: vec![(ObjectKind::Table, 1), (ObjectKind::Index, 2)],
            tables,
            not_carried: Vec::new(),
            seconds: 12.34,
        };
        insta::assert_snapshot!(as_text(&report), @r"
        dumped 1 table, 1,234,567 rows: 700.0 MB of rows in 120.0 MB (ratio 5.83), 12.3 s, 56.7 MB/s
        database kong: 1 table, 2 indexes
        archive kong\n.sbk, 120.3 MB
        root 0707070707070707070707070707070707070707070707070707070707070707
        ");
        assert_eq!(as_json(&report)["rows"], 1_234_567);
    }
}
