//! Publications, what belongs to them, and subscriptions.

use super::address::{Address, class};
use super::draft::Draft;
use super::reader::{Reader, letter};
use crate::archive::manifest::{NotCarried, ObjectKind};
use crate::error::Result;
use crate::pg::ident;
use crate::pg::row::Row;

pub(super) async fn read_publications(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let features = &reader.features;
    let via_root = features.column("pg_publication", "p.pubviaroot", "false");
    let generated = features.column("pg_publication", "p.pubgencols", "'n'");
    let sequences = features.column("pg_publication", "p.puballsequences", "false");
    let sql = format!(
        "SELECT p.oid, p.pubname::text AS name, pg_catalog.pg_get_userbyid(p.pubowner)::text AS owner, p.puballtables AS all_tables, \
           p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, {via_root} AS via_root, {generated}::text AS generated, \
           {sequences} AS all_sequences FROM pg_catalog.pg_publication p"
    );
    let rows = reader.rows("publications", &sql).await?;
    let mut drafts: Vec<Draft> = reader.own(&rows, class::PUBLICATION)?.into_iter().map(publication).collect::<Result<_>>()?;
    drafts.extend(read_published_tables(reader).await?);
    if features.has_catalog("pg_publication_namespace") {
        drafts.extend(read_published_schemas(reader).await?);
    }
    Ok(drafts)
}

fn publication(row: &Row) -> Result<Draft> {
    let name: &str = row.get("name")?;
    let identity = format!("PUBLICATION {}", ident::quote(name));
    let all = match (row.get("all_tables")?, row.get("all_sequences")?) {
        (true, true) => " FOR ALL TABLES, ALL SEQUENCES",
        (true, false) => " FOR ALL TABLES",
        (false, true) => " FOR ALL SEQUENCES",
        (false, false) => "",
    };
    let actions = [("pubinsert", "insert"), ("pubupdate", "update"), ("pubdelete", "delete"), ("pubtruncate", "truncate")];
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
    Ok(Draft::new(address, ObjectKind::Publication, None, name, identity).made_by(vec![create]).owned_by(row.get("owner")?))
}

async fn read_published_tables(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let features = &reader.features;
    let condition = if features.has("pg_publication_rel", "prqual") { "pg_catalog.pg_get_expr(r.prqual, r.prrelid)" } else { "NULL" };
    let columns = features.column("pg_publication_rel", "r.prattrs", "NULL::int2[]");
    let except = features.column("pg_publication_rel", "r.prexcept", "false");
    let sql = format!(
        "SELECT r.oid, r.prpubid, r.prrelid, p.pubname::text AS publication, n.nspname::text AS schema, c.relname::text AS table, \
           {condition} AS condition, \
           ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY ({columns}::int2[]) \
             ORDER BY a.attnum) AS columns \
         FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid \
         JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE NOT {except}"
    );
    let rows = reader.rows("published tables", &sql).await?;
    let draft = |row: &Row| -> Result<_> {
        let (schema, table, publication): (&str, &str, &str) = (row.get("schema")?, row.get("table")?, row.get("publication")?);
        let (quoted, qualified) = (ident::quote(publication), ident::qualified(schema, table));
        let columns: Vec<String> = row.get("columns")?;
        let columns = if columns.is_empty() { String::new() } else { format!(" ({})", ident::list(columns.iter().map(String::as_str))) };
        let condition = row.get::<_, Option<&str>>("condition")?.map_or_else(String::new, |condition| format!(" WHERE ({condition})"));
        let add = format!("ALTER PUBLICATION {quoted} ADD TABLE ONLY {qualified}{columns}{condition}");
        let address = Address::new(class::PUBLICATION_REL, row.get("oid")?);
        let name = format!("{publication} {table}");
        let draft = Draft::new(address, ObjectKind::PublicationTable, Some(schema), &name, format!("PUBLICATION {quoted}"));
        let drop = Some(format!("ALTER PUBLICATION {quoted} DROP TABLE ONLY {qualified}"));
        let needs = vec![Address::new(class::PUBLICATION, row.get("prpubid")?)];
        Ok(Draft { of: Some(Address::new(class::CLASS, row.get("prrelid")?)), needs, drop, ..draft }.made_by(vec![add]))
    };
    rows.iter().map(draft).collect()
}

async fn read_published_schemas(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = "SELECT r.oid, r.pnpubid, r.pnnspid, p.pubname::text AS publication, n.nspname::text AS schema \
         FROM pg_catalog.pg_publication_namespace r JOIN pg_catalog.pg_publication p ON p.oid = r.pnpubid \
         JOIN pg_catalog.pg_namespace n ON n.oid = r.pnnspid";
    let rows = reader.rows("published schemas", sql).await?;
    let draft = |row: &Row| -> Result<_> {
        let (schema, publication): (&str, &str) = (row.get("schema")?, row.get("publication")?);
        let (quoted, quoted_schema) = (ident::quote(publication), ident::quote(schema));
        let address = Address::new(class::PUBLICATION_NAMESPACE, row.get("oid")?);
        let name = format!("{publication} {schema}");
        let draft = Draft::new(address, ObjectKind::PublicationSchema, Some(schema), &name, format!("PUBLICATION {quoted}"));
        let drop = Some(format!("ALTER PUBLICATION {quoted} DROP TABLES IN SCHEMA {quoted_schema}"));
        let needs = vec![Address::new(class::PUBLICATION, row.get("pnpubid")?), Address::new(class::NAMESPACE, row.get("pnnspid")?)];
        Ok(Draft { drop, needs, ..draft }.made_by(vec![format!("ALTER PUBLICATION {quoted} ADD TABLES IN SCHEMA {quoted_schema}")]))
    };
    rows.iter().map(draft).collect()
}

