//! What is chosen: the same as `pg_dump` and `pg_restore` choose by the same words.

use std::collections::BTreeSet;
use std::process::Command;

use crate::pair::Pair;
use crate::support::{self, Silverback};

const FAMILY: &str = "
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
fn entries(list: &str) -> BTreeSet<String> {
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
fn theirs(pair: &Pair, words: &[&str]) -> BTreeSet<String> {
    let file = pair.path("theirs.dump").display().to_string();
    let url = pair.source.url_as("postgres");
    tool("pg_dump", &[&["-Fc", "-d", &url, "-f", &file][..], words].concat());
    entries(&tool("pg_restore", &["-l", &file]))
}

fn list(pair: &Pair, words: &[&str]) -> String {
    let file = pair.file();
    Silverback::new(["restore", "-l"]).arg(&file).args(words).run().expect(0).stdout
}

/// As a superuser, who may make extensions and read all.
fn dump(pair: &Pair) -> Silverback {
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
    std::fs::write(&filter, "include table t\n").expect("the folder is ours");
    let from = std::fs::File::open(&filter);
    pair.dump().args(["--filter", "-"]).stdin(from.expect("it is there")).run().expect(0);
    assert_eq!(entries(&list(&pair, &[])).len(), 2);
}

#[test]
fn single_objects_come_into_what_stands() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), "SELECT 1");
        pair.source.execute(FAMILY);
        pair.copy.execute(FAMILY);
        dump(&pair).run().expect(0);
        let theirs = pair.path("theirs.dump").display().to_string();
        tool("pg_dump", &["-Fc", "-d", &pair.source.url_as("postgres"), "-f", &theirs]);
        let as_superuser = pair.copy.url_as("postgres");
        let restore = |words: &[&str]| {
            Silverback::new(["restore", "-d", &as_superuser]).arg(pair.file()).args(words)
        };
        let check = |words: &[&str], drop: &str| {
            let before = testkit::pg_dump_schema(&pair.copy);
            restore(words).run().expect(6).says("exists already");
            pair.copy.execute(drop);
            assert_ne!(testkit::pg_dump_schema(&pair.copy), before);
            restore(words).run().expect(0);
            assert_eq!(testkit::pg_dump_schema(&pair.copy), before, "{words:?}");
            restore(&[words, &["-c"]].concat()).run().expect(0);
            assert_eq!(testkit::pg_dump_schema(&pair.copy), before, "{words:?} -c");
        };
        check(&["-I", "things_name"], "DROP INDEX a.things_name");
        check(&["-I", "things_name", "-I", "base_id"], "DROP INDEX a.things_name, a.base_id");
        check(&["-P", "twice(integer,text)"], "DROP FUNCTION a.twice");
        check(&["-P", "b.work(character varying)"], "DROP PROCEDURE b.work");
        check(&["--trigger", "a.things touched"], "DROP TRIGGER touched ON a.things");
        check(
            &["--trigger", "touched", "-n", "a"],
            "DROP TRIGGER touched ON a.things; DROP TRIGGER touched ON a.base",
        );
        restore(&["-I", "none"]).run().expect(6).says("none (-I)");
        restore(&["-P", "twice"]).run().expect(2).says("brackets");
        // As pg_restore lists them. It knows triggers by "table name", and no patterns.
        for (words, same) in [
            (&["-I", "things_name"][..], &["-I", "things_name"][..]),
            (&["-P", "twice(integer, text)"], &["-P", "twice(integer, text)"]),
            (&["--trigger", "things touched"], &["-T", "things touched"]),
            (&["--trigger", "things touched", "-n", "b"], &["-T", "things touched", "-n", "b"]),
        ] {
            let theirs = entries(&tool("pg_restore", &[&["-l", &theirs][..], same].concat()));
            if !theirs.is_empty() {
                assert_eq!(entries(&list(&pair, words)), theirs, "{words:?}");
            }
        }
        let filter = pair.path("filter");
        std::fs::write(
            &filter,
            "include index things_name\ninclude function twice(integer, text)\n",
        )
        .expect("the folder is ours");
        let words = ["--filter", &filter.display().to_string()];
        assert_eq!(
            entries(&list(&pair, &words)),
            entries(&tool("pg_restore", &[&["-l", &theirs][..], &words[..]].concat()))
        );
    }
}

