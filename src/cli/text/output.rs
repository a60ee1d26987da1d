//! Data that a user may want in a file or on standard output.

use std::error::Error as _;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::stdio;
use crate::error::{Error, Result};
use crate::storage::{NewFile, is_stream};

/// Writes to standard output, where no file is named or `-` is, or into a new file, which is there
/// when all of it is. `write` gives what it writes to [`put`].
pub(in crate::cli) fn write(
    file: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let Some(path) = file.filter(|path| !is_stream(path)) else {
        let mut ended = Ok(());
        stdio::print_with(|out| {
            ended = write(out);
            Ok(())
        })?;
        return match ended {
            // A reader that has seen enough is none of our business.
            Err(error) if is_broken_pipe(&error) => Ok(()),
            ended => ended,
        };
    };
    let mut out = BufWriter::new(NewFile::create(path)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.commit()
}

/// Writes some of it.
pub(in crate::cli) fn put(out: &mut dyn Write, data: &[u8]) -> Result<()> {
    out.write_all(data).map_err(failed)
}

fn failed(error: io::Error) -> Error {
    Error::file("write the output", error)
}

fn is_broken_pipe(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
}
