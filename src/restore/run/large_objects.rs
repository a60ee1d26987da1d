//! Large objects' bytes: rows of COPY BINARY taken apart here and written by function calls, because `pg_largeobject` takes no COPY.

use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio_postgres::types::Type;

use super::load::{Loader, run_all};
use crate::error::{Error, Kind, Result};
use crate::pg::driver_error::explain;
use crate::pg::session::Session;
use crate::pgcopy::Joined;
use crate::restore::plan::load_sql::{Load, WRITE};

/// Rows on their way before the first is answered.
const PIPELINE: usize = 8;
/// What a row holds.
const FIELDS: u16 = 3;

/// One row.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    oid: u32,
    position: i64,
    data: Bytes,
}

impl Loader {
    /// Writes the bytes in one transaction, and tells the rows.
    pub(in crate::restore) async fn run_large_objects(&self, session: &Session, load: Load<'_>, doing: &str) -> Result<u64> {
        let mut chunks = self.read_ahead(load.chunks.to_vec());
        let (before, _, after) = load.statements();
        run_all(session, &before, doing).await?;
        let prepared = session.client().prepare_typed(WRITE, &[Type::OID, Type::INT8, Type::BYTEA]).await;
        let statement = prepared.map_err(|source| explain(doing, source))?;
        let mut written = 0;
        while let Some((chunk, decoding, permit)) = chunks.next().await {
            let doing = format!("{doing}, chunk {chunk}");
            let joined = decoding.await.map_err(|source| Error::new(Kind::Unexpected, &doing, source.to_string()))?;
            let joined = joined.map_err(|error| error.within(&doing))?;
            let (rows, raw_bytes) = (joined.rows, joined.raw_bytes);
            let buffer = if let [whole] = &joined.pieces[..] { whole.clone() } else { Bytes::new() };
            let pieces = pieces(joined, &doing)?;
            let mut answers = FuturesOrdered::new();
            for piece in &pieces {
                let (client, statement) = (session.client(), &statement);
                answers.push_back(async move {
                    client
                        .execute(statement, &[&piece.oid, &piece.position, &piece.data.as_ref()])
                        .await
                        .map_err(|source| (piece.oid, source))
                });
                if answers.len() >= PIPELINE {
                    told(answers.next().await, &doing)?;
                }
            }
            while !answers.is_empty() {
                told(answers.next().await, &doing)?;
            }
            drop(answers);
            drop(pieces);
            self.buffers.give_back_shared(buffer);
            drop(permit);
            self.progress.advance(load.id.0 as usize, rows, raw_bytes);
            written += rows;
        }
        run_all(session, &after, doing).await?;
        Ok(written)
    }
}

fn told(answer: Option<std::result::Result<u64, (u32, tokio_postgres::Error)>>, doing: &str) -> Result<()> {
    match answer {
        Some(Err((oid, source))) => Err(explain(&format!("{doing}, large object {oid}"), source)),
        _ => Ok(()),
    }
}

/// Takes a chunk's rows apart.
fn pieces(joined: Joined, doing: &str) -> Result<Vec<Piece>> {
    let mut bytes = match <[Bytes; 1]>::try_from(joined.pieces) {
        Ok([whole]) => whole,
        Err(several) => {
            let mut whole = BytesMut::with_capacity(several.iter().map(Bytes::len).sum());
            for part in &several {
                whole.extend_from_slice(part);
            }
            whole.freeze()
        }
    };
    let mut pieces = Vec::new();
    while bytes.has_remaining() {
        let piece = piece(&mut bytes);
        pieces.push(piece.ok_or_else(|| Error::new(Kind::Archive, doing, "a row is not of a large object's shape"))?);
    }
    Ok(pieces)
}

fn piece(bytes: &mut Bytes) -> Option<Piece> {
    if bytes.remaining() < 2 || bytes.get_u16() != FIELDS {
        return None;
    }
    let oid = field(bytes)?;
    let position = field(bytes)?;
    let data = field(bytes)?;
    Some(Piece {
        oid: u32::from_be_bytes(oid.as_ref().try_into().ok()?),
        position: i64::from_be_bytes(position.as_ref().try_into().ok()?),
        data,
    })
}

fn field(bytes: &mut Bytes) -> Option<Bytes> {
    if bytes.remaining() < 4 {
        return None;
    }
    let length = usize::try_from(bytes.get_i32()).ok()?;
    (bytes.remaining() >= length).then(|| bytes.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &[u8] = b"\0\x03\0\0\0\x04\0\0\0\x07\0\0\0\x08\0\0\0\0\0\0\0\x09\0\0\0\x02hi";

    #[test]
    fn a_row_is_taken_apart() {
        let mut bytes = Bytes::from([ROW, ROW].concat());
        let expected = || Some(Piece { oid: 7, position: 9, data: Bytes::from_static(b"hi") });
        assert_eq!(piece(&mut bytes), expected());
        assert_eq!(piece(&mut bytes), expected());
        assert!(bytes.is_empty());
    }

    #[test]
    fn a_cut_row_is_refused() {
        for length in 0..ROW.len() {
            assert_eq!(piece(&mut Bytes::copy_from_slice(&ROW[..length])), None, "{length} bytes");
        }
    }
}
