//! Databases and roles of one test, which drops them.

use std::sync::Arc;

use tokio_postgres::Error;

use crate::{Client, Server, quote};

impl Server {
    /// Creates an empty database owned by `postgres`.
    pub fn database(&self, hint: &str) -> Database<'_> {
        self.database_with(hint, "TEMPLATE template0")
    }

    /// Creates an empty database with these words after its name, such as `ENCODING 'LATIN1'
    /// TEMPLATE template0`.
    pub fn database_with(&self, hint: &str, options: &str) -> Database<'_> {
        let name = format!("{hint}_{}", self.next_number());
        self.create_database(name, "postgres", options)
    }

    /// Creates an empty database owned by a role, as an operator would for Kong.
    pub fn database_of(&self, role: &Role<'_>, hint: &str) -> Database<'_> {
        let name = format!("{hint}_{}", self.next_number());
        let mut database = self.create_database(
            name,
            role.name(),
            &format!("OWNER {} TEMPLATE template0", quote(role.name())),
        );
        role.name().clone_into(&mut database.owner);
        database
    }

    /// A database of a role that stands already, from here on as if it had been made so.
    pub fn existing_database(&self, role: &Role<'_>, name: &str) -> Database<'_> {
        let session = self.connect(name);
        let (name, owner) = (name.to_owned(), role.name().to_owned());
        Database { server: self, name, owner, session }
    }

    fn create_database(&self, name: String, owner: &str, options: &str) -> Database<'_> {
        let admin = self.connect("postgres");
        admin.execute(&format!("CREATE DATABASE {} {options}", quote(&name)));
        let session = self.connect(&name);
        Database { server: self, name, owner: owner.to_owned(), session }
    }

    /// Creates a role that may log in and nothing more.
    pub fn role(&self, hint: &str) -> Role<'_> {
        let name = format!("{hint}_{}", self.next_number());
        self.connect("postgres").execute(&format!("CREATE ROLE {} LOGIN", quote(&name)));
        Role { inner: Arc::new(Inner { server: self, name }) }
    }
}

/// A database that goes when this is dropped, whoever is connected. Its own session is the
/// superuser's.
pub struct Database<'s> {
    server: &'s Server,
    name: String,
    owner: String,
    session: Client,
}

impl Database<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The role that owns it.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The server that it is on.
    pub fn server(&self) -> &Server {
        self.server
    }

    /// A connection URL for its owner.
    pub fn url(&self) -> String {
        self.server.url(&self.owner, &self.name)
    }

    /// A connection URL for another role.
    pub fn url_as(&self, role: &str) -> String {
        self.server.url(role, &self.name)
    }

    /// The superuser's session that this value keeps open.
    pub fn admin(&self) -> &Client {
        &self.session
    }

    /// Does something while the superuser's session, which nobody else may end, is in another
    /// database; afterwards it is in whichever bears the name then.
    pub fn left<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.session = self.server.connect("postgres");
        let name = self.name.replace('\'', "''");
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND usename = 'postgres'"
        );
        while self.session.value(&sql) != "0" {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let done = work();
        self.session = self.server.connect(&self.name);
        done
    }

    /// Opens a session of the owner.
    #[track_caller]
    pub fn connect(&self) -> Client {
        self.connect_as(&self.owner)
    }

    /// Opens a session of a role.
    #[track_caller]
    pub fn connect_as(&self, role: &str) -> Client {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.server.port())
            .user(role)
            .dbname(&self.name)
            .application_name("testkit");
        crate::connect(config)
            .unwrap_or_else(|error| panic!("connect to {} as {role}: {error:?}", self.name))
    }

    /// Runs statements as the superuser.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        self.session.execute(sql);
    }

    /// The rows of a query.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.session.rows(sql)
    }

    /// The first column of a query.
    #[track_caller]
    pub fn column(&self, sql: &str) -> Vec<String> {
        self.session.column(sql)
    }

    /// The first value of a query.
    #[track_caller]
    pub fn value(&self, sql: &str) -> String {
        self.session.value(sql)
    }

    fn drop_by(&self, admin: &Client) -> Result<(), Error> {
        let name = quote(&self.name);
        if self.server.version() >= 13 {
            return admin.try_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
        let literal = self.name.replace('\'', "''");
        admin.try_execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{literal}'"
        ))?;
        admin.try_execute(&format!("DROP DATABASE IF EXISTS {name}"))
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        let Ok(admin) = superuser(self.server, "postgres") else { return };
        if self.drop_by(&admin).is_err()
            && let Ok(own) = superuser(self.server, &self.name)
        {
            let _ = own.try_execute(DROP_SUBSCRIPTIONS);
            let _ = self.drop_by(&admin);
        }
    }
}

/// A database with a subscription cannot be dropped, and an event trigger may refuse whatever is
/// asked.
const DROP_SUBSCRIPTIONS: &str = "DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT evtname FROM pg_event_trigger LOOP
        EXECUTE format('DROP EVENT TRIGGER %I', name);
    END LOOP;
    FOR name IN SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE \
    datname = current_database() LOOP
        EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', name);
        EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', name);
        EXECUTE format('DROP SUBSCRIPTION %I', name);
    END LOOP; END $$";

/// A role that goes when its last copy is dropped; drop its databases first.
#[derive(Clone)]
pub struct Role<'s> {
    inner: Arc<Inner<'s>>,
}

struct Inner<'s> {
    server: &'s Server,
    name: String,
}

impl Role<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }
}

impl Drop for Inner<'_> {
    fn drop(&mut self) {
        if let Ok(admin) = superuser(self.server, "postgres") {
            let _ = admin.try_execute(&format!("DROP ROLE IF EXISTS {}", quote(&self.name)));
        }
    }
}

/// A session in a database. The test may have stopped the server, and whatever is left goes with
/// it.
fn superuser(server: &Server, database: &str) -> Result<Client, Error> {
    let mut config = tokio_postgres::Config::new();
    config.host_path(server.socket_dir()).port(server.port()).user("postgres").dbname(database);
    crate::connect(config)
}
