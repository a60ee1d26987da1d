//! Large objects' bytes: rows of COPY BINARY taken apart here and written by function calls,
//! because `pg_largeobject` takes no COPY.

use bytes::Bytes;

use super::load::{Loader, run_all};
use crate::error::{Error, Kind, Result};
use crate::pg::copy::{LargeObjectPart, LargeObjects};
use crate::pg::session::Session;
use crate::pgcopy::fields;
use crate::restore::plan::load_sql::Load;

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
            let (whole, rows, raw_bytes) = (joined.whole(), joined.rows, joined.raw_bytes);
            drop(joined);
            let parts = parts(&whole, &doing)?;
            writer.write(&doing, &parts).await?;
            drop(parts);
            self.buffers.give_back_shared(whole);
            drop(permit);
            self.progress.advance(load.id.0 as usize, rows, raw_bytes);
            written += rows;
        }
        run_all(session, &after, doing).await?;
        Ok(written)
    }
}

/// Takes a chunk's rows apart.
fn parts(rows: &Bytes, doing: &str) -> Result<Vec<LargeObjectPart>> {
    let shape = || Error::new(Kind::Archive, doing, "a row is not of a large object's shape");
    fields(rows).map(|row| part(rows, &row.map_err(|_| shape())?).ok_or_else(shape)).collect()
}

/// A row has three fields.
fn part(rows: &Bytes, row: &[Option<&[u8]>]) -> Option<LargeObjectPart> {
    let [Some(oid), Some(position), Some(data)] = *row else { return None };
    Some(LargeObjectPart {
        oid: u32::from_be_bytes(oid.try_into().ok()?),
        position: i64::from_be_bytes(position.try_into().ok()?),
        data: rows.slice_ref(data),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &[u8] = b"\0\x03\0\0\0\x04\0\0\0\x07\0\0\0\x08\0\0\0\0\0\0\0\x09\0\0\0\x02hi";

    #[test]
    fn rows_are_taken_apart() {
        let one = || LargeObjectPart { oid: 7, position: 9, data: Bytes::from_static(b"hi") };
        let found = parts(&Bytes::from([ROW, ROW].concat()), "test").expect("two rows");
        assert_eq!(found, [one(), one()]);
    }

    #[test]
    fn rows_of_another_shape_are_refused() {
        let cut = (1..ROW.len()).map(|length| ROW[..length].to_vec());
        let null = b"\0\x03\0\0\0\x04\0\0\0\x07\0\0\0\x08\0\0\0\0\0\0\0\x09\xff\xff\xff\xff";
        let two = b"\0\x02\0\0\0\x04\0\0\0\x07\0\0\0\x08\0\0\0\0\0\0\0\x09";
        for row in cut.chain([null.to_vec(), two.to_vec()]) {
            assert!(parts(&Bytes::from(row.clone()), "test").is_err(), "{row:?}");
        }
    }
}
