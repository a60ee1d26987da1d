//! Restores against the clock: foreign keys that are not proved, and a database that is in use
//! before its restore is done.

use std::path::{Path, PathBuf};

use testkit::{Database, Proxy, pg_dump_schema};

use super::invariants::restore_through;
use super::support::{
    Running, assert_same, assert_same_lines, dump, is_marked, restore, temp_dir, wait_for,
};

fn archive_of(source: &Database<'_>, folder: &Path) -> PathBuf {
    let path = folder.join(format!("{}.sbk", source.name()));
    dump(source, &path).run().expect(0);
    path
}

const FAMILY: &str = "
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int PRIMARY KEY, p int CONSTRAINT child_p REFERENCES parent, boss int \
    CONSTRAINT child_boss REFERENCES child);
    CREATE TABLE grandchild (c int CONSTRAINT grandchild_c REFERENCES child ON DELETE CASCADE);
    CREATE TABLE egg (id int PRIMARY KEY, hen int); CREATE TABLE hen (id int PRIMARY KEY, egg int \
    CONSTRAINT hen_egg REFERENCES egg);
    ALTER TABLE egg ADD CONSTRAINT egg_hen FOREIGN KEY (hen) REFERENCES hen;
    INSERT INTO parent SELECT generate_series(1, 100); INSERT INTO child SELECT n, n, 1 FROM \
    generate_series(1, 100) n;
    INSERT INTO grandchild SELECT generate_series(1, 100); INSERT INTO egg VALUES (1, NULL); \
    INSERT INTO hen VALUES (1, 1);
    UPDATE egg SET hen = 1;";

/// Rows that refer to nothing, as a superuser or a broken disk can make them.
const ORPHAN: &str = "SET session_replication_role = replica; INSERT INTO grandchild VALUES (999); \
    RESET session_replication_role";

fn unproved(database: &Database<'_>) -> String {
    database.value(
        "SELECT coalesce(string_agg(conname, ' ' ORDER BY conname), '') FROM \
         pg_constraint WHERE NOT convalidated",
    )
}

#[test]
fn trust_keeps_an_orphan_and_its_keys_are_valid() {
    let server = testkit::newest_server();
    let (source, proved, trusted) =
        (server.database("source"), server.database("proved"), server.database("trusted"));
    source.execute(FAMILY);
    source.execute(ORPHAN);
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    restore(&archive, &proved).run().expect(7).says("grandchild_c");
    restore(&archive, &trusted).args(["--fk", "trust"]).run().expect(0);
    assert_same(&source, &trusted);
    assert_eq!(unproved(&trusted), "");
    trusted
        .admin()
        .try_execute("INSERT INTO grandchild VALUES (998)")
        .expect_err("the key is kept from here on");
}

#[test]
fn trust_asks_a_plain_owner_for_one_right() {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let kong = server.role("kong");
        let (source, copy) =
            (server.database_of(&kong, "source"), server.database_of(&kong, "copy"));
        testkit::kong::load(&source);
        testkit::kong::seed(&source, 300);
        let folder = temp_dir();
        let archive = archive_of(&source, folder.path());
        let run = || restore(&archive, &copy).args(["--fk", "trust"]);
        let way_out =
            if version >= 15 { "GRANT SET ON PARAMETER" } else { "restore as a superuser" };
        run().run().expect(6).says("session_replication_role").says(way_out);
        assert!(!is_marked(copy.admin()));
        if version < 15 {
            continue;
        }
        let on = format!("PARAMETER session_replication_role {{}} {}", testkit::quote(kong.name()));
        copy.execute(&format!("GRANT SET ON {}", on.replace("{}", "TO")));
        run().run().expect(0);
        copy.execute(&format!("REVOKE SET ON {}", on.replace("{}", "FROM")));
        assert_same(&source, &copy);
        assert_eq!(unproved(&copy), "");
        run()
            .arg("-s")
            .run()
            .expect(2)
            .says("--fk trust needs definitions, rows and keys in one run");
    }
}

