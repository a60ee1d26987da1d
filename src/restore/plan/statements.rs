//! An object's statements as steps: what makes it, and what is said of it afterwards.

use crate::archive::manifest::{Detail, Object, ObjectKind};
use crate::restore::step::Step;
use crate::sql::{ident, render};

/// The steps that make an object and give it to its owner, so that what follows finds it as it will
/// be.
pub(in crate::restore) fn create(object: &Object, options: &render::Options) -> Vec<Step> {
    let doing = format!("create {}", object.identity);
    let made = render::in_tablespace(object, options, object.statements.clone())
        .into_iter()
        .map(|sql| Step::new(&doing, sql));
    let first = object.statements.first();
    let made = made.map(|step| {
        if Some(&step.sql) == first { step.making(object.id) } else { step.of(object.id) }
    });
    let owned = if object.kind == ObjectKind::DefaultAcl {
        Vec::new()
    } else {
        render::owner_statements(object, options)
    };
    let role = ident::quote(object.owner.as_deref().unwrap_or_default());
    let owned = owned
        .into_iter()
        .map(|sql| Step::new(format!("give {} to {role}", object.identity), sql).of(object.id));
    made.chain(owned).collect()
}

/// Privileges, comments and security labels.
pub(in crate::restore) fn describe(object: &Object, options: &render::Options) -> Vec<Step> {
    let steps = |doing: &str, statements: Vec<String>| {
        let doing = format!("{doing} {}", object.identity);
        statements.into_iter().map(move |sql| Step::new(&doing, sql).of(object.id))
    };
    steps("set the privileges of", render::acl_statements(object, options))
        .chain(steps("comment on", render::comment_statements(object, options)))
        .chain(steps("label", render::label_statements(object, options)))
        .collect()
}

/// One statement of an object, in the object's tablespace.
pub(in crate::restore) fn in_tablespace(
    object: &Object,
    options: &render::Options,
    step: Step,
) -> Vec<Step> {
    let first = step.clone();
    let steps = render::in_tablespace(object, options, vec![step.sql])
        .into_iter()
        .map(|sql| Step { sql, ..first.clone() });
    steps
        .map(|step| if step.sql == first.sql { step.making(object.id) } else { step.of(object.id) })
        .collect()
}

/// `schema.name`, quoted.
pub(in crate::restore) fn qualified(object: &Object) -> String {
    match &object.schema {
        Some(schema) => ident::qualified(schema, &object.name),
        None => ident::quote(&object.name),
    }
}

