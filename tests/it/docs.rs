//! README and docs: every command in them is run, every output that they show is compared, every
//! option that they name exists, every link leads somewhere.
//!
//! A fenced block `sh` must succeed; `console` has commands after `$` and what they print, numbers
//! aside; `sql` is run by a superuser; `cron` and `ini` run a script that the page has shown
//! before.

mod blocks;
mod options;
mod scene;

use std::path::{Path, PathBuf};

use self::blocks::{Block, blocks};
use self::scene::Scene;

/// Where Cargo.toml is.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README and every page of docs, by its path.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = vec![root().join("README.md")];
    let entries = std::fs::read_dir(root().join("docs")).expect("the directory is there");
    paths.extend(
        entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md")),
    );
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a page is UTF-8");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// Pages whose commands a test of their own runs, in their order and between steps of Kong's.
const ELSEWHERE: &[&str] = &["kong-upgrade.md"];

/// Runs every block of a page, in a directory and with a server of its own.
fn run_page(name: &str) {
    let path = if name == "README.md" { root().join(name) } else { root().join("docs").join(name) };
    let text = std::fs::read_to_string(path).expect("the page is there");
    let scene = Scene::new(name);
    for block in blocks(&text) {
        scene.run(&block);
    }
}

/// The pages that have commands, one test each, so that they run side by side.
macro_rules! pages {
    ($($test:ident: $name:literal,)*) => {
        const RUN: &[&str] = &[$($name),*];

        $(
            #[test]
            fn $test() {
                run_page($name);
            }
        )*
    };
}

pages! {
    readme: "README.md",
    archives: "archives.md",
    choosing: "choosing.md",
    connecting: "connecting.md",
    dump: "dump.md",
    exit_codes: "exit-codes.md",
    from_pg_dump: "from-pg_dump.md",
    kong: "kong.md",
    monitoring: "monitoring.md",
    nightly: "nightly.md",
    privileges: "privileges.md",
    restore: "restore.md",
    restore_online: "restore-online.md",
    swap: "swap.md",
    without_a_server: "without-a-server.md",
}

#[test]
fn every_page_with_commands_is_run() {
    for (path, text) in pages() {
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        let has_commands = blocks(&text).iter().any(Block::is_run);
        let is_run = RUN.contains(&name) || ELSEWHERE.contains(&name);
        assert_eq!(has_commands, is_run, "{name}: has commands, is run");
    }
}

#[test]
fn readme_is_short() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("it is there");
    assert!(text.lines().count() <= 130, "{} lines", text.lines().count());
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    let link = regex::Regex::new(r"\]\(([^)\s]+)\)").expect("the pattern is well-formed");
    for (path, text) in pages() {
        for found in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            if found.starts_with("http") {
                continue;
            }
            let (file, heading) = found.split_once('#').unwrap_or((&found, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().expect("a page is in a directory").join(file),
            };
            assert!(target.exists(), "{}: {found}", path.display());
            let page = || std::fs::read_to_string(&target).expect("a page is UTF-8");
            let leads = heading.is_empty()
                || page().lines().any(|line| line.starts_with('#') && anchor(line) == heading);
            assert!(leads, "{}: {found}", path.display());
        }
    }
}
