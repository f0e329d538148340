//! The whole path on made-up movies with a known answer: a visitor who watched one taste group gets suggestions of that
//! group.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod fixture;

use fixture::{Bundle, noon, recommender};
use proptest::prelude::*;
use trainer::synthetic::small::{GROUPS, MOVIES_PER_GROUP, movie_id};
use watchnext::bundle::{Manifest, MovieEmbeddings, Role};
use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
use watchnext::error::{Error, Result};
use watchnext::history::{History, MAX_HISTORY};
use watchnext::model::{TowerInputs, UserTower};
use watchnext::recommend::{Recommender, Retrieval, Strategy, Suggestion};

fn history(ids: &[u32]) -> History {
    let (history, unknown) =
        History::from_ids(recommender().catalog(), ids.iter().map(|id| (MovieId(*id), None))).unwrap();
    assert!(unknown.is_empty());
    history
}

fn id_of(suggestion: &Suggestion) -> u32 {
    recommender().catalog().movie(suggestion.movie).unwrap().id.0
}

/// The checkerboard: after five clicks in a group, at least eight of ten suggestions belong to it, by either retrieval.
#[test]
fn each_taste_group_is_found() {
    for (group, genre) in GROUPS.into_iter().enumerate() {
        let clicked: Vec<u32> = [2, 7, 11, 19, 23].map(|movie| movie_id(group, movie)).to_vec();
        for retrieval in [Retrieval::Movies, Retrieval::States] {
            let found = recommender().suggest(&history(&clicked), &noon(), 10, retrieval).unwrap();
            let own = found.iter().filter(|suggestion| id_of(suggestion) / 100 == group as u32 + 1).count();
            assert!(own >= 8, "{genre} by {retrieval:?}: {own} of {}", found.len());
        }
    }
}

/// The order over movies is the softmax's: user vector times embedding plus bias, computed here in double precision.
#[test]
fn movies_come_in_the_order_of_the_softmax() {
    let bundle = Bundle::fresh();
    let len = recommender().catalog().len();
    let movies =
        MovieEmbeddings::from_safetensors(bundle.file(Role::Movies), len, recommender().manifest().dim).unwrap();
    for clicked in [vec![], vec![movie_id(0, 0)], (0..20).map(|movie| movie_id(2, movie)).collect()] {
        let history = history(&clicked);
        let vector = recommender().user_vector(&history, &noon()).unwrap();
        let score = |row: usize| -> f64 {
            let products =
                movies.embedding.row(row).iter().zip(&vector).map(|(l, r)| f64::from(*l) * f64::from(*r)).sum::<f64>();
            products + f64::from(movies.bias[row])
        };
        let found = recommender().suggest(&history, &noon(), len, Retrieval::Movies).unwrap();
        assert_eq!(found.len(), len - clicked.len());
        for pair in found.windows(2) {
            assert!(score(pair[0].movie.as_usize()) >= score(pair[1].movie.as_usize()) - 1e-4);
        }
        assert!(found.iter().all(|found| (f64::from(found.score) - score(found.movie.as_usize())).abs() < 1e-3));
    }
}

#[test]
fn the_shares_of_the_votes_are_shares() {
    let found = recommender().suggest(&history(&[movie_id(1, 4)]), &noon(), 50, Retrieval::States).unwrap();
    assert!(found.iter().map(|found| found.score).sum::<f32>() <= 1.0 + 1e-5);
    assert!(found.iter().all(|found| found.score > 0.0));
}

#[test]
fn a_rating_changes_the_answer() {
    let rated = |stars: f32| {
        let watched = [(MovieId(movie_id(0, 1)), Some(stars)), (MovieId(movie_id(3, 1)), None)];
        let (history, _) = History::from_ids(recommender().catalog(), watched).unwrap();
        let found = recommender().suggest(&history, &noon(), 20, Retrieval::Movies).unwrap();
        found.iter().filter(|suggestion| id_of(suggestion) / 100 == 1).count()
    };
    assert!(rated(5.0) > rated(0.5), "{} with 5 stars, {} with half a star", rated(5.0), rated(0.5));
}

#[test]
fn states_must_be_loaded_first() {
    let bundle = Bundle::fresh();
    let manifest = serde_json::to_vec(&bundle.manifest).unwrap();
    let mut recommender = Recommender::load(&manifest, |role| Some(bundle.file(role))).unwrap();
    assert_eq!(recommender.retrievals(), [Retrieval::Movies]);
    let error = recommender.suggest(&History::default(), &noon(), 1, Retrieval::States).unwrap_err();
    assert_eq!(error.code(), "states-not-loaded");
    recommender.load_states(bundle.file(Role::States)).unwrap();
    assert_eq!(recommender.retrievals(), [Retrieval::Movies, Retrieval::States]);
    assert!(recommender.suggest(&History::default(), &noon(), 1, Retrieval::States).is_ok());
}

