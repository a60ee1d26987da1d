//! The calls of the server's functions that take statistics: each statement has one boolean column
//! and a row for each call.

use super::columns::{EXTENDED, EXTENDED_TAKEN_FROM, OF_COLUMNS};
use crate::archive::statistics::{
    ColumnStatistics, ExtendedStatistics, RelationSize, Statistics, Values,
};
use crate::sql::ident::literal;

/// Bytes of calls in one statement, and how many: each is a round trip.
const STATEMENT_BYTES_MAX: usize = 1 << 20;
const CALLS_MAX: usize = 200;

/// Whose statistics they are, unquoted: schema and name of the object, and of the table that it
/// belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The object's schema and name.
    pub object: (String, String),
    /// Its table's, for extended statistics.
    pub table: (String, String),
    /// Whether it is an index, whose columns are named by number.
    pub is_index: bool,
}

/// The statements that give a server the statistics of some objects that came from a server of
/// version `source`. One that is older than 19 is not told of extended ones.
pub fn statements<'a>(
    all: impl IntoIterator<Item = (&'a Statistics, &'a Name)>,
    source: u32,
    target: u32,
) -> Vec<String> {
    let calls =
        all.into_iter().flat_map(|(statistics, name)| calls(statistics, name, source, target));
    let (mut statements, mut count): (Vec<String>, usize) = (Vec::new(), 0);
    for call in calls {
        match statements.last_mut() {
            Some(last) if count < CALLS_MAX && last.len() + call.len() < STATEMENT_BYTES_MAX => {
                last.extend([" UNION ALL SELECT ", &call]);
                count += 1;
            }
            _ => {
                statements.push(format!("SELECT {call}"));
                count = 1;
            }
        }
    }
    statements
}

fn calls(statistics: &Statistics, name: &Name, source: u32, target: u32) -> Vec<String> {
    let size = statistics.size.iter().map(|size| size_call(size, name, source));
    let columns = statistics.columns.iter().map(|column| column_call(column, name, source));
    let extended = statistics.extended.iter().filter(|_| target >= EXTENDED_TAKEN_FROM);
    size.chain(columns)
        .chain(extended.map(|extended| extended_call(extended, name, source)))
        .collect()
}

fn size_call(size: &RelationSize, name: &Name, source: u32) -> String {
    let mut arguments = Arguments::of(&name.object, source);
    arguments.add("relpages", &size.pages.to_string(), "integer");
    arguments.add("reltuples", &size.rows, "real");
    arguments.add("relallvisible", &size.all_visible.to_string(), "integer");
    if let Some(frozen) = size.all_frozen {
        arguments.add("relallfrozen", &frozen.to_string(), "integer");
    }
    arguments.call("pg_restore_relation_stats")
}

fn column_call(column: &ColumnStatistics, name: &Name, source: u32) -> String {
    let mut arguments = Arguments::of(&name.object, source);
    if name.is_index {
        arguments.add("attnum", &column.number.to_string(), "smallint");
    } else {
        arguments.add("attname", &column.name, "text");
    }
    arguments.add("inherited", &column.inherited.to_string(), "boolean");
    arguments.add_all(&column.values, OF_COLUMNS);
    arguments.call("pg_restore_attribute_stats")
}

fn extended_call(extended: &ExtendedStatistics, name: &Name, source: u32) -> String {
    let mut arguments = Arguments::of(&name.table, source);
    arguments.add("statistics_schemaname", &name.object.0, "text");
    arguments.add("statistics_name", &name.object.1, "text");
    arguments.add("inherited", &extended.inherited.to_string(), "boolean");
    arguments.add_all(&extended.values, EXTENDED);
    if !extended.expressions.is_empty() {
        let expressions = serde_json::to_string(&extended.expressions).unwrap_or_default();
        arguments.add("exprs", &expressions, "jsonb");
    }
    arguments.call("pg_restore_extended_stats")
}

/// Pairs of names and values.
struct Arguments(String);

impl Arguments {
    fn of((schema, name): &(String, String), source: u32) -> Self {
        let mut arguments = Self(format!("'version', {source}::integer"));
        arguments.add("schemaname", schema, "text");
        arguments.add("relname", name, "text");
        arguments
    }

    fn add(&mut self, name: &str, value: &str, type_name: &str) {
        self.0.extend([", '", name, "', ", &literal(value), "::", type_name]);
    }

    /// Adds what is known of the values; the names are ours, whatever the archive says.
    fn add_all(&mut self, values: &Values, known: &[(&str, &str)]) {
        for (name, type_name) in known {
            if let Some(value) = values.get(*name) {
                self.add(name, value, type_name);
            }
        }
    }

    fn call(self, function: &str) -> String {
        format!("pg_catalog.{function}({})", self.0)
    }
}

#[cfg(test)]
mod tests;
