//! Schemas of any kind, staged beside another copy of themselves: once the copy is live and the
//! other dropped, the database equals the archive's.

use testkit::Database;

use super::{leavings, live_rows, stage, swap};
use crate::support::{assert_same, dump, ends, temp_dir};

/// Partitions, an identity column, an enum, a domain, a view, a function whose body names the
/// schema, a trigger, a text search configuration, a schema that only the archive has, and more.
const SHOP: &str = "
    CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('fine', 'bad');
    CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
    CREATE TYPE app.pair AS (a int, b app.mood);
    CREATE TYPE app.spans AS RANGE (subtype = numeric);
    CREATE TABLE app.parents (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, \
    mood app.mood DEFAULT 'fine', size app.positive, p app.pair, s app.spans);
    INSERT INTO app.parents (name, size, p, s) SELECT 'p' || n, n, (n, 'bad')::app.pair, '[1,2]'::app.spans FROM \
    generate_series(1, {rows}) n;
    CREATE TABLE children (id serial PRIMARY KEY, parent int REFERENCES app.parents, twice int \
    GENERATED ALWAYS AS (parent * 2) STORED, CHECK (parent > 0));
    INSERT INTO children (parent) SELECT n FROM generate_series(1, {rows}) n;
    CREATE TABLE years (y int, v text, PRIMARY KEY (y, v)) PARTITION BY RANGE (y);
    CREATE TABLE years_1 PARTITION OF years FOR VALUES FROM (0) TO (100);
    CREATE TABLE app.years_2 PARTITION OF years DEFAULT;
    INSERT INTO years SELECT n, 'v' FROM generate_series(1, {rows}) n; CREATE INDEX ON years (v);
    CREATE VIEW app.seen AS SELECT c.id, p.mood FROM children c JOIN app.parents p ON p.id = \
    c.parent;
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM app.seen;
    CREATE UNIQUE INDEX ON counted (n);
    CREATE FUNCTION app.total() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM app.parents';
    CREATE FUNCTION first(app.mood) RETURNS app.mood LANGUAGE sql SET search_path = app, public AS \
    'SELECT mood FROM parents ORDER BY id LIMIT 1';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM app.total(); RETURN \
    NEW; END';
    CREATE TRIGGER touched BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE AGGREGATE app.sum_of(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
    CREATE FUNCTION app.eq(app.pair, app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT \
    ($1).a = ($2).a';
    CREATE OPERATOR app.=== (LEFTARG = app.pair, RIGHTARG = app.pair, FUNCTION = app.eq);
    CREATE TEXT SEARCH DICTIONARY app.plain (TEMPLATE = pg_catalog.simple);
    CREATE TEXT SEARCH CONFIGURATION app.words (PARSER = pg_catalog.\"default\");
    ALTER TEXT SEARCH CONFIGURATION app.words ADD MAPPING FOR asciiword WITH app.plain;
    CREATE TABLE texts (t text); INSERT INTO texts VALUES ('one two');
    CREATE INDEX ON texts USING gin (to_tsvector('app.words', t));
    CREATE COLLATION app.bytes (LOCALE = 'C'); CREATE SEQUENCE app.numbers; SELECT \
    setval('app.numbers', {rows});
    CREATE STATISTICS app.sizes ON size, mood FROM app.parents;
    ALTER TABLE texts ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON texts USING (t <> '');
    CREATE RULE nothing AS ON DELETE TO texts DO INSTEAD NOTHING;
    COMMENT ON TABLE texts IS 'rows'; GRANT SELECT ON children TO PUBLIC;
    COMMENT ON SCHEMA app IS '{rows}'; GRANT USAGE ON SCHEMA app TO PUBLIC;
    ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC;
    CREATE TABLE app.read_by_all (a int);
    CREATE UNLOGGED TABLE fleeting (id int); INSERT INTO fleeting VALUES ({rows})";

fn shop(database: &Database<'_>, rows: u32) {
    database.connect().execute(&SHOP.replace("{rows}", &rows.to_string()));
}

#[test]
fn a_shop_with_one_of_everything() {
    for version in ends() {
        let server = testkit::server(version);
        let role = server.role("shop");
        let (source, live) =
            (server.database_of(&role, "source"), server.database_of(&role, "live"));
        shop(&source, 300);
        shop(&live, 200);
        source.connect().execute("CREATE SCHEMA fresh; CREATE TABLE fresh.t AS SELECT 1 AS a");
        let before = live_rows(&live);
        let folder = temp_dir();
        let file = folder.path().join("shop.sbk");
        dump(&source, &file).run().expect(0);
        stage(&file, &live).run().expect(0);
        assert_eq!(live_rows(&live), before);
        swap(&live).run().expect(0);
        assert_eq!(live_rows(&live), live_rows(&source), "on {version}");
        assert_eq!(live.connect().value("SELECT app.total()"), "300");
        swap(&live).args(["--back", "--yes"]).run().expect(0);
        assert_eq!(live_rows(&live), before);
        assert_eq!(live.connect().value("SELECT app.total()"), "200");
        swap(&live).run().expect(0);
        swap(&live).arg("--drop-old").run().expect(0);
        assert_eq!(leavings(&live), Vec::<String>::new());
        assert_same(&source, &live);
    }
}
