//! The file of an archive, opened by its path and read at any place.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::archive::{Archive, ReadAt};
use crate::error::{Error, Kind, Result};

/// An archive in a file.
pub type FileArchive = Archive<File>;

impl ReadAt for File {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buf, offset)
    }

    fn total_bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl Archive<File> {
    /// Opens an archive's file by its path and reads what describes it.
    ///
    /// # Errors
    /// [`Kind::Archive`] if it is not an archive, cut short or damaged; [`Kind::Requirement`] if it
    /// is of a newer format; [`Kind::File`] if it cannot be read.
    pub fn open_path(path: &Path) -> Result<Self> {
        Self::open_path_within(path, 0)
    }

    /// Opens an archive's file by its path; its manifest may take `max_memory` bytes of memory if
    /// that is more than is usual for its size.
    pub fn open_path_within(path: &Path, max_memory: u64) -> Result<Self> {
        Self::open_within(open(path)?, &path.display().to_string(), max_memory)
    }
}

/// Whether it is a connection string.
fn is_address(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme))
        || ["host=", "dbname=", "user="].iter().any(|keyword| text.contains(keyword))
}

/// Opens a regular file.
pub(super) fn open(path: &Path) -> Result<File> {
    let doing = || format!("open {}", path.display());
    // Before it is opened: to open a pipe is to wait for its writer.
    let metadata = path.metadata().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if is_address(path) => Error::file(doing(), error).hint(
            "that is a database's address, and an archive's file belongs here: give it with -d",
        ),
        io::ErrorKind::NotFound => Error::file(doing(), error).hint("check the archive's name"),
        _ => Error::file(doing(), error),
    })?;
    if metadata.is_dir() && path.join("toc.dat").exists() {
        let cause = "it is not a silverback archive, but pg_dump's directory format: pg_restore \
            reads it";
        return Err(Error::new(Kind::Archive, doing(), cause));
    }
    if metadata.is_dir() {
        let error = Error::new(Kind::File, doing(), "it is a directory, not a regular file");
        return Err(error.hint("name the archive's file"));
    }
    if !metadata.is_file() {
        let error = Error::new(Kind::File, doing(), "it is not a regular file");
        return Err(error.hint("name the archive's file"));
    }
    File::open(path).map_err(|error| Error::file(doing(), error))
}
