//! The two optional files, links and map: their contents, and each refusal.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod manifest;

use safetensors::tensor::{Dtype, TensorView};
use watchnext::bundle::{FileEntry, MovieEmbeddings, Role, sha256_hex};
use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
use watchnext::error::Result;
use watchnext::links::{Link, Links};
use watchnext::map::MovieMap;
use watchnext::model::{TowerInputs, UserTower};
use watchnext::recommend::Recommender;

fn catalog() -> Catalog {
    let movie = |row: u32| Movie {
        id: MovieId(row + 10),
        key: None,
        title: format!("Movie {row}"),
        year: None,
        genres: vec![],
        ratings: 1,
    };
    Catalog::new(vec![], (0..3).map(movie).collect()).unwrap()
}

fn row(row: usize) -> MovieIndex {
    MovieIndex::new(row).unwrap()
}

const GOOD_LINKS: &[u8] = br#"{"imdb":[114709,0,10872600],"tmdb":[862,5,0]}"#;

/// A safetensors file of one tensor.
fn tensor_file(name: &str, dtype: Dtype, shape: Vec<usize>, bytes: &[u8]) -> Vec<u8> {
    safetensors::serialize([(name, TensorView::new(dtype, shape, bytes).unwrap())], None).unwrap()
}

fn good_map() -> Vec<u8> {
    let numbers: Vec<u8> = [0_u16, 65_535, 13_107, 0, 65_535, 32_768].iter().flat_map(|x| x.to_le_bytes()).collect();
    tensor_file("position", Dtype::U16, vec![3, 2], &numbers)
}

#[test]
fn links_are_found_by_movie_and_by_number() {
    let links = Links::from_json(GOOD_LINKS, &catalog()).unwrap();
    assert_eq!(links.of(row(0)), Link { imdb: Some(114_709), tmdb: Some(862) });
    assert_eq!(links.of(row(1)), Link { imdb: None, tmdb: Some(5) });
    assert_eq!(links.of(row(2)), Link { imdb: Some(10_872_600), tmdb: None });
    assert_eq!(links.of(row(3)), Link::default());
    assert_eq!(links.movie_of_imdb(10_872_600), Some(row(2)));
    // 0 stands for none, so it names no movie.
    assert_eq!([0, 1, 114_710, u32::MAX].map(|imdb| links.movie_of_imdb(imdb)), [None; 4]);
    assert_eq!(links.to_json().unwrap(), GOOD_LINKS);
    let twice = Links::new(vec![7, 7, 7], vec![0; 3], &catalog()).unwrap();
    assert_eq!(twice.movie_of_imdb(7), Some(row(0)));
}

#[test]
fn links_of_another_form_are_refused() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "links-invalid"),
        (b"[]", "links-invalid"),
        (br#"{"imdb":[1,2,3]}"#, "links-invalid"),
        (br#"{"imdb":[1,2,3],"tmdb":[1,2,-3]}"#, "links-invalid"),
        (br#"{"imdb":["tt1",2,3],"tmdb":[1,2,3]}"#, "links-invalid"),
        (br#"{"imdb":[1,2,3],"tmdb":[1,2,3],"other":[]}"#, "links-invalid"),
        (br#"{"imdb":[1,2],"tmdb":[1,2,3]}"#, "shape-mismatch"),
        (br#"{"imdb":[1,2,3],"tmdb":[1,2,3,4]}"#, "shape-mismatch"),
    ];
    for (bytes, code) in cases {
        let error = Links::from_json(bytes, &catalog()).unwrap_err();
        assert_eq!(error.code(), code, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn the_map_fills_0_to_1() {
    let map = MovieMap::from_safetensors(&good_map(), 3).unwrap();
    let positions: Vec<[f32; 2]> = map.positions().collect();
    assert_eq!(positions, [[0.0, 1.0], [0.2, 0.0], [1.0, 32_768.0 / 65_535.0]]);
    assert_eq!(map.position(row(1)), Some([0.2, 0.0]));
    assert_eq!(map.position(row(3)), None);
}

#[test]
fn a_map_of_another_form_is_refused() {
    let cases = [
        (b"short".to_vec(), "tensor-invalid"),
        (tensor_file("positions", Dtype::U16, vec![3, 2], &[0; 12]), "tensor-invalid"),
        (tensor_file("position", Dtype::I16, vec![3, 2], &[0; 12]), "tensor-invalid"),
        (tensor_file("position", Dtype::U16, vec![2, 2], &[0; 8]), "shape-mismatch"),
        (tensor_file("position", Dtype::U16, vec![2, 3], &[0; 12]), "shape-mismatch"),
        (tensor_file("position", Dtype::U16, vec![6], &[0; 12]), "shape-mismatch"),
    ];
    for (at, (bytes, code)) in cases.into_iter().enumerate() {
        assert_eq!(MovieMap::from_safetensors(&bytes, 3).unwrap_err().code(), code, "case {at}");
    }
}

/// A tower with the same answer for everybody.
#[derive(Debug)]
struct Constant;

impl UserTower for Constant {
    fn dim(&self) -> usize {
        2
    }
    fn embed(&self, _: &TowerInputs) -> Result<Vec<f32>> {
        Ok(vec![1.0; 2])
    }
}

/// A recommender whose manifest names `files`.
fn recommender(files: &[(Role, &[u8])]) -> Recommender {
    let mut manifest = manifest::small(3, 2);
    manifest.files.extend(files.iter().map(|(role, bytes)| {
        let (path, len, sha256) = (role.file_name().to_owned(), bytes.len() as u64, sha256_hex(bytes));
        (*role, FileEntry { path, bytes: len, sha256, optional: true })
    }));
    let movies = MovieEmbeddings { embedding: ndarray::Array2::ones((3, 2)), bias: vec![0.0; 3] };
    Recommender::from_parts(manifest, catalog(), Box::new(Constant), &movies).unwrap()
}

#[test]
fn both_files_are_checked_by_the_manifest() {
    let map = good_map();
    let mut with_both = recommender(&[(Role::Links, GOOD_LINKS), (Role::Map, &map)]);
    assert!(with_both.links().is_none() && with_both.map().is_none());
    with_both.load_links(GOOD_LINKS).unwrap();
    with_both.load_map(&map).unwrap();
    assert_eq!(with_both.links().unwrap().movie_of_imdb(114_709), Some(row(0)));
    assert_eq!(with_both.map().unwrap().positions().count(), 3);
    let (longer, other) = ([GOOD_LINKS, b" "].concat(), GOOD_LINKS.iter().rev().copied().collect::<Vec<u8>>());
    assert_eq!(with_both.load_links(&longer).unwrap_err().code(), "file-size-mismatch");
    assert_eq!(with_both.load_links(&other).unwrap_err().code(), "file-hash-mismatch");
    assert_eq!(with_both.load_map(&map[1..]).unwrap_err().code(), "file-size-mismatch");
    let mut without = recommender(&[]);
    assert_eq!(without.load_links(GOOD_LINKS).unwrap_err().code(), "file-missing");
    assert_eq!(without.load_map(&map).unwrap_err().code(), "file-missing");
}
