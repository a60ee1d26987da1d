//! Which tables the plugins that come with Kong have, and which of them are missing where their
//! migrations have run.
//!
//! Pure. Of other plugins it is known only that they may have tables.

use std::collections::BTreeSet;

use super::guard::{Guard, Situation};
use crate::kong::classes::{self, Class};
use crate::kong::info::{Entity, Info};

/// Each plugin that has tables with those that all its versions have.
const PLUGINS: &[(&str, &[&str])] = &[
    ("acl", &["acls"]),
    ("acme", &["acme_storage"]),
    ("basic-auth", &["basicauth_credentials"]),
    ("hmac-auth", &["hmacauth_credentials"]),
    ("jwt", &["jwt_secrets"]),
    ("key-auth", &["keyauth_credentials"]),
    ("oauth2", &["oauth2_authorization_codes", "oauth2_credentials", "oauth2_tokens"]),
    ("rate-limiting", &["ratelimiting_metrics"]),
    ("response-ratelimiting", &["response_ratelimiting_metrics"]),
    ("session", &["sessions"]),
];

/// Those that have migrations and no table of their own.
const WITHOUT_TABLES: &[&str] = &[
    "ai-proxy",
    "bot-detection",
    "core",
    "http-log",
    "ip-restriction",
    "opentelemetry",
    "post-function",
    "pre-function",
];

/// The rows of plugins' tables that the target has not, into which rows alone are to come.
/// `is_meant` tells of a table whether its rows are.
pub fn rows_without_table(
    source: &Info,
    target: &Info,
    is_meant: impl Fn(&str) -> bool,
) -> Vec<Guard> {
    let has = |table: &str| target.entities.iter().any(|entity| entity.table.name == table);
    let rows = |table: &str| {
        let entity = source.entities.iter().find(|entity| entity.table.name == table);
        entity.and_then(|entity| entity.table.rows.number()).unwrap_or(0)
    };
    let all = PLUGINS
        .iter()
        .flat_map(|(plugin, tables)| tables.iter().map(move |table| (*plugin, *table)));
    let lacks = all.filter(|(_, table)| rows(table) > 0 && is_meant(table) && !has(table));
    lacks
        .map(|(plugin, table)| {
            let problem = format!(
                "the archive has {} rows of {table}, a table of plugin {plugin}, which the target \
                 has not: the plugin's migrations have not run there",
                rows(table)
            );
            let next = format!(
                "run kong migrations up there with the plugin enabled, or leave it out: -T {table}"
            );
            Guard::new(Situation::PluginTables, problem, next)
        })
        .collect()
}

/// The tables that are missing. `has`: whether a table is there, and meant.
pub(super) fn missing(info: &Info, place: &str, has: impl Fn(&str) -> bool) -> Vec<Guard> {
    let mut guards = Vec::new();
    let subsystems = info.facts.subsystems.iter().map(|subsystem| subsystem.name.as_str());
    let mut strangers = BTreeSet::new();
    for plugin in subsystems {
        let known = PLUGINS.iter().find(|(name, _)| *name == plugin);
        let missing: Vec<&str> = known
            .into_iter()
            .flat_map(|(_, tables)| tables.iter().copied().filter(|table| !has(table)))
            .collect();
        if !missing.is_empty() {
            let problem = format!(
                "schema_meta says that the migrations of plugin {plugin} have run, but its table \
                 {} is not in {place}: Kong will not make it again",
                missing.join(", ")
            );
            let next = "leave it in, without its rows: --exclude-table-data in the place of -T";
            guards.push(Guard::new(Situation::PluginTables, problem, next));
        }
        let is_enterprise = plugin.split('.').next() == Some("enterprise");
        if known.is_none() && !WITHOUT_TABLES.contains(&plugin) && !is_enterprise {
            strangers.insert(plugin);
        }
    }
    let is_strange = |entity: &&Entity| entity.class == Class::Unknown && has(&entity.table.name);
    // Those of Enterprise's plugins are known by name.
    let any_table = info.entities.iter().any(|entity| {
        is_strange(&entity)
            || classes::known(&entity.table.name).is_some_and(|known| known.is_enterprise)
    });
    if !strangers.is_empty() && !any_table {
        let names = strangers.into_iter().collect::<Vec<_>>().join(", ");
        let problem = format!(
            "schema_meta says that migrations of plugins have run that are not Kong's own \
             ({names}), but {place} has no table that is not Kong's: if they have any, Kong will \
             not make them again"
        );
        let next = "look with: silverback kong info, and dump or restore the whole schema";
        guards.push(Guard::new(Situation::PluginTables, problem, next));
    }
    guards
}
