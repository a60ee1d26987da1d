//! The database itself, made before all else (`--create`) from another database of the same server:
//! what that takes, and what it will be.
//!
//! Does not know what goes into it.

use crate::archive::manifest::{Detail, Object};
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::session::Session;
use crate::progress::Progress;
use crate::restore::finding::Finding;
use crate::restore::plan::statements;
use crate::restore::step::Step;
use crate::restore::target::{Schema, Target};
use crate::sql::{ident, render};
use crate::sqlstate;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::restore) struct Creation<'a> {
    /// The database.
    pub(in crate::restore) database: &'a Object,
    /// Drop the one of its name first.
    pub(in crate::restore) clean: bool,
    /// Which need not be there.
    pub(in crate::restore) if_exists: bool,
    /// End the sessions that are in the one that is dropped.
    pub(in crate::restore) ends_sessions: bool,
    /// What is left out.
    pub(in crate::restore) render: &'a render::Options,
}

impl Creation<'_> {
    /// What keeps it from being made; `target` is the database that the session is in meanwhile.
    pub(in crate::restore) fn findings(&self, target: &Target) -> Vec<Finding> {
        let name = ident::quote(&self.database.name);
        let user = ident::quote(&target.user);
        let mut findings = Vec::new();
        let mut find =
            |problem: String, way_out: String| findings.push(Finding::new(problem, way_out));
        match target.databases.get(&self.database.name) {
            Some(_) if !self.clean => {
                find(
                    format!("database {name} exists"),
                    "let -c drop it first, or restore into it without -C".to_owned(),
                );
            }
            Some(_) if target.database == self.database.name => {
                find(
                    format!("the session is in database {name}, which -c is to drop"),
                    "name another database with -d, such as postgres".to_owned(),
                );
            }
            Some(false) => {
                find(
                    format!("role {user} is not the owner of database {name}, which -c is to drop"),
                    "restore as its owner".to_owned(),
                );
            }
            None if self.clean && !self.if_exists => {
                find(
                    format!("database {name} does not exist, which -c is to drop"),
                    "leave -c out, or add --if-exists".to_owned(),
                );
            }
            _ => {}
        }
        if !target.creates_databases {
            find(
                format!("role {user} may not create databases"),
                format!("ALTER ROLE {user} CREATEDB"),
            );
        }
        if let Detail::Database { locale_provider, icu_rules, .. } = &self.database.detail {
            let (needs, what) = match locale_provider.as_str() {
                "b" => (170_000, "the builtin locale provider"),
                "i" if icu_rules.is_some() => (160_000, "ICU rules"),
                "i" => (150_000, "the locale provider ICU for databases"),
                _ => (0, ""),
            };
            if target.version_num < needs {
                let problem = format!(
                    "database {name} asks for {what}, which PostgreSQL {} does not have",
                    target.version
                );
                find(problem, "make a database by hand, and restore into it without -C".to_owned());
            }
        }
        findings
    }

    /// The database that is made as it will be when it is new, seen from another of the same
    /// server.
    pub(in crate::restore) fn foresee(&self, target: &Target) -> Target {
        let mut fresh = target.clone();
        fresh.database.clone_from(&self.database.name);
        if let Detail::Database { encoding, collate, ctype, .. } = &self.database.detail {
            fresh.encoding.clone_from(encoding);
            fresh.collate.clone_from(collate);
            fresh.ctype.clone_from(ctype);
        }
        fresh.creates_schemas = true;
        fresh.occupied.clear();
        fresh.occupied_count = 0;
        fresh.marker = None;
        for (name, extension) in &mut fresh.extensions {
            extension.installed = name == "plpgsql";
        }
        let owner =
            self.database.owner.as_ref().filter(|_| !self.render.no_owner).unwrap_or(&target.user);
        // Since 15 only the database's owner may create in public.
        let for_all = target.version_num < 150_000;
        let creators = if for_all {
            target.roles.keys().cloned().collect()
        } else {
            [owner.clone(), target.user.clone()].into()
        };
        // Before, public is the first superuser's, as it is where the session stands.
        let here = target.schemas.get("public").map_or(&target.user, |schema| &schema.owner);
        let public_owner = if for_all { here.clone() } else { "pg_database_owner".to_owned() };
        let everybody = if for_all { vec!["CREATE", "USAGE"] } else { vec!["USAGE"] };
        let of_owner = ["CREATE", "USAGE"]
            .map(|privilege| (Some(public_owner.clone()), privilege.to_owned(), false));
        let public = Schema {
            owner: public_owner,
            ours: !for_all || target.superuser,
            creates: true,
            comment: Some("standard public schema".to_owned()),
            creators,
            privileges: everybody
                .into_iter()
                .map(|privilege| (None, privilege.to_owned(), false))
                .chain(of_owner)
                .collect(),
        };
        fresh.schemas = [("public".to_owned(), public)].into();
        fresh
    }

    /// What is run in another database: none of it can be part of a transaction with the rest.
    pub(in crate::restore) fn steps(&self, target: &Target) -> Vec<Step> {
        let database = self.database;
        let identity = format!("DATABASE {}", ident::quote(&database.name));
        let named = format!("database {}", ident::quote(&database.name));
        let mut steps = Vec::new();
        if self.clean {
            let is_template = matches!(database.detail, Detail::Database { is_template: true, .. });
            if is_template && target.databases.contains_key(&database.name) {
                steps.push(Step::new(
                    format!("drop {named}"),
                    format!("ALTER {identity} IS_TEMPLATE false"),
                ));
            }
            let word = if self.if_exists { "IF EXISTS " } else { "" };
            // FORCE came with 13.
            let forces = self.ends_sessions && target.version_num >= 130_000;
            if self.ends_sessions && !forces {
                let sql = format!(
                    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
                     WHERE datname = {}",
                    ident::literal(&database.name)
                );
                steps.push(Step::new(format!("end the sessions in {named}"), sql));
            }
            let force = if forces { " WITH (FORCE)" } else { "" };
            steps.push(Step::new(
                format!("drop {named}"),
                format!("DROP DATABASE {word}{}{force}", ident::quote(&database.name)),
            ));
        }
        steps.push(Step::new(
            format!("create {named}"),
            render::create_database(database, self.render, target.version_num),
        ));
        steps.extend(after(database, self.render));
        steps
    }
}

