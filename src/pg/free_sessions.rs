//! How many sessions more the server has for this role and database.

use super::session::Session;
use crate::error::Result;

/// Of the server, the database and the role; what is not limited is NULL, which `least` passes over.
const FREE: &str = "SELECT least( \
    pg_catalog.current_setting('max_connections')::int8 \
        - pg_catalog.current_setting('superuser_reserved_connections')::int8 \
        - coalesce(nullif(pg_catalog.current_setting('reserved_connections', true), '')::int8, 0) \
        - (SELECT sum(numbackends)::int8 FROM pg_catalog.pg_stat_database), \
    (SELECT d.datconnlimit - s.numbackends \
        FROM pg_catalog.pg_database d JOIN pg_catalog.pg_stat_database s ON s.datid = d.oid \
        WHERE d.datname = pg_catalog.current_database() AND d.datconnlimit >= 0), \
    (SELECT r.rolconnlimit \
            - (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid) \
        FROM pg_catalog.pg_roles r \
        WHERE r.rolname = session_user AND r.rolconnlimit >= 0 AND NOT r.rolsuper))";

/// The sessions that may be opened beside this one, if no more than half of those are taken that
/// were free before it; nothing where the server does not tell. A transaction goes on all the same.
pub async fn half(session: &Session, in_transaction: bool) -> Result<Option<usize>> {
    let doing = "look for free connections";
    let free = async { session.query_one(doing, FREE).await.and_then(|row| row.get(0)) };
    let free: Result<Option<i64>> = if in_transaction {
        // Polled together they travel together.
        let (_, free, _) = tokio::join!(
            session.execute(doing, "SAVEPOINT free_sessions"),
            free,
            session.execute(doing, "RELEASE SAVEPOINT free_sessions"),
        );
        if free.is_err() {
            session.execute(doing, "ROLLBACK TO SAVEPOINT free_sessions").await?;
        }
        free
    } else {
        free.await
    };
    Ok(free.ok().flatten().map(|free| beside(free.max(0) as usize)))
}

/// Of so many free ones, while one of the half is in use.
fn beside(free: usize) -> usize {
    free.saturating_sub(1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_half_is_in_use() {
        // Ten were free: five may be taken, of which one is.
        assert_eq!([0, 1, 2, 8, 9].map(beside), [0, 0, 0, 3, 4]);
    }
}
