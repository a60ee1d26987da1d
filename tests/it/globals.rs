//! `silverback globals` makes of an empty server what `pg_dumpall --globals-only` makes of it, on
//! every version.

use std::path::Path;
use std::process::Command;

use testkit::Server;

use crate::support::{Silverback, temp_dir};

const ROLES: &str = "
    CREATE ROLE plain; CREATE ROLE \"Odd \"\"Role\"\" -- x\" LOGIN CREATEDB CONNECTION LIMIT 3;
    CREATE ROLE boss SUPERUSER CREATEROLE REPLICATION BYPASSRLS NOINHERIT;
    CREATE ROLE late LOGIN PASSWORD 'hunter2' VALID UNTIL '2031-02-03 04:05:06+07';
    CREATE ROLE forever VALID UNTIL 'infinity';
    GRANT plain TO late WITH ADMIN OPTION; GRANT pg_monitor TO plain;
    GRANT plain TO \"Odd \"\"Role\"\" -- x\";
    ALTER ROLE late SET search_path TO a, \"B, c\", \"$user\"; ALTER ROLE late SET work_mem TO '8MB';
    ALTER ROLE plain SET app.tenant TO 'it''s';
    COMMENT ON ROLE plain IS 'what it''s for';
    ALTER ROLE postgres SET log_min_messages TO 'error'";

const OF_16: &str = "
    SET ROLE late; GRANT plain TO boss WITH ADMIN OPTION; RESET ROLE;
    GRANT plain TO forever WITH INHERIT FALSE, SET FALSE GRANTED BY boss;
    GRANT boss TO forever WITH INHERIT FALSE";

const OF_15: &str = "
    GRANT SET ON PARAMETER work_mem TO plain; GRANT ALTER SYSTEM ON PARAMETER app.tenant TO late WITH \
    GRANT OPTION; SET ROLE late; GRANT ALTER SYSTEM ON PARAMETER app.tenant TO plain; RESET ROLE";

/// All that is to be the same, in an order that hangs on names alone.
const CATALOGS: &[&str] = &[
    "SELECT to_jsonb(r) - 'oid' - 'rolconfig' - 'rolpassword', shobj_description(oid, 'pg_authid') \
     FROM pg_roles r WHERE rolname !~ '^pg_' ORDER BY rolname",
    "SELECT r.rolname, m.rolname, g.rolname, to_jsonb(a) - 'oid' - 'roleid' - 'member' - 'grantor' \
     FROM pg_auth_members a JOIN pg_roles r ON r.oid = roleid JOIN pg_roles m ON m.oid = member \
     LEFT JOIN pg_roles g ON g.oid = grantor WHERE m.rolname !~ '^pg_' ORDER BY 1, 2, 3",
    "SELECT setrole::regrole, unnest(setconfig) FROM pg_db_role_setting WHERE setdatabase = 0 ORDER \
     BY 1::text, 2",
    "SELECT spcname, pg_get_userbyid(spcowner), ARRAY(SELECT i::text FROM unnest(spcacl) i ORDER BY \
     1), spcoptions, shobj_description(oid, 'pg_tablespace') FROM pg_tablespace ORDER BY 1",
];

const PARAMETERS: &str = "SELECT parname, ARRAY(SELECT i::text FROM unnest(paracl) i ORDER BY 1) FROM \
    pg_parameter_acl ORDER BY 1";

fn found(server: &Server) -> Vec<Vec<Vec<Option<String>>>> {
    let client = server.connect("postgres");
    let more = (server.version() >= 15).then_some(PARAMETERS);
    CATALOGS.iter().copied().chain(more).map(|sql| client.rows(sql)).collect()
}

