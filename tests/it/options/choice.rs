//! What is chosen: the same as `pg_dump` and `pg_restore` choose by the same words.

use std::collections::BTreeSet;
use std::process::Command;

use crate::pair::Pair;
use crate::support::{self, Silverback};

pub(super) const FAMILY: &str = "
    CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c; CREATE SCHEMA \"Odd.Name\";
    CREATE EXTENSION sbk_settings SCHEMA c;
    CREATE FUNCTION a.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE FUNCTION a.twice(integer, text) RETURNS text LANGUAGE sql AS 'SELECT $2 || $2';
    CREATE PROCEDURE b.work(character varying) LANGUAGE sql AS 'SELECT 1';
    CREATE TABLE a.top (id integer, at date) PARTITION BY RANGE (at);
    CREATE TABLE b.old PARTITION OF a.top FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') \
    PARTITION BY LIST (id);
    CREATE TABLE b.older PARTITION OF b.old DEFAULT;
    CREATE TABLE a.rest PARTITION OF a.top DEFAULT;
    CREATE TABLE a.base (id integer);
    CREATE TABLE b.heir (more text) INHERITS (a.base);
    CREATE TABLE a.heirs_heir () INHERITS (b.heir);
    CREATE TABLE a.of_rows (one a.base);
    CREATE TABLE a.things (id serial PRIMARY KEY, name text);
    CREATE INDEX things_name ON a.things (name); CREATE INDEX base_id ON a.base (id);
    CREATE TRIGGER touched BEFORE UPDATE ON a.things FOR EACH ROW EXECUTE FUNCTION a.touch();
    CREATE TRIGGER touched BEFORE UPDATE ON a.base FOR EACH ROW EXECUTE FUNCTION a.touch();
    CREATE TABLE b.parts (thing integer REFERENCES a.things, no integer GENERATED ALWAYS AS IDENTITY);
    CREATE UNLOGGED TABLE a.fleeting (id integer);
    CREATE TABLE \"Odd.Name\".\"a \"\"b\"\"\nc\" (id integer);
    CREATE VIEW a.seen AS SELECT id FROM a.things;
    CREATE MATERIALIZED VIEW b.summed AS SELECT count(*) FROM a.things;
    ALTER TABLE a.things ENABLE ROW LEVEL SECURITY;
    CREATE POLICY all_of_them ON a.things USING (true);
    CREATE PUBLICATION told FOR TABLE a.base;
    INSERT INTO a.top VALUES (1, '2020-02-02'), (2, '2022-02-02'); INSERT INTO a.things (name) VALUES ('x');
    INSERT INTO a.base VALUES (1); INSERT INTO b.heir VALUES (2, 'y'); INSERT INTO a.heirs_heir VALUES (3);
    INSERT INTO a.fleeting VALUES (1); INSERT INTO b.parts VALUES (1);
    SELECT lo_create(4711)";

/// Kinds that `pg_restore -l` has and an archive has as a part of something else, and large objects,
/// which it has in groups.
const NO_ENTRIES: &[&str] = &[
    "ENCODING",
    "STDSTRINGS",
    "SEARCHPATH",
    "DATABASE",
    "COMMENT",
    "ACL",
    "BLOB",
    "BLOBS",
    "LARGE",
    "DEFAULT",
];

/// A list's entries, without their numbers.
pub(super) fn entries(list: &str) -> BTreeSet<String> {
    let entry = |line: &str| {
        let (_, words) = line.split_once("; ").filter(|_| !line.starts_with(';'))?;
        let mut words = words;
        // Of pg_restore's, the catalog and the row.
        while let Some((first, rest)) = words.split_once(' ')
            && first.bytes().all(|byte| byte.is_ascii_digit())
        {
            words = rest;
        }
        let kind = words.split(' ').next().unwrap_or_default();
        // A line break in a name is a space there.
        let words = words.replace("\\n", " ").replace("(IN ", "(");
        // Whose it is tells nothing here.
        let (named, _) = words.rsplit_once(' ').unwrap_or((&words, ""));
        let is_other = NO_ENTRIES.contains(&kind)
            || named.starts_with("PUBLICATION TABLE")
            || named == "SCHEMA - public";
        (!is_other).then(|| named.to_owned())
    };
    list.lines().filter_map(entry).collect()
}

