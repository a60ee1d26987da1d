//! A hand-made archive for the tests of plans.

use std::collections::HashSet;

use super::build;
use crate::archive::manifest::{
    Acl, Column, Comment, Detail, Object, ObjectId, ObjectKind, RowEncoding, Section, Table,
    TableId, UsingIndex, testing,
};
use crate::restore::options::{ForeignKeys, Sections};
use crate::restore::plan::graph::{Graph, JobId};
use crate::restore::plan::input::{ChunkSize, Input};
use crate::sql::render;

/// Two tables with keys and a foreign key, a ledger that comes last, a
/// function, a trigger, a view, a sequence.
pub(super) struct Sample {
    pub(super) objects: Vec<Object>,
    pub(super) tables: Vec<Table>,
    pub(super) chunks: Vec<Vec<ChunkSize>>,
    pub(super) render: render::Options,
    pub(super) borrowed: HashSet<TableId>,
}

pub(super) fn object(
    id: u32,
    kind: ObjectKind,
    name: &str,
    depends_on: &[u32],
    of: Option<u32>,
) -> Object {
    let section = match kind {
        ObjectKind::Table
        | ObjectKind::Function
        | ObjectKind::Sequence
        | ObjectKind::MaterializedView => Section::PreData,
        ObjectKind::SequenceValue => Section::Data,
        _ => Section::PostData,
    };
    let identity = format!("{} public.{name}", format!("{kind:?}").to_uppercase());
    Object {
        schema: Some("public".into()),
        name: name.into(),
        of: of.map(ObjectId),
        owner: matches!(section, Section::PreData).then(|| "app".into()),
        section,
        depends_on: depends_on.iter().copied().map(ObjectId).collect(),
        statements: vec![format!("CREATE {identity}")],
        ..Object::new(ObjectId(id), kind, identity)
    }
}

pub(super) fn key(id: u32, name: &str, table: u32) -> Object {
    let using_index = Some(UsingIndex {
        create_index: format!("CREATE UNIQUE INDEX {name} ON …"),
        add_constraint: format!("ADD CONSTRAINT {name} UNIQUE USING INDEX {name}"),
    });
    let detail = Detail::Key { primary: false, columns: vec!["id".into()], using_index, bytes: 0 };
    Object { detail, ..object(id, ObjectKind::Constraint, name, &[table], Some(table)) }
}

pub(super) fn index(id: u32, name: &str, table: u32) -> Object {
    let detail = Detail::Index {
        unique: false,
        method: "btree".into(),
        columns: vec![Some("id".into())],
        partitioned: false,
        bytes: 0,
    };
    Object { detail, ..object(id, ObjectKind::Index, name, &[table], Some(table)) }
}

pub(super) fn table(object: u32, name: &str) -> Table {
    Table::new(
        ObjectId(object),
        "public",
        name,
        vec![Column { not_null: true, ..testing::column("id", "uuid") }],
        RowEncoding::Binary,
    )
}

pub(super) fn sample() -> Sample {
    let mut services = object(2, ObjectKind::Table, "services", &[], None);
    services.comments =
        vec![Comment { on: "TABLE public.services".into(), text: "what is behind".into() }];
    let items = vec![testing::grant(Some("ro"), "app", &["SELECT"])];
    services.acl = Some(Acl { on: "TABLE public.services".into(), initial: Vec::new(), items });
    let mut foreign = object(12, ObjectKind::ForeignKey, "services_ws_fkey", &[1, 2, 10], Some(2));
    foreign.detail = Detail::ForeignKey {
        columns: vec!["ws_id".into()],
        references: ObjectId(1),
        add_not_valid: Some("ALTER TABLE services ADD … NOT VALID".into()),
        validate: Some("ALTER TABLE services VALIDATE …".into()),
    };
    let mut clustered = index(14, "services_idx", 2);
    clustered.statements.push("ALTER TABLE public.services CLUSTER ON services_idx".into());
    let objects = vec![
        object(0, ObjectKind::Function, "sync_tags()", &[], None),
        object(1, ObjectKind::Table, "workspaces", &[], None),
        services,
        object(3, ObjectKind::Table, "schema_meta", &[], None),
        object(4, ObjectKind::Sequence, "s", &[], None),
        object(5, ObjectKind::MaterializedView, "m", &[2], None),
        object(6, ObjectKind::SequenceValue, "s", &[4], Some(4)),
        key(10, "workspaces_pkey", 1),
        key(11, "services_pkey", 2),
        key(13, "services_name_key", 2),
        clustered,
        key(15, "schema_meta_pkey", 3),
        object(16, ObjectKind::Trigger, "sync", &[0, 2], Some(2)),
        foreign,
        object(20, ObjectKind::RefreshMaterializedView, "m", &[2, 5], Some(5)),
        object(21, ObjectKind::EventTrigger, "audit", &[0], None),
    ];
    let chunk = |chunk, rows, raw_bytes| ChunkSize { chunk, rows, raw_bytes };
    Sample {
        objects,
        tables: vec![table(1, "workspaces"), table(2, "services"), table(3, "schema_meta")],
        chunks: vec![
            vec![chunk(0, 2, 100)],
            vec![chunk(1, 1000, 8 << 20), chunk(3, 500, 4 << 20)],
            vec![chunk(2, 18, 900)],
        ],
        render: render::Options::default(),
        borrowed: HashSet::new(),
    }
}

impl Sample {
    pub(super) fn input(&self) -> Input<'_> {
        Input {
            objects: &self.objects,
            tables: &self.tables,
            chunks: &self.chunks,
            compared: &[],
            last: |table| table == "schema_meta",
            afterwards: &[],
            jobs: 2,
            sections: Sections::ALL,
            refresh: true,
            render: &self.render,
            analyze: true,
            foreign_keys: ForeignKeys::Validate,
            live_keys: &[],
            borrowed: &self.borrowed,
            ready: false,
            lock_table: 6400,
            searched: |column| column == "ttl",
            statistics: &[],
            takes_extended: true,
        }
    }

    pub(super) fn graph(&self) -> Graph {
        build(self.input()).unwrap()
    }
}

pub(super) fn find(graph: &Graph, label: &str) -> JobId {
    graph
        .ids()
        .find(|id| graph.jobs[id.index()].label == label)
        .unwrap_or_else(|| panic!("no job {label}"))
}

/// Whether `late` waits for `early`, be it by way of others.
pub(super) fn waits_for(graph: &Graph, late: &str, early: &str) -> bool {
    let early = find(graph, early);
    let mut open = vec![find(graph, late)];
    let mut seen = vec![false; graph.jobs.len()];
    while let Some(job) = open.pop() {
        if !std::mem::replace(&mut seen[job.index()], true) {
            open.extend(&graph.jobs[job.index()].needs);
        }
    }
    seen[early.index()]
}
