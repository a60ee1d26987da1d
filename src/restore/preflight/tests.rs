use super::*;
use crate::archive::manifest::testing::{self, grant};
use crate::archive::manifest::{Acl, Object, ObjectId, Source};
use crate::pg::marker::{Later, Run, State};
use crate::restore::options::Sections;
use crate::restore::target::{Extension, Role, Schema};
use crate::sql::render;

fn object(kind: ObjectKind, name: &str, owner: Option<&str>) -> Object {
    Object {
        schema: (kind == ObjectKind::Table).then(|| "public".into()),
        name: name.into(),
        owner: owner.map(Into::into),
        statements: vec!["CREATE".into()],
        ..Object::new(ObjectId(1), kind, format!("OBJECT {name}"))
    }
}

fn source() -> Source {
    Source { server_version: "18.1".into(), server_version_num: 180_001, ..testing::source() }
}

fn target() -> Target {
    let public = Schema {
        owner: "pg_database_owner".into(),
        ours: true,
        creates: true,
        comment: Some("standard public schema".into()),
        creators: ["kong".into()].into(),
        privileges: [(None, "USAGE".into(), false)].into(),
    };
    let us = Role { usage: true, set: true };
    Target {
        version: "18.1".into(),
        version_num: 180_001,
        database: "kong".into(),
        encoding: "UTF8".into(),
        collate: "C".into(),
        ctype: "C".into(),
        user: "kong".into(),
        creates_schemas: true,
        roles: [("kong".into(), us), ("other".into(), Role::default()), ("ours".into(), us)].into(),
        extensions: [(
            "plpgsql".into(),
            Extension { installed: true, superuser: false, ..Extension::default() },
        )]
        .into(),
        schemas: [("public".into(), public)].into(),
        ..Target::default()
    }
}

fn check(objects: &[Object], target: &Target, render: &render::Options, expect: &[&str]) {
    let source = source();
    let found = findings(
        Wanted {
            objects,
            source: &source,
            sections: Sections::ALL,
            render,
            demands_empty: true,
            marks: true,
            cleans: false,
            resumes: false,
        },
        target,
    );
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expect);
}

#[test]
fn a_fitting_target_is_accepted() {
    check(
        &[object(ObjectKind::Table, "t", Some("kong"))],
        &target(),
        &render::Options::default(),
        &[],
    );
}

#[test]
fn all_findings_at_once() {
    let mut taken = target();
    taken.creates_schemas = false;
    taken.occupied = vec!["table public.x".into()];
    taken.occupied_count = 2;
    let mut granted = object(ObjectKind::Table, "t", Some("gone"));
    granted.tablespace = Some("fast".into());
    granted.acl = Some(Acl {
        on: "TABLE t".into(),
        initial: Vec::new(),
        items: vec![
            grant(Some("Reader"), "gone", &["SELECT"]),
            grant(Some("kong"), "other", &["SELECT"]),
        ],
    });
    let objects = [
        granted,
        object(ObjectKind::Table, "u", Some("other")),
        object(ObjectKind::Table, "v", Some("ours")),
        object(ObjectKind::Extension, "pg_trgm", None),
        object(ObjectKind::EventTrigger, "e", Some("kong")),
    ];
    check(
        &objects,
        &taken,
        &render::Options::default(),
        &[
            "the target is not empty, it holds 2 objects: table public.x, … (restore into an empty \
             database, or let -c drop what the archive holds)",
            "role kong may not create schemas in database kong (GRANT CREATE ON DATABASE kong TO \
             kong, or make it the owner)",
            "role gone does not exist; it owns 1 object of the archive (CREATE ROLE gone, or leave \
             owners out with -O)",
            "role kong may not give objects to role other, which owns 1 object of the archive \
             (GRANT other TO kong, or leave owners out with -O)",
            "role ours may not create in schema public, which an owner must (GRANT CREATE ON \
             SCHEMA public TO ours, or leave owners out with -O)",
            "role \"Reader\" does not exist; privileges of the archive name it (CREATE \
             ROLE \"Reader\", or leave privileges out with -x)",
            "role kong may not grant in the name of role other, as the archive's privileges ask \
             (GRANT other TO kong, or leave privileges out with -x)",
            "tablespace fast does not exist (use the default tablespace with --no-tablespaces)",
            "extension pg_trgm is not available on the target's server (install its package there)",
            "OBJECT e can only be created by a superuser (restore as a superuser)",
        ],
    );
    let bare = render::Options {
        no_owner: true,
        no_privileges: true,
        no_tablespaces: true,
        ..render::Options::default()
    };
    check(&objects[..3], &target(), &bare, &[]);
}

#[test]
fn an_unfinished_restore_is_named() {
    let mut marked = target();
    let run = |state| Run {
        archive_id: "7".into(),
        archive_name: "a.sbk".into(),
        options_digest: String::new(),
        state,
        left_digest: None,
        schemas: Vec::new(),
        version: "0.1.0".into(),
        begun: "today".into(),
        archive_root: "8".into(),
        later: Later::default(),
    };
    marked.marker =
        Some(Marker { schema: "silverback_restore".into(), run: Some(run(State::NotReady)) });
    marked.occupied_count = 3;
    let expect = "the target holds an incomplete restore of a.sbk (7), begun today by silverback \
        0.1.0 (schema silverback_restore) \
        (restore again with --resume, which goes on, or with -c, which begins anew, or into a new, \
        empty database)";
    check(&[], &marked, &render::Options::default(), &[expect]);
    marked.marker =
        Some(Marker { schema: "silverback_restore".into(), run: Some(run(State::Ready)) });
    let expect = "the target holds an unfinished restore, which has reported that the database may \
        be used, of a.sbk (7), begun today by \
        silverback 0.1.0 (schema silverback_restore) (run the command of the first time again \
        (--ready-early), which makes what is missing)";
    check(&[], &marked, &render::Options::default(), &[expect]);
}

#[test]
fn unknown_bytes_go_nowhere_else() {
    let check = |from: &str, to: &str, refused: bool| {
        let source = Source { encoding: from.into(), ..source() };
        let target = Target { encoding: to.into(), ..target() };
        let render = render::Options::default();
        let wanted = Wanted {
            objects: &[],
            source: &source,
            sections: Sections::ALL,
            render: &render,
            demands_empty: true,
            marks: true,
            cleans: false,
            resumes: false,
        };
        assert_eq!(findings(wanted, &target).len(), usize::from(refused), "{from} to {to}");
        assert_eq!(warnings(wanted, &target).len(), usize::from(from != to), "{from} to {to}");
    };
    check("SQL_ASCII", "SQL_ASCII", false);
    check("SQL_ASCII", "UTF8", true);
    check("LATIN1", "SQL_ASCII", true);
    check("UTF8", "SQL_ASCII", false);
    check("LATIN1", "UTF8", false);
    check("EUC_JP", "EUC_JP", false);
}
