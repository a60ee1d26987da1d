//! Each situation from facts.

use super::guard::owner;
use super::source::Work;
use super::target::Into;
use super::*;
use crate::kong::info::facts::{Lock, Rows, Session, Subsystem, Table};
use crate::kong::info::{Facts, Info};

fn subsystem(name: &str, last: &str, pending: &[&str]) -> Subsystem {
    Subsystem {
        name: name.into(),
        last_executed: Some(last.into()),
        executed: vec![last.into()],
        pending: pending.iter().map(|&name| name.into()).collect(),
    }
}

fn table(name: &str, rows: Rows) -> Table {
    Table { name: name.into(), rows, bytes: 0, expired: None }
}

fn lock(key: &str, owner: &str, until: Option<i64>) -> Lock {
    Lock { key: key.into(), owner: owner.into(), until }
}

/// A Kong in which nothing is dangerous, with changes. The moment is 1000 µs.
fn info(change: impl FnOnce(&mut Facts)) -> Info {
    let mut facts = Facts {
        schema: "public".into(),
        now: 1000,
        subsystems: vec![subsystem("core", "022_350_to_360", &[])],
        tables: vec![table("services", Rows::Exact(3))],
        workspaces: vec!["default".into()],
        ..Facts::default()
    };
    change(&mut facts);
    Info::of(facts)
}

fn situations(guards: &[Guard]) -> Vec<Situation> {
    guards.iter().map(|guard| guard.situation).collect()
}

/// What is found in a source, all of which is meant, when it is dumped and when it is restored.
#[track_caller]
fn source_has(change: impl FnOnce(&mut Facts), expect: &[(Situation, &str, &str)]) {
    let info = info(change);
    for work in [Work::Dump, Work::Restore] {
        let found = source::judge(work, &info, |_| true);
        let wanted: Vec<Situation> = expect.iter().map(|(situation, ..)| *situation).collect();
        assert_eq!(situations(&found), wanted, "{work:?}");
        for (guard, (_, dumped, restored)) in found.iter().zip(expect) {
            let words = if work == Work::Dump { dumped } else { restored };
            assert!(guard.line().contains(words), "{work:?}: {}", guard.line());
        }
    }
}

#[test]
fn a_source_where_nothing_is_the_matter() {
    source_has(|_| {}, &[]);
    source_has(|facts| facts.tables.push(table("keyring_meta", Rows::Exact(0))), &[]);
    source_has(|facts| facts.tables.push(table("keyring_keys", Rows::Unknown)), &[]);
    source_has(|facts| facts.locks.push(lock("migrations", "n1", Some(1000))), &[]);
    source_has(|facts| facts.locks.push(lock("other", "n1", Some(9000))), &[]);
    let ours = "silverback dump 0198";
    source_has(|facts| facts.locks.push(lock("migrations", ours, Some(9000))), &[]);
}

#[test]
fn what_is_dangerous_about_a_source() {
    use Situation::{HalfMigratedSource, Keyring, LockedSource};
    source_has(
        |facts| facts.subsystems[0].pending.push("023_360_to_370".into()),
        &[(HalfMigratedSource, "the source is half migrated", "finish after the restore")],
    );
    source_has(
        |facts| facts.locks.push(lock("migrations", "n1", Some(9000))),
        &[(LockedSource, "--hold-migrations", "when the archive was made, node n1 holds")],
    );
    for name in ["keyring_meta", "keyring_keys"] {
        for rows in [Rows::Exact(1), Rows::Estimate(7)] {
            source_has(
                |facts| facts.tables.push(table(name, rows)),
                &[(Keyring, "there is a keyring", "POST /keyring/export")],
            );
        }
    }
    let all = |facts: &mut Facts| {
        facts.subsystems[0].pending.push("023_360_to_370".into());
        facts.locks.push(lock("migrations", "n1", Some(9000)));
        facts.tables.push(table("keyring_keys", Rows::Exact(1)));
        facts.subsystems.push(subsystem("acl", "004_212_to_213", &[]));
    };
    source_has(
        all,
        &[
            (HalfMigratedSource, "the source", "the archive"),
            (LockedSource, "n1", "n1"),
            (Keyring, "keyring", "keyring"),
            (Situation::PluginTables, "acls is not in the dump", "acls is not in what is restored"),
        ],
    );
}

