//! Connections by Kong's own settings: its file, its environment, a running node's settings, its
//! schema, its read replica.
//!
//! Which source counts over which others is a table in `src/cli/args/connection_cases.rs`; what the machine
//! has in `/etc` is not looked at here.

use std::path::PathBuf;

use testkit::{Database, Server, Stop};

use crate::pair::{Pair, contents};
use crate::support::{self, Silverback};

const TABLES: &str = "CREATE TABLE schema_meta AS SELECT 'core' AS key; CREATE TABLE routes AS \
    SELECT generate_series(1, 10) AS id";

/// A configuration file that names a database, its owner and these lines.
fn write_conf(pair: &Pair, name: &str, database: &Database<'_>, lines: &str) -> PathBuf {
    let text = format!(
        "# where\npg_host = 127.0.0.1\npg_port = {} # this test's\npg_user = {}\npg_database = \
         {}\n{lines}\n",
        database.server().port(),
        database.owner(),
        database.name()
    );
    let path = pair.path(name);
    std::fs::write(&path, text).expect("the folder is ours");
    path
}

/// A dump that is told nothing about where the database is.
fn dump(pair: &Pair, name: &str) -> Silverback {
    Silverback::new(["dump", "-f"]).arg(pair.path(name)).env("KONG_PREFIX", "/nowhere")
}

fn restore(pair: &Pair) -> Silverback {
    Silverback::new(["restore"]).arg(pair.file()).env("KONG_PREFIX", "/nowhere")
}

/// The tables of an archive.
fn tables(pair: &Pair, name: &str) -> Vec<String> {
    contents(&pair.path(name)).into_keys().collect()
}

#[test]
fn a_file_of_kongs_says_where() {
    let pair = Pair::new(TABLES);
    let conf = write_conf(&pair, "kong.conf", &pair.source, "stray");
    let outcome = dump(&pair, "a.sbk").arg("-v").arg("--kong-conf").arg(&conf).run().expect(0);
    let path = conf.display();
    outcome
        .says(&format!("pg_host = 127.0.0.1 (from {path}:2)"))
        .says(&format!("pg_database = {} (from {path}:5)", pair.source.name()))
        .says(&format!("warning: {path}:6: no \"key = value\", and ignored"));
    assert_eq!(tables(&pair, "a.sbk"), ["public.routes", "public.schema_meta"]);
    // The environment counts more, and libpq's does not count beside a file that is named.
    let run = || dump(&pair, "b.sbk").arg("--kong-conf").arg(&conf);
    run().env("KONG_PG_PORT", "1").run().expect(4);
    run()
        .env("PGPORT", "1")
        .run()
        .expect(0)
        .says("warning: --kong-conf is given: PGPORT does not count");
    run().args(["-h", "127.0.0.1"]).run().expect(2).says("--host is given as well");
    let missing =
        Silverback::new(["dump", "-f", "/nowhere/x", "--kong-conf", "/nowhere/kong.conf"]);
    missing.run().expect(2).says("read Kong's settings in /nowhere/kong.conf");
}

#[test]
fn a_file_of_kongs_names_what_a_restore_fills() {
    let pair = Pair::new(TABLES);
    pair.dump().run().expect(0);
    let empty = pair.path("empty.conf");
    std::fs::write(&empty, "log_level = debug\n").expect("the folder is ours");
    restore(&pair)
        .arg("--kong-conf")
        .arg(&empty)
        .run()
        .expect(2)
        .says("nothing says which database is meant")
        .says("--kong-conf FILE");
    let conf = write_conf(&pair, "kong.conf", &pair.copy, "");
    restore(&pair).arg("--kong-conf").arg(&conf).run().expect(0);
    support::assert_same(&pair.source, &pair.copy);
    Silverback::new(["restore", "--status", "--kong-conf"]).arg(&conf).run().expect(0);
}

