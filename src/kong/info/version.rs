//! Which versions of Kong can have left such rows in `schema_meta`.
//!
//! Kong writes its own version nowhere: the last migration of the core tells it. Does not know what
//! a migration does.

use std::fmt;

use super::facts::Subsystem;

/// The core's migrations since 1.0, each with the first and the last version that ends with it.
const CORE: &[(&str, &str, &str)] = &[
    ("002_15_to_1", "1.0", "1.0"),
    ("003_100_to_110", "1.1", "1.1"),
    ("004_110_to_120", "1.2", "1.2"),
    ("005_120_to_130", "1.3", "1.3"),
    ("006_130_to_140", "1.4", "1.4"),
    ("007_140_to_150", "1.5", "1.5"),
    ("008_150_to_200", "2.0", "2.0"),
    ("009_200_to_210", "2.1.0", "2.1.0"),
    ("010_210_to_211", "2.1.1", "2.1.2"),
    ("011_212_to_213", "2.1.3", "2.1.x"),
    ("012_213_to_220", "2.2", "2.2"),
    ("013_220_to_230", "2.3", "2.6"),
    ("014_230_to_270", "2.7", "2.7"),
    ("015_270_to_280", "2.8", "2.8"),
    ("016_280_to_300", "3.0", "3.0"),
    ("017_300_to_310", "3.1", "3.1"),
    ("018_310_to_320", "3.2", "3.2"),
    ("019_320_to_330", "3.3", "3.3"),
    ("020_330_to_340", "3.4", "3.4"),
    ("021_340_to_350", "3.5", "3.5"),
    ("022_350_to_360", "3.6", "3.6"),
    ("023_360_to_370", "3.7", "3.8"),
    ("024_380_to_390", "3.9", "3.9"),
    ("025_390_to_3100", "3.10", "3.10"),
];

/// The plugins of the Gateway whose migrations are numbered like the core's; Enterprise counts in
/// another way, where 3100 is 3.1.
const PLUGINS: &[&str] = &[
    "acl",
    "acme",
    "ai-proxy",
    "basic-auth",
    "bot-detection",
    "hmac-auth",
    "http-log",
    "ip-restriction",
    "jwt",
    "key-auth",
    "oauth2",
    "opentelemetry",
    "post-function",
    "pre-function",
    "rate-limiting",
    "response-ratelimiting",
    "session",
];

/// The core's subsystem.
pub(super) const CORE_NAME: &str = "core";

/// A range of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// From one to another, which may be the same.
    Between(&'static str, &'static str),
    /// Before 1.0.
    Older,
    /// After the newest that is known.
    Newer,
    /// Nothing tells it.
    Unknown,
}

impl Version {
    /// The newest version that is known.
    pub fn newest_known() -> &'static str {
        CORE[CORE.len() - 1].2
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(first, last) if first == last => f.write_str(first),
            Self::Between(first, last) => write!(f, "{first} to {last}"),
            Self::Older => write!(f, "older than {}", CORE[0].1),
            Self::Newer => write!(f, "newer than {}", Self::newest_known()),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// What the rows of `schema_meta` tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The version that the executed migrations are of.
    pub version: Version,
    /// The core's last migration, which tells it.
    pub by: Option<String>,
    /// The version that the core's pending migrations lead to.
    pub towards: Option<Version>,
    /// A plugin's migration of a newer version than the core's: plugin, migration, version.
    pub ahead: Option<(String, String, &'static str)>,
    /// Whether Kong Enterprise was here.
    pub is_enterprise: bool,
}

/// Tells it.
pub fn tell(subsystems: &[Subsystem]) -> Told {
    let core = subsystems.iter().find(|subsystem| subsystem.name == CORE_NAME);
    let by = core.and_then(|core| core.last_executed.as_ref().or(core.executed.last())).cloned();
    let place = by.as_deref().and_then(place_of);
    let pending = core.map_or(&[][..], |core| &core.pending);
    let ahead = newest_plugin(subsystems).filter(|(at, ..)| place.is_none_or(|place| *at > place));
    Told {
        version: by.as_deref().map_or(Version::Unknown, version_of),
        towards: pending.last().map(|name| version_of(name)),
        ahead: ahead.map(|(at, plugin, name)| (plugin.to_owned(), name.to_owned(), CORE[at].1)),
        is_enterprise: subsystems
            .iter()
            .any(|subsystem| subsystem.name.split('.').next() == Some("enterprise")),
        by,
    }
}

/// How far the migrations of two databases differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Whether the first is ahead.
    pub is_newer: bool,
    /// The subsystem that tells it.
    pub subsystem: String,
    /// The first one's last migration of it, begun or done.
    pub of_first: String,
    /// The other's.
    pub of_other: String,
}

