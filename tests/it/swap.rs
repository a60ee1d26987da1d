//! A copy beside the live one takes its place, gives it back, and is dropped: by a role that owns
//! the database and nothing more.

mod by_database;
mod clear;
mod clients;
mod hold;
mod unfinished;

use std::collections::BTreeMap;

use testkit::kong_versions::KongVersion;
use testkit::{Client, Database, Role, Server};

use crate::support::{Outcome, Silverback, dump, ends, temp_dir};

/// Demands that the command of a run that was killed ends well; it is told where there is nothing
/// left to do.
fn ends_well(again: impl Fn() -> Silverback) {
    crate::support::wait_for("the killed run's session to end", || {
        let outcome = again().run();
        let done = ["live already", "the staged copy is not live"];
        outcome.code == Some(0) || done.iter().any(|words| outcome.stderr.contains(words))
    });
}

/// Where the copy is staged.
const STAGED: &str = "public_staged_1";

/// Describes a swap, as the database's owner.
fn swap(database: &Database<'_>) -> Silverback {
    Silverback::new(["swap", "-d", &database.url()])
}

/// What makes the table that a copy is noted in, and writes this row.
fn note_sql(row: &str) -> String {
    format!(
        "CREATE SCHEMA silverback_swap; CREATE TABLE silverback_swap.state (archive_id uuid \
         PRIMARY KEY, archive_name text NOT NULL, archive_root text NOT NULL, silverback_version \
         text NOT NULL, way text NOT NULL, phase text NOT NULL, is_whole boolean NOT NULL, \
         staged_by text NOT NULL, staged_at timestamptz NOT NULL, changed_by text, changed_at \
         timestamptz, schemas text[] NOT NULL, away_schemas text[] NOT NULL, live_objects text[] \
         NOT NULL, away_objects text[] NOT NULL, is_new boolean NOT NULL, live_database text NOT \
         NULL, away_database text, swap_xid bigint, rows_deleted bigint); GRANT USAGE ON SCHEMA \
         silverback_swap TO PUBLIC; GRANT SELECT ON silverback_swap.state TO PUBLIC; INSERT INTO \
         silverback_swap.state VALUES ({row})"
    )
}

/// Notes that a complete copy of `public` stands in [`STAGED`].
fn note_staged(database: &Database<'_>) {
    database.connect().execute(&note_sql(&format!(
        "gen_random_uuid(), 'kong.sbk', 'f00', '0', 'in place', 'staged', true, current_user, \
         now(), NULL, NULL, '{{public}}', '{{{STAGED}}}', '{{}}', '{{}}', true, \
         current_database(), NULL, NULL, NULL"
    )));
}

/// Kong 3.9 live, 3.4 staged, and what Kong's tables do not show: a trigger that is disabled, a
/// sequence's value, a type, a function with an argument of it, rows.
fn two_copies<'s>(server: &'s Server, role: &Role<'s>) -> Database<'s> {
    let database = server.database_of(role, "kong");
    let client = database.connect();
    for (version, schema, mark) in [("3.9.3", "public", 39), ("3.4.2", STAGED, 34)] {
        KongVersion::new(version).schema(schema).load(&database);
        client.execute(&format!(
            "CREATE TYPE {schema}.mood AS ENUM ('fine', 'bad'); \
             CREATE TABLE {schema}.marks (id serial PRIMARY KEY, v int, m {schema}.mood); \
             INSERT INTO {schema}.marks (v) SELECT {mark} FROM generate_series(1, {mark}); \
             CREATE FUNCTION {schema}.feel({schema}.mood) RETURNS {schema}.mood LANGUAGE sql AS \
             'SELECT $1'; \
             CREATE FUNCTION {schema}.sync_tags() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN \
             RETURN new; END'; \
             CREATE TRIGGER t1 AFTER INSERT ON {schema}.tags FOR EACH ROW EXECUTE FUNCTION \
             {schema}.sync_tags(); \
             CREATE TRIGGER t2 AFTER INSERT ON {schema}.tags FOR EACH ROW EXECUTE FUNCTION \
             {schema}.sync_tags(); ALTER TABLE {schema}.tags DISABLE TRIGGER t2; \
             CREATE STATISTICS {schema}.s ON id, v FROM {schema}.marks; \
             INSERT INTO {schema}.tags (entity_id, entity_name, tags) VALUES (gen_random_uuid(), \
             'x', '{{{mark}}}'); SELECT setval('{schema}.marks_id_seq', {mark} * 10)"
        ));
    }
    database
}

