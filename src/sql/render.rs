//! From objects to statements: what makes an object or a database, who owns it, who may use it and
//! in which order that is granted, what is said of it.
//!
//! Pure: knows the manifest and the rules of SQL, no server. Every string it returns is one
//! statement.

use std::collections::{BTreeSet, HashMap};
use std::iter::{empty, once};

use super::ident;
use crate::archive::manifest::{Acl, Detail, Grant, Object, ObjectKind};

/// What to leave out, and as whom the statements run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// No `ALTER … OWNER TO`.
    pub no_owner: bool,
    /// No `GRANT`, `REVOKE`, `ALTER DEFAULT PRIVILEGES`.
    pub no_privileges: bool,
    /// No `COMMENT ON`.
    pub no_comments: bool,
    /// No `SECURITY LABEL`.
    pub no_security_labels: bool,
    /// No tablespace but the database's default.
    pub no_tablespaces: bool,
    /// The role that the session has taken by `SET ROLE`, to come back to after granting as
    /// somebody else.
    pub role: Option<String>,
}

/// All of an object in order: made, owned, granted, commented, labelled; each statement when it is
/// asked for, for there may be very many.
///
/// A restore that loads rows in between grants last instead (see [`acl_statements`]): an owner may
/// have revoked his own privileges.
pub fn statements<'a>(
    object: &'a Object,
    options: &'a Options,
) -> impl Iterator<Item = String> + 'a {
    let made = in_tablespace(object, options, object.statements.clone());
    let said = once_asked(|| acl_statements(object, options))
        .chain(comments(object, options))
        .chain(labels(object, options));
    made.into_iter().chain(owners(object, options)).chain(said)
}

/// What is made when the first of it is asked for.
fn once_asked(make: impl FnOnce() -> Vec<String>) -> impl Iterator<Item = String> {
    once(make).flat_map(|make| make())
}

/// Renders what makes a database under its own name. The tablespace is the object's; a server that
/// knows no locale providers is not told of one.
pub fn create_database(object: &Object, options: &Options, server_version: u32) -> String {
    let mut sql =
        format!("CREATE DATABASE {} WITH TEMPLATE = template0", ident::quote(&object.name));
    if let Detail::Database {
        locale_provider, encoding, collate, ctype, locale, icu_rules, ..
    } = &object.detail
    {
        let mut add = |word: &str, value: &str| sql.extend([" ", word, " = ", value]);
        add("ENCODING", &ident::literal(encoding));
        let provider = match locale_provider.as_str() {
            "i" => "icu",
            "b" => "builtin",
            _ => "libc",
        };
        if server_version >= LOCALE_PROVIDERS || provider != "libc" {
            add("LOCALE_PROVIDER", provider);
        }
        add("LC_COLLATE", &ident::literal(collate));
        add("LC_CTYPE", &ident::literal(ctype));
        let word = if provider == "icu" { "ICU_LOCALE" } else { "BUILTIN_LOCALE" };
        if let Some(locale) = locale {
            add(word, &ident::literal(locale));
        }
        if let Some(rules) = icu_rules {
            add("ICU_RULES", &ident::literal(rules));
        }
    }
    if let Some(tablespace) = object.tablespace.as_ref().filter(|_| !options.no_tablespaces) {
        sql.extend([" TABLESPACE = ", &ident::quote(tablespace)]);
    }
    sql
}

/// The first server that knows of locale providers for databases.
const LOCALE_PROVIDERS: u32 = 150_000;

/// Wraps statements that make a relation so that it comes to lie in the object's tablespace.
pub fn in_tablespace(object: &Object, options: &Options, statements: Vec<String>) -> Vec<String> {
    match &object.tablespace {
        Some(tablespace)
            if !options.no_tablespaces
                && !statements.is_empty()
                && object.kind != ObjectKind::Database =>
        {
            let set = format!("SET default_tablespace = {}", ident::quote(tablespace));
            once(set)
                .chain(statements)
                .chain(once("SET default_tablespace = ''".to_owned()))
                .collect()
        }
        _ => statements,
    }
}

/// `ALTER … OWNER TO …`, where the kind has an owner of its own.
pub fn owner_statements(object: &Object, options: &Options) -> Vec<String> {
    owners(object, options).collect()
}

fn owners<'a>(object: &'a Object, options: &Options) -> Box<dyn Iterator<Item = String> + 'a> {
    let Some(owner) = object.owner.as_ref().filter(|_| !options.no_owner) else {
        return Box::new(empty());
    };
    let owner = ident::quote(owner);
    match &object.detail {
        Detail::LargeObjects { oids } => Box::new(
            oids.iter().map(move |oid| format!("ALTER LARGE OBJECT {oid} OWNER TO {owner}")),
        ),
        _ => Box::new(once(format!("ALTER {} OWNER TO {owner}", object.identity))),
    }
}

/// The `COMMENT ON` statements of an object and its parts.
pub fn comment_statements(object: &Object, options: &Options) -> Vec<String> {
    comments(object, options).collect()
}

