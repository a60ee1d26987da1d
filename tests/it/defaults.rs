//! What an object is of which nothing was said, by the catalogs of every version: where that
//! differs, a dump must say it.

use std::collections::{BTreeMap, BTreeSet};

use silverback::archive::Archive;
use testkit::{Database, zoo};

use crate::support;

/// Catalogs, what names a row in every version, and which rows are the objects' own.
const CATALOGS: &[(&str, &str, &str)] = &[
    ("pg_aggregate", "aggfnoid::text", "aggfnoid >= 16384"),
    ("pg_am", "amname", "oid >= 16384"),
    ("pg_attribute", "attrelid::regclass || '.' || attname", "attrelid >= 16384 AND attnum > 0"),
    ("pg_cast", "castsource::regtype::text", "oid >= 16384"),
    ("pg_class", "relname", "oid >= 16384"),
    ("pg_collation", "collname", "oid >= 16384"),
    ("pg_constraint", "conname", "oid >= 16384"),
    ("pg_conversion", "conname", "oid >= 16384"),
    ("pg_database", "''", "datname = current_database()"),
    ("pg_event_trigger", "evtname", "true"),
    ("pg_foreign_data_wrapper", "fdwname", "true"),
    ("pg_foreign_server", "srvname", "true"),
    ("pg_foreign_table", "ftrelid::regclass::text", "true"),
    ("pg_index", "indexrelid::regclass::text", "indexrelid >= 16384"),
    ("pg_language", "lanname", "true"),
    ("pg_namespace", "nspname", "nspname = 'public'"),
    ("pg_operator", "oprname", "oid >= 16384"),
    ("pg_opfamily", "opfname", "oid >= 16384"),
    ("pg_partitioned_table", "partrelid::regclass::text", "true"),
    ("pg_policy", "polname", "true"),
    ("pg_proc", "proname", "oid >= 16384"),
    ("pg_publication", "pubname", "true"),
    ("pg_publication_rel", "prrelid::regclass::text", "true"),
    ("pg_range", "rngtypid::regtype::text", "rngtypid >= 16384"),
    ("pg_rewrite", "ev_class::regclass || '.' || rulename", "oid >= 16384"),
    ("pg_sequence", "seqrelid::regclass::text", "true"),
    ("pg_statistic_ext", "stxname", "true"),
    (
        "pg_subscription",
        "subname",
        "subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
    ),
    ("pg_trigger", "tgname", "NOT tgisinternal"),
    ("pg_ts_config", "cfgname", "oid >= 16384"),
    ("pg_ts_dict", "dictname", "oid >= 16384"),
    ("pg_type", "typname", "oid >= 16384"),
];

/// Every value of these rows but numbers of other rows and trees of nodes, by column and row.
fn values(database: &Database<'_>) -> BTreeMap<(String, String), String> {
    let mut values = BTreeMap::new();
    for (catalog, key, condition) in CATALOGS {
        let sql = format!(
            "SELECT e.key, x.key, coalesce(e.value, 'NULL') FROM (SELECT ({key})::text AS key, \
             to_jsonb(c) AS row FROM pg_catalog.{catalog} c WHERE {condition}) x, \
               jsonb_each_text(x.row) e JOIN pg_attribute a ON a.attrelid = \
               'pg_catalog.{catalog}'::regclass AND a.attname = e.key \
             WHERE a.atttypid::regtype::text NOT IN ('oid', 'oid[]', 'oidvector', 'xid', \
             'regproc', 'pg_node_tree') \
               AND e.value IS DISTINCT FROM current_database() AND e.key <> 'subname'"
        );
        for row in database.rows(&sql) {
            let [Some(column), Some(key), Some(value)] = row.as_slice() else { panic!("{row:?}") };
            values.insert((format!("{catalog}.{column}"), key.clone()), value.clone());
        }
    }
    values
}

#[test]
fn an_option_whose_default_differs_between_versions_is_written_out() {
    let mut all: BTreeMap<u32, BTreeMap<(String, String), String>> = BTreeMap::new();
    for version in testkit::versions() {
        let database = testkit::server(version).database("plain");
        database.execute(zoo::PLAIN);
        let folder = support::temp_dir();
        let file = folder.path().join("plain.sbk");
        support::dump(&database, &file).run().expect(0);
        all.insert(version, values(&database));
        let objects = Archive::open_path(&file).expect("the archive can be read").manifest.objects;
        let subscription = objects
            .iter()
            .find(|object| object.identity == "SUBSCRIPTION sub")
            .expect("it is there");
        assert!(
            subscription.statements[0].contains(", streaming = "),
            "{version}: {:?}",
            subscription.statements
        );
    }
    let versions: Vec<u32> = all.keys().copied().collect();
    let mut differing = BTreeSet::new();
    for pair in versions.windows(2) {
        let (older, newer) = (&all[&pair[0]], &all[&pair[1]]);
        differing.extend(
            older
                .iter()
                .filter(|(name, value)| newer.get(*name).is_some_and(|new| new != *value))
                .map(|((column, _), _)| column.as_str()),
        );
    }
    // Whoever finds a column here that is not in this list makes a dump write it out, or says why
    // it need not.
    let known = [
        "pg_attribute.attstattarget", // none is -1 before 17 and NULL since
        "pg_class.reltuples",         // unknown is 0 before 14 and -1 since
        "pg_namespace.nspacl",        // of schema public, which is changed where it was changed
        "pg_statistic_ext.stxstattarget",
        "pg_subscription.subskiplsn", // 0/0, or 0/00000000 since 19: no option
        "pg_subscription.substream",  // written out
    ];
    let unknown: Vec<_> = differing.iter().filter(|column| !known.contains(column)).collect();
    assert!(unknown.is_empty(), "defaults that differ between versions: {unknown:?}");
    if versions.contains(&17) && versions.contains(&18) {
        assert!(differing.contains("pg_subscription.substream"), "{differing:?}");
    }
}
