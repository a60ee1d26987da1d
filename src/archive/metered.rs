//! JSON to values with a bound on the memory that the values take: a few bytes can say `[1,1,1,…]`
//! a million times.
//!
//! Stands between serde and the JSON, and counts what each list, text and map will hold before it
//! is kept. Knows nothing of what is read.

use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

/// A list grows by doubling.
const GROWTH: usize = 2;
/// From this many bytes on, the half of a list that is not used yet is of no memory: nobody has
/// touched its pages.
const PAGES_BYTES: usize = 1 << 20;
/// What the allocator adds to a piece of memory.
const PIECE_BYTES: usize = 16;
/// Numbers, flags and the names of known members are kept in no memory of their own.
const INLINE_BYTES: usize = 8;

/// Why there is no value.
#[derive(Debug)]
pub(super) enum Refused {
    /// The JSON is not what was expected.
    Json(serde_json::Error),
    /// It would take more memory than it may.
    TooLarge,
}

/// Reads a value that takes at most about `bytes_max` bytes.
pub(super) fn from_slice<'de, T: Deserialize<'de>>(
    json: &'de [u8],
    bytes_max: u64,
) -> Result<T, Refused> {
    let meter = Meter { left: Cell::new(bytes_max), is_over: Cell::new(false) };
    let mut inner = serde_json::Deserializer::from_slice(json);
    let value = T::deserialize(Metered { inner: &mut inner, meter: &meter });
    if meter.is_over.get() {
        return Err(Refused::TooLarge);
    }
    let value = value.map_err(Refused::Json)?;
    inner.end().map_err(Refused::Json)?;
    Ok(value)
}

/// What any value read from this JSON takes at most, if no element of a list takes more than
/// `element_bytes`.
pub(super) fn bytes_needed(json: &[u8], element_bytes: usize) -> u64 {
    // Two numbers of text and three marks are as much as a value of unknown kind takes, and a
    // text's memory.
    const VALUE_BYTES: usize = GROWTH * 64 + PIECE_BYTES;
    let (mut values, mut lists, mut in_text, mut is_escaped) = (1_u64, 0_u64, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' if !in_text => lists += 1,
            b'[' | b',' | b':' if !in_text => values += 1,
            _ => {}
        }
    }
    json.len() as u64 + values * VALUE_BYTES as u64 + lists * (GROWTH * element_bytes) as u64
}

struct Meter {
    left: Cell<u64>,
    is_over: Cell<bool>,
}

impl Meter {
    fn charge<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let Some(left) = self.left.get().checked_sub(bytes as u64) else {
            self.is_over.set(true);
            return Err(E::custom("it takes too much memory"));
        };
        self.left.set(left);
        Ok(())
    }

    /// What a text of this many bytes takes in a value of type `T`.
    fn charge_text<T, E: Error>(&self, bytes: usize) -> Result<(), E> {
        if size_of::<T>() > INLINE_BYTES { self.charge(bytes + PIECE_BYTES) } else { Ok(()) }
    }
}

/// The deserializer, and with `Seed`, `Visit` and `Elements` all that serde calls on the way.
struct Metered<'m, D> {
    inner: D,
    meter: &'m Meter,
}

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method($($argument,)* Visit { inner: visitor, meter: self.meter })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Metered<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any(); deserialize_bool(); deserialize_char(); deserialize_str(); deserialize_string();
        deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64(); deserialize_i128();
        deserialize_u8(); deserialize_u16(); deserialize_u32(); deserialize_u64(); deserialize_u128();
        deserialize_f32(); deserialize_f64(); deserialize_bytes(); deserialize_byte_buf(); deserialize_option();
        deserialize_unit(); deserialize_seq(); deserialize_map(); deserialize_identifier(); deserialize_ignored_any();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
    }
}

struct Seed<'m, S> {
    inner: S,
    meter: &'m Meter,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Metered { inner: deserializer, meter: self.meter })
    }
}

struct Visit<'m, V> {
    inner: V,
    meter: &'m Meter,
}

