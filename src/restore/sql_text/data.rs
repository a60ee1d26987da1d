//! Rows, sequences' values and large objects as text.

use std::fs::File;

use super::SqlText;
use super::statement::Out;
use crate::archive::manifest::{Object, ObjectKind, Section, Table, TableId};
use crate::error::Result;
use crate::rows::{Rows, copy};
use crate::sql::ident;

impl SqlText {
    /// Rows, but for those that come last; then sequences' values.
    pub(super) fn data(&self, out: &mut Out<'_>) -> Result<()> {
        if !self.sections.data {
            return Ok(());
        }
        let data = |object: &&Object| object.section == Section::Data;
        let (large, values): (Vec<&Object>, Vec<&Object>) =
            self.made().filter(data).partition(|object| object.kind == ObjectKind::LargeObject);
        large.into_iter().try_for_each(|object| self.create(object, out))?;
        self.tables(out, |table| !self.is_last(table))?;
        values.into_iter().try_for_each(|object| self.create(object, out))
    }

    /// The rows that declare a database usable, and those of extensions, which may act on what
    /// stands.
    pub(super) fn last_rows(&self, out: &mut Out<'_>) -> Result<()> {
        self.tables(out, |table| self.is_last(table))
    }

    fn is_last(&self, table: &Table) -> bool {
        (self.options.profile.loads_last)(&table.name)
    }

    fn tables(&self, out: &mut Out<'_>, wanted: impl Fn(&Table) -> bool) -> Result<()> {
        let all = self.order.iter().map(|id| (*id, &self.archive.manifest.tables[id.0 as usize]));
        all.filter(|(_, table)| wanted(table))
            .try_for_each(|(id, table)| self.table(id, table, out))
    }

    fn table(&self, id: TableId, table: &Table, out: &mut Out<'_>) -> Result<()> {
        let rows = self.archive.rows_of(id)?;
        out.text("\n")?;
        let count = self.archive.index.tables[id.0 as usize].rows;
        let name = ident::qualified(&table.schema, &table.name);
        out.comment(&format!("{count} rows of {name}"))?;
        if table.is_large_objects() {
            return large_objects(rows, out);
        }
        let into =
            table.root.as_ref().map_or(name, |root| ident::qualified(&root.schema, &root.name));
        let columns = ident::list(table.columns.iter().map(|column| column.name.as_str()));
        let columns = if columns.is_empty() { columns } else { format!(" ({columns})") };
        // All else is in UTF-8.
        let encoding = match self.archive.manifest.source.encoding.as_str() {
            "UTF8" | super::ANY_BYTES => String::new(),
            other => format!(" WITH (ENCODING {})", ident::literal(other)),
        };
        out.statement(&format!("COPY {into}{columns} FROM stdin{encoding}"))?;
        let mut line = Vec::new();
        for row in rows {
            line.clear();
            copy::write(&row?, &mut line);
            out.bytes(&line)?;
        }
        out.text("\\.\n")
    }
}

/// Each part of each object, by a call.
fn large_objects(rows: Rows<'_, File>, out: &mut Out<'_>) -> Result<()> {
    for row in rows {
        let row = row?;
        let (oid, position): (u32, i64) = (row.get("loid")?, row.get("position")?);
        let data = ident::literal(row.get("data")?);
        out.statement(&format!(
            "SELECT pg_catalog.lo_put({oid}::pg_catalog.oid, {position}::pg_catalog.int8, \
             {data}::pg_catalog.bytea)"
        ))?;
    }
    Ok(())
}
