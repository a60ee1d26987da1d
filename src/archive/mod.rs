//! The archive: header, manifest, chunks, index, footer; bytes in, values out. Knows neither tokio
//! nor Postgres nor files.
//!
//! ```text
//! Header | Manifest | (Chunk | Table end)* | Index | Footer
//!
//! rows ─► encode_chunk ─► EncodedChunk ─► ArchiveWriter ─► bytes ─► Archive::read_chunk ─► StoredChunk::decode ─► rows
//! ```
//!
//! `format-spec/README.md` writes the bytes out. What a value or a statement means is not known
//! here.

mod block;
mod chunk;
mod codec;
mod decode;
mod encode;
mod error;
mod footer;
mod foreign;
mod header;
mod in_order;
mod incoming;
mod index;
mod limits;
pub mod manifest;
mod metered;
mod passed;
mod read_at;
mod reader;
mod room;
mod root;
mod section;
pub mod statistics;
mod survey;
mod table_end;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod transform;
mod writer;

pub use block::Codec;
pub use decode::StoredChunk;
pub use encode::{EncodedChunk, encode_chunk};
pub use footer::Footer;
pub use header::Header;
pub use in_order::{Arriving, InOrder, UncheckedChunk};
pub use index::{Index, IndexEntry};
pub use limits::ROW_BYTES_MAX;
pub use passed::{Passed, Whole};
pub use read_at::ReadAt;
pub use reader::Archive;
pub use root::Root;
pub use survey::{Survey, SurveyedChunk, survey};
pub use table_end::TableTotals;
pub use writer::{ArchiveWriter, Summary};
