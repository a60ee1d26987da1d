//! Small things that users meet: what a role may not read, names and files that are no UTF-8, pipes
//! that close, counts that agree.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use silverback::archive::Archive;

use super::support::{Silverback, dump, restore, temp_dir, verify};
use crate::pair::Pair;

#[test]
fn a_sequence_that_only_a_default_needs_need_not_be_readable() {
    for version in crate::support::ends() {
        let server = testkit::server(version);
        let (database, reader) = (server.database("edges_sequence"), server.role("reader"));
        database.execute(&format!(
            "CREATE SCHEMA a; CREATE SCHEMA b; CREATE SEQUENCE a.numbers; CREATE TABLE b.t (id \
             bigint DEFAULT nextval('a.numbers')); \
             CREATE SEQUENCE b.own; INSERT INTO b.t DEFAULT VALUES; \
             GRANT USAGE ON SCHEMA b TO {0}; GRANT SELECT ON b.t, b.own TO {0}",
            reader.name()
        ));
        let folder = temp_dir();
        let dump = |name: &str, more: &[&str]| {
            Silverback::new(["dump", "-d", &database.url_as(reader.name()), "-f"])
                .arg(folder.path().join(name))
                .args(more)
                .run()
        };
        dump("b.sbk", &["-n", "b"])
            .expect(0)
            .says("sequence a.numbers is not selected and may not be read");
        // What is selected is not left out in silence.
        database.execute(&format!("GRANT USAGE ON SCHEMA a TO {}", reader.name()));
        dump("all.sbk", &[]).expect(6).says("permission denied for sequence a.numbers");
        database.execute(&format!("GRANT SELECT ON a.numbers TO {}", reader.name()));
        let outcome = dump("readable.sbk", &["-n", "b"]).expect(0);
        assert!(!outcome.stderr.contains("a.numbers"), "{}", outcome.stderr);
        database.execute(&format!("DROP OWNED BY {}", reader.name()));
    }
}

#[test]
fn all_that_may_not_be_read_is_named_with_the_option_that_leaves_it_out() {
    for version in crate::support::ends() {
        let server = testkit::server(version);
        let (database, reader) = (server.database("edges_denied"), server.role("reader"));
        database.execute(&format!(
            "CREATE SCHEMA app; CREATE TABLE app.one (a int); CREATE TABLE app.two (a int); CREATE \
             SCHEMA \"It's\"; CREATE TABLE \"It's\".t (a int); \
             CREATE TABLE open (a int); CREATE TABLE secret (a int); CREATE TABLE \"Secret\" (a \
             int); GRANT SELECT ON open TO {}",
            reader.name()
        ));
        let folder = temp_dir();
        let dump = |more: &[&str]| {
            Silverback::new(["dump", "-d", &database.url_as(reader.name()), "-f"])
                .arg(folder.path().join("x.sbk"))
                .args(more)
                .run()
        };
        let outcome = dump(&[]).expect(6).says("permission denied for 4 objects");
        let items: Vec<&str> =
            outcome.stderr.lines().filter_map(|line| line.strip_prefix("  - ")).collect();
        let expect = [
            r#"schema "It's", left out by -N '"It'\''s"'"#,
            "schema app, left out by -N app",
            r#"table public."Secret", left out by -T 'public."Secret"'"#,
            "table public.secret, left out by -T public.secret",
        ];
        assert_eq!(items, expect, "{}", outcome.stderr);
        dump(&["-N", "\"It's\"", "-N", "app", "-T", "public.\"Secret\""])
            .expect(6)
            .says("permission denied for table public.secret, left out by -T public.secret");
        dump(&["-N", "\"It's\"", "-N", "app", "-T", "public.\"Secret\"", "-T", "public.secret"])
            .expect(0);
        database.execute(&format!("DROP OWNED BY {}", reader.name()));
    }
}

#[test]
fn a_view_that_refers_to_itself_is_named() {
    for version in crate::support::ends() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TABLE t (x int); INSERT INTO t VALUES (1); CREATE VIEW fine AS SELECT x FROM \
             t; \
             CREATE VIEW ring AS SELECT 1 AS x; CREATE VIEW over_ring AS SELECT x FROM ring; \
             CREATE OR REPLACE VIEW ring AS SELECT x FROM ring; \
             CREATE VIEW blind AS SELECT 1 AS x; CREATE OR REPLACE VIEW blind AS SELECT 2 AS x \
             FROM blind; \
             CREATE VIEW of_its_type AS SELECT 1 AS x; CREATE OR REPLACE VIEW of_its_type AS \
             SELECT (NULL::of_its_type).x; \
             CREATE VIEW one AS SELECT 1 AS x; CREATE VIEW other AS SELECT x FROM one; CREATE OR \
             REPLACE VIEW one AS SELECT x FROM other",
        );
        let outcome = pair.dump().run().expect(10);
        for name in ["ring", "blind", "of_its_type"] {
            assert!(
                outcome.stderr.contains(&format!("view public.{name}: it refers to itself")),
                "{version}: {}",
                outcome.stderr
            );
        }
        assert!(outcome.stderr.contains("view public.over_ring: it needs"), "{}", outcome.stderr);
        verify(&pair.file()).run().expect(0);
        pair.restore().run().expect(10);
        let views = "SELECT string_agg(viewname, ' ' ORDER BY 1) FROM (SELECT viewname FROM \
            pg_views WHERE schemaname = 'public' ORDER BY 1) v";
        assert_eq!(
            pair.copy.value(views),
            "fine one other",
            "those that refer to each other come back"
        );
    }
}

