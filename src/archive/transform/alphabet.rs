//! Text of few different bytes that follow one another as if by chance (hexadecimal digits, base64,
//! generated keys): codes of 4 or 6 bits. A compressor makes them no smaller, and takes several
//! times as long to say so.
//!
//! ```text
//! values  3f a0 …                  of at most 16 or 64 different bytes, but for exceptions
//! block   4 | 16 letters | codes | packed codes, the first in the high bits | exceptions
//! ```
//!
//! The bytes that are not among the letters stand behind the codes, by runs: how many codes come
//! before the first of a run, and again before each other, the byte, and how many there are. So the
//! line feeds of base64 take a few bytes.

use super::hash::hash;

/// Columns of fewer bytes are left to the compressor: there is little time to be saved.
const BYTES_MIN: usize = 8 << 10;
/// The most bits of a code.
const BITS_MAX: usize = 6;
/// The bytes before the letters, and those of the number of codes.
const HEAD_BYTES: usize = 1 + 4;
/// The least bytes of a block: there are 16 letters.
pub(super) const BLOCK_BYTES_MIN: usize = HEAD_BYTES + 16;
/// What is no letter has this bit in its code.
const NO_LETTER: u8 = 0x80;
/// The codes that are packed at a time.
const STAGE: usize = 4096;

/// Which byte has which code.
pub(super) struct Alphabet {
    bits: usize,
    /// By code, `1 << bits` of them.
    letters: Vec<u8>,
    codes: [u8; 256],
}

impl Alphabet {
    /// The letters of these values, if codes are likely to be about as small as what a compressor
    /// makes of them.
    pub(super) fn of(values: &[u8]) -> Option<Self> {
        if values.len() < BYTES_MIN {
            return None;
        }
        let counts = counts(values);
        let bits_of_byte = bits_of_byte(&counts);
        // The nearest above: hexadecimal digits need 4, base64 6.
        let bits = [4, BITS_MAX].into_iter().find(|bits| bits_of_byte <= *bits as f32 + SLACK)?;
        if (bits as f32) > WORTH * bits_of_byte {
            return None;
        }
        let alphabet = Self::of_most(bits, &counts);
        let others = (0..=u8::MAX).filter(|byte| alphabet.codes[usize::from(*byte)] == NO_LETTER);
        let exceptions: usize = others.map(|byte| usize::from(counts[usize::from(byte)])).sum();
        if exceptions > PIECES * PIECE_BYTES / EXCEPTIONS {
            return None;
        }
        // What returns, a compressor would find.
        let start = (values.len() - TRIED_BYTES.min(values.len())) / 2;
        let tried = &values[start..][..TRIED_BYTES.min(values.len())];
        let mut made = vec![0; TRIED_BYTES + BLOCK_BYTES_MIN];
        let bytes = alphabet.apply(tried, &mut made)? - HEAD_BYTES - alphabet.letters.len();
        let is_as_small = (bytes * 8) as f32 <= WORTH * bits_of_byte * tried.len() as f32;
        (is_as_small && !returns(tried)).then_some(alphabet)
    }

    /// The bytes that there are most of; line feeds, which come as regularly as few others and so
    /// take little as exceptions, and the like only where there is room for all.
    fn of_most(bits: usize, counts: &[u16; 256]) -> Self {
        let mut letters: Vec<u8> = (0..=u8::MAX).collect();
        let weight = |letter: u8| match counts[usize::from(letter)] {
            count if letter.is_ascii_control() => count.min(1),
            count => count,
        };
        letters.sort_by_key(|letter| std::cmp::Reverse(weight(*letter)));
        letters.truncate(1 << bits);
        letters.sort_unstable();
        let mut codes = [NO_LETTER; 256];
        for (code, letter) in (0..).zip(&letters) {
            codes[usize::from(*letter)] = code;
        }
        Self { bits, letters, codes }
    }

    /// Writes the block of these values, and gives its bytes; nothing if there is too little room
    /// for it or if it would not be smaller.
    pub(super) fn apply(&self, values: &[u8], block: &mut [u8]) -> Option<usize> {
        let room = block.len().min(values.len());
        let block = &mut block[..room];
        let head = HEAD_BYTES + self.letters.len();
        let mut packed = Packer { bits: self.bits, to: block.get_mut(head..)?, at: 0, codes: 0 };
        let mut stage = [0; STAGE];
        let (mut staged, mut rest) = (0, values);
        let mut exceptions = Exceptions::default();
        while let Some((&next, after)) = rest.split_first() {
            // Eight at a time, as long as all of them are letters.
            while let Some((eight, after)) = rest.split_first_chunk::<8>()
                && staged + 8 <= STAGE
            {
                let mut any = 0;
                for (code, byte) in stage[staged..staged + 8].iter_mut().zip(eight) {
                    *code = self.codes[usize::from(*byte)];
                    any |= *code;
                }
                if any & NO_LETTER != 0 {
                    break;
                }
                (staged, rest) = (staged + 8, after);
            }
            if staged + 8 > STAGE {
                // A whole number of bytes, and the rest begins anew.
                let whole = staged / 8 * 8;
                packed.pack(&stage[..whole])?;
                stage.copy_within(whole..staged, 0);
                staged -= whole;
                continue;
            }
            if rest.len() <= after.len() {
                continue;
            }
            let code = self.codes[usize::from(next)];
            if code & NO_LETTER == 0 {
                stage[staged] = code;
                staged += 1;
            } else {
                exceptions.push(packed.codes + staged, next);
            }
            rest = after;
        }
        packed.pack(&stage[..staged])?;
        let (codes, end) = (packed.codes, head + packed.at);
        let exceptions = exceptions.finish();
        block.get_mut(end..end + exceptions.len())?.copy_from_slice(&exceptions);
        block[0] = self.bits as u8;
        block[1..=self.letters.len()].copy_from_slice(&self.letters);
        block[head - 4..head].copy_from_slice(&(codes as u32).to_le_bytes());
        let bytes = end + exceptions.len();
        (bytes < values.len()).then_some(bytes)
    }
}

