//! Who is connected to a database besides this run, as far as its role may see.

use std::time::Duration;

use crate::error::Result;
use crate::pg::readable;
use crate::pg::session::Session;
use crate::sql::ident;

/// A client session of somebody else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::restore) struct Other {
    /// The server process.
    pub(in crate::restore) pid: i32,
    /// The role.
    pub(in crate::restore) role: String,
    /// Its `application_name`, which may be empty.
    pub(in crate::restore) application: String,
    /// Where it comes from; none where this role may not see that.
    pub(in crate::restore) address: Option<String>,
    /// Whether its role is a superuser.
    pub(in crate::restore) is_superuser: bool,
    /// Whether its role has any privilege on what goes.
    pub(in crate::restore) may_use: bool,
    /// Whether our role may end it.
    pub(in crate::restore) may_end: bool,
}

impl Other {
    /// `process 42 of role kong (psql, from 10.0.0.7)`.
    pub(in crate::restore) fn describe(&self) -> String {
        let kind = if self.is_superuser { "superuser" } else { "role" };
        let from = match self.address.as_deref() {
            Some("local") => "by a local socket".to_owned(),
            Some(address) => format!("from {address}"),
            None => "from where this role may not see".to_owned(),
        };
        let application = if self.application.is_empty() {
            String::new()
        } else {
            format!("{}, ", self.application)
        };
        format!("process {} of {kind} {} ({application}{from})", self.pid, self.role)
    }
}

/// What goes.
#[derive(Clone, Copy, Debug)]
pub(in crate::restore) enum Going<'a> {
    /// The objects whose addresses in the catalogs a query tells; none is nothing.
    Objects(Option<&'a str>),
    /// The database itself, with all that is in it.
    Database,
}

/// A process whose client has gone ends when it notices; so much time is given to it.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Who is connected to a database of the server, by process. Those that end at once by themselves
/// do not count; where others come meanwhile, somebody is at work.
pub(in crate::restore) async fn read(
    session: &Session,
    database: &str,
    going: Going<'_>,
) -> Result<Vec<Other>> {
    let first = at_this_moment(session, database, going).await?;
    let mut seen = first.clone();
    for _ in 0..LOOKS {
        let is_new = |other: &Other| first.iter().all(|known| known.pid != other.pid);
        if seen.is_empty() || seen.iter().any(is_new) {
            break;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
        seen = at_this_moment(session, database, going).await?;
    }
    Ok(seen)
}

/// Who is connected right now.
pub(in crate::restore) async fn at_this_moment(
    session: &Session,
    database: &str,
    going: Going<'_>,
) -> Result<Vec<Other>> {
    const DOING: &str = "look who is connected";
    let ours = session.server().pids();
    let rows = match session.query(DOING, &sql(database, going, &ours, "a.usename::text")).await {
        // A name that is no text in this database.
        Err(error) if readable::is_unreadable(&error) => {
            let numbered = "'with OID ' || a.usesysid::text";
            session.query(DOING, &sql(database, going, &ours, numbered)).await?
        }
        rows => rows?,
    };
    rows.iter()
        .map(|row| {
            Ok(Other {
                pid: row.get(0)?,
                role: row.get(1)?,
                application: row.get(2)?,
                address: row.get(3)?,
                is_superuser: row.get(4)?,
                may_use: row.get(5)?,
                may_end: row.get(6)?,
            })
        })
        .collect()
}

/// Of a role that may not see more, the type of a process is NULL: it may be a client's.
fn sql(database: &str, going: Going<'_>, ours: &[i32], role: &str) -> String {
    let ours: Vec<String> = ours.iter().map(i32::to_string).collect();
    let (may_use, types, roots) = match going {
        Going::Database => ("true", "'client backend', 'walsender'", None),
        Going::Objects(roots) => (MAY_USE, "'client backend'", roots),
    };
    let roots = roots.unwrap_or("SELECT NULL::oid, NULL::oid WHERE false");
    format!(
        "WITH gone(classid, objid) AS ({roots}), \
         r AS MATERIALIZED (SELECT r.oid, r.rolsuper, {may_use} AS may_use, \
           CASE WHEN me.rolsuper THEN true WHEN r.rolsuper THEN false ELSE \
           pg_catalog.pg_has_role(me.oid, r.oid, 'USAGE') OR \
           pg_catalog.pg_has_role(me.oid, 'pg_signal_backend', 'USAGE') END AS may_end \
           FROM pg_catalog.pg_roles r, pg_catalog.pg_roles me WHERE me.rolname = current_user \
           AND r.oid IN (SELECT usesysid FROM pg_catalog.pg_stat_activity)) \
         SELECT a.pid, {role}, coalesce(a.application_name, ''), \
         CASE WHEN a.client_addr IS NOT NULL THEN pg_catalog.host(a.client_addr) \
         WHEN a.client_port = -1 THEN 'local' END, r.rolsuper, r.may_use, r.may_end \
         FROM pg_catalog.pg_stat_activity a JOIN r ON r.oid = a.usesysid \
         WHERE a.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = {}) \
         AND a.pid <> pg_catalog.pg_backend_pid() AND a.pid <> ALL (ARRAY[{}]::int4[]) \
         AND coalesce(a.backend_type, 'client backend') IN ({types}) ORDER BY 1",
        ident::literal(database),
        ours.join(", ")
    )
}

/// Whether role `r` has any privilege on a relation that goes, or has the rights of the owner of a
/// function or type that does: everybody may use these two as a rule. A member that does not inherit
/// them may take them with `SET ROLE`.
const MAY_USE: &str = "(EXISTS (SELECT FROM gone g JOIN pg_catalog.pg_class c ON c.oid = g.objid \
    WHERE g.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND CASE c.relkind WHEN 'S' THEN \
    coalesce(pg_catalog.has_sequence_privilege(r.oid, c.oid, 'USAGE, SELECT, UPDATE'), false) \
    ELSE coalesce(pg_catalog.has_table_privilege(r.oid, c.oid, \
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') \
    OR pg_catalog.has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'), \
    false) OR pg_catalog.pg_has_role(r.oid, c.relowner, 'MEMBER') END) \
    OR EXISTS (SELECT FROM gone g JOIN pg_catalog.pg_proc p ON p.oid = g.objid WHERE \
    g.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND \
    pg_catalog.pg_has_role(r.oid, p.proowner, 'MEMBER')) \
    OR EXISTS (SELECT FROM gone g JOIN pg_catalog.pg_type t ON t.oid = g.objid WHERE \
    g.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND \
    pg_catalog.pg_has_role(r.oid, t.typowner, 'MEMBER')))";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_it_is_fits_into_a_phrase() {
        let check = |other: Other, expect: &str| assert_eq!(other.describe(), expect);
        let other = Other { pid: 7, role: "kong".into(), ..Other::default() };
        check(other.clone(), "process 7 of role kong (from where this role may not see)");
        let local = Other {
            application: "psql".into(),
            address: Some("local".into()),
            is_superuser: true,
            ..other.clone()
        };
        check(local, "process 7 of superuser kong (psql, by a local socket)");
        let remote = Other { address: Some("10.0.0.7".into()), ..other };
        check(remote, "process 7 of role kong (from 10.0.0.7)");
    }
}
