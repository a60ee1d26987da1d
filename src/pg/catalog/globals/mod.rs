//! What all databases of a server share: roles, what they are members of, their settings and
//! privileges on parameters, and tablespaces, as statements that make them on another server.
//!
//! The same as `pg_dumpall --globals-only` makes. Does not know where they are written to.

mod memberships;
mod parameters;
mod roles;
mod tablespaces;

use super::reader::Reader;
use crate::archive::manifest::SecurityLabel;
use crate::error::{Error, Kind, Result};
use crate::pg::row::Row;
use crate::pg::session::Session;
use crate::sql::ident;
use crate::sqlstate;

/// Statements of one sort, in an order in which they can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they make.
    pub title: &'static str,
    /// One statement each, without a semicolon.
    pub statements: Vec<String>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Globals {
    /// The statements, by what they make; none is empty.
    pub groups: Vec<Group>,
    /// How many roles there are.
    pub roles: u64,
    /// How many tablespaces.
    pub tablespaces: u64,
}

/// Reads them, in the caller's transaction; with the roles' passwords, as they are stored, where
/// these are wanted.
pub async fn globals(session: &Session, passwords: bool) -> Result<Globals> {
    let reader = Reader::new(session).await?;
    let read = read_all(&reader, passwords).await;
    read.map_err(|error| explain(reader.cause().unwrap_or(error), passwords))
}

async fn read_all(reader: &Reader<'_>, passwords: bool) -> Result<Globals> {
    let (roles, role_count) = roles::read(reader, passwords).await?;
    let (tablespaces, tablespace_count) = tablespaces::read(reader).await?;
    let group = |title, statements| Group { title, statements };
    let groups = [
        group("Roles", roles),
        group("Settings of roles", roles::settings(reader).await?),
        group("Memberships", memberships::read(reader).await?),
        group("Privileges on parameters", parameters::read(reader).await?),
        group("Tablespaces", tablespaces),
    ];
    let groups = groups.into_iter().filter(|group| !group.statements.is_empty()).collect();
    Ok(Globals { groups, roles: role_count, tablespaces: tablespace_count })
}

fn explain(error: Error, passwords: bool) -> Error {
    if passwords && error.sqlstate() == Some(sqlstate::INSUFFICIENT_PRIVILEGE) {
        return error
            .as_kind(Kind::Requirement)
            .hint("connect as a superuser, or leave --role-passwords out");
    }
    error
}

/// The security labels of a shared object; `on` names it in SQL.
async fn labels(reader: &Reader<'_>, catalog: &str) -> Result<Vec<(u32, SecurityLabel)>> {
    let sql = format!(
        "SELECT l.objoid, l.provider, l.label FROM pg_catalog.pg_shseclabel l WHERE l.classoid = \
         {}::pg_catalog.regclass ORDER BY 1, 2",
        ident::literal(catalog)
    );
    let rows = reader.rows("security labels", &sql).await?;
    let label = |row: &Row| -> Result<_> {
        let on = String::new();
        Ok((row.get(0)?, SecurityLabel { on, provider: row.get(1)?, label: row.get(2)? }))
    };
    rows.iter().map(label).collect()
}

/// What is said of a shared object: its comment and its labels.
fn said(on: &str, comment: Option<&str>, labels: &[(u32, SecurityLabel)], oid: u32) -> Vec<String> {
    let comment = comment.map(|text| format!("COMMENT ON {on} IS {}", ident::literal(text)));
    let labels = labels.iter().filter(|(of, _)| *of == oid).map(|(_, label)| {
        format!(
            "SECURITY LABEL FOR {} ON {on} IS {}",
            ident::quote(&label.provider),
            ident::literal(&label.label)
        )
    });
    comment.into_iter().chain(labels).collect()
}
