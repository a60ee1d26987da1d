//! Restores through the library, where a test looks behind the command line: what is refused, what
//! a failure leaves, which path a load takes.

mod builds;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use silverback::archive::Archive;
use silverback::dump;
use silverback::error::{Error, Kind, Result};
use silverback::limits::Limits;
use silverback::pg::connect::Server;
use silverback::progress::Silent;
use silverback::restore::{self, Options, Report, Stage};
use silverback::select::{Pattern, Selection};
use silverback::sql::render;
use silverback::storage::{Sink, Source};
use testkit::{Database, Direction, Proxy};

use super::support::{assert_same, is_marked, temp_dir};

fn archive_of(source: &Database<'_>, folder: &Path) -> PathBuf {
    let path = folder.join(format!("{}.sbk", source.name()));
    let server = Server::from_conninfo(&source.url()).expect("a URL");
    let (sink, options) = (Sink::create(&path).expect("a new file"), dump::Options::default());
    testkit::block_on(async move { dump::run(&server, sink, &options, Arc::new(Silent)).await })
        .expect("a dump");
    path
}

fn jobs(number: usize) -> Limits {
    Limits { jobs: NonZeroUsize::new(number), ..Limits::default() }
}

fn options() -> Options {
    Options { limits: jobs(3), profile: silverback::kong::restore::profile(), ..Options::default() }
}

fn restore_through(server: &Server, archive: &Path, options: Options) -> Result<Report> {
    let source = Source::open(archive).expect("the archive is there");
    let server = server.clone();
    testkit::block_on(async move {
        Box::pin(restore::run(source, &server, options, Arc::new(Silent))).await
    })
}

fn restore(archive: &Path, target: &Database<'_>, options: Options) -> Result<Report> {
    restore_through(&Server::from_conninfo(&target.url()).expect("a URL"), archive, options)
}

#[track_caller]
fn refused(result: Result<Report>, kind: Kind, says: &[&str]) -> Error {
    let error = result.expect_err("refused");
    let text = format!("{error}; hint: {}", error.hint_text().unwrap_or_default());
    assert_eq!(error.kind(), kind, "{text}");
    for part in says {
        assert!(text.contains(part), "{text}");
    }
    error
}

fn relations(database: &Database<'_>) -> String {
    database.value(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
         WHERE nspname = 'public'",
    )
}

#[test]
fn kong_comes_back_as_the_plain_owner() {
    let server = testkit::newest_server();
    let kong = server.role("kong");
    let (source, copy) = (server.database_of(&kong, "source"), server.database_of(&kong, "copy"));
    testkit::kong::load(&source);
    testkit::kong::seed(&source, 500);
    let folder = temp_dir();
    let report = restore(&archive_of(&source, folder.path()), &copy, options()).expect("restored");
    assert_same(&source, &copy);
    assert!(!is_marked(copy.admin()));
    let rows: u64 = testkit::database_digest(&source).values().map(|(rows, _)| rows).sum();
    assert_eq!(report.rows, rows);
    assert!(report.seconds_before_analyze < report.seconds_total);
    assert_eq!(report.not_restored, []);
    let stages: Vec<Stage> = report.seconds_busy.iter().map(|(stage, _)| *stage).collect();
    assert!(stages.contains(&Stage::Keys) && stages.contains(&Stage::Last), "{stages:?}");
}

#[test]
fn a_target_that_is_not_empty_is_left_alone() {
    let server = testkit::newest_server();
    let (source, target) = (server.database("source"), server.database("taken"));
    source.execute("CREATE TABLE t (a int)");
    target.execute("CREATE TABLE mine (a int); CREATE TYPE mood AS ENUM ('ok')");
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    refused(
        restore(&archive, &target, options()),
        Kind::Requirement,
        &["not empty", "2 objects", "table public.mine", "type public.mood"],
    );
    assert!(!is_marked(target.admin()));
    assert_eq!(relations(&target), "1");
}

#[test]
fn a_damaged_chunk_stops_the_restore_and_leaves_the_mark() {
    let server = testkit::newest_server();
    let (source, target) = (server.database("source"), server.database("half"));
    source.execute(
        "CREATE TABLE t AS SELECT n, md5(n::text) FROM generate_series(1, 2000) n; CREATE TABLE \
         schema_meta AS SELECT 'core' AS key",
    );
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    let mut bytes = std::fs::read(&archive).expect("an archive");
    let index = Archive::open_path(&archive).expect("an archive").index;
    let chunk = index.chunks.iter().max_by_key(|chunk| chunk.rows).expect("chunks");
    bytes[(chunk.offset + chunk.stored_bytes) as usize - 10] ^= 1;
    std::fs::write(&archive, bytes).expect("written");
    refused(
        restore(&archive, &target, options()),
        Kind::Incomplete,
        &["load public.t, chunk", "silverback_restore"],
    );
    assert!(is_marked(target.admin()));
    assert_eq!(target.value("SELECT count(*) FROM t"), "0");
    assert_eq!(
        target.value("SELECT count(*) FROM schema_meta"),
        "0",
        "nothing may start on half a database"
    );
    let name = archive.display().to_string();
    refused(
        restore(&archive, &target, options()),
        Kind::Requirement,
        &["incomplete restore", &name],
    );
}

