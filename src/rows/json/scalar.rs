//! One value that is no array, but for the two types of arrays that look like words.

/// Writes a value by its type: numbers and truth values bare, `json` as it is, dates as ISO 8601 has
/// them, all else as a string.
pub(super) fn write(value: &str, type_name: &str, out: &mut Vec<u8>) {
    let base = type_name.split('(').next().unwrap_or(type_name).trim_end();
    match base {
        "boolean" => out.extend_from_slice(if value == "t" { b"true" } else { b"false" }),
        "smallint" | "integer" | "bigint" | "real" | "double precision" | "numeric"
            if value.bytes().next_back().is_some_and(|last| last.is_ascii_digit()) =>
        {
            out.extend_from_slice(value.as_bytes());
        }
        "json" | "jsonb" => {
            let is_break = |byte| matches!(byte, b'\n' | b'\r');
            out.extend(value.bytes().map(|byte| if is_break(byte) { b' ' } else { byte }));
        }
        "int2vector" => vector(value, "smallint", out),
        "oidvector" => vector(value, "oid", out),
        _ if base.starts_with("timestamp") => string(&date_time(value), out),
        _ => string(value, out),
    }
}

/// Writes one of the two types of arrays that are read and written as words.
fn vector(value: &str, element: &str, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, one) in value.split_whitespace().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(one, element, out);
    }
    out.push(b']');
}

/// Writes a JSON string.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("memory takes all, and a text is JSON");
}

/// A date, `T`, a time; hours of a zone with their minutes.
fn date_time(value: &str) -> String {
    let (moment, era) = match value.strip_suffix(" BC") {
        Some(moment) => (moment, " BC"),
        None => (value, ""),
    };
    let minutes = if moment.ends_with("+00") { ":00" } else { "" };
    format!("{}{minutes}{era}", moment.replacen(' ', "T", 1))
}
