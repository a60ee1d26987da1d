//! What a run needs of tables that it does not make, and what becomes of their triggers.

use std::collections::HashSet;

use crate::archive::manifest::{Manifest, Object, ObjectId, ObjectKind, Table, TableId};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::Sort;
use crate::restore::options::{Options, Sections, Triggers};
use crate::restore::plan::input::ChunkSize;
use crate::restore::target::post_data;
use crate::restore::target::tables::{self, Existing, Manner};

/// What becomes of triggers, and whose tables may be filled.
pub(super) fn manner(options: &Options, sections: Sections, resumes: bool) -> Manner {
    let into_standing = sections.data && !sections.pre_data;
    Manner {
        disable_triggers: options.triggers == Triggers::DisableAll && into_standing,
        fire_triggers: options.triggers == Triggers::Fire && into_standing,
        borrows: into_standing && !sections.post_data && !resumes,
        resumes,
    }
}

/// Looks at them.
pub(super) async fn look(
    session: &Session,
    sections: Sections,
    (objects, manifest): (&[Object], &Manifest),
    chunks: &[Vec<ChunkSize>],
    manner: Manner,
    lost: &HashSet<TableId>,
) -> Result<Existing> {
    if sections.pre_data {
        let lost: Vec<(TableId, &Table)> =
            lost.iter().map(|id| (*id, &manifest.tables[id.0 as usize])).collect();
        return if lost.is_empty() {
            Ok(Existing::default())
        } else {
            tables::examine(session, &lost, &[], manner).await
        };
    }
    // An extension's own rows are in its tables from the start.
    let extensions: HashSet<ObjectId> = objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Extension)
        .map(|object| object.id)
        .collect();
    let tables =
        (0..).map(TableId).zip(&manifest.tables).filter(|(_, table)| !table.is_large_objects());
    let all_loaded = tables.filter(|(id, _)| !chunks[id.0 as usize].is_empty());
    let (theirs, loaded): (Vec<_>, Vec<_>) =
        all_loaded.partition(|(_, table)| extensions.contains(&table.object));
    if sections.data {
        return tables::examine(session, &loaded, &theirs, manner).await;
    }
    if manner.resumes {
        // It was so when it began, and is half done now.
        return Ok(Existing::default());
    }
    let mut findings = post_data::examine(session, objects, &manifest.tables).await?;
    // What stands may be dropped first; that rows are missing counts then, too.
    if findings.iter().all(|finding| finding.sort == Sort::Standing) {
        let filled: Vec<&Table> = loaded.into_iter().map(|(_, table)| table).collect();
        findings.extend(tables::examine_filled(session, &filled).await?);
    }
    Ok(Existing { findings, ..Existing::default() })
}

#[cfg(test)]
mod tests;
