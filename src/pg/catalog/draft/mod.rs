//! An object in the making: known by its catalog address, its section and statements, its place in
//! the order not yet found.

pub(super) mod address;
pub(super) mod clauses;
#[cfg(test)]
mod tests;

use self::address::Address;
use crate::archive::manifest::{Acl, Comment, Detail, ObjectKind, Section, SecurityLabel};

/// An object before it has a number.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) address: Address,
    pub(super) kind: ObjectKind,
    pub(super) section: Section,
    pub(super) schema: Option<String>,
    pub(super) name: String,
    /// Argument types and the like: sorts objects of one name.
    pub(super) sort: String,
    /// The words of `COMMENT ON`, `ALTER … OWNER TO`.
    pub(super) identity: String,
    pub(super) owner: Option<String>,
    pub(super) of: Option<Address>,
    pub(super) definition: Definition,
    pub(super) drop: Option<String>,
    pub(super) detail: Detail,
    /// The table that a foreign key refers to; its number goes into `detail`.
    pub(super) references: Option<Address>,
    pub(super) roles: Vec<String>,
    pub(super) tablespace: Option<String>,
    /// The extension whose object it is on, or whose member it is.
    pub(super) extension: Option<String>,
    /// Other rows that this object makes, with the words that name them in `COMMENT ON` where they
    /// can be commented on.
    pub(super) parts: Vec<(Address, Option<String>)>,
    /// What it needs beyond what `pg_depend` says.
    pub(super) needs: Vec<Address>,
    /// What `pg_depend` says it needs and it does not.
    pub(super) ignores: Vec<Address>,
    /// The object whose definition it is written into, unless a cycle of dependencies forces it
    /// out.
    pub(super) host: Option<Address>,
    pub(super) acl: Option<Acl>,
    /// The words after `GRANT … ON`, where the identity does not tell them.
    pub(super) grant_on: Option<String>,
    pub(super) comments: Vec<Comment>,
    pub(super) labels: Vec<SecurityLabel>,
}

impl Draft {
    /// A draft with nothing but its identity; `identity` is also what `DROP` names it by.
    pub(super) fn new(
        address: Address,
        kind: ObjectKind,
        schema: Option<&str>,
        name: &str,
        identity: String,
    ) -> Self {
        Self {
            address,
            kind,
            section: section(kind),
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            sort: String::new(),
            drop: Some(format!("DROP {identity}")),
            identity,
            owner: None,
            of: None,
            definition: Definition::Fixed(Vec::new()),
            detail: Detail::None,
            references: None,
            roles: Vec::new(),
            tablespace: None,
            extension: None,
            parts: Vec::new(),
            needs: Vec::new(),
            ignores: Vec::new(),
            host: None,
            acl: None,
            grant_on: None,
            comments: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Sets the statements.
    pub(super) fn made_by(mut self, statements: Vec<String>) -> Self {
        self.definition = Definition::Fixed(statements);
        self
    }

    /// Says that it is on an object of this extension, if of any: it is made where the extension
    /// has not brought the same, and goes with what it is on.
    pub(super) fn on_extension(mut self, extension: Option<&str>) -> Self {
        if let Some(extension) = extension {
            self.extension = Some(extension.to_owned());
            self.drop = None;
        }
        self
    }

    /// Sets the owner.
    pub(super) fn owned_by(mut self, owner: String) -> Self {
        self.owner = Some(owner);
        self
    }
}

/// The section in which drafts of this kind are made, unless a cycle says otherwise.
pub(super) fn section(kind: ObjectKind) -> Section {
    use ObjectKind as K;
    match kind {
        K::SequenceValue | K::LargeObject => Section::Data,
        K::Constraint
        | K::Index
        | K::IndexAttach
        | K::Statistics
        | K::Rule
        | K::Trigger
        | K::ForeignKey
        | K::Policy
        | K::RowSecurity
        | K::Publication
        | K::PublicationTable
        | K::PublicationSchema
        | K::Subscription
        | K::DefaultAcl
        | K::EventTrigger
        | K::RefreshMaterializedView => Section::PostData,
        _ => Section::PreData,
    }
}

/// How an object is made.
#[derive(Clone, Debug)]
pub(super) enum Definition {
    /// By these statements.
    Fixed(Vec<String>),
    /// By a statement with a list, some items of which may have to be made on their own later.
    List(Box<List>),
    /// In one of two ways.
    Either(Box<Either>),
}

/// What is made whole where the object that it needs can stand before it, and otherwise
/// provisionally, to be completed by that object.
#[derive(Clone, Debug)]
pub(super) struct Either {
    /// The draft that completes it.
    pub(super) clause: Address,
    pub(super) whole: Vec<String>,
    pub(super) provisional: Vec<String>,
}

/// `CREATE TABLE t ( a, b, c ) …` and its like.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    /// Up to the first item: `CREATE TABLE t (`.
    pub(super) head: String,
    pub(super) items: Vec<Item>,
    /// Between items.
    pub(super) separator: &'static str,
    /// After the last.
    pub(super) tail: String,
    /// Statements that follow.
    pub(super) after: Vec<String>,
}

/// One item: fixed words around a clause that is an object of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    pub(super) before: String,
    /// The draft whose clause this is, and the clause.
    pub(super) clause: Option<(Address, String)>,
    pub(super) after: String,
}

impl Definition {
    /// A draft's statements, with the clauses that `is_inline` says are made here.
    pub(super) fn statements(&self, is_inline: impl Fn(Address) -> bool) -> Vec<String> {
        let list = match self {
            Self::Fixed(statements) => return statements.clone(),
            Self::Either(either) if is_inline(either.clause) => return either.whole.clone(),
            Self::Either(either) => return either.provisional.clone(),
            Self::List(list) => list,
        };
        let items = list.items.iter().map(|item| {
            let clause = item
                .clause
                .as_ref()
                .filter(|(address, _)| is_inline(*address))
                .map_or("", |(_, clause)| clause);
            format!("{}{clause}{}", item.before, item.after)
        });
        let items: Vec<String> = items.filter(|item| !item.is_empty()).collect();
        let first = format!("{}{}{}", list.head, items.join(list.separator), list.tail);
        std::iter::once(first).chain(list.after.iter().cloned()).collect()
    }
}
