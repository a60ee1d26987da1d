//! The comparisons see what differs and nothing else.

use testkit::{catalog_fingerprint, database_digest, kong};

const EVERYTHING: &str = r#"
    CREATE SCHEMA "odd ""name"; CREATE TYPE mood AS ENUM ('b', 'a'); CREATE DOMAIN positive AS integer DEFAULT 1 CHECK (VALUE > 0); CREATE TYPE pair AS (a integer, b text);
    CREATE TYPE span AS RANGE (subtype = numeric);
    CREATE TABLE parted (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL, m mood, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE "odd ""name"."t t" (a positive, b text COLLATE "C" DEFAULT 'x', c integer GENERATED ALWAYS AS (a * 2) STORED, EXCLUDE USING btree (a WITH =)) WITH (fillfactor = 70);
    ALTER TABLE "odd ""name"."t t" ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON "odd ""name"."t t" USING (a > 1);
    CREATE VIEW v AS SELECT 1 AS one; CREATE MATERIALIZED VIEW mv AS SELECT 2 AS two; CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTHING;
    CREATE FUNCTION f(integer DEFAULT 3) RETURNS integer LANGUAGE sql AS 'SELECT $1'; CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer);
    CREATE STATISTICS st ON a, b FROM "odd ""name"."t t"; CREATE PUBLICATION pub FOR TABLE "odd ""name"."t t"; CREATE SEQUENCE s; SELECT nextval('s');
    COMMENT ON COLUMN v.one IS 'first'; GRANT SELECT (one) ON v TO PUBLIC; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
    INSERT INTO "odd ""name"."t t" SELECT n FROM generate_series(1, 9) AS n"#;

#[test]
fn equal_databases_compare_equal_on_every_version() {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let [left, right] = ["left", "right"].map(|hint| {
            let database = server.database(hint);
            kong::load(&database);
            kong::seed(&database, 100);
            database.execute(EVERYTHING);
            database
        });
        assert_eq!(catalog_fingerprint(&left), catalog_fingerprint(&right));
        assert_eq!(database_digest(&left), database_digest(&right));
        assert_eq!(database_digest(&left)[r#""odd ""name"."t t""#].0, 9);
        assert_eq!(database_digest(&left)["public.consumers"].0, 100);
    }
}

#[test]
fn each_small_difference_is_seen() {
    let server = testkit::newest_server();
    let database = server.database("differing");
    database.execute(EVERYTHING);
    let mut seen = vec![catalog_fingerprint(&database)];
    for change in [
        "COMMENT ON MATERIALIZED VIEW mv IS 'c'",
        "SELECT nextval('s')",
        "GRANT SELECT ON mv TO PUBLIC",
        "ALTER TABLE parted ALTER m SET DEFAULT 'a'",
        r#"ALTER TABLE "odd ""name"."t t" ALTER b SET STORAGE external"#,
        "ALTER SEQUENCE s CACHE 2",
        "CREATE OR REPLACE FUNCTION f(integer DEFAULT 3) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 1'",
        "CREATE INDEX ON parted (m)",
        "ALTER TYPE mood ADD VALUE 'c'",
        "ALTER TABLE parted_1 SET (autovacuum_enabled = off)",
    ] {
        database.execute(change);
        let fingerprint = catalog_fingerprint(&database);
        assert!(!seen.contains(&fingerprint), "not seen: {change}");
        seen.push(fingerprint);
    }
}

#[test]
fn physical_order_and_dropped_columns_make_no_difference_to_digests() {
    let database = testkit::newest_server().database("order");
    database.execute(
        "CREATE TABLE a (x integer, gone text, y text); ALTER TABLE a DROP COLUMN \
         gone; CREATE TABLE b (y text, x integer)",
    );
    database.execute(
        "INSERT INTO a VALUES (1, 'p'), (2, NULL), (3, ''); INSERT INTO b VALUES ('', \
         3), ('p', 1), (NULL, 2)",
    );
    let digests = database_digest(&database);
    assert_eq!(digests["public.a"], digests["public.b"]);
    database.execute("UPDATE b SET y = '' WHERE x = 2");
    assert_ne!(digests["public.a"], database_digest(&database)["public.b"]);
}
