//! The one thread that owns the output file. Chunks come to it in whatever order they are ready.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::unexpected;
use crate::archive::manifest::Manifest;
use crate::archive::{ArchiveWriter, Codec, EncodedChunk, NewFile, Summary};
use crate::error::{Error, Kind, Result};
use crate::pool::Permit;
use crate::progress::Progress;

/// What the thread is told. When every sender is gone before `Finish` came, the run was given up and the file is removed.
enum Message {
    /// The permit dies when the chunk is on disk.
    Chunk(Box<EncodedChunk>, Permit),
    Failed(Error),
    Finish,
}

/// The thread, seen from the run that started it. Dropping it abandons the archive and waits until its file is gone.
pub(super) struct ChunkWriter {
    sender: Option<ChunkSender>,
    result: Option<oneshot::Receiver<Result<Summary>>>,
    thread: Option<JoinHandle<()>>,
}

/// Hands chunks over; held by the encoding jobs. Sending never waits: the permits bound what is under way.
#[derive(Clone)]
pub(super) struct ChunkSender {
    messages: mpsc::Sender<Message>,
    stopped: Arc<AtomicBool>,
}

impl ChunkSender {
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
    /// Starts the thread; the header and the manifest are its first work.
    pub(super) fn start(file: NewFile, uuid: Uuid, manifest: &Manifest, codec: Codec, progress: Arc<dyn Progress>) -> Result<Self> {
        let path = file.path().to_owned();
        let archive = ArchiveWriter::new(file, uuid, manifest, codec).map_err(|error| into(&path, error))?;
        let (messages, inbox) = mpsc::channel();
        let (answer, result) = oneshot::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stopped);
        let thread = std::thread::Builder::new()
            .name("archive writer".to_owned())
            .spawn(move || {
                let written = write(archive, &path, &inbox, progress.as_ref());
                flag.store(true, Ordering::Relaxed);
                // Nobody waits any more when the run was dropped.
                let _ = answer.send(written);
            })
            .map_err(|source| Error::file("start the writing thread", source))?;
        let sender = ChunkSender { messages, stopped };
        Ok(Self { sender: Some(sender), result: Some(result), thread: Some(thread) })
    }

    /// A handle for the encoding jobs.
    pub(super) fn sender(&self) -> ChunkSender {
        self.sender.clone().expect("the sender lives until the writer is finished")
    }

    /// Completes the archive when everything was copied, and abandons it otherwise. Its own failure comes first: it is the cause.
    pub(super) async fn finish(mut self, copied: Result<()>) -> Result<Summary> {
        let sender = self.sender.take().expect("finish takes the writer");
        if copied.is_ok() {
            let _ = sender.messages.send(Message::Finish);
        }
        drop(sender);
        let result = self.result.take().expect("finish takes the writer");
        let written = result.await.unwrap_or_else(|_| Err(unexpected("write the archive", "the writing thread ended early")));
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
fn into(path: &Path, error: Error) -> Error {
    if error.kind() == Kind::File { error.within(path.display()) } else { error }
}

fn write(mut archive: ArchiveWriter<NewFile>, path: &Path, inbox: &mpsc::Receiver<Message>, progress: &dyn Progress) -> Result<Summary> {
    // Chunks are still being encoded when the last row has been read; each of them holds a sender.
    let mut complete = false;
    loop {
        match inbox.recv() {
            Ok(Message::Chunk(chunk, permit)) => {
                let (table, rows, bytes) = (chunk.table(), chunk.rows(), chunk.raw_bytes());
                archive.write_chunk(*chunk).map_err(|error| into(path, error))?;
                drop(permit);
                progress.advance(table.0 as usize, rows, bytes);
            }
            Ok(Message::Failed(error)) => return Err(error),
            Ok(Message::Finish) => complete = true,
            Err(mpsc::RecvError) if complete => {
                progress.phase("finish the archive");
                let (file, summary) = archive.finish().map_err(|error| into(path, error))?;
                file.commit()?;
                return Ok(summary);
            }
            Err(mpsc::RecvError) => return Err(Error::new(Kind::Interrupted, "write the archive", ABANDONED)),
        }
    }
}
