//! The jobs that stand for many, and the rows of partitioned tables.

use std::collections::HashMap;

use crate::archive::manifest::ObjectId;
use crate::restore::plan::graph::JobId;
use crate::restore::plan::input::{ChunkSize, Input};
use crate::restore::plan::partition_trees::{Families, FamilyId};

/// What stands for many.
#[derive(Debug, Default)]
pub(super) struct Together {
    pub(super) rows: HashMap<FamilyId, Vec<JobId>>,
    pub(super) rows_of_all: Option<Vec<JobId>>,
    pub(super) statistics: HashMap<FamilyId, Vec<JobId>>,
    pub(super) keys: HashMap<ObjectId, Option<JobId>>,
}

/// How many rows are to be loaded into the tables of each family.
pub(super) fn by_family(input: &Input<'_>, families: &Families) -> HashMap<FamilyId, u64> {
    let mut counts = HashMap::new();
    for (table, chunks) in input.tables.iter().zip(input.chunks) {
        if let Some(family) = families.of(table.object) {
            *counts.entry(family).or_default() += rows(chunks);
        }
    }
    counts
}

pub(super) fn rows(chunks: &[ChunkSize]) -> u64 {
    chunks.iter().map(|chunk| chunk.rows).sum()
}
