//! What is dangerous about a Kong database is found before the first statement, and named with what
//! to do next: each situation is refused or warned of, and what goes past it works.

mod beside;
mod hold;
mod sync_version;

use std::path::{Path, PathBuf};

use testkit::{Database, KongVersion, Role, Server};

use crate::support::{Silverback, assert_same, dump, ends, restore, temp_dir};

/// Rows that somebody has made.
const USED: &str = "INSERT INTO consumers (id, username) SELECT md5(i::text)::uuid, 'c' || i FROM \
     generate_series(1, 30) i";

const LOCKED: &str = "INSERT INTO locks VALUES ('migrations', 'node-1', now() + interval '1 hour')";

/// Two databases of a role that owns them and nothing more.
struct Scene<'s> {
    source: Database<'s>,
    copy: Database<'s>,
    _owner: Role<'s>,
    folder: tempfile::TempDir,
}

impl<'s> Scene<'s> {
    fn new(server: &'s Server) -> Self {
        let owner = server.role("kong");
        let source = server.database_of(&owner, "guarded");
        let copy = server.database_of(&owner, "copy");
        Self { source, copy, _owner: owner, folder: temp_dir() }
    }

    /// With a Kong in the source that somebody uses.
    fn of(server: &'s Server, version: &str) -> Self {
        let scene = Self::new(server);
        KongVersion::new(version).load(&scene.source);
        scene.source.connect().execute(USED);
        scene
    }

    fn archive(&self) -> PathBuf {
        let file = self.folder.path().join("kong.sbk");
        dump(&self.source, &file).run().expect(0);
        file
    }

    fn restore(&self, file: &Path, options: &[&str]) -> Silverback {
        restore(file, &self.copy).args(options)
    }
}

#[test]
fn rows_alone_of_another_version() {
    for version in ends() {
        for (from, to, word, named) in [
            ("3.6.1", "3.4.2", "newer", "of a newer Kong, 3.6 (core 022_350_to_360)"),
            ("3.4.2", "3.6.1", "older", "of an older Kong, 3.4 (core 020_330_to_340)"),
        ] {
            let scene = Scene::of(testkit::server(version), from);
            let file = scene.archive();
            KongVersion::new(to).load(&scene.copy);
            let rows = |more: &[&str]| scene.restore(&file, &["-a", "-t", "consumers"]).args(more);
            let past = format!("--kong-ignore {word} goes past");
            let told = rows(&[]).run().expect(6).says(named).says(&past);
            assert!(told.stderr.contains("restore without -a, with -c"), "{}", told.stderr);
            let plan = rows(&["--dry-run"]).run().expect(6).stdout;
            assert!(plan.contains(&format!("problem: the rows are {named}")), "{plan}");
            assert_eq!(scene.copy.value("SELECT count(*) FROM consumers"), "0");
            rows(&["--kong-ignore", word]).run().expect(0).says("gone past, as asked");
            assert_eq!(scene.copy.value("SELECT count(*) FROM consumers"), "30");
        }
    }
}

#[test]
fn half_migrated_source() {
    let scene = Scene::new(testkit::newest_server());
    KongVersion::new("2.8.5").half_migrated().schema("Gate way").load(&scene.source);
    let file = scene.folder.path().join("kong.sbk");
    let half = "is half migrated: a migration from 2.8 to 3.0 is half done";
    dump(&scene.source, &file)
        .run()
        .expect(0)
        .says(&format!("the source {half}"))
        .says("run kong migrations finish first");
    scene
        .restore(&file, &[])
        .run()
        .expect(0)
        .says(&format!("the archive {half}"))
        .says("Kong starts, and needs kong migrations finish of Kong 3.0")
        .says("restart every Kong node now");
    assert_same(&scene.source, &scene.copy);
}

