//! What is dropped to make room for what the archive holds, as statements.
//!
//! Pure: does not know which of them the server takes.

use std::collections::HashSet;

use crate::archive::manifest::{Detail, Object, ObjectId, ObjectKind};
use crate::restore::options::Sections;
use crate::restore::step::Step;
use crate::restore::target::Target;
use crate::restore::target::leftover::Leftover;

/// One thing to drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::restore) struct Drop {
    /// The statement.
    pub(in crate::restore) step: Step,
    /// Whether it goes with another thing anyhow, so that it need not succeed.
    pub(super) part: bool,
    pub(super) object: ObjectId,
    /// The object that a statement makes harmless instead of dropping something: a view, whose
    /// circle it breaks.
    pub(super) breaks: Option<ObjectId>,
    /// The type that goes only together with its input and output functions.
    pub(super) base_type: Option<String>,
    /// Whether it may stay, because something that is not the archive's is in it, or because it is
    /// another role's.
    pub(super) may_stay: bool,
}

/// What to drop, in the reverse order of making it. A statement that makes a part vanish first
/// breaks a circle.
pub(in crate::restore) fn drops(
    objects: &[Object],
    sections: Sections,
    target: &Target,
    if_exists: bool,
) -> Vec<Drop> {
    let ids: HashSet<ObjectId> = objects.iter().map(|object| object.id).collect();
    let is_wanted = |object: &&Object| sections.holds(object.section) && is_dropped(object, target);
    let gone: HashSet<ObjectId> = objects.iter().filter(is_wanted).map(|one| one.id).collect();
    // They go with their table; alone they are known by their name, and another's may have it.
    let goes_along = |object: &&Object| {
        matches!(object.kind, ObjectKind::Index | ObjectKind::Statistics)
            && object.of.is_some_and(|of| gone.contains(&of))
    };
    let wanted = objects.iter().rev().filter(is_wanted).filter(|object| !goes_along(object));
    wanted
        .filter_map(|object| {
            let sql = object.drop.as_deref()?;
            let part = object.of.is_some_and(|of| ids.contains(&of)) || !sql.starts_with("DROP ");
            let sql = match &object.detail {
                Detail::LargeObjects { oids } => unlink(oids),
                _ if part || if_exists => with_if_exists(sql),
                _ => sql.to_owned(),
            };
            let breaks = object.of.filter(|_| sql.starts_with("CREATE "));
            // What else there is of that type must stay.
            let base_type = object
                .drop
                .as_deref()
                .and_then(|sql| sql.strip_prefix("DROP TYPE ")?.strip_suffix(" CASCADE"))
                .map(str::to_owned);
            let sql = sql.strip_suffix(" CASCADE").map(str::to_owned).unwrap_or(sql);
            let may_stay = matches!(object.kind, ObjectKind::Schema | ObjectKind::Extension);
            let step = Step::new(format!("drop {}", object.identity), sql);
            Some(Drop { step, part, object: object.id, breaks, base_type, may_stay })
        })
        .collect()
}

/// The same of what the archive does not hold.
pub(in crate::restore) fn of_leftovers(leftovers: &[Leftover]) -> Vec<Drop> {
    let drop = |leftover: &Leftover| {
        let what = leftover.to_string();
        Drop {
            step: Step::new(format!("drop {what}"), with_if_exists(&format!("DROP {what}"))),
            part: false,
            object: ObjectId(u32::MAX),
            breaks: None,
            base_type: what.strip_prefix("TYPE ").map(str::to_owned),
            may_stay: leftover.may_stay,
        }
    };
    leftovers.iter().map(drop).collect()
}

/// Statements that part what is dropped, and need not succeed.
pub(in crate::restore) fn parting(statements: Vec<String>) -> Vec<Drop> {
    let drop = |sql| Drop {
        step: Step::new("part the tables that are dropped", sql),
        part: true,
        object: ObjectId(u32::MAX),
        breaks: None,
        base_type: None,
        may_stay: false,
    };
    statements.into_iter().map(drop).collect()
}

/// Whether `drops` has the object in it.
pub(in crate::restore) fn is_dropped(object: &Object, target: &Target) -> bool {
    match object.kind {
        // The server's own, and those that could not be made again.
        ObjectKind::Extension => {
            let found = target.extensions.get(&object.name);
            object.name != "plpgsql"
                && found.is_some_and(|extension| target.superuser || !extension.superuser)
        }
        _ => object.drop.is_some() && !object.statements.is_empty(),
    }
}

fn unlink(oids: &[u32]) -> String {
    let list: Vec<String> = oids.iter().map(u32::to_string).collect();
    format!(
        "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN ({})",
        list.join(", ")
    )
}

/// `DROP TABLE t` becomes `DROP TABLE IF EXISTS t`; what is no DROP stays as it is.
fn with_if_exists(sql: &str) -> String {
    const KINDS: &[&str] = &[
        "ACCESS METHOD",
        "AGGREGATE",
        "CAST",
        "COLLATION",
        "CONVERSION",
        "DOMAIN",
        "EVENT TRIGGER",
        "EXTENSION",
        "FOREIGN DATA WRAPPER",
        "FOREIGN TABLE",
        "FUNCTION",
        "INDEX",
        "LANGUAGE",
        "MATERIALIZED VIEW",
        "OPERATOR CLASS",
        "OPERATOR FAMILY",
        "OPERATOR",
        "POLICY",
        "PROCEDURAL LANGUAGE",
        "PROCEDURE",
        "PUBLICATION",
        "ROUTINE",
        "RULE",
        "SCHEMA",
        "SEQUENCE",
        "SERVER",
        "STATISTICS",
        "SUBSCRIPTION",
        "TABLE",
        "TEXT SEARCH CONFIGURATION",
        "TEXT SEARCH DICTIONARY",
        "TEXT SEARCH PARSER",
        "TEXT SEARCH TEMPLATE",
        "TRANSFORM",
        "TRIGGER",
        "TYPE",
        "USER MAPPING",
        "VIEW",
    ];
    let rest = |kind: &&str| {
        sql.strip_prefix("DROP ")?.strip_prefix(*kind)?.strip_prefix(' ').map(str::to_owned)
    };
    KINDS
        .iter()
        .find_map(|kind| rest(kind).map(|rest| format!("DROP {kind} IF EXISTS {rest}")))
        .unwrap_or_else(|| sql.to_owned())
}

#[cfg(test)]
mod tests;
