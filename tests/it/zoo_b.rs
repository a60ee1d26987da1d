//! One database for each group of object kinds, dumped and restored by the program as a superuser,
//! on every server: nothing may differ.

use testkit::{Database, Role, Server};

use super::support::{assert_same_lines, assert_same_rows, dump, restore, round_trip, temp_dir};

/// The scripts, each with the number of a database where the names of those with the same number do
/// not collide; the last refuses what comes after it.
pub(crate) const SCRIPTS: &[(usize, &str)] = &[
    (0, include_str!("../../testkit/src/zoo_b/constraints.sql")),
    (0, include_str!("../../testkit/src/zoo_b/enums.sql")),
    (0, include_str!("../../testkit/src/zoo_b/foreign.sql")),
    (0, include_str!("../../testkit/src/zoo_b/inheritance.sql")),
    (0, include_str!("../../testkit/src/zoo_b/large_objects.sql")),
    (0, include_str!("../../testkit/src/zoo_b/matviews.sql")),
    (1, include_str!("../../testkit/src/zoo_b/partitions.sql")),
    (0, include_str!("../../testkit/src/zoo_b/policies.sql")),
    (0, include_str!("../../testkit/src/zoo_b/replication.sql")),
    (0, include_str!("../../testkit/src/zoo_b/statistics.sql")),
    (1, include_str!("../../testkit/src/zoo_b/typed.sql")),
    (0, include_str!("../../testkit/src/zoo_b/event_triggers.sql")),
];

/// The statements that the server's version knows: what stands below a line `-- since N` is for N
/// and newer, to the end.
pub(crate) fn for_version(sql: &str, version: u32) -> String {
    let mut since = 0;
    let mut kept = String::new();
    for line in sql.lines() {
        match line.strip_prefix("-- since ") {
            Some(number) => since = number.trim().parse().expect("a version"),
            None if version >= since => kept = kept + line + "\n",
            None => {}
        }
    }
    kept
}

fn statements(sql: &str, version: u32, owner: &Role<'_>, reader: &Role<'_>) -> String {
    for_version(sql, version).replace("{owner}", owner.name()).replace("{reader}", reader.name())
}

/// Loads, dumps, restores and compares on each server; `more` compares what neither schema nor rows
/// show, and tidies up.
#[track_caller]
fn comes_back(name: &str, sql: &str, more: impl Fn(&Database<'_>, &Database<'_>)) {
    for version in testkit::versions() {
        let server: &Server = testkit::server(version);
        let (owner, reader) = (server.role("owner"), server.role("reader"));
        let (source, copy) = (server.database(name), server.database("copy"));
        source.execute(&statements(sql, version, &owner, &reader));
        let folder = temp_dir();
        round_trip(&source, &copy, folder.path());
        assert_same_lines(
            "pg_dump -s",
            &testkit::pg_dump_schema(&source),
            &testkit::pg_dump_schema(&copy),
        );
        assert_same_rows(&source, &copy);
        more(&source, &copy);
    }
}

/// The catalogs too.
fn same_catalogs(source: &Database<'_>, copy: &Database<'_>) {
    assert_same_lines(
        "the catalogs",
        &testkit::catalog_fingerprint(source),
        &testkit::catalog_fingerprint(copy),
    );
}

fn same(source: &Database<'_>, copy: &Database<'_>, query: &str) {
    assert_eq!(source.rows(query), copy.rows(query), "{query}");
}

#[test]
fn foreign_data() {
    comes_back("foreign", include_str!("../../testkit/src/zoo_b/foreign.sql"), |source, copy| {
        same_catalogs(source, copy);
        same(
            source,
            copy,
            "SELECT srvname, usename, umoptions FROM pg_user_mappings ORDER BY 1, 2",
        );
    });
}

#[test]
fn materialized_views() {
    comes_back("matviews", include_str!("../../testkit/src/zoo_b/matviews.sql"), |source, copy| {
        same_catalogs(source, copy);
        same(
            source,
            copy,
            "SELECT relname, relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY 1",
        );
    });
}

#[test]
fn extended_statistics() {
    comes_back(
        "statistics",
        include_str!("../../testkit/src/zoo_b/statistics.sql"),
        |source, copy| {
            same_catalogs(source, copy);
            same(source, copy, "SELECT stxname, stxstattarget FROM pg_statistic_ext ORDER BY 1");
        },
    );
}

#[test]
fn row_security() {
    comes_back("policies", include_str!("../../testkit/src/zoo_b/policies.sql"), same_catalogs);
}

#[test]
fn publications_and_subscriptions() {
    comes_back(
        "replication",
        include_str!("../../testkit/src/zoo_b/replication.sql"),
        |source, copy| {
            same(
                source,
                copy,
                "SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE \
                 datname = current_database() ORDER BY 1",
            );
        },
    );
}

#[test]
fn event_triggers() {
    comes_back(
        "event_triggers",
        include_str!("../../testkit/src/zoo_b/event_triggers.sql"),
        |source, copy| {
            same_catalogs(source, copy);
            same(source, copy, "SELECT evtname, evtenabled FROM pg_event_trigger ORDER BY 1");
        },
    );
}

