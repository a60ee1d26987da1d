//! The texts of values are the server's own: of each type that travels in binary, edge values and
//! random ones, read both as the bytes that the server sends and as the text that it prints.
//!
//! `SILVERBACK_TEST_VALUES=10000`, which `scripts/text-values` sets, makes so many random values a
//! type.

mod types;

use std::error::Error;
use std::hash::{BuildHasher, RandomState};

use silverback::pgcopy::text::Type;
use tokio_postgres::types::{self as sent, FromSql};
use types::TYPES;

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
    fn from_sql(_: &sent::Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &sent::Type) -> bool {
        true
    }
}
