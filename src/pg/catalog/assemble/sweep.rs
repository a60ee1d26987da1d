//! What is in the database and in no draft, and the drafts that fall for want of it: every row that
//! a user made, of every catalog, compared with what the drafts make.

use std::collections::{HashMap, HashSet};

use super::deps::{Aliases, Makers, follow};
use crate::archive::manifest::{NotCarried, ObjectKind};
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, FIRST_NORMAL_OID};
use crate::pg::catalog::reader::Reader;
use crate::pg::catalog::tables::views;
use crate::sql::ident;

/// Catalogs whose rows are objects of a user, with the condition that they are not another object's
/// part and not temporary. Indexes and constraints of an extension's tables are the extension's,
/// though no catalog says so.
const CATALOGS: &[(&str, &str)] = &[
    ("pg_am", ""),
    ("pg_amop", ""),
    ("pg_amproc", ""),
    ("pg_cast", ""),
    (
        "pg_class",
        "o.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'i', 'I', 'g') AND o.relpersistence <> 't' \
         AND o.relnamespace <> 99 AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN \
         pg_catalog.pg_depend d ON d.objid = i.indrelid \
           AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e' WHERE \
           i.indexrelid = o.oid)",
    ),
    ("pg_collation", ""),
    (
        "pg_constraint",
        "o.conrelid <> 0 AND o.conparentid = 0 AND o.contype <> 'n' AND NOT EXISTS (SELECT FROM \
         pg_catalog.pg_class c WHERE c.oid = o.conrelid AND c.relpersistence = 't') \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = o.conrelid AND \
           d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e')",
    ),
    ("pg_conversion", ""),
    ("pg_default_acl", ""),
    ("pg_event_trigger", ""),
    ("pg_extension", ""),
    ("pg_foreign_data_wrapper", ""),
    ("pg_foreign_server", ""),
    ("pg_language", ""),
    ("pg_namespace", "o.nspname !~ '^pg_(temp|toast_temp)_'"),
    ("pg_opclass", ""),
    ("pg_operator", "o.oprcode <> 0"),
    ("pg_opfamily", ""),
    ("pg_policy", ""),
    ("pg_proc", ""),
    ("pg_publication", ""),
    ("pg_publication_namespace", ""),
    ("pg_publication_rel", ""),
    ("pg_rewrite", "o.ev_type <> '1'"),
    ("pg_statistic_ext", ""),
    ("pg_transform", ""),
    ("pg_trigger", "NOT o.tgisinternal"),
    ("pg_ts_config", ""),
    ("pg_ts_dict", ""),
    ("pg_ts_parser", ""),
    ("pg_ts_template", ""),
    (
        "pg_type",
        "(o.typrelid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = o.typrelid AND \
         c.relkind = 'c'))",
    ),
];

/// Catalogs with numbered rows that need no look: parts of what the others hold, or of the server
/// and not of a database.
const KNOWN_BESIDES: &[&str] = &[
    "pg_attrdef",
    "pg_auth_members",
    "pg_authid",
    "pg_database",
    "pg_enum",
    "pg_largeobject_metadata",
    "pg_parameter_acl",
    "pg_replication_origin",
    "pg_subscription",
    "pg_tablespace",
    "pg_user_mapping",
];

/// Schemas of the server's own that hold nothing of a user's: TOAST tables, and what is temporary
/// in any session.
pub(in crate::pg::catalog) const PASSING_SCHEMAS: &str =
    "SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname ~ '^pg_(toast|temp_|toast_temp_)'";

