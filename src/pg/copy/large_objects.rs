//! Bytes into large objects, written by function calls: `pg_largeobject` takes no COPY.

use bytes::Bytes;
use futures_util::stream::{FuturesOrdered, StreamExt};
use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use crate::error::Result;
use crate::pg::driver_error::explain;
use crate::pg::session::Session;

/// Rows on their way before the first is answered.
const PIPELINE: usize = 8;

/// Some bytes of a large object.
#[derive(Debug, PartialEq, Eq)]
pub struct LargeObjectPart {
    /// Which object.
    pub oid: u32,
    /// Their place in it.
    pub position: i64,
    /// The bytes.
    pub data: Bytes,
}

/// Writes into large objects that stand.
pub struct LargeObjects<'s> {
    session: &'s Session,
    write: Statement,
}

impl<'s> LargeObjects<'s> {
    /// What writes one row.
    pub const WRITE: &'static str = "SELECT pg_catalog.lo_put($1::oid, $2::int8, $3::bytea)";

    /// Prepares it.
    pub async fn new(session: &'s Session, doing: &str) -> Result<Self> {
        let prepared = session
            .client()
            .prepare_typed(Self::WRITE, &[Type::OID, Type::INT8, Type::BYTEA])
            .await;
        let write = prepared.map_err(|source| explain(doing, source))?;
        Ok(Self { session, write })
    }

    /// Writes each part, some of them at a time.
    pub async fn write(&self, doing: &str, parts: &[LargeObjectPart]) -> Result<()> {
        let mut answers = FuturesOrdered::new();
        for part in parts {
            answers.push_back(async move {
                let written = self
                    .session
                    .client()
                    .execute(&self.write, &[&part.oid, &part.position, &part.data.as_ref()])
                    .await;
                written.map(drop).map_err(|source| {
                    explain(&format!("{doing}, large object {}", part.oid), source)
                })
            });
            if answers.len() >= PIPELINE {
                answers.next().await.transpose()?;
            }
        }
        while answers.next().await.transpose()?.is_some() {}
        Ok(())
    }
}
