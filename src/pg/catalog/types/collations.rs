//! Collations of every provider, and conversions between encodings.

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::draft::clauses::Clauses;
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter};
use crate::pg::row::Row;
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let features = &reader.features;
    // ICU's locale has had three homes: collcollate, since 15 colliculocale, since 17 colllocale,
    // which is the built-in provider's too.
    let locale = if features.has("pg_collation", "colllocale") {
        "l.colllocale"
    } else if features.has("pg_collation", "colliculocale") {
        "l.colliculocale"
    } else {
        "l.collcollate"
    };
    let rules = features.column("pg_collation", "l.collicurules", "NULL");
    let sql = format!(
        "SELECT l.oid, n.nspname::text AS schema, l.collname::text AS name, \
         pg_catalog.pg_get_userbyid(l.collowner)::text AS owner, \
           l.collprovider::text AS provider, l.collencoding = -1 AS any_encoding, \
           l.collisdeterministic, l.collcollate::text AS collate, l.collctype::text AS ctype, \
           {locale}::text AS locale, {rules}::text AS rules \
         FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace \
         WHERE {USER_SCHEMA}"
    );
    let rows = reader.rows("collations", &sql).await?;
    reader.own(&rows, class::COLLATION)?.into_iter().map(collation).collect()
}

fn collation(row: &Row) -> Result<Draft> {
    let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
    let qualified = ident::qualified(schema, name);
    let text = |column: &str| row.get::<_, Option<&str>>(column);
    let provider = letter(row, "provider")?;
    let address = Address::new(class::COLLATION, row.get("oid")?);
    let draft = Draft::new(
        address,
        ObjectKind::Collation,
        Some(schema),
        name,
        format!("COLLATION {qualified}"),
    );
    let draft = draft.owned_by(row.get("owner")?);
    // Of libc's, only copies of these two are for every encoding.
    let any_encoding: bool = row.get("any_encoding")?;
    let (collate, ctype) = (text("collate")?, text("ctype")?);
    let copied = collate.filter(|_| any_encoding && provider == 'c' && ctype == collate);
    if let Some(locale @ ("C" | "POSIX")) = copied {
        return Ok(draft.made_by(vec![format!(
            "CREATE COLLATION {qualified} FROM pg_catalog.{}",
            ident::quote(locale)
        )]));
    }
    let mut clauses = Clauses::default();
    let word = match provider {
        'i' => "icu",
        'b' => "builtin",
        'd' => "default",
        _ => "libc",
    };
    clauses.set("provider", word);
    if !row.get::<_, bool>("collisdeterministic")? {
        clauses.set("deterministic", "false");
    }
    match provider {
        'i' | 'b' => {
            clauses.set_some("locale", text("locale")?.map(ident::literal));
            clauses.set_some("rules", text("rules")?.map(ident::literal));
        }
        'd' => {}
        _ if collate == ctype => clauses.set_some("locale", collate.map(ident::literal)),
        _ => {
            clauses.set_some("lc_collate", collate.map(ident::literal));
            clauses.set_some("lc_ctype", ctype.map(ident::literal));
        }
    }
    Ok(draft.made_by(vec![format!("CREATE COLLATION {qualified}{}", clauses.bracketed())]))
}

pub(in crate::pg::catalog) async fn read_conversions(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT o.oid, n.nspname::text AS schema, o.conname::text AS name, \
         pg_catalog.pg_get_userbyid(o.conowner)::text AS owner, o.condefault, \
           pg_catalog.pg_encoding_to_char(o.conforencoding)::text AS source, \
           pg_catalog.pg_encoding_to_char(o.contoencoding)::text AS target, \
           o.conproc::pg_catalog.regproc::text AS function \
         FROM pg_catalog.pg_conversion o JOIN pg_catalog.pg_namespace n ON n.oid = o.connamespace \
         WHERE {USER_SCHEMA}"
    );
    let rows = reader.rows("conversions", &sql).await?;
    let draft = |row: &Row| -> Result<_> {
        let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
        let qualified = ident::qualified(schema, name);
        let default = if row.get("condefault")? { "DEFAULT " } else { "" };
        let (source, target) =
            (ident::literal(row.get("source")?), ident::literal(row.get("target")?));
        let function: &str = row.get("function")?;
        let create = format!(
            "CREATE {default}CONVERSION {qualified} FOR {source} TO {target} FROM {function}"
        );
        let address = Address::new(class::CONVERSION, row.get("oid")?);
        let draft = Draft::new(
            address,
            ObjectKind::Conversion,
            Some(schema),
            name,
            format!("CONVERSION {qualified}"),
        );
        Ok(draft.made_by(vec![create]).owned_by(row.get("owner")?))
    };
    reader.own(&rows, class::CONVERSION)?.into_iter().map(draft).collect()
}
