//! Archives of format 1, which the first version of the program made on PostgreSQL 13, are read,
//! verified and restored for ever.
//!
//! `format-spec/archives-1/NAME.sql` is what `NAME.sbk` was made from.

use std::path::{Path, PathBuf};

use silverback::archive::Archive;
use testkit::newest_server;

use crate::support;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("format-spec/archives-1").join(name)
}

#[track_caller]
fn check(name: &str) {
    let archive = path(&format!("{name}.sbk"));
    assert_eq!(Archive::open_path(&archive).expect("it can be read").header.version, 1);
    support::verify(&archive).run().expect(0);
    let server = newest_server();
    let encoding = if name == "latin1" { "LATIN1" } else { "UTF8" };
    let options = format!("ENCODING {encoding} LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    let [made, restored] = ["made", "restored"].map(|hint| server.database_with(hint, &options));
    // What schema public allowed on 13, an archive of which says so.
    made.execute("GRANT ALL ON SCHEMA public TO PUBLIC");
    made.execute(
        &std::fs::read_to_string(path(&format!("{name}.sql"))).expect("it is beside the archive"),
    );
    support::restore(&archive, &restored).run().expect(0);
    support::assert_same(&made, &restored);
}

#[test]
fn kong_comes_back() {
    check("kong");
}

#[test]
fn types_come_back() {
    check("types");
}

#[test]
fn partitions_come_back() {
    check("partitions");
}

#[test]
fn large_objects_come_back() {
    check("large_objects");
}

#[test]
fn rules_and_the_rest_come_back() {
    check("rules");
}

#[test]
fn another_encoding_comes_back() {
    check("latin1");
}

/// The independent reader reads them too.
#[test]
fn read_py_reads_them() {
    for name in ["kong", "types", "partitions", "large_objects", "rules", "latin1"] {
        let output = crate::format_spec::read_py(&path(&format!("{name}.sbk")), &["--check"]);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
