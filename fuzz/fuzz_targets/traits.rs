//! libFuzzer chooses the bytes for `targets::traits`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use watchnext_fuzz::targets;

fuzz_target!(|bytes: &[u8]| targets::traits(bytes));
