//! What a restore says, and what becomes of rows alone and of a schema alone.

use super::super::support::{
    assert_same_rows, assert_same_schema, dump, is_marked, restore, temp_dir,
};
use super::json_lines;
use serde_json::json;

#[test]
fn a_restore_sums_up_and_a_dry_run_changes_nothing() {
    let (source, copy) = (
        testkit::newest_server().database("cli_source"),
        testkit::newest_server().database("cli_copy"),
    );
    source.execute(
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 1000); \
         CREATE TABLE b (id int REFERENCES a)",
    );
    let folder = temp_dir();
    let file = folder.path().join("x.sbk");
    dump(&source, &file).run().expect(0);
    let outcome = restore(&file, &copy).arg("--dry-run").run().expect(0);
    assert!(outcome.stdout.contains("CREATE TABLE public.a"), "{}", outcome.stdout);
    assert_eq!(
        copy.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
        "0"
    );
    let says = "warning: skipped: foreign key b_id_fkey on public.b: it needs public.a, which \
        is not selected";
    restore(&file, &copy).args(["--dry-run", "-t", "b"]).run().expect(10).says(says);
    restore(&file, &copy)
        .args(["-t", "missing"])
        .run()
        .expect(6)
        .says("no object matches missing (-t)");
    restore(&file, &copy).run().expect(0).says(", 1,000 rows, ");
    let outcome =
        restore(&file, &copy).arg("--dry-run").run().expect(6).says("this restore, see the plan");
    assert!(outcome.stdout.contains("problem: "), "{}", outcome.stdout);
    let outcome = restore(&file, &copy).args(["--log-format", "json"]).run().expect(6);
    let last = json_lines(&outcome.stderr).pop().expect("a line");
    assert_eq!(
        (&last["event"], &last["code"], &last["exit"]),
        (&json!("error"), &json!("requirement"), &json!(6))
    );
}

#[test]
fn rows_alone_go_into_tables_that_stand() {
    let server = testkit::newest_server();
    let (source, empty, standing) =
        (server.database("cli_rows"), server.database("cli_none"), server.database("cli_tables"));
    let tables = "CREATE TABLE a (id serial PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY \
        KEY); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b";
    source.execute(&format!(
        "{tables}; INSERT INTO b VALUES (1); INSERT INTO a (b) SELECT 1 FROM generate_series(1, 10)"
    ));
    standing.execute(tables);
    let folder = temp_dir();
    let file = folder.path().join("rows.sbk");
    dump(&source, &file).arg("-a").run().expect(0);
    // Without -a, too: the archive holds no definitions.
    restore(&file, &empty).run().expect(6).says("public.a");
    assert!(!is_marked(empty.admin()));
    restore(&file, &standing).run().expect(0);
    assert_same_rows(&source, &standing);
    assert_eq!(standing.value("SELECT nextval('a_id_seq')"), "11");
}

#[test]
fn a_schema_comes_back_without_its_rows() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("cli_schema"), server.database("cli_schema_copy"));
    testkit::kong::load(&source);
    let folder = temp_dir();
    let file = folder.path().join("schema.sbk");
    dump(&source, &file).arg("-s").run().expect(0);
    restore(&file, &copy).run().expect(0);
    assert_same_schema(&source, &copy);
    let (tables, one) = (folder.path().join("tables.sbk"), server.database("cli_tables_copy"));
    dump(&source, &tables)
        .args(["-t", "consumers", "-t", "workspaces", "-t", "KeyAuth_*", "-t", "tags"])
        .run()
        .expect(0);
    restore(&tables, &one).run().expect(0);
    let names = one.value(
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND \
         relnamespace = 'public'::regnamespace",
    );
    assert_eq!(names, "consumers keyauth_credentials tags workspaces");
}
