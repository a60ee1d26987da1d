//! Fills a Kong database, server-side and fast.

use crate::{Client, Database};

const ROWS: &str = include_str!("seed.sql");

/// From so many consumers on, keys and indexes are dropped first and built again at the end, as a
/// restore does: three times as fast.
const REBUILD_FROM: u64 = 20_000;

/// Writes `consumers` consumers and everything that hangs on them, about 5 rows and 700 bytes of
/// COPY BINARY for each, into a database that [`super::load`] or [`super::load_upgraded`] has
/// filled. The same number writes the same rows.
pub fn seed(database: &Database<'_>, consumers: u64) {
    seed_by(&database.connect_as("postgres"), "public", consumers);
}

/// [`seed`] by a superuser's session, in a schema that [`super::load_by`] has filled.
pub fn seed_by(client: &Client, schema: &str, consumers: u64) {
    super::enter(client, schema);
    // Neither Kong's triggers nor foreign keys are looked at, row by row; rebuilding checks the
    // keys all the same.
    client.execute(
        "SET session_replication_role TO replica; SET synchronous_commit TO off; SET \
         maintenance_work_mem TO '256MB'; SET work_mem TO '64MB'",
    );
    let rebuild = if consumers >= REBUILD_FROM { take_down(client) } else { Vec::new() };
    client.execute(&ROWS.replace("{consumers}", &consumers.to_string()));
    for statement in rebuild {
        client.execute(&statement);
    }
    client.execute("RESET session_replication_role");
    if consumers >= REBUILD_FROM {
        client.execute("VACUUM (ANALYZE)");
    } else {
        client.execute("ANALYZE");
    }
}

/// Drops keys and indexes of the current schema; returns the statements that bring them back: keys,
/// the other indexes, foreign keys.
fn take_down(client: &Client) -> Vec<String> {
    let rows = client.rows(
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
                format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, \
                pg_get_constraintdef(oid)),
                CASE contype WHEN 'f' THEN 3 ELSE 1 END, conname
           FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype IN \
           ('p', 'u', 'f')
         UNION ALL
         SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid), 2, \
         relname
           FROM pg_index JOIN pg_class c ON c.oid = indexrelid
          WHERE relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT FROM \
          pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
         ORDER BY 3, 4",
    );
    let (drops, adds): (Vec<String>, Vec<String>) = rows
        .into_iter()
        .map(|row| (row[0].clone().unwrap_or_default(), row[1].clone().unwrap_or_default()))
        .unzip();
    let drops: Vec<String> = drops.into_iter().rev().collect();
    client.execute(&drops.join(";\n"));
    adds
}
