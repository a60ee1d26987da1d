//! What extensions bring and what users do to it: dumped, verified and restored by the program on
//! every server, with SQL-only extensions of the tests' own, one for each awkward trait.

use testkit::{Database, Server};

use super::support::{
    assert_same, assert_same_lines, assert_same_rows, dump, restore, round_trip, temp_dir, verify,
};

/// What stands in operator families and is not the server's own, by what it does and not by its
/// number.
const MEMBERS: &str = "SELECT concat_ws(' ', f.opfname, m.amname, i.number, i.lt::regtype, \
    i.rt::regtype, i.named) FROM ( \
      SELECT amopfamily AS family, amopstrategy AS number, amoplefttype AS lt, amoprighttype AS \
      rt, amopopr::regoperator::text AS named FROM pg_amop WHERE oid >= 16384 \
      UNION ALL SELECT amprocfamily, amprocnum, amproclefttype, amprocrighttype, \
      amproc::regprocedure::text FROM pg_amproc WHERE oid >= 16384) i \
    JOIN pg_opfamily f ON f.oid = i.family JOIN pg_am m ON m.oid = f.opfmethod ORDER BY 1";

/// Rules, triggers, policies and row security, of whomever.
const PARTS: &str = "SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE oid >= 16384 \
    UNION ALL SELECT concat_ws(' ', pg_get_triggerdef(oid), tgenabled, obj_description(oid, \
    'pg_trigger')) FROM pg_trigger WHERE NOT tgisinternal \
    UNION ALL SELECT concat_ws(' ', polname, polrelid::regclass, pg_get_expr(polqual, polrelid)) \
    FROM pg_policy \
    UNION ALL SELECT concat_ws(' ', oid::regclass, relrowsecurity, relforcerowsecurity) FROM \
    pg_class WHERE relrowsecurity ORDER BY 1";

#[track_caller]
fn same(source: &Database<'_>, copy: &Database<'_>, query: &str) {
    assert_eq!(source.column(query), copy.column(query), "{query}");
}

/// Makes a database by these statements and a copy of it, and demands that they are the same.
#[track_caller]
fn comes_back(name: &str, sql: &str, more: impl Fn(&Database<'_>, &Database<'_>)) {
    for version in crate::support::ends() {
        let server: &Server = testkit::server(version);
        let (source, copy) = (server.database(name), server.database("copy"));
        source.execute(sql);
        let folder = temp_dir();
        round_trip(&source, &copy, folder.path());
        assert_same(&source, &copy);
        same(&source, &copy, PARTS);
        same(&source, &copy, MEMBERS);
        more(&source, &copy);
    }
}

#[test]
fn settings_and_a_foreign_key_to_them() {
    let sql = "CREATE SCHEMA exts; CREATE EXTENSION sbk_settings SCHEMA exts; \
        INSERT INTO exts.z_kinds VALUES (2); INSERT INTO exts.a_settings (kind) VALUES (2), (1); \
        CREATE TABLE uses (id int PRIMARY KEY, kind int REFERENCES exts.z_kinds, setting int \
        REFERENCES exts.a_settings); INSERT INTO uses VALUES (1, 2, 2), (2, 1, 1); \
        CREATE TABLE readings_1 PARTITION OF exts.readings FOR VALUES FROM (0) TO (10); INSERT \
        INTO exts.readings VALUES (1, 2);";
    comes_back("settings", sql, |source, copy| {
        for table in ["z_kinds", "a_settings"] {
            same(source, copy, &format!("SELECT t::text FROM exts.{table} t ORDER BY 1"));
        }
        same(
            source,
            copy,
            "SELECT concat_ws(' ', last_value, is_called) FROM exts.a_settings_id_seq",
        );
    });
}

