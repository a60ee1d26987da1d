//! What failed in a restore that goes on after errors.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;

use super::graph::Step;
use super::run::PIPELINE;
use crate::error::{Error, Kind, Result};
use crate::pg::session::Session;

/// The failures so far.
#[derive(Debug, Default)]
pub(super) struct Failures {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    told: Vec<String>,
    doings: HashSet<String>,
}

impl Failures {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A list of texts cannot be left half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything failed.
    pub(super) fn any(&self) -> bool {
        !self.inner().told.is_empty()
    }

    /// Whether this step failed, by its purpose.
    pub(super) fn has(&self, doing: &str) -> bool {
        self.inner().doings.contains(doing)
    }

    /// Notes a failure, unless nothing more can be done after it: then it is given back.
    pub(super) fn note(&self, error: Error) -> Result<()> {
        if matches!(error.kind(), Kind::Server | Kind::Connect | Kind::File | Kind::Interrupted | Kind::Terminated) {
            return Err(error);
        }
        let mut inner = self.inner();
        inner.told.push(error.to_string());
        inner.doings.insert(error.doing().to_owned());
        Ok(())
    }

    /// Runs each step on its own, whatever becomes of the others.
    pub(super) async fn script(&self, session: &Session, steps: &[Step]) -> Result<()> {
        let mut answers = FuturesOrdered::new();
        for step in steps {
            answers.push_back(session.execute(&step.doing, &step.sql));
            if answers.len() >= PIPELINE
                && let Some(Err(error)) = answers.next().await
            {
                self.note(error)?;
            }
        }
        while let Some(answer) = answers.next().await {
            if let Err(error) = answer {
                self.note(error)?;
            }
        }
        Ok(())
    }

    /// An error that ends the restore, with all that had failed before.
    pub(super) fn before(&self, error: Error) -> Error {
        let told = std::mem::take(&mut self.inner().told).into_iter().map(|told| format!("before that: {told}"));
        let items = error.items().iter().cloned().chain(told).collect();
        error.with_items(items)
    }

    /// All failures as one error.
    pub(super) fn sum_up(&self) -> Error {
        let told = std::mem::take(&mut self.inner().told);
        let things = if told.len() == 1 { "1 thing".to_owned() } else { format!("{} things", told.len()) };
        Error::new(Kind::Incomplete, "restore", format!("{things} failed:")).with_items(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_restore_does_not_hide_what_failed_before() {
        let failures = Failures::default();
        failures.note(Error::new(Kind::Unexpected, "load a", "refused")).expect("one can go on");
        let lost = failures.note(Error::new(Kind::Server, "load b", "connection closed")).expect_err("one cannot");
        let told = failures.before(lost);
        assert_eq!((told.kind(), told.items()), (Kind::Server, &["before that: load a: refused".to_owned()][..]));
    }
}
