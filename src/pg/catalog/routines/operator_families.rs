//! Operator families and classes, and the operators and functions in them: those of a class stand
//! in the class, the rest is loose in the family. What is loose in a family of the server's or of
//! an extension, and names nothing that a user made, an extension may have put there.

use std::collections::HashMap;

use futures_util::try_join;

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, FIRST_NORMAL_OID, class, own};
use crate::pg::catalog::draft::clauses::Clauses;
use crate::pg::catalog::reader::{Reader, USER_SCHEMA};
use crate::pg::on_extensions::{self, Member};
use crate::pg::row::Row;
use crate::sql::ident;

/// The operators and functions of one class, or loose in one family.
#[derive(Debug, Default)]
struct Members {
    clauses: Clauses,
    parts: Vec<(Address, Option<String>)>,
    /// Those that an extension may have put there.
    doubtful: Vec<Doubtful>,
}

/// An operator or function that an extension may have put into a family, and the extension.
#[derive(Debug)]
struct Doubtful {
    address: Address,
    clause: String,
    is_operator: bool,
    number: i32,
    left: (String, String),
    right: (String, String),
    /// Its row in `pg_extension`.
    extension: Address,
}

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let families = format!(
        "SELECT f.oid, n.nspname::text AS schema, f.opfname::text AS name, m.amname::text AS \
         method, \
           pg_catalog.pg_get_userbyid(f.opfowner)::text AS owner, f.oid < {FIRST_NORMAL_OID} AS \
           is_builtin \
         FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace \
         JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod \
         WHERE {USER_SCHEMA} OR f.opfnamespace = 'pg_catalog'::pg_catalog.regnamespace"
    );
    let classes = format!(
        "SELECT o.oid, n.nspname::text AS schema, o.opcname::text AS name, m.amname::text AS \
         method, o.opcdefault, \
           pg_catalog.pg_get_userbyid(o.opcowner)::text AS owner, \
           pg_catalog.format_type(o.opcintype, NULL) AS type, \
           CASE WHEN o.opckeytype <> 0 THEN pg_catalog.format_type(o.opckeytype, NULL) END AS \
           key_type, \
           fn.nspname::text AS family_schema, f.opfname::text AS family \
         FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace \
         JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod \
         JOIN pg_catalog.pg_opfamily f ON f.oid = o.opcfamily JOIN pg_catalog.pg_namespace fn ON \
         fn.oid = f.opfnamespace WHERE {USER_SCHEMA}"
    );
    let (mut members, families, classes) = try_join!(
        read_members(reader),
        reader.rows("operator families", &families),
        reader.rows("operator classes", &classes)
    )?;
    let mut drafts = Vec::new();
    for row in families {
        let address = Address::new(class::OPERATOR_FAMILY, row.get("oid")?);
        let members = members.remove(&address).unwrap_or_default();
        let extension =
            reader.extension_of(address).map(|extension| Address::new(class::EXTENSION, extension));
        let is_made = extension.is_none() && !row.get::<_, bool>("is_builtin")?;
        for one in &members.doubtful {
            drafts.push(doubtful(reader, &row, one)?);
        }
        // Of families that are not a user's only what a user added to them is of interest.
        if is_made && row.get::<_, &str>("schema")? != "pg_catalog"
            || !is_made && !members.clauses.is_empty()
        {
            // The extension needs its family, not what was added to it.
            let own = if extension.is_some() {
                Address::new(own::FAMILY_ADDITIONS, address.object)
            } else {
                address
            };
            let draft = family(&row, own, members, is_made)?;
            drafts.push(Draft { needs: extension.into_iter().collect(), ..draft });
        }
    }
    for row in classes {
        let address = Address::new(class::OPERATOR_CLASS, row.get("oid")?);
        if !reader.is_member(address.class, address.object) {
            drafts.push(operator_class(
                &row,
                address,
                members.remove(&address).unwrap_or_default(),
            )?);
        }
    }
    Ok(drafts)
}

