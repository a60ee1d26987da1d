//! A number that clients compare: what becomes live must have a larger one than they have seen in
//! either copy.
//!
//! Pure. Does not know what the number means.

use super::sets::Sets;
use crate::pg::schema_objects::{Key, Movable};
use crate::pg::swap_state::SchemaPair;
use crate::restore::step::Step;
use crate::sql::ident;

/// Which number, and how far it is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised {
    /// The table, in whatever schema it is; each of its rows is a number that was in use.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// How far beyond the largest of both copies.
    pub beyond: i64,
    /// The number itself, where it is given.
    pub given: Option<i64>,
}

/// What raises it once the copies are exchanged: in what is live then, by what `away` holds then.
pub fn steps(raised: Raised, sets: &Sets, away: &[SchemaPair]) -> Vec<Step> {
    away.iter().flat_map(|pair| of_schema(raised, sets, pair)).collect()
}

fn of_schema(raised: Raised, sets: &Sets, pair: &SchemaPair) -> Vec<Step> {
    let away = stands(raised, &sets.live, &pair.live).then(|| {
        let (away, column) = (ident::qualified(&pair.away, raised.table), raised.column);
        format!("SELECT {} FROM {away}", ident::quote(column))
    });
    raise(raised, sets, &pair.live, away)
}

/// Between two databases: the query of the largest number in a schema of what is live; none where it
/// has none.
pub fn largest(raised: Raised, sets: &Sets, schema: &str) -> Option<String> {
    stands(raised, &sets.live, schema).then(|| {
        format!(
            "SELECT coalesce(pg_catalog.max({}), 0)::int8 FROM {}",
            ident::quote(raised.column),
            ident::qualified(schema, raised.table)
        )
    })
}

/// What raises it in a schema of the copy, where the other one's largest is this.
pub fn steps_apart(raised: Raised, sets: &Sets, schema: &str, largest: i64) -> Vec<Step> {
    raise(raised, sets, schema, Some(format!("SELECT {largest}")))
}

fn stands(raised: Raised, objects: &[Movable], schema: &str) -> bool {
    let is_it =
        |key: &Key| key.space == "relation" && key.schema == schema && key.name == raised.table;
    objects.iter().any(|object| is_it(&object.key))
}

/// Raises it in a schema, also beyond what the other query tells.
fn raise(raised: Raised, sets: &Sets, schema: &str, other: Option<String>) -> Vec<Step> {
    let Raised { table, column, beyond, given } = raised;
    if !stands(raised, &sets.away, schema) {
        return Vec::new();
    }
    let (live, name) = (ident::qualified(schema, table), ident::quote(column));
    let mut known = format!("SELECT {name} AS n FROM {live}");
    if let Some(other) = other {
        known = format!("{known} UNION ALL {other}");
    }
    let number = given.map_or_else(
        || format!("(SELECT coalesce(pg_catalog.max(n), 0)::int8 + {beyond} FROM ({known}) known)"),
        |given| given.to_string(),
    );
    let insert = format!(
        "INSERT INTO {live} ({name}) SELECT {number} WHERE NOT EXISTS (SELECT FROM {live} WHERE \
         {name} >= {number})"
    );
    let sequence = format!(
        "SELECT pg_catalog.setval(s.name::pg_catalog.regclass, (SELECT pg_catalog.max({name})::int8 \
         FROM {live})) FROM pg_catalog.pg_get_serial_sequence({}, {}) s(name) WHERE s.name IS NOT \
         NULL",
        ident::literal(&live),
        ident::literal(column)
    );
    let doing = format!("raise {live}.{name}");
    vec![Step::new(&doing, insert), Step::new(&doing, sequence)]
}
