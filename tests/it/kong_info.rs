//! What `kong info` tells of databases of every known version, and of archives dumped from them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::kong_versions::VERSIONS;
use testkit::{Database, KongVersion, Role, kong_version, newest_server};

use crate::support::{Silverback, dump, temp_dir};

/// What the versions are told to be.
const TOLD: [&str; 9] = ["1.5", "2.0", "2.3 to 2.6", "2.8", "3.0", "3.4", "3.6", "3.9", "3.10"];

/// A database, an archive dumped from it, and what is told of either.
struct Scene<'s> {
    database: Database<'s>,
    _owner: Role<'s>,
    folder: tempfile::TempDir,
}

impl Scene<'_> {
    fn new() -> Self {
        let server = newest_server();
        let owner = server.role("kong");
        let database = server.database_of(&owner, "kong_info");
        Self { database, _owner: owner, folder: temp_dir() }
    }

    fn live(&self) -> Silverback {
        Silverback::new(["kong", "info", "-d", &self.database.url()])
    }

    fn archive(&self, options: &[&str]) -> PathBuf {
        let archive = self.folder.path().join("kong.sbk");
        let _ = std::fs::remove_file(&archive);
        dump(&self.database, &archive).args(options).run().expect(0);
        archive
    }

    /// What is told of the database and of an archive of it; both end with this exit code.
    #[track_caller]
    fn both(&self, options: &[&str], code: i32) -> [Value; 2] {
        let live = json_of(self.live().args(options), code);
        let archive = self.archive(&[]);
        let archived = json_of(of(&archive).args(options), code);
        assert_eq!([&live["source"]["kind"], &archived["source"]["kind"]], ["database", "archive"]);
        assert!(live["sessions"].is_array() && archived["sessions"].is_null());
        for field in ["schema", "other_schemas", "kong", "migrations", "workspaces", "parameters"] {
            assert_eq!(live[field], archived[field], "{field}");
        }
        for field in ["unknown_tables", "enterprise_tables", "locks", "data_planes", "notes"] {
            assert_eq!(live[field], archived[field], "{field}");
        }
        for field in ["name", "class", "enterprise", "rows", "rows_are", "expired"] {
            assert_eq!(column(&live, field), column(&archived, field), "{field}");
        }
        [live, archived]
    }
}

fn of(archive: &Path) -> Silverback {
    Silverback::new(["kong", "info"]).arg(archive)
}

#[track_caller]
fn json_of(run: Silverback, code: i32) -> Value {
    let told = run.arg("--json").run().expect(code);
    serde_json::from_str(&told.stdout).expect("JSON")
}

/// A field of every table.
fn column(told: &Value, field: &str) -> Vec<Value> {
    let tables = told["tables"].as_array().expect("a list");
    tables.iter().map(|table| table[field].clone()).collect()
}

fn table<'a>(told: &'a Value, name: &str) -> &'a Value {
    let tables = told["tables"].as_array().expect("a list");
    tables.iter().find(|table| table["name"] == name).unwrap_or_else(|| panic!("no table {name}"))
}

fn codes(told: &Value) -> Vec<&str> {
    let notes = told["notes"].as_array().expect("a list");
    notes.iter().filter_map(|note| note["code"].as_str()).collect()
}

#[test]
fn every_version_is_told() {
    for (version, expect) in VERSIONS.iter().zip(TOLD) {
        let scene = Scene::new();
        kong_version(&scene.database, version);
        scene.database.connect().execute(
            "INSERT INTO consumers (id, username) SELECT md5(i::text)::uuid, 'c' || i FROM \
             generate_series(1, 30) i",
        );
        for told in scene.both(&[], 0) {
            assert_eq!(told["kong"]["version"], expect, "{version}");
            assert_eq!(told["kong"]["edition"], "gateway");
            assert_eq!(told["schema"], "public");
            assert_eq!(told["unknown_tables"], json!([]), "{version}");
            assert_eq!(told["half_migrated"], false);
            assert_eq!(table(&told, "consumers")["rows"], 30);
            assert_eq!(table(&told, "consumers")["rows_are"], "exact");
            let has_workspaces = !["1.5.1", "2.0.5"].contains(version);
            let expect = if has_workspaces { json!(["default"]) } else { json!([]) };
            assert_eq!(told["workspaces"], expect, "{version}");
            let expect = if has_workspaces { json!(["cluster_id"]) } else { json!([]) };
            assert_eq!(told["parameters"], expect, "{version}");
            assert_eq!(told["migrations"][0]["subsystem"], "core");
        }
        let text = scene.live().run().expect(0).stdout;
        assert!(text.contains(&format!("Kong Gateway {expect} (by ")), "{text}");
    }
}

