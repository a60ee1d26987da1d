//! A copy is made beside what is live (`restore --stage`), and takes its place: by a role that owns
//! the database and nothing more.

mod applications;
mod kills;
mod kong;
mod refused;
mod zoo;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use testkit::{Database, KongVersion, Role, Server, database_digest};

use crate::support::{Silverback, assert_same, assert_same_schema, dump, ends, restore, temp_dir};

/// Describes a stage, as the database's owner.
fn stage(file: &Path, database: &Database<'_>) -> Silverback {
    restore(file, database).arg("--stage")
}

/// Describes a swap, as the database's owner.
fn swap(database: &Database<'_>) -> Silverback {
    Silverback::new(["swap", "-d", &database.url()])
}

/// What is left that is Silverback's.
fn leavings(database: &Database<'_>) -> Vec<String> {
    database.column(
        "SELECT nspname FROM pg_namespace WHERE nspname ~ 'silverback|_staged_|_before_' ORDER BY 1",
    )
}

/// Every table's rows, but of what is Silverback's and of a copy that is not live.
fn live_rows(database: &Database<'_>) -> BTreeMap<String, (u64, String)> {
    let mut rows = database_digest(database);
    let is_ours = ["silverback", "_staged_", "_before_"];
    rows.retain(|table, _| !is_ours.iter().any(|part| table.contains(part)));
    rows
}

/// A Kong of 3.4 in an archive, and one of 3.9 that is live, of the same role.
struct Upgraded<'s> {
    older: Database<'s>,
    live: Database<'s>,
    folder: tempfile::TempDir,
}

impl<'s> Upgraded<'s> {
    fn new(server: &'s Server, role: &Role<'s>, schema: &str) -> Self {
        let older = server.database_of(role, "older");
        let live = server.database_of(role, "live");
        for (database, version, rows) in [(&older, "3.4.2", 300), (&live, "3.9.3", 500)] {
            KongVersion::new(version).schema(schema).load(database);
            let schema = testkit::quote(schema);
            database.connect().execute(&format!(
                "INSERT INTO {schema}.consumers (id, username) SELECT md5(i::text)::uuid, 'c' || \
                 i FROM generate_series(1, {rows}) i; INSERT INTO {schema}.tags (entity_id, \
                 entity_name, tags) VALUES (md5('t')::uuid, 'x', '{{{rows}}}'); CREATE FUNCTION \
                 {schema}.seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1 FROM \
                 {schema}.tags; RETURN new; END'; CREATE TRIGGER t1 AFTER INSERT ON \
                 {schema}.tags FOR EACH ROW EXECUTE FUNCTION {schema}.seen(); CREATE TRIGGER t2 \
                 AFTER INSERT ON {schema}.tags FOR EACH ROW EXECUTE FUNCTION {schema}.seen(); \
                 ALTER TABLE {schema}.tags DISABLE TRIGGER t2; CREATE TABLE {schema}.marks (id \
                 serial PRIMARY KEY, rows int); INSERT INTO {schema}.marks (rows) VALUES ({rows})"
            ));
        }
        Self { older, live, folder: temp_dir() }
    }

    fn archive(&self) -> PathBuf {
        let file = self.folder.path().join("older.sbk");
        if !file.exists() {
            dump(&self.older, &file).run().expect(0);
        }
        file
    }

    fn stage(&self) -> Silverback {
        stage(&self.archive(), &self.live)
    }
}

/// Reads and writes what is live every few milliseconds, in one session that is never lost.
struct Client {
    stop: Arc<AtomicBool>,
    worker: thread::JoinHandle<()>,
}

