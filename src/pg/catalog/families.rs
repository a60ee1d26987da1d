//! Operator families and classes, and the operators and functions in them: those of a class stand in the class, the rest is loose in the
//! family.

use std::collections::HashMap;

use super::address::{Address, FIRST_NORMAL_OID, class};
use super::clauses::Clauses;
use super::draft::Draft;
use super::reader::{Reader, USER_SCHEMA};
use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::ident;
use crate::pg::row::Row;

/// The operators and functions of one class, or loose in one family.
#[derive(Debug, Default)]
struct Members {
    clauses: Clauses,
    parts: Vec<(Address, Option<String>)>,
}

pub(super) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let mut members = read_members(reader).await?;
    let sql = format!(
        "SELECT f.oid, n.nspname::text AS schema, f.opfname::text AS name, m.amname::text AS method, \
           pg_catalog.pg_get_userbyid(f.opfowner)::text AS owner, f.oid < {FIRST_NORMAL_OID} AS is_builtin \
         FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod \
         WHERE {USER_SCHEMA} OR f.oid < {FIRST_NORMAL_OID}"
    );
    let mut drafts = Vec::new();
    for row in reader.rows("operator families", &sql).await? {
        let address = Address::new(class::OPERATOR_FAMILY, row.get("oid")?);
        let members = members.remove(&address);
        // Of the server's own families only what a user added to them is of interest.
        if !reader.is_member(address.class, address.object) && (members.is_some() || !row.get::<_, bool>("is_builtin")?) {
            drafts.push(family(&row, address, members.unwrap_or_default())?);
        }
    }
    let sql = format!(
        "SELECT o.oid, n.nspname::text AS schema, o.opcname::text AS name, m.amname::text AS method, o.opcdefault, \
           pg_catalog.pg_get_userbyid(o.opcowner)::text AS owner, pg_catalog.format_type(o.opcintype, NULL) AS type, \
           CASE WHEN o.opckeytype <> 0 THEN pg_catalog.format_type(o.opckeytype, NULL) END AS key_type, \
           fn.nspname::text AS family_schema, f.opfname::text AS family \
         FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod \
         JOIN pg_catalog.pg_opfamily f ON f.oid = o.opcfamily JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace WHERE {USER_SCHEMA}"
    );
    for row in reader.rows("operator classes", &sql).await? {
        let address = Address::new(class::OPERATOR_CLASS, row.get("oid")?);
        if !reader.is_member(address.class, address.object) {
            drafts.push(operator_class(&row, address, members.remove(&address).unwrap_or_default())?);
        }
    }
    Ok(drafts)
}

