//! Parts of a database: what was asked for comes, with what it needs; what cannot come with it is named.

use testkit::{Database, kong};

use crate::pair::{Pair, contents};
use crate::support;

const SETUP: &str = "
    CREATE SCHEMA one; CREATE SCHEMA two;
    CREATE TABLE one.parent (id serial PRIMARY KEY, name text UNIQUE);
    CREATE TABLE one.child (id integer PRIMARY KEY, parent_id integer REFERENCES one.parent, note text);
    CREATE INDEX child_note ON one.child (note);
    CREATE FUNCTION one.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := NEW.note || ''!''; RETURN NEW; END';
    CREATE FUNCTION one.unneeded() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    INSERT INTO one.parent (name) VALUES ('a'), ('b'); INSERT INTO one.child VALUES (1, 1, 'x'), (2, 2, 'y');
    CREATE TRIGGER stamp BEFORE INSERT ON one.child FOR EACH ROW EXECUTE FUNCTION one.stamp();
    CREATE TABLE two.alone (a integer); INSERT INTO two.alone VALUES (1), (2), (3);
    CREATE TABLE two.\"Mixed Case\" (a integer); INSERT INTO two.\"Mixed Case\" VALUES (4);
    CREATE TABLE log_1 (a integer); CREATE TABLE log_2 (a integer); INSERT INTO log_1 VALUES (5); INSERT INTO log_2 VALUES (6);";

/// The tables of a database with their rows, and its functions.
fn holds(database: &Database<'_>) -> Vec<String> {
    let tables = testkit::database_digest(database).into_iter().map(|(name, (rows, _))| format!("{name} {rows}"));
    let functions = database.column("SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.oid >= 16384");
    let mut all: Vec<String> = tables.chain(functions).collect();
    all.sort();
    all
}

/// Dumps everything, and with the arguments; restores the first with the arguments and the second without. Both must give `expect`.
#[track_caller]
fn check(arguments: &[&str], code: i32, prepare: &str, expect: &[&str]) {
    let pair = Pair::new(SETUP);
    let part = pair.path("part.sbk");
    let dumped = support::dump(&pair.source, &part).args(arguments).run().expect(code);
    if code == 10 {
        dumped.says("parent");
    }
    support::verify(&part).run().expect(0);
    let by_dump = testkit::newest_server().database_of(&pair.owner, "by_dump");
    by_dump.connect().execute(prepare);
    // What the archive does not hold is named again.
    support::restore(&part, &by_dump).run().expect(code);
    assert_eq!(holds(&by_dump), expect, "dump {arguments:?}");
    support::dump(&pair.source, &pair.file()).run().expect(0);
    pair.copy.connect().execute(prepare);
    pair.restore().args(arguments).run().expect(code);
    assert_eq!(holds(&pair.copy), expect, "restore {arguments:?}");
    support::assert_same_schema(&by_dump, &pair.copy);
}

#[test]
fn a_table_brings_what_it_needs() {
    let child = ["one.child 2", "one.stamp()"];
    check(&["-t", "one.child"], 10, "CREATE SCHEMA one", &child);
    check(&["-t", "one.parent", "-t", "child"], 0, "CREATE SCHEMA one", &["one.child 2", "one.parent 2", "one.stamp()"]);
    check(&["-t", "log_*"], 0, "", &["public.log_1 1", "public.log_2 1"]);
    check(&["-t", "two.\"Mixed Case\""], 0, "CREATE SCHEMA two", &["two.\"Mixed Case\" 1"]);
}

#[test]
fn what_a_table_brings_is_the_same_in_the_copy() {
    let pair = Pair::new(SETUP);
    pair.dump().args(["-t", "one.parent", "-t", "one.child"]).run().expect(0);
    pair.copy.connect().execute("CREATE SCHEMA one");
    pair.restore().run().expect(0);
    let parts = "SELECT conname FROM pg_constraint WHERE conrelid <> 0 AND connamespace = 'one'::regnamespace UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT c.oid::regclass::text FROM pg_class c WHERE relkind IN ('i', 'S') AND relnamespace = 'one'::regnamespace ORDER BY 1";
    assert_eq!(pair.copy.column(parts), pair.source.column(parts));
    assert_eq!(pair.copy.value("SELECT nextval('one.parent_id_seq')"), "3");
}

#[test]
fn tables_and_schemas_are_left_out() {
    let both = ["one.child 2", "one.parent 2", "one.stamp()", "one.unneeded()"];
    check(&["-T", "log_?", "-T", "two.*"], 0, "", &both);
    check(&["-n", "one"], 0, "", &both);
    check(&["-N", "two", "-T", "public.log_1"], 0, "", &[&both[..3], &["one.unneeded()", "public.log_2 1"]].concat());
    check(&["-T", "one.parent", "-N", "two", "-N", "public"], 10, "", &["one.child 2", "one.stamp()", "one.unneeded()"]);
    let without_rows = ["one.child 0", "one.parent 2", "one.stamp()", "one.unneeded()"];
    check(&["-n", "one", "--exclude-table-data", "one.ch*"], 0, "", &without_rows);
}

#[test]
fn a_name_that_nothing_has_is_refused() {
    let pair = Pair::new(SETUP);
    pair.dump().args(["-t", "no_such_table"]).run().expect(6).says("no_such_table");
    assert!(!pair.file().exists());
    pair.dump().args(["-n", "no_such_schema"]).run().expect(6).says("no_such_schema");
    pair.dump().run().expect(0);
    pair.restore().args(["-t", "no_such_table"]).run().expect(6).says("no_such_table");
    assert!(holds(&pair.copy).is_empty());
}

