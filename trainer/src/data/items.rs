//! Reads the items: ids, titles, years and categories.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};
use watchnext::bundle::Source;
use watchnext::catalog::{Catalog, Movie, MovieId};
use watchnext::title::parse_title;

use super::columns::{ChosenColumns, Kind, Role};
use super::layout::Layout;
use super::parquet::LIST_SEPARATOR;
use super::problems::{Problems, quoted};
use super::table::Table;
use super::values::{self, Ids};

/// MovieLens's text for a movie without a genre.
const NO_GENRES: &str = "(no genres listed)";

/// The most categories that a catalogue may have: each is a column of the models' item features.
const MAX_CATEGORIES: usize = 1000;

/// The column with how many ratings an item has, in a catalogue that comes without its ratings.
const RATING_COUNT: &str = "ratings";

/// One item as its row describes it.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its title as the catalogue shows it.
    pub(crate) title: String,
    /// The year in which it came out.
    pub(crate) year: Option<u16>,
    /// Its categories as they are written, with the layout's separator between them.
    categories: String,
    /// How many ratings it has, by the column [`RATING_COUNT`] of your own catalogue; 0 without.
    rating_count: u32,
}

/// All items of a file, in its order.
#[derive(Debug)]
pub(crate) struct Items {
    /// The items by place.
    pub(crate) rows: Vec<Item>,
    /// Their ids.
    pub(crate) ids: Ids,
    /// The file.
    pub(crate) source: Source,
    /// Whether there is a column [`RATING_COUNT`].
    pub(crate) has_rating_counts: bool,
}

impl Items {
    /// Reads a file of items. It has MovieLens's form if there is no `layout`.
    ///
    /// # Errors
    /// A file that can't be read, a header that lacks a column, and all wrong rows.
    pub(crate) fn read(path: &Path, layout: Option<&Layout>) -> Result<Self> {
        let (table, chosen) = Table::open_with_columns(path, Kind::Items, layout)?;
        let unit = table.unit();
        let count = table.columns().iter().position(|column| column.name == RATING_COUNT).filter(|_| layout.is_some());
        let mut places = chosen.places();
        // The count comes after the columns that have roles.
        let count_slot = count.map(|_| places.len());
        places.extend(count);
        let mut parser = RowParser::new(&chosen, count_slot, unit, layout.is_none());
        let mut problems = Problems::new(path, unit);
        let source =
            table.read(path, &places, &mut problems, |line, fields, problems| parser.add(line, fields, problems))?;
        problems.settle()?;
        let RowParser { rows, ids, .. } = parser;
        if let Some(text) = ids.first_text() {
            eprintln!(
                "{}: ids such as {text} aren't numbers below 4294967296, so items are numbered from 1 and keep their \
                 own ids as keys",
                path.display()
            );
        }
        Ok(Self { rows, ids, source, has_rating_counts: count.is_some() })
    }

    /// The catalogue of all items in the order of the file, with the rating counts of the file and its categories split
    /// at `separator`.
    ///
    /// # Errors
    /// More categories than can be used.
    pub(crate) fn catalog(&self, separator: &str) -> Result<Catalog> {
        let all: Vec<usize> = (0..self.rows.len()).collect();
        self.catalog_of(&all, |at| self.rows.get(at).map_or(0, |item| item.rating_count), separator)
    }

    /// The catalogue of the items at the places `order` of the file, in this order. `ratings` gives the rating count of
    /// a place; categories are split at `separator`.
    ///
    /// # Errors
    /// More categories than can be used.
    pub(crate) fn catalog_of(
        &self,
        order: &[usize],
        ratings: impl Fn(usize) -> u32,
        separator: &str,
    ) -> Result<Catalog> {
        let items = || order.iter().filter_map(|at| Some((*at, self.rows.get(*at)?)));
        let genres: BTreeSet<String> =
            items().flat_map(|(_, item)| split_categories(&item.categories, separator)).collect();
        ensure!(
            genres.len() <= MAX_CATEGORIES,
            "the items have {} different categories, such as {}; at most {MAX_CATEGORIES} can be used. Name a column \
             of broader ones, or none: --columns categories=. If one category is read as many, or many as one, name \
             the text between them: --separator ';'.",
            genres.len(),
            quoted(genres.first().map_or("", String::as_str))
        );
        let genres: Vec<String> = genres.into_iter().collect();
        let (numbers, keys) = (self.ids.numbered(), self.ids.texts_by_place());
        let position = |name: &String| u16::try_from(genres.binary_search(name).ok()?).ok();
        let movie = |(at, item): (usize, &Item)| Movie {
            id: MovieId(numbers.get(at).copied().unwrap_or_default()),
            key: keys.as_ref().and_then(|keys| keys.get(at)).cloned(),
            title: item.title.clone(),
            year: item.year,
            genres: split_categories(&item.categories, separator).iter().filter_map(position).collect(),
            ratings: ratings(at),
        };
        let movies = items().map(movie).collect();
        Ok(Catalog::new(genres, movies)?)
    }