/// Reads what is in each class and family: `pg_depend` knows which of the two it belongs to.
async fn read_members(reader: &Reader<'_>) -> Result<HashMap<Address, Members>> {
    // That something is of the server's own family it does not know: such are pinned.
    let select = |catalog: &str, prefix: &str| {
        format!(
            "SELECT coalesce(d.refclassid, 'pg_catalog.pg_opfamily'::pg_catalog.regclass::oid) AS of_class, coalesce(d.refobjid, i.{prefix}family) AS of, \
               'pg_catalog.{catalog}'::pg_catalog.regclass::oid AS class, i.oid"
        )
    };
    let from = |catalog: &str, prefix: &str| {
        format!(
            "FROM pg_catalog.{catalog} i LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass \
               AND d.objid = i.oid AND d.objsubid = 0 AND d.deptype IN ('a', 'i') AND (d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass \
                 OR d.refclassid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass AND d.refobjid = i.{prefix}family)"
        )
    };
    let sql = format!(
        "{}, true AS is_operator, i.amopstrategy::int4 AS number, i.amopopr::pg_catalog.regoperator::text AS named, \
           n.nspname::text AS sort_schema, f.opfname::text AS sort_family, NULL::text AS left, NULL::text AS right, \
           'pg_catalog.pg_operator'::pg_catalog.regclass::oid AS member_class, i.amopopr::oid AS member {} \
         LEFT JOIN (pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace) ON f.oid = i.amopsortfamily \
         WHERE i.oid >= {FIRST_NORMAL_OID} \
         UNION ALL {}, false, i.amprocnum::int4, i.amproc::pg_catalog.regprocedure::text, NULL, NULL, \
           pg_catalog.format_type(i.amproclefttype, NULL), pg_catalog.format_type(i.amprocrighttype, NULL), \
           'pg_catalog.pg_proc'::pg_catalog.regclass::oid, i.amproc::oid {} WHERE i.oid >= {FIRST_NORMAL_OID} \
         ORDER BY 1, 2, 5 DESC, 6, 7, 10, 11",
        select("pg_amop", "amop"),
        from("pg_amop", "amop"),
        select("pg_amproc", "amproc"),
        from("pg_amproc", "amproc"),
    );
    let mut members: HashMap<Address, Members> = HashMap::new();
    for row in reader.rows("operator families' members", &sql).await? {
        let text = |column: &str| row.get::<_, Option<&str>>(column);
        let (number, named): (i32, &str) = (row.get("number")?, row.get("named")?);
        let of: u32 = row.get("of")?;
        // What an extension adds to a family of the server's, it adds again.
        if of < FIRST_NORMAL_OID && reader.is_member(row.get("member_class")?, row.get("member")?) {
            continue;
        }
        let entry = members.entry(Address::new(row.get("of_class")?, of)).or_default();
        entry.parts.push((Address::new(row.get("class")?, row.get("oid")?), None));
        if row.get("is_operator")? {
            let order = match (text("sort_schema")?, text("sort_family")?) {
                (Some(schema), Some(family)) => format!(" FOR ORDER BY {}", ident::qualified(schema, family)),
                _ => String::new(),
            };
            entry.clauses.word(format!("OPERATOR {number} {named}{order}"));
        } else {
            let types = format!("{}, {}", text("left")?.unwrap_or_default(), text("right")?.unwrap_or_default());
            entry.clauses.word(format!("FUNCTION {number} ({types}) {named}"));
        }
    }
    Ok(members)
}

fn family(row: &Row, address: Address, members: Members) -> Result<Draft> {
    let (schema, name, method): (&str, &str, &str) = (row.get("schema")?, row.get("name")?, row.get("method")?);
    let words = format!("OPERATOR FAMILY {} USING {}", ident::qualified(schema, name), ident::quote(method));
    let is_builtin: bool = row.get("is_builtin")?;
    let mut statements: Vec<String> = (!is_builtin).then(|| format!("CREATE {words}")).into_iter().collect();
    if !members.clauses.is_empty() {
        statements.push(format!("ALTER {words} ADD\n    {}", members.clauses.lines()));
    }
    let draft = Draft::new(address, ObjectKind::OperatorFamily, Some(schema), name, words);
    let owner = if is_builtin { None } else { Some(row.get("owner")?) };
    let drop = draft.drop.clone().filter(|_| !is_builtin);
    Ok(Draft { sort: method.to_owned(), parts: members.parts, owner, drop, ..draft }.made_by(statements))
}

fn operator_class(row: &Row, address: Address, mut members: Members) -> Result<Draft> {
    let (schema, name, method): (&str, &str, &str) = (row.get("schema")?, row.get("name")?, row.get("method")?);
    let (qualified, quoted_method, of_type) = (ident::qualified(schema, name), ident::quote(method), row.get::<_, &str>("type")?);
    let storage = row.get::<_, Option<&str>>("key_type")?;
    // Something must stand in the list; to store a key as what it is says nothing.
    if let Some(storage) = storage.or_else(|| members.clauses.is_empty().then_some(of_type)) {
        members.clauses.word(format!("STORAGE {storage}"));
    }
    let default = if row.get("opcdefault")? { "DEFAULT " } else { "" };
    let family = ident::qualified(row.get("family_schema")?, row.get("family")?);
    let create = format!(
        "CREATE OPERATOR CLASS {qualified}\n    {default}FOR TYPE {of_type} USING {quoted_method} FAMILY {family} AS\n    {}",
        members.clauses.lines()
    );
    let words = format!("OPERATOR CLASS {qualified} USING {quoted_method}");
    let draft = Draft::new(address, ObjectKind::OperatorClass, Some(schema), name, words);
    Ok(Draft { sort: method.to_owned(), parts: members.parts, ..draft }.made_by(vec![create]).owned_by(row.get("owner")?))
}