#[test]
fn schema_alone_and_rows_afterwards() {
    let server = testkit::newest_server();
    let kong = server.role("kong");
    let (source, copy) = (server.database_of(&kong, "source"), server.database_of(&kong, "copy"));
    testkit::kong::load(&source);
    testkit::kong::seed(&source, 200);
    source.execute("ALTER TABLE consumers ENABLE ALWAYS TRIGGER consumers_sync_tags_trigger");
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    let schema_only = Selection { schema_only: true, ..Selection::default() };
    let report = restore(&archive, &copy, Options { selection: schema_only, ..options() })
        .expect("restored");
    assert_eq!(report.rows, 0);
    assert_eq!(testkit::pg_dump_schema(&source), testkit::pg_dump_schema(&copy));
    let data_only = || Options {
        selection: Selection { data_only: true, ..Selection::default() },
        ..options()
    };
    restore(&archive, &copy, data_only()).expect("loaded");
    assert_same(&source, &copy);
    refused(
        restore(&archive, &copy, data_only()),
        Kind::Requirement,
        &["table public.consumers holds rows"],
    );
}

#[test]
fn rows_into_other_columns_are_refused() {
    let server = testkit::newest_server();
    let (source, target) = (server.database("source"), server.database("other"));
    source.execute("CREATE TABLE t (a int NOT NULL, b text); INSERT INTO t VALUES (1, 'x')");
    target.execute("CREATE TABLE t (a bigint NOT NULL, c text)");
    let folder = temp_dir();
    let data_only = Selection { data_only: true, ..Selection::default() };
    let result = restore(
        &archive_of(&source, folder.path()),
        &target,
        Options { selection: data_only, ..options() },
    );
    let says = [
        "column a of table public.t is of type bigint, the archive's is integer",
        "no column b",
        "a column c that",
    ];
    refused(result, Kind::Requirement, &says);
    assert!(!is_marked(target.admin()));
}

#[test]
fn a_dominating_table_is_loaded_by_several_sessions() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("source"), server.database("copy"));
    source.execute(
        "CREATE TABLE big AS SELECT n, repeat(md5(n::text), 12) AS t FROM generate_series(1, \
         200000) n;
         ALTER TABLE big ADD PRIMARY KEY (n); CREATE TABLE small AS SELECT 1 AS a",
    );
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    let target = Server::from_conninfo(&copy.url()).expect("a URL");
    let read = Source::open(&archive).expect("the archive is there");
    let plan = testkit::block_on(async move {
        Box::pin(restore::dry_run(read, &target, options(), &Silent)).await
    });
    let plan = plan.expect("a plan").to_string();
    assert!(plan.contains("load public.big, part 2 of "), "{plan}");
    assert_eq!(relations(&copy), "0");
    restore(&archive, &copy, options()).expect("restored");
    assert_same(&source, &copy);
}

#[test]
fn roles_that_are_gone_are_named_with_their_way_out() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("source"), server.database("copy"));
    source.execute(
        "CREATE ROLE sb_gone_owner; CREATE ROLE sb_gone_reader; CREATE TABLE t (a int); INSERT \
         INTO t VALUES (1);
         GRANT SELECT ON t TO sb_gone_reader; CREATE TABLE u (a int); ALTER TABLE u OWNER TO \
         sb_gone_owner",
    );
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    source.execute(
        "DROP OWNED BY sb_gone_reader; DROP OWNED BY sb_gone_owner; DROP ROLE \
         sb_gone_reader, sb_gone_owner",
    );
    let says =
        ["sb_gone_owner does not exist", "with -O", "sb_gone_reader does not exist", "with -x"];
    refused(restore(&archive, &copy, options()), Kind::Requirement, &says);
    assert_eq!(relations(&copy), "0");
    restore(
        &archive,
        &copy,
        Options {
            render: render::Options {
                no_owner: true,
                no_privileges: true,
                ..render::Options::default()
            },
            ..options()
        },
    )
    .expect("restored");
    assert_eq!(copy.value("SELECT count(*) FROM t"), "1");
}

