//! Which of an archive's objects the target has: whether something of that kind and name is there,
//! whatever it is like.
//!
//! Reads all of the kinds that are asked about: an archive may have very many of one kind.

use std::collections::HashSet;

use crate::archive::manifest::ObjectKind as K;
use crate::archive::manifest::{Detail, Object, ObjectKind};
use crate::error::Result;
use crate::pg::row::Row;
use crate::pg::session::Session;
use crate::restore::finding::{Finding, Sort};
use crate::sql::ident;

/// How many objects are named in findings.
const NAMED: usize = 10;

/// What is there, by the keys of objects.
pub(super) struct Present(HashSet<String>);

impl Present {
    /// Reads all of the kinds that these objects are of.
    pub(super) async fn read<'a>(
        session: &Session,
        objects: impl Iterator<Item = &'a Object>,
    ) -> Result<Self> {
        let mut kinds: Vec<ObjectKind> = objects.map(|object| object.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let is_asked = |source: &&Source| source.kinds.iter().any(|kind| kinds.contains(kind));
        let selects: Vec<String> = SOURCES.iter().filter(is_asked).map(Source::sql).collect();
        if selects.is_empty() {
            return Ok(Self(HashSet::new()));
        }
        let sql = selects.join(" UNION ALL ");
        let rows = session.query("read what the target has", &sql).await?;
        rows.iter().map(key_of_row).collect::<Result<_>>().map(Self)
    }

    /// Whether the object is there; nothing where that is not known.
    pub(super) fn has(&self, object: &Object) -> Option<bool> {
        key(object).map(|key| self.0.contains(&key))
    }

    /// Whether nothing of the object's name is there. A routine's arguments do not count: another
    /// version of the server may write them in another way.
    fn lacks(&self, object: &Object) -> bool {
        let Some(key) = key(object).filter(|key| !self.0.contains(key)) else { return false };
        let name = key.split_inclusive('(').next().unwrap_or(&key);
        let is_routine = key.starts_with(ROUTINE);
        !(is_routine && self.0.iter().any(|other| other.starts_with(name)))
    }

    /// Those of these objects that are there, and would be made.
    pub(super) fn in_the_way<'a>(
        &self,
        made: impl Iterator<Item = &'a Object>,
        way_out: &str,
    ) -> Vec<Finding> {
        let there = made.filter(|object| self.has(object) == Some(true));
        told(there, |name| format!("{name} exists already"), "exist already", way_out)
            .into_iter()
            .map(|finding| finding.sort(Sort::Standing))
            .collect()
    }

    /// Those of these objects that are needed and not there: tables and the like, types, routines. Of
    /// others, such as the constraints that NOT NULL is since 18, it is not certain that they must be.
    pub(super) fn missing<'a>(
        &self,
        needed: impl Iterator<Item = &'a Object>,
        way_out: &str,
    ) -> Vec<Finding> {
        let missing = needed.filter(|need| is_told_by_name(need) && self.lacks(need));
        told(missing, |name| format!("{name} does not exist"), "do not exist", way_out)
    }
}

/// A finding for each of some objects; what there is of them beyond a few is counted.
fn told<'a>(
    objects: impl Iterator<Item = &'a Object>,
    one: impl Fn(&str) -> String,
    more_do: &str,
    way_out: &str,
) -> Vec<Finding> {
    let mut objects = objects;
    let mut findings: Vec<Finding> = objects
        .by_ref()
        .take(NAMED)
        .map(|object| Finding::new(one(&object.identity), way_out))
        .collect();
    match objects.count() {
        0 => {}
        more => findings.push(Finding::new(format!("{more} more {more_do}"), way_out)),
    }
    findings
}

/// What an object is called where it is looked for. Of the kinds that are not looked for, nothing.
fn key(object: &Object) -> Option<String> {
    // Every view has one of this name.
    if object.kind == ObjectKind::Rule && object.name == "_RETURN" {
        return None;
    }
    let schema = object.schema.as_deref();
    // What is in these is not read.
    if schema.is_some_and(|schema| SYSTEM_SCHEMAS.contains(&schema)) {
        return None;
    }
    Some(match source(object.kind)?.word {
        word @ (RELATION | TYPE) => format!("{word} {}", ident::qualified(schema?, &object.name)),
        // The name is told with its arguments.
        ROUTINE => format!("{ROUTINE} {}.{}", ident::quote(schema?), object.name),
        _ => object.identity.clone(),
    })
}

