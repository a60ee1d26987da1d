//! The jobs of what is made after the rows: what each waits for and which tables it locks.

use std::collections::HashMap;

use super::Builder;
use crate::archive::manifest::{Detail, Object, ObjectId, ObjectKind, Section, UsingIndex};
use crate::restore::plan::cost::{self, Cost};
use crate::restore::plan::graph::{Job, JobId, Stage, Work};
use crate::restore::plan::input::is_late;
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::on_extensions;
use crate::restore::plan::partition_trees::Lockable;
use crate::restore::plan::statements::{self, is_built};
use crate::restore::step::Step;

/// A table's keys, adopted together from indexes that were built side by side.
#[derive(Default)]
struct Adoption<'a> {
    indexes: Vec<JobId>,
    words: Vec<&'a str>,
    /// What follows the constraint: `CLUSTER ON`, `REPLICA IDENTITY`.
    extras: Vec<Step>,
    keys: Vec<ObjectId>,
    waits: Vec<ObjectId>,
}

/// By table and columns in no order: the jobs that build a key's index on them.
type KeyIndexes<'a> = HashMap<(ObjectId, Vec<Option<&'a str>>), Vec<JobId>>;

fn as_set<'a>(columns: &[Option<&'a str>]) -> Vec<Option<&'a str>> {
    let mut columns = columns.to_vec();
    columns.sort_unstable();
    columns
}

