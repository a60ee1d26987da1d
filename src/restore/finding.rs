//! Something that keeps a restore from beginning.

use std::fmt;

/// Something that keeps the restore from beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is the matter.
    pub problem: String,
    /// What can be done, as an option or an action.
    pub way_out: String,
}

impl Finding {
    /// A problem and its way out.
    pub fn new(problem: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { problem: problem.into(), way_out: way_out.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.problem, self.way_out)
    }
}
