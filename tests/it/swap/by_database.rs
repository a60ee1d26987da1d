//! A copy in a database of its own takes the live one's name, gives it back, and is dropped: by a
//! role that owns both, may create databases, and nothing more.

mod clients;
mod pair;
mod staged;

use std::collections::BTreeMap;

use testkit::kong_versions::KongVersion;
use testkit::{Client, Server};

use self::pair::Pair;
use super::{digest_by, note_sql};
use crate::support::{Silverback, ends};

/// Kong 3.9 live and 3.4 staged, each with what Kong does not have.
fn two_copies(server: &Server) -> Pair<'_> {
    let pair = Pair::new(server);
    for (database, version, mark) in
        [(pair.live.clone(), "3.9.3", 39), (pair.staged(), "3.4.2", 34)]
    {
        let client = pair.client_of(&database);
        KongVersion::new(version).load_by(&client);
        client.execute(&format!(
            "CREATE TABLE marks (id serial PRIMARY KEY, v int); INSERT INTO marks (v) SELECT \
             {mark} FROM generate_series(1, {mark}); CREATE SCHEMA app; CREATE TYPE app.mood AS \
             ENUM ('fine'); CREATE FUNCTION app.feel(app.mood) RETURNS app.mood LANGUAGE sql AS \
             'SELECT $1'; SELECT setval('marks_id_seq', {mark} * 10)"
        ));
    }
    pair
}

fn digest(client: &Client) -> BTreeMap<String, String> {
    let mut all = digest_by(client, "public");
    all.extend(digest_by(client, "app"));
    all
}

#[test]
fn there_and_back_and_gone() {
    for version in ends() {
        let server = testkit::server(version);
        let pair = two_copies(server);
        let other = server.role("reader");
        let (live, staged) = (testkit::quote(&pair.live), testkit::quote(&pair.staged()));
        let (owner, reader) = (testkit::quote(pair.role.name()), testkit::quote(other.name()));
        pair.client_of("postgres").execute(&format!(
            "ALTER DATABASE {live} SET work_mem = '8MB'; ALTER DATABASE {live} SET search_path = \
             '$user', public; ALTER ROLE {owner} IN DATABASE {live} SET application_name = 'it''s'; \
             ALTER DATABASE {live} CONNECTION LIMIT 33; COMMENT ON DATABASE {live} IS 'the one'; \
             REVOKE TEMPORARY ON DATABASE {live} FROM PUBLIC; GRANT CREATE ON DATABASE {live} TO \
             {reader}; ALTER DATABASE {staged} SET jit = off; COMMENT ON DATABASE {staged} IS 'x'; \
             GRANT TEMPORARY ON DATABASE {staged} TO {reader}"
        ));
        let properties = pair.properties();
        pair.swap().run().expect(6).says("nothing is staged here");
        pair.note();
        let refused = pair.swap().arg("--clean=schemas").run().expect(2);
        refused.says("exchanged with all in it");
        let refused = pair.swap().arg("--hold-migrations").run().expect(2);
        refused.says("keep it from being renamed");
        let (old, new) = (digest(&pair.live()), digest(&pair.client_of(&pair.staged())));
        assert_ne!(old, new);
        let look = |expect_live: &BTreeMap<_, _>, expect_away: &BTreeMap<_, _>| {
            let names = pair.names();
            assert_eq!(names.len(), 2, "{names:?}");
            assert_eq!(digest(&pair.live()), *expect_live, "live on {version}");
            assert_eq!(digest(&pair.client_of(&names[1])), *expect_away, "away on {version}");
            assert_eq!(pair.properties(), properties);
        };
        let told = pair.swap().arg("--status").run().expect(10);
        assert!(told.stdout.contains("complete, and not live"), "{}", told.stdout);
        assert!(told.stdout.contains(&pair.staged()), "{}", told.stdout);
        let holder = pair.live();
        holder.execute("BEGIN; SELECT * FROM marks");
        let pid = holder.value("SELECT pg_backend_pid()");
        let plan = pair.swap().arg("--dry-run").run().expect(0).stdout;
        assert!(plan.contains(&format!("ALTER DATABASE {} RENAME TO", pair.live)), "{plan}");
        assert!(plan.contains(&format!("is ended: process {pid} of role")), "{plan}");
        assert!(plan.contains("client, 127.0.0.1, idle in transaction"), "{plan}");
        look(&old, &new);
        pair.swap().arg("--back").run().expect(6).says("the staged copy is not live");

        pair.swap().run().expect(0).says("what was live before is database");
        assert!(holder.try_execute("SELECT 1").is_err(), "its session was ended");
        look(&new, &old);
        assert!(pair.names()[1].starts_with(&format!("{}_before_", pair.live)));
        let told = pair.swap().arg("--status").run().expect(10);
        assert!(told.stdout.contains("the staged copy is live"), "{}", told.stdout);
        assert!(told.stdout.contains(&pair.names()[1]), "{}", told.stdout);
        let away = server.url(pair.role.name(), &pair.names()[1]);
        let told = Silverback::new(["swap", "--status", "-d", &away]).run().expect(10);
        assert!(told.stdout.contains("the staged copy is live"), "{}", told.stdout);
        Silverback::new(["swap", "--back", "-d", &away])
            .run()
            .expect(6)
            .says("connect to database");
        pair.swap().run().expect(6).says("live already");

        // Nothing was written yet; then something is.
        pair.live().execute("INSERT INTO marks (v) VALUES (1)");
        pair.swap().arg("--back").run().expect(2).says("1 row inserted or updated");
        look(&digest(&pair.live()), &old);
        pair.swap().args(["--back", "--yes"]).run().expect(0);
        let after = digest(&pair.client_of(&pair.names()[1]));
        assert_ne!(after, new, "the row that was written is kept");
        look(&old, &after);
        assert!(pair.names()[1].starts_with(&format!("{}_staged_", pair.live)));
        pair.swap().run().expect(0);
        look(&after, &old);
        pair.swap().arg("--back").run().expect(0).says("0 rows inserted or updated");
        pair.swap().run().expect(0);

        let plan = pair.swap().args(["--drop-old", "--dry-run"]).run().expect(0).stdout;
        assert!(plan.contains(&format!("DROP DATABASE {}", pair.names()[1])), "{plan}");
        look(&after, &old);
        let reader = pair.client_of(&pair.names()[1]);
        pair.swap().arg("--drop-old").run().expect(6).says("is connected to database");
        drop(reader);
        pair.wait_alone(&pair.names()[1]);
        pair.swap().arg("--drop-old").run().expect(0);
        assert_eq!(pair.names(), [pair.live.as_str()]);
        assert_eq!(digest(&pair.live()), after);
        assert_eq!(pair.properties(), properties);
        let noted = "SELECT count(*) FROM pg_namespace WHERE nspname = 'silverback_swap'";
        assert_eq!(pair.live().value(noted), "0");
        pair.swap().arg("--status").run().expect(0);
        drop(pair);
    }
}

