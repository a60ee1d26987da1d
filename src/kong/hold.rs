//! Kong's own lock for migrations, held while a dump is made or copies are exchanged: a row of `locks` that ends by itself
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

/// How the owner of every row begins that a dump or a swap has written.
const OWNERS: [&str; 2] = ["silverback dump ", "silverback swap "];

/// How often a table is looked for again that was moved meanwhile.
const LOOKS: u32 = 3;

/// Kong's table.
const TABLE: &str = "locks";

/// The key of the row.
const KEY: &str = "'migrations'";

/// The end of a row that is written now.
const END: &str = "pg_catalog.clock_timestamp() + INTERVAL '60 s'";

/// Whether a dump or a swap has written a row of `locks` with this owner.
pub fn is_ours(owner: &str) -> bool {
    OWNERS.iter().any(|begin| owner.starts_with(begin))
}

/// The lock of one dump, or of one copy of a swap.
#[derive(Clone, Debug)]
pub struct Hold {
    server: Server,
    table: String,
    /// By what the table is found, where it takes another name meanwhile.
    oid: Option<u32>,
    owner: String,
    role: Option<String>,
}

impl Hold {
    /// That of a schema with Kong's tables, by a name that no other dump has; not taken yet.
    pub fn new(server: &Server, schema: &str, role: Option<&str>) -> Self {
        Self {
            server: server.clone(),
            table: ident::qualified(schema, TABLE),
            oid: None,
            owner: format!("{}{}", OWNERS[0], Uuid::new_v4()),
            role: role.map(str::to_owned),
        }
    }

    /// That of a copy's schema, whose table is found again when it has been moved; not taken yet.
    ///
    /// # Errors
    /// [`Kind::Requirement`] where the schema has no such table.
    pub async fn of_copy(server: &Server, schema: &str, role: Option<&str>) -> Result<Self> {
        let hold = Self {
            owner: format!("{}{}", OWNERS[1], Uuid::new_v4()),
            ..Self::new(server, schema, role)
        };
        let sql = format!(
            "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = \
             c.relnamespace WHERE c.relkind = 'r' AND c.relname = '{TABLE}' AND n.nspname = {}",
            ident::literal(schema)
        );
        let session = server.open(Purpose::Probe).await?;
        let rows = session.query(&hold.doing(), &sql).await?;
        let Some(row) = rows.first() else {
            return Err(Error::new(Kind::Requirement, hold.doing(), "there is no such table")
                .hint("leave --hold-migrations out"));
        };
        Ok(Self { oid: Some(row.get(0)?), ..hold })
    }

    /// Says that it is held, and that this is written.
    pub fn told(&self) -> String {
        let (until, more) = if self.oid.is_some() {
            ("the copies are exchanged", "")
        } else {
            ("the dump ends", ", the one thing that this dump writes")
        };
        format!(
            "held until {until}: Kong's lock for migrations, a row of {} (owner {}){more}",
            self.table, self.owner
        )
    }

    /// Takes it.
    ///
    /// # Errors
    /// [`Kind::Consistency`] where somebody else holds it, [`Kind::Requirement`] where this role or
    /// this server cannot write it.
    pub async fn take(&self) -> Result<()> {
        let (session, table) = self.begin().await?;
        let owner = ident::literal(&self.owner);
        let dead =
            format!("DELETE FROM {table} WHERE key = {KEY} AND ttl < pg_catalog.clock_timestamp()");
        let insert = format!(
            "INSERT INTO {table} (key, owner, ttl) SELECT {KEY}, {owner}, {END} WHERE NOT EXISTS \
             (SELECT FROM {table} WHERE key = {KEY}) ON CONFLICT DO NOTHING"
        );
        self.execute(&session, &dead).await?;
        if self.execute(&session, &insert).await? == 0 {
            return Err(self.held_by_another(&session, &table).await?);
        }
        self.execute(&session, "COMMIT").await.map(drop)
    }

    /// Renews it; false where it is not ours any more.
    pub async fn renew(&self) -> Result<bool> {
        self.change(|table| format!("UPDATE {table} SET ttl = {END} WHERE {}", self.is_this()))
            .await
    }

    /// Lets it go, if it is ours.
    pub async fn release(&self) -> Result<()> {
        let sql = |table: &str| format!("DELETE FROM {table} WHERE {}", self.is_this());
        self.change(sql).await.map(drop)
    }

    /// Changes the row; false where it is not there. Between the look for the table and the statement
    /// the table may have moved and the other copy's have its name, whose row has another owner.
    async fn change(&self, sql: impl Fn(&str) -> String) -> Result<bool> {
        for _ in 0..LOOKS {
            let (session, table) = self.begin().await?;
            let changed = self.execute(&session, &sql(&table)).await?;
            self.execute(&session, "COMMIT").await?;
            if changed > 0 {
                return Ok(true);
            }
            if self.oid.is_none() {
                break;
            }
        }
        Ok(false)
    }

    fn is_this(&self) -> String {
        format!("key = {KEY} AND owner = {}", ident::literal(&self.owner))
    }

    /// A transaction, and the table's name in it.
    async fn begin(&self) -> Result<(Session, String)> {
        let session = self.server.open(Purpose::Probe).await?;
        self.execute(&session, "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE").await?;
        self.execute(&session, "SET LOCAL search_path = ''").await?;
        self.execute(&session, "SET LOCAL lock_timeout = '10s'").await?;
        if let Some(role) = &self.role {
            self.execute(&session, &format!("SET LOCAL ROLE {}", ident::quote(role))).await?;
        }
        let Some(oid) = self.oid else { return Ok((session, self.table.clone())) };
        let sql = format!(
            "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {oid}"
        );
        let rows = session.query(&self.doing(), &sql).await?;
        let Some(row) = rows.first() else {
            return Err(Error::new(Kind::Consistency, self.doing(), "the table was dropped"));
        };
        let table = row.get(0)?;
        Ok((session, table))
    }

    async fn execute(&self, session: &Session, sql: &str) -> Result<u64> {
        session.execute(&self.doing(), sql).await.map_err(|error| match error.sqlstate() {
            Some(sqlstate::READ_ONLY_SQL_TRANSACTION) => error
                .as_kind(Kind::Requirement)
                .hint("name the primary server, or leave --hold-migrations out"),
            Some(sqlstate::INSUFFICIENT_PRIVILEGE) => {
                error.as_kind(Kind::Requirement).hint(format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON {}, or connect as Kong's role",
                    self.table
                ))
            }
            _ => error,
        })
    }

    fn doing(&self) -> String {
        format!("hold Kong's lock for migrations in {}", self.table)
    }

    async fn held_by_another(&self, session: &Session, table: &str) -> Result<Error> {
        let sql = format!(
            "SELECT coalesce(owner, '?'), coalesce(pg_catalog.to_char(ttl AT TIME ZONE 'UTC', \
             'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'for ever') FROM {table} WHERE key = {KEY}"
        );
        let rows = session.query(&self.doing(), &sql).await?;
        let cause = match rows.first() {
            Some(row) => {
                let (owner, until): (String, String) = (row.get(0)?, row.get(1)?);
                format!("{owner} holds it until {until}: migrations may be running")
            }
            None => "somebody else has held it until now".to_owned(),
        };
        Ok(Error::new(Kind::Consistency, self.doing(), cause).hint(
            "wait until kong migrations, or the other dump or swap, has ended, and run it again",
        ))
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
