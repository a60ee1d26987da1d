//! `pg_ndistinct` and `pg_dependencies` in the form that PostgreSQL 19 takes, with columns by their
//! places in a new table.
//!
//! Before 19 they are written `{"1, 2": 3}` and `{"1 => 2": 1.000000}`, from 19 on as a list of
//! objects. Numbers below 1 stand for expressions.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// A table's columns: number to place, for those that were dropped leave gaps that a new table has
/// not.
pub(super) type Places = HashMap<i64, i64>;

/// `n_distinct`; none where it is not understood.
pub(super) fn n_distinct(text: &str, places: &Places) -> Option<String> {
    let items = match serde_json::from_str(text).ok()? {
        Value::Array(items) => items,
        Value::Object(old) => {
            let item = |(key, value): (String, Value)| {
                Some(json!({ "attributes": numbers(&key)?, "ndistinct": value }))
            };
            sorted(old.into_iter().map(item).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    renumbered(items, places)
}

/// `dependencies`; none where it is not understood.
pub(super) fn dependencies(text: &str, places: &Places) -> Option<String> {
    let items = match serde_json::from_str(text).ok()? {
        Value::Array(items) => items,
        Value::Object(old) => {
            let item = |(key, value): (String, Value)| {
                let (from, to) = key.split_once("=>")?;
                let to: i64 = to.trim().parse().ok()?;
                Some(json!({ "attributes": numbers(from)?, "dependency": to, "degree": value }))
            };
            sorted(old.into_iter().map(item).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    renumbered(items, places)
}

fn numbers(list: &str) -> Option<Vec<i64>> {
    list.split(',').map(|number| number.trim().parse().ok()).collect()
}

/// In the server's order: the fewest columns first.
fn sorted(mut items: Vec<Value>) -> Vec<Value> {
    let attributes = |item: &Value| {
        let numbers = item["attributes"].as_array().into_iter().flatten().filter_map(Value::as_i64);
        numbers.chain(item["dependency"].as_i64()).collect::<Vec<_>>()
    };
    items.sort_by_cached_key(|item| {
        let attributes = attributes(item);
        (attributes.len(), attributes)
    });
    items
}

fn renumbered(items: Vec<Value>, places: &Places) -> Option<String> {
    let place = |number: &Value| {
        let number = number.as_i64()?;
        if number < 1 { Some(json!(number)) } else { places.get(&number).map(|place| json!(place)) }
    };
    let renumber = |item: Value| {
        let Value::Object(mut item) = item else { return None };
        let attributes: Option<Vec<Value>> =
            item.get("attributes")?.as_array()?.iter().map(place).collect();
        item.insert("attributes".to_owned(), Value::Array(attributes?));
        if let Some(dependency) = item.get("dependency") {
            let dependency = place(dependency)?;
            item.insert("dependency".to_owned(), dependency);
        }
        Some(item)
    };
    let items: Vec<Map<String, Value>> = items.into_iter().map(renumber).collect::<Option<_>>()?;
    serde_json::to_string(&items).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_come_out_alike() {
        // Column 2 was dropped.
        let places = Places::from([(1, 1), (3, 2), (4, 3)]);
        let expect = r#"[{"attributes":[1,2],"ndistinct":5},{"attributes":[2,-1],"ndistinct":6},{"attributes":[1,2,3],"ndistinct":7}]"#;
        let old =
            n_distinct(r#"{"1, 3": 5, "1, 3, 4": 7, "3, -1": 6}"#, &places).expect("the old form");
        assert_eq!(
            serde_json::from_str::<Value>(&old).unwrap(),
            serde_json::from_str::<Value>(expect).unwrap()
        );
        let new = r#"[{"attributes": [1, 3], "ndistinct": 5}, {"attributes": [3, -1], "ndistinct": 6}, {"attributes": [1, 3, 4], "ndistinct": 7}]"#;
        assert_eq!(n_distinct(new, &places), Some(old));

        let old = dependencies(r#"{"1 => 3": 1.000000, "1, 3 => 4": 0.5}"#, &places)
            .expect("the old form");
        let new = r#"[{"attributes": [1], "dependency": 3, "degree": 1.000000}, {"attributes": [1, 3], "dependency": 4, "degree": 0.5}]"#;
        assert_eq!(dependencies(new, &places), Some(old));
    }

    #[test]
    fn what_is_not_understood_is_left() {
        let places = Places::from([(1, 1)]);
        for text in ["", "3", "{\"a\": 1}", r#"{"1, 2": 3}"#, r#"[{"attributes": ["x"]}]"#, "[3]"] {
            assert_eq!(n_distinct(text, &places), None, "{text}");
            assert_eq!(dependencies(text, &places), None, "{text}");
        }
    }
}
