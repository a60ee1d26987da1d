//! The options that choose objects, shared by dump and restore, as `pg_dump` names them.

use std::path::PathBuf;

use clap::Args;

use super::filters::{self, For};
use super::words;
use crate::error::{Error, Kind, Result};
use crate::progress::{Level, Progress};
use crate::select::{Pattern, Selection};

/// Which objects.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Selection (patterns as in psql: * ? and \"quotes\")")]
pub(in crate::cli) struct SelectionArgs {
    /// Take the tables, views and sequences that match, with what belongs to them; in any schema
    /// when none is named
    #[arg(short, long, value_name = "PATTERN", value_parser = words::table_pattern())]
    table: Vec<Pattern>,
    /// Take the tables that match and, whatever they are called, their partitions and the tables
    /// that inherit from them
    #[arg(long, value_name = "PATTERN", value_parser = words::family_pattern())]
    table_and_children: Vec<Pattern>,
    /// Leave out the tables, views and sequences that match
    #[arg(short = 'T', long, value_name = "PATTERN", value_parser = words::table_pattern())]
    exclude_table: Vec<Pattern>,
    /// Leave out the tables that match, their partitions and the tables that inherit from them
    #[arg(long, value_name = "PATTERN", value_parser = words::family_pattern())]
    exclude_table_and_children: Vec<Pattern>,
    /// Take the schemas that match, with all in them
    #[arg(short = 'n', long, value_name = "PATTERN", value_parser = words::schema_pattern())]
    schema: Vec<Pattern>,
    /// Leave out the schemas that match
    #[arg(short = 'N', long, value_name = "PATTERN", value_parser = words::schema_pattern())]
    exclude_schema: Vec<Pattern>,
    /// Take the definitions, not the rows, of the tables that match
    #[arg(long, value_name = "PATTERN", value_parser = words::table_pattern())]
    exclude_table_data: Vec<Pattern>,
    /// The same, with their partitions and the tables that inherit from them
    #[arg(long, value_name = "PATTERN", value_parser = words::family_pattern())]
    exclude_table_data_and_children: Vec<Pattern>,
    /// Read patterns from a file, one a line, as pg_dump and pg_restore do: include or exclude, a
    /// type such as table, the pattern; - is standard input
    #[arg(long, value_name = "FILE")]
    filter: Vec<PathBuf>,
    /// Take the definitions, no rows
    #[arg(short, long, visible_alias = "no-data", conflicts_with = "data_only")]
    schema_only: bool,
    /// Take the rows and sequence values, no definitions
    #[arg(short = 'a', long, visible_alias = "no-schema")]
    data_only: bool,
    /// Leave row security's policies out
    #[arg(long)]
    no_policies: bool,
    /// Leave publications out
    #[arg(long)]
    no_publications: bool,
    /// Leave subscriptions out
    #[arg(long)]
    no_subscriptions: bool,
    /// Refuse a -t or -n that matches nothing; that is the default
    #[arg(long)]
    strict_names: bool,
    /// Take planner statistics, which hold values of rows; restored from PostgreSQL 18 on, so that
    /// no ANALYZE is needed
    #[arg(long, conflicts_with_all = ["data_only", "no_statistics"])]
    statistics: bool,
    /// Leave planner statistics out; that is the default
    #[arg(long)]
    no_statistics: bool,
    /// Refused
    #[arg(long, hide = true)]
    statistics_only: bool,
    /// What files say, and options that only one command has.
    #[arg(skip)]
    more: Selection,
}

impl SelectionArgs {
    /// Refuses what cannot be honoured, and says what is not meant as it sounds.
    pub(in crate::cli) fn check(&self, progress: &dyn Progress) -> Result<()> {
        if self.statistics && self.schema_only {
            progress.message(
                Level::Warning,
                "statistics hold values of rows: with -s, they are left out",
            );
        }
        if !self.statistics_only {
            return Ok(());
        }
        let cause = "statistics come with the rows that they are about";
        Err(Error::new(Kind::Usage, "read --statistics-only", cause)
            .hint("use --statistics, without -s and -a"))
    }

    /// Reads the files that say what is meant.
    pub(in crate::cli) fn read_filters(&mut self, of: For) -> Result<()> {
        filters::add(&self.filter, of, &mut self.more)
    }

    /// Adds what options say that only one command has.
    pub(in crate::cli) fn add(&mut self, change: impl FnOnce(&mut Selection)) {
        change(&mut self.more);
    }

    /// Whether they say which objects are meant.
    pub(in crate::cli) fn choose_objects(&self) -> bool {
        let all = self.selection();
        let patterns =
            [&all.tables, &all.exclude_tables, &all.schemas, &all.exclude_schemas, &all.extensions];
        !all.named.is_empty()
            || all.listed.is_some()
            || patterns.iter().any(|patterns| !patterns.is_empty())
    }

    /// Whether they say which tables are meant, and no others.
    pub(in crate::cli) fn choose_tables(&self) -> bool {
        !self.selection().tables.is_empty()
    }

    /// Whether they ask for single objects.
    pub(in crate::cli) fn choose_named(&self) -> bool {
        !self.more.named.is_empty()
    }

    /// Whether they leave out rows of tables that are meant.
    pub(in crate::cli) fn choose_rows(&self) -> bool {
        !self.selection().exclude_table_data.is_empty()
    }

    /// What these options mean.
    pub(in crate::cli) fn selection(&self) -> Selection {
        let more = self.more.clone();
        let all = |lists: [&Vec<Pattern>; 3]| lists.into_iter().flatten().cloned().collect();
        let none = Vec::new();
        Selection {
            tables: all([&self.table, &self.table_and_children, &more.tables]),
            exclude_tables: all([
                &self.exclude_table,
                &self.exclude_table_and_children,
                &more.exclude_tables,
            ]),
            schemas: all([&self.schema, &more.schemas, &none]),
            exclude_schemas: all([&self.exclude_schema, &more.exclude_schemas, &none]),
            exclude_table_data: all([
                &self.exclude_table_data,
                &self.exclude_table_data_and_children,
                &more.exclude_table_data,
            ]),
            schema_only: self.schema_only,
            data_only: self.data_only,
            no_publications: self.no_publications,
            no_subscriptions: self.no_subscriptions,
            no_policies: self.no_policies,
            statistics: self.statistics,
            ..more
        }
    }
}

/// The options about owners and privileges.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Owners and privileges")]
pub(in crate::cli) struct OwnerArgs {
    /// Leave owners out
    #[arg(short = 'O', long)]
    pub(in crate::cli) no_owner: bool,
    /// Leave privileges (GRANT, REVOKE) out
    #[arg(short = 'x', long, visible_alias = "no-acl")]
    pub(in crate::cli) no_privileges: bool,
    /// Do SET ROLE after connecting
    #[arg(long, value_name = "ROLE", value_parser = words::given_name())]
    pub(in crate::cli) role: Option<String>,
}
