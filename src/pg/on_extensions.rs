//! What stands on extensions' objects though no catalog says who made it: rules, triggers,
//! policies, row security, extended statistics, members of operator families. A dump archives it
//! and a restore makes what the extension has not brought; both name it here, by what the catalogs
//! hold and not by what a server prints.
//!
//! Does not know what an archive holds, nor what is made.

use std::collections::HashSet;

use super::session::Session;
use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::sql::ident;

/// A kind with the words that name one of it.
pub type Named = (ObjectKind, String);

/// `RULE r ON s.t`, and the same of a trigger and a policy.
pub fn part(kind: ObjectKind, name: &str, qualified: &str) -> String {
    format!("{} {} ON {qualified}", kind.to_string().to_uppercase(), ident::quote(name))
}

/// A table's row security; `forced` binds its owner too.
pub fn row_security(forced: bool, qualified: &str) -> String {
    format!("{}ROW LEVEL SECURITY ON {qualified}", if forced { "FORCE " } else { "" })
}

/// Extended statistics.
pub fn statistics(schema: &str, name: &str) -> String {
    format!("STATISTICS {}", ident::qualified(schema, name))
}

/// An operator or function in an operator family.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The words of the family: `OPERATOR FAMILY s.f USING btree`.
    pub family: &'a str,
    /// Else a function.
    pub is_operator: bool,
    /// Strategy or support number.
    pub number: i32,
    /// Schema and name of the left type.
    pub left: (&'a str, &'a str),
    /// And of the right one.
    pub right: (&'a str, &'a str),
}

impl Member<'_> {
    /// The words that name it.
    pub fn identity(&self) -> String {
        let word = if self.is_operator { "OPERATOR" } else { "FUNCTION" };
        let (left, right) = (
            ident::qualified(self.left.0, self.left.1),
            ident::qualified(self.right.0, self.right.1),
        );
        format!("{} {word} {} ({left}, {right})", self.family, self.number)
    }
}

/// The words that name an operator family.
pub fn family(schema: &str, name: &str, method: &str) -> String {
    format!("OPERATOR FAMILY {} USING {}", ident::qualified(schema, name), ident::quote(method))
}

/// All that stands on extensions' objects in the database, the server's own members of families
/// included.
pub async fn standing(session: &Session) -> Result<HashSet<Named>> {
    let mut standing = HashSet::new();
    for row in session.query("look what the extensions have made", PARTS).await? {
        let (kind, name, qualified): (&str, &str, String) =
            (row.get(0)?, row.get(1)?, ident::qualified(row.get(2)?, row.get(3)?));
        let kind = match kind {
            "statistics" => {
                standing.insert((ObjectKind::Statistics, statistics(row.get(2)?, name)));
                continue;
            }
            "rule" => ObjectKind::Rule,
            "trigger" => ObjectKind::Trigger,
            "policy" => ObjectKind::Policy,
            forced => {
                standing.insert((
                    ObjectKind::RowSecurity,
                    row_security(forced == "forced", &qualified),
                ));
                continue;
            }
        };
        standing.insert((kind, part(kind, name, &qualified)));
    }
    for row in session.query("look what the extensions have made", MEMBERS).await? {
        let family = family(row.get(0)?, row.get(1)?, row.get(2)?);
        let (is_operator, number) = (row.get(3)?, row.get(4)?);
        let (left, right) = ((row.get(5)?, row.get(6)?), (row.get(7)?, row.get(8)?));
        standing.insert((
            ObjectKind::OperatorFamily,
            Member { family: &family, is_operator, number, left, right }.identity(),
        ));
    }
    Ok(standing)
}

/// Rules, triggers, policies, row security and extended statistics of extensions' tables and views.
const PARTS: &str = "SELECT p.kind, p.name, n.nspname::text, c.relname::text FROM ( \
       SELECT 'rule' AS kind, r.rulename::text AS name, r.ev_class AS of FROM \
       pg_catalog.pg_rewrite r \
       UNION ALL SELECT 'trigger', g.tgname::text, g.tgrelid FROM pg_catalog.pg_trigger g WHERE \
       NOT g.tgisinternal \
       UNION ALL SELECT 'policy', y.polname::text, y.polrelid FROM pg_catalog.pg_policy y \
       UNION ALL SELECT 'secured', '', t.oid FROM pg_catalog.pg_class t WHERE t.relrowsecurity \
       UNION ALL SELECT 'forced', '', t.oid FROM pg_catalog.pg_class t WHERE t.relrowsecurity AND \
       t.relforcerowsecurity) p \
     JOIN pg_catalog.pg_class c ON c.oid = p.of JOIN pg_catalog.pg_namespace n ON n.oid = \
     c.relnamespace \
     WHERE EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = \
     'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e') \
     UNION ALL SELECT 'statistics', x.stxname::text, n.nspname::text, '' FROM \
     pg_catalog.pg_statistic_ext x \
     JOIN pg_catalog.pg_namespace n ON n.oid = x.stxnamespace \
     WHERE EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = \
     'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = x.stxrelid AND d.deptype = 'e')";

const MEMBERS: &str = "SELECT n.nspname::text, f.opfname::text, m.amname::text, i.is_operator, \
    i.number, ln.nspname::text, l.typname::text, \
       rn.nspname::text, r.typname::text FROM ( \
       SELECT true AS is_operator, o.amopstrategy::int4 AS number, o.amopfamily AS family, \
       o.amoplefttype AS lt, o.amoprighttype AS rt FROM pg_catalog.pg_amop o \
       UNION ALL SELECT false, p.amprocnum::int4, p.amprocfamily, p.amproclefttype, \
       p.amprocrighttype FROM pg_catalog.pg_amproc p) i \
     JOIN pg_catalog.pg_opfamily f ON f.oid = i.family JOIN pg_catalog.pg_namespace n ON n.oid = \
     f.opfnamespace JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod \
     JOIN pg_catalog.pg_type l ON l.oid = i.lt JOIN pg_catalog.pg_namespace ln ON ln.oid = \
     l.typnamespace \
     JOIN pg_catalog.pg_type r ON r.oid = i.rt JOIN pg_catalog.pg_namespace rn ON rn.oid = \
     r.typnamespace";