/// Compares how far the migrations of two databases have come, by the core's, then by those of the
/// plugins that both have. Which ones were run before the last tells nothing: later versions leave
/// out the oldest.
pub fn compare(first: &[Subsystem], other: &[Subsystem]) -> Option<Difference> {
    let mut both: Vec<(&Subsystem, &Subsystem)> = first
        .iter()
        .filter_map(|one| Some((one, other.iter().find(|other| other.name == one.name)?)))
        .collect();
    both.sort_by_key(|(one, _)| (one.name != CORE_NAME, &one.name));
    both.into_iter().find_map(|(one, two)| {
        let (last, other_last) = (furthest(one)?, furthest(two)?);
        let (number, other_number) = (number(last)?, number(other_last)?);
        (number != other_number).then(|| Difference {
            is_newer: number > other_number,
            subsystem: one.name.clone(),
            of_first: last.to_owned(),
            of_other: other_last.to_owned(),
        })
    })
}

/// The last migration that is begun or done: the tables are as it has made them.
fn furthest(subsystem: &Subsystem) -> Option<&str> {
    let done = subsystem.last_executed.as_ref().into_iter().chain(&subsystem.executed);
    let all = done.chain(&subsystem.pending).map(String::as_str);
    all.max_by_key(|name| number(name))
}

/// The number that a migration's name begins with.
fn number(migration: &str) -> Option<u32> {
    migration.split('_').next().and_then(|digits| digits.parse().ok())
}

fn place_of(core_migration: &str) -> Option<usize> {
    CORE.iter().position(|(name, ..)| *name == core_migration)
}

fn version_of(core_migration: &str) -> Version {
    if let Some(at) = place_of(core_migration) {
        return Version::Between(CORE[at].1, CORE[at].2);
    }
    match (number(core_migration), number(CORE[CORE.len() - 1].0)) {
        (Some(0 | 1), _) => Version::Older,
        (Some(number), Some(newest)) if number > newest => Version::Newer,
        _ => Version::Unknown,
    }
}

