//! The statements of one table's load.

use super::graph::LoadMode;
use crate::archive::manifest::{RowEncoding, Table, TableId};
use crate::pg::copy::LargeObjects;
use crate::restore::live::LiveTrigger;
use crate::sql::ident;

/// One load.
#[derive(Clone, Copy, Debug)]
pub(in crate::restore) struct Load<'a> {
    /// Which table.
    pub(in crate::restore) id: TableId,
    /// The same.
    pub(in crate::restore) table: &'a Table,
    /// Places in the archive's index.
    pub(in crate::restore) chunks: &'a [usize],
    /// How.
    pub(in crate::restore) mode: LoadMode,
    /// The table's own triggers, where it was there before.
    pub(in crate::restore) triggers: &'a [LiveTrigger],
    /// Whether the table's foreign keys are not to look at the rows.
    pub(in crate::restore) trusted: bool,
    /// The statement that notes it, in the same transaction.
    pub(in crate::restore) note: Option<&'a str>,
}

impl Load<'_> {
    /// What is run before the COPY, the COPY, and what is run after it.
    pub(in crate::restore) fn statements(&self) -> (Vec<String>, String, Vec<String>) {
        let name = ident::qualified(&self.table.schema, &self.table.name);
        let into = self
            .table
            .root
            .as_ref()
            .map_or_else(|| name.clone(), |root| ident::qualified(&root.schema, &root.name));
        let columns = ident::list(self.table.columns.iter().map(|column| column.name.as_str()));
        let columns = if columns.is_empty() { columns } else { format!(" ({columns})") };
        let format = match self.table.encoding {
            RowEncoding::Binary => "FORMAT binary",
            RowEncoding::Text => "FORMAT text",
        };
        let freeze = if self.mode == LoadMode::Freeze { ", FREEZE" } else { "" };
        let note = self.note.map(str::to_owned);
        if self.mode == LoadMode::LargeObjects {
            let after = note.into_iter().chain(["COMMIT".to_owned()]).collect();
            return (vec!["BEGIN".to_owned()], LargeObjects::WRITE.to_owned(), after);
        }
        let copy = format!("COPY {into}{columns} FROM STDIN ({format}{freeze})");
        let (mut before, after) = match self.mode {
            LoadMode::Freeze => (vec![format!("TRUNCATE ONLY {name}")], Vec::new()),
            LoadMode::Shared | LoadMode::Extension | LoadMode::LargeObjects => {
                (Vec::new(), Vec::new())
            }
            LoadMode::Existing => self.still(&name),
        };
        if self.trusted {
            before.push("SET LOCAL session_replication_role = replica".to_owned());
        }
        if before.is_empty() && note.is_none() {
            return (before, copy, after);
        }
        let before = std::iter::once("BEGIN".to_owned()).chain(before).collect();
        let after = after.into_iter().chain(note).chain(["COMMIT".to_owned()]).collect();
        (before, copy, after)
    }

    /// Switches triggers off, and on again as they were. Foreign keys go on checking: their
    /// triggers are the server's.
    fn still(&self, name: &str) -> (Vec<String>, Vec<String>) {
        if self.triggers.is_empty() {
            return (
                vec![format!("LOCK TABLE ONLY {name} IN SHARE ROW EXCLUSIVE MODE")],
                Vec::new(),
            );
        }
        let words = |word: fn(&LiveTrigger) -> &'static str| {
            let parts: Vec<String> = self
                .triggers
                .iter()
                .map(|trigger| format!("{} TRIGGER {}", word(trigger), ident::quote(&trigger.name)))
                .collect();
            format!("ALTER TABLE ONLY {name} {}", parts.join(", "))
        };
        (
            vec![words(|_| "DISABLE")],
            vec![words(|trigger| if trigger.always { "ENABLE ALWAYS" } else { "ENABLE" })],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::ObjectId;
    use crate::archive::manifest::testing::column;

    fn table() -> Table {
        Table::new(
            ObjectId(1),
            "public",
            "Routes",
            vec![column("id", "text"), column("group", "text")],
            RowEncoding::Binary,
        )
    }

    #[test]
    fn statements_of_each_mode() {
        let table = table();
        let triggers = [
            LiveTrigger { name: "sync".into(), always: false },
            LiveTrigger { name: "Ever".into(), always: true },
        ];
        let check_trusted = |mode, triggers: &[LiveTrigger], trusted, expect: &[&str]| {
            let (before, copy, after) = Load {
                id: TableId(0),
                table: &table,
                chunks: &[],
                mode,
                triggers,
                trusted,
                note: None,
            }
            .statements();
            let all: Vec<String> = before.into_iter().chain([copy]).chain(after).collect();
            assert_eq!(all, expect);
        };
        let check = |mode, triggers: &[LiveTrigger], expect: &[&str]| {
            check_trusted(mode, triggers, false, expect);
        };
        let copy = "COPY public.\"Routes\" (id, \"group\") FROM STDIN (FORMAT binary)";
        let frozen = "COPY public.\"Routes\" (id, \"group\") FROM STDIN (FORMAT binary, FREEZE)";
        check(
            LoadMode::Freeze,
            &[],
            &["BEGIN", "TRUNCATE ONLY public.\"Routes\"", frozen, "COMMIT"],
        );
        check(LoadMode::Shared, &[], &[copy]);
        let trust = "SET LOCAL session_replication_role = replica";
        check_trusted(
            LoadMode::Freeze,
            &[],
            true,
            &["BEGIN", "TRUNCATE ONLY public.\"Routes\"", trust, frozen, "COMMIT"],
        );
        check_trusted(LoadMode::Shared, &[], true, &["BEGIN", trust, copy, "COMMIT"]);
        check(
            LoadMode::Existing,
            &triggers,
            &[
                "BEGIN",
                "ALTER TABLE ONLY public.\"Routes\" DISABLE TRIGGER sync, DISABLE TRIGGER \"Ever\"",
                copy,
                "ALTER TABLE ONLY public.\"Routes\" ENABLE TRIGGER sync, ENABLE ALWAYS \
                 TRIGGER \"Ever\"",
                "COMMIT",
            ],
        );
    }
}
