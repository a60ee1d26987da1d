//! What two databases must have in common: the schema, twice judged, and the rows.
//!
//! Does not know: how a copy was made.

use std::collections::BTreeMap;
use std::process::Command;

use crate::{Client, Database, binaries, quote};

/// The schema in the words of the newest `pg_dump` there is, as a plain script that two equal
/// databases share.
///
/// # Panics
/// If there is no `pg_dump`, or it refuses.
pub fn pg_dump_schema(database: &Database<'_>) -> String {
    let program = binaries::client_tool("pg_dump");
    let help = Command::new(&program).arg("--help").output().expect("pg_dump runs");
    let has_key = String::from_utf8_lossy(&help.stdout).contains("--restrict-key");
    let mut command = Command::new(&program);
    command.args(["-s", "-d", &database.url_as("postgres")]);
    if has_key {
        command.arg("--restrict-key=x");
    }
    let output = command.output().expect("pg_dump runs");
    assert!(
        output.status.success(),
        "{}: {}",
        program.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let script = String::from_utf8_lossy(&output.stdout);
    let lines = script.lines().filter(|line| {
        has_key || !(line.starts_with("\\restrict ") || line.starts_with("\\unrestrict "))
    });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// The schema in this crate's own words: a sorted line for every object, column, privilege and
/// setting that a faithful copy shares, and the state of every sequence. What is only physical
/// (oids, attribute numbers, dropped columns) is left out.
pub fn catalog_fingerprint(database: &Database<'_>) -> String {
    let client = database.connect_as("postgres");
    client.execute(SETTINGS);
    client.execute(HELPERS);

    let mut lines = client.column(FINGERPRINT);
    let sequences = "SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n \
        ON n.oid = relnamespace WHERE relkind = 'S' ORDER BY 1";
    for sequence in client.column(sequences) {
        lines.push(format!(
            "sequence state {sequence} {}",
            client.value(&format!("SELECT ROW(last_value, is_called) FROM {sequence}"))
        ));
    }
    lines.join("\n") + "\n"
}

const FINGERPRINT: &str = include_str!("fingerprint.sql");

/// Lists in an order of their own, roles by name; collations by name on servers without
/// `regcollation`, too.
const HELPERS: &str = "
    CREATE FUNCTION pg_temp.sorted(list text[]) RETURNS jsonb LANGUAGE sql STABLE AS
        $$ SELECT jsonb_agg(e ORDER BY e COLLATE pg_catalog.\"C\") FROM unnest(list) AS e $$;
    CREATE FUNCTION pg_temp.collation_name(oid) RETURNS text LANGUAGE sql STABLE AS
        $$ SELECT format('%I.%I', nspname, collname) FROM pg_catalog.pg_collation l JOIN \
        pg_catalog.pg_namespace n ON n.oid = collnamespace WHERE l.oid = $1 $$;
    CREATE FUNCTION pg_temp.acl(items aclitem[]) RETURNS jsonb LANGUAGE sql STABLE AS
        $$ SELECT jsonb_agg(e ORDER BY e COLLATE pg_catalog.\"C\") FROM (SELECT format('%s by %s: \
        %s%s', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
               grantor::regrole, privilege_type, CASE WHEN is_grantable THEN ' *' ELSE '' END) AS \
               e FROM aclexplode(items)) AS a $$";

/// The number of rows of a table and an order-free hash of them, each row as text of these columns
/// in this order. `table` is quoted by the caller.
pub fn table_digest(database: &Database<'_>, table: &str, columns: &[&str]) -> (u64, String) {
    let client = database.connect_as("postgres");
    client.execute(SETTINGS);
    digest(&client, table, columns)
}

/// [`table_digest`] of every table that holds rows, under its qualified name; columns in the order
/// of their names.
pub fn database_digest(database: &Database<'_>) -> BTreeMap<String, (u64, String)> {
    digests_by(&database.connect_as("postgres"))
}

/// [`database_digest`] by an open session, whose settings it changes.
pub fn digests_by(client: &Client) -> BTreeMap<String, (u64, String)> {
    client.execute(SETTINGS);
    let mut digests = BTreeMap::new();
    for row in client.rows(TABLES) {
        let [Some(table), columns] = row.as_slice() else {
            unreachable!("the query has two columns")
        };
        let columns: Vec<&str> =
            columns.as_deref().map_or_else(Vec::new, |columns| columns.split('\u{1}').collect());
        digests.insert(table.clone(), digest(client, table, &columns));
    }
    digests
}

fn digest(client: &Client, table: &str, columns: &[&str]) -> (u64, String) {
    let columns: Vec<String> = columns.iter().map(|name| quote(name)).collect();
    let sql = format!(
        "SELECT count(*), coalesce(sum(hashtextextended(ROW({})::text, 0)::numeric), 0) FROM ONLY {table}",
        columns.join(", ")
    );
    let rows = client.rows(&sql);
    let [Some(count), Some(hash)] = rows[0].as_slice() else {
        unreachable!("neither is ever NULL")
    };
    (count.parse().expect("a count"), hash.clone())
}

/// Values print alike whatever the roles' and databases' settings are.
const SETTINGS: &str = "SET search_path TO ''; SET TimeZone TO 'UTC'; SET DateStyle TO 'ISO, YMD'; \
    SET IntervalStyle TO postgres; \
    SET extra_float_digits TO 3; SET bytea_output TO hex; SET statement_timeout TO 0; SET \
    row_security TO off; SET lc_monetary TO 'C'";

const TABLES: &str = "
    SELECT format('%I.%I', n.nspname, c.relname),
           (SELECT string_agg(a.attname, E'\\x01' ORDER BY a.attname COLLATE \"C\")
              FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT \
              a.attisdropped)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND c.relpersistence <> 't' AND n.nspname \
     !~ '^pg_' AND n.nspname <> 'information_schema'";
