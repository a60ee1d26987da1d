//! Imports go downward only, no two files import each other, each external crate is named where it
//! may be, and Kong where Kong is known.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, top first. Modules of one layer may know each other where they stand on one line.
const LAYERS: &[&[&str]] = &[
    &["cli"],
    &["kong"],
    &["swap"],
    &["dump", "restore", "verify"],
    &["pg"],
    &["select", "rows"],
    &["sql", "storage", "pool", "progress", "profile", "limits"],
    &["archive"],
    &["pgcopy"],
    &["error", "sqlstate"],
];

/// A layer's own modules that do not import each other, although they stand side by side.
const STRANGERS: &[&str] = &["dump", "restore", "verify"];

/// External crates, and the modules right below the root that may name them.
const EXTERNAL: &[(&str, &[&str])] = &[
    ("bincode", &["archive"]),
    ("blake3", &["archive"]),
    ("bytes", &["archive", "dump", "pg", "pgcopy", "pool", "restore", "rows"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("crc32fast", &["archive", "pgcopy"]),
    ("futures_util", &["dump", "kong", "pg", "restore"]),
    ("indicatif", &["cli"]),
    ("strsim", &["cli", "rows"]),
    ("jiff", &["cli", "kong", "pg", "restore", "swap"]),
    ("memchr", &["archive", "pgcopy", "sql"]),
    ("postgres_protocol", &["sql"]),
    ("rayon", &["pool"]),
    ("regex", &["cli", "select"]),
    ("rpassword", &["cli"]),
    ("rustls", &["pg"]),
    ("rustls_native_certs", &["pg"]),
    ("serde", &["archive", "cli", "pgcopy", "restore", "verify"]),
    ("serde_json", &["archive", "cli", "kong", "pg", "restore", "rows"]),
    ("socket2", &["pg"]),
    ("tempfile", &["cli"]),
    ("terminal_size", &["cli"]),
    ("tokio", &["cli", "dump", "pg", "pool", "restore", "swap"]),
    ("tokio_postgres", &["pg"]),
    ("tokio_postgres_rustls", &["pg"]),
    ("tokio_util", &["pg"]),
    ("unicode_width", &["cli"]),
    ("uuid", &["archive", "dump", "kong", "pg", "restore", "storage"]),
    ("x509_cert", &["pg"]),
    ("xxhash_rust", &["pgcopy", "restore"]),
    ("zstd", &["archive"]),
];

#[test]
fn imports_go_downward() {
    let house = House::read();
    let mut wrong = Vec::new();
    for (from, file) in &house.files {
        let Some(above) = from.first() else { continue };
        for to in house.imports(from, file) {
            let Some(below) = to.first().filter(|below| *below != above) else { continue };
            match (layer(above), layer(below)) {
                (Some(high), Some(low))
                    if high < low || (high == low && !are_strangers(above, below)) => {}
                (Some(_), Some(_)) => {
                    wrong.push(format!("{}: {above} imports {below}", file.path.display()));
                }
                _ => wrong.push(format!(
                    "{}: {above} or {below} stands in no layer",
                    file.path.display()
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "imports that do not go downward:\n{}", wrong.join("\n"));
}

/// Neither directly nor around.
#[test]
fn no_two_files_import_each_other() {
    let house = House::read();
    let imports: BTreeMap<&Module, BTreeSet<Module>> =
        house.files.iter().map(|(from, file)| (from, house.imports(from, file))).collect();
    let reaches = |from: &Module| {
        let (mut open, mut seen) = (vec![from.clone()], BTreeSet::new());
        while let Some(next) = open.pop() {
            for to in imports.get(&next).into_iter().flatten().filter(|to| *to != &next) {
                if seen.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        seen
    };
    let circles: Vec<String> = imports
        .keys()
        .filter(|from| reaches(from).contains(**from))
        .map(|from| from.join("::"))
        .collect();
    assert!(
        circles.is_empty(),
        "files that import themselves by way of others:\n{}",
        circles.join("\n")
    );
}

#[test]
fn external_crates_are_named_where_they_may_be() {
    let house = House::read();
    let mut wrong = Vec::new();
    for (from, file) in &house.files {
        let Some(module) = from.first() else { continue };
        for (name, _) in EXTERNAL.iter().filter(|(_, allowed)| !allowed.contains(&module.as_str()))
        {
            if file
                .code
                .match_indices(&format!("{name}::"))
                .any(|(at, _)| !is_inside_path(&file.code[..at]))
            {
                wrong.push(format!("{}: {module} names {name}", file.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "external crates named where they may not be:\n{}", wrong.join("\n"));
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .expect("the package has one");
    let (_, dependencies) =
        manifest.split_once("\n[dependencies]\n").expect("it depends on something");
    let (dependencies, _) = dependencies.split_once("\n[").expect("sections follow");
    let lines = dependencies.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<String> =
        lines.filter_map(|line| Some(line.split_once(" = ")?.0.replace('-', "_"))).collect();
    let listed: Vec<&str> = EXTERNAL.iter().map(|(name, _)| *name).collect();
    let missing: Vec<&String> =
        names.iter().filter(|name| !listed.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "say who may name {missing:?}");
}

#[test]
fn kong_is_named_in_its_own_module_and_the_command_line_only() {
    let mut wrong = Vec::new();
    for (from, file) in &House::read().files {
        if matches!(from.first().map(String::as_str), None | Some("kong" | "cli")) {
            continue;
        }
        wrong.extend(
            file.code
                .lines()
                .filter(|line| line.to_lowercase().contains("kong"))
                .map(|line| format!("{}: {line}", file.path.display())),
        );
    }
    assert!(wrong.is_empty(), "Kong is named outside src/kong and src/cli:\n{}", wrong.join("\n"));
}

/// Bytes come to it and go from it: where they are is `storage`'s affair.
#[test]
fn archive_opens_no_file() {
    let named = |text: &str| {
        ["std::fs", "std::path", "std::os", "std::net", "stdin(", "stdout("]
            .iter()
            .any(|name| text.contains(name))
    };
    let house = House::read();
    let inside = house
        .files
        .iter()
        .filter(|(module, _)| module.first().is_some_and(|first| first == "archive"));
    let wrong: Vec<&PathBuf> =
        inside.filter(|(_, file)| named(&file.code)).map(|(_, file)| &file.path).collect();
    assert!(wrong.is_empty(), "src/archive names files: {wrong:?}");
}

#[test]
fn the_scan_sees_every_form_of_import() {
    let text = "use crate::{error::Error, pg::{ident, session::Session}};\nlet a = \
        super::run(self::b::C);\nuse crate::archive::Manifest; // crate::cli\npub(in crate::pg) fn \
        a() {}\npub(crate) use crate::progress as p;";
    let found: Vec<String> = paths(&code_of(text)).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        [
            "crate::error::Error",
            "crate::pg::ident",
            "crate::pg::session::Session",
            "super::run",
            "self::b::C",
            "crate::archive::Manifest",
            "crate::progress"
        ]
    );
}

/// A module's path below the crate's root.
type Module = Vec<String>;

struct File {
    path: PathBuf,
    /// Its text without comments, visibilities and tests, which may name what they like.
    code: String,
}

/// The sources.
struct House {
    files: BTreeMap<Module, File>,
}

impl House {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut files, mut folders) = (BTreeMap::new(), vec![root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("the sources can be read").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") && !is_test(&path) {
                    let code =
                        code_of(&fs::read_to_string(&path).expect("the sources can be read"));
                    files.insert(
                        module(path.strip_prefix(&root).expect("a path below src")),
                        File { path, code },
                    );
                }
            }
        }
        assert!(files.len() > 10, "the sources are not where this test looks");
        Self { files }
    }

    /// The modules that a file names.
    fn imports(&self, from: &Module, file: &File) -> BTreeSet<Module> {
        let near = file
            .code
            .lines()
            .filter_map(|line| line.trim_start_matches("pub").trim_start().strip_prefix("use "));
        let children = near.filter_map(|path| {
            let child = [from.as_slice(), &[path.split("::").next()?.to_owned()]].concat();
            self.files.contains_key(&child).then_some(child)
        });
        paths(&file.code)
            .iter()
            .filter_map(|path| self.resolve(from, path))
            .chain(children)
            .collect()
    }

    /// The file that a path leads into.
    fn resolve(&self, from: &Module, path: &[String]) -> Option<Module> {
        let mut at = if path[0] == "crate" { Module::new() } else { from.clone() };
        for part in path {
            match part.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                name => {
                    at.push(name.to_owned());
                    if !self.files.contains_key(&at) {
                        at.pop();
                        break;
                    }
                }
            }
        }
        // The root itself is what all see.
        (!at.is_empty()).then_some(at)
    }
}

/// Whether a file holds tests or what only they use.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
        || path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .is_some_and(|stem| matches!(stem, "tests" | "testing") || stem.ends_with("_tests"))
}

fn module(inside: &Path) -> Module {
    let mut parts: Module =
        inside.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]"
            && lines.peek().is_some_and(|next| next.contains("mod ") && next.ends_with('{'))
        {
            break;
        }
        code += line.split("//").next().unwrap_or_default();
        code.push('\n');
    }
    while let Some(at) = code.find("pub(in ") {
        let end = at + code[at..].find(')').expect("a visibility ends");
        code.replace_range(at..=end, "pub");
    }
    code
}

/// Every path that begins at the root or near the file, those of a group one by one.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for (at, c) in code.char_indices().filter(|(_, c)| matches!(c, 'c' | 's')) {
        let begins =
            ["crate::", "super::", "self::"].iter().any(|begin| code[at..].starts_with(begin));
        if begins && c.is_alphabetic() && !is_inside_path(&code[..at]) {
            follow(&code[at..], &[], &mut all);
        }
    }
    all
}

/// Whether what comes next goes on with a word or a path: `$crate::`, `my_crate::`,
/// `super::super::`.
fn is_inside_path(before: &str) -> bool {
    before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ':'))
}

/// Takes one path, or a group of them; returns what follows.
fn follow<'a>(text: &'a str, before: &[String], all: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            match rest.chars().next() {
                Some('}') => return &rest[1..],
                Some(',') => rest = &rest[1..],
                Some(c) if c.is_alphabetic() || matches!(c, '_' | '{') => {
                    rest = follow(rest, before, all);
                }
                // `*`, `as`, or no group at all.
                Some(c) => rest = &rest[c.len_utf8()..],
                None => return rest,
            }
        }
    }
    let length = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(length);
    let path = [before, &[name.to_owned()]].concat();
    match rest.strip_prefix("::") {
        Some(next)
            if next
                .trim_start()
                .starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '{')) =>
        {
            follow(next, &path, all)
        }
        _ => {
            all.push(path);
            match rest.trim_start().strip_prefix("as ") {
                Some(alias) => {
                    alias.trim_start().trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
                }
                None => rest,
            }
        }
    }
}

fn are_strangers(one: &str, other: &str) -> bool {
    STRANGERS.contains(&one) && STRANGERS.contains(&other)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}
