//! The movies: ids, titles, years, genres, and finding them by title.
//!
//! Outside, a movie is a [`MovieId`] (MovieLens's or the catalogue owner's own). Inside, it is a [`MovieIndex`], its
//! row in every table of the bundle. Only this file converts between the two.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::title::{self, SearchKeys};

/// The longest query that is searched for, in bytes. No title is half as long, and a pasted book would be compared with
/// every title.
const MAX_QUERY: usize = 500;

/// The release year of a movie whose year isn't known.
pub const DEFAULT_RELEASE_YEAR: u16 = 1995;

/// A movie's id outside the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MovieId(pub u32);

/// A movie's dense index: its row in the catalogue and in every table of the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MovieIndex(u32);

impl MovieIndex {
    /// Row `row`, `None` beyond `u32`.
    pub fn new(row: usize) -> Option<Self> {
        u32::try_from(row).ok().map(Self)
    }

    /// The row.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The row, to index with.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// One movie as a person knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Movie {
    /// Its id outside.
    pub id: MovieId,
    /// The owner's own id, such as an ISBN, if it doesn't fit in a [`MovieId`].
    pub key: Option<String>,
    /// The title as shown: without the year, a trailing article moved to the front ("The Matrix").
    pub title: String,
    /// The release year, if it is known.
    pub year: Option<u16>,
    /// Indices into [`Catalog::genres`].
    pub genres: Vec<u16>,
    /// How many ratings it has in the training data, the measure of how well known it is.
    pub ratings: u32,
}

/// `catalog.json`: one array for each column, all of the same length. Row `i` is the movie of dense index `i`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    genres: Vec<String>,
    movie_id: Vec<u32>,
    /// Absent if the ids are the owner's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Vec<String>>,
    title: Vec<String>,
    year: Vec<Option<u16>>,
    movie_genres: Vec<Vec<u16>>,
    ratings: Vec<u32>,
}

/// A sort key and the row in one number.
fn packed(key: u32, row: u32) -> u64 {
    (u64::from(key) << 32) | u64::from(row)
}

/// The movies sorted by id, or an error naming the duplicate.
fn by_id(movies: &[Movie]) -> std::result::Result<Vec<(MovieId, MovieIndex)>, String> {
    // Packed as in the sort by popularity, so that a page compiles one sort for both.
    let mut places: Vec<u64> = (0..).zip(movies).map(|(row, movie)| packed(movie.id.0, row)).collect();
    places.sort_unstable();
    let ids: Vec<(MovieId, MovieIndex)> =
        places.into_iter().map(|place| (MovieId((place >> 32) as u32), MovieIndex(place as u32))).collect();
    if let Some([_, (id, row)]) = ids.array_windows().find(|[left, right]| left.0 == right.0) {
        return Err(format!("movie {} is there twice, the second time in row {}", id.0, row.get()));
    }
    Ok(ids)
}

/// The movies sorted by key, or an error naming the defect.
fn by_key(movies: &[Movie]) -> std::result::Result<Vec<MovieIndex>, String> {
    let keys = (0..).zip(movies).filter_map(|(row, movie)| Some((movie.key.as_deref()?, MovieIndex(row))));
    let mut keys: Vec<(&str, MovieIndex)> = keys.collect();
    if !keys.is_empty() && keys.len() != movies.len() {
        return Err(format!("{} of {} movies have a key; all need one, or none", keys.len(), movies.len()));
    }
    keys.sort_unstable();
    if let Some((_, row)) = keys.iter().find(|(key, _)| key.trim().is_empty()) {
        return Err(format!("the key of the movie in row {} is empty", row.get()));
    }
    if let Some([(key, _), (_, row)]) = keys.array_windows().find(|[left, right]| left.0 == right.0) {
        return Err(format!("the key {key:?} is there twice, the second time in row {}", row.get()));
    }
    Ok(keys.into_iter().map(|(_, row)| row).collect())
}

/// A movie that may be picked for the wall.
struct WallCandidate {
    index: MovieIndex,
    /// The logarithm of its number of ratings.
    known: f32,
    /// An upper bound of its value: the value at an earlier pick, since each pick only lowers values. In each round few
    /// candidates can be the best by their bounds, and only their values are computed.
    bound: f32,
}

