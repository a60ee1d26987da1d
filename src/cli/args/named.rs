//! The options that choose single objects of an archive, as `pg_restore` has them.

use std::path::PathBuf;

use clap::Args;

use super::filters;
use super::selection::SelectionArgs;
use super::words;
use crate::error::{Error, Kind, Result};
use crate::select::{Listed, Pattern, Sections, Selection, Signature, TriggerName};

/// Which single objects.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Single objects (what they need is expected to stand)")]
pub(in crate::cli) struct NamedArgs {
    /// Make the indexes that match; without -t, nothing else
    #[arg(short = 'I', long, value_name = "PATTERN", value_parser = words::table_pattern())]
    index: Vec<Pattern>,
    /// Make the function, procedure or aggregate of this name and these argument types, as -l shows
    /// it; without -t, nothing else
    #[arg(short = 'P', long, value_name = "NAME(TYPE, ...)", value_parser = words::signature())]
    function: Vec<Signature>,
    /// Make the triggers of this name, or of "TABLE NAME"; without -t, nothing else. There is no
    /// short option: -T is --exclude-table, as in pg_dump
    #[arg(long, value_name = "NAME", value_parser = words::trigger())]
    trigger: Vec<TriggerName>,
    /// Print what would be restored as a list, one entry a line, and do nothing else; -L takes it
    #[arg(short = 'l', long, conflicts_with_all = ["status", "stage", "dry_run", "resume", "metrics_file", "file"])]
    pub(in crate::cli) list: bool,
    /// Restore what this list has and nothing else; delete lines of it, or put a semicolon before
    /// them. The order stays Silverback's; what needs something that is not in it is left out and
    /// named. - is standard input
    #[arg(short = 'L', long, value_name = "FILE", conflicts_with = "stage")]
    use_list: Option<PathBuf>,
}

impl NamedArgs {
    /// Adds the single objects, and what the list has.
    pub(in crate::cli) fn add_to(&mut self, selection: &mut SelectionArgs) -> Result<()> {
        let listed = self.listed()?;
        selection.add(|selection| {
            selection.named.indexes.append(&mut self.index);
            selection.named.functions.append(&mut self.function);
            selection.named.triggers.append(&mut self.trigger);
            selection.listed = listed;
        });
        Ok(())
    }

    fn listed(&self) -> Result<Option<Listed>> {
        let Some(path) = &self.use_list else { return Ok(None) };
        let text = filters::read("the list", path)?;
        Listed::parse(&path.display().to_string(), &text).map(Some)
    }
}

/// Refuses single objects that other options leave out.
pub(in crate::cli) fn check(selection: &Selection, sections: Sections) -> Result<()> {
    let named = &selection.named;
    let refused = [
        ("-I", !named.indexes.is_empty(), sections.post_data, "--section post-data"),
        ("-P", !named.functions.is_empty(), sections.pre_data, "--section pre-data"),
        ("--trigger", !named.triggers.is_empty(), sections.post_data, "--section post-data"),
    ];
    let left_out = |(_, is_asked, is_made, _): &&(_, bool, bool, _)| {
        *is_asked && (selection.data_only || !is_made)
    };
    let Some((option, .., section)) = refused.iter().find(left_out) else { return Ok(()) };
    let (cause, hint) = if selection.data_only {
        ("-a restores rows and makes nothing".to_owned(), "leave one of the two out".to_owned())
    } else {
        (
            "what it makes is in no section that is taken".to_owned(),
            format!("add {section}, or leave --section out"),
        )
    };
    Err(Error::new(Kind::Usage, format!("read {option}"), cause).hint(hint))
}
