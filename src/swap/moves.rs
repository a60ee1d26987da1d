//! The statements of an exchange, in order. Pure.

use super::manner::Manner;
use super::sets::Sets;
use crate::pg::schema_objects::Movable;
use crate::pg::swap_state::SchemaPair;
use crate::restore::step::Step;
use crate::sql::ident;

/// `now`: where the copy stands; `then`: where the live objects will. Both, and the manners, in
/// one order.
pub fn steps(
    sets: &Sets,
    now: &[SchemaPair],
    then: &[SchemaPair],
    manners: &[Manner],
) -> Vec<Step> {
    let mut steps = Vec::new();
    for (pair, manner) in then.iter().zip(manners) {
        if *manner != Manner::WholeSchemas {
            let sql = format!("CREATE SCHEMA {}", ident::quote(&pair.away));
            steps.push(Step::new("make room for the live objects", sql));
        }
    }
    let of = |live: &str| {
        let mut both = then.iter().zip(manners);
        both.find(|(pair, manner)| pair.live == live && **manner == Manner::OneByOne)
    };
    for object in in_order(&sets.live) {
        steps.extend(of(&object.key.schema).map(|(pair, _)| step(object, &pair.away)));
    }
    for object in in_order(&sets.away) {
        steps.extend(of(&object.key.schema).map(|(pair, _)| step(object, &pair.live)));
    }
    // Last, because names of schemas are in what the steps before call all in them.
    for ((from, to), manner) in now.iter().zip(then).zip(manners) {
        match manner {
            // Nothing of the copy is in it any more.
            Manner::OneByOne => {
                let schema = ident::quote(&from.away);
                let sql = format!("DROP SCHEMA {schema}");
                steps.push(Step::new(format!("drop schema {schema}"), sql));
            }
            Manner::Brought => steps.push(rename(&from.away, &from.live)),
            Manner::WholeSchemas => {
                steps.extend([rename(&from.live, &to.away), rename(&from.away, &from.live)]);
            }
        }
    }
    steps
}

/// What names types in its arguments goes before these move: its name is told with theirs.
fn in_order(objects: &[Movable]) -> Vec<&Movable> {
    let names_types =
        |object: &&Movable| matches!(object.key.space.as_str(), "routine" | "operator");
    let mut objects: Vec<&Movable> = objects.iter().collect();
    objects.sort_by_key(|object| !names_types(object));
    objects
}

fn step(object: &Movable, schema: &str) -> Step {
    Step::new(
        format!("move {} to schema {}", object.describe(), ident::quote(schema)),
        object.set_schema(schema),
    )
}

fn rename(from: &str, to: &str) -> Step {
    let (from, to) = (ident::quote(from), ident::quote(to));
    Step::new(
        format!("rename schema {from} to {to}"),
        format!("ALTER SCHEMA {from} RENAME TO {to}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::schema_objects::Key;

    fn table(schema: &str, live: &str) -> Movable {
        Movable {
            class: 1259,
            oid: 1,
            key: Key {
                space: "relation".into(),
                schema: live.into(),
                name: "t".into(),
                signature: String::new(),
            },
            kind: "table".into(),
            identity: format!("{schema}.t"),
            schema: schema.into(),
            is_ours: true,
            relkind: "r".into(),
            columns: vec![],
            is_trigger_function: false,
            part_of: 0,
        }
    }

    #[test]
    fn each_schema_in_its_own_manner() {
        let pair = |live: &str, word: &str| SchemaPair {
            live: live.to_owned(),
            away: format!("{live}_{word}"),
        };
        let all = ["a", "b", "c"];
        let (now, then) = (all.map(|live| pair(live, "new")), all.map(|live| pair(live, "old")));
        let sets = Sets {
            live: vec![table("a", "a"), table("b", "b")],
            away: all.map(|live| table(&format!("{live}_new"), live)).to_vec(),
            ..Sets::default()
        };
        let manners = [Manner::OneByOne, Manner::WholeSchemas, Manner::Brought];
        let sql: Vec<String> =
            steps(&sets, &now, &then, &manners).into_iter().map(|step| step.sql).collect();
        assert_eq!(
            sql,
            [
                "CREATE SCHEMA a_old",
                "CREATE SCHEMA c_old",
                "ALTER TABLE a.t SET SCHEMA a_old",
                "ALTER TABLE a_new.t SET SCHEMA a",
                "DROP SCHEMA a_new",
                "ALTER SCHEMA b RENAME TO b_old",
                "ALTER SCHEMA b_new RENAME TO b",
                "ALTER SCHEMA c_new RENAME TO c",
            ]
        );
    }
}
