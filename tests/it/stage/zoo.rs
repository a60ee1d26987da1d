//! Databases with one of everything, staged beside another copy of themselves: what can be staged
//! comes back exactly, and what cannot is named before anything is made.

use std::collections::BTreeSet;

use testkit::{newest_server, zoo};

use super::{leavings, stage, swap};
use crate::rename::SCRIPTS;
use crate::support::{assert_same_rows, assert_same_schema, dump, temp_dir};

/// What is refused of them, by script.
const REFUSED: &[&str] = &[];

#[test]
fn every_database_is_staged_or_refused_by_name() {
    let server = newest_server();
    let (owner, reader) = (server.role("owner"), server.role("reader"));
    let mut told = BTreeSet::new();
    for (name, script) in SCRIPTS {
        let sql = zoo::for_version(script, server.version())
            .replace("{owner}", owner.name())
            .replace("{reader}", reader.name());
        let (source, live) = (server.database("source"), server.database("live"));
        source.execute(&sql);
        live.execute(&sql);
        let folder = temp_dir();
        let file = folder.path().join("source.sbk");
        dump(&source, &file).run().expect(0);
        let described = testkit::pg_dump_schema(&live);
        let staged = stage(&file, &live).run();
        let swapped = if matches!(staged.code, Some(0 | 10)) {
            swap(&live).run()
        } else {
            if !leavings(&live).is_empty() {
                told.insert(format!("{name} BEGAN {}", staged.stderr));
            }
            staged
        };
        if swapped.code == Some(0) {
            swap(&live).arg("--drop-old").run().expect(0);
            let same = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                assert_same_schema(&source, &live);
                // Rows of hash partitions of an enum lie elsewhere: --check has compared them together.
                if !["partitions", "enums"].contains(name) {
                    assert_same_rows(&source, &live);
                }
            }));
            if same.is_err() {
                told.insert(format!("{name} DIFFERS"));
            }
            continue;
        }
        let reasons = swapped.stderr.lines().filter(|line| {
            line.starts_with("  - ") || line.contains("error:") && !line.ends_with("in the way:")
        });
        told.extend(reasons.map(|line| format!("{name}: {line}")));
        if !leavings(&live).is_empty() {
            swap(&live).arg("--drop-old").run().expect(0);
        }
        if testkit::pg_dump_schema(&live) != described {
            told.insert(format!("{name} CHANGED"));
        }
    }
    assert_eq!(told.iter().map(String::as_str).collect::<Vec<_>>(), REFUSED);
}