#[test]
fn a_list_says_what_is_restored() {
    let pair = Pair::new(super::SHOP);
    pair.dump().run().expect(0);
    let all = list(&pair, &[]);
    let theirs = theirs(&pair, &[]);
    assert_eq!(entries(&all), theirs, "{all}");
    let file = pair.path("all.list");
    std::fs::write(&file, &all).expect("the folder is ours");
    pair.restore().arg("-L").arg(&file).run().expect(0);
    pair.assert_same();
    // Without the customers' rows, an index, the view, and the table that a key needs.
    let without = |words: &[&str]| {
        let keep = |line: &&str| !words.iter().any(|word| line.contains(word));
        let mut lines: Vec<String> = all
            .lines()
            .map(|line| if keep(&line) { line.into() } else { format!(";{line}") })
            .collect();
        lines[5..].reverse();
        std::fs::write(&file, lines.join("\n")).expect("the folder is ours");
    };
    without(&["TABLE DATA shop log_now", "VIEW shop open"]);
    let third = pair.copy.server().database_of(&pair.owner, "third");
    support::restore(&pair.file(), &third).arg("-L").arg(&file).run().expect(0);
    assert_eq!(third.value("SELECT count(*) FROM shop.log"), "0");
    assert_eq!(third.value("SELECT count(*) FROM shop.orders"), "2");
    assert_eq!(third.value("SELECT to_regclass('shop.open') IS NULL"), "t");
    without(&["CONSTRAINT shop customers customers_pkey"]);
    let fourth = pair.copy.server().database_of(&pair.owner, "fourth");
    let restore = || support::restore(&pair.file(), &fourth).arg("-L").arg(&file);
    restore().run().expect(10).says("orders_customer_fkey").says("customers_pkey");
    assert_eq!(fourth.value("SELECT count(*) FROM shop.customers"), "2");
    for (text, says) in [
        ("3;\n9999; TABLE", "line 2: the archive has no entry 9999"),
        ("TABLE x", "line 1: it does not begin with an entry's number"),
        ("; archive 12\n3;", "it is of archive 12"),
        ("3; TABLE some other", "line 1: entry 3 of the archive is another"),
    ] {
        std::fs::write(&file, text).expect("the folder is ours");
        restore().run().expect(2).says(says);
    }
}

#[test]
fn a_whole_list_leaves_nothing_out() {
    let pair = Pair::new(
        "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 7 AS a; CREATE SEQUENCE s.n START 5;
         CREATE FUNCTION s.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
         ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO PUBLIC;
         ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    );
    pair.dump().run().expect(0);
    let file = pair.path("all.list");
    let write = |words: &[&str]| {
        std::fs::write(&file, list(&pair, words)).expect("the folder is ours");
    };
    write(&[]);
    pair.restore().arg("-L").arg(&file).run().expect(0);
    pair.assert_same();
    // A list of rows alone goes with rows alone.
    let third = pair.copy.server().database_of(&pair.owner, "third");
    let restore = || support::restore(&pair.file(), &third);
    restore().args(["--section", "pre-data"]).run().expect(0);
    write(&["-a"]);
    restore().arg("-a").arg("-L").arg(&file).run().expect(0);
    assert_eq!(third.value("SELECT a FROM s.t"), "7");
    let fourth = pair.copy.server().database_of(&pair.owner, "fourth");
    let restore = || support::restore(&pair.file(), &fourth).arg("-L").arg(&file);
    restore().run().expect(2).says("the rows of s.t, and not the table");
    // What clears whole schemas makes no parts of them.
    let clean = "--clean=schemas";
    write(&[]);
    restore().arg(clean).run().expect(2).says("-L asks for parts");
    let single = support::restore(&pair.file(), &pair.copy).args([clean, "-P", "f()"]).run();
    single.expect(2).says("asks for parts");
    assert_eq!(pair.copy.value("SELECT a FROM s.t"), "7");
}

