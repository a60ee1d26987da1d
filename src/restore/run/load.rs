//! One table's chunks into the server: read, checked and decoded ahead while the one before is
//! sent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::archive::IndexEntry;
use crate::archive::manifest::{RowEncoding, TableId};
use crate::error::{Error, Kind, Result};
use crate::pg::copy::{CopyIn, Prepared};
use crate::pg::session::Session;
use crate::pgcopy::{BINARY_HEADER, BINARY_TRAILER, Joined, LARGE_ROW_BYTES};
use crate::pool::{self, Budget, Buffers, Permit};
use crate::progress::Progress;
use crate::restore::plan::graph::LoadMode;
use crate::restore::plan::load_sql::Load;
use crate::sql::ident;
use crate::storage::FileArchive;

/// CopyData messages are no longer than this.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// The last messages of a chunk are copies, so that its buffer is free as soon as they are sent: the
/// driver holds so many at most until the next chunk is under way.
const COPIED_MAX: usize = 3;
/// Chunks that are read and decoded while one is being sent: decoding is many times faster than the
/// server.
const AHEAD: usize = 1;

/// What a load needs besides its session.
pub(in crate::restore) struct Loader {
    /// Where the chunks are.
    pub(in crate::restore) archive: Arc<FileArchive>,
    /// What bounds the bytes in flight, of all loads together.
    pub(in crate::restore) budget: Budget,
    /// What rows are decoded into.
    pub(in crate::restore) buffers: Buffers,
    /// Who listens.
    pub(in crate::restore) progress: Arc<dyn Progress>,
    /// How long the server may refuse to take more; zero is for ever.
    pub(in crate::restore) stall_timeout: Duration,
    /// What the rows' texts are in, where that is not UTF8.
    pub(in crate::restore) encoding: Option<String>,
    /// The schema that triggers look for names in, if they fire.
    pub(in crate::restore) search_path: Option<String>,
}

impl Loader {
    /// Loads, and tells the rows. When it fails, the session is of no more use.
    pub(in crate::restore) async fn run(&self, session: &Session, load: Load<'_>) -> Result<u64> {
        let doing = format!("load {}", ident::qualified(&load.table.schema, &load.table.name));
        if load.mode == LoadMode::LargeObjects {
            return self.run_large_objects(session, load, &doing).await;
        }
        // Reading ahead begins while the server is still busy with the statements before the COPY.
        let mut chunks = self.read_ahead(load.chunks.to_vec());
        let (copy, after) = begin(session, load, &doing).await?;
        if let Some(schema) = &self.search_path {
            let set = format!("SET LOCAL search_path = {}", ident::quote(schema));
            session.execute(&doing, &set).await?;
        }
        if let Some(encoding) = &self.encoding {
            session.set_client_encoding(encoding).await?;
        }
        let mut copy = CopyIn::begin(session, &doing, &copy, self.stall_timeout).await?;
        if load.table.encoding == RowEncoding::Binary {
            copy.send(&doing, Bytes::from_static(BINARY_HEADER)).await?;
        }
        let mut sent: Vec<(usize, u64)> = Vec::new();
        while let Some((chunk, decoding, permit)) = chunks.next().await {
            let doing = format!("{doing}, chunk {chunk}");
            let joined = decoding
                .await
                .map_err(|source| Error::new(Kind::Unexpected, &doing, source.to_string()))?;
            let joined = joined.map_err(|error| damaged(error).within(&doing))?;
            sent.push((chunk, joined.rows));
            self.send_chunk(&mut copy, &doing, load.id, joined).await?;
            drop(permit);
        }
        if load.table.encoding == RowEncoding::Binary {
            copy.send(&doing, Bytes::from_static(&BINARY_TRAILER)).await?;
        }
        let taken = copy.finish(&doing).await.map_err(|error| place(error, &doing, &sent))?;
        let rows = sent.iter().map(|(_, rows)| rows).sum();
        // Of an extension's own table the extension decides which rows it takes.
        if taken != rows && load.mode != LoadMode::Extension {
            return Err(Error::new(
                Kind::Unexpected,
                doing,
                format!("{rows} rows were sent, the server took {taken}"),
            ));
        }
        if self.encoding.is_some() {
            session.set_client_encoding("UTF8").await?;
        }
        run_all(session, &after, &doing).await?;
        Ok(rows)
    }

    async fn send_chunk(
        &self,
        copy: &mut CopyIn<'_>,
        doing: &str,
        table: TableId,
        joined: Joined,
    ) -> Result<()> {
        for piece in joined.pieces {
            let copied = piece.len().saturating_sub(COPIED_MAX * MESSAGE_BYTES_MAX);
            for at in (0..piece.len()).step_by(MESSAGE_BYTES_MAX) {
                let mut message = piece.slice(at..piece.len().min(at + MESSAGE_BYTES_MAX));
                if at >= copied {
                    message = Bytes::copy_from_slice(&message);
                }
                let bytes = message.len() as u64;
                copy.send(doing, message).await?;
                self.progress.advance(table.0 as usize, 0, bytes);
            }
            self.buffers.give_back_shared(piece);
        }
        self.progress.advance(table.0 as usize, joined.rows, 0);
        Ok(())
    }

