//! From a score to a probability: logistic regression on the score alone (Platt 1999), with the safeguards of Lin, Lin and Weng
//! (2007).

use crate::evaluate::reaction::Told;

/// Newton's method is done after this many steps, most often after five.
const STEPS: usize = 50;

/// A step that changes the mean loss by less is the last.
const TOLERANCE: f64 = 1e-10;

/// `1 / (1 + exp(−(slope · score + intercept)))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Platt {
    slope: f64,
    intercept: f64,
}

/// An event's score, how many deviations it is above the mean, and the probability to aim at.
struct Target {
    score: f64,
    aim: f64,
}

impl Platt {
    /// The slope and the intercept that make `told`, whose scores are finite, most likely. Each of the two kinds of events counts one
    /// that went the other way, so that scores which tell them apart don't make the slope infinite; without events all is ½.
    pub fn fit(told: &[Told<f32>]) -> Self {
        let count = told.len().max(1) as f64;
        let mean = told.iter().map(|told| f64::from(told.said)).sum::<f64>() / count;
        let variance = told.iter().map(|told| (f64::from(told.said) - mean).powi(2)).sum::<f64>() / count;
        // Scores of one size keep the two parameters from pulling on each other; scores that are all equal have a deviation of 0.
        let deviation = if variance > 1e-12 { variance.sqrt() } else { 1.0 };
        let likes = told.iter().filter(|told| told.liked).count() as f64;
        let others = told.len() as f64 - likes;
        let (high, low) = ((likes + 1.0) / (likes + 2.0), 1.0 / (others + 2.0));
        let target = |told: &Told<f32>| Target {
            score: (f64::from(told.said) - mean) / deviation,
            aim: if told.liked { high } else { low },
        };
        let targets: Vec<Target> = told.iter().map(target).collect();
        let standard = newton(&targets, Self { slope: 0.0, intercept: ((likes + 1.0) / (others + 1.0)).ln() });
        let slope = standard.slope / deviation;
        Self { slope, intercept: standard.intercept - slope * mean }
    }

    /// The probability, 0 to 1, for a finite score.
    pub fn probability(&self, score: f32) -> f32 {
        logistic(self.slope * f64::from(score) + self.intercept) as f32
    }
}

fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// The mean cross entropy, without taking the logarithm of a probability that has become 0.
fn loss(targets: &[Target], at: Platt) -> f64 {
    let one = |target: &Target| {
        let logit = at.slope * target.score + at.intercept;
        logit.max(0.0) + (-logit.abs()).exp().ln_1p() - target.aim * logit
    };
    targets.iter().map(one).sum::<f64>() / targets.len().max(1) as f64
}

/// Newton's method; the loss is convex, and a step that would raise it is halved.
fn newton(targets: &[Target], start: Platt) -> Platt {
    let (mut at, mut reached) = (start, loss(targets, start));
    for _ in 0..STEPS {
        // The gradient, and the Hessian with a little added to its diagonal, without which scores that are all equal leave it singular.
        let (mut by_slope, mut by_intercept) = (0.0, 0.0);
        let (mut slopes, mut both, mut intercepts) = (1e-9, 0.0, 1e-9);
        for target in targets {
            let probability = logistic(at.slope * target.score + at.intercept);
            let (wrong, weight) = (probability - target.aim, probability * (1.0 - probability));
            by_slope += wrong * target.score;
            by_intercept += wrong;
            slopes += weight * target.score * target.score;
            both += weight * target.score;
            intercepts += weight;
        }
        let determinant = slopes * intercepts - both * both;
        let (slope, intercept) = (
            (intercepts * by_slope - both * by_intercept) / determinant,
            (slopes * by_intercept - both * by_slope) / determinant,
        );
        let step =
            |length: f64| Platt { slope: at.slope - length * slope, intercept: at.intercept - length * intercept };
        let lengths = std::iter::successors(Some(1.0), |length| Some(length / 2.0)).take(30);
        let better = lengths.map(step).map(|next| (next, loss(targets, next))).find(|(_, next)| *next < reached);
        let Some((next, lower)) = better else { break };
        let gained = reached - lower;
        (at, reached) = (next, lower);
        if gained < TOLERANCE {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn told(events: impl IntoIterator<Item = (f32, bool)>) -> Vec<Told<f32>> {
        events.into_iter().map(|(said, liked)| Told { said, liked }).collect()
    }

    /// At each of two scores, the shares of likes are a quarter and three quarters; a thousand events make the extra one that goes the
    /// other way negligible.
    #[test]
    fn two_scores_get_their_shares() {
        let events =
            (0..2000).map(|at| (if at % 2 == 0 { 2.5 } else { 4.5 }, (at / 2) % 4 < if at % 2 == 0 { 1 } else { 3 }));
        let platt = Platt::fit(&told(events));
        assert!(
            (platt.probability(2.5) - 0.25).abs() < 2e-3 && (platt.probability(4.5) - 0.75).abs() < 2e-3,
            "{platt:?}"
        );
        assert!((platt.probability(3.5) - 0.5).abs() < 2e-3, "{platt:?}");
    }

    /// Scores that tell the kinds apart, scores that are all equal, likes alone, and nothing at all.
    #[test]
    fn every_fit_is_finite() {
        let apart = Platt::fit(&told([(1.0, false), (2.0, false), (4.0, true), (5.0, true)]));
        assert!(apart.probability(1.0) < 0.3 && apart.probability(5.0) > 0.7 && apart.slope.is_finite(), "{apart:?}");
        let equal = Platt::fit(&told([(3.0, false), (3.0, true), (3.0, true)]));
        assert!((equal.probability(3.0) - 0.6).abs() < 0.1, "{equal:?}");
        let likes = Platt::fit(&told([(3.0, true), (4.0, true), (5.0, true)]));
        assert!(likes.probability(3.5) > 0.7 && likes.slope.is_finite(), "{likes:?}");
        assert_eq!(Platt::fit(&[]).probability(4.0), 0.5);
        assert!(!apart.probability(1e6).is_nan() && !apart.probability(-1e6).is_nan());
    }
}
