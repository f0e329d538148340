//! Reading ratings: who rated what, how, and when, in 24 bytes each.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use watchnext::bundle::Source;
use watchnext::history::Rating;

use super::Layout;
use super::columns::{self, Chosen, Kind, Role};
use super::problems::Problems;
use super::table::Table;
use super::values::{self, Ids, Ratings};

/// One rating or click. Millions of them are in memory at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Seconds since 1970; 0 where no times are known.
    pub(crate) time: i64,
    /// The user's place among [`RatingRows::users`].
    pub(crate) user: u32,
    /// The item's place, as the caller numbers them.
    pub(crate) item: u32,
    /// NaN for a click without a rating; see [`Row::rating`].
    stars: f32,
    /// The line, or the row's number.
    line: u32,
}

impl Row {
    /// The rating, if it is one.
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
    /// Where the rows came from.
    pub(crate) sources: Vec<Source>,
    /// Rows whose item the caller didn't want.
    pub(crate) left_out: usize,
    /// Whether the rows have times; `None` before the first file.
    pub(crate) timed: Option<bool>,
    /// Of each file the number of rows that it and those before it gave, with its path and what it counts in.
    files: Vec<(usize, PathBuf, &'static str)>,
}

/// What the caller makes of an item's id: its place, nothing for one that is to be left out, or why it is wrong.
pub(crate) type Found = Result<Option<u32>, String>;

impl RatingRows {
    /// Adds a file: of MovieLens's form if there is no `layout`.
    ///
    /// # Errors
    /// A file that can't be read, a header that lacks a column, and all wrong rows.
    pub(crate) fn read(&mut self, path: &Path, layout: Option<&Layout>, find: impl Fn(&str) -> Found) -> Result<()> {
        let table = Table::open(path)?;
        let chosen = match layout {
            None => columns::movielens(path, table.columns(), Kind::Ratings)?,
            Some(layout) => columns::choose(path, table.columns(), Kind::Ratings, &layout.columns)?,
        };
        if layout.is_some() {
            eprintln!("{}: {}", path.display(), chosen.in_words());
        }
        let timed = chosen.slot(Role::Time).is_some();
        ensure!(
            self.timed.is_none_or(|before| before == timed),
            "{}: this file has {} times and the one before it {}. Add a column of times to the one, or leave them out of both: \
             --columns time=",
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
            let row = Reading { chosen: &chosen, fields, line, strict: layout.is_none() };
            match row.read(&mut self.users, &mut ratings, &find, problems) {
                Some(Some(row)) => self.rows.push(row),
                Some(None) => self.left_out += 1,
                None => {}
            }
        })?;
        if problems.count() > 0
            && layout.is_some()
            && let Some(scale) = ratings.roomier()
        {
            problems.note(format!(
                "All ratings of the file are within {scale}: if that is the scale, add --scale {scale}."
            ));
        }
        problems.settle()?;
        self.files.push((self.rows.len(), path.to_owned(), unit));
        self.sources.push(source);
        Ok(())
    }

    /// How many rows the first file gave.
    pub(crate) fn of_first_file(&self) -> usize {
        self.files.first().map_or(0, |(rows, ..)| *rows)
    }

    /// The places in [`rows`](Self::rows) of each user's rows, user by user in the order of the files: the places, and where
    /// each user's begin.
    pub(crate) fn by_user(&self) -> (Vec<u32>, Vec<usize>) {
        let mut ends = vec![0_usize; self.users.len() as usize + 1];
        for row in &self.rows {
            ends.get_mut(row.user as usize + 1).into_iter().for_each(|count| *count += 1);
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        let starts = ends.clone();
        let mut next = ends;
        let mut places = vec![0_u32; self.rows.len()];
        for (place, row) in (0_u32..).zip(&self.rows) {
            if let Some(at) = next.get_mut(row.user as usize) {
                places.get_mut(*at).into_iter().for_each(|slot| *slot = place);
                *at += 1;
            }
        }
        (places, starts)
    }

    /// Refuses users who have an item twice.
    ///
    /// # Errors
    /// All such rows, each with the one before it.
    pub(crate) fn refuse_twice(&self, places: &[u32], starts: &[usize], item: impl Fn(u32) -> String) -> Result<()> {
        let mut twice: Vec<(u32, u32)> = Vec::new();
        let mut own: Vec<(u32, u32)> = Vec::new();
        for range in starts.windows(2) {
            let [start, end] = range else { continue };
            own.clear();
            let of_user = places.get(*start..*end).unwrap_or_default();
            own.extend(of_user.iter().filter_map(|place| Some((self.rows.get(*place as usize)?.item, *place))));
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
        let (path, unit) = self.place_of(*first).context("a row of no file")?;
        let mut problems = Problems::new(path, unit);
        for (again, before) in twice {
            let (Some(row), Some(earlier)) = (self.rows.get(again as usize), self.rows.get(before as usize)) else {
                continue;
            };
            let other =
                self.place_of(before).map(|(path, unit)| format!("{unit} {} of {}", earlier.line, path.display()));
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

    /// The file of a row, and what it counts in.
    fn place_of(&self, place: u32) -> Option<(&Path, &'static str)> {
        let file = self.files.iter().find(|(end, ..)| (place as usize) < *end)?;
        Some((file.1.as_path(), file.2))
    }
}

/// A row's texts on their way to a [`Row`].
struct Reading<'row> {
    chosen: &'row Chosen,
    fields: &'row [&'row str],
    line: u32,
    /// As in MovieLens's files: ids are numbers, and every row has a rating.
    strict: bool,
}

impl Reading<'_> {
    fn value(&self, role: Role) -> &str {
        self.chosen.slot(role).and_then(|slot| self.fields.get(slot)).map_or("", |text| text.trim())
    }

    /// The row, `Some(None)` if its item is to be left out, and nothing if it is wrong, which `problems` says.
    fn read(
        &self,
        users: &mut Ids,
        ratings: &mut Ratings,
        find: impl Fn(&str) -> Found,
        problems: &mut Problems,
    ) -> Option<Option<Row>> {
        let mut wrong = |role: Role, words: String| {
            problems.value(self.line, self.chosen.column(role), self.value(role), words);
        };
        let user = self.value(Role::User);
        let user = if self.strict {
            values::number(user).map(|number| users.enter_number(number))
        } else {
            values::id(user).map(|user| users.enter(user))
        };
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
            match ratings.read(rating) {
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
