//! Reading a catalogue and its ratings: MovieLens's folder (seed row 1), or anybody's items and ratings in CSV or Parquet.
//!
//! [`columns`] says which column is what, [`values`] what a text means; [`csv`] and [`parquet`] read their files as streams, both
//! behind [`table`]. [`items`] and [`ratings`] make rows of them, and [`problems`] gathers what is wrong, with the place of each.
//! A rating takes 24 bytes from here on, so ten millions fit into a machine's memory many times.

pub mod columns;
pub mod cooccurrence;
mod csv;
pub mod incidence;
pub mod item_factors;
mod items;
pub mod links;
mod parquet;
pub mod popularity;
mod problems;
mod ratings;
mod row;
pub mod split;
mod table;
pub mod timed_popularity;
pub mod training_set;
pub mod user_movies;
mod values;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use watchnext::bundle::Source;
use watchnext::catalog::{Catalog, MovieId, MovieIndex};
use watchnext::history::{LIKED_STARS, Rating};

use columns::ColumnNames;
use ratings::RatingRows;

use crate::files;

pub(crate) use columns::{exactly, nearest};
pub(crate) use items::Items;
pub(crate) use problems::Problems;
pub(crate) use table::Table;
pub use values::Scale;

/// The seed of the order in which a user's ratings stand whose times aren't known.
const ORDER_SEED: u64 = 20_261_125;

/// Ratings that a second stage needs to learn from, where some of the rows are clicks.
const LEAST_RATED: usize = 1000;

/// One rating or click, its movie already dense.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// The movie.
    pub movie: MovieIndex,
    /// The stars that it got; none for a click.
    pub rating: Option<Rating>,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub timestamp: i64,
}

impl Event {
    /// Whether the movie got at least [`LIKED_STARS`]; a click is taken for a like.
    pub fn liked(&self) -> bool {
        self.rating.is_none_or(|rating| rating.stars() >= LIKED_STARS)
    }
}

/// One user's ratings in time order; equal times stay in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The id in the file, or the user's number in the order of the file where ids aren't numbers.
    pub id: u32,
    /// The ratings, oldest first.
    pub events: Vec<Event>,
}

/// What is known of when movies were rated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// Each rating has its own.
    #[default]
    Known,
    /// The order alone: that of the file.
    Order,
    /// Nothing. Each user's ratings stand in an order that chance made, so that nobody can learn from the file's.
    Unknown,
}

/// What a reader must be told of an own catalogue's files.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Which column is what, besides those with usual names.
    pub columns: ColumnNames,
    /// What stands between an item's categories.
    pub separator: String,
    /// The ratings' scale.
    pub scale: Scale,
    /// Whether ratings without times stand in the order in which they were given.
    pub ordered: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self { columns: ColumnNames::default(), separator: "|".to_owned(), scale: Scale::default(), ordered: false }
    }
}

/// Ratings by user, with the catalogue of the movies that were rated.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The movies, dense by ascending id.
    pub catalog: Catalog,
    /// The users of the folder's own `ratings.csv` by ascending id, then those whom only further files know, likewise.
    pub users: Vec<User>,
    /// How many users the folder's own `ratings.csv` has. They come first in `users`; the others may train a model, but nobody
    /// measures on them, so that figures with and without further files are of the same people. Of an own catalogue it is all.
    pub main_users: usize,
    /// What is known of when movies were rated.
    pub times: Times,
    /// Where all of it came from.
    pub sources: Vec<Source>,
}

impl Dataset {
    /// Reads `folder/movies.csv`, `folder/ratings.csv` and any `more` ratings of the same catalogue. The catalogue holds the
    /// movies that at least one rating names, by ascending id.
    ///
    /// # Errors
    /// A missing, empty or foreign file, and its wrong rows with their lines and the remedies.
    pub fn read(folder: &Path, more: &[PathBuf]) -> Result<Self> {
        ensure!(
            folder.is_dir(),
            "the data folder {} doesn't exist. Give the folder that holds movies.csv and ratings.csv with --data.",
            folder.display()
        );
        let mut files = vec![folder.join("ratings.csv")];
        files.extend_from_slice(more);
        Self::read_files(&folder.join("movies.csv"), &files, None)
    }

    /// Reads any items and their ratings, each file CSV or, if its name ends in `.parquet`, Parquet. The catalogue holds the items
    /// that at least one rating names. Ids that are whole numbers below 2³² stay; others are numbered from 1 in the order of the
    /// items' file, and the catalogue keeps them as keys.
    ///
    /// # Errors
    /// As [`Dataset::read`], and a header that doesn't say enough.
    pub fn read_own(items: &Path, ratings: &[PathBuf], layout: &Layout) -> Result<Self> {
        ensure!(!ratings.is_empty(), "there are items and no ratings. Give a file of ratings with --ratings.");
        Self::read_files(items, ratings, Some(layout))
    }

