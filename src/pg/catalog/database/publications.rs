//! Publications and what belongs to them.

use futures_util::try_join;

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::reader::{Reader, letter};
use crate::pg::row::Row;
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read_publications(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let features = &reader.features;
    let via_root = features.column("pg_publication", "p.pubviaroot", "false");
    let generated = features.column("pg_publication", "p.pubgencols", "'n'");
    let sequences = features.column("pg_publication", "p.puballsequences", "false");
    let except = features.column("pg_publication_rel", "r.prexcept", "false");
    let sql = format!(
        "SELECT p.oid, p.pubname::text AS name, pg_catalog.pg_get_userbyid(p.pubowner)::text AS \
         owner, p.puballtables AS all_tables, \
           p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, {via_root} AS via_root, \
           {generated}::text AS generated, \
           {sequences} AS all_sequences, \
           ARRAY(SELECT r.oid FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid AND \
           {except}) AS excepted_rows, \
           ARRAY(SELECT pg_catalog.format('TABLE ONLY %I.%I', n.nspname, c.relname) FROM \
           pg_catalog.pg_publication_rel r \
             JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON \
             n.oid = c.relnamespace \
             WHERE r.prpubid = p.oid AND {except} ORDER BY r.oid) AS excepted \
         FROM pg_catalog.pg_publication p"
    );
    let (rows, tables, schemas) = try_join!(
        reader.rows("publications", &sql),
        read_published_tables(reader),
        read_published_schemas(reader)
    )?;
    let mut drafts: Vec<Draft> = reader
        .own(&rows, class::PUBLICATION)?
        .into_iter()
        .map(publication)
        .collect::<Result<_>>()?;
    drafts.extend(tables);
    drafts.extend(schemas);
    Ok(drafts)
}

fn publication(row: &Row) -> Result<Draft> {
    let name: &str = row.get("name")?;
    let identity = format!("PUBLICATION {}", ident::quote(name));
    let excepted: Vec<String> = row.get("excepted")?;
    let except = if excepted.is_empty() {
        String::new()
    } else {
        format!(" EXCEPT ({})", excepted.join(", "))
    };
    let all = match (row.get("all_tables")?, row.get("all_sequences")?) {
        (true, true) => format!(" FOR ALL TABLES{except}, ALL SEQUENCES"),
        (true, false) => format!(" FOR ALL TABLES{except}"),
        (false, true) => " FOR ALL SEQUENCES".to_owned(),
        (false, false) => String::new(),
    };
    let actions = [
        ("pubinsert", "insert"),
        ("pubupdate", "update"),
        ("pubdelete", "delete"),
        ("pubtruncate", "truncate"),
    ];
    let mut published = Vec::new();
    for (column, word) in actions {
        if row.get(column)? {
            published.push(word);
        }
    }
    let mut options = vec![format!("publish = '{}'", published.join(", "))];
    if row.get("via_root")? {
        options.push("publish_via_partition_root = true".to_owned());
    }
    if letter(row, "generated")? == 's' {
        options.push("publish_generated_columns = stored".to_owned());
    }
    let create = format!("CREATE {identity}{all} WITH ({})", options.join(", "));
    let address = Address::new(class::PUBLICATION, row.get("oid")?);
    // It needs the tables that it excepts: without one of them it would publish what bears that
    // name in the target.
    let rows: Vec<u32> = row.get("excepted_rows")?;
    let parts =
        rows.into_iter().map(|oid| (Address::new(class::PUBLICATION_REL, oid), None)).collect();
    let draft = Draft::new(address, ObjectKind::Publication, None, name, identity)
        .made_by(vec![create])
        .owned_by(row.get("owner")?);
    Ok(Draft { parts, ..draft })
}

