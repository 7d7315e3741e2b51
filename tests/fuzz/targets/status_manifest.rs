#![no_main]
#[path = "../bodies.rs"]
#[allow(dead_code, reason = "each target has one body")]
mod bodies;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::status::manifest(octets));
