//! Inputs of `heapsoak_fuzz::devtools`, made by the fuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| heapsoak_fuzz::devtools::run(bytes));
