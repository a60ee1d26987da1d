//! Planner statistics: what `--statistics` carries, what it must not, and what is done where a
//! server does not take them.

use silverback::archive::Archive;
use testkit::{Database, Server};

use crate::pair::Pair;

/// The first server that takes statistics, and the first that takes extended ones.
const TAKEN: u32 = 18;
const EXTENDED: u32 = 19;

/// Statistics of every sort, which the rows do not bear out any more: nobody who looks at the rows
/// would come to the same.
const SETUP: &str = r#"
    CREATE SCHEMA "My App";
    CREATE TABLE "My App".t (id int PRIMARY KEY, gone int, kind text, "At" timestamptz, tags text[], span int4range, doc jsonb, big numeric) WITH (autovacuum_enabled = off);
    ALTER TABLE "My App".t DROP COLUMN gone;
    INSERT INTO "My App".t SELECT n, CASE WHEN n % 9 > 0 THEN 'MARKER it''s \ ' || n % 10 END, '2026-01-01'::timestamptz + n * interval '1 hour', ARRAY['tag' || n % 3, 'x'],
        int4range(n, n + n % 5), jsonb_build_object('n', n % 4), n / 3.0 FROM generate_series(1, 3000) n;
    CREATE INDEX t_lower ON "My App".t (id, lower(kind)); CREATE INDEX t_tags ON "My App".t USING gin (tags); CREATE INDEX t_at ON "My App".t ("At");
    CREATE TABLE x (gone int, a int, b int, c text) WITH (autovacuum_enabled = off); ALTER TABLE x DROP COLUMN gone;
    INSERT INTO x SELECT n % 7, n % 7 + n % 2, 'SECRET ' || n % 4 FROM generate_series(1, 1000) n;
    CREATE STATISTICS all_kinds ON a, b, c FROM x; CREATE STATISTICS dependent (dependencies) ON a, b FROM x;
    CREATE STATISTICS of_expressions ON (a + b), (lower(c)), b FROM x;
    CREATE TABLE parent (a int, note text) WITH (autovacuum_enabled = off); CREATE TABLE child (more int) INHERITS (parent) WITH (autovacuum_enabled = off);
    INSERT INTO parent SELECT n, 'own ' || n % 5 FROM generate_series(1, 500) n; INSERT INTO child SELECT n, 'HEIR ' || n % 5, n FROM generate_series(1, 500) n;
    CREATE TABLE parts (k int, v text) PARTITION BY RANGE (k);
    CREATE TABLE low PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (100) WITH (autovacuum_enabled = off); CREATE TABLE high PARTITION OF parts DEFAULT WITH (autovacuum_enabled = off);
    INSERT INTO parts SELECT n, CASE WHEN n < 100 THEN 'LOW ' ELSE 'HIGH ' END || n % 5 FROM generate_series(1, 500) n; CREATE INDEX ON parts (k);
    CREATE MATERIALIZED VIEW sums WITH (autovacuum_enabled = off) AS SELECT kind, count(*) AS n FROM "My App".t GROUP BY kind; CREATE INDEX ON sums (n);
    CREATE TABLE empty (a int) WITH (autovacuum_enabled = off); CREATE TABLE never (a int) WITH (autovacuum_enabled = off); INSERT INTO never VALUES (1)
"#;

/// `never` stays what it says.
const ANALYZE: &str = "ANALYZE \"My App\".t, x, parent, child, parts, low, high, sums, empty";

fn pair(source: &'static Server) -> Pair {
    let pair = Pair::on(source, SETUP);
    let owner = pair.source.connect();
    owner.execute(ANALYZE);
    owner.execute(r#"DELETE FROM "My App".t WHERE id % 2 = 0; UPDATE x SET c = a::text; DELETE FROM parts WHERE k > 300"#);
    pair
}

/// All that the planner knows, a line each, of relations that a condition on `name` picks.
fn known(database: &Database<'_>, condition: &str) -> String {
    let frozen = if database.server().version() >= 18 { "relallfrozen" } else { "0" };
    let sql = format!(
        "SELECT concat_ws(' | ', name, line) FROM (
           SELECT tablename AS name, (to_jsonb(s) - 'tableid' - 'attnum')::text AS line FROM \
           pg_stats s WHERE schemaname IN ('public', 'My App')
           UNION ALL SELECT relname, concat_ws(' ', relpages, reltuples, relallvisible, {frozen}) \
           FROM pg_class
             WHERE relnamespace IN ('public'::regnamespace, '\"My App\"'::regnamespace) AND \
             relkind IN ('r', 'p', 'm', 'i', 'I')) all_of_it
         WHERE {condition} ORDER BY 1"
    );
    database.column(&sql).join("\n")
}

