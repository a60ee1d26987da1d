use proptest::collection::vec;
use proptest::prelude::*;

use super::Type;
use crate::error::Kind;

const VERSION: u32 = 180_000;

/// One of each form.
const TYPES: &[&str] = &[
    "boolean",
    "\"char\"",
    "bytea",
    "smallint",
    "integer",
    "bigint",
    "oid",
    "xid8",
    "real",
    "double precision",
    "numeric(10,2)",
    "character varying(3)",
    "jsonb",
    "date",
    "time(3) without time zone",
    "time with time zone",
    "timestamp without time zone",
    "timestamp(0) with time zone",
    "interval day to second(3)",
    "uuid",
    "inet",
    "macaddr",
    "macaddr8",
    "bit varying(7)",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "tsvector",
    "tid",
    "pg_lsn",
    "pg_snapshot",
    "int4range",
    "tstzmultirange",
    "integer[]",
    "numeric(3,1)[]",
    "box[]",
    "int8multirange[]",
    "range of double precision",
    "multirange of text",
    "range of integer[]",
];

fn written(type_name: &str, value: &[u8]) -> crate::error::Result<String> {
    let mut out = Vec::new();
    Type::of(type_name, VERSION)?.write(value, &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[track_caller]
fn check(type_name: &str, value: &[u8], expect: &str) {
    assert_eq!(written(type_name, value).expect("a value"), expect);
}

#[test]
fn unknown_types_are_refused_by_name() {
    for name in ["my.hue", "hue[]", "money", "", "[]", "range of ", "my.integer", "int4vector"] {
        let error = Type::of(name, VERSION).expect_err("not known");
        assert_eq!(error.kind(), Kind::Requirement);
        assert!(error.to_string().contains(&format!("type {name}:")), "{error}");
    }
    let deep = format!("{}integer", "range of ".repeat(9));
    Type::of(&deep, VERSION).expect_err("no type lies so deep");
}

/// A decimal halfway to the next number is not relied on, though it would read as this one; of two
/// that are equally near, the even one is taken.
#[test]
fn floats_as_postgresql_prints_them() {
    for (number, expect) in [
        (1e23, "9.999999999999999e+22"),
        (9_007_199_254_740_993_f64, "9.007199254740992e+15"),
        (2_f64.powi(-44), "5.684341886080802e-14"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (100_000_000_000_000.0, "100000000000000"),
        (1e15, "1e+15"),
        (0.0001, "0.0001"),
        (0.000_01, "1e-05"),
        (-123.456, "-123.456"),
        (-0.0, "-0"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        check("double precision", &f64::to_be_bytes(number), expect);
    }
    let evens = (3_371_828.3, "3.3718282e+06");
    for (number, expect) in [(1e6_f32, "1e+06"), (123_456.0, "123456"), (0.1, "0.1"), evens] {
        check("real", &f32::to_be_bytes(number), expect);
    }
}

#[test]
fn texts_that_depend_on_the_version_of_the_server() {
    let infinity = [&i64::MAX.to_be_bytes()[..], &i32::MAX.to_be_bytes(), &i32::MAX.to_be_bytes()];
    let cases: [(&str, Vec<u8>, u32, &str, &str); 3] = [
        ("\"char\"", vec![0xff], 150_000, "\u{fffd}", "\\377"),
        ("pg_lsn", vec![0, 0, 0, 1, 0, 0, 0, 0xa], 190_000, "1/A", "1/0000000A"),
        (
            "interval",
            infinity.concat(),
            170_000,
            "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807",
            "infinity",
        ),
    ];
    for (name, value, since, before, after) in cases {
        for (version, expect) in [(since - 1, before), (since, after)] {
            let mut out = Vec::new();
            Type::of(name, version).expect("known").write(&value, &mut out).expect("a value");
            assert_eq!(String::from_utf8_lossy(&out), expect);
        }
    }
}

#[test]
fn what_counts_more_than_it_holds_is_refused() {
    let most = i32::MAX.to_be_bytes();
    for (name, value) in [
        ("polygon", most.to_vec()),
        ("int4multirange", most.to_vec()),
        ("tsvector", most.to_vec()),
        ("bit varying", most.to_vec()),
        ("pg_snapshot", [&most[..], &[0; 16]].concat()),
        ("integer[]", [&[0, 0, 0, 2][..], &[0; 8], &most, &most, &most, &most].concat()),
        ("integer[]", [&[0, 0, 0, 7][..], &[0; 80]].concat()),
        ("numeric", vec![0xff, 0xff, 0, 0, 0, 0, 0, 0]),
    ] {
        let error = written(name, &value).expect_err("it does not hold that much");
        assert_eq!(error.kind(), Kind::Archive);
        assert!(error.to_string().contains(&format!("a value of type {name}")), "{error}");
    }
}

proptest! {
    /// Whatever the bytes are, there is a text or an error, and the text is no more than some
    /// digits for each byte, or the digits that a numeric's weight and scale promise.
    #[test]
    fn any_bytes_are_written_or_refused(value in vec(any::<u8>(), 0..80)) {
        for name in TYPES {
            if let Ok(text) = written(name, &value) {
                prop_assert!(text.len() <= 200_000 + value.len() * 200, "{name}: {}", text.len());
            }
        }
    }

    /// The same for bytes that begin as values do.
    #[test]
    fn bytes_like_values_are_written_or_refused(
        head in vec(0_u8..5, 0..24), value in vec(any::<u8>(), 0..60),
    ) {
        let value = [head, value].concat();
        for name in TYPES {
            let _ = written(name, &value);
        }
    }

    /// The digits read as the number.
    #[test]
    fn floats_come_back(bits in any::<u64>(), small in any::<u32>()) {
        let number = f64::from_bits(bits);
        if !number.is_nan() {
            let text = written("double precision", &number.to_be_bytes())?;
            prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(bits));
        }
        let number = f32::from_bits(small);
        if !number.is_nan() {
            let text = written("real", &number.to_be_bytes())?;
            prop_assert_eq!(text.parse::<f32>().map(f32::to_bits), Ok(small));
        }
    }
}
