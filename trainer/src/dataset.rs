//! Reading MovieLens's `movies.csv` and `ratings.csv` (seed row 1), row by row, with the place of whatever is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use watchnext::bundle::{Source, sha256_hex};
use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
use watchnext::history::{LIKED_STARS, Rating};
use watchnext::title::parse_title;

/// What MovieLens writes where a movie has no genre.
pub(crate) const NO_GENRES: &str = "(no genres listed)";

/// One rating, its movie already dense.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// The movie.
    pub movie: MovieIndex,
    /// The stars that it got.
    pub rating: Rating,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub timestamp: i64,
}

impl Event {
    /// Whether the movie got at least [`LIKED_STARS`].
    pub fn liked(&self) -> bool {
        self.rating.stars() >= LIKED_STARS
    }
}

/// One user's ratings in time order; equal times stay in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The id in `ratings.csv`.
    pub id: u32,
    /// The ratings, oldest first.
    pub events: Vec<Event>,
}

/// Ratings by user, with the catalogue of the movies that were rated.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The movies, dense by ascending id.
    pub catalog: Catalog,
    /// The users of the folder's own `ratings.csv` by ascending id, then those whom only further files know, likewise.
    pub users: Vec<User>,
    /// How many users the folder's own `ratings.csv` has. They come first in `users`; the others may train a model, but nobody
    /// measures on them, so that figures with and without further files are of the same people.
    pub main_users: usize,
    /// Where all of it came from.
    pub sources: Vec<Source>,
}

#[derive(Debug, Deserialize)]
struct MovieRow {
    #[serde(rename = "movieId")]
    movie_id: u32,
    title: String,
    genres: String,
}

#[derive(Debug, Deserialize)]
struct RatingRow {
    #[serde(rename = "userId")]
    user_id: u32,
    #[serde(rename = "movieId")]
    movie_id: u32,
    rating: f32,
    timestamp: i64,
}

/// A rating before its movie is dense.
struct RawRating {
    user: u32,
    movie: u32,
    rating: Rating,
    timestamp: i64,
}

/// Ratings read from one or several files, checked against `movies.csv`.
struct RawRatings {
    rows: Vec<RawRating>,
    sources: Vec<Source>,
}

impl Dataset {
    /// Reads `folder/movies.csv`, `folder/ratings.csv` and any `more` ratings of the same catalogue. The catalogue holds the
    /// movies that at least one rating names, by ascending id.
    ///
    /// # Errors
    /// A missing, empty or foreign file, and the first wrong row with its file, line and the remedy.
    pub fn read(folder: &Path, more: &[PathBuf]) -> Result<Self> {
        ensure!(
            folder.is_dir(),
            "the data folder {} doesn't exist. Give the folder that holds movies.csv and ratings.csv with --data.",
            folder.display()
        );
        let (titles, movies_source) = read_movies(&folder.join("movies.csv"))?;
        let mut files = vec![folder.join("ratings.csv")];
        files.extend_from_slice(more);
        let known: BTreeSet<u32> = titles.keys().copied().collect();
        let ratings = read_ratings(&files, |movie, place| {
            ensure!(
                known.contains(&movie),
                "{place}: movie {movie} isn't in movies.csv. Add it there, or remove the row."
            );
            Ok(())
        })?;
        let rated: BTreeSet<u32> = ratings.rows.iter().map(|row| row.movie).collect();
        let catalog = build_catalog(&titles, &rated, &ratings.rows)?;
        let own_rows = ratings.sources.first().map_or(0, |source| source.rows);
        let own: BTreeSet<u32> = ratings.rows.iter().take(own_rows).map(|row| row.user).collect();
        let (mut users, further): (Vec<User>, Vec<User>) =
            group_by_user(&ratings.rows, &catalog).into_iter().partition(|user| own.contains(&user.id));
        let main_users = users.len();
        users.extend(further);
        let sources = std::iter::once(movies_source).chain(ratings.sources).collect();
        Ok(Self { catalog, users, main_users, sources })
    }

