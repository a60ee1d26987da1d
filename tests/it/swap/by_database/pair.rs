//! Two databases that take each other's name, and nobody in them.

use testkit::{Client, Role, Server};

use crate::support::{Silverback, wait_for};
use crate::swap::note_sql;

/// Two databases of a role and what becomes of their names; they go with this. Nobody stays
/// connected: a superuser's session could not be ended.
pub(super) struct Pair<'s> {
    pub(super) server: &'s Server,
    pub(super) role: Role<'s>,
    /// The live database's name; the copy's begins with it.
    pub(super) live: String,
}

impl<'s> Pair<'s> {
    /// Makes both, empty, and notes nothing.
    pub(super) fn new(server: &'s Server) -> Self {
        let pair = Self::alone(server);
        pair.client_of("postgres").execute(&format!(
            "CREATE DATABASE {} TEMPLATE template0",
            testkit::quote(&pair.staged())
        ));
        pair
    }

    /// Makes the live one.
    pub(super) fn alone(server: &'s Server) -> Self {
        let role = server.role("swapped");
        let pair = Self { server, live: role.name().to_owned(), role };
        let owner = testkit::quote(pair.role.name());
        let admin = server.connect("postgres");
        admin.execute(&format!("ALTER ROLE {owner} CREATEDB"));
        admin.execute(&format!(
            "CREATE DATABASE {} OWNER {owner} TEMPLATE template0",
            testkit::quote(&pair.live)
        ));
        pair
    }

    /// The copy's name before the first swap.
    pub(super) fn staged(&self) -> String {
        format!("{}_staged_1", self.live)
    }

    /// A session of the role.
    pub(super) fn client_of(&self, database: &str) -> Client {
        self.try_client_of(database).unwrap_or_else(|error| panic!("{database}: {error:?}"))
    }

    pub(super) fn try_client_of(&self, database: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.server.port())
            .user(self.role.name())
            .dbname(database)
            .application_name("client");
        testkit::connect(config)
    }

    pub(super) fn live(&self) -> Client {
        self.client_of(&self.live)
    }

    /// Waits until nobody is in a database.
    pub(super) fn wait_alone(&self, database: &str) {
        let admin = self.server.connect("postgres");
        let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'");
        wait_for("the sessions to end", || admin.value(&sql) == "0");
    }

    /// Whether no session of ours is in any of the databases.
    pub(super) fn is_left_alone(&self) -> bool {
        self.server.connect("postgres").value(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'silverback' AND \
             usename = '{}'",
            self.role.name()
        )) == "0"
    }

    /// Describes a swap.
    pub(super) fn swap(&self) -> Silverback {
        Silverback::new(["swap", "-d", &self.server.url(self.role.name(), &self.live)])
    }

    /// Notes that the copy is complete.
    pub(super) fn note(&self) {
        for (database, is_new) in [(self.live.clone(), false), (self.staged(), true)] {
            self.client_of(&database).execute(&note_sql(&format!(
                "'11111111-2222-3333-4444-555555555555', 'kong.sbk', 'f00', '0', 'by database', \
                 'staged', true, current_user, now(), NULL, NULL, '{{}}', '{{}}', '{{}}', '{{}}', \
                 {is_new}, '{}', '{}', NULL, NULL",
                self.live,
                self.staged(),
            )));
        }
    }

    /// The databases' names, the live one's first.
    pub(super) fn names(&self) -> Vec<String> {
        self.client_of("postgres").column(&format!(
            "SELECT datname FROM pg_database WHERE datname = '{0}' OR datname LIKE '{0}\\_%' \
             ORDER BY length(datname)",
            self.live
        ))
    }

    /// What a database is beside what is in it.
    pub(super) fn properties(&self) -> String {
        let admin = self.server.connect("postgres");
        let of = format!("(SELECT oid FROM pg_database WHERE datname = '{}')", self.live);
        admin.value(&format!(
            "SELECT concat_ws(' | ', pg_get_userbyid(datdba), datconnlimit, datistemplate, \
             shobj_description(oid, 'pg_database'), (SELECT string_agg(x::text, ' ' ORDER BY \
             x::text) FROM unnest(coalesce(datacl, acldefault('d', datdba))) x), (SELECT \
             string_agg(concat(setrole::regrole, setconfig), ' ' ORDER BY setrole) FROM \
             pg_db_role_setting WHERE setdatabase = {of})) FROM pg_database WHERE oid = {of}"
        ))
    }
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        let admin = self.server.connect("postgres");
        let ours = format!("datname = '{0}' OR datname LIKE '{0}\\_%'", self.live);
        self.server.terminate(&ours);
        for name in admin.column(&format!("SELECT datname FROM pg_database WHERE {ours}")) {
            let name = testkit::quote(&name);
            let _ = admin.try_execute(&format!("ALTER DATABASE {name} IS_TEMPLATE false"));
            let _ = admin.try_execute(&format!("DROP DATABASE {name}"));
        }
    }
}
