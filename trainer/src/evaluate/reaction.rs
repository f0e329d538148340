//! Protocol P3, the reaction: how likely a held-out user is to like a movie, given that they watch it, from what they watched
//! before. It is asked twice, with the ratings of the history known and with clicks alone.

use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde::Serialize;
use watchnext::catalog::MovieIndex;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::bootstrap::{Figure, Share, interval, interval_of};
use crate::data::split::watches;
use crate::data::{Event, User};

/// How many of a user's events come before the first that is predicted.
pub const EVENTS_BEFORE: usize = 10;

/// Bins of equal width that probabilities are counted in.
pub const BINS: usize = 10;

/// The figures' names in JSON, in the order of [`Reactions::named`].
pub const FIGURES: [&str; 4] = ["auc", "auc_within", "logloss", "ece"];

/// What the protocol measures: how likely a like is.
pub trait ReactionScorer: Send + Sync {
    /// The probability, 0 to 1, that whoever watched `history` gives `movie`, which they watch at `moment`, 4.0 stars or more.
    /// The history is whole and so may be longer than what a model sees.
    ///
    /// # Errors
    /// Whatever keeps the method from scoring; the evaluation stops.
    fn like(&self, history: &History, movie: MovieIndex, moment: &LocalTime) -> Result<f32>;
}

/// What was said of one event, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told<T> {
    /// What was said before the event.
    pub said: T,
    /// Whether the movie was liked.
    pub liked: bool,
}

/// The predicted events of each user, in the order of the users and of time.
pub type Predictions = Vec<Vec<Told<f32>>>;

/// Protocol P3's figures of one method, with the ratings of the history known or with clicks alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reactions {
    /// How many events were predicted.
    pub events: usize,
    /// How many of them were likes.
    pub likes: usize,
    /// The area under the receiver operating characteristic over all events: how often a like has a higher probability than another
    /// event, ties counting half (Hanley and McNeil 1982).
    pub auc: Figure,
    /// The same within each user who has both kinds of events, the mean over those users; 0 if there are none.
    pub auc_within: Figure,
    /// How many users that mean is over.
    pub users_within: usize,
    /// The mean of the negative logarithm of the probability that was given to what happened.
    pub logloss: Figure,
    /// The expected calibration error (Naeini, Cooper and Hauskrecht 2015): how far apart the mean probability of a bin and its share of
    /// likes are, the mean over events. It has no interval: drawing users anew adds noise to every bin, which can only raise it.
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
    /// The figures of some users' predictions, or nothing where all events are of one kind, so that there is nothing to tell apart.
    pub fn new(users: &[Vec<Told<f32>>]) -> Option<Self> {
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
            // Whoever draws one user alone, who likes everything, has drawn nothing to tell apart.
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
            likes: users.iter().flatten().filter(|told| told.liked).count(),
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

/// Protocol P3 on `users`: each one's events from the 11th on, from all watches before the event, which bear ratings only if
/// `ratings_known`. The moment is the event's own, in UTC.
///
/// # Errors
/// What the method refuses, and what isn't a probability.
pub fn reactions(scorer: &dyn ReactionScorer, users: &[User], ratings_known: bool) -> Result<Predictions> {
    each_event(users, ratings_known, |history, event| {
        let moment = LocalTime::from_unix(event.timestamp, 0)?;
        let like = scorer.like(history, event.movie, &moment)?;
        // NaN is in no range.
        let watched = history.len();
        ensure!(
            (0.0..=1.0).contains(&like),
            "a method gave {:?} the probability {like} after {watched} movies",
            event.movie
        );
        Ok(like)
    })
}

/// What `say` makes of the history before each event that the protocol measures: those with ratings, since a click is no
/// reaction.
pub(crate) fn each_event<T: Send>(
    users: &[User],
    ratings_known: bool,
    say: impl Fn(&History, &Event) -> Result<T> + Sync,
) -> Result<Vec<Vec<Told<T>>>> {
    let of_user = |user: &User| -> Result<Vec<Told<T>>> {
        let mut watched = watches(&user.events);
        if !ratings_known {
            watched.iter_mut().for_each(|watch| watch.rating = None);
        }
        let told = |(at, event): (usize, &Event)| {
            let history = History::new(watched.get(..at).unwrap_or_default().iter().copied());
            Ok(Told { said: say(&history, event)?, liked: event.liked() })
        };
        // Users' lists differ a hundredfold in length, so the events of one user are shared out as well.
        let rated = user.events.par_iter().enumerate().skip(EVENTS_BEFORE).with_min_len(16);
        rated.filter(|(_, event)| event.rating.is_some()).map(told).collect()
    };
    users.par_iter().map(of_user).collect()
}

/// What an event adds to the log loss. No probability is taken for a certainty that an `f32` can't tell from one, or a single
/// mistake would make the mean infinite.
pub(crate) fn log_loss(told: &Told<f32>) -> f64 {
    let least = f64::from(f32::EPSILON);
    let like = f64::from(told.said).clamp(least, 1.0 - least);
    if told.liked { -like.ln() } else { -(1.0 - like).ln() }
}

fn reliability(users: &[Vec<Told<f32>>]) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); BINS];
    for told in users.iter().flatten() {
        let place = (f64::from(told.said) * BINS as f64) as usize;
        // A probability of 1 belongs to the last bin.
        if let Some(bin) = bins.get_mut(place.min(BINS - 1)) {
            bin.predicted += f64::from(told.said);
            bin.liked += f64::from(u8::from(told.liked));
            bin.events += 1;
        }
    }
    for bin in &mut bins {
        let events = bin.events.max(1) as f64;
        (bin.predicted, bin.liked) = (bin.predicted / events, bin.liked / events);
    }
    bins
}

