//! Parts of a database: what was asked for comes, with what it needs; what cannot come with it is
//! named.

use testkit::{Database, kong};

use crate::pair::{Pair, contents};
use crate::support::{self, Silverback};

const SETUP: &str = "
    CREATE SCHEMA one; CREATE SCHEMA two;
    CREATE TABLE one.parent (id serial PRIMARY KEY, name text UNIQUE);
    CREATE TABLE one.child (id integer PRIMARY KEY, parent_id integer REFERENCES one.parent, note \
    text);
    CREATE INDEX child_note ON one.child (note);
    CREATE FUNCTION one.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := NEW.note || \
    ''!''; RETURN NEW; END';
    CREATE FUNCTION one.unneeded() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    INSERT INTO one.parent (name) VALUES ('a'), ('b'); INSERT INTO one.child VALUES (1, 1, 'x'), \
    (2, 2, 'y');
    CREATE TRIGGER stamp BEFORE INSERT ON one.child FOR EACH ROW EXECUTE FUNCTION one.stamp();
    CREATE TABLE two.alone (a integer); INSERT INTO two.alone VALUES (1), (2), (3);
    CREATE TABLE two.\"Mixed Case\" (a integer); INSERT INTO two.\"Mixed Case\" VALUES (4);
    CREATE TABLE log_1 (a integer); CREATE TABLE log_2 (a integer); INSERT INTO log_1 VALUES (5); \
    INSERT INTO log_2 VALUES (6);";

/// The tables of a database with their rows, and its functions.
fn holds(database: &Database<'_>) -> Vec<String> {
    let tables = testkit::database_digest(database)
        .into_iter()
        .map(|(name, (rows, _))| format!("{name} {rows}"));
    let functions =
        database.column("SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.oid >= 16384");
    let mut all: Vec<String> = tables.chain(functions).collect();
    all.sort();
    all
}

/// Dumps everything, and with the arguments; restores the first with the arguments and the second
/// without. Both must give `expect`.
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
    check(
        &["-t", "one.parent", "-t", "child"],
        0,
        "CREATE SCHEMA one",
        &["one.child 2", "one.parent 2", "one.stamp()"],
    );
    check(&["-t", "log_*"], 0, "", &["public.log_1 1", "public.log_2 1"]);
    check(&["-t", "two.\"Mixed Case\""], 0, "CREATE SCHEMA two", &["two.\"Mixed Case\" 1"]);
}

#[test]
fn what_a_table_brings_is_the_same_in_the_copy() {
    let pair = Pair::new(SETUP);
    pair.dump().args(["-t", "one.parent", "-t", "one.child"]).run().expect(0);
    pair.copy.connect().execute("CREATE SCHEMA one");
    pair.restore().run().expect(0);
    let parts = "SELECT conname FROM pg_constraint WHERE conrelid <> 0 AND connamespace = \
        'one'::regnamespace UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT c.oid::regclass::text FROM pg_class c WHERE relkind IN ('i', 'S') AND \
        relnamespace = 'one'::regnamespace ORDER BY 1";
    assert_eq!(pair.copy.column(parts), pair.source.column(parts));
    assert_eq!(pair.copy.value("SELECT nextval('one.parent_id_seq')"), "3");
}

#[test]
fn tables_and_schemas_are_left_out() {
    let both = ["one.child 2", "one.parent 2", "one.stamp()", "one.unneeded()"];
    check(&["-T", "log_?", "-T", "two.*"], 0, "", &both);
    check(&["-n", "one"], 0, "", &both);
    check(
        &["-N", "two", "-T", "public.log_1"],
        0,
        "",
        &[&both[..3], &["one.unneeded()", "public.log_2 1"]].concat(),
    );
    check(
        &["-T", "one.parent", "-N", "two", "-N", "public"],
        10,
        "",
        &["one.child 2", "one.stamp()", "one.unneeded()"],
    );
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
    for version in support::ends() {
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
    for shape in
        ["a integer", "a integer, c text", "a bigint, b text", "a integer, b text, extra integer"]
    {
        pair.copy.connect().execute(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t ({shape})"));
        pair.restore().run().expect(6).says("public.t");
        assert_eq!(pair.copy.value("SELECT count(*) FROM t"), "0");
    }
    pair.copy.connect().execute("DROP TABLE t; CREATE TABLE t (b text, a integer)");
    pair.restore().run().expect(0);
    assert_eq!(
        pair.copy.rows("SELECT a, b FROM t"),
        [[Some("1".to_owned()), Some("x".to_owned())]]
    );
}

#[test]
fn rows_whose_parents_stay_empty_are_refused_before_anything_happens() {
    for version in testkit::versions() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child (id integer PRIMARY \
             KEY, p integer NOT NULL REFERENCES parent);
             CREATE TABLE root (id integer PRIMARY KEY, p integer NOT NULL REFERENCES parent) \
             PARTITION BY LIST (id); CREATE TABLE leaf PARTITION OF root DEFAULT; CREATE TABLE \
             to_root (r integer NOT NULL REFERENCES root);
             CREATE TABLE nobody (id integer PRIMARY KEY); CREATE TABLE of_nobody (n integer \
             REFERENCES nobody);
             INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1); INSERT INTO root \
             VALUES (1, 1); INSERT INTO to_root VALUES (1); INSERT INTO of_nobody VALUES (NULL)",
        );
        pair.dump().run().expect(0);
        pair.restore().arg("-s").run().expect(0);
        let alone = |tables: &[&str]| {
            pair.restore().arg("-a").args(tables.iter().flat_map(|table| ["-t", table]))
        };
        alone(&["child"])
            .run()
            .expect(6)
            .says("table public.child refers by its foreign key")
            .says("to table public.parent, which is empty");
        alone(&["leaf", "to_root"])
            .run()
            .expect(6)
            .says("table public.leaf refers by its foreign key")
            .says("to table public.parent");
        alone(&["to_root"])
            .run()
            .expect(6)
            .says("table public.to_root refers by its foreign key")
            .says("to table public.root");
        assert!(!support::is_marked(pair.copy.admin()));
        alone(&["of_nobody"]).run().expect(0);
        alone(&["parent", "root", "leaf", "to_root"]).run().expect(0);
        // By now the parent has rows.
        alone(&["child"]).run().expect(0);
        pair.assert_same();
    }
}

