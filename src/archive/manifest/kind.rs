//! What an object can be.

use serde::{Deserialize, Serialize};

/// What an object is. The words are `pg_dump`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the words are PostgreSQL's")]
pub enum ObjectKind {
    Database,
    Schema,
    Extension,
    Language,
    Collation,
    Conversion,
    Transform,
    Type,
    ShellType,
    Domain,
    Cast,
    Function,
    Aggregate,
    AccessMethod,
    Operator,
    OperatorFamily,
    OperatorClass,
    TextSearchParser,
    TextSearchTemplate,
    TextSearchDictionary,
    TextSearchConfiguration,
    ForeignDataWrapper,
    ForeignServer,
    UserMapping,
    Table,
    TableAttach,
    ForeignTable,
    View,
    MaterializedView,
    Sequence,
    SequenceOwner,
    Default,
    SequenceValue,
    LargeObject,
    Constraint,
    Check,
    Index,
    IndexAttach,
    Statistics,
    Rule,
    Trigger,
    ForeignKey,
    Policy,
    RowSecurity,
    Publication,
    PublicationTable,
    PublicationSchema,
    Subscription,
    DefaultAcl,
    EventTrigger,
    RefreshMaterializedView,
    Comment,
}

impl ObjectKind {
    /// Whether it is more than a tie between other objects, or a setting or the contents of one.
    pub fn stands_alone(self) -> bool {
        !matches!(
            self,
            Self::Database
                | Self::Comment
                | Self::Default
                | Self::DefaultAcl
                | Self::IndexAttach
                | Self::LargeObject
                | Self::PublicationSchema
                | Self::PublicationTable
                | Self::RefreshMaterializedView
                | Self::RowSecurity
                | Self::SequenceOwner
                | Self::SequenceValue
                | Self::TableAttach
        )
    }
}

/// In words, lower case: `foreign key`.
impl std::fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, c) in format!("{self:?}").char_indices() {
            let space = if at > 0 && c.is_ascii_uppercase() { " " } else { "" };
            write!(f, "{space}{}", c.to_ascii_lowercase())?;
        }
        Ok(())
    }
}
