//! The build that ships gives the same numbers. `cargo xtask test` runs this in a WebAssembly engine.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod golden;
mod random;

use js_sys::{Float32Array, Object, Reflect, Uint8Array, Uint32Array};
use random::Random;
use safetensors::tensor::{Dtype, TensorView};
use serde::Serialize;
use serde_json::{Value, json};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use watchnext::bundle::{Role, sha256_hex};
use watchnext::index::{FlatIndex, Int8Index};
use watchnext::recommend::{DEFAULT_LIMIT, DEFAULT_NOVELTY};
use watchnext::wasm_api::{Recommender, use_relaxed_simd};

#[wasm_bindgen_test]
fn features_equal_the_golden_file() {
    let expected: serde_json::Value = serde_json::from_str(include_str!("golden/features.json")).unwrap();
    golden::assert_equal(&golden::compute(), &expected);
}

/// The kernel compared with the sum in double precision, for lengths that leave each possible number of registers and
/// lanes over.
#[wasm_bindgen_test]
fn the_scan_finds_the_nearest_rows() {
    let mut random = Random::new(1);
    let mut next = || 8.0 * random.signed();
    for dim in [1, 3, 4, 7, 16, 31, 76, 128, 130] {
        let table = ndarray::Array2::from_shape_fn((200, dim), |_| next());
        let query: Vec<f32> = (0..dim).map(|_| next()).collect();
        let found = FlatIndex::new(&table).unwrap().search(&query, 10, |row| row % 7 != 0).unwrap();
        let distance = |row: usize| -> f64 {
            table.row(row).iter().zip(&query).map(|(left, right)| (f64::from(*left) - f64::from(*right)).powi(2)).sum()
        };
        let mut expected: Vec<usize> = (0..200).filter(|row| row % 7 != 0).collect();
        expected.sort_by(|left, right| distance(*left).total_cmp(&distance(*right)));
        for (near, row) in found.iter().zip(&expected) {
            assert!((f64::from(near.distance) - distance(*row)).abs() <= 1e-5 * distance(*row).max(1.0));
        }
        assert_eq!(found.len(), 10);
    }
}

/// The two indexes share neither rows nor kernels. So if they agree, the products of 8 bits are right, by simd128 and
/// by relaxed SIMD. The numbers of rows leave each possible number over, and the last is more than a block.
#[wasm_bindgen_test]
fn the_index_of_8_bits_answers_as_the_flat_index_over_its_rows() {
    let mut random = Random::new(1);
    let mut next = || 8.0 * random.signed();
    for rows in [1, 2, 3, 4, 5, 700] {
        for dim in [1, 7, 16, 17, 128, 130] {
            let index = Int8Index::quantise(&ndarray::Array2::from_shape_fn((rows, dim), |_| next())).unwrap();
            let flat = FlatIndex::from_rows(dim, rows, (0..rows).map(|row| index.row(row))).unwrap();
            let query: Vec<f32> = (0..dim).map(|_| next()).collect();
            let expected = flat.search(&query, 100, |row| row % 7 != 1).unwrap();
            assert!(!expected.is_empty());
            let rounded = [false, true].map(|wanted| {
                assert_eq!(use_relaxed_simd(wanted), wanted, "this engine lacks relaxed SIMD");
                assert_eq!(index.search(&query, 100, |row| row % 7 != 1).unwrap(), expected);
                index.search_rounded(&query, 100, |_| true).unwrap()
            });
            // The two kernels round the query differently, which shows in many rows.
            assert!(rows < 700 || rounded[0] != rounded[1], "both scans took the same kernel");
            use_relaxed_simd(false);
        }
    }
}

