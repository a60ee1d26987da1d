//! The seed is sound: every constraint holds, `tags` is what the triggers would have written, and
//! the same number gives the same rows.

use testkit::kong;

#[test]
fn a_seeded_database_satisfies_its_own_constraints() {
    for upgraded in [false, true] {
        let server = testkit::newest_server();
        let role = server.role("kong");
        let database = server.database_of(&role, "seeded");
        if upgraded {
            kong::load_upgraded(&database);
        } else {
            kong::load(&database);
        }
        kong::seed(&database, 2_000);
        for row in database.rows(
            "SELECT conrelid::regclass::text, conname, \
             pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0",
        ) {
            let [Some(table), Some(name), Some(definition)] = row.as_slice() else {
                unreachable!("none is NULL")
            };
            database.execute(&format!(
                "ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT \
                 {name} {definition}"
            ));
        }
        let empty = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = \
            'public'::regnamespace AND pg_relation_size(oid) = 0 ORDER BY 1";
        assert_eq!(database.column(empty), if upgraded { vec!["apis"] } else { vec![] });
    }
}

#[test]
fn tags_are_what_the_triggers_would_have_written() {
    let database = testkit::newest_server().database("tags");
    kong::load(&database);
    kong::seed(&database, 500);
    database.execute(
        "CREATE TABLE seeded_tags AS TABLE tags; DELETE FROM tags; SET \
         client_min_messages TO warning",
    );
    for table in database
        .column("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%sync_tags%'")
    {
        database.execute(&format!("UPDATE {table} SET tags = tags"));
    }
    assert_eq!(
        database.value("SELECT count(*) FROM (TABLE tags EXCEPT TABLE seeded_tags) AS a"),
        "0"
    );
    assert_eq!(
        database.value("SELECT (SELECT count(*) FROM tags) - (SELECT count(*) FROM seeded_tags)"),
        "0"
    );
}

#[test]
fn rebuilt_keys_are_the_same_keys() {
    let server = testkit::newest_server();
    let [small, large] = ["small", "large"].map(|hint| {
        let database = server.database(hint);
        kong::load(&database);
        database
    });
    let before = testkit::pg_dump_schema(&small);
    kong::seed(&large, 20_000);
    assert_eq!(testkit::pg_dump_schema(&large).replace(large.name(), small.name()), before);
    assert_eq!(large.value("SELECT count(*) FROM consumers"), "20000");
}
