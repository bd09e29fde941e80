//! Keys and values of FastMCP.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mcptask::fuzzing::fastmcp(input));