#[test]
fn partitions() {
    comes_back(
        "partitions",
        include_str!("../../testkit/src/zoo_b/partitions.sql"),
        |source, copy| {
            same_catalogs(source, copy);
            for root in ["ranged", "listed"] {
                same(
                    source,
                    copy,
                    &format!("SELECT count(*), sum(hashtext(t::text)::bigint) FROM {root} t"),
                );
            }
        },
    );
}

#[test]
fn hash_partitions_on_enums() {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let (source, copy) = (server.database("enums"), server.database("copy"));
        source.execute(include_str!("../../testkit/src/zoo_b/enums.sql"));
        let folder = temp_dir();
        round_trip(&source, &copy, folder.path());
        same_catalogs(&source, &copy);
        // In which partition a row lies is each database's own affair.
        same(&source, &copy, "SELECT count(*), sum(hashtext(t::text)::bigint) FROM moods t");
    }
}

#[test]
fn typed_tables() {
    comes_back("typed", include_str!("../../testkit/src/zoo_b/typed.sql"), same_catalogs);
}

#[test]
fn inheritance_and_columns() {
    comes_back("inheritance", include_str!("../../testkit/src/zoo_b/inheritance.sql"), |_, _| ());
}

#[test]
fn constraints_and_indexes() {
    comes_back(
        "constraints",
        include_str!("../../testkit/src/zoo_b/constraints.sql"),
        same_catalogs,
    );
}

#[test]
fn large_objects() {
    comes_back(
        "large_objects",
        include_str!("../../testkit/src/zoo_b/large_objects.sql"),
        |source, copy| {
            same_catalogs(source, copy);
            same(
                source,
                copy,
                "SELECT oid, pg_get_userbyid(lomowner), lomacl::text, md5(lo_get(oid)), \
                 obj_description(oid, 'pg_largeobject') FROM pg_largeobject_metadata ORDER BY 1",
            );
        },
    );
}

#[test]
fn large_objects_of_a_plain_owner() {
    let server = testkit::newest_server();
    let role = server.role("plain");
    let (source, copy) = (server.database_of(&role, "source"), server.database_of(&role, "copy"));
    source.connect().execute("SELECT lo_from_bytea(5000, 'bytes'); SELECT lo_create(0)");
    let folder = temp_dir();
    round_trip(&source, &copy, folder.path());
    same(
        &source,
        &copy,
        "SELECT oid, lomowner, lo_get(oid) FROM pg_largeobject_metadata ORDER BY 1",
    );
}

#[test]
fn dependencies_on_extensions() {
    comes_back(
        "extension_needs",
        include_str!("../../testkit/src/zoo_b/extension_needs.sql"),
        |source, copy| {
            same_catalogs(source, copy);
            same(
                source,
                copy,
                "SELECT classid::regclass, count(*) FROM pg_depend WHERE deptype = 'x' GROUP BY 1 \
                 ORDER BY 1",
            );
        },
    );
}

/// An extension with tables of settings, in a database made for it; its script is no part of any
/// server that can be had.
const EXTENSION: &str = "DROP EXTENSION plpgsql; CREATE EXTENSION plpgsql; \
    CREATE TABLE z_kinds (id int PRIMARY KEY, own boolean); CREATE TABLE a_settings (id serial \
    PRIMARY KEY, kind int REFERENCES z_kinds, own boolean); \
    ALTER EXTENSION plpgsql ADD TABLE z_kinds; ALTER EXTENSION plpgsql ADD TABLE a_settings; ALTER \
    EXTENSION plpgsql ADD SEQUENCE a_settings_id_seq; \
    INSERT INTO z_kinds VALUES (1, true); INSERT INTO a_settings (kind, own) VALUES (1, true); \
    UPDATE pg_extension SET extconfig = ARRAY['z_kinds'::regclass, 'a_settings'::regclass, \
    'a_settings_id_seq'::regclass]::oid[], \
      extcondition = ARRAY['WHERE NOT own', 'WHERE NOT own', ''] WHERE extname = 'plpgsql'";

#[test]
fn settings_of_extensions() {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let (source, copy) = (server.database("settings"), server.database("copy"));
        source.execute(EXTENSION);
        copy.execute(EXTENSION);
        source.execute(
            "INSERT INTO z_kinds VALUES (2, false); INSERT INTO a_settings (kind, own) \
             VALUES (2, false), (1, false)",
        );
        let folder = temp_dir();
        let file = folder.path().join("settings.sbk");
        dump(&source, &file).run().expect(0);
        restore(&file, &copy).run().expect(0);
        for query in [
            "SELECT * FROM z_kinds ORDER BY 1",
            "SELECT * FROM a_settings ORDER BY 1",
            "SELECT last_value, is_called FROM a_settings_id_seq",
        ] {
            same(&source, &copy, query);
        }
    }
}