#[test]
fn settings_are_chosen_by_their_schema_and_by_their_name() {
    let server = testkit::newest_server();
    let source = server.database("chosen");
    source.execute(
        "CREATE SCHEMA exts; CREATE EXTENSION sbk_settings SCHEMA exts; CREATE TABLE other (); \
         INSERT INTO exts.z_kinds VALUES (2); INSERT INTO exts.a_settings (kind) VALUES (2)",
    );
    let folder = temp_dir();
    let (all, one) = (folder.path().join("all.sbk"), folder.path().join("one.sbk"));
    dump(&source, &all).run().expect(0);
    let held = |copy: &Database<'_>, kinds: &str, settings: &str| {
        assert_eq!(copy.value("SELECT count(*) FROM exts.z_kinds"), kinds);
        assert_eq!(copy.value("SELECT count(*) FROM exts.a_settings"), settings);
    };
    // The extension comes along.
    let copy = server.database("by_schema");
    restore(&all, &copy).args(["-n", "exts"]).run().expect(0);
    held(&copy, "2", "2");
    // Beside -t, the schema is expected.
    dump(&source, &one).args(["-t", "z_kinds"]).run().expect(0);
    let copy = server.database("by_name");
    copy.execute("CREATE SCHEMA exts");
    restore(&one, &copy).run().expect(0);
    held(&copy, "2", "1");
    // Where it is excluded, it is expected with what it holds.
    let copy = server.database("by_none");
    copy.execute("CREATE SCHEMA exts; CREATE EXTENSION sbk_settings SCHEMA exts");
    std::fs::remove_file(&one).expect("it is there");
    dump(&source, &one).args(["--exclude-extension", "sbk*", "-n", "public"]).run().expect(0);
    restore(&one, &copy).run().expect(0);
    held(&copy, "1", "1");
}

#[test]
fn rules_triggers_and_policies_of_an_extension_and_of_a_user() {
    comes_back(
        "guards",
        "CREATE EXTENSION sbk_guards; INSERT INTO jobs VALUES (1, 'somebody')",
        |_, _| (),
    );
    let sql = "CREATE EXTENSION sbk_guards; INSERT INTO jobs VALUES (1); \
        CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not after the \
        restore''; END'; \
        CREATE TRIGGER a_mine BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION mine(); COMMENT \
        ON TRIGGER a_mine ON jobs IS 'of a user'; \
        ALTER TABLE jobs ENABLE ALWAYS TRIGGER a_mine; CREATE POLICY also_mine ON jobs FOR SELECT \
        USING (id > 0); \
        CREATE RULE \"Mine\" AS ON DELETE TO shown DO INSTEAD NOTHING; \
        CREATE POLICY noted ON notes USING (true); ALTER TABLE notes ENABLE ROW LEVEL SECURITY; \
        ALTER TABLE notes FORCE ROW LEVEL SECURITY; \
        CREATE STATISTICS mine_too (ndistinct) ON id, who FROM jobs; COMMENT ON STATISTICS \
        mine_too IS 'of a user'";
    comes_back("guards_of_users", sql, |_, copy| {
        assert_eq!(
            copy.value("SELECT count(*) FROM pg_trigger WHERE tgname IN ('a_mine', 'job_check')"),
            "2"
        );
        assert_eq!(
            copy.value("SELECT string_agg(stxname, ' ' ORDER BY 1) FROM pg_statistic_ext"),
            "jobs_of_whom mine_too"
        );
    });
}

#[test]
fn what_the_extension_has_brought_is_not_made_again() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("brought"), server.database("copy"));
    // A user's trigger that stands in the target already, otherwise.
    let mine = "CREATE EXTENSION sbk_guards; CREATE TRIGGER mine AFTER {} ON notes FOR EACH ROW \
        EXECUTE FUNCTION check_job()";
    source.execute(&mine.replace("{}", "INSERT"));
    copy.execute(&mine.replace("{}", "UPDATE"));
    let folder = temp_dir();
    let file = folder.path().join("brought.sbk");
    dump(&source, &file).run().expect(0);
    let plan = restore(&file, &copy).arg("--dry-run").run().expect(0);
    assert!(
        plan.stdout
            .contains("-- unless extension sbk_guards has made it\nCREATE RULE shown_insert"),
        "{}",
        plan.stdout
    );
    restore(&file, &copy).run().expect(0);
    assert_eq!(
        copy.column("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'mine'").len(),
        1
    );
    assert!(
        copy.value("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'mine'")
            .contains("UPDATE")
    );
}

