//! Which roles are members of which others.

use crate::error::Result;
use crate::pg::catalog::reader::Reader;
use crate::pg::row::Row;
use crate::sql::ident;

/// The first server that notes who granted a membership and lets it be inherited or not.
const GRANTORS: u32 = 160_000;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Membership {
    role: String,
    member: String,
    admin: bool,
    /// Where the server knows of it: whether it is inherited, and whether SET ROLE is allowed.
    options: Option<(bool, bool)>,
    /// Who granted it, where that counts; not the bootstrap superuser, who needs no grant himself.
    grantor: Option<String>,
    by_bootstrap: bool,
}

/// Reads them, in an order in which every grantor may grant already.
pub(super) async fn read(reader: &Reader<'_>) -> Result<Vec<String>> {
    let knows = reader.version() >= GRANTORS;
    let options = if knows {
        "a.inherit_option, a.set_option"
    } else {
        "true AS inherit_option, true AS set_option"
    };
    let sql = format!(
        "SELECT r.rolname::text AS role, m.rolname::text AS member, g.rolname::text AS grantor, \
         a.grantor = 10 AS by_bootstrap, a.admin_option, {options} \
         FROM pg_catalog.pg_auth_members a JOIN pg_catalog.pg_roles r ON r.oid = a.roleid JOIN \
         pg_catalog.pg_roles m ON m.oid = a.member LEFT JOIN pg_catalog.pg_roles g ON g.oid = \
         a.grantor \
         WHERE NOT (r.rolname ~ '^pg_' AND m.rolname ~ '^pg_') ORDER BY 1, 2, 3"
    );
    let rows = reader.rows("memberships", &sql).await?;
    let membership = |row: &Row| -> Result<_> {
        Ok(Membership {
            role: row.get("role")?,
            member: row.get("member")?,
            admin: row.get("admin_option")?,
            options: if knows {
                Some((row.get("inherit_option")?, row.get("set_option")?))
            } else {
                None
            },
            grantor: row.get::<_, Option<String>>("grantor")?.filter(|_| knows),
            by_bootstrap: row.get("by_bootstrap")?,
        })
    };
    let all = rows.iter().map(membership).collect::<Result<Vec<_>>>()?;
    Ok(ordered(all).iter().map(statement).collect())
}

/// A grant waits for the one with admin option that its grantor has.
fn ordered(all: Vec<Membership>) -> Vec<Membership> {
    let mut ready: Vec<Membership> = Vec::with_capacity(all.len());
    let mut waiting = all;
    while !waiting.is_empty() {
        let may_be = |one: &Membership, ready: &[Membership]| {
            let Some(grantor) = one.grantor.as_ref().filter(|_| !one.by_bootstrap) else {
                return true;
            };
            let backs = |other: &Membership| {
                other.admin && other.role == one.role && other.member == *grantor
            };
            ready.iter().any(backs)
        };
        let (now, later): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|one| may_be(one, &ready));
        // The server makes no rings; should one be read, it is granted as it stands.
        let is_stuck = now.is_empty();
        ready.extend(now);
        if is_stuck {
            ready.extend(later);
            break;
        }
        waiting = later;
    }
    ready
}

fn statement(one: &Membership) -> String {
    let mut options = Vec::new();
    if one.admin {
        options.push("ADMIN OPTION");
    }
    if let Some((inherits, sets)) = one.options {
        options.push(if inherits { "INHERIT TRUE" } else { "INHERIT FALSE" });
        options.extend((!sets).then_some("SET FALSE"));
    }
    let mut sql = format!("GRANT {} TO {}", ident::quote(&one.role), ident::quote(&one.member));
    if !options.is_empty() {
        sql.extend([" WITH ", &options.join(", ")]);
    }
    if let Some(grantor) = &one.grantor {
        sql.extend([" GRANTED BY ", &ident::quote(grantor)]);
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(role: &str, member: &str, grantor: &str, admin: bool) -> Membership {
        Membership {
            role: role.to_owned(),
            member: member.to_owned(),
            admin,
            options: Some((true, true)),
            grantor: Some(grantor.to_owned()),
            by_bootstrap: grantor == "postgres",
        }
    }

    #[test]
    fn grantors_come_first() {
        let all = vec![
            one("r", "a", "z", false),
            one("r", "m", "postgres", true),
            one("r", "z", "m", true),
            one("s", "a", "m", false),
            one("s", "m", "postgres", true),
        ];
        let members = |all: &[Membership]| {
            all.iter()
                .map(|one| format!("{}{}", one.role, one.member))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(members(&ordered(all)), "rm sm rz sa ra");
        // A ring ends.
        assert_eq!(
            members(&ordered(vec![one("r", "a", "b", true), one("r", "b", "a", true)])),
            "ra rb"
        );
    }

    #[test]
    fn options_are_said_where_the_server_has_them() {
        let all = one("R", "a", "postgres", true);
        assert_eq!(
            statement(&all),
            "GRANT \"R\" TO a WITH ADMIN OPTION, INHERIT TRUE GRANTED BY postgres"
        );
        let few = Membership { admin: false, options: Some((false, false)), ..all.clone() };
        assert_eq!(
            statement(&few),
            "GRANT \"R\" TO a WITH INHERIT FALSE, SET FALSE GRANTED BY postgres"
        );
        let old = Membership { admin: false, options: None, grantor: None, ..all };
        assert_eq!(statement(&old), "GRANT \"R\" TO a");
    }
}
