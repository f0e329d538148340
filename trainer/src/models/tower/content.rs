//! The movies' content, from which rare movies borrow.
//!
//! A movie is of several kinds at once, each with a share: its genres, its year of release in steps and on a finer
//! spline, and the words of its title, which join the parts of a series.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use candle_core::Tensor;
use watchnext::catalog::{Catalog, MovieIndex};
use watchnext::features::{DEFAULT_RELEASE_YEAR, genre_features};

use crate::nn::ops::HistoryMean;

/// Years of release are grouped in steps of so many years, from the first year on.
const YEAR_STEP: u16 = 5;
const FIRST_YEAR: u16 = 1920;
const YEAR_STEPS: usize = 20;
/// A linear spline tells years apart within the steps. It has so many knots, from the first knot's year to the last's.
const YEAR_KNOTS: usize = 34;
const FIRST_KNOT: f32 = 1930.0;
const LAST_KNOT: f32 = 2020.0;
/// A word in fewer titles joins nothing, and a word in more titles says nothing.
const TITLES_OF_A_WORD: std::ops::RangeInclusive<usize> = 2..=40;
/// Shorter words say nothing.
const LETTERS_OF_A_WORD: usize = 3;

/// The kinds of every movie.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// How many kinds there are.
    kinds: usize,
    /// The most kinds of any movie.
    slots: usize,
    /// `[movies, slots]`, padded with shares of 0.
    kind: Vec<i64>,
    /// `[movies, slots]`.
    share: Vec<f32>,
}

impl Content {
    /// The kinds of a catalogue's movies.
    pub fn new(catalog: &Catalog) -> Self {
        let genres = catalog.genres().len();
        let (steps, knots) = (genres, genres + YEAR_STEPS);
        let titles: Vec<BTreeSet<String>> = catalog.movies().iter().map(|movie| words(&movie.title)).collect();
        let mut frequency = BTreeMap::<&str, usize>::new();
        titles.iter().flatten().for_each(|word| *frequency.entry(word).or_default() += 1);
        let vocabulary: BTreeMap<&str, usize> = frequency
            .into_iter()
            .filter(|(_, titles)| TITLES_OF_A_WORD.contains(titles))
            .zip(knots + YEAR_KNOTS..)
            .map(|((word, _), kind)| (word, kind))
            .collect();
        let of_movie = |(index, (movie, words)): (usize, (&watchnext::catalog::Movie, &BTreeSet<String>))| {
            let genres = MovieIndex::new(index).map(|index| genre_features(catalog, index)).into_iter().flatten();
            let released = movie.year.unwrap_or(DEFAULT_RELEASE_YEAR);
            let step = usize::from(released.saturating_sub(FIRST_YEAR) / YEAR_STEP).min(YEAR_STEPS - 1);
            let place = (f32::from(released) - FIRST_KNOT) / (LAST_KNOT - FIRST_KNOT) * (YEAR_KNOTS - 1) as f32;
            let place = place.clamp(0.0, (YEAR_KNOTS - 1) as f32);
            let on_spline = (0..YEAR_KNOTS).map(|knot| (knots + knot, (1.0 - (place - knot as f32).abs()).max(0.0)));
            let words = words.iter().filter_map(|word| vocabulary.get(word.as_str()));
            let all = genres.enumerate().chain([(steps + step, 1.0)]).chain(on_spline);
            all.chain(words.map(|kind| (*kind, 1.0))).filter(|(_, share)| *share > 0.0).collect::<Vec<_>>()
        };
        let rows: Vec<Vec<(usize, f32)>> = catalog.movies().iter().zip(&titles).enumerate().map(of_movie).collect();
        let slots = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let (mut kind, mut share) = (Vec::new(), Vec::new());
        for row in &rows {
            // The operation takes a mean over the slots, so each share makes up for their number.
            kind.extend(row.iter().map(|(kind, _)| *kind as i64));
            share.extend(row.iter().map(|(_, share)| share * slots as f32));
            kind.resize(kind.len() + slots - row.len(), 0);
            share.resize(share.len() + slots - row.len(), 0.0);
        }
        Self { kinds: knots + YEAR_KNOTS + vocabulary.len(), slots, kind, share }
    }

    /// How many kinds there are.
    pub const fn kinds(&self) -> usize {
        self.kinds
    }

    /// How many movies there are.
    pub const fn movies(&self) -> usize {
        self.kind.len() / self.slots
    }

    /// The sum of each movie's kinds' rows of `table` `[kinds, width]`, by their shares: `[movies, width]`.
    ///
    /// # Errors
    /// A table of fewer rows than kinds.
    pub fn pooled(&self, table: &Tensor) -> Result<Tensor> {
        Ok(table.apply_op1(HistoryMean::new(self.kind.clone(), self.share.clone(), self.slots))?)
    }
}

/// The words of a title in lower case, without the most common ones.
fn words(title: &str) -> BTreeSet<String> {
    let small = title.to_lowercase();
    let words = small.split(|letter: char| !letter.is_alphanumeric() && letter != '\'');
    let says_something = |word: &&str| {
        word.chars().count() >= LETTERS_OF_A_WORD && !["the", "and", "for", "with", "from"].contains(word)
    };
    words.filter(says_something).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use candle_core::{DType, Device};
    use watchnext::catalog::{Movie, MovieId};

    fn movie(id: u32, title: &str, year: u16, genres: Vec<u16>) -> Movie {
        Movie { id: MovieId(id), key: None, title: title.to_owned(), year: Some(year), genres, ratings: 1 }
    }

    /// With a table of ones, a movie's sum is the sum of its shares: 1 for each genre, for each shared word, for its
    /// step and for the spline.
    #[test]
    fn a_movie_is_of_its_genres_years_and_shared_words() {
        let movies = vec![
            movie(1, "Gremlins", 1984, vec![0]),
            movie(2, "Gremlins 2: The New Batch", 1990, vec![0, 1]),
            movie(3, "Heat", 1995, vec![]),
        ];
        let catalog = Catalog::new(vec!["Comedy".to_owned(), "Horror".to_owned()], movies).unwrap();
        let content = Content::new(&catalog);
        assert_eq!((content.movies(), content.kinds()), (3, 2 + YEAR_STEPS + YEAR_KNOTS + 1));
        let ones = Tensor::ones((content.kinds(), 1), DType::F32, &Device::Cpu).unwrap();
        let sums: Vec<f32> = content.pooled(&ones).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        for (sum, expected) in sums.iter().zip([4.0, 5.0, 2.0]) {
            assert!((sum - expected).abs() < 1e-5, "{sums:?}");
        }
    }
}