fn load(server: &Server, file: &Path, stops: bool) {
    let mut psql = Command::new(testkit::client_tool("psql"));
    psql.args(["-X", "-q", "-d", &server.url("postgres", "postgres"), "-f"]).arg(file);
    if stops {
        psql.args(["-v", "ON_ERROR_STOP=1"]);
    }
    let output = psql.output().expect("psql runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

/// Takes from the server all that [`found`] finds and the programs are to make.
fn clear(server: &Server) {
    let admin = server.connect("postgres");
    for name in admin.rows("SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid >= 16384") {
        admin.execute(&format!("DROP TABLESPACE {}", name[0].as_deref().unwrap_or_default()));
    }
    let roles = "SELECT coalesce(string_agg(quote_ident(rolname), ', '), '') FROM pg_roles WHERE oid \
        >= 16384";
    let roles = admin.value(roles);
    admin.execute(&format!(
        "DROP OWNED BY {roles}; DROP ROLE {roles}; ALTER ROLE postgres RESET ALL"
    ));
}

#[test]
fn globals_are_those_of_pg_dumpall() {
    let narrowed = std::env::var_os("SILVERBACK_TEST_PG").is_some();
    for version in (!narrowed).then_some(12).into_iter().chain(testkit::versions()) {
        let server = Server::spec(version).start();
        let admin = server.connect("postgres");
        let empty = found(&server);
        admin.execute(ROLES);
        if version >= 16 {
            admin.execute(OF_16);
        }
        if version >= 15 {
            admin.execute(OF_15);
        }
        let place = server.socket_dir().join("space").display().to_string();
        admin.execute(&format!("COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; mkdir {place}'"));
        admin.execute(&format!("CREATE TABLESPACE \"Fast\" OWNER late LOCATION '{place}'"));
        admin.execute(
            "ALTER TABLESPACE \"Fast\" SET (random_page_cost = 1.5, effective_io_concurrency = 7);
             GRANT CREATE ON TABLESPACE \"Fast\" TO plain WITH GRANT OPTION;
             SET ROLE plain; GRANT CREATE ON TABLESPACE \"Fast\" TO boss; RESET ROLE;
             COMMENT ON TABLESPACE \"Fast\" IS 'new disks'",
        );
        let dir = temp_dir();
        let file = dir.path().join("ours.sql");
        let url = server.url("postgres", "postgres");
        let globals = || Silverback::new(["globals", "-d", &url]);
        globals().arg("-f").arg(&file).run().expect(0).says("6 roles and 1 tablespace");
        globals().arg("-f").arg(&file).run().expect(6).says("exists");
        let written = std::fs::read_to_string(&file).expect("it was written");
        assert_eq!(globals().run().expect(0).stdout, written);
        assert!(!written.contains("PASSWORD"), "{written}");
        let with = globals().arg("--role-passwords").run().expect(0).stdout;
        assert!(with.contains(" PASSWORD 'SCRAM-SHA-256$") || with.contains(" PASSWORD 'md5"));
        let mut dumpall = Command::new(testkit::client_tool("pg_dumpall"));
        let output = dumpall.args(["-g", "--no-role-passwords", "-d", &url]).output();
        let output = output.expect("pg_dumpall runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs = dir.path().join("theirs.sql");
        std::fs::write(&theirs, output.stdout).expect("the folder is ours");
        let [of_dumpall, ours] = [(&theirs, false), (&file, true)].map(|(file, stops)| {
            clear(&server);
            assert_eq!(found(&server), empty, "{version}");
            load(&server, file, stops);
            found(&server)
        });
        assert_eq!(ours, of_dumpall, "{version}");
        assert_eq!(ours[0].len(), 6);
        // What is there already is no failure.
        let roles: Vec<&str> =
            written.lines().filter(|line| !line.contains("TABLESPACE")).collect();
        std::fs::write(&file, roles.join("\n")).expect("the folder is ours");
        load(&server, &file, true);
        assert_eq!(found(&server), ours, "{version}");
    }
}

#[test]
fn passwords_want_a_superuser() {
    let server = testkit::newest_server();
    let role = server.role("plain");
    let url = server.url(role.name(), "postgres");
    Silverback::new(["globals", "-d", &url]).run().expect(0);
    let outcome = Silverback::new(["globals", "-d", &url, "--role-passwords"]).run().expect(6);
    outcome.says("permission denied").says("leave --role-passwords out");
}
