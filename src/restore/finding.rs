//! What keeps a restore from beginning, of which sort it is, and what a caller has found before the
//! restore itself looks.

use std::collections::HashSet;
use std::fmt;

/// Which sort of thing keeps a restore from beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Something is missing, or does not fit.
    #[default]
    Requirement,
    /// The target is not empty.
    NotEmpty,
    /// It is known what the target holds: this says more than that it is not empty, and stands for
    /// it.
    Occupant,
    /// What is to be made stands already, and is dropped first where that is asked for.
    Standing,
}

/// Something that keeps the restore from beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of which sort it is.
    pub sort: Sort,
    /// What is the matter.
    pub problem: String,
    /// What can be done, as an option or an action.
    pub way_out: String,
}

impl Finding {
    /// A problem and its way out.
    pub fn new(problem: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { sort: Sort::default(), problem: problem.into(), way_out: way_out.into() }
    }

    /// The same of a sort.
    #[must_use]
    pub fn sort(self, sort: Sort) -> Self {
        Self { sort, ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.problem, self.way_out)
    }
}

/// What a caller has found that knows more of the archive and the target than a restore does: told
/// with what the restore finds itself, when it begins.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    /// What keeps it from beginning.
    pub findings: Vec<Finding>,
    /// What may surprise.
    pub warnings: Vec<String>,
}

/// Leaves out that the target is not empty where somebody says what it holds.
pub(super) fn without_repetition(findings: &mut Vec<Finding>) {
    if findings.iter().any(|finding| finding.sort == Sort::Occupant) {
        findings.retain(|finding| finding.sort != Sort::NotEmpty);
    }
}

/// Leaves of findings with the same problem the first.
pub(super) fn told_once(findings: &mut Vec<Finding>) {
    let mut seen = HashSet::new();
    findings.retain(|finding| seen.insert(finding.problem.clone()));
}

/// Says what it means that the place of a staged copy is not empty: its name is new, so that
/// nobody has made anything there but another stage.
pub(super) fn beside_another_stage(findings: &mut [Finding]) {
    for finding in findings.iter_mut().filter(|finding| finding.sort == Sort::NotEmpty) {
        "another stage has begun at the same moment: silverback swap --status tells of it"
            .clone_into(&mut finding.way_out);
    }
}

#[cfg(test)]
mod tests {
    use super::Sort::{NotEmpty, Occupant, Requirement};
    use super::*;

    #[test]
    fn a_copys_place_that_is_taken_is_another_stages() {
        let mut findings = [Finding::new("a", "b"), Finding::new("c", "d").sort(NotEmpty)];
        beside_another_stage(&mut findings);
        assert_eq!(findings[0].way_out, "b");
        assert!(findings[1].way_out.starts_with("another stage"), "{findings:?}");
    }

    #[test]
    fn who_is_there_is_said_once() {
        let check = |sorts: &[Sort], expect: &[Sort]| {
            let mut findings: Vec<Finding> =
                sorts.iter().map(|sort| Finding::new("", "").sort(*sort)).collect();
            without_repetition(&mut findings);
            assert_eq!(findings.iter().map(|finding| finding.sort).collect::<Vec<_>>(), expect);
        };
        check(&[NotEmpty, Requirement], &[NotEmpty, Requirement]);
        check(&[Occupant, NotEmpty, Requirement], &[Occupant, Requirement]);
    }
}