impl Client {
    fn of(database: &Database<'_>, schema: &str) -> Self {
        let (client, stop) = (database.connect(), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        client.execute(&format!("SET search_path TO {}", testkit::quote(schema)));
        let worker = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                client.execute("BEGIN; INSERT INTO marks (rows) SELECT 0 FROM consumers LIMIT 1");
                client.execute("DELETE FROM marks WHERE rows = 0; COMMIT");
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { stop, worker }
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.worker.join().expect("the client never lost its connection");
    }
}

#[test]
fn staged_swapped_back_and_dropped() {
    for version in ends() {
        let server = testkit::server(version);
        let role = server.role("kong");
        let scene = Upgraded::new(server, &role, "public");
        let live = &scene.live;
        // Somebody else's, beside it.
        live.connect()
            .execute("CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (7)");
        let before = live_rows(live);
        let client = Client::of(live, "public");
        let plan = scene.stage().arg("--dry-run").run().expect(0).stdout;
        assert!(plan.contains("INSERT INTO silverback_swap.state"), "{plan}");
        assert_eq!(leavings(live), Vec::<String>::new());
        scene
            .stage()
            .run()
            .expect(0)
            .says("nothing live was changed")
            .says("silverback swap makes");
        client.end();
        assert_eq!(live_rows(live), before, "what is live, on {version}");
        scene.stage().run().expect(6).says("a complete copy is staged already");
        scene.stage().arg("--resume").run().expect(6).says("silverback swap makes it live");
        let told = Silverback::new(["restore", "--status", "-d", &live.url()]).run().expect(10);
        assert!(told.stdout.contains("a staged copy is complete"), "{}", told.stdout);
        // A dump beside it leaves it out, by name.
        let beside = scene.folder.path().join("beside.sbk");
        dump(live, &beside).run().expect(0).says("silverback_swap").says("public_staged_");
        let client = Client::of(live, "public");
        swap(live).args(["--retries", "50"]).run().expect(0);
        client.end();
        let archived = live_rows(&scene.older);
        let mut now = live_rows(live);
        assert_eq!(now.remove("public.orders").map(|(count, _)| count), Some(1));
        assert_eq!(now, archived, "what is live after the swap, on {version}");
        scene.stage().run().expect(6).says("a staged copy is live already");
        // What the client wrote and took away again.
        swap(live).args(["--back", "--yes"]).run().expect(0);
        assert_eq!(live_rows(live), before, "what is live again, on {version}");
        swap(live).run().expect(0);
        swap(live).arg("--drop-old").run().expect(0);
        assert_eq!(leavings(live), Vec::<String>::new());
        // The client has drawn numbers.
        live.execute("DROP TABLE orders; SELECT setval('marks_id_seq', 1)");
        assert_same(&scene.older, live);
    }
}

#[test]
fn in_a_schema_of_its_own() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let scene = Upgraded::new(server, &role, "Gate way");
    let before = live_rows(&scene.live);
    let file = scene.folder.path().join("with-statistics.sbk");
    dump(&scene.older, &file).arg("--statistics").run().expect(0);
    let home = |schema: &str| {
        Silverback::new(["restore", "--stage", "--statistics"])
            .arg(&file)
            .env("KONG_PG_HOST", "127.0.0.1")
            .env("KONG_PG_PORT", server.port().to_string())
            .env("KONG_PG_USER", role.name())
            .env("KONG_PG_DATABASE", scene.live.name())
            .env("KONG_PG_SCHEMA", schema)
    };
    home("other").run().expect(6).says("the archive has the tables in schema \"Gate way\"");
    home("Gate way").run().expect(0);
    assert_eq!(live_rows(&scene.live), before);
    let client = Client::of(&scene.live, "Gate way");
    swap(&scene.live).args(["--retries", "50"]).run().expect(0);
    swap(&scene.live).args(["--back", "--yes", "--retries", "50"]).run().expect(0);
    client.end();
    assert_eq!(live_rows(&scene.live), before);
    swap(&scene.live).run().expect(0);
    swap(&scene.live).arg("--drop-old").run().expect(0);
    // The client has drawn numbers.
    scene.live.execute("SELECT setval('\"Gate way\".marks_id_seq', 1)");
    assert_same_schema(&scene.older, &scene.live);
    assert_eq!(live_rows(&scene.older), live_rows(&scene.live));
}

#[test]
fn a_copy_that_is_not_used_is_dropped() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let scene = Upgraded::new(server, &role, "public");
    let (before, described) = (live_rows(&scene.live), testkit::pg_dump_schema(&scene.live));
    scene.stage().run().expect(0);
    swap(&scene.live).arg("--drop-old").run().expect(0);
    assert_eq!(leavings(&scene.live), Vec::<String>::new());
    assert_eq!(live_rows(&scene.live), before);
    assert_eq!(testkit::pg_dump_schema(&scene.live), described);
}
