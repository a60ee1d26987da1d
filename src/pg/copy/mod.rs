//! COPY: rows out of a server and into it. The only place that moves COPY data; whoever uses it
//! names no driver.
//!
//! Does not know what a row holds, nor where it comes from or goes.

mod into;
mod large_objects;
mod out;

pub use into::{CopyIn, Prepared};
pub use large_objects::{LargeObjectPart, LargeObjects};
pub use out::{CopyOut, CopyOuts, Filled};