    /// Reads and decodes one after the other, a little ahead. Memory is granted in the order of the
    /// chunks, so that what is granted can always be sent and given back.
    pub(in crate::restore) fn read_ahead(&self, chunks: Vec<usize>) -> Ahead {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (archive, budget, buffers) =
            (Arc::clone(&self.archive), self.budget.clone(), self.buffers.clone());
        let reader = tokio::spawn(async move {
            for chunk in chunks {
                // The load was given up: its end of the channel is gone.
                let Ok(place) = sender.reserve().await else { return };
                let entry = &archive.index.chunks[chunk];
                let permit = budget.acquire(memory_for(&archive, entry)).await;
                let (archive, buffers, raw_bytes) =
                    (Arc::clone(&archive), buffers.clone(), entry.raw_bytes as usize);
                // The chunk is read where it is decoded: the thread uses its memory again.
                let decoding = tokio::spawn(pool::run(move || {
                    archive.read_chunk(chunk)?.decode_into(buffers.take(raw_bytes))
                }));
                place.send((chunk, decoding, permit));
            }
        });
        Ahead { receiver, reader }
    }
}

/// Runs what comes before the COPY, prepares that, and says what to run after it. All is sent in
/// one go.
async fn begin(session: &Session, load: Load<'_>, doing: &str) -> Result<(Prepared, Vec<String>)> {
    let (before, copy, after) = load.statements();
    match begin_copy(session, &before, &copy, doing).await {
        Ok(copy) => Ok((copy, after)),
        // TRUNCATE is there for FREEZE alone: the table is new and empty. Somebody may have taken
        // the right away, or an extension's hook object.
        Err(error) if load.mode == LoadMode::Freeze && is_refused(&error) => {
            session.execute(doing, "ROLLBACK").await?;
            let (before, copy, after) = Load { mode: LoadMode::Shared, ..load }.statements();
            Ok((begin_copy(session, &before, &copy, doing).await?, after))
        }
        Err(error) => Err(error),
    }
}

/// Begins a load's COPY. Statements are in UTF-8: the names in them are read before the rows'
/// encoding is set.
async fn begin_copy(
    session: &Session,
    before: &[String],
    copy: &str,
    doing: &str,
) -> Result<Prepared> {
    let (begun, prepared) =
        tokio::join!(run_all(session, before, doing), Prepared::new(session, doing, copy));
    begun.and(prepared)
}

/// Runs the statements around a load in one go. The first error is the one that is told: what
/// follows it in an aborted transaction does nothing.
pub(in crate::restore) async fn run_all(
    session: &Session,
    statements: &[String],
    doing: &str,
) -> Result<()> {
    let mut answers: FuturesOrdered<_> =
        statements.iter().map(|sql| session.execute(doing, sql)).collect();
    while answers.next().await.transpose()?.is_some() {}
    Ok(())
}

/// Whether the server would not take a load, rather than could not just now: a lost connection, a
/// conflict with another transaction, a lack of memory or disk, a lock or a cancellation are the
/// latter.
fn is_refused(error: &Error) -> bool {
    error
        .sqlstate()
        .and_then(|state| state.get(..2))
        .is_some_and(|class| !["08", "25", "40", "53", "55", "57", "58"].contains(&class))
}

/// What a chunk takes until its rows are sent: as it is stored, and its rows. The columns between
/// them are in memory that a thread keeps, unless there is too much of them; those of one row are
/// sent as they are.
fn memory_for(archive: &FileArchive, entry: &IndexEntry) -> u64 {
    let columns = archive.columns_bytes(entry);
    let columns = if columns <= LARGE_ROW_BYTES as u64 || entry.rows == 1 { 0 } else { columns };
    entry.stored_bytes.saturating_add(entry.raw_bytes).saturating_add(columns)
}

pub(in crate::restore) type Decoding = JoinHandle<Result<Joined>>;

/// Chunks to come, in order. Dropping it ends the reading.
pub(in crate::restore) struct Ahead {
    receiver: mpsc::Receiver<(usize, Decoding, Permit)>,
    reader: JoinHandle<()>,
}

impl Ahead {
    pub(in crate::restore) async fn next(&mut self) -> Option<(usize, Decoding, Permit)> {
        self.receiver.recv().await
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Damage that shows only when a chunk is read.
fn damaged(error: Error) -> Error {
    if error.kind() == Kind::Archive {
        error.hint("`silverback verify` tells all that is damaged in the archive")
    } else {
        error
    }
}

/// Names the chunk that a refused row came from: the server counts lines.
fn place(error: Error, doing: &str, sent: &[(usize, u64)]) -> Error {
    let text = error.to_string();
    let digits =
        text.rsplit(", line ").next().filter(|rest| rest.len() < text.len()).unwrap_or_default();
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    let Ok(line) = digits.parse::<u64>() else { return error };
    let mut before = 0;
    for &(chunk, rows) in sent {
        if line <= before + rows {
            return error.within(format!("{doing}, chunk {chunk}, its row {}", line - before));
        }
        before += rows;
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_row_is_placed() {
        let error =
            Error::new(Kind::Unexpected, "load t", "invalid byte [COPY t, line 12, column a]");
        let placed = place(error, "load t", &[(4, 10), (9, 10)]);
        assert!(placed.to_string().starts_with("load t, chunk 9, its row 2: "), "{placed}");
        let error = Error::new(Kind::Unexpected, "load t", "broken");
        assert_eq!(place(error, "load t", &[(4, 10)]).to_string(), "load t: broken");
    }
}
