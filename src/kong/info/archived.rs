//! The facts of an archive: rows and bytes by its index, small tables decoded from their chunks.
//!
//! Does not know what an archive looks like, nor proves that it is whole: `verify` does. Of a chunk
//! that is read, every checksum is compared.

use std::collections::BTreeSet;

use super::facts::{CHEAP_BYTES, Facts, Request, Rows, SMALL, Small, Table, Unread, expiry};
use super::schema::{COLUMNS, SCHEMA_META, choose, is_there};
use super::value::Value;
use crate::archive::manifest::{self, Manifest, Object, ObjectKind, RowEncoding, TableId};
use crate::archive::{Archive, ReadAt};
use crate::error::Result;
use crate::pgcopy::fields;

/// Reads them; `now` is in microseconds since 1970.
///
/// # Errors
/// [`Kind::Requirement`](crate::error::Kind::Requirement) where there is no Kong, and those of the
/// chunks that are read.
pub fn read<R: ReadAt>(archive: &Archive<R>, request: Request<'_>, now: i64) -> Result<Facts> {
    of_one(archive, request, now, schemas(&archive.manifest))
}

/// The same; none where there is no Kong.
pub fn read_if_there<R: ReadAt>(
    archive: &Archive<R>,
    request: Request<'_>,
    now: i64,
) -> Result<Option<Facts>> {
    let found = schemas(&archive.manifest);
    if !is_there(&found, request.schema) {
        return Ok(None);
    }
    of_one(archive, request, now, found).map(Some)
}

fn of_one<R: ReadAt>(
    archive: &Archive<R>,
    request: Request<'_>,
    now: i64,
    found: Vec<String>,
) -> Result<Facts> {
    let manifest = &archive.manifest;
    let (schema, other_schemas) = choose(found, request.schema, None, &archive.name)?;
    let mut facts = Facts { schema, other_schemas, now, ..Facts::default() };
    for name in table_names(manifest, &facts.schema) {
        let id = manifest.tables.iter().position(|table| is(table, &facts.schema, name));
        let id = id.map(|at| TableId(at as u32));
        let table = Entry { archive, name, id, request };
        let told = table.tell(now)?;
        facts.tables.push(told);
        if let Some(small) = SMALL.iter().find(|small| small.table == name) {
            table.read(small, &mut facts)?;
        }
    }
    Ok(facts)
}

/// The schemas that have Kong's `schema_meta`, with its rows or without.
fn schemas(manifest: &Manifest) -> Vec<String> {
    let is_kongs = |object: &&Object| {
        object.kind == ObjectKind::Table
            && object.name == SCHEMA_META
            && COLUMNS.iter().all(|column| object.statements.iter().any(|sql| sql.contains(column)))
    };
    let defined = manifest.objects.iter().filter(is_kongs).filter_map(|one| one.schema.clone());
    // An archive of rows alone has no definitions.
    let has = |table: &&manifest::Table, column: &str| {
        table.columns.iter().any(|known| known.name == column)
    };
    let filled = manifest.tables.iter().filter(|table| {
        table.name == SCHEMA_META && COLUMNS.iter().all(|column| has(table, column))
    });
    let all = defined.chain(filled.map(|table| table.schema.clone()));
    all.collect::<BTreeSet<String>>().into_iter().collect()
}

fn table_names<'a>(manifest: &'a Manifest, schema: &str) -> Vec<&'a str> {
    let tables = manifest.objects.iter().filter(|object| {
        object.kind == ObjectKind::Table && object.schema.as_deref() == Some(schema)
    });
    tables.map(|object| object.name.as_str()).collect()
}

fn is(table: &manifest::Table, schema: &str, name: &str) -> bool {
    table.schema == schema && table.name == name
}

/// A table of the archive, whose rows may not be in it.
struct Entry<'a, R> {
    archive: &'a Archive<R>,
    name: &'a str,
    id: Option<TableId>,
    request: Request<'a>,
}

impl<R: ReadAt> Entry<'_, R> {
    fn tell(&self, now: i64) -> Result<Table> {
        let name = self.name.to_owned();
        let Some(id) = self.id else {
            return Ok(Table { name, rows: Rows::Unknown, bytes: 0, expired: None });
        };
        let totals = &self.archive.index.tables[id.0 as usize];
        let mut expired = None;
        if let Some(column) = expiry(self.name)
            && self.request.counts(self.name)
            && self.unreadable(id).is_none()
            && self.has(id, column)
        {
            let mut count = 0;
            self.visit(id, &[column], |row| {
                count += u64::from(row[0].number().is_some_and(|until| until < now));
            })?;
            expired = Some(count);
        }
        Ok(Table { name, rows: Rows::Exact(totals.rows), bytes: totals.raw_bytes, expired })
    }

    fn read(&self, small: &Small, facts: &mut Facts) -> Result<()> {
        let reason = match self.id {
            Some(id) => match self.unreadable(id) {
                None => return self.visit(id, small.columns, |row| (small.add)(facts, row)),
                Some(reason) => reason,
            },
            // Others are left out on purpose.
            None if self.name == SCHEMA_META => "the archive has only its definition",
            None => return Ok(()),
        };
        facts.unread.push(Unread { table: self.name.to_owned(), reason: reason.to_owned() });
        Ok(())
    }

    fn unreadable(&self, id: TableId) -> Option<&'static str> {
        let bytes = self.archive.index.tables[id.0 as usize].raw_bytes;
        if self.table(id).encoding == RowEncoding::Text {
            Some("they are in COPY TEXT")
        } else if bytes > CHEAP_BYTES && !self.request.exact {
            Some("they are too many (--exact reads them)")
        } else {
            None
        }
    }

    fn table(&self, id: TableId) -> &manifest::Table {
        &self.archive.manifest.tables[id.0 as usize]
    }

    fn has(&self, id: TableId, column: &str) -> bool {
        self.table(id).columns.iter().any(|known| known.name == column)
    }

    /// Gives every row's values of these columns, NULL for a column that the table does not have.
    fn visit(&self, id: TableId, columns: &[&str], mut each: impl FnMut(&[Value])) -> Result<()> {
        let all = &self.table(id).columns;
        let places: Vec<Option<usize>> = columns
            .iter()
            .map(|column| all.iter().position(|known| known.name == *column))
            .collect();
        let chunks = self.archive.index.chunks.iter().enumerate();
        for (number, _) in chunks.filter(|(_, chunk)| chunk.table == id) {
            let whole = self.archive.read_chunk(number)?.decode()?.whole();
            for row in fields(&whole) {
                let row = row?;
                let value = |place: &Option<usize>| {
                    let field = place.and_then(|at| Some((at, (*row.get(at)?)?)));
                    field.map_or(Ok(Value::Null), |(at, bytes)| {
                        Value::from_binary(&all[at].type_name, bytes)
                    })
                };
                each(&places.iter().map(value).collect::<Result<Vec<Value>>>()?);
            }
        }
        Ok(())
    }
}
