//! Applies a selection: what is picked, the sequences and parts that come with it, all that it
//! needs in turn, and what falls when that was not selected.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::kinds::is_relation;
use super::listed::Listed;
use super::selection::Selection;
use crate::archive::manifest::{Detail, NotCarried, Object, ObjectId, ObjectKind, Table};
use crate::sql::ident;

/// What a selection leaves.
#[derive(Default)]
pub(super) struct Applied {
    /// The objects that are selected and can be made, with what they need.
    pub(super) objects: Vec<Object>,
    /// What is selected and cannot be made.
    pub(super) left_out: Vec<NotCarried>,
    /// Which were not selected.
    pub(super) brought_along: HashSet<ObjectId>,
    /// Which are expected to stand, and stay as bare names.
    pub(super) expected: HashSet<ObjectId>,
    /// What these need and is left to whoever makes them: relations and extensions.
    pub(super) left_to_target: Vec<Object>,
}

/// Applies a selection that does not mean everything.
///
/// Rows alone need nothing but their table, which is expected to stand; with `-a` nothing is left
/// out, then.
pub(super) fn apply(selection: &Selection, objects: Vec<Object>) -> Applied {
    let graph = Graph::new(&objects, selection.data_only);
    let chosen = graph.chosen(selection);
    let named = graph.named(selection);
    let stands = Stands::of(selection);
    let unmakeable = graph.unmakeable(&chosen, &stands);
    // The rows that an extension holds need it.
    let settings: Vec<usize> = (0..objects.len())
        .filter(|at| selection.settings.extensions.contains(&objects[*at].id))
        .collect();
    let begin = chosen.iter().chain(&settings).copied();
    let mut kept = graph.closure(begin, &unmakeable, &stands);
    let left_out = if selection.data_only {
        Vec::new()
    } else {
        graph.left_out(&chosen, &unmakeable, &stands)
    };
    let tables: Vec<usize> = named.iter().filter_map(|at| graph.parent[*at]).collect();
    let expected: HashSet<usize> =
        tables.iter().chain(&settings).copied().filter(|at| !kept.contains(at)).collect();
    let brought_along = kept
        .iter()
        .filter(|at| !chosen.contains(at) && !settings.contains(at))
        .map(|at| objects[*at].id)
        .collect();
    let is_left = |at: &&usize| !kept.contains(at) && !named.contains(at);
    let needs = |of: &HashSet<usize>, is_told: fn(ObjectKind) -> bool| {
        let needed = of.iter().flat_map(|at| &graph.needs[*at]).filter(is_left);
        needed.copied().filter(|at| is_told(graph.kind(*at))).collect::<BTreeSet<_>>()
    };
    // Of what is asked for by name alone, nothing comes along.
    let left_to_target: BTreeSet<usize> =
        &needs(&kept, is_relation_or_extension) | &needs(&named, is_told_by_name);
    let left_to_target = if selection.data_only { BTreeSet::new() } else { left_to_target };
    let left_to_target = left_to_target.into_iter().map(|at| objects[at].clone()).collect();
    kept.extend(graph.attaches(&named));
    kept.extend(named.iter().chain(&expected));
    let expected = expected.iter().map(|at| objects[*at].id).collect();
    let keep: Vec<bool> = (0..objects.len()).map(|at| kept.contains(&at)).collect();
    let mut keep = keep.into_iter();
    let objects = objects.into_iter().filter(|_| keep.next().unwrap_or(false)).collect();
    Applied { objects, left_out, brought_along, expected, left_to_target }
}

/// What is expected in the target.
struct Stands<'a> {
    /// Schemas, and what views read: tables were asked for by name.
    rest: bool,
    /// Schemas and extensions that the list has not.
    list: Option<&'a Listed>,
}

impl<'a> Stands<'a> {
    fn of(selection: &'a Selection) -> Self {
        Self { rest: !selection.tables.is_empty(), list: selection.listed.as_ref() }
    }

    /// Whether a list keeps an object out.
    fn is_unlisted(&self, object: &Object) -> bool {
        self.list.is_some_and(|list| !list.holds(object.id))
    }
}

/// Takes away what an object needs and is no longer selected.
pub(super) fn drop_dangling(objects: &mut [Object]) {
    let ids: HashSet<ObjectId> = objects.iter().map(|object| object.id).collect();
    for object in objects {
        object.depends_on.retain(|id| ids.contains(id));
        object.of = object.of.filter(|id| ids.contains(id));
    }
}