/// The condition that a subscription `s` is this database's: the catalog is shared by all.
const HERE: &str = "s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())";

/// Reads the subscriptions, as only a superuser can; for everybody else they are named.
pub(super) async fn read_subscriptions(reader: &Reader<'_>) -> Result<(Vec<Draft>, Vec<NotCarried>)> {
    let is_superuser = reader.rows("the role", "SELECT pg_catalog.current_setting('is_superuser') = 'on'").await?;
    let is_superuser: bool = is_superuser.first().map_or(Ok(false), |row| row.get(0))?;
    if !is_superuser {
        let sql = format!("SELECT pg_catalog.quote_ident(s.subname) FROM pg_catalog.pg_subscription s WHERE {HERE} ORDER BY 1");
        let rows = reader.rows("subscriptions", &sql).await?;
        let reason = "only a superuser can read it";
        let named = |row: &Row| Ok(NotCarried { kind: "subscription".to_owned(), name: row.get(0)?, reason: reason.to_owned() });
        return Ok((Vec::new(), rows.iter().map(named).collect::<Result<_>>()?));
    }
    // A row as JSON tells what this server has of the options that came one by one.
    let sql = format!(
        "SELECT s.oid, s.subname::text AS name, pg_catalog.pg_get_userbyid(s.subowner)::text AS owner, s.subconninfo AS connection, \
           s.subslotname::text AS slot, s.subpublications AS publications, pg_catalog.to_jsonb(s) ->> 'subbinary' AS subbinary, \
           pg_catalog.to_jsonb(s) ->> 'substream' AS substream, pg_catalog.to_jsonb(s) ->> 'subtwophasestate' AS subtwophasestate, \
           pg_catalog.to_jsonb(s) ->> 'subdisableonerr' AS subdisableonerr, pg_catalog.to_jsonb(s) ->> 'subpasswordrequired' AS subpasswordrequired, \
           pg_catalog.to_jsonb(s) ->> 'subrunasowner' AS subrunasowner, pg_catalog.to_jsonb(s) ->> 'subfailover' AS subfailover, \
           pg_catalog.to_jsonb(s) ->> 'subretaindeadtuples' AS subretaindeadtuples, pg_catalog.to_jsonb(s) ->> 'subsynccommit' AS subsynccommit, \
           pg_catalog.to_jsonb(s) ->> 'suborigin' AS suborigin FROM pg_catalog.pg_subscription s WHERE {HERE}"
    );
    let rows = reader.rows("subscriptions", &sql).await?;
    Ok((rows.iter().map(subscription).collect::<Result<_>>()?, Vec::new()))
}

/// It is made without connecting anywhere, and so comes back disabled: what it subscribes to may not even be there.
fn subscription(row: &Row) -> Result<Draft> {
    let name: &str = row.get("name")?;
    let identity = format!("SUBSCRIPTION {}", ident::quote(name));
    let text = |column: &str| -> Result<&str> { Ok(row.get::<_, Option<&str>>(column)?.unwrap_or_default()) };
    let slot = row.get::<_, Option<&str>>("slot")?.map_or_else(|| "NONE".to_owned(), ident::literal);
    let mut options = vec!["connect = false".to_owned(), format!("slot_name = {slot}")];
    let mut add = |condition: bool, option: &str| options.extend(condition.then(|| option.to_owned()));
    add(text("subbinary")? == "true", "binary = true");
    // A boolean before 16, a letter since.
    add(matches!(text("substream")?, "true" | "t"), "streaming = on");
    add(text("substream")? == "p", "streaming = parallel");
    add(matches!(text("subtwophasestate")?, "p" | "e"), "two_phase = on");
    add(text("subdisableonerr")? == "true", "disable_on_error = true");
    add(text("subpasswordrequired")? == "false", "password_required = false");
    add(text("subrunasowner")? == "true", "run_as_owner = true");
    add(text("subfailover")? == "true", "failover = true");
    add(text("subretaindeadtuples")? == "true", "retain_dead_tuples = true");
    if text("subsynccommit")? != "off" {
        options.push(format!("synchronous_commit = {}", ident::literal(text("subsynccommit")?)));
    }
    if !matches!(text("suborigin")?, "" | "any") {
        options.push(format!("origin = {}", ident::literal(text("suborigin")?)));
    }
    let publications: Vec<String> = row.get("publications")?;
    let create = format!(
        "CREATE {identity} CONNECTION {} PUBLICATION {} WITH ({})",
        ident::literal(row.get("connection")?),
        ident::list(publications.iter().map(String::as_str)),
        options.join(", ")
    );
    let address = Address::new(class::SUBSCRIPTION, row.get("oid")?);
    Ok(Draft::new(address, ObjectKind::Subscription, None, name, identity).made_by(vec![create]).owned_by(row.get("owner")?))
}
