//! Where the bytes of an archive come from and where they go: a file, or a stream that passes once.
//! Does not know what they mean.
//!
//! ```text
//!          file                                          stream (`-`)
//! Source   its length, and any range from any thread     standard input: what comes next
//! Sink     a name that appears when all is durable       standard output: what was written is out
//! ```

mod file;
mod new_file;
mod sink;
mod source;
mod stream;

pub use file::FileArchive;
pub use new_file::NewFile;
pub use sink::Sink;
pub use source::Source;
pub use stream::{InStream, OutStream, is_stream};
