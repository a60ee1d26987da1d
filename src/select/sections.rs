//! The thirds of a database: what rows need, the rows, what comes after them.

use crate::archive::manifest::Section;

/// Which sections are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections {
    /// What rows need to be loaded.
    pub pre_data: bool,
    /// Rows, sequence values, large objects.
    pub data: bool,
    /// Keys, indexes, triggers and what else is made after the rows.
    pub post_data: bool,
}

impl Default for Sections {
    fn default() -> Self {
        Self::ALL
    }
}

impl Sections {
    /// All three.
    pub const ALL: Self = Self { pre_data: true, data: true, post_data: true };

    /// Whether a section is wanted.
    pub fn holds(self, section: Section) -> bool {
        match section {
            Section::PreData => self.pre_data,
            Section::Data => self.data,
            Section::PostData => self.post_data,
        }
    }
}
