//! The targets and the changes of models, which `tests/hostile.rs` shares.

use libfuzzer_sys::fuzzer_mutate;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[path = "../../tests/hostile/mutate.rs"]
pub mod mutate;
#[path = "../../tests/hostile/targets.rs"]
pub mod targets;

/// Changes an ONNX model in place, three times of four by its parts, since bytes that are no model any more say little; else as
/// libFuzzer would. Returns the new size.
pub fn mutate_model(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(seed));
    let changed = (seed % 4 != 0).then(|| mutate::model(&data[..size], &mut rng)).flatten();
    let Some(changed) = changed.filter(|changed| changed.len() <= max_size) else {
        return fuzzer_mutate(data, size, max_size);
    };
    data[..changed.len()].copy_from_slice(&changed);
    changed.len()
}
