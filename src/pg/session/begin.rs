//! The transactions of a dump's session: each sets all that it needs, which some poolers refuse,
//! and is looked at once it has a snapshot.

use std::sync::atomic::Ordering;

use futures_util::try_join;

use super::{SET_UP, Session, UNKNOWN_PID};
use crate::error::{Error, Kind, Result};
use crate::pg::settings::{self, End, Known, Transaction};
use crate::sql::ident;
use crate::sqlstate;

impl Session {
    /// Begins a dump session's first transaction. Where the server's version has misled about its
    /// settings, it is asked for them, once for all sessions.
    pub(super) async fn begin_first(&self, transaction: &Transaction<'_>) -> Result<(u32, i32)> {
        let was_asked = self.server.known_settings().get().is_some();
        let error = match try_join!(self.start(None, transaction), self.look_through(transaction)) {
            Ok(((), found)) => return Ok(found),
            Err(error) => error,
        };
        let is_about_settings = error.sqlstate() == Some(sqlstate::UNDEFINED_OBJECT)
            || (error.kind() == Kind::Requirement && error.sqlstate().is_none());
        if !is_about_settings || was_asked {
            return Err(error);
        }
        let names: Vec<String> =
            settings::of_dump().map(|setting| ident::literal(setting.name)).collect();
        let ask = format!(
            "SELECT name::text FROM pg_catalog.pg_settings WHERE name IN ({})",
            names.join(", ")
        );
        let begin = "ROLLBACK; BEGIN READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL \
            search_path = ''";
        let ((), rows) = try_join!(self.batch(SET_UP, begin), self.query(SET_UP, &ask))?;
        let names = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
        // Another session may have asked at the same time.
        let _ = self.server.known_settings().set(names);
        Ok(try_join!(self.start(Some(End::Rollback), transaction), self.look_through(transaction))?
            .1)
    }

    /// Ends the transaction and begins another one, which is set up, all in one message; takes no
    /// snapshot, unless another's is imported. What is set is to be [checked](Self::check) once
    /// there is one.
    pub async fn begin(&self, end: End, transaction: &Transaction<'_>) -> Result<()> {
        if self.is_proxied {
            self.backend_pid.store(UNKNOWN_PID, Ordering::Relaxed);
        }
        self.start(Some(end), transaction).await
    }

    /// Demands that all is set in the transaction that its beginning set: something may stand
    /// between that gave it to another session.
    pub async fn check(&self, transaction: &Transaction<'_>) -> Result<()> {
        let (_, pid) = self.look_through(transaction).await?;
        self.backend_pid.store(pid, Ordering::Relaxed);
        Ok(())
    }

    async fn start(&self, end: Option<End>, transaction: &Transaction<'_>) -> Result<()> {
        let known = self.server.known_settings().get();
        let known = known.map_or(Known::Version(self.version), |names| Known::Names(names));
        let end = match end {
            None => "",
            Some(End::Commit) => "COMMIT; ",
            Some(End::Rollback) => "ROLLBACK; ",
        };
        let begin = format!("{end}{}", transaction.begin(known));
        let role = async {
            let Some(role) = transaction.role else { return Ok(()) };
            self.set_role(role).await
        };
        let import = async {
            let Some(snapshot) = transaction.snapshot else { return Ok(()) };
            let import = format!("SET TRANSACTION SNAPSHOT {}", ident::literal(snapshot));
            let imported = self.execute("import the snapshot", &import).await.map(drop);
            imported.map_err(|error| {
                error.hint(
                    "the session that exported it must still be in that transaction, in this \
                     database",
                )
            })
        };
        // Polled together they travel together: one round trip.
        try_join!(self.batch("begin a transaction", &begin), role, import)
            .map(drop)
            .map_err(explain_begin)
    }

    /// Looks at a transaction that has begun: the server's version and process; fails if something
    /// is not set in it that ought to be.
    async fn look_through(&self, transaction: &Transaction<'_>) -> Result<(u32, i32)> {
        let doing = "look whether the session is set up";
        let expected = transaction.shown();
        let asked: Vec<String> = expected
            .iter()
            .map(|(name, _)| format!("pg_catalog.current_setting('{name}', true)"))
            .collect();
        let sql = format!(
            "SELECT pg_catalog.current_setting('server_version_num')::int4, \
             pg_catalog.pg_backend_pid(), ARRAY[{}]",
            asked.join(", ")
        );
        let row = self.query_one(doing, &sql).await?;
        let found: Vec<Option<String>> = row.get(2)?;
        for ((name, expected), found) in expected.iter().zip(&found) {
            // What the server does not know needs no setting.
            if let Some(found) = found.as_ref().filter(|found| *found != expected) {
                let cause = format!("{name} is {found} where {expected} was set");
                return Err(Error::new(Kind::Requirement, doing, cause).hint(
                    "connect to the server itself: what stands between does not keep a \
                        transaction in one session",
                ));
            }
        }
        Ok((row.get::<_, i32>(0)? as u32, row.get(1)?))
    }
}

/// What a transaction that could not begin means: a pooler that gives each statement another
/// session of the server takes none; a server never answers a `BEGIN` so.
fn explain_begin(error: Error) -> Error {
    if error.sqlstate() != Some(sqlstate::PROTOCOL_VIOLATION) {
        return error;
    }
    error
        .as_kind(Kind::Requirement)
        .hint("connect to the server itself, or to a pooler in session or transaction mode")
}
