//! The catalogs: one file per object kind, with its query and its SQL; ordering by dependency.
//!
//! Everything is read inside the caller's transaction and with an empty `search_path`, one query per kind for the whole database. Does not know
//! what an archive looks like, nor what is selected for it.

mod address;
mod aggregates;
mod casts;
mod clauses;
mod collations;
mod columns;
mod comments;
mod constraints;
mod database;
mod deps;
mod domains;
mod draft;
mod encoding;
mod event_triggers;
mod extension_needs;
mod extensions;
mod families;
mod features;
mod finish;
mod foreign;
mod functions;
mod grants;
mod indexes;
mod large_objects;
mod list;
mod matviews;
mod operators;
mod order;
mod policies;
mod reader;
mod repair;
mod replication;
mod schemas;
mod sequences;
mod source;
mod statistics;
mod sweep;
mod table_parts;
mod tables;
mod text_search;
mod triggers;
mod types;
mod views;

use std::collections::HashMap;

use self::draft::Draft;
use self::extensions::ConfigTable;
use self::reader::Reader;
use self::tables::Relation;
use super::session::Session;
use crate::archive::manifest::{NotCarried, Object, ObjectId, ObjectKind, Table};
use crate::error::Result;

pub use self::list::{ListedTable, list_tables};
pub use self::source::source;

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Leaves out rows and sequence values; needs no privilege on any table or sequence.
    pub schema_only: bool,
    /// Lets the rows of every partition go through the partitioned table at the top, wherever they belong there.
    pub via_partition_root: bool,
}

/// All of a database but its rows.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Every object, in an order in which they can be created; the database itself first, with the last number; the ids of the others count from 0 in that order.
    pub objects: Vec<Object>,
    /// The tables whose rows are to be read.
    pub tables: Vec<TableSource>,
    /// What was found and cannot be carried.
    pub not_carried: Vec<NotCarried>,
    /// Sequences, or the extensions that make them, whose value the role may not read, with the sequence's name, quoted.
    pub unreadable: Vec<(ObjectId, String)>,
}

/// A table whose rows are to be read, and how.
#[derive(Clone, Debug)]
pub struct TableSource {
    /// What goes into the manifest.
    pub table: Table,
    /// Its row in `pg_class`.
    pub oid: u32,
    /// `r`.
    pub relkind: char,
    /// The size of its main fork, in blocks.
    pub pages: u64,
    /// Whether it can be read in ranges of `ctid` without reading all of it each time: a heap, on a server that has TID range scans.
    pub ctid_ranges: bool,
    /// The query that gives its rows, where it is no table of the database but stands for one; it is not locked then.
    pub query: Option<String>,
}

/// Reads the whole database. The caller has begun a transaction that sees one snapshot and has locked the tables.
///
/// Fails with [`crate::error::Kind::Consistency`], or SQLSTATE `XX000`, `42P01`, `42703`, when something vanished meanwhile: begin again.
pub async fn read(session: &Session, options: &ReadOptions) -> Result<Catalog> {
    let reader = Reader::new(session).await?;
    let (extensions, config) = extensions::read(&reader).await?;
    let relations = tables::read_relations(&reader).await?;
    let mut drafts = extensions;
    let Besides { columns, hidden, unreadable } = read_drafts(&reader, options, &config, &relations, &mut drafts).await?;
    extension_needs::attach(&reader, &mut drafts).await?;
    let acls = grants::read(&reader).await?;
    grants::attach(&reader, acls, &mut drafts).await?;
    comments::attach(&reader, &mut drafts).await?;

    let edges = deps::edges(&reader).await?;
    let aliases = deps::aliases(&reader).await?;
    let missing = sweep::missing(&reader, &deps::Makers::new(&drafts, &aliases), &aliases).await?;
    let lost = sweep::prune(&mut drafts, &edges, &aliases, &missing);
    let mut not_carried = sweep::name(&reader, &missing, &lost).await?;
    not_carried.extend(hidden);

    let mut graph = deps::Graph::new(&drafts, &edges, &deps::Makers::new(&drafts, &aliases));
    let ordered = order::order(&mut drafts, &mut graph);
    not_carried.extend(ordered.broken);
    let makers = deps::Makers::new(&drafts, &aliases);
    let mut objects = finish::objects(&drafts, &graph, &ordered.order, &makers);
    let numbers = finish::numbers(&drafts, &ordered.order);
    let unreadable = unreadable.into_iter().filter_map(|(maker, name)| Some((*numbers.get(&maker)?, name))).collect();
    let tables = if options.schema_only {
        Vec::new()
    } else {
        let mut tables = finish::tables(&reader, options, &relations, &columns, &config, &numbers).await?;
        let first = objects.iter().find(|object| object.kind == ObjectKind::LargeObject).map(|object| object.id);
        tables.extend(large_objects::source(&reader, first).await?);
        tables
    };
    objects.insert(0, database::read(&reader, ObjectId(objects.len() as u32)).await?);
    Ok(Catalog { objects, tables, not_carried, unreadable })
}

