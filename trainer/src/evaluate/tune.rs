//! Tuning a family of methods on a part of the training users.

use std::fmt::Display;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::discovery::discovery;
use super::few_clicks::{PopularityRanks, few_clicks};
use super::method::{Fit, Method, Selection};
use super::next_movie;
use super::next_visit::next_visit;
use super::scorer::Scorer;
use crate::data::split::folds;
use crate::data::training_set::TrainingSet;

/// The values to try for one parameter, each as a change to the current choice of all.
pub type Axis<Parameters> = Vec<Box<dyn Fn(&mut Parameters)>>;

/// An axis of `values`; `set` writes one into the parameters.
pub fn axis<Parameters: 'static, Value: Copy + 'static>(
    values: &[Value],
    set: fn(&mut Parameters, Value),
) -> Axis<Parameters> {
    let change = |value: Value| -> Box<dyn Fn(&mut Parameters)> { Box::new(move |parameters| set(parameters, value)) };
    values.iter().copied().map(change).collect()
}

/// Statistics of the training users that all members of a [`Family`] share.
pub trait Statistics: Send + Sync + Sized {
    /// Computes them.
    ///
    /// # Errors
    /// A timestamp outside the calendar; the reader rejects such data.
    fn new(training: &TrainingSet) -> Result<Self>;
}

/// Methods of one kind that differ in a few parameters (hyper-parameters).
pub trait Family: Sync {
    /// The parameters, displayed in words.
    type Parameters: Clone + PartialEq + Display;
    /// The shared statistics, computed once.
    type Statistics: Statistics;

    /// See [`Method::id`].
    fn id(&self) -> &'static str;

    /// See [`Method::name`].
    fn name(&self) -> &'static str;

    /// See [`Method::uses_time`].
    fn uses_time(&self) -> bool {
        false
    }

    /// The parameters that the search starts from.
    fn start(&self) -> Self::Parameters;

    /// The values to try, parameter by parameter, the most important first.
    fn axes(&self, selection: &Selection) -> Vec<Axis<Self::Parameters>>;

    /// The member with these parameters.
    ///
    /// # Errors
    /// If the computation fails for these parameters.
    fn scorer(&self, statistics: &Arc<Self::Statistics>, parameters: &Self::Parameters) -> Result<Box<dyn Scorer>>;
}

/// The best member of a family for a training set.
pub struct Tuned<F>(pub F);

/// The parts that the training users are split into; one of them selects the parameters (all protocols but P1).
pub(crate) const INNER_FOLDS: usize = 5;

/// The seed of that split.
pub(crate) const INNER_SEED: u64 = 20_250_303;

impl<F: Family> Method for Tuned<F> {
    fn id(&self) -> &'static str {
        self.0.id()
    }

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn uses_time(&self) -> bool {
        self.0.uses_time()
    }

    fn is_tuned(&self) -> bool {
        true
    }

    fn fit(&self, training: &TrainingSet, selection: &Selection) -> Result<Fit> {
        let Self(family) = self;
        let statistics = Arc::new(F::Statistics::new(training)?);
        let axes = family.axes(selection);
        let parameters = match selection {
            Selection::NextMovie { validation } => search(family.start(), &axes, |parameters| {
                next_movie::objective(family.scorer(&statistics, parameters)?.as_ref(), validation)
            })?,
            Selection::FewClicks | Selection::Discovery | Selection::NextVisit => {
                let inner = folds(&training.users, training.main, INNER_FOLDS, INNER_SEED);
                let inner = inner
                    .into_iter()
                    .next()
                    .context("the training users can't be split into folds to choose parameters on")?;
                let held_out = inner.held_out;
                let inner = TrainingSet::new(&training.catalog, inner.train, inner.main)?;
                let popularity = PopularityRanks::of_catalog(&inner.catalog);
                let inner_statistics = Arc::new(F::Statistics::new(&inner)?);
                search(family.start(), &axes, |parameters| {
                    let scorer = family.scorer(&inner_statistics, parameters)?;
                    let scorer = scorer.as_ref();
                    Ok(match selection {
                        Selection::Discovery => discovery(scorer, &held_out, &inner.catalog)?.objective(),
                        Selection::NextVisit => next_visit(scorer, &held_out)?.objective(),
                        _ => few_clicks(scorer, &held_out, &popularity)?.objective(),
                    })
                })?
            }
        };
        Ok(Fit::of_only(family.scorer(&statistics, &parameters)?, parameters.to_string()))
    }
}

/// The parameters of the highest `objective`, by coordinate search: one axis after the other, until a round changes
/// nothing, at most three rounds. A full grid takes the product of the axes' lengths; this takes a few times their
/// sum.
pub(crate) fn search<Parameters: Clone + PartialEq>(
    start: Parameters,
    axes: &[Axis<Parameters>],
    objective: impl Fn(&Parameters) -> Result<f64>,
) -> Result<Parameters> {
    const ROUNDS: usize = 3;
    let mut tried = vec![(start.clone(), objective(&start)?)];
    let mut best = tried.first().cloned().context("the search has no start")?;
    for _ in 0..ROUNDS {
        let before = best.0.clone();
        for axis in axes {
            let around = best.0.clone();
            for change in axis {
                let mut candidate = around.clone();
                change(&mut candidate);
                if tried.iter().any(|(known, _)| *known == candidate) {
                    continue;
                }
                let value = objective(&candidate)?;
                tried.push((candidate.clone(), value));
                if value > best.1 {
                    best = (candidate, value);
                }
            }
        }
        if best.0 == before {
            break;
        }
    }
    Ok(best.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The parameters interact: the second round finds a better value on the first axis.
    #[test]
    fn the_search_repeats_until_nothing_changes() {
        let axes: Vec<Axis<(i32, i32)>> = vec![
            axis(&[0, 1, 2, 3], |point, value| point.0 = value),
            axis(&[0, 1, 2, 3], |point, value| point.1 = value),
        ];
        let objective = |point: &(i32, i32)| {
            let (x, y) = (f64::from(point.0), f64::from(point.1));
            Ok(-(x - 3.0).powi(2) - 2.0 * (y - x).powi(2))
        };
        assert_eq!(search((0, 3), &axes, objective).unwrap(), (3, 3));
        assert_eq!(search((0, 0), &[], objective).unwrap(), (0, 0));
    }
}
