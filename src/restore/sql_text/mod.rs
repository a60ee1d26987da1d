//! A restore as SQL text that psql runs, as `pg_restore -f` writes it: no server is asked.
//!
//! ```text
//! archive ─► chosen objects ─► settings, pre-data, COPY blocks, post-data, privileges ─► a file or standard output
//! ```
//!
//! What the text meets is not known here: it is for an empty database, or for empty tables with
//! `-a`. What a restore into a server does beside (a marker, checks, several sessions) is not in it.

mod data;
mod order;
mod statement;

use std::io::Write;

use self::order::{Ordered, References};
use self::statement::Out;
use super::options::{Options, Sections};
use super::plan::input::is_late;
use super::plan::statements;
use super::preflight::older_server;
use super::prepare::chosen;
use crate::archive::manifest::{NotCarried, Object, ObjectKind, Section, Table, TableId};
use crate::error::Result;
use crate::pg::settings;
use crate::progress::{Level, Progress};
use crate::select::Selected;
use crate::sql::ident;
use crate::storage::{FileArchive, Source};

/// What is to be written.
pub struct SqlText {
    archive: FileArchive,
    options: Options,
    sections: Sections,
    /// Whether materialized views are filled.
    refresh: bool,
    objects: Vec<Object>,
    /// The tables whose rows are wanted, in the order in which they come.
    order: Vec<TableId>,
    /// What is not in it.
    pub left_out: Vec<NotCarried>,
}

impl SqlText {
    /// Opens an archive, checks it as a restore does, and chooses what these options ask for.
    pub async fn open(
        source: Source,
        mut options: Options,
        progress: &dyn Progress,
    ) -> Result<Self> {
        options.check()?;
        let mut archive = super::open(source, &mut options, progress).await?;
        // Before the objects are taken out of it.
        let sections = super::prepare::sections_of(&options, &archive.manifest);
        let references = References::of(&archive.manifest);
        let chosen = chosen::Chosen::of(&options, &mut archive, super::provision::Room::Empty)?;
        let rows_of = chosen::rows_of(&options, &archive, &chosen.selected);
        if let Some(told) = chosen::nothing(&options, sections, &chosen.selected.objects, &rows_of)
        {
            progress.message(Level::Warning, &told);
        }
        let with_rows: Vec<(TableId, &Table)> = (0..)
            .map(TableId)
            .zip(&archive.manifest.tables)
            .filter(|(TableId(at), _)| {
                let at = *at as usize;
                sections.data && rows_of[at] && archive.index.tables[at].rows > 0
            })
            .collect();
        let Ordered { tables: order, cut } = references.order(&with_rows);
        if !cut.is_empty() && !sections.post_data {
            progress.message(Level::Warning, &circular(&cut));
        }
        let Selected { mut objects, left_out: dangling, .. } = chosen.selected;
        // It is for a server like the source: what that does not know yet is not said.
        let version = archive.manifest.source.server_version_num;
        let unknown = older_server::leave_clauses(&mut objects, sections, version);
        let not_carried = archive.manifest.not_carried.clone();
        let left_out =
            options.selection.not_carried(not_carried).chain(dangling).chain(unknown).collect();
        let refresh = chosen::refreshes(&options, sections);
        Ok(Self { archive, options, sections, refresh, objects, order, left_out })
    }

    /// Writes it. Each chunk's checksums are compared before its rows are written.
    pub fn write(&self, out: &mut dyn Write) -> Result<()> {
        let mut out = Out::new(out);
        self.head(&mut out)?;
        let pre = |object: &&Object| object.section == Section::PreData && !is_late(object.kind);
        let (attaches, before): (Vec<&Object>, Vec<&Object>) =
            self.made().filter(pre).partition(|object| object.kind == ObjectKind::TableAttach);
        // What stands on extensions' objects may need all the rest.
        let (doubtful, before): (Vec<&Object>, Vec<&Object>) =
            before.into_iter().partition(|object| object.extension.is_some());
        for object in before.into_iter().chain(doubtful).chain(attaches) {
            self.create(object, &mut out)?;
        }
        self.data(&mut out)?;
        let post = |object: &&Object| object.section == Section::PostData && !is_late(object.kind);
        for object in self.made().filter(post) {
            self.create(object, &mut out)?;
        }
        self.end(&mut out)
    }

    /// Of how many tables the rows are written, how many rows these are, and how many bytes.
    pub fn totals(&self) -> (u64, u64, u64) {
        let all = self.order.iter().map(|id| &self.archive.index.tables[id.0 as usize]);
        all.fold((0, 0, 0), |(tables, rows, bytes), table| {
            (tables + 1, rows + table.rows, bytes + table.raw_bytes)
        })
    }

