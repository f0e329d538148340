//! A small catalogue with a known answer: a checkerboard of taste groups, so that tests need no data from outside.
//!
//! Every user belongs to one of four groups and watches that group's movies, now and then another's. After clicks on
//! movies of one group, the suggestions must be of that group. A recommender that can't do this is broken, whatever
//! its figures say.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use ndarray::Array2;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use watchnext::catalog::Catalog;

use crate::bundle::packed::Packed;
use crate::data::Dataset;
use crate::files::WRITE_REMEDY;
use crate::math::embeddings::EmbeddingTable;
use crate::models::ranker;
use crate::models::seed_network::fit::fit;
use crate::models::seed_network::train::TrainConfig;

pub use super::groups::{GROUPS, MOVIES_PER_GROUP, SecondStage, movie_id};

const USERS: usize = 240;

/// How often a user strays into another group.
const STRAY: f64 = 0.08;

const FIRST_WORDS: [&str; 10] =
    ["Crimson", "Silent", "Golden", "Electric", "Broken", "Northern", "Hidden", "Paper", "Velvet", "Último"];
const SECOND_WORDS: [&str; 12] = [
    "Harbour", "Garden", "Orbit", "Letter", "Mirror", "Parade", "Winter", "Circus", "Compass", "Lantern", "Station",
    "Été",
];

/// A movie's made-up number at IMDb is this plus its id.
pub const IMDB: u32 = 100_000;

/// A movie's made-up number at TMDB is this plus its id.
pub const TMDB: u32 = 5_000;

/// Vectors in place of the titles' embeddings, since tests can't wait for the model that reads titles. Movies whose
/// titles share a word share a number.
pub fn titles(catalog: &Catalog) -> EmbeddingTable {
    let words = FIRST_WORDS.iter().chain(&SECOND_WORDS);
    let words: Vec<&str> = words.copied().collect();
    let has = |(movie, word): (usize, usize)| {
        let title = catalog.movies().get(movie).map(|movie| movie.title.as_str()).unwrap_or_default();
        if words.get(word).is_some_and(|word| title.contains(word)) { 1.0 } else { 0.0 }
    };
    EmbeddingTable::fine(&Array2::from_shape_fn((catalog.len(), words.len()), has))
}

/// Settings with which the seed network learns the groups within seconds.
pub fn config() -> TrainConfig {
    TrainConfig { epochs: 12, batch: 256, ..TrainConfig::default() }
}

/// Trains the bundle on the data that [`write_data`] wrote into `folder`, and returns both.
///
/// # Errors
/// A folder that holds no such data.
pub fn packed(folder: &Path, second_stage: SecondStage) -> Result<(Packed, Dataset)> {
    let (dataset, config) = (Dataset::read(folder, &[])?, config());
    let mut packed = fit(&dataset, &config, true, "fixture", "trained by the tests", None)?.packed;
    let titles = match second_stage {
        SecondStage::Without => return Ok((packed, dataset)),
        SecondStage::Titled => Some(titles(&dataset.catalog)),
        SecondStage::Untitled => None,
    };
    let ranker = ranker::fit(&dataset.catalog, &dataset.users, dataset.users.len(), titles.as_ref(), config.seed)?;
    ranker.add_to(&mut packed, &dataset.catalog)?;
    Ok((packed, dataset))
}

/// Makes the data and the bundle, and writes both into `folder`.
///
/// # Errors
/// A folder that can't be written to.
pub fn write_bundle(folder: &Path, second_stage: SecondStage) -> Result<()> {
    write_data(folder)?;
    packed(folder, second_stage)?.0.write(folder)
}

/// Writes `movies.csv`, `links.csv` and `ratings.csv` in MovieLens's format into `folder`. The last movie of each
/// group has no number at TMDB.
///
/// # Errors
/// A folder that can't be written to.
pub fn write_data(folder: &Path) -> Result<()> {
    let place = || format!("the made-up movies can't be written to {}. {WRITE_REMEDY}", folder.display());
    fs::create_dir_all(folder).with_context(place)?;
    let (movies, links) = movies_and_links();
    fs::write(folder.join("movies.csv"), movies).with_context(place)?;
    fs::write(folder.join("links.csv"), links).with_context(place)?;
    fs::write(folder.join("ratings.csv"), ratings()).with_context(place)
}

fn movies_and_links() -> (String, String) {
    let mut movies = String::from("movieId,title,genres\n");
    let mut links = String::from("movieId,imdbId,tmdbId\n");
    for (group, genre) in GROUPS.into_iter().enumerate() {
        for movie in 0..MOVIES_PER_GROUP {
            let number = group * MOVIES_PER_GROUP + movie;
            let first = FIRST_WORDS.get(number % FIRST_WORDS.len()).copied().unwrap_or_default();
            let second = SECOND_WORDS.get(number / FIRST_WORDS.len()).copied().unwrap_or_default();
            let year = 1950 + (number * 37) % 70;
            // As in MovieLens, some titles end in their article, and their comma needs quotes.
            let title = if movie % 3 == 0 {
                format!("\"{first} {second}, The ({year})\"")
            } else {
                format!("{first} {second} ({year})")
            };
            let id = movie_id(group, movie);
            movies.push_str(&format!("{id},{title},{genre}|Adventure\n"));
            let tmdb = if movie + 1 < MOVIES_PER_GROUP { (TMDB + id).to_string() } else { String::new() };
            links.push_str(&format!("{id},{:07},{tmdb}\n", IMDB + id));
        }
    }
    (movies, links)
}

fn ratings() -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut ratings = String::from("userId,movieId,rating,timestamp\n");
    for user in 0..USERS {
        let group = user % GROUPS.len();
        let mut order: Vec<usize> = (0..MOVIES_PER_GROUP).collect();
        order.shuffle(&mut rng);
        let mut timestamp = 1_500_000_000 + i64::from(rng.random_range(0..30_000_000_u32));
        for movie in order.into_iter().take(rng.random_range(20..MOVIES_PER_GROUP)) {
            let strays = rng.random_bool(STRAY);
            let watched = if strays { (group + rng.random_range(1..GROUPS.len())) % GROUPS.len() } else { group };
            let stars = if strays { rng.random_range(1..=6) } else { rng.random_range(6..=10) };
            timestamp += i64::from(rng.random_range(60..200_000_u32));
            let (id, stars) = (movie_id(watched, movie), f64::from(stars) / 2.0);
            ratings.push_str(&format!("{},{id},{stars:.1},{timestamp}\n", user + 1));
        }
    }
    ratings
}
