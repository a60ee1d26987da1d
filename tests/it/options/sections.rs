//! Sections and rows on their own (`--section`, `-a`): what rows meet in tables that stand already,
//! and what is made after rows.

use crate::pair::Pair;
use crate::support;

/// Two tables that refer to each other, and one that fires a trigger.
const CIRCLE: &str = "
    CREATE TABLE f1 (a integer PRIMARY KEY, b integer); CREATE TABLE f2 (a integer PRIMARY KEY, b \
    integer REFERENCES f1);
    INSERT INTO f1 VALUES (1, NULL); INSERT INTO f2 VALUES (1, 1); UPDATE f1 SET b = 1; ALTER \
    TABLE f1 ADD FOREIGN KEY (b) REFERENCES f2;
    CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''stopped''; END';
    CREATE TRIGGER stop BEFORE INSERT OR UPDATE ON f1 FOR EACH ROW EXECUTE FUNCTION stop();
    CREATE TRIGGER off BEFORE INSERT ON f1 FOR EACH ROW EXECUTE FUNCTION stop(); ALTER TABLE f1 \
    DISABLE TRIGGER off";

const TRIGGERS: &str = "SELECT tgrelid::regclass, tgfoid::regproc, tgtype, tgenabled FROM \
    pg_trigger ORDER BY 1, 2, 3, 4";

#[test]
fn a_circle_of_foreign_keys_is_restored_section_by_section() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), CIRCLE);
        pair.dump().run().expect(0);
        let rows_only = pair.path("rows.sbk");
        support::dump(&pair.source, &rows_only).arg("-a").run().expect(0);
        pair.restore().args(["--section", "pre-data"]).run().expect(0);
        // Nothing is proved that is not there.
        pair.restore()
            .args(["--section", "post-data"])
            .run()
            .expect(6)
            .says("public.f1, public.f2")
            .says("--section data");
        support::restore(&rows_only, &pair.copy).run().expect(0);
        pair.restore().args(["--section", "post-data"]).run().expect(0);
        pair.assert_same();
    }
}

#[test]
fn a_circle_that_stands_already_is_loaded_without_its_triggers() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), CIRCLE);
        pair.dump().run().expect(0);
        pair.restore().arg("-s").run().expect(0);
        pair.restore()
            .arg("-a")
            .run()
            .expect(6)
            .says("these wait for each other")
            .says("--disable-triggers");
        pair.restore().args(["-a", "--disable-triggers"]).run().expect(6).says("is no superuser");
        assert_eq!(pair.copy.value("SELECT count(*) FROM f1"), "0");
        let as_superuser =
            ["restore", "-a", "--disable-triggers", "-d", &pair.copy.url_as("postgres")];
        support::Silverback::new(as_superuser).arg(pair.file()).run().expect(0);
        assert_eq!(pair.copy.rows(TRIGGERS), pair.source.rows(TRIGGERS));
        pair.assert_same();
    }
}

#[test]
fn partitions_whose_rows_may_refer_to_each_others_are_warned_of() {
    for version in support::ends() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TABLE own (id integer PRIMARY KEY, up integer REFERENCES own);
             INSERT INTO own VALUES (1, 2), (2, 1);
             CREATE TABLE tree (id integer, part integer, up integer, PRIMARY KEY (part, id))
                 PARTITION BY LIST (part);
             CREATE TABLE tree_a PARTITION OF tree FOR VALUES IN (1);
             CREATE TABLE tree_b PARTITION OF tree FOR VALUES IN (2);
             INSERT INTO tree VALUES (1, 1, NULL), (2, 1, 1), (1, 2, 1);
             ALTER TABLE tree ADD FOREIGN KEY (part, up) REFERENCES tree (part, id)",
        );
        pair.dump().run().expect(0);
        pair.restore().arg("-s").run().expect(0);
        let run = pair.restore().arg("-a").run().expect(0);
        let run = run.says("warning: table public.tree has a foreign key to itself");
        assert!(!run.stderr.contains("public.own"), "{}", run.stderr);
        pair.assert_same();
    }
}

#[test]
fn what_rows_will_look_for_in_vain_is_found_before() {
    let pair = Pair::new(
        "CREATE TABLE parents (id integer PRIMARY KEY); INSERT INTO parents VALUES (1);
         CREATE TABLE children (id integer, parent integer NOT NULL REFERENCES parents); INSERT \
         INTO children VALUES (1, 1);
         CREATE TABLE guests (id integer, parent integer REFERENCES parents); INSERT INTO guests \
         VALUES (1, NULL)",
    );
    pair.dump().run().expect(0);
    pair.restore().arg("-s").run().expect(0);
    pair.restore()
        .args(["-a", "-T", "parents"])
        .run()
        .expect(6)
        .says("table public.children refers")
        .says("public.parents, which is empty");
    pair.copy.connect().execute("REVOKE INSERT ON guests FROM CURRENT_USER");
    pair.restore()
        .arg("-a")
        .run()
        .expect(6)
        .says("may not read, lock and fill table public.guests");
    pair.copy.connect().execute("GRANT INSERT ON guests TO CURRENT_USER");
    pair.restore()
        .args(["-a", "-t", "guests"])
        .run()
        .expect(0)
        .says("a row that refers to it will be refused");
    pair.copy.connect().execute("DELETE FROM guests");
    pair.restore().arg("-a").run().expect(0);
    support::assert_same_rows(&pair.source, &pair.copy);
}

#[test]
fn what_comes_after_the_rows_needs_their_tables() {
    let pair = Pair::new("CREATE TABLE t (a integer PRIMARY KEY); INSERT INTO t VALUES (1)");
    pair.dump().run().expect(0);
    pair.restore()
        .args(["--section", "post-data"])
        .run()
        .expect(6)
        .says("public.t does not exist")
        .says("--section pre-data");
    assert!(!support::is_marked(pair.copy.admin()));
    pair.restore().args(["--section", "pre-data"]).run().expect(0);
    pair.restore()
        .args(["--section", "post-data"])
        .run()
        .expect(6)
        .says("tables are empty that the archive has rows for: public.t");
    pair.restore().args(["--section", "post-data", "-s"]).run().expect(0);
    support::assert_same_schema(&pair.source, &pair.copy);
}