/// How much more than a whole number of bits a byte may take, exceptions among them.
const SLACK: f32 = 0.12;
/// What codes may take of what the bytes' entropy says.
const WORTH: f32 = 1.03;
/// At most one byte of so many is an exception: few of these come regularly.
const EXCEPTIONS: usize = 32;
/// So many bytes from the middle are tried.
const TRIED_BYTES: usize = 32 << 10;
/// If of these a share of more than one in this returns, a compressor is better.
const RETURNING: usize = 20;
/// From where bytes are counted, and how many each time.
const PIECES: usize = 32;
const PIECE_BYTES: usize = 256;

fn counts(values: &[u8]) -> [u16; 256] {
    let mut counts = [0_u16; 256];
    for piece in 0..PIECES {
        let at = (values.len() - PIECE_BYTES) / (PIECES - 1) * piece;
        values[at..at + PIECE_BYTES].iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    }
    counts
}

fn bits_of_byte(counts: &[u16; 256]) -> f32 {
    let share = |&count: &u16| f32::from(count) / (PIECES * PIECE_BYTES) as f32;
    counts.iter().map(share).filter(|share| *share > 0.0).map(|share| -share * share.log2()).sum()
}

/// Whether much of these bytes stands there twice.
fn returns(bytes: &[u8]) -> bool {
    let (mut places, mut returning) = (vec![0_u16; 1 << 15], 0);
    let eight = |at: usize| bytes[at..].first_chunk::<8>().map(|eight| u64::from_le_bytes(*eight));
    for (at, window) in (0..).zip(bytes.windows(8)) {
        let place = &mut places[hash(window) % (1 << 15)];
        let before = usize::from(std::mem::replace(place, at));
        let at = usize::from(at);
        returning += usize::from(at > before && eight(at) == eight(before));
    }
    returning > bytes.len() / RETURNING
}

/// Codes on their way into bytes.
struct Packer<'a> {
    bits: usize,
    to: &'a mut [u8],
    at: usize,
    /// How many there are.
    codes: usize,
}

impl Packer<'_> {
    /// Packs some codes, of which all but the last call give a multiple of 8; nothing if there is
    /// no room.
    fn pack(&mut self, codes: &[u8]) -> Option<()> {
        let bytes = (codes.len() * self.bits).div_ceil(8);
        let to = self.to.get_mut(self.at..self.at + bytes)?;
        match self.bits {
            4 => pack::<4>(codes, to, pack_four),
            _ => pack::<6>(codes, to, pack_six),
        }
        (self.at, self.codes) = (self.at + bytes, self.codes + codes.len());
        Some(())
    }
}

/// Eight codes give as many bytes as a code has bits.
fn pack<const BITS: usize>(codes: &[u8], to: &mut [u8], word: impl Fn([u8; 8]) -> u64) {
    let (eights, rest) = codes.as_chunks::<8>();
    // Seven codes of six bits take as many bytes as eight: what there are of words says nothing.
    let (words, last) = to.split_at_mut(eights.len() * BITS);
    for (to, eight) in words.as_chunks_mut::<BITS>().0.iter_mut().zip(eights) {
        to.copy_from_slice(&word(*eight).to_be_bytes()[..BITS]);
    }
    let mut eight = [0; 8];
    eight[..rest.len()].copy_from_slice(rest);
    last.copy_from_slice(&word(eight).to_be_bytes()[..last.len()]);
}

/// Eight codes of 4 bits in the high bits, the first the highest.
fn pack_four(codes: [u8; 8]) -> u64 {
    let word = u64::from_be_bytes(codes);
    let word = (word >> 4 | word) & 0x00ff_00ff_00ff_00ff;
    let word = (word >> 8 | word) & 0x0000_ffff_0000_ffff;
    (word >> 16 | word) << 32
}

