//! The texts of values are the server's own: of each type that travels in binary, edge values and
//! random ones, read both as the bytes that the server sends and as the text that it prints.
//!
//! `SILVERBACK_TEST_VALUES=10000`, which `scripts/text-values` sets, makes so many random values a
//! type.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};

use silverback::pgcopy::text::Type;
use tokio_postgres::types::{self, FromSql};

/// Types, edge values as literals, and SQL that makes random ones of `x`, `y` and `z` (0 to 1), `g`
/// (1, 2, …) and `h` (32 hexadecimal digits).
const TYPES: &[(&str, &[&str], &str)] = &[
    ("bool", &["t", "f"], "x < 0.5"),
    ("\"char\"", &["", "x", "\\", "\\377"], "chr((x * 300)::int + 1)"),
    ("bytea", &["\\x", "\\x00ff5c4e0a"], "decode(left(h, (x * 16)::int * 2), 'hex')"),
    ("int2", &["-32768", "32767", "0"], "x * 65535 - 32768"),
    ("int4", &["-2147483648", "2147483647"], "x * 4e9 - 2e9"),
    ("int8", &["-9223372036854775808", "9223372036854775807"], "x * 1.8e19 - 9e18"),
    ("oid", &["0", "4294967295"], "(x * 4294967295)::int8"),
    ("xid", &["0", "4294967295"], "(x * 4294967295)::int8::text::xid"),
    ("cid", &["0", "4294967295"], "(x * 4294967295)::int8::text::cid"),
    ("xid8", &["0", "18446744073709551615"], "(x * 9e18)::int8::text::xid8"),
    ("oid8", &["0", "18446744073709551615"], "(x * 9e18)::int8::text::oid8"),
    ("tid", &["(0,0)", "(4294967295,65535)"], "format('(%s,%s)', (x * 4e9)::int8, g % 65536)::tid"),
    (
        "float4",
        &[
            "-0",
            "1e-45",
            "1.1754944e-38",
            "3.4028235e38",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e6",
            "999999",
            "0.0001",
            "0.00001",
            "16777216",
            "8388608",
            "3.3554432e7",
            "1e10",
            "9.5e10",
        ],
        "CASE g % 3 WHEN 0 THEN (x - 0.5) * 10::float8 ^ (y * 70 - 35)::int \
         WHEN 1 THEN 2::float8 ^ (x * 240 - 120)::int \
         ELSE format('%se%s', (x * 999)::int, (y * 60 - 32)::int)::float8 END",
    ),
    (
        "float8",
        &[
            "-0",
            "4.9e-324",
            "2.2250738585072014e-308",
            "1.7976931348623157e308",
            "0.1",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e23",
            "1e15",
            "999999999999999",
            "1e-4",
            "1e-5",
            "9007199254740993",
            "5.684341886080802e-14",
            "8.5e21",
            "2e22",
            "5e22",
            "9.5367431640625e-07",
        ],
        "CASE g % 3 WHEN 0 THEN (x - 0.5) * 10::float8 ^ (y * 600 - 300)::int \
         WHEN 1 THEN 2::float8 ^ (x * 2000 - 1000)::int \
         ELSE format('%se%s', (x * 9999)::int, (y * 600 - 306)::int)::float8 END",
    ),
    (
        "numeric",
        &[
            "NaN",
            "0",
            "0.00",
            "-12345.67891",
            "1e-1000",
            "1e1000",
            "0.0001",
            "0.00001",
            "10000",
            "9999.9999",
            "-0.5",
            "1e131071",
            "1.10",
            "100000000.000000001",
        ],
        "CASE g % 2 WHEN 0 THEN format('%s%se%s', left('-', (z * 2)::int), (x * 1e9)::int8, \
         (y * 80 - 40)::int) \
         ELSE format('%s.%s', (x * 1e6)::int8, lpad((y * 1e9)::int8::text, (z * 20)::int, '0')) \
         END::numeric",
    ),
    ("text", &["", "\\N", "\\.", "tab\t nl\n \\ \" äöü€"], "h"),
    ("varchar", &["", "äöü€"], "left(h, (x * 32)::int)"),
    ("bpchar", &["a ", "", "ü"], "rpad(h, 34)"),
    ("char(5)", &["a", "", "ü"], "left(h, 3)"),
    ("name", &["", "nämé"], "h"),
    ("json", &["{\"a\" : 1,  \"a\":2}", "null"], "json_build_object(h, x)"),
    (
        "jsonb",
        &["{\"b\": 1e400, \"a\": \"\\u20ac\\\\\"}", "[]"],
        "jsonb_build_object(h, x, 'n', y)",
    ),
    (
        "jsonpath",
        &["$.\"a\"[*] ? (@ > 1)", "strict $"],
        "format('$.a%s ? (@ > %s)', g, g)::jsonpath",
    ),
    ("uuid", &["00000000-0000-0000-0000-000000000000"], "h::uuid"),
    (
        "date",
        &[
            "4713-01-01 BC",
            "4714-11-24 BC",
            "5874897-12-31",
            "infinity",
            "-infinity",
            "0001-12-31 BC",
            "0001-01-01",
            "2000-02-29",
            "1999-12-31",
            "0005-02-29 BC",
        ],
        "CASE g % 2 WHEN 0 THEN date '4713-01-01 BC' + (x * 2147000000)::int \
         ELSE date '2000-01-01' + (x * 2000000 - 1000000)::int END",
    ),
    (
        "time",
        &["00:00", "24:00", "23:59:59.999999", "12:00:00.1"],
        "'0:00'::time + x * '24 h'::interval",
    ),
    (
        "timetz",
        &["24:00:00+15:59", "00:00:00-15:59", "12:00+00", "01:02:03.040506-00:00:01"],
        "format('%s%s%s:%s:%s', 'now'::time, CASE WHEN x < y THEN '-' ELSE '+' END, lpad((x * 15)::int::text, 2, '0'), \
         lpad((y * 59)::int::text, 2, '0'), lpad(((g % 3) * 7)::text, 2, '0'))::timetz",
    ),
    (
        "timestamp",
        &[
            "-infinity",
            "infinity",
            "4713-01-01 00:00 BC",
            "294276-12-31 23:59:59.999999",
            "4714-11-24 00:00:00 BC",
            "1999-12-31 23:59:59.999999",
            "0001-01-01 00:00",
        ],
        "date '4713-01-01 BC' + (x * 100000000)::int + y * '24 h'::interval",
    ),
    (
        "timestamptz",
        &["infinity", "-infinity", "4713-01-01 00:00+00 BC", "1883-11-18 12:03:57.123456-05"],
        "(date '4713-01-01 BC' + (x * 3000000)::int + y * '24 h'::interval) AT TIME ZONE 'UTC'",
    ),
    (
        "interval",
        &[
            "-178000000 years",
            "178000000 years",
            "1 mon -1 day 00:00:00.000001",
            "0",
            "-1 s",
            "-1 mon",
            "1 year -1 mon 1 day",
            "-1 day +00:00:01",
            "1 day -00:00:00.5",
            "13 mons",
            "-13 mons",
            "infinity",
            "-infinity",
            "2147483647 mons",
            "-2147483648 mons",
            "2562047788:00:54.775807",
            "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807",
        ],
        "make_interval((x * 10 - 5)::int, (y * 5 - 2)::int, 0, (z * 6 - 3)::int, \
         (x * 300 - 150)::int, 0, (g % 5 - 2) * y * 70)",
    ),
    (
        "inet",
        &[
            "192.168.1.5/24",
            "::ffff:1.2.3.4",
            "::/0",
            "::",
            "::1",
            "::2",
            "::1:2",
            "::1.2.3.4",
            "1::",
            "0:0:1::",
            "1:0:0:2:0:0:0:3",
            "::ffff:0:0",
            "0:0:0:0:ffff:1:2:3",
            "::1:0:0:0",
            "fe80::1/64",
            "0.0.0.0/0",
            "1:2:3:4:5:6:7:0",
            "0:2:3:4:5:6:7:8",
            "::2:3:4:5:6:7:8/128",
        ],
        "CASE g % 2 WHEN 0 THEN format('%s.%s.%s.%s/%s', (x * 255)::int, (y * 255)::int, \
         (z * 255)::int, g % 256, (x * 32)::int) \
         ELSE regexp_replace(translate(h, '3456789abcdef', '0000000000000'), \
         '(....)(?!$)', '\\1:', 'g') || '/' || (x * 128)::int END::inet",
    ),
    (
        "cidr",
        &["10.0.0.0/8", "2001:db8::/32", "1.2.3.4", "::1/128", "::ffff:0:0/96", "0.0.0.0/0"],
        "network(format('%s.%s.%s.%s/%s', (x * 255)::int, (y * 255)::int, (z * 255)::int, \
         g % 256, (x * 32)::int)::inet)",
    ),
    ("macaddr", &["08:00:2b:01:02:03"], "left(h, 12)::macaddr"),
    ("macaddr8", &["08:00:2b:01:02:03:04:05"], "left(h, 16)::macaddr8"),
    ("bit", &["1", "0"], "(g % 2)::int::bit"),
    ("bit(31)", &[], "(x * 2147483647)::int::bit(31)"),
    ("varbit", &["", "1111111111"], "substring((x * 2e9)::int::bit(32) for (y * 32)::int)"),
    ("point", &["(NaN,-0)", "(Infinity,1e-300)"], "point((x - 0.5) * 10 ^ (y * 40 - 20)::int, z)"),
    ("line", &["{1,-1,0}", "{0.5,2,-3e20}"], "line(point(x, y), point(z, x * 100))"),
    ("lseg", &["[(0,0),(1,NaN)]"], "lseg(point(x, y), point(z, x * 100))"),
    ("box", &["(1,1),(-0,NaN)"], "box(point(x, y), point(z, x * 100))"),
    ("circle", &["<(0,-0),5>", "<(1,1),Infinity>"], "circle(point(x, y), z)"),
    (
        "path",
        &["[(0,0)]", "((0,0),(1,1),(2,0))"],
        "CASE g % 2 WHEN 0 THEN path(polygon((x * 6)::int + 2, circle(point(x, y), z + 0.1))) \
         ELSE popen(path(polygon((x * 6)::int + 2, circle(point(x, y), z + 0.1)))) END",
    ),
    ("polygon", &["((1,1))"], "polygon((x * 6)::int + 2, circle(point(x, y), z + 0.1))"),
    (
        "int4range",
        &["empty", "(,)", "[1,5]"],
        "int4range(nullif(g % 5, 0), nullif(g % 5 + g % 7, 3), '(]')",
    ),
    ("int8range", &["empty", "(,5]"], "int8range(g, g + (x * 1e12)::int8)"),
    ("numrange", &["empty", "[1.50,)", "(,NaN]"], "numrange(x::numeric, x::numeric + 1.0, '(]')"),
    (
        "daterange",
        &["empty", "[2020-01-01,infinity)", "(,0001-01-01 BC)"],
        "daterange('2020-01-01', date '2020-01-01' + g)",
    ),
    (
        "tsrange",
        &["empty", "(2020-01-01,infinity]"],
        "tsrange(NULL, timestamp '2020-01-01' + x * '1000 d'::interval)",
    ),
    (
        "tstzrange",
        &["empty", "[2020-01-01 00:00+00,)"],
        "tstzrange(timestamptz '2020-01-01' + x * '1000 d'::interval, NULL)",
    ),
    (
        "int4multirange",
        &["{}", "{[1,2),[5,)}"],
        "int4multirange(int4range(g, g + 2), int4range(g + 7, NULL))",
    ),
    ("int8multirange", &["{}", "{(,)}"], "int8multirange(int8range(g, g + 2))"),
    (
        "nummultirange",
        &["{}", "{[1.50,2]}"],
        "nummultirange(numrange(x::numeric, 1), numrange(2, NULL))",
    ),
    (
        "datemultirange",
        &["{}", "{[2020-01-01,2020-02-01),[2021-01-01,)}"],
        "datemultirange(daterange('2020-01-01', date '2020-01-01' + g))",
    ),
    (
        "tsmultirange",
        &["{}", "{[2020-01-01,2020-01-02)}"],
        "tsmultirange(tsrange(NULL, timestamp '2020-01-01' + x * '1000 d'::interval))",
    ),
    (
        "tstzmultirange",
        &["{}", "{[2020-01-01 00:00+00,)}"],
        "tstzmultirange(tstzrange(timestamptz '2020-01-01' + x * '1000 d'::interval, NULL))",
    ),
    (
        "tsvector",
        &["", "'it''s':1A,2B a", "'a\\\\b':3", "a:1,2,16383C"],
        "setweight(to_tsvector('simple', h || ' it''s ' || md5(h)), (ARRAY['A', 'B', 'C', 'D'])[g % 4 + 1]::\"char\")",
    ),
    (
        "pg_lsn",
        &["0/0", "FFFFFFFF/FFFFFFFF", "1/A"],
        "format('%s/%s', to_hex((x * 4e9)::int8), to_hex((y * 4e9)::int8))::pg_lsn",
    ),
    (
        "txid_snapshot",
        &["10:20:10,14", "10:10:"],
        "format('%s:%s:%s', g, g + 10, g + 3)::txid_snapshot",
    ),
    (
        "pg_snapshot",
        &["10:20:10,14", "10:10:"],
        "format('%s:%s:%s', g, g + 10, g + 3)::pg_snapshot",
    ),
    (
        "text[]",
        &[
            "{}",
            "{NULL,null2,\"null\",\"NULL\",\"\"}",
            "[0:1]={a,b}",
            "[-5:-4][7:7]={{\"{\"},{\",\"}}",
            "{{{1,2},{3,4}},{{5,6},{7,8}}}",
            "{\"a b\",\"\\\\\",\"\\\"\",ä,\"x\ty\"}",
        ],
        "ARRAY[h, NULL, translate(h, '0123456789abcdef', ' \",{}()[]:;\t'), '']",
    ),
    ("int4[]", &["{}", "[3:4]={1,NULL}", "{{1,2,3},{4,5,6}}"], "ARRAY[[g, 1], [-g, NULL]]"),
    ("numeric(12,3)[]", &["{1,NaN}"], "ARRAY[x, y]::numeric(12,3)[]"),
    ("float8[]", &["{1e15,NaN,-Infinity}"], "ARRAY[x, y * 1e300]"),
    ("bool[]", &["{t,f,NULL}"], "ARRAY[x < y]"),
    ("box[]", &["{(1,1),(0,0);(3,3),(2,2)}"], "ARRAY[box(point(x, y), point(z, z))]"),
    ("point[]", &[], "ARRAY[point(x, y), point(y, x)]"),
    ("bytea[]", &["{\"\\\\x00\"}"], "ARRAY[decode(h, 'hex')]"),
    ("int4range[]", &["{empty,\"[1,2)\"}"], "ARRAY[int4range(g, g + 9), NULL]"),
    (
        "timestamptz[]",
        &["{infinity,\"2020-01-01 00:00+00\"}"],
        "ARRAY[timestamptz '2020-01-01' + x * '1000 d'::interval]",
    ),
    ("json[]", &[], "ARRAY[json_build_object(h, x)]"),
    ("inet[]", &["{1.2.3.4,::1}"], "ARRAY[inet '1.2.3.4' + g]"),
    ("uuid[]", &[], "ARRAY[h::uuid]"),
    ("interval[]", &["{1 day,-1 s}"], "ARRAY[x * '100 d'::interval]"),
    ("\"char\"[]", &["{a,\"\"}"], "ARRAY[chr(g % 126 + 1)::\"char\"]"),
    ("information_schema.cardinal_number", &["0", "7"], "g"),
];

