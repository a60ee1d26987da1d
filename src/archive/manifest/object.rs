//! What is made: objects, what is said of them, and what a restore decides by.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::kind::ObjectKind;

/// An object's number within one archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId(pub u32);

/// When an object is made: before the rows, with them, after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// What rows need to be loaded.
    PreData,
    /// Sequence values and large objects.
    Data,
    /// Keys, indexes, triggers and all that is better made afterwards.
    PostData,
}

/// One object of the schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Unique in the archive.
    pub id: ObjectId,
    /// What it is.
    pub kind: ObjectKind,
    /// Its schema's name, unquoted; none for objects outside schemas.
    pub schema: Option<String>,
    /// Its name, unquoted; functions, operators and casts with their argument types.
    pub name: String,
    /// The table (or view, …) that it is a part of: an index, a constraint, a trigger, a default.
    pub of: Option<ObjectId>,
    /// The words that name it in `COMMENT ON …` and `ALTER … OWNER TO`, quoted: `TABLE
    /// public.routes`.
    pub identity: String,
    /// Its owner's name, unquoted, where the kind has one that restore sets.
    pub owner: Option<String>,
    /// Its privileges, where they differ from the built-in defaults.
    pub acl: Option<Acl>,
    /// Its comment and its columns' comments.
    pub comments: Vec<Comment>,
    /// Its security labels and its columns'.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_labels: Vec<SecurityLabel>,
    /// When it is made.
    pub section: Section,
    /// The objects that must stand before it.
    pub depends_on: Vec<ObjectId>,
    /// Roles that the statements name (grantees and owners not repeated).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The tablespace it asks for, where that is not the database's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<String>,
    /// The extension whose object this is on (a rule, a trigger, a member of an operator family),
    /// or whose member's privileges these are. It is made only where the extension has not brought
    /// the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// How to make it: one SQL statement each, names fully qualified, without owner and privileges.
    pub statements: Vec<String>,
    /// How to remove it, one statement.
    pub drop: Option<String>,
    /// What restore decides by.
    #[serde(default, skip_serializing_if = "Detail::is_none")]
    pub detail: Detail,
}

impl Object {
    /// Whether nothing is done for it: it is made along with another, or stands already.
    pub fn is_bare(&self) -> bool {
        let Self { owner, acl, comments, security_labels, statements, .. } = self;
        statements.is_empty()
            && comments.is_empty()
            && security_labels.is_empty()
            && (owner.is_none() || self.kind != ObjectKind::Schema)
            && acl.is_none()
    }

    /// An object of which nothing else is said: made before the rows, by no statement.
    pub fn new(id: ObjectId, kind: ObjectKind, identity: impl Into<String>) -> Self {
        Self {
            id,
            kind,
            schema: None,
            name: String::new(),
            of: None,
            identity: identity.into(),
            owner: None,
            acl: None,
            comments: Vec::new(),
            security_labels: Vec::new(),
            section: Section::PreData,
            depends_on: Vec::new(),
            roles: Vec::new(),
            tablespace: None,
            extension: None,
            statements: Vec::new(),
            drop: None,
            detail: Detail::None,
        }
    }
}

/// A comment on an object or on one of its columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    /// The words after `COMMENT ON`, quoted.
    pub on: String,
    /// The text, unquoted.
    pub text: String,
}

/// A security label on an object or on one of its columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecurityLabel {
    /// The words after `ON`, quoted.
    pub on: String,
    /// The label provider's name, unquoted.
    pub provider: String,
    /// The label, unquoted.
    pub label: String,
}

/// An object's privileges as a difference to what it has when it is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Acl {
    /// The words after `GRANT … ON`, quoted: `TABLE public.routes`.
    pub on: String,
    /// What a new object of this owner has (`acldefault`, or an extension's initial privileges).
    pub initial: Vec<Grant>,
    /// What it has.
    pub items: Vec<Grant>,
}

