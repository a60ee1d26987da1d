//! The first pass: what a column amounts to.

use super::super::columns::{Form, NULL};

/// The lengths of a column, added up by runs of the same length: most columns have few of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The length of the run that is not added yet, [`NULL`] among them.
    length: u32,
    /// Its first row.
    since: u64,
    /// The length of the shortest value; [`NULL`] if there is none.
    least: u32,
    /// The length of the longest value, at least 0.
    most: u32,
    nulls: u64,
    /// The lengths' sum.
    pub(super) bytes: u64,
}

impl Seen {
    pub(super) const NOTHING: Self =
        Self { length: NULL, since: 0, least: NULL, most: 0, nulls: 0, bytes: 0 };

    /// Notes the length of the value of `row`, or [`NULL`]; called once for each row in order.
    #[inline]
    pub(super) fn note(&mut self, row: u64, length: u32) {
        if length != self.length {
            self.end_run(row);
            self.length = length;
        }
    }

    fn end_run(&mut self, row: u64) {
        let rows = row - self.since;
        self.since = row;
        if self.length == NULL {
            self.nulls += rows;
        } else {
            self.least = self.least.min(self.length);
            self.most = self.most.max(self.length);
            self.bytes += rows * u64::from(self.length);
        }
    }

    /// Adds the last run, and gives the smallest form that holds the lengths of so many rows.
    pub(super) fn finish(&mut self, rows: u64) -> Form {
        self.end_run(rows);
        match *self {
            Self { nulls, .. } if nulls == rows => Form::Null,
            Self { least, most, nulls: 0, .. } if least == most => Form::Fixed(most),
            Self { least, most, .. } if least == most => Form::FixedOrNull(most),
            Self { most, .. } if most < 0xff => Form::U8,
            Self { most, .. } if most < 0xffff => Form::U16,
            Self { .. } => Form::U32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lengths: &[u32], form: Form, nulls: u64, bytes: u64) {
        let mut seen = Seen::NOTHING;
        for (row, &length) in (0..).zip(lengths) {
            seen.note(row, length);
        }
        assert_eq!(seen.finish(lengths.len() as u64), form);
        assert_eq!((seen.nulls, seen.bytes), (nulls, bytes));
    }

    #[test]
    fn the_smallest_form_is_chosen() {
        check(&[NULL, NULL], Form::Null, 2, 0);
        check(&[16, 16], Form::Fixed(16), 0, 32);
        check(&[0], Form::Fixed(0), 0, 0);
        check(&[16, NULL, 16], Form::FixedOrNull(16), 1, 32);
        check(&[NULL, 3, NULL, NULL, NULL, NULL, NULL, 3, 3], Form::FixedOrNull(3), 6, 9);
        check(&[1, NULL, 254], Form::U8, 1, 255);
        check(&[0, 255], Form::U16, 0, 255);
        check(&[NULL, 0, 65534], Form::U16, 1, 65534);
        check(&[65535, NULL, 0], Form::U32, 1, 65535);
    }
}
