//! A value's bytes to its text, by what its type's bytes are.

use super::reader::{Reader, Told, text};
use super::transaction;
use super::types::{Form, Type};
use super::{array, bits, float, geometry, interval, moment, network, number, range, search};
use crate::error::{Error, Kind, Result};

impl Type {
    /// Writes the text of a value behind what `out` holds.
    ///
    /// # Errors
    /// [`Kind::Archive`] if the bytes are none of this type; what was written before the place
    /// where that was seen stays in `out`.
    pub fn write(&self, value: &[u8], out: &mut Vec<u8>) -> Result<()> {
        write(&self.form, self.version, value, out).map_err(|cause| {
            Error::new(Kind::Archive, format!("read a value of type {}", self.name), cause)
        })
    }
}

fn write(form: &Form, version: u32, value: &[u8], out: &mut Vec<u8>) -> Told {
    let within = |form: &Form, value: &[u8], out: &mut Vec<u8>| write(form, version, value, out);
    match form {
        Form::Array(element) => {
            let delimiter = if **element == Form::Box { b';' } else { b',' };
            array::array(&|value, out| within(element, value, out), delimiter, value, out)
        }
        Form::Range(bound) => range::range(&|value, out| within(bound, value, out), value, out),
        Form::Multirange(bound) => {
            range::multirange(&|value, out| within(bound, value, out), value, out)
        }
        Form::Bits => bits::bits(value, out),
        Form::Bool => bits::boolean(value, out),
        Form::Bytea => {
            bits::bytea(value, out);
            Ok(())
        }
        Form::Char => bits::char(version, value, out),
        Form::Box => geometry::shape(geometry::BOX, value, out),
        Form::Circle => geometry::shape(geometry::CIRCLE, value, out),
        Form::Line => geometry::shape(geometry::LINE, value, out),
        Form::Lseg => geometry::shape(geometry::LSEG, value, out),
        Form::Point => geometry::shape(geometry::POINT, value, out),
        Form::Path => geometry::path(value, out),
        Form::Polygon => geometry::polygon(value, out),
        Form::Date => moment::date(value, out),
        Form::Time => moment::time(value, out),
        Form::Timetz => moment::timetz(value, out),
        Form::Timestamp => moment::timestamp(value, "", out),
        Form::Timestamptz => moment::timestamp(value, "+00", out),
        Form::Interval => interval::interval(version, value, out),
        Form::Float4 => float::float4(value, out),
        Form::Float8 => float::float8(value, out),
        Form::Integer(width) => number::integer(*width, value, out),
        Form::Numeric => number::numeric(value, out),
        Form::Inet => network::inet(value, out),
        Form::Macaddr(bytes) => network::macaddr(*bytes, value, out),
        Form::Uuid => network::uuid(value, out),
        Form::Tsvector => search::tsvector(value, out),
        Form::Tid => transaction::tid(value, out),
        Form::Lsn => transaction::lsn(version, value, out),
        Form::Snapshot => transaction::snapshot(value, out),
        Form::Text => text(value, out),
        Form::Versioned => {
            let mut reader = Reader::new(value);
            if reader.byte()? != 1 {
                return Err("it is of another version");
            }
            text(reader.take(reader.left())?, out)
        }
    }
}