impl<'a> Builder<'a> {
    /// Makes the jobs of what is made after the rows, and tells which job gathers which table's
    /// statistics.
    pub(super) fn post_data(&mut self) -> HashMap<ObjectId, JobId> {
        let objects = self.input.objects;
        let post: Vec<&'a Object> = if self.input.sections.post_data {
            objects
                .iter()
                .filter(|object| object.section == Section::PostData && !is_late(object.kind))
                .collect()
        } else {
            Vec::new()
        };
        let mut built: HashMap<ObjectId, Vec<JobId>> = HashMap::new();
        let keys = self.keys(&post, &mut built);
        self.indexes(&post, &keys, &mut built);
        let analyzed = self.statistics(&built);
        let secured = post.iter().filter(|object| self.is_owners_security(object));
        self.looks = secured.filter_map(|object| Some((object.of?, Vec::new()))).collect();
        // A row's foreign keys come before its security.
        let (security, post): (Vec<&Object>, Vec<&Object>) =
            post.into_iter().partition(|object| object.kind == ObjectKind::RowSecurity);
        for object in post.iter().chain(&security) {
            match &object.detail {
                Detail::Key { .. } | Detail::Index { .. } => {}
                // A trusted key stood before its table's rows came; an attachment came with what it
                // attaches to.
                _ if self.made.contains_key(&object.id) => {}
                Detail::ForeignKey { .. } => self.foreign_key(object, &analyzed),
                _ => self.other(object),
            }
        }
        analyzed
    }

    /// Makes the jobs of primary keys and unique constraints, and tells which job builds which
    /// columns' index.
    fn keys(
        &mut self,
        post: &[&'a Object],
        built: &mut HashMap<ObjectId, Vec<JobId>>,
    ) -> KeyIndexes<'a> {
        let mut made = KeyIndexes::new();
        let mut adoptions: Vec<(ObjectId, Adoption<'a>)> = Vec::new();
        let mut places: HashMap<ObjectId, usize> = HashMap::new();
        for object in post {
            let (Detail::Key { columns, using_index, bytes, .. }, Some(table)) =
                (&object.detail, object.of)
            else {
                continue;
            };
            let columns: Vec<Option<&'a str>> =
                columns.iter().map(|column| Some(column.as_str())).collect();
            let cost =
                cost::index(self.rows_of(table), *bytes, "btree", self.sorts_text(table, &columns));
            let Some(using_index) = using_index else {
                let job = self.whole_key(object, table, cost);
                built.entry(table).or_default().push(job);
                made.entry((table, as_set(&columns))).or_default().push(job);
                continue;
            };
            let index = self.key_index(object, using_index, table, cost);
            made.entry((table, as_set(&columns))).or_default().push(index);
            let place = *places.entry(table).or_insert_with(|| {
                adoptions.push((table, Adoption::default()));
                adoptions.len() - 1
            });
            let adoption = &mut adoptions[place].1;
            adoption.indexes.push(index);
            adoption.words.push(&using_index.add_constraint);
            let finish = format!("finish {}", object.identity);
            adoption
                .extras
                .extend(object.statements.iter().skip(1).map(|sql| Step::new(&finish, sql)));
            adoption.keys.push(object.id);
            adoption.waits.extend(waits(object, None));
        }
        for (table, adoption) in adoptions {
            let job = self.adopt(table, adoption);
            built.entry(table).or_default().push(job);
        }
        made
    }

    /// A key that the server must build by itself.
    fn whole_key(&mut self, object: &Object, table: ObjectId, cost: Cost) -> JobId {
        let work =
            Work::Statements(self.adopting(object, statements::create(object, self.input.render)));
        let locks = self.locks_of_build(object, table, LockMode::AccessExclusive);
        let (label, cost) =
            (format!("add {}", object.identity), self.cost_of_build(object, table, cost));
        let job =
            self.push(Job { stage: Stage::Keys, label, work, needs: Vec::new(), locks, cost });
        self.await_built(job, object, table);
        self.note_build(object.id, job);
        job
    }

    fn key_index(
        &mut self,
        object: &Object,
        using_index: &UsingIndex,
        table: ObjectId,
        cost: Cost,
    ) -> JobId {
        let create =
            Step::new(format!("build the index of {}", object.identity), &using_index.create_index);
        let job = self.push(Job {
            stage: Stage::Keys,
            label: create.doing.clone(),
            work: Work::Statements(statements::in_tablespace(object, self.input.render, create)),
            needs: Vec::new(),
            locks: vec![(Lockable::Relation(table), LockMode::Share)],
            cost,
        });
        self.await_built(job, object, table);
        job
    }

    fn adopt(&mut self, table: ObjectId, adoption: Adoption<'_>) -> JobId {
        let name = self.name_of(table);
        let doing = format!("add the keys of {name}");
        let add =
            Step::new(&doing, format!("ALTER TABLE ONLY {name} {}", adoption.words.join(", ")))
                .of(table);
        let steps = std::iter::once(add).chain(adoption.extras).collect();
        let locks = vec![(Lockable::Relation(table), LockMode::AccessExclusive)];
        let cost = cost::CATALOG.times(adoption.keys.len());
        let job = self.push(Job {
            stage: Stage::Keys,
            label: doing,
            work: Work::Statements(steps),
            needs: adoption.indexes,
            locks,
            cost,
        });
        self.waits.push((job, adoption.waits));
        self.made.extend(adoption.keys.into_iter().map(|key| (key, job)));
        job
    }

    fn indexes(
        &mut self,
        post: &[&'a Object],
        keys: &KeyIndexes<'a>,
        built: &mut HashMap<ObjectId, Vec<JobId>>,
    ) {
        for object in post {
            let (Detail::Index { method, columns, bytes, unique, .. }, Some(table)) =
                (&object.detail, object.of)
            else {
                continue;
            };
            let columns: Vec<Option<&'a str>> = columns.iter().map(Option::as_deref).collect();
            let text = self.sorts_text(table, &columns);
            let cost = cost::index(self.rows_of(table), *bytes, method, text);
            if self.build_later(object, table, cost) {
                continue;
            }
            let Some((first, extras)) = object.statements.split_first() else { continue };
            let create = Step::new(format!("build {}", object.identity), first);
            // A foreign key depends on the first unique index of its columns, which has to be the
            // key's own, as in the source.
            let same = keys.get(&(table, as_set(&columns))).filter(|_| *unique);
            let label = create.doing.clone();
            let steps =
                self.adopting(object, statements::in_tablespace(object, self.input.render, create));
            let locks = self.locks_of_build(object, table, LockMode::Share);
            let (work, needs) = (Work::Statements(steps), same.cloned().unwrap_or_default());
            let cost = self.cost_of_build(object, table, cost);
            let mut job = self.push(Job { stage: Stage::Indexes, label, work, needs, locks, cost });
            self.await_built(job, object, table);
            if !extras.is_empty() {
                // CLUSTER ON, REPLICA IDENTITY and the like need the table for themselves, for an
                // instant.
                let label = format!("finish {}", object.identity);
                let steps = extras.iter().map(|sql| Step::new(&label, sql)).collect();
                let locks = vec![(Lockable::Relation(table), LockMode::AccessExclusive)];
                let work = Work::Statements(steps);
                job = self.push(Job {
                    stage: Stage::Indexes,
                    label,
                    work,
                    needs: vec![job],
                    locks,
                    cost: cost::CATALOG,
                });
            }
            self.note_build(object.id, job);
            built.entry(table).or_default().push(job);
        }
    }

    /// A build waits for its table's rows, unless these come last of all: then it is made on the
    /// empty table.
    fn await_built(&mut self, job: JobId, object: &Object, table: ObjectId) {
        let table = (!self.is_last(table)).then_some(table);
        let parts = self.parts_of(object.id);
        self.waits.push((job, waits(object, table).into_iter().chain(parts).collect()));
    }

    fn statistics(&mut self, built: &HashMap<ObjectId, Vec<JobId>>) -> HashMap<ObjectId, JobId> {
        let (mut analyzed, extended) = (HashMap::new(), self.extended());
        for table in self.input.tables {
            let Some(mut job) =
                self.analyze_job(table.object).filter(|_| !self.is_last(table.object))
            else {
                continue;
            };
            job.needs = self.rows_stand(table.object);
            job.needs.extend(built.get(&table.object).into_iter().flatten());
            job.needs.extend(self.made.get(&table.object));
            job.needs.extend(self.pre.filter(|_| job.needs.is_empty()));
            let job = self.push(job);
            self.await_extended(job, table.object, &extended);
            analyzed.insert(table.object, job);
        }
        self.other_statistics(built, &extended);
        analyzed
    }

    fn other(&mut self, object: &Object) {
        let steps = statements::create(object, self.input.render);
        if steps.is_empty() {
            self.without_job.insert(object.id, waits(object, None));
            return;
        }
        let on_extension = object
            .extension
            .as_ref()
            .and_then(|_| on_extensions::work([object], self.input.render));
        let touched = waits(object, None);
        let locks = self.locks_of(object, &touched);
        let label = format!("create {}", object.identity);
        let cost = if object.kind == ObjectKind::Constraint {
            object
                .of
                .map_or(cost::CATALOG, |table| cost::index(self.rows_of(table), 0, "gist", false))
        } else {
            cost::CATALOG
        };
        // What a domain's unproven constraint forbids may lie in any table.
        let of_domain = object
            .of
            .and_then(|of| self.objects.get(&of))
            .is_some_and(|of| of.kind == ObjectKind::Domain);
        let needs = if of_domain { self.all_rows_stand() } else { Vec::new() };
        let work = on_extension.unwrap_or(Work::Statements(steps));
        let job = self.push(Job { stage: Stage::Rest, label, work, needs, locks, cost });
        self.waits.push((job, touched));
        self.made.insert(object.id, job);
        if object.kind == ObjectKind::RowSecurity {
            let before = object.of.and_then(|of| self.looks.get(&of));
            self.graph.jobs[job.index()].needs.extend(before.into_iter().flatten());
        }
    }

    /// Whether it begins row security that holds for the table's owner, too.
    fn is_owners_security(&self, object: &Object) -> bool {
        let forces = |table: &&Object| {
            table.statements.iter().any(|sql| sql.ends_with(" FORCE ROW LEVEL SECURITY"))
        };
        object.kind == ObjectKind::RowSecurity
            && object.of.and_then(|of| self.objects.get(&of)).is_some_and(forces)
    }

    /// What the statement of an object locks that touches these.
    fn locks_of(&self, object: &Object, touched: &[ObjectId]) -> Vec<(Lockable, LockMode)> {
        let mode = match object.kind {
            ObjectKind::Trigger => LockMode::ShareRowExclusive,
            ObjectKind::Statistics => LockMode::ShareUpdateExclusive,
            // Whatever else it is, nothing else may touch its tables meanwhile: attaching takes two
            // indexes for itself, one after the other, which whoever adds a foreign key to the
            // whole tree may have open.
            _ => LockMode::AccessExclusive,
        };
        let tables = touched.iter().filter_map(|id| self.table_of(*id));
        let mut locks: Vec<_> =
            tables.map(|table| (self.graph.families.reach(table), mode)).collect();
        locks.sort_unstable();
        locks.dedup();
        locks
    }

    /// The table that a statement about an object locks: itself, or what it is an index of.
    fn table_of(&self, id: ObjectId) -> Option<ObjectId> {
        let object = self.objects.get(&id)?;
        if is_built(object) { object.of } else { self.is_relation(id).then_some(id) }
    }

    fn sorts_text(&self, table: ObjectId, columns: &[Option<&str>]) -> bool {
        let Some(id) = self.table_ids.get(&table) else { return false };
        let described = &self.input.tables[id.0 as usize];
        // Only the leading column is compared often; an expression is text more often than not.
        columns.first().is_some_and(|first| {
            first.is_none_or(|name| {
                described.columns.iter().any(|column| {
                    column.name == name
                        && (column.type_name == "text" || column.type_name.starts_with("character"))
                })
            })
        })
    }
}

/// What an object waits for: what it depends on, the table that it is a part of, and `rows`, a
/// table whose rows it reads.
///
/// A key or index names its table here only through `rows`: some are built before the rows come.
pub(super) fn waits(object: &Object, rows: Option<ObjectId>) -> Vec<ObjectId> {
    let own = object.of.filter(|_| is_built(object));
    let part_of = object.of.filter(|_| !is_built(object));
    object
        .depends_on
        .iter()
        .copied()
        .filter(|id| Some(*id) != own)
        .chain(part_of)
        .chain(rows)
        .collect()
}
