//! The forms of lists of watched movies: recognising them by their columns, and reading a row of each.

use serde::{Deserialize, Serialize};

use crate::history::Rating;
use crate::title::parse_title;

/// A form that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListFormat {
    /// Letterboxd's `watched.csv`, and its other lists in this form: Date, Name, Year, Letterboxd URI.
    LetterboxdWatched,
    /// Letterboxd's `ratings.csv`: the same and Rating, 0.5 to 5.
    LetterboxdRatings,
    /// Letterboxd's `diary.csv`: the same and Rewatch, Tags, Watched Date.
    LetterboxdDiary,
    /// IMDb's export of ratings, 1 to 10: Const, Your Rating, Date Rated, Title, URL, Title Type, Year, …
    Imdb,
    /// The export of movielens.org: movie_id, imdb_id, tmdb_id, rating, average_rating, title.
    Movielens,
    /// `ratings.csv` of a MovieLens data set: userId, movieId, rating, timestamp.
    MovielensDataset,
    /// The list that this program's page writes: movieId, imdbId, title, year, rating.
    Watchnext,
}

/// The forms in a sentence, for the error about an unknown one.
pub(super) const UNDERSTOOD: &str = "Understood are Letterboxd's watched.csv, ratings.csv and diary.csv, IMDb's export \
    of ratings, movielens.org's export, ratings.csv of a MovieLens data set, and the list that is exported here \
    (movieId, imdbId, title, year, rating)";

/// The longest title, in characters. The longest known one has some 170.
const MAX_TITLE: usize = 500;

/// The most characters of a cell that an error shows.
const MAX_QUOTED: usize = 30;

/// IMDb's title types that aren't movies, as [`column_key`]s.
const OTHER_TYPES: [&str; 8] = [
    "tvseries",
    "tvminiseries",
    "miniseries",
    "tvepisode",
    "podcastseries",
    "podcastepisode",
    "videogame",
    "musicvideo",
];

/// A form, and where its columns are.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) format: ListFormat,
    /// How many columns there are.
    pub(super) width: usize,
    user: Option<usize>,
    movie_id: Option<usize>,
    imdb: Option<usize>,
    title: Option<usize>,
    original_title: Option<usize>,
    title_type: Option<usize>,
    year: Option<usize>,
    rating: Option<usize>,
    date: Option<usize>,
}

/// A row's cells, parsed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub(super) user: Option<String>,
    /// MovieLens's id.
    pub(super) movie_id: Option<u32>,
    pub(super) imdb: Option<u32>,
    /// The title, without the year.
    pub(super) title: Option<String>,
    pub(super) original_title: Option<String>,
    pub(super) year: Option<u16>,
    pub(super) rating: Option<Rating>,
    /// Larger is later. Comparable only within one file.
    pub(super) date: Option<i64>,
    pub(super) is_movie: bool,
    /// The row's defect, if it has one.
    pub(super) invalid: Option<String>,
}

/// A cell as an error shows it.
pub(super) fn quoted(cell: &str) -> String {
    let start: String = cell.chars().take(MAX_QUOTED).collect();
    if start.len() < cell.len() { format!("`{start}…`") } else { format!("`{start}`") }
}

