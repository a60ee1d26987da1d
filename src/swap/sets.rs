//! Which objects are exchanged: of the copy all, of the live ones what `restore -c` of the copy's
//! archive would drop, or `restore --clean=schemas`. Pure: judges what was read.

use std::collections::{BTreeSet, HashSet};

use crate::pg::schema_objects::{Key, Movable};
use crate::pg::swap_state::{Phase, State};
use crate::profile::Profile;

/// The catalogs `pg_type` and `pg_class`, by the numbers that they have in every version.
const PG_TYPE: u32 = 1247;
const PG_CLASS: u32 = 1259;

/// Both sets.
#[derive(Clone, Debug, Default)]
pub struct Sets {
    /// What is live and moves away.
    pub live: Vec<Movable>,
    /// What moves in.
    pub away: Vec<Movable>,
    /// The live schemas in which something stays, unquoted.
    pub staying: BTreeSet<String>,
    /// Of what moves away what does so only because all goes that the role owns, in words.
    pub unasked: Vec<String>,
    /// What has one name here and there and is of two kinds, in words.
    pub mismatched: Vec<String>,
    /// Partitions that would go along with their table and that the copy does not have, in words.
    pub left_over: Vec<String>,
}

impl Sets {
    /// Chooses. Of the live ones: what has a counterpart in the copy, what the last exchange moved
    /// in, and what versions of a product have made where both copies are its databases; or beside
    /// these all that the role owns.
    pub fn choose(
        live: Vec<Movable>,
        away: Vec<Movable>,
        state: &State,
        profile: &Profile,
        takes_all_owned: bool,
    ) -> Self {
        let wanted: HashSet<&Key> = away.iter().map(|object| &object.key).collect();
        let moved_in: HashSet<&str> = state.live_objects.iter().map(String::as_str).collect();
        let homes = if state.is_whole { homes(&live, &away, profile) } else { BTreeSet::new() };
        let is_product = |object: &Movable| {
            object.is_ours
                && homes.contains(&object.key.schema)
                && (object.relkind == "r"
                    && (profile.makes_table)(&object.key.name, &object.columns)
                    || object.is_trigger_function && (profile.makes_function)(&object.key.name))
        };
        let mismatched = live
            .iter()
            .filter_map(|object| {
                let other = away
                    .iter()
                    .find(|other| other.key == object.key && other.kind != object.kind)?;
                Some(format!("{} is a {} in the copy", object.describe(), other.kind))
            })
            .collect();
        let mut chosen: HashSet<(u32, u32)> = live
            .iter()
            .filter(|object| {
                wanted.contains(&object.key)
                    || moved_in.contains(object.key.to_string().as_str())
                    || is_product(object)
            })
            .map(|object| (object.class, object.oid))
            .collect();
        let asked = chosen.clone();
        add_parts(&mut chosen, &live);
        // What has come since the copy was live is given up on the way back, and only there.
        let mut left_over = Vec::new();
        if state.phase != Phase::Swapped && !takes_all_owned {
            let is_left_over = |object: &&Movable| {
                let address = (object.class, object.oid);
                object.class == PG_CLASS && chosen.contains(&address) && !asked.contains(&address)
            };
            let told = |object: &Movable| {
                format!("{} is a partition that the copy does not have", object.describe())
            };
            left_over.extend(live.iter().filter(is_left_over).map(told));
        }
        let mut unasked = Vec::new();
        if takes_all_owned {
            let asked = chosen.clone();
            let owned = live.iter().filter(|object| object.is_ours);
            chosen.extend(owned.map(|object| (object.class, object.oid)));
            add_parts(&mut chosen, &live);
            unasked.extend(
                (live.iter().filter(|object| {
                    let address = (object.class, object.oid);
                    chosen.contains(&address) && !asked.contains(&address)
                }))
                .map(Movable::describe),
            );
        }
        let is_chosen = |object: &Movable| chosen.contains(&(object.class, object.oid));
        let (live, staying): (Vec<_>, Vec<_>) = live.into_iter().partition(is_chosen);
        let staying = staying.into_iter().map(|object| object.key.schema).collect();
        Self { live, away, staying, unasked, mismatched, left_over }
    }

    /// Whether both sets are those, object by object.
    pub fn is_same(&self, other: &Self) -> bool {
        let oids = |objects: &[Movable]| {
            objects.iter().map(|object| (object.class, object.oid)).collect::<Vec<_>>()
        };
        oids(&self.live) == oids(&other.live) && oids(&self.away) == oids(&other.away)
    }

    /// All objects of both.
    pub fn all(&self) -> impl Iterator<Item = &Movable> {
        self.live.iter().chain(&self.away)
    }
}

/// A table goes with its partitions, also those that the copy does not have, and a range type with
/// the functions that make its values, which are a superuser's: they do not move by themselves.
fn add_parts(chosen: &mut HashSet<(u32, u32)>, live: &[Movable]) {
    loop {
        let goes_along = |object: &&Movable| {
            let class = if object.key.space == "routine" { PG_TYPE } else { object.class };
            chosen.contains(&(class, object.part_of))
                && !chosen.contains(&(object.class, object.oid))
        };
        let along = live.iter().filter(goes_along);
        let more: Vec<(u32, u32)> = along.map(|object| (object.class, object.oid)).collect();
        if more.is_empty() {
            break;
        }
        chosen.extend(more);
    }
}

/// The schemas in which both copies hold the table that the product is known by.
fn homes(live: &[Movable], away: &[Movable], profile: &Profile) -> BTreeSet<String> {
    let schemas = |objects: &[Movable]| -> BTreeSet<String> {
        let known = objects.iter().filter(|object| {
            object.relkind == "r" && Some(object.key.name.as_str()) == profile.known_by
        });
        known.map(|object| object.key.schema.clone()).collect()
    };
    schemas(live).intersection(&schemas(away)).cloned().collect()
}
