//! A restore as SQL text: what psql makes of it is the source.

use std::path::Path;
use std::process::{Command, Stdio};

use testkit::{Database, kong, zoo};

use crate::support::{Silverback, assert_same_lines, assert_same_rows, dump, ends, temp_dir};
use crate::zoo_b;

/// Writes the SQL text of an archive into a file.
fn text(archive: &Path, file: &Path, options: &[&str]) {
    Silverback::new(["restore", "-f"]).arg(file).args(options).arg(archive).run().expect(0);
}

/// Runs SQL text from a file, as the superuser.
#[track_caller]
fn psql(file: &Path, target: &Database<'_>) {
    let url = target.url_as("postgres");
    let output = Command::new(testkit::client_tool("psql"))
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &url, "-f"])
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .expect("psql runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "psql -f {}: {told}", file.display());
}

/// Dumps, writes SQL text, runs it, and compares.
#[track_caller]
fn comes_back(source: &Database<'_>, copy: &Database<'_>) {
    let folder = temp_dir();
    let (archive, file) = (folder.path().join("a.sbk"), folder.path().join("a.sql"));
    dump(source, &archive).run().expect(0);
    text(&archive, &file, &[]);
    psql(&file, copy);
    // Inherited columns may come to stand in another order, as with pg_dump.
    let schema = testkit::pg_dump_schema;
    assert_same_lines("pg_dump -s", &schema(source), &schema(copy));
    if source.value("SELECT to_regclass('public.moods') IS NULL") == "t" {
        return assert_same_rows(source, copy);
    }
    // Where a hash of an enumeration's values puts rows, another database puts others.
    let rows = "SELECT count(*), sum(hashtext(t::text)::bigint) FROM moods t";
    assert_eq!(source.rows(rows), copy.rows(rows));
}

#[test]
fn kongs_database() {
    for version in ends() {
        let server = testkit::server(version);
        let (source, copy) = (server.database("kong"), server.database("copy"));
        kong::load(&source);
        kong::seed(&source, 200);
        comes_back(&source, &copy);
    }
}

#[test]
fn one_of_every_object() {
    let zoos = [zoo::TYPES, zoo::ROUTINES, zoo::OPERATORS, zoo::SEARCH, zoo::CYCLES, zoo::VALUES];
    for version in ends() {
        let server = testkit::server(version);
        let scripts = zoos
            .map(|script| zoo::for_version(script, version))
            .into_iter()
            .chain(zoo_b::SCRIPTS.iter().map(|(_, script)| zoo_b::for_version(script, version)));
        for script in scripts {
            let (owner, reader) = (server.role("owner"), server.role("reader"));
            let (source, copy) = (server.database("zoo"), server.database("copy"));
            let script = script.replace("{owner}", owner.name()).replace("{reader}", reader.name());
            source.execute(&script);
            comes_back(&source, &copy);
        }
    }
}

/// Names and rows in another encoding than UTF-8.
#[test]
fn another_encoding() {
    let server = testkit::newest_server();
    let options = "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    let source = server.database_with("latin", options);
    let (copy, utf8) = (server.database_with("copy", options), server.database("utf8"));
    source.execute(
        "CREATE TABLE \"tür\" (\"ä\" text); INSERT INTO \"tür\" VALUES ('größe'), (NULL), ('\\.');",
    );
    comes_back(&source, &copy);
    let folder = temp_dir();
    let (archive, file) = (folder.path().join("a.sbk"), folder.path().join("a.sql"));
    dump(&source, &archive).run().expect(0);
    text(&archive, &file, &[]);
    psql(&file, &utf8);
    let rows = "SELECT \"ä\" FROM \"tür\"";
    assert_eq!(source.rows(rows), utf8.rows(rows));
}

