//! Rows that are not as the archive has them, when all is done: found, named by their keys, and the
//! database stays marked; and what is found to be the same.

use testkit::Database;

use crate::pair::Pair;
use crate::support::{Silverback, assert_same, ends, restore};

/// A table, and a materialized view that, when it is filled, writes into the table as somebody would
/// who does not wait; only where a setting of the database asks for it.
const SETUP: &str = "
    CREATE TABLE \"Prices\" (shop int, item text, price numeric, PRIMARY KEY (shop, item));
    INSERT INTO \"Prices\" SELECT n % 3, 'i' || n, n FROM generate_series(1, 100) n;
    CREATE FUNCTION meddle() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      IF current_setting('meddle.wanted', true) = 'yes' THEN
        UPDATE public.\"Prices\" SET price = 0 WHERE item = 'i7';
        DELETE FROM public.\"Prices\" WHERE item IN ('i1', 'i2', 'i3', 'i4');
        INSERT INTO public.\"Prices\" VALUES (9, 'new', 1);
      END IF;
      RETURN 1; END $$;
    CREATE MATERIALIZED VIEW filled AS SELECT meddle();";

fn meddle(database: &Database<'_>) {
    database.execute(&format!("ALTER DATABASE {} SET meddle.wanted = 'yes'", database.name()));
}

fn leave(database: &Database<'_>) {
    database.execute(&format!("ALTER DATABASE {} RESET ALL", database.name()));
}

#[test]
fn a_changed_a_missing_and_an_extra_row_are_named() {
    for version in ends() {
        let pair = Pair::on(testkit::server(version), SETUP);
        pair.dump().run().expect(0);
        meddle(&pair.copy);
        let differs = pair.restore().args(["-c", "--if-exists"]).run().expect(7);
        differs
            .says("compare public.\"Prices\" with the archive: 1 row changed: (shop, item)=(1, i7)")
            .says("; 4 rows missing: (shop, item)=(0, i3), (shop, item)=(1, i1), (shop, item)=(1, i4), …")
            .says("; 1 row too many: (shop, item)=(9, new)");
        Silverback::new(["restore", "--status", "-d", &pair.copy.url()]).run().expect(7);
        leave(&pair.copy);
        pair.restore().args(["-c", "--if-exists"]).run().expect(0);
        assert_same(&pair.source, &pair.copy);
    }
}

#[test]
fn it_is_not_ready_before_it_is_the_same() {
    let pair = Pair::new(SETUP);
    pair.dump().run().expect(0);
    meddle(&pair.copy);
    let file = pair.path("ready");
    let early = pair
        .restore()
        .args(["--check", "--ready-early", "--ready-file"])
        .arg(&file)
        .run()
        .expect(7)
        .says("1 row changed");
    assert!(!early.stderr.contains("in use"), "{}", early.stderr);
    assert!(!file.exists());
}

#[test]
fn it_is_asked_for_or_left_out() {
    let pair = Pair::new(SETUP);
    pair.dump().run().expect(0);
    meddle(&pair.copy);
    let plan = pair.restore().args(["--check", "--dry-run"]).run().expect(0);
    assert!(plan.stdout.contains("COPY public.\"Prices\" (shop, item, price) TO STDOUT"));
    pair.restore().args(["--check"]).run().expect(7);
    pair.restore().args(["-c", "--no-check"]).run().expect(0);
    pair.restore().args(["-c"]).run().expect(7);
}

#[test]
fn without_a_primary_key_rows_are_counted() {
    let pair =
        Pair::new(&format!("{SETUP}; ALTER TABLE \"Prices\" DROP CONSTRAINT \"Prices_pkey\""));
    pair.dump().run().expect(0);
    meddle(&pair.copy);
    pair.restore()
        .args(["--check"])
        .run()
        .expect(7)
        .says("5 of the archive's rows are not in it, and it has 2 that the archive has not");
}

#[test]
fn more_rows_than_are_looked_at_in_one_round() {
    let pair = Pair::new(&format!(
        "{SETUP}; INSERT INTO \"Prices\" SELECT 5, n::text, n FROM generate_series(1, 600000) n"
    ));
    pair.dump().run().expect(0);
    meddle(&pair.copy);
    pair.restore()
        .args(["--check"])
        .run()
        .expect(7)
        .says("1 row changed: (shop, item)=(1, i7); 4 ");
}

/// Rows that no plain reading shows as they were written: spread over partitions anew, under row
/// security, in an encoding of their own, in large objects, in COPY TEXT.
#[test]
fn the_same_rows_are_the_same_wherever_they_lie() {
    for version in ends() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
             CREATE TABLE spread (c colour, n int) PARTITION BY HASH (c);
             CREATE TABLE s0 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 0);
             CREATE TABLE s1 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 1);
             INSERT INTO spread SELECT (enum_range(NULL::colour))[n % 3 + 1], n
               FROM generate_series(1, 300) n;
             CREATE TABLE parent (a tsquery); CREATE TABLE child () INHERITS (parent);
             INSERT INTO parent VALUES ('a & b'); INSERT INTO child VALUES ('c'), (NULL);
             CREATE TABLE guarded (a int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
             INSERT INTO guarded VALUES (1); CREATE TABLE empty (a int); CREATE TABLE none ();
             INSERT INTO none SELECT FROM generate_series(1, 3);
             SELECT lo_from_bytea(0, repeat('x', 300000)::bytea);",
        );
        pair.dump().run().expect(0);
        pair.copy.connect().execute("SELECT lo_from_bytea(0, 'somebody''s')");
        restore(&pair.file(), &pair.copy).args(["-a", "--check"]).run().expect(6);
        pair.copy.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata");
        pair.restore().args(["--check"]).run().expect(0);
    }
}

#[test]
fn rows_that_a_policy_would_hide_from_their_owner_are_not_compared() {
    let pair = Pair::new(
        "CREATE TABLE guarded (a int); INSERT INTO guarded VALUES (1);
         CREATE TABLE plain (a int);",
    );
    pair.source.execute(
        "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; ALTER TABLE guarded FORCE ROW LEVEL SECURITY",
    );
    Silverback::new(["dump", "-d", &pair.source.url_as("postgres"), "-f"])
        .arg(pair.file())
        .run()
        .expect(0);
    pair.restore().args(["--check"]).run().expect(0).says("public.guarded is not compared");
}
