//! `links.csv` is read for the movies of a catalogue. Errors give the file, the line and the remedy.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use anyhow::Result;
use common::catalog;
use trainer::data::links::read_links;
use watchnext::bundle::Source;
use watchnext::catalog::MovieIndex;
use watchnext::links::Links;

const MOVIES: [u32; 3] = [1, 6, 7];

fn read(links: &str) -> Result<Option<(Links, Source)>> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("links.csv"), links).unwrap();
    read_links(folder.path(), &catalog(&MOVIES))
}

fn refusal(links: &str) -> String {
    format!("{:#}", read(links).unwrap_err())
}

#[test]
fn numbers_come_in_the_order_of_the_catalogue() {
    // Movie 2 isn't in the catalogue, movie 7 has no row, movie 6 no number at TMDB.
    let (links, source) = read("movieId,imdbId,tmdbId\n6,0113277,\n2,0113497,8844\n1,0114709,862\n").unwrap().unwrap();
    let numbers: Vec<_> =
        (0..3).map(|row| links.of(MovieIndex::new(row).unwrap())).map(|link| (link.imdb, link.tmdb)).collect();
    assert_eq!(numbers, [(Some(114_709), Some(862)), (Some(113_277), None), (None, None)]);
    assert_eq!((source.name.as_str(), source.rows, source.sha256.len()), ("links.csv", 3, 64));
}

#[test]
fn a_folder_without_the_file_has_no_links() {
    assert!(read_links(tempfile::tempdir().unwrap().path(), &catalog(&MOVIES)).unwrap().is_none());
}

#[test]
fn a_folder_that_does_not_exist_says_what_to_give() {
    let message = read_links(std::path::Path::new("/no/such/folder"), &catalog(&MOVIES)).unwrap_err().to_string();
    assert!(message.contains("--data"), "{message}");
}

#[test]
fn a_wrong_row_is_named_by_file_line_column_and_content() {
    let cases = [
        ("7,tt0114319,11860", "column `imdbId`"),
        ("7,0114319,11860.0", "column `tmdbId`"),
        ("7,-114319,11860", "column `imdbId`"),
        ("7,99999999999,11860", "column `imdbId`"),
        (",0114319,11860", "column `movieId`"),
        ("seven,0114319,11860", "column `movieId`"),
        ("7,0114319", "line 3"),
        ("1,0114319,11860", "movie 1 occurs twice"),
    ];
    for (row, reason) in cases {
        let message = refusal(&format!("movieId,imdbId,tmdbId\n1,0114709,862\n{row}\n6,0113277,949\n"));
        assert!(message.contains("links.csv") && message.contains("line 3"), "{row}: {message}");
        assert!(message.contains(reason) && message.contains("emove"), "{row}: {message}");
    }
}

#[test]
fn empty_files_and_other_tables_have_their_own_errors() {
    assert!(refusal("").contains("links.csv is empty"));
    assert!(refusal("movieId,imdbId,tmdbId\n").contains("no rows"));
    let movies = refusal("movieId,title,genres\n1,A (1990),Drama\n");
    assert!(movies.contains("has no column `imdbId`"), "{movies}");
}
