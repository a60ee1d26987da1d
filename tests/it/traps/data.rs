//! Rows, sequences, large objects: what they hold, and the way they travel.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use silverback::archive::manifest::{ObjectKind, RowEncoding};

use super::{Carried, check, versions};
use crate::catalog;
use crate::support::{dump, restore};

/// Each refers to the other, and a row to itself.
const CIRCLE: &str = "CREATE TABLE egg (id int PRIMARY KEY, hen int); CREATE TABLE hen (id int \
    PRIMARY KEY, egg int REFERENCES egg); ALTER TABLE egg ADD FOREIGN KEY (hen) REFERENCES hen;
    INSERT INTO egg VALUES (1, NULL); INSERT INTO hen VALUES (1, 1); UPDATE egg SET hen = 1; \
    CREATE TABLE self (id int PRIMARY KEY, up int REFERENCES self); INSERT INTO self VALUES (1, \
    2), (2, 1)";

#[test]
fn foreign_keys_in_a_circle_come_back() {
    check(
        13,
        CIRCLE,
        &[
            (
                "SELECT conname || ' ' || convalidated FROM pg_constraint WHERE contype = 'f' \
                 ORDER BY 1",
                &["egg_hen_fkey true", "hen_egg_fkey true", "self_up_fkey true"],
            ),
            (
                "SELECT concat_ws(' ', e, h, s) FROM egg e, hen h, self s ORDER BY 1",
                &["(1,1) (1,1) (1,2)", "(1,1) (1,1) (2,1)"],
            ),
        ],
    );
}

#[test]
fn rows_alone_in_a_circle_are_refused_before_anything_happens() {
    let carried = Carried::not_yet(testkit::newest(), CIRCLE);
    dump(&carried.source, &carried.file()).run().expect(0);
    restore(&carried.file(), &carried.copy).arg("-s").run().expect(0);
    restore(&carried.file(), &carried.copy)
        .arg("-a")
        .run()
        .expect(6)
        .says("these wait for each other")
        .says("public.egg")
        .says("public.hen");
    assert_eq!(
        carried.copy.value(
            "SELECT to_regnamespace('silverback_restore') IS NULL AND NOT EXISTS (SELECT FROM self)"
        ),
        "t"
    );
    // A row that refers to its own table is no circle.
    restore(&carried.file(), &carried.copy).args(["-a", "-t", "self"]).run().expect(0);
    assert_eq!(carried.copy.value("SELECT count(*) FROM self"), "2");
}

#[test]
fn large_objects_of_one_owner_are_few_objects_of_the_archive() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            "SELECT lo_from_bytea(n, n::text::bytea) FROM generate_series(20001, 22500) n; SELECT \
             lo_from_bytea(n, '') FROM generate_series(30001, 30010) n;
             DO $$ BEGIN FOR n IN 30001..30010 LOOP EXECUTE format('GRANT SELECT ON LARGE OBJECT \
             %s TO {reader}', n); END LOOP; END $$",
        );
        let names: Vec<String> = carried
            .archive()
            .manifest
            .objects
            .iter()
            .filter(|object| object.kind == ObjectKind::LargeObject)
            .map(|object| object.name.clone())
            .collect();
        assert_eq!(names, ["20001 to 21000", "21001 to 22000", "22001 to 22500", "30001 to 30010"]);
        carried.both_say(
            "SELECT concat_ws(' ', count(*), lomacl::text) FROM pg_largeobject_metadata GROUP BY \
             lomacl ORDER BY 1",
            &["10 {postgres=rw/postgres,{reader}=r/postgres}", "2500"],
        );
        carried.both_say(
            "SELECT count(*) FROM pg_largeobject_metadata WHERE oid < 30000 AND \
             lo_get(oid) = oid::text::bytea",
            &["2500"],
        );
    }
}

#[test]
fn a_sequence_is_never_behind_the_rows_that_it_numbered() {
    let carried = Carried::not_yet(
        testkit::newest(),
        "CREATE TABLE t (id bigserial, filler text); INSERT INTO t (filler) SELECT repeat('x', \
         1000) FROM generate_series(1, 20000)",
    );
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let writer = carried.source.connect();
            while !stop.load(Relaxed) {
                writer.execute("INSERT INTO t DEFAULT VALUES");
            }
        });
        let dumped = dump(&carried.source, &carried.file()).run();
        stop.store(true, Relaxed);
        dumped.expect(0);
    });
    restore(&carried.file(), &carried.copy).run().expect(0);
    assert_eq!(
        carried.copy.value("SELECT max(id) <= (SELECT last_value FROM t_id_seq) FROM t"),
        "t"
    );
}

fn encodings(carried: &Carried) -> Vec<(String, RowEncoding)> {
    carried
        .archive()
        .manifest
        .tables
        .into_iter()
        .map(|table| (table.name, table.encoding))
        .collect()
}

