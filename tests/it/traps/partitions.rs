//! Partitioned tables.

use super::{Carried, check, versions};
use crate::support::restore;

#[test]
fn a_partition_keeps_the_checks_of_its_root() {
    check(
        13,
        "CREATE TABLE root (a int, CONSTRAINT pos CHECK (a > 0)) PARTITION BY RANGE (a); CREATE \
         TABLE part PARTITION OF root FOR VALUES FROM (MINVALUE) TO (10);
         CREATE TABLE came (a int, CONSTRAINT mine CHECK (a < 1000), CONSTRAINT pos CHECK (a > \
         0)); ALTER TABLE root ATTACH PARTITION came DEFAULT; INSERT INTO root VALUES (1), (20);
         CREATE TABLE par (a int, CONSTRAINT top CHECK (a > 0)); CREATE TABLE kid (CONSTRAINT top \
         CHECK (a > 0), CONSTRAINT own CHECK (a < 9)) INHERITS (par); CREATE TABLE heir () \
         INHERITS (par)",
        &[(
            "SELECT concat_ws(' ', conrelid::regclass, conname, CASE WHEN conislocal THEN 'local' \
             END, coninhcount) FROM pg_constraint WHERE contype = 'c' AND conrelid >= 16384 ORDER BY 1",
            &[
                "came mine local 0",
                "came pos 1",
                "heir top 1",
                "kid own local 0",
                "kid top local 1",
                "par top local 0",
                "part pos 1",
                "root pos local 0",
            ],
        )],
    );
}

#[test]
fn partitions_are_made_alone_and_attached_with_their_indexes() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            "CREATE TABLE root (a int, b text, c text) PARTITION BY RANGE (a); CREATE TABLE low \
             PARTITION OF root FOR VALUES FROM (MINVALUE) TO (10);
             CREATE TABLE high (c text, gone int, b text, a int NOT NULL) WITH (fillfactor = 50); \
             ALTER TABLE high DROP gone; ALTER TABLE root ATTACH PARTITION high DEFAULT;
             ALTER TABLE root ADD CONSTRAINT key PRIMARY KEY (a); CREATE INDEX \"By B\" ON root \
             (b); CREATE INDEX own ON high (c); CREATE INDEX half ON ONLY root (c); ALTER INDEX \
             half ATTACH PARTITION own;
             INSERT INTO root SELECT n, 'b' || n, 'c' || n FROM generate_series(1, 20) n",
        );
        let columns = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE \
            attrelid = 'high'::regclass AND attnum > 0 AND NOT attisdropped";
        carried.both_say(columns, &["c b a"]);
        carried.both_say(
            "SELECT concat_ws(' ', indexrelid::regclass, CASE WHEN NOT indisvalid THEN 'invalid' \
             END, 'of ' || inhparent::regclass) FROM pg_index LEFT JOIN pg_inherits ON inhrelid = \
             indexrelid WHERE indexrelid >= 16384 AND indrelid::regclass::text !~ 'toast' ORDER BY 1",
            &["\"By B\"", "half invalid", "high_b_idx of \"By B\"", "high_pkey of key", "key", "low_b_idx of \"By B\"", "low_pkey of key", "own of half"],
        );
        carried.both_say(
            "SELECT tableoid::regclass || ' ' || count(*) FROM root GROUP BY tableoid ORDER BY 1",
            &["high 11", "low 9"],
        );
        assert!(
            carried.copy.admin().try_execute("DROP INDEX low_b_idx").is_err(),
            "a member of an index cannot be dropped alone"
        );
    }
}

#[test]
fn a_foreign_key_of_a_partitioned_table_is_made_at_its_root() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            "CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1), (2); CREATE \
             TABLE root (id int PRIMARY KEY, p int, CONSTRAINT up FOREIGN KEY (p) REFERENCES \
             parent) PARTITION BY RANGE (id);
             CREATE TABLE part PARTITION OF root DEFAULT; ALTER TABLE part ADD CONSTRAINT own \
             FOREIGN KEY (id) REFERENCES parent; INSERT INTO root VALUES (1, 2);
             CREATE TABLE child (r int, CONSTRAINT down FOREIGN KEY (r) REFERENCES root); INSERT \
             INTO child VALUES (1)",
        );
        let keys = "SELECT conrelid::regclass || ' ' || conname || ' ' || convalidated FROM \
            pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1";
        carried.both_say(keys, &["child down true", "part own true", "root up true"]);
        let count = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'";
        assert_eq!(carried.copy.value(count), carried.source.value(count));
        for orphan in [
            "INSERT INTO part VALUES (2, 99)",
            "INSERT INTO root VALUES (2, 99)",
            "INSERT INTO child VALUES (99)",
            "DELETE FROM part",
        ] {
            let refused = carried.copy.admin().try_execute(orphan).expect_err(orphan);
            assert_eq!(
                refused.code().map(tokio_postgres::error::SqlState::code),
                Some("23503"),
                "{orphan}"
            );
        }
    }
}

