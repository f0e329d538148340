//! Protocol P3, the reaction: how likely a held-out user is to like a movie that they watch, by what they watched
//! before. It is measured twice: with the ratings of the history known, and with clicks alone.

use anyhow::{Result, ensure};
use serde::Serialize;
use watchnext::catalog::MovieIndex;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::bootstrap::{Figure, Share, interval, interval_of};
use super::replay::{Replay, replay};
use crate::data::{Event, User};

/// How many of a user's events come before the first that is predicted.
pub const EVENTS_BEFORE: usize = 10;

/// Bins of equal width that probabilities are counted in.
pub const BINS: usize = 10;

/// The figures' names in JSON, in the order of [`Reactions::named`].
pub const FIGURES: [&str; 4] = ["auc", "auc_within", "logloss", "ece"];

/// Says how likely a like is.
pub trait ReactionScorer: Send + Sync {
    /// The probability, 0 to 1, that a user with this `history` gives `movie` 4.0 stars or more after watching it at
    /// `moment`. The history is whole and so may be longer than a model's.
    ///
    /// # Errors
    /// If the method fails; the evaluation then stops.
    fn like(&self, history: &History, movie: MovieIndex, moment: &LocalTime) -> Result<f32>;
}

/// A prediction of one event, with its outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction<T> {
    /// The prediction, made from the history before the event.
    pub value: T,
    /// Whether the movie was liked.
    pub liked: bool,
}

/// The predicted events of each user, in the order of the users and of time.
pub type Predictions = Vec<Vec<Prediction<f32>>>;

/// Protocol P3's figures of one method, with the ratings of the history known or with clicks alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reactions {
    /// How many events were predicted.
    pub events: usize,
    /// How many of them were likes.
    pub likes: usize,
    /// The area under the receiver operating characteristic over all events: how often a like has a higher probability
    /// than another event, ties counting half (Hanley and McNeil 1982).
    pub auc: Figure,
    /// The same within each user who has both kinds of events, the mean over those users; 0 if there are none.
    pub auc_within: Figure,
    /// How many users that mean is over.
    pub users_within: usize,
    /// The mean negative logarithm of the probability of the actual outcome (cross entropy).
    pub logloss: Figure,
    /// The expected calibration error (Naeini, Cooper and Hauskrecht 2015): the distance between a bin's mean
    /// probability and its share of likes, averaged over events. It has no interval: resampling adds noise to every
    /// bin, which only raises it.
    pub ece: f64,
    /// Each bin's share of likes, for the picture.
    pub reliability: Vec<Bin>,
    /// Each user's part of `auc_within`, for comparing methods user by user.
    #[serde(skip)]
    pub within_by_user: Vec<Share>,
}

/// The events whose probabilities fall into one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Bin {
    /// The mean probability, 0 for an empty bin.
    pub predicted: f64,
    /// The share of likes, 0 for an empty bin.
    pub liked: f64,
    /// How many events there are.
    pub events: usize,
}

impl Reactions {
    /// The figures of some users' predictions; `None` if all events are of one kind, so that there is nothing to
    /// predict.
    pub fn new(users: &[Vec<Prediction<f32>>]) -> Option<Self> {
        let ranked = Ranked::new(users);
        let everyone = vec![1.0; users.len()];
        let whole = ranked.area(&everyone)?;
        let auc = interval_of(users.len(), &|picks| {
            let mut times = vec![0.0; users.len()];
            for pick in picks {
                if let Some(times) = times.get_mut(*pick) {
                    *times += 1.0;
                }
            }
            // A resample may hold one kind of events alone, which has no area.
            ranked.area(&times).unwrap_or(whole)
        });
        let within = users.iter().filter_map(|user| Ranked::new(std::slice::from_ref(user)).area(&[1.0]));
        let within_by_user: Vec<Share> = within.map(Share::once).collect();
        let losses: Vec<Share> =
            users.iter().map(|user| Share { sum: user.iter().map(log_loss).sum(), terms: user.len() }).collect();
        let reliability = reliability(users);
        let events = users.iter().map(Vec::len).sum();
        let error = |bin: &Bin| (bin.predicted - bin.liked).abs() * bin.events as f64;
        Some(Self {
            events,
            likes: users.iter().flatten().filter(|event| event.liked).count(),
            auc,
            auc_within: interval(&within_by_user),
            users_within: within_by_user.len(),
            logloss: interval(&losses),
            ece: reliability.iter().map(error).sum::<f64>() / events as f64,
            reliability,
            within_by_user,
        })
    }

