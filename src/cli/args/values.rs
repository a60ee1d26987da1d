//! Values that are typed: sizes, times, numbers of jobs, compression.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::ValueEnum;

use crate::error::{Error, Kind, Result};
use crate::limits::cores;
use crate::restore::ForeignKeys;

/// Less memory than this cannot hold a few chunks.
const MEMORY_MIN: u64 = 16 << 20;

/// A busy server is silent for longer than this, often.
const STALL_MIN: Duration = Duration::from_secs(1);

/// The rates that `pg_basebackup` takes, in kilobytes a second.
const RATES: std::ops::RangeInclusive<f64> = 32.0..=1_048_576.0;

/// The compression levels that zstd has for speed and size.
const LEVELS: std::ops::RangeInclusive<i32> = 1..=22;

/// More sessions than this help nobody.
const JOBS_MAX: u16 = 256;

/// Threads that split, compress and join, on a machine that has as many cores.
const CODING_THREADS_MAX: usize = 8;

/// Fast, and small already: the data is stored by column.
const LEVEL_DEFAULT: i32 = 1;

/// Reads `256MiB`, `1GB`, `512M`: MB are decimal, MiB and a bare M binary.
pub(in crate::cli) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(format!("{unit} is not a unit; write 256MiB or 1GB")),
    };
    number.checked_mul(factor).ok_or_else(|| "it is too large".to_owned())
}

/// Reads `--max-memory`.
pub(in crate::cli) fn memory(text: &str) -> Result<u64, String> {
    let bytes = size(text)?;
    if bytes < MEMORY_MIN { Err("at least 16MiB are needed".to_owned()) } else { Ok(bytes) }
}

/// Reads `--max-rate`, as `pg_basebackup` does: kilobytes of 1024 bytes, or with a suffix.
pub(in crate::cli) fn rate(text: &str) -> Result<u64, String> {
    const WRITE: &str = "write a number of kilobytes a second, or one with k or M: 500k, 10M";
    let number = text.trim();
    let (number, kilobytes) = match number.strip_suffix(['k', 'M']) {
        Some(rest) if number.ends_with('M') => (rest, 1024.0),
        Some(rest) => (rest, 1.0),
        None => (number, 1.0),
    };
    let number: f64 = number.trim_end().parse().map_err(|_| WRITE.to_owned())?;
    let rate = number * kilobytes;
    if RATES.contains(&rate) {
        Ok((rate * 1024.0) as u64)
    } else {
        Err("the rate must be between 32k and 1024M a second".to_owned())
    }
}

/// Reads a time as PostgreSQL's settings do, milliseconds where no unit is given: `30000`, `30s`,
/// `5min`.
pub(in crate::cli) fn milliseconds(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text)?;
    let factor: u64 = match unit {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(format!("{unit} is not a unit; write ms, s, min, h or d")),
    };
    // PostgreSQL's own settings end at the same number.
    let total = number.checked_mul(factor).filter(|total| i32::try_from(*total).is_ok());
    total.map(Duration::from_millis).ok_or_else(|| "it is too long".to_owned())
}

/// Reads `--stall-timeout`, with its unit: a bare number would be taken for seconds by one and for
/// milliseconds by another.
pub(in crate::cli) fn stall(text: &str) -> Result<Duration, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("write a unit: {text}s or {text}min"));
    }
    milliseconds(text).and_then(|time| {
        if time < STALL_MIN { Err("at least 1s is needed".to_owned()) } else { Ok(time) }
    })
}

fn split_unit(text: &str) -> Result<(u64, &str), String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number = number.parse().map_err(|_| "it does not begin with a whole number".to_owned())?;
    Ok((number, unit.trim_start()))
}

/// Reads `-j`.
pub(in crate::cli) fn job_number(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|number| (1..=JOBS_MAX).contains(number));
    number.ok_or_else(|| format!("write a number from 1 to {JOBS_MAX}"))
}

/// How many sessions, where a number is typed: its parser takes no 0.
pub(in crate::cli) fn jobs(asked: Option<u16>) -> Option<NonZeroUsize> {
    asked.and_then(|number| NonZeroUsize::new(number.into()))
}

/// Threads that compress for a dump. Each keeps the memory for a chunk.
pub(in crate::cli) fn coding_threads() -> usize {
    cores().min(CODING_THREADS_MAX)
}

/// Threads that decode for a restore: one decodes what several of the server's sessions take.
pub(in crate::cli) fn decoding_threads() -> usize {
    (cores() / 2).clamp(1, CODING_THREADS_MAX)
}

/// What `-Z` asks for: a zstd level, or no compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Compression {
    None,
    Zstd(i32),
}

/// Reads `-Z`: `zstd`, `zstd:LEVEL`, `zstd:level=LEVEL`, `none`.
pub(in crate::cli) fn compression(text: Option<&str>) -> Result<Compression> {
    let Some(text) = text else { return Ok(Compression::Zstd(LEVEL_DEFAULT)) };
    let (method, detail) =
        text.split_once(':').map_or((text, None), |(method, detail)| (method, Some(detail)));
    let refuse = |cause: &str, hint: &str| {
        Error::new(Kind::Usage, format!("read -Z {text}"), cause).hint(hint)
    };
    let hint = "write -Z zstd, -Z zstd:LEVEL with a level from 1 to 22, or -Z none";
    match (method, detail) {
        ("none", None) => Ok(Compression::None),
        ("zstd", None) => Ok(Compression::Zstd(LEVEL_DEFAULT)),
        ("zstd", Some(detail)) => {
            let level = detail
                .strip_prefix("level=")
                .unwrap_or(detail)
                .parse()
                .ok()
                .filter(|level| LEVELS.contains(level));
            level.map(Compression::Zstd).ok_or_else(|| refuse("that is no level of zstd", hint))
        }
        ("gzip" | "lz4", _) => {
            Err(refuse(&format!("archives are not compressed with {method}"), hint))
        }
        ("none", Some(_)) => Err(refuse("none takes no level", hint)),
        ("", None) => Err(refuse("it is empty", hint)),
        _ if text.parse::<i64>().is_ok() => {
            Err(refuse("a level alone would mean gzip, as in pg_dump", hint))
        }
        _ => Err(refuse("there is no such compression", hint)),
    }
}

/// Refuses `-F`, which `pg_dump` and `pg_restore` know.
pub(in crate::cli) fn refuse_format(format: Option<&str>) -> Result<()> {
    let Some(format) = format else { return Ok(()) };
    let cause = "there is one archive format, Silverback's own, and it needs no option";
    let hint = "leave -F out; `silverback list --sql` prints an archive's definitions as SQL";
    Err(Error::new(Kind::Usage, format!("read -F {format}"), cause).hint(hint))
}

/// What is done about foreign keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FkArg {
    #[default]
    Validate,
    NotValid,
    Trust,
}

impl From<FkArg> for ForeignKeys {
    fn from(arg: FkArg) -> Self {
        match arg {
            FkArg::Validate => Self::Validate,
            FkArg::NotValid => Self::NotValid,
            FkArg::Trust => Self::Trust,
        }
    }
}

#[cfg(test)]
mod tests;
