//! What an archive that is to be restored says of the Kong in it.

use std::path::Path;

use crate::archive::manifest::{Manifest, ObjectKind};
use crate::error::Result;
use crate::kong::classes;
use crate::kong::guards::counted;
use crate::kong::info::{Info, Request, archived};
use crate::kong::sync_version;
use crate::pool;
use crate::select::Selection;
use crate::storage::FileArchive;

/// The Kong in an archive.
pub(super) struct Archived {
    /// What its rows tell; the time is that of the dump.
    pub(super) info: Info,
    /// The tables of its schema, unquoted.
    pub(super) tables: Vec<String>,
    /// Whether there are rows and no definitions.
    pub(super) rows_alone: bool,
    /// The type of the incremental sync's version, if there is one.
    pub(super) sync_column: Option<String>,
}

impl Archived {
    /// Reads it; none where there is no Kong. `schema`: the one that is meant, if it is there.
    pub(super) async fn read(
        path: &Path,
        max_memory: u64,
        schema: Option<&str>,
    ) -> Result<Option<Self>> {
        let (path, schema) = (path.to_owned(), schema.map(str::to_owned));
        pool::run(move || {
            let archive = FileArchive::open_path_within(&path, max_memory)?;
            let now = snapshot_time(&archive.manifest);
            let request = Request { counted: Some(counted), ..Request::default() };
            let named = Request { schema: schema.as_deref(), ..request };
            let facts = match archived::read_if_there(&archive, named, now)? {
                None if schema.is_some() => archived::read_if_there(&archive, request, now)?,
                facts => facts,
            };
            Ok(facts.map(|facts| Self::of(Info::of(facts), &archive.manifest)))
        })
        .await
    }

    fn of(info: Info, manifest: &Manifest) -> Self {
        let schema = info.facts.schema.as_str();
        let ours = manifest.objects.iter().filter(|object| {
            object.kind == ObjectKind::Table && object.schema.as_deref() == Some(schema)
        });
        let is_defined = ours.clone().any(|object| !object.statements.is_empty());
        let tables = ours.map(|object| object.name.clone()).collect();
        let sync = manifest
            .tables
            .iter()
            .find(|table| table.schema == schema && table.name == sync_version::TABLE);
        let column = sync.and_then(|table| table.columns.iter().find(|one| one.name == "version"));
        let sync_column = column.map(|column| column.type_name.clone());
        Self { tables, rows_alone: !is_defined, sync_column, info }
    }

    /// Whether any of Kong's own tables is meant.
    pub(super) fn is_meant(&self, selection: &Selection) -> bool {
        let schema = self.info.facts.schema.as_str();
        self.tables
            .iter()
            .any(|table| classes::known(table).is_some() && selection.picks_table(schema, table))
    }
}

/// When the archive's snapshot was taken, in microseconds since 1970.
fn snapshot_time(manifest: &Manifest) -> i64 {
    let time = manifest.source.snapshot_time.parse::<jiff::Timestamp>();
    time.unwrap_or_else(|_| jiff::Timestamp::now()).as_microsecond()
}
