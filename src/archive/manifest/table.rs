//! Tables whose rows an archive holds.

use serde::{Deserialize, Serialize};

use super::object::ObjectId;
use crate::pgcopy::RowEncoding;

/// A table's place in [`Manifest::tables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableId(pub u32);

/// A table whose rows the archive holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its object.
    pub object: ObjectId,
    /// Its schema's name, unquoted.
    pub schema: String,
    /// Its name, unquoted.
    pub name: String,
    /// The columns carried, in the order of every row of the archive.
    pub columns: Vec<Column>,
    /// How its rows travel.
    pub encoding: RowEncoding,
    /// The condition that its rows were chosen by, from the word `WHERE` on (an extension's
    /// configuration table).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The partitioned table that its rows must go through, because another database may spread
    /// them over its partitions in another way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<TableName>,
    /// Tables whose rows must be there before: a foreign key that an extension brought looks at
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<TableName>,
    /// Rows as the server's statistics guess them; negative is unknown.
    pub rows_estimate: i64,
    /// The table's bytes in the source, TOAST included and indexes not, as `pg_table_size` tells.
    pub bytes_estimate: u64,
}

impl Table {
    /// A table with all its rows, of which nothing is guessed.
    pub fn new(
        object: ObjectId,
        schema: impl Into<String>,
        name: impl Into<String>,
        columns: Vec<Column>,
        encoding: RowEncoding,
    ) -> Self {
        Self {
            object,
            schema: schema.into(),
            name: name.into(),
            columns,
            encoding,
            filter: None,
            root: None,
            after: Vec::new(),
            rows_estimate: 0,
            bytes_estimate: 0,
        }
    }

    /// Schema and name of the table that stands for the bytes of all large objects. Its columns are
    /// the object's oid, the place of the bytes in it, and the bytes.
    pub const LARGE_OBJECTS: (&'static str, &'static str) = ("pg_catalog", "pg_largeobject");

    /// Whether the rows are large objects' bytes.
    pub fn is_large_objects(&self) -> bool {
        (self.schema.as_str(), self.name.as_str()) == Self::LARGE_OBJECTS
    }
}

/// A table's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableName {
    /// Its schema's name, unquoted.
    pub schema: String,
    /// Its name, unquoted.
    pub name: String,
}

/// One column of a table's rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, unquoted.
    pub name: String,
    /// Its type as `format_type` writes it, qualified.
    pub type_name: String,
    /// What its values are in binary, where the type is the database's own: a domain's base type,
    /// `text` for an enumeration, `range of integer` or `multirange of integer` for a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_as: Option<String>,
    /// Whether it may not be NULL, in any row.
    pub not_null: bool,
}