fn comments<'a>(object: &'a Object, options: &'a Options) -> impl Iterator<Item = String> + 'a {
    let comments = object.comments.iter().filter(|_| !options.no_comments);
    comments
        .map(|comment| format!("COMMENT ON {} IS {}", comment.on, literal_or_null(&comment.text)))
}

/// The server stores no empty comment: an empty text stands for "remove what a new object has" (the
/// schema `public`).
fn literal_or_null(text: &str) -> String {
    if text.is_empty() { "NULL".to_owned() } else { ident::literal(text) }
}

/// The `SECURITY LABEL` statements of an object and its parts.
pub fn label_statements(object: &Object, options: &Options) -> Vec<String> {
    labels(object, options).collect()
}

fn labels<'a>(object: &'a Object, options: &'a Options) -> impl Iterator<Item = String> + 'a {
    let labels = object.security_labels.iter().filter(|_| !options.no_security_labels);
    labels.map(|label| {
        format!(
            "SECURITY LABEL FOR {} ON {} IS {}",
            ident::quote(&label.provider),
            label.on,
            ident::literal(&label.label)
        )
    })
}

/// The statements that turn a new object's privileges into those it had: what is no more is
/// revoked, then the rest is granted in the order it stood in. A grant by another role than the
/// owner is put between `SET ROLE` and the way back.
pub fn acl_statements(object: &Object, options: &Options) -> Vec<String> {
    match &object.acl {
        Some(acl) if !options.no_privileges => {
            let prefix = if object.kind == ObjectKind::DefaultAcl {
                format!("{} ", object.identity)
            } else {
                String::new()
            };
            render_acl(acl, object.owner.as_deref(), &prefix, options)
        }
        _ => Vec::new(),
    }
}

/// The same for what is no object of a database.
pub fn granted(acl: &Acl, owner: &str) -> Vec<String> {
    render_acl(acl, Some(owner), "", &Options::default())
}

fn render_acl(acl: &Acl, owner: Option<&str>, prefix: &str, options: &Options) -> Vec<String> {
    // What the built-in default grants, it grants in the owner's name.
    let owner = owner.or_else(|| acl.initial.first().map(|grant| grant.grantor.as_str()));
    let mut statements = Vec::new();
    for grant in acl.revoked() {
        let (privileges, on, role) = (privileges(grant), &acl.on, grantee(grant));
        statements.push(format!("{prefix}REVOKE {privileges} ON {on} FROM {role}"));
    }
    for same in by_grantor(acl, owner).chunk_by(|one, next| go_together(one, next)) {
        let [grant, ..] = same else { continue };
        let (privileges, on) = (privileges(grant), &acl.on);
        let roles = same.iter().map(|grant| grantee(grant)).collect::<Vec<_>>().join(", ");
        let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
        let statement = format!("{prefix}GRANT {privileges} ON {on} TO {roles}{option}");
        if owner.is_none_or(|owner| owner == grant.grantor) {
            statements.push(statement);
        } else {
            let back = options.role.as_ref().map_or_else(
                || "RESET ROLE".to_owned(),
                |role| format!("SET ROLE {}", ident::quote(role)),
            );
            statements.extend([
                format!("SET ROLE {}", ident::quote(&grant.grantor)),
                statement,
                back,
            ]);
        }
    }
    statements
}

/// What is to be granted, as statements in an order in which every grantor already holds what he
/// passes on: as it stood, except that a grant waits for the one with grant option that it comes
/// from.
fn by_grantor<'a>(acl: &'a Acl, owner: Option<&str>) -> Vec<&'a Grant> {
    let granted: Vec<&Grant> = acl.granted().collect();
    // To each role, how many grants with grant option wait; of each role, which wait for these.
    let mut options: HashMap<&str, usize> = HashMap::new();
    for role in
        granted.iter().filter(|grant| grant.grantable).filter_map(|grant| grant.grantee.as_deref())
    {
        *options.entry(role).or_default() += 1;
    }
    let waits = |grant: &Grant, options: &HashMap<&str, usize>| {
        owner.is_some_and(|owner| owner != grant.grantor)
            && options.get(grant.grantor.as_str()).is_some_and(|&waiting| waiting > 0)
    };
    let (mut backed, mut waiting) = (BTreeSet::new(), BTreeSet::new());
    let mut by_role: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, grant) in granted.iter().enumerate() {
        if waits(grant, &options) {
            waiting.insert(at);
            by_role.entry(&grant.grantor).or_default().push(at);
        } else {
            backed.insert(at);
        }
    }
    let mut ready = Vec::with_capacity(granted.len());
    // A ring of grants cannot be made by the server; should one be read, it is granted as it
    // stands.
    while let Some(at) = backed.pop_first().or_else(|| waiting.pop_first()) {
        let grant = granted[at];
        ready.push(grant);
        let Some(role) = grant.grantee.as_deref().filter(|_| grant.grantable) else { continue };
        let left = options.entry(role).or_default();
        *left = left.saturating_sub(1);
        if *left == 0 {
            let freed = by_role.remove(role).unwrap_or_default();
            backed.extend(freed.into_iter().filter(|at| waiting.remove(at)));
        }
    }
    ready
}

