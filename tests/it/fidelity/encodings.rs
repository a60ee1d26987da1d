//! Values to the last byte, in tables that travel in COPY BINARY and in tables that travel as text.

use silverback::archive::Archive;
use silverback::archive::manifest::RowEncoding;

use crate::pair::Pair;

fn encoding(pair: &Pair, table: &str) -> RowEncoding {
    let archive = Archive::open_path(&pair.file()).expect("the archive can be read");
    archive
        .manifest
        .tables
        .iter()
        .find(|found| found.name == table)
        .expect("the table is in the archive")
        .encoding
}

#[test]
fn json_comes_back_byte_for_byte() {
    let pair = Pair::new("CREATE TABLE j (id integer, doc json, docs json[])");
    let documents = [
        r#"{"a":1,"a":2,  "b" : 1.00}"#,
        r#"{ "big" : 12345678901234567890.000000000000000000001 , "e":1e-400 }"#,
        "[1,\n\t2 ,\r\n {}]",
        r#""\u0041\ud83e\udd8d \/ \\ ü""#,
        "  null  ",
        r#"{"":{"":[]}}"#,
    ];
    for (id, document) in documents.iter().enumerate() {
        pair.source.execute(&format!(
            "INSERT INTO j VALUES ({id}, $json${document}$json$, \
             ARRAY[$json${document}$json$::json, NULL])"
        ));
    }
    pair.carry_exactly();
    assert_eq!(pair.copy.column("SELECT doc::text FROM j ORDER BY id"), documents);
    assert_eq!(encoding(&pair, "j"), RowEncoding::Binary);
}

/// Everything that COPY's text format writes in another way, and what looks like it.
const AWKWARD: &[&str] = &[
    "",
    "\\N",
    "\\.",
    "\\",
    "\\\\",
    "\\t",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\u{8}",
    "\u{b}",
    "\u{c}",
    "\u{1}",
    "\u{7f}",
    " ",
    "NULL",
    "null",
    "\"",
    "'",
    "{}",
    "{NULL}",
    "()",
    "(,)",
    ",",
    "a\tb\nc\\d",
    "\\x41",
    "\\101",
    "\\N\\N",
    "ü",
    "日本語",
    "🦍",
    "e\u{301}",
    "\u{feff}",
    "\u{2028}",
    "\u{10ffff}",
    "\n\\.\n",
    "trailing\\",
    "\\n",
];

#[test]
fn awkward_text_comes_back_byte_for_byte_by_either_way() {
    for version in testkit::versions() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TABLE pair (t text, a text[]);
             CREATE TABLE by_binary (id integer, t text, v varchar, a text[], n text);
             CREATE TABLE by_text (id integer, t text, p pair, a text[], n text);",
        );
        for (id, text) in AWKWARD.iter().enumerate() {
            let text = postgres_literal(text);
            pair.source.execute(&format!(
                "INSERT INTO by_binary VALUES ({id}, {text}, {text}, ARRAY[{text}, NULL, {text}], \
                 NULL);
                 INSERT INTO by_text VALUES ({id}, {text}, ROW({text}, ARRAY[{text}, NULL]), \
                 ARRAY[{text}, NULL], NULL)"
            ));
        }
        pair.carry_exactly();
        assert_eq!(
            (encoding(&pair, "by_binary"), encoding(&pair, "by_text")),
            (RowEncoding::Binary, RowEncoding::Text)
        );
        for table in ["by_binary", "by_text"] {
            assert_eq!(pair.copy.column(&format!("SELECT t FROM {table} ORDER BY id")), AWKWARD);
            assert_eq!(
                pair.copy
                    .value(&format!("SELECT count(*) FROM {table} WHERE n IS NULL AND a[1] = t")),
                AWKWARD.len().to_string()
            );
        }
        assert_eq!(pair.copy.column("SELECT (p).t FROM by_text ORDER BY id"), AWKWARD);
    }
}

