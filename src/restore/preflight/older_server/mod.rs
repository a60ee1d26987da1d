//! What an older target does not know and holds no rows: left out, and named. Without such a clause
//! the object is made, and what it holds is kept; with it it would fail, and all that needs it. An
//! object that would show more without its clause is not made at all.
//!
//! Does not know clauses that say what rows may be or who may see them: a statement with one of
//! those fails.

mod clauses;
mod words;

use std::collections::HashSet;

use self::clauses::{CLAUSES, Clause, Left};
use crate::archive::manifest::{Detail, NotCarried, Object, ObjectId, ObjectKind};
use crate::restore::options::Sections;

/// Takes away what a target of this version does not know, and tells which.
pub(in crate::restore) fn leave_clauses(
    objects: &mut Vec<Object>,
    sections: Sections,
    version_num: u32,
) -> Vec<NotCarried> {
    let mut left_out = Vec::new();
    let mut gone: HashSet<ObjectId> = HashSet::new();
    for clause in CLAUSES.iter().filter(|clause| version_num < clause.since) {
        for object in objects.iter_mut().filter(|object| sections.holds(object.section)) {
            if gone.contains(&object.id) {
                continue;
            }
            let named = name(object);
            let (kind, name) = match leave(clause, object) {
                Loss::None => continue,
                Loss::Clause => ("clause".to_owned(), format!("{} of {named}", clause.words)),
                Loss::Object => {
                    gone.insert(object.id);
                    (object.kind.to_string(), format!("{named} with {}", clause.words))
                }
            };
            left_out.push(NotCarried {
                kind,
                name,
                reason: format!("PostgreSQL {} does not know it", version_num / 10_000),
            });
        }
    }
    leave_dependents(objects, gone);
    left_out
}

/// What an object loses.
enum Loss {
    None,
    Clause,
    Object,
}

/// Takes a clause from an object.
fn leave(clause: &Clause, object: &mut Object) -> Loss {
    let (kind, mut loss) = (object.kind, Loss::None);
    for sql in texts(object) {
        match (clause.without)(kind, sql) {
            None => {}
            Some(Left::Same(without)) => *sql = without,
            Some(Left::Less(without)) => (*sql, loss) = (without, Loss::Clause),
            Some(Left::Nothing) => return Loss::Object,
        }
    }
    object.statements.retain(|sql| !sql.is_empty());
    loss
}

/// Every statement that may make the object.
fn texts(object: &mut Object) -> impl Iterator<Item = &mut String> {
    let index = match &mut object.detail {
        Detail::Key { using_index: Some(using_index), .. } => Some(&mut using_index.create_index),
        _ => None,
    };
    object.statements.iter_mut().chain(index)
}

/// Names an object that an older server does not take; what is published has no words of its own
/// but those of its publication.
fn name(object: &Object) -> String {
    let published =
        object.statements.first().and_then(|sql| sql.split_once(" ADD ")).map(|(_, what)| what);
    match (object.kind, published) {
        (ObjectKind::PublicationTable | ObjectKind::PublicationSchema, Some(what)) => {
            format!("{what} of {}", object.identity)
        }
        _ => object.identity.clone(),
    }
}

/// What belongs to an object that is not made goes with it, and was named with it.
fn leave_dependents(objects: &mut Vec<Object>, mut gone: HashSet<ObjectId>) {
    if gone.is_empty() {
        return;
    }
    // Each stands behind what it needs.
    objects.retain(|object| {
        let goes = gone.contains(&object.id)
            || object.of.iter().chain(&object.depends_on).any(|id| gone.contains(id));
        if goes {
            gone.insert(object.id);
        }
        !goes
    });
}
