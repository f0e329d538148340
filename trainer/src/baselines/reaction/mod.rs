//! The methods to compare our second stage with (protocol P3). Each predicts stars, with parameters tuned on the
//! training users, and [`platt`] turns the stars into a probability.
//!
//! | file | prediction |
//! |---|---|
//! | [`movie_mean`] | the movie's mean rating |
//! | [`biases`] | the movie's mean plus the visitor's bias |
//! | [`item_knn`] | the same plus the visitor's deviations on similar movies |

pub mod biases;
pub mod item_knn;
pub mod movie_mean;
pub mod platt;

use std::fmt::Display;

use anyhow::{Context, Result};
use watchnext::catalog::MovieIndex;
use watchnext::features::LocalTime;
use watchnext::history::History;

use self::platt::Platt;
use crate::data::User;
use crate::data::split::{Fold, folds};
use crate::data::training_set::TrainingSet;
use crate::evaluate::method::{ReactionFit, ReactionMethod};
use crate::evaluate::reaction::{Prediction, ReactionScorer, each_event, log_loss};
use crate::evaluate::tune::{Axis, INNER_FOLDS, INNER_SEED, search};

/// Predicts the stars of a movie, with a few parameters.
pub trait Stars: Sync {
    /// The parameters, displayed in words.
    type Parameters: Clone + PartialEq + Display + Send + Sync + 'static;
    /// Statistics of the training users.
    type Statistics: Send + Sync + 'static;

    /// See [`ReactionMethod::id`].
    fn id(&self) -> &'static str;

    /// See [`ReactionMethod::name`].
    fn name(&self) -> &'static str;

    /// The parameters that the search starts from.
    fn start(&self) -> Self::Parameters;

    /// The values to try, parameter by parameter, the most important first.
    fn axes(&self) -> Vec<Axis<Self::Parameters>>;

    /// Computes the statistics.
    fn statistics(training: &TrainingSet) -> Self::Statistics;

    /// The stars that a user with this `history` would give `movie`: finite, though perhaps outside the scale.
    fn stars(statistics: &Self::Statistics, parameters: &Self::Parameters, history: &History, movie: MovieIndex)
    -> f32;
}

/// The best parameters for a training set, with calibrated probabilities.
///
/// An inner fifth of the main training users chooses the parameters, by log loss. All fifths calibrate the
/// probabilities, each by statistics without it: a mean that the predicted event is part of would look surer than it
/// is.
pub struct Calibrated<S>(pub S);

impl<S: Stars + 'static> ReactionMethod for Calibrated<S> {
    fn id(&self) -> &'static str {
        self.0.id()
    }

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn fit(&self, training: &TrainingSet) -> Result<ReactionFit> {
        // The statistics without each fifth, and its users.
        let without = |fold: Fold| -> Result<(S::Statistics, Vec<User>)> {
            Ok((S::statistics(&TrainingSet::new(&training.catalog, fold.train, fold.main)?), fold.held_out))
        };
        let mut inner = folds(&training.users, training.main, INNER_FOLDS, INNER_SEED).into_iter().map(without);
        let first = inner.next().context("the training users can't be split into folds to choose parameters on")??;
        let parameters = search(self.0.start(), &self.0.axes(), |parameters| {
            let stars = predicted_stars::<S>(&first.0, parameters, &first.1, true)?;
            let platt = Platt::fit(&stars);
            let loss = |stars: &Prediction<f32>| {
                log_loss(&Prediction { value: platt.probability(stars.value), liked: stars.liked })
            };
            Ok(-stars.iter().map(loss).sum::<f64>() / stars.len().max(1) as f64)
        })?;
        let (mut rated, mut clicked) = (Vec::new(), Vec::new());
        for inner in std::iter::once(Ok(first)).chain(inner) {
            let (statistics, held_out) = inner?;
            rated.extend(predicted_stars::<S>(&statistics, &parameters, &held_out, true)?);
            clicked.extend(predicted_stars::<S>(&statistics, &parameters, &held_out, false)?);
        }
        let in_words = parameters.to_string();
        let scorer = CalibratedStars::<S> {
            rated: Platt::fit(&rated),
            clicked: Platt::fit(&clicked),
            statistics: S::statistics(training),
            parameters,
        };
        Ok(ReactionFit { scorer: Box::new(scorer), parameters: in_words })
    }
}

/// The predicted stars of each measured event of `users`.
fn predicted_stars<S: Stars>(
    statistics: &S::Statistics,
    parameters: &S::Parameters,
    users: &[User],
    ratings_known: bool,
) -> Result<Vec<Prediction<f32>>> {
    let stars =
        each_event(users, ratings_known, |history, event| Ok(S::stars(statistics, parameters, history, event.movie)))?;
    Ok(stars.into_iter().flatten().collect())
}

/// Stars, turned into probabilities.
struct CalibratedStars<S: Stars> {
    statistics: S::Statistics,
    parameters: S::Parameters,
    /// For histories with a rating.
    rated: Platt,
    /// For clicks alone, whose predicted stars spread less.
    clicked: Platt,
}

impl<S: Stars> ReactionScorer for CalibratedStars<S> {
    fn like(&self, history: &History, movie: MovieIndex, _moment: &LocalTime) -> Result<f32> {
        let rated = history.watches().iter().any(|watch| watch.rating.is_some());
        let platt = if rated { &self.rated } else { &self.clicked };
        Ok(platt.probability(S::stars(&self.statistics, &self.parameters, history, movie)))
    }
}
