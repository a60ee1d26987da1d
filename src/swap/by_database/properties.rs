//! What a database is beside what is in it: owner, settings, privileges, comment, limit. What makes
//! one database like another. Pure, on what the catalog says of both.

use std::collections::BTreeSet;

use crate::archive::manifest::{Acl, Detail, Grant, Object};
use crate::restore::step::Step;
use crate::sql::{ident, render};

/// The statements that make a database what another one is; both are described under one name.
/// `role`: whose place the session has taken.
pub(super) fn steps(wanted: &Object, has: &Object, role: Option<&str>) -> Vec<Step> {
    let plain = render::Options { role: role.map(str::to_owned), ..render::Options::default() };
    let on = &has.identity;
    let mut steps = Vec::new();
    let mut add = |doing: &str, sql: Vec<String>| {
        steps.extend(sql.into_iter().map(|sql| Step::new(format!("{doing} {on}"), sql)));
    };
    if wanted.owner != has.owner {
        add("set the owner of", render::owner_statements(wanted, &plain));
    }
    add("set what sessions begin with in", settings(wanted, has));
    if grants(wanted) != owned_by(grants(has), has, wanted) {
        let acl = Acl {
            on: on.clone(),
            initial: owned_by(grants(has), has, wanted),
            items: grants(wanted),
        };
        let object = Object { acl: Some(acl), ..wanted.clone() };
        add("set the privileges of", render::acl_statements(&object, &plain));
    }
    if wanted.comments != has.comments {
        let comments = render::comment_statements(wanted, &plain);
        let none = || vec![format!("COMMENT ON {on} IS NULL")];
        add("comment on", if comments.is_empty() { none() } else { comments });
    }
    if wanted.security_labels != has.security_labels {
        let gone = has.security_labels.iter().map(|label| {
            format!("SECURITY LABEL FOR {} ON {on} IS NULL", ident::quote(&label.provider))
        });
        add("label", gone.chain(render::label_statements(wanted, &plain)).collect());
    }
    let (limits, templates) = (properties(wanted), properties(has));
    if limits.0 != templates.0 {
        add("set the limit of", vec![format!("ALTER {on} CONNECTION LIMIT {}", limits.0)]);
    }
    if limits.1 != templates.1 {
        add("set the properties of", vec![format!("ALTER {on} IS_TEMPLATE {}", limits.1)]);
    }
    steps
}

/// What still differs, and what no statement changes, in words.
pub(super) fn differences(wanted: &Object, has: &Object) -> Vec<String> {
    let steps = steps(wanted, has, None).into_iter();
    let words = steps.map(|step| format!("this role cannot make the copy alike: {}", step.sql));
    words.chain(locale(wanted, has)).collect()
}