/// All movies of a bundle.
#[derive(Debug, Clone)]
pub struct Catalog {
    genres: Vec<String>,
    movies: Vec<Movie>,
    /// In the order of the ids.
    by_id: Vec<(MovieId, MovieIndex)>,
    /// All movies by their keys; empty if they have none.
    by_key: Vec<MovieIndex>,
    /// By dense index. Built at the first search, since suggestions don't need them.
    search_keys: OnceLock<SearchKeys>,
    /// All movies, the one with the most ratings first, ties by index.
    best_known: Vec<MovieIndex>,
}

impl Catalog {
    /// A catalogue of `movies` in the order of their dense indices.
    ///
    /// # Errors
    /// [`Error::CatalogInvalid`] for no movies, a repeated id or key, keys for some of the movies only, an empty key,
    /// an empty title, or a genre that isn't in `genres`.
    pub fn new(genres: Vec<String>, movies: Vec<Movie>) -> Result<Self> {
        let invalid = |reason: String| Error::CatalogInvalid { reason };
        if movies.is_empty() {
            return Err(invalid("it holds no movies".to_owned()));
        }
        if MovieIndex::new(movies.len()).is_none() {
            return Err(invalid("it holds too many movies".to_owned()));
        }
        for movie in &movies {
            if movie.title.trim().is_empty() {
                return Err(invalid(format!("movie {} has no title", movie.id.0)));
            }
            if let Some(genre) = movie.genres.iter().find(|genre| usize::from(**genre) >= genres.len()) {
                return Err(invalid(format!("movie {} has genre number {genre} of {}", movie.id.0, genres.len())));
            }
        }
        let by_id = by_id(&movies).map_err(invalid)?;
        let by_key = by_key(&movies).map_err(invalid)?;
        // Sorting one number for each movie is fast even before the browser optimises the code.
        let place = |(row, movie): (u32, &Movie)| packed(u32::MAX - movie.ratings, row);
        let mut places: Vec<u64> = (0..).zip(&movies).map(place).collect();
        places.sort_unstable();
        let best_known = places.into_iter().map(|place| MovieIndex(place as u32)).collect();
        Ok(Self { genres, movies, by_id, by_key, search_keys: OnceLock::new(), best_known })
    }

