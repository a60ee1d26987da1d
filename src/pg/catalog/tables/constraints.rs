//! Constraints: checks, primary and unique keys, exclusions, foreign keys.

use super::indexes::{Afterwards, afterwards};
use crate::archive::manifest::{Detail, ObjectId, ObjectKind, Section, UsingIndex};
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter, present};
use crate::pg::row::Row;
use crate::sql::ident;

/// A check of a table.
#[derive(Clone, Debug)]
pub(in crate::pg::catalog) struct Check {
    pub(in crate::pg::catalog) oid: u32,
    pub(in crate::pg::catalog) relation: u32,
    schema: String,
    table: String,
    name: String,
    definition: String,
    /// Declared on this table, not only inherited.
    pub(in crate::pg::catalog) is_local: bool,
    pub(in crate::pg::catalog) is_valid: bool,
    is_partition: bool,
}

impl Check {
    pub(in crate::pg::catalog) fn clause(&self) -> String {
        format!("CONSTRAINT {} {}", ident::quote(&self.name), self.definition)
    }

    /// Whether a check is an object of its own at all: one that comes from a parent table is made
    /// by the parent.
    fn is_made(&self) -> bool {
        self.is_local || self.is_partition && self.is_valid
    }

    fn draft(&self) -> Draft {
        let (qualified, name) =
            (ident::qualified(&self.schema, &self.table), ident::quote(&self.name));
        let address = Address::new(class::CONSTRAINT, self.oid);
        let identity = format!("CONSTRAINT {name} ON {qualified}");
        let draft =
            Draft::new(address, ObjectKind::Check, Some(&self.schema), &self.name, identity);
        let table = Address::new(class::CLASS, self.relation);
        let (host, section) =
            if self.is_valid { (Some(table), Section::PreData) } else { (None, Section::PostData) };
        let add = format!("ALTER TABLE {qualified} ADD {}", self.clause());
        let drop = Some(format!("ALTER TABLE {qualified} DROP CONSTRAINT {name}"));
        Draft { host, section, of: Some(table), sort: self.table.clone(), drop, ..draft }
            .made_by(vec![add])
    }
}

/// Reads the checks of tables; the second part are their drafts.
pub(in crate::pg::catalog) async fn read_checks(
    reader: &Reader<'_>,
) -> Result<(Vec<Check>, Vec<Draft>)> {
    let sql = format!(
        "SELECT k.oid, k.conrelid, n.nspname::text AS schema, c.relname::text AS table, \
         k.conname::text AS name, k.conislocal, \
           k.convalidated, c.relispartition, pg_catalog.pg_get_constraintdef(k.oid) AS definition \
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE k.contype = 'c' AND {USER_SCHEMA} ORDER BY k.conname"
    );
    let mut checks = Vec::new();
    for row in reader.rows("check constraints", &sql).await? {
        let relation = row.get("conrelid")?;
        if reader.is_member(class::CLASS, relation) {
            continue;
        }
        checks.push(Check {
            oid: row.get("oid")?,
            relation,
            schema: row.get("schema")?,
            table: row.get("table")?,
            name: row.get("name")?,
            definition: present(&row, "definition", "check constraints")?,
            is_local: row.get("conislocal")?,
            is_valid: row.get("convalidated")?,
            is_partition: row.get("relispartition")?,
        });
    }
    let drafts = checks.iter().filter(|check| check.is_made()).map(Check::draft).collect();
    // A check that is not validated is added later, so that the table's definition must not have
    // it.
    checks.retain(|check| check.is_valid || !check.is_made());
    Ok((checks, drafts))
}