    /// The figures with their names in JSON.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        FIGURES.into_iter().zip([self.auc.mean, self.auc_within.mean, self.logloss.mean, self.ece])
    }
}

/// Protocol P3 on `users`: each user's events from the 11th on, at most `most` of them, evenly spread, or all. They are
/// predicted from all watches before the event, which bear ratings only if `ratings_known`. The moment is the event's
/// own, in UTC.
///
/// # Errors
/// If the scorer fails, or its answer isn't a probability.
pub fn reactions(
    scorer: &dyn ReactionScorer,
    users: &[User],
    ratings_known: bool,
    most: Option<usize>,
) -> Result<Predictions> {
    some_events(users, ratings_known, most, |history, event| {
        let moment = LocalTime::from_unix(event.timestamp, 0)?;
        let like = scorer.like(history, event.movie, &moment)?;
        // NaN is in no range.
        ensure!(
            (0.0..=1.0).contains(&like),
            "a method gave movie {} the probability {like} after {} movies; probabilities must be from 0 to 1",
            event.movie.get(),
            history.len()
        );
        Ok(like)
    })
}

/// Predicts each event that the protocol measures from the history before it. A click is no reaction, so events without
/// a rating are left out.
pub(crate) fn each_event<T: Send>(
    users: &[User],
    ratings_known: bool,
    predict: impl Fn(&History, &Event) -> Result<T> + Sync,
) -> Result<Vec<Vec<Prediction<T>>>> {
    some_events(users, ratings_known, None, predict)
}

/// As [`each_event`], at most `most` events of each user.
fn some_events<T: Send>(
    users: &[User],
    ratings_known: bool,
    most: Option<usize>,
    predict: impl Fn(&History, &Event) -> Result<T> + Sync,
) -> Result<Vec<Vec<Prediction<T>>>> {
    let is_rated = |event: &Event| event.rating.is_some();
    replay(users, Replay { ratings_known, skipped: EVENTS_BEFORE, most }, is_rated, |history, event| {
        Ok(Prediction { value: predict(history, event)?, liked: event.liked() })
    })
}

/// An event's part of the log loss. Probabilities are kept an `f32` epsilon away from 0 and 1, or a single mistake
/// would make the mean infinite.
pub(crate) fn log_loss(prediction: &Prediction<f32>) -> f64 {
    let least = f64::from(f32::EPSILON);
    let like = f64::from(prediction.value).clamp(least, 1.0 - least);
    if prediction.liked { -like.ln() } else { -(1.0 - like).ln() }
}

fn reliability(users: &[Vec<Prediction<f32>>]) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); BINS];
    for prediction in users.iter().flatten() {
        let place = (f64::from(prediction.value) * BINS as f64) as usize;
        // A probability of 1 belongs to the last bin.
        if let Some(bin) = bins.get_mut(place.min(BINS - 1)) {
            bin.predicted += f64::from(prediction.value);
            bin.liked += f64::from(u8::from(prediction.liked));
            bin.events += 1;
        }
    }
    for bin in &mut bins {
        let events = bin.events.max(1) as f64;
        (bin.predicted, bin.liked) = (bin.predicted / events, bin.liked / events);
    }
    bins
}

/// The events of some users by ascending probability. They are sorted once for all resamples, which only weight users
/// differently.
struct Ranked(Vec<Place>);

struct Place {
    /// Whose event it is.
    user: usize,
    liked: bool,
    /// Whether it has the probability of the event before.
    tied: bool,
}