#[test]
fn rows_alone_want_the_right_to_insert() {
    let pair = Pair::new(
        "CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (a) STORED, c integer); INSERT \
         INTO t VALUES (1)",
    );
    pair.dump().run().expect(0);
    pair.restore().arg("-s").run().expect(0);
    let owner = pair.copy.connect();
    let set = |sql: &str| owner.execute(&sql.replace("{me}", &testkit::quote(pair.owner.name())));
    for taken in ["INSERT", "SELECT", "UPDATE, DELETE, TRUNCATE", "ALL"] {
        set(&format!("GRANT ALL ON t TO {{me}}; REVOKE {taken} ON t FROM {{me}}"));
        pair.restore()
            .arg("-a")
            .run()
            .expect(6)
            .says("this role may not read, lock and fill table public.t");
    }
    set("GRANT SELECT (a), INSERT, DELETE ON t TO {me}");
    pair.restore().arg("-a").run().expect(0);
    assert_eq!(pair.copy.value("SELECT b FROM t"), "1");
}

const VIEWS: &str = "
    CREATE SCHEMA x; CREATE SCHEMA y; CREATE TABLE x.base (id integer PRIMARY KEY, p integer); \
    INSERT INTO x.base VALUES (1, 2);
    CREATE VIEW y.plain AS SELECT * FROM x.base; CREATE VIEW y.above AS SELECT * FROM y.plain;
    CREATE VIEW y.grouped AS SELECT id, p, count(*) FROM x.base GROUP BY id; CREATE VIEW y.over AS \
    SELECT * FROM y.grouped;
    CREATE TABLE y.t (a integer)";

/// The views of a database, each with what it shows or the state of the error.
fn shows(database: &Database<'_>) -> Vec<String> {
    let views = database.column(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'v' AND \
            relnamespace = 'y'::regnamespace ORDER BY 1",
    );
    let show = |view: &String| {
        format!(
            "{view}: {}",
            database
                .value(&format!("SELECT coalesce(string_agg(v::text, ' '), '-') FROM {view} v"))
        )
    };
    views.iter().map(show).collect()
}

#[test]
fn a_view_shows_what_it_did_or_is_not_there() {
    let pair = Pair::new(VIEWS);
    let all = ["y.above: (1,2)", "y.grouped: (1,2,1)", "y.over: (1,2,1)", "y.plain: (1,2)"];
    assert_eq!(shows(&pair.source), all);
    pair.dump().run().expect(0);
    let server = testkit::newest_server();
    for arguments in [&["-n", "y"][..], &["-N", "x"], &["-T", "x.base"]] {
        let copy = server.database_of(&pair.owner, "without");
        support::restore(&pair.file(), &copy)
            .args(arguments)
            .run()
            .expect(10)
            .says("y.grouped: it needs x.base");
        assert!(shows(&copy).is_empty(), "{arguments:?}");
        let part = pair.path(&format!("part{}.sbk", arguments[0]));
        support::dump(&pair.source, &part)
            .args(arguments)
            .run()
            .expect(10)
            .says("y.plain: it needs x.base");
    }
    // What is asked for by name finds its table, or the restore says what is missing.
    let copy = server.database_of(&pair.owner, "named");
    copy.connect().execute("CREATE SCHEMA x; CREATE SCHEMA y");
    let part = pair.path("named.sbk");
    support::dump(&pair.source, &part).args(["-t", "y.plain"]).run().expect(0);
    support::restore(&part, &copy).run().expect(7).says("x.base");
    let copy = server.database_of(&pair.owner, "found");
    copy.connect().execute(
        "CREATE SCHEMA x; CREATE SCHEMA y; CREATE TABLE x.base (id integer PRIMARY KEY, p \
         integer); INSERT INTO x.base VALUES (1, 2)",
    );
    support::restore(&part, &copy).args(["-c", "--if-exists"]).run().expect(0);
    assert_eq!(shows(&copy), ["y.plain: (1,2)"]);
    // Every view, whole.
    pair.restore().run().expect(0);
    assert_eq!(shows(&pair.copy), all);
}