#[test]
fn what_only_the_live_database_holds_is_named() {
    let server = testkit::newest_server();
    let pair = two_copies(server);
    pair.note();
    pair.live().execute(
        "CREATE TABLE orders (id int); CREATE SCHEMA billing; CREATE VIEW billing.seen AS SELECT v \
         FROM marks; CREATE FUNCTION total(int) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'; \
         CREATE PUBLICATION marked FOR TABLE marks; SELECT lo_create(4711)",
    );
    let (old, names) = (digest(&pair.live()), pair.names());
    for more in [&["--dry-run"][..], &[]] {
        let outcome = pair.swap().args(more).run().expect(6);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        for what in [
            "table public.orders is not in database",
            "schema billing is not in database",
            "view billing.seen is not in database",
            "function public.total(integer) is not in database",
            "publication marked is not in database",
            "large object 4711 is not in database",
        ] {
            assert!(said.contains(what), "{what}: {said}");
        }
    }
    assert_eq!((digest(&pair.live()), pair.names()), (old, names));
}

#[test]
fn rights_that_are_missing_are_named() {
    let server = testkit::newest_server();
    let pair = two_copies(server);
    pair.note();
    let admin = server.connect("postgres");
    let owner = testkit::quote(pair.role.name());
    let (live, names) = (testkit::quote(&pair.live), pair.names());
    admin.execute(&format!("ALTER ROLE {owner} NOCREATEDB"));
    pair.swap().run().expect(6).says("it has no CREATEDB");
    admin.execute(&format!("ALTER ROLE {owner} CREATEDB"));
    // Whose session may not be ended.
    let holder = server.connect(&pair.live);
    let pid = holder.value("SELECT pg_backend_pid()");
    pair.swap()
        .run()
        .expect(6)
        .says(&format!("process {pid} of role postgres"))
        .says("may not end it");
    drop(holder);
    pair.wait_alone(&pair.live);
    // What only a superuser sets: named, and nothing to do where the copy has it.
    let set = "SET log_min_duration_statement = '1s'";
    admin.execute(&format!("ALTER DATABASE {live} {set}"));
    for more in [&["--dry-run"][..], &[]] {
        let outcome = pair.swap().args(more).run().expect(6);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains("permission denied to set parameter"), "{said}");
    }
    admin.execute(&format!("ALTER DATABASE {} {set}", testkit::quote(&pair.staged())));
    pair.swap().arg("--dry-run").run().expect(0);
    // A lock that is not to be had.
    admin.execute(&format!("BEGIN; COMMENT ON DATABASE {live} IS 'other'"));
    let pid = admin.value("SELECT pg_backend_pid()");
    pair.swap()
        .args(["--retries", "2", "--lock-wait-timeout", "300ms"])
        .run()
        .expect(9)
        .says("attempt 2 of 3")
        .says(&format!("blocked by process {pid}"))
        .says("nothing was changed");
    admin.execute("ROLLBACK");
    assert_eq!(pair.names(), names);
    assert_eq!(pair.live().value("SELECT v FROM marks LIMIT 1"), "39");
    admin.execute(&format!("ALTER ROLE {owner} IN DATABASE {live} SET work_mem = '9MB'"));
    let properties = pair.properties();
    pair.swap().run().expect(0);
    assert_eq!(pair.properties(), properties);
    // In the place of the owner.
    let operator = server.role("operator");
    let (name, operator) = (operator.name().to_owned(), testkit::quote(operator.name()));
    admin.execute(&format!(
        "GRANT {owner} TO {operator}; GRANT CREATE ON DATABASE {live} TO PUBLIC"
    ));
    let properties = pair.properties();
    let url = server.url(&name, &pair.live);
    let swap = || Silverback::new(["swap", "-d", &url, "--back"]);
    swap().run().expect(6).says("has no CREATEDB");
    swap().args(["--role", pair.role.name()]).run().expect(0);
    assert_eq!(pair.properties(), properties);
    assert_eq!(pair.names().len(), 2);
}