#[test]
fn tables_are_counted_in_one_way() {
    let pair = Pair::new(
        "CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE empty (x int); CREATE TABLE none (); SELECT \
         lo_from_bytea(0, 'x')",
    );
    pair.dump().run().expect(0).says("dumped 4 tables, ");
    assert!(verify(&pair.file()).run().expect(0).stdout.contains("is intact: 4 tables, "));
    let list = Silverback::new(["list"]).arg(pair.file()).run().expect(0).stdout;
    assert!(list.contains("4 tables"), "{list}");
    pair.restore().run().expect(0).says("restored 4 tables, ");
    pair.restore().args(["-c", "-T", "a"]).run().expect(0).says("restored 3 tables, ");
}

#[test]
fn a_dry_run_says_that_it_reads_no_rows() {
    let pair = Pair::new("CREATE TABLE a AS SELECT n AS x FROM generate_series(1, 1000) n");
    pair.dump().args(["-Z", "none"]).run().expect(0);
    let chunk = Archive::open_path(&pair.file()).expect("opened").index.chunks[0];
    let mut bytes = std::fs::read(pair.file()).expect("read");
    bytes[(chunk.offset + chunk.stored_bytes - 1) as usize] ^= 1;
    std::fs::write(pair.file(), bytes).expect("written");
    verify(&pair.file()).run().expect(3);
    pair.restore()
        .arg("--dry-run")
        .run()
        .expect(0)
        .says("no rows were read: silverback verify checks these");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let pair = Pair::new("SELECT 1");
    let tables: Vec<String> = (0..900)
        .map(|n| format!("CREATE TABLE table_with_quite_a_long_name_number_{n} (a int)"))
        .collect();
    pair.source.connect().execute(&tables.join(";"));
    pair.dump().run().expect(0);
    let run = |words: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_silverback"))
            .args(words)
            .arg(pair.file())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it was built");
        // More than a pipe holds is left unread.
        child.stdout.take().expect("piped").read_exact(&mut [0; 10]).expect("ten bytes");
        child.wait_with_output().expect("it ends")
    };
    for words in [&["list"][..], &["list", "--json"], &["list", "--sql"]] {
        let output = run(words);
        assert!(
            output.status.code() == Some(0) && output.stderr.is_empty(),
            "{words:?}: {output:?}"
        );
    }
    // What is damaged stays so, whoever reads of it.
    let mut bytes = std::fs::read(pair.file()).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(pair.file(), bytes).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_silverback"))
        .arg("verify")
        .arg(pair.file())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it was built");
    drop(child.stdout.take());
    assert_eq!(child.wait_with_output().expect("it ends").status.code(), Some(3));
}

#[test]
fn names_on_the_command_line_may_be_latin1() {
    let server = testkit::newest_server();
    let latin = |text: &str| {
        OsStr::from_bytes(
            &text.chars().map(|c| u8::try_from(u32::from(c)).expect("LATIN1")).collect::<Vec<_>>(),
        )
        .to_owned()
    };
    for encoding in ["LATIN1", "UTF8"] {
        let source = server.database_with(
            "edges_latin",
            &format!("ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"),
        );
        source.execute(
            "SET client_encoding = 'UTF8'; CREATE TABLE \"café\" AS SELECT 1 AS x; \
             CREATE TABLE tea (x int); CREATE SCHEMA \"thé\"; CREATE TABLE \"thé\".t (x int)",
        );
        let folder = temp_dir();
        let tables = |name: &str, option: &str, word: &str| -> Vec<String> {
            let path = folder.path().join(latin(name));
            dump(&source, &path)
                .arg(option)
                .arg(latin(word))
                .env("LC_ALL", "de_DE.ISO-8859-1")
                .run()
                .expect(0);
            Archive::open_path(&path)
                .expect("opened")
                .manifest
                .tables
                .into_iter()
                .map(|table| table.name)
                .collect()
        };
        assert_eq!(tables("é.sbk", "-t", "café"), ["café"]);
        assert_eq!(tables("b.sbk", "-T", "café"), ["tea", "t"]);
        assert_eq!(tables("c.sbk", "-n", "thé"), ["t"]);
        let copy = server.database("edges_latin_copy");
        restore(&folder.path().join(latin("é.sbk")), &copy)
            .arg("-t")
            .arg(latin("café"))
            .run()
            .expect(0);
        assert_eq!(copy.value("SELECT x FROM \"café\""), "1");
        let wrong = dump(&source, &folder.path().join("d.sbk"))
            .arg("-t")
            .arg(latin("café"))
            .env("LC_ALL", "ru_RU.KOI8-R")
            .run();
        wrong.expect(2).says("write it in UTF-8");
    }
}

