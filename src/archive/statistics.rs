//! What the server's planner knew of the rows, as the manifest holds it. Most common values and
//! histograms are values of rows.
//!
//! Values are texts, as the server writes them; what they mean is its business.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::manifest::object::ObjectId;

/// Texts by the names that the views `pg_stats`, `pg_stats_ext` and `pg_stats_ext_exprs` give to
/// their columns.
pub type Values = BTreeMap<String, String>;

/// The statistics of one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// A table, foreign table or materialized view; an index, or a constraint that has one;
    /// extended statistics.
    pub object: ObjectId,
    /// How large the relation is; none for extended statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<RelationSize>,
    /// The relation's columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnStatistics>,
    /// What extended statistics hold: with the rows of child tables, and without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended: Vec<ExtendedStatistics>,
}

/// What `pg_class` holds of a relation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelationSize {
    /// `relpages`.
    pub pages: i32,
    /// `reltuples`, as text, because it may be no integer; -1 is unknown.
    pub rows: String,
    /// `relallvisible`.
    pub all_visible: i32,
    /// `relallfrozen`, where the server has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_frozen: Option<i32>,
}

/// What `pg_stats` holds of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnStatistics {
    /// Its name, unquoted.
    pub name: String,
    /// Its number. An index's columns are known by it, for their names are the server's invention.
    pub number: i16,
    /// Whether the rows of child tables are counted.
    pub inherited: bool,
    /// The statistics.
    pub values: Values,
}

/// What `pg_stats_ext` and `pg_stats_ext_exprs` hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtendedStatistics {
    /// Whether the rows of child tables are counted.
    pub inherited: bool,
    /// `n_distinct` and `dependencies` in the form of PostgreSQL 19, with columns by their places
    /// in a new table.
    pub values: Values,
    /// One for each expression.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expressions: Vec<Values>,
}

impl Statistics {
    /// Whether the relation had rows, as far as was known.
    pub fn had_rows(&self) -> bool {
        let rows = self.size.as_ref().and_then(|size| size.rows.parse::<f64>().ok());
        rows.is_some_and(|rows| rows > 0.0)
    }
}
