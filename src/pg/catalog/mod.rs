//! The catalogs: a file for an object kind or a few akin, with its query and its SQL; then what
//! needs what, and an order.
//!
//! Everything is read inside the caller's transaction and with an empty `search_path`, one query
//! per kind for the whole database. Does not know what an archive looks like, nor what is selected
//! for it.

mod assemble;
mod attributes;
mod database;
mod definitions;
mod draft;
mod globals;
mod list;
mod model;
mod reader;
mod routines;
mod tables;
mod types;

use std::collections::HashMap;
use std::pin::Pin;

use futures_util::future::try_join_all;
use futures_util::try_join;

use self::assemble::{deps, objects, order, sweep};
use self::attributes::{comments, extension_needs, grants};
use self::database::extensions::{self, ConfigTable};
use self::database::{event_triggers, foreign, publications, schemas, subscriptions};
use self::draft::Draft;
use self::reader::{Reader, unknown};
use self::routines::{aggregates, functions, operator_families, operators, text_search};
use self::tables::relations::{self, Relation};
use self::tables::row_encoding::Types;
use self::tables::{
    columns, constraints, indexes, large_objects, matviews, policies, sequences, statistics,
    triggers, views,
};
use self::types::{casts, collations, domains};
use super::session::Session;
use crate::archive::manifest::{NotCarried, Object, ObjectId, ObjectKind};
use crate::error::Result;
use crate::sql::ident;

pub use self::database::source::source;
pub use self::definitions::{Definition, definitions};
pub use self::globals::{Globals, Group, globals};
pub use self::list::{ListedTable, list_tables};
pub use self::model::{Catalog, ReadOptions, TableSource};
pub(super) use self::reader::USER_SCHEMA;
pub use self::reader::known::{KnownColumns, known_columns};
pub use self::reader::unknown::{UnknownColumns, UsedColumn, unknown_columns};

/// Reads the whole database. The caller has begun a transaction that sees one snapshot and has
/// locked the tables.
///
/// Fails with [`crate::error::Kind::Consistency`], or SQLSTATE `XX000`, `42P01`, `42703`, when
/// something vanished meanwhile: begin again.
pub async fn read(session: &Session, options: &ReadOptions) -> Result<Catalog> {
    let reader = Reader::new(session).await?;
    let read = Box::pin(read_all(&reader, options)).await;
    read.map_err(|error| reader.cause().unwrap_or(error))
}

/// Reads what a database of this server is beside what is in it, described as if it were called
/// `under`: owner, settings, privileges (always, even where they are the initial ones), comment,
/// properties.
pub async fn database_as(session: &Session, name: &str, under: &str) -> Result<Object> {
    let reader = Reader::new(session).await?;
    let read = database::read_as(&reader, &ident::literal(name), Some(under)).await;
    read.map_err(|error| reader.cause().unwrap_or(error))
}

async fn read_all(reader: &Reader<'_>, options: &ReadOptions) -> Result<Catalog> {
    let types =
        async { if options.schema_only { Ok(None) } else { Types::read(reader).await.map(Some) } };
    // All that can be asked at once is.
    let (read, acls, needs, said, all, edges, aliases, unlogged, types, database) = try_join!(
        read_drafts(reader, options),
        grants::read(reader),
        extension_needs::rows(reader),
        comments::read(reader),
        sweep::all(reader),
        deps::edges(reader),
        deps::aliases(reader),
        relations::unlogged(reader),
        types,
        database::read(reader)
    )?;
    let Read { mut drafts, config, relations, columns, hidden, unreadable } = read;
    extension_needs::attach(&needs, &mut drafts)?;
    grants::attach(reader, acls, &mut drafts).await?;
    comments::attach(reader, &said, &mut drafts)?;

    let missing = sweep::missing(reader, &all, &deps::Makers::new(&drafts, &aliases), &aliases);
    let lost = sweep::prune(&mut drafts, &edges, &aliases, &missing);
    let mut not_carried = sweep::name(reader, &missing, &lost).await?;
    not_carried.extend(hidden);
    let unknown = unknown::find(reader, &known_columns()).await?;
    not_carried.extend(unknown.not_dumped());

    let mut graph = deps::Graph::new(&drafts, &edges, &deps::Makers::new(&drafts, &aliases));
    let ordered = order::order(&mut drafts, &mut graph);
    not_carried.extend(ordered.broken);
    let makers = deps::Makers::new(&drafts, &aliases);
    let mut objects = objects::objects(&drafts, &graph, &ordered.order, &makers);
    let numbers = objects::numbers(&drafts, &ordered.order);
    let unreadable = unreadable
        .into_iter()
        .filter_map(|(maker, name)| Some((*numbers.get(&maker)?, name)))
        .collect();
    let tables = if let Some(types) = types {
        let numbers = &numbers;
        let mut tables =
            objects::tables(reader, options, &types, &relations, &columns, &config, numbers)
                .await?;
        let first = objects
            .iter()
            .find(|object| object.kind == ObjectKind::LargeObject)
            .map(|object| object.id);
        tables.extend(large_objects::source(reader, first).await?);
        tables
    } else {
        Vec::new()
    };
    objects.insert(0, Object { id: ObjectId(objects.len() as u32), ..database });
    let warnings = unknown.warnings();
    Ok(Catalog { objects, tables, not_carried, unreadable, unlogged, warnings })
}