#[test]
fn a_trigger_of_a_partitioned_table_of_an_extension() {
    let sql = "CREATE EXTENSION sbk_settings; CREATE FUNCTION mine() RETURNS trigger LANGUAGE \
        plpgsql AS 'BEGIN RETURN new; END'; \
        CREATE TABLE part PARTITION OF readings FOR VALUES FROM (0) TO (10); CREATE TRIGGER mine \
        AFTER INSERT ON readings FOR EACH ROW EXECUTE FUNCTION mine(); \
        ALTER TABLE part DISABLE TRIGGER mine; INSERT INTO readings VALUES (1, 1)";
    comes_back("partitioned", sql, |source, copy| {
        same(
            source,
            copy,
            "SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE \
             tgname = 'mine' ORDER BY 1",
        );
    });
}

#[test]
fn members_of_operator_families() {
    comes_back(
        "members",
        "CREATE EXTENSION sbk_members; CREATE TABLE t (s stamp PRIMARY KEY); INSERT INTO t VALUES \
         (ROW(1))",
        |_, _| (),
    );
    // A user's own, in the extension's family and in the server's.
    let sql = "CREATE SCHEMA exts; CREATE EXTENSION sbk_members SCHEMA exts; \
        CREATE FUNCTION later(exts.stamp, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT \
        ($1).n > $2::bigint'; \
        CREATE OPERATOR > (LEFTARG = exts.stamp, RIGHTARG = text, FUNCTION = later); \
        ALTER OPERATOR FAMILY exts.stamp_ops USING btree ADD OPERATOR 5 > (exts.stamp, text); \
        ALTER OPERATOR FAMILY pg_catalog.integer_ops USING btree ADD OPERATOR 5 > (exts.stamp, \
        text); \
        CREATE TABLE t (s exts.stamp); CREATE INDEX ON t (s exts.stamp_int_ops);";
    comes_back("members_of_users", sql, |_, _| ());
}

#[test]
fn members_that_the_extension_lacks_in_the_target() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("more"), server.database("copy"));
    // Somebody added it by nothing but what the extension has: nobody can tell whose it is.
    source.execute(
        "CREATE EXTENSION sbk_members; ALTER OPERATOR FAMILY stamp_ops USING btree ADD \
         FUNCTION 1 (bigint, stamp) btint8cmp(bigint, bigint)",
    );
    let folder = temp_dir();
    round_trip(&source, &copy, folder.path());
    same(&source, &copy, MEMBERS);
    assert_eq!(copy.column(MEMBERS).iter().filter(|line| line.contains("btint8cmp")).count(), 1);
}

#[test]
fn rows_that_an_extension_does_not_take() {
    for version in crate::support::ends() {
        let server = testkit::server(version);
        let (source, copy) = (server.database("keeper"), server.database("copy"));
        source.execute(
            "CREATE EXTENSION sbk_keeper; INSERT INTO metadata VALUES ('theme', 'dark'); CREATE \
             TABLE t (a int); INSERT INTO t VALUES (1)",
        );
        let folder = temp_dir();
        let file = round_trip(&source, &copy, folder.path());
        assert_same(&source, &copy);
        // Rows alone, where the extension stands.
        let again = server.database("again");
        again.execute("CREATE EXTENSION sbk_keeper; CREATE TABLE t (a int)");
        restore(&file, &again).arg("-a").run().expect(0);
        assert_same_rows(&source, &again);
    }
}

