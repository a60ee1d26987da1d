use super::*;

fn table(name: &str, rows: u64, bytes: u64) -> TableTotal {
    TableTotal { name: name.to_owned(), rows, bytes }
}

#[test]
fn counts_and_corrects_guesses() {
    let mut tally = Tally::new();
    tally.set_phase("copy rows");
    tally.set_tables(&[table("public.a\n", 10, 1000), table("public.b", 10, 2000)]);
    assert_eq!(tally.bytes_total(), 3000);
    assert!(tally.advance(0, 5, 500));
    assert!(!tally.advance(0, 5, 100));
    assert!(tally.time_left().is_some());
    assert!(
        tally.heartbeat().starts_with("copy rows; 0 of 2 tables done; 10 rows, 600 B, "),
        "{}",
        tally.heartbeat()
    );
    assert!(tally.heartbeat().ends_with("; at public.a\\n"), "{}", tally.heartbeat());
    tally.table_done(0);
    tally.table_done(0);
    assert_eq!((tally.bytes_total(), tally.tables_done), (2600, 1));
    tally.advance(1, 30, 5000);
    assert_eq!((tally.bytes_total(), tally.rows_total()), (5600, 40));
    tally.table_done(1);
    assert!(tally.all_tables_done() && tally.time_left().is_none());
    // A late chunk is no new table.
    assert!(!tally.advance(1, 1, 100) && tally.running().next().is_none());
    assert_eq!(tally.bytes_total(), 5700);
    // A place that is not in the list is counted in the sum and nowhere else.
    tally.advance(7, 1, 1);
    tally.table_done(7);
}

#[test]
fn tells_steps() {
    let mut tally = Tally::new();
    assert_eq!(tally.heartbeat(), "");
    tally.set_phase("build indexes");
    tally.steps = Some((3, 20));
    assert_eq!(tally.heartbeat(), "build indexes: 3 of 20");
}

#[test]
fn a_new_one_is_empty() {
    let tally = Tally::new();
    assert_eq!((tally.bytes_total(), tally.rows_total(), tally.tables_done), (0, 0, 0));
    assert!(tally.all_tables_done(), "there are none");
    assert!(tally.time_left().is_none() && tally.running().next().is_none());
    assert_eq!((tally.heartbeat().as_str(), tally.phase_and_steps().as_str()), ("", ""));
}

#[test]
fn a_phase_begins_without_steps() {
    let mut tally = Tally::new();
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
    let mut tally = Tally::new();
    tally.set_phase("copy");
    tally.set_tables(&[table("a", 1, 10)]);
    tally.advance(0, 1, 10);
    tally.table_done(0);
    tally.set_tables(&[table("b", 2, 20), table("c", 3, 30)]);
    assert_eq!((tally.rows, tally.bytes, tally.tables_done), (0, 0, 0));
    assert_eq!((tally.rows_total(), tally.bytes_total()), (5, 50));
    assert_eq!(tally.phase, "copy");
    assert!(!tally.all_tables_done());
}

#[test]
fn what_an_archive_guesses_may_be_anything() {
    let mut tally = Tally::new();
    tally.set_tables(&[table("a", u64::MAX, u64::MAX), table("b", u64::MAX, u64::MAX)]);
    assert_eq!((tally.rows_total(), tally.bytes_total()), (u64::MAX, u64::MAX));
    tally.advance(0, 1, 5);
    tally.table_done(0);
    tally.table_done(1);
    assert_eq!(tally.bytes_total(), 5);
    assert!(tally.all_tables_done() && !tally.heartbeat().is_empty());
}

#[test]
fn tables_run_from_their_first_news_until_they_are_done() {
    let mut tally = Tally::new();
    let tables: Vec<TableTotal> =
        ["a", "b", "c", "d", "e", "f"].iter().map(|name| table(name, 1, 1)).collect();
    tally.set_tables(&tables);
    let running = |tally: &Tally| tally.running().map(|(at, _)| at).collect::<Vec<_>>();
    assert!(running(&tally).is_empty());
    for at in [4, 1, 0, 2, 5] {
        assert!(tally.advance(at, 0, 0), "{at} gives its first sign of life");
        assert!(!tally.advance(at, 0, 0), "{at} has given it");
    }
    assert_eq!(running(&tally), [0, 1, 2, 4, 5]);
    assert!(tally.heartbeat().ends_with("; at a, b, c, e"), "{}", tally.heartbeat());
    tally.table_done(1);
    tally.table_done(3);
    assert_eq!(running(&tally), [0, 2, 4, 5]);
    assert!(tally.heartbeat().contains("2 of 6 tables done"), "{}", tally.heartbeat());
    assert!(!tally.advance(3, 1, 1), "it is done without having begun");
}

#[test]
fn the_clock_stands_when_the_last_table_is_done() {
    let mut tally = Tally::new();
    tally.set_tables(&[table("a", 1, 1)]);
    tally.advance(0, 1, 1);
    tally.table_done(0);
    let elapsed = tally.elapsed();
    assert_eq!(tally.elapsed(), elapsed);
    assert!(!tally.speed().contains("left"), "{}", tally.speed());
    assert!(tally.speed().starts_with("1 row, 1 B, "), "{}", tally.speed());
}
