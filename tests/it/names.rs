//! Names are names, whatever characters they have: in SQL, in output, and in an archive that
//! somebody else has written.

use testkit::{Database, quote};

use crate::pair::Pair;
use crate::support::{self, Outcome};

mod forged;

/// At most 63 bytes each. `FORGED` starts a line of its own if a name gets out as it is.
const HOSTILE: &[&str] = &[
    "we\"ird",
    "\"",
    "it's",
    " leading and trailing ",
    "new\nFORGED line",
    "return\r\nFORGED",
    "tab\tbed",
    "back\\slash",
    "\\",
    "\\.",
    "\\N",
    "ünïcödé 漢字 🦍",
    "e\u{301}",
    "\u{202e}txet",
    "\u{1b}[2J\u{1b}[H",
    "\u{7f}\u{2}",
    "select",
    "user",
    "table",
    "Mixed Case",
    "UPPER",
    "1st",
    "$1",
    "a$b$",
    "%",
    "%s%I%n",
    "100%",
    "a.b",
    "a,b",
    "a;b",
    "(a)",
    "a*?|",
    "--",
    "/* a",
    "a */",
    "x\"; DROP TABLE victim; --",
    "'; DROP TABLE victim; --",
    "$$; DROP TABLE victim; $$",
    ":name",
    "{}",
    "pg_x",
    "ctid_",
];

/// 63 bytes, the last two of them one character; and one byte more, which the server cuts before
/// the character.
const LONG: [&str; 2] = ["aééééééééééééééééééééééééééééééé", "éééééééééééééééééééééééééééééééé"];

/// Every object of one name in a schema of that name, with that name for a value, too.
fn objects(name: &str) -> String {
    let (n, text) = (quote(name), name.replace('\'', "''"));
    format!(
        "CREATE SCHEMA {n};
         CREATE SEQUENCE {n}.{seq};
         CREATE FUNCTION {n}.{n}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN RETURN NEW; \
         END $body$;
         CREATE TABLE {n}.{n} ({n} text DEFAULT '{text}', id serial, CONSTRAINT {n} CHECK ({n} <> \
         'x'));
         ALTER TABLE {n}.{n} ADD CONSTRAINT {key} UNIQUE ({n}), ADD PRIMARY KEY (id);
         CREATE INDEX {index} ON {n}.{n} (lower({n})) WHERE {n} <> '{text}?';
         CREATE TRIGGER {n} BEFORE INSERT ON {n}.{n} FOR EACH ROW EXECUTE FUNCTION \
         {n}.{n}('{text}');
         CREATE TABLE {n}.{child} ({n} text CONSTRAINT {n} REFERENCES {n}.{n} ({n}) ON DELETE \
         CASCADE, whole {n}.{n}, CONSTRAINT {own} CHECK ({n} IS NOT NULL));
         CREATE FUNCTION {n}.{two}({n} {n}.{n}, other integer DEFAULT 1) RETURNS integer LANGUAGE \
         sql SET search_path TO {n}, public AS 'SELECT 1';
         COMMENT ON COLUMN {n}.{n}.{n} IS '{text}'; COMMENT ON CONSTRAINT {n} ON {n}.{n} IS \
         '{text}'; COMMENT ON TRIGGER {n} ON {n}.{n} IS '{text}'; COMMENT ON SCHEMA {n} IS '{text}';
         INSERT INTO {n}.{n} VALUES ('{text}'), ('{text}2'), ('');
         INSERT INTO {n}.{child} VALUES ('{text}', ROW('{text}', 1)::{n}.{n});
         SELECT setval('{n_literal}.{seq_literal}', 77);",
        seq = quote(&suffixed(name, "_q")),
        key = quote(&suffixed(name, "_k")),
        index = quote(&suffixed(name, "_i")),
        child = quote(&suffixed(name, "_c")),
        own = quote(&suffixed(name, "_o")),
        two = quote(&suffixed(name, "_f")),
        n_literal = n.replace('\'', "''"),
        seq_literal = quote(&suffixed(name, "_q")).replace('\'', "''"),
    )
}

/// The name with an ending, still within 63 bytes.
fn suffixed(name: &str, ending: &str) -> String {
    let mut length = name.len().min(61);
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    format!("{}{ending}", &name[..length])
}

/// Demands lines without anything that could move the cursor or pass for a line of its own.
#[track_caller]
fn assert_plain(outcome: &Outcome) {
    for (what, text) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
        let unsafe_character = text
            .chars()
            .find(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c));
        assert_eq!(unsafe_character, None, "{what}: {text:?}");
        assert!(
            text.lines().all(|line| !line.trim_start().starts_with("FORGED")),
            "{what}: {text}"
        );
    }
}