/// What is asked for by kind.
struct Read {
    drafts: Vec<Draft>,
    /// The tables and sequences of extensions that hold their configuration.
    config: HashMap<u32, ConfigTable>,
    relations: Vec<Relation>,
    columns: columns::Columns,
    /// What may not be read, and is named for it.
    hidden: Vec<NotCarried>,
    unreadable: sequences::Unreadable,
}

/// A kind's question and what is made of its answer.
type Reading<'a> = Pin<Box<dyn Future<Output = Result<Vec<Draft>>> + Send + 'a>>;

/// Reads every kind. The questions are sent together, because a round trip costs more than most
/// answers.
async fn read_drafts(reader: &Reader<'_>, options: &ReadOptions) -> Result<Read> {
    let before_tables: Vec<Reading<'_>> = vec![
        Box::pin(schemas::read(reader)),
        Box::pin(types::read(reader)),
        Box::pin(domains::read(reader)),
        Box::pin(functions::read(reader)),
        Box::pin(aggregates::read(reader)),
        Box::pin(operators::read(reader)),
        Box::pin(operators::read_access_methods(reader)),
        Box::pin(operator_families::read(reader)),
        Box::pin(casts::read(reader)),
        Box::pin(casts::read_transforms(reader)),
        Box::pin(casts::read_languages(reader)),
        Box::pin(collations::read(reader)),
        Box::pin(collations::read_conversions(reader)),
        Box::pin(text_search::read(reader)),
    ];
    let after_tables: Vec<Reading<'_>> = vec![
        Box::pin(constraints::read_keys(reader)),
        Box::pin(constraints::read_foreign_keys(reader)),
        Box::pin(indexes::read(reader)),
        Box::pin(indexes::read_attachments(reader)),
        Box::pin(triggers::read(reader)),
        Box::pin(triggers::read_rules(reader)),
        Box::pin(grants::read_defaults(reader)),
        Box::pin(statistics::read(reader)),
        Box::pin(policies::read(reader)),
        Box::pin(publications::read_publications(reader)),
        Box::pin(event_triggers::read(reader)),
        Box::pin(large_objects::read(reader)),
    ];
    let with_columns = async {
        let columns = columns::read(reader).await?;
        let (views, matviews) =
            try_join!(views::read(reader, &columns), matviews::read(reader, &columns))?;
        Ok((columns, views, matviews))
    };
    let with_config = async {
        let ((extensions, config), rows) =
            try_join!(extensions::read(reader), sequences::rows(reader))?;
        let values = !options.schema_only;
        let (sequences, unreadable) = sequences::read(reader, &rows, &config, values).await?;
        Ok((extensions, config, sequences, unreadable))
    };
    let of_tables = async {
        try_join!(relations::read(reader), with_columns, constraints::read_checks(reader))
    };
    let (
        (mut drafts, config, sequences, unreadable),
        (relations, (columns, views, matviews), (checks, check_drafts)),
        before_tables,
        after_tables,
        foreign,
        subscriptions,
    ) = try_join!(
        with_config,
        of_tables,
        try_join_all(before_tables),
        try_join_all(after_tables),
        foreign::read(reader),
        subscriptions::read(reader)
    )?;
    let ((foreign, mut hidden), (subscriptions, more)) = (foreign, subscriptions);
    hidden.extend(more);
    drafts.extend(before_tables.into_iter().flatten());
    drafts.extend(sequences);
    drafts.extend(check_drafts);
    drafts.extend(tables::drafts(&relations, &columns, &checks));
    drafts.extend(views);
    drafts.extend(after_tables.into_iter().flatten());
    drafts.extend(foreign);
    drafts.extend(matviews);
    drafts.extend(subscriptions);
    Ok(Read { drafts, config, relations, columns, hidden, unreadable })
}
