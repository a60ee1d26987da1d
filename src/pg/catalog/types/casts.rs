//! Casts, transforms and languages: what stands in no schema and is named by what it connects.

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, FIRST_NORMAL_OID, class};
use crate::pg::catalog::draft::clauses::Clauses;
use crate::pg::catalog::reader::{Reader, letter};
use crate::pg::row::Row;
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    // That from a range to its multirange is made with these.
    let sql = format!(
        "SELECT c.oid, pg_catalog.format_type(c.castsource, NULL) AS source, \
         pg_catalog.format_type(c.casttarget, NULL) AS target, \
           CASE WHEN c.castfunc <> 0 THEN c.castfunc::pg_catalog.regprocedure::text END AS \
           function, c.castcontext::text AS context, c.castmethod::text AS method \
         FROM pg_catalog.pg_cast c WHERE c.oid >= {FIRST_NORMAL_OID} AND NOT EXISTS (SELECT FROM \
         pg_catalog.pg_depend d \
           WHERE d.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass AND d.objid = c.oid AND \
           d.deptype = 'i')"
    );
    let rows = reader.rows("casts", &sql).await?;
    reader.own(&rows, class::CAST)?.into_iter().map(cast).collect()
}

fn cast(row: &Row) -> Result<Draft> {
    let name = format!("({} AS {})", row.get::<_, &str>("source")?, row.get::<_, &str>("target")?);
    let method = match (letter(row, "method")?, row.get::<_, Option<&str>>("function")?) {
        ('i', _) => " WITH INOUT".to_owned(),
        (_, Some(function)) => format!(" WITH FUNCTION {function}"),
        _ => " WITHOUT FUNCTION".to_owned(),
    };
    let context = match letter(row, "context")? {
        'a' => " AS ASSIGNMENT",
        'i' => " AS IMPLICIT",
        _ => "",
    };
    let identity = format!("CAST {name}");
    let create = format!("CREATE {identity}{method}{context}");
    Ok(Draft::new(
        Address::new(class::CAST, row.get("oid")?),
        ObjectKind::Cast,
        None,
        &name,
        identity,
    )
    .made_by(vec![create]))
}

pub(in crate::pg::catalog) async fn read_transforms(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT t.oid, pg_catalog.format_type(t.trftype, NULL) AS type, l.lanname::text AS \
         language, \
           CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::pg_catalog.regprocedure::text END AS \
           from_sql, \
           CASE WHEN t.trftosql <> 0 THEN t.trftosql::pg_catalog.regprocedure::text END AS to_sql \
         FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang WHERE \
         t.oid >= {FIRST_NORMAL_OID}"
    );
    let rows = reader.rows("transforms", &sql).await?;
    let draft = |row: &Row| -> Result<_> {
        let name = format!(
            "FOR {} LANGUAGE {}",
            row.get::<_, &str>("type")?,
            ident::quote(row.get("language")?)
        );
        let mut clauses = Clauses::default();
        for (column, words) in
            [("from_sql", "FROM SQL WITH FUNCTION"), ("to_sql", "TO SQL WITH FUNCTION")]
        {
            if let Some(function) = row.get::<_, Option<&str>>(column)? {
                clauses.word(format!("{words} {function}"));
            }
        }
        let identity = format!("TRANSFORM {name}");
        let create = format!("CREATE {identity}{}", clauses.bracketed());
        Ok(Draft::new(
            Address::new(class::TRANSFORM, row.get("oid")?),
            ObjectKind::Transform,
            None,
            &name,
            identity,
        )
        .made_by(vec![create]))
    };
    reader.own(&rows, class::TRANSFORM)?.into_iter().map(draft).collect()
}

pub(in crate::pg::catalog) async fn read_languages(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT l.oid, l.lanname::text AS name, pg_catalog.pg_get_userbyid(l.lanowner)::text AS \
         owner, l.lanpltrusted, \
           l.lanplcallfoid::pg_catalog.regproc::text AS handler, \
           CASE WHEN l.laninline <> 0 THEN l.laninline::pg_catalog.regproc::text END AS inline, \
           CASE WHEN l.lanvalidator <> 0 THEN l.lanvalidator::pg_catalog.regproc::text END AS \
           validator \
         FROM pg_catalog.pg_language l WHERE l.lanispl AND l.oid >= {FIRST_NORMAL_OID}"
    );
    let rows = reader.rows("languages", &sql).await?;
    let draft = |row: &Row| -> Result<_> {
        let name: &str = row.get("name")?;
        let quoted = ident::quote(name);
        let trusted = if row.get("lanpltrusted")? { "TRUSTED " } else { "" };
        let mut create = format!(
            "CREATE {trusted}PROCEDURAL LANGUAGE {quoted} HANDLER {}",
            row.get::<_, &str>("handler")?
        );
        for (column, word) in [("inline", "INLINE"), ("validator", "VALIDATOR")] {
            if let Some(function) = row.get::<_, Option<&str>>(column)? {
                create = format!("{create} {word} {function}");
            }
        }
        let address = Address::new(class::LANGUAGE, row.get("oid")?);
        let draft =
            Draft::new(address, ObjectKind::Language, None, name, format!("LANGUAGE {quoted}"));
        Ok(draft.made_by(vec![create]).owned_by(row.get("owner")?))
    };
    reader.own(&rows, class::LANGUAGE)?.into_iter().map(draft).collect()
}
