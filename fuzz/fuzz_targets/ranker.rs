//! libFuzzer chooses the model for `targets::ranker`.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use watchnext_fuzz::{mutate_model, targets};

fuzz_target!(|bytes: &[u8]| targets::ranker(bytes));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate_model(data, size, max_size, seed) });
