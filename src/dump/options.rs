//! What a dump is asked for.

use std::path::PathBuf;
use std::time::Duration;

use crate::archive::Codec;
use crate::pg::connect::Server;
use crate::pg::snapshot::Begin;
use crate::select::Selection;

/// What to dump, from where, to where, how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database.
    pub server: Server,
    /// The archive's file, where nothing may be yet; `-` is standard output.
    pub output: PathBuf,
    /// Sessions that copy, beside the one that holds the snapshot.
    pub jobs: usize,
    /// How column blocks are stored.
    pub codec: Codec,
    /// Which objects and rows.
    pub selection: Selection,
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
    /// How long a lock is waited for.
    pub lock_wait_timeout: Duration,
    /// Bytes of rows in flight, raw and encoded.
    pub max_memory: u64,
    /// See [`SnapshotOptions`](crate::pg::snapshot::SnapshotOptions::serializable_deferrable).
    pub serializable_deferrable: bool,
    /// How long COPY data or an answer may stay away; 0 is for ever.
    pub stall_timeout: Duration,
}