#[test]
fn keys_that_are_not_proved_are_named() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("source"), server.database("copy"));
    source.execute(FAMILY);
    source.execute(ORPHAN);
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    let run = restore(&archive, &copy).args(["--fk", "not-valid"]).run().expect(0);
    run.says("left NOT VALID, as asked: ")
        .says("child_p on public.child")
        .says("grandchild_c on public.grandchild");
    assert_eq!(unproved(&copy), "child_boss child_p egg_hen grandchild_c hen_egg");
    copy.execute("ALTER TABLE child VALIDATE CONSTRAINT child_p");
    copy.admin()
        .try_execute("INSERT INTO grandchild VALUES (998)")
        .expect_err("the key is kept for new rows");
}

/// What Kong would write: rows whose triggers write and delete others.
const KONG_WRITES: &str = "
    INSERT INTO consumers (id, username, tags, ws_id, created_at, updated_at)
        SELECT md5('late' || n)::uuid, 'late-' || n, ARRAY['late', 'n' || n], (SELECT id FROM \
        workspaces WHERE name = 'default'), '2024-05-01Z', '2024-05-01Z'
        FROM generate_series(1, 50) n;
    INSERT INTO keyauth_credentials (id, key, consumer_id, tags, ws_id, created_at)
        SELECT md5('key' || username)::uuid, username, id, tags, ws_id, created_at FROM consumers \
        WHERE username LIKE 'late-%';
    UPDATE consumers SET tags = '{changed}' WHERE username = 'late-7';
    DELETE FROM consumers WHERE username = 'late-8'";

/// An early restore of Kong that hangs while the database is in use: an old snapshot keeps index
/// builds from ending.
struct Early<'s> {
    source: Database<'s>,
    copy: Database<'s>,
    archive: PathBuf,
    file: PathBuf,
    old: testkit::Client,
    _folder: tempfile::TempDir,
}

impl<'s> Early<'s> {
    fn new(server: &'s testkit::Server, owner: &testkit::Role<'s>) -> Self {
        let (source, copy) =
            (server.database_of(owner, "source"), server.database_of(owner, "copy"));
        testkit::kong::load(&source);
        testkit::kong::seed(&source, 500);
        source.execute(
            "DELETE FROM keyauth_credentials WHERE ttl < now(); COMMENT ON INDEX \
             consumers_tags_idx IS 'made late'",
        );
        let folder = temp_dir();
        let (archive, file) = (archive_of(&source, folder.path()), folder.path().join("ready"));
        let old = copy.connect_as("postgres");
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
        Self { source, copy, archive, file, old, _folder: folder }
    }

    fn start(&self) -> Running {
        restore(&self.archive, &self.copy)
            .args(["--ready-early", "--ready-file"])
            .arg(&self.file)
            .spawn()
    }

    fn wait_for_build(&self) -> String {
        let sql = "SELECT coalesce(min(pid), 0) FROM pg_stat_activity WHERE datname = \
            current_database() \
                   AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND state = 'active' AND wait_event \
                   = 'virtualxid'";
        wait_for("a build that waits for the old snapshot", || self.copy.value(sql) != "0");
        self.copy.value(sql)
    }

