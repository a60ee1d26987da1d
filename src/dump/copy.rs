//! The sessions that copy: each takes the next job, fills chunks from COPY data and hands them to
//! the pool.
//!
//! Moves bytes and nothing else: rows are split, counted and checked on the pool.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::crew::{CHUNK_BYTES, Context, Crew, MEMORY_PER_RAW_BYTE, Sessions};
use super::early::Opened;
use super::growth::Growth;
use super::plan::{Job, Piece, Plan};
use super::words::unexpected;
use super::writer::ChunkSender;
use crate::archive::manifest::RowEncoding;
use crate::archive::{ROW_BYTES_MAX, encode_chunk};
use crate::error::{Error, Kind, Result};
use crate::pg::copy::{CopyOut, CopyOuts, Filled};
use crate::pg::session::Session;
use crate::pg::snapshot::{self, Keeper};
use crate::pgcopy::strip_binary_header;
use crate::pool::{self, Permit};
use crate::progress::Level;
use crate::sqlstate;

/// How often it is looked whether another session would help.
const GROWTH_LOOK: Duration = Duration::from_secs(1);
/// What the end of a piece counts beside its bytes: small tables cost time, too.
const PIECE_WORTH_BYTES: u64 = 8192;
/// How often the keeper's connection is looked at.
const KEEPER_LOOK: Duration = Duration::from_millis(200);

/// Copies every job of the plan. Ends at the first failure, and closes all sessions.
pub(super) async fn run(
    context: Context,
    keeper: Keeper,
    plan: Plan,
    (sessions, opened): (Sessions, Opened),
    sender: ChunkSender,
) -> Result<()> {
    let first = sessions.first.min(plan.jobs.len());
    let crew = Arc::new(Crew::new(context, plan.jobs, first));
    // Pieces whose table only the keeper can still read; it ends when the last worker has dropped
    // its end.
    let (refused, for_keeper) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(keep(Arc::clone(&crew), keeper.session, for_keeper, sender.clone()));
    for _ in 0..first {
        let joined = join(Arc::clone(&crew), Some(opened.clone()));
        tasks.spawn(work(Arc::clone(&crew), joined, false, refused.clone(), sender.clone()));
    }
    drop(opened);
    let weak = refused.downgrade();
    drop(refused);
    let mut growth = Growth::new(first, sessions.max);
    let (mut looks, mut came_before) = (interval(GROWTH_LOOK), 0);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks.tick().await;
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                // Dropping the set on an error aborts the others, which closes their connections.
                Some(ended) => ended.map_err(|panic| unexpected("copy", panic.to_string()))??,
                None => return Ok(()),
            },
            _ = looks.tick(), if sessions.max > first => {
                let came = crew.all_that_came();
                let rate = (came - std::mem::replace(&mut came_before, came)) as f64;
                if let Some(refused) = weak.upgrade()
                    && crew.grow(&mut growth, rate)
                {
                    let joined = join(Arc::clone(&crew), None);
                    tasks.spawn(work(Arc::clone(&crew), joined, true, refused, sender.clone()));
                }
            }
        }
    }
}

/// A session that sees what the keeper sees: one that is opened already, if there is one.
async fn join(crew: Arc<Crew>, opened: Option<Opened>) -> Result<Session> {
    if let Some(opened) = opened
        && let Some(session) = opened.take().await
    {
        return Ok(session);
    }
    let Context { server, snapshot_id, begin, .. } = &crew.context;
    snapshot::join(server, snapshot_id, begin).await
}

async fn work(
    crew: Arc<Crew>,
    joined: impl Future<Output = Result<Session>>,
    is_added: bool,
    refused: mpsc::UnboundedSender<Piece>,
    sender: ChunkSender,
) -> Result<()> {
    let context = &crew.context;
    let session = match joined.await {
        Ok(session) => session,
        // It was to help; there is none to be had, or the others notice what is wrong.
        Err(error) if is_added => {
            context.progress.message(Level::Detail, &format!("no further session: {error}"));
            crew.one_fewer();
            return Ok(());
        }
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
    while let Some(Job { mut pieces }) = crew.next() {
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
        copy_pieces(&crew, &session, pieces, &sender).await?;
    }
    // The keeper need not wait for this one's end.
    drop(refused);
    session.batch("end the transaction", "COMMIT").await
}

/// Holds snapshot and locks to the end, copies what the others may not lock, and notices at once
/// when its connection is lost.
async fn keep(
    crew: Arc<Crew>,
    session: Session,
    mut pieces: mpsc::UnboundedReceiver<Piece>,
    sender: ChunkSender,
) -> Result<()> {
    let doing = "hold the snapshot";
    loop {
        tokio::select! {
            piece = pieces.recv() => match piece {
                Some(piece) => copy_pieces(&crew, &session, vec![piece], &sender).await?,
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
    while let Some(job) = crew.next_of_all() {
        copy_pieces(&crew, &session, job.pieces, &sender).await?;
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
    crew: &Crew,
    session: &Session,
    pieces: Vec<Piece>,
    sender: &ChunkSender,
) -> Result<()> {
    let statements = pieces
        .iter()
        .map(|piece| (format!("copy out {}, {}", piece.name, piece.range), piece.sql.clone()));
    let Context { encoding, stall_timeout, .. } = &crew.context;
    let mut copies =
        CopyOuts::begin(session, statements, encoding.as_deref(), *stall_timeout).await?;
    for piece in &pieces {
        let Some(copy) = copies.next().await.map_err(denied)? else { break };
        copy_piece(crew, piece, copy, sender).await.map_err(denied)?;
        crew.came(PIECE_WORTH_BYTES);
        sender.piece_read(piece.table);
    }
    copies.end().await
}

/// What was looked at before is granted by then: there is more that keeps rows back.
fn denied(error: Error) -> Error {
    if error.sqlstate() != Some(sqlstate::INSUFFICIENT_PRIVILEGE) {
        return error;
    }
    error.hint(
        "row security: --enable-row-security dumps the rows that this role may see, a role with \
         BYPASSRLS all; large objects: GRANT SELECT ON LARGE OBJECT, or leave them out with -B",
    )
}

async fn copy_piece(
    crew: &Crew,
    piece: &Piece,
    mut copy: CopyOut<'_>,
    sender: &ChunkSender,
) -> Result<()> {
    let mut header_due = piece.encoding == RowEncoding::Binary;
    let context = &crew.context;
    let received = |bytes| {
        crew.came(bytes);
        context.progress.received(piece.table.0 as usize, bytes);
    };
    loop {
        if sender.is_stopped() {
            return Err(unexpected(&copy.doing, "the archive can no longer be written"));
        }
        let mut permit = context.budget.acquire(CHUNK_BYTES as u64 * MEMORY_PER_RAW_BYTE).await;
        let buffer = context.buffers.take(CHUNK_BYTES);
        if buffer.capacity() < CHUNK_BYTES {
            return Err(no_memory(&copy.doing, CHUNK_BYTES));
        }
        let mut filled = copy.fill_telling(buffer, CHUNK_BYTES, received).await?;
        if let Filled::Large(bytes) = filled {
            if bytes as u64 > ROW_BYTES_MAX {
                return Err(too_large(&copy.doing, bytes));
            }
            // The small permit goes back first: two of these would wait for each other.
            drop(permit);
            permit = context.budget.acquire(bytes as u64 * MEMORY_PER_RAW_BYTE).await;
            let mut buffer = Vec::new();
            buffer.try_reserve_exact(bytes).map_err(|_| no_memory(&copy.doing, bytes))?;
            filled = copy.fill_telling(buffer, bytes, received).await?;
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
