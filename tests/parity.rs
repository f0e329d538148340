//! tract's answers equal those of the trainer's own network, for the fixture and for the shipped bundle.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod fixture;

use std::path::Path;

use fixture::Bundle;
use serde_json::Value;
use trainer::synthetic::small::SecondStage;
use watchnext::catalog::MovieId;
use watchnext::features::LocalTime;
use watchnext::history::History;
use watchnext::recommend::{Retrieval, Strategy};

/// The largest difference between two numbers of a user vector.
const TOLERANCE: f64 = 1e-4;

fn assert_parity(folder: &Path) {
    let recommender = Bundle::read(folder).load().unwrap();
    let parity: Value = serde_json::from_slice(&std::fs::read(folder.join("parity.json")).unwrap()).unwrap();
    let cases = parity["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    let first_stage = Strategy { first_stage_alone: true, ..Retrieval::Movies.into() };
    for case in cases {
        let request = &case["request"];
        let watched = request["history"].as_array().unwrap().iter().map(|watch| {
            let id = MovieId(watch["movieId"].as_u64().unwrap() as u32);
            (id, watch.get("rating").and_then(Value::as_f64).map(|stars| stars as f32))
        });
        let (history, unknown) = History::from_ids(recommender.catalog(), watched).unwrap();
        assert!(unknown.is_empty());
        let seconds = request["timeMs"].as_i64().unwrap() / 1000;
        let moment = LocalTime::from_unix(seconds, request["utcOffsetMinutes"].as_i64().unwrap() as i32).unwrap();
        let vector = recommender.user_vector(&history, &moment).unwrap();
        let expected = case["user_vector"].as_array().unwrap();
        assert_eq!(vector.len(), expected.len());
        for (found, expected) in vector.iter().zip(expected) {
            assert!((f64::from(*found) - expected.as_f64().unwrap()).abs() <= TOLERANCE, "{found} against {expected}");
        }
        let expected: Vec<u64> = case["top"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        if let Some(likes) = case.get("likes").and_then(Value::as_array) {
            let movies: Vec<_> = expected
                .iter()
                .map(|id| recommender.catalog().index_of(MovieId(u32::try_from(*id).unwrap())).unwrap())
                .collect();
            let found = recommender.reactions(&history, &moment, &movies).unwrap();
            assert_eq!(found.len(), likes.len());
            for (found, expected) in found.iter().zip(likes) {
                assert!((f64::from(found.like) - expected.as_f64().unwrap()).abs() <= TOLERANCE, "{found:?}");
            }
        }
        let top: Vec<u64> = recommender
            .suggest(&history, &moment, 10, first_stage)
            .unwrap()
            .iter()
            .map(|suggestion| u64::from(recommender.catalog().movie(suggestion.movie).unwrap().id.0))
            .collect();
        assert_eq!(top, expected);
    }
}

#[test]
fn tract_answers_as_the_trainer_for_the_shipped_bundle() {
    assert_parity(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models"));
}

#[test]
fn tract_answers_as_the_trainer_for_the_seeds_network() {
    assert_parity(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/seed-network"));
}

#[test]
fn tract_answers_as_the_trainer_for_the_fixture() {
    let folder = tempfile::tempdir().unwrap();
    trainer::synthetic::small::write_bundle(folder.path(), SecondStage::Untitled).unwrap();
    assert_parity(folder.path());
}
