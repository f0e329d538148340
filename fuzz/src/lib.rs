//! The targets and the changes of models, which `tests/hostile.rs` shares.

use libfuzzer_sys::fuzzer_mutate;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[path = "../../tests/hostile/mutate.rs"]
pub mod mutate;
#[path = "../../tests/hostile/targets.rs"]
pub mod targets;

/// Changes an ONNX model in place and returns its new size. Three times out of four it changes the model's parts, since
/// bytes that are no longer a model show little. The other times it changes bytes as libFuzzer would.
pub fn mutate_model(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(seed));
    let changed = (seed % 4 != 0).then(|| mutate::model(&data[..size], &mut rng)).flatten();
    let Some(changed) = changed.filter(|changed| changed.len() <= max_size) else {
        return fuzzer_mutate(data, size, max_size);
    };
    data[..changed.len()].copy_from_slice(&changed);
    changed.len()
}