/// Tables of an extension that others have as parents; made in both databases, as its script would.
const PARENTS: &str = "DROP EXTENSION plpgsql; CREATE EXTENSION plpgsql; CREATE SCHEMA exts; \
    CREATE TABLE exts.listed (a int) PARTITION BY LIST (a); CREATE TABLE exts.plain (a int, c int \
    CHECK (c > 0)); \
    CREATE TABLE exts.ranged (id int PRIMARY KEY, v int) PARTITION BY RANGE (id); CREATE INDEX \
    ranged_v ON exts.ranged (v); \
    CREATE FUNCTION exts.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; \
    CREATE TRIGGER stamp AFTER INSERT ON exts.ranged FOR EACH ROW EXECUTE FUNCTION exts.stamp(); \
    ALTER EXTENSION plpgsql ADD SCHEMA exts; ALTER EXTENSION plpgsql ADD TABLE exts.listed; ALTER \
    EXTENSION plpgsql ADD TABLE exts.plain; \
    ALTER EXTENSION plpgsql ADD TABLE exts.ranged; ALTER EXTENSION plpgsql ADD FUNCTION \
    exts.stamp();";

#[test]
fn children_of_tables_of_extensions() {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let (source, copy) = (server.database("children"), server.database("copy"));
        source.execute(PARENTS);
        copy.execute(PARENTS);
        source.execute(
            "CREATE TABLE listed_1 PARTITION OF exts.listed FOR VALUES IN (1); INSERT INTO \
             exts.listed VALUES (1); \
             CREATE TABLE heir (b int) INHERITS (exts.plain); INSERT INTO heir VALUES (1, 2, 3); \
             CREATE TABLE ranged_1 PARTITION OF exts.ranged FOR VALUES FROM (0) TO (10); ALTER \
             TABLE ranged_1 DISABLE TRIGGER stamp; \
             CREATE TABLE ranged_2 (id int NOT NULL, v int); CREATE INDEX its_own_name ON ranged_2 \
             (v); \
             ALTER TABLE ranged_2 ADD CONSTRAINT its_own_key PRIMARY KEY (id); \
             ALTER TABLE exts.ranged ATTACH PARTITION ranged_2 FOR VALUES FROM (10) TO (20); \
             CREATE TABLE ranged_3 PARTITION OF exts.ranged FOR VALUES FROM (20) TO (30) PARTITION \
             BY RANGE (id); \
             CREATE TABLE ranged_31 PARTITION OF ranged_3 FOR VALUES FROM (20) TO (25); INSERT \
             INTO exts.ranged VALUES (1, 2), (11, 12), (21, 22)",
        );
        let folder = temp_dir();
        let file = folder.path().join("children.sbk");
        dump(&source, &file).run().expect(0);
        restore(&file, &copy).run().expect(0);
        assert_same_lines(
            "pg_dump -s",
            &testkit::pg_dump_schema(&source),
            &testkit::pg_dump_schema(&copy),
        );
        assert_same_rows(&source, &copy);
        for query in [
            "SELECT inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits ORDER BY 1",
            "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE \
             indrelid::regclass::text ~ 'ranged' ORDER BY 1",
            "SELECT * FROM exts.ranged ORDER BY 1",
        ] {
            same(&source, &copy, query);
        }
    }
}

#[test]
fn triggers_of_partitions_of_partitions() {
    let sql = "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; \
        END'; \
        CREATE TABLE p (a int PRIMARY KEY) PARTITION BY LIST (a); CREATE TABLE p2 PARTITION OF p \
        FOR VALUES IN (2, 3) PARTITION BY LIST (a); \
        CREATE TABLE p22 PARTITION OF p2 FOR VALUES IN (2); CREATE TABLE p23 PARTITION OF p2 FOR \
        VALUES IN (3); CREATE TABLE r (a int REFERENCES p); \
        CREATE TRIGGER stamp AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION stamp(); ALTER TABLE \
        p22 ENABLE ALWAYS TRIGGER stamp; \
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON p DEFERRABLE FOR EACH ROW EXECUTE FUNCTION \
        stamp(); ALTER TABLE p23 DISABLE TRIGGER late;";
    comes_back("sub_partitions", sql, |source, copy| {
        same(
            source,
            copy,
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE tgname IN \
             ('stamp', 'late') ORDER BY 1, 2",
        );
    });
}

#[test]
fn privileges_on_types_that_sql_spells_otherwise() {
    let sql = "REVOKE USAGE ON TYPE int4, timestamptz, \"char\" FROM PUBLIC; GRANT USAGE ON TYPE \
        timestamptz TO {reader};";
    comes_back("types", sql, |source, copy| {
        same(
            source,
            copy,
            "SELECT typname, typacl::text FROM pg_type WHERE typname IN ('int4', 'timestamptz', \
             'char') ORDER BY 1",
        );
    });
}

/// Up to 18, `ALTER RULE … RENAME` could do it.
#[test]
fn a_rule_that_was_renamed_to_return_is_named() {
    let server = testkit::newest_server();
    let source = server.database("renamed");
    source.execute(
        "CREATE TABLE a (a int); CREATE RULE r AS ON INSERT TO a DO INSTEAD NOTHING; \
         UPDATE pg_rewrite SET rulename = '_RETURN' WHERE rulename = 'r'",
    );
    let folder = temp_dir();
    dump(&source, &folder.path().join("renamed.sbk")).run().expect(10).says("_RETURN");
}
