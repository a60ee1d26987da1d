//! One value of a table of Kong's, and its binary form: the few types that these tables have.
//!
//! Does not know whose value it is.

use crate::error::{Error, Kind, Result};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// NULL, or of a type that is not known here.
    Null,
    /// Text, or a UUID.
    Text(String),
    /// An array of texts.
    List(Vec<String>),
    /// An integer; a time in microseconds since 1970.
    Number(i64),
}

/// Microseconds from 1970 to 2000, where PostgreSQL's clock begins.
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

impl Value {
    /// A text; empty for NULL.
    pub(super) fn text(&self) -> String {
        self.optional_text().unwrap_or_default()
    }

    pub(super) fn optional_text(&self) -> Option<String> {
        if let Self::Text(text) = self { Some(text.clone()) } else { None }
    }

    /// The elements; none for NULL.
    pub(super) fn list(&self) -> Vec<String> {
        if let Self::List(list) = self { list.clone() } else { Vec::new() }
    }

    pub(super) fn number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// Reads the binary form of a type as `format_type` names it. A time that is infinite is NULL.
    pub(super) fn from_binary(type_name: &str, bytes: &[u8]) -> Result<Self> {
        let value = match type_name {
            "text" | "character varying" => Some(Self::Text(text(bytes))),
            "text[]" => list(bytes).map(Self::List),
            "uuid" => bytes.try_into().ok().map(|bytes| Self::Text(uuid(bytes))),
            "integer" => fixed(bytes).map(|bytes| Self::Number(i32::from_be_bytes(bytes).into())),
            "bigint" => fixed(bytes).map(|bytes| Self::Number(i64::from_be_bytes(bytes))),
            "timestamp with time zone" | "timestamp without time zone" => {
                fixed(bytes).map(|bytes| time(i64::from_be_bytes(bytes)))
            }
            _ => Some(Self::Null),
        };
        value.ok_or_else(|| {
            let cause = format!("{} bytes are no value of this type", bytes.len());
            Error::new(Kind::Archive, format!("read a value of type {type_name}"), cause)
        })
    }
}

/// Texts are in the source's encoding; what is no UTF-8 is shown as unreadable.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn time(since_2000: i64) -> Value {
    match since_2000 {
        i64::MIN | i64::MAX => Value::Null,
        finite => finite.checked_add(EPOCH_MICROSECONDS).map_or(Value::Null, Value::Number),
    }
}

fn uuid(bytes: [u8; 16]) -> String {
    let number = u128::from_be_bytes(bytes);
    let part = |shift: u32, digits: u32| (number >> shift) & ((1 << (4 * digits)) - 1);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(96, 8),
        part(80, 4),
        part(64, 4),
        part(48, 4),
        part(0, 12)
    )
}

/// Dimensions, a flag, the element's type; of each dimension length and lower bound; of each
/// element length and bytes. NULLs are left out.
fn list(mut rest: &[u8]) -> Option<Vec<String>> {
    let dimensions = word(&mut rest)?;
    let (_flag, _element) = (word(&mut rest)?, word(&mut rest)?);
    let mut count: usize = match dimensions {
        0 => 0,
        1 => usize::try_from(word(&mut rest)?).ok()?,
        _ => return None,
    };
    if dimensions == 1 {
        word(&mut rest)?;
    }
    let mut list = Vec::with_capacity(count.min(rest.len() / 4));
    while count > 0 {
        count -= 1;
        match word(&mut rest)? {
            -1 => {}
            length => list.push(text(rest.split_off(..usize::try_from(length).ok()?)?)),
        }
    }
    rest.is_empty().then_some(list)
}

fn word(rest: &mut &[u8]) -> Option<i32> {
    rest.split_off(..4).and_then(fixed).map(i32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(type_name: &str, bytes: &[u8], expect: Option<&Value>) {
        assert_eq!(
            Value::from_binary(type_name, bytes).ok().as_ref(),
            expect,
            "{type_name} {bytes:?}"
        );
    }

    fn array(elements: &[Option<&str>]) -> Vec<u8> {
        let head = [1, 0, 25, elements.len() as i32, 1];
        let mut bytes: Vec<u8> = head.into_iter().flat_map(i32::to_be_bytes).collect();
        for element in elements {
            bytes.extend(element.map_or(-1, |text| text.len() as i32).to_be_bytes());
            bytes.extend(element.unwrap_or_default().bytes());
        }
        bytes
    }

    #[test]
    fn values_of_each_type() {
        check("text", b"core", Some(&Value::Text("core".into())));
        check("text", b"a\xff", Some(&Value::Text("a\u{fffd}".into())));
        check("integer", &(-7_i32).to_be_bytes(), Some(&Value::Number(-7)));
        check("bigint", &(1_i64 << 40).to_be_bytes(), Some(&Value::Number(1 << 40)));
        check("jsonb", b"\x01{}", Some(&Value::Null));
        let uuid = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128;
        let text = "01234567-89ab-cdef-0123-456789abcdef";
        check("uuid", &uuid.to_be_bytes(), Some(&Value::Text(text.into())));
        let since_2000 = 86_400_000_000_i64;
        let expect = Value::Number(946_771_200_000_000);
        check("timestamp with time zone", &since_2000.to_be_bytes(), Some(&expect));
        check("timestamp with time zone", &i64::MAX.to_be_bytes(), Some(&Value::Null));
    }

    #[test]
    fn arrays() {
        let list = |names: &[&str]| Value::List(names.iter().map(|&n| n.into()).collect());
        check("text[]", &array(&[Some("a"), None, Some("")]), Some(&list(&["a", ""])));
        check("text[]", &[0; 12], Some(&list(&[])));
        let whole = array(&[Some("000_base"), Some("b")]);
        for cut in 0..whole.len() {
            check("text[]", &whole[..cut], None);
        }
        let more = [whole.as_slice(), b"x"].concat();
        check("text[]", &more, None);
        let mut endless = array(&[]);
        endless[12..16].copy_from_slice(&i32::MAX.to_be_bytes());
        check("text[]", &endless, None);
        endless[..4].copy_from_slice(&2_i32.to_be_bytes());
        check("text[]", &endless, None);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        check("integer", b"abc", None);
        check("bigint", b"abcd", None);
        check("uuid", b"abcd", None);
        check("timestamp with time zone", b"", None);
    }
}