#[test]
fn tables_that_a_plugins_migrations_have_made() {
    let missing = |plugins: &[&str], tables: &[&str], left_out: &str| {
        let info = info(|facts| {
            facts.subsystems.extend(plugins.iter().map(|name| subsystem(name, "000_base", &[])));
            facts.tables.extend(tables.iter().map(|name| table(name, Rows::Unknown)));
        });
        let found = source::judge(Work::Restore, &info, |table| table != left_out);
        // Enterprise's may have a keyring.
        let found = found.into_iter().filter(|guard| guard.situation != Situation::Keyring);
        found.map(|guard| (guard.situation, guard.problem)).collect::<Vec<_>>()
    };
    for (plugins, tables, left_out, expect) in [
        (&["acl"][..], &["acls"][..], "", &[][..]),
        (&["acl"], &["acls"], "acls", &["plugin acl have run, but its table acls is not"]),
        (
            &["oauth2"],
            &["oauth2_credentials"],
            "",
            &["table oauth2_authorization_codes, oauth2_tokens is not"],
        ),
        (&["jwt", "session"], &[], "", &["table jwt_secrets is", "table sessions is"]),
        // Without tables, or Enterprise's.
        (&["ai-proxy", "http-log", "enterprise", "enterprise.acl"], &[], "", &[]),
        (&["ours", "mine"], &[], "", &["not Kong's own (mine, ours), but"]),
        (&["ours"], &["ours_rows"], "", &[]),
        (&["ours"], &["ours_rows"], "ours_rows", &["not Kong's own (ours)"]),
    ] {
        let found = missing(plugins, tables, left_out);
        assert_eq!(found.len(), expect.len(), "{plugins:?}: {found:?}");
        for ((situation, problem), words) in found.iter().zip(expect) {
            assert_eq!(*situation, Situation::PluginTables);
            assert!(problem.contains(words), "{problem}");
        }
    }
}

#[test]
fn whose_lock_and_until_when() {
    let held = |locks: &[Lock]| {
        let facts = Facts { locks: locks.to_vec(), now: 1000, ..Facts::default() };
        facts.migrations_lock().map(owner)
    };
    assert_eq!(held(&[]), None);
    let endless = lock("migrations", "n1", None);
    assert!(held(&[endless]).unwrap().ends_with("for ever"), "Kong has no room beside it");
    assert_eq!(held(&[lock("migrations", "n1", Some(1000))]), None, "it has just ended");
    assert_eq!(
        held(&[
            lock("else", "n0", Some(9000)),
            lock("migrations", "n1", Some(1)),
            lock("migrations", "n2", Some(1_700_000_000_000_000)),
        ])
        .as_deref(),
        Some("node n2 holds Kong's lock for migrations until 2023-11-14T22:13:20Z")
    );
    assert!(
        held(&[lock("migrations", "n1", Some(i64::MAX))]).unwrap().ends_with("for ever"),
        "beyond what a calendar has"
    );
}

/// What is found in a target of a change, by what is done to it: as it is, rows, cleaned, replaced.
#[track_caller]
fn target_has(change: impl FnOnce(&mut Facts), used: &[&str], expect: [&[Situation]; 4]) {
    let (source, target) = (info(|_| {}), info(change));
    let used: Vec<String> = used.iter().map(|&sign| sign.to_owned()).collect();
    for (into, expect) in
        [Into::AsItIs, Into::Rows, Into::Cleaned, Into::Replaced].into_iter().zip(expect)
    {
        let found = target::judge(into, &source, &target, &used);
        assert_eq!(situations(&found), expect, "{into:?}");
        assert!(found.iter().all(|guard| !guard.next.is_empty() && !guard.problem.is_empty()));
    }
}

