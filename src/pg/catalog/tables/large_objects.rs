//! Large objects: who they are, whose, and the query that gives their bytes.
//!
//! There may be millions, so that those of one owner and the same privileges are one object of the
//! archive, up to a limit. Their bytes travel as rows of a table that stands for all of them; a
//! plain owner may not read `pg_largeobject` itself, but may ask for each object's bytes.

use std::collections::HashMap;

use crate::archive::manifest::{Acl, Column, Detail, ObjectId, ObjectKind, RowEncoding, Table};
use crate::error::Result;
use crate::pg::catalog::attributes::grants::{ROLES, add};
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class, own};
use crate::pg::catalog::model::TableSource;
use crate::pg::catalog::reader::Reader;
use crate::pg::row::Row;
use crate::sql::copy_out;

/// Large objects that make one object of the archive.
const GROUP_MAX: usize = 1000;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = "SELECT min(m.oid) AS first, pg_catalog.array_agg(m.oid ORDER BY m.oid) AS oids, \
           pg_catalog.pg_get_userbyid(m.lomowner)::text AS owner \
         FROM pg_catalog.pg_largeobject_metadata m GROUP BY m.lomowner, m.lomacl::text ORDER BY 1";
    let groups = reader.rows("large objects", sql).await?;
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT o.first, NULL::text AS column, g.is_initial, {ROLES} FROM (SELECT min(m.oid) AS \
         first FROM pg_catalog.pg_largeobject_metadata m \
           WHERE m.lomacl IS NOT NULL GROUP BY m.lomowner, m.lomacl::text) o JOIN \
           pg_catalog.pg_largeobject_metadata m ON m.oid = o.first, \
         LATERAL (SELECT true AS is_initial, i.* FROM \
         pg_catalog.aclexplode(pg_catalog.acldefault('L', m.lomowner)) WITH ORDINALITY i \
           UNION ALL SELECT false, i.* FROM pg_catalog.aclexplode(m.lomacl) WITH ORDINALITY i) \
           g(is_initial, grantor, grantee, privilege, grantable, place) ORDER BY o.first, \
           g.is_initial, g.place"
    );
    let mut grants: HashMap<u32, Vec<Row>> = HashMap::new();
    for row in reader.rows("privileges on large objects", &sql).await? {
        grants.entry(row.get("first")?).or_default().push(row);
    }
    let mut drafts = Vec::new();
    for group in &groups {
        let acl = acl(grants.get(&group.get("first")?).into_iter().flatten())?;
        let (oids, owner): (Vec<u32>, String) = (group.get("oids")?, group.get("owner")?);
        drafts.extend(oids.chunks(GROUP_MAX).map(|oids| draft(oids, owner.clone(), acl.clone())));
    }
    Ok(drafts)
}

fn acl<'r>(rows: impl Iterator<Item = &'r Row>) -> Result<Option<Acl>> {
    let mut acl = Acl { on: String::new(), initial: Vec::new(), items: Vec::new() };
    for row in rows {
        add(if row.get("is_initial")? { &mut acl.initial } else { &mut acl.items }, row)?;
    }
    Ok((acl.initial != acl.items).then_some(acl))
}

fn draft(oids: &[u32], owner: String, acl: Option<Acl>) -> Draft {
    let list = oids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let name = match oids {
        [one] => one.to_string(),
        [lowest, .., highest] => format!("{lowest} to {highest}"),
        [] => String::new(),
    };
    // One more that only its number could tell from the next.
    let address = Address::new(own::LARGE_OBJECTS, oids.first().copied().unwrap_or_default());
    let identity = format!("LARGE OBJECT {name}");
    let each = |function: &str| {
        format!(
            "SELECT pg_catalog.{function}(o) FROM pg_catalog.unnest('{{{}}}'::pg_catalog.oid[]) o",
            list.replace(' ', "")
        )
    };
    let parts = oids
        .iter()
        .map(|oid| (Address::new(class::LARGE_OBJECT, *oid), Some(format!("LARGE OBJECT {oid}"))))
        .collect();
    let acl = acl.map(|acl| Acl { on: format!("LARGE OBJECT {list}"), ..acl });
    let draft = Draft::new(address, ObjectKind::LargeObject, None, &name, identity);
    let detail = Detail::LargeObjects { oids: oids.to_vec() };
    Draft { drop: Some(each("lo_unlink")), parts, acl, detail, ..draft }
        .made_by(vec![each("lo_create")])
        .owned_by(owner)
}

/// The query that gives all large objects' bytes, as if of one table: which object, from which byte
/// on, the bytes. None where there are none.
pub(in crate::pg::catalog) async fn source(
    reader: &Reader<'_>,
    first: Option<ObjectId>,
) -> Result<Option<TableSource>> {
    let Some(object) = first else { return Ok(None) };
    let sql = "SELECT count(*) AS rows, (SELECT greatest(c.relpages::int8, 0) FROM \
        pg_catalog.pg_class c \
           WHERE c.oid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass) * \
           pg_catalog.current_setting('block_size')::int8 AS bytes \
         FROM pg_catalog.pg_largeobject_metadata";
    let rows = reader.rows("large objects", sql).await?;
    let estimate = |column: &str| rows.first().map_or(Ok(0), |row| row.get::<_, i64>(column));
    let column = |name: &str, type_name: &str| Column {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        sent_as: None,
        not_null: true,
    };
    let table = Table {
        rows_estimate: estimate("rows")?,
        bytes_estimate: u64::try_from(estimate("bytes")?).unwrap_or(0),
        ..Table::new(
            object,
            Table::LARGE_OBJECTS.0,
            Table::LARGE_OBJECTS.1,
            vec![column("loid", "oid"), column("position", "bigint"), column("data", "bytea")],
            RowEncoding::Binary,
        )
    };
    Ok(Some(TableSource {
        table,
        pages: 0,
        ctid_ranges: false,
        query: Some(copy_out::large_objects(None)),
    }))
}
