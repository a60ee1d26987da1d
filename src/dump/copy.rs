//! The sessions that copy: each takes the next job, fills chunks from COPY data and hands them to
//! the pool.
//!
//! Moves bytes and nothing else: rows are split, counted and checked on the pool.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

use super::plan::{Job, Piece, Plan};
use super::words::unexpected;
use super::writer::ChunkSender;
use crate::archive::manifest::RowEncoding;
use crate::archive::{Codec, ROW_BYTES_MAX, encode_chunk};
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::copy::{CopyOut, CopyOuts, Filled};
use crate::pg::session::Session;
use crate::pg::snapshot::{self, Keeper};
use crate::pgcopy::strip_binary_header;
use crate::pool::{self, Budget, Buffers, Permit};
use crate::progress::{Level, Progress};
use crate::sqlstate;

/// Raw bytes of a chunk of several rows: a restore by two sessions holds seven chunks at a time.
pub(super) const CHUNK_BYTES: usize = 3 << 20;
/// A chunk holds its raw rows and its compressed blocks at one moment; the columns between them are
/// in memory that a thread keeps.
const MEMORY_PER_RAW_BYTE: u64 = 2;
/// How often the keeper's connection is looked at.
const KEEPER_LOOK: Duration = Duration::from_millis(200);

/// What every session of one dump shares.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) server: Server,
    pub(super) begin: snapshot::Begin,
    /// Whether a pooler stands between, which may have fewer sessions to give than are wanted.
    pub(super) is_proxied: bool,
    /// What the rows' texts are sent in, where that is not UTF8: as they are stored.
    pub(super) encoding: Option<String>,
    pub(super) snapshot_id: String,
    pub(super) uuid: Uuid,
    pub(super) codec: Codec,
    pub(super) budget: Budget,
    pub(super) buffers: Buffers,
    pub(super) stall_timeout: Duration,
    pub(super) progress: Arc<dyn Progress>,
}

/// Jobs not yet taken.
type Queue = Mutex<std::vec::IntoIter<Job>>;

/// Copies every job of the plan with `sessions` sessions. Ends at the first failure, and closes
/// them all.
pub(super) async fn run(
    context: &Context,
    keeper: Keeper,
    plan: Plan,
    sessions: usize,
    sender: ChunkSender,
) -> Result<()> {
    let sessions = sessions.min(plan.jobs.len());
    let queue = Arc::new(Mutex::new(plan.jobs.into_iter()));
    // Pieces whose table only the keeper can still read; it ends when the last worker has dropped
    // its end.
    let (refused, for_keeper) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(keep(
        context.clone(),
        keeper.session,
        for_keeper,
        Arc::clone(&queue),
        sender.clone(),
    ));
    for _ in 0..sessions {
        tasks.spawn(work(context.clone(), Arc::clone(&queue), refused.clone(), sender.clone()));
    }
    drop((refused, sender));
    while let Some(ended) = tasks.join_next().await {
        // Dropping the set on an error aborts the others, which closes their connections.
        ended.map_err(|panic| unexpected("copy", panic.to_string()))??;
    }
    Ok(())
}

