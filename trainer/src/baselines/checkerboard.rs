//! Small data with a known answer: two taste groups, which every recommender must find.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
use watchnext::features::LocalTime;
use watchnext::history::{History, Rating, Watch};

use super::counts::Counts;
use super::reaction::Stars;
use super::reaction::biases::Biases;
use super::reaction::item_knn::ItemKnnStars;
use super::reaction::movie_mean::MovieMean;
use crate::data::training_set::TrainingSet;
use crate::data::{Event, User};
use crate::evaluate::tune::{Family, Statistics};

/// Even movies belong to one group and odd ones to the other.
const MOVIES: usize = 12;

/// A movie with this id and nothing else.
pub fn movie(id: u32) -> Movie {
    Movie { id: MovieId(id), key: None, title: format!("Movie {id}"), year: None, genres: Vec::new(), ratings: 0 }
}

/// Twelve movies; nobody has the last.
fn catalog() -> Catalog {
    Catalog::new(Vec::new(), (0..u32::try_from(MOVIES).unwrap()).map(movie).collect()).unwrap()
}

/// Forty users: each likes most of one group's movies and dislikes one of the other's. A method that takes any rating
/// for a like is still right most of the time.
pub fn training() -> TrainingSet {
    let event = |movie: usize, stars: f32| Event {
        movie: MovieIndex::new(movie).unwrap(),
        rating: Rating::new(stars),
        timestamp: 0,
    };
    let user = |id: usize| {
        let group = id % 2;
        let own = (0..MOVIES - 1).filter(|movie| movie % 2 == group && !(movie / 2 + id / 2).is_multiple_of(4));
        let other = (0..MOVIES - 1).filter(|movie| movie % 2 != group).nth(id % 5);
        let events = own.map(|movie| event(movie, 4.5)).chain(other.map(|movie| event(movie, 2.0))).collect();
        User { id: u32::try_from(id).unwrap(), events }
    };
    TrainingSet::new(&catalog(), (0..40).map(user).collect(), 40).unwrap()
}

/// The counts of users who like the movies of these lists, out of `movies`.
pub fn counts_of(movies: u32, lists: &[&[usize]]) -> Counts {
    let event = |movie: &usize| Event { movie: MovieIndex::new(*movie).unwrap(), rating: None, timestamp: 0 };
    let users: Vec<User> = lists.iter().map(|list| User { id: 1, events: list.iter().map(event).collect() }).collect();
    let catalog = Catalog::new(Vec::new(), (0..movies).map(movie).collect()).unwrap();
    Counts::new(&TrainingSet::new(&catalog, users, lists.len()).unwrap()).unwrap()
}

/// After clicks on two movies of a group, all its others come before any of the other group. The movie that nobody has
/// comes last or ties with the last.
fn finds_both_groups<F: Family>(family: &F, parameters: &F::Parameters) {
    let statistics = Arc::new(F::Statistics::new(&training()).unwrap());
    let scorer = family.scorer(&statistics, parameters).unwrap();
    let moment = LocalTime::from_unix(0, 0).unwrap();
    for group in 0..2 {
        let clicked = [group, group + 4].map(|row| Watch { movie: MovieIndex::new(row).unwrap(), rating: None });
        let scores = scorer.scores(&History::new(clicked), &moment).unwrap();
        assert_eq!(scores.len(), MOVIES - 2);
        assert!(scores.iter().all(|(movie, score)| score.is_finite() && *movie != group && *movie != group + 4));
        let had = scores.iter().filter(|(movie, _)| *movie != MOVIES - 1);
        let (own, other): (Vec<_>, Vec<_>) = had.partition(|(movie, _)| movie % 2 == group);
        let worst = own.iter().map(|(_, score)| *score).fold(f32::INFINITY, f32::min);
        let best = other.iter().map(|(_, score)| *score).fold(f32::NEG_INFINITY, f32::max);
        assert!(worst > best, "{} with {parameters}: {worst} against {best}", family.name());
        let nobodys = scores.iter().find(|(movie, _)| *movie == MOVIES - 1).map(|(_, score)| *score).unwrap();
        assert!(nobodys < worst, "{}: {nobodys}", family.name());
    }
}