/// Reads what is in each class and family: `pg_depend` knows which of the two it belongs to.
async fn read_members(reader: &Reader<'_>) -> Result<HashMap<Address, Members>> {
    // That something is of the server's own family it does not know: such are pinned.
    let select = |catalog: &str, prefix: &str| {
        format!(
            "SELECT coalesce(d.refclassid, 'pg_catalog.pg_opfamily'::pg_catalog.regclass::oid) AS \
             of_class, coalesce(d.refobjid, i.{prefix}family) AS of, \
               'pg_catalog.{catalog}'::pg_catalog.regclass::oid AS class, i.oid"
        )
    };
    let from = |catalog: &str, prefix: &str| {
        format!(
            "FROM pg_catalog.{catalog} i LEFT JOIN pg_catalog.pg_depend d ON d.classid = \
             'pg_catalog.{catalog}'::pg_catalog.regclass \
               AND d.objid = i.oid AND d.objsubid = 0 AND d.deptype IN ('a', 'i') AND \
               (d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass \
                 OR d.refclassid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass AND d.refobjid = \
                 i.{prefix}family)"
        )
    };
    let names = |prefix: &str| {
        format!(
            "JOIN pg_catalog.pg_type lt ON lt.oid = i.{prefix}lefttype JOIN \
             pg_catalog.pg_namespace ln ON ln.oid = lt.typnamespace \
             JOIN pg_catalog.pg_type rt ON rt.oid = i.{prefix}righttype JOIN \
             pg_catalog.pg_namespace rn ON rn.oid = rt.typnamespace"
        )
    };
    let types = "ln.nspname::text AS left_schema, lt.typname::text AS left_name, rn.nspname::text \
        AS right_schema, rt.typname::text AS right_name";
    // An array is whose its elements are: no extension has it for a member.
    let of_element = |kind: &str| {
        format!(
            "coalesce((SELECT e.oid FROM pg_catalog.pg_type e WHERE e.typarray = {kind}.oid), \
             {kind}.oid)"
        )
    };
    let (left, right) = (of_element("lt"), of_element("rt"));
    // Those of one number in the order in which they came, as `pg_dump` tells them.
    let sql = format!(
        "{}, true AS is_operator, i.amopstrategy::int4 AS number, \
         i.amopopr::pg_catalog.regoperator::text AS named, \
           n.nspname::text AS sort_schema, f.opfname::text AS sort_family, \
           pg_catalog.format_type(i.amoplefttype, NULL) AS left, \
           pg_catalog.format_type(i.amoprighttype, NULL) AS right, {types}, \
           'pg_catalog.pg_operator'::pg_catalog.regclass::oid AS member_class, i.amopopr::oid AS \
           member, \
           {left} AS left_type, {right} AS right_type, i.amopfamily AS family {} {} \
         LEFT JOIN (pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = \
         f.opfnamespace) ON f.oid = i.amopsortfamily \
         WHERE i.oid >= {FIRST_NORMAL_OID} \
         UNION ALL {}, false, i.amprocnum::int4, i.amproc::pg_catalog.regprocedure::text, NULL, \
         NULL, \
           pg_catalog.format_type(i.amproclefttype, NULL), \
           pg_catalog.format_type(i.amprocrighttype, NULL), {types}, \
           'pg_catalog.pg_proc'::pg_catalog.regclass::oid, i.amproc::oid, {left}, {right}, \
           i.amprocfamily {} {} \
         WHERE i.oid >= {FIRST_NORMAL_OID} ORDER BY 1, 2, 5 DESC, 6, 4",
        select("pg_amop", "amop"),
        from("pg_amop", "amop"),
        names("amop"),
        select("pg_amproc", "amproc"),
        from("pg_amproc", "amproc"),
        names("amproc"),
    );
    let mut members: HashMap<Address, Members> = HashMap::new();
    for row in reader.rows("operator families' members", &sql).await? {
        let of = Address::new(row.get("of_class")?, row.get("of")?);
        let entry = members.entry(of).or_default();
        let address = Address::new(row.get("class")?, row.get("oid")?);
        let Some(extension) = adder(reader, &row, of)? else {
            entry.parts.push((address, None));
            entry.clauses.word(clause(&row)?);
            continue;
        };
        entry.doubtful.push(Doubtful {
            address,
            clause: clause(&row)?,
            is_operator: row.get("is_operator")?,
            number: row.get("number")?,
            left: (row.get("left_schema")?, row.get("left_name")?),
            right: (row.get("right_schema")?, row.get("right_name")?),
            extension,
        });
    }
    Ok(members)
}

