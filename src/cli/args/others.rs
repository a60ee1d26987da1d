//! What is to become of the sessions of others while something is dropped.

use clap::Args;

use crate::error::{Error, Kind, Result};

/// What is done about sessions that are connected.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(in crate::cli) struct OthersArgs {
    /// With -c: go on although sessions are connected that may use what is dropped; what they write
    /// may be lost, mix with the restored rows or break them. Without: although Kong nodes are
    #[arg(long, conflicts_with = "status")]
    pub(in crate::cli) while_connected: bool,
    /// With -c: end the sessions of others and keep them out of the database until the end, by its
    /// CONNECTION LIMIT, which superusers pass
    #[arg(long, conflicts_with = "status")]
    pub(in crate::cli) disconnect_others: bool,
}

impl OthersArgs {
    /// Others are disconnected for the sake of what is dropped, or was by a run that is gone on
    /// with.
    pub(in crate::cli) fn check(self, drops: bool) -> Result<()> {
        if drops || !self.disconnect_others {
            return Ok(());
        }
        let cause = "nothing is dropped that others may be using";
        Err(Error::new(Kind::Usage, "read --disconnect-others", cause)
            .hint("give it with -c, --replace-bootstrap or --resume, or leave it out"))
    }
}
