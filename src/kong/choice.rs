//! Whose rules say where the database is: libpq's or Kong's, never a mixture.
//!
//! Does not know how options are typed.

use std::path::Path;

use super::reader::Node;
use super::settings;
use super::sources::{Sources, Value};
use crate::error::{Error, Kind, Result};
use crate::pg::connect::conninfo::Pairs;
use crate::pg::connect::environment::Environment;
use crate::pg::connect::libpq::{self, Resolved};
use crate::pg::connect::parameters;

/// What was asked for on the command line.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// libpq's parameters, each list with the option that gave it; later ones win.
    pub given: Vec<(String, Pairs)>,
    /// Kong's configuration file.
    pub conf: Option<&'a Path>,
    /// Which of Kong's servers.
    pub node: Node,
}

/// Where to connect, by whichever rules count.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Where, and where each value came from.
    pub resolved: Resolved,
    /// Kong's `pg_schema`, if Kong's rules count and it is set.
    pub schema: Option<Value>,
    /// Kong's `pg_user`, if it is known, whichever rules count.
    pub user: Option<Value>,
}

/// Decides. A file of Kong's that is named makes Kong's rules count; else a place that an option or
/// a `PG*` variable names makes libpq's count; else they are Kong's. What is set by the other rules
/// is told as a warning. `root` is `/`, or a test's.
///
/// # Errors
/// Usage errors, as the rules have them.
pub fn decide(asked: Asked<'_>, environment: &Environment, root: &Path) -> Result<Choice> {
    let option = asked.given.first().map(|(option, _)| option.clone());
    let variable = parameters::variable_that_names_a_server(environment);
    if let (Some(option), Some(_)) = (&option, asked.conf) {
        let cause = format!("{option} is given as well, by libpq's rules");
        return Err(Error::new(Kind::Usage, "read --kong-conf", cause)
            .hint("leave one of the two out: Kong's file says where the database is"));
    }
    let libpqs = option
        .map(|option| format!("{option} is given"))
        .or_else(|| variable.map(|variable| format!("{variable} is set")));
    let Some(reason) = libpqs.filter(|_| asked.conf.is_none()) else {
        let sources = Sources::find(environment, asked.conf, root)?;
        let mut kong = settings::resolve(&sources, asked.node)?;
        let ignored = variable.map(|name| format!("--kong-conf is given: {name} does not count"));
        kong.resolved.warnings.extend(ignored);
        return Ok(Choice { resolved: kong.resolved, schema: kong.schema, user: Some(kong.user) });
    };
    if asked.node == Node::ReadReplica {
        let cause = format!("{reason}, so that Kong's settings do not count");
        return Err(Error::new(Kind::Usage, "find Kong's read replica", cause)
            .hint("leave --read-replica out, and name the replica's host with -h"));
    }
    let mut resolved = libpq::resolve(asked.given, environment)?;
    resolved.warnings.extend(ignored(&reason, environment, root));
    Ok(Choice { resolved, schema: None, user: user(environment, root) })
}

/// The role of Kong's nodes, where their settings say it in so many words and do not count.
fn user(environment: &Environment, root: &Path) -> Option<Value> {
    let user = Sources::find(environment, None, root).ok()?.raw("pg_user").ok().flatten()?;
    (!user.text.is_empty() && !user.text.starts_with('{')).then_some(user)
}

/// What says where Kong's database is and does not count. A file that cannot be read says nothing.
fn ignored(reason: &str, environment: &Environment, root: &Path) -> Option<String> {
    let naming = match Sources::find(environment, None, root) {
        Ok(sources) => sources.naming(),
        Err(_) => Sources { environment, conf: None, by_node: false }.naming(),
    };
    let do_not = match naming.as_slice() {
        [] => return None,
        [one] if one != "KONG_PG_*" => "does not",
        _ => "do not",
    };
    Some(format!("{reason}: {} {do_not} count", naming.join(" and ")))
}
