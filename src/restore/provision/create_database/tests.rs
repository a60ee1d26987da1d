use super::*;
use crate::archive::manifest::{ObjectId, ObjectKind};
use crate::restore::target::{Extension, Role};

fn database() -> Object {
    Object {
        name: "My kong".to_owned(),
        owner: Some("Owner".to_owned()),
        statements: vec![
            "CREATE DATABASE".to_owned(),
            "ALTER DATABASE \"My kong\" SET work_mem = '8MB'".to_owned(),
        ],
        detail: Detail::Database {
            locale_provider: "c".to_owned(),
            encoding: "LATIN1".to_owned(),
            collate: "de_DE".to_owned(),
            ctype: "fr_FR".to_owned(),
            locale: None,
            icu_rules: None,
            connection_limit: -1,
            is_template: false,
        },
        ..Object::new(ObjectId(0), ObjectKind::Database, "DATABASE \"My kong\"")
    }
}

fn target(version_num: u32) -> Target {
    Target {
        version: "X".to_owned(),
        version_num,
        database: "postgres".to_owned(),
        encoding: "UTF8".to_owned(),
        user: "me".to_owned(),
        creates_databases: true,
        ..Target::default()
    }
}

/// Creates with what is changed, and without owners where `no_owner` says so.
fn with<T>(
    change: impl FnOnce(&mut Object),
    (clean, if_exists, no_owner): (bool, bool, bool),
    then: impl FnOnce(&Creation<'_>) -> T,
) -> T {
    let mut database = database();
    change(&mut database);
    let render = render::Options { no_owner, ..render::Options::default() };
    let ends_sessions = false;
    then(&Creation { database: &database, clean, if_exists, ends_sessions, render: &render })
}

fn problems(creation: &Creation<'_>, target: &Target) -> Vec<String> {
    creation.findings(target).into_iter().map(|finding| finding.problem).collect()
}

#[test]
fn what_keeps_it_from_being_made() {
    for (clean, if_exists, owns, expect) in [
        (false, false, None, ""),
        (false, false, Some(true), "database \"My kong\" exists"),
        (true, false, Some(true), ""),
        (true, true, Some(true), ""),
        (true, true, None, ""),
        (true, false, None, "database \"My kong\" does not exist, which -c is to drop"),
        (
            true,
            false,
            Some(false),
            "role me is not the owner of database \"My kong\", which -c is to drop",
        ),
    ] {
        let mut target = target(180_000);
        target.databases.extend(owns.map(|owns| ("My kong".to_owned(), owns)));
        let found = with(|_| (), (clean, if_exists, false), |one| problems(one, &target));
        assert_eq!(found.join("; "), expect, "{clean} {if_exists} {owns:?}");
    }
}

#[test]
fn it_is_not_dropped_by_a_session_in_it() {
    let mut target = target(180_000);
    target.database = "My kong".to_owned();
    target.databases.insert("My kong".to_owned(), true);
    let found = with(|_| (), (true, false, false), |one| problems(one, &target));
    assert_eq!(found, ["the session is in database \"My kong\", which -c is to drop"]);
}

#[test]
fn who_may_not_create_is_told_how() {
    let target = Target { creates_databases: false, user: "A b".to_owned(), ..target(180_000) };
    let found = with(|_| (), (false, false, false), |one| one.findings(&target));
    assert_eq!(
        found[0].to_string(),
        "role \"A b\" may not create databases (ALTER ROLE \"A b\" CREATEDB)"
    );
}

#[test]
fn locale_providers_have_their_servers() {
    for (provider, rules, from) in
        [("c", None, 0), ("i", None, 150_000), ("i", Some("&a < b"), 160_000), ("b", None, 170_000)]
    {
        let change = |object: &mut Object| {
            let Detail::Database { locale_provider, icu_rules, .. } = &mut object.detail else {
                return;
            };
            provider.clone_into(locale_provider);
            *icu_rules = rules.map(str::to_owned);
        };
        for version in [130_000, 149_999, 150_000, 160_000, 169_999, 170_000, 190_000] {
            let found = with(change, (false, false, false), |one| problems(one, &target(version)));
            assert_eq!(found.len(), usize::from(version < from), "{provider} {version}: {found:?}");
        }
    }
}

#[test]
fn the_new_database_is_foreseen() {
    let mut old = target(180_000);
    old.occupied = vec!["public.t".to_owned()];
    old.occupied_count = 1;
    old.schemas.insert("public".to_owned(), Schema { owner: "x".to_owned(), ..Schema::default() });
    old.schemas.insert("other".to_owned(), Schema::default());
    let installed = Extension { installed: true, superuser: true, ..Extension::default() };
    old.extensions.insert("postgis".to_owned(), installed);
    old.extensions.insert("plpgsql".to_owned(), Extension::default());
    let new = with(|_| (), (false, false, false), |one| one.foresee(&old));
    assert_eq!((new.database.as_str(), new.encoding.as_str()), ("My kong", "LATIN1"));
    assert_eq!((new.collate.as_str(), new.ctype.as_str()), ("de_DE", "fr_FR"));
    assert!(new.creates_schemas && new.occupied.is_empty() && new.occupied_count == 0);
    assert!(!new.extensions["postgis"].installed && new.extensions["plpgsql"].installed);
    assert_eq!(new.schemas.len(), 1);
    assert_eq!(new.user, "me");
}

#[test]
fn public_is_its_servers() {
    let privileges = |schema: &Schema| {
        let told = schema.privileges.iter().map(|(grantee, privilege, _)| {
            format!("{} {privilege}", grantee.as_deref().unwrap_or("PUBLIC"))
        });
        told.collect::<Vec<_>>().join(", ")
    };
    let public = |version, no_owner| {
        let mut old = target(version);
        old.roles.insert("x".to_owned(), Role::default());
        let boss = Schema { owner: "boss".to_owned(), ..Schema::default() };
        old.schemas.insert("public".to_owned(), boss);
        with(|_| (), (false, false, no_owner), |one| one.foresee(&old)).schemas["public"].clone()
    };
    let creators = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let old = public(149_999, false);
    assert_eq!(
        privileges(&old),
        "PUBLIC CREATE, PUBLIC USAGE, boss CREATE, boss USAGE",
        "everybody may create in it"
    );
    assert_eq!((old.owner.as_str(), old.ours, old.creators), ("boss", false, creators(&["x"])));
    let new = public(150_000, false);
    assert_eq!(privileges(&new), "PUBLIC USAGE, pg_database_owner CREATE, pg_database_owner USAGE");
    assert_eq!((new.owner.as_str(), new.ours), ("pg_database_owner", true));
    assert_eq!(new.creators, creators(&["Owner", "me"]));
    assert_eq!(public(150_000, true).creators, creators(&["me"]));
}

fn sql(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| step.sql.as_str()).collect()
}

