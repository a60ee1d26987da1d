//! Where the data comes from: the server, its version, the database's encoding and collation, the
//! position of its log.

use crate::archive::manifest::Source;
use crate::error::Result;
use crate::pg::session::Session;

/// Describes the database; `snapshot_time` is RFC 3339 in UTC, as the caller took it with the
/// snapshot.
pub async fn source(session: &Session, snapshot_time: String) -> Result<Source> {
    // Columns that not every server has are looked up in the row as JSON.
    let sql = "SELECT pg_catalog.current_setting('server_version') AS version, d.datname::text AS \
        name, \
           pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding, d.datcollate::text AS \
           collate, d.datctype::text AS ctype, \
           coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS provider, \
           pg_catalog.to_jsonb(d) ->> 'datcollversion' AS collation_version, \
           (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE \
           pg_catalog.pg_current_wal_lsn() END)::text AS lsn \
         FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()";
    let row = session.query_one("describe the database", sql).await?;
    Ok(Source {
        tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        server_version: row.get("version")?,
        server_version_num: session.version(),
        database: row.get("name")?,
        encoding: row.get("encoding")?,
        collate: row.get("collate")?,
        ctype: row.get("ctype")?,
        locale_provider: row.get("provider")?,
        collation_version: row.get("collation_version")?,
        snapshot_time,
        snapshot_lsn: row.get("lsn")?,
    })
}
