//! Some values of a column, and what they let expect of all: a cheap look before something is
//! done to every value.

use std::array::from_fn;
use std::sync::LazyLock;

use super::differences::difference;
use super::hash::hash;
use crate::pgcopy::{Column, Form};

/// How many values are looked at, at most, in runs of neighbours from all over the column.
const VALUES_MAX: usize = 512;
const RUN_VALUES: usize = 64;

/// Some of a column's values that are not NULL.
pub(super) struct Sample<'a> {
    pub(super) values: Vec<&'a [u8]>,
    /// How many the column has, or a few more.
    all: usize,
}

/// A table of a sample's values, at most half full.
const SLOTS: usize = 2 * VALUES_MAX;

/// How often the values of a sample return.
#[derive(Clone, Copy, Debug)]
pub(super) struct Returning {
    /// How many differ.
    pub(super) distinct: usize,
    /// The bits of a value, if each is coded by how often it stands there.
    pub(super) bits: f32,
}

impl<'a> Sample<'a> {
    /// Takes some values of a column; none of one that has few, or long ones, for which nothing is
    /// known to do.
    pub(super) fn take(column: &'a Column, rows: u64) -> Option<Self> {
        let sample = match column.form {
            Form::Fixed(width) | Form::FixedOrNull(width) => {
                Self::of_fixed(&column.data, width as usize)?
            }
            Form::U8 => Self::of_short(column, rows as usize)?,
            Form::Null | Form::U16 | Form::U32 => return None,
        };
        (sample.values.len() >= RUN_VALUES / 2).then_some(sample)
    }

    fn of_fixed(data: &'a [u8], width: usize) -> Option<Self> {
        let all = data.len().checked_div(width)?;
        let run = |start| data[start * width..][..RUN_VALUES * width].chunks_exact(width);
        Some(Self { values: starts(all)?.flat_map(run).collect(), all })
    }

    fn of_short(column: &'a Column, rows: usize) -> Option<Self> {
        let size = |length: &u8| if *length == u8::MAX { 0 } else { usize::from(*length) };
        let (mut values, mut row, mut rest) = (Vec::with_capacity(VALUES_MAX), 0, &column.data[..]);
        for start in starts(rows)? {
            let skipped: usize = column.lengths.get(row..start)?.iter().map(size).sum();
            rest = rest.get(skipped..)?;
            row = start + RUN_VALUES;
            for length in column.lengths.get(start..row)? {
                let value = rest.split_off(..size(length))?;
                if *length != u8::MAX {
                    values.push(value);
                }
            }
        }
        Some(Self { values, all: rows })
    }

