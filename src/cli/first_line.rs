//! The first line of a run: which server, database and role, and where each of them came from.
//!
//! Does not know how that was decided.

use serde_json::json;

use super::args::connection::Connection;
use super::progress::reporter::Reporter;
use crate::pg::connect::parameters::Setting;

/// What is told of a place, and what the settings call it that say it, without Kong's prefix.
const PARTS: [(&str, &[&str]); 4] = [
    ("host", &["host", "hostaddr"]),
    ("port", &["port"]),
    ("role", &["user"]),
    ("database", &["dbname", "database"]),
];

/// Tells what is begun, such as `restore into`, and where.
pub(super) fn tell(doing: &str, connection: &Connection, reporter: &Reporter) {
    let (server, sources) = (&connection.server, sources(&connection.settings));
    let text = format!("{doing} {} ({})", server.describe(), words(&sources));
    let fields = json!({
        "doing": doing,
        "server": server.describe(),
        "database": server.database(),
        "role": server.user(),
        "sources": sources.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
    });
    reporter.event("connection", &text, &fields);
}

/// Each part with its source.
fn sources(settings: &[Setting]) -> [(&'static str, &str); 4] {
    PARTS.map(|(part, names)| {
        let plain = |name: &str| {
            let name = name.strip_prefix("pg_").unwrap_or(name);
            name.strip_prefix("ro_").unwrap_or(name).to_owned()
        };
        let source = settings.iter().find(|setting| names.contains(&plain(&setting.name).as_str()));
        (part, source.map_or("default", |setting| setting.source.as_str()))
    })
}

/// `KONG_PG_*`; `host: PGHOST; port, role: default; database: --dbname`.
fn words(sources: &[(&str, &str)]) -> String {
    let mut by_source: Vec<(&str, Vec<&str>)> = Vec::new();
    for (part, source) in sources {
        let source = if source.starts_with("KONG_PG_") { "KONG_PG_*" } else { source };
        match by_source.iter_mut().find(|(known, _)| *known == source) {
            Some((_, parts)) => parts.push(part),
            None => by_source.push((source, vec![part])),
        }
    }
    if let [(source, _)] = by_source.as_slice() {
        return (*source).to_owned();
    }
    let all = by_source.iter().map(|(source, parts)| format!("{}: {source}", parts.join(", ")));
    all.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: &[(&str, &str)], expect: &str) {
        let settings: Vec<Setting> = settings
            .iter()
            .map(|(name, source)| Setting {
                name: (*name).to_owned(),
                value: "x".to_owned(),
                source: (*source).to_owned(),
            })
            .collect();
        assert_eq!(words(&sources(&settings)), expect, "{settings:?}");
    }

    #[test]
    fn each_source_is_named_once() {
        check(&[], "default");
        check(
            &[("host", "PGHOST"), ("user", "PGUSER"), ("dbname", "--dbname")],
            "host: PGHOST; port: default; role: PGUSER; database: --dbname",
        );
        check(
            &[("hostaddr", "-h"), ("password", "PGPASSWORD")],
            "host: -h; port, role, database: default",
        );
    }

    #[test]
    fn kongs_variables_are_one_source() {
        let all = [
            ("pg_host", "KONG_PG_HOST"),
            ("pg_port", "KONG_PG_PORT"),
            ("pg_user", "KONG_PG_USER"),
            ("pg_database", "KONG_PG_DATABASE"),
        ];
        check(&all, "KONG_PG_*");
        check(&all[..2], "host, port: KONG_PG_*; role, database: default");
        let replica = [("pg_ro_host", "KONG_PG_RO_HOST"), ("pg_user", "/etc/kong/kong.conf")];
        check(&replica, "host: KONG_PG_*; port, database: default; role: /etc/kong/kong.conf");
    }
}
