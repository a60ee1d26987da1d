//! What a dump is asked for. From where and to where are arguments of their own.

use std::time::Duration;

use crate::archive::Codec;
use crate::limits::Limits;
use crate::pg::snapshot::Begin;
use crate::select::{Sections, Selection};

/// How to dump. By default everything, at zstd's level 1.
#[derive(Clone, Debug)]
pub struct Options {
    /// How column blocks are stored.
    pub codec: Codec,
    /// Which objects and rows.
    pub selection: Selection,
    /// Which thirds of it.
    pub sections: Sections,
    /// Leave out the rows of unlogged tables, and the values of such sequences.
    pub no_unlogged_table_data: bool,
    /// The snapshot that is dumped, exported by another session; one of its own without.
    pub snapshot: Option<String>,
    /// Leave owners out of the archive.
    pub no_owner: bool,
    /// Leave privileges out of the archive.
    pub no_privileges: bool,
    /// Leave comments out of the archive.
    pub no_comments: bool,
    /// Leave security labels out of the archive.
    pub no_security_labels: bool,
    /// Let restores send the rows of partitions to the partitioned table at the top.
    pub via_partition_root: bool,
    /// Go on where a restore has left the database incomplete.
    pub allow_incomplete: bool,
    /// How each session begins.
    pub begin: Begin,
    /// How long a lock is waited for; for ever if it is 0.
    pub lock_wait_timeout: Duration,
    /// See [`SnapshotOptions`](crate::pg::snapshot::SnapshotOptions::serializable_deferrable).
    pub serializable_deferrable: bool,
    /// What it may take.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            codec: Codec::Zstd(1),
            selection: Selection::default(),
            sections: Sections::ALL,
            no_unlogged_table_data: false,
            snapshot: None,
            no_owner: false,
            no_privileges: false,
            no_comments: false,
            no_security_labels: false,
            via_partition_root: false,
            allow_incomplete: false,
            begin: Begin::default(),
            lock_wait_timeout: Duration::from_secs(30),
            serializable_deferrable: false,
            limits: Limits::default(),
        }
    }
}
