//! Privileges on configuration parameters.

use super::tablespaces::acls;
use crate::error::Result;
use crate::pg::catalog::reader::Reader;
use crate::sql::render;

/// The first server that has them.
const PARAMETERS: u32 = 150_000;

/// Reads them. A parameter belongs to nobody; what it grants comes from the bootstrap superuser.
pub(super) async fn read(reader: &Reader<'_>) -> Result<Vec<String>> {
    if reader.version() < PARAMETERS {
        return Ok(Vec::new());
    }
    let of = "SELECT p.parname AS name, pg_catalog.pg_get_userbyid(10)::text AS owner, p.paracl AS \
        acl, pg_catalog.acldefault('p', 10) AS initial FROM pg_catalog.pg_parameter_acl p";
    let acls = acls(reader, "privileges on parameters", of, "PARAMETER").await?;
    let mut statements = Vec::new();
    for (_, owner, acl) in acls {
        statements.extend(render::granted(&acl, &owner));
    }
    Ok(statements)
}
