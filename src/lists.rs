//! Lists of watched movies from elsewhere: Letterboxd, IMDb, MovieLens, and our own.
//!
//! A list comes from a visitor's disk, so it may be anything. A defect of the whole file is an error. A defect of a row
//! costs only that row, which is reported with its line, so that the visitor can fix it.

mod format;
mod table;
mod titles;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, MovieId, MovieIndex};
use crate::error::{Error, Result};
use crate::history::Rating;
use crate::links::Links;

pub use format::ListFormat;
use format::{Columns, Row, UNDERSTOOD, quoted};
use table::Records;
use titles::{Found, TitleIndex};

/// The largest file that is read, in bytes: many times a lifetime of movies.
pub const MAX_LIST_BYTES: usize = 10_000_000;

/// The most rows that are read.
pub const MAX_LIST_ROWS: usize = 200_000;

/// The most columns that the error for an unknown file names.
const MAX_NAMED_COLUMNS: usize = 12;

/// How a movie was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchedBy {
    /// MovieLens's id.
    Id,
    /// IMDb's number.
    Imdb,
    /// Title and year.
    Title,
}

/// A row of the list that leads to a movie of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// The movie.
    pub movie: MovieIndex,
    /// The list's rating, if it has one.
    pub rating: Option<Rating>,
    /// How it was recognised.
    pub by: MatchedBy,
}

/// Why a row leads to no movie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnmatchedReason {
    /// No movie of the catalogue has this title and year.
    NotInCatalog,
    /// Several movies of the catalogue have this title and year.
    Ambiguous,
    /// It is a series, an episode or a game.
    NotAMovie,
    /// The row can't be read.
    Invalid {
        /// The defect.
        detail: String,
    },
}

/// A row that leads to no movie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// The line of the file in which it begins, from 1.
    pub row: usize,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// Its year, if it has one.
    pub year: Option<u16>,
    /// Why it leads to none.
    pub reason: UnmatchedReason,
}

/// A list that was read: the movies that the catalogue has, and the rows that lead to none.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchedList {
    /// The form of the file.
    pub format: ListFormat,
    /// How many rows it has, without the header and blank lines.
    pub rows: usize,
    /// The recognised movies, oldest first if the file has dates, or else in the file's order. A repeated movie is at
    /// its last place, with the last of its ratings.
    pub matched: Vec<Match>,
    /// The rows that lead to no movie, in the file's order.
    pub unmatched: Vec<Unmatched>,
}

impl WatchedList {
    /// Reads a list and recognises its form by the header. Cells may be separated by commas, semicolons or tabs. Text
    /// that isn't UTF-8 is read as Windows-1252.
    ///
    /// A row is matched by IMDb's number if there are `links`, then by MovieLens's id if the form has one, then by its
    /// titles and year. A year that is off by one is accepted if only one movie fits.
    ///
    /// # Errors
    /// [`Error::ListInvalid`] for a file that isn't text, has no known header, no rows, the ratings of several users,
    /// or more than [`MAX_LIST_BYTES`] or [`MAX_LIST_ROWS`].
    pub fn read(bytes: &[u8], catalog: &Catalog, links: Option<&Links>) -> Result<Self> {
        let invalid = |reason: String| Error::ListInvalid { reason };
        if bytes.len() > MAX_LIST_BYTES {
            let most = MAX_LIST_BYTES / 1_000_000;
            return Err(invalid(format!("it is larger than {most} MB. Split it, or check that it is the right file")));
        }
        let text = table::decode(bytes)?;
        let (columns, mut records) = open(&text)?;
        let matcher = Matcher { catalog, links, titles: TitleIndex::new(catalog) };
        let (mut rows, mut matched, mut unmatched) = (0, Vec::new(), Vec::new());
        let mut user: Option<String> = None;
        while let Some(record) = records.next(Some(columns.width)) {
            rows += 1;
            if rows > MAX_LIST_ROWS {
                return Err(invalid(format!("it has more than {MAX_LIST_ROWS} rows. Split it")));
            }
            let unclosed = || Row { invalid: Some("a quotation mark isn't closed".to_owned()), ..Row::default() };
            let row = record.cells.map_or_else(unclosed, |cells| columns.row(&cells));
            if let Some(other) = &row.user {
                let first = user.get_or_insert_with(|| other.clone());
                if first != other {
                    return Err(invalid(format!(
                        "it has the ratings of several users, of {} and in line {} of {}. Keep the header and the \
                         rows of one userId",
                        quoted(first),
                        record.line,
                        quoted(other)
                    )));
                }
            }
            match matcher.find(&row) {
                Ok((movie, by)) => matched.push((row.date, Match { movie, rating: row.rating, by })),
                Err(reason) => {
                    unmatched.push(Unmatched { row: record.line, title: row.title, year: row.year, reason });
                }
            }
        }
        if rows == 0 {
            return Err(invalid("it has a header but no rows".to_owned()));
        }
        // The sort is stable, so that rows of one day stay in the file's order.
        matched.sort_by_key(|(date, _)| *date);
        let matched = each_once(matched.into_iter().map(|(_, found)| found));
        Ok(Self { format: columns.format, rows, matched, unmatched })
    }
}

