//! A made-up catalogue of any size with item factors, to measure the cost of such a bundle without training one.
//!
//! An item's factors are near those of its taste. The better an item is known, the longer its row, as ALS leaves
//! them. A title has two to four words from a vocabulary of [`WORDS`]. A few words are in many titles and most in few
//! (Zipf's law), as in real catalogues; the time of a title search depends on it.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ratings::TASTES;
use crate::files::WRITE_REMEDY;

/// The catalogue's file in the folder.
const CATALOG: &str = "items.csv";

/// The factors' file in the folder.
const FACTORS: &str = "factors.npy";

/// The size of the titles' vocabulary.
const WORDS: usize = 20_000;

/// The distance of an item from its taste, relative to the distance between tastes.
const SPREAD: f32 = 0.7;

/// A syllable is a consonant and a vowel.
const CONSONANTS: [char; 15] = ['b', 'd', 'f', 'g', 'h', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z'];
const VOWELS: [char; 5] = ['a', 'e', 'i', 'o', 'u'];

/// Writes [`CATALOG`] and [`FACTORS`], `[items, factors]`, into `folder`.
///
/// # Errors
/// No items or no factors, and a folder that can't be written to.
pub(crate) fn write(folder: &Path, items: usize, factors: usize, seed: u64) -> Result<()> {
    ensure!(items > 0 && factors > 0, "there are {items} items of {factors} factors; both numbers must be over 0");
    let place = || format!("the made-up items can't be written to {}. {WRITE_REMEDY}", folder.display());
    fs::create_dir_all(folder).with_context(place)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut file = File::create(folder.join(CATALOG)).map(BufWriter::new).with_context(place)?;
    writeln!(file, "item,title,categories,year,ratings").with_context(place)?;
    for item in 0..items {
        let words: Vec<String> = (0..rng.random_range(2..=4_u8)).map(|_| word(log_uniform(&mut rng, WORDS))).collect();
        let (taste, year) = (item % TASTES, rng.random_range(1920..2025_u16));
        writeln!(file, "{},{},Kind {taste},{year},{}", item + 1, words.join(" "), items / (item + 1))
            .with_context(place)?;
    }
    file.flush().with_context(place)?;

    let tastes: Vec<f32> = (0..TASTES * factors).map(|_| rng.random_range(-1.0..1.0_f32)).collect();
    let mut values = Vec::with_capacity(items * factors);
    for item in 0..items {
        let length = 1.0 / (2.0 + (item as f32).ln_1p());
        let taste = tastes.chunks_exact(factors).nth(item % TASTES).unwrap_or_default();
        values.extend(taste.iter().map(|value| length * (value + SPREAD * rng.random_range(-1.0..1.0_f32))));
    }
    Tensor::from_vec(values, (items, factors), &Device::Cpu)?.write_npy(folder.join(FACTORS)).with_context(place)
}

/// A random number below `most` whose logarithm is uniform.
fn log_uniform(rng: &mut ChaCha8Rng, most: usize) -> usize {
    (most as f64).powf(rng.random::<f64>()) as usize - 1
}

/// The word of a number, different for each: two syllables or more, capitalised.
fn word(number: usize) -> String {
    let mut word = String::new();
    let mut rest = number;
    while rest > 0 || word.len() < 4 {
        let letter = |letters: &[char], at: usize| letters.get(at % letters.len()).copied().unwrap_or_default();
        let consonant = letter(&CONSONANTS, rest);
        word.extend(if word.is_empty() { consonant.to_uppercase().next() } else { Some(consonant) });
        word.push(letter(&VOWELS, rest / CONSONANTS.len()));
        rest /= CONSONANTS.len() * VOWELS.len();
    }
    word
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;
    use crate::data::{Items, Layout};
    use crate::models::external::arrays::only_table;

    #[test]
    fn the_items_are_readable_and_the_same_for_a_seed() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for folder in [&one, &two] {
            write(folder.path(), 300, 8, 5).unwrap();
        }
        let items = Items::read(&one.path().join(CATALOG), Some(&Layout::default())).unwrap();
        assert_eq!(only_table(&one.path().join(FACTORS)).unwrap().dim(), (300, 8));
        assert!(items.has_rating_counts);
        for name in [CATALOG, FACTORS] {
            assert_eq!(fs::read(one.path().join(name)).unwrap(), fs::read(two.path().join(name)).unwrap(), "{name}");
        }
        assert!(write(one.path(), 0, 8, 5).is_err());
    }

    #[test]
    fn every_number_has_a_word_of_its_own() {
        assert_eq!([0, 1, 75].map(word), ["Baba", "Daba", "Bada"]);
        assert_eq!((0..WORDS).map(word).collect::<BTreeSet<_>>().len(), WORDS);
    }
}
