//! The methods that our second stage is held against (protocol P3): each predicts stars, its parameters are tuned on the training
//! users, and its stars become a probability.
//!
//! | file | method |
//! |---|---|
//! | [`movie_mean`] | what a movie gets from everybody |
//! | [`biases`] | that, and how generous the visitor is |
//! | [`item_knn`] | that, and what the visitor gave to similar movies |
//!
//! [`platt`] turns stars into probabilities.

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
use crate::evaluate::reaction::{ReactionScorer, Told, each_event, log_loss};
use crate::evaluate::tune::{Axis, INNER_FOLDS, INNER_SEED, search};

/// A way to predict the stars of a movie, which differs in a few parameters.
pub trait Stars: Sync {
    /// The parameters, shown in words.
    type Parameters: Clone + PartialEq + Display + Send + Sync + 'static;
    /// What is known of the training users.
    type Statistics: Send + Sync + 'static;

    /// See [`ReactionMethod::id`].
    fn id(&self) -> &'static str;

    /// See [`ReactionMethod::name`].
    fn name(&self) -> &'static str;

    /// Where the search begins.
    fn start(&self) -> Self::Parameters;

    /// The values to try, parameter by parameter, the weightiest first.
    fn axes(&self) -> Vec<Axis<Self::Parameters>>;

    /// Counts what the prediction needs.
    fn statistics(training: &TrainingSet) -> Self::Statistics;

    /// The stars that whoever watched `history` would give `movie`, finite, though not kept within the scale.
    fn stars(statistics: &Self::Statistics, parameters: &Self::Parameters, history: &History, movie: MovieIndex)
    -> f32;
}

/// The best member of a kind for a training set, with probabilities.
///
/// An inner fifth of the main training users chooses the parameters, by log loss. All fifths, each by what is known without it, say what
/// probability the stars stand for: a movie's mean that the event to be predicted is part of would look surer than it is.
pub struct Calibrated<S>(pub S);

impl<S: Stars + 'static> ReactionMethod for Calibrated<S> {
    fn id(&self) -> &'static str {
        self.0.id()
    }

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn fit(&self, training: &TrainingSet) -> Result<ReactionFit> {
        // What is known without each fifth, beside whom it holds out.
        let without = |fold: Fold| -> Result<(S::Statistics, Vec<User>)> {
            Ok((S::statistics(&TrainingSet::new(&training.catalog, fold.train, fold.main)?), fold.held_out))
        };
        let mut inner = folds(&training.users, training.main, INNER_FOLDS, INNER_SEED).into_iter().map(without);
        let first = inner.next().context("the training users can't be split")??;
        let parameters = search(self.0.start(), &self.0.axes(), |parameters| {
            let told = told::<S>(&first.0, parameters, &first.1, true)?;
            let platt = Platt::fit(&told);
            let loss = |told: &Told<f32>| log_loss(&Told { said: platt.probability(told.said), liked: told.liked });
            Ok(-told.iter().map(loss).sum::<f64>() / told.len().max(1) as f64)
        })?;
        let (mut rated, mut clicked) = (Vec::new(), Vec::new());
        for inner in std::iter::once(Ok(first)).chain(inner) {
            let (statistics, held_out) = inner?;
            rated.extend(told::<S>(&statistics, &parameters, &held_out, true)?);
            clicked.extend(told::<S>(&statistics, &parameters, &held_out, false)?);
        }
        let in_words = parameters.to_string();
        let scorer = Reactor::<S> {
            rated: Platt::fit(&rated),
            clicked: Platt::fit(&clicked),
            statistics: S::statistics(training),
            parameters,
        };
        Ok(ReactionFit { scorer: Box::new(scorer), parameters: in_words })
    }
}

/// The stars predicted for each measured event of `users`.
fn told<S: Stars>(
    statistics: &S::Statistics,
    parameters: &S::Parameters,
    users: &[User],
    ratings_known: bool,
) -> Result<Vec<Told<f32>>> {
    let told =
        each_event(users, ratings_known, |history, event| Ok(S::stars(statistics, parameters, history, event.movie)))?;
    Ok(told.into_iter().flatten().collect())
}

struct Reactor<S: Stars> {
    statistics: S::Statistics,
    parameters: S::Parameters,
    /// For histories with a rating.
    rated: Platt,
    /// For clicks alone, after which the stars spread less.
    clicked: Platt,
}

impl<S: Stars> ReactionScorer for Reactor<S> {
    fn like(&self, history: &History, movie: MovieIndex, _moment: &LocalTime) -> Result<f32> {
        let rated = history.watches().iter().any(|watch| watch.rating.is_some());
        let platt = if rated { &self.rated } else { &self.clicked };
        Ok(platt.probability(S::stars(&self.statistics, &self.parameters, history, movie)))
    }
}
