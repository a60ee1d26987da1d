//! Streams, standard input and output among them: bytes that pass once, in order. What was read is
//! gone, and what was written cannot be taken back.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// Whether a name stands for one of the standard streams, as it does for other programs; `./-` is a
/// file of that name.
pub fn is_stream(name: &Path) -> bool {
    name.as_os_str() == "-"
}

/// Bytes that come in order.
pub struct InStream {
    from: Box<dyn Read + Send>,
    name: &'static str,
}

impl InStream {
    /// Standard input.
    ///
    /// # Errors
    /// [`Kind::Usage`] if it is a terminal, on which nobody types an archive.
    pub fn stdin() -> Result<Self> {
        const NAME: &str = "standard input";
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(
                terminal(NAME).hint("let the archive come from a pipe or a file, or name its file")
            );
        }
        Ok(Self::new(stdin, NAME))
    }

    /// Bytes from anywhere.
    pub fn new(from: impl Read + Send + 'static, name: &'static str) -> Self {
        Self { from: Box::new(from), name }
    }

    /// What errors and reports call it.
    pub fn name(&self) -> &str {
        self.name
    }
}

impl Read for InStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.from.read(buf)
    }
}

/// Bytes that go out in order. If it ends early, whoever reads them finds no footer: that is no
/// archive.
pub struct OutStream {
    to: Box<dyn Write + Send>,
    name: &'static str,
}

impl OutStream {
    /// Standard output.
    ///
    /// # Errors
    /// [`Kind::Usage`] if it is a terminal, which would obey an archive's bytes.
    pub fn stdout() -> Result<Self> {
        let stdout = io::stdout();
        Self::unless_terminal(stdout.is_terminal(), || {
            // Without the buffer of `Stdout`, which looks for the ends of lines.
            let descriptor = stdout.as_fd().try_clone_to_owned();
            descriptor.map(File::from).map_err(|error| Error::file(format!("open {STDOUT}"), error))
        })
    }

    fn unless_terminal<W: Write + Send + 'static>(
        is_terminal: bool,
        open: impl FnOnce() -> Result<W>,
    ) -> Result<Self> {
        if is_terminal {
            return Err(terminal(STDOUT)
                .hint("send it into a file or a program: silverback dump -f - > FILE"));
        }
        Ok(Self::new(open()?, STDOUT))
    }

    /// Bytes to anywhere.
    pub fn new(to: impl Write + Send + 'static, name: &'static str) -> Self {
        Self { to: Box::new(to), name }
    }

    /// What errors and reports call it.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Passes on what is still held back. Whether it becomes durable is up to who reads it.
    pub(super) fn commit(mut self) -> Result<()> {
        self.to.flush().map_err(|error| Error::file(format!("write to {}", self.name), error))
    }
}

const STDOUT: &str = "standard output";

fn terminal(name: &str) -> Error {
    Error::new(Kind::Usage, format!("open {name}"), "it is a terminal, and an archive is not text")
}

impl Write for OutStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.to.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl fmt::Debug for InStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for OutStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_to_a_terminal() {
        let error =
            OutStream::unless_terminal(true, || -> Result<Vec<u8>> { panic!("it is not opened") })
                .expect_err("a terminal");
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.hint_text().is_some() && error.to_string().contains("terminal"), "{error}");
        OutStream::unless_terminal(false, || Ok(Vec::new())).expect("no terminal");
    }

    #[test]
    fn bytes_pass_in_order() {
        let (reader, writer) = io::pipe().expect("a pipe");
        let mut out = OutStream::new(writer, STDOUT);
        out.write_all(b"in order").expect("a small write");
        out.commit().expect("nothing is held back");
        let mut read = String::new();
        InStream::new(reader, "standard input")
            .read_to_string(&mut read)
            .expect("the writer is gone");
        assert_eq!(read, "in order");
    }

    #[test]
    fn what_is_held_back_is_passed_on_or_fails() {
        /// Holds back all, and finds out too late.
        struct Lazy;
        impl Write for Lazy {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                Ok(buf.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let error = OutStream::new(Lazy, STDOUT).commit().expect_err("it cannot be passed on");
        assert_eq!(error.kind(), Kind::File);
        assert!(
            error.to_string().starts_with("write to standard output: ")
                && error.hint_text().is_some(),
            "{error}"
        );
    }
}