#[test]
fn a_trigger_of_a_partition_keeps_its_own_state() {
    check(
        13,
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; CREATE \
         TABLE root (a int) PARTITION BY LIST (a);
         CREATE TABLE one PARTITION OF root FOR VALUES IN (1); CREATE TABLE two PARTITION OF root \
         FOR VALUES IN (2); CREATE TABLE rest PARTITION OF root DEFAULT;
         CREATE TRIGGER tr AFTER INSERT ON root FOR EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER \
         off AFTER DELETE ON root FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE root DISABLE \
         TRIGGER off;
         ALTER TABLE one DISABLE TRIGGER tr; ALTER TABLE two ENABLE ALWAYS TRIGGER tr; ALTER TABLE \
         two ENABLE REPLICA TRIGGER off",
        &[(
            "SELECT concat_ws(' ', tgname, tgrelid::regclass, tgenabled) FROM pg_trigger WHERE \
             tgname IN ('tr', 'off') ORDER BY 1",
            &[
                "off one D",
                "off rest D",
                "off root D",
                "off two R",
                "tr one D",
                "tr rest O",
                "tr root O",
                "tr two A",
            ],
        )],
    );
}

#[test]
fn an_unlogged_root_loses_the_word_and_its_partitions_keep_it() {
    for version in versions(13) {
        let word = if version < 18 { "UNLOGGED" } else { "" };
        let setup = "CREATE {word} TABLE root (a int) PARTITION BY LIST (a); CREATE UNLOGGED TABLE \
            part PARTITION OF root DEFAULT; INSERT INTO root VALUES (1)";
        let carried = Carried::on(version, &setup.replace("{word}", word));
        let newest = testkit::newest_server().database("newest");
        restore(&carried.file(), &newest).run().expect(0);
        for copy in [&carried.copy, &newest] {
            assert_eq!(
                copy.column(
                    "SELECT concat_ws(' ', relname, relpersistence) FROM pg_class WHERE \
                     relname IN ('root', 'part') ORDER BY 1"
                ),
                ["part u", "root p"]
            );
            assert_eq!(copy.value("SELECT count(*) FROM root"), "1");
        }
    }
}

/// An index of a partitioned table adopts those of its partitions by itself where that is beyond
/// doubt: not where two would fit, as those on `b` and those on `c` do, nor where a partition lacks
/// one.
#[test]
fn parts_of_indexes_come_back_where_they_were() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            "CREATE TABLE root (a int NOT NULL, b int, c int, d text, e int) PARTITION BY RANGE \
             (a); CREATE TABLE low PARTITION OF root FOR VALUES FROM (0) TO (10);
             CREATE TABLE mid PARTITION OF root FOR VALUES FROM (10) TO (20) PARTITION BY LIST \
             (a); CREATE TABLE mid_one PARTITION OF mid FOR VALUES IN (10, 11); CREATE TABLE \
             mid_rest PARTITION OF mid DEFAULT;
             CREATE TABLE high (d text, c int, b int, e int, a int NOT NULL); ALTER TABLE root \
             ATTACH PARTITION high DEFAULT;
             ALTER TABLE high ADD CONSTRAINT mine PRIMARY KEY (a); CREATE INDEX theirs ON high \
             (lower(d)) WHERE b > 0; CREATE INDEX plain ON high (lower(d)); CREATE UNIQUE INDEX \
             once ON low (a, b);
             ALTER TABLE root ADD CONSTRAINT \"The Key\" PRIMARY KEY (a); ALTER TABLE root ADD \
             CONSTRAINT pair UNIQUE (a, b); CREATE INDEX \"half ON ONLY it\" ON root (lower(d)) \
             WHERE b > 0;
             CREATE INDEX one ON root (b); CREATE INDEX two ON root (b); CREATE INDEX on_c ON root \
             (c) INCLUDE (b); CREATE UNIQUE INDEX twice ON root (a, c); CREATE INDEX lacking ON \
             ONLY root (e);
             CREATE INDEX low_e ON low (e); ALTER INDEX lacking ATTACH PARTITION low_e; CREATE \
             TABLE child (a int REFERENCES root, x int, y int, FOREIGN KEY (x, y) REFERENCES root \
             (a, b), FOREIGN KEY (x, y) REFERENCES root (a, c));
             INSERT INTO root SELECT n, n, n, 'D' || n FROM generate_series(1, 30) n; INSERT INTO \
             child SELECT n, n, n FROM generate_series(1, 30) n",
        );
        let parts = "SELECT concat_ws(' ', i.indexrelid::regclass, CASE WHEN NOT i.indisvalid THEN \
            'invalid' END, 'of ' || h.inhparent::regclass, 'is ' || k.conname, 'of ' || p.conname) \
                     FROM pg_index i LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid LEFT \
                     JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid \
                     AND k.contype <> 'f' \
                     LEFT JOIN pg_constraint p ON p.oid = k.conparentid WHERE \
                     i.indrelid::regclass::text ~ '^(root|low|mid.*|high)$' ORDER BY 1";
        let expect = carried.source.column(parts);
        assert!(expect.len() > 40, "{expect:?}");
        carried.both_say(parts, &expect.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
