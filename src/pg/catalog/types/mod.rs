//! Types of their own: enums, composites, ranges, base types and shells. Domains are elsewhere; the
//! types of arrays, multiranges and tables' rows are made along with what they belong to.

pub(super) mod casts;
pub(super) mod collations;
pub(super) mod domains;

use futures_util::try_join;

use super::draft::Draft;
use super::draft::address::{Address, class, own};
use super::draft::clauses::Clauses;
use super::reader::{Reader, USER_SCHEMA, letter};
use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::row::Row;
use crate::sql::ident;

/// What every type's query begins with.
pub(super) const COMMON: &str = "SELECT t.oid, n.oid AS schema_oid, n.nspname::text AS schema, \
    t.typname::text AS name, \
    pg_catalog.pg_get_userbyid(t.typowner)::text AS owner";

pub(super) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let (enums, composites, ranges, base, shells) = try_join!(
        read_enums(reader),
        read_composites(reader),
        read_ranges(reader),
        read_base(reader),
        read_shells(reader)
    )?;
    Ok([enums, composites, ranges, base, shells].into_iter().flatten().collect())
}

/// Runs a query that begins with [`COMMON`] and leaves out what extensions make.
pub(super) async fn rows(reader: &Reader<'_>, kind: &str, sql: &str) -> Result<Vec<Row>> {
    let mut own = Vec::new();
    for row in reader.rows(kind, sql).await? {
        if !reader.is_member(class::TYPE, row.get("oid")?) {
            own.push(row);
        }
    }
    Ok(own)
}

/// The type and its shell, of each.
fn flat(rows: &[Row], make: impl Fn(&Row) -> Result<[Draft; 2]>) -> Result<Vec<Draft>> {
    let mut drafts = Vec::new();
    for row in rows {
        drafts.extend(make(row)?);
    }
    Ok(drafts)
}

fn qualified(row: &Row) -> Result<String> {
    Ok(ident::qualified(row.get("schema")?, row.get("name")?))
}

fn draft(row: &Row, kind: ObjectKind) -> Result<Draft> {
    let address = Address::new(class::TYPE, row.get("oid")?);
    Ok(Draft::new(
        address,
        kind,
        Some(row.get("schema")?),
        row.get("name")?,
        format!("TYPE {}", qualified(row)?),
    )
    .owned_by(row.get("owner")?))
}

async fn read_enums(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "{COMMON}, ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = \
         t.oid ORDER BY e.enumsortorder) AS labels \
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE \
         t.typtype = 'e' AND {USER_SCHEMA}"
    );
    let make = |row: &Row| -> Result<_> {
        let labels: Vec<String> =
            row.get::<_, Vec<&str>>("labels")?.into_iter().map(ident::literal).collect();
        let items = if labels.is_empty() {
            String::new()
        } else {
            format!("\n    {}\n", labels.join(",\n    "))
        };
        Ok(draft(row, ObjectKind::Type)?
            .made_by(vec![format!("CREATE TYPE {} AS ENUM ({items})", qualified(row)?)]))
    };
    rows(reader, "enums", &sql).await?.iter().map(make).collect()
}

async fn read_composites(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let column = |value: &str| {
        format!(
            "ARRAY(SELECT {value} FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON \
             y.oid = a.atttypid \
               LEFT JOIN (pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace ln ON ln.oid = \
               l.collnamespace) \
                 ON l.oid = a.attcollation AND a.attcollation <> y.typcollation \
               WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY \
               a.attnum)"
        )
    };
    let sql = format!(
        "{COMMON}, t.typrelid, {} AS columns, {} AS types, {} AS collation_schemas, {} AS \
         collations \
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c' WHERE t.typtype = \
         'c' AND {USER_SCHEMA}",
        column("a.attname::text"),
        column("pg_catalog.format_type(a.atttypid, a.atttypmod)"),
        column("ln.nspname::text"),
        column("l.collname::text"),
    );
    rows(reader, "composite types", &sql).await?.iter().map(composite).collect()
}

