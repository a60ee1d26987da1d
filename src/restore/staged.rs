//! A restore that makes its copy beside the live objects, in schemas or in a database of its own, and
//! leaves them alone. Which schemas these are, what is left out and what is noted, the caller says.

use std::collections::HashSet;

use super::step::Step;
use crate::archive::manifest::{Manifest, NotCarried, Object, ObjectId, ObjectKind};
use crate::sql::ident;

/// What is done besides, and what is not done.
#[derive(Clone, Debug, Default)]
pub struct Staged {
    /// The schemas that hold the copy, unquoted; nothing may be in them yet.
    pub schemas: Vec<String>,
    /// The database that is made for the copy, as it is to be; none, if it stands beside what is
    /// live.
    pub database: Option<Box<Object>>,
    /// What notes in the database where it begins that this one is made.
    pub before: Vec<Step>,
    /// The archive's objects that are not made.
    pub left: HashSet<ObjectId>,
    /// Those of them that are named.
    pub left_out: Vec<NotCarried>,
    /// What notes that the copy is begun, in the transaction that sets the marker.
    pub note: Vec<Step>,
    /// What notes that it is complete, in the transaction that takes the marker away.
    pub complete: Vec<Step>,
}

impl Staged {
    /// Takes from an archive's manifest what is not made; what is said of the database is said of
    /// the copy's.
    pub(super) fn leave_out(&self, manifest: &mut Manifest) {
        if let Some(database) = &self.database {
            let described = |object: &&mut Object| object.kind == ObjectKind::Database;
            for object in manifest.objects.iter_mut().filter(described) {
                *object = Object { id: object.id, ..(**database).clone() };
            }
        }
        manifest.objects.retain(|object| !self.left.contains(&object.id));
        for object in &mut manifest.objects {
            object.depends_on.retain(|id| !self.left.contains(id));
            object.of.take_if(|of| self.left.contains(of));
        }
    }

    /// Which schemas must be empty, as an SQL condition; none, if all must.
    pub(super) fn condition(&self) -> Option<String> {
        let names: Vec<String> = self.schemas.iter().map(|name| ident::literal(name)).collect();
        match (&self.database, names.is_empty()) {
            (Some(_), _) => None,
            (None, true) => Some("false".to_owned()),
            (None, false) => Some(format!("nspname IN ({})", names.join(", "))),
        }
    }
}
