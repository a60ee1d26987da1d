//! Who is asked about a session of a run where no further session may be opened for that.
//!
//! Does not know what is asked.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::row::Row;
use crate::error::Result;

/// An answer that is yet to come.
pub type Answer = Pin<Box<dyn Future<Output = Result<Vec<Row>>> + Send>>;

/// Runs a query in a session that is open and has nothing else to do.
#[derive(Clone)]
pub struct AskedBy(pub Arc<dyn Fn(String) -> Answer + Send + Sync>);

impl fmt::Debug for AskedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AskedBy")
    }
}
