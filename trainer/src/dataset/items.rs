//! Reading the items: ids, titles, years and categories.

use std::path::Path;

use anyhow::Result;
use watchnext::bundle::Source;
use watchnext::catalog::MovieId;
use watchnext::title::parse_title;

use super::Layout;
use super::columns::{self, Kind, Role};
use super::problems::Problems;
use super::table::Table;
use super::values::{self, Ids};

/// One item as its row says.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its title as the catalogue shows it.
    pub(crate) title: String,
    /// The year in which it came out.
    pub(crate) year: Option<u16>,
    /// Its categories as they stand, to be parted by the layout's separator.
    pub(crate) categories: String,
}

/// All items of a file, in its order.
#[derive(Debug)]
pub(crate) struct Items {
    /// The items by place.
    pub(crate) rows: Vec<Item>,
    /// Their ids.
    pub(crate) ids: Ids,
    /// Where they came from.
    pub(crate) source: Source,
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
        let source = table.read(path, &chosen.places(), &mut problems, |line, fields, problems| {
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
            rows.push(Item { title, year, categories: value(categories).to_owned() });
        })?;
        problems.settle()?;
        if let Some(text) = ids.first_text() {
            eprintln!(
                "{}: ids such as {text} aren't numbers below 4294967296, so items are numbered from 1 and keep their own ids as keys",
                path.display()
            );
        }
        Ok(Self { rows, ids, source })
    }

    /// Every item by ascending number with its title.
    pub(crate) fn titles(&self) -> Vec<(MovieId, String)> {
        let titles = self.rows.iter().map(|item| item.title.clone());
        let mut titles: Vec<(MovieId, String)> = self.ids.numbered().into_iter().map(MovieId).zip(titles).collect();
        titles.sort_unstable_by_key(|(id, _)| *id);
        titles
    }
}
