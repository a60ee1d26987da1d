//! Rows read from an archive without a server, by the library and by `cat`: the server's own texts,
//! its CSV and its JSON.

use std::path::Path;

use futures_util::TryStreamExt;
use silverback::archive::Archive;
use silverback::storage::FileArchive;
use testkit::{Database, kong};

use crate::support::{Silverback, dump, temp_dir};
use crate::types;

/// Types of a user's making.
const OWN: &str = "CREATE SCHEMA \"My\"; CREATE TYPE \"My\".hue AS ENUM ('red', 'a \"b\"');
    CREATE DOMAIN \"My\".price AS numeric(8,2); CREATE DOMAIN \"My\".dear AS \"My\".price;
    CREATE TYPE \"My\".span AS RANGE (SUBTYPE = float8);
    CREATE TYPE \"My\".hues AS RANGE (SUBTYPE = \"My\".hue);
    CREATE TYPE \"My\".pair AS (a int, b text);
    CREATE TABLE \"My\".own (hue \"My\".hue, dear \"My\".dear, span \"My\".span, hues \"My\".hues);
    INSERT INTO \"My\".own VALUES ('red', 1.5, '[1,2.5)', '[red,\"a \\\"b\\\"\"]'),
      (NULL, NULL, 'empty', '(,)'), ('a \"b\"', 0, '[1e300,)', 'empty');
    CREATE TABLE \"My\".texts (hues \"My\".hue[], pair \"My\".pair, t text);
    INSERT INTO \"My\".texts VALUES (ARRAY['red', 'a \"b\"']::\"My\".hue[], (1, E'x\\ty'),
      E'\\\\ \\t \\n \\r \\b \\v \\f \\\\N'), (NULL, NULL, ''), ('{}', (NULL, ''), '\\.');
    CREATE TABLE one (c text); INSERT INTO one VALUES ('\\.'), (NULL), (''), ('a,\"b\"');
    CREATE TABLE none (); INSERT INTO none DEFAULT VALUES;";

/// What a session of a dump is set to.
const SETTINGS: &str = "SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; \
    SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex'; \
    SET lc_monetary = 'C'; SET xmlbinary = 'base64'";

/// Dumps a database and reads what describes the archive.
fn dumped(source: &Database<'_>, folder: &Path) -> (std::path::PathBuf, FileArchive) {
    let path = folder.join("a.sbk");
    dump(source, &path).run().expect(0);
    let archive = Archive::open_path(&path).expect("an archive");
    (path, archive)
}

/// Every table of an archive gives the texts that the server prints.
fn same_texts(source: &Database<'_>, archive: &FileArchive) {
    source.admin().execute(SETTINGS);
    for table in &archive.manifest.tables {
        let name = format!("\"{}\".\"{}\"", table.schema, table.name);
        let texts = table.columns.iter().map(|column| {
            format!("CASE WHEN \"{0}\" IS NOT NULL THEN concat(\"{0}\") END", column.name)
        });
        let texts: Vec<String> = texts.collect();
        // A composite value of NULLs is not NULL, and IS NOT NULL does not say so.
        let texts = texts.join(", ").replace("\"pair\" IS NOT NULL", "\"pair\"::text IS NOT NULL");
        let expect = source.rows(&format!("SELECT {texts} FROM {name}"));
        let rows = archive.table(&name).expect("a table").rows().expect("known types");
        let found: Vec<Vec<Option<String>>> = rows
            .map(|row| {
                let row = row.expect("whole rows");
                row.values().map(|(_, value)| value.map(std::borrow::Cow::into_owned)).collect()
            })
            .collect();
        assert_eq!(found, expect, "{name}");
    }
}

#[test]
fn values_of_every_type() {
    for version in testkit::versions() {
        let source = testkit::server(version).database("types");
        types::fill(&source, version);
        source.execute(OWN);
        let folder = temp_dir();
        let (_, archive) = dumped(&source, folder.path());
        same_texts(&source, &archive);
    }
}

/// What COPY sends.
fn copied(source: &Database<'_>, sql: &str) -> String {
    let (session, sql) = (source.admin().clone(), sql.to_owned());
    let bytes = testkit::block_on(async move {
        let stream = session.inner().copy_out(&sql).await?;
        stream.try_fold(Vec::new(), |all, some| async move { Ok([&all[..], &some].concat()) }).await
    });
    String::from_utf8(bytes.expect("rows")).expect("text")
}