/// Reads the constraints that an index is behind.
pub(in crate::pg::catalog) async fn read_keys(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let features = &reader.features;
    let period = features.column("pg_constraint", "k.conperiod", "false");
    let nulls_not_distinct = features.column("pg_index", "i.indnullsnotdistinct", "false");
    // A primary key that adopts an index would make an inherited NOT NULL the table's own.
    let sql = format!(
        "SELECT k.oid, k.conrelid, k.conindid, k.contype::text AS type, k.conname::text AS name, \
         k.condeferrable, k.condeferred, \
           {period} AS period, {nulls_not_distinct} AS nulls_not_distinct, c.relkind::text AS \
           relkind, \
           n.nspname::text AS schema, c.relname::text AS table, coalesce(x.reloptions, '{{}}') AS \
           options, s.spcname::text AS tablespace, \
           i.indnkeyatts::int4 AS keys, i.indisclustered, i.indisreplident, x.relname::text AS \
           index, \
           ARRAY(SELECT a.attname::text FROM pg_catalog.generate_series(0, i.indnatts - 1) u \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[u] \
             ORDER BY u) AS columns, \
           ARRAY(SELECT a.attnum::int4 FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.oid AND \
           a.attstattarget >= 0 ORDER BY a.attnum) AS targeted, \
           ARRAY(SELECT a.attstattarget::int4 FROM pg_catalog.pg_attribute a WHERE a.attrelid = \
           x.oid AND a.attstattarget >= 0 ORDER BY a.attnum) AS targets, \
           pg_catalog.pg_get_constraintdef(k.oid) AS definition, \
           pg_catalog.pg_get_indexdef(i.indexrelid) AS create_index, \
           coalesce(pg_catalog.pg_relation_size(x.oid), 0) AS bytes, \
           m.amname = 'btree' AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND \
           NOT (0 <> ANY (i.indoption::int2[])) AND NOT EXISTS \
             (SELECT FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) u \
              JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[u] \
              JOIN pg_catalog.pg_attribute o ON o.attrelid = i.indexrelid AND o.attnum = u + 1 \
              JOIN pg_catalog.pg_opclass p ON p.oid = i.indclass[u] \
              WHERE NOT p.opcdefault OR i.indcollation[u] <> a.attcollation OR o.attoptions IS NOT \
              NULL) \
             AND NOT (k.contype = 'p' AND EXISTS (SELECT FROM pg_catalog.pg_constraint t \
               WHERE t.conrelid = k.conrelid AND t.contype = 'n' AND NOT t.conislocal AND \
               t.conkey[1] = ANY (k.conkey))) AS is_adoptable \
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid JOIN pg_catalog.pg_class x ON \
         x.oid = i.indexrelid \
         JOIN pg_catalog.pg_am m ON m.oid = x.relam LEFT JOIN pg_catalog.pg_tablespace s ON s.oid \
         = x.reltablespace \
         WHERE k.contype IN ('p', 'u', 'x') AND {USER_SCHEMA}"
    );
    let mut drafts = Vec::new();
    for row in reader.rows("keys", &sql).await? {
        if !reader.is_member(class::CLASS, row.get("conrelid")?) {
            drafts.push(key(&row)?);
        }
    }
    Ok(drafts)
}

fn key(row: &Row) -> Result<Draft> {
    let (schema, table, name): (&str, &str, &str) =
        (row.get("schema")?, row.get("table")?, row.get("name")?);
    let (qualified, quoted) = (ident::qualified(schema, table), ident::quote(name));
    let definition: String = present(row, "definition", "keys")?;
    let create_index: String = present(row, "create_index", "keys")?;
    let (kind, is_partitioned) = (letter(row, "type")?, letter(row, "relkind")? == 'p');
    let columns: Vec<String> = row.get("columns")?;
    let key_columns = row.get::<_, i32>("keys")? as usize;
    let words = if kind == 'x' { definition } else { key_words(row, &columns, key_columns)? };
    // ONLY also for a partitioned table: its partitions bring their own, which are attached.
    let mut statements =
        vec![format!("ALTER TABLE ONLY {qualified} ADD CONSTRAINT {quoted} {words}")];
    statements.extend(afterwards(&Afterwards {
        table: &qualified,
        index: &ident::qualified(schema, row.get("index")?),
        index_name: row.get("index")?,
        is_clustered: row.get("indisclustered")?,
        is_replica_identity: row.get("indisreplident")?,
        targets: row
            .get::<_, Vec<i32>>("targeted")?
            .into_iter()
            .zip(row.get::<_, Vec<i32>>("targets")?)
            .collect(),
    }));
    let adoptable = kind != 'x'
        && !is_partitioned
        && row.get("is_adoptable")?
        && !row.get::<_, bool>("period")?;
    let (index_name, deferral): (&str, _) = (row.get("index")?, deferral(row)?);
    let using_index = adoptable.then(|| {
        let kind = if kind == 'p' { "PRIMARY KEY" } else { "UNIQUE" };
        let add_constraint = format!(
            "ADD CONSTRAINT {quoted} {kind} USING INDEX {}{deferral}",
            ident::quote(index_name)
        );
        UsingIndex { create_index, add_constraint }
    });
    let address = Address::new(class::CONSTRAINT, row.get("oid")?);
    let draft = Draft::new(
        address,
        ObjectKind::Constraint,
        Some(schema),
        name,
        format!("CONSTRAINT {quoted} ON {qualified}"),
    );
    let detail = if kind == 'x' {
        Detail::None
    } else {
        let columns = columns.into_iter().take(key_columns).collect();
        Detail::Key {
            primary: kind == 'p',
            columns,
            using_index,
            bytes: row.get::<_, i64>("bytes")? as u64,
        }
    };
    let index = Address::new(class::CLASS, row.get("conindid")?);
    Ok(Draft {
        of: Some(Address::new(class::CLASS, row.get("conrelid")?)),
        sort: table.to_owned(),
        drop: Some(format!("ALTER TABLE {qualified} DROP CONSTRAINT {quoted}")),
        tablespace: row.get("tablespace")?,
        parts: vec![(
            index,
            Some(format!("INDEX {}", ident::qualified(schema, row.get("index")?))),
        )],
        detail,
        ..draft
    }
    .made_by(statements))
}