/// The key of a row of [`Source::sql`].
fn key_of_row(row: &Row) -> Result<String> {
    let (word, name): (String, String) = (row.get(0)?, row.get(3)?);
    let schema: Option<String> = row.get(1)?;
    let (table, method): (Option<String>, Option<String>) = (row.get(2)?, row.get(4)?);
    let schema = schema.as_deref();
    Ok(match (word.as_str(), schema, table, method) {
        // These names hold their arguments, which the server has quoted.
        (ROUTINE | "OPERATOR", Some(schema), ..) => {
            format!("{word} {}.{name}", ident::quote(schema))
        }
        ("CAST", ..) => format!("{word} {name}"),
        (_, Some(schema), Some(table), _) => {
            format!("{word} {} ON {}", ident::quote(&name), ident::qualified(schema, &table))
        }
        (_, Some(schema), None, Some(method)) => {
            let name = ident::qualified(schema, &name);
            format!("{word} {name} USING {}", ident::quote(&method))
        }
        (_, Some(schema), None, None) => format!("{word} {}", ident::qualified(schema, &name)),
        (_, None, ..) => format!("{word} {}", ident::quote(&name)),
    })
}

/// Where all of a kind are found, as SQL about `o`, a row of their catalog.
struct Source {
    kinds: &'static [ObjectKind],
    /// What begins their keys.
    word: &'static str,
    catalog: &'static str,
    /// The name, with the arguments where they are a part of it.
    name: &'static str,
    place: Place,
}

/// What a name is a name in.
enum Place {
    Database,
    /// The schema of this column.
    Schema(&'static str),
    /// The table of this column.
    Table(&'static str),
    /// The schema of this column, for the access method of that.
    Method(&'static str, &'static str),
}

#[rustfmt::skip]
const SOURCES: &[Source] = &[
    Source { kinds: &[K::Table, K::ForeignTable, K::View, K::MaterializedView,
                      K::RefreshMaterializedView, K::Sequence, K::Index],
             word: RELATION, catalog: "pg_class", name: "o.relname", place: Place::Schema("relnamespace") },
    Source { kinds: &[K::Type, K::Domain],
             word: TYPE, catalog: "pg_type", name: "o.typname", place: Place::Schema("typnamespace") },
    Source { kinds: &[K::Function, K::Aggregate],
             word: ROUTINE, catalog: "pg_proc",
             name: "o.proname || '(' || pg_catalog.pg_get_function_identity_arguments(o.oid) || ')'",
             place: Place::Schema("pronamespace") },
    Source { kinds: &[K::Operator],
             word: "OPERATOR", catalog: "pg_operator",
             name: "o.oprname || ' (' || CASE o.oprleft WHEN 0 THEN 'NONE' ELSE \
                    pg_catalog.format_type(o.oprleft, NULL) END || ', ' || CASE o.oprright WHEN 0 \
                    THEN 'NONE' ELSE pg_catalog.format_type(o.oprright, NULL) END || ')'",
             place: Place::Schema("oprnamespace") },
    Source { kinds: &[K::Cast],
             word: "CAST", catalog: "pg_cast",
             name: "'(' || pg_catalog.format_type(o.castsource, NULL) || ' AS ' || \
                    pg_catalog.format_type(o.casttarget, NULL) || ')'",
             place: Place::Database },
    Source { kinds: &[K::Constraint, K::Check, K::ForeignKey],
             word: "CONSTRAINT", catalog: "pg_constraint", name: "o.conname", place: Place::Table("conrelid") },
    Source { kinds: &[K::Trigger],
             word: "TRIGGER", catalog: "pg_trigger", name: "o.tgname", place: Place::Table("tgrelid") },
    Source { kinds: &[K::Rule],
             word: "RULE", catalog: "pg_rewrite", name: "o.rulename", place: Place::Table("ev_class") },
    Source { kinds: &[K::Policy],
             word: "POLICY", catalog: "pg_policy", name: "o.polname", place: Place::Table("polrelid") },
    Source { kinds: &[K::Statistics],
             word: "STATISTICS", catalog: "pg_statistic_ext", name: "o.stxname", place: Place::Schema("stxnamespace") },
    Source { kinds: &[K::Collation],
             word: "COLLATION", catalog: "pg_collation", name: "o.collname", place: Place::Schema("collnamespace") },
    Source { kinds: &[K::Conversion],
             word: "CONVERSION", catalog: "pg_conversion", name: "o.conname", place: Place::Schema("connamespace") },
    Source { kinds: &[K::TextSearchParser],
             word: "TEXT SEARCH PARSER", catalog: "pg_ts_parser", name: "o.prsname", place: Place::Schema("prsnamespace") },
    Source { kinds: &[K::TextSearchTemplate],
             word: "TEXT SEARCH TEMPLATE", catalog: "pg_ts_template", name: "o.tmplname", place: Place::Schema("tmplnamespace") },
    Source { kinds: &[K::TextSearchDictionary],
             word: "TEXT SEARCH DICTIONARY", catalog: "pg_ts_dict", name: "o.dictname", place: Place::Schema("dictnamespace") },
    Source { kinds: &[K::TextSearchConfiguration],
             word: "TEXT SEARCH CONFIGURATION", catalog: "pg_ts_config", name: "o.cfgname", place: Place::Schema("cfgnamespace") },
    Source { kinds: &[K::OperatorFamily],
             word: "OPERATOR FAMILY", catalog: "pg_opfamily", name: "o.opfname",
             place: Place::Method("opfnamespace", "opfmethod") },
    Source { kinds: &[K::OperatorClass],
             word: "OPERATOR CLASS", catalog: "pg_opclass", name: "o.opcname",
             place: Place::Method("opcnamespace", "opcmethod") },
    Source { kinds: &[K::Language],
             word: "LANGUAGE", catalog: "pg_language", name: "o.lanname", place: Place::Database },
    Source { kinds: &[K::AccessMethod],
             word: "ACCESS METHOD", catalog: "pg_am", name: "o.amname", place: Place::Database },
    Source { kinds: &[K::ForeignDataWrapper],
             word: "FOREIGN DATA WRAPPER", catalog: "pg_foreign_data_wrapper", name: "o.fdwname", place: Place::Database },
    Source { kinds: &[K::ForeignServer],
             word: "SERVER", catalog: "pg_foreign_server", name: "o.srvname", place: Place::Database },
    Source { kinds: &[K::EventTrigger],
             word: "EVENT TRIGGER", catalog: "pg_event_trigger", name: "o.evtname", place: Place::Database },
    Source { kinds: &[K::Publication],
             word: "PUBLICATION", catalog: "pg_publication", name: "o.pubname", place: Place::Database },
];

const SYSTEM_SCHEMAS: [&str; 3] = ["pg_catalog", "information_schema", "pg_toast"];

/// Whether it is a relation, a type or a routine.
fn is_told_by_name(object: &Object) -> bool {
    source(object.kind).is_some_and(|source| [RELATION, TYPE, ROUTINE].contains(&source.word))
}

const RELATION: &str = "relation";
const TYPE: &str = "type";
const ROUTINE: &str = "routine";

fn source(kind: ObjectKind) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.kinds.contains(&kind))
}