pub(super) fn tool(name: &str, words: &[&str]) -> String {
    let output = Command::new(testkit::client_tool(name)).args(words).output().expect("it runs");
    assert!(
        output.status.success(),
        "{name} {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What `pg_dump` dumps by these words.
pub(super) fn theirs(pair: &Pair, words: &[&str]) -> BTreeSet<String> {
    let file = pair.path("theirs.dump").display().to_string();
    let url = pair.source.url_as("postgres");
    tool("pg_dump", &[&["-Fc", "-d", &url, "-f", &file][..], words].concat());
    entries(&tool("pg_restore", &["-l", &file]))
}

pub(super) fn list(pair: &Pair, words: &[&str]) -> String {
    let file = pair.file();
    Silverback::new(["restore", "-l"]).arg(&file).args(words).run().expect(0).stdout
}

/// As a superuser, who may make extensions and read all.
pub(super) fn dump(pair: &Pair) -> Silverback {
    Silverback::new(["dump", "-d", &pair.source.url_as("postgres"), "-f"]).arg(pair.file())
}

fn ours(pair: &Pair, words: &[&str]) -> BTreeSet<String> {
    let _ = std::fs::remove_file(pair.file());
    let outcome = dump(pair).args(words).run();
    assert!(matches!(outcome.code, Some(0 | 10)), "{words:?}: {}", outcome.stderr);
    entries(&list(pair, &[]))
}

/// What needs a parent that is not chosen, which `pg_dump` expects in the target.
const HEIRS: &[&str] = &["TABLE a heirs_heir", "TABLE DATA a heirs_heir"];

/// What comes along with what is chosen, where `pg_dump` leaves it to whoever restores.
const ALONG: &[&str] = &["TYPE", "FUNCTION", "PROCEDURE", "EXTENSION", "SCHEMA", "SEQUENCE"];

fn compare(pair: &Pair, words: &[&str]) {
    let (ours, theirs) = (ours(pair, words), theirs(pair, words));
    let of = |kinds: &[&str], entry: &str| {
        kinds.iter().any(|kind| entry.split(' ').next() == Some(kind))
    };
    // Rows alone fill materialized views, too.
    let is_filled =
        |entry: &str| words.contains(&"--no-schema") && entry.starts_with("MATERIALIZED VIEW DATA");
    let more: Vec<_> =
        ours.difference(&theirs).filter(|entry| !of(ALONG, entry) && !is_filled(entry)).collect();
    // A foreign key to what is not chosen is named instead, and so are views, partitions and heirs.
    let less: Vec<_> = theirs
        .difference(&ours)
        .filter(|entry| {
            !of(&["FK", "VIEW", "MATERIALIZED"], entry)
                && !entry.starts_with("TABLE ATTACH")
                && !HEIRS.contains(&entry.as_str())
        })
        .collect();
    assert!(more.is_empty() && less.is_empty(), "{words:?}\nmore: {more:#?}\nless: {less:#?}");
}

#[test]
fn a_dump_chooses_as_pg_dump_does() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), "SELECT 1");
        pair.source.execute(FAMILY);
        let filter = pair.path("filter");
        let text = "# chosen\ninclude table \"Odd.Name\".\"a \"\"b\"\"\nc\"\n\
            include table_and_children a . top # and its partitions\nexclude table b.older\n\
            exclude table_data a.rest\n";
        std::fs::write(&filter, text).expect("the folder is ours");
        let filter = filter.display().to_string();
        let other = pair.path("other");
        std::fs::write(
            &other,
            "exclude schema b\nexclude table a.fleeting\nexclude table_data_and_children a.base\n",
        )
        .expect("the folder is ours");
        let other = other.display().to_string();
        let sections = ["pre-data", "data", "post-data"].map(|name| format!("--section={name}"));
        let all: &[&[&str]] = &[
            &[],
            &["--table-and-children", "a.top"],
            &["--table-and-children", "b.old", "-t", "a.base"],
            &["--table-and-children", "a.base"],
            &["--exclude-table-and-children", "a.top"],
            &["--exclude-table-and-children", "b.heir", "-n", "a", "-n", "b"],
            &["--exclude-table-data-and-children", "a.base"],
            &["--exclude-table-data-and-children", "a.top"],
            &["--exclude-table-data", "b.summed", "--exclude-table-data", "a.things_id_seq"],
            &["-e", "sbk*"],
            &["-e", "sbk*", "-n", "a"],
            &["-e", "sbk*", "-n", "c"],
            &["-e", "sbk*", "-t", "a.base", "-N", "c"],
            &["--exclude-extension", "sbk*"],
            &["--exclude-extension", "sbk*", "-n", "c"],
            &["-n", "a"],
            &["-n", "c"],
            &["-N", "c"],
            &["-t", "c.z_kinds"],
            &["-t", "c.*seq", "-t", "a.base"],
            &["-T", "c.z_kinds"],
            &["--filter", &filter],
            &["--filter", &other],
            &[&sections[0]],
            &[&sections[1]],
            &[&sections[2]],
            &[&sections[1], &sections[2]],
            &["--no-policies"],
            &["--no-data"],
            &["--no-schema"],
            &["--no-unlogged-table-data"],
        ];
        for words in all {
            compare(&pair, words);
        }
    }
}

