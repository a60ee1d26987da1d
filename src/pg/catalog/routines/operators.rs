//! Operators, and the access methods that operator families and classes are for.

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, FIRST_NORMAL_OID, class};
use crate::pg::catalog::draft::clauses::Clauses;
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter};
use crate::pg::row::Row;
use crate::sql::ident;

/// An operator of the catalogs as expressions and clauses name it: `OPERATOR(schema.+)`.
pub(in crate::pg::catalog) fn named(schema: &str, operator: &str) -> String {
    format!("OPERATOR({}.{operator})", ident::quote(schema))
}

/// Reads the operators but for shells: those are made by naming them as the commutator or negator
/// of another.
pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT o.oid, n.nspname::text AS schema, o.oprname::text AS name, \
         pg_catalog.pg_get_userbyid(o.oprowner)::text AS owner, \
           o.oprcode::pg_catalog.regproc::text AS function, \
           CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END AS left, \
           CASE WHEN o.oprright <> 0 THEN pg_catalog.format_type(o.oprright, NULL) END AS right, \
           CASE WHEN o.oprrest <> 0 THEN o.oprrest::pg_catalog.regproc::text END AS restrict, \
           CASE WHEN o.oprjoin <> 0 THEN o.oprjoin::pg_catalog.regproc::text END AS join, \
           o.oprcanmerge, o.oprcanhash, \
           cn.nspname::text AS commutator_schema, c.oprname::text AS commutator, gn.nspname::text \
           AS negator_schema, g.oprname::text AS negator \
         FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace \
         LEFT JOIN (pg_catalog.pg_operator c JOIN pg_catalog.pg_namespace cn ON cn.oid = \
         c.oprnamespace) ON c.oid = o.oprcom \
         LEFT JOIN (pg_catalog.pg_operator g JOIN pg_catalog.pg_namespace gn ON gn.oid = \
         g.oprnamespace) ON g.oid = o.oprnegate \
         WHERE o.oprcode <> 0 AND {USER_SCHEMA}"
    );
    let rows = reader.rows("operators", &sql).await?;
    reader.own(&rows, class::OPERATOR)?.into_iter().map(operator).collect()
}

fn operator(row: &Row) -> Result<Draft> {
    let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
    let text = |column: &str| row.get::<_, Option<&str>>(column);
    let mut clauses = Clauses::default();
    clauses.set("FUNCTION", row.get::<_, &str>("function")?);
    clauses.set_some("LEFTARG", text("left")?);
    clauses.set_some("RIGHTARG", text("right")?);
    clauses.set_some(
        "COMMUTATOR",
        text("commutator")?
            .zip(text("commutator_schema")?)
            .map(|(name, schema)| named(schema, name)),
    );
    clauses.set_some(
        "NEGATOR",
        text("negator")?.zip(text("negator_schema")?).map(|(name, schema)| named(schema, name)),
    );
    for (column, word) in [("oprcanmerge", "MERGES"), ("oprcanhash", "HASHES")] {
        if row.get(column)? {
            clauses.word(word);
        }
    }
    clauses.set_some("RESTRICT", text("restrict")?);
    clauses.set_some("JOIN", text("join")?);
    let qualified = format!("{}.{name}", ident::quote(schema));
    let arguments =
        format!("{}, {}", text("left")?.unwrap_or("NONE"), text("right")?.unwrap_or("NONE"));
    let address = Address::new(class::OPERATOR, row.get("oid")?);
    let identity = format!("OPERATOR {qualified} ({arguments})");
    let draft = Draft::new(
        address,
        ObjectKind::Operator,
        Some(schema),
        &format!("{name} ({arguments})"),
        identity,
    );
    Ok(draft
        .made_by(vec![format!("CREATE OPERATOR {qualified}{}", clauses.bracketed())])
        .owned_by(row.get("owner")?))
}

pub(in crate::pg::catalog) async fn read_access_methods(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT m.oid, m.amname::text AS name, m.amtype::text AS type, \
         m.amhandler::pg_catalog.regproc::text AS handler \
         FROM pg_catalog.pg_am m WHERE m.oid >= {FIRST_NORMAL_OID}"
    );
    let rows = reader.rows("access methods", &sql).await?;
    let draft = |row: &Row| -> Result<_> {
        let name: &str = row.get("name")?;
        let quoted = ident::quote(name);
        let kind = if letter(row, "type")? == 't' { "TABLE" } else { "INDEX" };
        let create = format!(
            "CREATE ACCESS METHOD {quoted} TYPE {kind} HANDLER {}",
            row.get::<_, &str>("handler")?
        );
        let address = Address::new(class::ACCESS_METHOD, row.get("oid")?);
        Ok(Draft::new(
            address,
            ObjectKind::AccessMethod,
            None,
            name,
            format!("ACCESS METHOD {quoted}"),
        )
        .made_by(vec![create]))
    };
    reader.own(&rows, class::ACCESS_METHOD)?.into_iter().map(draft).collect()
}
