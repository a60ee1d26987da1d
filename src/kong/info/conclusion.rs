//! What the facts amount to.
//!
//! Does not know how they were found, nor how it is printed.

use super::entity::Entity;
use super::facts::Facts;
use super::notes::{self, Note};
use super::version::{self, Told};

/// What is concluded from the facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// What was found; subsystems, workspaces and the like in order.
    pub facts: Facts,
    /// What `schema_meta` tells.
    pub told: Told,
    /// Every table, by class and name.
    pub entities: Vec<Entity>,
    /// What ought to be looked at.
    pub notes: Vec<Note>,
}

impl Info {
    /// Concludes it.
    pub fn of(mut facts: Facts) -> Self {
        facts.subsystems.sort_by_key(|one| (one.name != version::CORE_NAME, one.name.clone()));
        facts.workspaces.sort_unstable();
        facts.parameters.sort_unstable();
        facts.locks.sort_by(|a, b| a.key.cmp(&b.key));
        facts.data_planes.sort_by(|a, b| (&a.hostname, &a.id).cmp(&(&b.hostname, &b.id)));
        let told = version::tell(&facts.subsystems);
        let mut entities: Vec<Entity> = facts.tables.drain(..).map(Entity::of).collect();
        entities.sort_by(|a, b| (a.class, &a.table.name).cmp(&(b.class, &b.table.name)));
        let notes = notes::notes(&facts, &told, &entities);
        Self { facts, told, entities, notes }
    }
}
