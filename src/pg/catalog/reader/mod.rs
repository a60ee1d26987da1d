//! Runs the catalogs' queries and knows which objects belong to an extension.

pub(super) mod features;
pub(super) mod known;
pub(super) mod unknown;

use std::collections::HashMap;
use std::sync::Mutex;

use tokio_postgres::types::FromSql;

use self::features::Features;
use super::draft::address::{Address, FIRST_NORMAL_OID};
use crate::error::{Error, Kind, Result};
use crate::pg::row::Row;
use crate::pg::session::Session;
use crate::sqlstate;

/// The SQL condition that a schema `n` is a user's: the server keeps the prefix `pg_` to itself.
pub(in crate::pg) const USER_SCHEMA: &str =
    "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// How many times all others are given their turn before an error is told that has a cause elsewhere.
const TURNS: usize = 100;

/// All that the files of this folder need to read their kind.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    session: &'a Session,
    /// What the server's catalogs have.
    pub(super) features: Features,
    /// Every member of an extension, with the extension's oid.
    members: HashMap<Address, u32>,
    /// Every extension's name.
    extensions: HashMap<u32, String>,
    /// The first failure; what comes after it in the transaction fails for its sake, and may be
    /// answered to whoever is asked first.
    cause: Mutex<Option<Error>>,
}

impl<'a> Reader<'a> {
    pub(super) async fn new(session: &'a Session) -> Result<Self> {
        let mut reader = Self {
            session,
            features: Features::default(),
            members: HashMap::new(),
            extensions: HashMap::new(),
            cause: Mutex::default(),
        };
        let sql = "SELECT d.classid, d.objid, d.refobjid, e.extname::text FROM \
            pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid \
             WHERE d.deptype = 'e' AND d.refclassid = \
             'pg_catalog.pg_extension'::pg_catalog.regclass";
        let (features, rows) =
            tokio::join!(Features::read(session), reader.rows("extension members", sql));
        reader.features = features?;
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return Err(reader.cause().unwrap_or(error)),
        };
        reader.members = rows
            .iter()
            .map(|row| Ok((Address::new(row.get(0)?, row.get(1)?), row.get(2)?)))
            .collect::<Result<_>>()?;
        reader.extensions =
            rows.iter().map(|row| Ok((row.get(2)?, row.get(3)?))).collect::<Result<_>>()?;
        Ok(reader)
    }

    /// Runs one kind's query. What vanished under the reader's eyes is a [`Kind::Consistency`] that
    /// a caller may answer by reading again: functions such as `pg_get_indexdef` look at what is
    /// committed now, not at the snapshot.
    pub(super) async fn rows(&self, kind: &str, sql: &str) -> Result<Vec<Row>> {
        let doing = format!("read the catalog of {kind}");
        let error = match self.session.query(&doing, sql).await {
            Ok(rows) => return Ok(rows),
            // An earlier statement has failed, and said why.
            Err(error) if error.sqlstate() == Some(sqlstate::IN_FAILED_SQL_TRANSACTION) => {
                self.let_cause_be_told().await;
                return Err(error);
            }
            Err(error) => error,
        };
        let error = if error.sqlstate().is_some_and(sqlstate::is_of_what_vanished) {
            error.as_kind(Kind::Consistency)
        } else {
            error
        };
        *self.cause.lock().expect("no holder panics") = Some(error);
        Err(Error::new(Kind::Unexpected, doing, "it failed"))
    }

    /// Lets whoever waits for the statement that failed first take its answer, which has come: the
    /// one that fails for its sake may be looked at before, and would end the reading.
    async fn let_cause_be_told(&self) {
        for _ in 0..TURNS {
            if self.cause.lock().expect("no holder panics").is_some() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// What the reading failed of, if the server said so.
    pub(super) fn cause(self) -> Option<Error> {
        self.cause.into_inner().expect("no holder panics")
    }

    /// `server_version_num`, for what the catalogs do not tell.
    pub(super) fn version(&self) -> u32 {
        self.session.version()
    }

    /// The extension that made the object.
    pub(super) fn extension_of(&self, address: Address) -> Option<u32> {
        self.members.get(&address).copied()
    }

    /// The name of the extension that made the object.
    pub(super) fn extension_named(&self, address: Address) -> Option<&str> {
        self.extension_name(self.extension_of(address)?)
    }

    /// The name of an extension that makes anything.
    pub(super) fn extension_name(&self, extension: u32) -> Option<&str> {
        self.extensions.get(&extension).map(String::as_str)
    }

    /// Whether an extension makes the object, so that nothing else must.
    pub(super) fn is_member(&self, class: u32, object: u32) -> bool {
        self.members.contains_key(&Address::new(class, object))
    }

    /// The rows whose objects no extension makes; the column `oid` says which objects they are of.
    pub(super) fn own<'r>(&self, rows: &'r [Row], class: u32) -> Result<Vec<&'r Row>> {
        let mut own = Vec::new();
        for row in rows {
            if !self.is_member(class, row.get("oid")?) {
                own.push(row);
            }
        }
        Ok(own)
    }

    /// Every member of an extension that a user created.
    pub(super) fn members(&self) -> impl Iterator<Item = (Address, u32)> + '_ {
        self.members
            .iter()
            .filter(|&(_, &extension)| extension >= FIRST_NORMAL_OID)
            .map(|(&address, &extension)| (address, extension))
    }
}

/// A column of a catalog's row that is only NULL when what it describes was dropped after the
/// snapshot.
pub(super) fn present<'a, T: FromSql<'a>>(row: &'a Row, column: &str, of: &str) -> Result<T> {
    row.get::<_, Option<T>>(column)?.ok_or_else(|| {
        Error::new(
            Kind::Consistency,
            format!("read the catalog of {of}"),
            format!("the server has no {column} any more"),
        )
        .hint("somebody changes the schema at this moment: try again")
    })
}

/// A letter of a catalog's row, stored as `"char"`, that the query casts to text; a space where it
/// is empty.
pub(super) fn letter(row: &Row, column: &str) -> Result<char> {
    Ok(row.get::<_, Option<&str>>(column)?.and_then(|text| text.chars().next()).unwrap_or(' '))
}
