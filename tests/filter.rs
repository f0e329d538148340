//! Filtered suggestions on made-up movies, by both retrievals.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod fixture;

use std::collections::BTreeSet;

use fixture::{noon, recommender};
use trainer::synthetic::small::movie_id;
use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
use watchnext::filter::{Fame, Filter};
use watchnext::history::History;
use watchnext::recommend::{Retrieval, Strategy};

/// Five comedies. Without a filter they lead to comedies.
fn history() -> History {
    let watched = [2, 7, 11, 19, 23].map(|movie| (MovieId(movie_id(0, movie)), None));
    History::from_ids(recommender().catalog(), watched).unwrap().0
}

fn suggested(filter: &Filter, limit: usize, strategy: impl Into<Strategy>) -> Vec<MovieIndex> {
    let found = recommender().suggest_among(filter, &history(), &noon(), limit, strategy).unwrap();
    found.iter().map(|suggestion| suggestion.movie).collect()
}

fn genres(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn an_empty_filter_changes_nothing() {
    for strategy in [Retrieval::Movies.into(), Strategy { novelty: 0.4, ..Retrieval::States.into() }] {
        let plain = recommender().suggest(&history(), &noon(), 20, strategy).unwrap();
        let found = recommender().suggest_among(&Filter::default(), &history(), &noon(), 20, strategy).unwrap();
        assert_eq!(found, plain);
    }
}

/// For somebody who watches comedies, the ten horror movies aren't among the ten best. They are found only if the
/// filter comes before the choice.
#[test]
fn the_best_of_the_genre_are_found_however_far_behind_they_are() {
    let filter = Filter { genres: genres(&["Horror"]), ..Filter::default() };
    let plain = suggested(&Filter::default(), 115, Retrieval::Movies);
    let catalog = recommender().catalog();
    let is_horror =
        |movie: &MovieIndex| catalog.genre_names(catalog.movie(*movie).unwrap()).any(|name| name == "Horror");
    let expected: Vec<MovieIndex> = plain.iter().copied().filter(is_horror).collect();
    assert_eq!(expected.len(), 30);
    assert!(!plain[..10].iter().any(is_horror));
    assert_eq!(suggested(&filter, 10, Retrieval::Movies), expected[..10]);
    assert_eq!(suggested(&filter, 100, Retrieval::Movies), expected);
    let by_states = suggested(&filter, 100, Retrieval::States);
    assert!(by_states.len() <= 30 && by_states.iter().all(is_horror));
}

#[test]
fn each_kind_narrows_and_all_count_together() {
    let catalog = recommender().catalog();
    let fame = Fame::of_all(catalog);
    let seen: BTreeSet<usize> = history().watches().iter().map(|watch| watch.movie.as_usize()).collect();
    let excluded = [movie_id(0, 0), movie_id(1, 4), 999_999].map(MovieId);
    let filters = [
        Filter { genres: genres(&["Drama", "Sci-Fi"]), ..Filter::default() },
        Filter { decades: vec![1950, 1990], ..Filter::default() },
        Filter { fame: Some(Fame::Famous), ..Filter::default() },
        Filter { fame: Some(Fame::Gems), ..Filter::default() },
        Filter { exclude: excluded.to_vec(), ..Filter::default() },
        Filter {
            genres: genres(&["Comedy", "Drama"]),
            decades: vec![1960, 1970, 1980],
            fame: Some(Fame::Known),
            exclude: excluded.to_vec(),
        },
    ];
    for filter in filters {
        let meets = |row: usize| {
            let movie = &catalog.movies()[row];
            let names: Vec<&str> = catalog.genre_names(movie).collect();
            (filter.genres.is_empty() || filter.genres.iter().any(|genre| names.contains(&genre.as_str())))
                && (filter.decades.is_empty() || filter.decades.contains(&(movie.year.unwrap() / 10 * 10)))
                && filter.fame.is_none_or(|wanted| fame[row] == wanted)
                && !filter.exclude.contains(&movie.id)
        };
        let expected: BTreeSet<usize> = (0..catalog.len()).filter(|row| meets(*row) && !seen.contains(row)).collect();
        assert!(!expected.is_empty() && expected.len() < catalog.len() - seen.len(), "{filter:?}");
        let found = suggested(&filter, catalog.len(), Strategy { novelty: 0.2, ..Retrieval::Movies.into() });
        assert_eq!(found.iter().map(|movie| movie.as_usize()).collect::<BTreeSet<usize>>(), expected, "{filter:?}");
        let by_states = suggested(&filter, catalog.len(), Retrieval::States);
        assert!(by_states.iter().all(|movie| expected.contains(&movie.as_usize())), "{filter:?}");
    }
}

#[test]
fn a_filter_that_nothing_meets_finds_nothing() {
    for retrieval in [Retrieval::Movies, Retrieval::States] {
        let filter = Filter { decades: vec![1720], ..Filter::default() };
        assert!(suggested(&filter, 10, retrieval).is_empty());
        let all = recommender().catalog().movies().iter().map(|movie| movie.id).collect();
        assert!(suggested(&Filter { exclude: all, ..Filter::default() }, 10, retrieval).is_empty());
    }
}

#[test]
fn an_unknown_genre_is_an_error_that_names_those_there_are() {
    let filter = Filter { genres: genres(&["Drama", "horror"]), ..Filter::default() };
    let error = recommender().suggest_among(&filter, &history(), &noon(), 5, Retrieval::Movies).unwrap_err();
    assert_eq!(error.code(), "genre-unknown");
    let message = error.to_string();
    assert!(message.contains("\"horror\"") && message.contains("Comedy, Drama, Horror, Sci-Fi"), "{message}");
}

fn catalog(ratings: &[u32], year: Option<u16>) -> Catalog {
    let movie = |(row, ratings): (usize, &u32)| Movie {
        id: MovieId(row as u32),
        key: None,
        title: format!("Movie {row}"),
        year,
        genres: vec![],
        ratings: *ratings,
    };
    Catalog::new(vec![], ratings.iter().enumerate().map(movie).collect()).unwrap()
}

#[test]
fn fame_goes_by_the_share_of_all_ratings() {
    use Fame::{Famous, Gems, Known};
    // Sorted: 50 of 100 ratings, 35, 10, 5.
    assert_eq!(Fame::of_all(&catalog(&[5, 50, 10, 35], None)), [Gems, Famous, Gems, Known]);
    // The movie in which the half falls is still famous.
    assert_eq!(Fame::of_all(&catalog(&[30, 30, 30, 10], None)), [Famous, Famous, Known, Gems]);
    // Of equally known movies, the first are more famous.
    assert_eq!(Fame::of_all(&catalog(&[1; 10], None))[4..9], [Famous, Known, Known, Known, Known]);
    assert_eq!(Fame::of_all(&catalog(&[7], None)), [Famous]);
    assert_eq!(Fame::of_all(&catalog(&[0, 0], None)), [Gems, Gems]);
    assert_eq!(Fame::of_all(&catalog(&[u32::MAX; 3], None)), [Famous, Famous, Known]);
    assert_eq!(serde_json::to_string(&[Famous, Known, Gems]).unwrap(), r#"["famous","known","gems"]"#);
}

#[test]
fn a_movie_without_a_year_is_in_no_decade() {
    let filter = Filter { decades: vec![1990], ..Filter::default() };
    let mask = |year| {
        let catalog = catalog(&[1], year);
        filter.mask(&catalog, &Fame::of_all(&catalog)).unwrap()
    };
    assert_eq!(
        [None, Some(1989), Some(1990), Some(1999), Some(2000)].map(|year| mask(year)[0]),
        [false, false, true, true, false]
    );
}
