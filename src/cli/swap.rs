//! `silverback swap`.

use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal};
use std::sync::OnceLock;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::args::connection::{Connection, ConnectionArgs};
use super::args::metrics::MetricsArgs;
use super::args::output::OutputArgs;
use super::args::{values, words};
use super::command::{Outcome, connect_to_named, run_stoppable};
use super::guards::hold::release;
use super::guards::swap::{self as guards, Asked};
use super::progress::reporter::Reporter;
use super::swapped::{as_json, as_text, exchanged, plan_text};
use super::text::stdio;
use super::text::units::{plural, printable_text};
use crate::error::{Error, Kind, Result};
use crate::kong;
use crate::pg::connect::Server;
use crate::progress::{Level, Progress as _};
use crate::sql::ident;
use crate::swap::written::Written;
use crate::swap::{self, Direction, Options, Plan};

/// Exchange the live objects for the copy that is staged beside them
#[derive(Args, Debug)]
pub(super) struct SwapArgs {
    /// Exchange again: what was live before becomes live
    #[arg(long, conflicts_with_all = ["status", "drop_old"])]
    back: bool,
    /// Drop the copy that is not live, also one that was never used or never finished
    #[arg(long, conflicts_with = "status")]
    drop_old: bool,
    /// Say what is staged and which copy is live: exit code 0 if nothing is, 10 if something
    #[arg(long, conflicts_with_all = ["dry_run", "yes", "metrics_file"])]
    status: bool,
    /// With --status, write JSON
    #[arg(long, requires = "status")]
    json: bool,
    /// List what would be exchanged or dropped, and what prevents it; change nothing
    #[arg(long, conflicts_with = "metrics_file")]
    dry_run: bool,
    /// With --back, give up the rows that were written since the swap without asking
    #[arg(long, requires = "back")]
    yes: bool,
    /// Wait this long for a lock, each time; milliseconds, or with a unit (500ms, 2s)
    #[arg(long, value_name = "TIME", default_value = "400", value_parser = swap_wait)]
    lock_wait_timeout: Duration,
    /// Try again this often if a lock was not to be had
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    retries: u32,
    /// With =schemas, move all away that the role owns in the schemas that are exchanged, not only
    /// what the copy replaces
    #[arg(long, value_name = "schemas", value_enum, require_equals = true, hide_possible_values = true, conflicts_with_all = ["status", "drop_old"])]
    clean: Option<CleanArg>,
    /// Raise the version of Kong's incremental sync in what becomes live, so that data planes take
    /// the configuration anew [default N: the largest of both copies, + 1000]
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, value_parser = clap::value_parser!(i64).range(1..), conflicts_with_all = ["status", "drop_old"])]
    bump_sync_version: Option<Vec<i64>>,
    /// Hold Kong's lock for migrations in both copies while they are exchanged, so that nobody
    /// migrates one meanwhile
    #[arg(long, conflicts_with_all = ["status", "drop_old"])]
    hold_migrations: bool,
    /// Exchange although migrations may be running in what is live
    #[arg(long, value_name = "locked", value_enum, hide_possible_values = true, conflicts_with_all = ["status", "drop_old"])]
    kong_ignore: Vec<IgnoreArg>,
    /// Do SET ROLE after connecting
    #[arg(long, value_name = "ROLE", value_parser = words::given_name())]
    role: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
}

/// What moves away beside what the copy replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CleanArg {
    Schemas,
}

/// A situation that keeps a swap from beginning unless it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum IgnoreArg {
    Locked,
}

/// For ever is too long: all that comes after waits behind it.
fn swap_wait(text: &str) -> Result<Duration, String> {
    let wait = values::milliseconds(text)?;
    if wait.is_zero() { Err("a swap does not wait for ever".to_owned()) } else { Ok(wait) }
}

