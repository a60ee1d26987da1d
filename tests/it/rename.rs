//! Schemas that get other names on the way (`--rename-schema`): the server's own
//! `ALTER SCHEMA … RENAME` is the oracle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use testkit::{Database, KongVersion, Server, zoo};

use crate::pair::Pair;
use crate::support::{
    assert_same, assert_same_lines, assert_same_rows, dump, ends, restore, temp_dir,
};

/// Scripts of databases with one of everything, by name.
pub(crate) const SCRIPTS: &[(&str, &str)] = &[
    ("types", zoo::TYPES),
    ("routines", zoo::ROUTINES),
    ("operators", zoo::OPERATORS),
    ("search", zoo::SEARCH),
    ("cycles", zoo::CYCLES),
    ("values", zoo::VALUES),
    ("plain", zoo::PLAIN),
    ("constraints", include_str!("../../testkit/src/zoo_b/constraints.sql")),
    ("enums", include_str!("../../testkit/src/zoo_b/enums.sql")),
    ("foreign", include_str!("../../testkit/src/zoo_b/foreign.sql")),
    ("inheritance", include_str!("../../testkit/src/zoo_b/inheritance.sql")),
    ("large objects", include_str!("../../testkit/src/zoo_b/large_objects.sql")),
    ("matviews", include_str!("../../testkit/src/zoo_b/matviews.sql")),
    ("partitions", include_str!("../../testkit/src/zoo_b/partitions.sql")),
    ("policies", include_str!("../../testkit/src/zoo_b/policies.sql")),
    ("statistics", include_str!("../../testkit/src/zoo_b/statistics.sql")),
    ("typed", include_str!("../../testkit/src/zoo_b/typed.sql")),
    ("forge", include_str!("../../testkit/src/applications/forge.sql")),
    ("ledger", include_str!("../../testkit/src/applications/ledger.sql")),
    ("library", include_str!("../../testkit/src/applications/library.sql")),
];

/// What is refused of them, by script: nine objects, because their bodies or rows name a schema.
const REFUSED: &[&str] = &[
    "forge: FUNCTION public.copy_namespace_id(): its body names the schema public",
    "forge: FUNCTION public.insert_into_loose_foreign_keys_deleted_records(): its body names \
     the schema public",
    "ledger: FUNCTION api.entries(company text, since date): its body names the schema api",
    "ledger: FUNCTION base.next_number(prefix text, OUT number text, OUT made timestamp with \
     time zone): its body names the schema base",
    "ledger: PROCEDURE api.close(INOUT company text, VARIADIC months integer[]): its body \
     names the schema api",
    "library: FUNCTION search.fill(): its body names the schema public",
    "library: FUNCTION search.fill(): its body names the schema search",
    "library: FUNCTION search.plain_text(text): its body names the schema public",
    "library: the rows of languages: its column config holds names (regconfig)",
    "values: the rows of by_name: its column a holds names (regclass)",
];

/// The functions in SQL whose bodies are rewritten; the server's own renaming leaves these as they
/// are.
const REWRITTEN: &[&str] = &[
    "routines: \"New public\".to_casted(integer)",
    "types: \"New public\".takes_multi(\"New Ty pes\".\"Multi Name\",\"New public\".float_multirange)",
];

fn schemas(database: &Database<'_>) -> Vec<String> {
    database.column(
        "SELECT DISTINCT n.nspname::text FROM pg_namespace n WHERE n.nspname !~ '^pg_' \
         AND n.nspname <> 'information_schema' AND (EXISTS (SELECT FROM pg_depend d \
           WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid)) ORDER BY 1",
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("$text${text}$text$")
}

fn new_name(schema: &str) -> String {
    format!("New {schema}")
}

/// The schema without what is said of schemas themselves (that of a new `public` is its own), and
/// of settings, which the server does not rename.
fn described(database: &Database<'_>) -> String {
    let is_own = |line: &&str| {
        let line = line.trim_start();
        line.contains(" SCHEMA ")
            || line.starts_with("--")
            || line.starts_with("SET search_path TO")
            || line.is_empty()
    };
    let script = testkit::pg_dump_schema(database);
    script.lines().filter(|line| !is_own(line)).collect::<Vec<_>>().join("\n")
}

pub(crate) fn load<'s>(server: &'s Server, script: &str) -> Database<'s> {
    let (owner, reader) = (server.role("owner"), server.role("reader"));
    let source = server.database("source");
    let sql = zoo::for_version(script, server.version())
        .replace("{owner}", owner.name())
        .replace("{reader}", reader.name());
    source.execute(&sql);
    // The roles stay for as long as the database does.
    std::mem::forget((owner, reader));
    source
}

