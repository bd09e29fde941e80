//! A file of tools.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mcptask::fuzzing::config(input));
