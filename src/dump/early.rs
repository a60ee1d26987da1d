//! Sessions that join the snapshot of a far server while its catalog is read: opening one takes
//! several ways there and back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::error::Result;
use crate::pg::connect::Server;
use crate::pg::session::Session;
use crate::pg::snapshot::{self, Begin};

/// A server to which the way and back takes longer is worth sessions that may not be needed.
pub(super) const FAR: Duration = Duration::from_millis(2);

/// Opens them.
pub(super) struct Early {
    server: Server,
    begin: Begin,
    /// How many.
    count: usize,
    opening: Mutex<JoinSet<Result<Session>>>,
}

impl Early {
    pub(super) fn new(server: Server, begin: Begin, count: usize) -> Self {
        Self { server, begin, count, opening: Mutex::default() }
    }

    /// Lets them join a snapshot; those that joined an earlier one end.
    pub(super) fn join(&self, snapshot_id: &str) {
        let mut opening = JoinSet::new();
        for _ in 0..self.count {
            let (server, begin) = (self.server.clone(), self.begin.clone());
            let snapshot_id = snapshot_id.to_owned();
            opening.spawn(async move { snapshot::join(&server, &snapshot_id, &begin).await });
        }
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner) = opening;
    }

    /// They, for whoever comes.
    pub(super) fn opened(self) -> Opened {
        let opening = self.opening.into_inner().unwrap_or_else(PoisonError::into_inner);
        Opened(Arc::new(tokio::sync::Mutex::new(opening)))
    }
}

/// Sessions that are open or about to be; those that nobody takes end with the last of these.
#[derive(Clone)]
pub(super) struct Opened(Arc<tokio::sync::Mutex<JoinSet<Result<Session>>>>);

impl Opened {
    /// The next one that could be opened, if there is one more. Of the others nobody may be in need;
    /// who is, tries again and tells why.
    pub(super) async fn take(self) -> Option<Session> {
        let mut opening = self.0.lock().await;
        while let Some(opened) = opening.join_next().await {
            if let Ok(Ok(session)) = opened {
                return Some(session);
            }
        }
        None
    }
}
