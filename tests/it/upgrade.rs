//! The commands of docs/kong-upgrade.md, one after the other, against a Kong that is upgraded and
//! brought back.

use std::collections::BTreeMap;
use std::path::Path;

use testkit::{Database, KongVersion, database_digest, pg_dump_schema};

use crate::support::{Silverback, assert_same_lines, is_marked, temp_dir, wait_for};

const PAGE: &str = include_str!("../../docs/kong-upgrade.md");

/// The lines of the page's code.
fn commands() -> Vec<&'static str> {
    let mut is_code = false;
    let lines = PAGE.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        is_code && !is_fence
    });
    lines.collect()
}

/// The rows of every live table but those of `locks`: the lock that the dump held is among them, and ends by
/// itself.
fn rows(database: &Database<'_>) -> BTreeMap<String, (u64, String)> {
    let mut rows = database_digest(database);
    rows.retain(|table, _| table.starts_with("public.") && table != "public.locks");
    rows
}

/// What the older version has made goes, as far as it is live.
const UPGRADED: &str = "DO $$ DECLARE t regclass; f regprocedure; BEGIN FOR t IN SELECT oid FROM \
    pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP EXECUTE 'DROP \
    TABLE ' || t || ' CASCADE'; END LOOP; FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = \
    'public'::regnamespace LOOP EXECUTE 'DROP FUNCTION ' || f; END LOOP; END $$";

/// A run that is connected as Kong is.
fn silverback(words: &[&str], database: &Database<'_>, folder: &Path) -> Silverback {
    let words = words.iter().map(|word| {
        if word.contains(".sbk") {
            folder.join(word).to_string_lossy().into_owned()
        } else {
            (*word).to_owned()
        }
    });
    Silverback::new(words)
        .env("KONG_PG_HOST", "127.0.0.1")
        .env("KONG_PG_PORT", database.server().port().to_string())
        .env("KONG_PG_USER", database.owner())
        .env("KONG_PG_DATABASE", database.name())
}

#[test]
fn every_command_of_the_page_does_what_it_says() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let database = server.database_of(&role, "kong");
    KongVersion::new("3.4.2").load(&database);
    database.connect().execute(
        "INSERT INTO consumers (id, username) \
         SELECT md5(i::text)::uuid, 'c' || i FROM generate_series(1, 1000) i",
    );
    let before = (rows(&database), pg_dump_schema(&database));
    let folder = temp_dir();
    let run = |words: &[&str]| silverback(words, &database, folder.path());
    let (mut seen, mut upgraded) = (Vec::new(), BTreeMap::new());
    for command in commands() {
        let words: Vec<&str> = command.split_whitespace().collect();
        match &words[..] {
            ["kong", "migrations", "up"] => {}
            ["kong", "migrations", "finish"] => {
                database.connect().execute(UPGRADED);
                KongVersion::new("3.9.3").load(&database);
                upgraded = rows(&database);
            }
            ["silverback", words @ ..] => {
                if words == ["restore", "--status"] {
                    let mut killed =
                        run(&["restore", "-c", "--if-exists", "kong-before.sbk"]).spawn();
                    wait_for("the restore to begin", || {
                        killed.is_done() || is_marked(database.admin())
                    });
                    killed.signal("KILL");
                    killed.wait();
                    // What was killed after its end has left nothing.
                    let left = run(words).run();
                    assert!(matches!(left.code, Some(0 | 7)), "{}", left.stderr);
                } else if words.contains(&"--resume") {
                    let done = run(words).run();
                    assert!(matches!(done.code, Some(0 | 6)), "{}", done.stderr);
                } else if words == ["swap", "--status"] {
                    run(words).run().expect(10);
                } else {
                    run(words).run().expect(0);
                }
                match words {
                    ["restore", "-c", "--if-exists", "kong-before.sbk"] | ["swap"] => {
                        assert_eq!(rows(&database), before.0, "{words:?}");
                    }
                    ["restore", "--stage", ..] => assert_eq!(rows(&database), before.0),
                    ["swap", "--dry-run" | "--back" | "--drop-old", ..] => {
                        assert_eq!(rows(&database), upgraded, "{words:?}");
                    }
                    _ => {}
                }
            }
            _ => panic!("{command} is of a kind that is not tried"),
        }
        seen.push(words[0]);
    }
    assert_eq!(seen.iter().filter(|word| **word == "silverback").count(), 16);
    assert_eq!(rows(&database), before.0);
    assert_same_lines("pg_dump -s", &before.1, &pg_dump_schema(&database));
}
