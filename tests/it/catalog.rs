//! The catalogs of a database, read and made again in an empty one, statement by statement.

use silverback::archive::manifest::{NotCarried, Object, ObjectKind, RowEncoding};
use silverback::pg::catalog::{self, Catalog, ReadOptions};
use silverback::pg::connect::Server;
use silverback::pg::session::Purpose;
use silverback::pg::settings::Transaction;
use silverback::sql::render;
use testkit::{Database, block_on};

use crate::support::assert_same_schema;

#[test]
fn a_schema_with_corners_comes_back() {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let (owner, reader, group) =
            (server.role("owner"), server.role("Odd \"Reader"), server.role("group"));
        let source = server.database("zoo");
        let sql = include_str!("zoo/tables.sql");
        let quoted = |name: &str| name.replace('"', "\"\"");
        let sql = sql
            .replace("{owner}", owner.name())
            .replace("{reader}", &quoted(reader.name()))
            .replace("{group}", group.name());
        source.execute(&sql);
        if version >= 14 {
            source.execute(include_str!("zoo/bodies.sql"));
        }
        let (copy, read) = copy_of(&source);
        assert_eq!(read.not_carried, [], "PostgreSQL {version}");
        assert_same_schema(&source, &copy);
        let values = "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2";
        assert_eq!(source.rows(values), copy.rows(values));
    }
}

#[test]
fn a_kong_schema_comes_back() {
    for (version, load) in testkit::versions()
        .into_iter()
        .zip([testkit::kong::load, testkit::kong::load_upgraded].into_iter().cycle())
    {
        let server = testkit::server(version);
        let role = server.role("kong");
        let source = server.database_of(&role, "kong");
        load(&source);
        let (copy, read) = copy_of(&source);
        assert_eq!(read.not_carried, [], "PostgreSQL {version}");
        assert!(read.tables.iter().all(|table| table.table.encoding == RowEncoding::Binary));
        assert_same_schema(&source, &copy);
    }
}

#[test]
fn every_object_comes_after_what_it_needs() {
    let source = testkit::newest_server().database("order");
    testkit::kong::load(&source);
    let objects = read(&source).objects;
    for (at, object) in objects.iter().enumerate() {
        assert_eq!(object.id.0 as usize, at);
        assert!(
            object.depends_on.iter().chain(&object.of).all(|need| need.0 < object.id.0),
            "{object:?}"
        );
    }
    assert!(objects.is_sorted_by_key(|object| object.section), "sections follow each other");
}

#[test]
fn an_empty_database_has_nothing_to_make() {
    for version in testkit::versions() {
        let source = testkit::server(version).database("empty");
        let read = read(&source);
        let options = render::Options::default();
        let said: Vec<String> =
            read.objects.iter().flat_map(|object| render::statements(object, &options)).collect();
        // Before 15 everybody may create in a new `public`, and a newer server must be told.
        let expected: &[&str] = if version < 15 {
            &[
                "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
                "GRANT USAGE, CREATE ON SCHEMA public TO PUBLIC",
            ]
        } else {
            &[]
        };
        assert_eq!(said, expected);
        assert_eq!(read.not_carried, []);
    }
}

#[test]
fn what_is_not_carried_is_named() {
    let source = testkit::newest_server().database("sweep");
    source.execute(
        // What somebody puts among the server's own is not carried.
        "CREATE TYPE pg_catalog.mood AS ENUM ('sad'); CREATE TABLE t (m mood); CREATE VIEW v AS \
         SELECT * FROM t; \
         CREATE TABLE kept (id int PRIMARY KEY); CREATE TABLE lost (m mood, id int REFERENCES kept)",
    );
    let read = read(&source);
    let named = |kind: &str, name: &str| {
        read.not_carried.iter().any(|one: &NotCarried| one.kind == kind && one.name == name)
    };
    for (kind, name) in [
        ("type", "pg_catalog.mood"),
        ("table", "public.t"),
        ("view", "public.v"),
        ("table", "public.lost"),
    ] {
        assert!(named(kind, name), "{kind} {name} is not in {:#?}", read.not_carried);
    }
    assert!(read.objects.iter().any(|object| object.name == "kept"));
    assert!(
        !read.objects.iter().any(|object| object.name == "lost" || object.name == "lost_id_fkey")
    );
}

#[test]
fn extensions_come_back_with_what_was_changed_of_them() {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let role = server.role("reader");
        let source = server.database("extensions");
        source.execute(&include_str!("zoo/extensions.sql").replace("{reader}", role.name()));
        let (copy, read) = copy_of(&source);
        assert_eq!(read.not_carried, [], "PostgreSQL {version}");
        assert_same_schema(&source, &copy);
    }
}

#[test]
fn rows_travel_in_the_form_that_survives() {
    let source = testkit::newest_server().database("encoding");
    source.execute(
        "CREATE TABLE a_binary (a int, b text[], c jsonb[], d uuid, e timestamptz, f numeric, g \
         bytea, h json, i inet, j int4range, k bool); \
         CREATE TABLE b_regclass (a regclass); CREATE TABLE c_money (a money[]); CREATE TABLE \
         d_generated (a int, b int GENERATED ALWAYS AS (a) STORED)",
    );
    let tables = read(&source).tables;
    let encodings: Vec<_> =
        tables.iter().map(|table| (table.table.name.as_str(), table.table.encoding)).collect();
    let (binary, text) = (RowEncoding::Binary, RowEncoding::Text);
    assert_eq!(
        encodings,
        [("a_binary", binary), ("b_regclass", text), ("c_money", text), ("d_generated", binary)]
    );
    assert_eq!(tables[3].table.columns.len(), 1, "a generated column does not travel");
}

/// Reads the whole catalog as a dump would, as the database's plain owner.
pub(super) fn read(database: &Database<'_>) -> Catalog {
    let url = database.url();
    block_on(async move {
        let server = Server::from_conninfo(&url).expect("the URL is good");
        let session =
            server.open(Purpose::Dump(&Transaction::default())).await.expect("the server is there");
        let mut read = catalog::read(&session, &ReadOptions::default())
            .await
            .expect("the catalog can be read");
        assert_eq!(
            read.objects.remove(0).kind,
            ObjectKind::Database,
            "the database itself comes first"
        );
        read
    })
}

/// Makes a database with the same objects.
fn copy_of<'s>(source: &'s Database<'_>) -> (Database<'s>, Catalog) {
    let read = read(source);
    let copy = source.server().database("copy");
    let (url, objects) = (copy.url_as("postgres"), read.objects.clone());
    block_on(async move {
        let session = Server::from_conninfo(&url)
            .expect("the URL is good")
            .open(Purpose::Restore)
            .await
            .expect("the server is there");
        for statement in in_order(&objects) {
            session
                .execute("make a copy", &statement)
                .await
                .unwrap_or_else(|error| panic!("{error}\n{statement}"));
        }
    });
    (copy, read)
}

/// Privileges last, for an owner may have revoked his own.
fn in_order(objects: &[Object]) -> Vec<String> {
    let (all, none) = (
        render::Options::default(),
        render::Options { no_privileges: true, ..render::Options::default() },
    );
    // What is on an extension's object, the extension has brought.
    let made = objects.iter().filter(|object| object.extension.is_none());
    let made = made.flat_map(|object| render::statements(object, &none));
    made.chain(objects.iter().flat_map(|object| render::acl_statements(object, &all))).collect()
}
