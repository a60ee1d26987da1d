//! Chunks to rows.

use std::sync::Arc;
use std::vec;

use bytes::Bytes;

use super::row::Row;
use crate::archive::manifest::{Column, Manifest, RowEncoding, Table, TableId};
use crate::archive::{Archive, ReadAt};
use crate::error::{Error, Kind, Result};
use crate::pgcopy::first_row;
use crate::pgcopy::text::{Type, unescape};
use crate::sql::ident;

/// The rows of one table.
#[derive(Debug)]
pub struct Rows<'a, R> {
    archive: &'a Archive<R>,
    /// Those that are not read yet, by their places in the index.
    chunks: vec::IntoIter<usize>,
    /// What is left of the chunk that is being read.
    chunk: Bytes,
    reading: Reading,
}

/// How a table's fields become texts.
#[derive(Debug)]
struct Reading {
    columns: Arc<[Column]>,
    source_encoding: Arc<str>,
    encoding: RowEncoding,
    /// The columns' types; none where rows travel as text.
    types: Vec<Type>,
}

impl<'a, R: ReadAt> Rows<'a, R> {
    pub(super) fn of(archive: &'a Archive<R>, id: TableId) -> Result<Self> {
        let table = &archive.manifest.tables[id.0 as usize];
        let doing = || format!("read the rows of {}", ident::qualified(&table.schema, &table.name));
        let reading =
            Reading::of(table, &archive.manifest).map_err(|error| error.within(doing()))?;
        let chunks: Vec<usize> = archive
            .index
            .chunks
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.table == id)
            .map(|(at, _)| at)
            .collect();
        Ok(Self { archive, chunks: chunks.into_iter(), chunk: Bytes::new(), reading })
    }

    fn row(&mut self) -> Result<Option<Row>> {
        loop {
            if let Some(row) = self.reading.row(&mut self.chunk)? {
                return Ok(Some(row));
            }
            let Some(chunk) = self.chunks.next() else { return Ok(None) };
            self.chunk = self.archive.read_chunk(chunk)?.decode()?.whole();
        }
    }
}

impl<R: ReadAt> Iterator for Rows<'_, R> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.row();
        if row.is_err() {
            (self.chunk, self.chunks) = (Bytes::new(), Vec::new().into_iter());
        }
        row.transpose()
    }
}

impl Reading {
    fn of(table: &Table, manifest: &Manifest) -> Result<Self> {
        let known = |column: &Column| {
            let name = column.sent_as.as_deref().unwrap_or(&column.type_name);
            Type::of(name, manifest.source.server_version_num).map_err(|error| {
                let error = error.within(format!("column {}", ident::quote(&column.name)));
                // Those of the server itself have no schema in their names.
                if name.contains('.') {
                    error.hint("dump the database again: archives now say what its own types are")
                } else {
                    error
                }
            })
        };
        let types = match table.encoding {
            RowEncoding::Binary => table.columns.iter().map(known).collect::<Result<_>>()?,
            RowEncoding::Text => Vec::new(),
        };
        let columns = table.columns.clone().into();
        let source_encoding = manifest.source.encoding.as_str().into();
        Ok(Self { columns, source_encoding, encoding: table.encoding, types })
    }

    /// Takes one row off the chunk.
    fn row(&self, chunk: &mut Bytes) -> Result<Option<Row>> {
        let mut fields = Vec::with_capacity(self.columns.len());
        let rest = first_row(self.encoding, self.columns.len(), chunk, &mut fields)
            .map_err(|error| error.as_kind(Kind::Archive))?;
        let Some(rest) = rest else { return Ok(None) };
        let mut row = Row {
            columns: Arc::clone(&self.columns),
            encoding: Arc::clone(&self.source_encoding),
            text: Vec::new(),
            places: Vec::with_capacity(fields.len()),
        };
        for (at, field) in fields.into_iter().enumerate() {
            let start = row.text.len();
            let Some(field) = field else {
                row.places.push(None);
                continue;
            };
            match self.types.get(at) {
                Some(value_type) => value_type.write(field, &mut row.text).map_err(|error| {
                    let name = ident::quote(&self.columns[at].name);
                    Error::within(error, format!("column {name}"))
                })?,
                None => unescape(field, &mut row.text),
            }
            row.places.push(Some(start..row.text.len()));
        }
        let taken = chunk.len() - rest;
        *chunk = chunk.slice(taken..);
        Ok(Some(row))
    }
}
