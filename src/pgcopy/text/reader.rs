//! The bytes of one value, read from their beginning.

/// What a family's function gives: what is wrong with the bytes is the end of a sentence about the
/// value.
pub(super) type Told<T = ()> = Result<T, &'static str>;

/// Writes what lies within another value.
pub(super) type Inner<'a> = &'a dyn Fn(&[u8], &mut Vec<u8>) -> Told;

/// Writes what is a text already.
#[expect(clippy::unnecessary_wraps, reason = "it stands among functions that may fail")]
pub(super) fn text(value: &[u8], out: &mut Vec<u8>) -> Told {
    out.extend_from_slice(value);
    Ok(())
}

/// What is left of a value.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(value: &'a [u8]) -> Self {
        Self(value)
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, bytes: usize) -> Told<&'a [u8]> {
        self.0.split_off(..bytes).ok_or("it is cut short")
    }

    fn array<const N: usize>(&mut self) -> Told<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| "it is cut short")
    }

    pub(super) fn byte(&mut self) -> Told<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Told<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn i16(&mut self) -> Told<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Told<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Told<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Told<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Told<i64> {
        self.array().map(i64::from_be_bytes)
    }

    pub(super) fn f64(&mut self) -> Told<f64> {
        self.array().map(f64::from_be_bytes)
    }

    /// A count of things of so many bytes at least, so that none is believed that are not there.
    pub(super) fn count(&mut self, each: usize) -> Told<usize> {
        match usize::try_from(self.i32()?) {
            Ok(count) if count <= self.left() / each => Ok(count),
            _ => Err("it counts more than it holds"),
        }
    }

    /// A value within this one, behind its length; NULL is none.
    pub(super) fn field(&mut self) -> Told<Option<&'a [u8]>> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| "a length in it is negative")?;
                self.take(length).map(Some)
            }
        }
    }

    /// What stands before the next zero byte.
    pub(super) fn string(&mut self) -> Told<&'a [u8]> {
        let end = memchr::memchr(0, self.0).ok_or("a string in it has no end")?;
        let string = self.take(end)?;
        self.take(1)?;
        Ok(string)
    }

    /// Demands that all was read.
    pub(super) fn end(&self) -> Told {
        if self.0.is_empty() { Ok(()) } else { Err("it is too long") }
    }
}