#[test]
fn large_objects_are_chosen_as_pg_dump_does() {
    let pair = Pair::new("CREATE TABLE t (); SELECT lo_create(4711)");
    for (words, expect) in [
        (&[][..], true),
        (&["-B"], false),
        (&["-b", "-B"], true),
        (&["-t", "t"], false),
        (&["-t", "t", "-b"], true),
        (&["-n", "public"], false),
        (&["-n", "public", "-b"], true),
        (&["-s"], false),
        (&["-s", "-b"], false),
        (&["-a"], true),
        (&["-a", "-B"], false),
    ] {
        let file = pair.path("theirs.dump").display().to_string();
        let url = pair.source.url();
        tool("pg_dump", &[&["-Fc", "-d", &url, "-f", &file][..], words].concat());
        let theirs = tool("pg_restore", &["-l", &file]).contains("BLOB");
        let _ = std::fs::remove_file(pair.file());
        pair.dump().args(words).run().expect(0);
        let ours = list(&pair, &[]).contains("LARGE OBJECT");
        assert_eq!((ours, theirs), (expect, expect), "{words:?}");
    }
}

#[test]
fn the_sections_of_three_dumps_make_the_whole() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), super::SHOP);
        for section in ["pre-data", "data", "post-data"] {
            let file = pair.path(&format!("{section}.sbk"));
            support::dump(&pair.source, &file).args(["--section", section]).run().expect(0);
            support::restore(&file, &pair.copy).run().expect(0);
        }
        support::assert_same(&pair.source, &pair.copy);
        let file = pair.path("both.sbk");
        support::dump(&pair.source, &file)
            .args(["--section=data", "--section=post-data"])
            .run()
            .expect(0);
        let third = pair.copy.server().database_of(&pair.owner, "third");
        let pre_data = pair.path("pre-data.sbk");
        support::restore(&pre_data, &third).run().expect(0);
        support::restore(&file, &third).run().expect(0);
        support::assert_same(&pair.source, &third);
    }
}

#[test]
fn a_filter_file_is_refused_by_its_line() {
    let pair = Pair::new("CREATE TABLE t ()");
    let filter = pair.path("filter");
    for (text, says) in [
        ("include table t\n\ninclude tables t\n", "filter, line 3: there is no object type tables"),
        ("include table \"t\n\n", "filter, line 1: a double quote is not closed"),
        (
            "\ninclude foreign_data x",
            "filter, line 2: read include foreign_data: the rows of foreign",
        ),
        (
            "include index x",
            "filter, line 1: read include index: include index is nothing that a dump",
        ),
        ("include table a.b.c.d", "three parts"),
    ] {
        std::fs::write(&filter, text).expect("the folder is ours");
        let dump =
            Silverback::new(["dump", "-d", &pair.source.url(), "-f"]).arg(pair.path("no.sbk"));
        dump.arg("--filter").arg(&filter).run().expect(2).says(says);
    }
    let dump = Silverback::new(["dump", "-d", &pair.source.url(), "-f"]).arg(pair.path("no.sbk"));
    dump.arg("--filter").arg(pair.path("none")).run().expect(8).says("No such file");
    let dump = |text: &str| {
        std::fs::write(&filter, text).expect("the folder is ours");
        Silverback::new(["dump", "-d", &pair.source.url(), "--filter"])
            .arg(&filter)
            .args(["-f", "-"])
            .run()
    };
    dump("include schema public\ninclude table none\n").expect(6).says("none (").says("line 2)");
    dump("exclude table none\n").expect(0).says("line 1: none matches no table");
    std::fs::write(&filter, "include table t\n").expect("the folder is ours");
    let from = std::fs::File::open(&filter);
    pair.dump().args(["--filter", "-"]).stdin(from.expect("it is there")).run().expect(0);
    assert_eq!(entries(&list(&pair, &[])).len(), 2);
}
