//! What bars show, as lines that fit a width. Pure: knows no terminal.
//!
//! Where room is short, names are shortened, then rates left out, then rows, then the bars.

use std::time::{Duration, Instant};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::tally::{TableTally, Tally};
use crate::cli::text::units;

/// More tables and jobs at a time than this are worked on unseen.
const LINES_MAX: usize = 8;
/// A job that is over sooner is not shown: a line could not be read.
const JOB_SHOWN_AFTER: Duration = Duration::from_millis(500);
/// In fewer columns the rows of a table are not shown.
const DETAILS_FROM: usize = 60;
/// A rate over less time says nothing.
const RATE_SHOWN_AFTER: Duration = Duration::from_secs(2);

/// The phase, what is worked on, and the whole. No line is wider than `width` columns.
pub(super) fn lines(tally: &Tally, now: Instant, width: usize) -> Vec<String> {
    let mut lines = vec![phase(tally, width)];
    let tables = tally.running().map(|(_, one)| table(one, now, width));
    let jobs = tally
        .jobs_running()
        .filter(|(_, since)| now.saturating_duration_since(*since) >= JOB_SHOWN_AFTER)
        .map(|(label, since)| job(label, now.saturating_duration_since(since), width));
    lines.extend(tables.chain(jobs).take(LINES_MAX));
    if !tally.tables.is_empty() || tally.jobs().is_some() {
        lines.push(whole(tally, now, width));
    }
    lines.into_iter().map(|line| cut(&line, width)).collect()
}

/// `load rows, build keys and indexes…: 15 of 23 jobs`.
fn phase(tally: &Tally, width: usize) -> String {
    let text = units::printable(&tally.phase);
    match tally.steps_of() {
        Some(steps) => {
            let text = cut(&text, width.saturating_sub(steps.width() + 2).max(12));
            format!("{text}: {steps}")
        }
        None => text.into_owned(),
    }
}

/// `  public.consumers       [======>      ]  36 % 65,795 rows, 7.7 MB/s`.
fn table(table: &TableTally, now: Instant, width: usize) -> String {
    let left = name(&units::printable(&table.name), width);
    let line =
        format!("{left} {} {:>3} %", bar(table.percent(), bar_width(width)), table.percent());
    let elapsed = table.since.map(|since| now.saturating_duration_since(since)).unwrap_or_default();
    let rate = (elapsed >= RATE_SHOWN_AFTER).then(|| units::rate(table.bytes, elapsed));
    let rows = Some(units::plural(table.rows, "row"));
    fitting(&line, [rows, rate], width)
}

/// `  build index public.routes_pkey                      12 s`.
fn job(label: &str, elapsed: Duration, width: usize) -> String {
    let time = units::duration(elapsed);
    let room = width.saturating_sub(time.width() + 3);
    let label = units::printable(label);
    let label = cut_within(&label, room);
    let wide = name_width(width) + bar_width(width) + 3;
    format!("  {} {time}", padded(&label, wide.min(room).max(label.width())))
}

/// `[=====>     ]  42 % 1 of 4 tables, 65,795 rows, 120.0 MB, 7.7 MB/s, 12 s left`.
fn whole(tally: &Tally, now: Instant, width: usize) -> String {
    let line = format!("{} {:>3} %", bar(tally.percent(), bar_width(width)), tally.percent());
    let left = tally.left().map(|left| format!(", {left}")).unwrap_or_default();
    let [rows, bytes, rate] = tally.amounts(now);
    let details = [tally.tables_of(), rows, bytes, rate];
    let details = details.map(|detail| (tally.tables_all > 0).then_some(detail));
    let line = fitting(&line, details, width.saturating_sub(left.width()));
    if line.ends_with('%') { format!("{line}{}", left.replacen(',', "", 1)) } else { line + &left }
}

/// The line with as many of the details as fit, the first before the others.
fn fitting<const N: usize>(line: &str, details: [Option<String>; N], width: usize) -> String {
    let mut text = line.to_owned();
    for (at, detail) in details.into_iter().flatten().enumerate() {
        let longer = format!("{text}{}{detail}", if at == 0 { " " } else { ", " });
        if longer.width() > width {
            break;
        }
        text = longer;
    }
    text
}

fn name(name: &str, width: usize) -> String {
    format!("  {}", padded(name, name_width(width)))
}

fn name_width(width: usize) -> usize {
    if width < DETAILS_FROM {
        // All that the bar and the percentage leave.
        width.saturating_sub(bar_width(width) + 11).max(8)
    } else {
        (width * 2 / 5).min(48)
    }
}

fn bar_width(width: usize) -> usize {
    (width / 8).clamp(4, 20)
}

/// `[====>     ]`, so many columns inside.
fn bar(percent: u64, columns: usize) -> String {
    let full = columns * percent.min(100) as usize / 100;
    let head = if full < columns { ">" } else { "" };
    let head = if full == 0 { "" } else { head };
    format!("[{}{head}{}]", "=".repeat(full), " ".repeat(columns - full - head.len()))
}

/// Cut or filled up to so many columns.
fn padded(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let missing = columns.saturating_sub(text.width());
    text + &" ".repeat(missing)
}

/// What fits into so many columns; an ellipsis stands for the rest.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let (mut shorter, mut used) = (String::new(), 0);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used + 1 > columns {
            break;
        }
        shorter.push(c);
    }
    if columns > 0 {
        shorter.push('…');
    }
    shorter
}

/// What fits into so many columns, of which the end has a quarter: what is built says first what it
/// is, and names that begin alike differ at their ends.
fn cut_within(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let (mut end, mut used) = (text.len(), 0);
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > columns / 4 {
            break;
        }
        end = at;
    }
    let end = &text[end..];
    cut(text, columns.saturating_sub(end.width())) + end
}

#[cfg(test)]
mod tests;
