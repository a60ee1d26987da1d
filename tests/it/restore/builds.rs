//! What the sessions that build indexes and validate keys may use.

use silverback::restore::{Into, Options};
use testkit::Database;

use super::super::support::temp_dir;
use super::{archive_of, jobs, options, restore};

/// Functions in indexes write down what the session that builds them may use.
#[test]
fn each_build_has_the_memory_and_the_helpers_that_suit_it() {
    let server = testkit::newest_server();
    let (source, alone, copy) =
        (server.database("source"), server.database("alone"), server.database("copy"));
    source.execute(
        "CREATE TABLE seen (what text, memory text, helpers text);
         CREATE FUNCTION note(what text) RETURNS void VOLATILE LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO public.seen SELECT what, current_setting('maintenance_work_mem'), \
           current_setting('max_parallel_maintenance_workers');
         END $$;
         CREATE FUNCTION same(what text, a int[]) RETURNS int[] IMMUTABLE LANGUAGE plpgsql AS $$ \
         BEGIN
           PERFORM public.note(what); RETURN a;
         END $$;
         CREATE TABLE t (a int[]); INSERT INTO t VALUES ('{1, 2}');
         CREATE INDEX ON t (same('btree', a)); CREATE UNIQUE INDEX ON t (same('unique', a)); \
         CREATE INDEX g ON t USING gin (same('gin', a));
         CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE INDEX ON m (same('refresh', a));
         TRUNCATE seen",
    );
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    let seen = |database: &Database<'_>| {
        database.value(
            "SELECT string_agg(DISTINCT concat_ws(' ', what, memory, helpers), ', ') FROM seen",
        )
    };
    alone.execute(&format!(
        "ALTER DATABASE {} SET max_parallel_maintenance_workers = 0",
        alone.name()
    ));
    for database in [&alone, &copy] {
        restore(&archive, database, Options { limits: jobs(1), no_analyze: true, ..options() })
            .expect("restored");
    }
    assert_eq!(seen(&alone), "btree 4MB 0, gin 1GB 0, refresh 1GB 0, unique 4MB 0");
    assert_eq!(seen(&copy), "btree 96MB 2, gin 1GB 2, refresh 1GB 2, unique 96MB 2");
    copy.execute(&format!(
        "DROP MATERIALIZED VIEW m; DROP TABLE t; DROP TABLE seen; DROP FUNCTION same, note; ALTER \
         DATABASE {} SET maintenance_work_mem = '3GB'",
        copy.name()
    ));
    restore(&archive, &copy, Options { limits: jobs(2), no_analyze: true, ..options() })
        .expect("restored");
    assert!(
        seen(&copy).contains("gin 3GB"),
        "the server's own setting where that is more: {}",
        seen(&copy)
    );
    // Without the one that leaves its memory behind.
    source.execute("DROP INDEX g");
    let (folder, copy) = (temp_dir(), server.database("refreshed"));
    restore(
        &archive_of(&source, folder.path()),
        &copy,
        Options { limits: jobs(1), no_analyze: true, ..options() },
    )
    .expect("restored");
    assert_eq!(seen(&copy), "btree 96MB 2, refresh 1GB 2, unique 96MB 2");
}

/// An event trigger tells the log what a session that proves a foreign key may use.
#[test]
fn each_proof_has_the_settings_that_suit_it() {
    let server = testkit::newest_server();
    let (source, copy, cheap) =
        (server.database("source"), server.database("copy"), server.database("cheap"));
    source.execute(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p);
         INSERT INTO p SELECT generate_series(1, 100000); INSERT INTO c SELECT * FROM p",
    );
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    let proof = |database: &Database<'_>| {
        database.execute(
            "CREATE FUNCTION tell() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
               IF pg_catalog.current_query() LIKE '%VALIDATE CONSTRAINT%' THEN
                 RAISE LOG 'proof: % %', current_setting('maintenance_work_mem'), \
                 current_setting('random_page_cost');
               END IF;
             END $$;
             CREATE EVENT TRIGGER tell ON ddl_command_start EXECUTE FUNCTION tell()",
        );
        let before = server.log_size();
        restore(
            &archive,
            database,
            Options {
                limits: jobs(1),
                no_analyze: true,
                into: Into::Cleaned { if_exists: true },
                ..options()
            },
        )
        .expect("restored");
        let log = server.log_since(before);
        log.lines()
            .find_map(|line| Some(line.split_once("proof: ")?.1.to_owned()))
            .expect("a proof")
    };
    // One merge of 100,000 keys of 64 bytes: the root of 6,250 KiB times a run's 272 is less than
    // the least, 4 MiB.
    assert_eq!(proof(&copy), "4MB 3");
    cheap.execute(&format!("ALTER DATABASE {} SET random_page_cost = 1.1", cheap.name()));
    assert_eq!(proof(&cheap), "4MB 1.1");
}

/// Entries of so many bytes that the least memory would not do. The server tells each run that it
/// writes, and how many the last merge joins.
#[test]
fn one_merge_joins_all_runs_of_a_build() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("source"), server.database("copy"));
    source.execute(
        "CREATE TABLE t (a uuid, b bigint);
         INSERT INTO t SELECT md5(n::text)::uuid, n * 7919::bigint % 1000003 FROM \
         generate_series(1, 1500000) n;
         CREATE INDEX ON t (a); CREATE INDEX ON t (b, a)",
    );
    let folder = temp_dir();
    let archive = archive_of(&source, folder.path());
    copy.execute(&format!(
        "ALTER DATABASE {0} SET trace_sort = on; ALTER DATABASE {0} SET \
         max_parallel_maintenance_workers = 0",
        copy.name()
    ));
    let before = server.log_size();
    restore(&archive, &copy, Options { limits: jobs(1), no_analyze: true, ..options() })
        .expect("restored");
    let number = |line: &str, behind: &str| -> Option<u32> {
        let digits = &line[line.find(behind)? + behind.len()..];
        digits[..digits.find(|one: char| !one.is_ascii_digit())?].parse().ok()
    };
    let (mut runs, mut sorts) = (0, 0);
    for line in server.log_since(before).lines() {
        runs = number(line, "finished writing run ")
            .or(number(line, "finished writing final run "))
            .unwrap_or(runs);
        if let Some(joined) = number(line, "done (except ") {
            assert!(runs > 10, "{runs} runs are too few to show anything");
            assert_eq!(joined, runs, "runs that the last merge joins");
            sorts += 1;
        }
    }
    assert_eq!(sorts, 2);
}