/// The column that says in which schema a row of a catalog that is swept is, for those that have
/// one.
pub(in crate::pg::catalog) fn schema_column(catalog: &str) -> Option<&'static str> {
    Some(match catalog {
        "pg_class" => "relnamespace",
        "pg_collation" => "collnamespace",
        "pg_constraint" | "pg_conversion" => "connamespace",
        "pg_opclass" => "opcnamespace",
        "pg_operator" => "oprnamespace",
        "pg_opfamily" => "opfnamespace",
        "pg_proc" => "pronamespace",
        "pg_statistic_ext" => "stxnamespace",
        "pg_ts_config" => "cfgnamespace",
        "pg_ts_dict" => "dictnamespace",
        "pg_ts_parser" => "prsnamespace",
        "pg_ts_template" => "tmplnamespace",
        "pg_type" => "typnamespace",
        _ => return None,
    })
}

/// Reads the addresses of all that a user made.
pub(in crate::pg::catalog) async fn all(reader: &Reader<'_>) -> Result<Vec<Address>> {
    let known = CATALOGS.iter().filter(|(catalog, _)| reader.features.has_catalog(catalog));
    let selects: Vec<String> = known
        .map(|(catalog, condition)| {
            let condition =
                if condition.is_empty() { String::new() } else { format!(" AND {condition}") };
            let schema = schema_column(catalog).map_or_else(String::new, |column| {
                format!(" AND o.{column} NOT IN ({PASSING_SCHEMAS})")
            });
            format!(
                "SELECT 'pg_catalog.{catalog}'::pg_catalog.regclass::oid, o.oid FROM \
                 pg_catalog.{catalog} o \
                 WHERE o.oid >= {FIRST_NORMAL_OID}{schema}{condition}"
            )
        })
        .chain(unheard_of(reader).map(|catalog| {
            format!(
                "SELECT {}::pg_catalog.regclass::oid, o.oid FROM {catalog} o WHERE o.oid >= \
                 {FIRST_NORMAL_OID}",
                ident::literal(&catalog)
            )
        }))
        .chain(std::iter::once(format!(
            "SELECT 'pg_catalog.pg_user_mapping'::pg_catalog.regclass::oid, u.umid FROM \
             pg_catalog.pg_user_mappings u WHERE u.umid >= {FIRST_NORMAL_OID}"
        )))
        .collect();
    let rows = reader.rows("all that users made", &selects.join(" UNION ALL ")).await?;
    rows.iter().map(|row| Ok(Address::new(row.get(0)?, row.get(1)?))).collect()
}

/// Those of all that a user made that no draft makes.
pub(in crate::pg::catalog) fn missing(
    reader: &Reader<'_>,
    addresses: &[Address],
    makers: &Makers<'_>,
    aliases: &Aliases,
) -> Vec<Address> {
    let all: HashSet<Address> = addresses.iter().copied().collect();
    let is_missing = |address: &Address| {
        let is_member = reader.is_member(address.class, address.object);
        // What is made along with something else is named with that, or not at all.
        let follows_another = || {
            follow(*address, aliases)
                .skip(1)
                .any(|other| all.contains(&other) || reader.is_member(other.class, other.object))
        };
        !is_member && makers.of(*address).is_none() && !follows_another()
    };
    addresses.iter().copied().filter(is_missing).collect()
}

/// Catalogs with numbered rows that came after this program.
fn unheard_of<'a>(reader: &'a Reader<'_>) -> impl Iterator<Item = String> + 'a {
    let known = |name: &str| {
        CATALOGS.iter().any(|(catalog, _)| *catalog == name) || KNOWN_BESIDES.contains(&name)
    };
    let numbered = reader.features.catalogs_with("oid");
    numbered.filter(move |name| !known(name)).map(|name| ident::qualified("pg_catalog", name))
}

