//! The targets for bytes from outside: one function for each way into the library.
//!
//! Each takes any bytes, and must not panic, hang or allocate more than the caller's cap. For `fuzz/`, libFuzzer
//! chooses the bytes; for `tests/hostile.rs`, a seeded generator.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../manifest/mod.rs"]
mod small_manifest;

use std::sync::OnceLock;

use ndarray::Array2;
use tract_onnx::prelude::{IntoTValue, TVec, Tensor};
use watchnext::bundle::{Manifest, MovieEmbeddings, Role, movie_index, sha256_hex};
use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
use watchnext::error::Result;
use watchnext::features::reaction::{REACTION_WIDTH, ReactionHistory};
use watchnext::features::{HistoryInputs, LocalTime, TIME_FEATURES};
use watchnext::filter::{Fame, Filter};
use watchnext::history::{History, Rating, Watch};
use watchnext::links::Links;
use watchnext::lists::WatchedList;
use watchnext::map::MovieMap;
use watchnext::model::{TowerInputs, TractUserTower, UserTower};
use watchnext::onnx::{Input, OnnxModel};
use watchnext::ranker::{Ranker, TractRanker};
use watchnext::recommend::{Recommender, Retrieval, Strategy};
use watchnext::states::StateIndex;
use watchnext::title;
use watchnext::traits::MovieTraits;

/// A function that takes bytes.
pub type Target = fn(&[u8]);

/// All targets by their names in `fuzz/`.
pub const TARGETS: [(&str, Target); 14] = [
    ("bundle", bundle),
    ("catalog", catalog),
    ("graph", graph),
    ("links", links),
    ("list", list),
    ("manifest", manifest),
    ("map", map),
    ("movies", movies),
    ("query", query),
    ("ranker", ranker),
    ("request", request),
    ("states", states),
    ("tower", tower),
    ("traits", traits),
];

/// How many movies the catalogue of the targets' files has.
pub const MOVIES: usize = 12;

/// The length of a vector in those files.
pub const DIM: usize = 8;

/// The shape of each input of [`graph`]'s models.
pub const GRAPH_SHAPE: [usize; 2] = [3, 4];

/// A catalogue whose titles have articles, accents, numbers and second titles.
pub fn small_catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let titles = [
            "The Matrix",
            "Heat",
            "Amélie (Fabuleux destin d'Amélie Poulain, Le)",
            "Blade Runner 2049",
            "2001: A Space Odyssey",
            "Ōkami kodomo (Wolf Children)",
            "WALL·E",
            "Se7en (a.k.a. Seven)",
            "M",
            "...And Justice for All",
            "Heat",
            "Пока",
        ];
        let movie = |(row, title): (usize, &str)| Movie {
            id: MovieId(10 + 7 * u32::try_from(row).unwrap()),
            key: None,
            title: title.to_owned(),
            year: (row % 5 != 4).then(|| 1930 + 9 * u16::try_from(row).unwrap()),
            genres: (0..3_u16).filter(|genre| row >> genre & 1 == 1).collect(),
            ratings: u32::try_from(row * row).unwrap(),
        };
        let genres = ["Drama", "Comedy", "Sci-Fi"].map(str::to_owned).to_vec();
        Catalog::new(genres, titles.into_iter().enumerate().map(movie).collect()).unwrap()
    })
}

/// The links of [`small_catalog`].
pub fn small_links() -> Links {
    let numbers = |first: u32| (0..u32::try_from(MOVIES).unwrap()).map(|row| first * row).collect();
    Links::new(numbers(111), numbers(9), small_catalog()).unwrap()
}

fn moment() -> LocalTime {
    LocalTime::from_unix(1_510_000_000, 60).unwrap()
}

fn watches() -> Vec<Watch> {
    let watch = |row: usize| Watch { movie: MovieIndex::new(row).unwrap(), rating: Rating::new(row as f32 / 2.0) };
    (0..MOVIES).step_by(2).map(watch).collect()
}

pub fn manifest(bytes: &[u8]) {
    let Ok(manifest) = Manifest::from_json(bytes) else { return };
    for role in manifest.files.keys() {
        let _ = manifest.checked(*role, Some(bytes));
    }
    Manifest::from_json(&serde_json::to_vec(&manifest).unwrap()).unwrap();
}

