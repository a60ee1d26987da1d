//! Data that a user may want in a file or on standard output.

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
        // It may be a program that loads what came: to be cut is no success.
        let mut ended = Ok(());
        let passed = stdio::pass(|out| {
            ended = write(out);
            io::Result::Ok(())
        });
        return ended.and_then(|()| passed.map_err(failed));
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