/// Lets the rows of a selected partition go to itself where it needs a way up to the topmost table
/// that is not among the objects; a table that stands already is expected to have its own.
pub(super) fn cut_roots(objects: &[Object], tables: &mut [Table]) {
    let by_id: HashMap<ObjectId, &Object> =
        objects.iter().map(|object| (object.id, object)).collect();
    let is_table =
        |id: &ObjectId| by_id.get(id).is_some_and(|object| object.kind == ObjectKind::Table);
    let attaches = objects.iter().filter(|object| object.kind == ObjectKind::TableAttach);
    let parents: HashMap<ObjectId, ObjectId> = attaches
        .filter_map(|attach| {
            let child = attach.of?;
            let parent =
                attach.depends_on.iter().copied().find(|id| *id != child && is_table(id))?;
            Some((child, parent))
        })
        .collect();
    for table in tables {
        let Some(root) = &table.root else { continue };
        // A limit, because a manifest may come from anywhere.
        let top = std::iter::successors(Some(table.object), |at| parents.get(at).copied())
            .take(objects.len())
            .last();
        let top = top.and_then(|top| by_id.get(&top));
        let leads_there = top
            .is_some_and(|top| top.schema.as_ref() == Some(&root.schema) && top.name == root.name);
        let is_made = by_id.get(&table.object).is_some_and(|object| !object.statements.is_empty());
        if is_made && !leads_there {
            table.root = None;
        }
    }
}

/// The objects with their places for numbers. Nothing here recurses: a manifest may come from
/// anywhere.
struct Graph<'a> {
    objects: &'a [Object],
    needs: Vec<Vec<usize>>,
    parent: Vec<Option<usize>>,
    children: HashMap<usize, Vec<usize>>,
}

impl<'a> Graph<'a> {
    fn new(objects: &'a [Object], data_only: bool) -> Self {
        let places: HashMap<ObjectId, usize> =
            objects.iter().enumerate().map(|(at, object)| (object.id, at)).collect();
        let place = |id: &ObjectId| places.get(id).copied();
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut needs = Vec::with_capacity(objects.len());
        let mut parent = Vec::with_capacity(objects.len());
        for (at, object) in objects.iter().enumerate() {
            let references = match &object.detail {
                Detail::ForeignKey { references, .. } => Some(references),
                _ => None,
            };
            let depends_on: &[ObjectId] =
                if data_only && !is_tie(object.kind) { &[] } else { &object.depends_on };
            let all = references.into_iter().chain(depends_on).chain(&object.of);
            needs.push(all.filter_map(place).filter(|need| *need != at).collect::<Vec<_>>());
            let of = object.of.as_ref().and_then(place).filter(|of| *of != at);
            if let Some(of) = of {
                children.entry(of).or_default().push(at);
            }
            parent.push(of);
        }
        let mut graph = Self { objects, needs, parent, children };
        // A view that begins as bare columns is none before the rule that says what it shows.
        for rule in 0..objects.len() {
            if let Some(view) = graph.parent[rule]
                .filter(|_| graph.is_view(rule) && graph.kind(rule) == ObjectKind::Rule)
            {
                graph.needs[view].push(rule);
            }
        }
        graph
    }

    fn kind(&self, at: usize) -> ObjectKind {
        self.objects[at].kind
    }

    /// What the patterns pick, with its parts and the sequences that it owns: where the search for
    /// what is needed begins.
    fn chosen(&self, selection: &Selection) -> HashSet<usize> {
        // An identity column's sequence is a part of its table, and yet can be asked for by name.
        let by_name =
            |at: usize| !selection.tables.is_empty() && self.kind(at) == ObjectKind::Sequence;
        let stands_alone = |at: &usize| self.parent[*at].is_none() || by_name(*at);
        let picked = (0..self.objects.len())
            .filter(stands_alone)
            .filter(|at| selection.picks(&self.objects[*at]));
        let is_listed = |at: &usize| {
            selection.listed.as_ref().is_none_or(|list| list.holds(self.objects[*at].id))
        };
        let mut chosen = HashSet::new();
        self.add_with_parts(&mut chosen, picked.collect());
        // pg_dump takes the sequences of a table with it, whatever they are called.
        let owned: Vec<usize> = self
            .owned_sequences()
            .filter(|(owner, _)| chosen.contains(owner))
            .map(|(_, owned)| owned)
            .collect();
        self.add_with_parts(&mut chosen, owned.into());
        chosen.retain(is_listed);
        chosen
    }

