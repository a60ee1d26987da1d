//! What sessions are set to, so that text means the same on both sides and no setting of a role, of
//! a database or of a pooler's other clients gets in the way: names and values by purpose and
//! version, as SQL. Does not know how they are sent.
//!
//! A dump's session sets nothing for itself: each of its transactions sets all with `SET LOCAL`,
//! because the next one may run in another session of the server. Statements do it, never a SELECT,
//! which would take the snapshot before the locks.

use std::time::Duration;

use crate::sql::ident;

/// A setting, its value, and the versions that brought it, the newest last; none, where every
/// server has it.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    since: &'static [u32],
}

const fn set(name: &'static str, value: &'static str) -> Setting {
    Setting { name, value, since: &[] }
}

const fn newer(name: &'static str, value: &'static str, since: &'static [u32]) -> Setting {
    Setting { name, value, since }
}

/// First of all: neither may end or capture what comes after it.
const FIRST: &[Setting] = &[set("statement_timeout", "0"), set("search_path", "")];

const BOTH: &[Setting] = &[
    set("client_encoding", "UTF8"),
    set("standard_conforming_strings", "on"),
    set("TimeZone", "UTC"),
    set("DateStyle", "ISO, MDY"),
    set("IntervalStyle", "postgres"),
    set("extra_float_digits", "3"),
    set("bytea_output", "hex"),
    set("xmlbinary", "base64"),
    set("array_nulls", "on"),
    set("quote_all_identifiers", "off"),
    set("idle_in_transaction_session_timeout", "0"),
    newer("transaction_timeout", "0", &[170_000]),
    set("jit", "off"),
    set("lc_monetary", "C"),
];

/// Rows in the order of their pages, and no view or foreign table in the place of a table
/// (CVE-2024-7348), which came with minor versions.
const DUMP: &[Setting] = &[
    set("synchronize_seqscans", "off"),
    newer(
        "restrict_nonsystem_relation_kind",
        "view, foreign-table",
        &[120_020, 130_016, 140_013, 150_008, 160_004, 170_000],
    ),
];

const RESTORE: &[Setting] = &[
    set("lock_timeout", "0"),
    newer("idle_session_timeout", "0", &[140_000]),
    set("row_security", "off"),
    set("default_transaction_deferrable", "off"),
    set("default_transaction_read_only", "off"),
    set("check_function_bodies", "off"),
    set("xmloption", "content"),
    set("client_min_messages", "warning"),
    set("default_table_access_method", "heap"),
    set("default_tablespace", ""),
];

/// What a restore's sessions are set to.
pub(super) fn of_restore() -> impl Iterator<Item = &'static Setting> {
    FIRST.iter().chain(BOTH).chain(RESTORE)
}

/// The same as statements for a server of any version, for SQL text.
pub fn as_text() -> Vec<String> {
    let statement = |setting: &Setting| {
        let (name, value) = (setting.name, ident::literal(setting.value));
        if setting.since.is_empty() {
            return format!("SET {name} = {value}");
        }
        let text = ident::literal(name);
        format!(
            "SELECT pg_catalog.set_config(name, {value}, false) FROM pg_catalog.pg_settings WHERE \
             name = {text}"
        )
    };
    of_restore().map(statement).collect()
}

/// What a dump's transactions are set to, whatever they are for.
pub(super) fn of_dump() -> impl Iterator<Item = &'static Setting> {
    FIRST.iter().chain(BOTH).chain(DUMP)
}

/// Which settings a server has: by its version, or by their names where it was asked because its
/// version misleads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known<'a> {
    Version(u32),
    Names(&'a [String]),
}

impl Known<'_> {
    fn has(self, setting: &Setting) -> bool {
        match self {
            Self::Version(version) => {
                let same_major = |since: &u32| since / 10_000 == version / 10_000;
                let first =
                    setting.since.iter().find(|since| same_major(since)).or(setting.since.last());
                first.is_none_or(|first| version >= *first)
            }
            Self::Names(names) => names.iter().any(|name| name == setting.name),
        }
    }
}

