//! Whether a stage begins anew, goes on with one that was stopped, or is refused, by what is noted
//! in the database.
//!
//! Pure.

use super::parts::Parts;
use crate::error::{Error, Kind, Result};
use crate::pg::marker::Marker;
use crate::pg::swap_state::{Phase, SchemaPair, State, Way};

/// What is being done.
pub(super) const DOING: &str = "prepare to stage a copy";

/// How a stage begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Nothing is staged.
    Anew,
    /// It goes on in these schemas.
    On(Vec<SchemaPair>),
    /// It goes on in a database of its own.
    Apart,
}

/// Decides. `way`: what is asked for.
///
/// # Errors
/// [`Kind::Requirement`] where something is staged that this one does not go on with.
pub(super) fn decide(
    state: Option<&State>,
    markers: &[Marker],
    archive_id: &str,
    parts: &Parts,
    (way, resumes): (Option<Way>, bool),
) -> Result<Course> {
    let Some(state) = state else { return Ok(Course::Anew) };
    let refuse = |what: &str, hint: &str| {
        let cause = format!("{what}: {} ({})", state.archive_name, state.archive_id);
        Err(Error::new(Kind::Requirement, DOING, cause).hint(hint))
    };
    let is_marked = markers.iter().any(Marker::is_of_stage);
    let covers = |schema: &String| state.schemas.iter().any(|pair| pair.live == *schema);
    match state.phase {
        Phase::Swapped => refuse(
            "a staged copy is live already",
            "silverback swap --back exchanges again, silverback swap --drop-old ends it; then \
             another can be staged",
        ),
        Phase::Staged => refuse(
            "a complete copy is staged already",
            "silverback swap makes it live, silverback swap --drop-old drops it; then another can \
             be staged",
        ),
        Phase::Staging if state.archive_id != archive_id => refuse(
            "an unfinished copy of another archive is there",
            "stage that archive again with --resume, or drop the copy with silverback swap \
             --drop-old",
        ),
        Phase::Staging if way.is_some_and(|way| way != state.way) => refuse(
            &format!("an unfinished copy is there, which is to be exchanged {}", state.way.word()),
            "stage again with --resume alone, or drop the copy with silverback swap --drop-old",
        ),
        Phase::Staging if state.way == Way::ByDatabase && resumes => Ok(Course::Apart),
        Phase::Staging if state.way == Way::InPlace && !is_marked => refuse(
            "an unfinished copy is there, and nothing tells how far it has come",
            "drop it with silverback swap --drop-old, and stage again",
        ),
        Phase::Staging if !resumes => refuse(
            "an unfinished copy is there already",
            "stage again with --resume, which goes on, or drop it with silverback swap --drop-old",
        ),
        Phase::Staging if !parts.schemas.iter().all(covers) => refuse(
            "an unfinished copy with other options is there",
            "resume with the options of the first time; silverback restore --status tells them",
        ),
        Phase::Staging => Ok(Course::On(state.schemas.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::marker::{self, Later, Run};

    fn state(phase: Phase) -> State {
        State {
            archive_id: "7".into(),
            archive_name: "a.sbk".into(),
            archive_root: "8".into(),
            version: "0.1.0".into(),
            way: Way::InPlace,
            phase,
            is_whole: true,
            staged: ("kong".into(), "now".into()),
            changed: None,
            schemas: vec![SchemaPair { live: "public".into(), away: "there".into() }],
            live_objects: vec![],
            away_objects: vec![],
            is_new: false,
            live_database: "kong".into(),
            away_database: None,
            since: None,
        }
    }

    fn marker() -> Marker {
        let later = Later { options: vec!["--stage".into()], ..Later::default() };
        let run = Run {
            archive_id: "7".into(),
            archive_name: "a.sbk".into(),
            archive_root: "8".into(),
            options_digest: String::new(),
            state: marker::State::NotReady,
            left_digest: None,
            schemas: vec!["there".into()],
            version: "0.1.0".into(),
            begun: "now".into(),
            later,
        };
        Marker { schema: "silverback_restore".into(), run: Some(run) }
    }

    #[test]
    fn one_at_a_time() {
        let parts =
            |schema: &str| Parts { schemas: [schema.to_owned()].into(), ..Parts::default() };
        let check = |phase: Option<Phase>, marked, archive, schema, resumes, expect: &str| {
            let (state, markers) = (phase.map(state), if marked { vec![marker()] } else { vec![] });
            let asked = (None, resumes);
            let told = match decide(state.as_ref(), &markers, archive, &parts(schema), asked) {
                Ok(Course::Anew) => "anew".to_owned(),
                Ok(Course::On(pairs)) => format!("on in {}", pairs[0].away),
                Ok(Course::Apart) => "apart".to_owned(),
                Err(error) => {
                    format!("{} {}", error.cause(), error.hint_text().unwrap_or_default())
                }
            };
            assert!(told.contains(expect), "{told}");
        };
        check(None, false, "7", "public", true, "anew");
        check(Some(Phase::Staging), true, "7", "public", true, "on in there");
        check(Some(Phase::Staging), true, "7", "public", false, "again with --resume");
        check(Some(Phase::Staging), false, "7", "public", true, "swap --drop-old");
        check(Some(Phase::Staging), true, "9", "public", true, "of another archive");
        check(Some(Phase::Staging), true, "7", "other", true, "with other options");
        check(Some(Phase::Staged), false, "7", "public", true, "silverback swap makes it live");
        check(Some(Phase::Swapped), false, "7", "public", true, "swap --back");
    }

    #[test]
    fn one_way_goes_on() {
        let state = |way| State { way, ..state(Phase::Staging) };
        let check = |of: Way, asked: Option<Way>, resumes, expect: &str| {
            let (state, parts) = (state(of), Parts::default());
            let told = match decide(Some(&state), &[marker()], "7", &parts, (asked, resumes)) {
                Ok(course) => format!("{course:?}"),
                Err(error) => error.cause().to_owned(),
            };
            assert!(told.contains(expect), "{told}");
        };
        check(Way::ByDatabase, None, true, "Apart");
        check(Way::ByDatabase, Some(Way::ByDatabase), true, "Apart");
        check(Way::ByDatabase, None, false, "an unfinished copy is there already");
        check(Way::ByDatabase, Some(Way::InPlace), true, "exchanged by database");
        check(Way::InPlace, Some(Way::ByDatabase), true, "exchanged in place");
        check(Way::InPlace, Some(Way::InPlace), true, "On(");
    }
}
