//! Text search: parsers, templates, dictionaries, configurations.

use futures_util::try_join;

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::draft::clauses::Clauses;
use crate::pg::catalog::reader::{Reader, USER_SCHEMA};
use crate::pg::row::Row;
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let (parsers, templates, dictionaries, configurations) = try_join!(
        read_parsers(reader),
        read_templates(reader),
        read_dictionaries(reader),
        read_configurations(reader)
    )?;
    Ok([parsers, templates, dictionaries, configurations].into_iter().flatten().collect())
}

fn function(column: &str, name: &str) -> String {
    format!("CASE WHEN o.{column} <> 0 THEN o.{column}::pg_catalog.regproc::text END AS {name}")
}

/// Runs a query for text search objects, with the columns `oid`, `schema`, `name` and `owner` (NULL
/// for parsers and templates, which have none), and makes a draft of each row that no extension
/// makes.
async fn drafts(
    reader: &Reader<'_>,
    sql: &str,
    catalog: u32,
    kind: ObjectKind,
    make: impl Fn(&Row, &str) -> Result<Vec<String>>,
) -> Result<Vec<Draft>> {
    let rows = reader.rows(&format!("{kind} objects"), sql).await?;
    let draft = |row: &Row| -> Result<_> {
        let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
        let identity =
            format!("{} {}", kind.to_string().to_uppercase(), ident::qualified(schema, name));
        let statements = make(row, &identity)?;
        let address = Address::new(catalog, row.get("oid")?);
        let draft = Draft::new(address, kind, Some(schema), name, identity);
        Ok(Draft { owner: row.get("owner")?, ..draft }.made_by(statements))
    };
    reader.own(&rows, catalog)?.into_iter().map(draft).collect()
}

async fn read_parsers(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT o.oid, n.nspname::text AS schema, o.prsname::text AS name, NULL::text AS owner, {}, {}, \
         {}, {}, {} \
         FROM pg_catalog.pg_ts_parser o JOIN pg_catalog.pg_namespace n ON n.oid = o.prsnamespace \
         WHERE {USER_SCHEMA}",
        function("prsstart", "start"),
        function("prstoken", "gettoken"),
        function("prsend", "\"end\""),
        function("prsheadline", "headline"),
        function("prslextype", "lextypes"),
    );
    let words = ["START", "GETTOKEN", "END", "HEADLINE", "LEXTYPES"];
    drafts(reader, &sql, class::TS_PARSER, ObjectKind::TextSearchParser, |row, identity| {
        by_functions(row, identity, &words)
    })
    .await
}

async fn read_templates(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT o.oid, n.nspname::text AS schema, o.tmplname::text AS name, NULL::text AS owner, {}, {} \
         FROM pg_catalog.pg_ts_template o JOIN pg_catalog.pg_namespace n ON n.oid = \
         o.tmplnamespace WHERE {USER_SCHEMA}",
        function("tmplinit", "init"),
        function("tmpllexize", "lexize"),
    );
    let words = ["INIT", "LEXIZE"];
    drafts(reader, &sql, class::TS_TEMPLATE, ObjectKind::TextSearchTemplate, |row, identity| {
        by_functions(row, identity, &words)
    })
    .await
}

fn by_functions(row: &Row, identity: &str, words: &[&str]) -> Result<Vec<String>> {
    let mut clauses = Clauses::default();
    for word in words {
        clauses.set_some(word, row.get::<_, Option<&str>>(word.to_lowercase().as_str())?);
    }
    Ok(vec![format!("CREATE {identity}{}", clauses.bracketed())])
}

async fn read_dictionaries(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT o.oid, n.nspname::text AS schema, o.dictname::text AS name, \
         pg_catalog.pg_get_userbyid(o.dictowner)::text AS owner, \
           tn.nspname::text AS template_schema, t.tmplname::text AS template, o.dictinitoption AS \
           options \
         FROM pg_catalog.pg_ts_dict o JOIN pg_catalog.pg_namespace n ON n.oid = o.dictnamespace \
         JOIN pg_catalog.pg_ts_template t ON t.oid = o.dicttemplate JOIN pg_catalog.pg_namespace \
         tn ON tn.oid = t.tmplnamespace WHERE {USER_SCHEMA}"
    );
    let make = |row: &Row, identity: &str| -> Result<_> {
        let mut clauses = Clauses::default();
        clauses
            .set("TEMPLATE", ident::qualified(row.get("template_schema")?, row.get("template")?));
        // The catalog keeps the rest as it is written here.
        if let Some(options) = row.get::<_, Option<&str>>("options")? {
            clauses.word(options);
        }
        Ok(vec![format!("CREATE {identity}{}", clauses.bracketed())])
    };
    drafts(reader, &sql, class::TS_DICTIONARY, ObjectKind::TextSearchDictionary, make).await
}

async fn read_configurations(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT o.oid, n.nspname::text AS schema, o.cfgname::text AS name, \
         pg_catalog.pg_get_userbyid(o.cfgowner)::text AS owner, pn.nspname::text AS \
         parser_schema, p.prsname::text AS parser, \
           ARRAY(SELECT k.alias FROM (SELECT DISTINCT m.maptokentype FROM \
           pg_catalog.pg_ts_config_map m WHERE m.mapcfg = o.oid) m \
             JOIN pg_catalog.ts_token_type(o.cfgparser) k ON k.tokid = m.maptokentype ORDER BY \
             m.maptokentype) AS tokens, \
           ARRAY(SELECT (SELECT pg_catalog.string_agg(d.mapdict::pg_catalog.regdictionary::text, \
           ', ' ORDER BY d.mapseqno) \
               FROM pg_catalog.pg_ts_config_map d WHERE d.mapcfg = o.oid AND d.maptokentype = \
               m.maptokentype) \
             FROM (SELECT DISTINCT m.maptokentype FROM pg_catalog.pg_ts_config_map m WHERE \
             m.mapcfg = o.oid) m ORDER BY m.maptokentype) AS dictionaries \
         FROM pg_catalog.pg_ts_config o JOIN pg_catalog.pg_namespace n ON n.oid = o.cfgnamespace \
         JOIN pg_catalog.pg_ts_parser p ON p.oid = o.cfgparser JOIN pg_catalog.pg_namespace pn ON \
         pn.oid = p.prsnamespace WHERE {USER_SCHEMA}"
    );
    let make = |row: &Row, identity: &str| -> Result<_> {
        let parser = ident::qualified(row.get("parser_schema")?, row.get("parser")?);
        let mut statements = vec![format!("CREATE {identity} (PARSER = {parser})")];
        let mappings = row
            .get::<_, Vec<&str>>("tokens")?
            .into_iter()
            .zip(row.get::<_, Vec<&str>>("dictionaries")?);
        statements.extend(mappings.map(|(token, dictionaries)| {
            format!("ALTER {identity} ADD MAPPING FOR {} WITH {dictionaries}", ident::quote(token))
        }));
        Ok(statements)
    };
    drafts(reader, &sql, class::TS_CONFIGURATION, ObjectKind::TextSearchConfiguration, make).await
}
