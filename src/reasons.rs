//! Why a movie is suggested: which of the watched movies speak for it.
//!
//! Each watched movie is left out once. The contribution of watched movie `i` to suggestion `m` is `(q − q₋ᵢ) · (x_m −
//! x̄)`: `q` is the user vector, `q₋ᵢ` the one of the history without `i`, `x` the movies' embeddings and `x̄` their
//! mean. The mean is subtracted so that a movie which raises all scores is no reason for any suggestion.
//!
//! Unlike the likeness of two movies, this shows the effect of a movie within the whole history.

use std::collections::BTreeSet;

use crate::catalog::MovieIndex;
use crate::error::{Error, Result};
use crate::features::{HISTORY_LEN, LocalTime, reception};
use crate::history::{History, Watch};
use crate::index::InnerProductIndex;
use crate::model::{TowerInputs, UserTower};

/// Contributions below this share of a suggestion's largest are no reason that a visitor would recognise.
const LEAST_OF_LARGEST: f32 = 0.1;

/// The least contribution that counts, in logits. Smaller ones come from rounding.
const LEAST_CONTRIBUTION: f32 = 1e-3;

/// A watched movie that speaks for a suggestion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reason {
    /// The watched movie.
    pub movie: MovieIndex,
    /// Its share of all positive contributions, above 0 and at most 1.
    pub share: f32,
}

/// For each of `suggestions` the watched movies that speak for it, the strongest first, ties by their place in the
/// history, at most `most`. A movie that was rated and not liked is no reason. Of a long history, the [`HISTORY_LEN`]
/// movies that the suggestions are most like can be reasons. The tower runs once for each of them and once more.
///
/// # Errors
/// The tower's own, and [`Error::NonFinite`] for a contribution that isn't finite.
pub fn reasons(
    tower: &dyn UserTower,
    movies: &InnerProductIndex,
    history: &History,
    moment: &LocalTime,
    suggestions: &[MovieIndex],
    most: usize,
) -> Result<Vec<Vec<Reason>>> {
    let watches = history.watches();
    let slots = tower.slots(watches.len());
    let recent = watches.get(watches.len().saturating_sub(slots)..).unwrap_or_default();
    let embed = |watches: &[Watch]| tower.embed(&TowerInputs::new(watches, movies.len(), slots, moment, false));
    let mean = movies.mean();
    let whole = embed(recent)?;
    let spoken_for = likely_reasons(movies, recent, suggestions);
    let mut contributions = vec![Vec::with_capacity(spoken_for.len()); suggestions.len()];
    for (left_out, watch) in recent.iter().enumerate().filter(|(at, _)| spoken_for.contains(at)) {
        let rest: Vec<Watch> =
            recent.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, watch)| *watch).collect();
        let lost: Vec<f32> = whole.iter().zip(embed(&rest)?).map(|(with, without)| with - without).collect();
        let shared: f32 = mean.iter().zip(&lost).map(|(mean, lost)| mean * lost).sum();
        for (contributions, suggestion) in contributions.iter_mut().zip(suggestions) {
            let Some(product) = movies.product(suggestion.as_usize(), &lost) else { continue };
            let contribution = product - shared;
            if !contribution.is_finite() {
                return Err(Error::NonFinite { place: "a reason's contribution".to_owned() });
            }
            contributions.push(Reason { movie: watch.movie, share: contribution });
        }
    }
    Ok(contributions.into_iter().map(|contributions| strongest(contributions, most)).collect())
}

/// The places in `watches` of the movies that may be reasons: liked ones and those without a rating. Of more than
/// [`HISTORY_LEN`], those that any suggestion is most like, so that a long list takes no longer.
fn likely_reasons(movies: &InnerProductIndex, watches: &[Watch], suggestions: &[MovieIndex]) -> BTreeSet<usize> {
    let liked = watches.iter().enumerate().filter(|(_, watch)| reception(watch.rating) > 0.0);
    let likest = |row: usize| {
        let likeness = suggestions.iter().map(|suggestion| movies.likeness(row, suggestion.as_usize()));
        likeness.fold(f32::NEG_INFINITY, f32::max)
    };
    let mut places: Vec<(usize, f32)> = liked.map(|(at, watch)| (at, likest(watch.movie.as_usize()))).collect();
    if places.len() > HISTORY_LEN {
        places.sort_by(|one, other| other.1.total_cmp(&one.1).then(other.0.cmp(&one.0)));
        places.truncate(HISTORY_LEN);
    }
    places.into_iter().map(|(at, _)| at).collect()
}

/// The largest of one suggestion's contributions, as shares of all positive ones.
fn strongest(mut contributions: Vec<Reason>, most: usize) -> Vec<Reason> {
    contributions.retain(|reason| reason.share > 0.0);
    let sum: f32 = contributions.iter().map(|reason| reason.share).sum();
    // The sort is stable, so equal ones stay in the history's order.
    contributions.sort_by(|one, other| other.share.total_cmp(&one.share));
    let largest = contributions.first().map_or(0.0, |reason| reason.share);
    let least = (largest * LEAST_OF_LARGEST).max(LEAST_CONTRIBUTION);
    contributions.retain(|reason| reason.share >= least);
    contributions.truncate(most);
    contributions.into_iter().map(|reason| Reason { share: reason.share / sum, ..reason }).collect()
}
