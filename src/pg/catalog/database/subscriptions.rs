//! Subscriptions. Each is made without connecting anywhere, and so comes back disabled: what it
//! subscribes to may not even be there.

use crate::archive::manifest::{NotCarried, ObjectKind};
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::reader::{Reader, present};
use crate::pg::row::Row;
use crate::sql::ident;

/// The condition that a subscription `s` is this database's: the catalog is shared by all.
const HERE: &str = "s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = \
    pg_catalog.current_database())";

/// Writes an option from what its column holds; nothing where that is the default of every server.
type Write = fn(&str) -> Option<String>;

/// The columns that options stand in.
const OPTIONS: &[(&str, Write)] = &[
    ("subbinary", |value| (value == "true").then(|| "binary = true".to_owned())),
    // A boolean before 16, a letter since. It is always written: off is the default up to 17,
    // parallel since 18.
    ("substream", |value| match value {
        "t" | "true" => Some("streaming = on".to_owned()),
        "p" => Some("streaming = parallel".to_owned()),
        _ => Some("streaming = off".to_owned()),
    }),
    ("subtwophasestate", |value| matches!(value, "p" | "e").then(|| "two_phase = on".to_owned())),
    ("subdisableonerr", |value| (value == "true").then(|| "disable_on_error = true".to_owned())),
    ("subpasswordrequired", |value| {
        (value == "false").then(|| "password_required = false".to_owned())
    }),
    // Always written: before 16 the owner applied all changes.
    ("subrunasowner", |value| Some(format!("run_as_owner = {value}"))),
    ("subfailover", |value| (value == "true").then(|| "failover = true".to_owned())),
    ("subretaindeadtuples", |value| {
        (value == "true").then(|| "retain_dead_tuples = true".to_owned())
    }),
    // It takes no quotes.
    ("submaxretention", |value| {
        value
            .parse::<i64>()
            .ok()
            .filter(|n| *n != 0)
            .map(|n| format!("max_retention_duration = {n}"))
    }),
    ("subwalrcvtimeout", |value| {
        (value != "-1").then(|| format!("wal_receiver_timeout = {}", ident::literal(value)))
    }),
    ("subsynccommit", |value| {
        (value != "off").then(|| format!("synchronous_commit = {}", ident::literal(value)))
    }),
    ("suborigin", |value| (value != "any").then(|| format!("origin = {}", ident::literal(value)))),
];

/// Reads the subscriptions, as only a superuser can; for everybody else they are named.
pub(in crate::pg::catalog) async fn read(
    reader: &Reader<'_>,
) -> Result<(Vec<Draft>, Vec<NotCarried>)> {
    let is_superuser =
        reader.rows("the role", "SELECT pg_catalog.current_setting('is_superuser') = 'on'").await?;
    let is_superuser: bool = is_superuser.first().map_or(Ok(false), |row| row.get(0))?;
    if !is_superuser {
        let sql = format!(
            "SELECT pg_catalog.quote_ident(s.subname) FROM pg_catalog.pg_subscription s WHERE \
             {HERE} ORDER BY 1"
        );
        let rows = reader.rows("subscriptions", &sql).await?;
        let reason = "only a superuser can read it";
        let named = |row: &Row| {
            Ok(NotCarried {
                kind: "subscription".to_owned(),
                name: row.get(0)?,
                reason: reason.to_owned(),
            })
        };
        return Ok((Vec::new(), rows.iter().map(named).collect::<Result<_>>()?));
    }
    // A row as JSON tells what this server has of the options that came one by one.
    let options: Vec<String> = OPTIONS
        .iter()
        .map(|(column, _)| format!("pg_catalog.to_jsonb(s) ->> '{column}' AS {column}"))
        .collect();
    let (server, join) = if reader.features.has("pg_subscription", "subserver") {
        ("f.srvname::text", "LEFT JOIN pg_catalog.pg_foreign_server f ON f.oid = s.subserver")
    } else {
        ("NULL::text", "")
    };
    let sql = format!(
        "SELECT s.oid, s.subname::text AS name, pg_catalog.pg_get_userbyid(s.subowner)::text AS \
         owner, s.subconninfo AS connection, \
           {server} AS server, s.subslotname::text AS slot, s.subpublications AS publications, {} \
         FROM pg_catalog.pg_subscription s {join} WHERE {HERE}",
        options.join(", ")
    );
    let rows = reader.rows("subscriptions", &sql).await?;
    Ok((rows.iter().map(subscription).collect::<Result<_>>()?, Vec::new()))
}

fn subscription(row: &Row) -> Result<Draft> {
    let name: &str = row.get("name")?;
    let identity = format!("SUBSCRIPTION {}", ident::quote(name));
    let slot =
        row.get::<_, Option<&str>>("slot")?.map_or_else(|| "NONE".to_owned(), ident::literal);
    let mut options = vec!["connect = false".to_owned(), format!("slot_name = {slot}")];
    for (column, write) in OPTIONS {
        // A server that does not know of streaming does none, and one that does not know who
        // applies changes lets the owner do it.
        let unknown = match *column {
            "substream" => Some("f"),
            "subrunasowner" => Some("true"),
            _ => None,
        };
        options.extend(row.get::<_, Option<&str>>(*column)?.or(unknown).and_then(write));
    }
    let from = match row.get::<_, Option<&str>>("server")? {
        Some(server) => format!("SERVER {}", ident::quote(server)),
        None => {
            format!("CONNECTION {}", ident::literal(present(row, "connection", "subscriptions")?))
        }
    };
    let publications: Vec<String> = row.get("publications")?;
    let publications = ident::list(publications.iter().map(String::as_str));
    let create = format!(
        "CREATE {identity} {from} PUBLICATION {publications} WITH ({})",
        options.join(", ")
    );
    let address = Address::new(class::SUBSCRIPTION, row.get("oid")?);
    Ok(Draft::new(address, ObjectKind::Subscription, None, name, identity)
        .made_by(vec![create])
        .owned_by(row.get("owner")?))
}