/// Asks for the renaming of some schemas in a plan; what is refused is told.
fn refused(file: &Path, copy: &Database<'_>, schemas: &[String]) -> Vec<String> {
    let planned = restore(file, copy).arg("--dry-run").args(pairs(schemas)).run();
    if planned.code == Some(0) {
        return Vec::new();
    }
    let planned = planned.expect(6).says("for sure: ");
    let told = planned.stderr.lines().find_map(|line| line.split_once("for sure: "));
    told.map_or_else(Vec::new, |(_, told)| told.split("; ").map(str::to_owned).collect())
}

fn pairs(schemas: &[String]) -> impl Iterator<Item = String> {
    schemas.iter().flat_map(|schema| {
        let pair = format!("{}={}", quoted(schema), quoted(&new_name(schema)));
        ["--rename-schema".to_owned(), pair]
    })
}

fn back(schemas: &[String]) -> impl Iterator<Item = String> {
    schemas.iter().flat_map(|schema| {
        let pair = format!("{}={}", quoted(&new_name(schema)), quoted(schema));
        ["--rename-schema".to_owned(), pair]
    })
}

/// Gives the functions of a source, whose schemas the server has renamed, the bodies that they have
/// in the copy, and names them.
fn take_bodies(source: &Database<'_>, copy: &Database<'_>) -> Vec<String> {
    let bodies = |database: &Database<'_>| {
        let sql = "SELECT p.oid::regprocedure::text, p.prosrc FROM pg_proc p JOIN pg_language l ON \
            l.oid = p.prolang WHERE l.lanname = 'sql' AND p.oid >= 16384 ORDER BY 1";
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let rows = database.rows(sql);
        rows.iter().map(|row| (text(&row[0]), text(&row[1]))).collect::<BTreeMap<_, _>>()
    };
    let before = bodies(source);
    let is_other = |(name, body): &(String, String)| before.get(name) != Some(body);
    let rewritten: Vec<_> = bodies(copy).into_iter().filter(is_other).collect();
    for (name, body) in &rewritten {
        source.execute(&format!(
            "UPDATE pg_proc SET prosrc = {} WHERE oid = {}::regprocedure",
            literal(body),
            literal(name)
        ));
    }
    rewritten.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_database_comes_back_under_other_names() {
    come_back(&SCRIPTS[..SCRIPTS.len() / 2]);
}

/// The other half, at the same time.
#[test]
fn every_other_database_comes_back_under_other_names() {
    come_back(&SCRIPTS[SCRIPTS.len() / 2..]);
}

