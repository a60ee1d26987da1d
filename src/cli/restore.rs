//! `silverback restore`.

mod options;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::args::connection::{Connection, ConnectionArgs};
use super::args::filters::For;
use super::args::kong::KongArgs;
use super::args::limits::LimitArgs;
use super::args::metrics::MetricsArgs;
use super::args::named::{self, NamedArgs};
use super::args::others::OthersArgs;
use super::args::output::OutputArgs;
use super::args::sections::SectionArgs;
use super::args::selection::{OwnerArgs, SelectionArgs};
use super::args::values::{self, FkArg};
use super::command::{Outcome, connect_to_named, run_settled, run_stoppable};
use super::guards::restore::{self as guards, Asked};
use super::restored;
use super::sql_text::{self, SqlTextArgs};
use super::stage;
use super::status;
use super::use_list;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::lock_waits::LockWaits;
use crate::pg::swap_state::Way;
use crate::progress::{Level, Progress};
use crate::restore::{self, Options};
use crate::sql::rename::Renames;
use crate::storage::{Source, is_stream};
use crate::swap::{self, stage::Copy};

/// Bring an archive into an empty database
#[derive(Args, Debug)]
pub(super) struct RestoreArgs {
    /// The archive
    #[arg(value_name = "ARCHIVE", required_unless_present = "status")]
    archive: Option<PathBuf>,
    #[command(flatten)]
    text: SqlTextArgs,
    /// Work with this many sessions at a time [default: cores, at least 2; 8 on a server that is 2 ms
    /// away or more; at most 8 and half of the connections that are free]
    #[arg(short, long, value_name = "NUMBER", value_parser = values::job_number)]
    jobs: Option<u16>,
    /// Check the archive's frame and the target and print the plan; change nothing, read no rows
    /// (verify does)
    #[arg(long, conflicts_with = "metrics_file")]
    dry_run: bool,
    /// Go on where a restore of this archive with these options was stopped; where none was begun,
    /// begin
    #[arg(long)]
    resume: bool,
    /// Make a complete, checked copy beside what is live, and leave that alone; swap exchanges the
    /// two
    #[arg(
        long,
        conflicts_with_all = [
            "status", "section", "create", "clean", "rename_schema", "keep_going", "ready_early",
            "disable_triggers", "fire_triggers", "replace_bootstrap", "kong_ignore", "data_only",
            "schema_only",
        ]
    )]
    stage: bool,
    /// With --stage, make the copy in schemas of its own; the default where the role and the
    /// server's lock table let a swap move what is in them
    #[arg(long, requires = "stage", conflicts_with = "by_database")]
    in_place: bool,
    /// With --stage, make the copy in a database of its own, which takes the live one's name in the
    /// swap: for a database that holds nothing else, and a role with CREATEDB
    #[arg(long, requires = "stage")]
    by_database: bool,
    /// Say what a restore that was stopped has left in the database, and what to do: exit code 0 if
    /// nothing, 10 if it may be used, 7 if not
    #[arg(long, conflicts_with_all = ["archive", "resume", "dry_run", "create", "clean", "metrics_file"])]
    status: bool,
    /// With --status, write JSON
    #[arg(long, requires = "status")]
    json: bool,
    #[command(flatten)]
    sections: SectionArgs,
    /// Create the database first, under the name it had, with all its properties; connect to -d
    /// only to issue CREATE DATABASE
    #[arg(short = 'C', long, conflicts_with_all = ["data_only", "section"])]
    create: bool,
    /// Drop what the archive holds before creating it, with -C the database; =schemas drops all that
    /// the role owns in the schemas that the archive fills
    #[arg(
        short,
        long,
        value_name = "objects|schemas",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "objects",
        hide_possible_values = true,
        conflicts_with = "data_only"
    )]
    clean: Vec<CleanArg>,
    /// With -c, drop only what is there
    #[arg(long, requires = "clean")]
    if_exists: bool,
    #[command(flatten)]
    others: OthersArgs,
    /// Restore what the archive has in schema OLD into schema NEW; may be repeated. Other options
    /// speak of schemas by their names in the archive
    #[arg(long, value_name = "OLD=NEW")]
    rename_schema: Vec<String>,
    /// Stop at the first error; that is the default
    #[arg(short, long, conflicts_with = "keep_going")]
    exit_on_error: bool,
    /// After an error, go on with what can still be done; name all that failed at the end
    #[arg(long)]
    keep_going: bool,
    /// How to add foreign keys: validate (default), not-valid, or trust (no check: rows that
    /// violate a key stay; needs a superuser or GRANT SET ON PARAMETER session_replication_role)
    #[arg(
        long,
        value_name = "validate|not-valid|trust",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    fk: FkArg,
    /// With -a or --section data: disable foreign-key triggers, too, while loading, which needs a
    /// superuser; user triggers are disabled without it
    #[arg(long)]
    disable_triggers: bool,
    /// With -a or --section data: let user triggers fire on the rows
    #[arg(long, conflicts_with = "disable_triggers")]
    fire_triggers: bool,
    /// Report ready once Kong can start; build remaining indexes and validate foreign keys online
    #[arg(long)]
    ready_early: bool,
    /// With --ready-early, create this file when ready is reported
    #[arg(long, value_name = "PATH", requires = "ready_early")]
    ready_file: Option<PathBuf>,
    /// Read all rows back and compare them with the archive before the end is called good; with -c
    /// and --stage, that is the default
    #[arg(long, overrides_with = "no_check")]
    check: bool,
    /// With -c or --stage, do not read the rows back
    #[arg(long, overrides_with = "check")]
    no_check: bool,
    /// Do not ANALYZE the tables
    #[arg(long)]
    no_analyze: bool,
    /// Leave comments out
    #[arg(long)]
    no_comments: bool,
    /// Leave security labels out
    #[arg(long)]
    no_security_labels: bool,
    /// Use the database's default tablespace for everything
    #[arg(long)]
    no_tablespaces: bool,
    /// Refused: there is one format
    #[arg(short = 'F', long, hide = true)]
    format: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    named: NamedArgs,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    kong: KongArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CleanArg {
    Objects,
    Schemas,
}

