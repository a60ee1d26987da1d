//! Makes of a restore one that stages: a copy beside the live objects of the same database, in
//! schemas of its own, or in a database of its own, which a swap exchanges for them later.
//!
//! ```text
//! archive + database ─► parts: what is staged ─► course: anew, or on with one that was stopped ─► way ─► restore::Options
//! ```
//!
//! Does not know how anything is restored.

mod apart;
mod course;
mod here;
mod parts;
mod way;

use std::collections::BTreeMap;
use std::path::Path;

use self::course::{Course, DOING};
use self::here::Here;
use self::parts::Parts;
use super::by_database::pair;
use super::in_place::away_schema;
use super::note;
use crate::archive::manifest::ObjectKind;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::marker;
use crate::pg::session::{Purpose, Session};
use crate::pg::swap_state::{self, Phase, SchemaPair, State, Way};
use crate::pool;
use crate::restore;
use crate::restore::staged::Staged;
use crate::restore::status as restores;
use crate::select::FoundIn;
use crate::sql::ident;
use crate::sql::rename::{Bodies, Renames};
use crate::storage::FileArchive;

/// Where a copy stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copy {
    /// In these schemas, each with the one that it is of.
    Schemas(Vec<SchemaPair>),
    /// In this database, unquoted.
    Database(String),
}

/// A stage that is prepared.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Where the copy will stand.
    pub copy: Copy,
    /// Why it does not stand beside what is live, where nobody has asked for that.
    pub why: Option<String>,
}

/// Makes of the options of a restore those of a stage; changes nothing in the database. `way`: what
/// is asked for.
///
/// # Errors
/// [`Kind::Requirement`] where something is staged already, or the archive has nothing that can be;
/// what else is in the way becomes a finding, which the restore tells with its own.
pub async fn prepare(
    server: &Server,
    archive: &Path,
    options: &mut restore::Options,
    way: Option<Way>,
) -> Result<Prepared> {
    let archive = open(archive, options.limits.max_memory.unwrap_or(0)).await?;
    let session = server.open(Purpose::Probe).await?;
    if let Some(role) = &options.render.role {
        session.set_role(role).await?;
    }
    let here = Here::read(&session).await?;
    let objects = &archive.manifest.objects;
    options.selection.find(objects, &archive.manifest.tables);
    options.selection.check_matched(
        objects,
        &archive.manifest.source.database,
        FoundIn::Archive,
    )?;
    let selected = options.selection.apply(objects.clone()).objects;
    let mut tables = selected.iter().filter(|object| object.kind == ObjectKind::Table).peekable();
    if tables.peek().is_some() && tables.all(|object| object.statements.is_empty()) {
        let cause = "the archive has rows and no definitions (dump -a)";
        return Err(Error::new(Kind::Requirement, DOING, cause)
            .hint("stage an archive that was dumped without -a"));
    }
    let parts = Parts::of(objects, &selected, &here);
    if parts.schemas.is_empty() {
        let cause = "nothing that stands in a schema is selected of the archive";
        return Err(Error::new(Kind::Requirement, DOING, cause)
            .hint("silverback list shows what the archive has"));
    }
    let mut state = State {
        archive_id: archive.header.archive.to_string(),
        archive_name: archive.name.clone(),
        archive_root: archive.footer.root.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        way: Way::InPlace,
        phase: Phase::Staging,
        is_whole: options.selection.all_objects(),
        staged: (String::new(), String::new()),
        changed: None,
        schemas: Vec::new(),
        live_objects: Vec::new(),
        away_objects: Vec::new(),
        is_new: false,
        live_database: pair::current(&session).await?,
        away_database: None,
        since: None,
    };
    let noted = swap_state::read(&session, false).await?;
    let (mut why, mut is_begun) = (None, true);
    let asked = (way, options.resume);
    let copy = match course(server, &session, noted.clone(), &state, &parts, asked).await? {
        Course::On(pairs) => Copy::Schemas(pairs),
        Course::Apart => {
            Copy::Database(noted.and_then(|noted| noted.away_database).unwrap_or_default())
        }
        Course::Anew => {
            is_begun = false;
            let (way, because) = way::choose(&session, &parts, &selected, way).await?;
            why = because;
            anew(way, &parts, &here, &state.live_database)?
        }
    };
    match &copy {
        Copy::Schemas(pairs) => {
            state.schemas.clone_from(pairs);
            set(options, pairs, &state, parts, here);
        }
        Copy::Database(name) => {
            state.way = Way::ByDatabase;
            apart::set(options, &session, state, name, is_begun).await?;
        }
    }
    Ok(Prepared { copy, why })
}