    fn head(&self, out: &mut Out<'_>) -> Result<()> {
        let source = &self.archive.manifest.source;
        out.comment(&format!(
            "{} on PostgreSQL {}, {}, written by {}",
            ident::quote(&source.database),
            source.server_version,
            source.snapshot_time,
            concat!("silverback ", env!("CARGO_PKG_VERSION")),
        ))?;
        out.text("\n")?;
        settings::as_text().iter().try_for_each(|sql| out.statement(sql))?;
        if source.encoding == ANY_BYTES {
            ONLY_INTO_ANY_BYTES.iter().try_for_each(|sql| out.statement(sql))?;
        }
        match &self.options.render.role {
            Some(role) => out.statement(&format!("SET ROLE {}", ident::quote(role))),
            None => Ok(()),
        }
    }

    /// The objects that are made, in their order.
    fn made(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| self.sections.holds(object.section))
    }

    fn create(&self, object: &Object, out: &mut Out<'_>) -> Result<()> {
        let steps = statements::create(object, &self.options.render);
        write_object(object, steps.into_iter().map(|step| step.sql), out)
    }

    fn describe(&self, object: &Object, out: &mut Out<'_>) -> Result<()> {
        let steps = statements::describe(object, &self.options.render);
        write_object(object, steps.into_iter().map(|step| step.sql), out)
    }

    /// What comes when the rows and all that is built on them stand, in the order of a restore.
    fn end(&self, out: &mut Out<'_>) -> Result<()> {
        let (defaults, others): (Vec<&Object>, Vec<&Object>) = self
            .made()
            .filter(|object| object.kind != ObjectKind::EventTrigger)
            .partition(|object| object.kind == ObjectKind::DefaultAcl);
        others.into_iter().try_for_each(|object| self.describe(object, out))?;
        if !self.options.render.no_privileges {
            for object in defaults {
                self.create(object, out)?;
                self.describe(object, out)?;
            }
        }
        let is = |kind| move |object: &&Object| object.kind == kind;
        if self.refresh {
            let all = self.objects.iter();
            for object in all.filter(is(ObjectKind::RefreshMaterializedView)) {
                self.create(object, out)?;
            }
        }
        self.last_rows(out)?;
        for object in self.made().filter(is(ObjectKind::EventTrigger)) {
            self.create(object, out)?;
            self.describe(object, out)?;
        }
        if self.options.render.role.is_some() { out.statement("RESET ROLE") } else { Ok(()) }
    }
}

/// The encoding of a database that takes bytes for what they are.
const ANY_BYTES: &str = "SQL_ASCII";

/// What is of such a database, another refuses. COPY would take bytes that are none of its encoding
/// if they were called SQL_ASCII; so they are called what the target is, and looked at.
const ONLY_INTO_ANY_BYTES: [&str; 2] = [
    "DO $$BEGIN IF pg_catalog.current_setting('server_encoding') <> 'SQL_ASCII' THEN RAISE \
     EXCEPTION 'the text comes from a database in SQL_ASCII, and this one is in %', \
     pg_catalog.current_setting('server_encoding') USING HINT = 'create it with ENCODING \
     ''SQL_ASCII'' TEMPLATE template0'; END IF; END$$",
    "SELECT pg_catalog.set_config('client_encoding', \
     pg_catalog.current_setting('server_encoding'), false)",
];

/// Says that no order of rows suits the foreign keys, which the text does not make.
fn circular(cut: &[String]) -> String {
    format!(
        "{} and what it refers to have mutually referencing foreign keys: where these stand, rows \
         may be refused; let a superuser load the text with PGOPTIONS=\"-c \
         session_replication_role=replica\"",
        cut.join(", ")
    )
}

/// Writes what is done to one object.
fn write_object(
    object: &Object,
    statements: impl Iterator<Item = String>,
    out: &mut Out<'_>,
) -> Result<()> {
    let mut statements = statements.peekable();
    if statements.peek().is_none() {
        return Ok(());
    }
    out.text("\n")?;
    out.comment(&object.identity)?;
    match &object.extension {
        None => statements.try_for_each(|sql| out.statement(&sql)),
        Some(extension) => {
            let extension = ident::quote(extension);
            out.comment(&format!("Unless extension {extension} has made it."))?;
            out.statement(&unless_standing(statements))
        }
    }
}

/// What an extension may have made already, or may lack what it stands on: then it is told.
fn unless_standing(statements: impl Iterator<Item = String>) -> String {
    let execute = |sql: String| format!("  EXECUTE {};\n", ident::literal(&sql));
    let body: String = statements.map(execute).collect();
    let body = format!(
        "BEGIN\n{body}EXCEPTION\n  WHEN duplicate_object THEN NULL;\n  WHEN OTHERS THEN RAISE \
         WARNING '%', SQLERRM;\nEND"
    );
    format!("DO {}", ident::literal(&body))
}
