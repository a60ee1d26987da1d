//! `silverback unlock`.

use clap::Args;
use serde_json::json;

use super::args::connection::ConnectionArgs;
use super::args::metrics::MetricsArgs;
use super::args::output::OutputArgs;
use super::args::words;
use super::command::{Outcome, connect_to_named, run_stoppable};
use crate::error::Result;
use crate::restore::unlock;
use crate::sql::ident;

/// Give back the CONNECTION LIMIT that a killed restore has taken from a database
#[derive(Args, Debug)]
pub(super) struct UnlockArgs {
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

pub(super) fn run(args: &UnlockArgs) -> Result<Outcome> {
    let reporter = args.output.reporter();
    let server = connect_to_named(&args.connection, Some("unlock"), reporter.as_ref())?.server;
    let cancel = async || server.cancel_all().await;
    let work = unlock::unlock(&server, args.role.as_deref());
    let given_back = run_stoppable(args.output.log_format, 1, work, cancel);
    reporter.finish();
    let name = ident::quote(server.database());
    let given_back = given_back?;
    let text = match given_back {
        Some(limit) => format!("database {name} has got its CONNECTION LIMIT {limit} back"),
        None => format!("there is nothing to give back to database {name}"),
    };
    let fields = json!({
        "command": "unlock",
        "database": server.database(),
        "connection_limit": given_back,
    });
    reporter.summary(&text, &fields);
    Ok(Outcome::Done)
}
