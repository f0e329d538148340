//! The second stage on made-up movies: chances by taste group, the order, and each refusal.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod fixture;

use std::sync::OnceLock;

use fixture::{Bundle, noon};
use prost::Message;
use safetensors::SafeTensors;
use tract_onnx::pb::{ModelProto, tensor_proto::DataType};
use trainer::synthetic::small::{GROUPS, movie_id};
use watchnext::bundle::Role;
use watchnext::catalog::{MovieId, MovieIndex};
use watchnext::features::reaction::{REACTION_FEATURES, ReactionHistory};
use watchnext::history::History;
use watchnext::ranker::{CANDIDATES, expected_value};
use watchnext::recommend::{DEFAULT_NOVELTY, Recommender, Retrieval, Strategy};
use watchnext::traits::MovieTraits;

fn recommender() -> &'static Recommender {
    static LOADED: OnceLock<Recommender> = OnceLock::new();
    LOADED.get_or_init(|| Bundle::ranked().load().unwrap())
}

fn history(watched: &[(u32, Option<f32>)]) -> History {
    let watched = watched.iter().map(|(id, stars)| (MovieId(*id), *stars));
    History::from_ids(recommender().catalog(), watched).unwrap().0
}

fn index(id: u32) -> MovieIndex {
    recommender().catalog().index_of(MovieId(id)).unwrap()
}

/// The mean chance of a like over movies of each group that these tests don't watch.
fn likes(history: &History) -> Vec<f32> {
    let mean = |group: usize| {
        let movies: Vec<MovieIndex> = (20..30).map(|movie| index(movie_id(group, movie))).collect();
        let reactions = recommender().reactions(history, &noon(), &movies).unwrap();
        assert!(reactions.iter().all(|chance| {
            ((chance.dislike + chance.neutral + chance.like) - 1.0).abs() < 1e-5 && (0.0..=1.0).contains(&chance.like)
        }));
        reactions.iter().map(|reaction| reaction.like).sum::<f32>() / 10.0
    };
    (0..GROUPS.len()).map(mean).collect()
}

/// The fixture's users like their own group's movies and dislike those of another group that they strayed into.
#[test]
fn ratings_move_the_chances_of_their_group() {
    let of = |own: usize, other: usize, known: bool| {
        let watched = |group: usize, movies: std::ops::Range<usize>, stars: f32| {
            movies.map(move |movie| (movie_id(group, movie), known.then_some(stars)))
        };
        let watched: Vec<_> = watched(own, 0..8, 4.5).chain(watched(other, 0..3, 1.5)).collect();
        let likes = likes(&history(&watched));
        likes[own] - likes[other]
    };
    for (own, other) in [(0, 1), (1, 0), (3, 2)] {
        let (known, clicked) = (of(own, other, true), of(own, other, false));
        assert!(known > 0.1 && known > clicked, "{own} against {other}: {known}, as clicks alone {clicked}");
    }
}

