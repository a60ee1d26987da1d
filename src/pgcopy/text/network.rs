//! Addresses of networks and of network cards, and `uuid`.

use std::io::Write as _;

use super::reader::{Reader, Told};

const IPV4: u8 = 2;
const IPV6: u8 = 3;

/// `inet` and `cidr`: family, bits of the netmask, which of the two types it is, bytes.
pub(super) fn inet(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let (family, bits, is_cidr) = (reader.byte()?, reader.byte()?, reader.byte()? != 0);
    let bytes = usize::from(reader.byte()?);
    let address = reader.take(bytes)?;
    reader.end()?;
    let bits_max = match family {
        IPV4 => {
            let address = address.try_into().map_err(|_| "its address has not 4 bytes")?;
            write_ipv4(address, out);
            32
        }
        IPV6 => {
            let address = address.try_into().map_err(|_| "its address has not 16 bytes")?;
            write_ipv6(address, out);
            128
        }
        _ => return Err("its family is not known"),
    };
    if bits > bits_max {
        return Err("its netmask is too long");
    }
    if is_cidr || bits < bits_max {
        let _ = write!(out, "/{bits}");
    }
    Ok(())
}

fn write_ipv4([a, b, c, d]: [u8; 4], out: &mut Vec<u8>) {
    let _ = write!(out, "{a}.{b}.{c}.{d}");
}

/// The longest run of zeros, the first of several, becomes `::`, and what looks like an IPv4 address
/// within is written as one. Not as Rust writes it, which knows fewer of these.
fn write_ipv6(address: [u8; 16], out: &mut Vec<u8>) {
    let mut words = [0_u16; 8];
    for (word, pair) in words.iter_mut().zip(address.as_chunks().0) {
        *word = u16::from_be_bytes(*pair);
    }
    let (mut start, mut length, mut at) = (0, 0, 0);
    while at < 8 {
        let run = words[at..].iter().take_while(|word| **word == 0).count();
        if run > length {
            (start, length) = (at, run);
        }
        at += run + 1;
    }
    let is_run = length >= 2;
    let holds_ipv4 = is_run
        && start == 0
        && (length == 6 || (length == 7 && words[7] != 1) || (length == 5 && words[5] == 0xffff));
    for (at, word) in words.iter().enumerate() {
        if is_run && (start..start + length).contains(&at) {
            if at == start {
                out.push(b':');
            }
            continue;
        }
        if at > 0 {
            out.push(b':');
        }
        if at == 6 && holds_ipv4 {
            let [.., a, b, c, d] = address;
            write_ipv4([a, b, c, d], out);
            return;
        }
        let _ = write!(out, "{word:x}");
    }
    if is_run && start + length == 8 {
        out.push(b':');
    }
}

/// `macaddr` and `macaddr8`.
pub(super) fn macaddr(bytes: usize, value: &[u8], out: &mut Vec<u8>) -> Told {
    if value.len() != bytes {
        return Err("its length is not its type's");
    }
    for (at, byte) in value.iter().enumerate() {
        let _ = write!(out, "{}{byte:02x}", if at > 0 { ":" } else { "" });
    }
    Ok(())
}

pub(super) fn uuid(value: &[u8], out: &mut Vec<u8>) -> Told {
    if value.len() != 16 {
        return Err("it has not 16 bytes");
    }
    for (at, byte) in value.iter().enumerate() {
        let _ = write!(out, "{}{byte:02x}", if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" });
    }
    Ok(())
}
