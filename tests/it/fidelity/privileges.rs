//! Owners, privileges, default privileges, comments; and what is left out on demand.

use testkit::{Client, Database, Role, quote};

use crate::pair::Pair;
use crate::support;

/// A pair, and two more roles, of which the owner is a member.
struct Team {
    pair: Pair,
    maker: Role<'static>,
    reader: Role<'static>,
}

impl Team {
    /// Every kind of object with privileges, by several grantors to several grantees. `{kong}`,
    /// `{maker}` and `{reader}` stand for the roles.
    fn new() -> Self {
        let server = testkit::newest_server();
        let (maker, reader) = (server.role("maker"), server.role("reader"));
        let pair = Pair::new("");
        let team = Self { pair, maker, reader };
        // PostgreSQL 16 asks for the option to SET a role, which a plain grant includes.
        team.pair.source.execute(&team.sql("GRANT {maker} TO {kong}"));
        for database in [&team.pair.source, &team.pair.copy] {
            database.execute(
                &team.sql(&format!(
                    "GRANT CREATE ON DATABASE {} TO {{maker}}",
                    quote(database.name())
                )),
            );
        }
        team.pair.source.connect().execute(&team.sql(SETUP));
        let maker = team.pair.source.connect_as(team.maker.name());
        maker.execute(&team.sql(BY_MAKER));
        team
    }

    fn sql(&self, text: &str) -> String {
        let roles =
            [("{kong}", &self.pair.owner), ("{maker}", &self.maker), ("{reader}", &self.reader)];
        roles
            .iter()
            .fold(text.to_owned(), |text, (word, role)| text.replace(word, &quote(role.name())))
    }

    fn reader(&self, database: &Database<'_>) -> Client {
        database.connect_as(self.reader.name())
    }
}

