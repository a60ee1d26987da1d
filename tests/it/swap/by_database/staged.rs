//! `restore --stage --by-database`: the copy's database is made, filled and noted, goes on after a
//! kill, and is what a swap takes.

use std::thread;
use std::time::Instant;

use testkit::Server;
use testkit::kong_versions::KongVersion;

use super::{Pair, digest};
use crate::support::{Silverback, dump, ends, temp_dir, wait_for};

/// A Kong 3.9 that is live, with a sync version, and an archive of it as a 3.4.
fn upgraded(server: &Server) -> (Pair<'_>, tempfile::TempDir) {
    let pair = Pair::alone(server);
    let role = pair.role.clone();
    let older = server.database_of(&role, "older");
    let folder = temp_dir();
    for (client, version, mark) in [(older.connect(), "3.4.2", 34), (pair.live(), "3.9.3", 39)] {
        KongVersion::new(version).load_by(&client);
        client.execute(&format!(
            "CREATE SCHEMA app; CREATE TABLE app.marks (id serial PRIMARY KEY, v int); INSERT INTO \
             app.marks (v) SELECT {mark} FROM generate_series(1, 2000)"
        ));
    }
    dump(&older, &folder.path().join("a.sbk")).run().expect(0);
    (pair, folder)
}

fn stage(pair: &Pair<'_>, folder: &tempfile::TempDir) -> Silverback {
    let url = pair.server.url(pair.role.name(), &pair.live);
    Silverback::new(["restore", "--stage", "-d", &url]).arg(folder.path().join("a.sbk"))
}

#[test]
fn staged_swapped_back_and_dropped() {
    for version in ends() {
        let server = testkit::server(version);
        let (pair, folder) = upgraded(server);
        let live = testkit::quote(&pair.live);
        pair.client_of("postgres").execute(&format!(
            "REVOKE CONNECT, TEMPORARY ON DATABASE {live} FROM PUBLIC; ALTER DATABASE {live} SET \
             work_mem = '9MB'; COMMENT ON DATABASE {live} IS 'the one'"
        ));
        let (old, properties) = (digest(&pair.live()), pair.properties());
        stage(&pair, &folder).args(["--by-database", "--dry-run"]).run().expect(0);
        assert_eq!(pair.names().len(), 1);
        pair.swap().arg("--status").run().expect(0);
        stage(&pair, &folder).arg("--by-database").run().expect(0).says("the copy is database");
        let staged = &pair.names()[1];
        assert!(staged.starts_with(&format!("{}_staged_", pair.live)), "{staged}");
        let admin = server.connect("postgres");
        let acl = |name: &str| {
            admin.value(&format!("SELECT datacl::text FROM pg_database WHERE datname = '{name}'"))
        };
        assert_eq!(acl(staged), acl(&pair.live), "nobody else may connect to the copy");
        stage(&pair, &folder).run().expect(6).says("a complete copy is staged already");
        assert_eq!(digest(&pair.live()), old);
        let new = digest(&pair.client_of(staged));
        pair.swap().arg("--dry-run").run().expect(0);
        pair.swap().run().expect(0).says("restart every Kong node");
        assert_eq!(digest(&pair.live()), new);
        assert_eq!(pair.properties(), properties);
        pair.swap().arg("--back").run().expect(0);
        assert_eq!(digest(&pair.live()), old);
        pair.swap().run().expect(0);
        pair.swap().arg("--drop-old").run().expect(0);
        assert_eq!((digest(&pair.live()), pair.names().len()), (new, 1));
    }
}

#[test]
fn the_sync_version_is_raised_beyond_what_is_live() {
    let server = testkit::newest_server();
    let (pair, folder) = upgraded(server);
    // Both of one version that has it.
    let older = server.database_of(&pair.role, "older");
    KongVersion::new("3.9.3").load_by(&older.connect());
    older.connect().execute("INSERT INTO clustering_sync_version VALUES (42)");
    pair.live()
        .execute("DROP SCHEMA app CASCADE; INSERT INTO clustering_sync_version VALUES (142)");
    std::fs::remove_file(folder.path().join("a.sbk")).expect("it is there");
    dump(&older, &folder.path().join("a.sbk")).run().expect(0);
    stage(&pair, &folder).arg("--by-database").run().expect(0);
    let version = || pair.live().value("SELECT max(version) FROM clustering_sync_version");
    let plan = pair.swap().args(["--dry-run", "--bump-sync-version"]).run().expect(0).stdout;
    assert!(plan.contains("INSERT INTO public.clustering_sync_version"), "{plan}");
    pair.swap().arg("--bump-sync-version=99999999999").run().expect(6).says("nothing was changed");
    assert_eq!(version(), "142");
    pair.swap().arg("--bump-sync-version").run().expect(0);
    assert_eq!(version(), "1142");
    pair.swap().args(["--back", "--yes", "--bump-sync-version"]).run().expect(0);
    assert_eq!(version(), "2142");
}