#[test]
fn schema_only_and_data_only_make_the_whole() {
    for version in testkit::versions() {
        let pair = Pair::on(testkit::server(version), "");
        kong::load_upgraded(&pair.source);
        kong::seed(&pair.source, 500);
        let (schema, data) = (pair.path("schema.sbk"), pair.path("data.sbk"));
        support::dump(&pair.source, &schema).arg("-s").run().expect(0);
        assert!(contents(&schema).is_empty());
        support::dump(&pair.source, &data).arg("-a").run().expect(0);
        support::restore(&schema, &pair.copy).run().expect(0);
        let schemas = [&pair.source, &pair.copy].map(testkit::pg_dump_schema);
        support::assert_same_lines("pg_dump -s", &schemas[0], &schemas[1]);
        assert_eq!(pair.copy.value("SELECT count(*) FROM consumers"), "0");
        support::restore(&data, &pair.copy).run().expect(0);
        support::assert_same(&pair.source, &pair.copy);
        // Not a second time: the tables are no longer empty.
        support::restore(&data, &pair.copy).run().expect(6).says("consumers");
        support::assert_same(&pair.source, &pair.copy);
    }
}

#[test]
fn a_whole_archive_is_restored_in_halves() {
    let pair = Pair::new("");
    kong::load(&pair.source);
    kong::seed(&pair.source, 300);
    pair.dump().run().expect(0);
    pair.restore().arg("-s").run().expect(0);
    assert_eq!(pair.copy.value("SELECT count(*) FROM schema_meta"), "0");
    pair.restore().arg("--data-only").run().expect(0);
    pair.assert_same();
}

#[test]
fn rows_are_not_loaded_into_a_table_of_another_shape() {
    let pair = Pair::new("CREATE TABLE t (a integer, b text); INSERT INTO t VALUES (1, 'x')");
    pair.dump().arg("-a").run().expect(0);
    pair.restore().run().expect(6).says("public.t");
    for shape in ["a integer", "a integer, c text", "a bigint, b text", "a integer, b text, extra integer"] {
        pair.copy.connect().execute(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t ({shape})"));
        pair.restore().run().expect(6).says("public.t");
        assert_eq!(pair.copy.value("SELECT count(*) FROM t"), "0");
    }
    pair.copy.connect().execute("DROP TABLE t; CREATE TABLE t (b text, a integer)");
    pair.restore().run().expect(0);
    assert_eq!(pair.copy.rows("SELECT a, b FROM t"), [[Some("1".to_owned()), Some("x".to_owned())]]);
}

#[test]
fn rows_whose_parents_stay_empty_are_refused_before_anything_happens() {
    for version in testkit::versions() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child (id integer PRIMARY KEY, p integer NOT NULL REFERENCES parent);
             CREATE TABLE root (id integer PRIMARY KEY, p integer NOT NULL REFERENCES parent) PARTITION BY LIST (id); CREATE TABLE leaf PARTITION OF root DEFAULT; CREATE TABLE to_root (r integer NOT NULL REFERENCES root);
             CREATE TABLE nobody (id integer PRIMARY KEY); CREATE TABLE of_nobody (n integer REFERENCES nobody);
             INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1); INSERT INTO root VALUES (1, 1); INSERT INTO to_root VALUES (1); INSERT INTO of_nobody VALUES (NULL)",
        );
        pair.dump().run().expect(0);
        pair.restore().arg("-s").run().expect(0);
        let alone = |tables: &[&str]| pair.restore().arg("-a").args(tables.iter().flat_map(|table| ["-t", table]));
        alone(&["child"]).run().expect(6).says("table public.child refers by its foreign key").says("to table public.parent, which is empty");
        alone(&["leaf", "to_root"]).run().expect(6).says("table public.leaf refers by its foreign key").says("to table public.parent");
        alone(&["to_root"]).run().expect(6).says("table public.to_root refers by its foreign key").says("to table public.root");
        assert_eq!(pair.copy.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'silverback_restore'"), "0");
        alone(&["of_nobody"]).run().expect(0);
        alone(&["parent", "root", "leaf", "to_root"]).run().expect(0);
        // By now the parent has rows.
        alone(&["child"]).run().expect(0);
        pair.assert_same();
    }
}

#[test]
fn rows_alone_want_the_right_to_insert() {
    let pair = Pair::new("CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (a) STORED, c integer); INSERT INTO t VALUES (1)");
    pair.dump().run().expect(0);
    pair.restore().arg("-s").run().expect(0);
    let owner = pair.copy.connect();
    let set = |sql: &str| owner.execute(&sql.replace("{me}", &testkit::quote(pair.owner.name())));
    for taken in ["INSERT", "SELECT", "UPDATE, DELETE, TRUNCATE", "ALL"] {
        set(&format!("GRANT ALL ON t TO {{me}}; REVOKE {taken} ON t FROM {{me}}"));
        pair.restore().arg("-a").run().expect(6).says("this role may not read, lock and fill table public.t");
    }
    set("GRANT SELECT (a), INSERT, DELETE ON t TO {me}");
    pair.restore().arg("-a").run().expect(0);
    assert_eq!(pair.copy.value("SELECT b FROM t"), "1");
}