/// Standard conforming strings take every byte but the quote.
fn postgres_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[test]
fn names_of_objects_travel_as_names() {
    let pair = Pair::new(
        "CREATE SCHEMA \"Odd one\"; CREATE TABLE \"Odd one\".\"T t\" (a integer); CREATE \
         FUNCTION \"Odd one\".f(integer, text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
         CREATE TABLE names (id integer, c regclass, t regtype, p regprocedure, n regnamespace, r \
         regrole, cs regclass[]);
         INSERT INTO names VALUES (1, '\"Odd one\".\"T t\"', 'integer[]', '\"Odd one\".f(integer, \
         text)', '\"Odd one\"', 'postgres', ARRAY['names'::regclass, NULL]);
         INSERT INTO names VALUES (2, NULL, '\"Odd one\".\"T t\"', NULL, 'pg_catalog', NULL, \
         '{}'), (3, 4294967295::oid, NULL, NULL, NULL, NULL, NULL);",
    );
    pair.carry();
    crate::support::assert_same_schema(&pair.source, &pair.copy);
    assert_eq!(encoding(&pair, "names"), RowEncoding::Text);
    let rows =
        "SELECT id, c::text, t::text, p::text, n::text, r::text, cs::text FROM names ORDER BY id";
    assert_eq!(pair.copy.rows(rows), pair.source.rows(rows));
    assert_ne!(
        pair.copy.value("SELECT c::oid FROM names WHERE id = 1"),
        pair.source.value("SELECT c::oid FROM names WHERE id = 1")
    );
    let archive = Archive::open_path(&pair.file()).expect("the archive can be read");
    assert_eq!(archive.index.tables.iter().map(|table| table.rows).sum::<u64>(), 3);
}

#[test]
fn numbers_and_times_keep_every_bit() {
    let pair = Pair::new(
        "CREATE TABLE v (id integer, f float8, r float4, n numeric, t timestamptz, d date, i \
         interval, tz timetz, b bytea, u uuid, x bit varying, net inet, o oid, c \"char\", bp \
         character(5));
         CREATE TABLE held (v v, m money);",
    );
    let rows = [
        "1, 'NaN', 'Infinity', 'NaN', 'infinity', '-infinity', '178000000 years', \
         '23:59:59.999999+15:59', '', '00000000-0000-0000-0000-000000000000', '', '::/0', \
         4294967295, '', ''",
        "2, '5e-324', '1e-45', 1e-1000, '294276-12-31 23:59:59.999999+00', '5874897-12-31', '-1 \
         mon 1 day -00:00:00.000001', '00:00-15:59', '\\x00ff5c0a', \
         'ffffffff-ffff-ffff-ffff-ffffffffffff', B'1', '10.1.2.3/24', 0, 'a', 'ab'",
        "3, '-0', '-0', 0.00000, '4713-01-01 00:00:00+00 BC', '4713-01-01 BC', '0', '12:00+00', \
         '\\x5c5c', gen_random_uuid(), B'10101010101', 'fe80::1', 1, '\\', ' a'",
        "4, 0.1::float8 + 0.2::float8, 16777217, \
         123456789012345678901234567890.12345678901234567890, '1970-01-01', '2000-01-01', '1 year \
         1 mon', '00:00:00+00', '\\x0d0a', gen_random_uuid(), B'0', '0.0.0.0', 7, 'z', 'ü'",
    ];
    for row in rows {
        pair.source.execute(&format!(
            "INSERT INTO v VALUES ({row}); INSERT INTO held SELECT v, \
             (-92233720368547758.08)::money FROM v WHERE id = (SELECT max(id) FROM v)"
        ));
    }
    pair.carry_exactly();
    assert_eq!(
        (encoding(&pair, "v"), encoding(&pair, "held")),
        (RowEncoding::Binary, RowEncoding::Text)
    );
    let bits = "SELECT encode(float8send(f), 'hex') || encode(float4send(r), 'hex') || \
        encode(numeric_send(n), 'hex') || encode(interval_send(i), 'hex') FROM v ORDER BY id";
    assert_eq!(pair.copy.column(bits), pair.source.column(bits));
}