async fn work(
    context: Context,
    queue: Arc<Queue>,
    refused: mpsc::UnboundedSender<Piece>,
    sender: ChunkSender,
) -> Result<()> {
    let session = match snapshot::join(&context.server, &context.snapshot_id, &context.begin).await
    {
        Ok(session) => session,
        // A pooler may have no more sessions to give. What others do not copy, the keeper does.
        Err(error)
            if context.is_proxied && matches!(error.kind(), Kind::Connect | Kind::Server) =>
        {
            context
                .progress
                .message(Level::Info, &format!("the pooler grants one session fewer: {error}"));
            return Ok(());
        }
        // By these, depending on their version, servers say that there is no such snapshot.
        Err(error)
            if context.is_proxied
                && matches!(
                    error.sqlstate(),
                    Some(sqlstate::INVALID_PARAMETER_VALUE | sqlstate::UNDEFINED_OBJECT)
                ) =>
        {
            let hint = "connect to one server itself: what stands between spreads sessions over \
                several, which share no snapshot";
            return Err(error.as_kind(Kind::Requirement).hint(hint));
        }
        Err(error) => return Err(error),
    };
    let mut locked: HashSet<String> = HashSet::new();
    while let Some(Job { mut pieces }) = next(&queue) {
        if !lock_nowait(&session, &pieces, &mut locked).await? {
            let mut mine = Vec::new();
            for piece in pieces {
                if lock_nowait(&session, std::slice::from_ref(&piece), &mut locked).await? {
                    mine.push(piece);
                } else {
                    context.progress.message(
                        Level::Info,
                        &format!(
                            "{}: another session waits for an ACCESS EXCLUSIVE lock; copied by the session \
                             that holds the lock",
                            piece.name
                        ),
                    );
                    // The keeper outlives the workers; if it does not, the run has failed already.
                    let _ = refused.send(piece);
                }
            }
            pieces = mine;
        }
        copy_pieces(&context, &session, pieces, &sender).await?;
    }
    // The keeper need not wait for this one's end.
    drop(refused);
    session.batch("end the transaction", "COMMIT").await
}

fn next(queue: &Queue) -> Option<Job> {
    queue.lock().expect("no holder panics").next()
}

/// Holds snapshot and locks to the end, copies what the others may not lock, and notices at once
/// when its connection is lost.
async fn keep(
    context: Context,
    session: Session,
    mut pieces: mpsc::UnboundedReceiver<Piece>,
    queue: Arc<Queue>,
    sender: ChunkSender,
) -> Result<()> {
    let doing = "hold the snapshot";
    loop {
        tokio::select! {
            piece = pieces.recv() => match piece {
                Some(piece) => copy_pieces(&context, &session, vec![piece], &sender).await?,
                None => break,
            },
            () = sleep(KEEPER_LOOK) => {
                if session.is_closed() {
                    return Err(Error::new(Kind::Server, doing, "the session that holds the \
                        snapshot was ended by the server").hint("dump again"));
                }
            }
        }
    }
    while let Some(job) = next(&queue) {
        copy_pieces(&context, &session, job.pieces, &sender).await?;
    }
    session.batch(doing, "COMMIT").await
}