#[test]
fn what_keeps_it_from_beginning_leaves_nothing() {
    let server = testkit::newest_server();
    let (pair, folder) = upgraded(server);
    let owner = testkit::quote(pair.role.name());
    let admin = server.connect("postgres");
    admin.execute(&format!("ALTER ROLE {owner} NOCREATEDB"));
    stage(&pair, &folder).arg("--by-database").run().expect(6).says("may not create databases");
    pair.swap().arg("--status").run().expect(0);
    admin.execute(&format!("ALTER ROLE {owner} CREATEDB"));
    Silverback::new(["restore", "--by-database", "a.sbk"]).run().expect(2);
    stage(&pair, &folder).args(["--by-database", "--in-place"]).run().expect(2);
    // A role that may not note anything in what is live.
    let live = testkit::quote(&pair.live);
    admin.execute(&format!("ALTER DATABASE {live} OWNER TO postgres"));
    for way in [&[][..], &["--by-database"], &["--in-place"], &["--dry-run"]] {
        let told = stage(&pair, &folder).args(way).run().expect(6);
        told.says("may not create schemas").says("GRANT CREATE ON DATABASE");
        assert_eq!(pair.names().len(), 1);
    }
    admin.execute(&format!("ALTER DATABASE {live} OWNER TO {owner}"));
    // A neighbour in the same database: the swap is refused, and what was staged is dropped.
    pair.live().execute("CREATE TABLE orders (id int)");
    let old = digest(&pair.live());
    stage(&pair, &folder).arg("--by-database").run().expect(0);
    pair.swap().run().expect(6).says("table public.orders is not in database");
    pair.swap().arg("--drop-old").run().expect(0);
    assert_eq!((digest(&pair.live()), pair.names().len()), (old, 1));
    // In place it goes.
    stage(&pair, &folder).run().expect(0).says("the copy stands in schemas");
    pair.swap().run().expect(0);
    assert_eq!(pair.live().value("SELECT count(*) FROM orders"), "0");
}

#[test]
fn where_the_locks_do_not_fit_it_is_a_database() {
    let conf =
        "max_locks_per_transaction = 10\nmax_connections = 15\nmax_prepared_transactions = 0";
    let server = Server::spec(testkit::newest()).conf(conf).start();
    let (pair, folder) = upgraded(&server);
    stage(&pair, &folder)
        .arg("--in-place")
        .run()
        .expect(6)
        .says("max_locks_per_transaction")
        .says("--by-database");
    pair.swap().arg("--status").run().expect(0);
    stage(&pair, &folder)
        .run()
        .expect(0)
        .says("could not be exchanged in place")
        .says("max_locks_per_transaction")
        .says("the copy is database");
    pair.swap().run().expect(0);
    assert_eq!(pair.live().value("SELECT v FROM app.marks LIMIT 1"), "34");
    pair.swap().arg("--drop-old").run().expect(0);
}

#[test]
fn a_stage_that_is_killed_goes_on_or_is_dropped() {
    let kills: u32 = std::env::var("SILVERBACK_TEST_KILLS")
        .map_or(6, |count| count.parse().expect("SILVERBACK_TEST_KILLS is a number"));
    let server = testkit::newest_server();
    let (pair, folder) = upgraded(server);
    let old = digest(&pair.live());
    let begun = Instant::now();
    stage(&pair, &folder).arg("--by-database").run().expect(0);
    let whole = begun.elapsed();
    let new = digest(&pair.client_of(&pair.names()[1]));
    pair.swap().arg("--drop-old").run().expect(0);
    for kill in 0..kills {
        let running = stage(&pair, &folder).arg("--by-database").spawn();
        thread::sleep(whole.mul_f64(f64::from(kill % 10 + 1) / 11.0));
        running.signal("KILL");
        running.wait();
        assert_eq!(digest(&pair.live()), old, "kill {kill}");
        wait_for("the killed run's sessions to end", || pair.is_left_alone());
        let told = pair.swap().arg("--status").run();
        if told.code == Some(10) && told.stdout.contains("is not complete") {
            pair.swap().run().expect(6).says("not complete");
            if kill % 2 == 0 {
                pair.swap().arg("--drop-old").run().expect(0);
                assert_eq!(pair.names().len(), 1, "kill {kill}");
                continue;
            }
            stage(&pair, &folder).arg("--resume").run().expect(0);
        } else if told.code == Some(0) {
            assert_eq!(pair.names().len(), 1, "kill {kill}");
            continue;
        }
        assert_eq!(digest(&pair.client_of(&pair.names()[1])), new, "kill {kill}");
        pair.swap().run().expect(0);
        assert_eq!(digest(&pair.live()), new, "kill {kill}");
        pair.swap().arg("--back").run().expect(0);
        pair.swap().arg("--drop-old").run().expect(0);
    }
}