/// The shipped model with links and a map, which it doesn't have itself. Each movie's numbers are its row and one more,
/// and the movies lie on a line.
fn recommender() -> (Recommender, Vec<u8>, Vec<u8>) {
    let mut manifest: Value = serde_json::from_slice(include_bytes!("../models/manifest.json")).unwrap();
    let movies = manifest["movies"].as_u64().unwrap() as u32;
    let imdb: Vec<u32> = (0..movies).collect();
    let tmdb: Vec<u32> = (0..movies).map(|row| if row == 0 { 0 } else { row + 1 }).collect();
    let links = serde_json::to_vec(&json!({"imdb": imdb, "tmdb": tmdb})).unwrap();
    let numbers: Vec<u8> = (0..movies).flat_map(|row| [row as u16, 65_535]).flat_map(u16::to_le_bytes).collect();
    let position = TensorView::new(Dtype::U16, vec![movies as usize, 2], &numbers).unwrap();
    let map = safetensors::serialize([("position", position)], None).unwrap();
    for (role, bytes) in [(Role::Links.as_str(), &links), (Role::Map.as_str(), &map)] {
        manifest["files"][role] =
            json!({"path": role, "bytes": bytes.len(), "sha256": sha256_hex(bytes), "optional": true});
    }
    let files = Object::new();
    let bytes: [(&str, &[u8]); 3] = [
        ("catalog", include_bytes!("../models/catalog.json")),
        ("user_tower", include_bytes!("../models/user_tower.onnx")),
        ("movies", include_bytes!("../models/movies.safetensors")),
    ];
    for (role, bytes) in bytes {
        Reflect::set(&files, &role.into(), &Uint8Array::from(bytes)).unwrap();
    }
    // As on a page without TLS, where the browser offers no hashing.
    let recommender = Recommender::new(&serde_json::to_vec(&manifest).unwrap(), &files, &Object::new()).unwrap();
    (recommender, links, map)
}

fn to_js(value: &Value) -> JsValue {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap()
}

fn from_js(value: JsValue) -> Value {
    serde_wasm_bindgen::from_value(value).unwrap()
}

fn code(error: &JsValue) -> String {
    Reflect::get(error, &"code".into()).unwrap().as_string().unwrap()
}

/// Toy Story and Heat, with further fields in the request.
fn request(more: &Value) -> JsValue {
    let mut request = json!({
        "history": [{"movieId": 1}, {"movieId": 6, "rating": 4.5}],
        "timeMs": 1_768_417_800_000_u64,
        "utcOffsetMinutes": 60,
        "limit": 12,
    });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    to_js(&request)
}

#[wasm_bindgen_test]
fn a_request_narrows_the_suggestions() {
    let (recommender, ..) = recommender();
    let info = from_js(recommender.info().unwrap());
    assert!(info["genres"].as_array().unwrap().contains(&"Film-Noir".into()));
    let decades: Vec<u64> = info["decades"].as_array().unwrap().iter().map(|decade| decade.as_u64().unwrap()).collect();
    assert!(decades.is_sorted() && decades.contains(&1950) && decades.iter().all(|decade| decade % 10 == 0));
    let found = |more: Value| from_js(recommender.suggest(request(&more)).unwrap())["suggestions"].clone();
    let plain = found(json!({}));
    let excluded: Vec<u64> = plain.as_array().unwrap().iter().map(|movie| movie["movieId"].as_u64().unwrap()).collect();
    assert_eq!(found(json!({"genres": null, "decades": [], "fame": null})), plain);
    let filter =
        json!({"genres": ["Film-Noir", "Western"], "decades": [1940, 1950], "fame": "known", "exclude": excluded});
    let narrowed = found(filter);
    assert_eq!(narrowed.as_array().unwrap().len(), 12);
    for movie in narrowed.as_array().unwrap() {
        let genres = movie["genres"].as_array().unwrap();
        assert!(genres.contains(&"Film-Noir".into()) || genres.contains(&"Western".into()), "{movie}");
        assert!((1940..1960).contains(&movie["year"].as_u64().unwrap()), "{movie}");
        assert!(!excluded.contains(&movie["movieId"].as_u64().unwrap()), "{movie}");
    }
    let without = found(json!({"exclude": excluded}));
    assert!(without.as_array().unwrap().iter().all(|movie| !excluded.contains(&movie["movieId"].as_u64().unwrap())));
    assert_eq!(code(&recommender.suggest(request(&json!({"genres": ["Noir"]}))).unwrap_err()), "genre-unknown");
    assert_eq!(code(&recommender.suggest(request(&json!({"fame": "obscure"}))).unwrap_err()), "request-invalid");
}