#[test]
fn it_is_dropped_made_given_away_and_set() {
    let create = "CREATE DATABASE \"My kong\" WITH TEMPLATE = template0 ENCODING = 'LATIN1' \
                  LOCALE_PROVIDER = libc LC_COLLATE = 'de_DE' LC_CTYPE = 'fr_FR'";
    let owner = "ALTER DATABASE \"My kong\" OWNER TO \"Owner\"";
    let set = "ALTER DATABASE \"My kong\" SET work_mem = '8MB'";
    for (how, expect) in [
        ((false, false, false), &[create, owner, set][..]),
        ((false, false, true), &[create, set]),
        ((true, false, true), &["DROP DATABASE \"My kong\"", create, set]),
        ((true, true, true), &["DROP DATABASE IF EXISTS \"My kong\"", create, set]),
    ] {
        let steps = with(|_| (), how, |one| one.steps(&target(180_000)));
        assert_eq!(sql(&steps), expect, "{how:?}");
        assert!(steps.iter().all(|step| step.doing.contains("database \"My kong\"")));
    }
}

fn set_template(object: &mut Object) {
    if let Detail::Database { is_template, connection_limit, .. } = &mut object.detail {
        (*is_template, *connection_limit) = (true, 7);
    }
}

#[test]
fn a_template_that_stands_is_none_before_it_is_dropped() {
    let mut target = target(180_000);
    let first = |target: &Target| {
        with(set_template, (true, true, true), |one| one.steps(target)).swap_remove(0).sql
    };
    assert_eq!(first(&target), "DROP DATABASE IF EXISTS \"My kong\"");
    target.databases.insert("My kong".to_owned(), true);
    assert_eq!(first(&target), "ALTER DATABASE \"My kong\" IS_TEMPLATE false");
}

#[test]
fn what_would_keep_sessions_out_comes_last() {
    let finished = |change: fn(&mut Object)| {
        with(change, (false, false, false), |one| finish(one.database, one.render))
    };
    assert_eq!(sql(&finished(|_| ())), Vec::<&str>::new());
    assert_eq!(
        sql(&finished(set_template)),
        [
            "ALTER DATABASE \"My kong\" CONNECTION LIMIT 7",
            "ALTER DATABASE \"My kong\" IS_TEMPLATE true",
        ]
    );
}

#[test]
fn an_error_after_it_was_made_says_so() {
    let error = || Error::new(Kind::Unexpected, "set", "it failed");
    let made = explain(error(), "A b", true);
    assert_eq!(made.kind(), Kind::Requirement);
    assert!(made.hint_text().is_some_and(|hint| hint.starts_with("database \"A b\" was made")));
    let not_made = explain(error(), "A b", false);
    assert_eq!((not_made.kind(), not_made.hint_text()), (Kind::Requirement, None));
    let of_server = explain(Error::new(Kind::Server, "set", "it failed"), "A b", false);
    assert_eq!(of_server.kind(), Kind::Server);
}
