//! Domains, views, functions, event triggers, subscriptions.

use super::{Carried, check, versions};
use crate::support::{dump, restore};

#[test]
fn a_domain_keeps_unproven_and_named_constraints() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            "CREATE DOMAIN d AS int CONSTRAINT \"Is Small\" CHECK (VALUE < 100); CREATE TABLE t (a \
             d); INSERT INTO t VALUES (-1); ALTER DOMAIN d ADD CONSTRAINT late CHECK (VALUE > 0) \
             NOT VALID; CREATE DOMAIN n AS int CONSTRAINT \"Must Be\" NOT NULL DEFAULT 1",
        );
        let constraints = "SELECT contypid::regtype || ' ' || conname || ' ' || convalidated FROM \
            pg_constraint WHERE contypid >= 16384 ORDER BY 1";
        let expect = ["d Is Small true", "d late false", "n Must Be true"];
        carried.both_say(constraints, if version >= 17 { &expect } else { &expect[..2] });
        carried.both_say("SELECT a FROM t", &["-1"]);
        carried.both_say(
            "SELECT typnotnull || ' ' || typdefault FROM pg_type WHERE typname = 'n'",
            &["true 1"],
        );
    }
}

#[test]
fn a_view_keeps_its_options_and_defaults() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            "CREATE TABLE t (id int, v text); CREATE VIEW v WITH (security_barrier) AS SELECT * \
             FROM t WHERE id > 0 WITH LOCAL CHECK OPTION; ALTER VIEW v ALTER v SET DEFAULT 'from \
             the view'; CREATE VIEW c AS SELECT * FROM v WITH CASCADED CHECK OPTION;
             -- if 15
             CREATE VIEW i WITH (security_invoker = true) AS SELECT * FROM t;
             -- end",
        );
        let expect = [
            "c {check_option=cascaded}",
            "i {security_invoker=true}",
            "v {security_barrier=true,check_option=local}",
        ];
        let expect: Vec<&str> =
            expect.into_iter().filter(|line| version >= 15 || !line.starts_with('i')).collect();
        carried.both_say(
            "SELECT relname || ' ' || reloptions::text FROM pg_class WHERE relkind = 'v' \
                AND oid >= 16384 ORDER BY 1",
            &expect,
        );
        carried.both_say("INSERT INTO v (id) VALUES (1) RETURNING v", &["from the view"]);
        assert!(
            carried.copy.admin().try_execute("INSERT INTO c VALUES (-1)").is_err(),
            "the check option is at work"
        );
    }
}

#[test]
fn a_functions_body_is_not_looked_into() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            r#"SET check_function_bodies = off; CREATE SCHEMA "A, b"; CREATE TABLE public.t (a int);
             CREATE FUNCTION early() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM nowhere.to_be_found'; CREATE FUNCTION broken() RETURNS int LANGUAGE plpgsql AS 'not a program';
             CREATE FUNCTION listed() RETURNS text LANGUAGE sql SET search_path = "A, b", public, "$user" SET temp_tablespaces = '' SET DateStyle = 'German, DMY' AS $$ SELECT current_setting('search_path') $$;
             -- if 14
             CREATE FUNCTION parsed(n int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT max(a) + n FROM t; SELECT n; END;
             -- end"#,
        );
        carried.both_say(
            "SELECT prosrc FROM pg_proc WHERE proname IN ('broken', 'early') ORDER BY proname",
            &["not a program", "SELECT count(*) FROM nowhere.to_be_found"],
        );
        carried.both_say(
            "SELECT unnest(proconfig) FROM pg_proc WHERE proname = 'listed' ORDER BY 1",
            &[
                "DateStyle=German, DMY",
                "search_path=\"A, b\", public, \"$user\"",
                "temp_tablespaces=\"\"",
            ],
        );
        carried.both_say("SELECT listed()", &["\"A, b\", public, \"$user\""]);
        if version >= 14 {
            carried.both_say("SELECT parsed(5)", &["5"]);
            carried.both_say(
                "SELECT prosqlbody IS NOT NULL FROM pg_proc WHERE proname = 'parsed'",
                &["t"],
            );
            assert!(
                carried.copy.admin().try_execute("DROP TABLE t").is_err(),
                "the server knows what the body needs"
            );
        }
    }
}

#[test]
fn a_login_trigger_meets_no_session_of_the_restore() {
    // Whoever comes while the restore is at work would be turned away.
    check(
        17,
        "CREATE FUNCTION guard() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF \
         to_regnamespace('silverback_restore') IS NOT NULL THEN RAISE 'not now'; END IF; END $$;
         CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE MATERIALIZED VIEW m \
         AS SELECT * FROM t; CREATE EVENT TRIGGER guard ON login EXECUTE FUNCTION guard(); ALTER \
         EVENT TRIGGER guard ENABLE ALWAYS",
        &[
            (
                "SELECT concat_ws(' ', evtevent, evtenabled) FROM \
                 pg_event_trigger",
                &["login A"],
            ),
            ("SELECT a FROM m", &["1"]),
        ],
    );
}

#[test]
fn a_subscription_comes_back_disabled() {
    for version in versions(13) {
        // Nobody listens there.
        let carried = Carried::not_yet(
            version,
            "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect \
             = false, slot_name = 'a_slot'); ALTER SUBSCRIPTION s ENABLE",
        );
        dump(&carried.source, &carried.file()).run().expect(0);
        carried.source.execute("ALTER SUBSCRIPTION s DISABLE");
        restore(&carried.file(), &carried.copy).run().expect(0);
        let of_this = "FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = \
            current_database()";
        carried.both_say(
            &format!(
                "SELECT concat_ws(' ', subname, subenabled, subslotname, subpublications) {of_this}"
            ),
            &["s f a_slot {p}"],
        );
    }
}
