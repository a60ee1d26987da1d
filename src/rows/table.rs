//! A table of an archive by its name.

use std::collections::HashMap;

use super::read::Rows;
use crate::archive::manifest::{Column, Object, ObjectId, ObjectKind, Table, TableId};
use crate::archive::{Archive, ReadAt};
use crate::error::{Error, Kind, Result};
use crate::sql::ident;

/// A table whose rows an archive holds.
#[derive(Debug)]
pub struct ArchivedTable<'a, R> {
    archive: &'a Archive<R>,
    id: TableId,
}

impl<R> Archive<R> {
    /// Finds a table by its name as SQL has it: `public.consumers`, in lower case what does not
    /// stand in double quotes, or `consumers` alone where it is in one schema only. A name that is
    /// not found so is looked for as it is written.
    ///
    /// # Errors
    /// [`Kind::Requirement`] if the archive holds no rows of a table of that name, with names that
    /// are like it.
    pub fn table(&self, name: &str) -> Result<ArchivedTable<'_, R>> {
        let mut found = self.called(&parts(name, Case::Folded));
        if found.is_empty() {
            found = self.called(&parts(name, Case::AsWritten));
        }
        match found[..] {
            [id] => Ok(ArchivedTable { archive: self, id }),
            [] => Err(self.unknown(name)),
            _ => {
                let cause = "several tables have that name";
                let error = Error::new(Kind::Requirement, format!("find table {name}"), cause);
                let names = found.iter().map(|id| qualified(&self.manifest.tables[id.0 as usize]));
                Err(error.with_items(names.collect()).hint("name the schema, too"))
            }
        }
    }

    fn called(&self, parts: &[String]) -> Vec<TableId> {
        match parts {
            [schema, own] => self.named(|table| (&table.schema, &table.name) == (schema, own)),
            [own] => self.named(|table| table.name == *own),
            _ => Vec::new(),
        }
    }

    fn named(&self, is_meant: impl Fn(&Table) -> bool) -> Vec<TableId> {
        let tables = (0..).map(TableId).zip(&self.manifest.tables);
        tables.filter(|(_, table)| is_meant(table)).map(|(id, _)| id).collect()
    }

    fn unknown(&self, name: &str) -> Error {
        let is_called = |schema: &str, own: &str| {
            [Case::Folded, Case::AsWritten].into_iter().any(|case| match &parts(name, case)[..] {
                [schema_name, name] => schema == schema_name && own == name,
                [name] => own == name,
                _ => false,
            })
        };
        let is_object = self.manifest.objects.iter().any(|object| {
            let schema = object.schema.as_deref().unwrap_or_default();
            object.of.is_none() && is_called(schema, &object.name)
        });
        let by_id: HashMap<ObjectId, &Object> =
            self.manifest.objects.iter().map(|object| (object.id, object)).collect();
        let find = |id: &ObjectId| by_id.get(id).copied();
        let is_meant = |object: &Object| {
            object.kind == ObjectKind::Table
                && is_called(object.schema.as_deref().unwrap_or_default(), &object.name)
        };
        let attaches =
            self.manifest.objects.iter().filter(|object| object.kind == ObjectKind::TableAttach);
        let parts: Vec<String> = attaches
            .filter(|attach| attach.depends_on.iter().filter_map(find).any(is_meant))
            .filter_map(|attach| find(&attach.of?).filter(|child| !is_meant(child)))
            .map(|child| ident::qualified(child.schema.as_deref().unwrap_or_default(), &child.name))
            .take(NEAR_MAX)
            .collect();
        let cause = if is_object {
            "the archive holds its definition, but no rows under its name"
        } else {
            "the archive holds no rows of a table of that name"
        };
        let error = Error::new(Kind::Requirement, format!("find table {name}"), cause);
        if !parts.is_empty() {
            return error.hint(format!("they are in its partitions: {} …", parts.join(", ")));
        }
        let near = near(name, &self.manifest.tables);
        if near.is_empty() {
            return error.hint("silverback list names the tables of an archive");
        }
        error.hint(format!("is it {}?", near.join(" or ")))
    }
}

impl<'a, R> ArchivedTable<'a, R> {
    /// What the archive says of it.
    pub fn table(&self) -> &'a Table {
        &self.archive.manifest.tables[self.id.0 as usize]
    }

    /// The columns of each row, in their order.
    pub fn columns(&self) -> &'a [Column] {
        &self.table().columns
    }

    /// How many rows there are.
    pub fn row_count(&self) -> u64 {
        self.archive.index.tables[self.id.0 as usize].rows
    }
}

impl<R: ReadAt> Archive<R> {
    /// The rows of a table by its place in the manifest: see [`ArchivedTable::rows`].
    pub fn rows_of(&self, table: TableId) -> Result<Rows<'_, R>> {
        Rows::of(self, table)
    }
}

impl<'a, R: ReadAt> ArchivedTable<'a, R> {
    /// The rows in the order in which the archive holds them, read chunk by chunk. After an error
    /// nothing follows.
    ///
    /// # Errors
    /// [`Kind::Requirement`] if the text of a column's type is not known, with its name.
    pub fn rows(&self) -> Result<Rows<'a, R>> {
        Rows::of(self.archive, self.id)
    }
}

fn qualified(table: &Table) -> String {
    ident::qualified(&table.schema, &table.name)
}

/// What becomes of a name outside double quotes.
#[derive(Clone, Copy)]
enum Case {
    /// Lower case, as in SQL.
    Folded,
    AsWritten,
}

/// The parts of a name, without their quotes.
fn parts(name: &str, case: Case) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = name.chars().peekable();
    while let Some(next) = chars.next() {
        let part = parts.last_mut().expect("there is one from the start");
        match next {
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => part.push('"'),
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(String::new()),
            _ if is_quoted || matches!(case, Case::AsWritten) => part.push(next),
            _ => part.extend(next.to_lowercase()),
        }
    }
    parts
}

/// How many names are told.
const NEAR_MAX: usize = 3;

/// Names that are like what was typed: the same in another schema, or mistyped.
fn near(typed: &str, tables: &[Table]) -> Vec<String> {
    let typed = parts(typed, Case::Folded);
    let bare = typed.last().map_or("", String::as_str);
    let whole = typed.join(".");
    let distance = |table: &Table| {
        let own = strsim::damerau_levenshtein(bare, &table.name.to_lowercase());
        let all = format!("{}.{}", table.schema, table.name).to_lowercase();
        (own, strsim::damerau_levenshtein(&whole, &all))
    };
    let mut near: Vec<((usize, usize), String)> = tables
        .iter()
        .map(|table| (distance(table), qualified(table)))
        .filter(|((own, _), _)| *own <= bare.len() / 3)
        .collect();
    near.sort();
    near.truncate(NEAR_MAX);
    near.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::{Case, parts};

    #[test]
    fn names_are_taken_apart_as_in_sql() {
        for (name, expect) in [
            ("a", &["a"][..]),
            ("public.a", &["public", "a"]),
            ("\"My\".a", &["My", "a"]),
            ("\"a.b\".\"say \"\"x\"\"\"", &["a.b", "say \"x\""]),
            ("a.b.c", &["a", "b", "c"]),
            ("", &[""]),
        ] {
            assert_eq!(parts(name, Case::AsWritten), expect);
        }
        assert_eq!(parts("Public.\"My\"", Case::Folded), ["public", "My"]);
    }
}
