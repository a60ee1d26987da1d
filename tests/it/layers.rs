//! Imports go downward only, and Kong is named where Kong is known.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, top first. Modules of one layer may know each other where they stand on one line.
const LAYERS: [&[&str]; 9] = [
    &["cli"],
    &["dump", "restore", "verify"],
    &["kong"],
    &["pg"],
    &["select"],
    &["sql", "storage", "pool", "progress"],
    &["archive"],
    &["pgcopy"],
    &["error"],
];

/// A layer's own modules that do not import each other, although they stand side by side.
const STRANGERS: &[&str] = &["dump", "restore", "verify"];

#[test]
fn imports_go_downward() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(from) = module(&path) else { continue };
        for to in imported(&text) {
            let (Some(above), Some(below)) = (layer(&from), layer(&to)) else {
                wrong.push(format!("{}: {from} or {to} stands in no layer", path.display()));
                continue;
            };
            if above > below || (from != to && STRANGERS.contains(&from.as_str()) && STRANGERS.contains(&to.as_str())) {
                wrong.push(format!("{}: {from} imports {to}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that do not go downward:\n{}", wrong.join("\n"));
}

#[test]
fn kong_is_named_in_its_own_module_and_the_command_line_only() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if matches!(module(&path).as_deref(), None | Some("kong" | "cli")) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            // Asking the module is how the others get by without knowing; that they may is the first test's affair.
            let code = line.split("//").next().unwrap_or_default().replace("crate::kong", "").replace("kong::", "");
            if code.to_lowercase().contains("kong") {
                wrong.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "Kong is named outside src/kong and src/cli:\n{}", wrong.join("\n"));
}

/// Bytes come to it and go from it: where they are is `storage`'s affair.
#[test]
fn archive_opens_no_file() {
    let named = |text: &str| ["std::fs", "std::path", "std::os", "std::net", "stdin(", "stdout("].iter().any(|name| text.contains(name));
    let inside = sources().into_iter().filter(|(path, _)| module(path).as_deref() == Some("archive"));
    let wrong: Vec<PathBuf> = inside.filter(|(_, text)| named(text)).map(|(path, _)| path).collect();
    assert!(wrong.is_empty(), "src/archive names files: {wrong:?}");
}

#[test]
fn the_scan_sees_every_form_of_import() {
    let text = "use crate::{error::Error, pg::{ident, session::Session}};\nlet a = crate::pool::run();\nuse crate::archive::Manifest; // crate::cli\npub(crate) use crate::progress as p;";
    assert_eq!(imported(text), ["archive", "error", "pg", "pool", "progress"]);
}

/// Every source file with its tests, which may name what they like, cut off.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the sources can be read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !is_test(&path) {
                let text = fs::read_to_string(&path).expect("the sources can be read");
                files.push((path, text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()));
            }
        }
    }
    assert!(files.len() > 10, "the sources are not where this test looks");
    files
}

/// Whether a file holds tests or what only they use; such files may name what they like.
fn is_test(path: &Path) -> bool {
    path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| matches!(stem, "tests" | "testing") || stem.ends_with("_tests"))
}

/// The module right below the crate's root that a file belongs to; none for the roots themselves.
fn module(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("a path below src");
    let first = inside.iter().next()?.to_str()?.trim_end_matches(".rs").to_owned();
    (first != "lib" && first != "main").then_some(first)
}

/// The modules right below the root that a text names as `crate::x` or `crate::{x, y::…}`, sorted.
fn imported(text: &str) -> Vec<String> {
    let code: String = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut names = Vec::new();
    for (at, matched) in code.match_indices("crate::") {
        // `$crate::` and a name that ends in "crate" are something else.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + matched.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            names.extend(group_heads(group));
        } else {
            names.push(head(rest));
        }
    }
    // Items of the root, such as a macro, are no module.
    names.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    names.sort();
    names.dedup();
    names
}

fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (0_u32, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                heads.push(head(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads
}

fn head(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}