#[test]
fn what_is_chosen() {
    let server = testkit::newest_server();
    let role = server.role("reader");
    let source = server.database("chosen");
    source.execute(&format!(
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2); \
         CREATE TABLE b (id int); INSERT INTO b VALUES (3); GRANT SELECT ON a TO {}; \
         COMMENT ON TABLE a IS 'of a'",
        role.name()
    ));
    let folder = temp_dir();
    let archive = folder.path().join("a.sbk");
    dump(&source, &archive).run().expect(0);
    let written = |options: &[&str]| {
        let run = Silverback::new(["restore", "-f", "-"]).args(options).arg(&archive).run();
        run.expect(0).stdout
    };
    let all = written(&[]);
    for part in [
        "CREATE TABLE public.a",
        "COPY public.a (id) FROM stdin;\n1\n2\n\\.\n",
        "PRIMARY KEY",
        "OWNER TO postgres",
        "GRANT SELECT",
        "COMMENT ON",
        "COPY public.b",
    ] {
        assert!(all.contains(part), "{part} in {all}");
    }
    let bare = written(&["-t", "a", "-O", "-x", "--no-comments"]);
    for part in ["OWNER TO", "GRANT", "COMMENT ON", "public.b"] {
        assert!(!bare.contains(part), "{part} in {bare}");
    }
    assert!(bare.contains("COPY public.a"));
    assert!(!written(&["-s"]).contains("COPY"));
    let rows = written(&["-a"]);
    assert!(rows.contains("COPY public.b") && !rows.contains("CREATE"), "{rows}");
    let post = written(&["--section", "post-data"]);
    assert!(post.contains("PRIMARY KEY") && !post.contains("CREATE TABLE"), "{post}");
    let renamed = written(&["--rename-schema", "public=mine"]);
    assert!(renamed.contains("COPY mine.a") && !renamed.contains("public."), "{renamed}");
}

#[test]
fn what_text_cannot_do_is_refused() {
    let folder = temp_dir();
    let (archive, file) = (folder.path().join("a.sbk"), folder.path().join("a.sql"));
    let server = testkit::newest_server();
    dump(&server.database("empty"), &archive).run().expect(0);
    for option in [
        "-dx",
        "--jobs=2",
        "--dry-run",
        "--resume",
        "-c",
        "-C",
        "--ready-early",
        "--check",
        "--statistics",
        "--disable-triggers",
        "--fk=trust",
        "--keep-going",
    ] {
        let run = Silverback::new(["restore", option, "-f"]).arg(&file).arg(&archive).run();
        run.expect(2);
    }
    assert!(!file.exists());
    std::fs::write(&file, "mine").expect("a small file");
    let run = Silverback::new(["restore", "-f"]).arg(&file).arg(&archive).run();
    run.expect(6).says("exists");
    assert_eq!(std::fs::read(&file).expect("it is there"), b"mine");
}

#[test]
fn the_text_of_a_damaged_archive_brings_nothing() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("sql_damaged"), server.database("sql_damaged_copy"));
    source.execute("CREATE TABLE t AS SELECT md5(g::text) FROM generate_series(1, 300000) g");
    let folder = temp_dir();
    let (archive, file) = (folder.path().join("a.sbk"), folder.path().join("a.sql"));
    dump(&source, &archive).run().expect(0);
    let mut bytes = std::fs::read(&archive).expect("read");
    let at = bytes.len() * 2 / 3;
    bytes[at] ^= 4;
    std::fs::write(&archive, bytes).expect("written");
    let run = Silverback::new(["restore", "-f", "-"]).arg(&archive).run().expect(3);
    assert!(run.stdout.lines().count() > 1000, "rows came before the damage");
    std::fs::write(&file, run.stdout).expect("written");
    let status = Command::new(testkit::client_tool("psql"))
        .args(["-X", "-q", "-d", &copy.url_as("postgres"), "-f"])
        .arg(&file)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("psql runs");
    assert_eq!(copy.value("SELECT count(*) FROM t"), "0");
}