    /// Every item's number and title, by ascending number.
    fn titles(&self) -> Vec<(MovieId, String)> {
        let titles = self.rows.iter().map(|item| item.title.clone());
        let mut titles: Vec<(MovieId, String)> = self.ids.numbered().into_iter().map(MovieId).zip(titles).collect();
        titles.sort_unstable_by_key(|(id, _)| *id);
        titles
    }
}

/// Every movie of `folder/movies.csv` by ascending id, rated or not, with its title as the catalogue shows it.
///
/// # Errors
/// As [`Dataset::read`](super::Dataset::read).
pub fn read_movie_titles(folder: &Path) -> Result<Vec<(MovieId, String)>> {
    Ok(Items::read(&folder.join("movies.csv"), None)?.titles())
}

/// An item's categories, as they are written. An empty separator splits nothing.
fn split_categories(text: &str, separator: &str) -> Vec<String> {
    let parts = text
        .split(LIST_SEPARATOR)
        .flat_map(|part| if separator.is_empty() { vec![part] } else { part.split(separator).collect() });
    parts.map(str::trim).filter(|name| !name.is_empty() && *name != NO_GENRES).map(str::to_owned).collect()
}

/// Makes items of a file's rows.
struct RowParser<'file> {
    chosen: &'file ChosenColumns,
    /// The index of the rating count among a row's fields.
    count_slot: Option<usize>,
    /// `line` or `row`.
    unit: &'static str,
    /// As in MovieLens's file: ids are numbers.
    strict: bool,
    rows: Vec<Item>,
    /// Each item's line, by place.
    lines: Vec<u32>,
    ids: Ids,
}

impl<'file> RowParser<'file> {
    fn new(chosen: &'file ChosenColumns, count_slot: Option<usize>, unit: &'static str, strict: bool) -> Self {
        Self { chosen, count_slot, unit, strict, rows: Vec::new(), lines: Vec::new(), ids: Ids::default() }
    }

    /// Adds a row, or its defects to `problems`.
    fn add(&mut self, line: u32, fields: &[&str], problems: &mut Problems) {
        let value = |role: Role| self.chosen.value(role, fields);
        let id = value(Role::Item);
        let place = match self.ids.enter_checked(id, self.strict) {
            Ok(place) => place as usize,
            Err(words) => return problems.value(line, self.chosen.name(Role::Item), id, words),
        };
        if let Some(before) = self.lines.get(place) {
            let words = format!("occurs twice, before in {} {before}. Remove one of the rows.", self.unit);
            return problems.value(line, self.chosen.name(Role::Item), id, words);
        }
        self.lines.push(line);
        let year = values::year(value(Role::Year)).unwrap_or_else(|words| {
            problems.value(line, self.chosen.name(Role::Year), value(Role::Year), words);
            None
        });
        let title = value(Role::Title);
        if title.is_empty() {
            let column = self.chosen.name(Role::Title);
            problems.row(line, || format!(", column `{column}`: the title is empty. Give it one, or remove the row."));
        }
        // If a column has the year, parentheses belong to the title.
        let (title, year) = match self.chosen.slot(Role::Year) {
            Some(_) => (title.to_owned(), year),
            None => parse_title(title),
        };
        let rating_count = self.rating_count(line, fields, problems);
        self.rows.push(Item { title, year, categories: value(Role::Categories).to_owned(), rating_count });
    }

    /// How many ratings the row gives its item; 0 for an empty value or a wrong one, which goes to `problems`.
    fn rating_count(&self, line: u32, fields: &[&str], problems: &mut Problems) -> u32 {
        let text = self.count_slot.and_then(|slot| fields.get(slot)).map_or("", |text| text.trim());
        if text.is_empty() {
            return 0;
        }
        text.parse().unwrap_or_else(|_| {
            problems.value(
                line,
                RATING_COUNT,
                text,
                "isn't a number of ratings. Write it in digits, or leave it empty.",
            );
            0
        })
    }
}