#[wasm_bindgen_test]
fn a_request_without_a_limit_gets_the_default() {
    let (recommender, ..) = recommender();
    let answer = from_js(recommender.suggest(request(&json!({"limit": null}))).unwrap());
    assert_eq!(answer["suggestions"].as_array().unwrap().len(), DEFAULT_LIMIT);
    assert_eq!(DEFAULT_LIMIT, 12);
}

/// The ids of some movies or suggestions, in order.
fn ids(movies: &Value) -> Vec<u64> {
    movies.as_array().unwrap().iter().map(|movie| movie["movieId"].as_u64().unwrap()).collect()
}

#[wasm_bindgen_test]
fn diversity_is_the_older_name_of_novelty() {
    let (recommender, ..) = recommender();
    let found = |more: Value| from_js(recommender.suggest(request(&more)).unwrap())["suggestions"].clone();
    let hidden = found(json!({"novelty": 0.9}));
    assert_ne!(ids(&hidden), ids(&found(json!({"novelty": 0, "inOrder": true}))));
    assert_eq!(found(json!({"diversity": 0.9})), hidden);
    assert_eq!(found(json!({"diversity": 0, "novelty": 0.9})), hidden);
    assert_eq!(found(json!({})), found(json!({"novelty": DEFAULT_NOVELTY})));
    assert_eq!(from_js(recommender.info().unwrap())["defaultNovelty"], json!(DEFAULT_NOVELTY));
    for name in ["novelty", "diversity"] {
        assert_eq!(code(&recommender.suggest(request(&json!({name: 1.5}))).unwrap_err()), "novelty-invalid");
    }
}

#[wasm_bindgen_test]
fn chances_and_lifts_are_there_once_the_ranker_is_loaded() {
    let (mut recommender, ..) = recommender();
    let first = |recommender: &Recommender| {
        let found = from_js(recommender.suggest(request(&json!({}))).unwrap());
        ["like", "lift"].map(|name| found["suggestions"][0][name].as_f64())
    };
    assert_eq!(first(&recommender), [None, None]);
    let ranker = include_bytes!("../models/ranker.onnx");
    recommender.load_ranker(ranker, include_bytes!("../models/traits.safetensors")).unwrap();
    let [like, lift] = first(&recommender).map(Option::unwrap);
    // A rated list begins with a movie that isn't below the average.
    assert!((0.0..=1.0).contains(&like) && (0.0..=like).contains(&lift), "{like} {lift}");
}

#[wasm_bindgen_test]
fn a_visitors_wall_holds_nothing_that_is_watched_or_left_out() {
    let (recommender, ..) = recommender();
    let wall = |request: JsValue| ids(&from_js(recommender.wall(30, request).unwrap()));
    let shared = wall(JsValue::UNDEFINED);
    let own = wall(request(&json!({})));
    assert_eq!((shared.len(), own.len()), (30, 30));
    assert_ne!(own, shared);
    assert!(!own.contains(&1) && !own.contains(&6));
    let beside = wall(request(&json!({"exclude": own})));
    assert!(beside.len() == 30 && beside.iter().all(|id| ![1, 6].contains(id) && !own.contains(id)), "{beside:?}");
    assert_eq!(wall(request(&json!({"history": []}))), shared);
    assert_eq!(code(&recommender.wall(30, to_js(&json!({"history": 1}))).unwrap_err()), "request-invalid");
}

#[wasm_bindgen_test]
fn reasons_come_one_for_each_asked_movie() {
    let (recommender, ..) = recommender();
    // Toy Story 2, nothing, and Casino.
    let reasons = from_js(recommender.reasons(request(&json!({})), &[3114, 4_000_000_000, 16], 3).unwrap());
    let strongest = |at: usize| reasons[at][0]["movieId"].as_u64();
    assert_eq!((strongest(0), strongest(2)), (Some(1), Some(6)), "{reasons}");
    assert_eq!(reasons[1], json!([]));
    let share = reasons[0][0]["share"].as_f64().unwrap();
    assert!((0.5..=1.0).contains(&share), "{reasons}");
}

