//! The way back from an upgrade: the older database comes over the newer one as it is typed, `-c`,
//! and who waits for a lock learns whose it is.

use testkit::{Database, Role, Server};

use crate::support::{assert_same, dump, ends, restore, round_trip, temp_dir, wait_for};

/// What a newer Kong has made since, rows and all.
const SINCE: [&str; 6] = [
    "keys",
    "key_sets",
    "filter_chains",
    "clustering_rpc_requests",
    "clustering_sync_delta",
    "clustering_sync_version",
];

/// A database of Kong as it was before those tables, and as it is.
fn older_and_newer<'s>(server: &'s Server, role: &Role<'s>) -> (Database<'s>, Database<'s>) {
    let (older, newer) = (server.database_of(role, "older"), server.database_of(role, "newer"));
    for database in [&older, &newer] {
        testkit::kong::load(database);
        testkit::kong::seed(database, 20);
    }
    for table in SINCE {
        older.execute(&format!("DROP TABLE {table} CASCADE"));
    }
    older.execute(
        "DO $$ DECLARE t record; BEGIN \
           FOR t IN SELECT tgrelid::regclass AS of, tgname FROM pg_trigger \
             WHERE tgfoid = 'batch_delete_expired_rows'::regproc \
           LOOP EXECUTE format('DROP TRIGGER %I ON %s', t.tgname, t.of); END LOOP; END $$; \
         DROP FUNCTION batch_delete_expired_rows",
    );
    newer.execute(
        "INSERT INTO key_sets (id, name, ws_id) \
           SELECT gen_random_uuid(), 'mine', id FROM workspaces LIMIT 1; \
         INSERT INTO keys (id, set_id, name, kid) \
           SELECT gen_random_uuid(), id, 'k', 'k' FROM key_sets LIMIT 1",
    );
    (older, newer)
}

#[test]
fn an_upgrade_is_rolled_back_as_it_is_typed() {
    for version in ends() {
        let server = testkit::server(version);
        let role = server.role("kong");
        let (older, newer) = older_and_newer(server, &role);
        // Somebody else's, by the name of one of Kong's, and by another.
        newer.execute("CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)");
        newer.execute("CREATE TABLE vaults_beta (id int); INSERT INTO vaults_beta VALUES (2)");
        let folder = temp_dir();
        let file = folder.path().join("older.sbk");
        dump(&older, &file).run().expect(0);
        let clean = |more: &[&str]| restore(&file, &newer).args(["-c", "--if-exists"]).args(more);
        let plan = clean(&["--dry-run"]).run().expect(0);
        assert!(plan.stdout.contains("DROP TABLE IF EXISTS public.key_sets;"), "{}", plan.stdout);
        let told = clean(&[]).run().expect(0).says("another version of Kong has made it");
        for table in SINCE {
            assert!(told.stderr.contains(&format!("TABLE public.{table}")), "{}", told.stderr);
        }
        assert!(told.stderr.contains("FUNCTION public.batch_delete_expired_rows()"));
        assert_eq!(
            newer.value("SELECT sum(id) FROM (TABLE orders UNION ALL TABLE vaults_beta) t"),
            "3"
        );
        newer.execute("DROP TABLE orders, vaults_beta");
        assert_same(&older, &newer);
    }
}

#[test]
fn what_needs_that_which_goes_is_named_before_the_first_drop() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let (older, newer) = older_and_newer(server, &role);
    newer.execute(
        "CREATE TABLE bills (id int, consumer uuid CONSTRAINT whose REFERENCES consumers); \
         CREATE VIEW sets AS SELECT name FROM key_sets; \
         CREATE FUNCTION next() RETURNS bigint LANGUAGE sql \
           AS $$ SELECT nextval('clustering_sync_version_version_seq') $$; \
         CREATE TABLE counted (n bigint DEFAULT nextval('clustering_sync_version_version_seq'))",
    );
    let folder = temp_dir();
    let file = folder.path().join("older.sbk");
    dump(&older, &file).run().expect(0);
    for more in [&["--dry-run"][..], &[]] {
        let outcome = restore(&file, &newer).args(["-c", "--if-exists"]).args(more).run().expect(6);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        for what in [
            "3 objects need what -c drops",
            "constraint whose on table public.bills",
            "view public.sets",
            "default value for column n of table public.counted",
        ] {
            assert!(said.contains(what), "{what}: {said}");
        }
    }
    assert_eq!(newer.value("SELECT count(*) FROM key_sets WHERE name = 'mine'"), "1");
    // A part of the archive takes nothing else along.
    restore(&file, &newer).args(["-c", "-t", "locks"]).run().expect(0);
    assert_eq!(newer.value("SELECT count(*) FROM keys WHERE name = 'k'"), "1");
}

#[test]
fn an_extension_that_goes_takes_its_own_along() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("source"), server.database("copy"));
    source.execute(
        "CREATE EXTENSION sbk_guards; INSERT INTO jobs VALUES (1); \
         CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; \
         CREATE TRIGGER mine AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION mine(); \
         CREATE TYPE pair AS (a int, b int); CREATE TABLE pairs (p pair, q pair[]); \
         CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int); \
         CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent)",
    );
    let folder = temp_dir();
    let file = round_trip(&source, &copy, folder.path());
    restore(&file, &copy).arg("-c").run().expect(0);
    assert_same(&source, &copy);
}