pub(super) fn run(args: &RestoreArgs) -> Result<Outcome> {
    values::refuse_format(args.format.as_deref())?;
    if args.status {
        return tell_status(args);
    }
    if args.named.list {
        let (selection, sections) = (args.selection.selection(), args.sections.sections());
        return use_list::print(args.archive(), selection, sections, args.limits.max_memory);
    }
    if is_stream(args.archive()) {
        return Err(restore::no_stream());
    }
    let reporter = args.output.reporter();
    args.check(reporter.as_ref())?;
    if let Some(file) = &args.text.file {
        let options = args.options(None, Renames::parse(&args.rename_schema)?);
        let told = (args.output.log_format, &reporter);
        return sql_text::write(args.archive(), file, options, told, &args.metrics);
    }
    let renames = Renames::parse(&args.rename_schema)?;
    let Connection { server, kong_schema, kong_user, .. } =
        connect_to_named(&args.connection, Some(args.doing()), reporter.as_ref())?;
    let (source, mut options) =
        (Source::open(args.archive())?, args.options(kong_schema.as_ref(), renames));
    let cancel = async || server.cancel_all().await;
    let (format, threads) = (args.output.log_format, values::decoding_threads());
    let schema = kong_schema.as_ref().map(|value| value.text.as_str());
    let told = reporter.clone();
    let patient = server.patient(args.limits.stall_timeout).watching(LockWaits {
        timeout: args.limits.lock_wait_timeout,
        tell: Arc::new(move |words| told.message(Level::Info, words)),
    });
    let asked = Asked { archive: args.archive(), server: &patient, args: &args.kong, schema };
    if args.dry_run {
        let plan = async {
            args.staged(&patient, &mut options, reporter.as_ref()).await?;
            guards::look(&asked, &mut options, reporter.as_ref()).await?;
            Box::pin(restore::dry_run(source, &server, options, reporter.as_ref())).await
        };
        let plan = run_stoppable(format, threads, plan, cancel);
        reporter.finish();
        return restored::print_plan(&plan?, &reporter);
    }
    // What is held is the same one.
    let held = options.clone();
    let restored = async {
        let copy = args.staged(&patient, &mut options, reporter.as_ref()).await?;
        restore::reach(&server, &options).await?;
        let kong = guards::look(&asked, &mut options, reporter.as_ref()).await?;
        let report = Box::pin(restore::run(source, &server, options, reporter.clone())).await?;
        if let (Some(kong), Some(user)) = (&kong, &kong_user)
            && !args.stage
        {
            let server = server.with_database(&report.database);
            kong.warn(&server, &user.text, reporter.as_ref()).await;
        }
        Ok((report, kong, copy))
    };
    let restored = async {
        restore::settle(Box::pin(restored).await, &server, &held, reporter.as_ref()).await
    };
    let settle = async || restore::give_back(&server, &held, reporter.as_ref()).await;
    let result = run_settled(format, threads, restored, cancel, settle);
    reporter.finish();
    let (report, kong, copy) = result.map_err(|error| match error.kind() {
        Kind::Interrupted | Kind::Terminated if args.stage => error.hint(stage::STOPPED),
        Kind::Interrupted | Kind::Terminated if reporter.has_told_ready() => error.hint(IN_USE),
        Kind::Interrupted | Kind::Terminated => error.hint(STOPPED),
        _ => error,
    })?;
    args.metrics.count(&restored::figures(&report));
    Ok(restored::tell(&report, kong.as_ref(), copy.as_ref(), &reporter))
}