/// What is found along with the drafts.
struct Besides {
    columns: columns::Columns,
    /// What may not be read, and is named for it.
    hidden: Vec<NotCarried>,
    unreadable: sequences::Unreadable,
}

/// Reads kind after kind.
async fn read_drafts(
    reader: &Reader<'_>,
    options: &ReadOptions,
    config: &HashMap<u32, ConfigTable>,
    relations: &[Relation],
    drafts: &mut Vec<Draft>,
) -> Result<Besides> {
    let columns = columns::read(reader).await?;
    drafts.extend(schemas::read(reader).await?);
    drafts.extend(types::read(reader).await?);
    drafts.extend(domains::read(reader).await?);
    drafts.extend(functions::read(reader).await?);
    drafts.extend(aggregates::read(reader).await?);
    drafts.extend(operators::read(reader).await?);
    drafts.extend(operators::read_access_methods(reader).await?);
    drafts.extend(families::read(reader).await?);
    drafts.extend(casts::read(reader).await?);
    drafts.extend(casts::read_transforms(reader).await?);
    drafts.extend(casts::read_languages(reader).await?);
    drafts.extend(collations::read(reader).await?);
    drafts.extend(collations::read_conversions(reader).await?);
    drafts.extend(text_search::read(reader).await?);
    let (sequences, unreadable) = sequences::read(reader, config, !options.schema_only).await?;
    drafts.extend(sequences);
    let (checks, check_drafts) = constraints::read_checks(reader).await?;
    drafts.extend(check_drafts);
    drafts.extend(tables::drafts(relations, &columns, &checks));
    drafts.extend(views::read(reader, &columns).await?);
    drafts.extend(constraints::read_keys(reader).await?);
    drafts.extend(constraints::read_foreign_keys(reader).await?);
    drafts.extend(indexes::read(reader).await?);
    drafts.extend(indexes::read_attachments(reader).await?);
    drafts.extend(triggers::read(reader).await?);
    drafts.extend(triggers::read_rules(reader).await?);
    drafts.extend(grants::read_defaults(reader).await?);
    let (foreign, mut hidden) = foreign::read(reader).await?;
    drafts.extend(foreign);
    drafts.extend(matviews::read(reader, &columns).await?);
    drafts.extend(statistics::read(reader).await?);
    drafts.extend(policies::read(reader).await?);
    drafts.extend(replication::read_publications(reader).await?);
    let (subscriptions, more) = replication::read_subscriptions(reader).await?;
    drafts.extend(subscriptions);
    hidden.extend(more);
    drafts.extend(event_triggers::read(reader).await?);
    drafts.extend(large_objects::read(reader).await?);
    Ok(Besides { columns, hidden, unreadable })
}
