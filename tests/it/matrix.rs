//! Every version into every other: a database with one of everything is dumped, restored into
//! another version, and brought back from there. What differs then was lost on the way, and must
//! have been named.
//!
//! `SILVERBACK_MATRIX=FILE`, which `scripts/matrix` sets, takes all pairs of 12 to 19 and writes
//! the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use silverback::archive::Archive;
use silverback::archive::manifest::{Object, ObjectKind};
use testkit::{Database, Server, zoo};

use crate::support::{self, Outcome, Silverback};

/// The oldest server that is read; not among those that every test runs on.
const OLDEST: u32 = 12;

/// The roles that the databases speak of, on every server the same.
const ROLES: [(&str, &str); 2] = [("{owner}", "zoo_owner"), ("{reader}", "zoo_reader")];

/// What one database holds; event triggers last, for one of them refuses.
const SCRIPTS: [&str; 19] = [
    zoo::TYPES,
    zoo::ROUTINES,
    zoo::OPERATORS,
    zoo::SEARCH,
    zoo::CYCLES,
    zoo::VALUES,
    include_str!("../../testkit/src/zoo_b/constraints.sql"),
    include_str!("../../testkit/src/zoo_b/enums.sql"),
    include_str!("../../testkit/src/zoo_b/extension_needs.sql"),
    include_str!("../../testkit/src/zoo_b/foreign.sql"),
    include_str!("../../testkit/src/zoo_b/inheritance.sql"),
    include_str!("../../testkit/src/zoo_b/large_objects.sql"),
    include_str!("../../testkit/src/zoo_b/matviews.sql"),
    include_str!("../../testkit/src/zoo_b/partitions.sql"),
    include_str!("../../testkit/src/zoo_b/policies.sql"),
    include_str!("../../testkit/src/zoo_b/replication.sql"),
    include_str!("../../testkit/src/zoo_b/statistics.sql"),
    include_str!("../../testkit/src/zoo_b/typed.sql"),
    include_str!("../../testkit/src/zoo_b/event_triggers.sql"),
];

/// A server with the roles.
fn server(version: u32) -> &'static Server {
    let server = testkit::server(version);
    for (_, role) in ROLES {
        let sql = format!(
            "DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        );
        server.connect("postgres").execute(&sql);
    }
    server
}

/// What is in the families and classes of operators.
fn members(database: &Database<'_>) -> Vec<String> {
    let client = database.connect();
    client.execute("SET search_path TO ''");
    client.column(MEMBERS)
}

/// A database with one of everything, dumped.
struct Source {
    file: PathBuf,
    members: Vec<String>,
}

/// Makes it.
fn source(version: u32, dir: &Path) -> Source {
    let database = server(version).database("zoo");
    for script in SCRIPTS {
        let sql = zoo::for_version(script, version);
        database.execute(&ROLES.iter().fold(sql, |sql, (word, role)| sql.replace(word, role)));
    }
    let file = dir.join(format!("{version}.sbk"));
    support::dump(&database, &file).run().expect(0);
    Source { file, members: members(&database) }
}

/// Restores as far as it goes, and tells what was not.
fn restore(file: &Path, into: &Database<'_>) -> Vec<String> {
    let told: Outcome =
        Silverback::new(["restore", "--keep-going", "-d", &into.url()]).arg(file).run();
    assert!(matches!(told.code, Some(0 | 7 | 10)), "{told:?}");
    let wanted = |line: &&str| line.contains("skipped: ") || line.starts_with("  ");
    let lines: Vec<String> =
        told.stderr.lines().filter(wanted).map(|line| line.trim().to_owned()).collect();
    assert_eq!(lines.is_empty(), told.code == Some(0), "{told:?}");
    lines
}

/// Dumps a copy, also one that misses something and is marked for it.
fn dump_as_it_is(copy: &Database<'_>, file: &Path) {
    let told = support::dump(copy, file).arg("--allow-incomplete").run();
    assert!(matches!(told.code, Some(0 | 10)), "{told:?}");
}

/// From this version on a NOT NULL has a name, and a child's own is told from one that it
/// inherited.
const NOT_NULL_IS_A_CONSTRAINT: u32 = 18;