pub(super) fn run(args: &SwapArgs) -> Result<Outcome> {
    let reporter = args.output.reporter();
    let doing = match (args.status, args.dry_run, args.drop_old) {
        (true, ..) => None,
        (_, true, _) => Some("plan a swap in"),
        (.., true) => Some("drop the copy that is not live in"),
        _ => Some("swap in"),
    };
    let connection = connect_to_named(&args.connection, doing, reporter.as_ref())?;
    let server = connection.server.clone();
    let ended = if args.status {
        tell_status(args, &server)
    } else if args.drop_old {
        drop_old(args, &server, &reporter)
    } else {
        exchange(args, &connection, &reporter)
    };
    reporter.finish();
    ended
}

impl SwapArgs {
    fn options(&self) -> Options {
        Options {
            role: self.role.clone(),
            lock_wait_timeout: self.lock_wait_timeout,
            retries: self.retries,
            takes_all_owned: self.clean == Some(CleanArg::Schemas),
            profile: kong::restore::profile(),
            gives_up: self.yes,
            raised: self
                .bump_sync_version
                .as_ref()
                .map(|given| kong::sync_version::raised(given.first().copied())),
        }
    }

    fn stoppable<T>(&self, server: &Server, work: impl Future<Output = Result<T>>) -> Result<T> {
        run_stoppable(self.output.log_format, 1, work, async || server.cancel_all().await)
    }

    /// Looks whether Kong's lock can be held: a session that renews it would keep a database from
    /// taking another name.
    fn check_hold(&self, plan: &Plan) -> Result<()> {
        if !self.hold_migrations || matches!(plan, Plan::InPlace(_)) {
            return Ok(());
        }
        let cause = "the copy is a database of its own, and whoever renews the lock in one of the \
            two would keep it from being renamed";
        Err(Error::new(Kind::Usage, "hold Kong's lock for migrations", cause)
            .hint("leave --hold-migrations out"))
    }
}

const NOTHING_TO_RAISE: &str = "what becomes live has no incremental sync: --bump-sync-version has \
    nothing to raise";

fn exchange(
    args: &SwapArgs,
    connection: &Connection,
    reporter: &std::sync::Arc<Reporter>,
) -> Result<Outcome> {
    let direction = if args.back { Direction::Back } else { Direction::Forth };
    let (options, server) = (args.options(), &connection.server);
    let kong = Asked {
        server,
        schema: connection.kong_schema.as_ref().map(|value| value.text.as_str()),
        user: connection.kong_user.as_ref().map(|value| value.text.as_str()),
        role: args.role.as_deref(),
        ignores_lock: args.kong_ignore.contains(&IgnoreArg::Locked),
    };
    let held = OnceLock::new();
    let work = async {
        let mut prepared = swap::prepare(server, direction, &options, reporter.clone()).await?;
        args.check_hold(&prepared.exchange.plan)?;
        let pairs = prepared.exchange.schemas();
        let found = guards::look(kong, &pairs, reporter.as_ref()).await?;
        prepared.exchange.plan.refuse(found);
        if let Plan::InPlace(plan) = &prepared.exchange.plan
            && !plan.sets.unasked.is_empty()
        {
            let names = plan.sets.unasked.join(", ");
            let text = format!("moved away too, because of --clean=schemas: {names}");
            reporter.message(Level::Info, &text);
        }
        if options.raised.is_some() && prepared.exchange.plan.raises().is_empty() {
            reporter.message(Level::Info, NOTHING_TO_RAISE);
        }
        let holds =
            if args.hold_migrations { guards::holds(kong, &pairs).await? } else { Vec::new() };
        if args.dry_run {
            return Ok((prepared.exchange, None));
        }
        prepared.exchange.check()?;
        if let Some(written) = prepared.exchange.written {
            agree(args, written, reporter)?;
        }
        // What prevents it is told before anything is written.
        prepared.check()?;
        let carried_out = Box::pin(prepared.carry_out(&options, reporter.as_ref()));
        let exchanged = guards::while_held(&held, holds, reporter.as_ref(), carried_out);
        let exchange = Box::pin(exchanged).await?;
        Ok((exchange, Some(guards::closing(kong, &pairs, reporter.as_ref()).await)))
    };
    let cancel = async || {
        tokio::join!(server.cancel_all(), release(&held));
    };
    let (exchange, closing) = run_stoppable(args.output.log_format, 1, work, cancel)?;
    if args.dry_run {
        stdio::print(&printable_text(&plan_text(&exchange)))?;
        reporter.message(Level::Info, "nothing was changed");
        let findings = exchange.plan.findings();
        if findings.is_empty() {
            return Ok(Outcome::Done);
        }
        let number = findings.len() as u64;
        let prevent = if number == 1 { "prevents" } else { "prevent" };
        let cause = format!("{} {prevent} this swap, see the plan", plural(number, "problem"));
        return Err(Error::new(Kind::Requirement, "plan the swap", cause));
    }
    let (mut said, mut fields) = exchanged(&exchange.plan);
    let kong = match closing {
        Some(Ok(Some((to_do, fields)))) => {
            let _ = write!(said, "\n{to_do}");
            Some(fields)
        }
        Some(Err(error)) => {
            let text = format!("what Kong needs now was not looked at: {error}");
            reporter.message(Level::Warning, &text);
            None
        }
        _ => None,
    };
    fields["command"] = json!("swap");
    fields["database"] = json!(server.database());
    fields["kong"] = json!(kong);
    reporter.summary(&said, &fields);
    Ok(Outcome::Done)
}