#[test]
fn every_object_keeps_its_name() {
    for version in support::ends() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TABLE victim (a integer); INSERT INTO victim VALUES (1)",
        );
        let owner = pair.source.connect();
        owner.execute("SET client_min_messages TO error");
        for name in HOSTILE.iter().filter(|name| !name.starts_with("pg_")).chain(&LONG) {
            owner.execute(&objects(name));
        }
        assert_plain(&pair.dump().arg("-v").run().expect(0));
        assert_plain(&support::verify(&pair.file()).run().expect(0));
        pair.restore().arg("--dry-run").run().expect(0);
        assert_plain(&pair.restore().arg("-v").run().expect(0));
        pair.assert_same();
        assert_eq!(pair.copy.value("SELECT count(*) FROM victim"), "1");
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT \
            IN ('public', 'information_schema')";
        assert_eq!(pair.copy.value(schemas), (HOSTILE.len() - 1 + LONG.len()).to_string());
        let list = support::Silverback::new(["list"]).arg(pair.file()).run().expect(0);
        assert_plain(&list);
        for command in ["list", "verify"] {
            let json =
                support::Silverback::new([command, "--json"]).arg(pair.file()).run().expect(0);
            let value: serde_json::Value =
                serde_json::from_str(&json.stdout).expect("names do not break the JSON");
            assert!(
                value["tables"].as_array().is_some_and(|tables| tables.len() > HOSTILE.len()),
                "{}",
                json.stdout
            );
        }
    }
}

#[test]
fn an_error_shows_a_name_on_one_line() {
    let pair = Pair::new("");
    pair.source.execute(
        "CREATE SCHEMA \"new\nFORGED\"; CREATE \
         TABLE \"new\nFORGED\".\"\u{1b}[2J\u{202e}\" (a integer)",
    );
    for format in ["text", "json"] {
        let refused = pair.dump().args(["--log-format", format]).run().expect(6);
        assert_plain(&refused);
        assert!(refused.stderr.contains("FORGED"), "the name is shown: {}", refused.stderr);
    }
    let locked = Pair::new("CREATE TABLE \"bad\nFORGED\u{1b}[2J\" (a integer)");
    let holder = locked.source.connect();
    holder.execute("BEGIN; LOCK TABLE \"bad\nFORGED\u{1b}[2J\" IN ACCESS EXCLUSIVE MODE");
    let refused = locked.dump().args(["--lock-wait-timeout", "200"]).run().expect(9);
    assert_plain(&refused);
    assert!(refused.stderr.contains("bad"), "{}", refused.stderr);
}

#[test]
fn roles_and_databases_keep_their_names() {
    // From 19 on such a name holds no line feed.
    let server = testkit::newest_server_before(19);
    for hint in ["we\"ird 'r' \\ $1 %", "new\nFORGED \u{1b}[2J", "ünï 漢字;--", "select"] {
        let (owner, other) = (server.role(hint), server.role(hint));
        let pair = Pair::of(
            owner,
            server,
            "CREATE SCHEMA s; CREATE TABLE s.t (a integer); INSERT INTO s.t VALUES (1); CREATE \
             FUNCTION s.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        );
        let named = server.database_of(&pair.owner, hint);
        let grantee = quote(other.name());
        pair.source.connect().execute(&format!(
            "GRANT SELECT ON s.t TO {grantee} WITH GRANT OPTION; GRANT UPDATE (a) ON s.t TO \
             {grantee}; GRANT USAGE ON SCHEMA s TO {grantee};
             GRANT EXECUTE ON FUNCTION s.f() TO {grantee}; ALTER DEFAULT PRIVILEGES IN SCHEMA s \
             GRANT SELECT ON TABLES TO {grantee}"
        ));
        assert_plain(&pair.dump().arg("-v").run().expect(0));
        for copy in [&pair.copy, &named] {
            assert_plain(&support::restore(&pair.file(), copy).arg("-v").run().expect(0));
            support::assert_same(&pair.source, copy);
        }
        // A grantee that is gone is named, on one line.
        let third = server.database_of(&pair.owner, "third");
        pair.source.execute(&format!("DROP OWNED BY {grantee}"));
        drop_everywhere(&[&pair.copy, &named], &grantee);
        drop(other);
        let refused = support::restore(&pair.file(), &third).run().expect(6);
        assert_plain(&refused);
        assert!(refused.stderr.contains("-x"), "the refusal names the way out: {}", refused.stderr);
    }
}

fn drop_everywhere(databases: &[&Database<'_>], role: &str) {
    for database in databases {
        database.execute(&format!("DROP OWNED BY {role}"));
    }
}

#[test]
fn patterns_reach_names_in_quotes() {
    let tables: Vec<String> =
        HOSTILE.iter().map(|name| format!("CREATE TABLE {} (a integer)", quote(name))).collect();
    let pair = Pair::new(&tables.join(";"));
    for name in HOSTILE {
        let file = pair.path("one.sbk");
        support::dump(&pair.source, &file).arg(format!("--table={}", quote(name))).run().expect(0);
        let archive =
            silverback::archive::Archive::open_path(&file).expect("the archive can be read");
        assert_eq!(
            archive.manifest.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(),
            [*name]
        );
        std::fs::remove_file(&file).expect("the archive is there");
    }
}