/// The candidates' scores are their expected values, best first while nothing is rated, and each has its chance.
#[test]
fn the_order_is_that_of_the_expected_value() {
    let watched = history(&[(movie_id(0, 0), None), (movie_id(0, 1), None), (movie_id(2, 3), None)]);
    for retrieval in [Retrieval::Movies, Retrieval::States] {
        let alone = Strategy { first_stage_alone: true, ..retrieval.into() };
        let plain = recommender().suggest(&watched, &noon(), 117, alone).unwrap();
        let ranked = recommender().suggest(&watched, &noon(), 117, retrieval).unwrap();
        assert!(plain.iter().all(|suggestion| suggestion.like.is_none()));
        assert!(ranked.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let mut both: Vec<MovieIndex> = plain.iter().map(|suggestion| suggestion.movie).collect();
        let mut same: Vec<MovieIndex> = ranked.iter().map(|suggestion| suggestion.movie).collect();
        both.sort();
        same.sort();
        assert_eq!(both, same, "the ranker loses nothing and adds nothing");
        for suggestion in &ranked {
            let before = plain.iter().find(|before| before.movie == suggestion.movie).unwrap().score;
            let score = if retrieval == Retrieval::Movies { before } else { before.ln() };
            assert!((suggestion.score - expected_value(score, suggestion.like.unwrap())).abs() < 1e-5);
        }
    }
    let short = recommender().suggest(&watched, &noon(), 5, Retrieval::Movies).unwrap();
    let long = recommender().suggest(&watched, &noon(), 117, Retrieval::Movies).unwrap();
    assert_eq!(short, long[..5], "how many are shown doesn't change who is best");
}

/// With ratings, the list doesn't contradict the chances: none below the visitor's average comes before one that isn't,
/// and none of the first comes before one whose chance is a tenth higher. The average is that of all candidates.
#[test]
fn a_rated_list_never_contradicts_its_chances() {
    let watched = history(&[(movie_id(0, 0), Some(5.0)), (movie_id(0, 1), Some(4.5)), (movie_id(2, 3), Some(1.0))]);
    for novelty in [0.0, DEFAULT_NOVELTY] {
        let strategy = Strategy { novelty, ..Retrieval::Movies.into() };
        let found = recommender().suggest(&watched, &noon(), 117, strategy).unwrap();
        let likes: Vec<f32> = found.iter().map(|suggestion| suggestion.like.unwrap()).collect();
        let average = likes.iter().sum::<f32>() / likes.len() as f32;
        for suggestion in &found {
            assert!((suggestion.lift.unwrap() - (suggestion.like.unwrap() - average)).abs() < 1e-4);
        }
        let first_below = found.iter().position(|suggestion| suggestion.lift.unwrap() < 0.0).unwrap();
        assert!(first_below > 0 && found[first_below..].iter().all(|suggestion| suggestion.lift.unwrap() < 0.0));
        let first = &likes[..first_below.min(24)];
        for (at, like) in first.iter().enumerate() {
            assert!(first[at..].iter().all(|behind| behind - like < 0.1), "{first:?} at {at}");
        }
    }
}

/// A quarter of the logarithm of the chance, by hand. A chance of 0 has the lowest value, which is finite.
#[test]
fn a_like_counts_a_quarter_of_its_logarithm() {
    assert!((expected_value(2.0, 0.5) - (2.0 - 0.25 * std::f32::consts::LN_2)).abs() < 1e-6);
    assert_eq!(expected_value(-3.0, 1.0), -3.0);
    assert!(expected_value(0.0, 0.0).is_finite() && expected_value(0.0, 0.0) < expected_value(0.0, 1e-30));
}

/// The model takes two hundred movies at once. Neither the order of the movies nor the smaller last batch matters.
#[test]
fn more_movies_than_a_batch_are_answered_one_by_one() {
    let watched = history(&[(movie_id(1, 2), Some(4.5)), (movie_id(3, 4), Some(1.0))]);
    let all: Vec<MovieIndex> = (0..recommender().catalog().len()).filter_map(MovieIndex::new).collect();
    let many: Vec<MovieIndex> = all.iter().rev().cycle().take(2 * CANDIDATES + 30).copied().collect();
    let alone = recommender().reactions(&watched, &noon(), &all).unwrap();
    let found = recommender().reactions(&watched, &noon(), &many).unwrap();
    assert_eq!(found.len(), many.len());
    for (movie, found) in many.iter().zip(&found) {
        assert!((found.like - alone[movie.as_usize()].like).abs() < 1e-6, "{movie:?}: {found:?}");
    }
}

/// Without the second stage there is a clear error. An empty history isn't one.
#[test]
fn an_unloaded_ranker_is_an_error_and_an_empty_history_is_not() {
    let first_stage = Bundle::fresh().load().unwrap();
    let nobody = History::default();
    assert_eq!(first_stage.reactions(&nobody, &noon(), &[index(100)]).unwrap_err().code(), "ranker-not-loaded");
    assert_eq!(first_stage.similar(index(100), 3).unwrap_err().code(), "ranker-not-loaded");
    assert!(likes(&nobody).iter().all(|like| (0.2..=0.99).contains(like)));
}

/// In the fixture every movie shares a genre with its group and a word with some others.
#[test]
fn similar_movies_share_genre_and_words_and_leave_out_the_movie_itself() {
    let own = index(movie_id(0, 0));
    let similar = recommender().similar(own, 200).unwrap();
    assert_eq!(similar.len(), recommender().catalog().len() - 1);
    assert!(!similar.contains(&own));
    let catalog = recommender().catalog();
    let first = catalog.movie(similar[0]).unwrap();
    assert_eq!(first.genres, catalog.movie(own).unwrap().genres);
    let word = |title: &str| title.trim_start_matches("The ").split(' ').next().unwrap().to_owned();
    assert!(
        word(&first.title) == word(&catalog.movie(own).unwrap().title)
            || first.title.split(' ').next_back() == catalog.movie(own).unwrap().title.split(' ').next_back()
    );
}

/// The definition, over all movies. Several movies are tried, since one that shares no word with another shows little.
#[test]
fn similar_movies_are_in_the_order_of_both_likenesses_together() {
    let catalog = recommender().catalog();
    let traits = MovieTraits::from_safetensors(Bundle::ranked().file(Role::Traits), catalog).unwrap();
    for own in (0..20).map(|movie| index(movie_id(0, movie))) {
        let row = own.as_usize();
        let likeness = |other: usize| traits.titles.cosine(row, other) + traits.genre_cosine(row, other);
        let known = |other: usize| std::cmp::Reverse(catalog.movies()[other].ratings);
        let mut expected: Vec<usize> = (0..catalog.len()).filter(|other| *other != row).collect();
        expected.sort_by(|one, other| {
            likeness(*other).total_cmp(&likeness(*one)).then(known(*one).cmp(&known(*other))).then(one.cmp(other))
        });
        let found = recommender().similar(own, catalog.len()).unwrap();
        assert_eq!(found.into_iter().map(MovieIndex::as_usize).collect::<Vec<_>>(), expected);
    }
}

/// Without ratings, their columns have the values of an empty history, so clicks need no second model.
#[test]
fn clicks_have_the_ratings_columns_of_an_empty_history() {
    let bundle = Bundle::ranked();
    let catalog = recommender().catalog();
    let traits = MovieTraits::from_safetensors(bundle.file(Role::Traits), catalog).unwrap();
    let features = |history: &History| {
        ReactionHistory::new(catalog, &traits, history.watches()).features(index(movie_id(0, 9)), &noon())
    };
    let nobody = features(&History::default());
    let clicked = features(&history(&[(movie_id(0, 1), None), (movie_id(0, 2), None)]));
    let rated = features(&history(&[(movie_id(0, 1), Some(2.0)), (movie_id(0, 2), Some(4.0))]));
    for (at, name) in REACTION_FEATURES.into_iter().enumerate() {
        let of_ratings = name.starts_with("rating_") && name != "rating_spread"
            || name.starts_with("last_")
            || name.starts_with("bias_")
            || name == "taste_variance"
            || name == "rated_log";
        if of_ratings {
            assert!((nobody[at] - clicked[at]).abs() < 1e-6, "{name}");
            assert!((nobody[at] - rated[at]).abs() > 1e-6, "{name}");
        } else if name == "taste_rating" {
            // Clicks lead to a taste, and ratings correct it.
            assert!((nobody[at] - clicked[at]).abs() > 1e-6 && (clicked[at] - rated[at]).abs() > 1e-6, "{name}");
        } else {
            assert_eq!(clicked[at], rated[at], "{name}");
        }
    }
    assert!(nobody.iter().chain(&rated).all(|value| value.is_finite()));
}

/// Without `leaning` in the file, clicks lead to no taste, and nothing else changes.
#[test]
fn without_leanings_clicks_say_nothing_of_taste() {
    let bundle = Bundle::ranked();
    let catalog = recommender().catalog();
    let file = SafeTensors::deserialize(bundle.file(Role::Traits)).unwrap();
    let kept = file.tensors().into_iter().filter(|(name, _)| name != "leaning");
    let without = safetensors::serialize(kept, None).unwrap();
    let watched = history(&[(movie_id(0, 1), None), (movie_id(0, 2), None)]);
    let features = |traits: &[u8]| {
        let traits = MovieTraits::from_safetensors(traits, catalog).unwrap();
        ReactionHistory::new(catalog, &traits, watched.watches()).features(index(movie_id(0, 9)), &noon())
    };
    let (with, without) = (features(bundle.file(Role::Traits)), features(&without));
    let place = |name: &str| REACTION_FEATURES.iter().position(|feature| *feature == name).unwrap();
    assert_eq!(without[place("taste_rating")], without[place("expected_rating")]);
    let differ: Vec<&str> = REACTION_FEATURES
        .into_iter()
        .zip(with.iter().zip(&without))
        .filter(|(_, (one, other))| one != other)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(differ, ["taste_rating"]);
}

fn refusal(change: impl FnOnce(&mut Bundle)) -> &'static str {
    let mut bundle = Bundle::ranked();
    change(&mut bundle);
    bundle.load().map_or_else(|error| error.code(), |_| "loaded")
}

