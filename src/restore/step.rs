//! One statement of a restore, and what it is for.

use crate::archive::manifest::{ObjectId, ObjectKind};

/// One statement, and what it does in words an error can begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// A present-tense phrase: `create table public.routes`.
    pub doing: String,
    /// Exactly one statement.
    pub sql: String,
    /// The object that it makes or changes.
    pub of: Option<ObjectId>,
    /// Whether it makes that object.
    pub makes: bool,
}

impl Step {
    /// A statement with its purpose.
    pub fn new(doing: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { doing: doing.into(), sql: sql.into(), of: None, makes: false }
    }

    /// Says whose it is.
    #[must_use]
    pub fn of(self, object: ObjectId) -> Self {
        Self { of: Some(object), ..self }
    }

    /// Says that it makes the object.
    #[must_use]
    pub fn making(self, object: ObjectId) -> Self {
        Self { of: Some(object), makes: true, ..self }
    }
}

/// What a caller wants done when all rows are there but those that declare the database usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Afterwards {
    /// The option that asks for just this, as it is typed.
    pub option: String,
    /// What is done.
    pub steps: Vec<Step>,
}

/// One thing on an extension's object, or the privileges of such an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnExtension {
    /// What it is.
    pub kind: ObjectKind,
    /// The words that name it.
    pub identity: String,
    /// Whose object it is on.
    pub extension: String,
    /// Whether it is made only where nothing of this kind and identity stands; privileges are set
    /// in any case.
    pub unless_standing: bool,
    /// What makes it.
    pub steps: Vec<Step>,
}
