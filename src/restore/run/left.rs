//! What is not done yet, for those who watch.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::archive::manifest::TableId;
use crate::progress::Progress;
use crate::restore::plan::graph::{Graph, Job, Stage, Work};

/// What is not done yet, for those who watch.
pub(in crate::restore) struct Left {
    parts: BTreeMap<TableId, usize>,
    stages: BTreeMap<Stage, usize>,
}

impl Left {
    pub(in crate::restore) fn new(graph: &Graph) -> Self {
        let (mut parts, mut stages) = (BTreeMap::new(), BTreeMap::new());
        for job in &graph.jobs {
            *stages.entry(job.stage).or_default() += 1;
            if let Work::Load { table, .. } = &job.work {
                *parts.entry(*table).or_default() += 1;
            }
        }
        Self { parts, stages }
    }

    pub(in crate::restore) fn done(&mut self, job: &Job, progress: &Arc<dyn Progress>) {
        if let Work::Load { table, .. } = &job.work
            && Self::is_last(&mut self.parts, table)
        {
            progress.table_done(table.0 as usize);
        }
        let first = self.stages.keys().next().copied();
        if Self::is_last(&mut self.stages, &job.stage) && first == Some(job.stage) {
            self.tell(progress);
        }
    }

    /// Counts one down; `true` when none is left.
    fn is_last<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) -> bool {
        let Some(count) = counts.get_mut(key) else { return false };
        *count -= 1;
        let none_left = *count == 0;
        if none_left {
            counts.remove(key);
        }
        none_left
    }

    /// Names the earliest stage that still has work.
    pub(in crate::restore) fn tell(&self, progress: &Arc<dyn Progress>) {
        if let Some(stage) = self.stages.keys().next() {
            progress.phase(stage.doing());
        }
    }
}
