//! What `kong info` tells, for people.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::cli::text::table;
use crate::cli::text::units::{self, printable};
use crate::kong::info::facts::{Facts, Rows};
use crate::kong::info::{Info, Version};

/// More names than this are not listed.
const NAMES_MAX: usize = 20;

/// Where the facts are from.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) kind: &'static str,
    pub(super) name: String,
}

/// Writes it.
pub(super) fn as_text(place: &Place, info: &Info, out: &mut dyn Write) -> io::Result<()> {
    head(place, info, out)?;
    writeln!(out)?;
    migrations(&info.facts, out)?;
    writeln!(out)?;
    entities(place, info, out)?;
    sessions(&info.facts, out)?;
    if !info.notes.is_empty() {
        writeln!(out, "\nto be looked at")?;
    }
    for note in &info.notes {
        writeln!(out, "{}", printable(&note.text))?;
    }
    Ok(())
}

fn head(place: &Place, info: &Info, out: &mut dyn Write) -> io::Result<()> {
    let facts = &info.facts;
    let mut line = |name: &str, value: &str| writeln!(out, "{name:<14}{}", printable(value));
    line(place.kind, &place.name)?;
    let others = match facts.other_schemas.as_slice() {
        [] => String::new(),
        others => format!("; Kong's tables are in {} too", names(others)),
    };
    line("schema", &format!("{}{others}", facts.schema))?;
    line("version", &version(info))?;
    let pending: usize = facts.subsystems.iter().map(|one| one.pending.len()).sum();
    let state =
        if pending == 0 { "done".to_owned() } else { format!("half done: {pending} pending") };
    line("migrations", &state)?;
    line("workspaces", &counted(&facts.workspaces))?;
    if !facts.parameters.is_empty() {
        line("parameters", &counted(&facts.parameters))?;
    }
    if !facts.data_planes.is_empty() {
        let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
        for plane in &facts.data_planes {
            *versions.entry(plane.version.as_str()).or_default() += 1;
        }
        let versions: Vec<String> = versions
            .iter()
            .map(|(version, count)| {
                let version = if version.is_empty() { "unknown" } else { version };
                format!("{count} of version {version}")
            })
            .collect();
        line("data planes", &format!("{}: {}", facts.data_planes.len(), names(&versions)))?;
    }
    if let Some(version) = facts.sync_version {
        line("sync version", &version.to_string())?;
    }
    for lock in &facts.locks {
        let until = match lock.until {
            None => "without an end".to_owned(),
            Some(until) if until <= facts.now => format!("expired {}", time(until)),
            Some(until) => format!("until {}", time(until)),
        };
        line("lock", &format!("{} by {}, {until}", lock.key, lock.owner))?;
    }
    Ok(())
}

fn version(info: &Info) -> String {
    let told = &info.told;
    let product = if told.is_enterprise { "Kong Enterprise" } else { "Kong Gateway" };
    let by = match (&told.by, told.version) {
        (Some(by), Version::Between(..)) => format!(" (by {by} of the core)"),
        _ => String::new(),
    };
    let ahead = told.ahead.as_ref().map_or_else(String::new, |(plugin, migration, version)| {
        format!("; {migration} of {plugin} is of {version} or newer")
    });
    let version = match told.version {
        Version::Unknown => "of an unknown version".to_owned(),
        known => known.to_string(),
    };
    format!("{product} {version}{by}{ahead}")
}

fn migrations(facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = vec![["subsystem", "executed", "last", "pending"].map(str::to_owned).to_vec()];
    for one in &facts.subsystems {
        let cells = [
            one.name.clone(),
            units::count(one.executed.len() as u64),
            one.last_executed.clone().unwrap_or_default(),
            one.pending.join(", "),
        ];
        rows.push(cells.iter().map(|cell| printable(cell).into_owned()).collect());
    }
    table::align(&rows, &[false, true, false, false], out)
}

