//! ALS from ratings to suggestions: it learns groups, packs a bundle, and gives the same bytes every time.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::LazyLock;

use trainer::bundle::packed::Packed;
use trainer::bundle::read::read_bundle;
use trainer::data::Dataset;
use trainer::models::als::solver::Settings;
use trainer::models::als::{AlsConfig, fit};
use trainer::synthetic::small::{GROUPS, MOVIES_PER_GROUP, movie_id, write_data};
use watchnext::bundle::Training;
use watchnext::catalog::MovieId;
use watchnext::features::LocalTime;
use watchnext::history::History;
use watchnext::recommend::{Recommender, Retrieval};

static DATA: LazyLock<Dataset> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    write_data(folder.path()).unwrap();
    Dataset::read(folder.path(), &[]).unwrap()
});

/// A few more factors than groups, and little regularisation, for 240 users.
fn config() -> AlsConfig {
    let settings = Settings { factors: 8, lambda: 2.0, ..AlsConfig::default().settings };
    AlsConfig { settings, ..AlsConfig::default() }
}

fn packed() -> Packed {
    let model = fit(&DATA.catalog, &DATA.users, &config()).unwrap();
    let training = Training {
        command: "test".to_owned(),
        seed: 1,
        dataset: "fixture".to_owned(),
        sources: Vec::new(),
        users: DATA.users.len(),
        ratings: DATA.ratings(),
    };
    Packed::new(&model, &DATA.catalog, "watchnext-als", training).unwrap()
}

static RECOMMENDER: LazyLock<Recommender> = LazyLock::new(|| packed().recommender().unwrap());

fn suggested(ids: &[u32]) -> Vec<u32> {
    let catalog = RECOMMENDER.catalog();
    let history = History::from_ids(catalog, ids.iter().map(|id| (MovieId(*id), None))).unwrap().0;
    let moment = LocalTime::from_unix(1_700_000_000, 0).unwrap();
    let found = RECOMMENDER.suggest(&history, &moment, 10, Retrieval::Movies).unwrap();
    found.iter().map(|suggestion| catalog.movie(suggestion.movie).unwrap().id.0).collect()
}

/// After one click, a few, and nearly as many as the group has.
#[test]
fn clicks_in_a_group_bring_the_groups_other_movies() {
    for group in 0..GROUPS.len() {
        for count in [1, 4, 18] {
            let ids: Vec<u32> = (0..count).map(|movie| movie_id(group, movie)).collect();
            let found = suggested(&ids);
            let own = found.iter().filter(|id| (movie_id(group, 0)..movie_id(group, MOVIES_PER_GROUP)).contains(id));
            assert!(own.count() >= 9, "group {group} after {count} clicks: {found:?}");
        }
    }
}

/// Without clicks the vector is 0, so the best-known movies come first.
#[test]
fn without_clicks_the_best_known_movies_come_first() {
    let mut likes = std::collections::BTreeMap::<u32, usize>::new();
    for event in DATA.users.iter().flat_map(|user| &user.events).filter(|event| event.liked()) {
        *likes.entry(DATA.catalog.movie(event.movie).unwrap().id.0).or_default() += 1;
    }
    let most = likes.values().max().copied().unwrap();
    let first = suggested(&[]).first().copied().unwrap();
    assert_eq!(likes.get(&first), Some(&most));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_the_bundle_can_be_read() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    packed().write(one.path()).unwrap();
    // One thread adds up in the same order as several.
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| packed().write(two.path())).unwrap();
    for name in ["manifest.json", "user_tower.onnx", "movies.safetensors", "parity.json"] {
        let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read(&one), read(&two), "{name}");
    }
    assert_eq!(read_bundle(one.path()).unwrap().manifest().dim, 8);
}