/// What stands in a schema, under that schema's live name: columns, rows, sequences, triggers,
/// functions.
fn digest(database: &Database<'_>, schema: &str) -> BTreeMap<String, String> {
    digest_by(&database.connect_as("postgres"), schema)
}

/// The same, by this session.
fn digest_by(admin: &Client, schema: &str) -> BTreeMap<String, String> {
    let columns = format!(
        "SELECT c.relname, c.relkind::text || ' ' || coalesce((SELECT string_agg(attname || ' ' || \
         replace(format_type(atttypid, atttypmod), '{schema}.', ''), ',' ORDER BY attnum) FROM \
         pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped), '') FROM \
         pg_class c WHERE relnamespace = '{schema}'::regnamespace UNION ALL SELECT 'routine ' || \
         proname, prosrc FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace UNION ALL \
         SELECT 'trigger ' || t.tgname || c.relname, t.tgenabled::text FROM pg_trigger t JOIN \
         pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = '{schema}'::regnamespace UNION \
         ALL SELECT 'type ' || typname, typtype::text FROM pg_type WHERE typnamespace = \
         '{schema}'::regnamespace UNION ALL SELECT 'statistics ' || stxname, '' FROM \
         pg_statistic_ext WHERE stxnamespace = '{schema}'::regnamespace"
    );
    let mut all: BTreeMap<String, String> = admin
        .rows(&columns)
        .into_iter()
        .map(|row| (row[0].clone().expect("a name"), row[1].clone().unwrap_or_default()))
        .collect();
    let tables = format!(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'S') AND relnamespace = \
         '{schema}'::regnamespace"
    );
    for table in admin.column(&tables) {
        let rows = admin.value(&format!(
            "SELECT count(*) || ' ' || md5(coalesce(string_agg(t::text, ';' ORDER BY t::text), \
             '')) FROM (SELECT * FROM {schema}.{}) t",
            testkit::quote(&table)
        ));
        all.insert(format!("rows {table}"), rows);
    }
    all
}

/// The schema that holds the copy that is not live.
fn away(database: &Database<'_>) -> String {
    database.value("SELECT away_schemas[1] FROM silverback_swap.state")
}

#[test]
fn there_and_back_and_gone() {
    for version in ends() {
        let server = testkit::server(version);
        let role = server.role("kong");
        let database = two_copies(server, &role);
        database.connect().execute("CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)");
        swap(&database).run().expect(6).says("nothing is staged here");
        note_staged(&database);
        let orders = |all: &mut BTreeMap<String, String>| {
            for name in ["orders", "rows orders", "type orders", "type _orders"] {
                all.remove(name);
            }
        };
        let (mut old, new) = (digest(&database, "public"), digest(&database, STAGED));
        orders(&mut old);
        assert_ne!(old, new);
        let plan = swap(&database).arg("--dry-run").run().expect(0);
        assert!(plan.stdout.contains(&format!("ALTER TABLE {STAGED}.tags SET SCHEMA public;")));
        // What 3.4 does not have and 3.9 has made.
        assert!(plan.stdout.contains("ALTER TABLE public.clustering_rpc_requests SET SCHEMA"));
        assert!(!plan.stdout.contains("orders"), "{}", plan.stdout);
        let look = |expect_live: &BTreeMap<String, String>,
                    expect_away: &BTreeMap<String, String>| {
            let mut live = digest(&database, "public");
            orders(&mut live);
            assert_eq!(live, *expect_live, "live on {version}");
            assert_eq!(digest(&database, &away(&database)), *expect_away, "away on {version}");
            assert_eq!(database.value("SELECT id FROM public.orders"), "7");
        };
        look(&old, &new);
        swap(&database).arg("--back").run().expect(6).says("the staged copy is not live");
        swap(&database).run().expect(0);
        look(&new, &old);
        let told = swap(&database).arg("--status").run().expect(10);
        assert!(told.stdout.contains("the staged copy is live"), "{}", told.stdout);
        swap(&database).run().expect(6).says("live already");
        // Nothing was written yet; then something is.
        database.connect().execute("INSERT INTO marks (v) VALUES (1)");
        swap(&database).arg("--back").run().expect(2).says("1 row inserted or updated");
        swap(&database).args(["--back", "--yes"]).run().expect(0);
        let after = digest(&database, &away(&database));
        assert_ne!(after, new, "the row that was written is kept");
        look(&old, &after);
        swap(&database).run().expect(0);
        look(&after, &old);
        swap(&database).args(["--drop-old", "--dry-run"]).run().expect(0);
        look(&after, &old);
        swap(&database).arg("--drop-old").run().expect(0);
        assert_eq!(
            database
                .column("SELECT nspname FROM pg_namespace WHERE nspname ~ 'before|staged|silv'"),
            Vec::<String>::new()
        );
        swap(&database).arg("--status").run().expect(0);
    }
}