/// The files of a bundle in one input: manifest, catalogue, movies and tower. Each but the last comes after its length
/// in four bytes.
pub fn bundle(bytes: &[u8]) {
    let mut rest = bytes;
    let mut parts = [(); 3].map(|()| {
        let (len, after) = rest.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        let (part, after) = after.split_at(after.len().min(u32::from_le_bytes(*len) as usize));
        rest = after;
        part
    });
    let [manifest, catalog, movies] = &mut parts;
    let file = |role: Role| match role {
        Role::Catalog => Some(*catalog),
        Role::Movies => Some(*movies),
        Role::UserTower => Some(rest),
        _ => None,
    };
    let _ = Recommender::load(manifest, file);
    // With the right sizes and hashes, so that loading gets as far as the contents.
    let Ok(mut described) = serde_json::from_slice::<serde_json::Value>(manifest) else { return };
    for role in [Role::Catalog, Role::Movies, Role::UserTower] {
        let entry = described.get_mut("files").and_then(|files| files.get_mut(role.as_str()));
        let Some(entry) = entry.and_then(serde_json::Value::as_object_mut) else { continue };
        let bytes = file(role).unwrap_or_default();
        entry.insert("bytes".to_owned(), bytes.len().into());
        entry.insert("sha256".to_owned(), sha256_hex(bytes).into());
    }
    let Ok(recommender) = Recommender::load(&serde_json::to_vec(&described).unwrap(), file) else { return };
    let Some(first) = recommender.catalog().movies().first().map(|movie| movie.id) else { return };
    let (history, _) = History::from_ids(recommender.catalog(), [(first, Some(4.5))]).unwrap();
    let _ = recommender.suggest(&history, &moment(), recommender.catalog().len(), Retrieval::Movies);
}

pub fn catalog(bytes: &[u8]) {
    let Ok(catalog) = Catalog::from_json(bytes) else { return };
    catalog.wall(40);
    catalog.decades();
    Fame::of_all(&catalog);
    for movie in catalog.movies().iter().take(3) {
        catalog.search(&movie.title, 5);
    }
    let again = Catalog::from_json(&catalog.to_json().unwrap()).unwrap();
    assert_eq!(catalog.movies(), again.movies());
}

pub fn links(bytes: &[u8]) {
    let Ok(links) = Links::from_json(bytes, small_catalog()) else { return };
    for row in 0..=MOVIES {
        if let Some(imdb) = links.of(MovieIndex::new(row).unwrap()).imdb {
            assert!(links.movie_of_imdb(imdb).is_some());
        }
    }
    assert_eq!(Links::from_json(&links.to_json().unwrap(), small_catalog()).unwrap(), links);
}

pub fn movies(bytes: &[u8]) {
    let _ = MovieEmbeddings::from_safetensors(bytes, MOVIES, DIM);
    let Ok(index) = movie_index(bytes, MOVIES, DIM) else { return };
    for query in [[0.5; DIM], [f32::MAX; DIM], [f32::NAN; DIM]] {
        let _ = index.search(&query, MOVIES, |row| row != 3);
    }
    index.likeness(0, MOVIES - 1);
    index.product(1, &index.mean());
}

pub fn states(bytes: &[u8]) {
    let Ok(states) = StateIndex::from_safetensors(bytes, DIM, MOVIES) else { return };
    for vector in [[0.5; DIM], [f32::MAX; DIM]] {
        let _ = states.vote(&vector, MOVIES, |row| row != 3);
    }
}

pub fn traits(bytes: &[u8]) {
    let Ok(traits) = MovieTraits::from_safetensors(bytes, small_catalog()) else { return };
    let history = ReactionHistory::new(small_catalog(), &traits, &watches());
    for row in 0..=MOVIES {
        history.features(MovieIndex::new(row).unwrap(), &moment());
        traits.genre_cosine(row, 0);
    }
}

pub fn map(bytes: &[u8]) {
    let Ok(map) = MovieMap::from_safetensors(bytes, MOVIES) else { return };
    assert!(map.positions().flatten().all(|place| (0.0..=1.0).contains(&place)));
    assert_eq!(map.positions().count(), MOVIES);
}

pub fn tower(bytes: &[u8]) {
    let Ok(tower) = TractUserTower::load(bytes, DIM, MOVIES) else { return };
    for movie in 0..=MOVIES {
        let slots = tower.slots(0);
        let movies = vec![i64::try_from(movie).unwrap(); slots];
        let weights = vec![movie as f32 - 2.5; slots];
        let history = HistoryInputs { movies, likes: weights.clone(), weights };
        let inputs = TowerInputs { history, time: [1.0; TIME_FEATURES], year: 2020.5, in_order: 1.0 };
        if let Ok(vector) = tower.embed(&inputs) {
            assert!(vector.len() == DIM && vector.iter().all(|value| value.is_finite()));
        }
    }
}

