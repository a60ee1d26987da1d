//! Large objects' bytes: rows of COPY BINARY taken apart here and written by function calls,
//! because `pg_largeobject` takes no COPY.

use bytes::{Buf, Bytes, BytesMut};

use super::load::{Loader, run_all};
use crate::error::{Error, Kind, Result};
use crate::pg::copy::{LargeObjectPart, LargeObjects};
use crate::pg::session::Session;
use crate::pgcopy::Joined;
use crate::restore::plan::load_sql::Load;

/// What a row holds.
const FIELDS: u16 = 3;

impl Loader {
    /// Writes the bytes in one transaction, and tells the rows.
    pub(in crate::restore) async fn run_large_objects(
        &self,
        session: &Session,
        load: Load<'_>,
        doing: &str,
    ) -> Result<u64> {
        let mut chunks = self.read_ahead(load.chunks.to_vec());
        let (before, _, after) = load.statements();
        run_all(session, &before, doing).await?;
        let writer = LargeObjects::new(session, doing).await?;
        let mut written = 0;
        while let Some((chunk, decoding, permit)) = chunks.next().await {
            let doing = format!("{doing}, chunk {chunk}");
            let joined = decoding
                .await
                .map_err(|source| Error::new(Kind::Unexpected, &doing, source.to_string()))?;
            let joined = joined.map_err(|error| error.within(&doing))?;
            let (rows, raw_bytes) = (joined.rows, joined.raw_bytes);
            let buffer =
                if let [whole] = &joined.pieces[..] { whole.clone() } else { Bytes::new() };
            let pieces = pieces(joined, &doing)?;
            writer.write(&doing, &pieces).await?;
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

/// Takes a chunk's rows apart.
fn pieces(joined: Joined, doing: &str) -> Result<Vec<LargeObjectPart>> {
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
        pieces.push(piece.ok_or_else(|| {
            Error::new(Kind::Archive, doing, "a row is not of a large object's shape")
        })?);
    }
    Ok(pieces)
}

fn piece(bytes: &mut Bytes) -> Option<LargeObjectPart> {
    if bytes.remaining() < 2 || bytes.get_u16() != FIELDS {
        return None;
    }
    let oid = field(bytes)?;
    let position = field(bytes)?;
    let data = field(bytes)?;
    Some(LargeObjectPart {
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
        let expected =
            || Some(LargeObjectPart { oid: 7, position: 9, data: Bytes::from_static(b"hi") });
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
