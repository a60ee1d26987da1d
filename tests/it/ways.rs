//! Every way into a target with every sort of Kong database, on every version of the server, in
//! pairs: each two of a way, a database and a server meet. `SILVERBACK_TEST_EVERY` tries all threes.

use testkit::kong_versions::WORKSPACE;
use testkit::{Database, KongVersion, Role, Server, catalog_fingerprint};

use crate::support::{Silverback, assert_same, dump, restore, temp_dir, verify};

/// What the target is, and becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A new database.
    Empty,
    /// `-c --if-exists` over another version of Kong.
    Clean,
    /// `--clean=schemas` over another version of Kong.
    Clear,
    /// `--replace-bootstrap` over what another version's bootstrap has made.
    Replace,
    /// `--rename-schema` there, a dump of that, and back.
    Renamed,
    /// `--stage` beside another version of Kong, and `swap`.
    Swapped,
    /// The same with a database of its own.
    ByDatabase,
}

const WAYS: [Way; 7] =
    [Way::Empty, Way::Clean, Way::Clear, Way::Replace, Way::Renamed, Way::Swapped, Way::ByDatabase];

/// A Kong database.
#[derive(Clone, Copy, Debug)]
struct Kong {
    version: &'static str,
    schema: &'static str,
    is_half_migrated: bool,
    /// The target holds another application's tables, too, in the same schema under the same role.
    has_neighbour: bool,
}

impl Kong {
    const fn of(version: &'static str) -> Self {
        Self { version, schema: "public", is_half_migrated: false, has_neighbour: false }
    }
}

const KONGS: [Kong; 9] = [
    Kong::of("1.5.1"),
    Kong::of("2.0.5"),
    Kong::of("2.8.5"),
    Kong::of("3.4.2"),
    Kong::of("3.9.3"),
    Kong::of("master"),
    Kong { is_half_migrated: true, ..Kong::of("3.4.2") },
    Kong { schema: "kong", ..Kong::of("3.6.1") },
    Kong { has_neighbour: true, ..Kong::of("2.8.5") },
];

/// Another application's tables.
const NEIGHBOUR: &str = "CREATE TABLE orders (id serial PRIMARY KEY, what text); INSERT INTO \
    orders (what) VALUES ('a'), ('b'); CREATE VIEW open_orders AS SELECT id FROM orders";

/// The neighbour's rows and its view, as they stand; none where it is gone.
fn neighbours(target: &Database<'_>) -> Vec<String> {
    if target.value("SELECT to_regclass('open_orders') IS NULL AND to_regclass('orders') IS NULL")
        == "t"
    {
        return Vec::new();
    }
    target.column(
        "SELECT what FROM orders UNION ALL SELECT last_value::text FROM orders_id_seq UNION ALL \
         SELECT pg_get_viewdef('open_orders'::regclass)",
    )
}

/// One of Kong's databases with rows of every sort that matters to it.
fn fill(database: &Database<'_>, kong: Kong) {
    let made = KongVersion::new(kong.version).schema(kong.schema);
    if kong.is_half_migrated { made.half_migrated() } else { made }.load(database);
    let schema = testkit::quote(kong.schema);
    database.connect().execute(&format!(
        "SET search_path = {schema}; \
         INSERT INTO consumers (id, username) SELECT md5(i::text)::uuid, 'c' || i FROM \
         generate_series(1, 40) i; \
         INSERT INTO tags (entity_id, entity_name, tags) SELECT md5(i::text)::uuid, 'consumers', \
         ARRAY['a', NULL, 'b' || i] FROM generate_series(1, 9) i; \
         INSERT INTO cluster_events (id, node_id, at, nbf, expire_at, channel, data) SELECT \
         md5(i::text)::uuid, '{WORKSPACE}', now(), NULL, now() + i * interval '1 hour', 'x', 'y' \
         FROM generate_series(-2, 2) i; \
         INSERT INTO locks (key, owner, ttl) VALUES ('gone', 'me', '2020-01-01'); \
         CREATE TABLE counted (id serial PRIMARY KEY, n bigint); INSERT INTO counted (n) SELECT \
         generate_series(1, 5); DELETE FROM counted WHERE n = 5; \
         CREATE FUNCTION sync_tags() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; \
         CREATE TRIGGER one AFTER INSERT ON consumers FOR EACH ROW EXECUTE FUNCTION sync_tags(); \
         CREATE TRIGGER two AFTER INSERT ON consumers FOR EACH ROW EXECUTE FUNCTION sync_tags(); \
         ALTER TABLE consumers DISABLE TRIGGER two; ALTER TABLE consumers ENABLE ALWAYS TRIGGER one"
    ));
}

/// A version that is not this one.
fn other(version: &str) -> &'static str {
    if version == "3.9.3" { "2.8.5" } else { "3.9.3" }
}

