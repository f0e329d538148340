//! One click, stage by stage, on the bundle that ships: `../../models`.

use std::fs;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use watchnext::bundle::Role;
use watchnext::catalog::MovieIndex;
use watchnext::features::{HISTORY_LEN, LocalTime, history_inputs, time_features};
use watchnext::filter::Filter;
use watchnext::history::History;
use watchnext::recommend::{DEFAULT_NOVELTY, Recommender, Retrieval, Strategy};

const MODELS: &str = "../../models";

fn read(name: &str) -> Vec<u8> {
    fs::read(format!("{MODELS}/{name}")).unwrap_or_else(|error| panic!("{MODELS}/{name}: {error}"))
}

fn load(files: &[(Role, Vec<u8>)], manifest: &[u8]) -> Recommender {
    let file = |role: Role| files.iter().find(|(own, _)| *own == role).map(|(_, bytes)| bytes.as_slice());
    Recommender::load(manifest, file).expect("the shipped bundle loads")
}

fn pipeline(criterion: &mut Criterion) {
    let manifest = read("manifest.json");
    let files = [
        (Role::Catalog, read("catalog.json")),
        (Role::UserTower, read("user_tower.onnx")),
        (Role::Movies, read("movies.safetensors")),
    ];
    criterion.bench_function("load the bundle", |bench| bench.iter(|| load(&files, &manifest)));

    let mut recommender = load(&files, &manifest);
    recommender.load_ranker(&read("ranker.onnx"), &read("traits.safetensors")).expect("the shipped ranker loads");
    let wall = recommender.catalog().wall(50);
    let ids = wall.iter().filter_map(|movie| recommender.catalog().movie(*movie)).map(|movie| (movie.id, None));
    let (history, _) = History::from_ids(recommender.catalog(), ids).expect("the wall's movies are known");
    let moment = LocalTime::from_unix(1_768_417_800, 60).expect("a moment of our time");
    let strategy = Strategy { novelty: DEFAULT_NOVELTY, ..Retrieval::Movies.into() };
    let movies = recommender.catalog().len();

    criterion.bench_function("features", |bench| {
        bench.iter(|| {
            (history_inputs(black_box(history.watches()), movies, HISTORY_LEN), time_features(black_box(&moment)))
        });
    });
    criterion.bench_function("user tower", |bench| {
        bench.iter(|| recommender.user_vector(black_box(&history), &moment).expect("it runs"));
    });
    criterion.bench_function("a click, first stage", |bench| {
        let strategy = Strategy { first_stage_alone: true, ..strategy };
        bench.iter(|| recommender.suggest(black_box(&history), &moment, 12, strategy).expect("it runs"));
    });
    criterion.bench_function("a click, both stages", |bench| {
        bench.iter(|| recommender.suggest(black_box(&history), &moment, 12, strategy).expect("it runs"));
    });
    criterion.bench_function("a click, filtered", |bench| {
        let filter = Filter { genres: vec!["Comedy".to_owned()], decades: vec![1990], ..Filter::default() };
        bench.iter(|| recommender.suggest_among(&filter, black_box(&history), &moment, 12, strategy).expect("it runs"));
    });
    let suggested: Vec<MovieIndex> = recommender
        .suggest(&history, &moment, 12, strategy)
        .expect("it runs")
        .iter()
        .map(|suggestion| suggestion.movie)
        .collect();
    criterion.bench_function("reasons for 12, of 50 watched", |bench| {
        bench.iter(|| recommender.reasons(black_box(&history), &moment, &suggested, 2).expect("it runs"));
    });
    criterion.bench_function("search by title", |bench| {
        bench.iter(|| recommender.catalog().search(black_box("godfathr"), 8));
    });
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
