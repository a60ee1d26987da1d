//! What is restored is what was dumped, by the plain owner: Kong's database first, then what others
//! keep in theirs.

use std::collections::BTreeMap;

use testkit::{Database, kong};

use crate::pair::Pair;
use crate::support;

mod encodings;
mod foreign_names;
mod large;
mod privileges;
mod selection;
mod shapes;

/// Each sequence with its value, and whether that has been handed out.
fn sequences(database: &Database<'_>) -> BTreeMap<String, String> {
    let names = database.column("SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'S'");
    let value = |name: &String| {
        database.value(&format!("SELECT last_value || ' ' || is_called FROM {name}"))
    };
    names.iter().map(|name| (name.clone(), value(name))).collect()
}

/// Demands what an operator of Kong would look at first.
#[track_caller]
fn assert_kong_is_unchanged(pair: &Pair, schema: &str) {
    for query in [
        "SELECT key, subsystem, last_executed, executed::text, pending::text FROM {}.schema_meta \
         ORDER BY 1, 2",
        "SELECT entity_id, entity_name, tags::text FROM {}.tags ORDER BY 1",
        "SELECT id, ttl FROM {}.keyauth_credentials ORDER BY 1",
        "SELECT id, pk::text, entity::text FROM (SELECT version AS id, pk, entity FROM \
         {}.clustering_sync_delta) d ORDER BY 1, 2",
        "SELECT id, config::text FROM {}.plugins ORDER BY 1",
    ] {
        let query = query.replace("{}", schema);
        let (expected, found) = (pair.source.rows(&query), pair.copy.rows(&query));
        assert!(!expected.is_empty(), "{query}");
        assert!(expected == found, "source and copy differ: {query}");
    }
    let expired = format!("SELECT count(*) FROM {schema}.keyauth_credentials WHERE ttl < now()");
    assert_ne!(pair.copy.value(&expired), "0", "expired rows come back too");
    let before = sequences(&pair.source);
    assert_eq!(before.len(), 2);
    assert_eq!(before, sequences(&pair.copy));
    for sequence in before.keys() {
        let next = format!("SELECT nextval('{sequence}')");
        assert_eq!(pair.source.value(&next), pair.copy.value(&next));
    }
}

#[test]
fn a_fresh_kong_comes_back_exactly() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), "");
        kong::load(&pair.source);
        kong::seed(&pair.source, 3000);
        pair.carry_exactly();
        assert_kong_is_unchanged(&pair, "public");
    }
}

#[test]
fn an_upgraded_kong_comes_back_exactly() {
    for version in testkit::versions() {
        let pair = Pair::on(testkit::server(version), "");
        kong::load_upgraded(&pair.source);
        kong::seed(&pair.source, 3000);
        assert_ne!(
            pair.source.value("SELECT count(*) FROM pg_attribute WHERE attisdropped"),
            "0",
            "upgrades drop columns"
        );
        pair.carry_exactly();
        assert_kong_is_unchanged(&pair, "public");
    }
}

#[test]
fn kong_outside_public_comes_back_exactly() {
    let pair = Pair::new("CREATE SCHEMA \"Kong EE\"");
    kong::load_by(&pair.source.connect(), "Kong EE");
    kong::seed_by(&pair.source.connect_as("postgres"), "Kong EE", 500);
    pair.carry_exactly();
    assert_kong_is_unchanged(&pair, "\"Kong EE\"");
}

#[test]
fn a_kong_restored_twice_over_is_the_first_one_still() {
    let pair = Pair::new("");
    kong::load_upgraded(&pair.source);
    kong::seed(&pair.source, 300);
    pair.carry();
    // A copy of the copy, by way of another number of sessions and another codec.
    let second = pair.path("second.sbk");
    let third = testkit::newest_server().database_of(&pair.owner, "third");
    crate::support::dump(&pair.copy, &second).args(["-j", "1", "-Z", "none"]).run().expect(0);
    crate::support::restore(&second, &third).args(["-j", "1"]).run().expect(0);
    crate::support::assert_same(&pair.source, &third);
    assert_eq!(crate::pair::contents(&pair.file()), crate::pair::contents(&second));
}

#[test]
fn the_restored_triggers_and_keys_are_at_work() {
    let pair = Pair::new("");
    kong::load(&pair.source);
    kong::seed(&pair.source, 100);
    pair.carry();
    let kong = pair.copy.connect();
    kong.execute(
        "INSERT INTO services (id, name, host, tags, ws_id) SELECT \
         '00000000-0000-4000-8000-000000000001', 'new', 'h', '{fresh}', id FROM workspaces LIMIT 1",
    );
    assert_eq!(
        pair.copy.value(
            "SELECT tags FROM tags WHERE entity_id = '00000000-0000-4000-8000-000000000001'"
        ),
        "{fresh}"
    );
    let orphan = "INSERT INTO routes (id, name, service_id, ws_id) SELECT gen_random_uuid(), \
        'orphan', gen_random_uuid(), id FROM workspaces LIMIT 1";
    let refused = kong.try_execute(orphan).expect_err("the foreign key is there");
    assert_eq!(refused.code().map(|code| code.code().to_owned()), Some("23503".to_owned()));
    assert_eq!(pair.copy.value("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"), "0");
    assert_eq!(
        pair.copy.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready"),
        "0"
    );
    assert!(!support::is_marked(pair.copy.admin()));
    assert_ne!(
        pair.copy.value("SELECT count(*) FROM pg_stats WHERE tablename = 'consumers'"),
        "0",
        "ANALYZE has run"
    );
}