/// Eight codes of 6 bits in the high bits, the first the highest.
fn pack_six(codes: [u8; 8]) -> u64 {
    let word = u64::from_be_bytes(codes);
    let word = (word & 0x3f00_3f00_3f00_3f00) >> 2 | word & 0x003f_003f_003f_003f;
    let word = (word & 0x0fff_0000_0fff_0000) >> 4 | word & 0x0000_0fff_0000_0fff;
    let word = (word & 0x00ff_ffff_0000_0000) >> 8 | word & 0x0000_0000_00ff_ffff;
    word << 16
}

/// The bytes that are no letters, while they are collected.
#[derive(Default)]
struct Exceptions {
    made: Vec<u8>,
    /// Where the last one stands among the codes.
    at: usize,
    /// The run that is not written yet: the codes before each, the byte, how many.
    run: Option<(usize, u8, usize)>,
}

impl Exceptions {
    fn push(&mut self, at: usize, byte: u8) {
        let gap = at - std::mem::replace(&mut self.at, at);
        match &mut self.run {
            Some((of_run, letter, count)) if (*of_run, *letter) == (gap, byte) => *count += 1,
            _ => {
                self.end_run();
                self.run = Some((gap, byte, 1));
            }
        }
    }

    fn end_run(&mut self) {
        if let Some((gap, byte, count)) = self.run.take() {
            write_number(gap, &mut self.made);
            self.made.push(byte);
            write_number(count, &mut self.made);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.end_run();
        self.made
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn write_number(mut number: usize, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn read_number(from: &mut &[u8]) -> Result<usize, String> {
    let mut number = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = from.split_off_first().ok_or("the exceptions are cut short")?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(number).map_err(|error| error.to_string());
        }
    }
    Err("a number of the exceptions is too long".into())
}

/// Writes the values into `values`, which has room for just them.
///
/// # Errors
/// A clause of its own.
pub(super) fn undo(block: &[u8], values: &mut [u8]) -> Result<(), String> {
    let (bits, rest) = block.split_first().ok_or("an alphabet without its bits")?;
    let bits = usize::from(*bits);
    if bits != 4 && bits != BITS_MAX {
        return Err(format!("codes of {bits} bits"));
    }
    let cut = "an alphabet is cut short";
    let (letters, rest) = rest.split_at_checked(1 << bits).ok_or(cut)?;
    let (codes, rest) = rest.split_first_chunk().ok_or(cut)?;
    let codes = u32::from_le_bytes(*codes) as usize;
    let (packed, mut exceptions) =
        rest.split_at_checked((codes * bits).div_ceil(8)).ok_or("fewer codes than are told")?;
    // The letters go to the end, from where they move to their places: none comes to stand behind
    // the place that it is taken from.
    let more = values.len().checked_sub(codes).ok_or("more codes than bytes of values")?;
    match bits {
        4 => unpack::<4, { 1 << 8 }>(letters, packed, &mut values[more..]),
        _ => unpack::<6, { 1 << 12 }>(letters, packed, &mut values[more..]),
    }
    let (mut from, mut to) = (more, 0);
    while !exceptions.is_empty() {
        let gap = read_number(&mut exceptions)?;
        let byte = *exceptions.split_off_first().ok_or("the exceptions are cut short")?;
        let count = read_number(&mut exceptions)?;
        let bytes = gap.checked_add(1).and_then(|each| each.checked_mul(count));
        let fits = bytes.is_some_and(|bytes| {
            bytes <= values.len() - to && count <= from - to && gap * count <= values.len() - from
        });
        if !fits {
            return Err("more exceptions than bytes of values".into());
        }
        for _ in 0..count {
            values.copy_within(from..from + gap, to);
            values[to + gap] = byte;
            (from, to) = (from + gap, to + gap + 1);
        }
    }
    if from == to { Ok(()) } else { Err("fewer exceptions than bytes of values".into()) }
}

/// The letters of packed codes: two by two, of which there are few enough.
fn unpack<const BITS: usize, const PAIRS: usize>(letters: &[u8], packed: &[u8], to: &mut [u8]) {
    let mut pairs = [[0; 2]; PAIRS];
    for (at, pair) in pairs.iter_mut().enumerate() {
        *pair = [letters[at >> BITS], letters[at % letters.len()]];
    }
    let eight = |word: u64| {
        let pair = |place: usize| pairs[(word >> (64 - 2 * BITS * place)) as usize % PAIRS];
        let (one, two, three, four) = (pair(1), pair(2), pair(3), pair(4));
        [one[0], one[1], two[0], two[1], three[0], three[1], four[0], four[1]]
    };
    let word = |packed: &[u8]| {
        let mut word = [0; 8];
        word[..packed.len()].copy_from_slice(packed);
        u64::from_be_bytes(word)
    };
    let (eights, rest) = to.as_chunks_mut::<8>();
    let (words, last) = packed.split_at(eights.len() * BITS);
    for (to, packed) in eights.iter_mut().zip(words.as_chunks::<BITS>().0) {
        *to = eight(word(packed));
    }
    let length = rest.len();
    rest.copy_from_slice(&eight(word(last))[..length]);
}

#[cfg(test)]
mod tests;