/// What does not depend on the columns' numbers.
const EXTENDED_VALUES: [&str; 2] = [
    "SELECT concat_ws('|', statistics_name, inherited, most_common_vals::text, \
     most_common_freqs::text, most_common_base_freqs::text) FROM pg_stats_ext ORDER BY 1",
    "SELECT concat_ws('|', statistics_name, expr, null_frac, avg_width, n_distinct, \
     most_common_vals::text, histogram_bounds::text, correlation)
     FROM pg_stats_ext_exprs ORDER BY 1",
];

fn versions() -> impl Iterator<Item = u32> {
    testkit::versions().into_iter().filter(|version| *version >= TAKEN)
}

#[test]
fn statistics_come_back_as_they_were() {
    for version in versions() {
        for early in [false, true] {
            let pair = pair(testkit::server(version));
            pair.dump().arg("--statistics").run().expect(0);
            crate::support::verify(&pair.file()).run().expect(0);
            let plan = pair.restore().args(["--statistics", "--dry-run"]).run().expect(0).stdout;
            assert!(
                !plan.contains("\nANALYZE \"My App\".t;")
                    && plan.contains("\nANALYZE public.never;"),
                "{plan}"
            );
            let restore = pair
                .restore()
                .arg("--statistics")
                .args(early.then_some("--ready-early"))
                .run()
                .expect(0);
            // A server that does not take extended statistics has none of their tables': these are
            // looked at anew.
            let condition =
                if version >= EXTENDED { "name <> 'never'" } else { "name NOT IN ('never', 'x')" };
            crate::support::assert_same_lines(
                "statistics",
                &known(&pair.source, condition),
                &known(&pair.copy, condition),
            );
            if version >= EXTENDED {
                assert!(!restore.stderr.contains("ANALYZE gathers"), "{}", restore.stderr);
                for values in EXTENDED_VALUES {
                    assert_eq!(pair.source.column(values), pair.copy.column(values));
                }
                // Column 1 was dropped, and a new table has no gap.
                let places = "SELECT concat(statistics_name, n_distinct::text, dependencies::text) \
                    FROM pg_stats_ext ORDER BY 1";
                let numbers = |line: &String| line.matches("attributes").count();
                let (source, copy) = (pair.source.column(places), pair.copy.column(places));
                assert!(
                    source.concat().contains("[2, 3]") && copy.concat().contains("[1, 2]"),
                    "{source:?} {copy:?}"
                );
                assert_eq!(
                    source.iter().map(numbers).collect::<Vec<_>>(),
                    copy.iter().map(numbers).collect::<Vec<_>>()
                );
            } else {
                restore.says("does not take extended statistics");
                assert_ne!(
                    pair.copy
                        .value("SELECT count(*) FROM pg_stats_ext WHERE n_distinct IS NOT NULL"),
                    "0"
                );
            }
            assert_eq!(
                pair.copy.value("SELECT count(*) FROM pg_stats WHERE tablename = 'never'"),
                "1",
                "it was analyzed"
            );
        }
    }
}

#[test]
fn without_being_asked_nothing_is_dumped_and_all_is_analyzed() {
    let pair = pair(testkit::newest_server());
    pair.dump().run().expect(0);
    assert!(manifest(&pair).statistics.is_empty());
    pair.restore().arg("--statistics").run().expect(0).says("the archive holds no statistics");
    assert_ne!(
        known(&pair.copy, "name = 't'"),
        known(&pair.source, "name = 't'"),
        "they are fresh"
    );
}

fn manifest(pair: &Pair) -> silverback::archive::manifest::Manifest {
    Archive::open_path(&pair.file()).expect("the archive can be read").manifest
}