#[test]
fn unknown_movies_are_told_and_wrong_ratings_refused() {
    let catalog = recommender().catalog();
    let (history, unknown) =
        History::from_ids(catalog, [(MovieId(1), None), (MovieId(movie_id(0, 0)), Some(4.5)), (MovieId(2), Some(1.0))])
            .unwrap();
    assert_eq!((history.len(), unknown), (1, vec![MovieId(1), MovieId(2)]));
    for stars in [0.0, 5.5, f32::NAN, -1.0, f32::INFINITY] {
        let error = History::from_ids(catalog, [(MovieId(movie_id(0, 0)), Some(stars))]).unwrap_err();
        assert_eq!(error.code(), "rating-invalid");
    }
}

#[test]
fn the_later_watch_of_a_movie_counts() {
    let catalog = recommender().catalog();
    let ids = [(MovieId(movie_id(0, 0)), None), (MovieId(movie_id(0, 1)), None), (MovieId(movie_id(0, 0)), Some(5.0))];
    let (history, _) = History::from_ids(catalog, ids).unwrap();
    let rows: Vec<(usize, bool)> =
        history.watches().iter().map(|watch| (watch.movie.as_usize(), watch.rating.is_some())).collect();
    assert_eq!(rows, [(1, false), (0, true)]);
}

#[test]
fn limits_outside_the_catalogue_are_errors() {
    let len = recommender().catalog().len();
    for limit in [0, len + 1, usize::MAX] {
        let error = recommender().suggest(&History::default(), &noon(), limit, Retrieval::Movies).unwrap_err();
        assert_eq!(error, Error::LimitInvalid { limit, most: len });
    }
}

#[test]
fn a_novelty_outside_0_to_1_is_an_error() {
    for novelty in [-0.1, 1.1, f32::INFINITY] {
        let strategy = Strategy { novelty, ..Retrieval::Movies.into() };
        let error = recommender().suggest(&History::default(), &noon(), 3, strategy).unwrap_err();
        assert_eq!(error, Error::NoveltyInvalid { novelty });
    }
    let strategy = Strategy { novelty: f32::NAN, ..Retrieval::Movies.into() };
    let error = recommender().suggest(&History::default(), &noon(), 3, strategy).unwrap_err();
    assert_eq!(error.code(), "novelty-invalid");
}

/// A tower with the same answer for everybody.
#[derive(Debug)]
struct Narrow;

impl UserTower for Narrow {
    fn dim(&self) -> usize {
        3
    }
    fn embed(&self, _: &TowerInputs) -> Result<Vec<f32>> {
        Ok(vec![1.0; 3])
    }
}

fn manifest() -> Manifest {
    serde_json::from_value(Bundle::fresh().manifest).unwrap()
}

/// Nine movies in two groups of unlike vectors, with these scores and ratings by a hundred users.
fn of_scores(scores: [f32; 9], ratings: [u32; 9]) -> Recommender {
    let movie = |(row, ratings): (u32, u32)| Movie {
        id: MovieId(row),
        key: None,
        title: format!("Movie {row}"),
        year: None,
        genres: vec![],
        ratings,
    };
    let catalog = Catalog::new(vec![], (0..).zip(ratings).map(movie).collect()).unwrap();
    let embedding =
        ndarray::Array2::from_shape_fn((9, 3), |(row, column)| if column == row % 3 { scores[row] } else { 0.0 });
    let mut manifest = manifest();
    manifest.training.users = 100;
    let movies = MovieEmbeddings { embedding, bias: vec![0.0; 9] };
    Recommender::from_parts(manifest, catalog, Box::new(Narrow), &movies).unwrap()
}

/// Most have seen movies 0, 1 and 3. Without the knob the order is that of the scores. With it, the first two famous
/// movies stay, and the third goes behind movie 2.
#[test]
fn the_knob_brings_what_the_visitor_has_not_seen() {
    let scores = [5.0, 4.9, 4.6, 4.8, 0.1, 0.1, 0.1, 0.1, 0.1];
    let recommender = of_scores(scores, [90, 90, 1, 90, 1, 1, 1, 1, 1]);
    let first = |novelty: f32| -> Vec<usize> {
        let strategy = Strategy { novelty, ..Retrieval::Movies.into() };
        let found = recommender.suggest(&History::default(), &noon(), 4, strategy).unwrap();
        found.iter().map(|suggestion| suggestion.movie.as_usize()).collect()
    };
    assert_eq!(first(0.0), [0, 1, 3, 2]);
    assert_eq!(first(0.3), [0, 1, 2, 3]);
}

