//! Sequences: their definition, the column that owns them, and their value.

use std::collections::HashMap;

use crate::archive::manifest::{Detail, ObjectKind};
use crate::error::{Error, Kind, Result};
use crate::pg::catalog::database::extensions::ConfigTable;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class, own};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter};
use crate::pg::row::Row;
use crate::sql::ident;

/// How many sequences one query asks for their values.
const VALUES_PER_QUERY: usize = 500;

/// Sequences whose value the role may not read: what makes each, and its name.
pub(in crate::pg::catalog) type Unreadable = Vec<(Address, String)>;

/// Asks for the sequences.
pub(in crate::pg::catalog) async fn rows(reader: &Reader<'_>) -> Result<Vec<Row>> {
    // Before 15 no sequence was unlogged, whatever its table was, and nothing can be said of it.
    let table_persistence = if reader.version() >= 150_000 {
        "t.relpersistence::text"
    } else {
        "c.relpersistence::text"
    };
    let sql = format!(
        "SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, \
         pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, \
           c.relpersistence::text AS persistence, pg_catalog.format_type(s.seqtypid, NULL) AS \
           type, \
           s.seqstart AS start, s.seqincrement AS increment, s.seqmax AS max, s.seqmin AS min, \
           s.seqcache AS cache, s.seqcycle AS cycle, \
           d.deptype::text AS ownership, t.oid AS table_oid, {table_persistence} AS \
           table_persistence, tn.nspname::text AS table_schema, \
           t.relname::text AS table_name, a.attname::text AS column_name, a.attidentity::text AS \
           identity, \
           coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND \
           pg_catalog.has_sequence_privilege(c.oid, 'SELECT'), true) AS is_readable \
         FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN (pg_catalog.pg_depend d JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN \
         pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid) \
           ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND \
           d.objsubid = 0 \
             AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 \
             AND d.deptype IN ('a', 'i') \
         WHERE {USER_SCHEMA}"
    );
    reader.rows("sequences", &sql).await
}

/// Reads sequences and, if wanted, the values that the role may read; those of extensions only by
/// value, where they are configuration.
pub(in crate::pg::catalog) async fn read(
    reader: &Reader<'_>,
    rows: &[Row],
    config: &HashMap<u32, ConfigTable>,
    values: bool,
) -> Result<(Vec<Draft>, Unreadable)> {
    let mut drafts = Vec::new();
    let mut readable = Vec::new();
    for row in rows {
        let address = Address::new(class::CLASS, row.get("oid")?);
        if let Some(config) = config.get(&address.object) {
            readable.push((row, config.extension));
        } else if !reader.is_member(address.class, address.object) {
            drafts.push(definition(row, address)?);
            drafts.extend(owned_by(row, address)?);
            readable.push((row, address));
        }
    }
    // Whether these are wanted is known only when something is chosen.
    let mut unreadable = Vec::new();
    if values {
        let mut shown = Vec::new();
        for (row, maker) in readable {
            if row.get("is_readable")? {
                shown.push((row, maker));
            } else {
                unreadable.push((maker, qualified(row)?));
            }
        }
        for some in shown.chunks(VALUES_PER_QUERY) {
            drafts.extend(read_values(reader, some).await?);
        }
    }
    Ok((drafts, unreadable))
}

fn qualified(row: &Row) -> Result<String> {
    Ok(ident::qualified(row.get("schema")?, row.get("name")?))
}

fn definition(row: &Row, address: Address) -> Result<Draft> {
    let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
    let qualified = ident::qualified(schema, name);
    let draft = Draft::new(
        address,
        ObjectKind::Sequence,
        Some(schema),
        name,
        format!("SEQUENCE {qualified}"),
    );
    let options = options(row)?;
    let persistence = letter(row, "persistence")?;
    if letter(row, "ownership")? != 'i' {
        let unlogged = if persistence == 'u' { "UNLOGGED " } else { "" };
        let ignores = row
            .get::<_, Option<u32>>("table_oid")?
            .map(|table| Address::new(class::CLASS, table))
            .into_iter()
            .collect();
        let create = format!("CREATE {unlogged}SEQUENCE {qualified}{options}");
        return Ok(Draft { ignores, ..draft }.made_by(vec![create]).owned_by(row.get("owner")?));
    }
    // An identity column's sequence is made with the identity and follows its table's owner.
    let table = ident::qualified(row.get("table_schema")?, row.get("table_name")?);
    let column = ident::quote(row.get("column_name")?);
    let generated = if letter(row, "identity")? == 'a' { "ALWAYS" } else { "BY DEFAULT" };
    let mut statements = vec![format!(
        "ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED {generated} AS IDENTITY (\n    \
         SEQUENCE NAME {qualified}{options}\n)"
    )];
    if persistence != letter(row, "table_persistence")? {
        let word = if persistence == 'u' { "UNLOGGED" } else { "LOGGED" };
        statements.push(format!("ALTER SEQUENCE {qualified} SET {word}"));
    }
    let of = row.get::<_, Option<u32>>("table_oid")?.map(|table| Address::new(class::CLASS, table));
    Ok(Draft {
        of,
        drop: Some(format!("ALTER TABLE {table} ALTER COLUMN {column} DROP IDENTITY")),
        ..draft
    }
    .made_by(statements))
}

