//! Who is connected to the target, before something goes in it that they may use.

use super::said::Said;
use crate::archive::manifest::Object;
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::restore::options::Options;
use crate::restore::others::judged::{Judged, Way, judge};
use crate::restore::others::seen::{self, Going};
use crate::restore::provision::Room;
use crate::restore::target::Target;
use crate::sql::ident;

/// Whether it does who is connected: where something is dropped first, until it is dropped, or
/// others are to be disconnected.
pub(super) fn matters(options: &Options, room: Room) -> bool {
    room != Room::Cleaned && (options.into.drops() || options.disconnect_others)
}

/// Looks. `going`: a query for the addresses of what goes.
pub(super) async fn look(
    session: &Session,
    (options, room): (&Options, Room),
    (database, going): (Option<&Object>, Option<&str>),
    target: &Target,
    said: &mut Said,
) -> Result<()> {
    let of_database = room == Room::ToBeMade;
    let disconnects = options.disconnect_others;
    let name = match database.filter(|_| of_database) {
        Some(database) => &database.name,
        None => &target.database,
    };
    if disconnects && !of_database {
        said.findings.extend(cannot_keep_out(session, target));
    }
    let going = if of_database { Going::Database } else { Going::Objects(going) };
    let others = seen::read(session, name, going).await?;
    let way = Way { beside: options.while_connected, disconnects, of_database };
    let Judged { finding, warning, notes } = judge(way, &others);
    said.findings.extend(finding);
    said.warnings.extend(warning);
    said.notes.extend(notes);
    Ok(())
}

/// What keeps this role from keeping others out.
fn cannot_keep_out(session: &Session, target: &Target) -> Option<Finding> {
    let name = ident::quote(&target.database);
    if session.is_proxied() {
        let problem =
            "a pooler stands between, behind which the sessions of others cannot be told \
            from ours"
                .to_owned();
        let way_out = "let --disconnect-others connect to the server itself";
        return Some(Finding::new(problem, way_out));
    }
    (target.databases.get(&target.database) == Some(&false)).then(|| {
        let problem = format!(
            "role {} is not the owner of database {name}, whose CONNECTION LIMIT \
             --disconnect-others sets",
            ident::quote(&target.user)
        );
        Finding::new(problem, "restore as its owner, or stop the clients and leave the option out")
    })
}