async fn open(path: &Path, max_memory: u64) -> Result<FileArchive> {
    let path = path.to_owned();
    pool::run(move || {
        let archive = FileArchive::open_path_within(&path, max_memory)?;
        archive.check_root()?;
        Ok(archive)
    })
    .await
}

async fn course(
    server: &Server,
    session: &Session,
    noted: Option<State>,
    state: &State,
    parts: &Parts,
    asked: (Option<Way>, bool),
) -> Result<Course> {
    let markers = marker::read(session, false).await?;
    let noted = match noted {
        Some(noted) if noted.way == Way::ByDatabase => {
            pair::check_live(session, &noted).await?;
            Some(pair::resolve(server, session, noted).await?)
        }
        noted => noted,
    };
    if let Some(noted) = noted.as_ref().filter(|noted| noted.phase == Phase::Staging) {
        refuse_beside_another(session, noted).await?;
    }
    course::decide(noted.as_ref(), &markers, &state.archive_id, parts, asked)
}

/// Refuses where the copy that is not complete is being made now.
async fn refuse_beside_another(session: &Session, noted: &State) -> Result<()> {
    let processes = match (noted.way, &noted.away_database) {
        (Way::InPlace, _) => restores::at_work(session).await?,
        (Way::ByDatabase, Some(name)) => restores::at_work_in(session, name).await?,
        (Way::ByDatabase, None) => Vec::new(),
    };
    if processes.is_empty() {
        return Ok(());
    }
    let processes: Vec<String> = processes.iter().map(i32::to_string).collect();
    let cause = format!(
        "another stage is at work (server processes {}), of {} ({})",
        processes.join(", "),
        noted.archive_name,
        noted.archive_id
    );
    Err(Error::new(Kind::Requirement, DOING, cause)
        .hint("let it end; silverback swap --status tells what is staged then"))
}

/// Names what holds a copy that is begun now.
fn anew(way: Way, parts: &Parts, here: &Here, database: &str) -> Result<Copy> {
    let moment = jiff::Timestamp::now().strftime("%Y%m%d_%H%M%S").to_string();
    if way == Way::ByDatabase {
        return Ok(Copy::Database(away_schema(database, "staged", &moment)));
    }
    let mut pairs: Vec<SchemaPair> = Vec::new();
    for live in &parts.schemas {
        let away = away_schema(live, "staged", &moment);
        if here.schemas.contains(&away) || pairs.iter().any(|pair| pair.away == away) {
            let cause = format!("schema {} is there already", ident::quote(&away));
            return Err(Error::new(Kind::Requirement, DOING, cause)
                .hint("rename it, or stage again in a second"));
        }
        pairs.push(SchemaPair { live: live.clone(), away });
    }
    Ok(Copy::Schemas(pairs))
}

fn set(
    options: &mut restore::Options,
    pairs: &[SchemaPair],
    state: &State,
    parts: Parts,
    mut here: Here,
) {
    let names: BTreeMap<String, String> =
        pairs.iter().map(|pair| (pair.live.clone(), pair.away.clone())).collect();
    let mut renames = Renames::of(names).with_bodies(Bodies::Kept);
    for pair in pairs {
        if let Some(members) = here.members.remove(&pair.live) {
            renames = renames.keeping(&pair.live, members);
        }
    }
    options.selection.archived_as =
        pairs.iter().map(|pair| (pair.away.clone(), pair.live.clone())).collect();
    options.rename = renames;
    options.guards.findings.extend(parts.findings);
    options.staged = Some(Staged {
        schemas: pairs.iter().map(|pair| pair.away.clone()).collect(),
        left: parts.left,
        left_out: parts.left_out,
        note: note::make(state),
        complete: vec![note::complete()],
        ..Staged::default()
    });
}
