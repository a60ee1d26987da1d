//! Tables that were there before (`-a`): whether the archive's rows fit them, and which triggers must keep still meanwhile.

use std::collections::HashMap;

use super::preflight::Finding;
use crate::archive::manifest::{Table, TableId};
use crate::error::Result;
use crate::pg::ident;
use crate::pg::session::Session;

/// A trigger of the user's that fires on rows that come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LiveTrigger {
    /// Its name, unquoted.
    pub(super) name: String,
    /// Whether it fires in replicas too: `ENABLE ALWAYS`.
    pub(super) always: bool,
}

/// The triggers of each table.
pub(super) type LiveTriggers = HashMap<TableId, Vec<LiveTrigger>>;

/// A table that is there.
#[derive(Debug, Default)]
struct There {
    ours: bool,
    /// Whether the role may look for rows in it, lock it, and insert into it.
    fills: bool,
    columns: Vec<Found>,
}

/// A column of a table that is there, as `format_type` tells its type.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    name: String,
    type_name: String,
    not_null: bool,
    generated: bool,
}

/// Compares the tables with what is there, finds rows in the way, and reads the triggers.
pub(super) async fn examine(session: &Session, tables: &[(TableId, &Table)]) -> Result<(Vec<Finding>, LiveTriggers)> {
    let mut findings = Vec::new();
    if tables.is_empty() {
        return Ok((findings, LiveTriggers::new()));
    }
    let there = columns(session, tables).await?;
    for (_, table) in tables {
        let name = ident::qualified(&table.schema, &table.name);
        match there.get(&(table.schema.clone(), table.name.clone())) {
            None => findings.push(Finding::new(format!("table {name} does not exist"), "restore the schema first, with -s")),
            Some(found) => {
                if !found.ours {
                    let problem = format!(
                        "table {name} belongs to a role that this one is no member of, and only its owner keeps its triggers still"
                    );
                    findings.push(Finding::new(problem, "restore as its owner, or with --role"));
                    continue;
                }
                findings.extend(compare(&name, table, &found.columns));
                if !found.fills {
                    let problem = format!("this role may not read, lock and fill table {name}");
                    findings.push(Finding::new(problem, format!("GRANT SELECT, INSERT, UPDATE ON {name}, which its owner may do")));
                } else if !is_empty(session, &name).await? {
                    findings.push(Finding::new(format!("table {name} holds rows"), "empty it first"));
                }
            }
        }
    }
    Ok((findings, triggers(session, tables).await?))
}

/// Whether the archive's columns are the table's: name, type and NOT NULL, none missing and none more.
fn compare(name: &str, table: &Table, found: &[Found]) -> Vec<Finding> {
    let way_out = "-a loads into the tables that the archive was made from; compare with `silverback list --sql`";
    let mut problems = Vec::new();
    for column in &table.columns {
        let quoted = ident::quote(&column.name);
        match found.iter().find(|one| one.name == column.name) {
            None => problems.push(format!("table {name} has no column {quoted}")),
            Some(one) if one.generated => problems.push(format!("column {quoted} of table {name} is generated")),
            Some(one) if one.type_name != column.type_name => problems
                .push(format!("column {quoted} of table {name} is of type {}, the archive's is {}", one.type_name, column.type_name)),
            Some(one) if one.not_null != column.not_null => {
                let (here, there) = if one.not_null { ("is NOT NULL", "may be NULL") } else { ("may be NULL", "is NOT NULL") };
                problems.push(format!("column {quoted} of table {name} {here}, the archive's {there}"));
            }
            Some(_) => {}
        }
    }
    for one in found.iter().filter(|one| !one.generated && !table.columns.iter().any(|column| column.name == one.name)) {
        problems.push(format!("table {name} has a column {} that the archive has not", ident::quote(&one.name)));
    }
    problems.into_iter().map(|problem| Finding::new(problem, way_out)).collect()
}

