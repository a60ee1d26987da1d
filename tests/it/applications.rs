//! Schemas like those of large applications, carried by the plain owner of the database on every
//! server: nothing may differ.
//!
//! `scripts/regression` does the same with PostgreSQL's own regression database, which takes
//! minutes.

use crate::pair::Pair;

fn comes_back(script: &str) {
    for version in crate::support::ends() {
        Pair::on(testkit::server(version), script).carry_exactly();
    }
}

#[test]
fn a_code_forge_comes_back() {
    comes_back(include_str!("../../testkit/src/applications/forge.sql"));
}

#[test]
fn a_ledger_written_in_the_database_comes_back() {
    comes_back(include_str!("../../testkit/src/applications/ledger.sql"));
}

#[test]
fn a_library_with_full_text_comes_back() {
    comes_back(include_str!("../../testkit/src/applications/library.sql"));
}
