use super::sample::{Sample, find, index, object, sample, table, waits_for};
use super::*;
use crate::archive::manifest::{Comment, Detail, Section};
use crate::restore::live::LiveKey;
use crate::restore::mark;
use crate::restore::mark::Extent;
use crate::restore::options::{ForeignKeys, Sections};
use crate::restore::plan::Plan;
use crate::restore::plan::graph::{LoadMode, Stage, Work};
use crate::restore::plan::input::ChunkSize;
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::partition_trees::Lockable;

#[test]
fn the_plan_reads_well() {
    let sample = sample();
    let mark = mark::Mark {
        schema: "silverback_restore".into(),
        archive_id: "7".into(),
        archive_name: "a.sbk".into(),
        archive_root: "00ff".into(),
        options_digest: "0".into(),
        schemas: vec!["public".into()],
        server_version: "18.1".into(),
        now: "today".into(),
        options: Vec::new(),
        made_database: false,
        taken: None,
        stages: false,
    };
    let plan = Plan {
        first: Vec::new(),
        findings: Vec::new(),
        warnings: vec!["text may come in another order".into()],
        notes: vec!["somebody is connected".into()],
        left_out: Vec::new(),
        begin: mark.set(None),
        known: None,
        resumed: None,
        ledger: None,
        usable: mark.ready(0),
        unmark: mark.remove(),
        mark: Some(mark),
        extent: Extent::Whole,
        graph: sample.graph(),
        tables_wanted: 0,
        without_rows: Vec::new(),
        statistics: Vec::new(),
        tables: sample.tables,
        objects: sample.objects,
    };
    insta::assert_snapshot!(plan);
}

#[test]
fn what_waits_for_what() {
    let graph = sample().graph();
    let check = |late: &str, early: &str, expect: bool| {
        assert_eq!(waits_for(&graph, late, early), expect, "{late} after {early}");
    };
    check("build the index of CONSTRAINT public.services_pkey", "load public.services", true);
    check("build the index of CONSTRAINT public.services_pkey", "load public.workspaces", false);
    check(
        "add the keys of public.services",
        "build the index of CONSTRAINT public.services_name_key",
        true,
    );
    check("add the keys of public.services", "build INDEX public.services_idx", false);
    check("analyze public.services", "finish INDEX public.services_idx", true);
    check("validate FOREIGNKEY public.services_ws_fkey", "analyze public.workspaces", true);
    check("add FOREIGNKEY public.services_ws_fkey", "add the keys of public.workspaces", true);
    check("create TRIGGER public.sync", "load public.services", true);
    check("create TRIGGER public.sync", "add the keys of public.services", false);
    check(
        "build the index of CONSTRAINT public.schema_meta_pkey",
        "load public.schema_meta",
        false,
    );
}

#[test]
fn the_last_rows_wait_for_everything() {
    let graph = sample().graph();
    let last = "load public.schema_meta";
    for job in graph
        .jobs
        .iter()
        .filter(|job| job.label != last && job.label != "analyze public.schema_meta")
    {
        assert!(waits_for(&graph, last, &job.label), "{}", job.label);
    }
    assert!(waits_for(&graph, "analyze public.schema_meta", last));
}

#[test]
fn a_trigger_on_the_last_table_waits_for_its_rows() {
    let mut sample = sample();
    sample.objects.insert(14, object(30, ObjectKind::Trigger, "late", &[0, 3], Some(3)));
    let graph = sample.graph();
    assert!(waits_for(&graph, "create TRIGGER public.late", "load public.schema_meta"));
    assert!(waits_for(
        &graph,
        "load public.schema_meta",
        "validate FOREIGNKEY public.services_ws_fkey"
    ));
    assert!(waits_for(
        &graph,
        "set privileges and comments (2 statements)",
        "create TRIGGER public.late"
    ));
}

#[test]
fn a_dominating_table_is_shared() {
    let mut sample = sample();
    sample.chunks[1] =
        (0..40).map(|chunk| ChunkSize { chunk, rows: 1, raw_bytes: 8 << 20 }).collect();
    let graph = sample.graph();
    let parts: Vec<&Job> = graph
        .jobs
        .iter()
        .filter(|job| job.label.starts_with("load public.services, part"))
        .collect();
    assert_eq!(parts.len(), 2);
    for part in parts {
        let Work::Load { chunks, mode, .. } = &part.work else { panic!("a load") };
        assert_eq!((chunks.len(), *mode), (20, LoadMode::Shared));
        assert_eq!(part.locks, [(Lockable::Relation(ObjectId(2)), LockMode::RowExclusive)]);
        assert!(waits_for(&graph, "build INDEX public.services_idx", &part.label));
    }
}

