use std::fmt::Write as _;

use indicatif::InMemoryTerm;
use serde_json::Value;

use super::*;
use crate::cli::tests::scenario;

/// What a run told, as it was recorded: a line for each event, the milliseconds since the first
/// before it. News of rows and bytes within 50 ms are put together.
const RECORDED: [(&str, &str); 2] = [
    ("dump", include_str!("recorded_dump.jsonl")),
    ("restore", include_str!("recorded_restore.jsonl")),
];
/// How often bars are drawn.
const EVERY: Duration = Duration::from_millis(250);

#[test]
fn bars_come_and_go() {
    let bars = Bars::new(Verbosity::Normal);
    scenario(&bars);
    assert!(bars.lock().drawn.is_some());
    bars.finish();
    bars.finish();
    assert!(bars.lock().drawn.is_none());
}

/// A recorded run, shown on a terminal.
struct Replay {
    state: State,
    terminal: InMemoryTerm,
    columns: u16,
    begin: Instant,
    drawn_until: Duration,
}

/// What is on the terminal, and when.
struct Screen {
    at: Duration,
    lines: Vec<String>,
    percent: u64,
    left: Option<Duration>,
}

impl Replay {
    fn new(columns: u16) -> Self {
        let begin = Instant::now();
        let state = State { tally: Tally::new(begin), drawn: None, drawn_times: 0 };
        let terminal = InMemoryTerm::new(24, columns);
        Self { state, terminal, columns, begin, drawn_until: Duration::ZERO }
    }

    /// Draws as often as it is due until then.
    fn draw_until(&mut self, until: Duration, screens: &mut Vec<Screen>) {
        while self.drawn_until + EVERY <= until {
            self.drawn_until += EVERY;
            self.state.redraw(self.begin + self.drawn_until, self.columns.into());
            if self.state.drawn.is_some() {
                screens.push(Screen {
                    at: self.drawn_until,
                    lines: self.terminal.contents().lines().map(str::to_owned).collect(),
                    percent: self.state.tally.percent(),
                    left: self.state.tally.time_left(),
                });
            }
        }
    }

    fn event(&mut self, at: Duration, event: &[Value]) {
        let now = self.begin + at;
        let number = |at: usize| event[at].as_u64().unwrap();
        let place = || number(1) as usize;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let tally = &mut self.state.tally;
        match event[0].as_str().unwrap() {
            "phase" => tally.set_phase(&text(&event[1])),
            "tables" => {
                let tables: Vec<TableTotal> = (event[1].as_array().unwrap().iter())
                    .map(|one| TableTotal {
                        name: text(&one[0]),
                        rows: one[1].as_u64().unwrap(),
                        bytes: one[2].as_u64().unwrap(),
                    })
                    .collect();
                tally.set_tables(&tables, now);
                self.state.draw_on(ProgressDrawTarget::term_like(Box::new(self.terminal.clone())));
            }
            "jobs" => {
                let jobs: Vec<JobTotal> = (event[1].as_array().unwrap().iter())
                    .map(|one| JobTotal {
                        cost: one[0].as_u64().unwrap(),
                        chain: one[1].as_u64().unwrap(),
                        loads: one[2].as_u64().map(|table| table as usize),
                    })
                    .collect();
                tally.set_jobs(&jobs, now);
            }
            "job_begun" => tally.job_begun(place(), &text(&event[2]), now),
            "job_done" => tally.job_done(place(), now),
            "received" => tally.received(place(), number(2), now),
            "advance" => tally.advance(place(), number(2), number(3), now),
            "table_done" => tally.table_done(place(), now),
            other => panic!("{other}"),
        }
    }
}

/// Every screen of a recorded run.
fn screens(recorded: &str, columns: u16) -> Vec<Screen> {
    let (mut replay, mut screens) = (Replay::new(columns), Vec::new());
    let mut at = Duration::ZERO;
    for line in recorded.lines() {
        let event: Vec<Value> = serde_json::from_str(line).unwrap();
        at = Duration::from_millis(event[0].as_u64().unwrap());
        replay.draw_until(at, &mut screens);
        replay.event(at, &event[1..]);
    }
    replay.draw_until(at + EVERY, &mut screens);
    screens
}

#[test]
fn no_line_is_wrapped() {
    for (name, recorded) in RECORDED {
        for columns in [40, 80, 120] {
            let screens = screens(recorded, columns);
            assert!(screens.len() > 20, "{name}: {}", screens.len());
            for screen in &screens {
                // A line that was wrapped would go on at the left, where ours have a space, a
                // bracket or, the first, the spinner.
                let begins_well = |line: &String| line.starts_with("  ") || line.starts_with('[');
                assert!(
                    screen.lines.iter().skip(1).all(begins_well) && screen.lines.len() <= 10,
                    "{name} at {columns} columns, {:?}:\n{}",
                    screen.at,
                    screen.lines.join("\n")
                );
            }
        }
    }
}

#[test]
fn no_percentage_falls_and_what_is_left_is_told() {
    for (name, recorded) in RECORDED {
        let screens = screens(recorded, 80);
        for pair in screens.windows(2) {
            assert!(pair[0].percent <= pair[1].percent, "{name}, {:?}", pair[1].at);
        }
        let last = screens.last().unwrap();
        assert_eq!(last.percent, 100, "{name}");
        for screen in &screens {
            let shown = screen.lines.join("\n");
            assert!(!shown.contains(" 0 s left"), "{name}:\n{shown}");
            assert!(screen.percent < 100 || screen.at + EVERY * 2 > last.at, "{name}:\n{shown}");
        }
    }
}

/// In the second half, when the speed is known, the guess is off by less than half of all time.
#[test]
fn the_guess_of_what_is_left_is_a_guess_of_that() {
    for (name, recorded) in RECORDED {
        let screens = screens(recorded, 80);
        let end = screens.last().unwrap().at;
        for screen in screens.iter().filter(|screen| screen.at > end / 2 && screen.percent < 95) {
            let left = screen.left.unwrap_or_default();
            let really = end.saturating_sub(screen.at);
            let off = left.abs_diff(really);
            assert!(off < end / 2, "{name} at {:?}: {left:?} instead of {really:?}", screen.at);
        }
    }
}

#[test]
fn a_restore_is_shown_at_three_widths() {
    let (_, recorded) = RECORDED[1];
    let mut shown = String::new();
    for columns in [40, 80, 120] {
        let screens = screens(recorded, columns);
        for part in [4, 2] {
            let screen = &screens[screens.len() * (part - 1) / part];
            let lines = screen.lines.join("\n");
            let _ = writeln!(shown, "{columns} columns, {:?}\n{lines}\n", screen.at);
        }
    }
    insta::assert_snapshot!(shown);
}
