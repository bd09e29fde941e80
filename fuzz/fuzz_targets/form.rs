//! A question's schema and an answer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mcptask::fuzzing::form(input));