/// How a transaction of a dump is to be: it reads, at REPEATABLE READ unless it is deferrable.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transaction<'a> {
    /// SERIALIZABLE and DEFERRABLE: its first query waits for a snapshot that no serialisation
    /// anomaly can show in.
    pub deferrable: bool,
    /// The role whose place is taken.
    pub role: Option<&'a str>,
    /// Lets the policies of row security choose the rows; without it, a table whose policies would
    /// is an error.
    pub row_security: bool,
    /// How long a lock is waited for; zero is for ever.
    pub lock_timeout: Duration,
    /// The snapshot of another transaction that is to be seen.
    pub snapshot: Option<&'a str>,
}

impl Transaction<'_> {
    fn isolation(&self) -> (&'static str, &'static str) {
        if self.deferrable {
            ("SERIALIZABLE", "DEFERRABLE")
        } else {
            ("REPEATABLE READ", "NOT DEFERRABLE")
        }
    }

    fn row_security(&self) -> &'static str {
        if self.row_security { "on" } else { "off" }
    }

    /// The statements that begin it, but for the role and the snapshot. Nothing in them takes a
    /// snapshot.
    pub(super) fn begin(&self, known: Known<'_>) -> String {
        let (isolation, deferrable) = self.isolation();
        let begin = format!("BEGIN ISOLATION LEVEL {isolation}, READ ONLY, {deferrable}");
        let known = of_dump().filter(|setting| known.has(setting));
        let set = known.map(|setting| {
            format!("SET LOCAL {} = {}", setting.name, ident::literal(setting.value))
        });
        let own = [
            format!("SET LOCAL row_security = {}", self.row_security()),
            format!("SET LOCAL lock_timeout = {}", self.lock_timeout.as_millis()),
        ];
        // Not the role that a pooler's earlier client took.
        let role = self.role.is_none().then(|| "SET LOCAL role TO DEFAULT".to_owned());
        [begin].into_iter().chain(set).chain(own).chain(role).collect::<Vec<_>>().join("; ")
    }

    /// The settings that must be seen in it, with what the server shows.
    pub(super) fn shown(&self) -> Vec<(&'static str, String)> {
        let (isolation, deferrable) = self.isolation();
        let mut shown: Vec<(&str, String)> = (of_dump())
            .map(|setting| {
                (
                    setting.name,
                    if setting.name == "search_path" {
                        "\"\"".to_owned()
                    } else {
                        setting.value.to_owned()
                    },
                )
            })
            .collect();
        shown.extend([
            ("row_security", self.row_security().to_owned()),
            ("lock_timeout", shown_time(self.lock_timeout.as_millis())),
            ("transaction_isolation", isolation.to_lowercase()),
            ("transaction_read_only", "on".to_owned()),
            (
                "transaction_deferrable",
                if deferrable == "DEFERRABLE" { "on" } else { "off" }.to_owned(),
            ),
        ]);
        shown.extend(self.role.map(|role| ("role", role.to_owned())));
        shown
    }
}

/// A time as the server shows it: in the largest unit that divides it.
fn shown_time(milliseconds: u128) -> String {
    const UNITS: [(u128, &str); 5] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
    let unit =
        UNITS.iter().find(|(length, _)| milliseconds > 0 && milliseconds.is_multiple_of(*length));
    unit.map_or_else(|| "0".to_owned(), |(length, name)| format!("{}{name}", milliseconds / length))
}