/// The extension that may have put something loose into a family: not into a user's own, and
/// nothing that names what a user made, for no script of an extension knows of that.
fn adder(reader: &Reader<'_>, row: &Row, of: Address) -> Result<Option<Address>> {
    let names = [
        Address::new(row.get("member_class")?, row.get("member")?),
        Address::new(class::TYPE, row.get("left_type")?),
        Address::new(class::TYPE, row.get("right_type")?),
    ];
    let is_users = |address: &Address| {
        address.object >= FIRST_NORMAL_OID && !reader.is_member(address.class, address.object)
    };
    if of.class != class::OPERATOR_FAMILY || is_users(&of) || names.iter().any(is_users) {
        return Ok(None);
    }
    Ok(std::iter::once(of)
        .chain(names)
        .find_map(|address| reader.extension_of(address))
        .map(|oid| Address::new(class::EXTENSION, oid)))
}

/// What stands in the list after `ADD`.
fn clause(row: &Row) -> Result<String> {
    let text = |column: &str| row.get::<_, Option<&str>>(column);
    let (number, named): (i32, &str) = (row.get("number")?, row.get("named")?);
    if row.get("is_operator")? {
        let order = match (text("sort_schema")?, text("sort_family")?) {
            (Some(schema), Some(family)) => {
                format!(" FOR ORDER BY {}", ident::qualified(schema, family))
            }
            _ => String::new(),
        };
        return Ok(format!("OPERATOR {number} {named}{order}"));
    }
    let types =
        format!("{}, {}", text("left")?.unwrap_or_default(), text("right")?.unwrap_or_default());
    Ok(format!("FUNCTION {number} ({types}) {named}"))
}

/// What an extension may have added to a family, as an object of its own.
fn doubtful(reader: &Reader<'_>, row: &Row, one: &Doubtful) -> Result<Draft> {
    let (schema, name, method): (&str, &str, &str) =
        (row.get("schema")?, row.get("name")?, row.get("method")?);
    let family = on_extensions::family(schema, name, method);
    let (left, right) =
        ((one.left.0.as_str(), one.left.1.as_str()), (one.right.0.as_str(), one.right.1.as_str()));
    let member =
        Member { family: &family, is_operator: one.is_operator, number: one.number, left, right };
    let draft =
        Draft::new(one.address, ObjectKind::OperatorFamily, Some(schema), name, member.identity());
    let add = format!("ALTER {family} ADD {}", one.clause);
    let draft =
        Draft { sort: method.to_owned(), of: Some(one.extension), ..draft }.made_by(vec![add]);
    Ok(draft.on_extension(reader.extension_name(one.extension.object)))
}

fn family(row: &Row, address: Address, members: Members, is_made: bool) -> Result<Draft> {
    let (schema, name, method): (&str, &str, &str) =
        (row.get("schema")?, row.get("name")?, row.get("method")?);
    let words = on_extensions::family(schema, name, method);
    let mut statements: Vec<String> =
        is_made.then(|| format!("CREATE {words}")).into_iter().collect();
    if !members.clauses.is_empty() {
        statements.push(format!("ALTER {words} ADD\n    {}", members.clauses.lines()));
    }
    let draft = Draft::new(address, ObjectKind::OperatorFamily, Some(schema), name, words);
    let owner = if is_made { Some(row.get("owner")?) } else { None };
    let drop = draft.drop.clone().filter(|_| is_made);
    Ok(Draft { sort: method.to_owned(), parts: members.parts, owner, drop, ..draft }
        .made_by(statements))
}

fn operator_class(row: &Row, address: Address, mut members: Members) -> Result<Draft> {
    let (schema, name, method): (&str, &str, &str) =
        (row.get("schema")?, row.get("name")?, row.get("method")?);
    let (qualified, quoted_method, of_type) =
        (ident::qualified(schema, name), ident::quote(method), row.get::<_, &str>("type")?);
    let storage = row.get::<_, Option<&str>>("key_type")?;
    // Something must stand in the list; to store a key as what it is says nothing.
    if let Some(storage) = storage.or_else(|| members.clauses.is_empty().then_some(of_type)) {
        members.clauses.word(format!("STORAGE {storage}"));
    }
    let default = if row.get("opcdefault")? { "DEFAULT " } else { "" };
    let family = ident::qualified(row.get("family_schema")?, row.get("family")?);
    let create = format!(
        "CREATE OPERATOR CLASS {qualified}\n    {default}FOR TYPE {of_type} USING {quoted_method} \
         FAMILY {family} AS\n    {}",
        members.clauses.lines()
    );
    let words = format!("OPERATOR CLASS {qualified} USING {quoted_method}");
    let draft = Draft::new(address, ObjectKind::OperatorClass, Some(schema), name, words);
    Ok(Draft { sort: method.to_owned(), parts: members.parts, ..draft }
        .made_by(vec![create])
        .owned_by(row.get("owner")?))
}