async fn read_published_tables(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let features = &reader.features;
    let condition = if features.has("pg_publication_rel", "prqual") {
        "pg_catalog.pg_get_expr(r.prqual, r.prrelid)"
    } else {
        "NULL"
    };
    let columns = features.column("pg_publication_rel", "r.prattrs", "NULL::int2[]");
    let except = features.column("pg_publication_rel", "r.prexcept", "false");
    let sql = format!(
        "SELECT r.oid, r.prpubid, r.prrelid, p.pubname::text AS publication, n.nspname::text AS \
         schema, c.relname::text AS table, \
           {condition} AS condition, \
           ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = \
           r.prrelid AND a.attnum = ANY ({columns}::int2[]) \
             ORDER BY a.attnum) AS columns \
         FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = \
         r.prpubid \
         JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = \
         c.relnamespace WHERE NOT {except}"
    );
    let rows = reader.rows("published tables", &sql).await?;
    let draft = |row: &Row| -> Result<_> {
        let (schema, table, publication): (&str, &str, &str) =
            (row.get("schema")?, row.get("table")?, row.get("publication")?);
        let (quoted, qualified) = (ident::quote(publication), ident::qualified(schema, table));
        let columns: Vec<String> = row.get("columns")?;
        let columns = if columns.is_empty() {
            String::new()
        } else {
            format!(" ({})", ident::list(columns.iter().map(String::as_str)))
        };
        let condition = row
            .get::<_, Option<&str>>("condition")?
            .map_or_else(String::new, |condition| format!(" WHERE ({condition})"));
        let add =
            format!("ALTER PUBLICATION {quoted} ADD TABLE ONLY {qualified}{columns}{condition}");
        let address = Address::new(class::PUBLICATION_REL, row.get("oid")?);
        let name = format!("{publication} {table}");
        let draft = Draft::new(
            address,
            ObjectKind::PublicationTable,
            Some(schema),
            &name,
            format!("PUBLICATION {quoted}"),
        );
        let drop = Some(format!("ALTER PUBLICATION {quoted} DROP TABLE ONLY {qualified}"));
        let needs = vec![Address::new(class::PUBLICATION, row.get("prpubid")?)];
        Ok(Draft {
            of: Some(Address::new(class::CLASS, row.get("prrelid")?)),
            needs,
            drop,
            ..draft
        }
        .made_by(vec![add]))
    };
    rows.iter().map(draft).collect()
}

async fn read_published_schemas(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    if !reader.features.has_catalog("pg_publication_namespace") {
        return Ok(Vec::new());
    }
    let sql = "SELECT r.oid, r.pnpubid, r.pnnspid, p.pubname::text AS publication, n.nspname::text \
        AS schema \
         FROM pg_catalog.pg_publication_namespace r JOIN pg_catalog.pg_publication p ON p.oid = \
         r.pnpubid \
         JOIN pg_catalog.pg_namespace n ON n.oid = r.pnnspid";
    let rows = reader.rows("published schemas", sql).await?;
    let draft = |row: &Row| -> Result<_> {
        let (schema, publication): (&str, &str) = (row.get("schema")?, row.get("publication")?);
        let (quoted, quoted_schema) = (ident::quote(publication), ident::quote(schema));
        let address = Address::new(class::PUBLICATION_NAMESPACE, row.get("oid")?);
        let name = format!("{publication} {schema}");
        let draft = Draft::new(
            address,
            ObjectKind::PublicationSchema,
            Some(schema),
            &name,
            format!("PUBLICATION {quoted}"),
        );
        let drop =
            Some(format!("ALTER PUBLICATION {quoted} DROP TABLES IN SCHEMA {quoted_schema}"));
        let needs = vec![
            Address::new(class::PUBLICATION, row.get("pnpubid")?),
            Address::new(class::NAMESPACE, row.get("pnnspid")?),
        ];
        Ok(Draft { drop, needs, ..draft }.made_by(vec![format!(
            "ALTER PUBLICATION {quoted} ADD TABLES IN SCHEMA {quoted_schema}"
        )]))
    };
    rows.iter().map(draft).collect()
}