/// How the texts of both are stored and sorted, if that differs.
pub(super) fn locale(wanted: &Object, has: &Object) -> Option<String> {
    let words = |object: &Object| match &object.detail {
        Detail::Database {
            locale_provider, encoding, collate, ctype, locale, icu_rules, ..
        } => [
            Some(encoding.clone()),
            Some(collate.clone()),
            Some(ctype.clone()),
            Some(locale_provider.clone()),
            locale.clone(),
            icu_rules.clone(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", "),
        _ => String::new(),
    };
    let (wanted, has) = (words(wanted), words(has));
    (wanted != has)
        .then(|| format!("the live database has the locale {wanted}, the other one {has}"))
}

/// The connection limit, and whether it is a template.
fn properties(object: &Object) -> (i32, bool) {
    match object.detail {
        Detail::Database { connection_limit, is_template, .. } => (connection_limit, is_template),
        _ => (-1, false),
    }
}

/// Whoever sets all anew, clears all first.
fn settings(wanted: &Object, has: &Object) -> Vec<String> {
    let on = &has.identity;
    let of_roles: BTreeSet<&String> = wanted.roles.iter().chain(&has.roles).collect();
    let whose = std::iter::once(format!("ALTER {on}"))
        .chain(of_roles.iter().map(|role| format!("ALTER ROLE {} IN {on}", ident::quote(role))));
    let mut sql = Vec::new();
    for whose in whose {
        let of = |object: &Object| -> Vec<String> {
            let prefix = format!("{whose} SET ");
            // The first makes the database.
            let settings = object.statements.iter().skip(1);
            settings.filter(|sql| sql.starts_with(&prefix)).cloned().collect()
        };
        let (wanted, has) = (of(wanted), of(has));
        if wanted == has {
            continue;
        }
        if !has.is_empty() {
            sql.push(format!("{whose} RESET ALL"));
        }
        sql.extend(wanted);
    }
    sql
}

fn grants(object: &Object) -> Vec<Grant> {
    let mut grants = object.acl.as_ref().map(|acl| acl.items.clone()).unwrap_or_default();
    for grant in &mut grants {
        grant.privileges.sort();
    }
    grants.sort();
    grants
}

/// What these are when the database is given to the other's owner.
fn owned_by(grants: Vec<Grant>, has: &Object, wanted: &Object) -> Vec<Grant> {
    let (Some(old), Some(new)) = (&has.owner, &wanted.owner) else { return grants };
    let renamed = |role: &str| if role == old { new.clone() } else { role.to_owned() };
    let mut grants: Vec<Grant> = grants
        .into_iter()
        .map(|grant| Grant {
            grantee: grant.grantee.as_deref().map(renamed),
            grantor: renamed(&grant.grantor),
            ..grant
        })
        .collect();
    grants.sort();
    grants
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::{Comment, ObjectId, ObjectKind};

    fn database(owner: &str) -> Object {
        let grant = |grantee: Option<&str>, privileges: &[&str]| Grant {
            column: None,
            grantee: grantee.map(str::to_owned),
            grantor: owner.to_owned(),
            privileges: privileges.iter().map(|&word| word.to_owned()).collect(),
            grantable: false,
        };
        let on = "DATABASE kong_staged".to_owned();
        Object {
            name: "kong_staged".to_owned(),
            owner: Some(owner.to_owned()),
            statements: vec!["CREATE DATABASE kong_staged".to_owned()],
            acl: Some(Acl {
                on: on.clone(),
                initial: Vec::new(),
                items: vec![
                    grant(None, &["TEMPORARY", "CONNECT"]),
                    grant(Some(owner), &["CREATE", "TEMPORARY", "CONNECT"]),
                ],
            }),
            detail: Detail::Database {
                locale_provider: "c".to_owned(),
                encoding: "UTF8".to_owned(),
                collate: "C".to_owned(),
                ctype: "C".to_owned(),
                locale: None,
                icu_rules: None,
                connection_limit: -1,
                is_template: false,
            },
            ..Object::new(ObjectId(0), ObjectKind::Database, on)
        }
    }

    fn sql(wanted: &Object, has: &Object) -> Vec<String> {
        steps(wanted, has, None).into_iter().map(|step| step.sql).collect()
    }

    #[test]
    fn what_is_alike_needs_nothing() {
        assert_eq!(sql(&database("kong"), &database("kong")), Vec::<String>::new());
        assert_eq!(differences(&database("kong"), &database("kong")), Vec::<String>::new());
    }

    #[test]
    fn what_differs_is_set_and_what_is_too_much_is_cleared() {
        let mut wanted = database("kong");
        wanted.statements.extend([
            "ALTER DATABASE kong_staged SET work_mem TO '8MB'".to_owned(),
            "ALTER ROLE app IN DATABASE kong_staged SET work_mem TO '9MB'".to_owned(),
        ]);
        wanted.roles = vec!["app".to_owned()];
        wanted.acl.as_mut().expect("it has some").items.remove(0);
        let comment = |text: &str| Comment { on: wanted.identity.clone(), text: text.to_owned() };
        let mut has = database("postgres");
        has.statements.push("ALTER DATABASE kong_staged SET jit TO 'off'".to_owned());
        has.comments = vec![comment("old")];
        if let Detail::Database { connection_limit, .. } = &mut has.detail {
            *connection_limit = 5;
        }
        assert_eq!(
            sql(&wanted, &has),
            [
                "ALTER DATABASE kong_staged OWNER TO kong",
                "ALTER DATABASE kong_staged RESET ALL",
                "ALTER DATABASE kong_staged SET work_mem TO '8MB'",
                "ALTER ROLE app IN DATABASE kong_staged SET work_mem TO '9MB'",
                "REVOKE CONNECT, TEMPORARY ON DATABASE kong_staged FROM PUBLIC",
                "COMMENT ON DATABASE kong_staged IS NULL",
                "ALTER DATABASE kong_staged CONNECTION LIMIT -1",
            ]
        );
    }

    #[test]
    fn another_locale_is_told() {
        let (wanted, mut has) = (database("kong"), database("kong"));
        if let Detail::Database { collate, .. } = &mut has.detail {
            "de_DE.UTF-8".clone_into(collate);
        }
        assert_eq!(
            differences(&wanted, &has),
            [
                "the live database has the locale UTF8, C, C, c, the other one UTF8, de_DE.UTF-8, C, c"
            ]
        );
    }
}