impl Source {
    /// The query of all that there are but the server's own: word, schema, table, name, access
    /// method.
    fn sql(&self) -> String {
        let Self { word, catalog, name, .. } = self;
        let in_schema = |column: &str| {
            format!(
                " JOIN pg_catalog.pg_namespace n ON n.oid = {column} AND n.nspname NOT IN ({})",
                SYSTEM_SCHEMAS.map(ident::literal).join(", ")
            )
        };
        let (schema, table, method, joins) = match self.place {
            Place::Database => ("NULL", "NULL", "NULL", String::new()),
            Place::Schema(column) => {
                ("n.nspname", "NULL", "NULL", in_schema(&format!("o.{column}")))
            }
            Place::Table(column) => (
                "n.nspname",
                "c.relname",
                "NULL",
                format!(
                    " JOIN pg_catalog.pg_class c ON c.oid = o.{column}{}",
                    in_schema("c.relnamespace")
                ),
            ),
            Place::Method(column, method) => (
                "n.nspname",
                "NULL",
                "m.amname",
                format!(
                    " JOIN pg_catalog.pg_am m ON m.oid = o.{method}{}",
                    in_schema(&format!("o.{column}"))
                ),
            ),
        };
        format!(
            "SELECT '{word}', {schema}::text, {table}::text, ({name})::text, {method}::text FROM \
             pg_catalog.{catalog} o{joins}"
        )
    }
}

