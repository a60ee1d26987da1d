//! Event triggers and whether they fire.

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::reader::{Reader, letter};
use crate::pg::catalog::tables::triggers::enabling;
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = "SELECT e.oid, e.evtname::text AS name, e.evtevent::text AS event, \
        pg_catalog.pg_get_userbyid(e.evtowner)::text AS owner, \
         e.evtfoid::pg_catalog.regproc::text AS function, e.evtenabled::text AS enabled, \
         coalesce(e.evttags, '{}') AS tags \
         FROM pg_catalog.pg_event_trigger e";
    let mut drafts = Vec::new();
    for row in reader.rows("event triggers", sql).await? {
        let address = Address::new(class::EVENT_TRIGGER, row.get("oid")?);
        if reader.is_member(address.class, address.object) {
            continue;
        }
        let name: &str = row.get("name")?;
        let identity = format!("EVENT TRIGGER {}", ident::quote(name));
        let tags: Vec<String> =
            row.get::<_, Vec<String>>("tags")?.iter().map(|tag| ident::literal(tag)).collect();
        let when = if tags.is_empty() {
            String::new()
        } else {
            format!("\n    WHEN TAG IN ({})", tags.join(", "))
        };
        let (event, function): (&str, &str) = (row.get("event")?, row.get("function")?);
        let mut statements = vec![format!(
            "CREATE {identity} ON {}{when}\n    EXECUTE FUNCTION {function}()",
            ident::quote(event)
        )];
        let enabled = letter(&row, "enabled")?;
        if enabled != 'O' {
            statements.push(format!("ALTER {identity} {}", enabling(enabled)));
        }
        drafts.push(
            Draft::new(address, ObjectKind::EventTrigger, None, name, identity)
                .made_by(statements)
                .owned_by(row.get("owner")?),
        );
    }
    Ok(drafts)
}
