//! The movie's mean plus the visitor's bias: how far the visitor rates the history's movies above their means.

use std::fmt;

use watchnext::catalog::MovieIndex;
use watchnext::history::{History, Watch};

use super::Stars;
use super::movie_mean::{MovieStars, SHRINKS};
use crate::data::training_set::TrainingSet;
use crate::evaluate::tune::{Axis, axis};

/// The baseline predictors of Koren (2008), by shrunk means instead of least squares.
#[derive(Debug)]
pub struct Biases;

/// How much the two means are shrunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BiasParameters {
    /// How many ratings of the overall mean are added to every movie's.
    pub movie_shrink: f32,
    /// How many ratings at the movies' means are added to every user's.
    pub user_shrink: f32,
}

impl fmt::Display for BiasParameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "movie shrink {}, user shrink {}", self.movie_shrink, self.user_shrink)
    }
}

impl BiasParameters {
    /// The user's bias in stars, from the rated `watches`; 0 if none is rated.
    pub fn of_user<'watch>(&self, movies: &MovieStars, watches: impl IntoIterator<Item = &'watch Watch>) -> f32 {
        let above = |watch: &Watch| Some(watch.rating?.stars() - movies.mean(watch.movie, self.movie_shrink));
        let (sum, rated) =
            watches.into_iter().filter_map(above).fold((0.0, 0.0), |(sum, rated), above| (sum + above, rated + 1.0));
        sum / (rated + self.user_shrink).max(1.0)
    }
}

impl Stars for Biases {
    type Parameters = BiasParameters;
    type Statistics = MovieStars;

    fn id(&self) -> &'static str {
        "movie-user-bias"
    }

    fn name(&self) -> &'static str {
        "movie mean + user bias"
    }

    fn start(&self) -> BiasParameters {
        BiasParameters { movie_shrink: 5.0, user_shrink: 5.0 }
    }

    fn axes(&self) -> Vec<Axis<BiasParameters>> {
        vec![
            axis(&SHRINKS, |parameters, shrink| parameters.user_shrink = shrink),
            axis(&SHRINKS, |parameters, shrink| parameters.movie_shrink = shrink),
        ]
    }

    fn statistics(training: &TrainingSet) -> MovieStars {
        MovieStars::new(training.catalog.len(), &training.users)
    }

    fn stars(movies: &MovieStars, parameters: &BiasParameters, history: &History, movie: MovieIndex) -> f32 {
        movies.mean(movie, parameters.movie_shrink) + parameters.of_user(movies, history.watches())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::data::{Event, User};
    use watchnext::history::Rating;

    /// Movie 0 has 2 and 4 stars, movie 1 has 5: the overall mean is 11/3.
    #[test]
    fn means_are_shrunk_and_a_click_leaves_the_bias_at_zero() {
        let movie = |row: usize| MovieIndex::new(row).unwrap();
        let event = |row: usize, stars: f32| Event { movie: movie(row), rating: Rating::new(stars), timestamp: 0 };
        let users =
            [User { id: 1, events: vec![event(0, 2.0), event(1, 5.0)] }, User { id: 2, events: vec![event(0, 4.0)] }];
        let stars = MovieStars::new(3, &users);
        let close = |left: f32, right: f32| assert!((left - right).abs() < 1e-5, "{left} against {right}");
        close(stars.mean(movie(0), 0.0), 3.0);
        close(stars.mean(movie(1), 1.0), (5.0 + 11.0 / 3.0) / 2.0);
        close(stars.mean(movie(2), 0.0), 11.0 / 3.0);
        let parameters = BiasParameters { movie_shrink: 0.0, user_shrink: 1.0 };
        let watched =
            |rating: Option<f32>| History::new([Watch { movie: movie(0), rating: rating.and_then(Rating::new) }]);
        // One rating a star above the movie's mean, and one added at the mean.
        close(Biases::stars(&stars, &parameters, &watched(Some(4.0)), movie(1)), 5.5);
        close(Biases::stars(&stars, &parameters, &watched(None), movie(1)), 5.0);
        close(Biases::stars(&stars, &parameters, &History::default(), movie(1)), 5.0);
    }
}
