//! Any number of made-up ratings, to measure the cost of training.
//!
//! Each user and each movie has one of [`TASTES`] tastes. A movie's popularity falls with its place among its taste's
//! movies as in real catalogues (Zipf's law): a few movies are on most lists, and most movies are on few.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::files::WRITE_REMEDY;

/// How many tastes there are.
pub(super) const TASTES: usize = 20;

/// How often a user watches a movie of their own taste.
const FAITHFUL: f64 = 0.7;

/// How much to make up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amounts {
    /// Users.
    pub(crate) users: usize,
    /// Movies, at least [`TASTES`].
    pub(crate) items: usize,
    /// Ratings, roughly: each user has from half to one and a half times the mean.
    pub(crate) ratings: usize,
    /// The seed of all random numbers.
    pub(crate) seed: u64,
}

/// Writes `movies.csv` and `ratings.csv` in MovieLens's form into `folder`, and returns the number of ratings.
///
/// # Errors
/// Amounts that don't fit together, and a folder that can't be written to.
pub(crate) fn write(folder: &Path, amounts: &Amounts) -> Result<usize> {
    let Amounts { users, items, ratings, .. } = *amounts;
    let mean = ratings / users.max(1);
    ensure!(users > 0 && mean > 0, "{ratings} ratings are too few for {users} users: each needs at least one");
    ensure!(
        items >= TASTES && mean * 6 <= items,
        "{items} movies are too few: users who rate {mean} each need {}",
        (mean * 6).max(TASTES)
    );
    let place = || format!("the made-up ratings can't be written to {}. {WRITE_REMEDY}", folder.display());
    fs::create_dir_all(folder).with_context(place)?;
    write_movies(&folder.join("movies.csv"), items).with_context(place)?;
    write_ratings(&folder.join("ratings.csv"), mean, amounts).with_context(place)
}

fn write_movies(path: &Path, items: usize) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "movieId,title,genres")?;
    for item in 0..items {
        writeln!(file, "{},Movie {item} ({}),Kind {}", item + 1, 1950 + item % 70, item % TASTES)?;
    }
    file.flush()
}

/// Writes about `mean` ratings per user, and returns the number of ratings.
fn write_ratings(path: &Path, mean: usize, amounts: &Amounts) -> io::Result<usize> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "userId,movieId,rating,timestamp")?;
    let mut rng = ChaCha8Rng::seed_from_u64(amounts.seed);
    let of_taste = amounts.items / TASTES;
    let mut written = 0;
    for user in 0..amounts.users {
        let taste = user % TASTES;
        let count = rng.random_range(mean.div_ceil(2)..=mean + mean / 2);
        let mut watched = BTreeSet::new();
        let mut timestamp = 1_400_000_000_i64 + i64::from(rng.random_range(0..100_000_000_u32));
        while watched.len() < count {
            let is_own = rng.random_bool(FAITHFUL);
            let kind = if is_own { taste } else { rng.random_range(0..TASTES) };
            // The logarithm is uniform, so a place in [1, 2) is as frequent as one in [2, 4).
            let place_in_kind = (of_taste as f64).powf(rng.random::<f64>()) as usize - 1;
            let item = place_in_kind * TASTES + kind;
            if !watched.insert(item) {
                continue;
            }
            let halves = if kind == taste { rng.random_range(7..=10) } else { rng.random_range(2..=8) };
            timestamp += i64::from(rng.random_range(60..100_000_u32));
            writeln!(file, "{},{},{:.1},{timestamp}", user + 1, item + 1, f64::from(halves) / 2.0)?;
        }
        written += count;
    }
    file.flush()?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::data::Dataset;

    #[test]
    fn the_ratings_are_readable_and_the_same_for_a_seed() {
        let amounts = Amounts { users: 50, items: 400, ratings: 1_000, seed: 3 };
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let written = write(one.path(), &amounts).unwrap();
        write(two.path(), &amounts).unwrap();
        let bytes = |folder: &Path| fs::read(folder.join("ratings.csv")).unwrap();
        assert_eq!(bytes(one.path()), bytes(two.path()));
        let dataset = Dataset::read(one.path(), &[]).unwrap();
        assert_eq!((dataset.ratings(), dataset.users.len()), (written, 50));
        assert!((800..1_200).contains(&written), "{written}");
        assert!(write(one.path(), &Amounts { items: 100, ..amounts }).is_err());
    }
}