#[test]
fn who_blocks_is_named() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("source"), server.database("copy"));
    source.execute("CREATE TABLE t AS SELECT 1 AS a");
    let folder = temp_dir();
    let file = round_trip(&source, &copy, folder.path());
    let reader = copy.connect();
    reader.execute("BEGIN; SELECT * FROM t");
    let pid = reader.value("SELECT pg_backend_pid()");
    restore(&file, &copy)
        .args(["-c", "--lock-wait-timeout", "6s"])
        .run()
        .expect(9)
        .says("no lock within 6000 ms: blocked by process")
        .says(&format!("process {pid} of role {}", copy.owner()))
        .says("nothing was changed");
    assert_eq!(copy.value("SELECT a FROM t"), "1");
    // Without it, one waits, and learns for whom. A look is short; the server's log keeps it.
    let log = "ALTER DATABASE {} SET log_min_duration_statement = 0";
    copy.execute(&log.replace("{}", &testkit::quote(copy.name())));
    let before = server.log_size();
    let mut running = restore(&file, &copy).arg("-c").spawn();
    wait_for("it to have looked who blocks", || {
        let looked = |line: &str| line.contains("duration") && line.contains("pg_blocking_pids");
        server.log_since(before).lines().any(looked) || running.is_done()
    });
    std::thread::sleep(std::time::Duration::from_millis(300));
    reader.execute("COMMIT");
    let waits = format!("waits for a lock, blocked by process {pid}");
    running.wait().expect(0).says(&waits);
    assert_same(&source, &copy);
}

/// Demands that `-c`, planned and tried, is refused with these words and leaves all as it is.
#[track_caller]
fn refused(file: &std::path::Path, target: &Database<'_>, words: &[&str]) {
    let before = (testkit::database_digest(target), testkit::catalog_fingerprint(target));
    for more in [&["--dry-run"][..], &[]] {
        let outcome = restore(file, target).args(["-c", "--if-exists"]).args(more).run().expect(6);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
    let after = (testkit::database_digest(target), testkit::catalog_fingerprint(target));
    assert_eq!(before, after);
}

#[test]
fn what_would_go_along_or_stands_under_a_name_of_the_archives_is_refused() {
    for version in ends() {
        let server = testkit::server(version);
        let role = server.role("kong");
        let (source, target) =
            (server.database_of(&role, "source"), server.database_of(&role, "target"));
        let guest = server.role("guest");
        let whole = "CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY, n int); CREATE INDEX t_n \
            ON t (n); CREATE STATISTICS t_both ON id, n FROM t; CREATE TABLE part (id int) \
            PARTITION BY RANGE (id); CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO \
            (10); CREATE TYPE mood AS ENUM ('ok'); INSERT INTO t VALUES (1, 1); INSERT INTO part \
            VALUES (1)";
        source.connect().execute(whole);
        target.connect().execute(whole);
        let folder = temp_dir();
        let file = folder.path().join("a.sbk");
        dump(&source, &file).run().expect(0);
        let by_guest = |sql: &str| {
            let guest = testkit::quote(guest.name());
            target.execute(&format!("SET ROLE {guest}; {sql}; RESET ROLE"));
        };
        target.execute(&format!(
            "GRANT CREATE, USAGE ON SCHEMA public TO {0}; GRANT CREATE ON DATABASE {1} TO {0}",
            testkit::quote(guest.name()),
            testkit::quote(target.name())
        ));
        // A partition that the archive does not have, in another schema, another role's.
        let owner = target.connect();
        owner.execute(
            "CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (10) TO (20); INSERT INTO part \
             VALUES (12)",
        );
        refused(&file, &target, &["table public.part2"]);
        owner.execute("DROP TABLE part2");
        // Names of an index, a key and a type.
        owner.execute(
            "DROP INDEX t_n; CREATE TABLE neighbour (n int, m int); CREATE INDEX t_n ON neighbour (n)",
        );
        refused(&file, &target, &["index public.t_n"]);
        owner.execute(
            "DROP INDEX t_n; ALTER TABLE t DROP CONSTRAINT t_key; ALTER TABLE neighbour ADD \
             CONSTRAINT t_key UNIQUE (n)",
        );
        refused(&file, &target, &["index public.t_key"]);
        owner.execute(
            "ALTER TABLE neighbour DROP CONSTRAINT t_key; DROP STATISTICS t_both; CREATE \
             STATISTICS t_both ON n, m FROM neighbour",
        );
        refused(&file, &target, &["statistics object public.t_both"]);
        owner.execute("DROP TABLE neighbour; DROP TABLE part; CREATE TYPE part AS ENUM ('x')");
        refused(&file, &target, &["type public.part"]);
        owner.execute("DROP TYPE part; DROP TABLE t");
        // Another role's table of a name of the archive's, in a schema that is the role's own.
        by_guest("CREATE TABLE t (a int); INSERT INTO t VALUES (7)");
        target.execute(&format!("ALTER SCHEMA public OWNER TO {}", testkit::quote(role.name())));
        refused(&file, &target, &["belong to other roles: table public.t"]);
        by_guest("DROP TABLE t");
        target.execute(&format!(
            "REVOKE ALL ON SCHEMA public FROM {0}; REVOKE ALL ON DATABASE {1} FROM {0}",
            testkit::quote(guest.name()),
            testkit::quote(target.name())
        ));
        restore(&file, &target).args(["-c", "--if-exists"]).run().expect(0);
        crate::support::assert_same_rows(&source, &target);
    }
}
