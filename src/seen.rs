//! Which movies a visitor has probably seen already.
//!
//! "Watch next" asks for movies that are new to the visitor. Nobody tells us which movies they have seen besides those
//! in their list. A movie's fame says most of it, and the fame of the visitor's own list the rest: whoever watches rare
//! movies is less sure to have seen the famous ones than fame alone would say.
//!
//! ```text
//! logit P(seen) = 0.45 + 1.12 · f + 0.4 · (f + 1.5) · l
//! ```
//!
//! Here `f` is the logit of the share of training users who rated the movie. `l` is how much the mean `f` of the
//! watched movies differs from that of all ratings, with five ratings of a typical list added. The numbers follow from
//! logistic regressions on held-out users of MovieLens's 2015 release, and are rounded; see `models/EXPERIMENTS.md`.
//! The score of a movie has no part in it: it is what makes the movie a suggestion.

use crate::catalog::{Catalog, MovieIndex};
use crate::history::History;

/// The intercept of the regression.
const INTERCEPT: f32 = 0.45;
/// The weight of the movie's fame.
const FAME: f32 = 1.12;
/// The weight of the list's fame, for each logit that the movie's fame is above [`PIVOT`].
const LIST_FAME: f32 = 0.4;
/// The fame of a movie that visitors of all kinds have seen equally often.
const PIVOT: f32 = -1.5;
/// Ratings of a typical list that are added to the visitor's own.
const PRIOR_WATCHES: f32 = 5.0;

/// The fame of each movie, as the logit of the share of users who rated it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenModel {
    /// By movie.
    fame: Vec<f32>,
    /// The mean over all ratings.
    typical: f32,
}

impl SeenModel {
    /// The fame of a catalogue's movies among `users` users.
    pub fn new(catalog: &Catalog, users: usize) -> Self {
        let ratings = || catalog.movies().iter().map(|movie| movie.ratings as f32);
        // A catalogue from elsewhere may count more ratings of a movie than it has users.
        let users = ratings().fold(users as f32, f32::max);
        // Half a rating is added on both sides, so that every share has a logit.
        let fame: Vec<f32> = ratings().map(|ratings| ((ratings + 0.5) / (users - ratings + 0.5)).ln()).collect();
        let all: f32 = ratings().sum();
        let typical = ratings().zip(&fame).map(|(ratings, fame)| ratings * fame).sum::<f32>() / all.max(1.0);
        Self { fame, typical }
    }

    /// How likely the visitor with this history has seen each movie, `[movies]`, 0 to 1.
    pub fn of_visitor(&self, history: &History) -> SeenByVisitor<'_> {
        let watches = history.watches();
        let differs: f32 = watches
            .iter()
            .filter_map(|watch| self.fame.get(watch.movie.as_usize()))
            .map(|fame| fame - self.typical)
            .sum();
        SeenByVisitor { model: self, list_fame: differs / (watches.len() as f32 + PRIOR_WATCHES) }
    }
}

/// One visitor's chances.
#[derive(Debug, Clone, Copy)]
pub struct SeenByVisitor<'model> {
    model: &'model SeenModel,
    list_fame: f32,
}

impl SeenByVisitor<'_> {
    /// How much better known the watched movies are than the mean of all ratings, in logits; 0 without any.
    pub const fn list_fame(&self) -> f32 {
        self.list_fame
    }

    /// How likely the visitor has seen this movie, 0 to 1; 0 for a movie that isn't there.
    pub fn chance(&self, movie: MovieIndex) -> f32 {
        let Some(fame) = self.model.fame.get(movie.as_usize()) else { return 0.0 };
        let logit = INTERCEPT + FAME * fame + LIST_FAME * (fame - PIVOT) * self.list_fame;
        1.0 / (1.0 + (-logit).exp())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::catalog::{Movie, MovieId};
    use crate::history::Watch;

    fn catalog(ratings: &[u32]) -> Catalog {
        let movie = |(id, ratings): (u32, &u32)| Movie {
            id: MovieId(id),
            key: None,
            title: format!("Movie {id}"),
            year: None,
            genres: Vec::new(),
            ratings: *ratings,
        };
        Catalog::new(Vec::new(), (1..).zip(ratings).map(movie).collect()).unwrap()
    }

    fn movie(row: usize) -> MovieIndex {
        MovieIndex::new(row).unwrap()
    }

    fn watched(rows: &[usize]) -> History {
        History::new(rows.iter().map(|row| Watch { movie: movie(*row), rating: None }))
    }

    /// Half of 100 users rated the first movie, whose fame is 0: the chance is that of the intercept and the list.
    #[test]
    fn fame_makes_a_movie_seen() {
        let model = SeenModel::new(&catalog(&[50, 10, 0]), 100);
        let nobody = model.of_visitor(&History::default());
        assert!((nobody.chance(movie(0)) - 1.0 / (1.0 + (-0.45_f32).exp())).abs() < 1e-6);
        assert!(nobody.chance(movie(0)) > nobody.chance(movie(1)));
        assert!(nobody.chance(movie(2)) < 0.01);
        assert_eq!(nobody.chance(movie(9)), 0.0);
    }

    /// A list of rare movies makes a famous one less surely seen, and a rare one more.
    #[test]
    fn the_own_list_counts() {
        let model = SeenModel::new(&catalog(&[50, 50, 2, 2, 1]), 100);
        let (famous, rare) = (model.of_visitor(&watched(&[1])), model.of_visitor(&watched(&[2, 3])));
        assert!(famous.chance(movie(0)) > rare.chance(movie(0)));
        assert!(famous.chance(movie(4)) < rare.chance(movie(4)));
    }

    /// Ratings without a number of users, as a catalogue from elsewhere may have them.
    #[test]
    fn counts_beyond_the_users_stay_chances() {
        let model = SeenModel::new(&catalog(&[900, 3]), 0);
        let chance = model.of_visitor(&History::default()).chance(movie(0));
        assert!(chance > 0.9 && chance <= 1.0, "{chance}");
    }
}
