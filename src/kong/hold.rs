//! Kong's own lock for migrations, held while a dump is made: a row of `locks` that ends by itself
//! after a minute, and is renewed until then.
//!
//! Each change is a transaction of its own, so that a pooler may give it any session of the server.
//! Does not know when it is renewed.

use uuid::Uuid;

use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::session::{Purpose, Session};
use crate::sql::ident;
use crate::sqlstate;

/// How the owner of every row begins that a dump has written.
const OWNER: &str = "silverback dump ";

/// The key of the row.
const KEY: &str = "'migrations'";

/// The end of a row that is written now.
const END: &str = "pg_catalog.clock_timestamp() + INTERVAL '60 s'";

/// Whether a dump has written a row of `locks` with this owner.
pub fn is_ours(owner: &str) -> bool {
    owner.starts_with(OWNER)
}

/// The lock of one dump.
#[derive(Clone, Debug)]
pub struct Hold {
    server: Server,
    table: String,
    owner: String,
    role: Option<String>,
}

impl Hold {
    /// That of a schema with Kong's tables, by a name that no other dump has; not taken yet.
    pub fn new(server: &Server, schema: &str, role: Option<&str>) -> Self {
        Self {
            server: server.clone(),
            table: ident::qualified(schema, "locks"),
            owner: format!("{OWNER}{}", Uuid::new_v4()),
            role: role.map(str::to_owned),
        }
    }

    /// Says that it is held, and that this is written.
    pub fn told(&self) -> String {
        format!(
            "held until the dump ends: Kong's lock for migrations, a row of {} (owner {}), the one \
             thing that this dump writes",
            self.table, self.owner
        )
    }

    /// Takes it.
    ///
    /// # Errors
    /// [`Kind::Consistency`] where somebody else holds it, [`Kind::Requirement`] where this role or
    /// this server cannot write it.
    pub async fn take(&self) -> Result<()> {
        let session = self.begin().await?;
        let (table, owner) = (&self.table, ident::literal(&self.owner));
        let dead =
            format!("DELETE FROM {table} WHERE key = {KEY} AND ttl < pg_catalog.clock_timestamp()");
        let insert = format!(
            "INSERT INTO {table} (key, owner, ttl) SELECT {KEY}, {owner}, {END} WHERE NOT EXISTS \
             (SELECT FROM {table} WHERE key = {KEY}) ON CONFLICT DO NOTHING"
        );
        self.execute(&session, &dead).await?;
        if self.execute(&session, &insert).await? == 0 {
            return Err(self.held_by_another(&session).await?);
        }
        self.execute(&session, "COMMIT").await.map(drop)
    }

    /// Renews it; false where it is not ours any more.
    pub async fn renew(&self) -> Result<bool> {
        let session = self.begin().await?;
        let sql = format!("UPDATE {} SET ttl = {END} WHERE {}", self.table, self.is_this());
        let renewed = self.execute(&session, &sql).await?;
        self.execute(&session, "COMMIT").await?;
        Ok(renewed > 0)
    }

    /// Lets it go, if it is ours.
    pub async fn release(&self) -> Result<()> {
        let session = self.begin().await?;
        let sql = format!("DELETE FROM {} WHERE {}", self.table, self.is_this());
        self.execute(&session, &sql).await?;
        self.execute(&session, "COMMIT").await.map(drop)
    }

    fn is_this(&self) -> String {
        format!("key = {KEY} AND owner = {}", ident::literal(&self.owner))
    }

    async fn begin(&self) -> Result<Session> {
        let session = self.server.open(Purpose::Probe).await?;
        self.execute(&session, "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE").await?;
        self.execute(&session, "SET LOCAL search_path = ''").await?;
        self.execute(&session, "SET LOCAL lock_timeout = '10s'").await?;
        if let Some(role) = &self.role {
            self.execute(&session, &format!("SET LOCAL ROLE {}", ident::quote(role))).await?;
        }
        Ok(session)
    }

    async fn execute(&self, session: &Session, sql: &str) -> Result<u64> {
        session.execute(&self.doing(), sql).await.map_err(|error| match error.sqlstate() {
            Some(sqlstate::READ_ONLY_SQL_TRANSACTION) => error
                .as_kind(Kind::Requirement)
                .hint("dump the primary server, or leave --hold-migrations out"),
            Some(sqlstate::INSUFFICIENT_PRIVILEGE) => {
                error.as_kind(Kind::Requirement).hint(format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON {}, or dump as Kong's role",
                    self.table
                ))
            }
            _ => error,
        })
    }

    fn doing(&self) -> String {
        format!("hold Kong's lock for migrations in {}", self.table)
    }

    async fn held_by_another(&self, session: &Session) -> Result<Error> {
        let sql = format!(
            "SELECT coalesce(owner, '?'), coalesce(pg_catalog.to_char(ttl AT TIME ZONE 'UTC', \
             'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'for ever') FROM {} WHERE key = {KEY}",
            self.table
        );
        let rows = session.query(&self.doing(), &sql).await?;
        let cause = match rows.first() {
            Some(row) => {
                let (owner, until): (String, String) = (row.get(0)?, row.get(1)?);
                format!("{owner} holds it until {until}: migrations may be running")
            }
            None => "somebody else has held it until now".to_owned(),
        };
        Ok(Error::new(Kind::Consistency, self.doing(), cause)
            .hint("wait until kong migrations, or the other dump, has ended, and dump again"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dump_has_a_name_of_its_own() {
        let server = Server::from_conninfo("host=h dbname=kong user=u").unwrap();
        let (one, two) = (Hold::new(&server, "Gate way", None), Hold::new(&server, "k", None));
        assert!(one.owner != two.owner && is_ours(&one.owner));
        assert!(!is_ours("6f1b5c1e-4d3a-4b8e-9a57-0d2c7e8f9a10"));
        assert_eq!(one.table, "\"Gate way\".locks");
    }
}
