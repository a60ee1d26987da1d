//! The connection options.
//!
//! Does not know which command they belong to, nor whose rules they make count.

use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;

use super::words;
use crate::error::{Error, Kind, Result};
use crate::kong::choice::{self, Asked, Choice};
use crate::kong::reader::Node;
use crate::kong::sources::Value;
use crate::pg::connect::conninfo::{self, Pairs};
use crate::pg::connect::environment::Environment;
use crate::pg::connect::libpq::Resolved;
use crate::pg::connect::parameters::Setting;
use crate::pg::connect::secret::Secret;
use crate::pg::connect::target::{Password, Target};
use crate::pg::connect::{Ask, Server};

/// Where the database is. Without any of these and without PG* variables, Kong's own settings say
/// it.
#[derive(Args, Clone, Debug, Default)]
pub struct ConnectionArgs {
    /// Connect to this host or socket directory
    #[arg(short = 'h', long, value_name = "HOST", value_parser = words::name(), help_heading = "Connection")]
    pub host: Option<String>,
    /// Connect to this port
    #[arg(short = 'p', long, value_name = "PORT", value_parser = words::name(), help_heading = "Connection")]
    pub port: Option<String>,
    /// Connect as this role
    #[arg(short = 'U', long, value_name = "NAME", value_parser = words::name(), help_heading = "Connection")]
    pub username: Option<String>,
    /// Connect to this database: a name, a URI, or "key=value ..."; values in a URI or conninfo
    /// string override -h, -p and -U
    #[arg(short = 'd', long, value_name = "DBNAME", value_parser = words::secret(), help_heading = "Connection")]
    pub dbname: Option<Secret>,
    /// Connect as Kong does with this configuration file [default: Kong's own, unless something
    /// above or PG* says where]
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub kong_conf: Option<PathBuf>,
    /// Never ask for a password
    #[arg(short = 'w', long, conflicts_with = "password", help_heading = "Connection")]
    pub no_password: bool,
    /// Ask for a password before connecting
    #[arg(short = 'W', long, help_heading = "Connection")]
    pub password: bool,
}

/// A server to open sessions with, and what to tell the user about it.
#[derive(Debug)]
pub struct Connection {
    /// The server.
    pub server: Server,
    /// Every setting with its source, without secrets; for `-v`.
    pub settings: Vec<Setting>,
    /// For stderr.
    pub warnings: Vec<String>,
    /// Kong's `pg_schema`, if Kong's settings counted and name one.
    pub kong_schema: Option<Value>,
    /// Kong's `pg_user`, if it is known.
    pub kong_user: Option<Value>,
    /// Whether somebody has said which database is meant.
    pub names_database: bool,
}

impl ConnectionArgs {
    /// Decides where to connect, of Kong's servers to this one; asks for the password if `-W` says
    /// so.
    pub fn resolve(&self, node: Node) -> Result<Connection> {
        let choice = self.decide(node, &Environment::of_process(), Path::new("/"))?;
        let Choice { mut resolved, schema: kong_schema, user: kong_user } = choice;
        if self.password {
            let secret = ask_now(&resolved.target)?;
            let password = Password { secret, source: "the terminal".to_owned() };
            for host in &mut resolved.target.hosts {
                host.password = Some(password.clone());
            }
        }
        let may_ask = !self.no_password && std::io::stdin().is_terminal();
        let ask: Option<Ask> = if may_ask { Some(ask) } else { None };
        let Resolved { target, settings, warnings, names_database } = resolved;
        Ok(Connection {
            server: Server::new(target, ask)?,
            settings,
            warnings,
            kong_schema,
            kong_user,
            names_database,
        })
    }

