//! Inputs of `heapsoak_fuzz::definitions`, made by the fuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| heapsoak_fuzz::definitions::run(bytes));