macro_rules! visit {
    ($($method:ident($type:ty);)*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Visit<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! { visit_bool(bool); visit_i64(i64); visit_u64(u64); visit_f64(f64); visit_char(char); visit_bytes(&[u8]); }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.meter.charge_text::<V::Value, E>(text.len())?;
        self.inner.visit_str(text)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.meter.charge_text::<V::Value, E>(text.len())?;
        self.inner.visit_borrowed_str(text)
    }

    fn visit_string<E: Error>(self, text: String) -> Result<V::Value, E> {
        self.meter.charge_text::<V::Value, E>(text.len())?;
        self.inner.visit_string(text)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Metered { inner: deserializer, meter: self.meter })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Metered { inner: deserializer, meter: self.meter })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Elements {
            inner: access,
            meter: self.meter,
            is_kept: false,
            bytes: 0,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Elements {
            inner: access,
            meter: self.meter,
            is_kept: false,
            bytes: 0,
        })
    }

    // A word; none of ours holds more.
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(access)
    }
}

/// Of a list or a map.
struct Elements<'m, A> {
    inner: A,
    meter: &'m Meter,
    /// Whether the last key is kept, and its value beside it; a struct's own members lie where the
    /// struct does.
    is_kept: bool,
    /// What the elements so far take.
    bytes: usize,
}

impl<A> Elements<'_, A> {
    /// Charges one more element.
    fn charge<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.meter.charge(if self.bytes < PAGES_BYTES { GROWTH * bytes } else { bytes })
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        let element = self.inner.next_element_seed(Seed { inner: seed, meter: self.meter })?;
        if element.is_some() {
            self.charge(size_of::<T::Value>())?;
        }
        Ok(element)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let key = self.inner.next_key_seed(Seed { inner: seed, meter: self.meter })?;
        self.is_kept = key.is_some() && size_of::<K::Value>() > INLINE_BYTES;
        if self.is_kept {
            self.charge(size_of::<K::Value>())?;
        }
        Ok(key)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        let value = self.inner.next_value_seed(Seed { inner: seed, meter: self.meter })?;
        if self.is_kept {
            self.charge(size_of::<V::Value>())?;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Sample {
        name: Option<String>,
        #[serde(default)]
        numbers: Vec<u32>,
        #[serde(default)]
        kind: Kind,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(tag = "type", rename_all = "kebab-case")]
    enum Kind {
        #[default]
        None,
        Some {
            words: Vec<String>,
        },
    }

    fn is_too_large(json: &str, bytes_max: u64) -> bool {
        matches!(from_slice::<Vec<Sample>>(json.as_bytes(), bytes_max), Err(Refused::TooLarge))
    }

    #[test]
    fn values_are_those_of_serde() {
        let json = r#"[{"name":"a\"b","numbers":[1,2],"other":{"x":[null,1.5,{}]}},{"name":null,"kind":{"words":["w"],"type":"some","more":[1]}}]"#;
        let expect: Vec<Sample> = serde_json::from_str(json).expect("good JSON");
        assert_eq!(from_slice::<Vec<Sample>>(json.as_bytes(), 10_000).expect("good JSON"), expect);
        for json in ["[", "[1]", "[] x", r#"[{"name":1}]"#] {
            assert!(
                matches!(from_slice::<Vec<Sample>>(json.as_bytes(), 10_000), Err(Refused::Json(_))),
                "{json}"
            );
        }
    }

    #[test]
    fn what_is_kept_is_counted() {
        let long = "x".repeat(1000);
        let many = vec!["1"; 1000].join(",");
        let check = |json: String, bytes: u64| {
            assert!(is_too_large(&json, bytes - bytes / 4), "{json:.60}");
            assert!(!is_too_large(&json, bytes + bytes / 4), "{json:.60}");
            assert!(bytes_needed(json.as_bytes(), size_of::<Sample>()) >= bytes, "{json:.60}");
        };
        check(format!(r#"[{{"name":"{long}"}}]"#), 1000 + 2 * size_of::<Sample>() as u64);
        check(format!(r#"[{{"name":null,"numbers":[{many}]}}]"#), 8000);
        // Before it is known which variant it is, all of it is kept.
        check(format!(r#"[{{"name":null,"kind":{{"more":[{many}],"type":"none"}}}}]"#), 64_000);
        check(
            format!("[{}]", vec![r#"{"name":null}"#; 1000].join(",")),
            2000 * size_of::<Sample>() as u64,
        );
    }

    #[test]
    fn unknown_members_cost_nothing() {
        let many = vec!["1"; 1000].join(",");
        assert!(!is_too_large(
            &format!(r#"[{{"name":null,"other":[{many}],"another":{{"a":"{many}"}}}}]"#),
            1000
        ));
    }
}
