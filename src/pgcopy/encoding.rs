//! Which of the server's formats rows travel in.

use serde::{Deserialize, Serialize};

/// The COPY format that a table's rows travel in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowEncoding {
    /// COPY BINARY.
    Binary,
    /// COPY TEXT, in the source's encoding.
    Text,
}
