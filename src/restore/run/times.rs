//! Where the time of a restore goes: which jobs took longest, and which chain of jobs, each of which
//! waited for the one before, bounds what more sessions could save.

use super::super::plan::graph::{Graph, JobId};

/// How many jobs are named.
const SLOWEST_MAX: usize = 10;

/// A job and how long it took.
#[derive(Clone, Debug, PartialEq)]
pub struct JobTime {
    /// What was done, as for those who watch.
    pub doing: String,
    /// Seconds.
    pub seconds: f64,
}

/// What took the time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// The jobs that took longest, the longest first; at most 10.
    pub slowest: Vec<JobTime>,
    /// The jobs of the longest chain, in the order in which they ran.
    pub chain: Vec<JobTime>,
}

impl Times {
    /// The seconds of the longest chain.
    pub fn chain_seconds(&self) -> f64 {
        self.chain.iter().map(|job| job.seconds).sum()
    }

    /// From the jobs that ran, in the order in which they ended: each after all that it needs.
    pub(super) fn of(graph: &Graph, ended: &[(JobId, f64)]) -> Self {
        let time = |job: JobId, seconds: f64| {
            let doing = graph.jobs[job.index()].label.clone();
            JobTime { doing, seconds }
        };
        let mut slowest = ended.to_vec();
        slowest.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        slowest.truncate(SLOWEST_MAX);
        Self {
            slowest: slowest.into_iter().map(|(job, seconds)| time(job, seconds)).collect(),
            chain: longest_chain(graph, ended)
                .into_iter()
                .map(|(job, seconds)| time(job, seconds))
                .collect(),
        }
    }
}

fn longest_chain(graph: &Graph, ended: &[(JobId, f64)]) -> Vec<(JobId, f64)> {
    // For each job the seconds of the longest chain that ends with it, and which it needs of that.
    let mut chains: Vec<(f64, Option<JobId>)> = vec![(0.0, None); graph.jobs.len()];
    for &(job, seconds) in ended {
        let needs = graph.jobs[job.index()].needs.iter();
        let before = needs
            .map(|need| (chains[need.index()].0, *need))
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        let (until, before) = before.map_or((0.0, None), |(until, need)| (until, Some(need)));
        chains[job.index()] = (until + seconds, before);
    }
    let last = ended
        .iter()
        .max_by(|(one, _), (other, _)| chains[one.index()].0.total_cmp(&chains[other.index()].0));
    let mut chain = Vec::new();
    let mut next = last.map(|(job, _)| *job);
    while let Some(job) = next {
        let (until, before) = chains[job.index()];
        chain.push((job, until - before.map_or(0.0, |before| chains[before.index()].0)));
        next = before;
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restore::plan::graph::tests::job;

    fn seconds(jobs: &[JobTime]) -> Vec<(&str, f64)> {
        jobs.iter().map(|job| (job.doing.as_str(), job.seconds)).collect()
    }

    #[test]
    fn the_longest_chain_is_that_of_the_seconds_taken() {
        let mut graph = Graph::default();
        for (label, needs) in [
            ("table", &[][..]),
            ("load a", &[0]),
            ("load b", &[0]),
            ("key", &[1, 2]),
            ("index", &[1]),
        ] {
            let mut one = job(needs, &[], 1);
            label.clone_into(&mut one.label);
            graph.jobs.push(one);
        }
        let ended = [(0, 0.5), (2, 3.0), (1, 2.0), (4, 1.0), (3, 0.25)];
        let ended = ended.map(|(job, seconds)| (JobId(job), seconds));
        let times = Times::of(&graph, &ended);
        assert_eq!(seconds(&times.chain), [("table", 0.5), ("load b", 3.0), ("key", 0.25)]);
        assert!((times.chain_seconds() - 3.75).abs() < 1e-9);
        assert_eq!(seconds(&times.slowest)[..2], [("load b", 3.0), ("load a", 2.0)]);
        // Those that did not run, because an earlier run has done them, took no time.
        let times = Times::of(&graph, &ended[2..]);
        assert_eq!(seconds(&times.chain)[1..], [("load a", 2.0), ("index", 1.0)]);
        assert_eq!(Times::of(&graph, &[]), Times::default());
    }
}
