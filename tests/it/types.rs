//! Values of every type that the server itself has, alone and in arrays, each in a table of its
//! own, so that each travels as its type must.
//!
//! Types of a user's making are in testkit's `zoo/values.sql`; a target's column of another type is
//! refused in `fidelity::selection`.

use std::fmt::Write as _;

use testkit::Database;

use crate::support::{assert_same_rows, round_trip, temp_dir};

/// Literals by type. What a server has and this has not fails the test.
const SAMPLES: &[(&str, &[&str])] = &[
    ("aclitem", &["postgres=r*w/postgres", "=X/postgres"]),
    ("bit", &["1"]),
    ("bool", &["t", "f"]),
    ("box", &["(1,1),(-0,NaN)"]),
    ("bpchar", &["a ", "", "ü"]),
    ("bytea", &["\\x", "\\x00ff5c4e0a"]),
    ("cardinal_number", &["0", "7"]),
    ("char", &["", "x", "\\377"]),
    ("character_data", &["it''s", ""]),
    ("cid", &["0", "4294967295"]),
    ("cidr", &["10.0.0.0/8", "2001:db8::/32"]),
    ("circle", &["<(0,-0),5>", "<(1,1),Infinity>"]),
    ("date", &["4713-01-01 BC", "5874897-12-31", "infinity", "-infinity"]),
    ("datemultirange", &["{}", "{[2020-01-01,2020-02-01),[2021-01-01,)}"]),
    ("daterange", &["empty", "(,)", "[2020-01-01,2020-02-01]"]),
    ("float4", &["-0", "1.1754944e-38", "3.4028235e38", "NaN", "Infinity", "-Infinity"]),
    ("float8", &["-0", "4.9e-324", "0.1", "NaN", "Infinity", "-Infinity"]),
    ("inet", &["192.168.1.5/24", "::ffff:1.2.3.4", "::/0"]),
    ("int2", &["-32768", "32767"]),
    ("int2vector", &["", "1 -2 3"]),
    ("int4", &["-2147483648", "2147483647"]),
    ("int4multirange", &["{}", "{[1,2),[5,)}"]),
    ("int4range", &["empty", "(,)", "[1,5]"]),
    ("int8", &["-9223372036854775808", "9223372036854775807"]),
    ("int8multirange", &["{}", "{(,)}"]),
    ("int8range", &["empty", "(,5]"]),
    ("interval", &["-178000000 years", "1 mon -1 day 00:00:00.000001", "0"]),
    ("json", &["{\"a\" : 1,  \"a\":2}", "null"]),
    ("jsonb", &["{\"b\": 1e400, \"a\": \"\\u20ac\\\\\"}", "[]"]),
    ("jsonpath", &["$.\"a\"[*] ? (@ > 1)", "strict $"]),
    ("line", &["{1,-1,0}"]),
    ("lseg", &["[(0,0),(1,NaN)]"]),
    ("macaddr", &["08:00:2b:01:02:03"]),
    ("macaddr8", &["08:00:2b:01:02:03:04:05"]),
    ("money", &["-92233720368547758.08", "0.01"]),
    ("name", &["", "nämé"]),
    ("numeric", &["NaN", "0.00", "-12345.67891", "1e-1000", "1e1000"]),
    ("nummultirange", &["{}", "{[1.50,2]}"]),
    ("numrange", &["empty", "[1.50,)"]),
    ("oid", &["0", "4294967295"]),
    ("oidvector", &["", "1 4294967295"]),
    ("path", &["[(0,0)]", "((0,0),(1,1),(2,0))"]),
    ("pg_lsn", &["0/0", "FFFFFFFF/FFFFFFFF"]),
    ("pg_snapshot", &["10:20:10,14"]),
    ("point", &["(NaN,-0)", "(Infinity,1e-300)"]),
    ("polygon", &["((1,1))", "((0,0),(1,1),(2,0))"]),
    ("refcursor", &["", "cur"]),
    ("regclass", &["my.things", "-"]),
    ("regcollation", &["my.german"]),
    ("regconfig", &["my.search"]),
    ("regdatabase", &["postgres"]),
    ("regdictionary", &["my.words"]),
    ("regnamespace", &["my"]),
    ("regoper", &["my.###"]),
    ("regoperator", &["my.###(integer,integer)"]),
    ("regproc", &["my.one"]),
    ("regprocedure", &["my.one(integer)"]),
    ("regrole", &["postgres"]),
    ("regtype", &["my.hue[]", "double precision"]),
    ("sql_identifier", &["id"]),
    ("text", &["", "\\N", "\\.", "tab\t nl\n cr\r \\ \" äöü€"]),
    ("tid", &["(0,0)", "(4294967295,65535)"]),
    ("time", &["00:00", "24:00", "23:59:59.999999"]),
    ("time_stamp", &["2020-01-01 00:00:00.12+00"]),
    ("timestamp", &["-infinity", "4713-01-01 00:00 BC", "294276-12-31 23:59:59.999999"]),
    ("timestamptz", &["infinity", "4713-01-01 00:00+00 BC", "1883-11-18 12:03:57.123456-05"]),
    ("timetz", &["24:00:00+15:59", "00:00:00-15:59"]),
    ("tsmultirange", &["{}", "{[2020-01-01,2020-01-02)}"]),
    ("tsquery", &["", "!(a:* & b:AB) <2> c"]),
    ("tsrange", &["empty", "(2020-01-01,infinity]"]),
    ("tstzmultirange", &["{}", "{[2020-01-01 00:00+00,)}"]),
    ("tstzrange", &["empty", "[2020-01-01 00:00+00,)"]),
    ("tsvector", &["", "'it''s':1A,2B a"]),
    ("txid_snapshot", &["10:20:10,14"]),
    ("uuid", &["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]),
    ("varbit", &["", "1111111111"]),
    ("varchar", &["", "äöü€"]),
    ("xid", &["0", "4294967295"]),
    ("oid8", &["0", "18446744073709551615"]),
    ("xid8", &["18446744073709551615"]),
    ("xml", &["<a>ü</a>", "text"]),
    ("yes_or_no", &["YES"]),
];

/// Types that a column may have, and whose values nobody may write.
const UNWRITABLE: &[&str] = &[
    "gtsvector",
    "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
    "pg_dependencies",
    "pg_mcv_list",
    "pg_ndistinct",
    "pg_node_tree",
];

/// What the values of `reg*` name: each has other numbers in another database.
const NAMED: &str = "CREATE SCHEMA my; CREATE TABLE my.things (); CREATE TYPE my.hue AS ENUM \
    ('red'); CREATE COLLATION my.german (LOCALE = 'C');
    CREATE FUNCTION my.one(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE OPERATOR \
    my.### (FUNCTION = int4pl, LEFTARG = int4, RIGHTARG = int4);
    CREATE TEXT SEARCH CONFIGURATION my.search (COPY = pg_catalog.simple); CREATE TEXT SEARCH \
    DICTIONARY my.words (TEMPLATE = pg_catalog.simple);";

/// The server's own types that a column can have, arrays left out: qualified, by name, and whether
/// there are arrays of it.
const TYPES: &str =
    "SELECT format('%I.%I', nspname, typname), typname, typarray <> 0 FROM pg_type t JOIN \
     pg_namespace n ON n.oid = typnamespace
    WHERE t.oid < 16384 AND typtype NOT IN ('c', 'p') AND NOT EXISTS (SELECT FROM pg_type e WHERE \
     e.typarray = t.oid) ORDER BY 2";

#[test]
fn every_type_of_the_server_comes_back() {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let (source, copy) = (server.database("types"), server.database("copy"));
        fill(&source, version);
        let folder = temp_dir();
        round_trip(&source, &copy, folder.path());
        assert_same_rows(&source, &copy);
        let things = "SELECT (v = 'my.things'::regclass)::text FROM regclass WHERE v::oid <> 0";
        assert_eq!(
            (source.value(things), copy.value(things)),
            ("true".to_owned(), "true".to_owned())
        );
    }
}

/// Makes the tables.
pub(crate) fn fill(source: &Database<'_>, version: u32) {
    source.execute(NAMED);
    let has_xml = source.admin().try_execute("SELECT '<a/>'::xml").is_ok();
    let mut script = String::new();
    for row in source.rows(TYPES) {
        let [Some(qualified), Some(name), Some(has_array)] = row.as_slice() else {
            unreachable!("none of them is NULL")
        };
        let samples = SAMPLES.iter().find(|(known, _)| known == name).map(|(_, samples)| *samples);
        let is_writable = !UNWRITABLE.contains(&name.as_str()) && (name != "xml" || has_xml);
        assert!(
            samples.is_some() || !is_writable,
            "PostgreSQL {version} has a type {qualified}, and SAMPLES no value of it"
        );
        let samples = samples.filter(|_| is_writable).unwrap_or_default();
        let values: Vec<String> =
            samples.iter().chain(&["NULL"]).map(|sample| literal(sample, qualified)).collect();
        let _ = write!(
            script,
            "CREATE TABLE \"{name}\" (v {qualified}); INSERT INTO \"{name}\" VALUES ({});",
            values.join("), (")
        );
        if has_array == "t" {
            let all = values.join(", ");
            let _ = write!(
                script,
                "CREATE TABLE \"{name}[]\" (v {qualified}[]); INSERT INTO \"{name}[]\" VALUES \
                     (ARRAY[{all}]), ('{{}}'), (NULL);"
            );
        }
    }
    source.execute(&script);
}

fn literal(sample: &str, qualified: &str) -> String {
    if sample == "NULL" {
        format!("NULL::{qualified}")
    } else {
        format!("'{}'::{qualified}", sample.replace('\'', "''"))
    }
}
