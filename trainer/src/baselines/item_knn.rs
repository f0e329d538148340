//! Item-based k-nearest-neighbours (Deshpande and Karypis 2004): suggests movies that the history's movies share users
//! with. The similarity is an asymmetric cosine (Aiolli 2013) with shrinkage; popularity is a prior.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::Recency;
use super::counts::{Counts, users_in_words};
use super::neighbours::{Neighbours, keep_nearest};
use super::prior::Prior;
use crate::data::incidence::Signal;
use crate::data::timed_popularity::Season;
use crate::evaluate::method::Selection;
use crate::evaluate::scorer::Scorer;
use crate::evaluate::tune::{Axis, Family, axis};

/// The family of neighbourhood methods.
#[derive(Debug)]
pub struct ItemKnn {
    /// Whether the prior may be the popularity around the time of the visit, which the tower knows too, or that of all
    /// times alone.
    pub uses_time: bool,
}

/// `score(j) = Σ_i weight(i) · c_ij / (n_i^(1−α) · n_j^α + shrink) + prior · ln(1 + n_j(t))` over the watched movies
/// `i`. `c_ij` users have both movies, `n_i` have `i`, and `n_j(t)` have `j` around the time of the visit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ItemKnnParameters {
    /// Which events count.
    pub signal: Signal,
    /// Whether a user weighs one over the square root of the length of the user's list, or 1.
    pub weighted_users: bool,
    /// The shrinkage: how many users are added to the denominator.
    pub shrink: f32,
    /// The suggested movie's part of the normalisation: ½ is the cosine, 0 the conditional probability.
    pub alpha: f32,
    /// The weight of popularity.
    pub prior: f32,
    /// The time around the visit that popularity counts.
    pub season: Season,
    /// The number k of a watched movie's neighbours that count; `None` for all.
    pub neighbours: Option<usize>,
    /// How fast watched movies are forgotten.
    pub recency: Recency,
}

impl fmt::Display for ItemKnnParameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users = users_in_words(self.weighted_users);
        write!(
            formatter,
            "{}, {users}, shrink {}, α {}, prior {} {}",
            self.signal, self.shrink, self.alpha, self.prior, self.season
        )?;
        if let Some(neighbours) = self.neighbours {
            write!(formatter, ", {neighbours} neighbours")?;
        }
        write!(formatter, ", {}", self.recency)
    }
}

/// A plain cosine with the shrinkage of the reference figures.
pub const PLAIN: ItemKnnParameters = ItemKnnParameters {
    signal: Signal::Likes,
    weighted_users: false,
    shrink: 20.0,
    alpha: 0.5,
    prior: 0.0,
    season: Season(None),
    neighbours: None,
    recency: Recency { half_life: None },
};

impl Family for ItemKnn {
    type Parameters = ItemKnnParameters;
    type Statistics = Counts;

    fn id(&self) -> &'static str {
        if self.uses_time { "item-knn-of-moment" } else { "item-knn" }
    }

    fn name(&self) -> &'static str {
        if self.uses_time { "item kNN of the moment" } else { "item kNN" }
    }

    fn uses_time(&self) -> bool {
        self.uses_time
    }

    fn start(&self) -> ItemKnnParameters {
        ItemKnnParameters { weighted_users: true, prior: 0.08, ..PLAIN }
    }

    fn axes(&self, selection: &Selection) -> Vec<Axis<ItemKnnParameters>> {
        vec![
            axis(&Recency::choices(selection), |parameters, recency| parameters.recency = recency),
            axis(&Signal::ALL, |parameters, signal| parameters.signal = signal),
            axis(&[0.0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32], |parameters, prior| parameters.prior = prior),
            axis(Season::choices(self.uses_time), |parameters, season| parameters.season = season),
            axis(&[0.2, 0.3, 0.4, 0.5, 0.6], |parameters, alpha| parameters.alpha = alpha),
            axis(&[2.0, 5.0, 10.0, 20.0, 40.0, 80.0], |parameters, shrink| parameters.shrink = shrink),
            axis(&[false, true], |parameters, weighted| parameters.weighted_users = weighted),
            axis(&[None, Some(1000), Some(300)], |parameters, count| parameters.neighbours = count),
        ]
    }

    fn scorer(&self, counts: &Arc<Counts>, parameters: &ItemKnnParameters) -> Result<Box<dyn Scorer>> {
        Ok(Box::new(neighbours(counts, parameters)))
    }
}

/// Every movie's neighbours by the shrunk cosine.
fn neighbours(counts: &Counts, parameters: &ItemKnnParameters) -> Neighbours {
    let together = counts.co_occurrence(parameters.signal, parameters.weighted_users);
    let target_norms: Vec<f32> = together.totals.iter().map(|total| total.powf(parameters.alpha)).collect();
    let row = |(shared, total): (&Vec<(u32, f32)>, &f32)| {
        let own_norm = total.powf(1.0 - parameters.alpha);
        let similarity = |(other, together): &(u32, f32)| {
            let norm = target_norms.get(*other as usize).copied().unwrap_or_default();
            (*other, together / (own_norm * norm + parameters.shrink))
        };
        let mut row: Vec<(u32, f32)> = shared.iter().map(similarity).collect();
        keep_nearest(&mut row, parameters.neighbours);
        row
    };
    let rows = together.rows.par_iter().zip(&together.totals).map(row).collect();
    let prior = Prior::new(counts, parameters.signal, parameters.season, parameters.prior);
    Neighbours { rows, prior, recency: parameters.recency }
}
