//! Policies of row security. Whether a table obeys them is the table's to say.

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter};
use crate::pg::on_extensions;
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT p.oid, p.polrelid, n.nspname::text AS schema, c.relname::text AS table, \
         p.polname::text AS name, p.polpermissive, \
           p.polcmd::text AS command, 0 = ANY (p.polroles) AS is_public, \
           ARRAY(SELECT r.rolname::text FROM pg_catalog.pg_roles r WHERE r.oid = ANY (p.polroles) \
           ORDER BY 1) AS roles, \
           pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS qual, \
           pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS with_check \
         FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE {USER_SCHEMA}"
    );
    let mut drafts = Vec::new();
    for row in reader.rows("policies", &sql).await? {
        let of = Address::new(class::CLASS, row.get("polrelid")?);
        let (schema, table, name): (&str, &str, &str) =
            (row.get("schema")?, row.get("table")?, row.get("name")?);
        let identity =
            on_extensions::part(ObjectKind::Policy, name, &ident::qualified(schema, table));
        let restrictive = if row.get("polpermissive")? { "" } else { " AS RESTRICTIVE" };
        let command = match letter(&row, "command")? {
            'r' => " FOR SELECT",
            'a' => " FOR INSERT",
            'w' => " FOR UPDATE",
            'd' => " FOR DELETE",
            _ => "",
        };
        let roles: Vec<String> = row.get("roles")?;
        let to = if row.get("is_public")? {
            String::new()
        } else {
            format!(" TO {}", ident::list(roles.iter().map(String::as_str)))
        };
        let clause = |word: &str, column: &str| -> Result<String> {
            Ok(row
                .get::<_, Option<&str>>(column)?
                .map_or_else(String::new, |expression| format!(" {word} ({expression})")))
        };
        let create = format!(
            "CREATE {identity}{restrictive}{command}{to}{}{}",
            clause("USING", "qual")?,
            clause("WITH CHECK", "with_check")?
        );
        let draft = Draft::new(
            Address::new(class::POLICY, row.get("oid")?),
            ObjectKind::Policy,
            Some(schema),
            name,
            identity,
        );
        let draft =
            Draft { of: Some(of), sort: table.to_owned(), roles, ..draft }.made_by(vec![create]);
        drafts.push(draft.on_extension(reader.extension_named(of)));
    }
    Ok(drafts)
}
