//! Aggregates of every kind: plain, ordered-set, hypothetical, moving.

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::draft::clauses::Clauses;
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter, present};
use crate::pg::row::Row;
use crate::sql::ident;

/// The functions of an aggregate: the word in `CREATE AGGREGATE`, and the column.
const FUNCTIONS: &[(&str, &str)] = &[
    ("SFUNC", "aggtransfn"),
    ("FINALFUNC", "aggfinalfn"),
    ("COMBINEFUNC", "aggcombinefn"),
    ("SERIALFUNC", "aggserialfn"),
    ("DESERIALFUNC", "aggdeserialfn"),
    ("MSFUNC", "aggmtransfn"),
    ("MINVFUNC", "aggminvtransfn"),
    ("MFINALFUNC", "aggmfinalfn"),
];

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let functions: Vec<String> = (FUNCTIONS.iter())
        .map(|(word, column)| {
            format!(
                "CASE WHEN a.{column} <> 0 THEN a.{column}::pg_catalog.regproc::text END AS {}",
                word.to_lowercase()
            )
        })
        .collect();
    let sql = format!(
        "SELECT p.oid, n.nspname::text AS schema, p.proname::text AS name, \
         pg_catalog.pg_get_userbyid(p.proowner)::text AS owner, {}, \
           pg_catalog.format_type(a.aggtranstype, NULL) AS stype, CASE WHEN a.aggmtranstype <> 0 \
           THEN pg_catalog.format_type(a.aggmtranstype, NULL) END AS mstype, \
           a.aggtransspace AS sspace, a.aggmtransspace AS msspace, a.agginitval AS initial, \
           a.aggminitval AS moving_initial, \
           a.aggfinalextra, a.aggmfinalextra, a.aggfinalmodify::text AS modify, \
           a.aggmfinalmodify::text AS moving_modify, a.aggkind::text AS kind, \
           o.oprname::text AS sort_operator, os.nspname::text AS sort_schema, p.proparallel::text \
           AS parallel, p.pronargs::int4 AS count, \
           pg_catalog.pg_get_function_arguments(p.oid) AS arguments, \
           pg_catalog.pg_get_function_identity_arguments(p.oid) AS identity_arguments, \
           ARRAY(SELECT pg_catalog.format_type(u.type, NULL) FROM pg_catalog.unnest(p.proargtypes) \
           WITH ORDINALITY u(type, place) ORDER BY u.place) AS types \
         FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid JOIN \
         pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
         LEFT JOIN (pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace os ON os.oid = \
         o.oprnamespace) ON o.oid = a.aggsortop \
         WHERE {USER_SCHEMA}",
        functions.join(", ")
    );
    let mut drafts = Vec::new();
    for row in reader.rows("aggregates", &sql).await? {
        if !reader.is_member(class::PROC, row.get("oid")?) {
            drafts.push(aggregate(&row)?);
        }
    }
    Ok(drafts)
}

fn aggregate(row: &Row) -> Result<Draft> {
    let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
    let qualified = ident::qualified(schema, name);
    let has_arguments = row.get::<_, i32>("count")? > 0;
    let bracketed = |column: &str| -> Result<String> {
        Ok(if has_arguments { present(row, column, "aggregates")? } else { "*".to_owned() })
    };
    let (arguments, identity) = (bracketed("arguments")?, bracketed("identity_arguments")?);
    let create = format!("CREATE AGGREGATE {qualified}({arguments}){}", clauses(row)?.bracketed());
    let address = Address::new(class::PROC, row.get("oid")?);
    let words = format!("AGGREGATE {qualified}({identity})");
    let draft = Draft::new(
        address,
        ObjectKind::Aggregate,
        Some(schema),
        &format!("{name}({identity})"),
        words,
    );
    // GRANT takes it for a function, with neither `*` nor ORDER BY.
    let grant_on =
        Some(format!("FUNCTION {qualified}({})", row.get::<_, Vec<&str>>("types")?.join(", ")));
    Ok(Draft { grant_on, ..draft }.made_by(vec![create]).owned_by(row.get("owner")?))
}

fn clauses(row: &Row) -> Result<Clauses> {
    let text = |column: &str| row.get::<_, Option<&str>>(column);
    let function = |clauses: &mut Clauses, word: &str| -> Result<()> {
        clauses.set_some(word, text(&word.to_lowercase())?);
        Ok(())
    };
    let space = |clauses: &mut Clauses, word: &str| -> Result<()> {
        let bytes: i32 = row.get(word.to_lowercase().as_str())?;
        clauses.set_some(word, (bytes != 0).then_some(bytes));
        Ok(())
    };
    let kind = letter(row, "kind")?;
    let usual = if kind == 'n' { 'r' } else { 'w' };
    let modify = |clauses: &mut Clauses, word: &str, column: &str| -> Result<()> {
        match letter(row, column)? {
            found if found == usual => {}
            'r' => clauses.set(word, "READ_ONLY"),
            's' => clauses.set(word, "SHAREABLE"),
            _ => clauses.set(word, "READ_WRITE"),
        }
        Ok(())
    };
    let mut clauses = Clauses::default();
    function(&mut clauses, "SFUNC")?;
    clauses.set("STYPE", row.get::<_, &str>("stype")?);
    space(&mut clauses, "SSPACE")?;
    clauses.set_some("INITCOND", text("initial")?.map(ident::literal));
    if text("finalfunc")?.is_some() {
        function(&mut clauses, "FINALFUNC")?;
        if row.get("aggfinalextra")? {
            clauses.word("FINALFUNC_EXTRA");
        }
        modify(&mut clauses, "FINALFUNC_MODIFY", "modify")?;
    }
    for word in ["COMBINEFUNC", "SERIALFUNC", "DESERIALFUNC", "MSFUNC", "MINVFUNC"] {
        function(&mut clauses, word)?;
    }
    if text("msfunc")?.is_some() {
        clauses.set_some("MSTYPE", text("mstype")?);
        space(&mut clauses, "MSSPACE")?;
        clauses.set_some("MINITCOND", text("moving_initial")?.map(ident::literal));
    }
    if text("mfinalfunc")?.is_some() {
        function(&mut clauses, "MFINALFUNC")?;
        if row.get("aggmfinalextra")? {
            clauses.word("MFINALFUNC_EXTRA");
        }
        modify(&mut clauses, "MFINALFUNC_MODIFY", "moving_modify")?;
    }
    if let (Some(schema), Some(operator)) = (text("sort_schema")?, text("sort_operator")?) {
        clauses.set("SORTOP", super::operators::named(schema, operator));
    }
    match letter(row, "parallel")? {
        's' => clauses.set("PARALLEL", "safe"),
        'r' => clauses.set("PARALLEL", "restricted"),
        _ => {}
    }
    if kind == 'h' {
        clauses.word("HYPOTHETICAL");
    }
    Ok(clauses)
}