/// Schemas whose names cannot be changed for sure keep them.
fn come_back(scripts: &[(&str, &str)]) {
    let (mut told, mut rewritten) = (BTreeSet::new(), BTreeSet::new());
    // The text is the same whatever the server; what one of a version prints, other tests restore.
    let all = std::env::var_os("SILVERBACK_TEST_EVERY").is_some();
    let versions = if all { testkit::versions() } else { vec![testkit::newest()] };
    for version in versions {
        let server = testkit::server(version);
        for (name, script) in scripts {
            let (source, copy) = (load(server, script), server.database("copy"));
            let folder = temp_dir();
            let file = folder.path().join("source.sbk");
            dump(&source, &file).run().expect(0);
            let mut schemas = schemas(&source);
            if !refused(&file, &copy, &schemas).is_empty() {
                schemas.retain(|schema| {
                    let refused = refused(&file, &copy, std::slice::from_ref(schema));
                    told.extend(refused.iter().map(|one| format!("{name}: {one}")));
                    refused.is_empty()
                });
            }
            restore(&file, &copy).arg("--check").args(pairs(&schemas)).run().expect(0);
            // Renamed back, it is what it was.
            let (other, again) = (folder.path().join("copy.sbk"), server.database("back"));
            dump(&copy, &other).run().expect(0);
            restore(&other, &again).args(back(&schemas)).run().expect(0);
            assert_same_lines(name, &described(&source), &described(&again));
            for schema in &schemas {
                source.execute(&format!(
                    "ALTER SCHEMA {} RENAME TO {}",
                    quoted(schema),
                    quoted(&new_name(schema))
                ));
            }
            let bodies = take_bodies(&source, &copy);
            rewritten.extend(bodies.iter().map(|function| format!("{name}: {function}")));
            assert_same_lines(name, &described(&source), &described(&copy));
            // Rows of hash partitions of an enum lie elsewhere: --check has compared them together.
            if !["partitions", "enums"].contains(name) {
                assert_same_rows(&source, &copy);
            }
        }
    }
    let of_these = |all: &[&str]| {
        let is_one =
            |line: &&&str| scripts.iter().any(|(name, _)| line.starts_with(&format!("{name}: ")));
        all.iter().filter(is_one).map(|&line| line.to_owned()).collect::<BTreeSet<String>>()
    };
    assert_eq!(told, of_these(REFUSED));
    assert_eq!(rewritten, of_these(REWRITTEN));
}

#[test]
fn a_kong_of_public_comes_to_a_schema_of_its_own_and_back() {
    for version in ends() {
        let server = testkit::server(version);
        let role = server.role("kong");
        let [source, there, back] =
            ["source", "there", "back"].map(|hint| server.database_of(&role, hint));
        KongVersion::new("3.9.3").load(&source);
        let folder = temp_dir();
        let (file, other) = (folder.path().join("public.sbk"), folder.path().join("kong.sbk"));
        dump(&source, &file).run().expect(0);
        restore(&file, &there).args(["--rename-schema", "public=kong_next"]).run().expect(0);
        assert_eq!(
            there
                .value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
            "0"
        );
        // Kong's role may make tables there, as its migrations do.
        there
            .connect()
            .execute("CREATE TABLE kong_next.made_later (); DROP TABLE kong_next.made_later");
        dump(&there, &other).run().expect(0);
        restore(&other, &back)
            .args(["--rename-schema", "kong_next=public", "--check"])
            .run()
            .expect(0);
        assert_same(&source, &back);
    }
}

#[test]
fn what_cannot_be_renamed_for_sure_is_named() {
    let pair = Pair::new(
        "CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY);
         CREATE FUNCTION app.count() RETURNS bigint LANGUAGE plpgsql AS \
           'BEGIN RETURN (SELECT count(*) FROM app.t); END';
         CREATE VIEW app.v AS SELECT app.id FROM app.t app;",
    );
    pair.dump().run().expect(0);
    let rename = |more: &[&str]| pair.restore().args(["--rename-schema", "app=other"]).args(more);
    for more in [&[][..], &["--dry-run"]] {
        rename(more)
            .run()
            .expect(6)
            .says("FUNCTION app.count(): its body names the schema app")
            .says("VIEW app.v: something in it is called app, as the schema is");
    }
    // Tables are chosen by the names that they have in the archive.
    pair.copy.connect().execute("CREATE SCHEMA other");
    rename(&["-t", "app.t"]).run().expect(0);
    assert_eq!(pair.copy.value("SELECT to_regclass('other.t')::text"), "other.t");
    pair.restore()
        .args(["--rename-schema", "none=other"])
        .run()
        .expect(2)
        .says("nothing in a schema none");
    pair.restore().args(["--rename-schema", "app=public=x"]).run().expect(2).says("OLD=NEW");
}

