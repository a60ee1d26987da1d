//! Sessions of others while something is dropped: they are named, ended and kept out, and the
//! database has its connection limit again, whatever becomes of the restore.

mod held;
mod kept_out;

use std::path::PathBuf;

use testkit::{Client, Database, KongVersion, Role, Server, quote};

use crate::invariants::Scene;
use crate::support::{Silverback, ends};

/// A database of a plain role in which nobody is connected but who is told of here.
struct Target<'s> {
    server: &'s Server,
    role: Role<'s>,
    name: String,
}

impl<'s> Target<'s> {
    /// With what the source holds, which may be another state of it.
    fn of(scene: &Scene<'s>, file: &std::path::Path) -> Self {
        let (server, role) = (scene.server(), scene.role.clone());
        let target = Self { server, role, name: format!("{}_own", scene.source.name()) };
        server.connect("postgres").execute(&format!(
            "CREATE DATABASE {} OWNER {} TEMPLATE template0",
            quote(&target.name),
            quote(target.role.name())
        ));
        target.restore(file, &[]).run().expect(0);
        target
    }

    fn url(&self) -> String {
        self.server.url(self.role.name(), &self.name)
    }

    fn restore(&self, file: &std::path::Path, more: &[&str]) -> Silverback {
        Silverback::new(["restore", "-d", &self.url()]).arg(file).args(more).just_typed()
    }

    fn silverback(&self, words: &[&str]) -> Silverback {
        Silverback::new(words).args(["-d", &self.url()]).just_typed()
    }

    /// A session of a role, or why there is none.
    fn try_connect(&self, role: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.server.port()).user(role).dbname(&self.name);
        config.application_name("gateway");
        testkit::connect(config)
    }

    fn connect(&self) -> Client {
        self.try_connect(self.role.name()).expect("it has room")
    }

    /// The limit, seen from elsewhere.
    fn limit(&self) -> i32 {
        let sql = format!(
            "SELECT datconnlimit FROM pg_database WHERE datname = '{}'",
            self.name.replace('\'', "''")
        );
        self.server.connect("postgres").value(&sql).parse().expect("a number")
    }

    fn set_limit(&self, limit: i32) {
        let sql = format!("ALTER DATABASE {} CONNECTION LIMIT {limit}", quote(&self.name));
        self.server.connect("postgres").execute(&sql);
    }

    /// A value that a superuser's session sees, which is gone then.
    fn value(&self, sql: &str) -> String {
        self.server.connect(&self.name).value(sql)
    }

    /// As one of the tests' own.
    fn database(&self) -> Database<'s> {
        self.server.existing_database(&self.role, &self.name)
    }
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote(&self.name));
        let _ = self.server.connect("postgres").try_execute(&sql);
    }
}

/// The advisory lock of [`Scene::waits`], held by a transaction that no session is in.
struct Gate<'t, 's> {
    target: &'t Target<'s>,
    name: String,
}

impl<'t, 's> Gate<'t, 's> {
    fn close(target: &'t Target<'s>) -> Self {
        let name = format!("gate of {}", target.name);
        target.server.connect(&target.name).execute(&format!(
            "BEGIN; SELECT pg_advisory_xact_lock(4711); PREPARE TRANSACTION '{name}'"
        ));
        Self { target, name }
    }

    /// Whether a restore waits at it.
    fn is_reached(&self) -> bool {
        let sql = format!(
            "SELECT count(*) > 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE \
             l.locktype = 'advisory' AND l.objid = 4711 AND NOT l.granted AND d.datname = '{}'",
            self.target.name
        );
        self.target.server.connect("postgres").value(&sql) == "t"
    }
}

impl Drop for Gate<'_, '_> {
    fn drop(&mut self) {
        let session = self.target.server.connect(&self.target.name);
        let _ = session.try_execute(&format!("ROLLBACK PREPARED '{}'", self.name));
    }
}

/// A source, its archive, and a target that holds the same.
fn scene(server: &'static Server, at: Option<&str>) -> (Scene<'static>, PathBuf, Target<'static>) {
    let mut scene = Scene::new(server, 2000);
    if let Some(at) = at {
        scene = scene.waits(at);
    }
    let file = scene.archive();
    let target = Target::of(&scene, &file);
    (scene, file, target)
}

#[test]
fn who_may_use_what_goes_keeps_it_from_going() {
    for version in ends() {
        let (scene, file, target) = scene(testkit::server(version), None);
        let stranger = scene.server().role("stranger");
        let session = target.try_connect(stranger.name()).expect("everybody may connect");
        let pid = session.value("SELECT pg_backend_pid()");
        let named = format!("process {pid} of role {} (gateway, ", stranger.name());
        let plan = target.restore(&file, &["-c", "--dry-run"]).run().expect(0).stdout;
        assert!(plan.contains("note: connected to the database, without a privilege"), "{plan}");
        assert!(plan.contains(&named), "{plan}");
        // One column is enough.
        target
            .connect()
            .execute(&format!("GRANT SELECT (name) ON parents TO {}", quote(stranger.name())));
        let plan = target.restore(&file, &["-c", "--dry-run"]).run().expect(6).stdout;
        assert!(plan.contains("problem: 1 session is connected of roles"), "{plan}");
        assert!(plan.contains(&named), "{plan}");
        let told = target.restore(&file, &["-c"]).run().expect(6).says(&named);
        assert!(told.stderr.contains("--disconnect-others, which ends"), "{}", told.stderr);
        assert!(told.stderr.contains("--while-connected, which goes on"), "{}", told.stderr);
        drop(session);
        let owner = target.connect();
        let pid = owner.value("SELECT pg_backend_pid()");
        let named =
            format!("process {pid} of role {} (gateway, from 127.0.0.1)", target.role.name());
        target.restore(&file, &["-c"]).run().expect(6).says(&named);
        target.restore(&file, &["-c", "--while-connected"]).run().expect(0).says(&named);
        drop(owner);
        target.restore(&file, &["-c"]).run().expect(0);
        crate::support::assert_same_rows(&scene.source, &target.database());
    }
}

