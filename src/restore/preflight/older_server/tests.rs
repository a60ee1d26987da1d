use super::*;

/// The statement without every clause that a server of this version does not know.
#[track_caller]
fn check(version_num: u32, kind: ObjectKind, sql: &str, expect: Option<&str>) {
    let mut sql = sql.to_owned();
    for clause in CLAUSES.iter().filter(|clause| version_num < clause.since) {
        match (clause.without)(kind, &sql) {
            None => {}
            Some(Left::Nothing) => return assert_eq!(None, expect, "{sql}"),
            Some(Left::Same(without) | Left::Less(without)) => sql = without,
        }
    }
    assert_eq!(Some(sql.as_str()), expect);
}

#[test]
fn a_statement_reads_well_without_the_clause() {
    use ObjectKind::{Sequence, Table, Type};
    let range = "CREATE TYPE s.r AS RANGE (\n    subtype = integer,\n    multirange_type_name = \
        s.m,\n    subtype_diff = s.d\n)";
    check(
        130_000,
        Type,
        range,
        Some("CREATE TYPE s.r AS RANGE (\n    subtype = integer,\n    subtype_diff = s.d\n)"),
    );
    let range =
        "CREATE TYPE s.r AS RANGE (\n    subtype = integer,\n    multirange_type_name = s.m\n)";
    check(130_000, Type, range, Some("CREATE TYPE s.r AS RANGE (\n    subtype = integer\n)"));
    check(130_000, Type, "CREATE TYPE s.e AS ENUM ()", Some("CREATE TYPE s.e AS ENUM ()"));
    let base =
        |more: &str| format!("CREATE TYPE s.b (\n    INPUT = s.i,{more}\n    STORAGE = plain\n)");
    check(130_000, Type, &base("\n    SUBSCRIPT = array_subscript_handler,"), Some(&base("")));
    check(140_000, Type, &base("\n    SUBSCRIPT = h,"), Some(&base("\n    SUBSCRIPT = h,")));
    check(140_000, Sequence, "CREATE UNLOGGED SEQUENCE s.q", Some("CREATE SEQUENCE s.q"));
    check(140_000, Sequence, "ALTER SEQUENCE s.q SET UNLOGGED", Some(""));
    check(140_000, Table, "CREATE UNLOGGED TABLE s.t ()", Some("CREATE UNLOGGED TABLE s.t ()"));
    let root = "CREATE TABLE s.t (\n    a integer\n)\nPARTITION BY LIST (a)";
    check(160_000, Table, &format!("{root}\nUSING heap"), Some(root));
    let other = "CREATE TABLE s.t (\n    a integer\n)\nUSING other";
    check(160_000, Table, other, Some(other));
    let column = "ALTER TABLE ONLY s.t ALTER COLUMN a";
    check(130_000, Table, &format!("{column} SET COMPRESSION lz4"), Some(""));
    let default = format!("{column} SET DEFAULT ' SET COMPRESSION lz4'");
    check(130_000, Table, &default, Some(&default));
}

#[test]
fn parameters_of_tables_go_by_name() {
    use ObjectKind::{Index, Table};
    let table =
        "CREATE TABLE s.t (\n    a integer DEFAULT ' WITH (log_autoanalyze_min_duration=1)'\n)";
    let sql = format!(
        "{table}\nWITH (fillfactor='70', autovacuum_parallel_workers='2', \
         log_autoanalyze_min_duration='5', toast.log_autoanalyze_min_duration='6')"
    );
    check(190_000, Table, &sql, Some(&sql));
    check(180_000, Table, &sql, Some(&format!("{table}\nWITH (fillfactor='70')")));
    check(180_000, Table, &format!("{table}\nWITH (autovacuum_parallel_workers='2')"), Some(table));
    let cleanup =
        format!("{table}\nWITH (toast.vacuum_index_cleanup=auto, vacuum_index_cleanup='off')");
    check(130_000, Table, &cleanup, Some(&format!("{table}\nWITH (vacuum_index_cleanup='off')")));
    check(
        120_000,
        Index,
        "CREATE INDEX i ON s.t USING btree (a) WITH (deduplicate_items='off')",
        Some("CREATE INDEX i ON s.t USING btree (a)"),
    );
}

