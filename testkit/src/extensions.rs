//! Extensions of the tests' own, of SQL alone, on every server: one for each trait that a dump or a
//! restore can stumble over.
//!
//! A server finds its extensions by its program's place, and the installation is not the tests' to
//! write to. Each server therefore runs a copy of the program, in a tree of links to the
//! installation in which the extensions are files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Each extension's name and script.
const EXTENSIONS: &[(&str, &str)] = &[
    ("sbk_settings", include_str!("extensions/sbk_settings.sql")),
    ("sbk_guards", include_str!("extensions/sbk_guards.sql")),
    ("sbk_keeper", include_str!("extensions/sbk_keeper.sql")),
    ("sbk_members", include_str!("extensions/sbk_members.sql")),
];

/// Makes the tree below `dir`, and says where the program to start is.
///
/// # Panics
/// If the installation has no list of extensions where one is expected.
pub(crate) fn plant(bin: &Path, dir: &Path) -> PathBuf {
    let (root, share) = installation(bin);
    let tree = dir.join("installation");
    let own_bin = tree.join(bin.strip_prefix(&root).expect("the programs are below the root"));
    fs::create_dir_all(&own_bin).expect("the folder is writable");
    let program = own_bin.join("postgres");
    fs::copy(bin.join("postgres"), &program).expect("a program can be copied");
    let beside =
        |path: &Path| path.parent().expect("programs have a folder of their own").join("lib");
    symlink(beside(bin), beside(&own_bin)).expect("a link can be made");
    let (share, own_share) = (root.join(&share), tree.join(&share));
    let extensions = own_share.join("extension");
    fs::create_dir_all(&extensions).expect("the folder is writable");
    link_all(&share, &own_share);
    link_all(&share.join("extension"), &extensions);
    for (name, script) in EXTENSIONS {
        fs::write(
            extensions.join(format!("{name}.control")),
            "default_version = '1'\nrelocatable = false\n",
        )
        .expect("a file can be written");
        fs::write(extensions.join(format!("{name}--1.sql")), script)
            .expect("a file can be written");
    }
    program
}

/// The root of an installation and its shared files below: the bundled ones are by themselves,
/// Debian's are spread below `/usr`.
fn installation(bin: &Path) -> (PathBuf, PathBuf) {
    let home = bin.parent().expect("programs have a folder of their own");
    let mut places =
        vec![(home, PathBuf::from("share/postgresql")), (home, PathBuf::from("share"))];
    if let (Some(usr), Some(version)) = (home.ancestors().nth(3), home.file_name()) {
        places.push((usr, Path::new("share/postgresql").join(version)));
    }
    let is_there = |(root, share): &&(&Path, PathBuf)| {
        root.join(share).join("extension/plpgsql.control").is_file()
    };
    let (root, share) = places
        .iter()
        .find(is_there)
        .unwrap_or_else(|| panic!("no extensions are found for {}", bin.display()));
    (root.to_path_buf(), share.clone())
}

/// Links to all that a folder holds, but for what is there already.
fn link_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("an installation can be read").flatten() {
        let link = to.join(entry.file_name());
        if !link.exists() {
            symlink(entry.path(), link).expect("a link can be made");
        }
    }
}
