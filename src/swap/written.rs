//! How many rows were written into the live copy since it became live: inserted and updated rows by
//! the transaction that wrote each (`xmin`), deleted ones by the server's cumulative statistics.

use crate::error::{Error, Kind, Result};
use crate::pg::schema_objects::Movable;
use crate::pg::session::Session;
use crate::pg::swap_state::Since;
use crate::profile::Profile;

/// Rows written since a swap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows that were inserted or updated, and are there; exact.
    pub written: u64,
    /// Rows that were deleted, as the server's statistics count them, which follow a moment later;
    /// none, if the statistics were reset since.
    pub deleted: Option<u64>,
}

impl Written {
    /// Whether nothing is known to be lost by going back.
    pub fn is_none(self) -> bool {
        self.written == 0 && self.deleted == Some(0)
    }

    /// Refuses to give up more than these.
    ///
    /// # Errors
    /// [`Kind::Usage`], as where nobody has agreed to any.
    pub fn check_within(self, agreed: Self, doing: &str) -> Result<()> {
        let more = |now: u64, then: u64| now.saturating_sub(then);
        let written = more(self.written, agreed.written);
        // What was not known has been agreed to, or asked for.
        let deleted = self.deleted.zip(agreed.deleted).map_or(0, |(now, then)| more(now, then));
        if written == 0 && deleted == 0 {
            return Ok(());
        }
        let cause = format!(
            "while it waited for locks, more rows were written: {written} inserted or updated, \
             {deleted} deleted"
        );
        Err(Error::new(Kind::Usage, doing, cause).hint("--yes goes back all the same"))
    }
}

/// Whether its rows are something that could be lost.
fn counts(object: &Movable, profile: &Profile) -> bool {
    object.has_rows() && !(profile.is_fleeting)(&object.key.name, &object.columns)
}

/// Counts them in these objects.
pub async fn count(
    session: &Session,
    live: &[Movable],
    since: Since,
    profile: &Profile,
) -> Result<Written> {
    let mut written = 0;
    for table in live.iter().filter(|object| counts(object, profile)) {
        let sql = format!(
            "SELECT pg_catalog.count(*) FROM ONLY {} WHERE pg_catalog.age(xmin) < \
             pg_catalog.age(({} % 4294967296)::text::xid)",
            table.identity, since.xid
        );
        let doing = format!("count rows written in {}", table.identity);
        written += session.query_one(&doing, &sql).await?.get::<_, i64>(0)?.unsigned_abs();
    }
    let deleted = deleted(session, live, profile).await?;
    let deleted = u64::try_from(deleted - since.rows_deleted).ok();
    Ok(Written { written, deleted })
}

/// What the statistics say of deletions in these tables, since they were made.
pub async fn deleted(session: &Session, live: &[Movable], profile: &Profile) -> Result<i64> {
    let oids: Vec<String> = live
        .iter()
        .filter(|object| counts(object, profile))
        .map(|object| object.oid.to_string())
        .collect();
    let sql = format!(
        "SELECT coalesce(pg_catalog.sum(pg_catalog.pg_stat_get_tuples_deleted(o)), 0)::int8 FROM \
         pg_catalog.unnest(ARRAY[{}]::oid[]) o",
        oids.join(", ")
    );
    session.query_one("read the statistics of deletions", &sql).await?.get(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_what_was_agreed_to_is_given_up() {
        let rows = |(written, deleted)| Written { written, deleted };
        for (now, agreed, is_within) in [
            ((0, Some(0)), (0, Some(0)), true),
            ((1, Some(0)), (0, Some(0)), false),
            ((0, Some(1)), (0, Some(0)), false),
            ((2, Some(2)), (2, Some(2)), true),
            ((1, None), (2, Some(2)), true),
            ((3, None), (2, None), false),
            ((2, Some(9)), (2, None), true),
        ] {
            let checked = rows(now).check_within(rows(agreed), "go back");
            assert_eq!(checked.is_ok(), is_within, "{now:?} {agreed:?}");
        }
    }
}
