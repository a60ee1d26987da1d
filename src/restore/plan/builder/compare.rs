//! The jobs that compare what the target holds with the archive, once all else is done: before the
//! rows that declare the database usable, and these after.

use super::Builder;
use crate::restore::plan::comparison::Comparison;
use crate::restore::plan::cost;
use crate::restore::plan::graph::{Job, JobId, Stage, Work};

/// Tables of up to so many bytes are read in batches, because a round trip costs more than their
/// rows.
const SMALL_BYTES: u64 = 256 << 10;
/// So many in a batch.
const BATCH: usize = 32;

impl Builder<'_> {
    /// Compares all but the rows that come last.
    pub(super) fn compare(&mut self) {
        let after = self.all_but_last_rows();
        self.compare_some(false, after);
    }

    /// Compares the rows that come last.
    pub(super) fn compare_last(&mut self) {
        let after = self.graph.sinks();
        self.compare_some(true, after);
    }

    fn compare_some(&mut self, last: bool, after: Vec<JobId>) {
        let is_last = |one: &Comparison| {
            one.relation.as_ref().is_some_and(|(_, name)| (self.input.last)(name))
        };
        let mut some: Vec<(u64, Comparison)> = self
            .input
            .compared
            .iter()
            .filter(|one| is_last(one) == last)
            .map(|one| (self.bytes_of(one), one.clone()))
            .collect();
        if some.is_empty() {
            return;
        }
        some.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let needs = self.together(Stage::Compare, "all that is compared".to_owned(), after);
        let small = some.partition_point(|(bytes, _)| *bytes > SMALL_BYTES);
        let small = some.split_off(small);
        for batch in some.chunks(1).chain(small.chunks(BATCH)) {
            let bytes = batch.iter().map(|(bytes, _)| bytes).sum();
            let label = match batch {
                [(_, one)] => format!("compare {} with the archive", one.name),
                _ => format!("compare {} tables with the archive", batch.len()),
            };
            self.push(Job {
                stage: Stage::Compare,
                label,
                work: Work::Compare(batch.iter().map(|(_, one)| one.clone()).collect()),
                needs: needs.clone(),
                locks: Vec::new(),
                cost: cost::compare(bytes, batch.len()),
            });
        }
    }

    fn bytes_of(&self, comparison: &Comparison) -> u64 {
        let chunks = comparison.tables.iter().map(|id| &self.input.chunks[id.0 as usize]);
        chunks.flatten().map(|chunk| chunk.raw_bytes).sum()
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
