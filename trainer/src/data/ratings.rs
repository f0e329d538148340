//! Reads ratings: who rated what, how, and when, in 24 bytes each.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use watchnext::bundle::Source;
use watchnext::history::Rating;

use super::columns::{ChosenColumns, Kind, Role};
use super::layout::Layout;
use super::problems::Problems;
use super::table::Table;
use super::user::Times;
use super::values::{self, Ids, Ratings};

/// One rating or click. Millions of them are in memory at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Seconds since 1970; 0 if no times are known.
    pub(crate) time: i64,
    /// The user's place among [`RatingRows::users`].
    pub(crate) user: u32,
    /// The item's place, by the caller's numbering.
    pub(crate) item: u32,
    /// NaN for a click without a rating; see [`Row::rating`].
    stars: f32,
    /// The line, or the row's number.
    line: u32,
}

impl Row {
    /// The rating, unless the row is a click.
    pub(crate) fn rating(&self) -> Option<Rating> {
        Rating::new(self.stars)
    }
}

/// The rows of one or several files.
#[derive(Debug, Default)]
pub(crate) struct RatingRows {
    /// In the order of the files.
    pub(crate) rows: Vec<Row>,
    /// Who rated.
    pub(crate) users: Ids,
    /// The files.
    pub(crate) sources: Vec<Source>,
    /// How many rows were left out because the caller didn't want their items.
    pub(crate) left_out: usize,
    /// Whether the rows have times; `None` before the first file.
    timed: Option<bool>,
    files: Vec<RatingFile>,
}

/// A file that rows came from.
#[derive(Debug)]
struct RatingFile {
    path: PathBuf,
    /// `line` or `row`.
    unit: &'static str,
    /// The number of rows after this file was read.
    end: usize,
}

/// The places of rows, user by user, in the order of the files.
#[derive(Debug)]
pub(crate) struct RowsByUser {
    /// `[rows]`.
    places: Vec<u32>,
    /// The start of each user's part of `places`, and the end of the last: `[users + 1]`.
    starts: Vec<usize>,
}

impl RowsByUser {
    /// Each user's places in [`RatingRows::rows`].
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|range| match range {
            [start, end] => self.places.get(*start..*end).unwrap_or_default(),
            _ => &[],
        })
    }
}

/// The caller's answer to an item's id: its place, nothing if the row is to be left out, or why the id is wrong.
pub(crate) type ItemLookup = Result<Option<u32>, String>;

impl RatingRows {
    /// Adds a file. It has MovieLens's form if there is no `layout`.
    ///
    /// # Errors
    /// A file that can't be read, a header that lacks a column, and all wrong rows.
    pub(crate) fn read(
        &mut self,
        path: &Path,
        layout: Option<&Layout>,
        find: impl Fn(&str) -> ItemLookup,
    ) -> Result<()> {
        let (table, chosen) = Table::open_with_columns(path, Kind::Ratings, layout)?;
        let timed = chosen.slot(Role::Time).is_some();
        ensure!(
            self.timed.is_none_or(|before| before == timed),
            "{}: this file has {} times and the one before it {}. Add a column of times to the one, or leave them out \
             of both: --columns time=",
            path.display(),
            if timed { "" } else { "no" },
            if timed { "none" } else { "some" }
        );
        self.timed = Some(timed);
        let unit = table.unit();
        let mut problems = Problems::new(path, unit);
        let mut ratings = Ratings::new(layout.map(|layout| layout.scale).unwrap_or_default());
        let places = chosen.places();
        let source = table.read(path, &places, &mut problems, |line, fields, problems| {
            let row = RowParser { chosen: &chosen, fields, line, strict: layout.is_none() };
            match row.parse(&mut self.users, &mut ratings, &find, problems) {
                Some(Some(row)) => self.rows.push(row),
                Some(None) => self.left_out += 1,
                None => {}
            }
        })?;
        if problems.count() > 0
            && layout.is_some()
            && let Some(scale) = ratings.fitting_scale()
        {
            problems.note(format!(
                "All ratings of the file are within {scale}: if that is the scale, add --scale {scale}."
            ));
        }
        problems.settle()?;
        self.files.push(RatingFile { path: path.to_owned(), unit, end: self.rows.len() });
        self.sources.push(source);
        Ok(())
    }

    /// How many rows the first file gave.
    pub(crate) fn rows_of_first_file(&self) -> usize {
        self.files.first().map_or(0, |file| file.end)
    }