    fn read_files(items_file: &Path, files: &[PathBuf], layout: Option<&Layout>) -> Result<Self> {
        let items = Items::read(items_file, layout)?;
        let name = files::name(items_file);
        let find = |id: &str| {
            let place = match layout {
                None => id.parse().ok().and_then(|number| items.ids.place_of_number(number)),
                Some(_) => items.ids.place(id),
            };
            let what = if layout.is_some() { "item" } else { "movie" };
            place.map(Some).ok_or_else(|| {
                format!("names no row of the items: {what} {id} isn't in {name}. Add it there, or remove the row.")
            })
        };
        let mut found = RatingRows::default();
        for file in files {
            found.read(file, layout, find)?;
        }
        let (places, starts) = found.by_user();
        found.refuse_twice(&places, &starts, |item| items.ids.text(item))?;
        let times = match (found.timed, layout) {
            (Some(false), Some(layout)) if layout.ordered => Times::Order,
            (Some(false), _) => Times::Unknown,
            _ => Times::Known,
        };
        let (catalog, movies) = build_catalog(&items, &found, layout)?;
        let movie = |item: u32| movies.get(item as usize).copied().flatten();
        let mut users = users(&found, &places, &starts, movie, times, newest(&catalog));
        let own: BTreeSet<u32> = match layout {
            // Who is in the folder's own file.
            None => found.rows.iter().take(found.of_first_file()).map(|row| row.user).collect(),
            Some(_) => (0..found.users.len()).collect(),
        };
        users.sort_by_key(|(place, user)| (!own.contains(place), user.id));
        let users = users.into_iter().map(|(_, user)| user).collect();
        let sources = std::iter::once(items.source).chain(found.sources).collect();
        Ok(Self { catalog, users, main_users: own.len(), times, sources })
    }

    /// Reads a ratings file against a finished catalogue, in MovieLens's form if there is no `layout`. Returns the users, how
    /// many ratings were left out because their movies aren't in the catalogue, and what is known of when they were given.
    ///
    /// # Errors
    /// As [`Dataset::read`], unknown movies aside.
    pub fn read_users(ratings: &Path, catalog: &Catalog, layout: Option<&Layout>) -> Result<(Vec<User>, usize, Times)> {
        let mut found = RatingRows::default();
        found.read(ratings, layout, |id| {
            let movie = catalog.by_key(id).or_else(|| catalog.index_of(MovieId(id.parse().ok()?)));
            Ok(movie.map(MovieIndex::get))
        })?;
        let (places, starts) = found.by_user();
        let name = |movie: u32| {
            let movie = catalog.movies().get(movie as usize);
            movie.map_or_else(String::new, |movie| movie.key.clone().unwrap_or_else(|| movie.id.0.to_string()))
        };
        found.refuse_twice(&places, &starts, name)?;
        let times = match (found.timed, layout.is_some_and(|layout| layout.ordered)) {
            (Some(false), true) => Times::Order,
            (Some(false), false) => Times::Unknown,
            _ => Times::Known,
        };
        let movie = |movie: u32| MovieIndex::new(movie as usize);
        let mut users = users(&found, &places, &starts, movie, times, newest(catalog));
        users.retain(|(_, user)| !user.events.is_empty());
        users.sort_by_key(|(_, user)| user.id);
        Ok((users.into_iter().map(|(_, user)| user).collect(), found.left_out, times))
    }

    /// How many ratings and clicks there are.
    pub fn ratings(&self) -> usize {
        self.users.iter().map(|user| user.events.len()).sum()
    }

    /// How many of them are ratings.
    pub fn rated(&self) -> usize {
        rated(&self.users)
    }

    /// Whether the order of a user's ratings says anything, as protocol P1 needs.
    pub fn has_order(&self) -> bool {
        self.times != Times::Unknown
    }

    /// Whether a second stage can learn from the ratings; see [`has_reactions`].
    pub fn has_reactions(&self) -> bool {
        has_reactions(&self.users)
    }

