//! The one thread that owns the output. Chunks come to it in whatever order they are ready.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::words::unexpected;
use crate::archive::manifest::{Manifest, TableId};
use crate::archive::{ArchiveWriter, Codec, EncodedChunk, Summary};
use crate::error::{Error, Kind, Result};
use crate::pool::{Buffers, Permit};
use crate::progress::Progress;
use crate::storage::Sink;

/// What the thread is told. When every sender is gone before `Finish` came, the run was given up
/// and the output is abandoned.
enum Message {
    /// The permit dies when the chunk is on disk.
    Chunk(Box<EncodedChunk>, Permit),
    /// COPY data that held no row.
    Empty(TableId),
    /// All chunks of a range were announced.
    Read(TableId),
    Failed(Error),
    Finish,
}

/// What is open, by table: pieces still to be read and chunks still to be written. Raised before a
/// chunk is encoded, lowered by the thread.
type Open = Arc<Vec<AtomicU64>>;

/// The thread, seen from the run that started it. Dropping it abandons the archive and waits until
/// it is gone.
pub(super) struct ChunkWriter {
    sender: Option<ChunkSender>,
    result: Option<oneshot::Receiver<Result<Summary>>>,
    thread: Option<JoinHandle<()>>,
}

/// Hands chunks over; held by the encoding jobs. Sending never waits: the permits bound what is
/// under way.
#[derive(Clone)]
pub(super) struct ChunkSender {
    messages: mpsc::Sender<Message>,
    stopped: Arc<AtomicBool>,
    open: Open,
}

impl ChunkSender {
    /// Announces to the writer a chunk: [`chunk`](Self::chunk), [`empty`](Self::empty) or
    /// [`failed`](Self::failed) must follow.
    pub(super) fn begin(&self, table: TableId) {
        self.open[table.0 as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Sends what turned out to hold no row.
    pub(super) fn empty(&self, table: TableId) {
        let _ = self.messages.send(Message::Empty(table));
    }

    /// Notes that all chunks of a piece were begun.
    pub(super) fn piece_read(&self, table: TableId) {
        let _ = self.messages.send(Message::Read(table));
    }

    /// Sends a chunk, or drops it when the writer has already failed.
    pub(super) fn chunk(&self, chunk: EncodedChunk, permit: Permit) {
        let _ = self.messages.send(Message::Chunk(Box::new(chunk), permit));
    }

    /// Ends the archive: what was read is not what was promised.
    pub(super) fn failed(&self, error: Error) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = self.messages.send(Message::Failed(error));
    }

    /// Whether the writer has failed, so that more rows are of no use.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl ChunkWriter {
    /// Starts the thread; the header and the manifest are its first work. `pieces` counts what will
    /// be read, by table; chunks' memory goes back to `buffers`.
    pub(super) fn start(
        sink: Sink,
        uuid: Uuid,
        manifest: &Manifest,
        codec: Codec,
        pieces: &[u64],
        buffers: Buffers,
        progress: Arc<dyn Progress>,
    ) -> Result<Self> {
        let name = sink.name();
        let archive =
            ArchiveWriter::new(sink, uuid, manifest, codec).map_err(|error| into(&name, error))?;
        let (messages, inbox) = mpsc::channel();
        let (answer, result) = oneshot::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stopped);
        let open: Open = Arc::new(pieces.iter().map(|&count| AtomicU64::new(count)).collect());
        let counted = Arc::clone(&open);
        let thread = std::thread::Builder::new()
            .name("archive writer".to_owned())
            .spawn(move || {
                let written = Writing { archive, open: counted, buffers, progress }
                    .run(&inbox)
                    .map_err(|error| into(&name, error));
                flag.store(true, Ordering::Relaxed);
                // Nobody waits any more when the run was dropped.
                let _ = answer.send(written);
            })
            .map_err(|source| Error::file("start the writing thread", source))?;
        let sender = ChunkSender { messages, stopped, open };
        Ok(Self { sender: Some(sender), result: Some(result), thread: Some(thread) })
    }

