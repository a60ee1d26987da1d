//! Restores that are killed and gone on with: whatever the moment, the copy is the source, nothing
//! is loaded twice, and no finished index is built anew.
//!
//! `SILVERBACK_TEST_KILLS` is the number of kills, 8 unless it is given; `scripts/kills` makes a
//! hundred.

mod kept;
mod lost;
mod told;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use testkit::{Database, Server};

use crate::pair::Pair;
use crate::support::{self, Silverback, assert_same, dump, ends, restore};
use crate::unfinished::end_sessions;

/// Rows without a key, which nothing keeps from coming twice; keys, partitions, large objects,
/// values of sequences, and all that comes late.
const SHOP: &str = "
    CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('fine', 'bad');
    CREATE TABLE heap AS SELECT n % 10 AS a, repeat(md5((n % 10)::text), 20) AS body FROM \
    generate_series(1, 4000) n;
    CREATE TABLE parents (id int PRIMARY KEY, name text UNIQUE, mood app.mood DEFAULT 'fine');
    INSERT INTO parents SELECT n, 'parent ' || n FROM generate_series(1, 3000) n;
    CREATE TABLE app.children (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent int \
    REFERENCES parents, self int REFERENCES app.children);
    INSERT INTO app.children (parent, self) SELECT n % 3000 + 1, 1 FROM generate_series(1, 9000) n;
    CREATE INDEX children_parent ON app.children (parent); CREATE INDEX parents_lower ON parents \
    (lower(name));
    CREATE TABLE years (y int, v text, PRIMARY KEY (y, v)) PARTITION BY RANGE (y);
    CREATE TABLE years_1 PARTITION OF years FOR VALUES FROM (0) TO (1000); CREATE TABLE years_2 \
    PARTITION OF years DEFAULT;
    INSERT INTO years SELECT n, 'v' FROM generate_series(1, 2000) n; CREATE INDEX years_v ON years \
    (v);
    CREATE UNLOGGED TABLE fleeting (id serial PRIMARY KEY, a text); INSERT INTO fleeting (a) \
    SELECT 'x' FROM generate_series(1, 100);
    CREATE SEQUENCE app.numbers; SELECT setval('app.numbers', 77);
    SELECT lo_from_bytea(0, decode(repeat('ab', 5000), 'hex')) FROM generate_series(1, 3);
    CREATE VIEW app.seen AS SELECT name FROM parents; CREATE MATERIALIZED VIEW counted AS SELECT \
    count(*) FROM app.children;
    CREATE UNIQUE INDEX counted_one ON counted (count);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touched BEFORE INSERT OR UPDATE ON parents FOR EACH ROW EXECUTE FUNCTION touch();
    ALTER TABLE heap ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON heap USING (a < 5);
    COMMENT ON TABLE heap IS 'rows'; COMMENT ON SCHEMA app IS 'ours'; GRANT SELECT ON parents TO \
    PUBLIC; CREATE STATISTICS s ON a, body FROM heap;
    DO $$ BEGIN FOR i IN 1..30 LOOP
        EXECUTE format('CREATE TABLE app.small_%s (id int PRIMARY KEY, b int); INSERT INTO \
        app.small_%1$s SELECT n, n FROM generate_series(1, 9) n; CREATE INDEX ON app.small_%1$s \
        (b)', i);
    END LOOP; END $$";

fn kills() -> u32 {
    std::env::var("SILVERBACK_TEST_KILLS")
        .map_or(8, |count| count.parse().expect("SILVERBACK_TEST_KILLS is a number"))
}

/// A number below a bound, another one each time.
fn random(bound: u64) -> u64 {
    RandomState::new().hash_one(0) % bound
}

/// Moments from the beginning of a restore to its end.
struct Moments {
    whole: Duration,
}

impl Moments {
    /// Those of a run that ends as it should.
    #[track_caller]
    fn of(run: Silverback) -> Self {
        let begun = Instant::now();
        run.run().expect(0);
        Self { whole: begun.elapsed() }
    }

