//! A restore that makes its copy beside the live objects, in schemas of its own, and leaves them
//! alone. Which schemas these are, what is left out and what is noted, the caller says.

use std::collections::HashSet;

use super::step::Step;
use crate::archive::manifest::{Manifest, NotCarried, ObjectId};
use crate::sql::ident;

/// What is done besides, and what is not done.
#[derive(Clone, Debug, Default)]
pub struct Staged {
    /// The schemas that hold the copy, unquoted; nothing may be in them yet.
    pub schemas: Vec<String>,
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
    /// Takes from an archive's manifest what is not made.
    pub(super) fn leave_out(&self, manifest: &mut Manifest) {
        manifest.objects.retain(|object| !self.left.contains(&object.id));
        for object in &mut manifest.objects {
            object.depends_on.retain(|id| !self.left.contains(id));
            object.of.take_if(|of| self.left.contains(of));
        }
    }

    /// Which schemas must be empty, as an SQL condition.
    pub(super) fn condition(&self) -> String {
        let names: Vec<String> = self.schemas.iter().map(|name| ident::literal(name)).collect();
        if names.is_empty() {
            "false".to_owned()
        } else {
            format!("nspname IN ({})", names.join(", "))
        }
    }
}
