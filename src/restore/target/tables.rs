//! Tables that were there before (`-a`, sections): whether the archive's rows fit them, whether
//! they are empty or filled, which triggers are disabled meanwhile, and which foreign keys look at
//! the rows.

use std::collections::{HashMap, HashSet};

use super::columns::{Found, compare};
use super::{borrowed, foreign_keys};
use crate::archive::manifest::{Column, Table, TableId};
use crate::error::{Kind, Result};
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::restore::live::{LiveKey, LiveTrigger, LiveTriggers};
use crate::sql::ident;

/// How many empty tables are named.
const NAMED: usize = 5;

/// What rows meet that go into tables which were there before.
#[derive(Debug, Default)]
pub(in crate::restore) struct Existing {
    /// What keeps them from going there.
    pub(in crate::restore) findings: Vec<Finding>,
    /// What may keep them.
    pub(in crate::restore) warnings: Vec<String>,
    /// What is switched off for them.
    pub(in crate::restore) triggers: LiveTriggers,
    /// What checks them.
    pub(in crate::restore) keys: Vec<LiveKey>,
    /// The tables that the role does not own.
    pub(in crate::restore) borrowed: HashSet<TableId>,
}

/// A table that is there.
#[derive(Debug, Default)]
struct There {
    ours: bool,
    /// Whether the role may look for rows in it, lock it, and insert into it.
    fills: bool,
    /// Whether it may look for rows in it, where it is another's.
    reads: bool,
    /// Whether row security keeps it from COPY.
    hides: bool,
    columns: Vec<Found>,
}

/// What is done about triggers, and whose tables may be.
#[derive(Clone, Copy, Debug)]
pub(in crate::restore) struct Manner {
    /// Foreign keys do not look at the rows either.
    pub(in crate::restore) disable_triggers: bool,
    /// Triggers fire.
    pub(in crate::restore) fire_triggers: bool,
    /// Nothing but rows is brought, so that tables may be another's.
    pub(in crate::restore) borrows: bool,
    /// An earlier run is gone on with: it found the tables empty, and what is in them since,
    /// triggers have brought.
    pub(in crate::restore) resumes: bool,
}

/// Compares the tables with what is there, finds rows in the way, and reads triggers and foreign
/// keys. Where those of foreign keys are to be switched off too (`disable_triggers`), no key checks
/// anything.
///
/// Of extensions' tables (`theirs`) it is enough that they are there: they may hold rows, and do
/// what the extension likes.
pub(in crate::restore) async fn examine(
    session: &Session,
    tables: &[(TableId, &Table)],
    theirs: &[(TableId, &Table)],
    manner: Manner,
) -> Result<Existing> {
    let disable_triggers = manner.disable_triggers;
    let mut existing =
        Existing { findings: absent_of(session, theirs).await?, ..Existing::default() };
    if tables.is_empty() {
        return Ok(existing);
    }
    let there = columns(session, tables).await?;
    for (id, table) in tables {
        let name = ident::qualified(&table.schema, &table.name);
        match there.get(&(table.schema.clone(), table.name.clone())) {
            None => existing.findings.push(absent(&name)),
            Some(found) if !found.ours && manner.borrows && !disable_triggers => {
                existing.borrowed.insert(*id);
                existing.findings.extend(examine_borrowed(session, &name, table, found).await?);
            }
            Some(found) => existing
                .findings
                .extend(examine_one(session, &name, table, found, manner.resumes).await?),
        }
    }
    if !manner.fire_triggers {
        let borrowed: Vec<&Table> = tables
            .iter()
            .filter(|(id, _)| existing.borrowed.contains(id))
            .map(|(_, table)| *table)
            .collect();
        existing.findings.extend(borrowed::triggers(session, &borrowed).await?);
        existing.triggers = triggers(session, tables, disable_triggers).await?;
    }
    if !disable_triggers {
        let tables: Vec<&Table> = tables.iter().map(|(_, table)| *table).collect();
        let read = foreign_keys::read(session, &tables, &names(&tables)).await?;
        existing.findings.extend(read.findings);
        existing.warnings.extend(read.warnings);
        existing.keys = read.keys;
    }
    Ok(existing)
}

