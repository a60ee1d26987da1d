//! Rows read for a comparison, from the target or from the archive, chunk after chunk; what is
//! made of a chunk is made on the pool.

use bytes::Bytes;

use super::load::Loader;
use crate::archive::ROW_BYTES_MAX;
use crate::archive::manifest::TableId;
use crate::error::{Error, Kind, Result};
use crate::pg::copy::{CopyOut, CopyOuts, Filled};
use crate::pg::session::Session;
use crate::pgcopy::{Digest, LARGE_ROW_BYTES, RowEncoding, each_row, strip_binary_header};
use crate::pool;
use crate::restore::plan::comparison::Comparison;

/// What is made of each row: it gets the row as it came, and its digest.
pub(super) trait OfRows: Clone + Default + Send + Sync + 'static {
    /// Adds a row.
    fn row(&mut self, row: &[u8], digest: Digest);
}

/// Reads the rows of one comparison from the target; `begin` is what a chunk's rows are added to,
/// and `add` gets what that became.
pub(super) async fn of_target<T: OfRows>(
    loader: &Loader,
    session: &Session,
    comparison: &Comparison,
    begin: &T,
    add: impl FnMut(T),
) -> Result<()> {
    let statement = (doing(comparison), comparison.copy.clone());
    let encoding = loader.encoding.as_deref();
    let mut copies = CopyOuts::begin(session, [statement], encoding, loader.stall_timeout).await?;
    if let Some(copy) = copies.next().await? {
        of_copy(loader, copy, comparison, begin, add).await?;
    }
    copies.end().await
}

/// The words that an error in it begins with.
pub(super) fn doing(comparison: &Comparison) -> String {
    format!("read back {}", comparison.name)
}

/// Reads the rows of a COPY that has begun.
pub(super) async fn of_copy<T: OfRows>(
    loader: &Loader,
    mut copy: CopyOut<'_>,
    comparison: &Comparison,
    begin: &T,
    mut add: impl FnMut(T),
) -> Result<()> {
    let (encoding, columns) = (comparison.encoding, comparison.columns.len());
    let mut header_due = encoding == RowEncoding::Binary;
    loop {
        let mut permit = loader.budget.acquire(LARGE_ROW_BYTES as u64).await;
        let buffer = loader.buffers.take(LARGE_ROW_BYTES);
        let mut filled = copy.fill(buffer, LARGE_ROW_BYTES).await?;
        if let Filled::Large(bytes) = filled {
            let too_large = || {
                let cause = format!("there is no memory for a row of {bytes} bytes");
                Error::new(Kind::Requirement, &copy.doing, cause)
            };
            // The small permit goes back first: two of these would wait for each other.
            drop(permit);
            permit = loader.budget.acquire(bytes as u64).await;
            let mut buffer = Vec::new();
            if bytes as u64 > ROW_BYTES_MAX || buffer.try_reserve_exact(bytes).is_err() {
                return Err(too_large());
            }
            filled = copy.fill(buffer, bytes).await?;
        }
        let (raw, last) = match filled {
            Filled::Full(raw) => (raw, false),
            Filled::Last(raw) => (raw, true),
            Filled::Large(_) => {
                return Err(Error::new(Kind::Unexpected, &copy.doing, "a row has grown"));
            }
        };
        let mut raw = Bytes::from(raw);
        if std::mem::take(&mut header_due) {
            raw = strip_binary_header(raw)?;
        }
        let (made, ended) = rows(raw, encoding, columns, begin.clone(), loader).await?;
        drop(permit);
        add(made);
        if ended != (last && encoding == RowEncoding::Binary) {
            let cause = "COPY's trailer did not stand at the end";
            return Err(Error::new(Kind::Server, &copy.doing, cause));
        }
        if last {
            return Ok(());
        }
    }
}

/// Reads the rows of some of the archive's tables.
pub(super) async fn of_archive<T: OfRows>(
    loader: &Loader,
    comparison: &Comparison,
    begin: &T,
    mut add: impl FnMut(T),
) -> Result<()> {
    let is_one = |table: TableId| comparison.tables.contains(&table);
    let chunks = loader.archive.index.chunks.iter().enumerate();
    let chunks = chunks.filter(|(_, entry)| is_one(entry.table)).map(|(chunk, _)| chunk);
    let mut chunks = loader.read_ahead(chunks.collect());
    while let Some((_, decoding, permit)) = chunks.next().await {
        let doing = format!("read the archive's rows of {}", comparison.name);
        let unexpected = |text: String| Error::new(Kind::Unexpected, &doing, text);
        let joined = decoding.await.map_err(|source| unexpected(source.to_string()))??;
        let raw = joined.whole();
        drop(joined);
        let columns = comparison.columns.len();
        let (made, _) = rows(raw, comparison.encoding, columns, begin.clone(), loader).await?;
        drop(permit);
        add(made);
    }
    Ok(())
}

/// Makes of some rows what is made of them, and tells whether the trailer stood at their end.
async fn rows<T: OfRows>(
    raw: Bytes,
    encoding: RowEncoding,
    columns: usize,
    mut made: T,
    loader: &Loader,
) -> Result<(T, bool)> {
    let buffers = loader.buffers.clone();
    pool::run(move || {
        let ended = each_row(encoding, columns, &raw, |row, digest| made.row(row, digest))?;
        buffers.give_back_shared(raw);
        Ok((made, ended))
    })
    .await
}