/// Nobody has seen anything. Movies 0 and 3 have vectors of equal direction, movie 1 another.
#[test]
fn the_knob_brings_what_is_unlike() {
    let recommender = of_scores([5.0, 4.5, 0.1, 4.8, 0.1, 0.1, 0.1, 0.1, 0.1], [0; 9]);
    let first = |novelty: f32| -> Vec<usize> {
        let strategy = Strategy { novelty, ..Retrieval::Movies.into() };
        let found = recommender.suggest(&History::default(), &noon(), 3, strategy).unwrap();
        found.iter().map(|suggestion| suggestion.movie.as_usize()).collect()
    };
    assert_eq!(first(0.0), [0, 3, 1]);
    assert_eq!(first(0.5), [0, 1, 3]);
}

/// The wall holds the movies that the scores say were seen, none that is in the list or beside it; before the first
/// click it is the catalogue's.
#[test]
fn the_wall_follows_the_visitor() {
    let wall = |watched: &[u32], exclude: &[usize], limit: usize| -> Vec<u32> {
        let exclude: Vec<MovieIndex> = exclude.iter().filter_map(|row| MovieIndex::new(*row)).collect();
        let found = recommender().wall(&history(watched), &noon(), &exclude, limit).unwrap();
        found.iter().map(|movie| recommender().catalog().movie(*movie).unwrap().id.0).collect()
    };
    let ids: Vec<u32> = recommender().catalog().wall(8).iter().map(|movie| movie.get()).collect();
    let first: Vec<u32> = ids.iter().map(|row| recommender().catalog().movies()[*row as usize].id.0).collect();
    assert_eq!(wall(&[], &[], 8), first);
    let watched: Vec<u32> = (0..4).map(|movie| movie_id(1, movie)).collect();
    let found = wall(&watched, &[], 8);
    let of_group = found.iter().filter(|id| (movie_id(1, 0)..movie_id(1, MOVIES_PER_GROUP)).contains(id)).count();
    assert!(of_group >= 6 && found.iter().all(|id| !watched.contains(id)), "{found:?}");
    let beside = recommender().catalog().index_of(MovieId(found[0])).unwrap().as_usize();
    assert!(!wall(&watched, &[beside], 8).contains(&found[0]));
}

#[test]
fn a_history_has_an_end() {
    let catalog = recommender().catalog();
    let of = |known: usize, unknown: usize| {
        let known = std::iter::repeat_n((MovieId(movie_id(0, 0)), None), known);
        let unknown = std::iter::repeat_n((MovieId(1), None), unknown);
        History::from_ids(catalog, known.chain(unknown)).map_err(|error| error.code())
    };
    for (known, unknown) in [(MAX_HISTORY, 0), (0, MAX_HISTORY), (2, MAX_HISTORY - 2)] {
        assert_eq!(of(known, unknown).unwrap().1.len(), unknown);
        assert_eq!(of(known + 1, unknown).unwrap_err(), "history-invalid");
        assert_eq!(of(known, unknown + 1).unwrap_err(), "history-invalid");
    }
    assert!(History::default().is_empty() && !of(1, 0).unwrap().0.is_empty());
}

#[test]
fn a_tower_of_another_width_does_not_fit() {
    let movie = Movie { id: MovieId(1), key: None, title: "Heat".to_owned(), year: None, genres: vec![], ratings: 0 };
    let catalog = Catalog::new(vec![], vec![movie]).unwrap();
    let of_width = |dim| MovieEmbeddings { embedding: ndarray::Array2::ones((1, dim)), bias: vec![0.0] };
    let load = |dim| Recommender::from_parts(manifest(), catalog.clone(), Box::new(Narrow), &of_width(dim));
    assert_eq!(load(4).unwrap_err().code(), "shape-mismatch");
    let found = load(3).unwrap().suggest(&History::default(), &noon(), 1, Retrieval::Movies).unwrap();
    assert_eq!(found, [Suggestion { movie: MovieIndex::new(0).unwrap(), score: 3.0, like: None, lift: None }]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_watched_movie_never_comes_back(
        clicked in prop::collection::btree_set((0..GROUPS.len(), 0..MOVIES_PER_GROUP), 0..60),
        limit in 1_usize..120,
        states in any::<bool>(),
    ) {
        let clicked: Vec<u32> = clicked.into_iter().map(|(group, movie)| movie_id(group, movie)).collect();
        let retrieval = if states { Retrieval::States } else { Retrieval::Movies };
        let found = recommender().suggest(&history(&clicked), &noon(), limit, retrieval).unwrap();
        prop_assert!(found.len() <= limit);
        prop_assert!(found.iter().all(|suggestion| !clicked.contains(&id_of(suggestion))));
        let mut movies: Vec<MovieIndex> = found.iter().map(|suggestion| suggestion.movie).collect();
        movies.sort();
        movies.dedup();
        prop_assert_eq!(movies.len(), found.len());
        prop_assert!(found.windows(2).all(|pair| pair[0].score > pair[1].score
            || (pair[0].score == pair[1].score && pair[0].movie < pair[1].movie)));
    }
}