impl Ranked {
    fn new(users: &[Vec<Prediction<f32>>]) -> Self {
        let mut events: Vec<(usize, Prediction<f32>)> = Vec::with_capacity(users.iter().map(Vec::len).sum());
        for (user, predictions) in users.iter().enumerate() {
            events.extend(predictions.iter().map(|prediction| (user, *prediction)));
        }
        events.sort_by(|left, right| left.1.value.total_cmp(&right.1.value));
        let mut before = f32::NAN;
        let place = |(user, prediction): (usize, Prediction<f32>)| {
            let tied = prediction.value == std::mem::replace(&mut before, prediction.value);
            Place { user, liked: prediction.liked, tied }
        };
        Self(events.into_iter().map(place).collect())
    }

    /// The area under the curve with every user's events weighted by `weights[user]`, in one pass. `None` if either
    /// kind of events has no weight.
    fn area(&self, weights: &[f64]) -> Option<f64> {
        let (mut likes, mut others, mut pairs) = (0.0, 0.0, 0.0);
        // The weights of events of equal probability.
        let (mut tied_likes, mut tied_others) = (0.0, 0.0);
        let mut close = |tied_likes: &mut f64, tied_others: &mut f64| {
            pairs += *tied_likes * (others + *tied_others / 2.0);
            likes += std::mem::take(tied_likes);
            others += std::mem::take(tied_others);
        };
        for place in &self.0 {
            if !place.tied {
                close(&mut tied_likes, &mut tied_others);
            }
            let weight = weights.get(place.user).copied().unwrap_or_default();
            *(if place.liked { &mut tied_likes } else { &mut tied_others }) += weight;
        }
        close(&mut tied_likes, &mut tied_others);
        (likes > 0.0 && others > 0.0).then(|| pairs / (likes * others))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use std::sync::Mutex;
    use watchnext::history::Rating;

    fn predictions(events: &[(f32, bool)]) -> Vec<Prediction<f32>> {
        events.iter().map(|(value, liked)| Prediction { value: *value, liked: *liked }).collect()
    }

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-6, "{left} against {right}");
    }

    /// The likes are at 0.5 and 0.8, the others at 0.2, 0.5 and 0.9. By hand: 0.5 beats 0.2 and ties with 0.5; 0.8
    /// beats 0.2 and 0.5. That makes 3½ of 6 pairs.
    #[test]
    fn ties_count_half() {
        let user = predictions(&[(0.9, false), (0.5, true), (0.2, false), (0.8, true), (0.5, false)]);
        let figures = Reactions::new(&[user]).unwrap();
        close(figures.auc.mean, 3.5 / 6.0);
        close(figures.auc_within.mean, 3.5 / 6.0);
        assert_eq!((figures.events, figures.likes, figures.users_within), (5, 2, 1));
        let flat = Reactions::new(&[predictions(&[(0.5, true), (0.5, false), (0.5, false)])]).unwrap();
        close(flat.auc.mean, 0.5);
    }

    /// The first user's like is below the second's other event, so the order is right within users but not over all
    /// events. The third user likes everything and counts only over all events.
    #[test]
    fn within_users_is_not_over_all_events() {
        let users = [
            predictions(&[(0.1, false), (0.2, true)]),
            predictions(&[(0.8, false), (0.9, true)]),
            predictions(&[(0.3, true)]),
        ];
        let figures = Reactions::new(&users).unwrap();
        close(figures.auc_within.mean, 1.0);
        close(figures.auc.mean, (1.0 + 2.0 + 1.0) / 6.0);
        assert_eq!((figures.users_within, figures.within_by_user.len()), (2, 2));
        assert!(figures.auc.low < figures.auc.mean && figures.auc.mean < figures.auc.high, "{:?}", figures.auc);
    }

    #[test]
    fn a_user_who_was_drawn_twice_weighs_as_two() {
        let (one, other) =
            (predictions(&[(0.3, true), (0.6, false)]), predictions(&[(0.2, false), (0.6, true), (0.7, false)]));
        let twice = Ranked::new(&[one.clone(), one.clone(), other.clone()]).area(&[1.0; 3]).unwrap();
        close(Ranked::new(&[one, other]).area(&[2.0, 1.0]).unwrap(), twice);
    }

    #[test]
    fn one_kind_of_events_has_no_figures() {
        assert!(Reactions::new(&[predictions(&[(0.1, true), (0.9, true)])]).is_none());
        assert!(Reactions::new(&[predictions(&[(0.1, false)]), Vec::new()]).is_none());
        assert!(Reactions::new(&[]).is_none());
    }

    /// Two events share the bin from 0.2 to 0.3. One has the probability 1, which must not fall out of the bins, nor
    /// weigh infinitely when it is wrong.
    #[test]
    fn calibration_and_loss_follow_from_the_probabilities() {
        let figures =
            Reactions::new(&[predictions(&[(0.25, false), (0.29, true)]), predictions(&[(1.0, true)])]).unwrap();
        let expected = Bin { predicted: 0.27, liked: 0.5, events: 2 };
        close(figures.reliability[2].predicted, expected.predicted);
        assert_eq!((figures.reliability[2].liked, figures.reliability[2].events), (expected.liked, expected.events));
        assert_eq!(figures.reliability[9], Bin { predicted: 1.0, liked: 1.0, events: 1 });
        assert_eq!(figures.reliability.iter().map(|bin| bin.events).sum::<usize>(), 3);
        close(figures.ece, (0.23 * 2.0 + 0.0) / 3.0);
        close(figures.logloss.mean, -(0.75_f64.ln() + 0.29_f64.ln()) / 3.0);
        assert!(log_loss(&Prediction { value: 1.0, liked: false }) < 20.0);
    }

    fn user(events: usize) -> User {
        let event = |at: usize| Event {
            movie: MovieIndex::new(at).unwrap(),
            rating: Rating::new(if at.is_multiple_of(2) { 4.0 } else { 3.5 }),
            timestamp: at as i64 * 3600,
        };
        User { id: 1, events: (0..events).map(event).collect() }
    }

    /// Records its arguments.
    #[derive(Default)]
    struct Recorder(Mutex<Vec<(usize, usize, usize, u8)>>);

    impl ReactionScorer for Recorder {
        fn like(&self, history: &History, movie: MovieIndex, moment: &LocalTime) -> Result<f32> {
            let rated = history.watches().iter().filter(|watch| watch.rating.is_some()).count();
            self.0.lock().unwrap().push((history.len(), rated, movie.as_usize(), moment.hour));
            Ok(0.5)
        }
    }

    /// A user of ten events has none to predict; one of twelve has two, at hours 10 and 11.
    #[test]
    fn the_eleventh_event_is_the_first_and_clicks_bear_no_ratings() {
        let users = [user(10), user(12)];
        for known in [true, false] {
            let recorder = Recorder::default();
            let found = reactions(&recorder, &users, known, None).unwrap();
            assert_eq!(found[0], []);
            assert_eq!(found[1], predictions(&[(0.5, true), (0.5, false)]));
            let mut asked = recorder.0.into_inner().unwrap();
            asked.sort_unstable();
            let rated = |all: usize| if known { all } else { 0 };
            assert_eq!(asked, [(10, rated(10), 10, 10), (11, rated(11), 11, 11)]);
            let sampled = reactions(&Recorder::default(), &users, known, Some(1)).unwrap();
            assert_eq!(sampled[1], predictions(&[(0.5, false)]));
        }
    }

    #[test]
    fn what_is_no_probability_stops_the_evaluation() {
        struct Constant(f32);
        impl ReactionScorer for Constant {
            fn like(&self, _: &History, _: MovieIndex, _: &LocalTime) -> Result<f32> {
                Ok(self.0)
            }
        }
        for (value, named) in [(f32::NAN, "NaN"), (1.01, "1.01"), (-0.5, "-0.5"), (f32::INFINITY, "inf")] {
            let refusal = reactions(&Constant(value), &[user(11)], true, None).unwrap_err().to_string();
            assert!(refusal.contains(named) && refusal.contains("after 10 movies"), "{refusal}");
        }
    }
}