/// `start`, and every member that differs from it in one parameter.
fn all_members_find_both_groups<F: Family>(family: &F, start: &F::Parameters) {
    use crate::evaluate::method::Selection;
    finds_both_groups(family, start);
    for axis in family.axes(&Selection::NextMovie { validation: &[] }) {
        for change in axis {
            let mut parameters = start.clone();
            change(&mut parameters);
            finds_both_groups(family, &parameters);
        }
    }
}

#[test]
fn item_knn_finds_both_groups() {
    let family = super::item_knn::ItemKnn { uses_time: true };
    all_members_find_both_groups(&family, &family.start());
}

#[test]
fn naive_bayes_finds_both_groups() {
    all_members_find_both_groups(&super::naive_bayes::NaiveBayes, &super::naive_bayes::NaiveBayes.start());
}

#[test]
fn rp3beta_finds_both_groups() {
    all_members_find_both_groups(&super::rp3beta::Rp3Beta, &super::rp3beta::Rp3Beta.start());
}

#[test]
fn ease_and_edlae_find_both_groups() {
    for denoising in [false, true] {
        let family = super::ease::Ease { denoising };
        all_members_find_both_groups(&family, &family.start());
    }
}

/// The regularisation is meant for thousands of movies. On twelve it leaves nothing of the factors, so the test has
/// its own.
#[test]
fn als_finds_both_groups() {
    use super::als::{Als, AlsParameters};
    use crate::data::incidence::Signal;
    for signal in Signal::ALL {
        for factors in [2, 4] {
            finds_both_groups(&Als, &AlsParameters { signal, factors, alpha: 2.0, lambda: 1.0, ..Als.start() });
        }
    }
}

/// Popularity can't find groups; it must only count the raters.
#[test]
fn popularity_counts_users() {
    use crate::baselines::popularity::ByPopularity;
    let training = training();
    let family = ByPopularity { uses_time: false };
    let statistics = Arc::new(Counts::new(&training).unwrap());
    let scorer = family.scorer(&statistics, &family.start()).unwrap();
    let scores = scorer.scores(&History::default(), &LocalTime::from_unix(0, 0).unwrap()).unwrap();
    for (movie, score) in scores {
        let raters =
            training.users.iter().filter(|user| user.events.iter().any(|event| event.movie.as_usize() == movie));
        assert_eq!(score, raters.count() as f32);
    }
}

/// The predicted stars for two movies of each group, own group first, after four ratings, or after four clicks.
fn stars_of_groups<S: Stars>(family: &S, group: usize, rated: bool) -> [f32; 4] {
    let statistics = S::statistics(&training());
    let movie = |row: usize| MovieIndex::new(row).unwrap();
    let watch = |(row, stars): (usize, f32)| Watch { movie: movie(row), rating: Rating::new(stars).filter(|_| rated) };
    let other = 1 - group;
    let history = History::new([(group, 4.5), (group + 4, 4.5), (other, 2.0), (other + 4, 2.0)].map(watch));
    [group + 2, group + 6, other + 2, other + 6].map(|row| S::stars(&statistics, &family.start(), &history, movie(row)))
}

/// Every movie has the same mean rating, so only neighbours find the groups, and only if ratings are known.
#[test]
fn neighbours_of_ratings_find_the_groups_and_means_do_not() {
    for group in 0..2 {
        let [own, also_own, other, also_other] = stars_of_groups(&ItemKnnStars, group, true);
        assert!(own.min(also_own) > other.max(also_other) + 0.3, "{own} {also_own} {other} {also_other}");
        assert_eq!(stars_of_groups(&MovieMean, group, true), stars_of_groups(&MovieMean, group, false));
        assert_eq!(stars_of_groups(&ItemKnnStars, group, false), stars_of_groups(&Biases, group, false));
        // Two of the four ratings are below the means, which makes the user harder to please than one who only clicked.
        let (rated, clicked) = (stars_of_groups(&Biases, group, true), stars_of_groups(&Biases, group, false));
        assert!(rated.iter().zip(&clicked).all(|(rated, clicked)| rated < clicked), "{rated:?} {clicked:?}");
    }
}
