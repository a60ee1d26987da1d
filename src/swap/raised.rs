//! A number that clients compare: what becomes live must have a larger one than they have seen in
//! either copy.
//!
//! Pure. Does not know what the number means.

use super::sets::Sets;
use crate::pg::schema_objects::Key;
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
    let Raised { table, column, beyond, given } = raised;
    let is_it = |key: &Key| key.space == "relation" && key.schema == pair.live && key.name == table;
    if !sets.away.iter().any(|object| is_it(&object.key)) {
        return Vec::new();
    }
    let (live, name) = (ident::qualified(&pair.live, table), ident::quote(column));
    let mut known = format!("SELECT {name} AS n FROM {live}");
    if sets.live.iter().any(|object| is_it(&object.key)) {
        let away = ident::qualified(&pair.away, table);
        known = format!("{known} UNION ALL SELECT {name} FROM {away}");
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
