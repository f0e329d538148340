//! Platt scaling: turns a score into a probability by logistic regression on the score alone (Platt 1999), with the
//! numerical safeguards of Lin, Lin and Weng (2007).

use crate::evaluate::reaction::Prediction;

/// Newton's method stops after this many steps; five are usually enough.
const STEPS: usize = 50;

/// It stops earlier when a step lowers the mean loss by less than this.
const TOLERANCE: f64 = 1e-10;

/// `1 / (1 + exp(−(slope · score + intercept)))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Platt {
    slope: f64,
    intercept: f64,
}

/// An event's standardised score and its target probability.
struct Target {
    score: f64,
    probability: f64,
}

impl Platt {
    /// The maximum likelihood fit to `events`, whose scores must be finite. Each kind of event gets one more of the
    /// opposite outcome, so that scores that separate the kinds don't make the slope infinite. Without events every
    /// probability is ½.
    pub fn fit(events: &[Prediction<f32>]) -> Self {
        let count = events.len().max(1) as f64;
        let mean = events.iter().map(|event| f64::from(event.value)).sum::<f64>() / count;
        let variance = events.iter().map(|event| (f64::from(event.value) - mean).powi(2)).sum::<f64>() / count;
        // Standardised scores keep the two parameters from interacting. Equal scores have a deviation of 0.
        let deviation = if variance > 1e-12 { variance.sqrt() } else { 1.0 };
        let likes = events.iter().filter(|event| event.liked).count() as f64;
        let others = events.len() as f64 - likes;
        let (high, low) = ((likes + 1.0) / (likes + 2.0), 1.0 / (others + 2.0));
        let target = |event: &Prediction<f32>| Target {
            score: (f64::from(event.value) - mean) / deviation,
            probability: if event.liked { high } else { low },
        };
        let targets: Vec<Target> = events.iter().map(target).collect();
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

/// The mean cross entropy, computed from the logits, since a probability may round to 0.
fn loss(targets: &[Target], at: Platt) -> f64 {
    let cross_entropy = |target: &Target| {
        let logit = at.slope * target.score + at.intercept;
        logit.max(0.0) + (-logit.abs()).exp().ln_1p() - target.probability * logit
    };
    targets.iter().map(cross_entropy).sum::<f64>() / targets.len().max(1) as f64
}

/// Newton's method on the convex loss; a step that would raise the loss is halved until it lowers it.
fn newton(targets: &[Target], start: Platt) -> Platt {
    let (mut at, mut reached) = (start, loss(targets, start));
    for _ in 0..STEPS {
        // The gradient, and the Hessian with a small diagonal added, since equal scores leave it singular.
        let (mut by_slope, mut by_intercept) = (0.0, 0.0);
        let (mut slopes, mut both, mut intercepts) = (1e-9, 0.0, 1e-9);
        for target in targets {
            let probability = logistic(at.slope * target.score + at.intercept);
            let (wrong, weight) = (probability - target.probability, probability * (1.0 - probability));
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
        let lower = lengths.map(step).map(|next| (next, loss(targets, next))).find(|(_, next)| *next < reached);
        let Some((next, lower)) = lower else { break };
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

    fn predictions(events: impl IntoIterator<Item = (f32, bool)>) -> Vec<Prediction<f32>> {
        events.into_iter().map(|(value, liked)| Prediction { value, liked }).collect()
    }

    /// The shares of likes at two scores are a quarter and three quarters. With a thousand events at each, the added
    /// ones are negligible.
    #[test]
    fn two_scores_get_their_shares() {
        let events =
            (0..2000).map(|at| (if at % 2 == 0 { 2.5 } else { 4.5 }, (at / 2) % 4 < if at % 2 == 0 { 1 } else { 3 }));
        let platt = Platt::fit(&predictions(events));
        assert!(
            (platt.probability(2.5) - 0.25).abs() < 2e-3 && (platt.probability(4.5) - 0.75).abs() < 2e-3,
            "{platt:?}"
        );
        assert!((platt.probability(3.5) - 0.5).abs() < 2e-3, "{platt:?}");
    }

    /// Scores that separate the kinds, equal scores, likes alone, and no events.
    #[test]
    fn every_fit_is_finite() {
        let apart = Platt::fit(&predictions([(1.0, false), (2.0, false), (4.0, true), (5.0, true)]));
        assert!(apart.probability(1.0) < 0.3 && apart.probability(5.0) > 0.7 && apart.slope.is_finite(), "{apart:?}");
        let equal = Platt::fit(&predictions([(3.0, false), (3.0, true), (3.0, true)]));
        assert!((equal.probability(3.0) - 0.6).abs() < 0.1, "{equal:?}");
        let likes = Platt::fit(&predictions([(3.0, true), (4.0, true), (5.0, true)]));
        assert!(likes.probability(3.5) > 0.7 && likes.slope.is_finite(), "{likes:?}");
        assert_eq!(Platt::fit(&[]).probability(4.0), 0.5);
        assert!(!apart.probability(1e6).is_nan() && !apart.probability(-1e6).is_nan());
    }
}
