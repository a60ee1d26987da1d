//! Databases in other encodings than UTF8: rows are carried as they are stored, and converted only
//! where the target's encoding is another.

use testkit::Database;

use crate::support;

/// A text as its bytes, two digits each.
fn hex(database: &Database<'_>, expression: &str, table: &str) -> Vec<String> {
    let encoding = database.value("SELECT current_setting('server_encoding')");
    database.column(&format!(
        "SELECT encode(convert_to({expression}, '{encoding}'), 'hex') FROM {table} ORDER BY id"
    ))
}

fn in_encoding(encoding: &str) -> Database<'static> {
    let options = format!("ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
    testkit::newest_server().database_with(&encoding.to_lowercase(), &options)
}

/// One table that travels in COPY BINARY and one that travels as text, with the same bytes.
fn fill(database: &Database<'_>, table: &str, bytes: &[&str]) {
    let encoding = database.value("SELECT current_setting('server_encoding')");
    database.execute(&format!(
        "CREATE TYPE pair AS (t text, n integer); CREATE TABLE {table} (id \
         integer, t text, a text[]); CREATE TABLE by_text (id integer, t text, p pair)"
    ));
    for (id, bytes) in bytes.iter().enumerate() {
        let text = format!("convert_from('\\x{bytes}', '{encoding}')");
        database.execute(&format!(
            "INSERT INTO {table} VALUES ({id}, {text}, ARRAY[{text}, NULL]); INSERT INTO by_text \
             VALUES ({id}, {text}, ROW({text}, 1))"
        ));
    }
}

#[track_caller]
fn assert_same_bytes(source: &Database<'_>, copy: &Database<'_>, table: &str, bytes: &[&str]) {
    for database in [source, copy] {
        assert_eq!(hex(database, "t", table), bytes);
        assert_eq!(hex(database, "a[1]", table), bytes);
        assert_eq!(hex(database, "t", "by_text"), bytes);
        assert_eq!(hex(database, "(p).t", "by_text"), bytes);
    }
}

#[test]
fn bytes_come_back_unchanged() {
    let folder = support::temp_dir();
    // ÿ and é of LATIN1; two kanji and half-width katakana of EUC_JP, one without a place in
    // Unicode tables of old; anything at all, in SQL_ASCII.
    for (encoding, table, bytes) in [
        ("LATIN1", "\"café\"", vec!["e9", "ff41", "a05c09", ""]),
        ("EUC_JP", "\"日本\"", vec!["c6fccbdc", "8eb1", "61a1c162", "5c0a"]),
        ("SQL_ASCII", "\"café\"", vec!["ff", "c3a9", "e95c09", "80fe"]),
        ("WIN1251", "\"тест\"", vec!["f2e5f1f2", "98"]),
    ] {
        let (source, copy) = (in_encoding(encoding), in_encoding(encoding));
        let bytes: Vec<&str> =
            bytes.into_iter().filter(|bytes| !(encoding == "WIN1251" && *bytes == "98")).collect();
        fill(&source, table, &bytes);
        let file = support::round_trip(&source, &copy, folder.path());
        assert_same_bytes(&source, &copy, table, &bytes);
        support::assert_same_schema(&source, &copy);
        let again = folder.path().join(format!("{encoding}.sbk"));
        support::dump(&copy, &again).run().expect(0);
        assert_eq!(crate::pair::contents(&file), crate::pair::contents(&again));
    }
}

#[test]
fn another_encoding_is_converted_to() {
    let folder = support::temp_dir();
    let (source, copy) = (in_encoding("LATIN1"), in_encoding("UTF8"));
    fill(&source, "\"café\"", &["e9", "5ce4"]);
    let file = folder.path().join("a.sbk");
    support::dump(&source, &file).run().expect(0);
    support::restore(&file, &copy).run().expect(0).says("texts are converted");
    assert_eq!(copy.column("SELECT t FROM \"café\" ORDER BY id"), ["é", "\\ä"]);
    assert_eq!(copy.column("SELECT (p).t FROM by_text ORDER BY id"), ["é", "\\ä"]);
    let (back, narrow) = (in_encoding("UTF8"), in_encoding("LATIN1"));
    back.execute("CREATE TABLE t (id integer, t text); INSERT INTO t VALUES (1, '日本')");
    let file = folder.path().join("b.sbk");
    support::dump(&back, &file).run().expect(0);
    support::restore(&file, &narrow)
        .run()
        .expect(7)
        .says("load public.t")
        .says("has no equivalent in encoding \"LATIN1\"");
}

#[test]
fn unknown_bytes_are_not_guessed_at() {
    let folder = support::temp_dir();
    let (source, copy) = (in_encoding("SQL_ASCII"), in_encoding("UTF8"));
    fill(&source, "t", &["ff"]);
    let file = folder.path().join("a.sbk");
    support::dump(&source, &file).run().expect(0);
    support::restore(&file, &copy)
        .run()
        .expect(6)
        .says("the archive's encoding is SQL_ASCII, the target's is UTF8");
    // SQL text finds itself in the wrong place, too, and lets no byte through to whom that is no
    // reason to stop.
    let text = folder.path().join("a.sql");
    support::Silverback::new(["restore", "-f"]).arg(&text).arg(&file).run().expect(0);
    let psql = |into: &Database<'_>| {
        let output = std::process::Command::new(testkit::client_tool("psql"))
            .args(["-X", "-q", "-o", "/dev/null", "-d", &into.url_as("postgres"), "-f"])
            .arg(&text)
            .output()
            .expect("psql runs");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let told = psql(&copy);
    assert!(told.contains("the text comes from a database in SQL_ASCII"), "{told}");
    assert!(told.contains("invalid byte sequence for encoding \"UTF8\": 0xff"), "{told}");
    assert_eq!(copy.value("SELECT count(*) FROM t"), "0");
    let same = in_encoding("SQL_ASCII");
    assert_eq!(psql(&same), "");
    assert_same_bytes(&source, &same, "t", &["ff"]);
    source.execute(
        "DO $$BEGIN EXECUTE 'CREATE TABLE \"' || convert_from('\\xe9', 'SQL_ASCII') || \
         '\" ()'; END$$",
    );
    let refused = support::dump(&source, &folder.path().join("b.sbk")).run().expect(6).says("0xe9");
    assert!(refused.stderr.contains("is not valid UTF-8"), "{}", refused.stderr);
}

#[test]
fn an_encoding_that_servers_do_not_convert_is_refused_with_its_reason() {
    // 19 has it no more.
    let server = testkit::newest_server_before(19);
    let admin = server.connect("postgres");
    admin.execute(
        "CREATE DATABASE mule ENCODING 'MULE_INTERNAL' TEMPLATE template0 LC_COLLATE 'C' \
         LC_CTYPE 'C'",
    );
    let folder = support::temp_dir();
    let dump = support::Silverback::new(["dump", "-d", &server.url("postgres", "mule"), "-f"]);
    dump.arg(folder.path().join("a.sbk"))
        .run()
        .expect(4)
        .says("conversion between UTF8 and MULE_INTERNAL")
        .says("travel in UTF-8");
    admin.execute("DROP DATABASE mule");
}