/// `server_version_num` for the text of `server_version`, with whatever its packager wrote behind
/// it: 150018 for `15.18 (Debian 15.18-1)`, 190000 for `19rc1`.
pub(super) fn version_num(text: &str) -> Option<u32> {
    let number = |text: &str| {
        text.split(|c: char| !c.is_ascii_digit())
            .next()
            .and_then(|digits| digits.parse::<u32>().ok())
    };
    let major = number(text)?;
    let minor = text
        .split_once('.')
        .filter(|(before, _)| before.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|(_, rest)| number(rest));
    let minor = minor.unwrap_or_default();
    // Before 10, two numbers named a major version.
    if major < 10 {
        Some(major * 10_000 + minor.min(99) * 100)
    } else {
        major.checked_mul(10_000).map(|major| major + minor.min(9_999))
    }
}

/// What becomes of the transaction before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is committed.
    Commit,
    /// It is rolled back.
    Rollback,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_whatever_stands_behind_them() {
        for (text, expect) in [
            ("15.18 (Debian 15.18-1.pgdg12+1)", Some(150_018)),
            ("18.1", Some(180_001)),
            ("19rc1", Some(190_000)),
            ("19beta2 (Debian 19~beta2-1)", Some(190_000)),
            ("20devel", Some(200_000)),
            ("9.6.24", Some(90_600)),
            ("12.12 (Greenplum Database 7.1.0 build)", Some(120_012)),
            ("15.2-YB-2025.1.0.0-b0", Some(150_002)),
            ("13 (a.7)", Some(130_000)),
            ("99999999999", None),
            ("4000000000.1", None),
            ("", None),
            ("nonsense 1.2", None),
        ] {
            assert_eq!(version_num(text), expect, "{text}");
        }
    }

    #[test]
    fn a_server_is_asked_for_what_it_has() {
        let begins = |known: Known<'_>| {
            let sql = Transaction::default().begin(known);
            (
                sql.contains("transaction_timeout = '0'; SET LOCAL jit"),
                sql.contains("restrict_nonsystem_relation_kind"),
            )
        };
        for (version, expect) in [
            (120_019, (false, false)),
            (120_020, (false, true)),
            (130_000, (false, false)),
            (160_003, (false, false)),
            (160_004, (false, true)),
            (170_000, (true, true)),
            (190_000, (true, true)),
        ] {
            assert_eq!(begins(Known::Version(version)), expect, "{version}");
        }
        assert_eq!(begins(Known::Names(&[])), (false, false));
    }

    #[test]
    fn a_transaction_says_all_of_itself() {
        let transaction = Transaction {
            role: Some("r"),
            lock_timeout: Duration::from_secs(90),
            ..Transaction::default()
        };
        let sql = transaction.begin(Known::Version(180_000));
        assert!(sql.starts_with(
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY, NOT DEFERRABLE; \
             SET LOCAL statement_timeout = '0'; SET LOCAL search_path = ''"
        ));
        assert!(
            sql.ends_with("; SET LOCAL row_security = off; SET LOCAL lock_timeout = 90000"),
            "{sql}"
        );
        let plain = Transaction { deferrable: true, row_security: true, ..Transaction::default() }
            .begin(Known::Version(180_000));
        assert!(
            plain.starts_with("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE; "),
            "{plain}"
        );
        assert!(
            plain.ends_with(
                "; SET LOCAL row_security = on; SET LOCAL lock_timeout = 0; SET \
                 LOCAL role TO DEFAULT"
            ),
            "{plain}"
        );
        let shown = transaction.shown();
        for pair in [
            ("search_path", "\"\""),
            ("lock_timeout", "90s"),
            ("transaction_isolation", "repeatable read"),
            ("role", "r"),
        ] {
            assert!(shown.contains(&(pair.0, pair.1.to_owned())), "{pair:?} in {shown:?}");
        }
    }

    #[test]
    fn times_are_shown_as_the_server_shows_them() {
        for (milliseconds, expect) in [
            (0, "0"),
            (1, "1ms"),
            (1_500, "1500ms"),
            (30_000, "30s"),
            (120_000, "2min"),
            (7_200_000, "2h"),
            (172_800_000, "2d"),
        ] {
            assert_eq!(shown_time(milliseconds), expect);
        }
    }
}