#[test]
fn sections_leave_out_the_rest() {
    let sample = sample();
    let stages = |sections| {
        let graph = build(Input { sections, refresh: false, ..sample.input() }).unwrap();
        graph.stages().into_iter().map(|(stage, _)| stage).collect::<Vec<_>>()
    };
    let none = Sections { pre_data: false, data: false, post_data: false };
    assert_eq!(stages(Sections { pre_data: true, ..none }), [Stage::PreData, Stage::Privileges]);
    assert_eq!(
        stages(Sections { pre_data: true, post_data: true, ..none }),
        [
            Stage::PreData,
            Stage::Keys,
            Stage::Indexes,
            Stage::ForeignKeys,
            Stage::Rest,
            Stage::Privileges
        ]
    );
    let data = Input { sections: Sections { data: true, ..none }, ..sample.input() };
    assert!(
        !waits_for(&build(data).unwrap(), "load public.services", "load public.workspaces"),
        "no key stands yet"
    );
    let key = LiveKey { child: ObjectId(2), parent: ObjectId(1) };
    let data = build(Input { live_keys: &[key], ..data }).unwrap();
    assert!(waits_for(&data, "load public.services", "load public.workspaces"), "parents first");
    let modes = data.jobs.iter().filter_map(|job| match job.work {
        Work::Load { mode, .. } => Some(mode),
        _ => None,
    });
    assert!(modes.into_iter().all(|mode| mode == LoadMode::Existing));
}

/// An extension with two tables, of which one refers to the other, and something that stands on
/// them.
fn with_extension() -> Sample {
    let mut sample = sample();
    let extension =
        Object { section: Section::PreData, ..object(7, ObjectKind::Extension, "e", &[], None) };
    let rule =
        Object { extension: Some("e".into()), ..object(17, ObjectKind::Rule, "r", &[7], Some(7)) };
    let member = Object {
        extension: Some("e".into()),
        section: Section::PreData,
        ..object(8, ObjectKind::OperatorFamily, "f", &[7], Some(7))
    };
    sample.objects.extend([extension, rule, member]);
    sample.tables.extend([table(7, "e_kinds"), table(7, "e_settings")]);
    let chunk = |chunk| vec![ChunkSize { chunk, rows: 1, raw_bytes: 10 }];
    sample.chunks.extend([chunk(4), chunk(5)]);
    sample
}

#[test]
fn an_extensions_rows_come_late_unless_an_index_asks_for_them() {
    let mut sample = with_extension();
    let (load, index) = ("load public.e_kinds", "build INDEX public.services_idx");
    let graph = sample.graph();
    for made in [
        index,
        "add the keys of public.services",
        "create TRIGGER public.sync",
        "validate FOREIGNKEY public.services_ws_fkey",
    ] {
        assert!(waits_for(&graph, load, made), "{made}");
    }
    assert!(
        waits_for(&graph, "create RULE public.r", load)
            && waits_for(&graph, "load public.schema_meta", load)
    );
    assert!(
        waits_for(&graph, index, "make what extensions have not made"),
        "an index asks for members of a family"
    );
    assert!(matches!(
        graph.jobs[find(&graph, load).index()].work,
        Work::Load { mode: LoadMode::Extension, .. }
    ));
    // A projection of one's own.
    sample
        .objects
        .iter_mut()
        .find(|object| object.name == "services_idx")
        .unwrap()
        .depends_on
        .push(ObjectId(7));
    let graph = sample.graph();
    assert!(
        waits_for(&graph, index, load)
            && !waits_for(&graph, load, "add the keys of public.services")
    );
}

#[test]
fn an_empty_table_needs_no_proof() {
    let mut sample = sample();
    sample.chunks[1].clear();
    let graph = sample.graph();
    let add = &graph.jobs[find(&graph, "add FOREIGNKEY public.services_ws_fkey").index()];
    let Work::Statements(steps) = &add.work else { panic!("statements") };
    assert_eq!(steps[0].sql, "CREATE FOREIGNKEY public.services_ws_fkey");
    assert!(graph.jobs.iter().all(|job| !job.label.starts_with("validate") && job.label != "analyze public.services"));
}