pub(in crate::restore) fn is_built(object: &Object) -> bool {
    matches!(object.detail, Detail::Key { .. } | Detail::Index { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::testing::grant;
    use crate::archive::manifest::{Acl, Comment, ObjectId, SecurityLabel};
    use crate::restore::plan::graph::Work;
    use crate::restore::plan::on_extensions;

    fn table() -> Object {
        let items = vec![grant(Some("ro"), "Own", &["SELECT"])];
        let on = "TABLE s.t".to_owned();
        Object {
            schema: Some("s".into()),
            name: "t".into(),
            owner: Some("Own".into()),
            tablespace: Some("fast".into()),
            acl: Some(Acl { on: on.clone(), initial: vec![], items }),
            comments: vec![Comment { on: on.clone(), text: "it".into() }],
            security_labels: vec![SecurityLabel { on, provider: "p".into(), label: "l".into() }],
            statements: vec!["CREATE TABLE s.t ()".into(), "ALTER TABLE s.t SET x".into()],
            ..Object::new(ObjectId(4), ObjectKind::Table, "TABLE s.t")
        }
    }

    /// Each step: what it does, its statement, whether it makes the object.
    fn told(steps: &[Step]) -> Vec<(&str, &str, bool)> {
        assert!(steps.iter().all(|step| step.of == Some(ObjectId(4))), "{steps:?}");
        steps.iter().map(|step| (&*step.doing, &*step.sql, step.makes)).collect()
    }

    #[test]
    fn an_object_is_made_in_its_tablespace_and_given_to_its_owner() {
        let doing = "create TABLE s.t";
        let made = ("create TABLE s.t", "CREATE TABLE s.t ()", true);
        let altered = (doing, "ALTER TABLE s.t SET x", false);
        let owned = ("give TABLE s.t to \"Own\"", "ALTER TABLE s.t OWNER TO \"Own\"", false);
        let inside = (doing, "SET default_tablespace = fast", false);
        let outside = (doing, "SET default_tablespace = ''", false);
        let all = render::Options::default();
        let no_tablespaces = render::Options { no_tablespaces: true, ..all.clone() };
        let neither = render::Options { no_owner: true, ..no_tablespaces.clone() };
        let create = |options| create(&table(), options);
        assert_eq!(told(&create(&all)), [inside, made, altered, outside, owned]);
        assert_eq!(told(&create(&no_tablespaces)), [made, altered, owned]);
        assert_eq!(told(&create(&neither)), [made, altered]);
        let default = Object { kind: ObjectKind::DefaultAcl, statements: vec![], ..table() };
        assert_eq!(super::create(&default, &all), [], "they have no owner of their own");
    }

    #[test]
    fn privileges_comments_and_labels_are_left_out_one_by_one() {
        let all = render::Options::default();
        let doing = |options: &render::Options| {
            let steps = describe(&table(), options);
            assert!(told(&steps).iter().all(|(.., makes)| !makes));
            let mut doing: Vec<String> = steps.into_iter().map(|step| step.doing).collect();
            doing.dedup();
            doing.join(", ")
        };
        let (acl, comment, label) =
            ("set the privileges of TABLE s.t", "comment on TABLE s.t", "label TABLE s.t");
        for (options, expect) in [
            (all.clone(), vec![acl, comment, label]),
            (render::Options { no_privileges: true, ..all.clone() }, vec![comment, label]),
            (render::Options { no_comments: true, ..all.clone() }, vec![acl, label]),
            (render::Options { no_security_labels: true, ..all.clone() }, vec![acl, comment]),
        ] {
            assert_eq!(doing(&options), expect.join(", "));
        }
    }

    #[test]
    fn one_statement_in_the_tablespace_makes_the_object() {
        let step = Step::new("build it", "CREATE INDEX");
        let options = render::Options::default();
        let steps = in_tablespace(&table(), &options, step.clone());
        assert_eq!(told(&steps).iter().map(|one| one.2).collect::<Vec<_>>(), [false, true, false]);
        assert!(steps.iter().all(|step| step.doing == "build it"));
        let plain = Object { tablespace: None, ..table() };
        assert_eq!(in_tablespace(&plain, &options, step.clone()), [step.making(ObjectId(4))]);
    }

    #[test]
    fn names_are_quoted_and_qualified_where_they_have_a_schema() {
        for (schema, name, expect) in
            [(Some("s"), "t", "s.t"), (Some("S"), "a b", "\"S\".\"a b\""), (None, "Pub", "\"Pub\"")]
        {
            let object = Object { schema: schema.map(Into::into), name: name.into(), ..table() };
            assert_eq!(qualified(&object), expect);
        }
        assert!(!is_built(&table()));
    }

    #[test]
    fn what_stands_on_an_extension_is_made_unless_it_stands() {
        let bare = render::Options {
            no_owner: true,
            no_privileges: true,
            no_comments: true,
            no_security_labels: true,
            ..render::Options::default()
        };
        let all = render::Options::default();
        let on = Object { extension: Some("e".into()), ..table() };
        let privileges = Object { statements: vec![], owner: None, ..on.clone() };
        let of_none = table();
        let works = |objects: &[&Object], options| match on_extensions::work(
            objects.iter().copied(),
            options,
        ) {
            Some(Work::OnExtensions(all)) => all,
            Some(other) => panic!("{other:?}"),
            None => Vec::new(),
        };
        let made = works(&[&on, &of_none, &privileges], &all);
        let told: Vec<_> = made.iter().map(|one| (&*one.extension, one.unless_standing)).collect();
        assert_eq!(told, [("e", true), ("e", false)], "privileges are set in any case");
        assert_eq!((made[0].kind, &*made[0].identity), (ObjectKind::Table, "TABLE s.t"));
        assert_eq!(made[0].steps.len(), 8, "{:?}", made[0].steps);
        assert_eq!(works(&[&privileges], &bare), [], "nothing is to be done");
        assert_eq!(works(&[&on], &bare)[0].steps.len(), 4, "two statements in a tablespace");
        assert_eq!(works(&[], &all), []);
    }
}