async fn columns(session: &Session, tables: &[(TableId, &Table)]) -> Result<HashMap<(String, String), There>> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), \
                a.attnotnull AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k \
                  WHERE k.conrelid = c.oid AND k.contype = 'n' AND NOT k.convalidated AND k.conkey[1] = a.attnum), \
                a.attgenerated <> '', \
                pg_catalog.pg_has_role(c.relowner, 'USAGE'), \
                pg_catalog.has_any_column_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT') \
                  AND pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE') \
         FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN (VALUES {}) w(nspname, relname) ON w.nspname = n.nspname AND w.relname = c.relname \
         LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.relkind IN ('r', 'p') ORDER BY a.attnum",
        names(tables)
    );
    let mut found: HashMap<(String, String), There> = HashMap::new();
    for row in session.query("read the target's tables", &sql).await? {
        let there = found.entry((row.get(0), row.get(1))).or_default();
        there.ours = row.get(6);
        there.fills = row.get(7);
        if let Some(name) = row.get::<_, Option<String>>(2) {
            there.columns.push(Found { name, type_name: row.get(3), not_null: row.get(4), generated: row.get(5) });
        }
    }
    Ok(found)
}

async fn is_empty(session: &Session, name: &str) -> Result<bool> {
    let doing = format!("look whether table {name} is empty");
    let row = session.query_one(&doing, &format!("SELECT NOT EXISTS (SELECT FROM ONLY {name})")).await?;
    Ok(row.get(0))
}

async fn triggers(session: &Session, tables: &[(TableId, &Table)]) -> Result<LiveTriggers> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, t.tgname::text, t.tgenabled = 'A' \
         FROM pg_catalog.pg_trigger t \
         JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN (VALUES {}) w(nspname, relname) ON w.nspname = n.nspname AND w.relname = c.relname \
         WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') ORDER BY t.tgname",
        names(tables)
    );
    let mut live = LiveTriggers::new();
    for row in session.query("read the target's triggers", &sql).await? {
        let (schema, name): (String, String) = (row.get(0), row.get(1));
        if let Some((id, _)) = tables.iter().find(|(_, table)| table.schema == schema && table.name == name) {
            live.entry(*id).or_default().push(LiveTrigger { name: row.get(2), always: row.get(3) });
        }
    }
    Ok(live)
}

/// A list of VALUES: schema and name of each.
pub(super) fn names(tables: &[(TableId, &Table)]) -> String {
    let pairs: Vec<String> =
        tables.iter().map(|(_, table)| format!("({}, {})", ident::literal(&table.schema), ident::literal(&table.name))).collect();
    pairs.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::{Column, ObjectId, RowEncoding};

    fn found(name: &str, type_name: &str, not_null: bool) -> Found {
        Found { name: name.into(), type_name: type_name.into(), not_null, generated: false }
    }

    #[test]
    fn differences_are_named() {
        let column = |name: &str, type_name: &str, not_null| Column { name: name.into(), type_name: type_name.into(), not_null };
        let table = Table {
            object: ObjectId(1),
            schema: "public".into(),
            name: "t".into(),
            columns: vec![column("a", "text", true), column("b", "uuid", false), column("c", "integer", false)],
            encoding: RowEncoding::Binary,
            filter: None,
            root: None,
            after: Vec::new(),
            rows_estimate: 0,
            bytes_estimate: 0,
        };
        let check = |there: &[Found], expect: &[&str]| {
            let problems: Vec<String> = compare("public.t", &table, there).into_iter().map(|finding| finding.problem).collect();
            assert_eq!(problems, expect);
        };
        let (a, b, c) = (found("a", "text", true), found("b", "uuid", false), found("c", "integer", false));
        check(&[c.clone(), a.clone(), b.clone()], &[]);
        check(&[a.clone(), b.clone()], &["table public.t has no column c"]);
        check(
            &[a.clone(), b.clone(), found("c", "bigint", false)],
            &["column c of table public.t is of type bigint, the archive's is integer"],
        );
        check(&[found("a", "text", false), b.clone(), c.clone()], &["column a of table public.t may be NULL, the archive's is NOT NULL"]);
        check(&[a, b, c, found("D", "text", false)], &["table public.t has a column \"D\" that the archive has not"]);
    }
}