/// The settings of a dump's session.
const SETTINGS: &str = "SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; \
    SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex'";

#[test]
fn texts_are_the_servers() {
    let random = std::env::var("SILVERBACK_TEST_VALUES");
    let random = random.map_or(200, |count| count.parse::<u32>().expect("a number"));
    for version in testkit::versions() {
        let server = testkit::server(version);
        let database = server.database("text_values");
        let admin = database.admin();
        admin.execute(SETTINGS);
        let number: u32 = admin.value("SHOW server_version_num").parse().expect("a number");
        let mut compared = 0;
        for (name, edges, sql) in TYPES {
            let base = name.split(['(', '[']).next().unwrap_or(name);
            if admin.value(&format!("SELECT to_regtype('{base}') IS NULL")) == "t" {
                continue;
            }
            admin.execute(&format!(
                "DROP TABLE IF EXISTS pg_temp.t; CREATE TEMP TABLE t (v {name}); \
                 INSERT INTO pg_temp.t SELECT ({sql})::{name} FROM generate_series(1, {random}) g, \
                 LATERAL (SELECT random() AS x, random() AS y, random() AS z, \
                 md5(random()::text || g) AS h) r"
            ));
            let literal = |edge: &str| format!("('{}'::{name})", edge.replace('\'', "''"));
            let floats: Vec<String> =
                random_floats(name, random).iter().map(|number| literal(number)).collect();
            if !floats.is_empty() {
                admin.execute(&format!("INSERT INTO pg_temp.t VALUES {}", floats.join(", ")));
            }
            for edge in *edges {
                let insert = format!("INSERT INTO pg_temp.t VALUES {}", literal(edge));
                // Older servers read less than they hold.
                if let Err(error) = admin.try_execute(&insert) {
                    assert!(version < 17, "{name} on {version}: {edge}: {error:?}");
                }
            }
            compared += compare(&database, name, number);
        }
        println!("PostgreSQL {version}: {compared} values of {} types", TYPES.len());
    }
}

