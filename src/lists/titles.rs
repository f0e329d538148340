//! Finding movies by title and year, for lists that have no ids.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, MovieIndex};
use crate::title::{match_key, names, search_key};

/// The movies that a title and a year lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    One(MovieIndex),
    Several,
    None,
}

/// All movies of a catalogue by each of their names.
pub(super) struct TitleIndex<'catalog> {
    catalog: &'catalog Catalog,
    movies: BTreeMap<String, Vec<MovieIndex>>,
}

impl<'catalog> TitleIndex<'catalog> {
    pub(super) fn new(catalog: &'catalog Catalog) -> Self {
        let mut movies: BTreeMap<String, Vec<MovieIndex>> = BTreeMap::new();
        for (row, movie) in catalog.movies().iter().enumerate() {
            let Some(index) = MovieIndex::new(row) else { continue };
            for key in names(&movie.title).map(match_key).filter(|key| !key.is_empty()) {
                let of_key = movies.entry(key).or_default();
                if of_key.last() != Some(&index) {
                    of_key.push(index);
                }
            }
        }
        Self { catalog, movies }
    }

    /// The movie that one of `titles` names, the first titles before the others. Movies of the same year come first,
    /// then those of the year before or after, then those for which one of the two years isn't known.
    pub(super) fn find(&self, titles: &[&str], year: Option<u16>) -> Found {
        let names: Vec<(&str, String)> =
            titles.iter().flat_map(|title| names(title)).map(|name| (name, match_key(name))).collect();
        let is_same = |of_movie: Option<u16>| of_movie == year;
        let is_next = |of_movie: Option<u16>| of_movie.zip(year).is_some_and(|(one, other)| one.abs_diff(other) == 1);
        let is_unknown = |of_movie: Option<u16>| of_movie.is_none() || year.is_none();
        let fits: [&dyn Fn(Option<u16>) -> bool; 3] = [&is_same, &is_next, &is_unknown];
        for fits in fits {
            let mut is_ambiguous = false;
            for (name, key) in &names {
                let of_key = self.movies.get(key).map(Vec::as_slice).unwrap_or_default().iter().copied();
                let found: Vec<MovieIndex> = of_key.filter(|movie| fits(self.year(*movie))).collect();
                match self.only(&found, name) {
                    Some(movie) => return Found::One(movie),
                    None => is_ambiguous |= !found.is_empty(),
                }
            }
            if is_ambiguous {
                return Found::Several;
            }
        }
        Found::None
    }

    /// The only movie of `found`. If there are several, the only one whose first title is `name`, article included.
    fn only(&self, found: &[MovieIndex], name: &str) -> Option<MovieIndex> {
        if let [movie] = found {
            return Some(*movie);
        }
        let wanted = search_key(name);
        let title =
            |movie: &MovieIndex| self.catalog.movie(*movie).map(|movie| movie.title.as_str()).unwrap_or_default();
        let mut exact = found.iter().filter(|movie| names(title(movie)).take(2).any(|name| search_key(name) == wanted));
        exact.next().filter(|_| exact.next().is_none()).copied()
    }

    fn year(&self, movie: MovieIndex) -> Option<u16> {
        self.catalog.movie(movie)?.year
    }
}
