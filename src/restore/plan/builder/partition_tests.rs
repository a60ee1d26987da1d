use super::sample::{Sample, find, index, key, object, table, waits_for};
use super::*;
use crate::archive::manifest::{Detail, RowEncoding, Section, TableName};
use crate::restore::mark::Extent;
use crate::restore::options::Sections;
use crate::restore::plan::Plan;
use crate::restore::plan::graph::Work;
use crate::restore::plan::input::ChunkSize;
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::partition_trees::Lockable;
use crate::sql::render;

const ROOT: u32 = 1;
const CHILD: u32 = 2;
const ROOT_KEY: u32 = 3;
const ROOT_INDEX: u32 = 4;
const FOREIGN_KEY: u32 = 5;

/// The number of what belongs to the n-th partition.
fn id(n: u32, what: u32) -> u32 {
    10 + 10 * n + what
}

/// A partitioned table with a key and an index, and another that refers to it; every partition has
/// rows.
fn sample(partitions: u32) -> Sample {
    let mut objects = vec![
        object(ROOT, ObjectKind::Table, "root", &[], None),
        object(CHILD, ObjectKind::Table, "child", &[], None),
    ];
    let mut tables = vec![table(CHILD, "child")];
    let attach =
        |id, name: &str, kind, whole, part| object(id, kind, name, &[whole, part], Some(part));
    for n in 0..partitions {
        let name = format!("part{n}");
        objects.push(object(id(n, 0), ObjectKind::Table, &name, &[], None));
        objects.push(Object {
            section: Section::PreData,
            ..attach(id(n, 1), &name, ObjectKind::TableAttach, ROOT, id(n, 0))
        });
        tables.push(table(id(n, 0), &name));
    }
    let mut whole = key(ROOT_KEY, "root_pkey", ROOT);
    whole.statements =
        vec!["ALTER TABLE ONLY public.root ADD CONSTRAINT root_pkey UNIQUE (id)".into()];
    whole.detail =
        Detail::Key { primary: false, columns: vec!["id".into()], using_index: None, bytes: 0 };
    objects.extend([whole, on_name(index(ROOT_INDEX, "root_name", ROOT), true)]);
    for n in 0..partitions {
        objects.push(key(id(n, 2), &format!("part{n}_pkey"), id(n, 0)));
        objects.push(on_name(index(id(n, 3), &format!("part{n}_name"), id(n, 0)), false));
        objects.push(attach(
            id(n, 4),
            &format!("part{n}_pkey"),
            ObjectKind::IndexAttach,
            ROOT_KEY,
            id(n, 2),
        ));
        objects.push(attach(
            id(n, 5),
            &format!("part{n}_name"),
            ObjectKind::IndexAttach,
            ROOT_INDEX,
            id(n, 3),
        ));
    }
    let mut foreign = object(
        FOREIGN_KEY,
        ObjectKind::ForeignKey,
        "child_fkey",
        &[CHILD, ROOT, ROOT_KEY],
        Some(CHILD),
    );
    let statement = |words: &str| Some(format!("ALTER TABLE child {words}"));
    let (add_not_valid, validate) = (statement("ADD … NOT VALID"), statement("VALIDATE …"));
    foreign.detail = Detail::ForeignKey {
        columns: vec!["r".into()],
        references: ObjectId(ROOT),
        add_not_valid,
        validate,
    };
    objects.push(foreign);
    let chunks = (0..tables.len())
        .map(|chunk| vec![ChunkSize { chunk, rows: 10, raw_bytes: 100 }])
        .collect();
    Sample { objects, tables, chunks, render: render::Options::default(), borrowed: HashSet::new() }
}

fn on_name(mut index: Object, partitioned: bool) -> Object {
    index.statements = vec![format!(
        "CREATE INDEX {} ON {}public.t USING btree (name)",
        index.name,
        if partitioned { "ONLY " } else { "" }
    )];
    index.detail = Detail::Index {
        unique: false,
        method: "btree".into(),
        columns: vec![Some("name".into())],
        partitioned,
        bytes: 0,
    };
    index
}

