//! The native library's answers equal those of the page in a long visit. `cargo xtask soak` records the visit and then
//! runs this.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use watchnext::catalog::MovieId;
use watchnext::features::LocalTime;
use watchnext::filter::{Fame, Filter};
use watchnext::history::History;
use watchnext::recommend::{DEFAULT_LIMIT, DEFAULT_NOVELTY, Recommender, Retrieval, Strategy};

/// The two processors' kernels add in different orders, so the last digits of a score or a chance differ.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Heard {
    request: Request,
    suggestions: Vec<Shown>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    history: Vec<Watched>,
    time_ms: f64,
    utc_offset_minutes: i32,
    limit: Option<usize>,
    #[serde(default)]
    retrieval: Retrieval,
    novelty: Option<f32>,
    #[serde(default)]
    genres: Vec<String>,
    #[serde(default)]
    decades: Vec<u16>,
    fame: Option<Fame>,
    #[serde(default)]
    exclude: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Watched {
    movie_id: u32,
    rating: Option<f32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    movie_id: u32,
    score: f32,
    like: Option<f32>,
}

/// The native answer to a request of the page: id, score and chance of a like, best first.
fn answer(recommender: &Recommender, request: &Request, has_ranker: bool) -> Vec<(u32, f32, Option<f32>)> {
    let catalog = recommender.catalog();
    let watched = request.history.iter().map(|watched| (MovieId(watched.movie_id), watched.rating));
    let (history, unknown) = History::from_ids(catalog, watched).unwrap();
    assert!(unknown.is_empty());
    let moment = LocalTime::from_unix((request.time_ms / 1000.0).floor() as i64, request.utc_offset_minutes).unwrap();
    let filter = Filter {
        genres: request.genres.clone(),
        decades: request.decades.clone(),
        fame: request.fame,
        exclude: request.exclude.iter().copied().map(MovieId).collect(),
    };
    let strategy = Strategy {
        retrieval: request.retrieval,
        novelty: request.novelty.unwrap_or(DEFAULT_NOVELTY),
        first_stage_alone: !has_ranker,
        in_order: false,
    };
    let limit = request.limit.unwrap_or(DEFAULT_LIMIT).min(catalog.len());
    let suggestions = recommender.suggest_among(&filter, &history, &moment, limit, strategy).unwrap();
    let id = |movie| catalog.movie(movie).unwrap().id.0;
    suggestions.iter().map(|found| (id(found.movie), found.score, found.like)).collect()
}

#[test]
#[ignore = "reads what `cargo xtask soak` recorded"]
fn every_answer_of_the_visit_is_the_native_librarys() {
    let folder =
        PathBuf::from(std::env::var_os("WATCHNEXT_SOAK").expect("WATCHNEXT_SOAK names the recording's folder"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recommender = trainer::bundle::read::read_bundle(&root.join("models")).unwrap();
    let (mut answers, mut swapped, mut farthest, mut wrong) = (0, 0, 0.0_f32, Vec::new());
    for line in BufReader::new(File::open(folder.join("answers.jsonl")).unwrap()).lines() {
        let heard: Heard = serde_json::from_str(&line.unwrap()).unwrap();
        // The first answers of a visit have no chances, since the ranker isn't loaded yet.
        let has_ranker = heard.suggestions.first().is_some_and(|first| first.like.is_some());
        let native = answer(&recommender, &heard.request, has_ranker);
        answers += 1;
        swapped += heard.suggestions.iter().zip(&native).filter(|(shown, native)| shown.movie_id != native.0).count();
        // Two movies may change places if their values differ by less than the processors' last digits. So each movie
        // is compared with itself.
        let apart = |shown: &Shown| {
            let (_, score, like) = native.iter().find(|native| native.0 == shown.movie_id)?;
            let like_apart = match (shown.like, like) {
                (Some(one), Some(other)) => (one - other).abs(),
                (None, None) => 0.0,
                _ => return None,
            };
            Some((shown.score - score).abs().max(like_apart))
        };
        let farthest_here = heard.suggestions.iter().map(apart).try_fold(0.0_f32, |most, apart| Some(most.max(apart?)));
        match farthest_here.filter(|apart| *apart <= TOLERANCE && native.len() == heard.suggestions.len()) {
            Some(apart) => farthest = farthest.max(apart),
            None => wrong.push(format!(
                "answer {answers}: {:?} instead of {native:?}",
                heard.suggestions.iter().map(|shown| shown.movie_id).collect::<Vec<_>>()
            )),
        }
    }
    println!("{answers} answers, {} wrong, {swapped} places swapped, scores {farthest:.1e} apart at most", wrong.len());
    assert!(answers > 0, "nothing was recorded");
    assert!(wrong.is_empty(), "{} of {answers} differ, the first: {}", wrong.len(), wrong[0]);
}