#[test]
fn a_selection_brings_a_table_with_what_belongs_to_it() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("source"), server.database("copy"));
    source.execute(
        "CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
         CREATE TABLE child (id serial PRIMARY KEY, p int REFERENCES parent); INSERT INTO child \
         (p) VALUES (1), (1)",
    );
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    let selection = Selection {
        tables: vec![Pattern::table("child").expect("a pattern")],
        ..Selection::default()
    };
    let report = restore(&archive, &copy, Options { selection, ..options() }).expect("restored");
    assert_eq!(report.rows, 2);
    assert_eq!(report.not_restored.len(), 1, "{:?}", report.not_restored);
    assert_eq!(copy.value("SELECT nextval('child_id_seq')"), "3");
    let nothing = Selection {
        tables: vec![Pattern::table("nix").expect("a pattern")],
        ..Selection::default()
    };
    refused(
        restore(&archive, &source, Options { selection: nothing, ..options() }),
        Kind::Requirement,
        &["no object matches nix (-t)"],
    );
}

#[test]
fn every_kind_of_statement_comes_in_its_time() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("source"), server.database("copy"));
    source.execute(
        "CREATE SCHEMA \"Odd schema\";
         CREATE TABLE \"Odd schema\".\"T\" (id int PRIMARY KEY, v text, UNIQUE (v, id)) ;
         INSERT INTO \"Odd schema\".\"T\" SELECT n, 'v' || n FROM generate_series(1, 1000) n;
         CREATE INDEX \"an index\" ON \"Odd schema\".\"T\" (lower(v)); ALTER TABLE \"Odd \
         schema\".\"T\" CLUSTER ON \"an index\";
         CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM \"Odd schema\".\"T\"; CREATE \
         UNIQUE INDEX ON totals (n);
         CREATE TABLE measured (at date NOT NULL, n int) PARTITION BY RANGE (at);
         CREATE TABLE measured_1 PARTITION OF measured FOR VALUES FROM ('2024-01-01') TO \
         ('2025-01-01');
         CREATE TABLE measured_2 PARTITION OF measured DEFAULT;
         INSERT INTO measured SELECT '2024-06-01'::date + n, n FROM generate_series(1, 400) n;
         ALTER TABLE measured ADD PRIMARY KEY (at, n); CREATE INDEX ON measured (n);
         CREATE TABLE refers (at date, n int, FOREIGN KEY (at, n) REFERENCES measured); INSERT \
         INTO refers VALUES ('2024-06-02', 1);
         CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM \
         refers; RETURN NEW; END $$;
         CREATE TRIGGER touch AFTER INSERT ON \"Odd schema\".\"T\" FOR EACH STATEMENT EXECUTE \
         FUNCTION touched();
         CREATE VIEW seen AS SELECT * FROM refers; CREATE RULE silent AS ON DELETE TO measured DO \
         INSTEAD NOTHING;
         ALTER TABLE refers ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON refers USING (n > 0);
         CREATE TABLE ranges (r int4range, EXCLUDE USING gist (r WITH &&)); INSERT INTO ranges \
         VALUES ('[1,2)');
         COMMENT ON TABLE refers IS 'it''s \\ a comment'; COMMENT ON COLUMN refers.n IS 'n';
          ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC; GRANT SELECT \
          (n) ON refers TO PUBLIC;
         CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE \
         EXCEPTION 'watched'; END $$;
         CREATE EVENT TRIGGER watcher ON ddl_command_start WHEN TAG IN ('CREATE INDEX', 'DROP \
         SCHEMA') EXECUTE FUNCTION watch()",
    );
    let folder = temp_dir();
    let report = restore(&archive_of(&source, folder.path()), &copy, options()).expect("restored");
    for table in ["\"Odd schema\".\"T\"", "measured_1", "measured_2", "refers", "ranges"] {
        let count = format!("SELECT count(*), min(t::text), max(t::text) FROM {table} t");
        assert_eq!(source.rows(&count), copy.rows(&count), "{table}");
    }
    // What is not carried is named; when nothing is, nothing may differ.
    if report.not_restored.is_empty() {
        assert_same(&source, &copy);
    }
    assert!(!is_marked(copy.admin()));
}

#[test]
fn a_cut_or_stalled_wire_leaves_the_mark() {
    let server = testkit::newest_server();
    let source = server.database("source");
    source.execute(
        "CREATE TABLE wide AS SELECT n, repeat(md5(n::text), 20) AS t FROM \
         generate_series(1, 20000) n",
    );
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    let check = |fault: fn(&Proxy), says: &str| {
        let target = server.database("cut");
        let proxy = Proxy::to(server.port());
        fault(&proxy);
        let through = Server::from_conninfo(&proxy.url("postgres", target.name())).expect("a URL");
        let limits = Limits { stall_timeout: Duration::from_secs(1), ..jobs(1) };
        refused(
            restore_through(&through, &archive, Options { limits, ..options() }),
            Kind::Incomplete,
            &["load public.wide", says],
        );
        // A server behind a stalled wire goes on waiting for rows, and holds its lock.
        drop(proxy);
        assert!(is_marked(target.admin()));
        assert_eq!(target.value("SELECT count(*) FROM wide"), "0");
    };
    check(|proxy| proxy.cut_after(Direction::Up, 4 << 20), "connection");
    check(|proxy| proxy.stall_after(Direction::Up, 4 << 20), " for 1 s");
}
