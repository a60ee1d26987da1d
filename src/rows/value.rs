//! What can be read from the text of a value.

/// What a value's text is read as.
pub trait FromText<'a>: Sized {
    /// Reads a text, or NULL, which is none; gives none where it is no such value.
    fn from_text(text: Option<&'a str>) -> Option<Self>;
}

impl<'a, T: FromText<'a>> FromText<'a> for Option<T> {
    fn from_text(text: Option<&'a str>) -> Option<Self> {
        match text {
            None => Some(None),
            text => T::from_text(text).map(Some),
        }
    }
}

impl<'a> FromText<'a> for &'a str {
    fn from_text(text: Option<&'a str>) -> Option<Self> {
        text
    }
}

impl FromText<'_> for String {
    fn from_text(text: Option<&str>) -> Option<Self> {
        text.map(str::to_owned)
    }
}

impl FromText<'_> for bool {
    fn from_text(text: Option<&str>) -> Option<Self> {
        match text? {
            "t" => Some(true),
            "f" => Some(false),
            _ => None,
        }
    }
}

/// The bytes of a `bytea`.
impl FromText<'_> for Vec<u8> {
    fn from_text(text: Option<&str>) -> Option<Self> {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let (pairs, rest) = text?.strip_prefix("\\x")?.as_bytes().as_chunks();
        let byte = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4 | digit(*low)?) as u8);
        pairs.iter().map(byte).collect::<Option<_>>().filter(|_| rest.is_empty())
    }
}

/// What Rust reads as PostgreSQL writes it.
macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl FromText<'_> for $number {
            fn from_text(text: Option<&str>) -> Option<Self> {
                text?.parse().ok()
            }
        }
    )*};
}

numbers!(i16, i32, i64, i128, u16, u32, u64, f32, f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_what_they_are() {
        assert_eq!(i32::from_text(Some("-7")), Some(-7));
        assert_eq!(u64::from_text(Some("-7")), None);
        assert_eq!(f64::from_text(Some("-Infinity")), Some(f64::NEG_INFINITY));
        assert_eq!(f64::from_text(Some("1e+15")), Some(1e15));
        assert_eq!(bool::from_text(Some("t")), Some(true));
        assert_eq!(bool::from_text(Some("true")), None);
        assert_eq!(Vec::from_text(Some("\\x00fF")), Some(vec![0, 255]));
        assert_eq!(Vec::from_text(Some("\\x0")), None);
        assert_eq!(String::from_text(None), None);
        assert_eq!(Option::<i32>::from_text(None), Some(None));
        assert_eq!(Option::<i32>::from_text(Some("x")), None);
    }
}