#[test]
fn what_would_publish_more_is_not_made() {
    use ObjectKind::{Publication, PublicationSchema, PublicationTable};
    let with = "WITH (publish = 'insert')";
    check(
        180_000,
        Publication,
        &format!("CREATE PUBLICATION p FOR ALL TABLES EXCEPT (TABLE ONLY s.t) {with}"),
        None,
    );
    check(180_000, Publication, &format!("CREATE PUBLICATION p FOR ALL SEQUENCES {with}"), None);
    let all = format!("CREATE PUBLICATION p FOR ALL TABLES {with}");
    check(
        180_000,
        Publication,
        &format!("CREATE PUBLICATION p FOR ALL TABLES, ALL SEQUENCES {with}"),
        Some(&all),
    );
    let odd = format!("CREATE PUBLICATION \"x FOR ALL SEQUENCES\" FOR ALL TABLES {with}");
    check(180_000, Publication, &odd, Some(&odd));
    let generated = "CREATE PUBLICATION p FOR ALL TABLES WITH (publish = 'insert', \
        publish_via_partition_root = true, publish_generated_columns = stored)";
    check(120_000, Publication, generated, Some(&all));
    let add = "ALTER PUBLICATION p ADD TABLE ONLY s.\"t (a)\"";
    check(140_000, PublicationTable, add, Some(add));
    check(140_000, PublicationTable, &format!("{add} (a)"), None);
    check(140_000, PublicationTable, &format!("{add} WHERE ((a > 1))"), None);
    check(140_000, PublicationSchema, "ALTER PUBLICATION p ADD TABLES IN SCHEMA s", None);
}

#[test]
fn a_subscription_keeps_what_the_server_knows() {
    let check = |version_num, options: &str, expect: Option<&str>| {
        let sql = |options: &str| {
            format!(
                "CREATE SUBSCRIPTION s CONNECTION 'a SERVER b' PUBLICATION p WITH (connect = \
                 false{options})"
            )
        };
        check(version_num, ObjectKind::Subscription, &sql(options), expect.map(sql).as_deref());
    };
    let new =
        ", retain_dead_tuples = true, max_retention_duration = '7', wal_receiver_timeout = '5s'";
    check(190_000, new, Some(new));
    check(180_000, new, Some(""));
    check(170_000, ", failover = true", Some(", failover = true"));
    check(160_000, ", streaming = parallel, failover = true", Some(", streaming = parallel"));
    check(150_000, ", streaming = parallel", Some(", streaming = on"));
    check(
        150_000,
        ", two_phase = on, password_required = false, run_as_owner = true",
        Some(", two_phase = on"),
    );
    check(150_000, ", origin = 'none'", None);
    check(
        140_000,
        ", binary = true, streaming = off, disable_on_error = true",
        Some(", binary = true, streaming = off"),
    );
    check(130_000, ", binary = true, streaming = off", Some(""));
}

#[test]
fn what_stands_for_a_connection() {
    use ObjectKind::{ForeignDataWrapper, Subscription};
    check(
        180_000,
        Subscription,
        "CREATE SUBSCRIPTION s SERVER f PUBLICATION p WITH (connect = false)",
        None,
    );
    let sql = |connection: &str| {
        format!(
            "CREATE FOREIGN DATA WRAPPER w HANDLER s.h{connection} OPTIONS (\n    a 'x CONNECTION y'\n)"
        )
    };
    check(180_000, ForeignDataWrapper, &sql(" CONNECTION s.c"), Some(&sql("")));
    check(180_000, ForeignDataWrapper, &sql(""), Some(&sql("")));
}

#[test]
fn off_is_what_a_server_without_streaming_does() {
    let sql = |options: &str| {
        format!(
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false{options})"
        )
    };
    assert_eq!(
        streaming(ObjectKind::Subscription, &sql(", streaming = off")),
        Some(Left::Same(sql("")))
    );
    assert_eq!(
        streaming(ObjectKind::Subscription, &sql(", streaming = on")),
        Some(Left::Less(sql("")))
    );
}
