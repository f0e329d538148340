//! The tower from ratings to suggestions: it learns groups, packs a bundle, and gives the same bytes every time.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::LazyLock;

use trainer::bundle::packed::Packed;
use trainer::bundle::read::read_bundle;
use trainer::data::Dataset;
use trainer::models::tower::config::{Precision, TowerConfig};
use trainer::models::tower::fit;
use trainer::synthetic::small::{GROUPS, MOVIES_PER_GROUP, movie_id, write_data};
use watchnext::bundle::Training;
use watchnext::catalog::MovieId;
use watchnext::features::LocalTime;
use watchnext::history::{History, Rating};
use watchnext::model::{TowerInputs, TractUserTower, UserTower};
use watchnext::recommend::{Recommender, Retrieval, Strategy, Suggestion};

static DATA: LazyLock<Dataset> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    write_data(folder.path()).unwrap();
    Dataset::read(folder.path(), &[]).unwrap()
});

/// Small networks and few columns, for 120 movies.
fn config() -> TowerConfig {
    let mut config = TowerConfig { click_dim: 24, sequence_dim: 16, ..TowerConfig::default() };
    config.click_members.truncate(2);
    config.sequence_members.truncate(1);
    for member in config.click_members.iter_mut().chain(&mut config.sequence_members) {
        member.width = 16;
        member.steps = 40;
    }
    config
}

fn packed(config: &TowerConfig) -> Packed {
    let (tower, _) = fit(&DATA.catalog, &DATA.users, config).unwrap();
    let training = Training {
        command: "test".to_owned(),
        seed: config.seed,
        dataset: "fixture".to_owned(),
        sources: Vec::new(),
        users: DATA.users.len(),
        ratings: DATA.ratings(),
    };
    Packed::new(&tower, &DATA.catalog, "watchnext-tower", training).unwrap()
}

static RECOMMENDER: LazyLock<Recommender> = LazyLock::new(|| packed(&config()).recommender().unwrap());

fn clicks(ids: &[u32]) -> History {
    History::from_ids(RECOMMENDER.catalog(), ids.iter().map(|id| (MovieId(*id), None))).unwrap().0
}

fn suggested(ids: &[u32], limit: usize, novelty: f32) -> Vec<u32> {
    let moment = LocalTime::from_unix(1_700_000_000, 0).unwrap();
    let strategy = Strategy { novelty, ..Retrieval::Movies.into() };
    let found = RECOMMENDER.suggest(&clicks(ids), &moment, limit, strategy).unwrap();
    found.iter().map(|suggestion| RECOMMENDER.catalog().movie(suggestion.movie).unwrap().id.0).collect()
}

/// After one click, a few, and enough for the sequence channel.
#[test]
fn clicks_in_a_group_bring_the_groups_other_movies() {
    for group in 0..GROUPS.len() {
        for count in [1, 4, 18] {
            let ids: Vec<u32> =
                (0..count).map(|movie| movie_id(group, movie * 3 % MOVIES_PER_GROUP + movie / 10)).collect();
            let found = suggested(&ids, 10, 0.0);
            let own = found.iter().filter(|id| (movie_id(group, 0)..movie_id(group, MOVIES_PER_GROUP)).contains(id));
            assert!(own.count() >= 9, "group {group} after {count} clicks: {found:?}");
        }
    }
}

/// The order of a few clicks means little: it only counts in the sequence channel's small share.
#[test]
fn the_order_of_a_few_clicks_changes_little() {
    let (one, other) = (suggested(&[100, 105, 209], 20, 0.0), suggested(&[209, 100, 105], 20, 0.0));
    let common = one.iter().filter(|id| other.contains(id)).count();
    assert!(one[0] == other[0] && common >= 17, "{one:?} and {other:?}");
}

#[test]
fn novelty_reorders_the_candidates_and_loses_none() {
    let left = DATA.catalog.len() - 2;
    let (plain, spread) = (suggested(&[100, 205], left, 0.0), suggested(&[100, 205], left, 0.8));
    assert_ne!(plain, spread);
    let sorted = |mut ids: Vec<u32>| {
        ids.sort_unstable();
        ids
    };
    assert_eq!(sorted(plain), sorted(spread), "the candidates change places and none is lost");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_the_bundle_can_be_read() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    packed(&config()).write(one.path()).unwrap();
    packed(&config()).write(two.path()).unwrap();
    for name in ["manifest.json", "user_tower.onnx", "movies.safetensors", "parity.json"] {
        let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read(&one), read(&two), "{name}");
    }
    let read = read_bundle(one.path()).unwrap();
    assert_eq!(read.manifest().dim, config().dim());
    assert_eq!(read.retrievals(), [Retrieval::Movies]);
}