    /// What the data don't have, and what is done without it, in a line each.
    pub fn lacks(&self) -> Vec<String> {
        let (all, rated) = (self.ratings(), self.rated());
        let mut lines = Vec::new();
        if rated == 0 {
            lines.push(
                "no ratings: every row is a click and counts as a like, so there is no second stage and no protocol P3"
                    .to_owned(),
            );
        } else if !self.has_reactions() {
            lines.push(format!(
                "{rated} of {all} rows are ratings, fewer than {LEAST_RATED}, so there is no second stage and no protocol P3"
            ));
        } else if rated < all {
            lines.push(format!("{} of {all} rows have no rating; they are clicks and count as likes", all - rated));
        }
        match self.times {
            Times::Known => {}
            Times::Order => lines.push(
                "no times: the file's order is taken for theirs, as --ordered says; what is popular in which year isn't known".to_owned(),
            ),
            Times::Unknown => lines.push(
                "no times: the next movie (protocol P1) isn't measured, since the order of a file isn't that of watching; where it is, say --ordered"
                    .to_owned(),
            ),
        }
        lines
    }
}

/// Whether a second stage can learn from the users' ratings: all of their events are ratings, or enough of them.
pub fn has_reactions(users: &[User]) -> bool {
    let (rated, all) = (rated(users), users.iter().map(|user| user.events.len()).sum::<usize>());
    rated > 0 && (rated == all || rated >= LEAST_RATED)
}

/// How many of the users' events are ratings.
fn rated(users: &[User]) -> usize {
    users.iter().flat_map(|user| &user.events).filter(|event| event.rating.is_some()).count()
}

/// Every movie of `folder/movies.csv` by ascending id, rated or not, with its title as the catalogue shows it.
///
/// # Errors
/// As [`Dataset::read`].
pub fn read_movie_titles(folder: &Path) -> Result<Vec<(MovieId, String)>> {
    Ok(Items::read(&folder.join("movies.csv"), None)?.titles())
}

/// The catalogue of the items that were rated, by ascending number, and each item's row in it by its place in the file.
fn build_catalog(
    items: &Items,
    found: &RatingRows,
    layout: Option<&Layout>,
) -> Result<(Catalog, Vec<Option<MovieIndex>>)> {
    let mut counts = vec![0_u32; items.rows.len()];
    for row in &found.rows {
        counts.get_mut(row.item as usize).into_iter().for_each(|count| *count += 1);
    }
    let numbers = items.ids.numbered();
    let mut order: Vec<(u32, usize)> =
        numbers.iter().copied().zip(0..).filter(|(_, at)| counts.get(*at) > Some(&0)).collect();
    order.sort_unstable();
    let order: Vec<usize> = order.into_iter().map(|(_, at)| at).collect();
    let separator = layout.map_or("|", |layout| layout.separator.as_str());
    let catalog = items.catalog_of(&order, |at| counts.get(at).copied().unwrap_or(0), separator)?;
    let mut rows = vec![None; items.rows.len()];
    for (row, at) in order.iter().enumerate() {
        rows.get_mut(*at).into_iter().for_each(|slot| *slot = MovieIndex::new(row));
    }
    Ok((catalog, rows))
}

/// The moment at which ratings without times are taken to be given: the end of the year of the newest item, when all of them
/// were there.
fn newest(catalog: &Catalog) -> i64 {
    const SECONDS_OF_A_YEAR: i64 = 31_556_952;
    let newest = catalog.movies().iter().filter_map(|movie| movie.year).max().unwrap_or(2000);
    (i64::from(newest) + 1 - 1970) * SECONDS_OF_A_YEAR
}

/// The users with their places among the rows' users.
fn users(
    found: &RatingRows,
    places: &[u32],
    starts: &[usize],
    movie: impl Fn(u32) -> Option<MovieIndex>,
    times: Times,
    newest: i64,
) -> Vec<(u32, User)> {
    let numbers = found.users.numbered();
    let of_user = |((place, id), range): ((u32, u32), &[usize])| {
        let (start, end) = (range.first().copied().unwrap_or(0), range.last().copied().unwrap_or(0));
        let rows =
            places.get(start..end).unwrap_or_default().iter().filter_map(|place| found.rows.get(*place as usize));
        let mut events: Vec<Event> = rows
            .filter_map(|row| {
                let timestamp = if times == Times::Known { row.time } else { newest };
                Some(Event { movie: movie(row.item)?, rating: row.rating(), timestamp })
            })
            .collect();
        // Millions of users' spare room would add up.
        events.shrink_to_fit();
        if times == Times::Unknown {
            let mut rng = ChaCha8Rng::seed_from_u64(ORDER_SEED);
            rng.set_stream(u64::from(place));
            events.shuffle(&mut rng);
        }
        // A stable sort: MovieLens has many ratings within one second, whose order in the file is all there is.
        events.sort_by_key(|event| event.timestamp);
        (place, User { id, events })
    };
    (0..).zip(numbers).zip(starts.windows(2)).map(of_user).collect()
}
