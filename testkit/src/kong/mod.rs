//! A Kong Gateway database: its schema, fresh or grown by upgrades, and as much awkward data as is
//! asked for.

mod seed;

use crate::{Client, Database};

pub use seed::{seed, seed_by};

const SCHEMA: &str = include_str!("schema.sql");
const UPGRADED: &str = include_str!("upgraded.sql");

/// Loads the schema of a fresh Kong 3.9 into `public`, as the database's owner.
pub fn load(database: &Database<'_>) {
    load_by(&database.connect(), "public");
}

/// Loads the schema of a Kong 3.9 that was upgraded from 1.x, as the database's owner: other column
/// orders, dropped columns, leftovers.
pub fn load_upgraded(database: &Database<'_>) {
    load_upgraded_by(&database.connect(), "public");
}

/// [`load`] into a schema that exists, by an open session, whose `search_path` it sets.
pub fn load_by(client: &Client, schema: &str) {
    enter(client, schema);
    client.execute(SCHEMA);
}

/// [`load_upgraded`] into a schema that exists, by an open session, whose `search_path` it sets.
pub fn load_upgraded_by(client: &Client, schema: &str) {
    enter(client, schema);
    client.execute(UPGRADED);
    client.execute(SCHEMA);
}

fn enter(client: &Client, schema: &str) {
    client.execute(&format!(
        "SET search_path TO {}; SET TimeZone TO 'UTC'; SET client_min_messages TO warning",
        crate::quote(schema)
    ));
}