#[test]
fn a_running_nodes_settings_count_where_no_file_is_named() {
    let pair = Pair::new(TABLES);
    let of_node = write_conf(&pair, ".kong_env", &pair.source, "-----BEGIN CERTIFICATE-----");
    let prefix = of_node.parent().expect("it lies in a folder").to_owned();
    let run = |name: &str| dump(&pair, name).env("KONG_PREFIX", &prefix).arg("-v");
    run("a.sbk").run().expect(0).says(&format!("(from {}:2)", of_node.display()));
    run("b.sbk").env("KONG_PG_DATABASE", "gone").run().expect(4).says("gone");
    let other = write_conf(&pair, "kong.conf", &pair.copy, "");
    run("c.sbk").arg("--kong-conf").arg(&other).run().expect(0);
    assert!(tables(&pair, "c.sbk").is_empty());
    // It names what a restore fills, too; libpq's rules come first all the same.
    pair.dump().run().expect(0);
    write_conf(&pair, ".kong_env", &pair.copy, "");
    restore(&pair).env("KONG_PREFIX", &prefix).run().expect(0);
    support::assert_same(&pair.source, &pair.copy);
    let ignored = format!("--dbname is given: {} does not count", of_node.display());
    support::dump(&pair.source, &pair.path("d.sbk"))
        .env("KONG_PREFIX", &prefix)
        .run()
        .expect(0)
        .says(&ignored);
}

