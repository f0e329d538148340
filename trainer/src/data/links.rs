//! Reads MovieLens's `links.csv`: each movie's ids at IMDb and TMDB.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use watchnext::bundle::Source;
use watchnext::catalog::Catalog;
use watchnext::links::Links;

use super::columns::find_columns;
use super::problems::Problems;
use super::table::Table;

/// The file's name in the data folder and among the manifest's sources.
pub const LINKS_FILE: &str = "links.csv";

/// Its columns.
const COLUMNS: [&str; 3] = ["movieId", "imdbId", "tmdbId"];

/// Reads `folder/links.csv` for the movies of `catalog`, if there is such a file. A number may be empty, and a movie
/// may have no row. Rows of movies that aren't in the catalogue are left out, as they are with `movies.csv`.
///
/// # Errors
/// A folder that doesn't exist, an empty file or one of another kind, and wrong rows with their lines and the remedies.
pub fn read_links(folder: &Path, catalog: &Catalog) -> Result<Option<(Links, Source)>> {
    ensure!(
        folder.is_dir(),
        "the data folder {} doesn't exist. Give the folder that holds {LINKS_FILE} with --data.",
        folder.display()
    );
    let path = folder.join(LINKS_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let table = Table::open(&path)?;
    let places = find_columns(&path, table.columns(), &COLUMNS)?;
    let mut problems = Problems::new(&path, table.unit());
    let mut numbers = BTreeMap::new();
    let source = table.read(&path, &places, &mut problems, |line, fields, problems| {
        let mut values = [0_u32; COLUMNS.len()];
        for ((value, text), column) in values.iter_mut().zip(fields).zip(COLUMNS) {
            // A movie may be unknown elsewhere, but it has its own id.
            match text.trim().parse() {
                Ok(number) => *value = number,
                Err(_) if text.is_empty() && column != "movieId" => {}
                Err(_) => {
                    return problems.value(
                        line,
                        column,
                        text,
                        "isn't a whole number below 4294967296. Correct it, or remove the row.",
                    );
                }
            }
        }
        let [movie, imdb, tmdb] = values;
        if numbers.insert(movie, (imdb, tmdb)).is_some() {
            problems.row(line, || format!(": movie {movie} occurs twice. Remove one of the rows."));
        }
    })?;
    problems.settle()?;
    let own = catalog.movies().iter().map(|movie| numbers.get(&movie.id.0).copied().unwrap_or_default());
    let (imdb, tmdb) = own.unzip();
    Ok(Some((Links::new(imdb, tmdb, catalog)?, source)))
}