fn entities(place: &Place, info: &Info, out: &mut dyn Write) -> io::Result<()> {
    let size = if place.kind == "archive" { "raw" } else { "size" };
    let head = ["class", "table", "rows", size, "expired", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for entity in &info.entities {
        let table = &entity.table;
        let count = match table.rows {
            Rows::Exact(rows) => units::count(rows),
            Rows::Estimate(rows) => format!("~{}", units::count(rows)),
            Rows::Unknown => "-".to_owned(),
        };
        let expired = table.expired.filter(|expired| *expired > 0).map(units::count);
        rows.push(vec![
            entity.class.to_string(),
            printable(&table.name).into_owned(),
            count,
            units::bytes(table.bytes),
            expired.unwrap_or_default(),
            if entity.is_enterprise { "Enterprise".to_owned() } else { String::new() },
        ]);
    }
    table::align(&rows, &[false, false, true, true, true, false], out)
}

fn sessions(facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    let Some(sessions) = facts.sessions.as_deref().filter(|sessions| !sessions.is_empty()) else {
        return Ok(());
    };
    writeln!(out, "\nsessions that may be Kong's")?;
    let mut rows = vec![["pid", "role", "address", "name"].map(str::to_owned).to_vec()];
    for one in sessions {
        let address = one.address.clone().unwrap_or_else(|| "hidden".to_owned());
        let cells = [one.pid.to_string(), one.role.clone(), address, one.application.clone()];
        rows.push(cells.iter().map(|cell| printable(cell).into_owned()).collect());
    }
    table::align(&rows, &[true, false, false, false], out)
}

/// `2: a, b`.
fn counted(all: &[String]) -> String {
    match all {
        [] => "none".to_owned(),
        all => format!("{}: {}", units::count(all.len() as u64), names(all)),
    }
}

fn names(all: &[String]) -> String {
    let shown = all.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    if all.len() > NAMES_MAX { format!("{shown}, ...") } else { shown }
}

/// A time in RFC 3339, to the second.
pub(super) fn time(microseconds: i64) -> String {
    jiff::Timestamp::from_microsecond(microseconds).map_or_else(
        |_| "at an unknown time".to_owned(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kong::info::facts::{DataPlane, Lock, Session, Subsystem, Table};

    #[test]
    fn text() {
        let core = Subsystem {
            name: "core".into(),
            last_executed: Some("015_270_to_280".into()),
            executed: vec!["000_base".into(), "015_270_to_280".into()],
            pending: vec!["016_280_to_300".into()],
        };
        let table =
            |name: &str, rows, expired| Table { name: name.into(), rows, bytes: 16_384, expired };
        let of_2_8 = DataPlane {
            id: "1".into(),
            hostname: "dp".into(),
            ip: "10.0.0.1".into(),
            version: "2.8.4".into(),
            last_seen: None,
            sync_status: "normal".into(),
        };
        let session = Session {
            pid: 42,
            role: "kong\u{1b}".into(),
            application: String::new(),
            address: Some("10.0.0.2".into()),
        };
        let facts = Facts {
            schema: "public".into(),
            other_schemas: vec!["old".into()],
            now: 1_700_000_000_000_000,
            subsystems: vec![core],
            tables: vec![
                table("routes", Rows::Exact(1234), None),
                table("oauth2_tokens", Rows::Estimate(2_000_000), None),
                table("sessions", Rows::Exact(9), Some(4)),
                table("keyring_meta", Rows::Exact(1), None),
                table("inv\noices", Rows::Unknown, None),
            ],
            workspaces: vec!["default".into()],
            locks: vec![Lock {
                key: "migrations".into(),
                owner: "node".into(),
                until: Some(1_700_000_060_000_000),
            }],
            data_planes: vec![of_2_8.clone(), of_2_8],
            sync_version: Some(7),
            sessions: Some(vec![session]),
            ..Facts::default()
        };
        let place = Place { kind: "database", name: "kong".into() };
        let mut out = Vec::new();
        as_text(&place, &Info::of(facts), &mut out).expect("memory takes all");
        insta::assert_snapshot!(String::from_utf8(out).expect("text"));
    }
}
