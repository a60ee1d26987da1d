//! Bytes that can be read at any place: what a reader at random asks for. Who has them, and where,
//! is not known here.

use std::io;

/// A source of bytes at any place, from any thread.
pub trait ReadAt: Send + Sync {
    /// Fills `buf` from `offset` on, or fails with [`io::ErrorKind::UnexpectedEof`].
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// How many bytes there are.
    fn total_bytes(&self) -> io::Result<u64>;
}

impl ReadAt for Vec<u8> {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).ok();
        let from = start.and_then(|start| self.get(start..start.checked_add(buf.len())?));
        buf.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn total_bytes(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

/// What is borrowed is read like what is owned, so that it is still there when an archive does not
/// open.
impl<R: ReadAt + ?Sized> ReadAt for &R {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        (**self).read_exact_at(buf, offset)
    }

    fn total_bytes(&self) -> io::Result<u64> {
        (**self).total_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_beyond_the_end_are_not_read() {
        let bytes = vec![1_u8, 2, 3];
        let mut buf = [0; 2];
        ReadAt::read_exact_at(&bytes, &mut buf, 1).expect("within");
        assert_eq!(buf, [2, 3]);
        for offset in [2, u64::MAX] {
            let error = ReadAt::read_exact_at(&bytes, &mut buf, offset).expect_err("beyond");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