#[test]
fn nobody_to_stand_in_is_a_finding() {
    let reject = "host postgres plain 127.0.0.1/32 reject\nhost template1 plain 127.0.0.1/32 reject\
        \nhost all all 127.0.0.1/32 trust";
    let server = Server::spec(testkit::newest()).hba(reject).start();
    let admin = server.connect("postgres");
    admin.execute("CREATE ROLE plain LOGIN CREATEDB");
    admin.execute("CREATE DATABASE kong OWNER plain");
    admin.execute("CREATE DATABASE kong_staged_1 OWNER plain");
    for (database, is_new) in [("kong", false), ("kong_staged_1", true)] {
        let client = server.connect(database);
        client.execute("SET SESSION AUTHORIZATION plain");
        client.execute(&note_sql(&format!(
            "'11111111-2222-3333-4444-555555555555', 'kong.sbk', 'f00', '0', 'by database', \
             'staged', true, current_user, now(), NULL, NULL, '{{}}', '{{}}', '{{}}', '{{}}', \
             {is_new}, 'kong', 'kong_staged_1', NULL, NULL"
        )));
    }
    let swap = || Silverback::new(["swap", "-d", &server.url("plain", "kong")]);
    for more in [&["--dry-run"][..], &[]] {
        let outcome = swap().args(more).run().expect(6);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(
            said.contains("there is no third database to rename them from (postgres:"),
            "{said}"
        );
    }
}

#[test]
fn a_copy_that_is_not_there_or_not_complete_is_not_made_live() {
    let server = testkit::newest_server();
    let pair = two_copies(server);
    pair.note();
    let (by, staged) = (pair.client_of("postgres"), testkit::quote(&pair.staged()));
    let set = |phase: &str| {
        let sql = format!("UPDATE silverback_swap.state SET phase = '{phase}'");
        pair.client_of(&pair.staged()).execute(&sql);
    };
    set("staging");
    pair.swap().run().expect(6).says("not complete");
    let told = pair.swap().arg("--status").run().expect(10);
    assert!(told.stdout.contains("is not complete"), "{}", told.stdout);
    set("staged");
    // Another database in its place is neither taken nor dropped.
    let aside = testkit::quote(&format!("{}_aside", pair.live));
    by.execute(&format!("ALTER DATABASE {staged} RENAME TO {aside}"));
    pair.swap().run().expect(6).says("the other copy is not there");
    let told = pair.swap().arg("--status").run().expect(10);
    assert!(told.stdout.contains("a database that is not there"), "{}", told.stdout);
    by.execute(&format!("CREATE DATABASE {staged} TEMPLATE template0"));
    pair.client_of(&pair.staged()).execute("CREATE TABLE precious (id int)");
    pair.swap().run().expect(6).says("the other copy is not there");
    pair.swap().arg("--drop-old").run().expect(6).says("holds something else");
    pair.client_of(&pair.staged()).execute("DROP TABLE precious");
    pair.wait_alone(&pair.staged());
    // What was only begun is dropped, and the note where nothing else is left.
    pair.swap().arg("--drop-old").run().expect(0);
    assert_eq!(pair.names().len(), 2, "the live one, and what was put aside");
    pair.swap().arg("--status").run().expect(0);
    assert_eq!(pair.live().value("SELECT count(*) FROM marks"), "39");
}