fn composite(row: &Row) -> Result<Draft> {
    let (names, types): (Vec<&str>, Vec<&str>) = (row.get("columns")?, row.get("types")?);
    let schemas: Vec<Option<&str>> = row.get("collation_schemas")?;
    let collations = schemas.into_iter().zip(row.get::<_, Vec<Option<&str>>>("collations")?);
    let mut columns = Clauses::default();
    for ((name, of_type), collation) in names.into_iter().zip(types).zip(collations) {
        let collate = match collation {
            (Some(schema), Some(name)) => format!(" COLLATE {}", ident::qualified(schema, name)),
            _ => String::new(),
        };
        columns.word(format!("{} {of_type}{collate}", ident::quote(name)));
    }
    let draft = draft(row, ObjectKind::Type)?;
    // Its columns' comments are those of its row in pg_class.
    let parts =
        vec![(Address::new(class::CLASS, row.get("typrelid")?), Some(draft.identity.clone()))];
    Ok(Draft { parts, ..draft }.made_by(vec![format!(
        "CREATE TYPE {} AS{}",
        qualified(row)?,
        columns.bracketed()
    )]))
}

async fn read_ranges(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let multirange = reader.features.column("pg_range", "r.rngmultitypid", "0::oid");
    let sql = format!(
        "{COMMON}, pg_catalog.format_type(r.rngsubtype, NULL) AS subtype, m.oid AS multirange_oid, \
         mn.nspname::text AS multirange_schema, \
           m.typname::text AS multirange, on_.nspname::text AS class_schema, CASE WHEN NOT \
           o.opcdefault THEN o.opcname::text END AS class, \
           ln.nspname::text AS collation_schema, l.collname::text AS collation, \
           CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical::pg_catalog.regproc::text END AS \
           canonical, \
           CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::pg_catalog.regproc::text END AS \
           difference \
         FROM pg_catalog.pg_range r JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid JOIN \
         pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         JOIN pg_catalog.pg_type y ON y.oid = r.rngsubtype \
         JOIN pg_catalog.pg_opclass o ON o.oid = r.rngsubopc JOIN pg_catalog.pg_namespace on_ ON \
         on_.oid = o.opcnamespace \
         LEFT JOIN (pg_catalog.pg_type m JOIN pg_catalog.pg_namespace mn ON mn.oid = \
         m.typnamespace) ON m.oid = {multirange} \
         LEFT JOIN (pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace ln ON ln.oid = \
         l.collnamespace) \
           ON l.oid = r.rngcollation AND r.rngcollation <> y.typcollation WHERE {USER_SCHEMA}"
    );
    flat(&rows(reader, "ranges", &sql).await?, range)
}

fn range(row: &Row) -> Result<[Draft; 2]> {
    let named = |schema: &str, name: &str| -> Result<Option<String>> {
        let both = row.get::<_, Option<&str>>(name)?.zip(row.get::<_, Option<&str>>(schema)?);
        Ok(both.map(|(name, schema)| ident::qualified(schema, name)))
    };
    let multirange = named("multirange_schema", "multirange")?;
    let mut clauses = Clauses::default();
    clauses.set("subtype", row.get::<_, &str>("subtype")?);
    clauses.set_some("multirange_type_name", multirange.as_ref());
    clauses.set_some("subtype_opclass", named("class_schema", "class")?);
    clauses.set_some("collation", named("collation_schema", "collation")?);
    clauses.set_some("canonical", row.get::<_, Option<&str>>("canonical")?);
    clauses.set_some("subtype_diff", row.get::<_, Option<&str>>("difference")?);
    let draft = draft(row, ObjectKind::Type)?;
    let multirange_oid = row.get::<_, Option<u32>>("multirange_oid")?;
    let part = multirange_oid
        .zip(multirange)
        .map(|(oid, name)| (Address::new(class::TYPE, oid), Some(format!("TYPE {name}"))));
    let create = format!("CREATE TYPE {} AS RANGE{}", qualified(row)?, clauses.bracketed());
    // Its canonical function needs it as much as it needs that.
    let cascade = row.get::<_, Option<&str>>("canonical")?.map_or("", |_| " CASCADE");
    let drop = Some(format!("DROP {}{cascade}", draft.identity));
    Ok([
        Draft { parts: part.into_iter().collect(), drop, ..draft }.made_by(vec![create]),
        shell(row)?,
    ])
}

/// The type as a bare name, for functions that it needs and that need it. Made only where a cycle
/// asks for it.
fn shell(row: &Row) -> Result<Draft> {
    let of = Address::new(class::TYPE, row.get("oid")?);
    let address = Address::new(own::SHELL_TYPE, of.object);
    let identity = format!("TYPE {}", qualified(row)?);
    let draft = Draft::new(
        address,
        ObjectKind::ShellType,
        Some(row.get("schema")?),
        row.get("name")?,
        identity,
    );
    let needs = vec![Address::new(class::NAMESPACE, row.get("schema_oid")?)];
    // Dropping the type drops it.
    Ok(Draft { host: Some(of), needs, drop: None, ..draft }
        .made_by(vec![format!("CREATE TYPE {}", qualified(row)?)]))
}