#[test]
fn each_defect_of_the_second_stage_has_its_error() {
    for role in [Role::Ranker, Role::Traits] {
        let halved = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2);
        assert_eq!(refusal(|bundle| bundle.damage(role, halved)), "file-size-mismatch", "{role}");
        let flipped = |bytes: &mut Vec<u8>| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        };
        assert_eq!(refusal(|bundle| bundle.damage(role, flipped)), "file-hash-mismatch", "{role}");
    }
    let left_out =
        |bundle: &mut Bundle| drop(bundle.manifest["files"].as_object_mut().unwrap().remove(Role::Ranker.as_str()));
    assert_eq!(refusal(left_out), "file-missing");
    let tower = |bundle: &mut Bundle| {
        let tower = bundle.file(Role::UserTower).to_vec();
        bundle.replace(Role::Ranker, |bytes| *bytes = tower);
    };
    assert_eq!(refusal(tower), "model-invalid");
    assert_eq!(refusal(|bundle| bundle.replace(Role::Ranker, |bytes| *bytes = b"not ONNX".to_vec())), "model-invalid");
    let nan = |bytes: &mut Vec<u8>| {
        let mut model = ModelProto::decode(&**bytes).unwrap();
        let weights = model.graph.as_mut().unwrap().initializer.iter_mut();
        let mut floats = weights.filter(|tensor| tensor.data_type == i32::from(DataType::Float));
        floats.next().unwrap().raw_data[..4].copy_from_slice(&f32::NAN.to_le_bytes());
        *bytes = model.encode_to_vec();
    };
    assert_eq!(refusal(|bundle| bundle.replace(Role::Ranker, nan)), "non-finite");
    assert_eq!(refusal(|bundle| bundle.replace(Role::Traits, |bytes| bytes.truncate(20))), "tensor-invalid");
    let states = |bundle: &mut Bundle| {
        let states = bundle.file(Role::States).to_vec();
        bundle.replace(Role::Traits, |bytes| *bytes = states);
    };
    assert_eq!(refusal(states), "tensor-invalid");
}