    /// Reads a ratings file against a finished catalogue. Returns the users and how many ratings were left out because their
    /// movies aren't in the catalogue.
    ///
    /// # Errors
    /// As [`Dataset::read`], unknown movies aside.
    pub fn read_users(ratings: &Path, catalog: &Catalog) -> Result<(Vec<User>, usize)> {
        let ratings = read_ratings(&[ratings.to_owned()], |_, _| Ok(()))?;
        let total = ratings.rows.len();
        let users = group_by_user(&ratings.rows, catalog);
        let kept: usize = users.iter().map(|user| user.events.len()).sum();
        Ok((users, total - kept))
    }

    /// How many ratings there are.
    pub fn ratings(&self) -> usize {
        self.users.iter().map(|user| user.events.len()).sum()
    }
}

/// Every movie of `folder/movies.csv` by ascending id, rated or not, with its title as the catalogue shows it.
///
/// # Errors
/// As [`Dataset::read`].
pub fn read_movie_titles(folder: &Path) -> Result<Vec<(MovieId, String)>> {
    let (titles, _) = read_movies(&folder.join("movies.csv"))?;
    Ok(titles.into_iter().map(|(id, (title, _))| (MovieId(id), parse_title(&title).0)).collect())
}

/// A CSV file's bytes, its name and its SHA-256.
pub(crate) fn read_file(path: &Path) -> Result<(Vec<u8>, String, String)> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .with_context(|| format!("{} can't be read. Check the path and the rights.", path.display()))?;
    ensure!(
        !bytes.is_empty(),
        "{} is empty. Fetch it again: MovieLens's file has a header and one row a line.",
        path.display()
    );
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let sha256 = sha256_hex(&bytes);
    Ok((bytes, name, sha256))
}

/// Deserialises every row, with `columns` checked first and the line of a wrong row in the error.
pub(crate) fn read_rows<Row: for<'row> Deserialize<'row>>(
    path: &Path,
    bytes: &[u8],
    columns: &[&str],
    mut each: impl FnMut(Row, &str) -> Result<()>,
) -> Result<usize> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(bytes);
    let header = reader.headers().with_context(|| format!("{}: the header isn't readable", path.display()))?.clone();
    let header: csv::StringRecord = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
    if let Some(missing) = columns.iter().find(|column| !header.iter().any(|name| name == **column)) {
        bail!(
            "{}: line 1 has no column `{missing}`; it reads `{}`. The columns needed are {}, as in MovieLens's files.",
            path.display(),
            header.iter().collect::<Vec<_>>().join(","),
            columns.join(", ")
        );
    }
    let mut rows = 0;
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        let more = reader.read_record(&mut record).with_context(|| {
            format!("{}: line {line} isn't a row like the header. Mend or remove it.", path.display())
        })?;
        if !more {
            break;
        }
        let line = record.position().map_or(line, csv::Position::line);
        let place = format!("{}: line {line}", path.display());
        let row: Row = record.deserialize(Some(&header)).map_err(|error| {
            let reason = match error.kind() {
                csv::ErrorKind::Deserialize { err, .. } => {
                    match err.field().and_then(|at| header.get(usize::try_from(at).ok()?)) {
                        Some(column) => format!("column `{column}`: {}", err.kind()),
                        None => err.to_string(),
                    }
                }
                _ => error.to_string(),
            };
            let text = record.iter().collect::<Vec<_>>().join(",");
            anyhow::anyhow!("{place} is wrong ({reason}); it reads `{text}`. Mend or remove it.")
        })?;
        each(row, &place)?;
        rows += 1;
    }
    ensure!(rows > 0, "{} has a header and no rows. Fetch it again.", path.display());
    Ok(rows)
}

/// Titles and genres by id.
type Titles = BTreeMap<u32, (String, String)>;

