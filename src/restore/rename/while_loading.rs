//! What runs while rows come in: checks, generated columns, indexes, statistics, materialized
//! views. A function that keeps naming a schema by its old name would read what is live there.
//!
//! Pure. Does not know what a function's body calls by a text.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::archive::manifest::{Object, ObjectId, ObjectKind};
use crate::sql::lexer::Lexer;
use crate::sql::rename::Renames;

/// What would run such a function, and why it cannot be renamed for sure.
pub(super) fn refused(objects: &[Object], renames: &Renames) -> Vec<(ObjectId, String)> {
    let keeping: BTreeMap<ObjectId, &str> = objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Function)
        .filter_map(|object| {
            let mut schemas = object.statements.iter().filter_map(|sql| renames.kept_by(sql));
            Some((object.id, schemas.next()?))
        })
        .collect();
    if keeping.is_empty() {
        return Vec::new();
    }
    let by_id: HashMap<ObjectId, &Object> =
        objects.iter().map(|object| (object.id, object)).collect();
    let refuse = |object: &Object| {
        let mut run = run_by(object, &by_id).into_iter();
        let function = run.find(|id| keeping.contains_key(id))?;
        let (schema, name) = (keeping[&function], &by_id.get(&function)?.identity);
        let cause = format!("{name} runs while rows come in, and names the schema {schema}");
        Some((object.id, format!("{}: {cause}", object.identity)))
    };
    objects.iter().filter(|object| runs(object)).filter_map(refuse).collect()
}

/// Whether something of the object runs while rows come in.
fn runs(object: &Object) -> bool {
    use ObjectKind as K;
    matches!(
        object.kind,
        K::Table | K::Check | K::Constraint | K::Index | K::Statistics | K::MaterializedView
    )
}

/// Whether a table's statement calls a function in a check or a generated column. A default is for
/// rows that come without a value.
fn computes_by(table: &Object, function: &Object) -> bool {
    let name = function.name.split('(').next().unwrap_or_default();
    table.statements.iter().any(|sql| calls_while_loading(sql, name))
}

fn calls_while_loading(sql: &str, function: &str) -> bool {
    let (mut depth, mut is_computed) = (0_u32, false);
    for token in Lexer::new(sql).flatten() {
        let is = |symbol: &str| token.is_symbol(symbol);
        if is("(") {
            depth += 1;
        } else if is(")") {
            depth = depth.saturating_sub(1);
        } else if depth <= 1 && (is(",") || token.is_word("default")) {
            is_computed = false;
        } else if depth <= 1 && (token.is_word("check") || token.is_word("generated")) {
            is_computed = true;
        } else if is_computed && token.text.trim_matches('"').replace("\"\"", "\"") == function {
            return true;
        }
    }
    false
}

/// What an object needs and runs, and what these run in turn.
fn run_by(object: &Object, by_id: &HashMap<ObjectId, &Object>) -> Vec<ObjectId> {
    use ObjectKind as K;
    let is_run = |id: &ObjectId, of: Option<&Object>| {
        by_id.get(id).is_some_and(|needed| match needed.kind {
            K::Function => of.is_none_or(|table| computes_by(table, needed)),
            // What these compute is looked at where they stand.
            K::Table | K::MaterializedView | K::Sequence | K::Schema => false,
            _ => true,
        })
    };
    let table = Some(object).filter(|object| object.kind == K::Table);
    let mut seen: HashSet<ObjectId> = HashSet::new();
    let mut found: Vec<ObjectId> =
        object.depends_on.iter().copied().filter(|id| is_run(id, table)).collect();
    let mut at = 0;
    while let Some(id) = found.get(at).copied() {
        at += 1;
        if seen.insert(id) {
            let needs = by_id.get(&id).map_or(&[][..], |object| &object.depends_on);
            found.extend(needs.iter().copied().filter(|id| !seen.contains(id) && is_run(id, None)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::rename::Bodies;

    fn object(id: u32, kind: ObjectKind, sql: &str, needs: &[u32]) -> Object {
        Object {
            statements: vec![sql.to_owned()],
            depends_on: needs.iter().map(|id| ObjectId(*id)).collect(),
            ..Object::new(ObjectId(id), kind, format!("THING {id}"))
        }
    }

    #[test]
    fn what_runs_a_function_that_reads_what_is_live() {
        use ObjectKind as K;
        let renames =
            Renames::of([("a".to_owned(), "b".to_owned())].into()).with_bodies(Bodies::Kept);
        let function = |id, body: &str| {
            let sql = format!("CREATE FUNCTION b.f() RETURNS int AS '{body}'");
            Object { name: "f()".to_owned(), ..object(id, K::Function, &sql, &[]) }
        };
        let objects = [
            function(1, "SELECT a.g()"),
            function(2, "SELECT g()"),
            object(3, K::Index, "", &[1]),
            object(4, K::Index, "", &[2]),
            object(5, K::Table, "CREATE TABLE b.t (x int DEFAULT b.f())", &[1]),
            object(6, K::Table, "CREATE TABLE b.t (x int DEFAULT 1 CHECK (b.f() > 0))", &[1]),
            object(7, K::Domain, "CREATE DOMAIN b.d AS int CHECK (b.f() > 0)", &[1]),
            object(8, K::Table, "CREATE TABLE b.t (x b.d)", &[7]),
            object(9, K::View, "CREATE VIEW b.v AS SELECT b.f()", &[1]),
            object(10, K::MaterializedView, "", &[9]),
            object(11, K::MaterializedView, "", &[5]),
            object(12, K::Trigger, "", &[1]),
            object(13, K::Table, "CREATE TABLE b.t (x int CHECK (x > 0) DEFAULT b.f())", &[1]),
            object(
                14,
                K::Table,
                "CREATE TABLE b.t (x int GENERATED ALWAYS AS (b.f()) STORED)",
                &[1],
            ),
        ];
        let refused: Vec<u32> = refused(&objects, &renames).iter().map(|(id, _)| id.0).collect();
        assert_eq!(refused, [3, 6, 8, 10, 14]);
        assert_eq!(super::refused(&objects, &Renames::default()), []);
    }
}
