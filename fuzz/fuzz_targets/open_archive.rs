//! A whole file, with and without checksums made right.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    silverback_fuzz::read_all(bytes.to_vec());
    silverback_fuzz::read_in_order(bytes);
    let mut bytes = bytes.to_vec();
    silverback_fuzz::reseal(&mut bytes);
    silverback_fuzz::read_in_order(&bytes);
    silverback_fuzz::read_all(bytes);
});
