//! A connection by URI alone, until the real options are here.

use clap::Args;

use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;

/// Where the server is.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Connect to this host
    #[arg(short = 'h', long, value_name = "HOST")]
    host: Option<String>,
    /// Connect to this database, or to what this URI says
    #[arg(short, long, value_name = "DBNAME")]
    dbname: Option<String>,
}

impl ConnectionArgs {
    /// The server that is meant.
    pub fn resolve(&self) -> Result<Server> {
        let uri = self.dbname.as_deref().unwrap_or_default();
        let config = uri.parse().map_err(|_| Error::new(Kind::Usage, "read -d", "it is not a URI"))?;
        Ok(Server::new(config, "server".to_owned()))
    }
}