#[test]
fn a_database_that_goes_is_nobodys_to_be_in() {
    for version in ends() {
        let server = testkit::server(version);
        let scene = Scene::new(server, 10);
        let name = scene.source.name().to_owned();
        server.connect("postgres").execute(&format!(
            "ALTER ROLE {} CREATEDB; ALTER DATABASE {} CONNECTION LIMIT 7",
            quote(scene.role.name()),
            quote(&name)
        ));
        let file = scene.archive();
        let source = Target { server, role: scene.role.clone(), name };
        drop(scene.source);
        let elsewhere = server.url(source.role.name(), "postgres");
        let make = |more: &[&str]| {
            Silverback::new(["restore", "-C", "-d", &elsewhere]).arg(&file).args(more).just_typed()
        };
        make(&[]).run().expect(0);
        let session = source.connect();
        let pid = session.value("SELECT pg_backend_pid()");
        let named = format!("process {pid} of role {} (gateway", source.role.name());
        for more in [&["-c"][..], &["-c", "--while-connected"], &["-c", "--dry-run"]] {
            let told = make(more).run().expect(6);
            assert!(told.stderr.contains(&named) || told.stdout.contains(&named), "{told:#?}");
        }
        make(&["-c", "--disconnect-others"]).run().expect(0).says(&named);
        assert!(session.try_execute("SELECT 1").is_err(), "it has ended");
        assert_eq!(
            (source.limit(), source.value("SELECT count(*) FROM filler").as_str()),
            (7, "10")
        );
    }
}

#[test]
fn who_cannot_keep_others_out_is_told_first() {
    for version in ends() {
        let (scene, file, target) = scene(testkit::server(version), None);
        let other = scene.server().role("other");
        scene.server().connect("postgres").execute(&format!(
            "ALTER DATABASE {} OWNER TO {}; GRANT CREATE ON DATABASE {} TO {}",
            quote(&target.name),
            quote(other.name()),
            quote(&target.name),
            quote(target.role.name())
        ));
        let run = |more: &[&str]| {
            target.restore(&file, &["-c", "--disconnect-others"]).args(more).run().expect(6)
        };
        run(&[]).says(&format!("is not the owner of database {}", target.name));
        let plan = run(&["--dry-run"]).stdout;
        assert!(plan.contains("whose CONNECTION LIMIT --disconnect-others sets"), "{plan}");
        assert_eq!(
            (target.limit(), target.value("SELECT count(*) FROM filler").as_str()),
            (-1, "2000")
        );
        target.restore(&file, &["--disconnect-others"]).run().expect(2).says("-c");
    }
}

#[test]
fn what_bootstrap_has_made_is_replaced_beside_nobody() {
    for version in ends() {
        let server = testkit::server(version);
        let role = server.role("kong");
        let (source, copy) = (server.database_of(&role, "kong"), server.database_of(&role, "new"));
        for database in [&source, &copy] {
            KongVersion::new("3.4.2").load(database);
        }
        let folder = crate::support::temp_dir();
        let file = folder.path().join("kong.sbk");
        crate::support::dump(&source, &file).run().expect(0);
        let node = copy.connect();
        let pid = node.value("SELECT pg_backend_pid()");
        let target = Target { server, role: role.clone(), name: copy.name().to_owned() };
        // Its own session is a superuser's.
        server.terminate(&format!("datname = '{}' AND usename = 'postgres'", copy.name()));
        let named = format!("process {pid} of role {} (testkit, from 127.0.0.1)", role.name());
        let replace = |more: &[&str]| target.restore(&file, &["--replace-bootstrap"]).args(more);
        replace(&[]).run().expect(6).says(&named);
        replace(&["--dry-run"]).run().expect(6);
        replace(&["--disconnect-others"]).run().expect(0).says(&named);
        assert!(node.try_execute("SELECT 1").is_err(), "it has ended");
        crate::support::assert_same(&source, &target.database());
    }
}

#[test]
fn whom_no_limit_keeps_out_is_named() {
    for version in ends() {
        let (scene, file, target) = scene(testkit::server(version), None);
        let superuser = scene.server().connect(&target.name);
        let pid = superuser.value("SELECT pg_backend_pid()");
        let named = format!("process {pid} of superuser postgres");
        let disconnect = ["-c", "--disconnect-others"];
        target
            .restore(&file, &disconnect)
            .run()
            .expect(6)
            .says(&named)
            .says("superusers pass every connection limit");
        assert_eq!(target.limit(), -1);
        target
            .restore(&file, &disconnect)
            .arg("--while-connected")
            .run()
            .expect(0)
            .says("this role may not end these, gone past as asked")
            .says(&named);
        drop(superuser);
        // A role that ours may not end either, and that may use nothing, stays.
        let stranger = scene.server().role("stranger");
        let session = target.try_connect(stranger.name()).expect("everybody may connect");
        let stays = "stay connected without a privilege on what goes";
        target.restore(&file, &disconnect).run().expect(0).says(stays);
        session.execute("SELECT 1");
        assert_eq!(target.limit(), -1);
    }
}
