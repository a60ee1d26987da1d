use super::*;

fn table(name: &str, rows: u64, bytes: u64) -> TableTotal {
    TableTotal { name: name.to_owned(), rows, bytes }
}

fn job(cost: u64, chain: u64, loads: Option<usize>) -> JobTotal {
    JobTotal { cost, chain, loads }
}

/// A tally of these tables, and the time that is so many seconds later.
fn begun(tables: &[TableTotal]) -> (Tally, impl Fn(u64) -> Instant + use<>) {
    let begin = Instant::now();
    let mut tally = Tally::new(begin);
    tally.set_tables(tables, begin);
    (tally, move |seconds| begin + Duration::from_secs(seconds))
}

#[test]
fn counts_and_corrects_guesses() {
    let (mut tally, at) = begun(&[table("public.a\n", 10, 1000), table("public.b", 10, 2000)]);
    tally.set_phase("copy rows");
    assert_eq!(tally.bytes_total(), 3000);
    tally.advance(0, 5, 500, at(1));
    tally.advance(0, 5, 100, at(2));
    tally.look(at(2));
    let line = tally.heartbeat(at(2));
    assert!(line.starts_with("copy rows; 0 of 2 tables done; "), "{line}");
    assert!(line.contains(" %, 10 rows, 600 B, 0.0 MB/s, ") && line.contains(" s left"), "{line}");
    assert!(line.ends_with("; at public.a\\n"), "{line}");
    tally.table_done(0, at(3));
    tally.table_done(0, at(3));
    assert_eq!((tally.bytes_total(), tally.tables_done), (2600, 1));
    tally.advance(1, 30, 5000, at(4));
    assert_eq!((tally.bytes_total(), tally.rows_total()), (5600, 40));
    tally.look(at(4));
    assert!(tally.percent() < 100 && tally.time_left().is_some());
    tally.table_done(1, at(5));
    tally.look(at(5));
    assert_eq!((tally.percent(), tally.time_left()), (100, None));
    // A late chunk is no new table.
    tally.advance(1, 1, 100, at(6));
    assert!(tally.running().next().is_none());
    assert_eq!(tally.bytes_total(), 5700);
    // A place that is not in the list is counted in the rows and nowhere else.
    tally.advance(7, 1, 1, at(7));
    tally.table_done(7, at(7));
    assert_eq!((tally.rows, tally.bytes), (42, 5700));
}

#[test]
fn what_comes_is_seen_before_it_arrives() {
    let (mut tally, at) = begun(&[table("a", 0, 8_000_000)]);
    for second in 1..=4 {
        tally.received(0, 1_000_000, at(second));
        tally.look(at(second));
        assert_eq!(
            (tally.bytes, tally.tables[0].percent()),
            (second * 1_000_000, second * 100 / 8)
        );
    }
    assert_eq!((tally.rows, tally.percent()), (0, 50));
    tally.advance(0, 10, 4_000_000, at(5));
    assert_eq!((tally.rows, tally.bytes), (10, 4_000_000));
    tally.advance(0, 10, 4_000_000, at(6));
    assert_eq!(tally.bytes, 8_000_000);
    // A header and a trailer came with the rows, and are none.
    tally.received(0, 4_000_021, at(7));
    assert_eq!(tally.bytes, 8_000_021);
    tally.table_done(0, at(7));
    assert_eq!((tally.bytes, tally.tables[0].bytes), (8_000_000, 8_000_000));
}

#[test]
fn tells_steps() {
    let now = Instant::now();
    let mut tally = Tally::new(now);
    assert_eq!(tally.heartbeat(now), "");
    tally.set_phase("verify x");
    tally.steps = Some((3, 20));
    assert_eq!(tally.heartbeat(now), "verify x: 3 of 20");
}

#[test]
fn a_new_one_is_empty() {
    let now = Instant::now();
    let tally = Tally::new(now);
    assert_eq!((tally.bytes_total(), tally.rows_total(), tally.tables_done), (0, 0, 0));
    assert!(tally.time_left().is_none() && tally.running().next().is_none());
    assert_eq!((tally.heartbeat(now).as_str(), tally.phase_and_steps().as_str()), ("", ""));
}

#[test]
fn a_phase_begins_without_steps() {
    let mut tally = Tally::new(Instant::now());
    for (phase, steps, expect) in [
        ("build indexes", Some((0, 7)), "build indexes: 0 of 7"),
        ("odd\nname", None, "odd\\nname"),
        ("", None, ""),
        ("\u{1b}[2J", Some((7, 7)), "\\u{1b}[2J: 7 of 7"),
    ] {
        tally.set_phase(phase);
        assert_eq!(tally.steps, None, "{phase}");
        tally.steps = steps;
        assert_eq!(tally.phase_and_steps(), expect);
    }
}

#[test]
fn tables_begin_anew_and_the_phase_stays() {
    let (mut tally, at) = begun(&[table("a", 1, 10)]);
    tally.set_phase("copy");
    tally.advance(0, 1, 10, at(0));
    tally.table_done(0, at(0));
    tally.set_tables(&[table("b", 2, 20), table("c", 3, 30)], at(0));
    assert_eq!((tally.rows, tally.bytes, tally.tables_done, tally.tables_all), (0, 0, 0, 2));
    assert_eq!((tally.rows_total(), tally.bytes_total()), (5, 50));
    assert_eq!((tally.phase.as_str(), tally.percent()), ("copy", 0));
}