/// What follows when the database is made, and may be run twice.
pub(in crate::restore) fn after(database: &Object, render: &render::Options) -> Vec<Step> {
    let identity = format!("database {}", ident::quote(&database.name));
    let owned = render::owner_statements(database, render);
    let owned =
        owned.into_iter().map(|sql| Step::new(format!("give {identity} to its owner"), sql));
    // New sessions begin with these, and what is made may look at them.
    let settings = database.statements.iter().skip(1);
    owned
        .chain(
            settings
                .map(|sql| Step::new(format!("set what sessions of {identity} begin with"), sql)),
        )
        .collect()
}

/// Whether the database that the session is in has what cannot be changed any more as the archive
/// describes it.
pub(in crate::restore) async fn is_as_described(
    session: &Session,
    database: &Object,
) -> Result<bool> {
    let Detail::Database { encoding, collate, ctype, .. } = &database.detail else {
        return Ok(false);
    };
    let sql = "SELECT pg_catalog.pg_encoding_to_char(encoding)::text, datcollate::text, \
        datctype::text \
               FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";
    let row = session.query_one("read the database's properties", sql).await?;
    let here: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
    Ok([encoding, collate, ctype] == [&here[0], &here[1], &here[2]])
}

/// What is run in the transaction that ends the restore: it might keep our own sessions out.
pub(in crate::restore) fn finish(database: &Object, render: &render::Options) -> Vec<Step> {
    let identity = format!("DATABASE {}", ident::quote(&database.name));
    let mut steps = statements::describe(database, render);
    if let Detail::Database { connection_limit, is_template, .. } = &database.detail {
        let doing = format!("set the properties of {identity}");
        if *connection_limit != -1 {
            steps.push(Step::new(
                &doing,
                format!("ALTER {identity} CONNECTION LIMIT {connection_limit}"),
            ));
        }
        if *is_template {
            steps.push(Step::new(&doing, format!("ALTER {identity} IS_TEMPLATE true")));
        }
    }
    steps
}

/// Runs the steps, and tells where the new database is.
pub(in crate::restore) async fn carry_out(
    session: &Session,
    server: &Server,
    name: &str,
    steps: &[Step],
    progress: &dyn Progress,
) -> Result<Server> {
    let mut made = false;
    for step in steps {
        progress.phase(&step.doing);
        session
            .execute(&step.doing, &step.sql)
            .await
            .map_err(|error| explain(error, name, made))?;
        made |= step.sql.starts_with("CREATE DATABASE ");
    }
    Ok(server.with_database(name))
}

fn explain(error: Error, name: &str, made: bool) -> Error {
    let error =
        if error.kind() == Kind::Unexpected { error.as_kind(Kind::Requirement) } else { error };
    let name = ident::quote(name);
    match (made, error.sqlstate()) {
        (true, _) => error.hint(format!(
            "database {name} was made and is empty: restore again with \
                --resume, or drop it before the next try"
        )),
        (false, Some(sqlstate::OBJECT_IN_USE)) => error.hint("end the sessions that are in it"),
        _ => error,
    }
}

#[cfg(test)]
mod tests;