/// What a plan holds in memory beside its statements, and how long it is when it is printed.
fn sizes(sample: Sample, change: impl Fn(Input<'_>) -> Input<'_>) -> [usize; 3] {
    let graph = build(change(sample.input())).unwrap();
    let (needs, locks) = graph
        .jobs
        .iter()
        .fold((0, 0), |(needs, locks), job| (needs + job.needs.len(), locks + job.locks.len()));
    let plan = Plan {
        first: Vec::new(),
        findings: Vec::new(),
        warnings: Vec::new(),
        notes: Vec::new(),
        left_out: Vec::new(),
        begin: Vec::new(),
        usable: Vec::new(),
        unmark: Vec::new(),
        mark: None,
        known: None,
        resumed: None,
        ledger: None,
        extent: Extent::Whole,
        graph,
        tables_wanted: 0,
        without_rows: Vec::new(),
        statistics: Vec::new(),
        tables: sample.tables,
        objects: sample.objects,
    };
    [needs, locks, plan.to_string().len()]
}

fn steps<'a>(graph: &'a Graph, label: &str) -> Vec<&'a str> {
    let Work::Statements(steps) = &graph.jobs[find(graph, label).index()].work else {
        panic!("statements")
    };
    steps.iter().map(|step| step.sql.as_str()).collect()
}

fn attaches(graph: &Graph) -> usize {
    graph.jobs.iter().filter(|job| job.label.contains("create INDEXATTACH")).count()
}

