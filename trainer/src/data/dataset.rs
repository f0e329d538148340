//! A data set: users and catalogue, made from the rows of its files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use watchnext::bundle::Source;
use watchnext::catalog::{Catalog, MovieId, MovieIndex};

use super::items::Items;
use super::layout::Layout;
use super::ratings::{RatingRows, RowsByUser};
use super::user::{Event, MIN_RATED, Times, User, count_rated, has_reactions};
use crate::files;

/// The seed that shuffles a user's events if their times aren't known.
const ORDER_SEED: u64 = 20_261_125;

/// Ratings by user, with the catalogue of the movies that were rated.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The movies by ascending id.
    pub catalog: Catalog,
    /// The users of the folder's own `ratings.csv`, then those who are only in further files, both by ascending id.
    pub users: Vec<User>,
    /// How many of `users`, from the first on, are in the folder's own `ratings.csv`. The others may train a model but
    /// never measure it, so figures with and without further files are about the same people. With your own catalogue,
    /// all users are main users.
    pub main_users: usize,
    /// How much is known about the times of the events.
    pub times: Times,
    /// The files.
    pub sources: Vec<Source>,
}

impl Dataset {
    /// Reads `folder/movies.csv`, `folder/ratings.csv` and any `more` ratings of the same catalogue. The catalogue
    /// holds the movies that have at least one rating, by ascending id.
    ///
    /// # Errors
    /// A missing or empty file or one of another kind, and wrong rows with their lines and the remedies.
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

    /// Reads your own items and their ratings. A file whose name ends in `.parquet` is Parquet, any other CSV. The
    /// catalogue holds the items that have at least one rating. Ids that are whole numbers below 2³² stay. Others are
    /// numbered from 1 in the order of the items' file, and the catalogue keeps them as keys.
    ///
    /// # Errors
    /// As [`Dataset::read`], and a header whose columns aren't clear.
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
        let by_user = found.by_user();
        found.reject_duplicates(&by_user, |item| items.ids.text(item))?;
        let times = found.times(layout);
        let (catalog, movies) = build_catalog(&items, &found, layout)?;
        let movie = |item: u32| movies.get(item as usize).copied().flatten();
        let mut users = users(&found, &by_user, movie, times, newest(&catalog));
        let main: BTreeSet<u32> = match layout {
            None => found.rows.iter().take(found.rows_of_first_file()).map(|row| row.user).collect(),
            Some(_) => (0..found.users.len()).collect(),
        };
        users.sort_by_key(|(place, user)| (!main.contains(place), user.id));
        let users = users.into_iter().map(|(_, user)| user).collect();
        let sources = std::iter::once(items.source).chain(found.sources).collect();
        Ok(Self { catalog, users, main_users: main.len(), times, sources })
    }

    /// Reads a file of ratings of a finished catalogue, in MovieLens's form if there is no `layout`. Returns the users,
    /// how many ratings were left out because the catalogue doesn't have their movies, and how much is known about
    /// their times.
    ///
    /// # Errors
    /// As [`Dataset::read`], but unknown movies are no error.
    pub fn read_users(ratings: &Path, catalog: &Catalog, layout: Option<&Layout>) -> Result<(Vec<User>, usize, Times)> {
        let mut found = RatingRows::default();
        found.read(ratings, layout, |id| {
            let movie = catalog.by_key(id).or_else(|| catalog.index_of(MovieId(id.parse().ok()?)));
            Ok(movie.map(MovieIndex::get))
        })?;
        let by_user = found.by_user();
        let name = |movie: u32| {
            let movie = catalog.movies().get(movie as usize);
            movie.map_or_else(String::new, |movie| movie.key.clone().unwrap_or_else(|| movie.id.0.to_string()))
        };
        found.reject_duplicates(&by_user, name)?;
        let times = found.times(layout);
        let movie = |movie: u32| MovieIndex::new(movie as usize);
        let mut users = users(&found, &by_user, movie, times, newest(catalog));
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
        count_rated(&self.users)
    }

    /// Whether the order of a user's events is known, as protocol P1 needs.
    pub fn has_order(&self) -> bool {
        self.times != Times::Unknown
    }

    /// Whether a second stage can learn from the ratings; see [`has_reactions`].
    pub fn has_reactions(&self) -> bool {
        has_reactions(&self.users)
    }

    /// One line for each lack of ratings or times, with its consequence.
    pub fn limitations(&self) -> Vec<String> {
        let (all, rated) = (self.ratings(), self.rated());
        let mut lines = Vec::new();
        if rated == 0 {
            lines.push(
                "no ratings: every row is a click and counts as a like, so there is no second stage and no protocol P3"
                    .to_owned(),
            );
        } else if !self.has_reactions() {
            lines.push(format!(
                "{rated} of {all} rows are ratings, fewer than {MIN_RATED}, so there is no second stage and no \
                 protocol P3"
            ));
        } else if rated < all {
            lines.push(format!("{} of {all} rows have no rating; they are clicks and count as likes", all - rated));
        }
        match self.times {
            Times::Known => {}
            Times::Order => lines.push(
                "no times: the order of the file counts, as --ordered says; popularity by year isn't known".to_owned(),
            ),
            Times::Unknown => lines.push(
                "no times: the next movie (protocol P1) isn't measured, since the file may be in any order; if it is \
                 in the order of watching, add --ordered"
                    .to_owned(),
            ),
        }
        lines
    }
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

/// The time given to ratings without times, in seconds since 1970: the end of the newest item's year, when all items
/// were out.
fn newest(catalog: &Catalog) -> i64 {
    const SECONDS_PER_YEAR: i64 = 31_556_952;
    let newest = catalog.movies().iter().filter_map(|movie| movie.year).max().unwrap_or(2000);
    (i64::from(newest) + 1 - 1970) * SECONDS_PER_YEAR
}

/// The users, each with the place of its id among those of the rows.
fn users(
    found: &RatingRows,
    by_user: &RowsByUser,
    movie: impl Fn(u32) -> Option<MovieIndex>,
    times: Times,
    newest: i64,
) -> Vec<(u32, User)> {
    let numbers = found.users.numbered();
    let user_of = |((place, id), places): ((u32, u32), &[u32])| {
        let rows = places.iter().filter_map(|place| found.rows.get(*place as usize));
        let mut events: Vec<Event> = rows
            .filter_map(|row| {
                let timestamp = if times == Times::Known { row.time } else { newest };
                Some(Event { movie: movie(row.item)?, rating: row.rating(), timestamp })
            })
            .collect();
        // The spare room of millions of users would add up.
        events.shrink_to_fit();
        if times == Times::Unknown {
            let mut rng = ChaCha8Rng::seed_from_u64(ORDER_SEED);
            rng.set_stream(u64::from(place));
            events.shuffle(&mut rng);
        }
        // The sort is stable: MovieLens has many ratings within one second, and only the file orders them.
        events.sort_by_key(|event| event.timestamp);
        (place, User { id, events })
    };
    (0..).zip(numbers).zip(by_user.iter()).map(user_of).collect()
}
