//! `--section`, as `pg_dump` and `pg_restore` name the thirds of a database.

use clap::{Args, ValueEnum};

use crate::select::Sections;

/// Which sections.
#[derive(Args, Clone, Debug, Default)]
pub(in crate::cli) struct SectionArgs {
    /// Take this section only; may be repeated
    #[arg(long, value_name = "pre-data|data|post-data", value_enum, hide_possible_values = true)]
    section: Vec<SectionArg>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SectionArg {
    PreData,
    Data,
    PostData,
}

impl SectionArgs {
    /// Whether any are typed.
    pub(in crate::cli) fn are_chosen(&self) -> bool {
        !self.section.is_empty()
    }

    /// What they mean; without any, all.
    pub(in crate::cli) fn sections(&self) -> Sections {
        let wants = |section| self.section.is_empty() || self.section.contains(&section);
        Sections {
            pre_data: wants(SectionArg::PreData),
            data: wants(SectionArg::Data),
            post_data: wants(SectionArg::PostData),
        }
    }
}