    /// A handle for the encoding jobs.
    pub(super) fn sender(&self) -> ChunkSender {
        self.sender.clone().expect("the sender lives until the writer is finished")
    }

    /// Completes the archive when everything was copied, and abandons it otherwise. Its own failure
    /// comes first: it is the cause.
    pub(super) async fn finish(mut self, copied: Result<()>) -> Result<Summary> {
        let sender = self.sender.take().expect("finish takes the writer");
        if copied.is_ok() {
            let _ = sender.messages.send(Message::Finish);
        }
        drop(sender);
        let result = self.result.take().expect("finish takes the writer");
        let written = result.await.unwrap_or_else(|_| {
            Err(unexpected("write the archive", "the writing thread ended early"))
        });
        match (copied, written) {
            (Ok(()), written) => written,
            // `abandoned` only says that the copying failed.
            (Err(error), Err(cause)) if is_abandoned(&cause) => Err(error),
            (Err(_), Err(cause)) => Err(cause),
            (Err(error), Ok(_)) => Err(error),
        }
    }
}

impl Drop for ChunkWriter {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            // The encoding jobs still under way hold senders too; they end within a chunk's time.
            let _ = thread.join();
        }
    }
}

const ABANDONED: &str = "the dump was given up";

fn is_abandoned(error: &Error) -> bool {
    error.kind() == Kind::Interrupted
}

/// A writer of bytes does not know where they go.
fn into(name: &str, error: Error) -> Error {
    if error.kind() == Kind::File { error.within(name) } else { error }
}

/// What the thread holds.
struct Writing {
    archive: ArchiveWriter<Sink>,
    open: Open,
    buffers: Buffers,
    progress: Arc<dyn Progress>,
}

impl Writing {
    fn run(mut self, inbox: &mpsc::Receiver<Message>) -> Result<Summary> {
        // A table that has nothing to read is complete.
        let tables = (0..self.open.len() as u32).map(TableId);
        let empty: Vec<TableId> =
            tables.filter(|table| self.open_of(*table).load(Ordering::Relaxed) == 0).collect();
        empty.into_iter().try_for_each(|table| self.end_table(table))?;
        // Chunks are still being encoded when the last row has been read; each of them holds a
        // sender.
        let mut complete = false;
        loop {
            match inbox.recv() {
                Ok(Message::Chunk(chunk, permit)) => {
                    let (table, rows, bytes) = (chunk.table(), chunk.rows(), chunk.raw_bytes());
                    self.archive.write_chunk(&chunk)?;
                    self.buffers.give_back(chunk.into_body());
                    drop(permit);
                    self.progress.advance(table.0 as usize, rows, bytes);
                    self.close(table)?;
                }
                Ok(Message::Empty(table) | Message::Read(table)) => self.close(table)?,
                Ok(Message::Failed(error)) => return Err(error),
                Ok(Message::Finish) => complete = true,
                Err(mpsc::RecvError) if complete => break,
                Err(mpsc::RecvError) => {
                    return Err(Error::new(Kind::Interrupted, "write the archive", ABANDONED));
                }
            }
        }
        self.progress.phase("finish the archive");
        // It refuses while a table is open: a chunk that was begun and never arrived must not go
        // unnoticed.
        let (sink, summary) = self.archive.finish()?;
        sink.commit()?;
        Ok(summary)
    }

    fn open_of(&self, table: TableId) -> &AtomicU64 {
        &self.open[table.0 as usize]
    }

    fn close(&mut self, table: TableId) -> Result<()> {
        if self.open_of(table).fetch_sub(1, Ordering::Relaxed) == 1 {
            self.end_table(table)
        } else {
            Ok(())
        }
    }

    fn end_table(&mut self, table: TableId) -> Result<()> {
        self.archive.end_table(table)?;
        self.progress.table_done(table.0 as usize);
        Ok(())
    }
}
