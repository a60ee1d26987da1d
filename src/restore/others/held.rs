//! The sessions by which a restore keeps others out, and what must be given back when it ends:
//! shared with whoever may have to do that after the restore was dropped.
//!
//! Does not know how anything is taken or given back.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::pg::session::Session;

/// A handle on what a restore holds for as long as it keeps others out (`--disconnect-others`). One
/// that nothing was taken by is empty.
#[derive(Clone, Default)]
pub struct Held {
    inner: Arc<Mutex<Inner>>,
    /// Held while a session of ours is opened.
    opening: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Inner {
    /// Has no other work, and is not cancelled with the others.
    keeper: Option<Arc<Session>>,
    /// Sessions that are open for those who need one: there is no slot for another.
    reserve: Vec<Session>,
    taken: Option<Taken>,
    is_raised: bool,
}

/// The limit that is set meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The database, unquoted.
    pub database: String,
    /// The limit that it had and gets back.
    pub old: i32,
    /// The one that it has: how many sessions are ours.
    pub limit: i32,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.taken()).finish()
    }
}

impl Held {
    /// Waits until no other session of ours is being opened.
    pub(in crate::restore) async fn opening(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.opening.lock().await
    }

    /// What was taken and is not given back yet.
    pub(in crate::restore) fn taken(&self) -> Option<Taken> {
        self.inner().taken.clone()
    }

    /// The session that has no other work than this.
    pub(in crate::restore) fn keeper(&self) -> Option<Arc<Session>> {
        self.inner().keeper.clone()
    }

    /// Whether the limit was raised from another database, so that a session could be opened.
    pub(in crate::restore) fn is_raised(&self) -> bool {
        self.inner().is_raised
    }

    /// Notes that it was.
    pub(in crate::restore) fn raised(&self) {
        self.inner().is_raised = true;
    }

    /// From now on this session may have to give something back.
    pub(in crate::restore) fn begin(&self, keeper: Arc<Session>) {
        self.inner().keeper = Some(keeper);
    }

    /// Others are kept out from now on.
    pub(in crate::restore) fn closed(&self, taken: Taken) {
        self.inner().taken = Some(taken);
    }

    /// Others may come from now on: nothing is to be given back.
    pub(in crate::restore) fn opened(&self) {
        let mut inner = self.inner();
        inner.taken = None;
        inner.is_raised = false;
    }

    /// Lets everything go. Sessions are closed with it.
    pub(in crate::restore) fn forget(&self) {
        *self.inner() = Inner::default();
    }

    /// A session of the reserve.
    pub(in crate::restore) fn take(&self) -> Option<Session> {
        self.inner().reserve.pop()
    }

    /// Puts a session into the reserve; where others are not kept out, it is closed.
    pub(in crate::restore) fn keep(&self, session: Session) {
        let mut inner = self.inner();
        if inner.keeper.is_some() {
            inner.reserve.push(session);
        }
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Each change is one assignment.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