#[test]
fn twice_the_partitions_are_twice_the_plan() {
    let check =
        |what: &str, make: &dyn Fn(u32) -> Sample, change: &dyn Fn(Input<'_>) -> Input<'_>| {
            let [one, two] = [200, 400].map(|partitions| sizes(make(partitions), change));
            assert!(
                one.into_iter().zip(two).all(|(one, two)| two * 10 <= one * 22),
                "{what}: {one:?}, {two:?}"
            );
        };
    check("as it is", &sample, &|input| input);
    check("part by part", &sample, &|input| Input { lock_table: 0, ..input });
    check("used early", &sample, &|input| Input { ready: true, ..input });
    let through_the_root = |partitions| {
        let mut sample = sample(partitions);
        for table in sample.tables.iter_mut().skip(1) {
            (table.root, table.encoding) = (
                Some(TableName { schema: "public".into(), name: "root".into() }),
                RowEncoding::Text,
            );
        }
        sample
    };
    check("through the root", &through_the_root, &|input| input);
    let many_of_all = |partitions| {
        let mut sample = sample(partitions);
        for n in 0..partitions {
            let name = format!("own{n}");
            sample.objects.push(object(
                id(n, 6),
                ObjectKind::Trigger,
                &name,
                &[id(n, 0)],
                Some(id(n, 0)),
            ));
            sample.objects.push(object(
                id(n, 7),
                ObjectKind::Policy,
                &name,
                &[id(n, 0)],
                Some(id(n, 0)),
            ));
            sample.objects.push(object(
                id(n, 8),
                ObjectKind::RefreshMaterializedView,
                &name,
                &[id(n, 0)],
                None,
            ));
            let mut foreign = sample
                .objects
                .iter()
                .find(|object| object.id == ObjectId(FOREIGN_KEY))
                .cloned()
                .expect("a foreign key");
            (foreign.id, foreign.name) = (ObjectId(id(n, 9)), name);
            foreign.identity = format!("CONSTRAINT {}", foreign.name);
            sample.objects.push(foreign);
        }
        sample
    };
    check("many of all", &many_of_all, &|input| Input { lock_table: 0, ..input });
}

#[test]
fn partitions_are_built_side_by_side() {
    let graph = sample(2).graph();
    for label in ["load public.part0", "build INDEX public.part0_name"] {
        let locks = &graph.jobs[find(&graph, label).index()].locks;
        assert!(matches!(locks[..], [(Lockable::Relation(ObjectId(10)), _)]), "{label}: {locks:?}");
    }
    let family = graph.families.of(ObjectId(ROOT)).map(Lockable::Family).expect("a family");
    let locks = &graph.jobs[find(&graph, "add FOREIGNKEY public.child_fkey").index()].locks;
    let mode = LockMode::ShareRowExclusive;
    assert_eq!(*locks, [(Lockable::Relation(ObjectId(CHILD)), mode), (family, mode)]);
}

#[test]
fn a_partitioned_index_adopts_its_parts() {
    let graph = sample(3).graph();
    assert_eq!(attaches(&graph), 0);
    assert_eq!(
        steps(&graph, "add CONSTRAINT public.root_pkey"),
        ["ALTER TABLE public.root ADD CONSTRAINT root_pkey UNIQUE (id)"]
    );
    assert_eq!(
        steps(&graph, "build INDEX public.root_name"),
        ["CREATE INDEX root_name ON public.t USING btree (name)"]
    );
    for n in 0..3 {
        assert!(waits_for(
            &graph,
            "add CONSTRAINT public.root_pkey",
            &format!("add the keys of public.part{n}")
        ));
        assert!(waits_for(
            &graph,
            "build INDEX public.root_name",
            &format!("build INDEX public.part{n}_name")
        ));
    }
    assert!(waits_for(
        &graph,
        "add FOREIGNKEY public.child_fkey",
        "add CONSTRAINT public.root_pkey"
    ));
    assert!(!waits_for(&graph, "add FOREIGNKEY public.child_fkey", "build INDEX public.root_name"));
}

#[test]
fn where_it_may_adopt_another_its_parts_are_attached() {
    let check = |what: &str,
                 change: &dyn Fn(&mut Sample),
                 input: &dyn Fn(Input<'_>) -> Input<'_>,
                 expect: usize| {
        let mut sample = sample(3);
        change(&mut sample);
        let graph = build(input(sample.input())).unwrap();
        assert_eq!(attaches(&graph), expect, "{what}");
        let last = "create INDEXATTACH public.part2_pkey";
        assert!(
            expect < 6 || waits_for(&graph, "add FOREIGNKEY public.child_fkey", last),
            "{what}"
        );
    };
    let same =
        |sample: &mut Sample| sample.objects.push(on_name(index(900, "same", id(1, 0)), false));
    check("two indexes on the same columns", &same, &|input| input, 3);
    let missing =
        |sample: &mut Sample| sample.objects.retain(|object| object.id != ObjectId(id(1, 5)));
    check("a partition without a part", &missing, &|input| input, 2);
    let foreign = |sample: &mut Sample| {
        let table = sample
            .objects
            .iter_mut()
            .find(|object| object.id == ObjectId(id(1, 0)))
            .expect("a partition");
        table.kind = ObjectKind::ForeignTable;
    };
    check("a foreign table", &foreign, &|input| input, 6);
    check("a small lock table", &|_| {}, &|input| Input { lock_table: 9, ..input }, 6);
    let sections = Sections { pre_data: false, ..Sections::ALL };
    check(
        "tables that stood before",
        &|_| {},
        &|input| Input { sections, refresh: false, ..input },
        6,
    );
}

#[test]
fn partitions_are_attached_beside_loads_and_each_load_waits_for_its_own() {
    let mut sample = sample(250);
    let bound = |sample: &mut Sample, n: u32, bound: &str| {
        let attach = sample
            .objects
            .iter_mut()
            .find(|object| object.id == ObjectId(id(n, 1)))
            .expect("a partition");
        attach.statements =
            vec![format!("ALTER TABLE ONLY public.root ATTACH PARTITION public.part{n} {bound}")];
    };
    bound(&mut sample, 0, "DEFAULT");
    // One of another level: what is attached to it first is locked once more when it is attached
    // itself.
    let below = sample
        .objects
        .iter_mut()
        .find(|object| object.id == ObjectId(id(1, 1)))
        .expect("a partition");
    below.depends_on = vec![ObjectId(id(249, 0)), ObjectId(id(1, 0))];
    let graph = sample.graph();
    let needs = |load: &str| -> Vec<&str> {
        let needs = graph.jobs[find(&graph, load).index()].needs.iter();
        needs
            .map(|need| graph.jobs[need.index()].label.as_str())
            .filter(|label| label.starts_with("attach "))
            .collect()
    };
    let (first, last) = (
        "attach TABLEATTACH public.part1 and 99 more",
        "attach TABLEATTACH public.part201 and 49 more",
    );
    assert_eq!(needs("load public.part100"), [first]);
    assert_eq!(needs("load public.part249"), [last]);
    assert_eq!(needs("load public.part0"), [last], "the default partition comes last");
    assert_eq!(needs("load public.part1"), [last], "what it is a part of is attached then");
    assert!(waits_for(&graph, "add CONSTRAINT public.root_pkey", last));
    assert!(waits_for(&graph, last, first));
}