async fn absent_of(session: &Session, tables: &[(TableId, &Table)]) -> Result<Vec<Finding>> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let there = columns(session, tables).await?;
    let missing = tables
        .iter()
        .filter(|(_, table)| !there.contains_key(&(table.schema.clone(), table.name.clone())));
    let way_out = "create its extension first; or leave its rows out with -T";
    Ok(missing
        .map(|(_, table)| {
            Finding::new(
                format!("table {} does not exist", ident::qualified(&table.schema, &table.name)),
                way_out,
            )
        })
        .collect())
}

fn absent(name: &str) -> Finding {
    Finding::new(
        format!("table {name} does not exist"),
        "restore the schema first, with -s or --section pre-data",
    )
}

async fn examine_one(
    session: &Session,
    name: &str,
    table: &Table,
    found: &There,
    may_hold_rows: bool,
) -> Result<Vec<Finding>> {
    if !found.ours {
        let problem = format!("must be owner of table {name} to disable its triggers");
        return Ok(vec![Finding::new(problem, "restore as its owner, or with --role")]);
    }
    let mut findings = compare(name, table, &found.columns);
    if !found.fills {
        let problem = format!("this role may not read, lock and fill table {name}");
        findings.push(Finding::new(
            problem,
            format!("GRANT SELECT, INSERT, UPDATE ON {name}, which its owner may do"),
        ));
        return Ok(findings);
    }
    if !may_hold_rows && !is_empty(session, name).await? {
        findings.push(Finding::new(format!("table {name} holds rows"), "empty it first"));
    }
    Ok(findings)
}

/// Examines a table that is another's: who may read it and insert into it brings rows; its triggers
/// and the marker are the owner's affair.
async fn examine_borrowed(
    session: &Session,
    name: &str,
    table: &Table,
    found: &There,
) -> Result<Vec<Finding>> {
    let mut findings = compare(name, table, &found.columns);
    let fills =
        |column: &Column| found.columns.iter().any(|one| one.name == column.name && one.fills);
    if !found.reads || (findings.is_empty() && !table.columns.iter().all(fills)) {
        let problem = format!("this role may not read and fill table {name}");
        findings.push(Finding::new(
            problem,
            format!("GRANT SELECT, INSERT ON {name}, or restore as its owner"),
        ));
        return Ok(findings);
    }
    if found.hides {
        let problem = format!(
            "row security of table {name} applies to this role, and keeps COPY from filling it"
        );
        findings.push(Finding::new(problem, "restore as its owner, or as a role with BYPASSRLS"));
        return Ok(findings);
    }
    if !is_empty(session, name).await? {
        findings.push(Finding::new(format!("table {name} holds rows"), "empty it first"));
    }
    Ok(findings)
}

/// Demands rows in tables that stand and that something is made on after the rows, where the
/// archive has rows for them: a key on an empty table would stand as if it had proved them.
pub(in crate::restore) async fn examine_filled(
    session: &Session,
    filled: &[&Table],
) -> Result<Vec<Finding>> {
    let mut empty = Vec::new();
    for table in filled {
        // Rows of a partition may have come to lie in another.
        let (schema, name) = table
            .root
            .as_ref()
            .map_or((&table.schema, &table.name), |root| (&root.schema, &root.name));
        let name = ident::qualified(schema, name);
        let from = if table.root.is_some() { name.clone() } else { format!("ONLY {name}") };
        let doing = format!("look whether table {name} is empty");
        match session.query_one(&doing, &format!("SELECT NOT EXISTS (SELECT FROM {from})")).await {
            Ok(row) => {
                if row.get(0)? && !empty.contains(&name) {
                    empty.push(name);
                }
            }
            // Who may not look at it is not told.
            Err(error) if error.kind() != Kind::Requirement => return Err(error),
            Err(_) => {}
        }
    }
    let way_out = "restore them first with --section data; or say that they are to stay empty, \
        with -s beside --section post-data";
    let more = if empty.len() > NAMED {
        format!(" and {} more", empty.len() - NAMED)
    } else {
        String::new()
    };
    let list = empty.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    Ok(if empty.is_empty() {
        Vec::new()
    } else {
        vec![Finding::new(
            format!("tables are empty that the archive has rows for: {list}{more}"),
            way_out,
        )]
    })
}