fn options(row: &Row) -> Result<String> {
    let (kind, increment): (&str, i64) = (row.get("type")?, row.get("increment")?);
    let (lowest, highest) = match kind {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let (default_min, default_max) = if increment > 0 { (1, highest) } else { (lowest, -1) };
    let bound = |word: &str, value: i64, default: i64| {
        if value == default { format!("\n    NO {word}") } else { format!("\n    {word} {value}") }
    };
    // An identity's sequence takes its type from the column.
    let of_type = if kind == "bigint" || letter(row, "ownership")? == 'i' {
        String::new()
    } else {
        format!("\n    AS {kind}")
    };
    let (start, cache): (i64, i64) = (row.get("start")?, row.get("cache")?);
    let min = bound("MINVALUE", row.get("min")?, default_min);
    let max = bound("MAXVALUE", row.get("max")?, default_max);
    let cycle = if row.get("cycle")? { "\n    CYCLE" } else { "" };
    Ok(format!(
        "{of_type}\n    START WITH {start}\n    INCREMENT BY {increment}{min}{max}\n    CACHE \
         {cache}{cycle}"
    ))
}

/// `OWNED BY` comes when both stand, and after both have their owner, who must be the same.
fn owned_by(row: &Row, address: Address) -> Result<Option<Draft>> {
    if letter(row, "ownership")? != 'a' {
        return Ok(None);
    }
    let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
    let qualified = ident::qualified(schema, name);
    let column = format!(
        "{}.{}",
        ident::qualified(row.get("table_schema")?, row.get("table_name")?),
        ident::quote(row.get("column_name")?)
    );
    let own = Address::new(own::SEQUENCE_OWNER, address.object);
    let draft = Draft::new(
        own,
        ObjectKind::SequenceOwner,
        Some(schema),
        name,
        format!("SEQUENCE {qualified}"),
    );
    let of = Some(Address::new(class::CLASS, row.get("table_oid")?));
    let drop = Some(format!("ALTER SEQUENCE {qualified} OWNED BY NONE"));
    Ok(Some(
        Draft { of, drop, needs: vec![address], ..draft }
            .made_by(vec![format!("ALTER SEQUENCE {qualified} OWNED BY {column}")]),
    ))
}

/// A sequence is outside of every snapshot: what is read may be ahead of the rows, never behind.
async fn read_values(reader: &Reader<'_>, sequences: &[(&Row, Address)]) -> Result<Vec<Draft>> {
    let selects: Vec<String> = (sequences.iter().enumerate())
        .map(|(at, (row, _))| {
            Ok(format!(
                "SELECT {at} AS at, last_value::text AS value, is_called FROM {}",
                qualified(row)?
            ))
        })
        .collect::<Result<_>>()?;
    let rows = reader.rows("sequence values", &selects.join(" UNION ALL ")).await?;
    if rows.len() != sequences.len() {
        let cause = format!("expected {} values, found {}", sequences.len(), rows.len());
        return Err(Error::new(Kind::Unexpected, "read the catalog of sequence values", cause));
    }
    let draft = |value: &Row| -> Result<Draft> {
        let at: i32 = value.get("at")?;
        let Some(&(row, of)) = usize::try_from(at).ok().and_then(|at| sequences.get(at)) else {
            return Err(Error::new(
                Kind::Server,
                "read the catalog of sequence values",
                format!("no sequence {at} was asked for"),
            ));
        };
        let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
        let qualified = ident::qualified(schema, name);
        let (last_value, is_called): (String, bool) =
            (value.get("value")?, value.get("is_called")?);
        let set = format!(
            "SELECT pg_catalog.setval({}, {last_value}, {is_called})",
            ident::literal(&qualified)
        );
        let address = Address::new(own::SEQUENCE_VALUE, row.get("oid")?);
        let draft = Draft::new(
            address,
            ObjectKind::SequenceValue,
            Some(schema),
            name,
            format!("SEQUENCE {qualified}"),
        );
        Ok(Draft {
            of: Some(of),
            drop: None,
            detail: Detail::SequenceValue { last_value, is_called },
            ..draft
        }
        .made_by(vec![set]))
    };
    rows.iter().map(draft).collect()
}