/// A statement as a server would understand it to which NOT NULL is no constraint.
fn without_names(statement: &str) -> String {
    let named = regex::Regex::new(r#"CONSTRAINT (?:"[^"]+"|\w+) NOT NULL"#).expect("it is one");
    let own = regex::Regex::new(r"(?m)^ +NOT NULL \w+,?\n").expect("it is one");
    let less = own.replace_all(&named.replace_all(statement, "NOT NULL"), "").into_owned();
    less.replace("(\n    \n)", "(\n)")
}

/// What makes an object, and what is said of it. What an operator class and a family hold is told
/// by [`MEMBERS`] instead: from 14 on the server counts the optional functions of a class as its
/// family's.
fn facts(object: &Object, named_nulls: bool) -> String {
    let has_members = matches!(object.kind, ObjectKind::OperatorClass | ObjectKind::OperatorFamily);
    let acl = object.acl.as_ref().map(|acl| (&acl.on, acl.items.iter().collect::<BTreeSet<_>>()));
    let comments: Vec<_> =
        object.comments.iter().map(|comment| (&comment.on, &comment.text)).collect();
    let said =
        |statement: &String| if named_nulls { statement.clone() } else { without_names(statement) };
    let statements: Vec<String> =
        object.statements.iter().filter(|_| !has_members).map(said).collect();
    format!("{statements:?} {:?} {acl:?} {comments:?} {:?}", object.owner, object.tablespace)
}

/// The classes of operators, and the members of families.
const MEMBERS: &str = "
    SELECT format('%s.%s of %s.%s for %s using %s, keeps %s, default %s', \
    c.opcnamespace::regnamespace, c.opcname, f.opfnamespace::regnamespace, f.opfname,
                  c.opcintype::regtype, amname, c.opckeytype::regtype, c.opcdefault)
      FROM pg_opclass c JOIN pg_opfamily f ON f.oid = c.opcfamily JOIN pg_am a ON a.oid = \
      c.opcmethod WHERE c.oid >= 16384
    UNION ALL
    SELECT format('%s.%s using %s: operator %s (%s, %s) %s %s %s', f.opfnamespace::regnamespace, \
    f.opfname, amname, amopstrategy, amoplefttype::regtype,
                  amoprighttype::regtype, amopopr::regoperator, amoppurpose, (SELECT s.opfname \
                  FROM pg_opfamily s WHERE s.oid = amopsortfamily))
      FROM pg_amop o JOIN pg_opfamily f ON f.oid = amopfamily JOIN pg_am a ON a.oid = amopmethod \
      WHERE o.oid >= 16384
    UNION ALL
    SELECT format('%s.%s using %s: function %s (%s, %s) %s', f.opfnamespace::regnamespace, \
    f.opfname, amname, amprocnum, amproclefttype::regtype,
                  amprocrighttype::regtype, amproc::regprocedure)
      FROM pg_amproc p JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am a ON a.oid = \
      opfmethod WHERE p.oid >= 16384
     ORDER BY 1";

type Facts = BTreeMap<(ObjectKind, String, String, String), String>;

fn objects(path: &Path, named_nulls: bool) -> Facts {
    let objects = Archive::open_path(path).expect("the archive can be read").manifest.objects;
    let name = |object: &Object| {
        let schema = object.schema.clone().unwrap_or_default();
        (object.kind, schema, object.name.clone(), object.identity.clone())
    };
    objects
        .iter()
        .filter(|object| object.kind != ObjectKind::Database)
        .map(|object| (name(object), facts(object, named_nulls)))
        .collect()
}

/// Carries there and back, and demands that each difference was named. Returns what was told of the
/// way there.
fn cell(source: &Source, from: u32, to: u32, dir: &Path) -> Vec<String> {
    let (archive, copy) = (source.file.as_path(), server(to).database("zoo"));
    let told = restore(archive, &copy);
    let mut last = dir.join(format!("{from}-{to}.sbk"));
    dump_as_it_is(&copy, &last);
    let mut named = told.clone();
    let again = if from == to {
        copy
    } else {
        let again = server(from).database("zoo");
        named.extend(restore(&last, &again));
        last = dir.join(format!("{from}-{to}-{from}.sbk"));
        dump_as_it_is(&again, &last);
        again
    };
    assert_eq!(source.members, members(&again), "{from} to {to}: operators' families and classes");
    let named_nulls = from < NOT_NULL_IS_A_CONSTRAINT || to >= NOT_NULL_IS_A_CONSTRAINT;
    let (before, after) = (objects(archive, named_nulls), objects(&last, named_nulls));
    // A view that needs itself in a circle is made empty first, and gets its rule later.
    let words = |identity: &str| {
        [identity.to_owned(), identity.replacen("VIEW ", "RULE \"_RETURN\" ON ", 1)]
    };
    let is_named = |identity: &str| {
        words(identity).iter().any(|words| named.iter().any(|line| line.contains(words)))
    };
    let silent: Vec<_> = (before.iter())
        .filter(|(name, facts)| after.get(*name) != Some(*facts) && !is_named(&name.3))
        .map(|(name, facts)| format!("{name:?}\n  {facts}\n  {:?}", after.get(name)))
        .collect();
    assert!(
        silent.is_empty(),
        "{from} to {to}: lost in silence:\n{}\nnamed:\n{}",
        silent.join("\n"),
        named.join("\n")
    );
    let more: Vec<_> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    assert!(more.is_empty(), "{from} to {to}: more than there was: {more:?}");
    let (rows, found) = (contents(archive), contents(&last));
    for (table, total) in &rows {
        assert!(
            is_same(total, found.get(table)) || is_named(table),
            "{from} to {to}: rows of {table}: {total:?}, {:?}",
            found.get(table)
        );
    }
    told
}

/// What the archive holds of a table.
#[derive(Debug, Default, PartialEq)]
struct Held {
    rows: u64,
    digest: u128,
    columns: Vec<String>,
}

/// Every table's rows; those of partitions that are loaded through their root together, for another
/// database spreads them in another way.
fn contents(path: &Path) -> BTreeMap<String, Held> {
    let archive = Archive::open_path(path).expect("the archive can be read");
    let mut contents: BTreeMap<String, Held> = BTreeMap::new();
    for (table, totals) in archive.manifest.tables.iter().zip(&archive.index.tables) {
        let (schema, name) = table
            .root
            .as_ref()
            .map_or((&table.schema, &table.name), |root| (&root.schema, &root.name));
        let held = contents.entry(format!("{schema}.{name}")).or_default();
        held.rows += totals.rows;
        // Of such partitions only the number: each may have its columns in an order of its own.
        if table.root.is_none() {
            held.digest = totals.digest.0;
        }
        held.columns = table.columns.iter().map(|column| column.name.clone()).collect();
    }
    contents
}

/// Whether the rows are the same. A digest depends on the columns' order, and a child that had
/// columns before its parent got them has them in another one afterwards, as with `pg_dump`;
/// `zoo_b` compares the rows of those by a hash that the server computes.
fn is_same(before: &Held, after: Option<&Held>) -> bool {
    after.is_some_and(|after| {
        before.rows == after.rows
            && (before.digest == after.digest || before.columns != after.columns)
    })
}

/// Same version, neighbours both ways, and the oldest with the newest both ways.
fn pairs(versions: &[u32]) -> BTreeSet<(u32, u32)> {
    let same = versions.iter().map(|&version| (version, version));
    let neighbours = versions.windows(2).flat_map(|pair| [(pair[0], pair[1]), (pair[1], pair[0])]);
    let ends =
        [(versions[0], versions[versions.len() - 1]), (versions[versions.len() - 1], versions[0])];
    same.chain(neighbours).chain(ends).collect()
}

#[test]
fn every_version_goes_into_its_neighbours_and_the_oldest_into_the_newest() {
    let mut versions = testkit::versions();
    if std::env::var_os("SILVERBACK_TEST_PG").is_none() && !versions.contains(&OLDEST) {
        versions.insert(0, OLDEST);
    }
    let table = std::env::var_os("SILVERBACK_MATRIX");
    let pairs = if table.is_some() {
        versions.iter().flat_map(|&from| versions.iter().map(move |&to| (from, to))).collect()
    } else {
        pairs(&versions)
    };
    let folder = support::temp_dir();
    let mut cells = BTreeMap::new();
    for &from in &versions {
        let source = source(from, folder.path());
        for &(from, to) in pairs.iter().filter(|(source, _)| *source == from) {
            let told = cell(&source, from, to, folder.path());
            assert!(
                to < from || told.is_empty(),
                "{from} to {to}: a newer server takes all: {told:#?}"
            );
            cells.insert((from, to), told);
        }
    }
    if let Some(file) = table {
        std::fs::write(&file, page(&versions, &cells)).expect("the page can be written");
    }
}

/// The page for people.
fn page(versions: &[u32], cells: &BTreeMap<(u32, u32), Vec<String>>) -> String {
    let mut page = "# Any version into any other\n\n\
        A database with one of every kind of object, dumped from the version of the row, restored \
        into that of the column, brought back and\n\
        compared: **=** is equal; a number counts what the older server does not know and what was \
        named for it (exit code 10, or 7 with\n\
        `--keep-going`). Nothing was lost in silence. `scripts/matrix` writes this page; \
        `scripts/test` holds same versions, neighbours, and the\n\
        oldest with the newest.\n\n\
        Before 18 a NOT NULL is no constraint: that it has a name, and that a child has one of its \
        own beside its parent's, is not told from what an\n\
        older server makes of it, and comes back as 18 names it by itself.\n\n| from \\ into |"
        .to_owned();
    let row = |cells: Vec<String>| cells.join(" | ") + " |\n";
    page += " ";
    page += &row(versions.iter().map(u32::to_string).collect());
    page += "|---|";
    page += &"---|".repeat(versions.len());
    page += "\n";
    for from in versions {
        let cell = |to: &u32| match cells[&(*from, *to)].len() {
            0 => "=".to_owned(),
            count => count.to_string(),
        };
        let _ = write!(page, "| **{from}** | ");
        page += &row(versions.iter().map(cell).collect());
    }
    let folder = regex::Regex::new(r"/\S+/lib/(?:postgresql/)?").expect("it is one");
    let newest = versions[versions.len() - 1];
    for to in versions.iter().rev().filter(|to| **to != newest) {
        let _ = write!(page, "\n## From {newest} into {to}\n\n");
        for line in &cells[&(newest, *to)] {
            let line = line
                .trim_start_matches("- ")
                .trim_start_matches("warning: ")
                .trim_start_matches("skipped: ");
            let _ =
                writeln!(page, "- {}", folder.replace_all(line, "$$libdir/").replace('|', "\\|"));
        }
    }
    page
}