/// Takes away the drafts that need something that the sweep found in no draft, and those that need
/// these, and returns them with the reason.
pub(in crate::pg::catalog) fn prune(
    drafts: &mut Vec<Draft>,
    edges: &[(Address, Address)],
    aliases: &Aliases,
    missing: &[Address],
) -> Vec<(Address, Address)> {
    let mut gone: HashMap<Address, Address> =
        missing.iter().map(|&address| (address, address)).collect();
    let mut lost = Vec::new();
    loop {
        let makers = Makers::new(drafts, aliases);
        let own = drafts.iter().flat_map(|draft| {
            draft.needs.iter().chain(&draft.of).map(|&need| (draft.address, need))
        });
        let mut dead: HashMap<usize, Address> = HashMap::new();
        for (from, to) in edges.iter().copied().chain(own) {
            let cause = follow(to, aliases).find_map(|to| gone.get(&to));
            if let (Some(at), Some(&cause)) = (makers.of(from), cause) {
                dead.entry(at).or_insert(cause);
            }
        }
        if dead.is_empty() {
            return lost;
        }
        let mut at = 0;
        drafts.retain(|draft| {
            let cause = dead.get(&at).copied();
            at += 1;
            if let Some(cause) = cause {
                gone.insert(draft.address, cause);
                gone.extend(draft.parts.iter().map(|(part, _)| (*part, cause)));
                // What a view shows is lost with the view.
                if draft.kind != ObjectKind::Rule || draft.host.is_none() {
                    lost.push((draft.address, cause));
                }
            }
            cause.is_none()
        });
    }
}

/// Names a row of a catalog that is in no draft: `missing` for its kind, `lost` for what it needs.
pub(in crate::pg::catalog) async fn name(
    reader: &Reader<'_>,
    missing: &[Address],
    lost: &[(Address, Address)],
) -> Result<Vec<NotCarried>> {
    let mut all: Vec<(Address, Option<Address>)> =
        missing.iter().map(|&address| (address, None)).collect();
    // Our own classes name no row; what they hang on is named.
    all.extend(
        lost.iter()
            .filter(|(address, _)| address.is_row())
            .map(|&(address, cause)| (address, Some(cause))),
    );
    let mut found = Vec::new();
    if all.is_empty() {
        return Ok(found);
    }
    let value = |(address, cause): &(Address, Option<Address>)| {
        let cause = cause.unwrap_or(*address);
        format!(
            "({}::oid, {}::oid, {}::oid, {}::oid)",
            address.class, address.object, cause.class, cause.object
        )
    };
    let values: Vec<String> = all.iter().map(value).collect();
    let itself = views::reads_itself(reader);
    let sql = format!(
        "SELECT v.class = v.cause_class AND v.oid = v.cause_oid AS is_cause, i.type, i.identity, \
         c.type AS cause_type, c.identity AS cause, \
           v.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND EXISTS (SELECT FROM \
           pg_catalog.pg_index x WHERE x.indexrelid = v.oid AND NOT x.indisvalid) AS is_invalid, \
           v.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND EXISTS (SELECT FROM \
           pg_catalog.pg_rewrite r WHERE r.ev_class = v.oid AND r.ev_type = '1' AND ({itself})) AS \
           reads_itself \
         FROM (VALUES {}) v(class, oid, cause_class, cause_oid), LATERAL \
         pg_catalog.pg_identify_object(v.class, v.oid, 0) i, \
         LATERAL pg_catalog.pg_identify_object(v.cause_class, v.cause_oid, 0) c ORDER BY i.type, \
         i.identity",
        values.join(", ")
    );
    for row in reader.rows("what is not carried", &sql).await? {
        let text = |column: &str| -> Result<String> {
            Ok(row.get::<_, Option<String>>(column)?.unwrap_or_default())
        };
        let reason = if row.get("is_invalid")? {
            "it is invalid: CREATE INDEX CONCURRENTLY did not end".to_owned()
        } else if row.get("reads_itself")? {
            "it refers to itself, which no query can use and no database can be told anew"
                .to_owned()
        } else if row.get("is_cause")? {
            NOT_YET.to_owned()
        } else {
            format!("it needs {} {}, which is not dumped", text("cause_type")?, text("cause")?)
        };
        found.push(NotCarried { kind: text("type")?, name: text("identity")?, reason });
    }
    Ok(found)
}

const NOT_YET: &str = "this kind of object is not dumped yet";

#[cfg(test)]
mod tests;