#[test]
fn what_an_archive_guesses_may_be_anything() {
    let (mut tally, at) = begun(&[table("a", u64::MAX, u64::MAX), table("b", u64::MAX, u64::MAX)]);
    assert_eq!((tally.rows_total(), tally.bytes_total()), (u64::MAX, u64::MAX));
    tally.advance(0, 1, 5, at(1));
    tally.look(at(2));
    assert_eq!(tally.percent(), 0);
    tally.table_done(0, at(3));
    tally.table_done(1, at(3));
    tally.look(at(3));
    assert_eq!((tally.bytes_total(), tally.percent()), (5, 100));
    assert!(!tally.heartbeat(at(4)).is_empty());
}

#[test]
fn tables_run_from_their_first_news_until_they_are_done() {
    let tables: Vec<TableTotal> =
        ["a", "b", "c", "d", "e", "f"].iter().map(|name| table(name, 1, 1)).collect();
    let (mut tally, at) = begun(&tables);
    let running = |tally: &Tally| tally.running().map(|(at, _)| at).collect::<Vec<_>>();
    assert!(running(&tally).is_empty());
    for place in [4, 1, 0, 2, 5] {
        tally.advance(place, 0, 0, at(0));
    }
    assert_eq!(running(&tally), [0, 1, 2, 4, 5]);
    assert!(tally.heartbeat(at(0)).ends_with("; at a, b, c, e"));
    tally.table_done(1, at(1));
    tally.table_done(3, at(1));
    assert_eq!(running(&tally), [0, 2, 4, 5]);
    assert!(tally.heartbeat(at(1)).contains("2 of 6 tables done"));
}

#[test]
fn the_rate_stands_when_the_last_table_is_done() {
    let (mut tally, at) = begun(&[table("a", 1, 8_000_000)]);
    tally.advance(0, 1, 8_000_000, at(2));
    tally.table_done(0, at(4));
    assert_eq!(tally.amounts(at(400)), ["1 row", "8.0 MB", "2.0 MB/s"]);
}

#[test]
fn jobs_count_by_their_cost() {
    let (mut tally, at) = begun(&[table("a", 10, 1000), table("not loaded", 0, 0)]);
    tally.set_phase("load rows");
    let index = job(6_000_000, 8_000_000, None);
    let jobs = [job(2_000_000, 10_000_000, Some(0)), index, job(2_000_000, 2_000_000, None)];
    tally.set_jobs(&jobs, at(0));
    assert_eq!((tally.tables_all, tally.jobs()), (1, Some((0, 3))));
    tally.job_begun(0, "load a", at(0));
    tally.advance(0, 5, 500, at(1));
    tally.look(at(1));
    // One second did half of what two of ten are.
    assert_eq!((tally.percent(), tally.left().as_deref()), (10, Some("9 s left")));
    tally.advance(0, 5, 500, at(2));
    tally.table_done(0, at(2));
    tally.job_done(0, at(2));
    tally.look(at(2));
    assert_eq!((tally.percent(), tally.left().as_deref()), (20, Some("8 s left")));
    assert_eq!(
        tally.heartbeat(at(2)),
        "load rows: 1 of 3 jobs; 1 of 1 table done; \
        20 %, 10 rows, 1.0 kB, 0.0 MB/s, 8 s left"
    );
    // A job that takes longer than it should counts nine tenths at most.
    tally.job_begun(1, "build index i", at(2));
    tally.look(at(5));
    assert_eq!(tally.percent(), 50);
    tally.look(at(60));
    assert_eq!(tally.percent(), 74);
    assert!(tally.time_left().is_some_and(|left| left > Duration::from_secs(10)));
    assert!(tally.heartbeat(at(60)).ends_with("at build index i"), "{}", tally.heartbeat(at(60)));
    tally.job_done(1, at(62));
    tally.job_begun(2, "rest", at(62));
    tally.job_done(2, at(63));
    tally.look(at(63));
    assert_eq!((tally.percent(), tally.left()), (100, None));
}

#[test]
fn a_chain_takes_as_long_as_it_is() {
    // Four loads side by side took a second; the index that is left is built by one session.
    let tables: Vec<TableTotal> = (0..4).map(|n| table(&n.to_string(), 1, 100)).collect();
    let (mut tally, at) = begun(&tables);
    let mut jobs: Vec<JobTotal> = (0..4).map(|n| job(1_000_000, 1_000_000, Some(n))).collect();
    jobs.push(job(4_000_000, 4_000_000, None));
    tally.set_jobs(&jobs, at(0));
    for place in 0..4 {
        tally.job_begun(place, "load", at(0));
        tally.advance(place, 1, 100, at(1));
        tally.table_done(place, at(1));
        tally.job_done(place, at(1));
    }
    tally.job_begun(4, "build index i", at(1));
    tally.look(at(1));
    assert_eq!((tally.percent(), tally.left().as_deref()), (50, Some("4 s left")));
}