/// What of an archive stands in the way in a target without tables, types and functions, which are
/// looked for otherwise: collations, casts, publications, large objects and the like.
pub(in crate::restore) async fn beside_tables(
    session: &Session,
    made: &[&Object],
) -> Result<Vec<Finding>> {
    const WAY_OUT: &str = "drop it first, or let -c drop what the archive holds";
    let looked: Vec<&Object> =
        made.iter().copied().filter(|object| !is_told_by_name(object)).collect();
    let present = Present::read(session, looked.iter().copied()).await?;
    let mut findings = present.in_the_way(looked.into_iter(), WAY_OUT);
    findings.extend(large_objects(session, made, WAY_OUT).await?);
    Ok(findings)
}

/// Large objects that have the numbers of those that are made.
async fn large_objects(
    session: &Session,
    made: &[&Object],
    way_out: &str,
) -> Result<Option<Finding>> {
    let oids = made.iter().filter_map(|object| match &object.detail {
        Detail::LargeObjects { oids } => Some(oids),
        _ => None,
    });
    let oids: Vec<String> = oids.flatten().map(u32::to_string).collect();
    if oids.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT m.oid, pg_catalog.count(*) OVER () FROM pg_catalog.pg_largeobject_metadata m WHERE \
         m.oid = ANY ('{{{}}}'::oid[]) ORDER BY 1 LIMIT 5",
        oids.join(",")
    );
    let rows = session.query("look for large objects", &sql).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let count: i64 = first.get(1)?;
    let named: Vec<String> = rows
        .iter()
        .map(|row| row.get::<_, u32>(0).map(|oid| oid.to_string()))
        .collect::<Result<_>>()?;
    let more = if count as usize > named.len() { ", …" } else { "" };
    let (objects, exist) = if count == 1 { ("object", "exists") } else { ("objects", "exist") };
    let problem = format!("large {objects} {}{more} {exist} already", named.join(", "));
    Ok(Some(Finding::new(problem, way_out).sort(Sort::Standing)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::ObjectId;

    fn object(kind: ObjectKind, name: &str, identity: &str) -> Object {
        Object {
            schema: Some("My".into()),
            name: name.into(),
            ..Object::new(ObjectId(0), kind, identity.to_owned())
        }
    }

    #[test]
    fn names_of_one_kind_share_a_place() {
        let key = |kind, name: &str| key(&object(kind, name, "X")).unwrap();
        assert_eq!(key(ObjectKind::Table, "a"), key(ObjectKind::Index, "a"));
        assert_ne!(key(ObjectKind::Table, "a"), key(ObjectKind::Domain, "a"));
        assert_eq!(key(ObjectKind::Function, "f(integer)"), "routine \"My\".f(integer)");
        assert_eq!(key(ObjectKind::Trigger, "t"), "X");
    }

    #[test]
    fn what_is_not_looked_for_is_not_known() {
        let present = Present(HashSet::new());
        assert_eq!(present.has(&object(ObjectKind::Default, "d", "D")), None);
        assert_eq!(present.has(&object(ObjectKind::Rule, "r", "RULE r ON t")), Some(false));
    }

    #[test]
    fn what_may_be_there_under_another_name_is_not_missed() {
        let present = Present(["routine \"My\".f(integer)".to_owned()].into());
        let missed = |object: Object| present.missing([&object].into_iter(), "make it").len();
        assert_eq!(missed(object(ObjectKind::Function, "f(integer)", "F")), 0);
        assert_eq!(missed(object(ObjectKind::Function, "f(int4)", "F")), 0);
        assert_eq!(missed(object(ObjectKind::Function, "g(integer)", "F")), 1);
        assert_eq!(missed(object(ObjectKind::Table, "t", "T")), 1);
        assert_eq!(missed(object(ObjectKind::Check, "c", "CONSTRAINT c ON t")), 0);
        let of_server = Object {
            schema: Some("pg_catalog".into()),
            ..object(ObjectKind::Function, "x()", "F")
        };
        assert_eq!(missed(of_server), 0);
    }

    #[test]
    fn many_are_counted() {
        let all: Vec<Object> =
            (0..13).map(|n| object(ObjectKind::Rule, "r", &format!("RULE r{n} ON t"))).collect();
        let present = Present(all.iter().filter_map(key).collect());
        let findings = present.in_the_way(all.iter(), "drop them");
        assert_eq!(findings.len(), NAMED + 1);
        assert_eq!(findings[0].problem, "RULE r0 ON t exists already");
        assert_eq!(findings[NAMED].problem, "3 more exist already");
        assert!(findings.iter().all(|finding| finding.sort == Sort::Standing));
    }
}