#[test]
fn half_migrated() {
    let scene = Scene::new();
    KongVersion::new("2.8.5").half_migrated().load(&scene.database);
    for told in scene.both(&[], 10) {
        assert_eq!(told["kong"]["version"], "2.8");
        assert_eq!(told["kong"]["towards"], "3.0");
        assert_eq!(told["half_migrated"], true);
        assert_eq!(told["migrations"][0]["pending"], json!(["016_280_to_300"]));
        assert_eq!(codes(&told), ["half_migrated"]);
        for name in ["vaults_beta", "sm_vaults"] {
            assert_eq!(table(&told, name)["class"], "configuration");
        }
    }
    let text = scene.live().run().expect(10).stdout;
    assert!(text.contains("a migration from 2.8 to 3.0 is half done"), "{text}");
}

#[test]
fn in_another_schema() {
    let scene = Scene::new();
    KongVersion::new("3.4.2").schema("Gate way").load(&scene.database);
    // A table of that name that is not Kong's.
    scene.database.connect().execute("CREATE TABLE public.schema_meta (key text, version integer)");
    for told in scene.both(&[], 0) {
        assert_eq!(told["schema"], "Gate way");
        assert_eq!(told["other_schemas"], json!([]));
        assert_eq!(told["kong"]["version"], "3.4");
    }
    scene.live().args(["-n", "public"]).run().expect(6).says("does not have Kong's table");
}

#[test]
fn of_two_the_one_that_is_meant() {
    let scene = Scene::new();
    kong_version(&scene.database, "3.9.3");
    KongVersion::new("2.8.5").schema("old").load(&scene.database);
    for told in scene.both(&[], 0) {
        assert_eq!((&told["schema"], &told["other_schemas"]), (&json!("public"), &json!(["old"])));
        assert_eq!(told["kong"]["version"], "3.9");
    }
    for told in scene.both(&["-n", "old"], 0) {
        assert_eq!((&told["schema"], &told["other_schemas"]), (&json!("old"), &json!(["public"])));
        assert_eq!(told["kong"]["version"], "2.8");
    }
    let as_kong = Silverback::new(["kong", "info"])
        .env("KONG_PG_HOST", "127.0.0.1")
        .env("KONG_PG_PORT", scene.database.server().port().to_string())
        .env("KONG_PG_USER", scene.database.owner())
        .env("KONG_PG_DATABASE", scene.database.name())
        .env("KONG_PG_SCHEMA", "old");
    assert_eq!(json_of(as_kong, 0)["kong"]["version"], "2.8");
}

#[test]
fn beside_another_application() {
    let scene = Scene::new();
    kong_version(&scene.database, "3.4.2");
    scene.database.connect().execute(
        "CREATE TABLE invoices (id integer, ttl timestamptz); INSERT INTO invoices VALUES (1, \
         '2001-01-01'); CREATE VIEW late AS TABLE invoices",
    );
    for told in scene.both(&[], 0) {
        assert_eq!(told["unknown_tables"], json!(["invoices"]));
        assert_eq!(table(&told, "invoices")["expired"], Value::Null, "who knows what it means");
    }
}

#[test]
fn what_is_no_kong() {
    let scene = Scene::new();
    scene.database.connect().execute("CREATE TABLE t AS SELECT 1 AS a");
    scene.live().run().expect(6).says("it is no Kong database");
    of(&scene.archive(&[])).run().expect(6).says("it is no Kong database");
}