pub fn ranker(bytes: &[u8]) {
    let Ok(ranker) = TractRanker::load(bytes) else { return };
    for value in [0.5, f32::MAX, f32::NAN] {
        let _ = ranker.reactions(&[[value; REACTION_WIDTH]; 3]);
    }
}

/// A model of any known operators, whose inputs are all floats in [`GRAPH_SHAPE`].
pub fn graph(bytes: &[u8]) {
    let Ok(model) = OnnxModel::decode(bytes) else { return };
    let names: Vec<String> = model.inputs().into_iter().map(str::to_owned).collect();
    let contract: Vec<Input> = names.iter().map(|name| Input::new::<f32>(name, GRAPH_SHAPE)).collect();
    let Ok(plan) = model.runnable(&contract) else { return };
    let values: Vec<f32> = (0..12).map(|at| (at as f32 * 0.9).sin() * 3.0).collect();
    let tensor = |_: &String| Tensor::from_shape(&GRAPH_SHAPE, &values).unwrap().into_tvalue();
    let _ = plan.run(names.iter().map(tensor).collect::<TVec<_>>());
}

pub fn list(bytes: &[u8]) {
    let Ok(list) = WatchedList::read(bytes, small_catalog(), Some(&small_links())) else { return };
    assert!(list.matched.len() + list.unmatched.len() <= list.rows);
    assert!(list.matched.len() <= MOVIES);
    assert!(list.unmatched.iter().is_sorted_by_key(|unmatched| unmatched.row));
}

/// A text in the search box.
pub fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(small_catalog().search(&text, 5).len() <= 5);
    title::parse_title(&text);
}

/// A tower that returns sums of its inputs, so that a request costs no network.
struct Echo;

impl UserTower for Echo {
    fn dim(&self) -> usize {
        DIM
    }

    fn embed(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        let HistoryInputs { movies, weights, .. } = &inputs.history;
        Ok((0..DIM)
            .map(|at| movies.iter().zip(weights).skip(at).step_by(DIM).map(|(m, w)| *m as f32 * w).sum())
            .collect())
    }
}

/// A click: 32 bytes of numbers for the moment, the limit, the strategy and the filter, then eight for each watched
/// movie.
pub fn request(bytes: &[u8]) {
    static RECOMMENDER: OnceLock<Recommender> = OnceLock::new();
    let recommender = RECOMMENDER.get_or_init(|| {
        let manifest = small_manifest::small(MOVIES, DIM);
        let embedding = Array2::from_shape_fn((MOVIES, DIM), |(row, column)| ((row * DIM + column) as f32).sin());
        let movies = MovieEmbeddings { embedding, bias: vec![0.25; MOVIES] };
        Recommender::from_parts(manifest, small_catalog().clone(), Box::new(Echo), &movies).unwrap()
    });
    let Some((head, watched)) = bytes.split_first_chunk::<32>() else { return };
    let (words, _) = head.as_chunks::<4>();
    let [low, high, offset, limit, novelty, decades, genres, flags] = *words else { return };
    let seconds = i64::from_le_bytes([low, high].concat().try_into().unwrap());
    let Ok(moment) = LocalTime::from_unix(seconds, i32::from_le_bytes(offset)) else { return };
    let (pairs, _) = watched.as_chunks::<8>();
    let watched = pairs.iter().map(|[a, b, c, d, stars @ ..]| {
        (MovieId(u32::from_le_bytes([*a, *b, *c, *d])), Some(f32::from_le_bytes(*stars)).filter(|stars| *stars != 0.0))
    });
    let Ok((history, _)) = History::from_ids(recommender.catalog(), watched) else { return };
    let strategy = Strategy {
        retrieval: if flags[0] & 1 == 0 { Retrieval::Movies } else { Retrieval::States },
        novelty: f32::from_le_bytes(novelty),
        first_stage_alone: flags[0] & 2 == 0,
        in_order: flags[0] & 8 == 0,
    };
    let filter = Filter {
        genres: genres.iter().filter_map(|genre| small_catalog().genres().get(usize::from(*genre))).cloned().collect(),
        decades: if flags[0] & 4 == 0 { Vec::new() } else { vec![u16::from_le_bytes([decades[0], decades[1]])] },
        ..Filter::default()
    };
    let limit = u32::from_le_bytes(limit) as usize;
    let Ok(found) = recommender.suggest_among(&filter, &history, &moment, limit, strategy) else { return };
    assert!(found.len() <= limit && found.iter().all(|suggestion| suggestion.score.is_finite()));
    let movies: Vec<MovieIndex> = found.iter().map(|suggestion| suggestion.movie).collect();
    let _ = recommender.reasons(&history, &moment, &movies, 3);
}
