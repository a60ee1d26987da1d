//! Where PostgreSQL's programs are: Debian's, and those that `scripts/servers` puts under
//! `target/pg`.
//!
//! Does not know: how to start them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The versions that every test must pass on.
const REQUIRED: [u32; 7] = [13, 14, 15, 16, 17, 18, 19];

const ADVICE: &str = "run scripts/test (or scripts/servers alone), which installs it, or name the \
    versions you have, as in SILVERBACK_TEST_PG=15";

/// Lists the major versions to test on, oldest first: those that `SILVERBACK_TEST_PG` names
/// ("15,18"), or else 13 to 19.
///
/// # Panics
/// If one of them is not installed.
pub fn versions() -> Vec<u32> {
    static VERSIONS: OnceLock<Vec<u32>> = OnceLock::new();
    VERSIONS
        .get_or_init(|| {
            let wanted = match std::env::var("SILVERBACK_TEST_PG") {
                Ok(list) if !list.trim().is_empty() => {
                    eprintln!(
                        "testkit: SILVERBACK_TEST_PG narrows the PostgreSQL versions to {list}"
                    );
                    parse(&list)
                }
                _ => REQUIRED.to_vec(),
            };
            for version in &wanted {
                bin_dir(*version);
            }
            wanted
        })
        .clone()
}

/// The newest of [`versions`].
pub fn newest() -> u32 {
    *versions().last().expect("the list is never empty")
}

fn parse(list: &str) -> Vec<u32> {
    let mut versions: Vec<u32> = list
        .split([',', ' '])
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.parse().unwrap_or_else(|_| {
                panic!("SILVERBACK_TEST_PG is a list of major versions such as 15,18, not {list:?}")
            })
        })
        .collect();
    versions.sort_unstable();
    versions.dedup();
    assert!(!versions.is_empty(), "SILVERBACK_TEST_PG names no version: {list:?}");
    versions
}

/// The folder that holds `initdb` and `postgres` of a major version.
///
/// # Panics
/// If it is not installed; the message says how to get it.
pub fn bin_dir(version: u32) -> PathBuf {
    servers()
        .get(&version)
        .cloned()
        .unwrap_or_else(|| panic!("PostgreSQL {version} is not installed: {ADVICE}"))
}

/// A client program (`pg_dump`, `pg_restore`, `psql`) of the newest version there is.
///
/// # Panics
/// If there is none.
pub fn client_tool(name: &str) -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = bin_dirs()
        .into_iter()
        .map(|dir| dir.join(name))
        .filter_map(|path| Some((major(&path)?, path)))
        .collect();
    found.sort();
    found.pop().map_or_else(|| panic!("no {name} is installed: {ADVICE}"), |(_, path)| path)
}

/// The major versions that are installed, oldest first, whatever the tests need.
pub fn installed() -> Vec<u32> {
    servers().keys().copied().collect()
}

/// Servers by major version; Debian's before the bundled ones, which lack lz4 and zstd.
fn servers() -> &'static BTreeMap<u32, PathBuf> {
    static SERVERS: OnceLock<BTreeMap<u32, PathBuf>> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let mut servers = BTreeMap::new();
        for dir in bin_dirs() {
            if dir.join("initdb").is_file()
                && let Some(version) = major(&dir.join("postgres"))
            {
                servers.entry(version).or_insert(dir);
            }
        }
        servers
    })
}

/// Every folder that may hold programs, without links: the user a server runs as may not be able to
/// follow them.
fn bin_dirs() -> Vec<PathBuf> {
    let home = std::env::var_os("SILVERBACK_PG_HOME")
        .map_or_else(|| workspace().join("target/pg"), PathBuf::from);
    let mut dirs: Vec<PathBuf> =
        children(Path::new("/usr/lib/postgresql")).iter().map(|dir| dir.join("bin")).collect();
    for dir in children(&home) {
        dirs.extend([dir.join("native/bin"), dir.join("bin")]);
    }
    dirs.iter().filter_map(|dir| dir.canonicalize().ok()).filter(|dir| dir.is_dir()).collect()
}

pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("testkit is a folder of the workspace")
}

fn children(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    paths.sort();
    paths
}

/// The major version a program says it is, as in "pg_dump (PostgreSQL) 18.4".
fn major(program: &Path) -> Option<u32> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let number = text.split(") ").nth(1)?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
