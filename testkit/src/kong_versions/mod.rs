//! Databases of Kong Gateway by version: each version's tables with their columns, its rows of
//! `schema_meta`, its default workspace.
//!
//! Does not know keys, indexes and triggers, which [`crate::kong`] has for one version, nor what a
//! migration does to rows.

use std::fmt::Write as _;

use crate::{Client, Database, quote};

/// The versions that are known, oldest first; `master` is what became of 3.9.
pub const VERSIONS: &[&str] =
    &["1.5.1", "2.0.5", "2.3.3", "2.8.5", "3.0.1", "3.4.2", "3.6.1", "3.9.3", "master"];

const TABLES: &str = include_str!("tables.txt");
const MIGRATIONS: &str = include_str!("migrations.txt");

/// The words of `tables.txt` for types, where they are not the server's.
const TYPES: &[(&str, &str)] = &[
    ("time", "timestamptz"),
    ("stamp", "timestamp"),
    ("bool", "boolean"),
    ("int", "integer"),
    ("big", "bigint"),
    ("small", "smallint"),
];

/// The id of the default workspace.
pub const WORKSPACE: &str = "6f1b5c1e-4d3a-4b8e-9a57-0d2c7e8f9a10";

/// Makes the tables of a version in `public`, as the database's owner.
pub fn kong_version(database: &Database<'_>, version: &str) {
    KongVersion::new(version).load(database);
}

/// What kind of database of which version is to be made.
#[derive(Clone, Debug)]
pub struct KongVersion {
    version: &'static str,
    schema: String,
    is_half_migrated: bool,
}

impl KongVersion {
    /// A freshly made database of one of [`VERSIONS`], in `public`.
    pub fn new(version: &str) -> Self {
        let version = VERSIONS[place(version)];
        Self { version, schema: "public".to_owned(), is_half_migrated: false }
    }

    /// In another schema, which is made if it is not there.
    #[must_use]
    pub fn schema(mut self, schema: &str) -> Self {
        schema.clone_into(&mut self.schema);
        self
    }

    /// On the way to the next of [`VERSIONS`]: `kong migrations up` has run, `finish` has not. The
    /// tables of both versions are there, and every new migration is pending.
    #[must_use]
    pub fn half_migrated(mut self) -> Self {
        assert!(place(self.version) + 1 < VERSIONS.len(), "there is a newer version");
        self.is_half_migrated = true;
        self
    }

    /// Makes it, as the database's owner.
    pub fn load(&self, database: &Database<'_>) {
        self.load_by(&database.connect());
    }

    /// Makes it by an open session.
    pub fn load_by(&self, client: &Client) {
        client.execute(&self.sql());
    }

    fn sql(&self) -> String {
        let schema = quote(&self.schema);
        let mut sql = format!(
            "SET client_min_messages TO warning; CREATE SCHEMA IF NOT EXISTS {schema}; \
             RESET client_min_messages;\n"
        );
        for table in self.tables() {
            let _ = writeln!(sql, "CREATE TABLE {schema}.{table};");
        }
        for row in self.schema_meta() {
            let _ = writeln!(
                sql,
                "INSERT INTO {schema}.schema_meta VALUES ('schema_meta', '{}', {}, {}, {});",
                row.subsystem,
                row.executed.last().map_or("NULL".to_owned(), |name| format!("'{name}'")),
                array(&row.executed),
                array(&row.pending),
            );
        }
        let has = |table: &str| tables(self.version).any(|(name, _)| name == table);
        if has("workspaces") {
            let _ = writeln!(
                sql,
                "INSERT INTO {schema}.workspaces (id, name) VALUES ('{WORKSPACE}', 'default');"
            );
        }
        if has("parameters") {
            let _ = writeln!(
                sql,
                "INSERT INTO {schema}.parameters VALUES ('cluster_id', '{WORKSPACE}', now());"
            );
        }
        sql
    }

    /// Tables as `CREATE TABLE` takes them.
    fn tables(&self) -> Vec<String> {
        let mut all: Vec<(&str, &str)> = tables(self.version).collect();
        for (name, columns) in self.next().into_iter().flat_map(tables) {
            if !all.iter().any(|(known, _)| *known == name) {
                all.push((name, columns));
            }
        }
        all.iter().map(|(name, columns)| definition(name, columns)).collect()
    }

    /// The rows of `schema_meta`.
    pub fn schema_meta(&self) -> Vec<Subsystem> {
        let mut all = subsystems(self.version);
        for next in self.next().into_iter().flat_map(subsystems) {
            match all.iter_mut().find(|row| row.subsystem == next.subsystem) {
                Some(row) => {
                    let new = next.executed.iter().filter(|name| !row.executed.contains(name));
                    row.pending = new.copied().collect();
                }
                None => all.push(Subsystem {
                    subsystem: next.subsystem,
                    executed: Vec::new(),
                    pending: next.executed,
                }),
            }
        }
        all
    }

    fn next(&self) -> Option<&'static str> {
        self.is_half_migrated.then(|| VERSIONS[place(self.version) + 1])
    }
}

/// A row of `schema_meta`; without anything pending, that column is NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subsystem {
    /// `core`, or a plugin's name.
    pub subsystem: &'static str,
    /// In order; the last one is `last_executed`, which is NULL without any.
    pub executed: Vec<&'static str>,
    /// In order.
    pub pending: Vec<&'static str>,
}

/// The rows of `schema_meta` of a fresh database of a version.
fn subsystems(version: &str) -> Vec<Subsystem> {
    let at = place(version);
    let rows = lines(MIGRATIONS).filter_map(|line| {
        let (subsystem, migrations) = line.split_once(' ')?;
        let executed: Vec<&str> = migrations
            .split(' ')
            .filter_map(|word| {
                let (word, until) = word.split_once("..").unwrap_or((word, "master"));
                let (name, since) = word.split_once('@').unwrap_or((word, VERSIONS[0]));
                (place(since)..=place(until)).contains(&at).then_some(name)
            })
            .collect();
        (!executed.is_empty()).then_some(Subsystem { subsystem, executed, pending: Vec::new() })
    });
    rows.collect()
}

/// The tables of a version with their columns.
fn tables(version: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let at = place(version);
    lines(TABLES).filter_map(move |line| {
        let mut words = line.splitn(3, ' ');
        let (name, range, columns) = (words.next()?, words.next()?, words.next()?);
        let (since, until) = range.split_once("..")?;
        (place(since)..=place(until)).contains(&at).then_some((name, columns))
    })
}

fn definition(table: &str, columns: &str) -> String {
    let columns: Vec<String> = columns
        .split(' ')
        .map(|column| {
            let (name, type_name) = column.split_once(':').expect("a name and a type");
            let (type_name, end) = match type_name.strip_suffix('!') {
                Some(type_name) => (type_name, " NOT NULL"),
                None => (type_name, ""),
            };
            let known = TYPES.iter().find(|(word, _)| *word == type_name);
            format!("{} {}{end}", quote(name), known.map_or(type_name, |(_, known)| known))
        })
        .collect();
    format!("{} ({})", quote(table), columns.join(", "))
}

fn array(names: &[&str]) -> String {
    if names.is_empty() { "NULL".to_owned() } else { format!("'{{{}}}'", names.join(",")) }
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

#[track_caller]
fn place(version: &str) -> usize {
    let found = VERSIONS.iter().position(|known| *known == version);
    found.unwrap_or_else(|| panic!("no facts about Kong {version}; there are {VERSIONS:?}"))
}
