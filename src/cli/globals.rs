//! `silverback globals`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::args::connection::ConnectionArgs;
use super::args::metrics::MetricsArgs;
use super::args::output::OutputArgs;
use super::args::words;
use super::command::{Outcome, run_stoppable, told};
use super::text::stdio;
use super::text::units;
use crate::error::{Error, Result};
use crate::kong::reader::Node;
use crate::pg::catalog::{self, Globals};
use crate::pg::session::Purpose;
use crate::pg::settings::Transaction;
use crate::progress::{Level, Progress as _};
use crate::storage::Sink;

/// Write the roles and tablespaces of a server as SQL
#[derive(Args, Debug)]
pub(super) struct GlobalsArgs {
    /// Write to this file, where nothing may be yet [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Write the roles' passwords, too, as they are stored; needs a superuser
    #[arg(long)]
    role_passwords: bool,
    /// Leave passwords out; that is the default
    #[arg(long, conflicts_with = "role_passwords")]
    no_role_passwords: bool,
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

pub(super) fn run(args: &GlobalsArgs) -> Result<Outcome> {
    let reporter = args.output.reporter();
    let doing = "write roles and tablespaces of the server of";
    let mut connection = args.connection.resolve(Node::Primary)?;
    if !connection.names_database {
        // As pg_dumpall does: a role need not have a database of its name.
        connection.server = connection.server.with_database("postgres");
    }
    let server = told(connection, Some(doing), reporter.as_ref()).server;
    let cancel = async || server.cancel_all().await;
    let read = async {
        // Before the server is asked for anything: an unwritable output is found out at once.
        let sink = args.file.as_deref().map(Sink::create).transpose()?;
        let transaction = Transaction { role: args.role.as_deref(), ..Transaction::default() };
        let session = server.open(Purpose::Dump(&transaction)).await?;
        let globals = catalog::globals(&session, args.role_passwords).await?;
        Ok((sink, session.version(), globals))
    };
    let read = run_stoppable(args.output.log_format, 1, read, cancel);
    reporter.finish();
    let (sink, version, globals) = read?;
    let place = match sink {
        None => {
            stdio::print_with(|out| write(&globals, version, out))?;
            return Ok(Outcome::Done);
        }
        Some(mut sink) => {
            let name = sink.name();
            let written = write(&globals, version, &mut sink);
            written.map_err(|source| Error::file(format!("write {name}"), source))?;
            sink.commit()?;
            name
        }
    };
    let text = format!(
        "wrote {} and {} to {}",
        units::plural(globals.roles, "role"),
        units::plural(globals.tablespaces, "tablespace"),
        units::printable(&place)
    );
    reporter.message(Level::Info, &text);
    Ok(Outcome::Done)
}

fn write(globals: &Globals, version: u32, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "-- Roles and tablespaces of a server of PostgreSQL {}, by silverback {}",
        version / 10_000,
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(out, "-- Load it as a superuser: psql -d postgres -f FILE\n")?;
    for set in [
        "default_transaction_read_only = off",
        "client_encoding = 'UTF8'",
        "standard_conforming_strings = on",
        "search_path = ''",
    ] {
        writeln!(out, "SET {set};")?;
    }
    for group in &globals.groups {
        writeln!(out, "\n-- {}\n", group.title)?;
        for statement in &group.statements {
            writeln!(out, "{statement};")?;
        }
    }
    Ok(())
}
