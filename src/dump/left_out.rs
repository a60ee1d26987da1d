//! The schemas of a staged copy, of what was live before a swap, and of what both have noted: left
//! out of a dump unless `-n` names them.

use crate::error::Result;
use crate::pg::session::Session;
use crate::pg::swap_state;
use crate::progress::{Level, Progress};
use crate::select::Selection;
use crate::sql::ident;

/// The schemas, unquoted.
#[derive(Clone, Debug, Default)]
pub(super) struct LeftOut {
    pub(super) schemas: Vec<String>,
}

impl LeftOut {
    /// Reads them, in a transaction.
    pub(super) async fn read(session: &Session, selection: &Selection) -> Result<Self> {
        let state = swap_state::read(session, true).await?;
        let schemas = state.map(|state| state.schemas_left_out()).unwrap_or_default();
        let is_named = |schema: &String| {
            selection.schemas.iter().any(|pattern| pattern.matches_schema(schema))
        };
        Ok(Self { schemas: schemas.into_iter().filter(|schema| !is_named(schema)).collect() })
    }

    /// Names them.
    pub(super) fn tell(&self, progress: &dyn Progress) {
        if self.schemas.is_empty() {
            return;
        }
        let names: Vec<String> = self.schemas.iter().map(|schema| ident::quote(schema)).collect();
        progress.message(
            Level::Warning,
            &format!(
                "not dumped, because they hold a copy that is not live, or tell of it: schemas {} \
                 (-n takes them)",
                names.join(", ")
            ),
        );
    }
}