#[test]
fn half_migrated_target() {
    for version in ends() {
        let scene = Scene::of(testkit::server(version), "2.8.5");
        let file = scene.archive();
        KongVersion::new("2.8.5").half_migrated().load(&scene.copy);
        let half = "the target is half migrated: a migration from 2.8 to 3.0 is half done";
        for more in [&[][..], &["--replace-bootstrap"]] {
            let told = scene.restore(&file, more).run().expect(6).says(half);
            assert!(
                told.stderr.contains("restore with -c, which takes it back"),
                "{}",
                told.stderr
            );
        }
        let rows = ["-a", "-t", "consumers"];
        scene.restore(&file, &rows).run().expect(6).says("--kong-ignore half-migrated goes past");
        scene
            .restore(&file, &["-c", "--if-exists"])
            .run()
            .expect(0)
            .says(half)
            .says("-c takes it back to the archive's version");
        assert_same(&scene.source, &scene.copy);
    }
}

#[test]
fn migrations_are_running() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    scene.source.connect().execute(LOCKED);
    let file = scene.folder.path().join("kong.sbk");
    dump(&scene.source, &file)
        .run()
        .expect(0)
        .says("in the source, node node-1 holds Kong's lock for migrations until 2")
        .says("dump again with --hold-migrations");
    scene.restore(&file, &[]).run().expect(0).says("when the archive was made, node node-1 holds");
    let clean = |more: &[&str]| scene.restore(&file, &["-c"]).args(more);
    clean(&[])
        .run()
        .expect(6)
        .says("in the target, node node-1 holds Kong's lock for migrations until 2")
        .says("wait until kong migrations has ended there; --kong-ignore locked goes past");
    clean(&["--kong-ignore", "locked"]).run().expect(0);
    assert_same(&scene.source, &scene.copy);
}

#[test]
fn nodes_are_connected() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    let file = scene.archive();
    KongVersion::new("3.4.2").load(&scene.copy);
    let node = scene.copy.connect();
    node.execute("SET application_name = ''");
    let pid = node.value("SELECT pg_backend_pid()");
    let rows = |more: &[&str]| scene.restore(&file, &["-a", "-t", "consumers"]).args(more);
    rows(&[])
        .run()
        .expect(6)
        .says(&format!("server process {pid} of role {} from 127.0.0.1", scene.copy.owner()))
        .says("stop every node first (kong stop)")
        .says("--while-connected goes past");
    rows(&["--while-connected"]).run().expect(0).says("gone past, as asked");
    // What is dropped is looked for by privileges, whoever it is.
    let clean = |more: &[&str]| scene.restore(&file, &["-c"]).args(more).just_typed();
    clean(&[]).run().expect(6).says(&format!("process {pid} of role {} (", scene.copy.owner()));
    clean(&["--while-connected"]).run().expect(0).says("gone past as asked");
    assert_same(&scene.source, &scene.copy);
    // Another table's restore is nobody's affair.
    scene.source.connect().execute("CREATE TABLE orders (id int)");
    std::fs::remove_file(&file).expect("it is there");
    let file = scene.archive();
    scene.restore(&file, &["-c", "--if-exists", "-t", "orders"]).run().expect(0);
}

#[test]
fn what_bootstrap_has_made_is_replaced() {
    for version in ends() {
        for to in ["2.0.5", "3.4.2", "3.9.3"] {
            let scene = Scene::of(testkit::server(version), "3.4.2");
            let file = scene.archive();
            KongVersion::new(to).load(&scene.copy);
            scene
                .restore(&file, &[])
                .run()
                .expect(6)
                .says("kong migrations bootstrap has just made it")
                .says("restore with --replace-bootstrap");
            let replace = |more: &[&str]| scene.restore(&file, &["--replace-bootstrap"]).args(more);
            let plan = replace(&["--dry-run"]).run().expect(0).stdout;
            assert!(plan.contains("DROP TABLE IF EXISTS public.consumers;"), "{plan}");
            replace(&[]).run().expect(0);
            assert_same(&scene.source, &scene.copy);
            replace(&[]).run().expect(6).says("somebody has used since").says("rows in consumers");
        }
    }
}