const SETUP: &str = r#"
    CREATE SCHEMA shared; GRANT USAGE, CREATE ON SCHEMA shared TO {maker} WITH GRANT OPTION; GRANT USAGE ON SCHEMA shared TO {reader};
    COMMENT ON SCHEMA shared IS E'a schema''s\ncomment \\ with "quotes"';
    CREATE TABLE plain (a integer, b text, c text);
    CREATE TABLE shared.t (id serial PRIMARY KEY, secret text, open text);
    INSERT INTO shared.t (secret, open) VALUES ('s', 'o');
    GRANT SELECT ON shared.t TO {maker} WITH GRANT OPTION; GRANT INSERT, UPDATE (open), REFERENCES (id, open) ON shared.t TO {reader};
    GRANT SELECT (open) ON shared.t TO PUBLIC; REVOKE DELETE ON shared.t FROM {kong};
    CREATE TABLE private (a integer); REVOKE ALL ON private FROM {kong}; GRANT SELECT, TRUNCATE ON private TO {kong} WITH GRANT OPTION;
    CREATE FUNCTION shared.f(integer, text DEFAULT 'x') RETURNS integer LANGUAGE sql AS 'SELECT 1';
    REVOKE EXECUTE ON FUNCTION shared.f(integer, text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION shared.f(integer, text) TO {reader};
    GRANT USAGE ON SEQUENCE shared.t_id_seq TO {reader};
    CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER tr BEFORE INSERT ON shared.t FOR EACH ROW EXECUTE FUNCTION noop();
    CREATE INDEX ix ON shared.t (open); ALTER TABLE shared.t ADD CONSTRAINT ck CHECK (id > 0);
    COMMENT ON TABLE shared.t IS 'table'; COMMENT ON COLUMN shared.t.open IS E'column; DROP TABLE shared.t; --'; COMMENT ON INDEX shared.ix IS 'index';
    COMMENT ON CONSTRAINT ck ON shared.t IS 'check'; COMMENT ON CONSTRAINT t_pkey ON shared.t IS 'key'; COMMENT ON TRIGGER tr ON shared.t IS 'trigger';
    COMMENT ON FUNCTION shared.f(integer, text) IS 'function'; COMMENT ON SEQUENCE shared.t_id_seq IS ' sequence ';
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {reader};
    ALTER DEFAULT PRIVILEGES IN SCHEMA shared GRANT INSERT, UPDATE ON TABLES TO {maker} WITH GRANT OPTION;
    ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES IN SCHEMA shared GRANT USAGE ON SEQUENCES TO {reader};
    ALTER DEFAULT PRIVILEGES FOR ROLE {maker} GRANT ALL ON TABLES TO {kong};
    CREATE TABLE after_defaults (a integer); CREATE FUNCTION after_defaults() RETURNS integer LANGUAGE sql AS 'SELECT 2';
"#;

const BY_MAKER: &str = r"
    CREATE TABLE shared.made (a integer); INSERT INTO shared.made VALUES (1), (2);
    CREATE FUNCTION shared.made() RETURNS integer LANGUAGE sql AS 'SELECT 3';
    CREATE SCHEMA of_maker; GRANT USAGE ON SCHEMA of_maker TO {kong}; CREATE TABLE of_maker.own (a integer); GRANT ALL ON of_maker.own TO {kong};
    GRANT SELECT ON shared.t TO {reader}; GRANT USAGE ON SCHEMA shared TO PUBLIC;
";

#[test]
fn owners_privileges_and_comments_come_back() {
    let team = Team::new();
    team.pair.carry_exactly();
    let owner =
        "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'shared.made'::regclass";
    assert_eq!(team.pair.copy.value(owner), team.maker.name());
    for database in [&team.pair.source, &team.pair.copy] {
        let reader = team.reader(database);
        assert_eq!(reader.value("SELECT count(*) FROM shared.t"), "1");
        assert!(reader.try_execute("SELECT secret FROM private").is_err());
        assert_eq!(reader.value("SELECT shared.f(1)"), "1");
    }
    // The default privileges work for what is made later, too.
    team.pair.copy.connect().execute("CREATE TABLE later (a integer)");
    assert_eq!(team.reader(&team.pair.copy).value("SELECT count(*) FROM later"), "0");
}

#[test]
fn without_privileges_nobody_has_any() {
    let team = Team::new();
    for (dump, restore) in [(["-x"].as_slice(), [].as_slice()), (&[], &["--no-acl"])] {
        let copy = testkit::newest_server().database_of(&team.pair.owner, "copy");
        copy.execute(
            &team.sql(&format!("GRANT CREATE ON DATABASE {} TO {{maker}}", quote(copy.name()))),
        );
        let file = team.pair.path(&format!("{}.sbk", copy.name()));
        support::dump(&team.pair.source, &file).args(dump).run().expect(0);
        support::restore(&file, &copy).args(restore).run().expect(0);
        let granted = "SELECT count(*) FROM pg_class WHERE relacl IS NOT NULL AND relnamespace IN \
            ('public'::regnamespace, 'shared'::regnamespace)";
        assert_eq!(copy.value(granted), "0");
        assert_eq!(copy.value("SELECT count(*) FROM pg_default_acl"), "0");
        support::assert_same_rows(&team.pair.source, &copy);
    }
}

#[test]
fn without_owners_everything_belongs_to_who_restores() {
    let team = Team::new();
    let stranger = testkit::newest_server().role("stranger");
    for (dump, restore) in [(["-O", "-x"].as_slice(), [].as_slice()), (&[], &["-O", "-x"])] {
        let copy = testkit::newest_server().database_of(&stranger, "copy");
        let file = team.pair.path(&format!("{}.sbk", copy.name()));
        support::dump(&team.pair.source, &file).args(dump).run().expect(0);
        if dump.is_empty() {
            // Not a member of the owners: refused before anything is made, with the way out.
            support::restore(&file, &copy).run().expect(6).says("-O");
            assert_eq!(
                copy.value(
                    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                ),
                "0"
            );
        }
        support::restore(&file, &copy).args(restore).run().expect(0);
        let owners = "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace \
            IN ('public'::regnamespace, 'shared'::regnamespace)
            UNION SELECT DISTINCT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace IN \
            ('public'::regnamespace, 'shared'::regnamespace)";
        assert_eq!(copy.column(owners), [stranger.name()]);
        support::assert_same_rows(&team.pair.source, &copy);
    }
}

#[test]
fn a_role_is_taken_on_after_connecting() {
    let team = Team::new();
    let deputy = testkit::newest_server().role("deputy");
    let file = team.pair.file();
    let source = team.pair.source.url_as(deputy.name());
    let copy = team.pair.copy.url_as(deputy.name());
    support::Silverback::new(["dump", "-d", &source, "-f"]).arg(&file).run().expect(6);
    team.pair.source.execute(&format!(
        "GRANT {} TO {}",
        quote(team.pair.owner.name()),
        quote(deputy.name())
    ));
    // The membership alone is enough to read, but then what the deputy makes would be the deputy's.
    support::Silverback::new(["dump", "-d", &source, "--role", team.pair.owner.name(), "-f"])
        .arg(&file)
        .run()
        .expect(0);
    support::Silverback::new(["restore", "-d", &copy, "--role", team.pair.owner.name()])
        .arg(&file)
        .run()
        .expect(0);
    support::assert_same(&team.pair.source, &team.pair.copy);
    support::Silverback::new(["dump", "-d", &source, "--role", "nobody knows it", "-f"])
        .arg(team.pair.path("no.sbk"))
        .run()
        .says("nobody knows it");
}

#[test]
fn privileges_on_public_come_back() {
    // Its owner is another one from 15 on.
    let ends = support::ends();
    for version in testkit::versions()
        .into_iter()
        .filter(|version| ends.contains(version) || (14..=15).contains(version))
    {
        let server = testkit::server(version);
        for change in [
            "GRANT CREATE ON SCHEMA public TO {reader}",
            "GRANT CREATE ON SCHEMA public TO PUBLIC",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            "ALTER SCHEMA public OWNER TO {kong}",
            "COMMENT ON SCHEMA public IS 'ours'",
        ] {
            let reader = server.role("reader");
            let pair = Pair::on(server, "");
            let sql = |text: &str| {
                text.replace("{reader}", &quote(reader.name()))
                    .replace("{kong}", &quote(pair.owner.name()))
            };
            if version < 15 {
                // It belongs to a superuser, whose privileges the plain owner of the database can
                // neither give nor take.
                for database in [&pair.source, &pair.copy] {
                    database.execute(&sql("ALTER SCHEMA public OWNER TO {kong}"));
                }
            }
            pair.source.execute(&sql(change));
            pair.source.connect().execute("CREATE TABLE t (a integer)");
            pair.carry_exactly();
            let everybody = "SELECT count(*) FROM pg_namespace, aclexplode(nspacl) WHERE nspname = \
                'public' AND grantee = 0";
            assert_eq!(pair.copy.value(everybody), pair.source.value(everybody), "{change}");
        }
    }
}

#[test]
fn what_a_superuser_changed_of_public_is_told() {
    // Where `public` belongs to a superuser.
    let pair = Pair::new("CREATE TABLE t (a integer)");
    for database in [&pair.source, &pair.copy] {
        database.execute(&format!(
            "ALTER SCHEMA public OWNER TO postgres; GRANT USAGE, CREATE ON SCHEMA public TO {}",
            quote(pair.owner.name())
        ));
    }
    pair.source
        .execute("REVOKE ALL ON SCHEMA public FROM PUBLIC; COMMENT ON SCHEMA public IS 'theirs'");
    pair.dump().run().expect(0);
    pair.restore().run().expect(10).says("public").says("postgres");
    support::assert_same_rows(&pair.source, &pair.copy);
}
