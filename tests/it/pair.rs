//! A database, its owner, and an empty second one to restore into; and the bytes that an archive
//! says it holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use silverback::archive::Archive;
use tempfile::TempDir;
use testkit::{Database, Role, Server};

use crate::support::{self, Silverback};

/// The owner is no superuser, and dump and restore run as it.
pub(crate) struct Pair {
    /// What is dumped.
    pub(crate) source: Database<'static>,
    /// What is restored into.
    pub(crate) copy: Database<'static>,
    /// The owner of both; dropped after them.
    pub(crate) owner: Role<'static>,
    dir: TempDir,
}

impl Pair {
    /// Two databases of one owner, which runs `setup` in the first.
    #[track_caller]
    pub(crate) fn on(server: &'static Server, setup: &str) -> Self {
        Self::of(server.role("kong"), server, setup)
    }

    /// The same on the newest server.
    #[track_caller]
    pub(crate) fn new(setup: &str) -> Self {
        Self::on(testkit::newest_server(), setup)
    }

    /// Two databases of a given owner.
    #[track_caller]
    pub(crate) fn of(owner: Role<'static>, server: &'static Server, setup: &str) -> Self {
        let source = server.database_of(&owner, "source");
        let copy = server.database_of(&owner, "copy");
        source.connect().execute(setup);
        Self { source, copy, owner, dir: support::temp_dir() }
    }

    /// A path in a folder that goes away.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The archive.
    pub(crate) fn file(&self) -> PathBuf {
        self.path(&format!("{}.sbk", self.source.name()))
    }

    /// Describes the dump of the source.
    pub(crate) fn dump(&self) -> Silverback {
        support::dump(&self.source, &self.file())
    }

    /// Describes the restore into the copy.
    pub(crate) fn restore(&self) -> Silverback {
        support::restore(&self.file(), &self.copy)
    }

    /// Dumps, verifies and restores, each with exit code 0.
    #[track_caller]
    pub(crate) fn carry(&self) {
        support::round_trip(&self.source, &self.copy, self.dir.path());
    }

    /// Carries, and demands that nothing differs: schema, rows, and what a dump of the copy holds.
    #[track_caller]
    pub(crate) fn carry_exactly(&self) {
        self.carry();
        self.assert_same();
    }

    /// Demands that nothing differs between the source, the copy, and what a dump of the copy
    /// holds.
    #[track_caller]
    pub(crate) fn assert_same(&self) {
        support::assert_same(&self.source, &self.copy);
        let again = self.path("copy.sbk");
        support::dump(&self.copy, &again).run().expect(0);
        let (first, second) = (contents(&self.file()), contents(&again));
        assert_eq!(first, second, "the archives of source and copy");
    }
}

/// Rows and digest of every table of an archive, by qualified name.
pub(crate) fn contents(path: &Path) -> BTreeMap<String, (u64, String)> {
    let archive = Archive::open_path(path).expect("the archive can be read");
    let totals = archive.manifest.tables.iter().zip(&archive.index.tables);
    totals
        .map(|(table, total)| {
            (format!("{}.{}", table.schema, table.name), (total.rows, total.digest.to_string()))
        })
        .collect()
}