#[test]
fn a_table_that_was_added_by_hand() {
    for version in crate::support::ends() {
        let server = testkit::server(version);
        let reader = server.role("reader");
        let (source, copy) = (server.database("by_hand"), server.database("copy"));
        source.execute(&format!(
            "CREATE EXTENSION sbk_guards; CREATE TABLE audit (a int); CREATE SEQUENCE numbers; \
             CREATE FUNCTION helper() RETURNS int LANGUAGE sql AS 'SELECT 1'; \
             ALTER EXTENSION sbk_guards ADD TABLE audit; ALTER EXTENSION sbk_guards ADD SEQUENCE \
             numbers; ALTER EXTENSION sbk_guards ADD FUNCTION helper(); \
             REVOKE INSERT ON audit FROM postgres; GRANT SELECT ON audit, jobs TO {reader}; GRANT \
             USAGE ON SEQUENCE numbers TO {reader}; \
             REVOKE EXECUTE ON FUNCTION helper() FROM PUBLIC; CREATE TRIGGER mine AFTER INSERT ON \
             audit FOR EACH ROW EXECUTE FUNCTION check_job(); \
             CREATE TABLE t (a int); INSERT INTO t VALUES (1)",
            reader = reader.name()
        ));
        let folder = temp_dir();
        let file = folder.path().join("by_hand.sbk");
        dump(&source, &file).run().expect(0);
        verify(&file).run().expect(0);
        let restored = restore(&file, &copy).run().expect(10);
        for name in [
            "privileges of table TABLE public.audit",
            "privileges of sequence SEQUENCE public.numbers",
            "trigger TRIGGER mine ON public.audit",
        ] {
            assert!(restored.stderr.contains(name), "{name}: {}", restored.stderr);
        }
        same(&source, &copy, "SELECT a::text FROM t");
        same(&source, &copy, "SELECT relacl::text FROM pg_class WHERE relname = 'jobs'");
    }
}

/// The extension is trusted, and what it puts into operator families only a superuser could.
#[test]
fn an_extension_of_a_plain_owner() {
    let server = testkit::newest_server();
    let owner = server.role("plain");
    let (source, copy) =
        (server.database_of(&owner, "trusted"), server.database_of(&owner, "copy"));
    source.connect().execute(
        "CREATE EXTENSION citext; CREATE TABLE t (a citext PRIMARY KEY); \
         INSERT INTO t VALUES ('A')",
    );
    let folder = temp_dir();
    round_trip(&source, &copy, folder.path());
    assert_same(&source, &copy);
    same(&source, &copy, MEMBERS);
}

/// AGE's hook fails at any TRUNCATE where its schema is not; a role that may not truncate meets the
/// same error at the same place.
#[test]
fn a_table_that_may_not_be_truncated_is_loaded_all_the_same() {
    for version in crate::support::ends() {
        let server = testkit::server(version);
        let owner = server.role("plain");
        let (source, copy) =
            (server.database_of(&owner, "truncated"), server.database_of(&owner, "copy"));
        source.connect().execute(
            "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT \
             generate_series(1, 100); CREATE TABLE u (a int REFERENCES t); INSERT INTO u VALUES (1)",
        );
        copy.execute(&format!(
            "ALTER DEFAULT PRIVILEGES FOR ROLE {0} REVOKE TRUNCATE ON TABLES FROM {0}",
            owner.name()
        ));
        let folder = temp_dir();
        round_trip(&source, &copy, folder.path());
        assert_same_rows(&source, &copy);
    }
}

/// Of one number, members stand in the order in which they came.
#[test]
fn functions_of_one_number_keep_their_order() {
    let sql = "CREATE OPERATOR FAMILY numbers USING btree; ALTER OPERATOR FAMILY numbers USING \
        btree ADD \
        FUNCTION 2 (int4, int4) btint4sortsupport(internal), FUNCTION 2 (float8, float8) \
        btfloat8sortsupport(internal), FUNCTION 2 (int2, int2) btint2sortsupport(internal), \
        OPERATOR 1 < (int4, int8), OPERATOR 1 < (int2, int8), OPERATOR 1 < (float8, float4)";
    comes_back("order", sql, |source, copy| {
        assert_same_lines(
            "pg_dump -s",
            &testkit::pg_dump_schema(source),
            &testkit::pg_dump_schema(copy),
        );
    });
}