    /// How much is known about the times of the rows.
    pub(crate) fn times(&self, layout: Option<&Layout>) -> Times {
        match self.timed {
            Some(false) if layout.is_some_and(|layout| layout.ordered) => Times::Order,
            Some(false) => Times::Unknown,
            _ => Times::Known,
        }
    }

    /// Sorts the places of the rows by user, stably.
    pub(crate) fn by_user(&self) -> RowsByUser {
        let mut starts = vec![0_usize; self.users.len() as usize + 1];
        for row in &self.rows {
            starts.get_mut(row.user as usize + 1).into_iter().for_each(|count| *count += 1);
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut places = vec![0_u32; self.rows.len()];
        for (place, row) in (0_u32..).zip(&self.rows) {
            if let Some(at) = next.get_mut(row.user as usize) {
                places.get_mut(*at).into_iter().for_each(|slot| *slot = place);
                *at += 1;
            }
        }
        RowsByUser { places, starts }
    }

    /// Rejects users who have an item twice; `item` gives an item's id.
    ///
    /// # Errors
    /// All such rows, each with the one before it.
    pub(crate) fn reject_duplicates(&self, by_user: &RowsByUser, item: impl Fn(u32) -> String) -> Result<()> {
        // Pairs of places: the later, then the earlier.
        let mut twice: Vec<(u32, u32)> = Vec::new();
        let mut own: Vec<(u32, u32)> = Vec::new();
        for places in by_user.iter() {
            own.clear();
            own.extend(places.iter().filter_map(|place| Some((self.rows.get(*place as usize)?.item, *place))));
            own.sort_unstable();
            for pair in own.windows(2) {
                if let [(first, before), (second, again)] = pair
                    && first == second
                {
                    twice.push((*again, *before));
                }
            }
        }
        twice.sort_unstable();
        let Some((first, _)) = twice.first() else { return Ok(()) };
        let file = self.file_of(*first).context("a row of no file")?;
        let mut problems = Problems::new(&file.path, file.unit);
        for (again, before) in twice {
            let (Some(row), Some(earlier)) = (self.rows.get(again as usize), self.rows.get(before as usize)) else {
                continue;
            };
            let other =
                self.file_of(before).map(|file| format!("{} {} of {}", file.unit, earlier.line, file.path.display()));
            problems.row(row.line, || {
                format!(
                    ": user {} has item {} twice, before in {}. Remove one of the rows.",
                    self.users.text(row.user),
                    item(row.item),
                    other.unwrap_or_default()
                )
            });
        }
        problems.settle()
    }

    /// The file that a row came from.
    fn file_of(&self, place: u32) -> Option<&RatingFile> {
        self.files.iter().find(|file| (place as usize) < file.end)
    }
}

/// Parses the texts of one row.
struct RowParser<'row> {
    chosen: &'row ChosenColumns,
    fields: &'row [&'row str],
    line: u32,
    /// As in MovieLens's files: ids are numbers, and every row has a rating.
    strict: bool,
}

impl RowParser<'_> {
    fn value(&self, role: Role) -> &str {
        self.chosen.value(role, self.fields)
    }

    /// The row, `Some(None)` if its item is to be left out, or nothing if `problems` says why it is wrong.
    fn parse(
        &self,
        users: &mut Ids,
        ratings: &mut Ratings,
        find: impl Fn(&str) -> ItemLookup,
        problems: &mut Problems,
    ) -> Option<Option<Row>> {
        let mut wrong = |role: Role, words: String| {
            problems.value(self.line, self.chosen.name(role), self.value(role), words);
        };
        let user = users.enter_checked(self.value(Role::User), self.strict);
        let id = self.value(Role::Item);
        let form = if self.strict { values::number(id).map(|_| id) } else { values::id(id) };
        let (user, item) = match (user, form.and_then(find)) {
            (Ok(user), Ok(item)) => (user, item),
            (user, item) => {
                user.err().into_iter().for_each(|words| wrong(Role::User, words));
                item.err().into_iter().for_each(|words| wrong(Role::Item, words));
                return None;
            }
        };
        let rating = self.value(Role::Rating);
        let stars = if rating.is_empty() && !self.strict {
            f32::NAN
        } else {
            match ratings.parse(rating) {
                Ok(rating) => rating.stars(),
                Err(words) => {
                    wrong(Role::Rating, words);
                    return None;
                }
            }
        };
        let time = match self.chosen.slot(Role::Time).map(|_| values::time(self.value(Role::Time))) {
            None => 0,
            Some(Ok(time)) => time,
            Some(Err(words)) => {
                wrong(Role::Time, words);
                return None;
            }
        };
        Some(item.map(|item| Row { time, user, item, stars, line: self.line }))
    }
}
