//! What becomes of what was found, without a server.

use super::*;
use crate::cli::args::kong::IgnoreArg;
use crate::kong::info::facts::{Session, Subsystem};
use crate::progress::Silent;
use crate::select::{Pattern, Selection};

fn archived(sync_column: Option<&str>, sync_version: Option<i64>) -> Archived {
    let facts = Facts { schema: "public".into(), sync_version, ..Facts::default() };
    Archived {
        info: Info::of(facts),
        schema: "public".into(),
        tables: vec!["services".into()],
        rows_alone: false,
        sync_column: sync_column.map(str::to_owned),
    }
}

fn target(sync_version: Option<i64>) -> Target {
    let facts = Facts { sync_version, ..Facts::default() };
    Target { info: Some(Info::of(facts)), ..Target::default() }
}

#[test]
fn a_situation_becomes_a_finding_a_warning_or_a_note() {
    use Situation::{
        Bootstrapped, Connected, HalfMigratedTarget, LockedTarget, NewerRows, OlderRows, Used,
    };
    let sorted = |into: Into, situation: Situation, ignored: &[IgnoreArg]| {
        let args = KongArgs { kong_ignore: ignored.to_vec(), ..KongArgs::default() };
        let guard = Guard { situation, problem: "problem".into(), next: "next".into() };
        let mut options = Options::default();
        sort_out(&args, into, guard, &mut options, &Silent);
        let guards = options.guards;
        assert!(
            guards.findings.iter().all(|one| one.problem == "problem" && one.way_out == "next")
        );
        (guards.findings.first().map(|finding| finding.sort), guards.warnings.concat())
    };
    for (into, situation, sort) in [
        (Into::Rows, NewerRows, Some(Sort::Requirement)),
        (Into::Rows, OlderRows, Some(Sort::Requirement)),
        (Into::Rows, HalfMigratedTarget, Some(Sort::Requirement)),
        (Into::AsItIs, HalfMigratedTarget, Some(Sort::Occupant)),
        (Into::Replaced, HalfMigratedTarget, Some(Sort::Occupant)),
        (Into::Cleaned, HalfMigratedTarget, None),
        (Into::AsItIs, Bootstrapped, Some(Sort::Occupant)),
        (Into::Replaced, Used, Some(Sort::Occupant)),
        (Into::AsItIs, Connected, Some(Sort::Requirement)),
        // The restore itself looks who may use what it drops.
        (Into::Cleaned, Connected, None),
        (Into::Replaced, Connected, None),
        (Into::Cleaned, LockedTarget, Some(Sort::Requirement)),
    ] {
        assert_eq!(sorted(into, situation, &[]), (sort, String::new()), "{into:?} {situation:?}");
    }
    let gone_past = (None, "problem; gone past, as asked".to_owned());
    for (situation, ignored) in [
        (NewerRows, IgnoreArg::Newer),
        (OlderRows, IgnoreArg::Older),
        (HalfMigratedTarget, IgnoreArg::HalfMigrated),
        (LockedTarget, IgnoreArg::Locked),
    ] {
        assert_eq!(sorted(Into::Rows, situation, &[ignored]), gone_past, "{situation:?}");
        let other = if ignored == IgnoreArg::Newer { IgnoreArg::Older } else { IgnoreArg::Newer };
        assert!(sorted(Into::Rows, situation, &[other]).0.is_some(), "{situation:?}");
    }
    assert!(sorted(Into::AsItIs, Used, &[IgnoreArg::Newer]).0.is_some(), "nothing goes past it");
}