#[test]
fn what_does_not_count_is_told() {
    let pair = Pair::new(TABLES);
    let port = pair.source.server().port().to_string();
    let outcome = dump(&pair, "a.sbk")
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", &port)
        .env("PGUSER", pair.source.owner())
        .env("PGDATABASE", pair.source.name())
        .env("KONG_PG_PORT", "1")
        .arg("-q")
        .run()
        .expect(0);
    assert_eq!(outcome.stderr.trim(), "warning: PGHOST is set: KONG_PG_* do not count");
    let outcome = support::dump(&pair.source, &pair.path("b.sbk"))
        .env("KONG_PROXY_LISTEN", "off")
        .arg("-q")
        .run()
        .expect(0);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn what_only_kong_can_use_is_refused() {
    let pair = Pair::new(TABLES);
    let run = |lines: &str| {
        let conf = write_conf(&pair, "kong.conf", &pair.source, lines);
        dump(&pair, "a.sbk").arg("--kong-conf").arg(conf)
    };
    run("database = off").run().expect(2).says("keeps nothing in PostgreSQL").says("kong.conf:6");
    run("pg_password = {vault://hcv/kong/pg}").run().expect(2).says("which only Kong can open");
    run("pg_password = {vault://env/gone}").run().expect(2).says("GONE, which is not set");
    run("pg_password = {vault://env/word}").env("WORD", "x").run().expect(0);
}

#[test]
fn the_schema_of_kong_is_what_is_dumped() {
    let pair = Pair::new(TABLES);
    pair.source.connect().execute(
        "CREATE SCHEMA \"Kong EE\"; CREATE TABLE \"Kong EE\".schema_meta AS SELECT 1 AS a; CREATE \
         TABLE \"Kong EE\".services (a int)",
    );
    let conf = write_conf(&pair, "kong.conf", &pair.source, "pg_schema = Kong EE");
    let run = |name: &str| dump(&pair, name).arg("--kong-conf").arg(&conf);
    run("a.sbk").run().expect(0).says(&format!(
        "pg_schema = Kong EE (from {}:6): only schema \"Kong EE\" and what it needs is dumped; -n \
         '*' dumps all schemas",
        conf.display()
    ));
    assert_eq!(tables(&pair, "a.sbk"), ["Kong EE.schema_meta", "Kong EE.services"]);
    // What the options choose counts more.
    let check = |name: &str, args: &[&str], expect: &[&str]| {
        let outcome = run(name).args(args).run().expect(0);
        assert!(!outcome.stderr.contains("only schema"), "{}", outcome.stderr);
        assert_eq!(tables(&pair, name), expect, "{args:?}");
    };
    let (ours, theirs) = (["Kong EE.schema_meta", "Kong EE.services"], "public.schema_meta");
    check("b.sbk", &["-n", "*"], &[ours[0], ours[1], "public.routes", theirs]);
    check("c.sbk", &["-n", "public"], &["public.routes", theirs]);
    check("d.sbk", &["-N", "public"], &ours);
    check("e.sbk", &["-t", "schema_meta"], &[ours[0], theirs]);
    check("f.sbk", &["-T", "routes"], &[ours[0], ours[1], theirs]);
    run("g.sbk").env("KONG_PG_SCHEMA", "gone").run().expect(6).says("no object matches gone (-n)");
    run("h.sbk").env("KONG_PG_SCHEMA", "").run().expect(0);
    assert_eq!(tables(&pair, "h.sbk").len(), 4);
}

#[test]
fn tables_in_another_schema_than_kongs_are_not_restored() {
    let pair = Pair::new(TABLES);
    pair.dump().run().expect(0);
    let conf = write_conf(&pair, "kong.conf", &pair.copy, "pg_schema = kong");
    let run = || restore(&pair).arg("--kong-conf").arg(&conf);
    let differs = format!(
        "the archive has the tables in schema public, but pg_schema = kong (from {}:6) says \
         otherwise",
        conf.display()
    );
    let way_out = "set pg_schema to public as in the archive, or unset pg_schema";
    run().run().expect(6).says(&differs).says(way_out);
    run().arg("--dry-run").run().expect(6);
    assert_eq!(pair.copy.value("SELECT count(*) FROM pg_class WHERE relname = 'routes'"), "0");
    // Whoever chooses knows.
    run().args(["-n", "public", "--dry-run"]).run().expect(0);
    run().env("KONG_PG_SCHEMA", "").arg("--dry-run").run().expect(0);
    run().env("KONG_PG_SCHEMA", "public").run().expect(0);
    support::assert_same(&pair.source, &pair.copy);
}

#[test]
fn triggers_that_fire_look_for_names_in_kongs_schema() {
    let pair = Pair::new("");
    testkit::kong::load(&pair.source);
    testkit::kong::load(&pair.copy);
    let consumers = "INSERT INTO consumers (id, username) SELECT md5(i::text)::uuid, 'c' || i FROM \
        generate_series(1, 30) i";
    pair.source.connect().execute(consumers);
    pair.dump().run().expect(0);
    let rows = |lines: &str| {
        let conf = write_conf(&pair, "kong.conf", &pair.copy, lines);
        let fire = ["-a", "-t", "consumers", "--fire-triggers", "--kong-conf"];
        restore(&pair).args(fire).arg(conf)
    };
    rows("pg_schema = public").run().expect(0);
    assert_eq!(pair.copy.value("SELECT count(*) FROM tags"), "30");
    // Its functions' names are not qualified.
    pair.copy.connect().execute("TRUNCATE consumers CASCADE; TRUNCATE tags");
    rows("").run().expect(7).says("\"tags\" does not exist");
}

#[test]
fn the_read_replica_is_dumped() {
    let primary = Server::spec(testkit::newest()).start();
    primary.connect("postgres").execute("CREATE ROLE kong LOGIN");
    primary.connect("postgres").execute("CREATE DATABASE kong OWNER kong");
    primary.connect("kong").execute(TABLES);
    primary.connect("kong").execute("GRANT SELECT ON schema_meta, routes TO kong");
    let standby = primary.standby();
    let folder = support::temp_dir();
    let conf = folder.path().join("kong.conf");
    let text = format!("pg_port = {}\npg_ro_port = {}\n", primary.port(), standby.port());
    std::fs::write(&conf, text).expect("the folder is ours");
    let file = folder.path().join("a.sbk");
    let run = || Silverback::new(["dump", "--kong-conf"]).arg(&conf).arg("-f").arg(&file);
    run()
        .arg("--read-replica")
        .run()
        .expect(2)
        .says("pg_ro_host is not set: Kong has no read replica");
    run()
        .arg("--read-replica")
        .env("KONG_PG_RO_HOST", "127.0.0.1")
        .env("KONG_PG_RO_DATABASE", "gone")
        .run()
        .expect(4);
    // Nobody else answers.
    primary.stop(Stop::Fast);
    run().run().expect(4);
    run()
        .args(["--read-replica", "-v"])
        .env("KONG_PG_RO_HOST", "127.0.0.1")
        .run()
        .expect(0)
        .says(&format!("pg_ro_port = {} (from {}:2)", standby.port(), conf.display()));
    assert_eq!(contents(&file)["public.routes"].0, 10);
    let url = standby.url("kong", "kong");
    Silverback::new(["dump", "--read-replica", "-f", "/nowhere/x", "-d", &url])
        .env("KONG_PG_RO_HOST", "127.0.0.1")
        .run()
        .expect(2)
        .says("--dbname is given, so that Kong's settings do not count");
}