/// Compares what the server prints of each value with what is made of the bytes that it sends.
fn compare(database: &testkit::Database<'_>, name: &str, version: u32) -> usize {
    let format_type = "SELECT format_type(coalesce(nullif(t.typbasetype, 0), t.oid), \
        CASE WHEN t.typbasetype = 0 THEN a.atttypmod ELSE t.typtypmod END) FROM pg_attribute a \
        JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = 'pg_temp.t'::regclass AND \
        a.attname = 'v'";
    let value_type = Type::of(&database.value(format_type), version).expect("a known type");
    let session = database.admin().clone();
    let rows = testkit::block_on(async move {
        let sql = "SELECT v, concat(v) FROM pg_temp.t WHERE v IS NOT NULL";
        session.inner().query(sql, &[]).await
    });
    let rows = rows.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert!(!rows.is_empty(), "{name} has no values");
    for row in &rows {
        let (Raw(value), Raw(expect)) = (row.try_get(0).expect("v"), row.try_get(1).expect("t"));
        let mut text = Vec::new();
        value_type
            .write(&value, &mut text)
            .unwrap_or_else(|error| panic!("{error}; the server prints {}", shown(&expect)));
        assert!(
            text == expect,
            "{name} on {version}: {} for {}, the bytes {value:02x?}",
            shown(&text),
            shown(&expect)
        );
    }
    rows.len()
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// Numbers of any bits, for SQL has only those that it can compute.
fn random_floats(name: &str, count: u32) -> Vec<String> {
    let bits = |at| RandomState::new().hash_one(at);
    (0..count)
        .filter_map(|at| match name {
            "float8" => Some(f64::from_bits(bits(at))).map(|number| format!("{number:e}")),
            "float4" => Some(f32::from_bits(bits(at) as u32)).map(|number| format!("{number:e}")),
            _ => None,
        })
        .map(|text| text.replace("inf", "Infinity"))
        .collect()
}

/// A value's bytes, whatever its type.
struct Raw(Vec<u8>);

impl FromSql<'_> for Raw {
    fn from_sql(_: &types::Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &types::Type) -> bool {
        true
    }
}
