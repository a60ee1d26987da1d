//! One of every kind of object, dumped and restored by the program on every server: `pg_dump`, the
//! catalogs and the rows must agree.

use testkit::zoo;

use crate::support::{assert_same, round_trip, temp_dir};

/// Loads a script as a superuser, and compares its copy.
fn comes_back(script: &str) {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let (owner, reader) = (server.role("owner"), server.role("reader"));
        let (source, copy) = (server.database("zoo"), server.database("copy"));
        let sql = zoo::for_version(script, version)
            .replace("{owner}", owner.name())
            .replace("{reader}", reader.name());
        source.execute(&sql);
        let folder = temp_dir();
        round_trip(&source, &copy, folder.path());
        assert_same(&source, &copy);
        // `pg_dump` forgets what is loose in a family of the server's own.
        let members = "SELECT amopfamily::text || ' ' || amopopr::regoperator FROM pg_amop WHERE \
            oid >= 16384 AND amopfamily < 16384 \
             UNION ALL SELECT amprocfamily::text || ' ' || amproc::regprocedure FROM pg_amproc \
             WHERE oid >= 16384 AND amprocfamily < 16384 ORDER BY 1";
        assert_eq!(source.column(members), copy.column(members));
    }
}

#[test]
fn types_come_back() {
    comes_back(zoo::TYPES);
}

#[test]
fn functions_aggregates_languages_and_casts_come_back() {
    comes_back(zoo::ROUTINES);
}

#[test]
fn operators_and_access_methods_come_back() {
    comes_back(zoo::OPERATORS);
}

#[test]
fn collations_conversions_and_text_search_come_back() {
    comes_back(zoo::SEARCH);
}

#[test]
fn what_needs_each_other_in_a_circle_comes_back() {
    comes_back(zoo::CYCLES);
}

#[test]
fn values_of_every_type_come_back() {
    comes_back(zoo::VALUES);
}