#[test]
fn csv_and_json_are_the_servers() {
    let server = testkit::newest_server();
    let source = server.database("cat");
    types::fill(&source, server.version());
    source.execute(OWN);
    kong::load(&source);
    kong::seed(&source, 50);
    let folder = temp_dir();
    let (path, archive) = dumped(&source, folder.path());
    source.admin().execute(SETTINGS);
    for table in &archive.manifest.tables {
        let name = format!("\"{}\".\"{}\"", table.schema, table.name);
        let cat = |format: &str| {
            let run = Silverback::new(["cat", "-t", &name, "--format", format]).arg(&path).run();
            run.expect(0).stdout
        };
        let csv = copied(&source, &format!("COPY {name} TO STDOUT (FORMAT csv, HEADER)"));
        assert_eq!(cat("csv"), csv, "{name}");
        // To row_to_json these are objects; whether an element is a number behind its domain is not
        // in the archive.
        let others = ["texts", "cardinal_number[]", "time_stamp[]"];
        if others.iter().any(|other| table.name.starts_with(other)) {
            continue;
        }
        // A row is a line: what stands between the parts of a json may not break it.
        let json = format!("SELECT translate(row_to_json(t)::text, E'\\n', ' ') FROM {name} t");
        let json = source.column(&json);
        assert_eq!(cat("json").lines().collect::<Vec<_>>(), json, "{name}");
    }
}

#[test]
fn tables_are_found_by_name() {
    let server = testkit::newest_server();
    let source = server.database("names");
    source.execute(
        "CREATE TABLE consumers (id int); INSERT INTO consumers VALUES (7); CREATE SCHEMA \"B\"; \
         CREATE TABLE \"B\".\"Two\" (); CREATE TABLE \"B\".consumers (id int); \
         CREATE TABLE \"CONSUMERS\" (); CREATE TABLE parted (id int) PARTITION BY LIST (id); CREATE \
         TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)",
    );
    let folder = temp_dir();
    let (path, _) = dumped(&source, folder.path());
    let cat = |table: &str| Silverback::new(["cat", "-t", table]).arg(&path).run();
    assert_eq!(cat("public.consumers").expect(0).stdout, "id\n7\n");
    for name in ["B.Two", "\"B\".\"Two\"", "Two"] {
        assert_eq!(cat(name).expect(0).stdout, "\n", "{name}");
    }
    cat("consumers").expect(6).says("several tables").says("- \"B\".consumers").says("schema");
    cat("public.consumer").expect(6).says("public.consumers or");
    cat("public.Two").expect(6).says("is it \"B\".\"Two\"?");
    // Names fold as in SQL.
    assert_eq!(cat("PUBLIC.CONSUMERS").expect(0).stdout, "id\n7\n");
    assert_eq!(cat("\"CONSUMERS\"").expect(0).stdout, "\n");
    cat("PARTED").expect(6).says("definition, but no rows").says("partitions: public.parted_1");
    cat("nothing.at_all").expect(6).says("silverback list");
    let file = folder.path().join("rows.csv");
    let run =
        || Silverback::new(["cat", "-t", "public.consumers", "-f"]).arg(&file).arg(&path).run();
    run().expect(0);
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), "id\n7\n");
    run().expect(6).says("exists");
    Silverback::new(["cat", "-t", "x", "-"]).run().expect(2).says("standard input");
}

/// A chunk that does not bear its checksum gives no row.
#[test]
fn damaged_rows_are_not_printed() {
    let server = testkit::newest_server();
    let source = server.database("damaged");
    source.execute(
        "CREATE TABLE t (v text); INSERT INTO t SELECT md5(g::text) FROM generate_series(1, 99) g",
    );
    let folder = temp_dir();
    let (path, archive) = dumped(&source, folder.path());
    let mut bytes = std::fs::read(&path).expect("it is there");
    let at = archive.index.chunks[0].offset + archive.index.chunks[0].stored_bytes - 1;
    bytes[usize::try_from(at).expect("small")] ^= 1;
    std::fs::write(&path, &bytes).expect("a small file");
    let file = folder.path().join("rows.csv");
    let run = Silverback::new(["cat", "-t", "t", "-f"]).arg(&file).arg(&path).run();
    run.expect(3).says("read chunk 0");
    assert!(!file.exists());
}
