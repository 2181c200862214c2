//! Inputs of `heapsoak_fuzz::update`, made by the fuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| heapsoak_fuzz::update::run(bytes));