    /// Reads `catalog.json`.
    ///
    /// # Errors
    /// [`Error::CatalogInvalid`] for other JSON, columns of different lengths, and what [`Catalog::new`] refuses.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let invalid = |reason: String| Error::CatalogInvalid { reason };
        let file: CatalogFile = serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
        let rows = file.movie_id.len();
        let columns = [
            ("title", file.title.len()),
            ("year", file.year.len()),
            ("movie_genres", file.movie_genres.len()),
            ("ratings", file.ratings.len()),
        ];
        let keys = file.key.as_ref().map(|keys| ("key", keys.len()));
        if let Some((column, len)) = columns.into_iter().chain(keys).find(|(_, len)| *len != rows) {
            return Err(invalid(format!("column `movie_id` has {rows} rows and column `{column}` has {len}")));
        }
        let keys = file.key.map_or_else(|| vec![None; rows], |keys| keys.into_iter().map(Some).collect());
        let movies = file
            .movie_id
            .into_iter()
            .zip(keys)
            .zip(file.title)
            .zip(file.year.into_iter().zip(file.movie_genres).zip(file.ratings))
            .map(|(((id, key), title), ((year, genres), ratings))| Movie {
                id: MovieId(id),
                key,
                title,
                year,
                genres,
                ratings,
            })
            .collect();
        Self::new(file.genres, movies)
    }

    /// Writes `catalog.json`.
    ///
    /// # Errors
    /// [`Error::CatalogInvalid`] if the JSON can't be written, which doesn't happen for a valid catalogue.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let file = CatalogFile {
            genres: self.genres.clone(),
            movie_id: self.movies.iter().map(|movie| movie.id.0).collect(),
            // `None` unless all movies have one.
            key: self.movies.iter().map(|movie| movie.key.clone()).collect(),
            title: self.movies.iter().map(|movie| movie.title.clone()).collect(),
            year: self.movies.iter().map(|movie| movie.year).collect(),
            movie_genres: self.movies.iter().map(|movie| movie.genres.clone()).collect(),
            ratings: self.movies.iter().map(|movie| movie.ratings).collect(),
        };
        serde_json::to_vec(&file).map_err(|error| Error::CatalogInvalid { reason: error.to_string() })
    }

    /// How many movies there are.
    pub fn len(&self) -> usize {
        self.movies.len()
    }

    /// Whether there are none, which [`Catalog::new`] rules out.
    pub fn is_empty(&self) -> bool {
        self.movies.is_empty()
    }

    /// The genres' names; a movie refers to them by position.
    pub fn genres(&self) -> &[String] {
        &self.genres
    }

    /// All movies, the one with the most ratings first, ties by index.
    pub fn best_known(&self) -> &[MovieIndex] {
        &self.best_known
    }

    /// The decades of the movies' years by their first year, sorted.
    pub fn decades(&self) -> Vec<u16> {
        let decades: BTreeSet<u16> = self.movies.iter().filter_map(|movie| Some(movie.year? / 10 * 10)).collect();
        decades.into_iter().collect()
    }

    /// All movies, by dense index.
    pub fn movies(&self) -> &[Movie] {
        &self.movies
    }

    /// The movie in row `index`.
    pub fn movie(&self, index: MovieIndex) -> Option<&Movie> {
        self.movies.get(index.as_usize())
    }

    /// The names of a movie's genres.
    pub fn genre_names<'a>(&'a self, movie: &'a Movie) -> impl Iterator<Item = &'a str> {
        movie.genres.iter().filter_map(|genre| self.genres.get(usize::from(*genre))).map(String::as_str)
    }

    /// The row of the movie with this id.
    pub fn index_of(&self, id: MovieId) -> Option<MovieIndex> {
        let at = self.by_id.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.by_id.get(at).map(|(_, index)| *index)
    }

    /// The row of the movie with this key.
    pub fn by_key(&self, key: &str) -> Option<MovieIndex> {
        let of = |index: &MovieIndex| self.movie(*index).and_then(|movie| movie.key.as_deref());
        let found = self.by_key.binary_search_by(|index| of(index).cmp(&Some(key))).ok()?;
        self.by_key.get(found).copied()
    }

    /// The movies whose titles match a query, best first, at most `limit`.
    ///
    /// Case, accents, punctuation and the place of an article don't matter. A year at the end of the query ("heat
    /// 1995", "Heat (1995)") narrows the search. Better matches come first (the whole title, its start, starts of
    /// words, anywhere), then better-known movies. If nothing matches, one typing error is allowed. A query longer than
    /// any title finds nothing.
    pub fn search(&self, query: &str, limit: usize) -> Vec<MovieIndex> {
        if query.len() > MAX_QUERY {
            return Vec::new();
        }
        let keys =
            self.search_keys.get_or_init(|| SearchKeys::new(self.movies.iter().map(|movie| movie.title.as_str())));
        let whole = title::search_key(query);
        let (words, year) = title::split_query(query);
        let has_year = |row: usize| year.is_some() && self.movies.get(row).is_some_and(|movie| movie.year == year);
        let rank = |row: usize| {
            let key = keys.key(row);
            // A number at the end may belong to the title ("Blade Runner 2049"), so the whole query is tried as well.
            let by_whole = title::match_rank(key, &whole);
            let narrowed = has_year(row)
                .then(|| if words.is_empty() { Some(3) } else { title::match_rank(key, &words) })
                .flatten();
            Some(([by_whole, narrowed].into_iter().flatten().min()?, row))
        };
        // A title that matches contains every word of the query, and few titles contain the longest one.
        let Some(longest) = words.split(' ').filter(|word| !word.is_empty()).max_by_key(|word| word.len()) else {
            return self.best(limit, (0..self.len()).filter_map(rank));
        };
        let exact = self.best(limit, keys.containing(longest).filter_map(rank));
        if !exact.is_empty() {
            return exact;
        }
        let fits = |row: &usize| (year.is_none() || has_year(*row)) && title::matches_with_typo(keys.key(*row), &words);
        self.best(limit, (0..self.len()).filter(fits).map(|row| (0, row)))
    }

    /// The best of these rows, at most `limit`: the lowest rank first, then the best known, then by index.
    fn best(&self, limit: usize, rows: impl Iterator<Item = (u8, usize)>) -> Vec<MovieIndex> {
        let ratings = |row: usize| self.movies.get(row).map_or(0, |movie| movie.ratings);
        let mut found: Vec<(u8, std::cmp::Reverse<u32>, usize)> =
            rows.map(|(rank, row)| (rank, std::cmp::Reverse(ratings(row)), row)).collect();
        if limit < found.len() {
            // A word such as "the" is in every third title, and a list shows eight titles.
            found.select_nth_unstable(limit);
            found.truncate(limit);
        }
        found.sort_unstable();
        found.into_iter().filter_map(|(_, _, row)| MovieIndex::new(row)).collect()
    }

    /// Well-known and varied movies for a visitor to start from, at most `limit`.
    ///
    /// Picks greedily by the logarithm of the number of ratings, less a penalty for each earlier pick of the same genre
    /// or decade. So the wall's first rows already have something for most tastes.
    pub fn wall(&self, limit: usize) -> Vec<MovieIndex> {
        let best_known = self.best_known.iter().take(Self::wall_candidates(limit));
        let known = |index: &MovieIndex| {
            let ratings = self.movie(*index).map_or(0, |movie| movie.ratings);
            (*index, (ratings.max(1) as f32).ln())
        };
        self.varied(best_known.map(known), limit)
    }

    /// How many candidates a wall of this size is picked from. Nobody would recognise movies beyond them.
    pub(crate) fn wall_candidates(limit: usize) -> usize {
        limit.saturating_mul(4).max(200)
    }

    /// At most `limit` of some movies, which come best known first, each with how well it is known as a logarithm.
    /// Picks as [`Catalog::wall`] does.
    pub(crate) fn varied(&self, movies: impl Iterator<Item = (MovieIndex, f32)>, limit: usize) -> Vec<MovieIndex> {
        let mut candidates: Vec<WallCandidate> =
            movies.map(|(index, known)| WallCandidate { index, known, bound: known }).collect();
        let mut genre_picks = vec![0.0_f32; self.genres.len()];
        let mut decade_picks: BTreeMap<u16, f32> = BTreeMap::new();
        let mut picked = Vec::new();
        while picked.len() < limit {
            let best = self.best_candidate(&mut candidates, &genre_picks, &decade_picks);
            let Some(at) = best else { break };
            let WallCandidate { index, .. } = candidates.remove(at);
            if let Some(movie) = self.movie(index) {
                for genre in &movie.genres {
                    if let Some(picks) = genre_picks.get_mut(usize::from(*genre)) {
                        *picks += 1.0;
                    }
                }
                if let Some(year) = movie.year {
                    *decade_picks.entry(year / 10).or_default() += 1.0;
                }
            }
            picked.push(index);
        }
        picked
    }

    /// The place of the candidate with the greatest value after these picks, the first if there are several.
    ///
    /// It is a separate, small function because a browser that finds it busy compiles it again, with all that surrounds
    /// it.
    #[inline(never)]
    fn best_candidate(
        &self,
        candidates: &mut [WallCandidate],
        genre_picks: &[f32],
        decade_picks: &BTreeMap<u16, f32>,
    ) -> Option<usize> {
        let mut best: Option<(usize, f32)> = None;
        for (at, candidate) in candidates.iter_mut().enumerate() {
            let least = best.map_or(f32::NEG_INFINITY, |(_, value)| value);
            if candidate.known <= least {
                // Those that follow are no better known.
                break;
            }
            if candidate.bound <= least {
                continue;
            }
            let Some(movie) = self.movie(candidate.index) else { continue };
            let repeats = movie.genres.iter().filter_map(|genre| genre_picks.get(usize::from(*genre)));
            let repeats = repeats.sum::<f32>() / (movie.genres.len().max(1) as f32);
            let decade = movie.year.and_then(|year| decade_picks.get(&(year / 10))).copied().unwrap_or(0.0);
            candidate.bound = candidate.known - (1.0 + repeats).ln() * 0.35 - (1.0 + decade).ln() * 0.25;
            if candidate.bound > least {
                best = Some((at, candidate.bound));
            }
        }
        best.map(|(at, _)| at)
    }
}