/// The graph in tract, compared with the trainer's own arithmetic: after no movie, one, ten, and more than the tower
/// sees.
#[test]
fn the_graph_computes_what_the_trainer_does() {
    for precision in [Precision::Int8 { step: 0.2 }, Precision::Float] {
        let config = TowerConfig { precision, ..config() };
        let (tower, _) = fit(&DATA.catalog, &DATA.users, &config).unwrap();
        let tract = TractUserTower::load(&tower.onnx(), tower.dim(), DATA.catalog.len()).unwrap();
        for count in [0, 1, 10, 14, 70] {
            let ids: Vec<u32> = (0..count).map(|number| movie_id(number % 4, number / 4 % MOVIES_PER_GROUP)).collect();
            let history = clicks(&ids);
            let moment = LocalTime::from_unix(1_000_000_000, 0).unwrap();
            // Every third movie is rated: a like, a dislike, neither.
            let mut watches = history.watches().to_vec();
            let stars = [Some(4.5), Some(2.0), Some(3.5)].iter().cycle();
            for (watch, stars) in watches.iter_mut().step_by(3).zip(stars) {
                watch.rating = stars.and_then(Rating::new);
            }
            // With far more slots than movies too, whose padding counts for nothing.
            for (in_order, slots) in [(false, tract.slots(count)), (true, tract.slots(count)), (true, 6_250)] {
                let inputs = TowerInputs::new(&watches, DATA.catalog.len(), slots, &moment, in_order);
                let (expected, found) = (tower.user_vector(&inputs), tract.embed(&inputs).unwrap());
                let worst = found.iter().zip(&expected).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-4, "{count} movies, {precision:?}, in order {in_order}: {worst}");
            }
        }
    }
}

/// Disliked movies push their group away, and neutral ones change nothing.
#[test]
fn dislikes_push_their_kind_away() {
    let moment = LocalTime::from_unix(1_700_000_000, 0).unwrap();
    let of_group = |stars: Option<f32>| -> f32 {
        let rated = (0..4).map(|movie| (MovieId(movie_id(0, movie)), stars));
        let history = History::from_ids(RECOMMENDER.catalog(), rated).unwrap().0;
        let found = RECOMMENDER.suggest(&history, &moment, 100, Retrieval::Movies).unwrap();
        let group = movie_id(0, 0)..movie_id(0, MOVIES_PER_GROUP);
        let place = |suggestion: &Suggestion| {
            let id = RECOMMENDER.catalog().movie(suggestion.movie).unwrap().id.0;
            group.contains(&id).then_some(())
        };
        let places: Vec<usize> =
            found.iter().enumerate().filter(|(_, one)| place(one).is_some()).map(|(at, _)| at).collect();
        places.iter().sum::<usize>() as f32 / places.len().max(1) as f32
    };
    let (disliked, neutral, liked) = (of_group(Some(1.0)), of_group(Some(3.5)), of_group(Some(5.0)));
    assert!(disliked > neutral + 5.0 && neutral > liked + 5.0, "{disliked} {neutral} {liked}");
}

/// Suggestions depend on the year of the visit, after one click as well as after many, but not beyond the years of the
/// training data (2017 and 2018): today's visitors are treated like the latest users.
#[test]
fn the_year_matters_within_the_years_that_are_known() {
    let catalog = RECOMMENDER.catalog();
    let vector = |count: usize, seconds: i64| {
        let ids: Vec<u32> = (0..count).map(|number| movie_id(number % 4, number / 4 % MOVIES_PER_GROUP)).collect();
        let history = History::from_ids(catalog, ids.iter().map(|id| (MovieId(*id), None))).unwrap().0;
        RECOMMENDER.user_vector(&history, &LocalTime::from_unix(seconds, 0).unwrap()).unwrap()
    };
    let (in_1999, in_2009, in_2017, in_2018) = (915_148_800, 1_230_768_000, 1_500_000_000, 1_530_000_000);
    let (in_2024, in_2026) = (1_704_067_200, 1_767_225_600);
    for count in [1, 30] {
        assert_eq!(vector(count, in_1999), vector(count, in_2009));
        assert_ne!(vector(count, in_2017), vector(count, in_2018));
        assert_eq!(vector(count, in_2024), vector(count, in_2026));
    }
}

#[test]
fn the_losses_fall() {
    let (_, curves) = fit(&DATA.catalog, &DATA.users, &config()).unwrap();
    assert_eq!(curves.len(), 3);
    for curve in curves {
        let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
        let (first, last) = (mean(&curve.losses[..5]), mean(&curve.losses[35..]));
        assert!(last < first - 0.2, "{}: {first} to {last}", curve.name);
    }
}
