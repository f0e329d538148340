//! Reading the items: ids, titles, years and categories.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};
use watchnext::bundle::Source;
use watchnext::catalog::{Catalog, Movie, MovieId};
use watchnext::title::parse_title;

use super::Layout;
use super::columns::{self, Kind, Role};
use super::parquet::LIST_SEPARATOR;
use super::problems::Problems;
use super::table::Table;
use super::values::{self, Ids};

/// What MovieLens writes where a movie has no genre.
const NO_GENRES: &str = "(no genres listed)";

/// The most categories that a catalogue may have: each is a column of what the models know of every item.
const MOST_CATEGORIES: usize = 1000;

/// One item as its row says.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its title as the catalogue shows it.
    pub(crate) title: String,
    /// The year in which it came out.
    pub(crate) year: Option<u16>,
    /// Its categories as they stand, to be parted by the layout's separator.
    pub(crate) categories: String,
    /// How many ratings it has elsewhere, as an own catalogue's column [`KNOWN`] says; 0 without.
    pub(crate) ratings: u32,
}

/// The column that says how well known an item is, in a catalogue that comes without its ratings.
pub(crate) const KNOWN: &str = "ratings";

/// All items of a file, in its order.
#[derive(Debug)]
pub(crate) struct Items {
    /// The items by place.
    pub(crate) rows: Vec<Item>,
    /// Their ids.
    pub(crate) ids: Ids,
    /// Where they came from.
    pub(crate) source: Source,
    /// Whether there is a column [`KNOWN`].
    pub(crate) says_how_known: bool,
}

impl Items {
    /// Reads a file of items: MovieLens's own if there is no `layout`.
    ///
    /// # Errors
    /// A file that can't be read, a header that lacks a column, and all wrong rows.
    pub(crate) fn read(path: &Path, layout: Option<&Layout>) -> Result<Self> {
        let table = Table::open(path)?;
        let chosen = match layout {
            None => columns::movielens(path, table.columns(), Kind::Items)?,
            Some(layout) => columns::choose(path, table.columns(), Kind::Items, &layout.columns)?,
        };
        if layout.is_some() {
            eprintln!("{}: {}", path.display(), chosen.in_words());
        }
        let (mut rows, mut lines, mut ids) = (Vec::new(), Vec::<u32>::new(), Ids::default());
        let mut problems = Problems::new(path, table.unit());
        let unit = table.unit();
        let field = |role: Role| chosen.slot(role);
        let (item, title) = (field(Role::Item), field(Role::Title));
        let (categories, year) = (field(Role::Categories), field(Role::Year));
        let known = table.columns().iter().position(|column| column.name == KNOWN).filter(|_| layout.is_some());
        let mut places = chosen.places();
        // It stands after the columns that have roles.
        let known_slot = known.map(|_| places.len());
        places.extend(known);
        let source = table.read(path, &places, &mut problems, |line, fields, problems| {
            let value = |slot: Option<usize>| slot.and_then(|slot| fields.get(slot)).map_or("", |text| text.trim());
            let id = value(item);
            let known = match layout {
                None => values::number(id).map(|number| ids.enter_number(number)),
                Some(_) => values::id(id).map(|id| ids.enter(id)),
            };
            let place = match known {
                Ok(place) => place as usize,
                Err(words) => return problems.value(line, chosen.column(Role::Item), id, words),
            };
            if let Some(before) = lines.get(place) {
                let words = format!("stands twice, before in {unit} {before}. Remove one of the rows.");
                return problems.value(line, chosen.column(Role::Item), id, words);
            }
            lines.push(line);
            let mut own_year = None;
            match values::year(value(year)) {
                Ok(found) => own_year = found,
                Err(words) => problems.value(line, chosen.column(Role::Year), value(year), words),
            }
            if value(title).is_empty() {
                let column = chosen.column(Role::Title);
                problems
                    .row(line, || format!(", column `{column}`: the title is empty. Give it one, or remove the row."));
            }
            // Where a column has the year, parentheses belong to the title.
            let (title, year) = match year {
                Some(_) => (value(title).to_owned(), own_year),
                None => parse_title(value(title)),
            };
            let ratings = match value(known_slot) {
                "" => 0,
                text => text.parse().unwrap_or_else(|_| {
                    problems.value(
                        line,
                        KNOWN,
                        text,
                        "isn't a number of ratings. Write it in digits, or leave it empty.",
                    );
                    0
                }),
            };
            rows.push(Item { title, year, categories: value(categories).to_owned(), ratings });
        })?;
        problems.settle()?;
        if let Some(text) = ids.first_text() {
            eprintln!(
                "{}: ids such as {text} aren't numbers below 4294967296, so items are numbered from 1 and keep their own ids as keys",
                path.display()
            );
        }
        Ok(Self { rows, ids, source, says_how_known: known.is_some() })
    }

    /// The catalogue of all items in the order of the file, each as well known as it says, its categories parted by `separator`.
    ///
    /// # Errors
    /// More categories than can be used.
    pub(crate) fn catalog(&self, separator: &str) -> Result<Catalog> {
        let all: Vec<usize> = (0..self.rows.len()).collect();
        self.catalog_of(&all, |at| self.rows.get(at).map_or(0, |item| item.ratings), separator)
    }

    /// The catalogue of the items at these places of the file, in this order, rated so often, their categories parted by `separator`.
    ///
    /// # Errors
    /// More categories than can be used.
    pub(crate) fn catalog_of(
        &self,
        order: &[usize],
        ratings: impl Fn(usize) -> u32,
        separator: &str,
    ) -> Result<Catalog> {
        let categories = |text: &'_ str| -> Vec<String> {
            let parts = text.split(LIST_SEPARATOR).flat_map(|part| {
                // An empty separator parts nothing.
                if separator.is_empty() { vec![part] } else { part.split(separator).collect() }
            });
            parts.map(str::trim).filter(|name| !name.is_empty() && *name != NO_GENRES).map(str::to_owned).collect()
        };
        let items = || order.iter().filter_map(|at| Some((*at, self.rows.get(*at)?)));
        let genres: BTreeSet<String> = items().flat_map(|(_, item)| categories(&item.categories)).collect();
        ensure!(
            genres.len() <= MOST_CATEGORIES,
            "the items have {} different categories, such as {:?}; at most {MOST_CATEGORIES} can be used. Name a column of broader ones, or none: --columns categories=. If one category is read as many, or many as one, name what parts them: --separator ';'.",
            genres.len(),
            genres.first().map_or("", String::as_str)
        );
        let genres: Vec<String> = genres.into_iter().collect();
        let (numbers, keys) = (self.ids.numbered(), self.ids.texts_by_place());
        let position = |name: &String| u16::try_from(genres.binary_search(name).ok()?).ok();
        let movie = |(at, item): (usize, &Item)| Movie {
            id: MovieId(numbers.get(at).copied().unwrap_or_default()),
            key: keys.as_ref().and_then(|keys| keys.get(at)).cloned(),
            title: item.title.clone(),
            year: item.year,
            genres: categories(&item.categories).iter().filter_map(position).collect(),
            ratings: ratings(at),
        };
        let movies = items().map(movie).collect();
        Ok(Catalog::new(genres, movies)?)
    }

    /// Every item by ascending number with its title.
    pub(crate) fn titles(&self) -> Vec<(MovieId, String)> {
        let titles = self.rows.iter().map(|item| item.title.clone());
        let mut titles: Vec<(MovieId, String)> = self.ids.numbered().into_iter().map(MovieId).zip(titles).collect();
        titles.sort_unstable_by_key(|(id, _)| *id);
        titles
    }
}
