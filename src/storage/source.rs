//! Where an archive is read from.

use std::fs::File;
use std::path::Path;

use super::file;
use super::stream::{InStream, is_stream};
use crate::error::Result;

/// What an archive is read from. A file gives any range of its bytes ([`crate::archive::ReadAt`]),
/// a stream what comes next ([`std::io::Read`]).
#[derive(Debug)]
pub enum Source {
    /// A file, and what it is called.
    File(File, String),
    /// A stream.
    Stream(InStream),
}

impl Source {
    /// Opens what is named; `-` is standard input.
    pub fn open(name: &Path) -> Result<Self> {
        if is_stream(name) {
            return InStream::stdin().map(Self::Stream);
        }
        Ok(Self::File(file::open(name)?, name.display().to_string()))
    }

    /// What errors and reports call it.
    pub fn name(&self) -> &str {
        match self {
            Self::File(_, name) => name,
            Self::Stream(stream) => stream.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::ReadAt as _;
    use crate::error::Kind;

    #[test]
    fn a_file_has_a_length_and_ranges() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.sbk");
        std::fs::write(&path, b"0123456789").expect("a small write");
        let Source::File(file, name) = Source::open(&path).expect("it is there") else {
            panic!("it is a file")
        };
        assert_eq!(
            (file.total_bytes().expect("a file has one"), name),
            (10, path.display().to_string())
        );
        let mut range = [0; 3];
        file.read_exact_at(&mut range, 7).expect("within");
        assert_eq!(&range, b"789");
        assert_eq!(
            file.read_exact_at(&mut range, 8).expect_err("beyond").kind(),
            std::io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for path in [folder.path(), &folder.path().join("missing.sbk")] {
            assert_eq!(Source::open(path).expect_err("no file").kind(), Kind::File);
        }
    }

    #[test]
    fn a_dash_alone_is_a_stream() {
        assert!(is_stream(Path::new("-")));
        assert!(["./-", "-.sbk", "--", ""].iter().all(|name| !is_stream(Path::new(name))));
    }
}