/// Whether one statement grants both, in this order: the server writes an object's privileges anew
/// for each statement.
fn go_together(one: &Grant, next: &Grant) -> bool {
    (&one.column, &one.grantor, &one.privileges, one.grantable)
        == (&next.column, &next.grantor, &next.privileges, next.grantable)
}

fn privileges(grant: &Grant) -> String {
    match &grant.column {
        None => grant.privileges.join(", "),
        Some(column) => {
            let column = ident::quote(column);
            grant
                .privileges
                .iter()
                .map(|privilege| format!("{privilege}({column})"))
                .collect::<Vec<_>>()
                .join(", ")
        }
    }
}

fn grantee(grant: &Grant) -> String {
    grant.grantee.as_deref().map_or_else(|| "PUBLIC".to_owned(), ident::quote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::testing::grant;
    use crate::archive::manifest::{Comment, ObjectId};

    fn all(object: &Object, options: &Options) -> Vec<String> {
        statements(object, options).collect()
    }

    fn table(acl: Option<Acl>) -> Object {
        Object {
            schema: Some("public".into()),
            name: "routes".into(),
            owner: Some("kong".into()),
            acl,
            comments: vec![Comment { on: "TABLE public.routes".into(), text: "it's".into() }],
            tablespace: Some("fast".into()),
            statements: vec!["CREATE TABLE public.routes ()".into()],
            ..Object::new(ObjectId(1), ObjectKind::Table, "TABLE public.routes")
        }
    }

    #[test]
    fn grants_follow_revokes_and_come_from_their_grantor() {
        let initial = vec![grant(Some("kong"), "kong", &["SELECT", "INSERT"])];
        let items = vec![
            grant(Some("kong"), "kong", &["SELECT"]),
            grant(Some("late"), "Ops", &["SELECT"]),
            Grant { grantable: true, ..grant(Some("Ops"), "kong", &["SELECT"]) },
            Grant { column: Some("Name".into()), ..grant(None, "kong", &["SELECT", "UPDATE"]) },
        ];
        let acl = Acl { on: "TABLE public.routes".into(), initial, items };
        insta::assert_snapshot!(all(&table(Some(acl)), &Options::default()).join(";\n"), @r#"
        SET default_tablespace = fast;
        CREATE TABLE public.routes ();
        SET default_tablespace = '';
        ALTER TABLE public.routes OWNER TO kong;
        REVOKE SELECT, INSERT ON TABLE public.routes FROM kong;
        GRANT SELECT ON TABLE public.routes TO kong;
        GRANT SELECT ON TABLE public.routes TO "Ops" WITH GRANT OPTION;
        SET ROLE "Ops";
        GRANT SELECT ON TABLE public.routes TO late;
        RESET ROLE;
        GRANT SELECT("Name"), UPDATE("Name") ON TABLE public.routes TO PUBLIC;
        COMMENT ON TABLE public.routes IS 'it''s'
        "#);
    }

    #[test]
    fn grants_that_differ_in_the_role_alone_are_one_statement() {
        let items = vec![
            grant(Some("a"), "kong", &["SELECT"]),
            grant(None, "kong", &["SELECT"]),
            grant(Some("b"), "kong", &["SELECT"]),
            Grant { grantable: true, ..grant(Some("c"), "kong", &["SELECT"]) },
            grant(Some("d"), "kong", &["INSERT", "SELECT"]),
            Grant { column: Some("x".into()), ..grant(Some("d"), "kong", &["SELECT"]) },
            grant(Some("e"), "kong", &["SELECT"]),
            grant(Some("f"), "c", &["SELECT"]),
            grant(Some("g"), "c", &["SELECT"]),
        ];
        let acl = Acl { on: "TABLE t".into(), initial: Vec::new(), items };
        assert_eq!(
            acl_statements(&table(Some(acl)), &Options::default()),
            [
                "GRANT SELECT ON TABLE t TO a, PUBLIC, b",
                "GRANT SELECT ON TABLE t TO c WITH GRANT OPTION",
                "GRANT INSERT, SELECT ON TABLE t TO d",
                "GRANT SELECT(x) ON TABLE t TO d",
                "GRANT SELECT ON TABLE t TO e",
                "SET ROLE c",
                "GRANT SELECT ON TABLE t TO f, g",
                "RESET ROLE",
            ]
        );
    }

    #[test]
    fn leaves_out_what_it_is_told_to() {
        let acl = Acl {
            on: "TABLE public.routes".into(),
            initial: Vec::new(),
            items: vec![grant(Some("a"), "kong", &["SELECT"])],
        };
        let options = Options {
            no_owner: true,
            no_privileges: true,
            no_comments: true,
            no_tablespaces: true,
            ..Options::default()
        };
        assert_eq!(all(&table(Some(acl)), &options), ["CREATE TABLE public.routes ()"]);
    }
}