#[wasm_bindgen_test]
fn a_list_is_read_with_what_is_wrong_with_it() {
    let (recommender, ..) = recommender();
    let text = "Date,Name,Year,Letterboxd URI,Rating\n\
        2021-03-04,Heat,1995,x,4.5\n2021-03-05,Toy Story,1995,x,\n\
        2021-03-06,Nowhere,1990,x,\n2021-03-07,Casino,1995,x,9\n";
    let list = from_js(recommender.read_list(text.as_bytes()).unwrap());
    assert_eq!((&list["format"], &list["rows"]), (&json!("letterboxd-ratings"), &json!(4)));
    let (heat, toy_story) = (&list["matched"][0], &list["matched"][1]);
    assert_eq!((&heat["movieId"], &heat["rating"], &heat["by"]), (&json!(6), &json!(4.5), &json!("title")));
    assert_eq!((&toy_story["title"], &toy_story["rating"]), (&json!("Toy Story"), &Value::Null));
    let unknown = json!({"row": 4, "title": "Nowhere", "year": 1990, "reason": "not-in-catalog", "detail": null});
    assert_eq!(list["unmatched"][0], unknown);
    assert_eq!((&list["unmatched"][1]["row"], &list["unmatched"][1]["reason"]), (&json!(5), &json!("invalid")));
    assert!(list["unmatched"][1]["detail"].as_str().unwrap().contains("0.5 to 5"));
    assert_eq!(code(&recommender.read_list(b"no,list\n1,2\n").unwrap_err()), "list-invalid");
}

#[wasm_bindgen_test]
fn links_and_the_map_are_there_once_they_are_loaded() {
    let (mut recommender, links, map) = recommender();
    let loaded = |recommender: &Recommender| {
        let info = from_js(recommender.info().unwrap());
        (info["links"].as_bool().unwrap(), info["map"].as_bool().unwrap())
    };
    assert_eq!(loaded(&recommender), (false, false));
    let numbers = |recommender: &Recommender| {
        let movies = from_js(recommender.movies(&[1, 2]).unwrap());
        json!([movies[0]["imdb"], movies[0]["tmdb"], movies[1]["imdb"], movies[1]["tmdb"]])
    };
    assert_eq!(numbers(&recommender), json!([null, null, null, null]));
    assert_eq!(code(&recommender.map().unwrap_err()), "map-not-loaded");
    assert_eq!(code(&recommender.load_links(&links[1..]).unwrap_err()), "file-size-mismatch");
    recommender.load_links(&links).unwrap();
    recommender.load_map(&map).unwrap();
    assert_eq!(loaded(&recommender), (true, true));
    assert_eq!(numbers(&recommender), json!([null, null, "tt0000001", 2]));
    let view = recommender.map().unwrap();
    let part = |name: &str| Reflect::get(&view, &name.into()).unwrap();
    let ids = part("movieIds").dyn_into::<Uint32Array>().unwrap().to_vec();
    let positions = part("positions").dyn_into::<Float32Array>().unwrap().to_vec();
    let genres = part("genres").dyn_into::<Uint32Array>().unwrap().to_vec();
    assert_eq!((ids.len() * 2, genres.len()), (positions.len(), ids.len()));
    assert_eq!(ids[..3], [1, 2, 3]);
    assert_eq!(positions[..4], [0.0, 1.0, 1.0 / 65_535.0, 1.0]);
    let info = from_js(recommender.info().unwrap());
    let first = from_js(recommender.movies(&ids[..1]).unwrap());
    for (place, genre) in info["genres"].as_array().unwrap().iter().enumerate() {
        let has_genre = first[0]["genres"].as_array().unwrap().contains(genre);
        assert_eq!(genres[0] >> place & 1 == 1, has_genre, "{genre}");
    }
}