#[test]
fn of_a_stopped_restores_target_only_who_is_there_counts() {
    let session =
        Session { pid: 1, role: "kong".into(), application: String::new(), address: None };
    let facts = Facts {
        sessions: Some(vec![session]),
        subsystems: vec![Subsystem {
            name: "core".into(),
            pending: vec!["022_350_to_360".into()],
            ..Subsystem::default()
        }],
        ..Facts::default()
    };
    let mut found = Target { info: Some(Info::of(facts)), ..Target::default() };
    let situations = |found: &Target| {
        let guards = of_target(&archived(None, None), found, Into::AsItIs, &Selection::default());
        guards.into_iter().map(|guard| guard.situation).collect::<Vec<_>>()
    };
    assert_eq!(situations(&found), [Situation::HalfMigratedTarget, Situation::Connected]);
    found.marker = Some(Marker { schema: "silverback_restore".into(), run: None });
    assert_eq!(situations(&found), [Situation::Connected]);
    assert_eq!(situations(&Target::default()), []);
}

/// The version that the sync is raised to, or how the error reads.
fn bumped(
    given: Option<Vec<i64>>,
    options: &Options,
    archived: &Archived,
    found: &Target,
) -> Result<Option<i64>, String> {
    let args = KongArgs { bump_sync_version: given, ..KongArgs::default() };
    bump(&args, options, archived, found, &Silent).map_err(|error| error.to_string())
}

#[test]
fn the_syncs_version_is_beyond_what_both_have() {
    let plain = Options::default();
    for (given, of_archive, of_target, expect) in [
        (None, Some(5), Some(9), None),
        (Some(vec![]), Some(5), Some(9), Some(1009)),
        (Some(vec![]), Some(15), Some(9), Some(1015)),
        (Some(vec![]), None, None, Some(1000)),
        (Some(vec![7]), Some(15), Some(9), Some(7)),
    ] {
        let archived = archived(Some("integer"), of_archive);
        assert_eq!(bumped(given, &plain, &archived, &target(of_target)), Ok(expect));
    }
    let without = archived(None, None);
    assert_eq!(bumped(Some(vec![7]), &plain, &without, &target(None)), Ok(None), "it has no sync");
}

#[test]
fn a_version_that_cannot_be_raised_is_refused() {
    let archived = archived(Some("integer"), Some(5));
    let with = |change: fn(&mut Options)| {
        let mut options = Options::default();
        change(&mut options);
        options
    };
    let no_rows = "no rows are restored into public.clustering_sync_version";
    for (options, given, expect) in [
        (with(|options| options.selection.schema_only = true), vec![7], Some(no_rows)),
        (with(|options| options.sections.data = false), vec![7], Some(no_rows)),
        (
            with(|options| {
                let tables = vec![Pattern::table("public.services").unwrap()];
                options.selection = Selection { tables, ..Selection::default() };
            }),
            vec![7],
            Some(no_rows),
        ),
        (
            with(|options| options.into = restore::Into::Anew { if_exists: false }),
            vec![],
            Some("the database that is dropped is not looked at"),
        ),
        (with(|options| options.into = restore::Into::Anew { if_exists: false }), vec![7], None),
        (with(|options| options.into = restore::Into::New), vec![], None),
        (with(|_| {}), vec![i64::MAX], Some("does not fit")),
    ] {
        let result = bumped(Some(given), &options, &archived, &Target::default());
        match (result, expect) {
            (Err(text), Some(expect)) => assert!(text.contains(expect), "{text}"),
            (result, expect) => assert_eq!((result.is_ok(), expect), (true, None)),
        }
    }
}

#[test]
fn what_is_to_be_done_for_people_and_for_machines() {
    let closing = || Some(Closing::of(&Info::of(Facts::default())));
    let kong = |closing, sync_version| Kong { schema: "public".into(), closing, sync_version };
    let raised = kong(closing(), Some(1009));
    assert!(raised.lines().unwrap().starts_with(RESTART));
    assert!(raised.lines().unwrap().ends_with("version is 1009 or more"));
    assert!(!kong(closing(), None).lines().unwrap().contains("incremental"));
    assert_eq!(kong(None, None).lines(), None);
    let json = raised.as_json();
    assert_eq!((&json["restart"], &json["sync_version"]), (&json!("every node"), &json!(1009)));
    let without_rows = kong(None, None).as_json();
    assert!(
        ["restart", "next_start", "sync_version"].iter().all(|key| without_rows[*key].is_null())
    );
}