    fn end_matches(&self) {
        self.source.connect().execute(KONG_WRITES);
        assert_same_lines("pg_dump -s", &pg_dump_schema(&self.source), &pg_dump_schema(&self.copy));
        assert_same(&self.source, &self.copy);
        assert_eq!(self.copy.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
        assert_eq!(unproved(&self.copy), "");
        assert_eq!(self.mark(), "NULL");
    }

    fn mark(&self) -> String {
        self.copy
            .value("SELECT obj_description(to_regnamespace('silverback_restore'), 'pg_namespace')")
    }
}

#[test]
fn kong_writes_while_the_rest_is_built() {
    let server = testkit::newest_server();
    let kong = server.role("kong");
    let early = Early::new(server, &kong);
    let run = early.start();
    wait_for("the ready file", || early.file.exists());
    assert_eq!(std::fs::read_to_string(&early.file).expect("a file"), "Kong may start now\n");
    assert!(early.mark().starts_with("usable, "), "{}", early.mark());
    let indexes = early
        .copy
        .value("SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE indisvalid");
    for early in [
        "consumers_pkey",
        "keyauth_credentials_ttl_idx",
        "keyauth_credentials_consumer_id_idx",
        "filter_chains_name_idx",
    ] {
        assert!(indexes.contains(early), "{early} is not among {indexes}");
    }
    assert!(!indexes.contains("consumers_tags_idx"), "{indexes}");
    assert_eq!(
        early.copy.rows("SELECT * FROM schema_meta ORDER BY 1, 2"),
        early.source.rows("SELECT * FROM schema_meta ORDER BY 1, 2")
    );
    early.copy.connect().execute(KONG_WRITES);
    // One build is cancelled, another loses its session: both leave an invalid index.
    for end in ["pg_cancel_backend", "pg_terminate_backend"] {
        let pid = early.wait_for_build();
        early.copy.execute(&format!("SELECT {end}({pid})"));
        wait_for("the end of that build", || {
            let sql = format!(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND query LIKE 'CREATE \
                 INDEX C%' AND state = 'active'"
            );
            early.copy.value(&sql) == "0"
        });
    }
    assert_ne!(early.copy.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    early.old.execute("ROLLBACK");
    let indexes = early.source.value("SELECT count(*) FROM pg_class c WHERE relkind = 'i' AND NOT EXISTS \
        (SELECT FROM pg_constraint WHERE conindid = c.oid) AND relnamespace = 'public'::regnamespace");
    let run = run.wait().expect(0).says("Kong may start now").says("; retrying");
    run.says(&format!(", {indexes} indexes,"));
    early.end_matches();
}

#[test]
fn a_restore_that_was_killed_in_use_is_finished_by_the_same_command() {
    let server = testkit::newest_server();
    let kong = server.role("kong");
    let early = Early::new(server, &kong);
    let run = early.start();
    wait_for("the ready file", || early.file.exists());
    early.copy.connect().execute(KONG_WRITES);
    early.wait_for_build();
    let beside =
        restore(&early.archive, &early.copy).args(["--ready-early", "--dry-run"]).run().expect(6);
    assert!(
        beside.stdout.contains("problem: another restore is at work in the target"),
        "{}",
        beside.stdout
    );
    run.signal("KILL");
    run.wait();
    server.terminate(&format!(
        "datname = '{}' AND application_name = 'silverback'",
        early.copy.name()
    ));
    restore(&early.archive, &early.copy).run().expect(6).says("may be used").says("--ready-early");
    restore(&early.archive, &early.copy)
        .args(["--clean", "--ready-early"])
        .run()
        .expect(6)
        .says("may be used")
        .says("without -c");
    early.old.execute("ROLLBACK");
    // What would make less than is missing would take the mark away all the same.
    for less in [
        &["--fk", "trust"][..],
        &["--fk", "not-valid"],
        &["--exclude-table-data", "*"],
        &["-T", "consumers"],
        &["--no-comments"],
    ] {
        let run =
            restore(&early.archive, &early.copy).arg("--ready-early").args(less).run().expect(6);
        run.says("the interrupted restore used other options")
            .says("the options of the first time");
    }
    let run = early.start().wait().expect(0).says("Kong may start now");
    run.says("restored into database ").says(" indexes, validated ");
    early.end_matches();
}

#[test]
fn a_build_whose_connection_is_lost_is_waited_for() {
    let server = testkit::newest_server();
    let kong = server.role("kong");
    let early = Early::new(server, &kong);
    let proxy = Proxy::to(server.port());
    let run = restore_through(&proxy, &early.archive, &early.copy).arg("--ready-early").spawn();
    early.wait_for_build();
    let unfinished =
        "SELECT coalesce(string_agg(indexrelid::text, ' '), '') FROM pg_index WHERE NOT indisvalid";
    let index = early.copy.value(unfinished);
    early.copy.connect().execute(KONG_WRITES);
    // The server waits for the old snapshot and does not notice.
    proxy.close();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
        query LIKE '%pg_stat_activity WHERE pid = %' \
                   AND application_name = 'silverback'";
    wait_for("a session that waits for the lost one", || early.copy.value(waiting) == "1");
    assert_eq!(early.copy.value(unfinished), index);
    early.old.execute("ROLLBACK");
    run.wait().expect(0).says("; retrying");
    assert_eq!(
        early.copy.value(&format!("SELECT indisvalid FROM pg_index WHERE indexrelid = {index}")),
        "t",
        "it was not built twice"
    );
    early.end_matches();
}
