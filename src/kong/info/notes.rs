//! What ought to be looked at before such a database is backed up, restored or upgraded.
//!
//! Does not know what is done about it.

use super::entity::Entity;
use super::facts::{Facts, Rows};
use super::version::{Told, Version};

/// Something that ought to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What sort of thing it is, for machines.
    pub code: &'static str,
    /// A sentence.
    pub text: String,
}

/// Every note, the gravest first.
pub(super) fn notes(facts: &Facts, told: &Told, entities: &[Entity]) -> Vec<Note> {
    let all = [
        half_migrated(facts, told),
        migrations_lock(facts),
        keyring(entities),
        version(facts, told),
        plugins_ahead(told),
        default_workspace(facts, entities),
    ];
    let unread = facts.unread.iter().map(|unread| {
        note("unread", format!("the rows of {} were not read: {}", unread.table, unread.reason))
    });
    all.into_iter().flatten().chain(unread).collect()
}

fn note(code: &'static str, text: impl Into<String>) -> Note {
    Note { code, text: text.into() }
}

fn half_migrated(facts: &Facts, told: &Told) -> Option<Note> {
    let pending: Vec<&str> = facts
        .subsystems
        .iter()
        .filter(|subsystem| !subsystem.pending.is_empty())
        .map(|subsystem| subsystem.name.as_str())
        .collect();
    let towards = match (told.version, told.towards) {
        (Version::Unknown, Some(towards)) => format!(" to {towards}"),
        (version, Some(towards)) => format!(" from {version} to {towards}"),
        (_, None) => String::new(),
    };
    (!pending.is_empty()).then(|| {
        note(
            "half_migrated",
            format!(
                "a migration{towards} is half done: \"kong migrations finish\" has not run for {}",
                pending.join(", ")
            ),
        )
    })
}

fn migrations_lock(facts: &Facts) -> Option<Note> {
    let lock = facts.migrations_lock()?;
    let text = format!("node {} holds the lock for migrations: they may be running", lock.owner);
    Some(note("migrations_locked", text))
}

fn keyring(entities: &[Entity]) -> Option<Note> {
    let has_rows = |entity: &&Entity| {
        matches!(entity.table.name.as_str(), "keyring_meta" | "keyring_keys")
            && matches!(entity.table.rows, Rows::Exact(1..) | Rows::Estimate(1..))
    };
    entities.iter().find(has_rows).map(|_| {
        let text = "there is a keyring: encrypted fields cannot be read without its key material, \
            which is not in here and has to be kept apart";
        note("keyring", text)
    })
}

fn version(facts: &Facts, told: &Told) -> Option<Note> {
    let by = told.by.as_deref().unwrap_or_default();
    match told.version {
        Version::Newer | Version::Unknown if !by.is_empty() => Some(note(
            "version_unknown",
            format!("the core's last migration {by} is not known; {} is", Version::newest_known()),
        )),
        _ if told.towards == Some(Version::Newer) => Some(note(
            "version_unknown",
            format!("a pending migration is newer than {}", Version::newest_known()),
        )),
        Version::Unknown if facts.unread.is_empty() && told.towards.is_none() => {
            Some(note("version_unknown", "schema_meta has no migration of the core"))
        }
        _ => None,
    }
}

/// While migrations are half done, those of plugins may be through.
fn plugins_ahead(told: &Told) -> Option<Note> {
    let (plugin, migration, version) = told.ahead.as_ref()?;
    let is_expected = told.towards.is_some() || !matches!(told.version, Version::Between(..));
    (!is_expected).then(|| {
        let text = format!(
            "migration {migration} of {plugin} is of {version} or newer, the core of {}",
            told.version
        );
        note("plugins_ahead", text)
    })
}

/// Without it Kong's queries are not bound to a workspace.
fn default_workspace(facts: &Facts, entities: &[Entity]) -> Option<Note> {
    let was_read = |entity: &Entity| {
        entity.table.name == "workspaces"
            && entity.table.rows != Rows::Unknown
            && facts.unread.iter().all(|unread| unread.table != "workspaces")
    };
    let is_missing = entities.iter().any(was_read)
        && facts.workspaces.iter().all(|workspace| workspace != "default");
    is_missing.then(|| note("no_default_workspace", "there is no workspace named default"))
}

#[cfg(test)]
mod tests {
    use super::super::conclusion::Info;
    use super::super::facts::{Lock, Subsystem, Table, Unread};
    use super::*;

    fn facts() -> Facts {
        let core = Subsystem {
            name: "core".into(),
            last_executed: Some("020_330_to_340".into()),
            executed: vec!["020_330_to_340".into()],
            pending: Vec::new(),
        };
        Facts {
            subsystems: vec![core],
            tables: vec![table("workspaces", 1)],
            workspaces: vec!["default".into()],
            now: 1000,
            ..Facts::default()
        }
    }

    fn table(name: &str, rows: u64) -> Table {
        Table { name: name.into(), rows: Rows::Exact(rows), bytes: 0, expired: None }
    }

    fn check(change: impl Fn(&mut Facts), expect: &[(&str, &str)]) {
        let mut facts = facts();
        change(&mut facts);
        let notes = Info::of(facts).notes;
        let found: Vec<&str> = notes.iter().map(|note| note.code).collect();
        assert_eq!(found, expect.iter().map(|(code, _)| *code).collect::<Vec<_>>());
        for (note, (_, words)) in notes.iter().zip(expect) {
            assert!(note.text.contains(words), "{}", note.text);
        }
    }

    #[test]
    fn a_sound_database_has_none() {
        check(|_| (), &[]);
        check(|facts| facts.tables.push(table("keyring_meta", 0)), &[]);
    }

    #[test]
    fn migrations() {
        check(
            |facts| facts.subsystems[0].pending = vec!["021_340_to_350".into()],
            &[("half_migrated", "from 3.4 to 3.5 is half done")],
        );
        let lock = |until| Lock { key: "migrations".into(), owner: "n1".into(), until };
        check(|facts| facts.locks = vec![lock(Some(1001))], &[("migrations_locked", "node n1")]);
        check(|facts| facts.locks = vec![lock(None)], &[("migrations_locked", "node n1")]);
        check(|facts| facts.locks = vec![lock(Some(1000))], &[]);
        check(
            |facts| facts.subsystems[0].last_executed = Some("026_x".into()),
            &[("version_unknown", "026_x is not known; 3.10 is")],
        );
        check(
            |facts| facts.subsystems[0].pending = vec!["026_x".into()],
            &[("half_migrated", "newer than 3.10"), ("version_unknown", "newer than 3.10")],
        );
        check(|facts| facts.subsystems.clear(), &[("version_unknown", "no migration of the core")]);
        let ahead = Subsystem {
            name: "acme".into(),
            executed: vec!["003_350_to_360".into()],
            ..Subsystem::default()
        };
        check(
            |facts| facts.subsystems.push(ahead.clone()),
            &[("plugins_ahead", "003_350_to_360 of acme is of 3.6 or newer, the core of 3.4")],
        );
    }

    #[test]
    fn what_is_missing() {
        check(|facts| facts.tables.push(table("keyring_keys", 2)), &[("keyring", "key material")]);
        check(|facts| facts.workspaces.clear(), &[("no_default_workspace", "default")]);
        let unread = Unread { table: "locks".into(), reason: "not allowed".into() };
        check(
            |facts| facts.unread = vec![unread.clone()],
            &[("unread", "the rows of locks were not read: not allowed")],
        );
    }
}
