//! What needs what: `pg_depend`, read once, in terms of drafts.

use std::collections::HashMap;

use crate::archive::manifest::Section;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, FIRST_NORMAL_OID, class};
use crate::pg::catalog::reader::Reader;

/// Rows that belong to another row: a table's row type to the table, an array type to its element,
/// an extension's member to the extension.
pub(in crate::pg::catalog) type Aliases = HashMap<Address, Address>;

/// Reads the edges of `pg_depend`, from what needs to what is needed. Those of extensions' making
/// and of pinned objects say nothing here, nor do those of a partition's indexes and triggers to
/// its parent's: they are tied by ATTACH, or say so themselves.
pub(in crate::pg::catalog) async fn edges(reader: &Reader<'_>) -> Result<Vec<(Address, Address)>> {
    let sql = format!(
        "SELECT classid, objid, refclassid, refobjid FROM pg_catalog.pg_depend \
         WHERE deptype NOT IN ('p', 'e', 'P', 'S') AND objid >= {FIRST_NORMAL_OID} ORDER BY 1, 2, 3, 4"
    );
    let rows = reader.rows("dependencies", &sql).await?;
    rows.iter()
        .map(|row| {
            Ok((Address::new(row.get(0)?, row.get(1)?), Address::new(row.get(2)?, row.get(3)?)))
        })
        .collect()
}

/// Reads which rows are made along with others.
pub(in crate::pg::catalog) async fn aliases(reader: &Reader<'_>) -> Result<Aliases> {
    // Operators and functions of an operator family belong to it, unless they are a class's own.
    // Internal dependencies: array and row types, multiranges, the functions and casts of ranges,
    // the triggers of foreign keys. Of a composite type the type leads, and its row of pg_class
    // follows.
    let is_loose = "NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = o.oid AND \
        d.classid = o.tableoid AND d.deptype = 'i' \
        AND d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass)";
    let sql = format!(
        "SELECT classid, objid, refclassid, refobjid FROM pg_catalog.pg_depend WHERE deptype = 'i' \
         AND objid >= {FIRST_NORMAL_OID} \
         UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid, \
         'pg_catalog.pg_type'::pg_catalog.regclass::oid, c.reltype \
           FROM pg_catalog.pg_class c WHERE c.relkind = 'c' AND c.oid >= {FIRST_NORMAL_OID} \
         UNION ALL SELECT 'pg_catalog.pg_amop'::pg_catalog.regclass::oid, o.oid, \
         'pg_catalog.pg_opfamily'::pg_catalog.regclass::oid, o.amopfamily \
           FROM pg_catalog.pg_amop o WHERE o.oid >= {FIRST_NORMAL_OID} AND {is_loose} \
         UNION ALL SELECT 'pg_catalog.pg_amproc'::pg_catalog.regclass::oid, o.oid, \
         'pg_catalog.pg_opfamily'::pg_catalog.regclass::oid, o.amprocfamily \
           FROM pg_catalog.pg_amproc o WHERE o.oid >= {FIRST_NORMAL_OID} AND {is_loose}"
    );
    let rows = reader.rows("internal dependencies", &sql).await?;
    let mut aliases: Aliases = rows
        .iter()
        .map(|row| {
            Ok((Address::new(row.get(0)?, row.get(1)?), Address::new(row.get(2)?, row.get(3)?)))
        })
        .collect::<Result<_>>()?;
    aliases.extend(
        reader
            .members()
            .map(|(member, extension)| (member, Address::new(class::EXTENSION, extension))),
    );
    Ok(aliases)
}

/// Which draft makes the row, directly or along with another.
pub(in crate::pg::catalog) struct Makers<'a> {
    index: HashMap<Address, usize>,
    aliases: &'a Aliases,
}

impl<'a> Makers<'a> {
    pub(in crate::pg::catalog) fn new(drafts: &[Draft], aliases: &'a Aliases) -> Self {
        let mut index = HashMap::with_capacity(drafts.len() * 2);
        for (at, draft) in drafts.iter().enumerate() {
            index.extend(draft.parts.iter().map(|(part, _)| (*part, at)));
        }
        // A draft's own address wins over another's claim to make it along.
        index.extend(drafts.iter().enumerate().map(|(at, draft)| (draft.address, at)));
        Self { index, aliases }
    }