#[test]
fn what_kong_does_while_it_runs() {
    let scene = Scene::new();
    kong_version(&scene.database, "3.9.3");
    let id = |n: u32| format!("md5('{n}')::uuid");
    scene.database.connect().execute(&format!(
        "INSERT INTO locks VALUES ('migrations', 'node-1', now() + interval '1 hour'), \
         ('other', 'node-2', '2001-01-01'); \
         INSERT INTO clustering_data_planes (id, hostname, ip, config_hash, sync_status, version, \
         last_seen, ttl) VALUES ({}, 'dp1', '10.0.0.1', '', 'normal', '3.9.1', \
         '2026-01-02 03:04:05+00', 'infinity'), ({}, 'dp2', '10.0.0.2', '', 'unknown', NULL, NULL, \
         NULL); \
         INSERT INTO clustering_sync_version SELECT generate_series(1, 7); \
         INSERT INTO oauth2_tokens (id, ttl) VALUES ({}, '2001-01-01'), ({}, NULL), ({}, \
         now() + interval '1 day'); \
         INSERT INTO cluster_events (id, node_id, at, expire_at) VALUES ({}, {}, now(), \
         '2001-01-01')",
        id(1),
        id(2),
        id(3),
        id(4),
        id(5),
        id(6),
        id(7)
    ));
    let other = scene.database.connect();
    other.execute("SET application_name = ''");
    let [live, archived] = scene.both(&[], 10);
    assert_eq!(live["sync_version"], 7);
    assert_eq!(archived["sync_version"], 7);
    for told in [&live, &archived] {
        assert_eq!(codes(told), ["migrations_locked"]);
        let holds = |at: usize| (&told["locks"][at]["key"], &told["locks"][at]["holds"]);
        assert_eq!(holds(0), (&json!("migrations"), &json!(true)));
        assert_eq!(holds(1), (&json!("other"), &json!(false)));
        assert_eq!(told["locks"][1]["until"], "2001-01-01T00:00:00Z");
        let plane = &told["data_planes"][0];
        assert_eq!((&plane["hostname"], &plane["version"]), (&json!("dp1"), &json!("3.9.1")));
        assert_eq!(plane["last_seen"], "2026-01-02T03:04:05Z");
        assert_eq!(plane["id"], scene.database.value(&format!("SELECT {}", id(1))));
        assert_eq!(table(told, "oauth2_tokens")["expired"], 1);
        assert_eq!(table(told, "cluster_events")["expired"], 1);
        assert_eq!(table(told, "clustering_data_planes")["expired"], 0);
        assert_eq!(table(told, "routes")["expired"], Value::Null);
    }
    let pid: u64 = other.value("SELECT pg_backend_pid()").parse().expect("a number");
    let session = &live["sessions"][0];
    assert_eq!((&session["pid"], &session["role"]), (&json!(pid), &json!(scene.database.owner())));
    assert_eq!(session["address"], "127.0.0.1");
    assert_eq!(live["sessions"].as_array().map(Vec::len), Some(1), "testkit's own has a name");
}

#[test]
fn enterprise() {
    let scene = Scene::new();
    kong_version(&scene.database, "3.4.2");
    scene.database.connect().execute(
        "CREATE TABLE keyring_meta (id text, state text); INSERT INTO keyring_meta VALUES ('a', \
         'active'); CREATE TABLE vitals_stats_seconds_1700000000 (at integer); \
         CREATE TABLE rbac_users (id uuid, name text); \
         INSERT INTO schema_meta VALUES ('schema_meta', 'enterprise', '016_3100_to_3200', \
         '{013_2700_to_2800,016_3100_to_3200}', '{}'), ('schema_meta', 'enterprise.acl', \
         '001_1500_to_2100', '{001_1500_to_2100}', NULL)",
    );
    for told in scene.both(&[], 10) {
        assert_eq!(told["kong"]["edition"], "enterprise");
        assert_eq!(told["kong"]["version"], "3.4");
        assert_eq!(codes(&told), ["keyring"]);
        assert_eq!(
            told["enterprise_tables"],
            json!(["keyring_meta", "rbac_users", "vitals_stats_seconds_1700000000"])
        );
    }
}

#[test]
fn what_may_not_be_read_is_named() {
    let scene = Scene::new();
    kong_version(&scene.database, "3.4.2");
    let reader = scene.database.server().role("reader");
    let reads = format!(
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {0}; REVOKE ALL ON locks FROM {0}",
        testkit::quote(reader.name())
    );
    scene.database.connect().execute(&reads);
    let live = Silverback::new(["kong", "info", "-d", &scene.database.url_as(reader.name())]);
    let told = json_of(live, 10);
    assert_eq!(codes(&told), ["unread"]);
    assert_eq!(told["kong"]["version"], "3.4");
    assert_ne!(table(&told, "locks")["rows_are"], "exact");
    scene.database.execute(&format!("DROP OWNED BY {}", testkit::quote(reader.name())));
    let told = json_of(of(&scene.archive(&["--exclude-table-data", "schema_meta"])), 10);
    assert_eq!((codes(&told), &told["kong"]["version"]), (vec!["unread"], &json!("unknown")));
}

#[test]
fn a_terminal_obeys_nothing() {
    let scene = Scene::new();
    kong_version(&scene.database, "3.4.2");
    scene.database.connect().execute(
        "INSERT INTO workspaces (id, name) VALUES (md5('1')::uuid, E'a\\x1b[2J\\nb'); \
         CREATE TABLE \"t\u{9b}\" ()",
    );
    for run in [scene.live(), of(&scene.archive(&[]))] {
        let text = run.run().expect(0).stdout;
        assert!(text.contains("2: a\\u{1b}[2J\\nb, default"), "{text}");
        assert!(text.contains("t\\u{9b}") && !text.contains(['\u{1b}', '\u{9b}']), "{text}");
    }
}

#[test]
fn wrong_use() {
    let scene = Scene::new();
    kong_version(&scene.database, "3.4.2");
    let archive = scene.archive(&[]);
    scene.live().arg(&archive).run().expect(2).says("name one of them");
    of(Path::new("-")).run().expect(2).says("save the archive to a file first");
    of(&scene.folder.path().join("none.sbk")).run().expect(8);
}
