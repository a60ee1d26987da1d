//! What only a superuser can create, or who is given the right by name.

use super::Wanted;
use super::wanted::made;
use crate::archive::manifest::{Object, ObjectKind};
use crate::restore::finding::Finding;
use crate::restore::target::Target;

/// The role whose members create subscriptions, since 16.
const CREATES_SUBSCRIPTIONS: &str = "pg_create_subscription";

/// The languages whose functions can do whatever the server can. Others are told by their name as
/// well: an untrusted one ends in `u`.
const UNTRUSTED: [&str; 5] = ["c", "internal", "plperlu", "plpython3u", "pltclu"];

/// Names it, if the session's role is none.
pub(super) fn needed(wanted: Wanted<'_>, target: &Target, findings: &mut Vec<Finding>) {
    if target.superuser {
        return;
    }
    let subscribes = target.roles.get(CREATES_SUBSCRIPTIONS).is_some_and(|role| role.usage);
    // What is on an extension's object, the extension has made, as a rule.
    for object in made(wanted).filter(|object| object.extension.is_none()) {
        if object.kind == ObjectKind::Subscription && target.version_num >= 160_000 {
            if !subscribes {
                let problem = format!(
                    "{} can only be created by a member of {CREATES_SUBSCRIPTIONS}",
                    object.identity
                );
                let way_out = format!("GRANT {CREATES_SUBSCRIPTIONS} to this role");
                findings.push(Finding::new(problem, way_out));
            }
        } else if is_superusers(object) {
            let problem = format!("{} can only be created by a superuser", object.identity);
            findings.push(Finding::new(problem, "restore as a superuser"));
        }
    }
}

fn is_superusers(object: &Object) -> bool {
    use ObjectKind::{
        AccessMethod, Cast, EventTrigger, ForeignDataWrapper, Function, Language, OperatorClass,
        OperatorFamily, Publication, PublicationSchema, ShellType, Subscription, TextSearchParser,
        TextSearchTemplate, Type,
    };
    let any = |words: &str| object.statements.iter().any(|sql| sql.contains(words));
    match object.kind {
        AccessMethod | EventTrigger | ForeignDataWrapper | Language | OperatorClass
        | OperatorFamily | PublicationSchema | ShellType | Subscription | TextSearchParser
        | TextSearchTemplate => true,
        // What is published then is not the publisher's alone.
        Publication => any(" FOR ALL "),
        Cast => any(" WITHOUT FUNCTION"),
        // A base type.
        Type => object.statements.iter().any(|sql| {
            sql.starts_with("CREATE TYPE ")
                && !["AS ENUM", "AS RANGE", "AS ("].iter().any(|kind| sql.contains(kind))
        }),
        Function => object.statements.iter().any(|sql| is_trusted_with_all(sql)),
        _ => false,
    }
}

/// Whether a function is of an untrusted language or leakproof, by the lines that the server writes
/// of it.
fn is_trusted_with_all(sql: &str) -> bool {
    let mut lines = sql.lines().skip_while(|line| !line.starts_with(" LANGUAGE "));
    let language = lines.next().and_then(|line| line.strip_prefix(" LANGUAGE "));
    let traits = lines.next().filter(|line| line.starts_with(' '));
    language.is_some_and(|name| UNTRUSTED.contains(&name))
        || traits.is_some_and(|line| line.split_whitespace().any(|word| word == "LEAKPROOF"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::ObjectId;

    #[test]
    fn statements_tell_what_they_need() {
        for (kind, sql, expect) in [
            (ObjectKind::ShellType, "CREATE TYPE public.sh", true),
            (ObjectKind::Type, "CREATE TYPE public.b (\n    INPUT = f", true),
            (ObjectKind::Type, "CREATE TYPE public.e AS ENUM ()", false),
            (ObjectKind::Type, "CREATE TYPE public.c AS (\n    a integer\n)", false),
            (ObjectKind::Type, "CREATE TYPE public.r AS RANGE (", false),
            (ObjectKind::Cast, "CREATE CAST (bigint AS text) WITHOUT FUNCTION", true),
            (ObjectKind::Cast, "CREATE CAST (a.b AS text) WITH INOUT", false),
            (ObjectKind::Function, "CREATE FUNCTION f()\n RETURNS int\n LANGUAGE c\nAS 'x'", true),
            (
                ObjectKind::Function,
                "CREATE FUNCTION f()\n RETURNS int\n LANGUAGE sql\n IMMUTABLE LEAKPROOF\nAS 'x'",
                true,
            ),
            (
                ObjectKind::Function,
                "CREATE FUNCTION f()\n RETURNS int\n LANGUAGE sql\nAS $$\n LEAKPROOF\n LANGUAGE c\n$$",
                false,
            ),
        ] {
            let mut object = Object::new(ObjectId(0), kind, "X");
            object.statements = vec![sql.to_owned()];
            assert_eq!(is_superusers(&object), expect, "{sql}");
        }
    }
}
