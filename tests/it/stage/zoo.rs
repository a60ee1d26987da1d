//! Databases with one of everything, staged beside another copy of themselves: what can be staged
//! comes back exactly, and what cannot is named before anything is made.

use std::collections::BTreeSet;

use testkit::{newest_server, zoo};

use super::{leavings, stage, swap};
use crate::rename::SCRIPTS;
use crate::support::{assert_same_lines, assert_same_rows, dump, temp_dir};

/// What is refused of them, by script: by the stage, or, in a line of several, by the swap.
const REFUSED: &[&str] = &[
    "library: error: rename schemas: what cannot be renamed for sure: TABLE public.authors: \
     FUNCTION search.plain_text(text) runs while rows come in, and names the schema public; INDEX \
     public.works_title: FUNCTION search.plain_text(text) runs while rows come in, and names the \
     schema public; the rows of languages: its column config holds names (regconfig)",
    "operators: error: prepare to restore into database live: OPERATOR CLASS public.for_mine USING \
     \"my gist\" is the default one of a type that is not staged",
    "plain:   - cast from text to public.comp is not exchanged, and depends on what is",
    "plain:   - event trigger ev is not exchanged, and depends on what is",
    "plain:   - publication of table public.child in publication pub_one is not exchanged, and \
     depends on what is",
    "plain:   - publication of table public.t in publication pub_one is not exchanged, and depends \
     on what is",
    "routines: error: prepare to restore into database live: transform \"FOR integer LANGUAGE \
     \"\"my lang\"\"\" exists once in a database and is not staged, and FUNCTION \
     public.transformed(integer) needs it",
    "values: error: rename schemas: what cannot be renamed for sure: the rows of by_name: its column \
     a holds names (regclass)",
];

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
            assert_eq!(leavings(&live), Vec::<String>::new(), "{name}: {}", staged.stderr);
            staged
        };
        if swapped.code == Some(0) {
            swap(&live).arg("--drop-old").run().expect(0);
            assert_same_lines(
                name,
                &testkit::pg_dump_schema(&source),
                &testkit::pg_dump_schema(&live),
            );
            // Rows of hash partitions of an enum lie elsewhere: --check has compared them together.
            if !["partitions", "enums"].contains(name) {
                assert_same_rows(&source, &live);
            }
            continue;
        }
        let reasons = swapped.stderr.lines().filter(|line| {
            line.starts_with("  - ")
                || line.contains("error:")
                    && !line.ends_with("this swap:")
                    && !line.ends_with("this restore:")
        });
        told.extend(reasons.map(|line| format!("{name}: {}", line.replace(live.name(), "live"))));
        if !leavings(&live).is_empty() {
            swap(&live).arg("--drop-old").run().expect(0);
        }
        assert_eq!(testkit::pg_dump_schema(&live), described);
    }
    assert_eq!(told.iter().map(String::as_str).collect::<Vec<_>>(), REFUSED);
}
