//! Where an archive is written to.

use std::io::{self, Write};
use std::path::Path;

use super::new_file::NewFile;
use super::stream::{OutStream, is_stream};
use crate::error::Result;

/// What an archive is written to. Dropped before it is committed, it is abandoned: a file leaves
/// nothing, and a stream ends without a footer.
#[derive(Debug)]
pub enum Sink {
    /// A file that appears when all is durable.
    File(NewFile),
    /// A stream.
    Stream(OutStream),
}

impl Sink {
    /// Begins to write to what is named; `-` is standard output.
    pub fn create(name: &Path) -> Result<Self> {
        if is_stream(name) {
            OutStream::stdout().map(Self::Stream)
        } else {
            NewFile::create(name).map(Self::File)
        }
    }

    /// What errors and reports call it.
    pub fn name(&self) -> String {
        match self {
            Self::File(file) => file.path().display().to_string(),
            Self::Stream(stream) => stream.name().to_owned(),
        }
    }

    /// Completes it: see [`NewFile::commit`]; a stream passes on what it still holds.
    pub fn commit(self) -> Result<()> {
        match self {
            Self::File(file) => file.commit(),
            Self::Stream(stream) => stream.commit(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(buf),
            Self::Stream(stream) => stream.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stream(stream) => stream.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_file_is_there_once_it_is_committed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.sbk");
        let written = || {
            let mut sink = Sink::create(&path).expect("a new file");
            assert_eq!(sink.name(), path.display().to_string());
            sink.write_all(b"whole").expect("a small write");
            sink
        };
        drop(written());
        assert_eq!(std::fs::read_dir(folder.path()).expect("the test's folder").count(), 0);
        written().commit().expect("a small file");
        assert_eq!(std::fs::read(&path).expect("it was just written"), b"whole");
    }

    #[test]
    fn a_stream_has_passed_on_what_was_written() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let mut sink = Sink::Stream(OutStream::new(writer, "standard output"));
        assert_eq!(sink.name(), "standard output");
        sink.write_all(b"whole").expect("a small write");
        sink.commit().expect("nothing is held back");
        let mut read = Vec::new();
        reader.read_to_end(&mut read).expect("the writer is gone");
        assert_eq!(read, b"whole");
    }
}