/// The form of a text, and its records after the header.
fn open(text: &str) -> Result<(Columns, Records<'_>)> {
    let mut seen: Vec<String> = Vec::new();
    for delimiter in [b',', b';', b'\t'] {
        let mut records = Records::new(text, delimiter);
        let header = records.next(None).and_then(|record| record.cells).unwrap_or_default();
        if let Some(columns) = Columns::recognise(&header) {
            return Ok((columns, records));
        }
        if header.len() > seen.len() {
            seen = header;
        }
    }
    let named: Vec<String> = seen.iter().take(MAX_NAMED_COLUMNS).map(|name| quoted(name)).collect();
    let reason = match seen.len() {
        0 => format!("it has no columns. {UNDERSTOOD}"),
        len if len > named.len() => format!("its first line names no known form: {}, … {UNDERSTOOD}", named.join(", ")),
        _ => format!("its first line names no known form: {}. {UNDERSTOOD}", named.join(", ")),
    };
    Err(Error::ListInvalid { reason })
}

/// Finds movies by the catalogue and the links.
struct Matcher<'catalog> {
    catalog: &'catalog Catalog,
    links: Option<&'catalog Links>,
    titles: TitleIndex<'catalog>,
}

impl Matcher<'_> {
    fn find(&self, row: &Row) -> Result<(MovieIndex, MatchedBy), UnmatchedReason> {
        if let Some(detail) = &row.invalid {
            return Err(UnmatchedReason::Invalid { detail: detail.clone() });
        }
        // A number that the catalogue has is a match, even for a series.
        let by_imdb = self.links.zip(row.imdb).and_then(|(links, imdb)| links.movie_of_imdb(imdb));
        if let Some(movie) = by_imdb {
            return Ok((movie, MatchedBy::Imdb));
        }
        if let Some(movie) = row.movie_id.and_then(|id| self.catalog.index_of(MovieId(id))) {
            return Ok((movie, MatchedBy::Id));
        }
        if !row.is_movie {
            return Err(UnmatchedReason::NotAMovie);
        }
        let titles: Vec<&str> = row.title.iter().chain(&row.original_title).map(String::as_str).collect();
        match self.titles.find(&titles, row.year) {
            Found::One(movie) => Ok((movie, MatchedBy::Title)),
            Found::Several => Err(UnmatchedReason::Ambiguous),
            Found::None => Err(UnmatchedReason::NotInCatalog),
        }
    }
}

/// Each movie once, at its last place, with the last of its ratings.
fn each_once(matches: impl DoubleEndedIterator<Item = Match>) -> Vec<Match> {
    let mut latest_first: Vec<Match> = Vec::new();
    let mut places: BTreeMap<MovieIndex, usize> = BTreeMap::new();
    for found in matches.rev() {
        match places.get(&found.movie).and_then(|place| latest_first.get_mut(*place)) {
            Some(later) => later.rating = later.rating.or(found.rating),
            None => {
                places.insert(found.movie, latest_first.len());
                latest_first.push(found);
            }
        }
    }
    latest_first.reverse();
    latest_first
}
