//! Archives whose manifest was changed by hand, with every checksum right: a name stays one
//! identifier, a statement stays one statement.

use std::fs::File;
use std::path::Path;

use silverback::archive::manifest::{Manifest, ObjectKind};
use silverback::archive::{Archive, ArchiveWriter, Codec, StoredChunk, encode_chunk};
use uuid::Uuid;

use crate::pair::Pair;
use crate::support;

const INJECTION: &str = "x\"; DROP TABLE public.victim; --";

/// A database with something to lose, and an archive of it with another manifest.
struct Forged {
    pair: Pair,
}

impl Forged {
    #[track_caller]
    fn new(change: impl FnOnce(&mut Manifest)) -> Self {
        let pair = Pair::new(
            "CREATE TABLE victim (a integer); INSERT INTO victim VALUES (7); CREATE TABLE other (b \
             integer, c text); INSERT INTO other VALUES (1, 'x');",
        );
        let honest = pair.path("honest.sbk");
        support::dump(&pair.source, &honest).run().expect(0);
        rewrite(&honest, &pair.file(), change);
        Self { pair }
    }
}

fn rewrite(from: &Path, to: &Path, change: impl FnOnce(&mut Manifest)) {
    let archive = Archive::open_path(from).expect("the archive can be read");
    let mut manifest = archive.manifest.clone();
    change(&mut manifest);
    let uuid = Uuid::new_v4();
    let out = File::create(to).expect("the file can be made");
    let mut writer =
        ArchiveWriter::new(out, uuid, &manifest, Codec::None).expect("the manifest can be written");
    for (place, entry) in archive.index.chunks.iter().enumerate() {
        let rows =
            archive.read_chunk(place).and_then(StoredChunk::decode).expect("the chunk is intact");
        let table = &manifest.tables[entry.table.0 as usize];
        let (chunk, _) = encode_chunk(
            uuid,
            entry.table,
            table.encoding,
            table.columns.len(),
            &rows.whole(),
            Codec::None,
            Vec::new(),
        )
        .expect("the rows are whole");
        writer.write_chunk(&chunk).expect("the chunk can be written");
    }
    writer.end_tables().expect("every table is there");
    writer.finish().expect("the archive can be finished");
}

fn is_table(manifest: &Manifest, place: usize, name: &str) -> bool {
    let object = &manifest.objects[place];
    object.kind == ObjectKind::Table && object.name == name
}

/// The place of a table's object.
fn table(manifest: &Manifest, name: &str) -> usize {
    (0..manifest.objects.len())
        .find(|place| is_table(manifest, *place, name))
        .expect("the table is in the manifest")
}

#[test]
fn a_tables_name_stays_one_identifier() {
    let forged = Forged::new(|manifest| {
        let place = table(manifest, "other");
        let quoted = format!("public.{}", testkit::quote(INJECTION));
        let object = &mut manifest.objects[place];
        object.name = INJECTION.to_owned();
        object.identity = object.identity.replace("public.other", &quoted);
        for statement in &mut object.statements {
            *statement = statement.replace("public.other", &quoted);
        }
        for table in manifest.tables.iter_mut().filter(|table| table.name == "other") {
            table.name = INJECTION.to_owned();
        }
    });
    let pair = &forged.pair;
    support::verify(&pair.file()).run().expect(0);
    pair.restore().run().expect(0);
    assert_eq!(pair.copy.value("SELECT a FROM victim"), "7");
    assert_eq!(pair.copy.value(&format!("SELECT c FROM {}", testkit::quote(INJECTION))), "x");
}

#[test]
fn names_that_lie_drop_nothing() {
    type Change = fn(&mut Manifest);
    let changes: [(&str, Change); 7] = [
        ("table", |manifest| {
            for table in manifest.tables.iter_mut().filter(|table| table.name == "other") {
                table.name = INJECTION.to_owned();
            }
        }),
        ("schema", |manifest| {
            manifest.tables.iter_mut().for_each(|table| table.schema = INJECTION.to_owned());
        }),
        ("column", |manifest| {
            for column in manifest
                .tables
                .iter_mut()
                .filter(|table| table.name == "other")
                .flat_map(|table| &mut table.columns)
            {
                column.name = "b) FROM STDIN; DROP TABLE public.victim; --".to_owned();
            }
        }),
        ("owner", |manifest| {
            manifest
                .objects
                .iter_mut()
                .for_each(|object| object.owner = Some(INJECTION.to_owned()));
        }),
        ("type", |manifest| {
            for column in manifest.tables.iter_mut().flat_map(|table| &mut table.columns) {
                column.type_name = "integer); DROP TABLE public.victim; --".to_owned();
            }
        }),
        ("identity", |manifest| {
            let place = table(manifest, "other");
            manifest.objects[place].identity =
                "TABLE public.other OWNER TO CURRENT_USER; DROP TABLE public.victim; --".to_owned();
        }),
        ("source", |manifest| {
            manifest.source.database = "x'; DROP TABLE public.victim; --".to_owned();
            manifest.source.tool =
                "silverback\nFORGED \u{1b}[2J'; DROP TABLE public.victim; --".to_owned();
        }),
    ];
    for (what, change) in changes {
        let forged = Forged::new(change);
        let pair = &forged.pair;
        // Something that a statement too many would drop, in the way of nothing.
        pair.copy.execute("CREATE SCHEMA canary");
        let outcome = pair.restore().run();
        super::assert_plain(&outcome);
        let complete = outcome.code == Some(0);
        let found = pair.copy.value("SELECT count(*) FROM pg_class WHERE relname = 'victim'");
        assert!(
            !complete || found == "1",
            "{what}: restored, but the victim is gone\n{}",
            outcome.stderr
        );
        assert_ne!(outcome.code, Some(101), "{what}: {}", outcome.stderr);
        if what == "source" {
            outcome.expect(0);
        }
    }
}

#[test]
fn two_statements_in_one_are_refused() {
    let forged = Forged::new(|manifest| {
        let place = table(manifest, "other");
        manifest.objects[place].statements[0]
            .push_str("; CREATE TABLE public.smuggled (a integer)");
    });
    let pair = &forged.pair;
    let refused = pair.restore().run();
    refused.expect(3).says("TABLE public.other: ").says("is more than one statement");
    assert_eq!(support::verify(&pair.file()).run().code, Some(3));
    assert_eq!(pair.copy.value("SELECT count(*) FROM pg_class WHERE relname = 'smuggled'"), "0");
}

#[test]
fn a_statement_that_makes_no_object_is_not_sent() {
    for sql in [
        "COPY public.victim FROM PROGRAM 'echo 1'",
        "DO $$ BEGIN EXECUTE 'CREATE TABLE public.smuggled (a integer)'; END $$",
        "SET ROLE postgres",
        "ALTER SYSTEM SET work_mem = '1MB'",
        "SELECT pg_catalog.pg_reload_conf()",
        "CREATE ROLE smuggled SUPERUSER",
    ] {
        let forged = Forged::new(|manifest| {
            let place = table(manifest, "other");
            manifest.objects[place].statements.push(sql.to_owned());
        });
        let pair = &forged.pair;
        pair.restore()
            .run()
            .expect(3)
            .says("TABLE public.other: its statement begins with")
            .says("by which no table is made");
        assert_eq!(
            pair.copy
                .value("SELECT count(*) FROM pg_class WHERE relname IN ('victim', 'smuggled')"),
            "0",
            "{sql}"
        );
        let verified = support::verify(&pair.file()).run().expect(3);
        assert!(
            verified.stdout.contains("(TABLE public.other): its statement begins with"),
            "{}",
            verified.stdout
        );
    }
}
