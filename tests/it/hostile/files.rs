//! Forged archives: memory, time, statements, names.

use std::process::Command;

use crate::support::{self, Silverback};

/// Some of what `scripts/forge` makes by thousands.
#[test]
fn forged_manifests_take_no_more_than_they_may() {
    let python = std::env::var_os("SILVERBACK_TEST_PYTHON").expect(
        "SILVERBACK_TEST_PYTHON is not set: run scripts/test, which makes a Python with \
            zstandard and blake3 and names it",
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/forge");
    let program = env!("CARGO_BIN_EXE_silverback");
    let forge = Command::new(python)
        .args([script, "--count", "12", "--seed", "7", "--program", program])
        .output()
        .expect("it can be run");
    let said = String::from_utf8_lossy(&forge.stdout);
    assert!(forge.status.success(), "{said}\n{}", String::from_utf8_lossy(&forge.stderr));
}

#[test]
fn control_characters_in_names_reach_nobody() {
    let server = testkit::newest_server();
    let source = server.database("hostile_names");
    source.execute("CREATE TABLE \"a\u{9b}2J\u{202e}\u{7f}\u{200f}b\" (\"c\u{1b}[2J\" integer)");
    let dir = support::temp_dir();
    let file = dir.path().join("a.sbk");
    let log = Silverback::new(["dump", "-v", "--log-format", "json", "-d", &source.url(), "-f"])
        .arg(&file)
        .run()
        .expect(0);
    let listed = |args: &[&str]| Silverback::new(args).arg(&file).run().expect(0).stdout;
    let raw = |text: &str| text.contains(['\u{9b}', '\u{202e}', '\u{7f}', '\u{200f}', '\u{1b}']);
    for text in
        [log.stderr, listed(&["list"]), listed(&["list", "--json"]), listed(&["verify", "--json"])]
    {
        assert!(!raw(&text) && !text.is_empty(), "{}", text.escape_debug());
    }
    let json: serde_json::Value = serde_json::from_str(&listed(&["list", "--json"])).expect("JSON");
    assert_eq!(json["tables"][0]["table"], "a\u{9b}2J\u{202e}\u{7f}\u{200f}b");
}