    pub(in crate::pg::catalog) fn of(&self, address: Address) -> Option<usize> {
        follow(address, self.aliases).find_map(|address| self.index.get(&address).copied())
    }
}

/// The address and what it is made along with, step by step.
pub(in crate::pg::catalog) fn follow(
    address: Address,
    aliases: &Aliases,
) -> impl Iterator<Item = Address> {
    // The array of the multirange of a range takes three steps; a limit because a composite type
    // and its row of pg_class name each other.
    std::iter::successors(Some(address), |address| aliases.get(address).copied()).take(5)
}

/// Who needs whom, by the drafts' places in their list; two more nodes stand for the borders of the
/// data section.
#[derive(Debug)]
pub(in crate::pg::catalog) struct Graph {
    /// For each node what must come before it, sorted, without repetition.
    pub(in crate::pg::catalog) needs: Vec<Vec<usize>>,
    drafts: usize,
}

impl Graph {
    pub(in crate::pg::catalog) fn new(
        drafts: &[Draft],
        edges: &[(Address, Address)],
        makers: &Makers<'_>,
    ) -> Self {
        let mut graph = Self { needs: vec![Vec::new(); drafts.len() + 2], drafts: drafts.len() };
        let own = drafts.iter().flat_map(|draft| {
            draft.needs.iter().chain(&draft.of).map(|&need| (draft.address, need))
        });
        for (from, to) in edges.iter().copied().chain(own) {
            let (Some(from), Some(to)) = (makers.of(from), makers.of(to)) else { continue };
            // A clause stands in its host, which therefore cannot be needed first.
            let is_hosted = drafts[from].host.is_some_and(|host| makers.of(host) == Some(to));
            if from != to
                && !is_hosted
                && !drafts[from].ignores.iter().any(|&ignored| makers.of(ignored) == Some(to))
            {
                graph.needs[from].push(to);
            }
        }
        for (at, draft) in drafts.iter().enumerate() {
            if let Some(host) = draft.host.and_then(|host| makers.of(host)) {
                graph.needs[host].push(at);
            }
            graph.bind(at, draft.section);
        }
        graph.needs[drafts.len() + 1].push(drafts.len());
        for needs in &mut graph.needs {
            needs.sort_unstable();
            needs.dedup();
        }
        graph
    }

    /// The node that all of pre-data comes before.
    pub(in crate::pg::catalog) fn pre_data_end(&self) -> usize {
        self.drafts
    }

    /// The node that all of post-data comes after.
    pub(in crate::pg::catalog) fn post_data_start(&self) -> usize {
        self.drafts + 1
    }

    /// Whether the node is one of the two borders.
    pub(in crate::pg::catalog) fn is_border(&self, node: usize) -> bool {
        node >= self.drafts
    }

    fn bind(&mut self, node: usize, section: Section) {
        let (before, after) = (self.pre_data_end(), self.post_data_start());
        match section {
            Section::PreData => self.needs[before].push(node),
            Section::Data => {
                self.needs[node].push(before);
                self.needs[after].push(node);
            }
            Section::PostData => self.needs[node].push(after),
        }
    }

    /// Moves a pre-data node behind the data.
    pub(in crate::pg::catalog) fn postpone(&mut self, node: usize) {
        let (before, after) = (self.pre_data_end(), self.post_data_start());
        self.remove(before, node);
        self.add(node, after);
    }

    pub(in crate::pg::catalog) fn remove(&mut self, from: usize, to: usize) {
        self.needs[from].retain(|&need| need != to);
    }

    pub(in crate::pg::catalog) fn add(&mut self, from: usize, to: usize) {
        if let Err(place) = self.needs[from].binary_search(&to) {
            self.needs[from].insert(place, to);
        }
    }
}

#[cfg(test)]
mod tests;