#[test]
fn arrays_and_composites_of_user_types_travel_as_text() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            "CREATE TYPE hue AS ENUM ('red', 'blue'); CREATE TYPE pair AS (h hue, n int); CREATE \
             DOMAIN hues AS hue[];
             CREATE TABLE a_enum (v hue); INSERT INTO a_enum VALUES ('blue'); CREATE TABLE b_array \
             (v hue[]); INSERT INTO b_array VALUES ('{red,NULL,blue}'); CREATE TABLE c_domain (v \
             hues); INSERT INTO c_domain VALUES ('{blue}');
             CREATE TABLE d_pair (v pair); INSERT INTO d_pair VALUES ('(red,1)'); CREATE TABLE \
             e_pairs (v pair[]); INSERT INTO e_pairs VALUES ('{\"(blue,2)\"}'); CREATE TABLE f_row \
             (v a_enum); INSERT INTO f_row VALUES ('(red)')",
        );
        let expect = ["a_enum", "b_array", "c_domain", "d_pair", "e_pairs", "f_row"].map(|name| {
            (
                name.to_owned(),
                if name == "a_enum" { RowEncoding::Binary } else { RowEncoding::Text },
            )
        });
        assert_eq!(encodings(&carried), expect);
        let values = "SELECT concat_ws(' ', a.v, b.v, c.v, d.v, e.v, f.v) FROM a_enum a, b_array \
            b, c_domain c, d_pair d, e_pairs e, f_row f";
        carried.both_say(values, &["blue {red,NULL,blue} {blue} (red,1) {\"(blue,2)\"} (red)"]);
    }
}

#[test]
fn types_without_a_binary_form_travel_as_text() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            "CREATE TYPE own; CREATE FUNCTION own_in(cstring) RETURNS own LANGUAGE internal \
             IMMUTABLE STRICT AS 'int4in'; CREATE FUNCTION own_out(own) RETURNS cstring LANGUAGE \
             internal IMMUTABLE STRICT AS 'int4out';
             CREATE TYPE own (INPUT = own_in, OUTPUT = own_out, LIKE = int4); CREATE DOMAIN over \
             AS own; CREATE DOMAIN aclitems AS aclitem[];
             CREATE TABLE a_own (v own); INSERT INTO a_own VALUES ('7'); CREATE TABLE b_over (v \
             over); INSERT INTO b_over VALUES ('8'); CREATE TABLE c_own (v own[]); INSERT INTO \
             c_own VALUES ('{9}'); CREATE TABLE d_acl (v aclitems); INSERT INTO d_acl VALUES \
             ('{postgres=r/postgres}')",
        );
        assert_eq!(
            encodings(&carried),
            ["a_own", "b_over", "c_own", "d_acl"].map(|name| (name.to_owned(), RowEncoding::Text))
        );
        carried.both_say(
            "SELECT concat_ws(' ', a.v, b.v, c.v, d.v) FROM a_own a, b_over b, c_own c, d_acl d",
            &["7 8 {9} {postgres=r/postgres}"],
        );
    }
}

#[test]
fn only_heaps_of_servers_that_read_ranges_are_cut() {
    // Pages enough for two ranges, with little in them; where they are cut is the plan's.
    const FILL: &str = "WITH (fillfactor = 10) AS SELECT n AS id FROM generate_series(1, 50000) n";
    for version in versions(13) {
        let setup = format!(
            "CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE \
             a_heap {FILL}; CREATE TABLE b_other USING other {FILL}; CREATE TABLE c_root (id int) \
             PARTITION BY LIST (id); CREATE TABLE d_part PARTITION OF c_root DEFAULT; INSERT INTO \
             d_part VALUES (1)"
        );
        let carried = Carried::not_yet(version, &setup);
        let tables = catalog::read(&carried.source).tables;
        let cut: Vec<(&str, bool)> = tables
            .iter()
            .filter(|source| source.pages >= 2048 || source.table.name == "d_part")
            .map(|source| (source.table.name.as_str(), source.ctid_ranges))
            .collect();
        let expected = [("a_heap", version >= 14), ("b_other", false), ("d_part", version >= 14)];
        assert_eq!(cut, expected, "PostgreSQL {version}");
    }
}

#[test]
fn freeze_is_for_tables_that_one_session_fills() {
    let carried = Carried::not_yet(
        testkit::newest(),
        "CREATE TABLE small AS SELECT 1 AS a; CREATE TABLE middle AS SELECT n, \
         repeat(md5(n::text), 12) AS t FROM generate_series(1, 5000) n;
         CREATE TABLE big AS SELECT n, repeat(md5(n::text), 12) AS t FROM generate_series(1, \
         200000) n;
         CREATE TYPE hue AS ENUM ('red'); CREATE TABLE hues (h hue) PARTITION BY HASH (h); CREATE \
         TABLE hues_0 PARTITION OF hues FOR VALUES WITH (MODULUS 1, REMAINDER 0); INSERT INTO hues \
         VALUES ('red')",
    );
    dump(&carried.source, &carried.file()).run().expect(0);
    let plan = restore(&carried.file(), &carried.copy)
        .args(["-j", "3", "--dry-run"])
        .run()
        .expect(0)
        .stdout;
    let copies = |into: &str| -> Vec<&str> {
        plan.lines().filter(|line| line.contains(&format!("COPY public.{into} "))).collect()
    };
    assert!(matches!(copies("middle")[..], [one] if one.contains("FREEZE")), "{plan}");
    assert!(
        matches!(copies("small")[..], [one] if !one.contains("FREEZE")),
        "a TRUNCATE costs more: {plan}"
    );
    assert!(
        copies("big").len() > 1 && copies("big").iter().all(|copy| !copy.contains("FREEZE")),
        "{plan}"
    );
    assert!(matches!(copies("hues")[..], [one] if !one.contains("FREEZE")), "{plan}");
}
