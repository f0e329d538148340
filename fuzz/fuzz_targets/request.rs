//! libFuzzer chooses the bytes for `targets::request`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use watchnext_fuzz::targets;

fuzz_target!(|bytes: &[u8]| targets::request(bytes));
