//! The movie's mean rating, shrunk, which is the same for everybody.

use std::fmt;

use watchnext::catalog::MovieIndex;
use watchnext::history::History;

use super::Stars;
use crate::data::User;
use crate::data::training_set::TrainingSet;
use crate::evaluate::tune::{Axis, axis};

/// Predicts the shrunk mean of the movie's ratings.
#[derive(Debug)]
pub struct MovieMean;

/// `(Σ stars + shrink · mean of all ratings) / (ratings + shrink)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MovieMeanParameters {
    /// How many ratings of the overall mean are added to every movie's.
    pub shrink: f32,
}

impl fmt::Display for MovieMeanParameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "shrink {}", self.shrink)
    }
}

/// The values to try for the shrinkage of a mean.
pub(super) const SHRINKS: [f32; 6] = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0];

/// The sum and the number of every movie's ratings.
#[derive(Debug, Clone, PartialEq)]
pub struct MovieStars {
    /// `[movies]`: the sum of the stars and how many ratings there are.
    movies: Vec<(f32, f32)>,
    /// The mean of all ratings, 3.5 if there are none.
    mean: f32,
}

impl MovieStars {
    /// The sums over `users` and `movies` movies.
    pub fn new(movies: usize, users: &[User]) -> Self {
        let mut sums = vec![(0.0, 0.0); movies];
        let (mut all, mut count) = (0.0_f64, 0_usize);
        for event in users.iter().flat_map(|user| &user.events) {
            let Some(rating) = event.rating else { continue };
            let stars = rating.stars();
            if let Some((sum, ratings)) = sums.get_mut(event.movie.as_usize()) {
                *sum += stars;
                *ratings += 1.0;
            }
            all += f64::from(stars);
            count += 1;
        }
        let mean = if count == 0 { watchnext::features::NEUTRAL_RATING } else { (all / count as f64) as f32 };
        Self { movies: sums, mean }
    }

    /// A movie's mean, shrunk towards the mean of all ratings, which an unrated movie gets.
    pub fn mean(&self, movie: MovieIndex, shrink: f32) -> f32 {
        let (sum, ratings) = self.movies.get(movie.as_usize()).copied().unwrap_or_default();
        let weight = ratings + shrink;
        if weight > 0.0 { (sum + shrink * self.mean) / weight } else { self.mean }
    }
}

impl Stars for MovieMean {
    type Parameters = MovieMeanParameters;
    type Statistics = MovieStars;

    fn id(&self) -> &'static str {
        "movie-mean"
    }

    fn name(&self) -> &'static str {
        "movie mean"
    }

    fn start(&self) -> MovieMeanParameters {
        MovieMeanParameters { shrink: 5.0 }
    }

    fn axes(&self) -> Vec<Axis<MovieMeanParameters>> {
        vec![axis(&SHRINKS, |parameters, shrink| parameters.shrink = shrink)]
    }

    fn statistics(training: &TrainingSet) -> MovieStars {
        MovieStars::new(training.catalog.len(), &training.users)
    }

    fn stars(movies: &MovieStars, parameters: &MovieMeanParameters, _history: &History, movie: MovieIndex) -> f32 {
        movies.mean(movie, parameters.shrink)
    }
}
