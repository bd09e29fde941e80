//! Lines on a command's socket.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mcptask::fuzzing::ask(input));
