//! The word that the database may be used before all is done: a line, and a file for those who
//! wait.
//!
//! Does not know when the time has come.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use crate::error::{Error, Kind, Result};
use crate::pool;
use crate::progress::Progress;
use crate::restore::finding::Finding;
use crate::restore::step::Step;

/// How the word is given, and whether it was.
#[derive(Debug)]
pub(in crate::restore) struct Announcement {
    /// The statements that change the marker.
    pub(in crate::restore) usable: Vec<Step>,
    /// The words.
    pub(in crate::restore) words: &'static str,
    /// The file that appears with them.
    pub(in crate::restore) file: Option<PathBuf>,
    /// When they were said.
    pub(in crate::restore) said: OnceLock<Instant>,
}

impl Announcement {
    /// Gives the word. From here on the database may be in use, whatever becomes of the restore.
    pub(in crate::restore) async fn tell(
        &self,
        left: usize,
        progress: &dyn Progress,
    ) -> Result<()> {
        self.said.get_or_init(Instant::now);
        if let Some(path) = self.file.clone() {
            let text = format!("{}\n", self.words);
            pool::run(move || write(&path, &text)).await?;
        }
        let (jobs, go) = if left == 1 { ("job", "goes") } else { ("jobs", "go") };
        let text = format!("{}; {left} {jobs} {go} on in the background", self.words);
        progress.ready(&text, left);
        Ok(())
    }
}

/// What is wrong with the file's name: one that is there already would be taken for the word.
pub(in crate::restore) fn finding(path: &Path) -> Option<Finding> {
    let shown = path.display();
    path.symlink_metadata().is_ok().then(|| {
        Finding::new(
            format!("the file {shown} is there already"),
            "remove it, or name another file",
        )
    })
}

/// Whether the file can be written, found out before hours of work.
pub(in crate::restore) fn probe(path: &Path) -> Result<()> {
    let partial = partial(path);
    create(&partial)?;
    fs::remove_file(&partial).map_err(|error| failed(&partial, &error))
}

/// Whole or not at all.
fn write(path: &Path, text: &str) -> Result<()> {
    let partial = partial(path);
    let mut file = create(&partial)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&partial, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&partial);
        failed(path, &error)
    })
}

fn create(partial: &Path) -> Result<fs::File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(partial)
        .map_err(|error| failed(partial, &error))
}

fn partial(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".partial-{}", std::process::id()));
    path.with_file_name(name)
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Kind::File, format!("write {}", path.display()), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_appears_whole_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready");
        probe(&path).unwrap();
        assert!(finding(&path).is_none() && fs::read_dir(folder.path()).unwrap().next().is_none());
        write(&path, "now\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "now\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(finding(&path).is_some());
        assert_eq!(probe(&folder.path().join("no/ready")).unwrap_err().kind(), Kind::File);
    }
}
