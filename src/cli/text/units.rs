//! Numbers and names as people read them. Decimal units throughout: a MB is 1,000,000 bytes, as in
//! MB/s.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// `1.2 GB`, three figures at most before the unit changes.
pub(in crate::cli) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            return if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// `1,234,567`.
pub(in crate::cli) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 table`, `2 tables`.
pub(in crate::cli) fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

/// `45.1 MB/s`.
pub(in crate::cli) fn rate(bytes: u64, elapsed: Duration) -> String {
    format!("{:.1} MB/s", per_second(bytes, elapsed) / 1e6)
}

/// Units a second; 0 as long as no time has passed.
pub(in crate::cli) fn per_second(amount: u64, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 { amount as f64 / seconds } else { 0.0 }
}

/// `8 s`, `3 min 20 s`, `2 h 5 min`.
pub(in crate::cli) fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// `0.46 s`, `12.3 s`.
pub(in crate::cli) fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}

/// How many times smaller: `4.2`. A dash where there is nothing to compare.
pub(in crate::cli) fn ratio(raw: u64, stored: u64) -> String {
    if raw == 0 || stored == 0 {
        "-".to_owned()
    } else {
        format!("{:.2}", raw as f64 / stored as f64)
    }
}

/// A text that a name may stand in, with everything escaped that could move the cursor, end the
/// line or turn the direction of writing.
pub(in crate::cli) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_unsafe(c) => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// The same for SQL, in which a name or a text may hold line ends of its own.
pub(in crate::cli) fn printable_text(text: &str) -> String {
    let mut safe = text.lines().map(printable).collect::<Vec<_>>().join("\n");
    safe.push('\n');
    safe
}

/// The same for a piece of a text of several lines.
pub(in crate::cli) fn printable_lines(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| is_unsafe(c) && c != '\n') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(printable).collect::<Vec<_>>().join("\n"))
}

/// A piece of JSON with the same characters escaped; they stand in its strings only. What lies
/// below a space JSON has escaped itself.
pub(in crate::cli) fn escaped_json(text: &str) -> Cow<'_, str> {
    let must = |c: char| is_unsafe(c) && !c.is_ascii_whitespace();
    if !text.contains(must) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if must(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Control characters, C1 among them, and what is invisible or turns the direction of writing.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_counts() {
        let check = |number, as_bytes: &str, as_count: &str| {
            assert_eq!((bytes(number).as_str(), count(number).as_str()), (as_bytes, as_count));
        };
        check(0, "0 B", "0");
        check(999, "999 B", "999");
        check(1000, "1.0 kB", "1,000");
        check(999_949, "1.0 MB", "999,949");
        check(1_234_567, "1.2 MB", "1,234,567");
        check(268_435_456, "268.4 MB", "268,435,456");
        check(u64::MAX, "18446744.1 TB", "18,446,744,073,709,551,615");
    }

    #[test]
    fn times_and_rates() {
        assert_eq!(duration(Duration::from_millis(8900)), "8 s");
        assert_eq!(duration(Duration::from_secs(200)), "3 min 20 s");
        assert_eq!(duration(Duration::from_secs(7500)), "2 h 5 min");
        assert_eq!(rate(90_000_000, Duration::from_secs(2)), "45.0 MB/s");
        assert_eq!(rate(90, Duration::ZERO), "0.0 MB/s");
        assert_eq!((ratio(10, 4).as_str(), ratio(0, 4).as_str()), ("2.50", "-"));
        assert_eq!(
            (plural(1, "table").as_str(), plural(0, "table").as_str()),
            ("1 table", "0 tables")
        );
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(printable("public.routes"), "public.routes");
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{202e}"), "a\\u{1b}[2Jb\\nc\\u{202e}");
        assert_eq!(printable("\u{9b}2J\u{200f}\u{7f}"), "\\u{9b}2J\\u{200f}\\u{7f}");
        assert_eq!(printable_lines("a\n\u{9b}\n"), "a\n\\u{9b}\n");
        assert_eq!(
            escaped_json("{\n  \"ä\u{9b}\u{202e}\u{7f}\u{e0041}\"\n}"),
            "{\n  \"ä\\u009b\\u202e\\u007f\\udb40\\udc41\"\n}"
        );
    }
}