/// A source, its archive, and a target that is still empty.
struct Scene<'s> {
    kong: Kong,
    source: Database<'s>,
    target: Database<'s>,
    file: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl<'s> Scene<'s> {
    fn new(server: &'s Server, role: &Role<'s>, kong: Kong) -> Self {
        let source = server.database_of(role, "source");
        let target = server.database_of(role, "target");
        fill(&source, kong);
        let folder = temp_dir();
        let file = folder.path().join("kong.sbk");
        dump(&source, &file).run().expect(0);
        verify(&file).run().expect(0);
        if kong.has_neighbour {
            target.connect().execute(NEIGHBOUR);
        }
        Self { kong, source, target, file, _folder: folder }
    }

    /// What the target holds first: a Kong of another version, used or fresh.
    fn occupy(&self, is_used: bool) {
        let kong = Kong { version: other(self.kong.version), is_half_migrated: false, ..self.kong };
        if is_used {
            fill(&self.target, kong);
        } else {
            KongVersion::new(kong.version).schema(kong.schema).load(&self.target);
        }
    }

    fn go(&mut self, way: Way) {
        if way == Way::ByDatabase {
            return self.by_database();
        }
        let restore = |words: &[&str]| restore(&self.file, &self.target).args(words);
        let beside = self.kong.has_neighbour;
        let before = neighbours(&self.target);
        match way {
            Way::Empty | Way::Replace | Way::Renamed if beside => {
                let words: &[&str] = match way {
                    Way::Empty => &[],
                    Way::Replace => &["--replace-bootstrap"],
                    _ => &["--rename-schema", "public=other"],
                };
                if way == Way::Replace {
                    self.occupy(false);
                }
                let whole = catalog_fingerprint(&self.target);
                restore(words).run().expect(6);
                assert_eq!(catalog_fingerprint(&self.target), whole);
                return;
            }
            Way::Empty => drop(restore(&[]).run().expect(0)),
            Way::Clean => {
                self.occupy(true);
                restore(&["-c", "--if-exists"]).run().expect(0);
            }
            Way::Clear => {
                self.occupy(true);
                let plan = restore(&["--clean=schemas", "--dry-run"]).run().expect(0).stdout;
                let told = restore(&["--clean=schemas"]).run().expect(0).stderr;
                for what in ["TABLE public.orders", "VIEW public.open_orders"] {
                    assert_eq!(beside, plan.contains(what), "{plan}");
                    assert_eq!(beside, told.contains(what), "{told}");
                }
            }
            Way::Replace => {
                self.occupy(false);
                restore(&["--replace-bootstrap"]).run().expect(0);
            }
            Way::Swapped => {
                self.occupy(true);
                restore(&["--stage"]).run().expect(0);
                for words in [&["swap"][..], &["swap", "--drop-old"]] {
                    let url = self.target.url();
                    Silverback::new(words).args(["-d", &url]).run().expect(0);
                }
            }
            Way::ByDatabase => {}
            Way::Renamed => {
                let (old, server) = (self.kong.schema, self.target.server());
                let there = server.database(self.target.owner());
                let owner = testkit::quote(self.target.owner());
                there.execute(&format!("GRANT CREATE ON DATABASE {} TO {owner}", there.name()));
                self.through(&there, old);
            }
        }
        if beside && way == Way::Clear {
            assert_eq!(neighbours(&self.target), Vec::<String>::new());
        } else if beside {
            assert_eq!(neighbours(&self.target), before);
            self.target.execute("DROP TABLE orders CASCADE");
        }
        assert_same(&self.source, &self.target);
    }

    fn by_database(&mut self) {
        self.occupy(true);
        let owner = testkit::quote(self.target.owner());
        self.target.execute(&format!("ALTER ROLE {owner} CREATEDB"));
        let (whole, url) = (catalog_fingerprint(&self.target), self.target.url());
        restore(&self.file, &self.target).args(["--stage", "--by-database"]).run().expect(0);
        let swap = |words: &[&str]| Silverback::new(["swap", "-d", &url]).args(words).run();
        let beside = self.kong.has_neighbour;
        self.target.left(|| {
            if beside {
                swap(&[]).expect(6).says("table public.orders is not in database");
            } else {
                swap(&[]).expect(0);
            }
            swap(&["--drop-old"]).expect(0);
        });
        if beside {
            assert_eq!(catalog_fingerprint(&self.target), whole);
        } else {
            assert_same(&self.source, &self.target);
        }
    }

    /// Into another database under another schema's name, and from there back.
    fn through(&self, there: &Database<'_>, old: &str) {
        let words = |pair: String| ["--rename-schema".to_owned(), pair];
        let url = there.url_as(self.target.owner());
        let run = Silverback::new(["restore", "-d", &url]).arg(&self.file);
        run.args(words(format!("{old}=kong_next"))).run().expect(0);
        let file = self.file.with_extension("there.sbk");
        let run = Silverback::new(["dump", "-d", &url, "-f"]).arg(&file);
        run.run().expect(0);
        verify(&file).run().expect(0);
        restore(&file, &self.target).args(words(format!("kong_next={old}"))).run().expect(0);
    }
}

#[test]
fn every_way_with_every_kong() {
    let versions: Vec<u32> = testkit::versions().into_iter().filter(|one| *one >= 13).collect();
    let every = std::env::var_os("SILVERBACK_TEST_EVERY").is_some();
    for (row, kong) in KONGS.into_iter().enumerate() {
        for (column, way) in WAYS.into_iter().enumerate() {
            // Each way and each database meets every version in its turn.
            let turn = (row + column) % versions.len();
            let versions = if every { &versions[..] } else { &versions[turn..=turn] };
            for version in versions {
                println!("{way:?}, {kong:?}, PostgreSQL {version}");
                let server = testkit::server(*version);
                let role = server.role("kong");
                Scene::new(server, &role, kong).go(way);
            }
        }
    }
}