/// A column's name for comparing: its letters and digits in lower case.
fn column_key(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Columns {
    /// The form of a file with this header, `None` if it isn't known.
    pub(super) fn recognise(header: &[String]) -> Option<Self> {
        let keys: Vec<String> = header.iter().map(|name| column_key(name)).collect();
        let at = |names: &[&str]| names.iter().find_map(|name| keys.iter().position(|key| key == name));
        let has = |names: &[&str]| names.iter().all(|name| keys.iter().any(|key| key == name));
        let rating = at(&["yourrating", "yourated", "rating"]);
        let format = if has(&["name", "year", "letterboxduri"]) {
            match (at(&["watcheddate"]), rating) {
                (Some(_), _) => ListFormat::LetterboxdDiary,
                (None, Some(_)) => ListFormat::LetterboxdRatings,
                (None, None) => ListFormat::LetterboxdWatched,
            }
        } else if has(&["const", "title"]) && rating.is_some() {
            ListFormat::Imdb
        } else if has(&["userid", "movieid", "rating"]) {
            ListFormat::MovielensDataset
        } else if has(&["movieid", "title", "year"]) {
            ListFormat::Watchnext
        } else if has(&["movieid", "title", "rating"]) {
            ListFormat::Movielens
        } else {
            return None;
        };
        Some(Self {
            format,
            width: header.len(),
            user: at(&["userid"]),
            movie_id: at(&["movieid"]),
            imdb: at(&["const", "imdbid"]),
            title: at(&["title", "name"]),
            original_title: at(&["originaltitle"]),
            title_type: at(&["titletype"]),
            year: at(&["year"]),
            rating,
            date: at(&["watcheddate", "daterated", "timestamp", "created", "date"]),
        })
    }

    /// Parses the cells of a record.
    pub(super) fn row(&self, cells: &[String]) -> Row {
        if cells.len() != self.width {
            let invalid = format!("it has {} cells where the header has {}", cells.len(), self.width);
            return Row { invalid: Some(invalid), is_movie: true, ..Row::default() };
        }
        let text = |column: Option<usize>| {
            column.and_then(|at| cells.get(at)).map(String::as_str).filter(|cell| !cell.is_empty())
        };
        let mut invalid = None;
        let mut year = text(self.year).and_then(|text| {
            let year = text.parse().ok();
            if year.is_none() {
                invalid = Some(format!("{} isn't a year", quoted(text)));
            }
            year
        });
        let rating = text(self.rating).and_then(|text| {
            let rating = self.rating_of(text);
            if rating.is_none() {
                invalid = Some(format!("the rating {} is outside the scale of {}", quoted(text), self.scale()));
            }
            rating
        });
        let title_of = |column: Option<usize>| text(column).filter(|title| title.chars().count() <= MAX_TITLE);
        let mut title = title_of(self.title).map(str::to_owned);
        if let Some(raw) = title.as_deref().filter(|_| self.format == ListFormat::Movielens) {
            let (without_year, in_title) = parse_title(raw);
            (title, year) = (Some(without_year), in_title);
        }
        let movie_id = text(self.movie_id).and_then(|text| text.parse().ok());
        let imdb = text(self.imdb).and_then(imdb_number);
        if title_of(self.title) != text(self.title) {
            invalid = Some(format!("its title has more than {MAX_TITLE} characters"));
        } else if title.is_none() && movie_id.is_none() && imdb.is_none() {
            invalid = Some("it has neither a title nor a number that names a movie".to_owned());
        }
        Row {
            user: text(self.user).map(str::to_owned),
            movie_id,
            imdb,
            title,
            original_title: title_of(self.original_title).map(str::to_owned),
            year,
            rating,
            date: text(self.date).and_then(|text| self.date_of(text)),
            is_movie: !text(self.title_type).is_some_and(|kind| OTHER_TYPES.contains(&column_key(kind).as_str())),
            invalid,
        }
    }

    const fn scale(&self) -> &'static str {
        if matches!(self.format, ListFormat::Imdb) { "1 to 10" } else { "0.5 to 5" }
    }

    /// Stars from 0.5 to 5. A spreadsheet may have written a comma for the point.
    fn rating_of(&self, text: &str) -> Option<Rating> {
        let number: f32 = text.replace(',', ".").parse().ok()?;
        Rating::new(if self.format == ListFormat::Imdb { number / 2.0 } else { number })
    }

    /// Seconds since 1970 in a data set. In other forms, days from a date that begins with year, month and day.
    fn date_of(&self, text: &str) -> Option<i64> {
        if self.format == ListFormat::MovielensDataset {
            return text.parse().ok();
        }
        let mut parts = text.get(..10)?.split('-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
        // Only the order matters, so every month may have 31 days.
        is_date.then_some((year * 12 + month) * 31 + day)
    }
}

/// IMDb's number of a movie, with or without `tt` and leading zeros.
fn imdb_number(text: &str) -> Option<u32> {
    text.strip_prefix("tt").unwrap_or(text).parse().ok().filter(|number| *number != 0)
}
