//! Statements in one transaction, and what notes in it that they are done.

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;

use crate::archive::manifest::ObjectId;
use crate::error::{Error, Result};
use crate::pg::session::Session;
use crate::restore::step::Step;
use crate::restore::target::marker;

/// Statements that are on their way before the first is answered.
pub(in crate::restore) const PIPELINE: usize = 64;

/// What went wrong, and with which object.
#[derive(Debug)]
pub(in crate::restore) struct Failed {
    /// What went wrong.
    pub(in crate::restore) error: Error,
    /// The object that was to be made or changed, where it was one.
    pub(in crate::restore) of: Option<ObjectId>,
    /// Whether it was to be made.
    pub(in crate::restore) makes: bool,
}

impl Failed {
    /// At a step.
    pub(in crate::restore) fn at(step: &Step, error: Error) -> Self {
        Self { error, of: step.of, makes: step.makes }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, of: None, makes: false }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// Runs statements in one transaction, with what notes them. All is sent in one go, so that it
/// takes one round trip, as a single statement on its own does; the first error is the one that is
/// told, and what follows it in an aborted transaction does nothing.
pub(in crate::restore) async fn at_once(
    session: &Session,
    steps: &[Step],
    note: Option<&Step>,
) -> Result<(), Failed> {
    match (steps, note) {
        ([], _) => Ok(()),
        ([step], None) => session
            .execute(&step.doing, &step.sql)
            .await
            .map(drop)
            .map_err(|error| Failed::at(step, error)),
        ([first, ..], _) => {
            // What a deferred constraint says at the end is about the last statement.
            let last = &steps[steps.len() - 1];
            let begin = Step {
                doing: "begin a transaction".to_owned(),
                sql: "BEGIN".to_owned(),
                ..first.clone()
            };
            let commit = Step { sql: "COMMIT".to_owned(), ..last.clone() };
            let all: Vec<&Step> =
                std::iter::once(&begin).chain(steps).chain(note).chain([&commit]).collect();
            // With the transaction goes what was made in it before.
            let is_made = |of| steps.iter().any(|step| step.makes && step.of == of);
            send(session, &all)
                .await
                .map_err(|failed| Failed { makes: is_made(failed.of), ..failed })
        }
    }
}

/// The same, on the server's disk when it returns, and all that was committed before with it. The
/// mark is set and taken away so: a crash of the server may undo what lies between, for the other
/// commits do not wait, but never the mark alone.
pub(in crate::restore) async fn durable_transaction(
    session: &Session,
    steps: &[Step],
) -> Result<()> {
    let doing = "wait for the server's disk";
    session.execute(doing, "SET synchronous_commit = on").await?;
    transaction(session, steps).await?;
    session.execute(doing, "SET synchronous_commit = off").await.map(drop)
}

/// Runs the statements that set the marker, in one transaction with the look whether another
/// restore has done so meanwhile, on the server's disk when it returns. `known`: the schema of one
/// that stands already.
pub(in crate::restore) async fn begin(
    session: &Session,
    steps: &[Step],
    known: Option<&str>,
) -> Result<()> {
    let doing = "wait for the server's disk";
    session.execute(doing, "SET synchronous_commit = on").await?;
    session.execute("begin a transaction", "BEGIN").await?;
    marker::check_alone(session, known).await?;
    in_order(session, steps).await?;
    session.execute("commit", "COMMIT").await?;
    session.execute(doing, "SET synchronous_commit = off").await.map(drop)
}

/// Statements in one transaction that is committed only when all were answered.
pub(in crate::restore) async fn transaction(session: &Session, steps: &[Step]) -> Result<()> {
    session.execute("begin a transaction", "BEGIN").await?;
    in_order(session, steps).await?;
    session.execute("commit", "COMMIT").await.map(drop)
}

/// Statements sent without waiting for each answer.
pub(in crate::restore) async fn in_order(session: &Session, steps: &[Step]) -> Result<()> {
    Ok(send(session, &steps.iter().collect::<Vec<_>>()).await?)
}

async fn send(session: &Session, steps: &[&Step]) -> Result<(), Failed> {
    let mut answers = FuturesOrdered::new();
    let mut answered = steps.iter();
    let mut failure = |answer: Option<Result<u64>>| match (answer, answered.next()) {
        (Some(Err(error)), Some(step)) => Some(Failed::at(step, error)),
        _ => None,
    };
    for step in steps {
        answers.push_back(session.execute(&step.doing, &step.sql));
        if answers.len() >= PIPELINE
            && let Some(failed) = failure(answers.next().await)
        {
            return Err(failed);
        }
    }
    while !answers.is_empty() {
        if let Some(failed) = failure(answers.next().await) {
            return Err(failed);
        }
    }
    Ok(())
}
