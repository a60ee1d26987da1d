//! How many sessions copy: one more while the last one raised the total by a tenth or more, else
//! that one is taken back, and later tried again.
//!
//! Pure: knows neither sessions nor time.

/// By how much a session must have raised the rate of all.
const WORTH: f64 = 1.1;
/// Looks that do not count after a session is added: it is opened, and its link gets going.
const SETTLE: u32 = 1;
/// Looks until another is tried, at first; each time twice as many.
const PAUSE: u32 = 8;

/// What is to be done after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Add,
    TakeBack,
}

/// The number of sessions, and what is known of its use.
#[derive(Debug)]
pub(super) struct Growth {
    sessions: usize,
    max: usize,
    /// The rate without the last session, if that is on trial.
    without_last: Option<f64>,
    /// So many looks do not count.
    skip: u32,
    pause: u32,
}

impl Growth {
    pub(super) fn new(sessions: usize, max: usize) -> Self {
        Self { sessions, max, without_last: None, skip: SETTLE, pause: PAUSE }
    }

    pub(super) fn sessions(&self) -> usize {
        self.sessions
    }

    /// After a look at the rate, in any unit; looks are equally far apart.
    pub(super) fn look(&mut self, rate: f64) -> Change {
        if self.skip > 0 {
            self.skip -= 1;
            return Change::None;
        }
        if self.without_last.take().is_some_and(|before| rate < WORTH * before) {
            self.sessions -= 1;
            self.skip = self.pause;
            self.pause = self.pause.saturating_mul(2);
            return Change::TakeBack;
        }
        if self.sessions >= self.max {
            return Change::None;
        }
        self.without_last = Some(rate);
        self.sessions += 1;
        self.skip = SETTLE;
        Change::Add
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sessions after each of so many looks, of which each session brings so much until `full`.
    fn sessions(max: usize, looks: usize, full: f64) -> Vec<usize> {
        let mut growth = Growth::new(2, max);
        (0..looks)
            .map(|_| {
                growth.look((growth.sessions() as f64).min(full));
                growth.sessions()
            })
            .collect()
    }

    #[test]
    fn sessions_are_added_while_they_help() {
        assert_eq!(sessions(9, 10, 99.0), [2, 3, 3, 4, 4, 5, 5, 6, 6, 7]);
        assert_eq!(sessions(4, 8, 99.0), [2, 3, 3, 4, 4, 4, 4, 4]);
        assert_eq!(sessions(2, 4, 99.0), [2; 4]);
        // From ten to eleven is a tenth; from eleven to twelve is less.
        assert_eq!(sessions(99, 100, 99.0).into_iter().max(), Some(12));
    }

    #[test]
    fn the_last_one_is_taken_back_if_it_does_not_help_and_tried_again_later() {
        let found = sessions(9, 40, 3.0);
        assert_eq!(found[..6], [2, 3, 3, 4, 4, 3]);
        assert_eq!(found[6..13], [3; 7]);
        assert_eq!(found[13..18], [3, 4, 4, 3, 3]);
        assert_eq!(found[18..32], [3; 14]);
        assert_eq!(sessions(9, 6, 2.0), [2, 3, 3, 2, 2, 2]);
    }

    #[test]
    fn where_nothing_comes_a_further_session_is_tried() {
        let mut growth = Growth::new(1, 3);
        let changes: Vec<Change> = (0..5).map(|_| growth.look(0.0)).collect();
        assert_eq!(changes, [Change::None, Change::Add, Change::None, Change::Add, Change::None]);
    }
}