#[test]
fn what_depends_on_the_live_objects_is_named() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let database = two_copies(server, &role);
    note_staged(&database);
    database.connect().execute(
        "CREATE VIEW seen AS SELECT v FROM marks; \
         CREATE TABLE bills (mark int CONSTRAINT whose REFERENCES marks); \
         CREATE TABLE rules (id int); ALTER TABLE rules ENABLE ROW LEVEL SECURITY; \
         CREATE POLICY few ON rules USING (id IN (SELECT v FROM marks)); \
         CREATE FUNCTION total() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM marks; END; \
         CREATE TABLE felt (m mood); CREATE PUBLICATION marked FOR TABLE marks",
    );
    database.execute(
        "CREATE SUBSCRIPTION fed CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = false, \
         slot_name = NONE); INSERT INTO pg_subscription_rel SELECT s.oid, 'marks'::regclass, 'r', \
         NULL FROM pg_subscription s WHERE subname = 'fed'",
    );
    let before = digest(&database, "public");
    for more in [&["--dry-run"][..], &[]] {
        let Outcome { stdout, stderr, .. } = swap(&database).args(more).run().expect(6);
        let said = format!("{stdout}{stderr}");
        for what in [
            "view public.seen",
            "constraint whose on table public.bills",
            "policy few on table public.rules",
            "function public.total()",
            "table public.felt",
            "publication of table public.marks in publication marked",
            "table public.marks of subscription fed",
        ] {
            assert!(said.contains(what), "{what}: {said}");
        }
    }
    assert_eq!(digest(&database, "public"), before);
}

#[test]
fn a_dump_beside_a_copy_leaves_it_out() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let database = two_copies(server, &role);
    note_staged(&database);
    let folder = temp_dir();
    let list = |more: &[&str]| {
        let file = folder.path().join(format!("{}.sbk", more.concat()));
        let told = dump(&database, &file).args(more).run().expect(0);
        let listed = Silverback::new(["list"]).arg(&file).run().expect(0).stdout;
        (told, listed)
    };
    let (told, listed) = list(&[]);
    told.says(&format!("schemas silverback_swap, {STAGED}"));
    assert!(listed.contains("marks") && !listed.contains(STAGED), "{listed}");
    assert!(!listed.contains("silverback_swap"), "{listed}");
    let (_, listed) = list(&["-n", STAGED]);
    assert!(listed.contains(STAGED), "{listed}");
    // The marker of an unfinished stage is about the copy only.
    swap(&database).run().expect(0);
    let (_, listed) = list(&["-j", "2"]);
    assert!(listed.contains("marks") && !listed.contains("_before_"), "{listed}");
}

#[test]
fn names_that_are_taken_and_what_needs_the_other_copy_are_named() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let database = two_copies(server, &role);
    note_staged(&database);
    let client = database.connect();
    client.execute(&format!(
        "CREATE TABLE {STAGED}.extra (id int PRIMARY KEY); CREATE TABLE orders (id int); CREATE \
         INDEX extra_pkey ON orders (id)"
    ));
    swap(&database).run().expect(6).says("index public.extra_pkey is not exchanged");
    client.execute("DROP INDEX extra_pkey");
    swap(&database).run().expect(0);
    client.execute(&format!("CREATE VIEW peek AS SELECT v FROM {}.marks", away(&database)));
    swap(&database).arg("--drop-old").run().expect(6).says("view public.peek depends on");
    assert_eq!(database.value("SELECT count(*) FROM peek"), "39");
    client.execute("DROP VIEW peek");
    // What the archive brought and the live copy did not have goes back with it.
    swap(&database).arg("--back").run().expect(0);
    assert_eq!(database.value("SELECT to_regclass('public.extra') IS NULL"), "t");
    swap(&database).arg("--drop-old").run().expect(0);
    assert_eq!(database.value("SELECT count(*) FROM public.marks"), "39");
}

#[test]
fn another_roles_object_is_not_exchanged_in_silence() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let database = two_copies(server, &role);
    note_staged(&database);
    database.execute("ALTER TABLE public.marks OWNER TO postgres");
    swap(&database).run().expect(6).says("table public.marks belongs to another role");
    database.execute(&format!("ALTER TABLE public.marks OWNER TO {}", role.name()));
    database.execute("UPDATE silverback_swap.state SET phase = 'staging'");
    swap(&database).run().expect(6).says("not complete");
    swap(&database).arg("--drop-old").run().expect(0);
    assert_eq!(database.value("SELECT count(*) FROM public.marks"), "39");
}