#[test]
fn what_can_make_nothing_is_not_done_in_silence() {
    let pair = Pair::new(
        "CREATE SCHEMA other; CREATE TABLE t (id int); CREATE INDEX i ON t (id);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    );
    pair.dump().run().expect(0);
    for (words, code, says) in [
        (&["-a", "-I", "i"][..], 2, "read -I: -a restores rows and makes nothing"),
        (&["-a", "-P", "f()"], 2, "read -P"),
        (&["-I", "i", "--section=pre-data"], 2, "add --section post-data"),
        (&["-P", "f()", "--section=post-data"], 2, "add --section pre-data"),
        (&["--trigger", "g", "--section=data"], 2, "add --section post-data"),
        (&["-I", "i", "-l", "--section=data"], 2, "add --section post-data"),
        (&["-I", "i", "-n", "other"], 6, "no object matches i (-I)"),
        (&["--trigger", "g", "-N", "public"], 6, "no object matches g (--trigger)"),
        (&["-s", "--section=data", "-f", "-"], 0, "warning: nothing is selected"),
        (&["-N", "public", "-N", "other"], 0, "warning: nothing is selected"),
        (&["-N", "public", "-N", "other", "-f", "-"], 0, "warning: nothing is selected"),
    ] {
        let to = if words.contains(&"-f") || words.contains(&"-l") {
            Silverback::new(["restore"]).arg(pair.file())
        } else {
            pair.restore()
        };
        to.args(words).run().expect(code).says(says);
    }
    let file = pair.path("empty.list");
    for text in ["", "; all of it\n;3; TABLE public t kong\n"] {
        std::fs::write(&file, text).expect("the folder is ours");
        pair.restore().arg("-L").arg(&file).run().expect(2).says("it has no entries");
    }
}

#[test]
fn functions_are_named_as_pg_restore_prints_them() {
    let pair = Pair::new(
        "CREATE FUNCTION v(a integer, VARIADIC b text[], OUT c integer, OUT \"d e\" text)
           LANGUAGE sql AS $$SELECT 1, ''$$;
         CREATE PROCEDURE p(INOUT a integer, b text DEFAULT '') LANGUAGE sql AS 'SELECT 1';
         CREATE PROCEDURE o(a integer, OUT b integer) LANGUAGE sql AS 'SELECT 1';
         CREATE AGGREGATE s(VARIADIC integer[]) (SFUNC = array_cat, STYPE = integer[])",
    );
    let theirs = pair.path("theirs.dump").display().to_string();
    tool("pg_dump", &["-Fc", "-d", &pair.source.url(), "-f", &theirs]);
    pair.dump().run().expect(0);
    let lines = tool("pg_restore", &["-l", &theirs]);
    let mut seen = 0;
    for kind in ["FUNCTION public ", "PROCEDURE public ", "AGGREGATE public "] {
        for line in lines.lines().filter_map(|line| Some(line.split_once(kind)?.1)) {
            let signature = &line[..=line.rfind(')').expect("arguments")];
            let all = list(&pair, &["-P", signature]);
            assert_eq!(entries(&all).len(), 1, "{signature}: {all}");
            seen += 1;
        }
    }
    assert_eq!(seen, 4, "{lines}");
    for signature in
        ["v(integer, VARIADIC text[])", "v(integer, variadic text[], OUT integer, OUT text)"]
    {
        assert_eq!(entries(&list(&pair, &["-P", signature])).len(), 1, "{signature}");
    }
}

#[test]
fn lists_and_filters_may_begin_with_a_byte_order_mark() {
    let pair = Pair::new("CREATE TABLE t (); CREATE TABLE u ()");
    pair.dump().run().expect(0);
    let file = pair.path("marked");
    let write = |text: &str| std::fs::write(&file, format!("\u{feff}{text}")).expect("ours");
    write("include table t\n");
    let filter = file.display().to_string();
    let listed = list(&pair, &["--filter", &filter]);
    assert_eq!(entries(&listed).len(), 2, "{listed}");
    let first = listed.lines().find(|line| !line.starts_with(';')).expect("an entry");
    write(first);
    assert!(list(&pair, &["-L", &filter]).contains(first));
}