impl Acl {
    /// What is to be granted: what a new object has not.
    pub fn granted(&self) -> impl Iterator<Item = &Grant> {
        let initial: HashSet<&Grant> = self.initial.iter().collect();
        self.items.iter().filter(move |grant| !initial.contains(grant))
    }

    /// What is to be revoked: what only a new object has.
    pub fn revoked(&self) -> impl Iterator<Item = &Grant> {
        let items: HashSet<&Grant> = self.items.iter().collect();
        self.initial.iter().filter(move |grant| !items.contains(grant))
    }
}

/// One grantor's grant to one grantee.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// The column, unquoted, for a column privilege.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The role, unquoted; none is `PUBLIC`.
    pub grantee: Option<String>,
    /// The role that granted, unquoted.
    pub grantor: String,
    /// Privilege words, such as `SELECT`.
    pub privileges: Vec<String>,
    /// With grant option.
    pub grantable: bool,
}

/// What restore must know of an object beyond its statements.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Detail {
    /// Nothing more.
    #[default]
    None,
    /// A table of any kind.
    Table {
        /// `relkind`: `r`, `p`, `f`.
        relkind: char,
        /// Whether it is a partition of another table.
        partition: bool,
        /// Whether its owner is bound by row security too.
        force_row_security: bool,
    },
    /// An index that is not behind a constraint.
    Index {
        /// Unique.
        unique: bool,
        /// The access method, such as `btree`.
        method: String,
        /// Column names, unquoted; none where the key is an expression.
        columns: Vec<Option<String>>,
        /// Whether the table is partitioned, so that this is `CREATE INDEX … ON ONLY`.
        partitioned: bool,
        /// The size of its files in the source, in bytes.
        bytes: u64,
    },
    /// A primary key or unique constraint.
    Key {
        /// A primary key.
        primary: bool,
        /// Column names, unquoted.
        columns: Vec<String>,
        /// How to build the index first and adopt it then, where that gives the same constraint.
        using_index: Option<UsingIndex>,
        /// The size of the index's files in the source, in bytes.
        bytes: u64,
    },
    /// A foreign key.
    ForeignKey {
        /// Column names, unquoted.
        columns: Vec<String>,
        /// The table referred to.
        references: ObjectId,
        /// The same constraint with `NOT VALID`, where it was valid and can be added so (not on
        /// partitioned tables).
        add_not_valid: Option<String>,
        /// The statement that validates it afterwards.
        validate: Option<String>,
    },
    /// A trigger, with the function that it calls.
    Trigger {
        /// Row or statement.
        row: bool,
    },
    /// A sequence's value; the object is the value, `of` the sequence.
    SequenceValue {
        /// `last_value`, a string because JSON's numbers end at 2^53.
        last_value: String,
        /// Whether `last_value` has been handed out.
        is_called: bool,
    },
    /// The database itself: what `CREATE DATABASE` is told. Its further statements set what its
    /// sessions begin with.
    Database {
        /// `c`, `i` or `b`: libc, ICU, builtin.
        locale_provider: String,
        /// The server encoding's name.
        encoding: String,
        /// `datcollate`.
        collate: String,
        /// `datctype`.
        ctype: String,
        /// The provider's own locale, where the provider is not libc.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        locale: Option<String>,
        /// Rules added to an ICU collation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icu_rules: Option<String>,
        /// Sessions at a time; -1 is no limit.
        connection_limit: i32,
        /// Whether whoever may create databases may copy it.
        is_template: bool,
    },
    /// Large objects of one owner and with the same privileges.
    LargeObjects {
        /// Which.
        oids: Vec<u32>,
    },
}

impl Detail {
    /// Whether there is nothing to tell.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// A key built in two steps: the index, side by side with others, and the constraint, in an
/// instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsingIndex {
    /// `CREATE UNIQUE INDEX …`.
    pub create_index: String,
    /// The words that add the constraint, to be joined with others after `ALTER TABLE ONLY t`: `ADD
    /// CONSTRAINT c PRIMARY KEY USING INDEX i`.
    pub add_constraint: String,
}
