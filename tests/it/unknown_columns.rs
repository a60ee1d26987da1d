//! Columns that came after this program: what a user's objects hold in them is named, never lost in
//! silence.

use std::collections::BTreeSet;

use silverback::pg::catalog::{self, KnownColumns, UnknownColumns, known_columns};
use silverback::pg::connect::Server;
use silverback::pg::session::Purpose;
use silverback::pg::settings::Transaction;
use testkit::{Database, Role, block_on, zoo};

use crate::support::{dump, restore, temp_dir};
use crate::zoo_b;

/// Columns as a later version might add them: of a catalog without rows of `initdb`'s; of one where
/// those agree; of one where they do not; and one that nobody uses. The extension's casts hold what
/// the user's hold.
const LATER: &str = "SET allow_system_table_mods = on; \
    ALTER TABLE pg_catalog.pg_policy ADD COLUMN polnew boolean NOT NULL DEFAULT false; UPDATE \
    pg_policy SET polnew = polname <> 'p0'; \
    ALTER TABLE pg_catalog.pg_cast ADD COLUMN castnew int NOT NULL DEFAULT 7; UPDATE pg_cast SET \
    castnew = 8 WHERE oid >= 16384; \
    ALTER TABLE pg_catalog.pg_collation ADD COLUMN collnew oid; UPDATE pg_collation SET collnew = \
    oid; \
    ALTER TABLE pg_catalog.pg_opfamily ADD COLUMN opfnew text DEFAULT 'as ever'";

#[test]
fn what_is_in_a_column_that_came_later_is_named() {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let (source, copy) = (server.database("later"), server.database("copy"));
        source.execute(
            "CREATE EXTENSION citext; CREATE TABLE t (a int); CREATE TYPE mood AS ENUM ('sad'); \
             CREATE FUNCTION feel(int) RETURNS mood LANGUAGE sql AS 'SELECT ''sad''::mood'; CREATE \
             CAST (int AS mood) WITH FUNCTION feel(int); \
             CREATE POLICY p0 ON t; CREATE POLICY p1 ON t; CREATE POLICY p2 ON t; CREATE POLICY p3 \
             ON t; CREATE POLICY p4 ON t",
        );
        source.execute(LATER);
        let folder = temp_dir();
        let file = folder.path().join("later.sbk");
        let told = dump(&source, &file).run().expect(10);
        let told = told
            .says(
                "catalog column pg_cast.castnew: this version does not know it, and 1 object \
                 uses it: (integer AS public.mood)\n",
            )
            .says(
                "catalog column pg_policy.polnew: this version does not know it, and 4 objects \
                 use it: p1 on public.t, p2 on public.t, p3 on public.t, …\n",
            )
            .says("taken for the server's own bookkeeping: pg_collation.collnew\n");
        assert!(!told.stderr.contains("opfnew"), "{}", told.stderr);
        restore(&file, &copy).run().expect(10).says("pg_policy.polnew");
    }
}

#[test]
fn a_column_that_may_not_be_read_is_named_too() {
    let server = testkit::newest_server();
    let role = server.role("plain");
    let source = server.database_of(&role, "revoked");
    source.execute(LATER);
    source.connect().execute("CREATE TABLE t (a int); CREATE POLICY p1 ON t");
    source.execute(
        "UPDATE pg_policy SET polnew = true; REVOKE SELECT ON pg_opfamily FROM PUBLIC; \
         GRANT SELECT (oid, opfmethod, opfname, opfnamespace, opfowner) ON pg_opfamily TO PUBLIC",
    );
    let folder = temp_dir();
    let told = dump(&source, &folder.path().join("revoked.sbk")).run().expect(10);
    told.says("pg_policy.polnew").says("this role may not read them: pg_opfamily.opfnew\n");
}

/// Nothing known: what is found of each column does not depend on the others, so that one reading
/// takes each out in turn.
fn nothing_known() -> KnownColumns {
    known_columns().into_keys().map(|catalog| (catalog, BTreeSet::new())).collect()
}

