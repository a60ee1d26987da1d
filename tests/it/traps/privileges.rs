//! Privileges, and what is there before a restore begins.

use super::{Carried, check, versions};

#[test]
fn only_what_was_changed_of_an_extension_is_carried() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            "CREATE EXTENSION hstore; REVOKE EXECUTE ON FUNCTION akeys(hstore) FROM PUBLIC; GRANT \
             EXECUTE ON FUNCTION akeys(hstore) TO {reader}",
        );
        carried.both_say(
            "SELECT proacl::text FROM pg_proc WHERE oid = 'akeys(hstore)'::regprocedure",
            &["{postgres=X/postgres,{reader}=X/postgres}"],
        );
        carried.both_say(
            "SELECT proacl::text FROM pg_proc WHERE oid = 'avals(hstore)'::regprocedure",
            &["NULL"],
        );
        let objects = carried.archive().manifest.objects;
        let made: Vec<&str> = objects
            .iter()
            .flat_map(|object| &object.statements)
            .map(String::as_str)
            .filter(|sql| sql.starts_with("CREATE"))
            .skip(1)
            .collect();
        assert_eq!(
            made,
            ["CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public"],
            "after the database, nothing: members are made by their extension"
        );
    }
}

#[test]
fn public_is_changed_and_never_made() {
    for version in versions(13) {
        let carried = Carried::on(
            version,
            "COMMENT ON SCHEMA public IS NULL; ALTER SCHEMA public OWNER TO {owner}; GRANT CREATE \
             ON SCHEMA public TO {reader}",
        );
        carried.both_say(
            "SELECT concat_ws(', ', pg_get_userbyid(nspowner), obj_description(oid, \
             'pg_namespace'), has_schema_privilege('{reader}', oid, 'CREATE')) FROM pg_namespace \
             WHERE nspname = 'public'",
            &["{owner}, t"],
        );
        let objects = carried.archive().manifest.objects;
        assert!(
            objects
                .iter()
                .flat_map(|object| &object.statements)
                .all(|sql| !sql.contains("CREATE SCHEMA")),
            "{objects:?}"
        );
    }
}

#[test]
fn privileges_are_given_again_by_those_who_gave_them() {
    check(
        13,
        "GRANT SELECT ON pg_catalog.pg_authid TO {reader}; REVOKE EXECUTE ON FUNCTION \
         pg_catalog.pg_sleep(float8) FROM PUBLIC;
         CREATE TABLE t (a int, b int); ALTER TABLE t OWNER TO {owner}; GRANT {reader} TO {owner};
         SET ROLE {owner}; GRANT SELECT ON t TO {reader} WITH GRANT OPTION; GRANT UPDATE (b) ON t \
         TO {reader} WITH GRANT OPTION; REVOKE DELETE ON t FROM {owner};
         SET ROLE {reader}; GRANT SELECT ON t TO PUBLIC; GRANT UPDATE (b) ON t TO PUBLIC; RESET ROLE",
        &[
            (
                "SELECT concat_ws(' ', privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE \
                 grantee::regrole::text END, 'by', grantor::regrole, CASE WHEN is_grantable THEN \
                 '*' END)
                 FROM pg_class, aclexplode(relacl) WHERE relname = 't' AND grantee::regrole::text \
                 <> '{owner}' ORDER BY 1",
                &["SELECT PUBLIC by {reader}", "SELECT {reader} by {owner} *"],
            ),
            ("SELECT has_table_privilege('{owner}', 't', 'DELETE')", &["f"]),
            ("SELECT attacl::text FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'", &["{{reader}=w*/{owner},=w/{reader}}"]),
            ("SELECT has_table_privilege('{reader}', 'pg_authid', 'SELECT') || ' ' || \
              has_function_privilege('{reader}', 'pg_sleep(float8)', 'EXECUTE')", &["true false"]),
        ],
    );
}

#[test]
fn default_privileges_change_nothing_that_the_restore_makes() {
    check(
        13,
        "CREATE TABLE before (a int); CREATE FUNCTION before() RETURNS int LANGUAGE sql AS 'SELECT \
         1'; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {reader};
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC; ALTER DEFAULT \
         PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; CREATE TABLE after (a int)",
        &[
            ("SELECT concat(relacl::text, proacl::text) FROM pg_class, pg_proc WHERE relname = \
              'before' AND proname = 'before'", &[""]),
            ("SELECT has_table_privilege('{reader}', 'after', 'DELETE')", &["t"]),
            ("SELECT concat_ws(' ', defaclobjtype, defaclnamespace <> 0) FROM pg_default_acl ORDER BY 1", &["f f", "r f", "r t"]),
        ],
    );
}