#[test]
fn a_view_that_is_half_made_answers_nothing() {
    let pair = Pair::new(VIEWS);
    pair.dump().run().expect(0);
    pair.restore().args(["--section", "pre-data"]).run().expect(0);
    assert_eq!(pair.copy.value("SELECT count(*) FROM y.plain"), "0");
    let error = pair.copy.connect().try_execute("SELECT * FROM y.grouped").unwrap_err();
    assert!(format!("{error:?}").contains("not restored completely"), "{error:?}");
}

#[test]
fn a_partition_comes_alone() {
    let setup = "CREATE SCHEMA y; CREATE TABLE y.par (a integer PRIMARY KEY, b text DEFAULT 'x' \
        NOT NULL) PARTITION BY LIST (a);
        CREATE INDEX par_b ON y.par (b); CREATE TABLE y.par1 PARTITION OF y.par FOR VALUES IN (1); \
        CREATE SCHEMA y2;
        CREATE TABLE y2.par2 PARTITION OF y.par FOR VALUES IN (2) PARTITION BY LIST (a); CREATE \
        TABLE y2.par21 PARTITION OF y2.par2 FOR VALUES IN (2);
        CREATE TABLE y.t (a integer); CREATE TABLE y.heir () INHERITS (y.t); INSERT INTO y.par \
        VALUES (1), (2)";
    let pair = Pair::new(setup);
    let server = testkit::newest_server();
    let check = |arguments: &[&str], expect: &[&str]| {
        let file = pair.path("part.sbk");
        if file.exists() {
            std::fs::remove_file(&file).expect("remove the archive");
        }
        support::dump(&pair.source, &file)
            .args(arguments)
            .run()
            .expect(10)
            .says("table attach")
            .says("y.par, which is not selected");
        let copy = server.database_of(&pair.owner, "alone");
        if arguments[0] == "-t" {
            copy.connect().execute("CREATE SCHEMA y; CREATE SCHEMA y2");
        }
        support::restore(&file, &copy).run().expect(10);
        assert_eq!(holds(&copy), expect, "{arguments:?}");
        assert_eq!(
            copy.value(
                "SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND \
                 conparentid = 0 AND conrelid >= 16384"
            ),
            "1"
        );
    };
    check(&["-t", "y.par1"], &["y.par1 1"]);
    check(&["-t", "y.par1", "--load-via-partition-root"], &["y.par1 1"]);
    check(&["-n", "y2", "--load-via-partition-root"], &["y2.par21 1"]);
    pair.dump()
        .args(["-t", "y.heir"])
        .run()
        .expect(10)
        .says("y.heir: it needs y.t, which is not selected");
}

#[test]
fn a_sequence_that_is_not_selected_need_not_be_readable() {
    let server = testkit::newest_server();
    let (source, role) = (server.database("hidden"), server.role("reader"));
    source.execute(&format!(
        "CREATE TABLE t (a integer); CREATE VIEW v AS SELECT * FROM t; CREATE TABLE s (id serial); \
         GRANT SELECT ON v, t, s TO {}",
        role.name()
    ));
    let folder = support::temp_dir();
    let dump = |name: &str| {
        Silverback::new(["dump", "-d", &source.url_as(role.name()), "-f"])
            .arg(folder.path().join(name))
    };
    dump("v.sbk").args(["-t", "v"]).run().expect(0);
    dump("t.sbk").args(["-t", "t"]).run().expect(0);
    dump("s.sbk").args(["-s"]).run().expect(0);
    dump("all.sbk").run().expect(6).says("permission denied for sequence public.s_id_seq");
}

#[test]
fn a_pattern_may_name_the_database() {
    let pair = Pair::new(SETUP);
    let name = pair.source.name();
    pair.dump().args(["-t", &format!("\"{name}\".two.alone")]).run().expect(0);
    support::dump(&pair.source, &pair.path("other.sbk"))
        .args(["-t", "no_such.two.alone"])
        .run()
        .expect(2)
        .says("names another database than");
}
