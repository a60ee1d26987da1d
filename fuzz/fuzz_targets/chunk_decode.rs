//! One chunk, in an archive that is right in everything else.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(archive) = silverback_fuzz::frame(bytes.to_vec()) {
        silverback_fuzz::read_all(archive);
    }
});
