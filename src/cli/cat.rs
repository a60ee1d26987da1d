//! `silverback cat`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::args::metrics::MetricsArgs;
use super::args::read::ReadArgs;
use super::command::{Outcome, run_stoppable};
use super::metrics::Figures;
use super::text::output;
use crate::error::{Error, Kind, Result};
use crate::pool;
use crate::rows::{csv, json};
use crate::storage::{FileArchive, is_stream};

/// Print the rows of a table of an archive
#[derive(Args, Clone, Debug)]
pub(super) struct CatArgs {
    /// The archive
    #[arg(value_name = "ARCHIVE")]
    archive: PathBuf,
    /// The table: its name with its schema, or alone where it is in one schema only
    #[arg(short, long, value_name = "TABLE")]
    table: String,
    /// Write CSV, as COPY does with CSV HEADER, or JSON, an object a line, as row_to_json does
    #[arg(long, value_name = "csv|json", value_enum, default_value_t, hide_possible_values = true)]
    format: Format,
    /// Write into this file, which must not be there, instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) read: ReadArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Csv,
    Json,
}

impl CatArgs {
    /// The archive, and the file that the rows go to.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.archive.as_path()).chain(self.file.as_deref())
    }
}

pub(super) fn run(args: &CatArgs) -> Result<Outcome> {
    if is_stream(&args.archive) {
        let cause = "rows of one table are not read from standard input";
        return Err(Error::new(Kind::Usage, "read the archive's name", cause)
            .hint("save the archive to a file first, and name that"));
    }
    let own = args.clone();
    let work =
        pool::run(move || output::write(own.file.as_deref(), |out| print(&own, &own.archive, out)));
    run_stoppable(args.read.log_format, 1, work, async || ())?;
    Ok(Outcome::Done)
}

/// Where no format will do.
const RESTORE: &str = "restore the table, and copy it out of the database";

/// Writes the rows, each chunk of which was checked before.
fn print(args: &CatArgs, path: &Path, out: &mut dyn Write) -> Result<()> {
    let archive = FileArchive::open_path_within(path, args.read.max_memory.unwrap_or(0))?;
    archive.check_root()?;
    let table = archive.table(&args.table)?;
    let rows = table.rows()?;
    let mut line = Vec::new();
    csv::write_header(table.columns(), &mut line);
    let encoding = &archive.manifest.source.encoding;
    let is_csv_written = encoding == "UTF8" || line.is_ascii();
    if matches!(args.format, Format::Csv) {
        if !is_csv_written {
            let cause = format!("a column's name is not ASCII, and the rows are in {encoding}");
            return Err(Error::new(Kind::Requirement, "write the header", cause).hint(RESTORE));
        }
        output::put(out, &line)?;
    }
    let other_way = if is_csv_written { "use --format csv" } else { RESTORE };
    let mut count = 0;
    for row in rows {
        line.clear();
        count += 1;
        match args.format {
            Format::Csv => csv::write(&row?, &mut line),
            Format::Json => {
                json::write(&row?, &mut line).map_err(|error| error.hint(other_way))?;
            }
        }
        output::put(out, &line)?;
    }
    args.metrics.count(&Figures { tables: Some(1), rows: Some(count), ..Figures::default() });
    Ok(())
}