#[test]
fn a_trusted_key_stands_before_the_rows() {
    let mut sample = sample();
    // A key to the table itself cannot stand before.
    let mut own = object(40, ObjectKind::ForeignKey, "services_own_fkey", &[2, 11], Some(2));
    own.detail = Detail::ForeignKey {
        columns: vec!["id".into()],
        references: ObjectId(2),
        add_not_valid: Some("ALTER TABLE services ADD own NOT VALID".into()),
        validate: Some("ALTER TABLE services VALIDATE own".into()),
    };
    sample.objects.push(own);
    let graph = build(Input { foreign_keys: ForeignKeys::Trust, ..sample.input() }).unwrap();
    let add = "add FOREIGNKEY public.services_ws_fkey";
    assert!(waits_for(&graph, add, "add the keys of public.workspaces"));
    assert!(
        waits_for(&graph, "load public.services", add)
            && !waits_for(&graph, add, "load public.services")
    );
    let Work::Statements(steps) = &graph.jobs[find(&graph, add).index()].work else {
        panic!("statements")
    };
    assert_eq!(steps[0].sql, "CREATE FOREIGNKEY public.services_ws_fkey");
    let trusted = |label| {
        matches!(graph.jobs[find(&graph, label).index()].work, Work::Load { trusted: true, .. })
    };
    assert!(trusted("load public.services") && !trusted("load public.workspaces"));
    let proofs: Vec<&str> = graph
        .jobs
        .iter()
        .map(|job| job.label.as_str())
        .filter(|label| label.starts_with("validate"))
        .collect();
    assert_eq!(proofs, ["validate FOREIGNKEY public.services_own_fkey"]);
}

#[test]
fn a_key_that_is_left_unproved_is_named() {
    let sample = sample();
    let graph = build(Input { foreign_keys: ForeignKeys::NotValid, ..sample.input() }).unwrap();
    assert_eq!(graph.unproved, ["services_ws_fkey on public.services"]);
    assert!(graph.jobs.iter().all(|job| !job.label.starts_with("validate")));
}

#[test]
fn what_may_wait_follows_the_word() {
    let mut sample = sample();
    let plain = |id, name: &str, column: Option<&str>| {
        let mut index = index(id, name, 2);
        index.statements = vec![format!("CREATE INDEX {name} ON public.services …")];
        let Detail::Index { columns, .. } = &mut index.detail else { panic!("an index") };
        *columns = vec![column.map(str::to_owned)];
        index
    };
    let mut unique = plain(33, "services_only", Some("name"));
    unique.statements = vec!["CREATE UNIQUE INDEX services_only ON public.services …".into()];
    let Detail::Index { unique: is_unique, .. } = &mut unique.detail else { panic!("an index") };
    *is_unique = true;
    let mut commented = plain(31, "services_tags", None);
    commented.comments =
        vec![Comment { on: "INDEX public.services_tags".into(), text: "late".into() }];
    sample.objects.extend([
        plain(30, "services_ttl", Some("ttl")),
        commented,
        plain(32, "services_ws", Some("ws_id")),
        unique,
    ]);
    let Detail::ForeignKey { columns, .. } =
        &mut sample.objects.iter_mut().find(|object| object.id == ObjectId(12)).unwrap().detail
    else {
        panic!("a foreign key")
    };
    *columns = vec!["ws_id".into()];
    let mut graph = build(Input { ready: true, ..sample.input() }).unwrap();
    let after: Vec<&str> = graph
        .jobs
        .iter()
        .map(|job| job.label.as_str())
        .filter(|label| waits_for(&graph, label, "mark the target as usable"))
        .collect();
    let late = [
        "mark the target as usable",
        "validate FOREIGNKEY public.services_ws_fkey",
        "build INDEX public.services_tags",
        "comment on INDEX public.services_tags",
        "analyze public.services",
    ];
    assert_eq!(after[..4], late[..4]);
    for job in &graph.jobs {
        assert!(
            after.contains(&job.label.as_str())
                || waits_for(&graph, "mark the target as usable", &job.label),
            "{}",
            job.label
        );
    }
    let Work::Concurrently(index) =
        &graph.jobs[find(&graph, "build INDEX public.services_tags").index()].work
    else {
        panic!("beside")
    };
    assert_eq!(index.create.sql, "CREATE INDEX CONCURRENTLY services_tags ON public.services …");
    graph.keep_from_ready_on();
    let kept: Vec<&str> = graph.jobs.iter().map(|job| job.label.as_str()).collect();
    assert_eq!(kept, late);
    assert!(
        graph.jobs[0].needs.is_empty()
            && waits_for(&graph, late[3], late[2])
            && waits_for(&graph, late[2], late[0])
    );
}
