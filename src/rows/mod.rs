//! A table's rows out of an archive, value by value, as the server itself would print them: no
//! server is asked.
//!
//! ```
//! use std::path::Path;
//!
//! use silverback::archive::Archive;
//!
//! # fn main() -> silverback::error::Result<()> {
//! let archive = Archive::open_path(Path::new("format-spec/vectors/plain-2.sbk"))?;
//! for row in archive.table("public.notes")?.rows()? {
//!     for (column, value) in row?.values() {
//!         print!("{} = {:?}; ", column.name, value);
//!     }
//!     println!();
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A value comes by the name of its column, as text or as what can be read from that:
//!
//! ```
//! # use std::path::Path;
//! # use silverback::archive::Archive;
//! # fn main() -> silverback::error::Result<()> {
//! # let archive = Archive::open_path(Path::new("format-spec/vectors/plain-2.sbk"))?;
//! let notes = archive.table("notes")?;
//! assert_eq!(notes.row_count(), 3);
//! assert_eq!(notes.columns()[0].name, "text");
//! let first = notes.rows()?.next().expect("there are three")?;
//! assert_eq!(first.get::<&str>("text")?, "tab\tand\nline\\");
//! assert_eq!(first.get::<Option<i64>>("more")?, None);
//! # Ok(())
//! # }
//! ```
//!
//! Each chunk's checksums are compared before its rows are given; what the archive's root covers is
//! compared by [`Archive::check_root`](crate::archive::Archive::check_root). A type whose text is
//! not known is refused by its name before the first row.
//!
//! Does not know where rows go: [`csv`], [`json`] and [`copy`] write one as they are asked.

pub mod copy;
pub mod csv;
pub mod json;
mod read;
mod row;
mod table;
mod value;

pub use read::Rows;
pub use row::Row;
pub use table::ArchivedTable;
pub use value::FromText;

/// Compiles the program in it.
#[cfg(doctest)]
#[doc = include_str!("../../docs/without-a-server.md")]
struct Documentation;