/// The events of some users by ascending probability, sorted once for any number of areas in which users weigh differently.
struct Ranked(Vec<Place>);

struct Place {
    /// Whose event it is.
    user: usize,
    liked: bool,
    /// Whether its probability is that of the event before.
    tied: bool,
}

impl Ranked {
    fn new(users: &[Vec<Told<f32>>]) -> Self {
        let mut events: Vec<(usize, Told<f32>)> = Vec::with_capacity(users.iter().map(Vec::len).sum());
        for (user, told) in users.iter().enumerate() {
            events.extend(told.iter().map(|told| (user, *told)));
        }
        events.sort_by(|left, right| left.1.said.total_cmp(&right.1.said));
        let mut before = f32::NAN;
        let place = |(user, told): (usize, Told<f32>)| {
            let tied = told.said == std::mem::replace(&mut before, told.said);
            Place { user, liked: told.liked, tied }
        };
        Self(events.into_iter().map(place).collect())
    }

    /// The area under the curve with every user's events weighing `weights[user]`: one pass, whatever the weights. `None` if either
    /// kind of events has no weight.
    fn area(&self, weights: &[f64]) -> Option<f64> {
        let (mut likes, mut others, mut pairs) = (0.0, 0.0, 0.0);
        // Those of equal probability.
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

    fn told(events: &[(f32, bool)]) -> Vec<Told<f32>> {
        events.iter().map(|(said, liked)| Told { said: *said, liked: *liked }).collect()
    }

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-6, "{left} against {right}");
    }

    /// The likes at 0.5 and 0.8, the others at 0.2, 0.5 and 0.9: of six pairs two are right, one is tied and … by hand,
    /// 0.5 beats 0.2 and ties with 0.5; 0.8 beats 0.2 and 0.5. That makes 3½ of 6.
    #[test]
    fn ties_count_half() {
        let user = told(&[(0.9, false), (0.5, true), (0.2, false), (0.8, true), (0.5, false)]);
        let figures = Reactions::new(&[user]).unwrap();
        close(figures.auc.mean, 3.5 / 6.0);
        close(figures.auc_within.mean, 3.5 / 6.0);
        assert_eq!((figures.events, figures.likes, figures.users_within), (5, 2, 1));
        let flat = Reactions::new(&[told(&[(0.5, true), (0.5, false), (0.5, false)])]).unwrap();
        close(flat.auc.mean, 0.5);
    }

    /// The first user's likes are all below the second's others, so within users all is right and over all events it isn't. The
    /// third, who likes everything, counts only over all events.
    #[test]
    fn within_users_is_not_over_all_events() {
        let users = [told(&[(0.1, false), (0.2, true)]), told(&[(0.8, false), (0.9, true)]), told(&[(0.3, true)])];
        let figures = Reactions::new(&users).unwrap();
        close(figures.auc_within.mean, 1.0);
        close(figures.auc.mean, (1.0 + 2.0 + 1.0) / 6.0);
        assert_eq!((figures.users_within, figures.within_by_user.len()), (2, 2));
        assert!(figures.auc.low < figures.auc.mean && figures.auc.mean < figures.auc.high, "{:?}", figures.auc);
    }

    #[test]
    fn a_user_who_was_drawn_twice_weighs_as_two() {
        let (one, other) = (told(&[(0.3, true), (0.6, false)]), told(&[(0.2, false), (0.6, true), (0.7, false)]));
        let twice = Ranked::new(&[one.clone(), one.clone(), other.clone()]).area(&[1.0; 3]).unwrap();
        close(Ranked::new(&[one, other]).area(&[2.0, 1.0]).unwrap(), twice);
    }

    #[test]
    fn one_kind_of_events_has_no_figures() {
        assert!(Reactions::new(&[told(&[(0.1, true), (0.9, true)])]).is_none());
        assert!(Reactions::new(&[told(&[(0.1, false)]), Vec::new()]).is_none());
        assert!(Reactions::new(&[]).is_none());
    }

    /// Two events share the bin from 0.2 to 0.3 and one is certain, which must neither fall out of the bins nor weigh infinitely
    /// for being wrong.
    #[test]
    fn calibration_and_loss_follow_from_the_probabilities() {
        let figures = Reactions::new(&[told(&[(0.25, false), (0.29, true)]), told(&[(1.0, true)])]).unwrap();
        let expected = Bin { predicted: 0.27, liked: 0.5, events: 2 };
        close(figures.reliability[2].predicted, expected.predicted);
        assert_eq!((figures.reliability[2].liked, figures.reliability[2].events), (expected.liked, expected.events));
        assert_eq!(figures.reliability[9], Bin { predicted: 1.0, liked: 1.0, events: 1 });
        assert_eq!(figures.reliability.iter().map(|bin| bin.events).sum::<usize>(), 3);
        close(figures.ece, (0.23 * 2.0 + 0.0) / 3.0);
        close(figures.logloss.mean, -(0.75_f64.ln() + 0.29_f64.ln()) / 3.0);
        assert!(log_loss(&Told { said: 1.0, liked: false }) < 20.0);
    }

    fn user(events: usize) -> User {
        let event = |at: usize| Event {
            movie: MovieIndex::new(at).unwrap(),
            rating: Rating::new(if at.is_multiple_of(2) { 4.0 } else { 3.5 }),
            timestamp: at as i64 * 3600,
        };
        User { id: 1, events: (0..events).map(event).collect() }
    }

    /// Remembers what it was asked.
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
            let predictions = reactions(&recorder, &users, known).unwrap();
            assert_eq!(predictions[0], []);
            assert_eq!(predictions[1], told(&[(0.5, true), (0.5, false)]));
            let mut asked = recorder.0.into_inner().unwrap();
            asked.sort_unstable();
            let rated = |all: usize| if known { all } else { 0 };
            assert_eq!(asked, [(10, rated(10), 10, 10), (11, rated(11), 11, 11)]);
        }
    }

    #[test]
    fn what_is_no_probability_stops_the_evaluation() {
        struct Says(f32);
        impl ReactionScorer for Says {
            fn like(&self, _: &History, _: MovieIndex, _: &LocalTime) -> Result<f32> {
                Ok(self.0)
            }
        }
        for (said, named) in [(f32::NAN, "NaN"), (1.01, "1.01"), (-0.5, "-0.5"), (f32::INFINITY, "inf")] {
            let refusal = reactions(&Says(said), &[user(11)], true).unwrap_err().to_string();
            assert!(refusal.contains(named) && refusal.contains("after 10 movies"), "{refusal}");
        }
    }
}