#[test]
fn it_belongs_to_what_is_gone_on_with() {
    let pair = Pair::new("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    pair.dump().run().expect(0);
    pair.restore().args(["--rename-schema", "public=there", "--ready-early"]).run().expect(0);
    assert_eq!(pair.copy.value("SELECT id FROM there.t"), "1");
    pair.restore().args(["--rename-schema", "public=there", "-c"]).run().expect(0);
    assert_eq!(pair.copy.value("SELECT id FROM there.t"), "1");
}

#[test]
fn what_is_sure_is_not_refused() {
    let pair = Pair::new(
        "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('app.low', 'high');
         CREATE TABLE app.t (id int PRIMARY KEY, mood app.mood);
         INSERT INTO app.t VALUES (1, 'app.low');
         CREATE FUNCTION app.count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM app.t';",
    );
    pair.dump().run().expect(0);
    pair.restore().args(["--rename-schema", "app=other", "--check"]).run().expect(0);
    assert_eq!(pair.copy.value("SELECT other.count()"), "1");
    assert_eq!(pair.copy.value("SELECT mood FROM other.t"), "app.low");
}

#[test]
fn rows_that_hold_names_at_any_depth_are_refused_by_name() {
    let pair = Pair::new(
        "CREATE SCHEMA app; CREATE TABLE app.t (id int);
         CREATE DOMAIN app.relation AS regclass;
         CREATE TYPE app.pair AS (id int, relations app.relation[]);
         CREATE TABLE app.domains (a app.relation); INSERT INTO app.domains VALUES ('app.t');
         CREATE TABLE app.composites (a app.pair[]);
         INSERT INTO app.composites VALUES (ARRAY[ROW(1, ARRAY['app.t'::app.relation])::app.pair]);",
    );
    pair.dump().run().expect(0);
    let rename = |more: &[&str]| pair.restore().args(["--rename-schema", "app=other"]).args(more);
    rename(&["--dry-run"])
        .run()
        .expect(6)
        .says("the rows of composites: its column a holds names (app.pair[])")
        .says("the rows of domains: its column a holds names (app.relation)");
    rename(&["--exclude-table-data", "app.*"]).run().expect(0);
    assert_eq!(pair.copy.value("SELECT count(*) FROM other.domains"), "0");
}

#[test]
fn who_might_use_public_may_use_the_schema_that_was_public() {
    for version in ends() {
        let server = testkit::server(version);
        let (owner, reader) = (server.role("owner"), server.role("reader"));
        let [source, copy] = ["source", "copy"].map(|hint| server.database_of(&owner, hint));
        let name = quoted(reader.name());
        source.connect().execute("CREATE TABLE t AS SELECT 7 AS id");
        source.execute(&format!(
            "GRANT SELECT ON t TO {name}; GRANT CREATE ON SCHEMA public TO {name}"
        ));
        let folder = temp_dir();
        let file = folder.path().join("source.sbk");
        dump(&source, &file).run().expect(0);
        restore(&file, &copy).args(["--rename-schema", "public=there"]).run().expect(0);
        assert_eq!(copy.connect_as(reader.name()).value("SELECT id FROM there.t"), "7");
        let rights = |database: &Database<'_>, schema: &str| {
            database.column(&format!(
                "SELECT coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') || ' ' || \
                 a.privilege_type FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = \
                 '{schema}' AND a.grantee <> n.nspowner ORDER BY 1"
            ))
        };
        assert_eq!(rights(&copy, "there"), rights(&source, "public"));
    }
}

#[test]
fn an_extension_that_stands_elsewhere_is_found_first() {
    let pair = Pair::new(
        "CREATE EXTENSION hstore; CREATE TABLE t (a hstore); INSERT INTO t VALUES ('a=>1')",
    );
    pair.dump().run().expect(0);
    pair.copy.execute("CREATE EXTENSION hstore");
    let rename = || pair.restore().args(["--rename-schema", "public=there"]);
    let stands = "extension hstore stands in schema public of the target, and what is restored uses \
        it in schema there";
    rename().run().expect(6).says(stands).says("ALTER EXTENSION hstore SET SCHEMA there");
    let plan = rename().arg("--dry-run").run().expect(6).stdout;
    assert!(plan.contains(stands), "{plan}");
    let owner = quoted(pair.copy.owner());
    pair.copy.execute(&format!(
        "CREATE SCHEMA there AUTHORIZATION {owner}; ALTER EXTENSION hstore SET SCHEMA there"
    ));
    rename().run().expect(0);
    assert_eq!(pair.copy.value("SELECT a OPERATOR(there.->) 'a' FROM there.t"), "1");
}