async fn read_base(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let subscript = reader.features.column("pg_type", "t.typsubscript", "0");
    let functions = [
        ("input", "t.typinput"),
        ("output", "t.typoutput"),
        ("receive", "t.typreceive"),
        ("send", "t.typsend"),
        ("typmod_in", "t.typmodin"),
        ("typmod_out", "t.typmodout"),
        ("analyze", "t.typanalyze"),
        ("subscript", subscript.as_str()),
    ];
    let functions: Vec<String> = (functions.iter())
        .map(|(name, column)| {
            format!(
                "CASE WHEN {column}::pg_catalog.oid <> 0 THEN \
                 {column}::pg_catalog.oid::pg_catalog.regproc::text END AS {name}"
            )
        })
        .collect();
    let sql = format!(
        "{COMMON}, {}, t.typlen::int4 AS length, t.typbyval, t.typalign::text AS align, \
         t.typstorage::text AS storage, \
           t.typcategory::text AS category, t.typispreferred, t.typdelim::text AS delimiter, \
           t.typcollation <> 0 AS collatable, \
           pg_catalog.pg_get_expr(t.typdefaultbin, 0) AS expression, t.typdefault AS literal, \
           CASE WHEN t.typelem <> 0 THEN pg_catalog.format_type(t.typelem, NULL) END AS element \
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         WHERE t.typtype = 'b' AND t.typisdefined AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e \
         WHERE e.typarray = t.oid) AND {USER_SCHEMA}",
        functions.join(", ")
    );
    flat(&rows(reader, "base types", &sql).await?, base)
}

fn base(row: &Row) -> Result<[Draft; 2]> {
    let text = |column: &str| row.get::<_, Option<&str>>(column);
    let mut clauses = Clauses::default();
    let length: i32 = row.get("length")?;
    clauses
        .set("INTERNALLENGTH", if length < 0 { "VARIABLE".to_owned() } else { length.to_string() });
    for name in
        ["INPUT", "OUTPUT", "RECEIVE", "SEND", "TYPMOD_IN", "TYPMOD_OUT", "ANALYZE", "SUBSCRIPT"]
    {
        clauses.set_some(name, text(&name.to_lowercase())?);
    }
    clauses.set_some("COLLATABLE", row.get::<_, bool>("collatable")?.then_some("true"));
    clauses.set_some(
        "DEFAULT",
        text("expression")?.map(str::to_owned).or(text("literal")?.map(ident::literal)),
    );
    clauses.set_some("ELEMENT", text("element")?);
    if letter(row, "category")? != 'U' {
        clauses.set("CATEGORY", ident::literal(row.get("category")?));
    }
    clauses.set_some("PREFERRED", row.get::<_, bool>("typispreferred")?.then_some("true"));
    if letter(row, "delimiter")? != ',' {
        clauses.set("DELIMITER", ident::literal(row.get("delimiter")?));
    }
    let align = match letter(row, "align")? {
        'c' => "char",
        's' => "int2",
        'd' => "double",
        _ => "int4",
    };
    clauses.set("ALIGNMENT", align);
    let storage = match letter(row, "storage")? {
        'e' => "external",
        'x' => "extended",
        'm' => "main",
        _ => "plain",
    };
    clauses.set("STORAGE", storage);
    if row.get("typbyval")? {
        clauses.word("PASSEDBYVALUE");
    }
    let draft = draft(row, ObjectKind::Type)?;
    // Its functions need it as much as it needs them.
    let drop = Some(format!("DROP {} CASCADE", draft.identity));
    let create = format!("CREATE TYPE {}{}", qualified(row)?, clauses.bracketed());
    Ok([Draft { drop, ..draft }.made_by(vec![create]), shell(row)?])
}

async fn read_shells(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "{COMMON} FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = \
         t.typnamespace \
         WHERE NOT t.typisdefined AND {USER_SCHEMA}"
    );
    let make = |row: &Row| {
        Ok(draft(row, ObjectKind::ShellType)?
            .made_by(vec![format!("CREATE TYPE {}", qualified(row)?)]))
    };
    rows(reader, "shell types", &sql).await?.iter().map(make).collect()
}