    /// The same options as they are typed, without a password: what comes from elsewhere comes from
    /// there the next time, too.
    pub fn words(&self) -> Vec<String> {
        let dbname =
            self.dbname.as_ref().and_then(Secret::text).map(|text| match conninfo::parse(text) {
                Ok(pairs) if conninfo::is_connection_string(text) => {
                    let open = pairs.iter().filter(|(key, _)| !key.contains("password"));
                    open.map(|(key, value)| {
                        format!("{key}='{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
                    })
                    .collect::<Vec<_>>()
                    .join(" ")
                }
                _ => text.to_owned(),
            });
        let kong_conf = self.kong_conf.as_ref().map(|path| path.to_string_lossy().into_owned());
        let options = [
            ("-h", self.host.clone()),
            ("-p", self.port.clone()),
            ("-U", self.username.clone()),
            ("-d", dbname),
            ("--kong-conf", kong_conf),
        ];
        options
            .into_iter()
            .filter_map(|(option, value)| Some([option.to_owned(), value?]))
            .flatten()
            .collect()
    }

    /// `root` is `/`, or a test's.
    fn decide(&self, node: Node, environment: &Environment, root: &Path) -> Result<Choice> {
        let asked = Asked { given: self.given()?, conf: self.kong_conf.as_deref(), node };
        choice::decide(asked, environment, root)
    }

    /// The options as libpq's parameters; a connection string comes last, because it counts more.
    /// An empty option is as good as none, but for the database: an unset variable of a script must
    /// not make it another.
    fn given(&self) -> Result<Vec<(String, Pairs)>> {
        let dbname = self.dbname.as_ref().and_then(Secret::text);
        if dbname.is_some_and(|text| text.trim().is_empty()) {
            return Err(Error::new(Kind::Usage, "read --dbname", "it is empty")
                .hint("name a database, or leave it out"));
        }
        let (name, string) = match dbname {
            Some(text) if conninfo::is_connection_string(text) => (None, Some(text)),
            Some(text) if text.contains("://") => {
                // Not repeated: it may hold a password.
                let cause = "it is not an address of PostgreSQL";
                return Err(Error::new(Kind::Usage, "read --dbname", cause)
                    .hint("write postgresql://USER@HOST:PORT/DBNAME"));
            }
            Some(text) if text.contains('@') && text.contains([':', '/']) => {
                // Not repeated: it may hold a password.
                let cause = "it looks like a URI without its postgresql://";
                return Err(Error::new(Kind::Usage, "read --dbname", cause)
                    .hint("write postgresql://USER@HOST:PORT/DBNAME"));
            }
            other => (other, None),
        };
        check_host(self.host.as_deref().unwrap_or_default())?;
        let options = [
            ("host", "--host", self.host.as_deref()),
            ("port", "--port", self.port.as_deref()),
            ("user", "--username", self.username.as_deref()),
            ("dbname", "--dbname", name),
        ];
        let filled = options.into_iter().filter_map(|(key, option, value)| {
            Some((key, option, value.filter(|value| !value.is_empty())?))
        });
        let mut given: Vec<(String, Pairs)> = filled
            .map(|(key, option, value)| {
                (option.to_owned(), vec![(key.to_owned(), value.to_owned())])
            })
            .collect();
        if let Some(text) = string {
            given.push(("the connection string in --dbname".to_owned(), conninfo::parse(text)?));
        }
        Ok(given)
    }
}

/// Refuses an address where its host is to be.
fn check_host(host: &str) -> Result<()> {
    if host.contains("://") {
        // Not repeated: it may hold a password.
        return Err(Error::new(Kind::Usage, "read --host", "it is an address, not a host")
            .hint("write -d postgresql://USER@HOST:PORT/DBNAME"));
    }
    match host.split_once(':') {
        Some((name, port)) if !name.is_empty() && port.parse::<u16>().is_ok() => {
            Err(Error::new(Kind::Usage, format!("read --host {host}"), "it holds a port")
                .hint(format!("write -h {name} -p {port}")))
        }
        _ => Ok(()),
    }
}

fn ask(prompt: &str) -> std::io::Result<Secret> {
    rpassword::prompt_password(prompt).map(Secret::new)
}

fn ask_now(target: &Target) -> Result<Secret> {
    const DOING: &str = "ask for the password (-W)";
    ask(&format!("Password for user {}: ", target.user)).map_err(|error| match error.kind() {
        ErrorKind::Interrupted => Error::new(Kind::Interrupted, DOING, "stopped by Ctrl-C"),
        _ => Error::new(Kind::Usage, DOING, "there is no terminal to ask at")
            .hint(format!("give it in {}", target.names.password)),
    })
}

#[cfg(test)]
#[path = "connection_cases.rs"]
mod cases;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    #[command(disable_help_flag = true)]
    struct Command {
        #[command(flatten)]
        connection: ConnectionArgs,
    }

    fn check(line: &str, expect: &[(&str, &str, &str)]) {
        let arguments = std::iter::once("x").chain(line.split_ascii_whitespace());
        let command = Command::try_parse_from(arguments).expect(line);
        let given = command.connection.given().expect(line);
        let given: Vec<(&str, &str, &str)> = given
            .iter()
            .flat_map(|(option, pairs)| pairs.iter().map(|pair| (option.as_str(), pair)))
            .map(|(option, (key, value))| (option, key.as_str(), value.as_str()))
            .collect();
        assert_eq!(given, expect, "{line}");
    }

    #[test]
    fn options_are_parameters_and_a_connection_string_comes_last() {
        let string = "the connection string in --dbname";
        check("", &[]);
        check("-h pg", &[("--host", "host", "pg")]);
        check("-p 7 -d d", &[("--port", "port", "7"), ("--dbname", "dbname", "d")]);
        check("-d host=s -U u", &[("--username", "user", "u"), (string, "host", "s")]);
        check("--kong-conf /etc/kong/kong.conf", &[]);
    }

    #[test]
    fn arguments_hide_passwords() {
        let command =
            Command::try_parse_from(["x", "-d", "postgresql://u:hunter2@h"]).expect("parsed");
        assert!(!format!("{:?}", command.connection).contains("hunter2"));
        assert_eq!(command.connection.words(), ["-d", "user='u' host='h'"]);
        assert!(Command::try_parse_from(["x", "-w", "-W"]).is_err());
        let command = Command::try_parse_from(["x", "--kong-conf", "k.conf"]).expect("parsed");
        assert_eq!(command.connection.words(), ["--kong-conf", "k.conf"]);
    }
}