/// Says what is lost by going back, and asks.
fn agree(args: &SwapArgs, written: Written, reporter: &Reporter) -> Result<()> {
    let deleted = written.deleted.map_or_else(
        || "how many were deleted is not known: the statistics were reset".to_owned(),
        |deleted| format!("{} deleted, by the server's statistics", plural(deleted, "row")),
    );
    let words = format!(
        "since the swap: {} inserted or updated, by their xmin; {deleted}",
        plural(written.written, "row")
    );
    reporter.message(Level::Info, &words);
    if written.is_none() || args.yes {
        return Ok(());
    }
    let refused = || {
        Error::new(Kind::Usage, "exchange the copies again", words.clone())
            .hint("--yes goes back all the same; these rows stay in the copy that is not live then")
    };
    if !io::stdin().is_terminal() {
        return Err(refused());
    }
    reporter.message(Level::Warning, "these rows will not be live. Go back? [y/N]");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Error::file("read the answer", error))?;
    if answer.trim().eq_ignore_ascii_case("y") { Ok(()) } else { Err(refused()) }
}

fn drop_old(args: &SwapArgs, server: &Server, reporter: &Reporter) -> Result<Outcome> {
    let options = args.options();
    let plan = args.stoppable(server, swap::drop_old(server, &options, args.dry_run))?;
    if !args.dry_run {
        let line = format!("dropped {}", plural(plan.objects.len() as u64, "object"));
        let fields = json!({
            "command": "swap",
            "database": server.database(),
            "dropped": plan.objects,
        });
        reporter.summary(&line, &fields);
        return Ok(Outcome::Done);
    }
    let mut text = String::new();
    for object in &plan.objects {
        let _ = writeln!(text, "-- {object}");
    }
    for sql in plan.first.iter().chain(&plan.statements) {
        let _ = writeln!(text, "{sql};");
    }
    for finding in &plan.findings {
        let _ = writeln!(text, "-- problem: {finding}");
    }
    stdio::print(&printable_text(&text))?;
    reporter.message(Level::Info, "nothing was changed");
    if plan.findings.is_empty() {
        return Ok(Outcome::Done);
    }
    Err(Error::new(Kind::Requirement, "plan to drop the copy", "something depends on it"))
}

fn tell_status(args: &SwapArgs, server: &Server) -> Result<Outcome> {
    let state = args.stoppable(server, swap::status(server))?;
    if args.json {
        stdio::print_json(&json!({
            "database": server.database(),
            "swap": state.as_ref().map(as_json),
        }))?;
    } else {
        let name = ident::quote(server.database());
        let text = state.as_ref().map_or_else(
            || format!("nothing is staged in database {name}\n"),
            |state| as_text(state, &name),
        );
        stdio::print(&printable_text(&text))?;
    }
    Ok(if state.is_some() { Outcome::Noted } else { Outcome::Done })
}
