//! Inputs of `heapsoak_fuzz::csv`, made by the fuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| heapsoak_fuzz::csv::run(bytes));