fn read_movies(path: &Path) -> Result<(Titles, Source)> {
    let (bytes, name, sha256) = read_file(path)?;
    let mut titles = Titles::new();
    let rows = read_rows(path, &bytes, &["movieId", "title", "genres"], |row: MovieRow, place| {
        ensure!(!row.title.trim().is_empty(), "{place}: the title is empty. Give it one, or remove the row.");
        let before = titles.insert(row.movie_id, (row.title, row.genres));
        ensure!(before.is_none(), "{place}: movie {} stands twice. Remove one of the rows.", row.movie_id);
        Ok(())
    })?;
    Ok((titles, Source { name, sha256, rows }))
}

fn read_ratings(files: &[PathBuf], check: impl Fn(u32, &str) -> Result<()>) -> Result<RawRatings> {
    let mut ratings = RawRatings { rows: Vec::new(), sources: Vec::new() };
    let mut places: BTreeMap<(u32, u32), String> = BTreeMap::new();
    for path in files {
        let (bytes, name, sha256) = read_file(path)?;
        let columns = ["userId", "movieId", "rating", "timestamp"];
        let rows = read_rows(path, &bytes, &columns, |row: RatingRow, place| {
            let rating = Rating::new(row.rating).with_context(|| {
                format!("{place}: the rating {} is outside 0.5 to 5. Mend or remove the row.", row.rating)
            })?;
            check(row.movie_id, place)?;
            watchnext::features::LocalTime::from_unix(row.timestamp, 0)
                .with_context(|| format!("{place}: the timestamp is wrong"))?;
            if let Some(before) = places.insert((row.user_id, row.movie_id), place.to_owned()) {
                bail!(
                    "{place}: user {} rated movie {} twice, before in {before}. Remove one of the rows.",
                    row.user_id,
                    row.movie_id
                );
            }
            ratings.rows.push(RawRating { user: row.user_id, movie: row.movie_id, rating, timestamp: row.timestamp });
            Ok(())
        })?;
        ratings.sources.push(Source { name, sha256, rows });
    }
    Ok(ratings)
}

fn build_catalog(titles: &Titles, rated: &BTreeSet<u32>, ratings: &[RawRating]) -> Result<Catalog> {
    let genres: BTreeSet<&str> = rated
        .iter()
        .filter_map(|id| titles.get(id))
        .flat_map(|(_, genres)| genres.split('|'))
        .map(str::trim)
        .filter(|genre| !genre.is_empty() && *genre != NO_GENRES)
        .collect();
    let genres: Vec<String> = genres.into_iter().map(str::to_owned).collect();
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    for rating in ratings {
        *counts.entry(rating.movie).or_default() += 1;
    }
    let movies = rated
        .iter()
        .filter_map(|id| Some((id, titles.get(id)?)))
        .map(|(id, (raw_title, raw_genres))| {
            let (title, year) = parse_title(raw_title);
            let position = |genre: &str| genres.binary_search_by(|known| known.as_str().cmp(genre.trim())).ok();
            let genres = raw_genres.split('|').filter_map(position).filter_map(|at| u16::try_from(at).ok()).collect();
            Movie { id: MovieId(*id), title, year, genres, ratings: counts.get(id).copied().unwrap_or(0) }
        })
        .collect();
    Ok(Catalog::new(genres.clone(), movies)?)
}

fn group_by_user(ratings: &[RawRating], catalog: &Catalog) -> Vec<User> {
    let mut users: BTreeMap<u32, Vec<Event>> = BTreeMap::new();
    for row in ratings {
        if let Some(movie) = catalog.index_of(MovieId(row.movie)) {
            let event = Event { movie, rating: row.rating, timestamp: row.timestamp };
            users.entry(row.user).or_default().push(event);
        }
    }
    users
        .into_iter()
        .map(|(id, mut events)| {
            // A stable sort: MovieLens has many ratings within one second, whose order in the file is all there is.
            events.sort_by_key(|event| event.timestamp);
            User { id, events }
        })
        .collect()
}