#[test]
fn the_real_tables_are_replaced_too() {
    let scene = Scene::new(testkit::newest_server());
    testkit::kong::load(&scene.source);
    testkit::kong::seed(&scene.source, 20);
    let file = scene.archive();
    scene.restore(&file, &["--replace-bootstrap"]).run().expect(0);
    assert_same(&scene.source, &scene.copy);
    let other = scene.source.server().database("bootstrapped");
    testkit::kong::load(&other);
    restore(&file, &other).arg("--replace-bootstrap").run().expect(0);
    assert_same(&scene.source, &other);
}

#[test]
fn what_was_used_since_is_not_replaced() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    let file = scene.archive();
    for (used, told) in [
        (USED, "rows in consumers"),
        ("INSERT INTO workspaces (id, name) SELECT md5('t')::uuid, 'team'", "workspace team"),
        ("INSERT INTO parameters VALUES ('k', 'v', now())", "parameter k"),
        ("CREATE VIEW seen AS SELECT 1 AS a", "relation seen"),
        ("CREATE TABLE orders (id int)", "relation orders"),
    ] {
        let copy = scene.source.server().database("used");
        KongVersion::new("3.4.2").load(&copy);
        copy.connect().execute(used);
        for more in [&["--replace-bootstrap"][..], &["--replace-bootstrap", "--dry-run"], &[]] {
            let run = restore(&file, &copy).args(more).run().expect(6);
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(said.contains("somebody has used since kong migrations bootstrap"), "{said}");
            assert!(said.contains(told) && said.contains("restore with -c"), "{said}");
        }
    }
    // What is another's elsewhere keeps its place, and is in the way as ever.
    let copy = scene.source.server().database("beside");
    KongVersion::new("3.4.2").load(&copy);
    copy.execute("CREATE SCHEMA other; CREATE TABLE other.orders (id int)");
    let replace = restore(&file, &copy).arg("--replace-bootstrap");
    replace.run().expect(6).says("it holds 1 object: table other.orders");
    assert_eq!(copy.value("SELECT name FROM workspaces"), "default");
}

#[test]
fn enterprise_and_plugins() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    scene.source.connect().execute(
        "CREATE TABLE keyring_meta (id text, state text); INSERT INTO keyring_meta VALUES ('a', \
         'active')",
    );
    let file = scene.folder.path().join("kong.sbk");
    let missing = "the migrations of plugin session have run, but its table sessions is not in";
    dump(&scene.source, &file)
        .args(["-T", "sessions"])
        .run()
        .expect(0)
        .says("there is a keyring")
        .says("POST /keyring/export")
        .says(missing)
        .says("--exclude-table-data");
    scene.restore(&file, &[]).run().expect(0).says("there is a keyring").says(missing);
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    scene.source.connect().execute(
        "INSERT INTO schema_meta VALUES ('schema_meta', 'mine', '000_base', '{000_base}', NULL)",
    );
    let file = scene.folder.path().join("kong.sbk");
    dump(&scene.source, &file)
        .run()
        .expect(0)
        .says("plugins have run that are not Kong's own (mine)");
    scene.restore(&file, &[]).run().expect(0).says("not Kong's own (mine)");
    assert_same(&scene.source, &scene.copy);
}

#[test]
fn kongs_role_is_told_what_it_may_not_do() {
    let server = testkit::newest_server();
    let scene = Scene::of(server, "3.4.2");
    let file = scene.archive();
    let other = server.role("node");
    scene
        .restore(&file, &[])
        .env("KONG_PG_USER", other.name())
        .run()
        .expect(0)
        .says("neither owns these nor has SELECT, INSERT, UPDATE and DELETE on them")
        .says("Kong would say that the database needs bootstrapping");
    scene.copy.connect().execute(&format!(
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {}",
        testkit::quote(other.name())
    ));
    let as_owner = scene.restore(&file, &["-c"]).env("KONG_PG_USER", scene.copy.owner());
    let told = as_owner.run().expect(0);
    assert!(!told.stderr.contains("Kong's role"), "{}", told.stderr);
}