/// `pg_get_constraintdef` leaves out the storage parameters, so the words are put together here.
fn key_words(row: &Row, columns: &[String], key_columns: usize) -> Result<String> {
    let mut words =
        vec![if letter(row, "type")? == 'p' { "PRIMARY KEY" } else { "UNIQUE" }.to_owned()];
    if row.get("nulls_not_distinct")? {
        words.push(" NULLS NOT DISTINCT".to_owned());
    }
    let (keys, included) = columns.split_at(key_columns.min(columns.len()));
    let overlaps = if row.get("period")? { " WITHOUT OVERLAPS" } else { "" };
    words.push(format!(" ({}{overlaps})", ident::list(keys.iter().map(String::as_str))));
    if !included.is_empty() {
        words.push(format!(" INCLUDE ({})", ident::list(included.iter().map(String::as_str))));
    }
    let options = super::columns::parameters(&row.get::<_, Vec<String>>("options")?, "");
    if !options.is_empty() {
        words.push(format!(" WITH ({})", options.join(", ")));
    }
    words.push(deferral(row)?.to_owned());
    Ok(words.concat())
}

fn deferral(row: &Row) -> Result<&'static str> {
    Ok(match (row.get("condeferrable")?, row.get("condeferred")?) {
        (true, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        _ => "",
    })
}

/// Reads the foreign keys that were declared; those that the server makes for partitions it makes
/// again.
pub(in crate::pg::catalog) async fn read_foreign_keys(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let enforced = reader.features.column("pg_constraint", "k.conenforced", "true");
    let sql = format!(
        "SELECT k.oid, k.conrelid, k.confrelid, k.conname::text AS name, n.nspname::text AS \
         schema, c.relname::text AS table, k.convalidated, \
           {enforced} AS enforced, c.relkind = 'p' AS is_partitioned, 'p' IN (c.relkind, \
           f.relkind) AS touches_partitioned, \
           pg_catalog.pg_get_constraintdef(k.oid) AS definition, \
           ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u(number, \
           place) \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number \
             ORDER BY u.place) AS columns \
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_class f ON f.oid = k.confrelid WHERE k.contype = 'f' AND k.conparentid \
         = 0 AND {USER_SCHEMA}"
    );
    let mut drafts = Vec::new();
    for row in reader.rows("foreign keys", &sql).await? {
        if !reader.is_member(class::CLASS, row.get("conrelid")?) {
            drafts.push(foreign_key(&row)?);
        }
    }
    Ok(drafts)
}

fn foreign_key(row: &Row) -> Result<Draft> {
    let (schema, table, name): (&str, &str, &str) =
        (row.get("schema")?, row.get("table")?, row.get("name")?);
    let (qualified, quoted) = (ident::qualified(schema, table), ident::quote(name));
    let definition: String = present(row, "definition", "foreign keys")?;
    let only = if row.get("is_partitioned")? { "" } else { "ONLY " };
    let add = format!("ALTER TABLE {only}{qualified} ADD CONSTRAINT {quoted} {definition}");
    let in_two = row.get("convalidated")?
        && row.get("enforced")?
        && !row.get::<_, bool>("touches_partitioned")?;
    let references = Address::new(class::CLASS, row.get("confrelid")?);
    let address = Address::new(class::CONSTRAINT, row.get("oid")?);
    let draft = Draft::new(
        address,
        ObjectKind::ForeignKey,
        Some(schema),
        name,
        format!("CONSTRAINT {quoted} ON {qualified}"),
    );
    let detail = Detail::ForeignKey {
        columns: row.get("columns")?,
        // The number that `references` gets is filled in when it is known.
        references: ObjectId(u32::MAX),
        add_not_valid: in_two.then(|| format!("{add} NOT VALID")),
        validate: in_two.then(|| format!("ALTER TABLE {qualified} VALIDATE CONSTRAINT {quoted}")),
    };
    Ok(Draft {
        of: Some(Address::new(class::CLASS, row.get("conrelid")?)),
        sort: table.to_owned(),
        drop: Some(format!("ALTER TABLE {qualified} DROP CONSTRAINT {quoted}")),
        references: Some(references),
        detail,
        ..draft
    }
    .made_by(vec![add]))
}
