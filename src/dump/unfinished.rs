//! What a dump says of restores that left the database unfinished.

use super::left_out::LeftOut;
use super::options::Options;
use crate::archive::manifest::{NotCarried, Object, ObjectKind};
use crate::error::{Error, Kind, Result};
use crate::pg::marker::{self, Marker};
use crate::pg::session::Session;
use crate::sql::ident;

/// Refuses before any table is locked: a restore that is at work holds locks for long. Says what is
/// left out.
pub(super) async fn look(options: &Options, session: &Session) -> Result<LeftOut> {
    let markers = marker::read(session, true).await?;
    let left_out = LeftOut::read(session, &options.selection).await?;
    let is_refused = |marker: &&Marker| marker.has_begun() && !marker.is_ready();
    let refused = markers.iter().filter(|marker| is_refused(marker) && !options.allow_incomplete);
    for marker in refused {
        let schemas = marker.run.as_ref().map_or(&[][..], |run| &run.schemas);
        let is_dumped = |schema: &String| {
            options.selection.picks_whole_schema(schema) && !left_out.schemas.contains(schema)
        };
        if schemas.iter().any(is_dumped) {
            return Err(refuse(marker, session.server().database()));
        }
    }
    Ok(left_out)
}

/// Refuses to dump what a restore has not made ready, unless that is allowed, and names what it
/// leaves unfinished. Only the schemas that a restore fills are unfinished.
pub(super) fn judge(
    markers: &[Marker],
    objects: &[Object],
    allowed: bool,
    database: &str,
) -> Result<Vec<NotCarried>> {
    let schemas = || {
        objects.iter().filter_map(|object| match object.kind {
            ObjectKind::Schema => Some(object.name.as_str()),
            _ => object.schema.as_deref(),
        })
    };
    let mut named = Vec::new();
    let begun = markers.iter().filter(|marker| marker.has_begun());
    for marker in begun.filter(|marker| marker.concerns(schemas())) {
        if !marker.is_ready() && !allowed {
            return Err(refuse(marker, database));
        }
        let missing = if marker.is_ready() {
            "indexes and the validation of foreign keys"
        } else {
            "objects and rows"
        };
        let reason = format!(
            "it is the marker of {}: {missing} may be missing in this archive",
            marker.describe()
        );
        named.push(schema(marker, reason));
    }
    let owing = markers.iter().filter(|marker| !marker.has_begun());
    named.extend(owing.filter_map(|marker| {
        let limit = marker.connection_limit()?;
        let reason = format!(
            "it says that the database had CONNECTION LIMIT {limit} before a restore that has \
             changed nothing else; the archive has the one of now (silverback unlock gives it back)"
        );
        Some(schema(marker, reason))
    }));
    Ok(named)
}

fn schema(marker: &Marker, reason: String) -> NotCarried {
    NotCarried { kind: "schema".to_owned(), name: ident::quote(&marker.schema), reason }
}

fn refuse(marker: &Marker, database: &str) -> Error {
    let cause = format!("it holds {}", marker.describe());
    Error::new(Kind::Requirement, format!("dump database {}", ident::quote(database)), cause).hint(
        "restore it first (silverback restore --resume), or dump it as it is with \
            --allow-incomplete",
    )
}