#[test]
fn what_is_dangerous_about_a_target() {
    use Situation::{
        Bootstrapped, Connected, HalfMigratedTarget, LockedTarget, NewerRows, OlderRows, Used,
    };
    target_has(|_| {}, &[], [&[Bootstrapped], &[], &[], &[]]);
    target_has(|_| {}, &["workspace x"], [&[Used], &[], &[], &[Used]]);
    target_has(
        |facts| facts.subsystems[0].pending.push("022_350_to_360".into()),
        &["pending"],
        [&[HalfMigratedTarget]; 4],
    );
    target_has(
        |facts| facts.locks.push(lock("migrations", "n1", Some(1001))),
        &[],
        [&[LockedTarget, Bootstrapped], &[LockedTarget], &[LockedTarget], &[LockedTarget]],
    );
    target_has(
        |facts| facts.locks.push(lock("migrations", "n1", None)),
        &[],
        [&[LockedTarget, Bootstrapped], &[LockedTarget], &[LockedTarget], &[LockedTarget]],
    );
    let session = Session {
        pid: 7,
        role: "kong".into(),
        application: String::new(),
        address: Some("10.0.0.1".into()),
    };
    target_has(
        |facts| facts.sessions = Some(vec![session]),
        &[],
        [&[Connected, Bootstrapped], &[Connected], &[Connected], &[Connected]],
    );
    target_has(|facts| facts.sessions = Some(vec![]), &[], [&[Bootstrapped], &[], &[], &[]]);
    // Of another version, rows alone are dangerous.
    for (last, expect) in [("021_340_to_350", NewerRows), ("023_360_to_370", OlderRows)] {
        target_has(
            |facts| facts.subsystems[0] = subsystem("core", last, &[]),
            &[],
            [&[Bootstrapped], &[expect], &[], &[]],
        );
    }
}

#[test]
fn five_nodes_are_named() {
    let problem = |count: i32| {
        let session = |pid| Session {
            pid,
            role: "kong".into(),
            application: "x".into(),
            address: (pid == 1).then(|| "10.0.0.1".into()),
        };
        let target = info(|facts| facts.sessions = Some((1..=count).map(session).collect()));
        target::judge(Into::Cleaned, &info(|_| {}), &target, &[]).remove(0).problem
    };
    assert!(problem(2).contains(
        ": server process 1 of role kong from 10.0.0.1, server process 2 of role kong; they"
    ));
    assert!(problem(5).contains("process 5 of role kong; they"));
    assert!(problem(6).contains("process 5 of role kong, …; they") && !problem(6).contains("ss 6"));
}

#[test]
fn what_is_said_of_versions_names_both() {
    let target = info(|facts| facts.subsystems[0] = subsystem("core", "021_340_to_350", &[]));
    let guard = target::judge(Into::Rows, &info(|_| {}), &target, &[]).remove(0);
    assert!(guard.problem.contains("(core 022_350_to_360)"), "{}", guard.problem);
    assert!(guard.problem.contains("(core 021_340_to_350)"), "{}", guard.problem);
    assert_eq!(guard.line(), format!("{} ({})", guard.problem, guard.next));
}

#[test]
fn a_lock_without_an_end_is_to_be_deleted() {
    let endless = |facts: &mut Facts| facts.locks.push(lock("migrations", "n1", None));
    let target = info(endless);
    let guard = target::judge(Into::Cleaned, &info(|_| {}), &target, &[]).remove(0);
    assert!(guard.line().contains("for ever") && guard.next.contains("delete that row"));
    assert!(guard.next.ends_with("--kong-ignore locked goes past"), "{}", guard.next);
    let guard = source::judge(Work::Dump, &target, |_| true).remove(0);
    assert!(guard.next.contains("delete that row"), "{}", guard.next);
}

#[test]
fn rows_of_plugins_whose_tables_the_target_lacks() {
    let with = |tables: &[(&str, u64)]| {
        info(|facts| {
            let all = tables.iter().map(|(name, rows)| table(name, Rows::Exact(*rows)));
            facts.tables.extend(all);
        })
    };
    let source = with(&[("acls", 3), ("sessions", 0), ("oauth2_tokens", 2), ("ours", 9)]);
    let lines = |target: &Info, is_meant: fn(&str) -> bool| {
        let guards = rows_without_table(&source, target, is_meant);
        assert!(guards.iter().all(|guard| guard.situation == Situation::PluginTables));
        guards.iter().map(Guard::line).collect::<Vec<_>>()
    };
    let found = lines(&with(&[]), |_| true);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("3 rows of acls, a table of plugin acl, which the target has not"));
    assert!(found[0].ends_with("leave it out: -T acls)"), "{found:?}");
    assert!(found[1].contains("2 rows of oauth2_tokens, a table of plugin oauth2"), "{found:?}");
    assert_eq!(lines(&with(&[("acls", 0)]), |_| true).len(), 1);
    assert_eq!(lines(&with(&[]), |table| table != "acls").len(), 1);
}

#[test]
fn one_of_several_schemas_is_named() {
    let guard = Guard::new(Situation::Keyring, "problem", "next").in_schema("Gate way");
    assert_eq!(guard.line(), "schema \"Gate way\": problem (next)");
}