/// Demands of tables that something is made on after the rows the columns of the archive's.
pub(super) async fn without_columns(session: &Session, tables: &[&Table]) -> Result<Vec<Finding>> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let pairs: Vec<(TableId, &Table)> = tables.iter().map(|table| (TableId(0), *table)).collect();
    let there = columns(session, &pairs).await?;
    let mut findings = Vec::new();
    for table in tables {
        let Some(found) = there.get(&(table.schema.clone(), table.name.clone())) else { continue };
        let missing = table
            .columns
            .iter()
            .filter(|column| !found.columns.iter().any(|one| one.name == column.name));
        findings.extend(missing.map(|column| {
            let name = ident::qualified(&table.schema, &table.name);
            Finding::new(
                format!("table {name} has no column {}", ident::quote(&column.name)),
                "compare the table with `silverback list --sql`; choose what fits with -t, -I, -L",
            )
        }));
    }
    Ok(findings)
}

async fn columns(
    session: &Session,
    tables: &[(TableId, &Table)],
) -> Result<HashMap<(String, String), There>> {
    let tables: Vec<&Table> = tables.iter().map(|(_, table)| *table).collect();
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, a.attname::text, \
         pg_catalog.format_type(a.atttypid, a.atttypmod), \
                a.attnotnull AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k \
                  WHERE k.conrelid = c.oid AND k.contype = 'n' AND NOT k.convalidated AND \
                  k.conkey[1] = a.attnum), \
                a.attgenerated <> '', \
                pg_catalog.pg_has_role(c.relowner, 'USAGE'), \
                coalesce(pg_catalog.has_any_column_privilege(c.oid, 'SELECT') AND \
                pg_catalog.has_table_privilege(c.oid, 'INSERT') \
                  AND pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE'), false), \
                coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND \
                pg_catalog.has_any_column_privilege(c.oid, 'SELECT'), false), \
                pg_catalog.row_security_active(c.oid), \
                coalesce(pg_catalog.has_column_privilege(c.oid, a.attnum, 'INSERT'), false) \
         FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN (VALUES {}) w(nspname, relname) ON w.nspname = n.nspname AND w.relname = c.relname \
         LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT \
         a.attisdropped \
         WHERE c.relkind IN ('r', 'p') ORDER BY a.attnum",
        names(&tables)
    );
    let mut found: HashMap<(String, String), There> = HashMap::new();
    for row in session.query("read the target's tables", &sql).await? {
        let there = found.entry((row.get(0)?, row.get(1)?)).or_default();
        (there.ours, there.fills, there.reads, there.hides) =
            (row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?);
        if let Some(name) = row.get::<_, Option<String>>(2)? {
            let (type_name, not_null, generated, fills) =
                (row.get(3)?, row.get(4)?, row.get(5)?, row.get(10)?);
            there.columns.push(Found { name, type_name, not_null, generated, fills });
        }
    }
    Ok(found)
}

pub(in crate::restore) async fn is_empty(session: &Session, name: &str) -> Result<bool> {
    let doing = format!("look whether table {name} is empty");
    let row =
        session.query_one(&doing, &format!("SELECT NOT EXISTS (SELECT FROM ONLY {name})")).await?;
    row.get(0)
}

/// The user's triggers; with `foreign_keys`, those by which the server checks them too, which only
/// a superuser may switch off.
async fn triggers(
    session: &Session,
    tables: &[(TableId, &Table)],
    foreign_keys: bool,
) -> Result<LiveTriggers> {
    let described: Vec<&Table> = tables.iter().map(|(_, table)| *table).collect();
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, t.tgname::text, t.tgenabled = 'A' \
         FROM pg_catalog.pg_trigger t \
         JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN (VALUES {}) w(nspname, relname) ON w.nspname = n.nspname AND w.relname = c.relname \
         WHERE t.tgenabled IN ('O', 'A') AND (NOT t.tgisinternal OR {foreign_keys} AND EXISTS ( \
           SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype = 'f' \
           AND k.conrelid = c.oid)) \
         ORDER BY t.tgname",
        names(&described)
    );
    let mut live = LiveTriggers::new();
    for row in session.query("read the target's triggers", &sql).await? {
        let (schema, name): (String, String) = (row.get(0)?, row.get(1)?);
        if let Some((id, _)) =
            tables.iter().find(|(_, table)| table.schema == schema && table.name == name)
        {
            live.entry(*id)
                .or_default()
                .push(LiveTrigger { name: row.get(2)?, always: row.get(3)? });
        }
    }
    Ok(live)
}

fn names(tables: &[&Table]) -> String {
    let pairs: Vec<String> =
        tables.iter().map(|table| ident::literals(&table.schema, &table.name)).collect();
    pairs.join(", ")
}