#[test]
fn rows_come_after_those_that_they_refer_to() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("keys"), server.database("copy"));
    source.execute(
        "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE zz PARTITION OF p FOR VALUES FROM (0) TO (10);
         CREATE TABLE b (id int PRIMARY KEY REFERENCES p);
         CREATE TABLE z (id int PRIMARY KEY REFERENCES b);
         CREATE TABLE a (id int REFERENCES z);
         CREATE TABLE self (id int PRIMARY KEY, up int REFERENCES self);
         INSERT INTO p VALUES (1); INSERT INTO b VALUES (1); INSERT INTO z VALUES (1);
         INSERT INTO a VALUES (1); INSERT INTO self VALUES (1, 2), (2, 1)",
    );
    let folder = temp_dir();
    let [archive, schema, rows] = ["a.sbk", "s.sql", "a.sql"].map(|name| folder.path().join(name));
    dump(&source, &archive).run().expect(0);
    text(&archive, &schema, &["-s"]);
    psql(&schema, &copy);
    let run = Silverback::new(["restore", "-a", "-f"]).arg(&rows).arg(&archive).run().expect(0);
    assert!(!run.stderr.contains("foreign key"), "{}", run.stderr);
    psql(&rows, &copy);
    assert_same_rows(&source, &copy);
}

#[test]
fn rows_that_no_order_suits_are_warned_of() {
    let server = testkit::newest_server();
    let source = server.database("circle");
    source.execute(
        "CREATE TABLE d (id int PRIMARY KEY, e int);
         CREATE TABLE e (id int PRIMARY KEY, d int REFERENCES d);
         CREATE TABLE a (id int REFERENCES e);
         INSERT INTO d VALUES (1, 1); INSERT INTO e VALUES (1, 1); INSERT INTO a VALUES (1);
         ALTER TABLE d ADD FOREIGN KEY (e) REFERENCES e",
    );
    let folder = temp_dir();
    let archive = folder.path().join("a.sbk");
    dump(&source, &archive).run().expect(0);
    let restore = |words: &[&str]| {
        Silverback::new(["restore", "-f", "-"]).args(words).arg(&archive).run().expect(0)
    };
    let run = restore(&["-a"]).says("warning: public.d and what it refers to have mutually");
    let place = |table: &str| run.stdout.find(&format!("COPY public.{table} ")).expect("its rows");
    assert!(place("d") < place("e") && place("e") < place("a"), "{}", run.stdout);
    for words in [&[][..], &["-a", "-T", "d"]] {
        assert!(!restore(words).stderr.contains("mutually"), "{words:?}");
    }
}

#[test]
fn partitions_that_may_refer_to_each_other_are_warned_of() {
    let server = testkit::newest_server();
    let source = server.database("tree");
    source.execute(
        "CREATE TABLE tree (id int, part int, up int, up_part int, PRIMARY KEY (part, id))
             PARTITION BY LIST (part);
         CREATE TABLE tree_a PARTITION OF tree FOR VALUES IN (1);
         CREATE TABLE tree_b PARTITION OF tree FOR VALUES IN (2);
         CREATE TABLE own (id int PRIMARY KEY, up int REFERENCES own);
         INSERT INTO own VALUES (1, 2), (2, 1);
         INSERT INTO tree VALUES (1, 1, 2, 2), (2, 2, 1, 1);
         ALTER TABLE tree ADD FOREIGN KEY (up_part, up) REFERENCES tree (part, id)",
    );
    let folder = temp_dir();
    let archive = folder.path().join("a.sbk");
    dump(&source, &archive).run().expect(0);
    let restore = |words: &[&str]| {
        Silverback::new(["restore", "-f", "-"]).args(words).arg(&archive).run().expect(0)
    };
    restore(&["-a"]).says("warning: public.tree_b and what it refers to have mutually");
    for words in [&[][..], &["-a", "-T", "tree_b"]] {
        assert!(!restore(words).stderr.contains("mutually"), "{words:?}");
    }
}
