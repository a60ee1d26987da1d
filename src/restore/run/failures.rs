//! A restore that goes on after errors (`--keep-going`): what failed, what cannot be done without
//! it, and scripts whose steps are run one by one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;

use super::script::PIPELINE;
use crate::archive::manifest::{Object, ObjectId};
use crate::error::{Error, Kind, Result};
use crate::pg::session::Session;
use crate::restore::run::script::Failed;
use crate::restore::step::Step;

/// The failures so far.
#[derive(Debug, Default)]
pub(in crate::restore) struct Failures {
    objects: HashMap<ObjectId, Known>,
    inner: Mutex<Inner>,
}

/// What an object is called, and what must stand before it.
#[derive(Debug)]
struct Known {
    identity: String,
    needs: Vec<ObjectId>,
}

#[derive(Debug, Default)]
struct Inner {
    told: Vec<Told>,
    /// Objects that were not made, with the place in `told` of what they were not made for.
    lost: HashMap<ObjectId, usize>,
}

/// A failure, and the objects that failed for its sake.
#[derive(Debug)]
struct Told {
    text: String,
    with_it: Vec<String>,
}

impl Failures {
    /// None so far, in a restore of these objects.
    pub(in crate::restore) fn new(objects: &[Object]) -> Self {
        let known = |object: &Object| Known {
            identity: object.identity.clone(),
            needs: object.depends_on.iter().chain(&object.of).copied().collect(),
        };
        Self {
            objects: objects.iter().map(|object| (object.id, known(object))).collect(),
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A list of texts cannot be left half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything failed.
    pub(in crate::restore) fn any(&self) -> bool {
        !self.inner().told.is_empty()
    }

    /// Whether this object was not made.
    pub(in crate::restore) fn lacks(&self, object: ObjectId) -> bool {
        self.inner().lost.contains_key(&object)
    }

    /// Notes that a step of the object failed, unless nothing more can be done after it: then it is
    /// given back. What fails because an object is missing that was not made is told with that.
    pub(in crate::restore) fn note(&self, failed: Failed) -> Result<()> {
        let Failed { error, of, makes } = failed;
        if matches!(
            error.kind(),
            Kind::Server | Kind::Connect | Kind::File | Kind::Interrupted | Kind::Terminated
        ) {
            return Err(error);
        }
        let mut inner = self.inner();
        let known = of.and_then(|of| Some((of, self.objects.get(&of)?)));
        let cause = known.and_then(|(of, known)| {
            std::iter::once(&of).chain(&known.needs).find_map(|id| inner.lost.get(id)).copied()
        });
        if let (Some(cause), Some((of, known))) = (cause, known) {
            if inner.lost.insert(of, cause).is_none() {
                inner.told[cause].with_it.push(known.identity.clone());
            }
        } else {
            let at = inner.told.len();
            inner.told.push(Told { text: error.to_string(), with_it: Vec::new() });
            inner.lost.extend(of.filter(|_| makes).map(|of| (of, at)));
        }
        Ok(())
    }

    /// After errors, goes on with a script: runs each step on its own, with what notes it, whatever
    /// becomes of the others.
    pub(in crate::restore) async fn script(
        &self,
        session: &Session,
        steps: &[Step],
        notes: &[Option<Step>],
    ) -> Result<()> {
        let mut answers = FuturesOrdered::new();
        let mut answered = steps.iter();
        let mut note = |answer: Option<Result<()>>| match (answer, answered.next()) {
            (Some(Err(error)), Some(step)) => self.note(Failed::at(step, error)),
            _ => Ok(()),
        };
        let notes = notes.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        for (step, noting) in steps.iter().zip(notes) {
            answers.push_back(one(session, step, noting));
            if answers.len() >= PIPELINE {
                note(answers.next().await)?;
            }
        }
        while !answers.is_empty() {
            note(answers.next().await)?;
        }
        Ok(())
    }

    /// An error that ends the restore, with all that had failed before.
    pub(in crate::restore) fn before(&self, error: Error) -> Error {
        let told = std::mem::take(&mut self.inner().told)
            .into_iter()
            .map(|told| format!("before that: {}", told.in_words()));
        let items = error.items().iter().cloned().chain(told).collect();
        error.with_items(items)
    }

    /// All failures as one error.
    pub(in crate::restore) fn sum_up(&self) -> Error {
        let told = std::mem::take(&mut self.inner().told);
        let errors =
            if told.len() == 1 { "1 error:".to_owned() } else { format!("{} errors:", told.len()) };
        Error::new(Kind::Incomplete, "restore", errors)
            .with_items(told.iter().map(Told::in_words).collect())
    }
}

/// One step of a script that goes on after errors, and what notes it, sent in one go. Where it
/// fails, the end of its transaction takes back nothing, and the session is as before.
async fn one(session: &Session, step: &Step, noting: Option<&Step>) -> Result<()> {
    let Some(noting) = noting else {
        return session.execute(&step.doing, &step.sql).await.map(drop);
    };
    let (begun, done, noted, committed) = tokio::join!(
        session.execute(&step.doing, "BEGIN"),
        session.execute(&step.doing, &step.sql),
        session.execute(&step.doing, &noting.sql),
        session.execute(&step.doing, "COMMIT"),
    );
    begun.and(done).and(noted).and(committed).map(drop)
}

impl Told {
    fn in_words(&self) -> String {
        if self.with_it.is_empty() {
            self.text.clone()
        } else {
            format!("{}; without it not made: {}", self.text, self.with_it.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::ObjectKind;

    #[test]
    fn what_ends_a_restore_does_not_hide_what_failed_before() {
        let failures = Failures::default();
        failures
            .note(Error::new(Kind::Unexpected, "load a", "refused").into())
            .expect("one can go on");
        let lost = failures
            .note(Error::new(Kind::Server, "load b", "connection closed").into())
            .expect_err("one cannot");
        let told = failures.before(lost);
        assert_eq!(
            (told.kind(), told.items()),
            (Kind::Server, &["before that: load a: refused".to_owned()][..])
        );
    }
    #[test]
    fn a_cause_is_told_once() {
        let object = |id: u32, identity: &str, depends_on: &[u32]| Object {
            name: String::new(),
            depends_on: depends_on.iter().map(|id| ObjectId(*id)).collect(),
            ..Object::new(ObjectId(id), ObjectKind::View, identity)
        };
        let failures = Failures::new(&[
            object(0, "TABLE a", &[]),
            object(1, "VIEW b", &[0]),
            object(2, "VIEW c", &[1]),
            object(3, "VIEW d", &[]),
        ]);
        let fail = |doing: &str, of: u32, makes: bool| {
            failures
                .note(Failed {
                    error: Error::new(Kind::Unexpected, doing, "refused"),
                    of: Some(ObjectId(of)),
                    makes,
                })
                .expect("one can go on");
        };
        fail("create TABLE a", 0, true);
        fail("comment on TABLE a", 0, false);
        fail("create VIEW b", 1, true);
        fail("comment on VIEW b", 1, false);
        fail("create VIEW c", 2, true);
        fail("comment on VIEW d", 3, false);
        let told = failures.sum_up();
        assert_eq!(
            told.items(),
            [
                "create TABLE a: refused; without it not made: VIEW b, VIEW c",
                "comment on VIEW d: refused"
            ]
        );
    }
}