fn find(database: &Database<'_>, known: &KnownColumns) -> UnknownColumns {
    let (url, known) = (database.url(), known.clone());
    block_on(async move {
        let server = Server::from_conninfo(&url).expect("the URL is good");
        let session =
            server.open(Purpose::Dump(&Transaction::default())).await.expect("the server is there");
        catalog::unknown_columns(&session, &known).await.expect("the catalogs can be read")
    })
}

/// Every kind of object, in as few databases as their names allow.
fn kinds(databases: &[Database<'_>; 2], version: u32, owner: &Role<'_>, reader: &Role<'_>) {
    let for_version = |script: &str| zoo::for_version(script, version);
    let first =
        [zoo::TYPES, zoo::ROUTINES, zoo::OPERATORS, zoo::SEARCH, zoo::CYCLES].map(for_version);
    let tables = include_str!("zoo/tables.sql").replace("{group}", owner.name());
    let scripts = first
        .into_iter()
        .map(|script| (0, script))
        .chain([(1, for_version(zoo::VALUES)), (1, tables)]);
    for (at, script) in scripts
        .chain(zoo_b::SCRIPTS.iter().map(|(at, script)| (*at, zoo_b::for_version(script, version))))
    {
        databases[at]
            .execute(&script.replace("{owner}", owner.name()).replace("{reader}", reader.name()));
    }
    let name = databases[1].name();
    let properties = format!(
        "ALTER DATABASE \"{name}\" SET work_mem = '5MB'; ALTER DATABASE \"{name}\" CONNECTION \
         LIMIT 7; COMMENT ON DATABASE \"{name}\" IS 'c'"
    );
    databases[1].execute(&properties);
}

#[test]
fn each_known_column_is_missed_if_it_is_taken_out() {
    for version in testkit::versions()
        .into_iter()
        .filter(|version| *version >= 18 || *version == testkit::newest())
    {
        let server = testkit::server(version);
        let empty = server.database("empty");
        let found = find(&empty, &nothing_known());
        assert_eq!(found.used, [], "PostgreSQL {version}: an empty database uses nothing");
        let (owner, reader) = (server.role("owner"), server.role("reader"));
        let databases = [server.database("kinds"), server.database("values")];
        kinds(&databases, version, &owner, &reader);
        let found = [0, 1].map(|at| find(&databases[at], &nothing_known()));
        let mut used_by_any = BTreeSet::new();
        for (database, found) in databases.iter().zip(&found) {
            assert_eq!(found.unreadable, [] as [String; 0]);
            let used: BTreeSet<String> = found.used.iter().map(|used| used.name.clone()).collect();
            let bookkeeping: BTreeSet<String> = found.bookkeeping.iter().cloned().collect();
            let (expected_used, expected_bookkeeping) = judged(database);
            assert_eq!(
                bookkeeping, expected_bookkeeping,
                "PostgreSQL {version}: initdb's rows differ among themselves"
            );
            assert_eq!(
                used, expected_used,
                "PostgreSQL {version}: initdb's rows agree, and other rows hold something else"
            );
            used_by_any.extend(used);
        }
        assert!(
            used_by_any.len() > 150,
            "PostgreSQL {version}: these databases use only {used_by_any:#?}"
        );
        // Each of them alone gives what it gives among the others.
        for column in [
            "pg_class.relreplident",
            "pg_proc.proleakproof",
            "pg_foreign_table.ftoptions",
            "pg_attribute.attidentity",
        ] {
            let (catalog, name) = column.split_once('.').expect("two parts");
            let mut known = known_columns();
            assert!(known.get_mut(catalog).is_some_and(|columns| columns.remove(name)), "{column}");
            let alone = find(&databases[0], &known);
            let of = |found: &UnknownColumns| {
                found.used.iter().find(|used| used.name == column).cloned()
            };
            assert_eq!(of(&alone), of(&found[0]), "PostgreSQL {version}: {column}");
            assert_eq!(
                alone.bookkeeping.contains(&column.to_owned()),
                found[0].bookkeeping.contains(&column.to_owned())
            );
        }
    }
}

/// Which columns of the known catalogs users' objects use, and which are bookkeeping, said anew in
/// plain words.
fn judged(database: &Database<'_>) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut used, mut bookkeeping) = (BTreeSet::new(), BTreeSet::new());
    let client = database.connect_as("postgres");
    for catalog in known_columns().into_keys() {
        let columns = format!(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('pg_catalog.{catalog}') \
             AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        );
        let columns = client.column(&columns);
        let Some(first) = columns.first() else { continue };
        let (of_initdb, of_users) = whose(&catalog, first);
        let values = columns
            .iter()
            .map(|column| {
                format!("count(DISTINCT coalesce({column}::text, '~')), min({column}::text)")
            })
            .collect::<Vec<_>>();
        let values = client
            .rows(&format!(
                "SELECT {} FROM pg_catalog.{catalog} WHERE {of_initdb}",
                values.join(", ")
            ))
            .swap_remove(0);
        let other =
            |(at, column): (usize, &String)| match (values[at * 2].as_deref(), &values[at * 2 + 1])
            {
                (Some("0"), _) => format!(
                    "bool_or({column}::text NOT IN ('', '0', '0/0', 'false', '{{}}', '-', '-1'))"
                ),
                (Some("1"), None) => format!("bool_or({column} IS NOT NULL)"),
                (Some("1"), Some(value)) => {
                    format!("bool_or({column} IS NULL OR {column}::text <> $v${value}$v$)")
                }
                _ => "bool_or(false)".to_owned(),
            };
        let others: Vec<String> = columns.iter().enumerate().map(other).collect();
        let others = client
            .rows(&format!(
                "SELECT {} FROM pg_catalog.{catalog} WHERE {of_users}",
                others.join(", ")
            ))
            .swap_remove(0);
        for (at, column) in columns.iter().enumerate() {
            if !matches!(values[at * 2].as_deref(), Some("0" | "1")) {
                bookkeeping.insert(format!("{catalog}.{column}"));
            }
            if others[at].as_deref() == Some("t") {
                used.insert(format!("{catalog}.{column}"));
            }
        }
    }
    (used, bookkeeping)
}

/// The conditions that a catalog's row is `initdb`'s, and a user's.
fn whose(catalog: &str, first_column: &str) -> (String, String) {
    let here = "(SELECT oid FROM pg_database WHERE datname = current_database())";
    let relations = "(SELECT oid FROM pg_class WHERE oid >= 16384 AND relnamespace <> 99)";
    let (of_initdb, of_users) = match catalog {
        "pg_database" => (format!("oid <> {here} AND oid < 16384"), format!("oid = {here}")),
        "pg_db_role_setting" | "pg_shdescription" | "pg_shseclabel" => (
            format!("{first_column} BETWEEN 1 AND 16383 AND {first_column} <> {here}"),
            format!("{first_column} = {here}"),
        ),
        "pg_enum" => ("enumtypid < 16384".to_owned(), "enumtypid >= 16384".to_owned()),
        "pg_attrdef" => ("adrelid < 16384".to_owned(), "adrelid >= 16384".to_owned()),
        "pg_trigger" => ("oid < 16384".to_owned(), "oid >= 16384 AND NOT tgisinternal".to_owned()),
        "pg_attribute" => (
            "attrelid < 16384".to_owned(),
            format!("attnum > 0 AND NOT attisdropped AND attrelid IN {relations}"),
        ),
        "pg_class" | "pg_index" => {
            (format!("{first_column} < 16384"), format!("{first_column} IN {relations}"))
        }
        "pg_subscription" => ("false".to_owned(), format!("subdbid = {here}")),
        _ => (format!("{first_column}::oid < 16384"), format!("{first_column}::oid >= 16384")),
    };
    (of_initdb, of_users)
}
