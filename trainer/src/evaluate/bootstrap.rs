//! Means over users and their differences, with intervals by the bootstrap over users (Efron 1979).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

/// Resamples of the bootstrap over users.
const RESAMPLES: usize = 1000;

/// The bootstrap's seed; an interval is a property of the figures, so it doesn't follow `--seed`.
const SEED: u64 = 20_161_001;

/// A mean over users with its 95 % interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figure {
    /// The mean.
    pub mean: f64,
    /// The 2.5th percentile of the bootstrap over users.
    pub low: f64,
    /// The 97.5th.
    pub high: f64,
}

/// One user's part of a mean: a sum and its number of terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The sum of the user's values.
    pub sum: f64,
    /// How many values there were.
    pub terms: usize,
}

impl Share {
    /// A user who counts once.
    pub const fn once(value: f64) -> Self {
        Self { sum: value, terms: 1 }
    }
}

/// How far one method is ahead of another on the same users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Difference {
    /// The first method's mean less the second's.
    pub absolute: Figure,
    /// The same over the second's mean; 0.1 is a gain of 10 %.
    pub relative: Figure,
}

/// The mean of all users' values, with its interval over resamples of the users with replacement.
pub fn interval(users: &[Share]) -> Figure {
    let mean = |picks: &[usize]| mean(users, picks);
    percentiles(users.len(), &[&mean]).first().copied().unwrap_or_default()
}

/// A figure that isn't a mean of the users' values, with its interval over resamples of the users with replacement.
/// `figure` takes the places of the drawn users, from 0 to `users` - 1, some of them more than once.
pub fn interval_of(users: usize, figure: &(dyn Fn(&[usize]) -> f64 + Sync)) -> Figure {
    percentiles(users, &[figure]).first().copied().unwrap_or_default()
}

/// The difference of two methods' means over the same users in the same order (a paired bootstrap). Every resample
/// draws the same users for both, so that users who are hard for both methods cancel out.
pub fn paired(first: &[Share], second: &[Share]) -> Difference {
    let users = first.len().min(second.len());
    let absolute = |picks: &[usize]| mean(first, picks) - mean(second, picks);
    let relative = |picks: &[usize]| {
        let base = mean(second, picks);
        if base == 0.0 { 0.0 } else { mean(first, picks) / base - 1.0 }
    };
    match percentiles(users, &[&absolute, &relative]).as_slice() {
        [absolute, relative] => Difference { absolute: *absolute, relative: *relative },
        _ => Difference::default(),
    }
}

fn mean(users: &[Share], picks: &[usize]) -> f64 {
    let drawn = picks.iter().filter_map(|pick| users.get(*pick));
    let (sum, terms) = drawn.fold((0.0, 0_usize), |(sum, terms), user| (sum + user.sum, terms + user.terms));
    sum / terms.max(1) as f64
}

/// A figure of the users with these places, some of whom may be drawn more than once.
type Statistic<'users> = dyn Fn(&[usize]) -> f64 + Sync + 'users;

/// Each statistic of all users, and its percentiles over the same resamples of them.
fn percentiles(users: usize, statistics: &[&Statistic]) -> Vec<Figure> {
    if users == 0 {
        return vec![Figure::default(); statistics.len()];
    }
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let resamples: Vec<Vec<usize>> =
        (0..RESAMPLES).map(|_| (0..users).map(|_| rng.random_range(0..users)).collect()).collect();
    let everyone: Vec<usize> = (0..users).collect();
    let figure = |statistic: &&Statistic| {
        let mut drawn: Vec<f64> = resamples.par_iter().map(|picks| statistic(picks)).collect();
        drawn.sort_by(f64::total_cmp);
        let percentile =
            |share: f64| drawn.get((share * (RESAMPLES - 1) as f64).round() as usize).copied().unwrap_or_default();
        Figure { mean: statistic(&everyone), low: percentile(0.025), high: percentile(0.975) }
    };
    statistics.iter().map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(values: &[f64]) -> Vec<Share> {
        values.iter().copied().map(Share::once).collect()
    }

    /// A resample is the first user twice, the second twice or one of each.
    #[test]
    fn two_users_give_the_interval_from_one_to_the_other() {
        let figure = interval(&[Share { sum: 1.0, terms: 2 }, Share { sum: 0.0, terms: 1 }]);
        assert_eq!(figure, Figure { mean: 1.0 / 3.0, low: 0.0, high: 0.5 });
        assert_eq!(interval(&[]), Figure::default());
    }

    /// The users differ widely and the methods by the same amount on each: unpaired intervals would overlap.
    #[test]
    fn a_paired_difference_forgets_how_much_users_differ() {
        let theirs: Vec<f64> = (0..50).map(|user| f64::from(user) / 50.0).collect();
        let ours: Vec<f64> = theirs.iter().map(|value| value + 0.01).collect();
        let difference = paired(&shares(&ours), &shares(&theirs));
        for bound in [difference.absolute.mean, difference.absolute.low, difference.absolute.high] {
            assert!((bound - 0.01).abs() < 1e-9, "{difference:?}");
        }
        assert!((difference.relative.mean - 0.01 / 0.49).abs() < 1e-9, "{difference:?}");
        assert!(difference.relative.low > 0.0 && difference.relative.low < difference.relative.high);
    }
}
