//! The items as a CSV file: one row an item, in the order of their vectors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use watchnext::bundle::Source;
use watchnext::catalog::{Catalog, Movie, MovieId};
use watchnext::title::parse_title;

use super::GivenFile;
use crate::dataset::{NO_GENRES, read_rows};

/// Which of the columns that may be left out a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// Without it a title is read as MovieLens writes it, the year in brackets at its end.
    pub year: bool,
    /// Without it nothing is known better than anything else.
    pub ratings: bool,
}

#[derive(Debug, Deserialize)]
struct Row {
    #[serde(rename = "itemId", alias = "movieId")]
    id: String,
    title: String,
    year: Option<u16>,
    genres: Option<String>,
    ratings: Option<u32>,
}

/// Reads `itemId` (or `movieId`), `title` and, if there are such columns, `year`, `genres` (with `|` between them) and `ratings`
/// (how many there are, the measure of how well an item is known). MovieLens's `movies.csv` is such a file.
///
/// # Errors
/// A file that can't be read, a column that is missing, and the first wrong row with its line and the remedy.
pub fn read(path: &Path) -> Result<(Catalog, Source, Columns)> {
    let file = GivenFile::read(path, "--catalog")?;
    let header = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(&*file.bytes).headers().cloned();
    let header = header.with_context(|| format!("{}: the header isn't readable", path.display()))?;
    let has = |column: &str| header.iter().any(|name| name.trim_start_matches('\u{feff}') == column);
    let id = match (has("itemId"), has("movieId")) {
        (true, true) => {
            bail!("{}: line 1 has both `itemId` and `movieId`. Keep the one that names the items.", path.display())
        }
        (false, true) => "movieId",
        _ => "itemId",
    };
    let columns = Columns { year: has("year"), ratings: has("ratings") };
    let mut rows = Vec::new();
    let mut lines: BTreeMap<u32, String> = BTreeMap::new();
    let count = read_rows(path, &file.bytes, &[id, "title"], |row: Row, place| {
        let id: u32 = row.id.trim().parse().with_context(|| {
            format!(
                "{place}: the id `{}` isn't a whole number below 4294967296. Number the items, and keep their own ids elsewhere",
                row.id
            )
        })?;
        ensure!(
            !row.title.trim().is_empty(),
            "{place}: the title is empty. Give it one, or remove the row and its vector."
        );
        if let Some(before) = lines.insert(id, place.to_owned()) {
            bail!("{place}: item {id} stands twice, before in {before}. Remove one of the rows and its vector.");
        }
        rows.push((id, row));
        Ok(())
    })?;
    let names: BTreeSet<&str> = rows.iter().flat_map(|(_, row)| genres(row)).collect();
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    ensure!(
        names.len() <= usize::from(u16::MAX),
        "{}: there are {} genres, {} are the most. Leave the column out, or keep the commonest.",
        path.display(),
        names.len(),
        u16::MAX
    );
    let movie = |(id, row): &(u32, Row)| {
        let (title, year) =
            if columns.year { (row.title.trim().to_owned(), row.year) } else { parse_title(&row.title) };
        let position = |genre: &str| names.binary_search_by(|known| known.as_str().cmp(genre)).ok();
        let genres = genres(row).filter_map(position).filter_map(|at| u16::try_from(at).ok()).collect();
        Movie { id: MovieId(*id), title, year, genres, ratings: row.ratings.unwrap_or(0) }
    };
    let movies = rows.iter().map(movie).collect();
    Ok((Catalog::new(names.clone(), movies)?, file.source(count), columns))
}

fn genres(row: &Row) -> impl Iterator<Item = &str> {
    let genres = row.genres.as_deref().unwrap_or_default().split('|').map(str::trim);
    genres.filter(|genre| !genre.is_empty() && *genre != NO_GENRES)
}
