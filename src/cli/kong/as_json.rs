//! What `kong info` tells, for machines. Fields may be added within one version.

use serde_json::{Value, json};

use super::as_text::{Place, time};
use crate::kong::classes::Class;
use crate::kong::info::facts::{Facts, Rows};
use crate::kong::info::{Entity, Info, Version};

/// The version of the JSON.
const SCHEMA_VERSION: u32 = 1;

/// All of it; times are RFC 3339, UTC.
pub(super) fn as_json(place: &Place, info: &Info) -> Value {
    let facts = &info.facts;
    let names = |keep: fn(&Entity) -> bool| -> Vec<&str> {
        let kept = info.entities.iter().filter(|entity| keep(entity));
        kept.map(|entity| entity.table.name.as_str()).collect()
    };
    json!({
        "schema_version": SCHEMA_VERSION,
        "source": { "kind": place.kind, "name": place.name },
        "schema": facts.schema,
        "other_schemas": facts.other_schemas,
        "kong": version(info),
        "half_migrated": facts.subsystems.iter().any(|one| !one.pending.is_empty()),
        "migrations": facts.subsystems.iter().map(|one| json!({
            "subsystem": one.name,
            "last_executed": one.last_executed,
            "executed": one.executed,
            "pending": one.pending,
        })).collect::<Vec<_>>(),
        "workspaces": facts.workspaces,
        "parameters": facts.parameters,
        "tables": info.entities.iter().map(entity).collect::<Vec<_>>(),
        "unknown_tables": names(|entity| entity.class == Class::Unknown),
        "enterprise_tables": names(|entity| entity.is_enterprise),
        "sync_version": facts.sync_version,
        "locks": locks(facts),
        "data_planes": data_planes(facts),
        "sessions": facts.sessions.as_ref().map(|sessions| sessions.iter().map(|one| json!({
            "pid": one.pid,
            "role": one.role,
            "application_name": one.application,
            "address": one.address,
        })).collect::<Vec<_>>()),
        "notes": info.notes.iter().map(|note| json!({ "code": note.code, "text": note.text }))
            .collect::<Vec<_>>(),
    })
}

fn version(info: &Info) -> Value {
    let told = &info.told;
    let (first, last) = match told.version {
        Version::Between(first, last) => (Some(first), Some(last)),
        _ => (None, None),
    };
    json!({
        "edition": if told.is_enterprise { "enterprise" } else { "gateway" },
        "version": told.version.to_string(),
        "first": first,
        "last": last,
        "told_by": told.by,
        "towards": told.towards.map(|version| version.to_string()),
    })
}

fn entity(entity: &Entity) -> Value {
    let table = &entity.table;
    json!({
        "name": table.name,
        "class": entity.class.word(),
        "enterprise": entity.is_enterprise,
        "rows": table.rows.number(),
        "rows_are": match table.rows {
            Rows::Exact(_) => "exact",
            Rows::Estimate(_) => "estimate",
            Rows::Unknown => "unknown",
        },
        "bytes": table.bytes,
        "expired": table.expired,
    })
}

fn locks(facts: &Facts) -> Vec<Value> {
    let lock = facts.locks.iter().map(|lock| {
        json!({
            "key": lock.key,
            "owner": lock.owner,
            "until": lock.until.map(time),
            "holds": lock.holds(facts.now),
        })
    });
    lock.collect()
}

fn data_planes(facts: &Facts) -> Vec<Value> {
    let plane = facts.data_planes.iter().map(|plane| {
        json!({
            "id": plane.id,
            "hostname": plane.hostname,
            "ip": plane.ip,
            "version": plane.version,
            "last_seen": plane.last_seen.map(time),
            "sync_status": plane.sync_status,
        })
    });
    plane.collect()
}