/// Of the plugins' executed migrations the one of the newest version: its place among the core's,
/// plugin and name.
fn newest_plugin(subsystems: &[Subsystem]) -> Option<(usize, &str, &str)> {
    let plugins = subsystems.iter().filter(|subsystem| PLUGINS.contains(&subsystem.name.as_str()));
    let all = plugins.flat_map(|plugin| plugin.executed.iter().map(move |name| (plugin, name)));
    let placed = all.filter_map(|(plugin, name)| {
        let target = name.rsplit_once("_to_")?.1;
        let at = CORE.iter().position(|(core, ..)| core.ends_with(&format!("_to_{target}")))?;
        Some((at, plugin.name.as_str(), name.as_str()))
    });
    placed.max_by_key(|(at, ..)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::KongVersion;

    fn rows(version: &KongVersion) -> Vec<Subsystem> {
        let texts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let row = |row: testkit::kong_versions::Subsystem| Subsystem {
            name: row.subsystem.to_owned(),
            last_executed: row.executed.last().map(|&name| name.to_owned()),
            executed: texts(&row.executed),
            pending: texts(&row.pending),
        };
        version.schema_meta().into_iter().map(row).collect()
    }

    fn core(last: &str) -> Subsystem {
        Subsystem {
            name: CORE_NAME.to_owned(),
            last_executed: Some(last.to_owned()),
            ..Subsystem::default()
        }
    }

    #[test]
    fn every_version_is_told() {
        let expect = ["1.5", "2.0", "2.3 to 2.6", "2.8", "3.0", "3.4", "3.6", "3.9", "3.10"];
        for (version, expect) in testkit::kong_versions::VERSIONS.iter().zip(expect) {
            let told = tell(&rows(&KongVersion::new(version)));
            assert_eq!(told.version.to_string(), expect, "{version}");
            assert_eq!((told.towards, told.ahead, told.is_enterprise), (None, None, false));
        }
    }

    #[test]
    fn half_migrated_is_between_two() {
        let told = tell(&rows(&KongVersion::new("2.8.5").half_migrated()));
        assert_eq!(told.version.to_string(), "2.8");
        assert_eq!(told.towards.map(|version| version.to_string()).as_deref(), Some("3.0"));
        assert_eq!(told.ahead, None, "what is pending tells nothing");
    }

    #[test]
    fn what_is_not_known_is_said_to_be() {
        let check = |last: &str, expect: &str| {
            assert_eq!(tell(&[core(last)]).version.to_string(), expect, "{last}");
        };
        check("026_3100_to_3110", "newer than 3.10");
        check("010_210_to_211", "2.1.1 to 2.1.2");
        check("023_360_to_370", "3.7 to 3.8");
        check("001_14_to_15", "older than 1.0");
        check("007_of_our_own", "unknown");
        check("", "unknown");
        assert_eq!(tell(&[]).version, Version::Unknown);
    }

    #[test]
    fn plugins_that_are_ahead_are_named() {
        let plugin = |name: &str, migration: &str| Subsystem {
            name: name.to_owned(),
            executed: vec!["000_base".to_owned(), migration.to_owned()],
            ..Subsystem::default()
        };
        let ahead = |name: &str, migration: &str| {
            let rows = [core("022_350_to_360"), plugin(name, migration)];
            tell(&rows).ahead.map(|(.., version)| version)
        };
        assert_eq!(ahead("ai-proxy", "001_360_to_370"), Some("3.7"));
        assert_eq!(ahead("session", "003_330_to_3100"), Some("3.10"));
        assert_eq!(ahead("rate-limiting", "006_350_to_360"), None);
        assert_eq!(ahead("opentelemetry", "001_331_to_332"), None);
        assert_eq!(ahead("of-our-own", "001_360_to_370"), None, "it counts as it likes");
    }

    #[test]
    fn who_is_ahead() {
        let check = |first: &KongVersion, other: &KongVersion, expect: Option<(bool, &str)>| {
            let found = compare(&rows(first), &rows(other));
            let found = found.as_ref().map(|found| (found.is_newer, found.subsystem.as_str()));
            assert_eq!(found, expect, "{first:?} {other:?}");
        };
        let version = KongVersion::new;
        check(&version("3.4.2"), &version("3.4.2"), None);
        check(&version("3.6.1"), &version("3.4.2"), Some((true, "core")));
        check(&version("1.5.1"), &version("master"), Some((false, "core")));
        check(&version("2.8.5").half_migrated(), &version("2.8.5"), Some((true, "core")));
        check(&version("2.8.5").half_migrated(), &version("3.0.1"), None);
        let (mut ahead, same) = (rows(&version("3.4.2")), rows(&version("3.4.2")));
        ahead.retain(|row| row.name == CORE_NAME || row.name == "acme");
        ahead[1].executed.push("003_350_to_360".to_owned());
        let found = compare(&ahead, &same).expect("one is ahead");
        assert_eq!((found.is_newer, found.subsystem.as_str()), (true, "acme"));
    }

    #[test]
    fn enterprise_has_subsystems_of_its_own() {
        let named = |name: &str| Subsystem { name: name.to_owned(), ..Subsystem::default() };
        let told = |name: &str| tell(&[core("020_330_to_340"), named(name)]).is_enterprise;
        assert!(told("enterprise") && told("enterprise.acl"));
        assert!(!told("enterprises"));
    }
}
