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
use crate::sql::rename::Renames;
use crate::storage::FileArchive;

/// The Kong in an archive.
pub(super) struct Archived {
    /// What its rows tell; the time is that of the dump.
    pub(super) info: Info,
    /// The schema that it comes into, unquoted: its own, or the one that this is renamed to.
    pub(super) schema: String,
    /// The tables of its schema, unquoted.
    pub(super) tables: Vec<String>,
    /// Whether there are rows and no definitions.
    pub(super) rows_alone: bool,
    /// The type of the incremental sync's version, if there is one.
    pub(super) sync_column: Option<String>,
}

impl Archived {
    /// Reads all that there are, each in a schema of its own: first the one that comes into the
    /// schema that is meant, or that Kong would take.
    pub(super) async fn read(
        path: &Path,
        max_memory: u64,
        schema: Option<&str>,
        renames: &Renames,
    ) -> Result<Vec<Self>> {
        let (path, renames) = (path.to_owned(), renames.clone());
        let schema = schema.map(|schema| {
            let pair = renames.pairs().find(|(_, new)| *new == schema);
            pair.map_or(schema, |(old, _)| old).to_owned()
        });
        pool::run(move || {
            let archive = FileArchive::open_path_within(&path, max_memory)?;
            let now = snapshot_time(&archive.manifest);
            let request = Request { counted: Some(counted), ..Request::default() };
            let of = |schema: Option<&str>| {
                archived::read_if_there(&archive, Request { schema, ..request }, now)
            };
            let first = match of(schema.as_deref())? {
                None if schema.is_some() => of(None)?,
                facts => facts,
            };
            let others = first.iter().flat_map(|facts| facts.other_schemas.clone());
            let others: Result<Vec<_>> = others.map(|schema| of(Some(&schema))).collect();
            let others = others?.into_iter().flatten();
            Ok(first
                .into_iter()
                .chain(others)
                .map(|facts| Self::of(Info::of(facts), &archive.manifest, &renames))
                .collect())
        })
        .await
    }

    fn of(info: Info, manifest: &Manifest, renames: &Renames) -> Self {
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
        let schema = renames.new_name(schema).unwrap_or(schema).to_owned();
        Self { schema, tables, rows_alone: !is_defined, sync_column, info }
    }

    /// Whether any of Kong's own tables is meant.
    pub(super) fn is_meant(&self, selection: &Selection) -> bool {
        self.tables.iter().any(|table| {
            classes::known(table).is_some() && selection.picks_table(&self.schema, table)
        })
    }
}

/// When the archive's snapshot was taken, in microseconds since 1970.
fn snapshot_time(manifest: &Manifest) -> i64 {
    let time = manifest.source.snapshot_time.parse::<jiff::Timestamp>();
    time.unwrap_or_else(|_| jiff::Timestamp::now()).as_microsecond()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::{Column, Object, ObjectId, RowEncoding, Source, Table};
    use crate::kong::info::Facts;
    use crate::select::Pattern;

    fn manifest(objects: Vec<Object>, tables: Vec<Table>, snapshot_time: &str) -> Manifest {
        let source = Source {
            tool: String::new(),
            server_version: "18.1".into(),
            server_version_num: 180_001,
            database: "kong".into(),
            encoding: "UTF8".into(),
            collate: "C".into(),
            ctype: "C".into(),
            locale_provider: "c".into(),
            collation_version: None,
            snapshot_time: snapshot_time.into(),
            snapshot_lsn: None,
        };
        Manifest { source, objects, tables, not_carried: vec![], statistics: vec![] }
    }

    fn object(kind: ObjectKind, schema: &str, name: &str, statements: &[&str]) -> Object {
        Object {
            schema: Some(schema.into()),
            name: name.into(),
            statements: statements.iter().map(|&sql| sql.into()).collect(),
            ..Object::new(ObjectId(0), kind, name)
        }
    }

    fn archived(manifest: &Manifest) -> Archived {
        let facts = Facts { schema: "kong".into(), ..Facts::default() };
        Archived::of(Info::of(facts), manifest, &Renames::default())
    }

    #[test]
    fn its_tables_are_those_of_its_schema() {
        let objects = vec![
            object(ObjectKind::Table, "kong", "services", &["CREATE"]),
            object(ObjectKind::Table, "other", "routes", &["CREATE"]),
            object(ObjectKind::View, "kong", "seen", &["CREATE"]),
        ];
        let found = archived(&manifest(objects, vec![], ""));
        assert_eq!((found.tables, found.rows_alone), (vec!["services".to_owned()], false));
    }

    #[test]
    fn rows_alone_are_those_of_tables_without_definitions() {
        let rows = |statements: &[&str]| {
            let objects = vec![
                object(ObjectKind::Table, "kong", "services", statements),
                object(ObjectKind::Table, "other", "routes", &["CREATE"]),
                object(ObjectKind::View, "kong", "seen", &["CREATE"]),
            ];
            archived(&manifest(objects, vec![], "")).rows_alone
        };
        assert!(rows(&[]) && !rows(&["CREATE TABLE"]));
    }

    #[test]
    fn the_type_of_the_syncs_version() {
        let of = |schema: &str, table: &str, column: &str| {
            let column = Column {
                name: column.into(),
                type_name: "integer".into(),
                sent_as: None,
                not_null: true,
            };
            let table = Table::new(ObjectId(0), schema, table, vec![column], RowEncoding::Binary);
            archived(&manifest(vec![], vec![table], "")).sync_column
        };
        assert_eq!(of("kong", "clustering_sync_version", "version").as_deref(), Some("integer"));
        assert_eq!(of("other", "clustering_sync_version", "version"), None);
        assert_eq!(of("kong", "clustering_sync_delta", "version"), None);
        assert_eq!(of("kong", "clustering_sync_version", "id"), None);
    }

    #[test]
    fn it_is_meant_if_one_of_kongs_own_tables_is() {
        let objects = vec![
            object(ObjectKind::Table, "kong", "services", &["CREATE"]),
            object(ObjectKind::Table, "kong", "ours", &["CREATE"]),
        ];
        let found = archived(&manifest(objects, vec![], ""));
        for (pattern, expect) in
            [("kong.services", true), ("kong.*", true), ("kong.ours", false), ("a.services", false)]
        {
            let tables = vec![Pattern::table(pattern).unwrap()];
            let selection = Selection { tables, ..Selection::default() };
            assert_eq!(found.is_meant(&selection), expect, "{pattern}");
        }
        assert!(found.is_meant(&Selection::default()));
    }

    #[test]
    fn the_time_of_the_snapshot_or_now() {
        let time = |text: &str| snapshot_time(&manifest(vec![], vec![], text));
        assert_eq!(time("1970-01-01T00:00:01.5Z"), 1_500_000);
        assert!(time("some day") > 1_700_000_000_000_000, "now");
    }
}
