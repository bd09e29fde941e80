//! A message on the wire.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mcptask::fuzzing::dialect(input));