/// Locks the tables of a job for a session that copies, without waiting; `false` when somebody
/// waits for a stronger lock on one of them.
async fn lock_nowait(
    session: &Session,
    pieces: &[Piece],
    locked: &mut HashSet<String>,
) -> Result<bool> {
    let wanted: Vec<&str> = pieces
        .iter()
        .filter(|piece| piece.locks)
        .map(|piece| piece.name.as_str())
        .filter(|name| !locked.contains(*name))
        .collect();
    if wanted.is_empty() {
        return Ok(true);
    }
    let doing = format!("lock {}", wanted.join(", "));
    let lock = format!("LOCK TABLE ONLY {} IN ACCESS SHARE MODE NOWAIT", wanted.join(", ONLY "));
    // Polled together they travel together: one round trip.
    let (begun, taken, _) = tokio::join!(
        session.execute(&doing, "SAVEPOINT lock_nowait"),
        session.execute(&doing, &lock),
        session.execute(&doing, "RELEASE SAVEPOINT lock_nowait"),
    );
    begun?;
    match taken {
        Ok(_) => {
            locked.extend(wanted.into_iter().map(str::to_owned));
            Ok(true)
        }
        Err(error) if error.sqlstate() == Some(sqlstate::LOCK_NOT_AVAILABLE) => {
            session.execute(&doing, "ROLLBACK TO SAVEPOINT lock_nowait").await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

async fn copy_pieces(
    context: &Context,
    session: &Session,
    pieces: Vec<Piece>,
    sender: &ChunkSender,
) -> Result<()> {
    let statements = pieces
        .iter()
        .map(|piece| (format!("copy out {}, {}", piece.name, piece.range), piece.sql.clone()));
    let mut copies =
        CopyOuts::begin(session, statements, context.encoding.as_deref(), context.stall_timeout)
            .await?;
    for piece in &pieces {
        let Some(copy) = copies.next().await? else { break };
        copy_piece(context, piece, copy, sender).await?;
        sender.piece_read(piece.table);
    }
    copies.end().await
}

async fn copy_piece(
    context: &Context,
    piece: &Piece,
    mut copy: CopyOut<'_>,
    sender: &ChunkSender,
) -> Result<()> {
    let mut header_due = piece.encoding == RowEncoding::Binary;
    let tell = |bytes| context.progress.received(piece.table.0 as usize, bytes);
    loop {
        if sender.is_stopped() {
            return Err(unexpected(&copy.doing, "the archive can no longer be written"));
        }
        let mut permit = context.budget.acquire(CHUNK_BYTES as u64 * MEMORY_PER_RAW_BYTE).await;
        let buffer = context.buffers.take(CHUNK_BYTES);
        if buffer.capacity() < CHUNK_BYTES {
            return Err(no_memory(&copy.doing, CHUNK_BYTES));
        }
        let mut filled = copy.fill_telling(buffer, CHUNK_BYTES, tell).await?;
        if let Filled::Large(bytes) = filled {
            if bytes as u64 > ROW_BYTES_MAX {
                return Err(too_large(&copy.doing, bytes));
            }
            // The small permit goes back first: two of these would wait for each other.
            drop(permit);
            permit = context.budget.acquire(bytes as u64 * MEMORY_PER_RAW_BYTE).await;
            let mut buffer = Vec::new();
            buffer.try_reserve_exact(bytes).map_err(|_| no_memory(&copy.doing, bytes))?;
            filled = copy.fill_telling(buffer, bytes, tell).await?;
        }
        let (raw, last) = match filled {
            Filled::Full(raw) => (raw, false),
            Filled::Last(raw) => (raw, true),
            Filled::Large(_) => return Err(unexpected(&copy.doing, "a row has grown")),
        };
        let mut raw = Bytes::from(raw);
        if std::mem::take(&mut header_due) {
            raw = strip_binary_header(raw)?;
        }
        encode(context, piece, &copy.doing, raw, last, permit, sender);
        if last {
            return Ok(());
        }
    }
}

/// Starts the chunk's way through the pool to the writer, and does not wait for it.
fn encode(
    context: &Context,
    piece: &Piece,
    doing: &str,
    raw: Bytes,
    last: bool,
    permit: Permit,
    sender: &ChunkSender,
) {
    let (uuid, codec, buffers, sender) =
        (context.uuid, context.codec, context.buffers.clone(), sender.clone());
    sender.begin(piece.table);
    let (table, encoding, columns, doing) =
        (piece.table, piece.encoding, piece.columns, doing.to_owned());
    pool::spawn(move || {
        let trailer_due = last && encoding == RowEncoding::Binary;
        let encoded = pool::caught(&doing, || {
            encode_chunk(uuid, table, encoding, columns, &raw, codec, buffers.take(raw.len()))
        });
        buffers.give_back_shared(raw);
        match encoded {
            Ok((_, trailer)) if trailer != trailer_due => {
                let cause = if trailer_due {
                    "the rows ended without COPY's trailer"
                } else {
                    "COPY's trailer came before the end"
                };
                sender.failed(Error::new(Kind::Server, doing, cause));
            }
            Ok((chunk, _)) if chunk.rows() > 0 => sender.chunk(chunk, permit),
            Ok((chunk, _)) => {
                buffers.give_back(chunk.into_body());
                sender.empty(table);
            }
            Err(error) => sender.failed(error.within(doing)),
        }
    });
}

fn too_large(doing: &str, bytes: usize) -> Error {
    let cause = format!("a row has {bytes} bytes, the limit is {ROW_BYTES_MAX}");
    Error::new(Kind::Requirement, doing, cause)
        .hint("--exclude-table-data leaves out the rows of its table")
}

fn no_memory(doing: &str, bytes: usize) -> Error {
    let cause = format!("there is no memory for {bytes} bytes of rows");
    Error::new(Kind::Requirement, doing, cause)
        .hint("give the program more memory, or leave the table's rows out (--exclude-table-data)")
}
