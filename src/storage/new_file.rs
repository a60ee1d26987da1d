//! A file that appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::error::{Error, Kind, Result};

/// A file that is written beside its final name and put there when it is whole. Dropped before
/// that, it leaves nothing.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    partial: PathBuf,
    path: PathBuf,
}

/// The partial files of this process, for an end that drops nothing.
static PARTIALS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn partials() -> MutexGuard<'static, Vec<PathBuf>> {
    // A list of paths cannot be left half changed.
    PARTIALS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Longer names get a partial file that does not repeat them: a file's name has at most 255 bytes.
const NAME_BYTES_MAX: usize = 200;

impl NewFile {
    /// Creates `.NAME.partial-UUID`, mode 0600, in the folder of `path`.
    ///
    /// # Errors
    /// [`Kind::Requirement`] if there is something at `path`; nothing is ever replaced.
    pub fn create(path: &Path) -> Result<Self> {
        let doing = || format!("create {}", path.display());
        let Some(name) = path.file_name() else {
            return Err(Error::new(Kind::Usage, doing(), "it is not the name of a file")
                .hint("name a file, such as backup.sbk"));
        };
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => {
                return Err(Error::new(Kind::Requirement, doing(), "it is a directory")
                    .hint("name a file in it"));
            }
            Ok(found) if !found.is_file() && !found.is_symlink() => {
                return Err(Error::new(Kind::Requirement, doing(), "it is no regular file")
                    .hint("write to standard output, with -f -, and send that there"));
            }
            Ok(_) => return Err(exists(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::file(doing(), error)),
        }
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(if name.len() <= NAME_BYTES_MAX { name } else { "silverback".as_ref() });
        hidden.push(format!(".partial-{}", Uuid::new_v4()));
        let partial = path.with_file_name(hidden);
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial).map_err(
                |error| {
                    let missing = error.kind() == io::ErrorKind::NotFound;
                    let error = Error::file(doing(), error);
                    if missing { error.hint("create its directory first") } else { error }
                },
            )?;
        partials().push(partial.clone());
        Ok(Self { file, partial, path: path.to_owned() })
    }

    /// Removes every partial file of this process, before it ends without dropping what its threads
    /// hold.
    pub fn abandon_all() {
        for partial in partials().drain(..) {
            let _ = fs::remove_file(partial);
        }
    }

    /// The final name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the bytes durable, then gives them their name without replacing anything, then makes
    /// the name durable.
    ///
    /// An error is final, of fsync above all: what the disk holds is not known, and the partial
    /// file is removed.
    pub fn commit(self) -> Result<()> {
        self.commit_by(|partial, path| fs::hard_link(partial, path))
    }

    fn commit_by(self, link: impl FnOnce(&Path, &Path) -> io::Result<()>) -> Result<()> {
        let failed = |error| Error::file(format!("finish {}", self.path.display()), error);
        self.file.sync_all().map_err(failed)?;
        match link(&self.partial, &self.path) {
            Ok(()) => fs::remove_file(&self.partial).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(exists(&self.path));
            }
            // A file system without hard links (FAT, some network shares).
            Err(_) => self.rename_into_place()?,
        }
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    /// Claims the name with an empty file, which nobody else could then create, and renames over
    /// it.
    fn rename_into_place(&self) -> Result<()> {
        let failed = |error| Error::file(format!("finish {}", self.path.display()), error);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(exists(&self.path));
            }
            Err(error) => return Err(failed(error)),
        }
        fs::rename(&self.partial, &self.path).map_err(|error| {
            // The empty file is ours; if it stays, it is not an archive and says so.
            let _ = fs::remove_file(&self.path);
            failed(error)
        })
    }
}

fn exists(path: &Path) -> Error {
    Error::new(Kind::Requirement, format!("create {}", path.display()), "the file exists")
        .hint("name another file, or remove it first")
}

impl Write for NewFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.file.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After a commit there is nothing at this name; after a failure, nothing better can be done
        // about a second one.
        let _ = fs::remove_file(&self.partial);
        partials().retain(|partial| *partial != self.partial);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder)
            .expect("the test's folder")
            .map(|entry| entry.expect("an entry").file_name());
        entries.map(|name| name.to_string_lossy().into_owned()).collect()
    }

    fn written(path: &Path) -> NewFile {
        let mut file = NewFile::create(path).expect("a new file");
        file.write_all(b"whole").expect("a small write");
        file
    }

    #[test]
    fn appears_whole_and_private() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.sbk");
        let file = written(&path);
        let beside = names(folder.path());
        assert!(beside.len() == 1 && beside[0].starts_with(".a.sbk.partial-"), "{beside:?}");
        file.commit().expect("a small file");
        assert_eq!(names(folder.path()), ["a.sbk"]);
        assert_eq!(fs::read(&path).expect("it was just written"), b"whole");
        assert_eq!(
            fs::metadata(&path).expect("it was just written").permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn leaves_nothing_when_dropped() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        drop(written(&folder.path().join("a.sbk")));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn never_replaces() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.sbk");
        let refuse = |error: Error| {
            assert_eq!(error.kind(), Kind::Requirement);
            assert!(error.to_string().contains("the file exists"), "{error}");
        };
        // Both ways of giving the name, and a link that leads nowhere.
        for link in [
            |from: &Path, to: &Path| fs::hard_link(from, to),
            |_: &Path, _: &Path| Err(io::ErrorKind::Unsupported.into()),
        ] {
            let file = written(&path);
            fs::write(&path, b"another's").expect("a small write");
            refuse(file.commit_by(link).expect_err("the file exists"));
            refuse(NewFile::create(&path).expect_err("the file exists"));
            assert_eq!(fs::read(&path).expect("it is still there"), b"another's");
            assert_eq!(names(folder.path()), ["a.sbk"]);
            fs::remove_file(&path).expect("it is still there");
        }
        std::os::unix::fs::symlink("nowhere", &path).expect("a symbolic link");
        refuse(NewFile::create(&path).expect_err("the link exists"));
    }

    #[test]
    fn works_without_hard_links() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.sbk");
        written(&path)
            .commit_by(|_, _| Err(io::ErrorKind::PermissionDenied.into()))
            .expect("a small file");
        assert_eq!(names(folder.path()), ["a.sbk"]);
        assert_eq!(fs::read(&path).expect("it was just written"), b"whole");
    }

    #[test]
    fn awkward_names() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let long = "ä".repeat(125) + ".sbk";
        written(&folder.path().join(&long)).commit().expect("a name of 254 bytes");
        assert_eq!(names(folder.path()), [long]);
        assert_eq!(NewFile::create(Path::new("/")).expect_err("no name").kind(), Kind::Usage);
        let error = NewFile::create(Path::new("/dev/null")).expect_err("no regular file");
        assert_eq!(error.kind(), Kind::Requirement);
        assert!(error.hint_text().is_some_and(|hint| hint.contains("-f -")), "{error}");
        let error = NewFile::create(&folder.path().join("no/a.sbk")).expect_err("no folder");
        assert_eq!(error.hint_text(), Some("create its directory first"));
    }
}
