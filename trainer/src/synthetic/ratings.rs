//! Made-up ratings of any number, to measure what training costs without anybody's data.
//!
//! Users have one of [`TASTES`] tastes, and each movie is of one of them. A movie's popularity falls with its place among its
//! taste's movies as in real catalogues (Zipf's law), so that a few movies are on most lists and most are on few.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How many kinds of users and of movies there are.
pub(super) const TASTES: usize = 20;

/// How often a user watches a movie of the own taste.
const FAITHFUL: f64 = 0.7;

/// How much is made up.
#[derive(Debug, Clone, Copy)]
pub struct Amounts {
    /// Users.
    pub users: usize,
    /// Movies, at least [`TASTES`].
    pub items: usize,
    /// About how many ratings: each user has from a half to one and a half times the mean.
    pub ratings: usize,
    /// The seed of every random number.
    pub seed: u64,
}

/// Writes `movies.csv` and `ratings.csv` in MovieLens's form into `folder`, and returns how many ratings there are.
///
/// # Errors
/// Amounts that don't fit together, and a folder that can't be written to.
pub fn write(folder: &Path, amounts: &Amounts) -> Result<usize> {
    let Amounts { users, items, ratings, seed } = *amounts;
    let mean = ratings / users.max(1);
    ensure!(users > 0 && mean > 0, "{ratings} ratings are fewer than one for each of {users} users");
    ensure!(
        items >= TASTES && mean * 6 <= items,
        "{items} movies are too few for users who rate {mean}; six times as many are needed, and {TASTES}"
    );
    let place =
        || format!("made-up ratings can't be written to {}. Free the disk or mend the rights.", folder.display());
    fs::create_dir_all(folder).with_context(place)?;
    let create = |name: &str| File::create(folder.join(name)).map(BufWriter::new).with_context(place);
    let mut movies = create("movies.csv")?;
    writeln!(movies, "movieId,title,genres").with_context(place)?;
    for item in 0..items {
        writeln!(movies, "{},Movie {item} ({}),Kind {}", item + 1, 1950 + item % 70, item % TASTES)
            .with_context(place)?;
    }
    movies.flush().with_context(place)?;
    let mut file = create("ratings.csv")?;
    writeln!(file, "userId,movieId,rating,timestamp").with_context(place)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let of_taste = items / TASTES;
    let mut written = 0;
    for user in 0..users {
        let taste = user % TASTES;
        let count = rng.random_range(mean.div_ceil(2)..=mean + mean / 2);
        let mut watched = BTreeSet::new();
        let mut timestamp = 1_400_000_000_i64 + i64::from(rng.random_range(0..100_000_000_u32));
        while watched.len() < count {
            let is_own = rng.random_bool(FAITHFUL);
            let kind = if is_own { taste } else { rng.random_range(0..TASTES) };
            // A number whose logarithm is uniform is as often in [1, 2) as in [2, 4).
            let place_in_kind = (of_taste as f64).powf(rng.random::<f64>()) as usize - 1;
            let item = place_in_kind * TASTES + kind;
            if !watched.insert(item) {
                continue;
            }
            let halves = if kind == taste { rng.random_range(7..=10) } else { rng.random_range(2..=8) };
            timestamp += i64::from(rng.random_range(60..100_000_u32));
            writeln!(file, "{},{},{:.1},{timestamp}", user + 1, item + 1, f64::from(halves) / 2.0)
                .with_context(place)?;
        }
        written += count;
    }
    file.flush().with_context(place)?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::data::Dataset;

    #[test]
    fn the_reader_takes_what_is_made_up_and_the_same_seed_makes_the_same() {
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