    /// Single objects that are asked for by name; of the schemas that are chosen, if any are.
    fn named(&self, selection: &Selection) -> HashSet<usize> {
        if selection.named.is_empty() {
            return HashSet::new();
        }
        let is_named = |at: &usize| {
            let object = &self.objects[*at];
            let of = self.parent[*at].map(|of| &self.objects[of]);
            selection.named.picks(object, of, selection.schema_of(object, of))
                && selection.picks_named_in(object, of)
                && selection.listed.as_ref().is_none_or(|list| list.holds(object.id))
        };
        (0..self.objects.len()).filter(is_named).collect()
    }

    /// What ties two of these indexes, of a partition and of its parent.
    fn attaches(&self, named: &HashSet<usize>) -> Vec<usize> {
        let has_both_ends = |at: &usize| {
            self.parent[*at].is_some_and(|index| {
                let mut needs = self.needs[*at].iter().filter(|need| **need != index);
                named.contains(&index) && needs.any(|need| named.contains(need))
            })
        };
        (0..self.objects.len())
            .filter(|at| self.kind(*at) == ObjectKind::IndexAttach)
            .filter(has_both_ends)
            .collect()
    }

    /// Pairs of a table and a sequence that one of its columns owns.
    fn owned_sequences(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.objects.len()).filter(|at| self.kind(*at) == ObjectKind::SequenceOwner).filter_map(
            |at| {
                let sequence =
                    self.needs[at].iter().find(|need| self.kind(**need) == ObjectKind::Sequence)?;
                let table = self.needs[at]
                    .iter()
                    .find(|need| is_relation(self.kind(**need)) && *need != sequence)?;
                Some((*table, *sequence))
            },
        )
    }

    fn add_with_parts(&self, set: &mut HashSet<usize>, mut queue: VecDeque<usize>) {
        while let Some(at) = queue.pop_front() {
            if set.insert(at) {
                queue.extend(self.children.get(&at).into_iter().flatten());
            }
        }
    }

    /// Whether it is a view, or what says or fills what one shows.
    fn is_view(&self, at: usize) -> bool {
        let is_part = self.kind(at) == ObjectKind::RefreshMaterializedView
            || self.kind(at) == ObjectKind::Rule && self.objects[at].name == "_RETURN";
        let shown = if is_part { self.parent[at] } else { Some(at) };
        let is_shown =
            |shown| matches!(self.kind(shown), ObjectKind::View | ObjectKind::MaterializedView);
        shown.is_some_and(is_shown)
    }

    /// Objects that cannot be made, each with the need that fails: what is never brought along and
    /// was not chosen, and all that hangs on it, but for what is expected in the target.
    fn unmakeable(&self, chosen: &HashSet<usize>, stands: &Stands<'_>) -> HashMap<usize, usize> {
        let missing = |at: &usize| {
            !chosen.contains(at)
                && (!comes_along(self.kind(*at)) || stands.is_unlisted(&self.objects[*at]))
        };
        let mut unmakeable: HashMap<usize, usize> =
            (0..self.objects.len()).filter(missing).map(|at| (at, at)).collect();
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); self.objects.len()];
        for (at, needs) in self.needs.iter().enumerate() {
            for need in needs {
                needed_by[*need].push(at);
            }
        }
        let mut queue: VecDeque<usize> = unmakeable.keys().copied().collect();
        while let Some(at) = queue.pop_front() {
            for dependent in &needed_by[at] {
                let is_schema = self.kind(at) == ObjectKind::Schema;
                let is_expected = stands.rest
                    && (is_schema || is_relation(self.kind(at)) && self.is_view(*dependent))
                    || stands.list.is_some()
                        && (is_schema || self.kind(at) == ObjectKind::Extension);
                if !(unmakeable.contains_key(dependent) || is_expected) {
                    unmakeable.insert(*dependent, at);
                    queue.push_back(*dependent);
                }
            }
        }
        unmakeable
    }

    /// What of these can be made, all that it needs in turn, and the parts of both.
    fn closure(
        &self,
        begin: impl Iterator<Item = usize>,
        unmakeable: &HashMap<usize, usize>,
        stands: &Stands<'_>,
    ) -> HashSet<usize> {
        let makeable = |at: usize| !unmakeable.contains_key(&at);
        let mut kept = HashSet::new();
        let mut queue: VecDeque<usize> = begin.filter(|at| makeable(*at)).collect();
        while let Some(at) = queue.pop_front() {
            if !makeable(at)
                || (stands.rest && self.kind(at) == ObjectKind::Schema)
                || !kept.insert(at)
            {
                continue;
            }
            queue.extend(&self.needs[at]);
            // The parts of a schema would be everything in it; no one says so with `of`, and no one
            // shall.
            if self.kind(at) != ObjectKind::Schema {
                queue.extend(self.children.get(&at).into_iter().flatten());
            }
        }
        kept
    }

    /// Names what was chosen and fell, but not the parts of what fell; of a list, all that has a line
    /// in it, and nothing else.
    fn left_out(
        &self,
        chosen: &HashSet<usize>,
        unmakeable: &HashMap<usize, usize>,
        stands: &Stands<'_>,
    ) -> Vec<NotCarried> {
        let fell = |at: usize| chosen.contains(&at) && unmakeable.contains_key(&at);
        let is_asked_for =
            |at: usize| stands.list.is_none_or(|list| list.asked.contains(&self.objects[at].id));
        let goes_without_saying = |at: usize| {
            is_tie(self.kind(at)) && !stands.is_unlisted(&self.objects[unmakeable[&at]])
        };
        let told = |at: &usize| {
            is_asked_for(*at) && !goes_without_saying(*at) && !self.parent[*at].is_some_and(fell)
        };
        let all = (0..self.objects.len()).filter(|at| fell(*at)).filter(told);
        all.map(|at| {
            let object = &self.objects[at];
            let mut need = unmakeable[&at];
            // Name the table that is missing, not its key in between, nor a part of what fell
            // itself.
            let is_between = |need: usize| !chosen.contains(&need) || self.parent[need] == Some(at);
            while let Some(next) =
                unmakeable.get(&need).filter(|next| **next != need && is_between(need))
            {
                need = *next;
            }
            let why = if chosen.contains(&need) {
                "which is left out too"
            } else {
                "which is not selected"
            };
            let reason = format!("it needs {}, {why}", self.name(need));
            NotCarried { kind: object.kind.to_string(), name: self.name(at), reason }
        })
        .collect()
    }

    /// `schema.name`, and for a part `name on schema.table`.
    fn name(&self, at: usize) -> String {
        let object = &self.objects[at];
        let own = match &object.schema {
            Some(_) if self.parent[at].is_none() => self.qualified(at),
            _ => ident::quote(&object.name),
        };
        match self.parent[at] {
            Some(parent) => format!("{own} on {}", self.qualified(parent)),
            None => own,
        }
    }

    fn qualified(&self, at: usize) -> String {
        use ObjectKind::{Aggregate, Function, Operator};
        let object = &self.objects[at];
        match &object.schema {
            // The name is told with its arguments.
            Some(schema) if matches!(object.kind, Function | Aggregate | Operator) => {
                format!("{}.{}", ident::quote(schema), object.name)
            }
            Some(schema) => ident::qualified(schema, &object.name),
            None => ident::quote(&object.name),
        }
    }
}

fn is_relation_or_extension(kind: ObjectKind) -> bool {
    is_relation(kind) || kind == ObjectKind::Extension
}

/// Whether it can be looked for by its name.
fn is_told_by_name(kind: ObjectKind) -> bool {
    use ObjectKind::{Aggregate, Domain, Function, Type};
    is_relation_or_extension(kind) || matches!(kind, Function | Aggregate | Type | Domain)
}

/// Whether an object that is needed comes along, unselected, for the sake of one that needs it.
fn comes_along(kind: ObjectKind) -> bool {
    kind == ObjectKind::Sequence
        || !(is_relation(kind)
            || matches!(kind, ObjectKind::Publication | ObjectKind::Subscription))
}

/// Whether what is needed is only a tie between two objects, which goes without saying when one of
/// them is not selected.
fn is_tie(kind: ObjectKind) -> bool {
    use ObjectKind::{IndexAttach, PublicationSchema, PublicationTable, SequenceOwner};
    matches!(kind, IndexAttach | PublicationSchema | PublicationTable | SequenceOwner)
}
