//! Foreign-data wrappers, servers and user mappings. Foreign tables are tables, see there.

use futures_util::try_join;

use crate::archive::manifest::{NotCarried, ObjectKind};
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::reader::Reader;
use crate::pg::row::Row;
use crate::sql::ident;

/// SQL that writes an array of `name=value` as the words between `OPTIONS (` and `)`.
pub(in crate::pg::catalog) fn options_sql(column: &str) -> String {
    format!(
        "coalesce(ARRAY(SELECT pg_catalog.quote_ident(o.option_name) || ' ' || \
         pg_catalog.quote_literal(o.option_value) \
           FROM pg_catalog.pg_options_to_table({column}) o), '{{}}')"
    )
}

/// ` OPTIONS (…)`, or nothing.
pub(in crate::pg::catalog) fn options_words(options: &[String]) -> String {
    if options.is_empty() {
        String::new()
    } else {
        format!(" OPTIONS (\n    {}\n)", options.join(",\n    "))
    }
}

pub(in crate::pg::catalog) async fn read(
    reader: &Reader<'_>,
) -> Result<(Vec<Draft>, Vec<NotCarried>)> {
    let (mut drafts, servers, (mappings, hidden)) =
        try_join!(read_wrappers(reader), read_servers(reader), read_mappings(reader))?;
    drafts.extend(servers);
    drafts.extend(mappings);
    Ok((drafts, hidden))
}

async fn read_wrappers(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let connection = reader.features.column("pg_foreign_data_wrapper", "w.fdwconnection", "0::oid");
    let sql = format!(
        "SELECT w.oid, w.fdwname::text AS name, pg_catalog.pg_get_userbyid(w.fdwowner)::text AS \
         owner, {} AS options, \
           CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::pg_catalog.regproc::text END AS handler, \
           CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::pg_catalog.regproc::text END AS \
           validator, \
           CASE WHEN {connection} <> 0 THEN ({connection})::pg_catalog.regproc::text END AS \
           connection \
         FROM pg_catalog.pg_foreign_data_wrapper w",
        options_sql("w.fdwoptions")
    );
    let rows = reader.rows("foreign-data wrappers", &sql).await?;
    let own = reader.own(&rows, class::FOREIGN_DATA_WRAPPER)?.into_iter();
    let draft = |row: &Row| -> Result<_> {
        let name: &str = row.get("name")?;
        let identity = format!("FOREIGN DATA WRAPPER {}", ident::quote(name));
        let word = |word: &str, column: &str| -> Result<String> {
            Ok(row
                .get::<_, Option<&str>>(column)?
                .map_or_else(String::new, |name| format!(" {word} {name}")))
        };
        let options = options_words(&row.get::<_, Vec<String>>("options")?);
        let words = [
            word("HANDLER", "handler")?,
            word("VALIDATOR", "validator")?,
            word("CONNECTION", "connection")?,
        ]
        .concat();
        let create = format!("CREATE {identity}{words}{options}");
        let address = Address::new(class::FOREIGN_DATA_WRAPPER, row.get("oid")?);
        Ok(Draft::new(address, ObjectKind::ForeignDataWrapper, None, name, identity)
            .made_by(vec![create])
            .owned_by(row.get("owner")?))
    };
    own.map(draft).collect()
}

async fn read_servers(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT s.oid, s.srvname::text AS name, pg_catalog.pg_get_userbyid(s.srvowner)::text AS \
         owner, s.srvtype AS type, \
           s.srvversion AS version, w.fdwname::text AS wrapper, {} AS options \
         FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = \
         s.srvfdw",
        options_sql("s.srvoptions")
    );
    let rows = reader.rows("foreign servers", &sql).await?;
    let own = reader.own(&rows, class::FOREIGN_SERVER)?.into_iter();
    let draft = |row: &Row| -> Result<_> {
        let name: &str = row.get("name")?;
        let quoted = ident::quote(name);
        let word = |word: &str, column: &str| -> Result<String> {
            let value = row.get::<_, Option<&str>>(column)?.filter(|value| !value.is_empty());
            Ok(value.map_or_else(String::new, |value| format!(" {word} {}", ident::literal(value))))
        };
        let options = options_words(&row.get::<_, Vec<String>>("options")?);
        let wrapper = ident::quote(row.get("wrapper")?);
        let create = format!(
            "CREATE SERVER {quoted}{}{} FOREIGN DATA WRAPPER {wrapper}{options}",
            word("TYPE", "type")?,
            word("VERSION", "version")?
        );
        let address = Address::new(class::FOREIGN_SERVER, row.get("oid")?);
        let draft =
            Draft::new(address, ObjectKind::ForeignServer, None, name, format!("SERVER {quoted}"));
        Ok(draft.made_by(vec![create]).owned_by(row.get("owner")?))
    };
    own.map(draft).collect()
}

/// The catalog itself is a superuser's; the view shows each mapping, and its options to whom they
/// concern.
async fn read_mappings(reader: &Reader<'_>) -> Result<(Vec<Draft>, Vec<NotCarried>)> {
    let sql = format!(
        "SELECT u.umid AS oid, u.srvid, u.srvname::text AS server, CASE WHEN u.umuser <> 0 THEN \
         u.usename::text END AS role, {} AS options, \
           r.rolsuper OR CASE WHEN u.umuser <> 0 THEN u.usename = current_user AND \
               (pg_catalog.pg_has_role(s.srvowner, 'USAGE') OR \
               pg_catalog.has_server_privilege(s.oid, 'USAGE')) \
             ELSE pg_catalog.pg_has_role(s.srvowner, 'USAGE') END AS is_shown \
         FROM pg_catalog.pg_user_mappings u JOIN pg_catalog.pg_foreign_server s ON s.oid = u.srvid \
         JOIN pg_catalog.pg_roles r ON r.rolname = current_user",
        options_sql("u.umoptions")
    );
    let (mut drafts, mut hidden) = (Vec::new(), Vec::new());
    for row in reader.rows("user mappings", &sql).await? {
        let (server, role): (&str, Option<&str>) = (row.get("server")?, row.get("role")?);
        let user = role.map_or_else(|| "PUBLIC".to_owned(), ident::quote);
        let name = format!("{user} on {}", ident::quote(server));
        if !row.get::<_, bool>("is_shown")? {
            let reason =
                "only a superuser may read them; the mapping is carried without".to_owned();
            hidden.push(NotCarried {
                kind: "options of user mapping".to_owned(),
                name: name.clone(),
                reason,
            });
        }
        let identity = format!("USER MAPPING FOR {user} SERVER {}", ident::quote(server));
        let create =
            format!("CREATE {identity}{}", options_words(&row.get::<_, Vec<String>>("options")?));
        let address = Address::new(class::USER_MAPPING, row.get("oid")?);
        let draft = Draft::new(address, ObjectKind::UserMapping, None, &name, identity);
        let of = Some(Address::new(class::FOREIGN_SERVER, row.get("srvid")?));
        drafts.push(
            Draft { of, roles: role.map(str::to_owned).into_iter().collect(), ..draft }
                .made_by(vec![create]),
        );
    }
    Ok((drafts, hidden))
}