    pub(super) fn returning(&self) -> Returning {
        let (mut slots, mut counts): ([&[u8]; SLOTS], _) = ([&[]; SLOTS], [0_u16; SLOTS]);
        for value in &self.values {
            let mut slot = hash(value) % SLOTS;
            while counts[slot] > 0 && slots[slot] != *value {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = value;
            counts[slot] += 1;
        }
        Returning {
            distinct: counts.iter().filter(|count| **count > 0).count(),
            bits: entropy(&counts, self.values.len()),
        }
    }

    /// The bits of a value, first if each of its bytes is coded by how often it stands in its place,
    /// then if by how often it stands anywhere.
    pub(super) fn bits_of_bytes(&self, width: usize) -> (f32, f32) {
        let (mut of_planes, mut anywhere) = (0.0, [0_u16; 256]);
        for at in 0..width {
            let counts = count_bytes(self.values.iter().map(|value| value[at]));
            of_planes += entropy(&counts, self.values.len());
            anywhere.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
        }
        let bits = entropy(&anywhere, self.values.len() * width);
        (of_planes, width as f32 * bits)
    }

    /// The bits of a value, if each byte of its difference to the one before is coded so in its place.
    pub(super) fn bits_of_differences(&self, width: usize) -> f32 {
        match width {
            2 => self.bits_of_differences_of::<2>(),
            4 => self.bits_of_differences_of::<4>(),
            _ => self.bits_of_differences_of::<8>(),
        }
    }

    fn bits_of_differences_of<const WIDTH: usize>(&self) -> f32 {
        let value = |value: &[u8]| value.first_chunk::<WIDTH>().copied().unwrap_or([0; WIDTH]);
        let mut all = [[0; WIDTH]; VALUES_MAX];
        let mut count = 0;
        for run in self.values.chunks(RUN_VALUES) {
            for pair in run.windows(2) {
                all[count] = difference(value(pair[0]), value(pair[1]));
                count += 1;
            }
        }
        let bytes = |at: usize| all[..count].iter().map(move |difference| difference[at]);
        (0..WIDTH).map(|at| entropy(&count_bytes(bytes(at)), count)).sum()
    }

    /// The bits of a value as the compressor is likely to code it: byte by byte, which takes
    /// `by_byte`, or as the place of an earlier one.
    pub(super) fn bits_as_it_is(&self, width: usize, by_byte: f32, distinct: usize) -> f32 {
        let of_all = self.distinct_of_all(distinct);
        // Measured: a fifth more than it takes to say where among all values that differ.
        let by_place = 1.2 * (of_all * width as f32).max(2.0).log2();
        let first = of_all / self.all as f32;
        by_byte.min(by_byte * first + by_place * (1.0 - first))
    }

    /// How many different values the column is likely to have, if each is as frequent: that many
    /// give as many different ones in a sample of this size.
    fn distinct_of_all(&self, distinct: usize) -> f32 {
        let (found, taken) = (distinct as f32, self.values.len() as f32);
        let expected = |distinct: f32| distinct * (1.0 - (-taken / distinct).exp());
        let (mut low, mut high) = (found.max(1.0), self.all as f32);
        for _ in 0..12 {
            let middle = (low * high).sqrt();
            if expected(middle) < found { low = middle } else { high = middle }
        }
        high
    }
}

/// Where the runs begin among so many values or rows, unless these are too few for one.
fn starts(all: usize) -> Option<impl Iterator<Item = usize>> {
    let last = all.checked_sub(RUN_VALUES)?;
    let runs = (all / RUN_VALUES).min(VALUES_MAX / RUN_VALUES);
    Some((0..runs).map(move |run| last * run / (runs - 1).max(1)))
}

fn count_bytes(bytes: impl Iterator<Item = u8>) -> [u16; 256] {
    let mut counts = [0; 256];
    bytes.for_each(|byte| counts[usize::from(byte)] += 1);
    counts
}

/// What [`entropy`] takes of each count that is no larger than a sample.
static LOGS: LazyLock<[f32; VALUES_MAX + 1]> =
    LazyLock::new(|| from_fn(|count| count as f32 * (count.max(1) as f32).log2()));

/// The entropy of what was counted, in bits for each of `total`; corrected for what a small sample
/// does not show (Miller and Madow). The counts are a multiple of four.
fn entropy(counts: &[u16], total: usize) -> f32 {
    let logs = &*LOGS;
    let log = |count: u16| match logs.get(usize::from(count)) {
        Some(log) => *log,
        None => f32::from(count) * f32::from(count).log2(),
    };
    // Four sums, so that none waits for the last, and no branch on whether something was seen, which
    // nobody could predict.
    let (mut sums, mut seen) = ([0.0; 4], [0; 4]);
    for counts in counts.as_chunks::<4>().0 {
        for (at, count) in counts.iter().enumerate() {
            sums[at] += log(*count);
            seen[at] += u16::from(*count > 0);
        }
    }
    let (total, sum, seen) = (total as f32, sums.iter().sum::<f32>(), seen.iter().sum::<u16>());
    let unseen = (f32::from(seen) - 1.0).max(0.0) / (2.0 * std::f32::consts::LN_2 * total);
    total.log2() - sum / total + unseen
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn column(width: usize, values: impl IntoIterator<Item = Vec<u8>>) -> Column {
        let data: Vec<u8> = values.into_iter().flatten().collect();
        Column { form: Form::Fixed(width as u32), lengths: Bytes::new(), data: data.into() }
    }

    fn noise(at: u32) -> Vec<u8> {
        blake3::hash(&at.to_le_bytes()).as_bytes()[..16].to_vec()
    }

    #[test]
    fn few_values_are_no_sample() {
        let of = |all: u32| column(4, (0..all).map(|at| at.to_be_bytes().to_vec()));
        assert!(Sample::take(&of(63), 63).is_none());
        assert!(Sample::take(&column(0, []), 1000).is_none());
        for all in [64_u32, 65, 127, 128, 511, 513, 5000] {
            let column = of(all);
            let sample = Sample::take(&column, all.into()).expect("values enough");
            assert_eq!(sample.values.len(), (all as usize / 64 * 64).min(VALUES_MAX));
            let last = if all < 128 { 63 } else { all - 1 };
            assert_eq!(sample.values[0], 0_u32.to_be_bytes());
            assert_eq!(sample.values[sample.values.len() - 1], last.to_be_bytes());
        }
    }

    #[test]
    fn a_sample_of_short_values_has_the_values_themselves() {
        let lengths: Vec<u8> = (0..4000).map(|row| [3, 255, 0, 7, 1][row % 5]).collect();
        let data: Vec<u8> = lengths
            .iter()
            .filter(|length| **length != 255)
            .enumerate()
            .flat_map(|(at, &length)| vec![at as u8; usize::from(length)])
            .collect();
        let column = Column { form: Form::U8, lengths: lengths.into(), data: data.into() };
        let sample = Sample::take(&column, 4000).expect("values enough");
        let all: Vec<_> = column.values(4000).collect();
        let expect: Vec<_> = starts(4000)
            .expect("rows enough")
            .flat_map(|start| all[start..start + RUN_VALUES].iter().copied().flatten())
            .collect();
        assert_eq!(sample.values, expect);
    }

    #[test]
    fn bits_are_near_the_truth() {
        let near = |found: f32, expect: f32| assert!((found - expect).abs() < 3.0, "{found}");
        let random = column(16, (0..10_000).map(noise));
        let sample = Sample::take(&random, 10_000).expect("values enough");
        let Returning { distinct, bits } = sample.returning();
        assert_eq!(distinct, 512);
        near(bits, 9.7);
        let (of_planes, anywhere) = sample.bits_of_bytes(16);
        near(of_planes, 128.0);
        near(anywhere, 128.0);
        near(sample.bits_as_it_is(16, anywhere, distinct), 128.0);
        let few = column(16, (0..10_000).map(|at| noise(u32::from(noise(at)[0]))));
        let sample = Sample::take(&few, 10_000).expect("values enough");
        let Returning { distinct, bits } = sample.returning();
        near(bits, 8.0);
        let all = sample.distinct_of_all(distinct);
        assert!((200.0..312.0).contains(&all), "{all}");
        assert!((10.0..20.0).contains(&sample.bits_as_it_is(16, 128.0, distinct)));
        let rising =
            column(8, (0..10_000_u64).map(|at| ((1_u64 << 40) + at * 1000).to_be_bytes().to_vec()));
        let sample = Sample::take(&rising, 10_000).expect("values enough");
        near(sample.bits_of_differences(8), 0.0);
    }
}