    /// Kills a run at one of them; says when, for a test that fails. It may have ended before.
    fn kill(&self, run: Silverback, target: (&Server, &str)) -> String {
        let after = self.whole.mul_f64(random(1000) as f64 / 1000.0);
        let running = run.spawn();
        std::thread::sleep(after);
        running.signal("KILL");
        let outcome = running.wait();
        end_sessions(target.0, target.1);
        format!("killed after {after:?} of {:?}: {outcome:?}", self.whole)
    }
}

/// The indexes that are finished, by the files that hold them; those of a materialized view are
/// made anew with its rows.
fn finished(database: &Database<'_>) -> BTreeSet<String> {
    let sql = "SELECT c.oid || ' ' || pg_relation_filenode(c.oid) || ' ' || c.relname FROM \
        pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
               JOIN pg_class t ON t.oid = i.indrelid WHERE i.indisvalid AND c.relkind = 'i' AND \
               t.relkind = 'r' \
               AND t.relnamespace::regnamespace::text IN ('public', 'app')";
    database.connect_as("postgres").column(sql).into_iter().collect()
}

fn is_marked(database: &Database<'_>) -> bool {
    support::is_marked(&database.connect_as("postgres"))
}

fn holds_nothing(database: &Database<'_>) -> bool {
    database
        .connect_as("postgres")
        .value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        == "0"
}

/// Goes on after a kill, as often as it takes, and is killed meanwhile, too. Where nothing was
/// begun it begins, where all was done nothing is left.
fn go_on(moments: &Moments, target: &Database<'_>, killed: String, run: impl Fn() -> Silverback) {
    let mut story = vec![killed];
    let before = finished(target);
    if random(3) == 0 && (is_marked(target) || holds_nothing(target)) {
        story.push(moments.kill(run().arg("--resume"), (target.server(), target.name())));
    }
    if is_marked(target) || holds_nothing(target) {
        let outcome = run().arg("--resume").run();
        assert_eq!(outcome.code, Some(0), "{story:#?}\n{outcome:#?}");
    }
    assert!(!is_marked(target), "{story:#?}");
    let after = finished(target);
    let anew: Vec<_> = before.difference(&after).collect();
    assert!(anew.is_empty(), "built anew: {anew:?}; {story:#?}");
}

#[test]
fn killed_at_any_moment() {
    let versions = ends();
    for &version in &versions {
        let pair = Pair::on(testkit::server(version), SHOP);
        pair.dump().run().expect(0);
        let moments = Moments::of(pair.restore().arg("-j3"));
        for _ in 0..kills().div_ceil(versions.len() as u32) {
            let target = pair.copy.server().database_of(&pair.owner, "target");
            // Another number of sessions cuts the work otherwise.
            let run = || restore(&pair.file(), &target).arg(format!("-j{}", 1 + random(4)));
            let killed = moments.kill(run(), (target.server(), target.name()));
            go_on(&moments, &target, killed, run);
            assert_same(&pair.source, &target);
        }
    }
}

#[test]
fn killed_while_it_makes_room() {
    let pair = Pair::new(SHOP);
    pair.dump().run().expect(0);
    let moments = Moments::of(pair.restore());
    for _ in 0..kills().div_ceil(4) {
        // What stands is dropped by the first run, and never again.
        let run = || pair.restore().args(["-c", "--if-exists"]);
        let killed = moments.kill(run(), (pair.copy.server(), pair.copy.name()));
        go_on(&moments, &pair.copy, killed, run);
        assert_same(&pair.source, &pair.copy);
    }
}

#[test]
fn killed_section_by_section() {
    let versions = ends();
    for &version in &versions {
        let pair = Pair::on(testkit::server(version), SHOP);
        pair.dump().run().expect(0);
        let moments = Moments::of(pair.restore());
        for _ in 0..kills().div_ceil(4) {
            let target = pair.copy.server().database_of(&pair.owner, "target");
            for section in ["pre-data", "data", "post-data"] {
                let run = || restore(&pair.file(), &target).args(["--section", section]);
                // Each is about a third of it.
                let third = Moments { whole: moments.whole / 2 };
                let killed = third.kill(run(), (target.server(), target.name()));
                // One that was done is not begun again.
                if is_marked(&target) {
                    go_on(&third, &target, killed, run);
                } else if run().arg("--resume").run().code != Some(0) {
                    assert!(!is_marked(&target), "{killed}");
                }
            }
            assert_same(&pair.source, &target);
        }
    }
}

