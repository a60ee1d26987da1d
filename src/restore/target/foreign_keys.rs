//! The foreign keys of tables that were there before: in which order rows can come, and what they
//! will look for in vain.
//!
//! What the archive says of foreign keys does not matter here: between `--section data` and
//! `--section post-data` there are none yet.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::archive::manifest::{ObjectId, Table};
use crate::error::{Kind, Result};
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::restore::live::LiveKey;
use crate::sql::ident;

/// One foreign key.
struct Key {
    name: String,
    child: (String, String),
    parent: (String, String),
    /// No column of it may be NULL: every row looks.
    always: bool,
    /// The parent and its partitions.
    members: Vec<(String, String)>,
    /// The partitioned table, quoted, that both are of.
    within: Option<String>,
}

/// What foreign keys mean for the rows that come.
#[derive(Default)]
pub(in crate::restore) struct ForeignKeys {
    /// Which table's rows look for which.
    pub(in crate::restore) keys: Vec<LiveKey>,
    /// Rows that will look in vain.
    pub(in crate::restore) findings: Vec<Finding>,
    /// Rows that may.
    pub(in crate::restore) warnings: Vec<String>,
}

/// Reads them; `names` are the tables as a list of SQL values.
pub(in crate::restore) async fn read(
    session: &Session,
    tables: &[&Table],
    names: &str,
) -> Result<ForeignKeys> {
    let mut read = ForeignKeys::default();
    let ids: HashMap<(&str, &str), ObjectId> = tables
        .iter()
        .map(|table| ((table.schema.as_str(), table.name.as_str()), table.object))
        .collect();
    let id =
        |(schema, name): &(String, String)| ids.get(&(schema.as_str(), name.as_str())).copied();
    let (keys, mut within) = (keys(session, names).await?, BTreeSet::new());
    for key in keys.values() {
        let Some(child) = id(&key.child) else { continue };
        let parents: Vec<ObjectId> = key.members.iter().filter_map(id).collect();
        if let Some(table) = &key.within {
            // Which partition a row refers to, no key says: an order may not exist, nor be needed.
            if parents.iter().any(|parent| *parent != child) {
                within.insert(table);
            }
            continue;
        }
        if parents.is_empty() {
            no_parents(session, key, &mut read).await?;
        }
        read.keys.extend(parents.into_iter().map(|parent| LiveKey { child, parent }));
    }
    read.warnings.extend(within.into_iter().map(|table| {
        format!(
            "table {table} has a foreign key to itself: a row that refers to one of another \
             partition may be refused; let a superuser restore with --disable-triggers"
        )
    }));
    Ok(read)
}

/// The keys that check, by oid. One within a single table that is no partition orders nothing.
async fn keys(session: &Session, names: &str) -> Result<BTreeMap<u32, Key>> {
    let sql = format!(
        "SELECT k.oid, k.conname::text, cn.nspname::text, c.relname::text, pn.nspname::text, \
         p.relname::text, mn.nspname::text, m.relname::text, \
           NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum \
           = ANY (k.conkey) AND NOT a.attnotnull), \
           CASE WHEN pg_catalog.pg_partition_root(c.oid) = pg_catalog.pg_partition_root(p.oid) THEN \
           pg_catalog.pg_partition_root(c.oid)::pg_catalog.regclass::text END \
         FROM pg_catalog.pg_constraint k \
         JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace cn ON \
         cn.oid = c.relnamespace \
         JOIN (VALUES {names}) w(nspname, relname) ON w.nspname = cn.nspname AND w.relname = \
         c.relname \
         JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON \
         pn.oid = p.relnamespace \
         CROSS JOIN LATERAL (SELECT p.oid UNION SELECT t.relid FROM \
         pg_catalog.pg_partition_tree(p.oid) t) f(oid) \
         JOIN pg_catalog.pg_class m ON m.oid = f.oid JOIN pg_catalog.pg_namespace mn ON mn.oid = \
         m.relnamespace \
         WHERE k.contype = 'f' \
         AND (c.oid <> p.oid OR c.relispartition) \
         AND EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgconstraint = k.oid AND \
         g.tgrelid = c.oid AND g.tgenabled IN ('O', 'A')) \
         ORDER BY k.oid, 7, 8"
    );
    let mut keys: BTreeMap<u32, Key> = BTreeMap::new();
    for row in session.query("read the target's foreign keys", &sql).await? {
        let key = Key {
            name: row.get(1)?,
            child: (row.get(2)?, row.get(3)?),
            parent: (row.get(4)?, row.get(5)?),
            always: row.get(8)?,
            members: Vec::new(),
            within: row.get(9)?,
        };
        keys.entry(row.get(0)?).or_insert(key).members.push((row.get(6)?, row.get(7)?));
    }
    Ok(keys)
}

/// Rows refer to a table that none come for: they find what is there already, if anything is.
async fn no_parents(session: &Session, key: &Key, read: &mut ForeignKeys) -> Result<()> {
    let [child, parent] =
        [&key.child, &key.parent].map(|(schema, name)| ident::qualified(schema, name));
    let looked = session
        .query_one(
            &format!("look whether table {parent} is empty"),
            &format!("SELECT EXISTS (SELECT FROM {parent})"),
        )
        .await;
    let has_rows: bool = match looked {
        Ok(row) => row.get(0)?,
        // Who may not look at it is not told.
        Err(error) if error.kind() == Kind::Requirement => true,
        Err(error) => return Err(error),
    };
    if has_rows {
        return Ok(());
    }
    let name = ident::quote(&key.name);
    let problem = format!(
        "table {child} refers by its foreign key {name} to table {parent}, which is empty and \
         which no rows are restored for"
    );
    if key.always {
        read.findings.push(Finding::new(
            problem,
            "fill it first, or let a superuser restore with --disable-triggers",
        ));
    } else {
        read.warnings.push(format!("{problem}: a row that refers to it will be refused"));
    }
    Ok(())
}