#[test]
fn password_and_service_files_may_hold_any_bytes() {
    let folder = temp_dir();
    let (passwords, services) = (folder.path().join("pgpass"), folder.path().join("services"));
    std::fs::write(&passwords, b"# caf\xe9\n127.0.0.1:1:d:u:p\xe9\n").expect("written");
    std::fs::set_permissions(&passwords, std::fs::Permissions::from_mode(0o600)).expect("ours");
    std::fs::write(
        &services,
        b"# caf\xe9\n[\xe9]\nuser=\xe9\n[a]\nhost=127.0.0.1\nport=1\nuser=u\ndbname=d\n",
    )
    .expect("written");
    let run = |conninfo: &str| {
        Silverback::new(["dump", "-v", "-d", conninfo, "-f"])
            .arg(folder.path().join("x.sbk"))
            .env("PGPASSFILE", &passwords)
            .env("PGSERVICEFILE", &services)
            .run()
    };
    let used = format!("password = *** (from the password file {}", passwords.display());
    run("host=127.0.0.1 port=1 user=u dbname=d").expect(4).says(&used);
    run("service=a").expect(4).says("connect to u@127.0.0.1:1/d").says(&used);
}

#[test]
fn spaces_around_the_parameters_of_a_uri_do_not_count() {
    let database = testkit::newest_server().database("edges_uri");
    let folder = temp_dir();
    let run = |more: &str| {
        let uri = format!("{}?sslmode= disable &application_name=a{more} ", database.url());
        Silverback::new(["dump", "-d", &uri, "-f"]).arg(folder.path().join("x.sbk")).run()
    };
    run("").expect(0);
    run(" b").expect(2).says("write a space inside a URI as %20");
}

#[test]
fn a_hint_names_the_settings_that_count() {
    let server = testkit::Server::spec(testkit::newest())
        .hba("host all all 127.0.0.1/32 scram-sha-256")
        .start();
    let admin = server.connect("postgres");
    admin.execute("CREATE ROLE kong LOGIN PASSWORD 'x'");
    admin.execute("CREATE DATABASE kong OWNER kong");
    let folder = temp_dir();
    let port = server.port().to_string();
    let dump = || Silverback::new(["dump", "-w", "-f"]).arg(folder.path().join("x.sbk"));
    let outcome =
        dump().env("KONG_PG_PORT", &port).run().expect(4).says("hint: give it in KONG_PG_PASSWORD");
    assert!(!outcome.stderr.contains("PGPASSWORD,"), "{}", outcome.stderr);
    dump()
        .args(["-h", "127.0.0.1", "-p", &port, "-U", "kong"])
        .run()
        .expect(4)
        .says("or in PGPASSWORD");
    dump().env("KONG_PG_PORT", &port).env("KONG_PG_PASSWORD", "x").run().expect(0);
}

#[test]
fn rows_and_text_that_a_reader_does_not_take_are_an_error() {
    let pair =
        Pair::new("CREATE TABLE t AS SELECT n, repeat('x', 90) FROM generate_series(1, 9999) n");
    pair.dump().run().expect(0);
    for words in [&["cat", "-t", "t"][..], &["restore", "-f", "-"]] {
        let (mut reader, writer) = std::io::pipe().expect("a pipe can be made");
        let running = Silverback::new(words).arg(pair.file()).stdout(writer).spawn();
        reader.read_exact(&mut [0; 10]).expect("ten bytes");
        drop(reader);
        running.wait().expect(8).says("Broken pipe").says("hint: the program that reads");
    }
}

#[test]
fn tables_without_rows_count_as_tables() {
    let pair = Pair::new(
        "CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE b (x int); CREATE TABLE c (x int)",
    );
    pair.dump().run().expect(0);
    let run = pair.restore().args(["--log-format", "json", "-T", "c"]).run().expect(0);
    let events = |event: &str| -> Vec<serde_json::Value> {
        let lines = run.stderr.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.filter(|line: &serde_json::Value| line["event"] == event).collect()
    };
    let mut names: Vec<String> =
        events("table").iter().map(|table| table["name"].to_string()).collect();
    names.sort();
    assert_eq!(names, ["\"public.a\"", "\"public.b\""]);
    assert_eq!(events("jobs")[0]["tables"], 2);
    assert_eq!(events("summary")[0]["tables"], 2);
}
