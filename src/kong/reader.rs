//! Reads properties for one of Kong's servers, and keeps a record of what it read.
//!
//! Knows which properties have a twin for a read replica, and no property's meaning.

use super::ignored;
use super::property;
use super::sources::{Sources, Value};
use crate::error::Result;
use crate::pg::connect::parameters::Setting;

/// One of the servers that Kong may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Node {
    /// The one that takes writes.
    #[default]
    Primary,
    /// The one that `pg_ro_host` names; each `pg_ro_*` that is not set is as its `pg_*`.
    ReadReplica,
}

/// What Kong uses where nothing is set.
const DEFAULT: &str = "Kong's default";

/// Properties, each with where it came from.
pub(super) struct Reader<'a> {
    sources: &'a Sources<'a>,
    node: Node,
    settings: Vec<Setting>,
    warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Begins with nothing read.
    pub(super) fn new(sources: &'a Sources<'a>, node: Node) -> Self {
        let warnings = ignored::told(sources);
        Self { sources, node, settings: Vec::new(), warnings }
    }

    /// All settings, without secrets, and what to warn about.
    pub(super) fn told(self) -> (Vec<Setting>, Vec<String>) {
        (self.settings, self.warnings)
    }

    /// A property that is shown.
    pub(super) fn optional(&mut self, name: &str) -> Result<Option<Value>> {
        let value = self.peek(name)?;
        if let Some(value) = &value {
            self.note(&value.property, &value.text, &value.source);
        }
        Ok(value)
    }

    /// A property whose value is not shown.
    pub(super) fn secret(&mut self, name: &str) -> Result<Option<Value>> {
        let value = self.peek(name)?;
        if let Some(value) = &value {
            self.note(&value.property, "***", &value.source);
        }
        Ok(value)
    }

    /// A property with a default.
    pub(super) fn text(&mut self, name: &str, default: &str) -> Result<Value> {
        if let Some(value) = self.optional(name)? {
            return Ok(value);
        }
        self.note(name, default, DEFAULT);
        Ok(Value {
            property: name.to_owned(),
            text: default.to_owned(),
            source: DEFAULT.to_owned(),
        })
    }

    /// The same; but one that is there and empty is refused: Kong would use nothing, and what is
    /// chosen in its place would be another's.
    pub(super) fn name(&mut self, name: &str, default: &str) -> Result<Value> {
        let value = self.text(name, default)?;
        let Some(empty) = self.sources.raw(name)?.filter(|_| value.source == DEFAULT) else {
            return Ok(value);
        };
        let hidden = self.sources.in_file(name)?.filter(|hidden| !hidden.text.is_empty());
        let cause = match hidden {
            Some(hidden) => format!("it is empty, and hides what {} says", hidden.source),
            None => "it is empty, and Kong's default does not count beside it".to_owned(),
        };
        Err(empty.refuse(cause).hint(format!("unset {}, or fill it", empty.source)))
    }

    /// A boolean; one that is not set is false.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool> {
        let found = self.peek_flag(name)?;
        if let Some((on, value)) = &found {
            self.note(&value.property, if *on { "on" } else { "off" }, &value.source);
        }
        Ok(found.is_some_and(|(on, _)| on))
    }

    /// A boolean, without a note of it.
    pub(super) fn peek_flag(&self, name: &str) -> Result<Option<(bool, Value)>> {
        Ok(self.peek(name)?.map(|value| (property::is_on(&value), value)))
    }

    /// A property, without a note of it: for a read replica the twin, if that is set.
    pub(super) fn peek(&self, name: &str) -> Result<Option<Value>> {
        if self.node == Node::ReadReplica
            && let Some(rest) = name.strip_prefix("pg_").filter(|rest| !rest.starts_with("ro_"))
            && let Some(value) = property::read(&format!("pg_ro_{rest}"), self.sources)?
        {
            return Ok(Some(value));
        }
        property::read(name, self.sources)
    }

    /// Keeps a note for people.
    pub(super) fn note(&mut self, name: &str, value: &str, source: &str) {
        self.settings.push(Setting {
            name: name.to_owned(),
            value: value.to_owned(),
            source: source.to_owned(),
        });
    }

    /// Keeps a warning.
    pub(super) fn warn(&mut self, text: &str) {
        self.warnings.push(text.to_owned());
    }
}