fn tell_status(args: &RestoreArgs) -> Result<Outcome> {
    let reporter = args.output.reporter();
    let server = connect_to_named(&args.connection, None, reporter.as_ref())?.server;
    let cancel = async || server.cancel_all().await;
    let found =
        async { Ok((restore::status::status(&server).await?, swap::status(&server).await?)) };
    let found = run_stoppable(args.output.log_format, 1, found, cancel);
    reporter.finish();
    let (found, state) = found?;
    let connection = args.connection.words();
    status::tell(&found, state.as_ref(), &server, &connection, args.json)
}

/// What a signal leaves that came after ready was reported.
const IN_USE: &str = "the database may be in use, do not drop it: the same command with --resume \
    makes what is missing";

/// What another leaves is not known here: it may have come before the first statement.
const STOPPED: &str = "restore --status tells what was left and whether the database may be in use; \
    --resume goes on";

impl RestoreArgs {
    /// Reads the files that say what is meant, and takes together all that does.
    pub(super) fn read_files(&mut self) -> Result<()> {
        self.selection.read_filters(For::Restore)?;
        self.named.add_to(&mut self.selection)?;
        named::check(&self.selection.selection(), self.sections.sections())
    }

    /// Refuses what cannot be honoured.
    fn check(&self, progress: &dyn Progress) -> Result<()> {
        self.selection.check(progress)?;
        if self.selection.selection().statistics && self.sections.are_chosen() {
            let hint =
                "restore all sections in one run, or leave --statistics out: ANALYZE gathers them";
            let cause = "--statistics is about all of a table";
            return Err(Error::new(Kind::Usage, "read --section", cause).hint(hint));
        }
        if self.stage {
            stage::check(&self.selection, &self.kong)?;
        }
        if self.create && self.clean() == Some(CleanArg::Schemas) {
            let cause = "-C makes a database, in which there is nothing to clear";
            return Err(Error::new(Kind::Usage, "read --clean=schemas", cause)
                .hint("-C -c drops the database of that name first"));
        }
        self.others.check(self.clean().is_some() || self.resume || self.kong.replace_bootstrap)
    }

    /// What is dropped: where it is said more than once, the most.
    fn clean(&self) -> Option<CleanArg> {
        let all = self.clean.contains(&CleanArg::Schemas).then_some(CleanArg::Schemas);
        all.or_else(|| self.clean.first().copied())
    }

    pub(super) fn archive(&self) -> &Path {
        self.archive.as_deref().unwrap_or_else(|| Path::new(""))
    }

    /// What is begun, in the words before the name of the place.
    fn doing(&self) -> &'static str {
        match (self.dry_run, self.create, self.stage) {
            (true, ..) => "plan a restore into",
            (_, true, _) => "restore into a database of the archive's name, connected first to",
            (.., true) => "restore a staged copy, connected to",
            _ => "restore into",
        }
    }

    /// Makes the options those of a stage, where that is asked for: where the copy is.
    async fn staged(
        &self,
        server: &Server,
        options: &mut Options,
        progress: &dyn Progress,
    ) -> Result<Option<Copy>> {
        if !self.stage {
            return Ok(None);
        }
        let way = match (self.in_place, self.by_database) {
            (true, _) => Some(Way::InPlace),
            (_, true) => Some(Way::ByDatabase),
            _ => None,
        };
        let prepared = swap::stage::prepare(server, self.archive(), options, way).await?;
        stage::why(&prepared, progress);
        Ok(Some(prepared.copy))
    }
}