#[test]
fn killed_against_the_clock() {
    let pair = Pair::new(SHOP);
    pair.dump().run().expect(0);
    let moments = Moments::of(pair.restore().arg("--ready-early"));
    for _ in 0..kills().div_ceil(2) {
        let target = pair.copy.server().database_of(&pair.owner, "target");
        let run = || restore(&pair.file(), &target).arg("--ready-early");
        let killed = moments.kill(run(), (target.server(), target.name()));
        go_on(&moments, &target, killed, run);
        assert_same(&pair.source, &target);
    }
}

#[test]
fn killed_while_it_makes_the_database() {
    let pair = Pair::new(SHOP);
    pair.source.execute(&format!(
        "COMMENT ON DATABASE {0} IS 'the shop'; ALTER DATABASE {0} CONNECTION LIMIT 50",
        pair.source.name()
    ));
    pair.dump().run().expect(0);
    let moments = Moments::of(pair.restore());
    let other = Server::spec(testkit::newest()).start();
    let (admin, name) = (other.connect("postgres"), pair.source.name());
    admin.execute(&format!("CREATE ROLE {} LOGIN", pair.owner.name()));
    let restore_from = |database: &str| {
        Silverback::new(["restore", "-d", &other.url("postgres", database)]).arg(pair.file())
    };
    let exists = || {
        admin.value(&format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'")) == "1"
    };
    let is_marked = || support::is_marked(&other.connect(name));
    for round in 0..kills().div_ceil(4) {
        let killed = moments.kill(restore_from("postgres").arg("-C"), (&other, name));
        end_sessions(&other, "postgres");
        // Into what was made, by its name, or from where it was made.
        if exists() && is_marked() && round % 2 == 0 {
            restore_from(name).arg("--resume").run().expect(0);
        } else if !exists()
            || is_marked()
            || other
                .connect(name)
                .value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
                == "0"
        {
            restore_from("postgres").args(["-C", "--resume"]).run().expect(0);
        }
        let said = "SELECT datconnlimit || shobj_description(oid, 'pg_database') FROM pg_database \
            WHERE datname = current_database()";
        assert_eq!(other.connect(name).value(said), "50the shop", "{killed}");
        let (again, target) = (
            pair.path(&format!("{round}.sbk")),
            pair.copy.server().database_of(&pair.owner, "target"),
        );
        Silverback::new(["dump", "-d", &other.url("postgres", name), "-f"])
            .arg(&again)
            .run()
            .expect(0);
        restore(&again, &target).run().expect(0);
        assert_same(&pair.source, &target);
        admin.execute(&format!("DROP DATABASE {name}"));
    }
    // It was killed right after it had made the database.
    admin.execute(&format!("CREATE DATABASE {name} TEMPLATE template0"));
    restore_from("postgres").arg("-C").run().expect(6).says("exists");
    restore_from("postgres").args(["-C", "--resume"]).run().expect(0);
    assert_eq!(other.connect(name).value("SELECT count(*) FROM heap"), "4000");
    // What is done is not to be gone on with.
    restore_from("postgres").args(["-C", "--resume"]).run().expect(6).says("exists");
}

#[test]
fn a_dump_beside_it_takes_no_ledger() {
    let pair = Pair::new("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    pair.dump().run().expect(0);
    pair.copy.connect().execute(
        "CREATE SCHEMA silverback_restore; CREATE TABLE silverback_restore.done (key uuid \
            PRIMARY KEY); CREATE TABLE t (a int)",
    );
    // A user's own table of that name is carried.
    let out = pair.path("own.sbk");
    dump(&pair.copy, &out).run().expect(0);
    let copy = pair.copy.server().database_of(&pair.owner, "own");
    restore(&out, &copy).run().expect(0);
    assert_eq!(copy.value("SELECT to_regclass('silverback_restore.done') IS NOT NULL"), "t");
}