#[test]
fn values_of_rows_that_are_left_out_are_left_out() {
    let pair = pair(testkit::newest_server());
    let all = [("MARKER", "marker"), ("SECRET", "secret"), ("HEIR", ""), ("LOW", ""), ("HIGH", "")];
    let held = |args: &[&str], code: i32| -> Vec<&str> {
        let _ = std::fs::remove_file(pair.file());
        pair.dump().arg("--statistics").args(args).run().expect(code);
        let text = serde_json::to_string(&manifest(&pair).statistics).expect("JSON");
        // An index of an expression has values in another guise.
        let holds = |marker: &&(&str, &str)| {
            text.contains(marker.0) || !marker.1.is_empty() && text.contains(marker.1)
        };
        all.iter().filter(holds).map(|marker| marker.0).collect()
    };
    assert_eq!(held(&[], 0), ["MARKER", "SECRET", "HEIR", "LOW", "HIGH"]);
    assert_eq!(held(&["-s"], 0), [""; 0]);
    assert_eq!(held(&["--exclude-table-data", "t"], 0), ["SECRET", "HEIR", "LOW", "HIGH"]);
    assert_eq!(held(&["-T", "t"], 10), ["SECRET", "HEIR", "LOW", "HIGH"]);
    assert_eq!(held(&["--exclude-table-data", "x"], 0), ["MARKER", "HEIR", "LOW", "HIGH"]);
    assert_eq!(held(&["-T", "x"], 0), ["MARKER", "HEIR", "LOW", "HIGH"]);
    // What a parent knows of its children, it does not tell.
    assert_eq!(held(&["--exclude-table-data", "child"], 0), ["MARKER", "SECRET", "LOW", "HIGH"]);
    assert_eq!(held(&["--exclude-table-data", "low"], 0), ["MARKER", "SECRET", "HEIR", "HIGH"]);
    assert_eq!(held(&["-T", "high"], 0), ["MARKER", "SECRET", "HEIR", "LOW"]);
    assert_eq!(held(&["-t", "parent"], 0), [""; 0]);
    pair.dump().args(["--statistics", "-a"]).run().expect(2).says("exclude each other");
}

#[test]
fn a_restore_leaves_out_what_it_is_told_to() {
    let Some(version) = versions().last() else { return };
    let pair = pair(testkit::server(version));
    pair.dump().arg("--statistics").run().expect(0);
    pair.restore()
        .args(["--statistics", "--exclude-table-data", "low", "--exclude-table-data", "t"])
        .run()
        .expect(0);
    assert_eq!(
        pair.copy.value(
            "SELECT count(*) FROM pg_stats WHERE tablename IN ('t', 't_lower', \
             'sums', 'low', 'parts')"
        ),
        "0"
    );
    assert_ne!(pair.copy.value("SELECT count(*) FROM pg_stats WHERE tablename = 'high'"), "0");
    pair.restore()
        .args(["--statistics", "--section", "data"])
        .run()
        .expect(2)
        .says("all sections in one run");
}

#[test]
fn what_a_server_does_not_take_is_gathered() {
    let Some(version) = versions().last() else { return };
    let pair = pair(testkit::server(version));
    pair.dump().arg("--statistics").run().expect(0);
    pair.copy
        .execute("REVOKE EXECUTE ON FUNCTION pg_catalog.pg_restore_attribute_stats FROM PUBLIC");
    pair.restore().arg("--statistics").run().expect(0).says("ANALYZE gathers them");
    assert_eq!(pair.copy.value("SELECT reltuples FROM pg_class WHERE relname = 't'"), "1500");
    assert_ne!(pair.copy.value("SELECT count(*) FROM pg_stats WHERE tablename = 't'"), "0");
}

#[test]
fn older_servers_give_them_and_do_not_take_them() {
    let Some(newest) = versions().last() else { return };
    for version in testkit::versions().into_iter().filter(|version| (14..TAKEN).contains(version)) {
        let old = pair(testkit::server(version));
        old.dump().arg("--statistics").run().expect(0);
        let copy = testkit::server(newest).database("statistics_of_old");
        crate::support::restore(&old.file(), &copy).args(["--statistics", "-O"]).run().expect(0);
        let values = "SELECT concat_ws('|', tablename, attname, inherited, null_frac, avg_width, \
            n_distinct, most_common_vals::text, histogram_bounds::text, correlation)
            FROM pg_stats WHERE schemaname IN ('public', 'My App') AND tablename <> 'never' AND \
            (tablename <> 'x' OR $extended) ORDER BY 1";
        let values = values.replace("$extended", if newest >= EXTENDED { "true" } else { "false" });
        assert_eq!(old.source.column(&values), copy.column(&values), "from {version}");
        if newest >= EXTENDED {
            let values = "SELECT concat_ws('|', statistics_name, inherited, \
                most_common_vals::text, most_common_freqs::text) FROM pg_stats_ext ORDER BY 1";
            let inherited = if version >= 15 { "inherited" } else { "false" };
            assert_eq!(
                old.source.column(&values.replace("inherited", inherited)),
                copy.column(&values.replace("inherited", inherited))
            );
            assert_ne!(
                copy.value(
                    "SELECT count(*) FROM pg_stats_ext WHERE n_distinct IS NOT NULL \
                     AND dependencies IS NOT NULL"
                ),
                "0"
            );
        }
        old.restore()
            .arg("--statistics")
            .run()
            .expect(0)
            .says("takes no statistics (18 and newer do): ANALYZE gathers them");
        assert_ne!(old.copy.value("SELECT count(*) FROM pg_stats WHERE tablename = 't'"), "0");
    }
}
