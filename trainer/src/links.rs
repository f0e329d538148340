//! Reading MovieLens's `links.csv`: what each movie is called at IMDb and TMDB.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use serde::Deserialize;
use watchnext::bundle::Source;
use watchnext::catalog::Catalog;
use watchnext::links::Links;

use crate::dataset::{read_file, read_rows};

/// The file's name in the data folder and among the manifest's sources.
pub const LINKS_FILE: &str = "links.csv";

#[derive(Debug, Deserialize)]
struct LinkRow {
    #[serde(rename = "movieId")]
    movie_id: u32,
    #[serde(rename = "imdbId")]
    imdb: Option<u32>,
    #[serde(rename = "tmdbId")]
    tmdb: Option<u32>,
}

/// Reads `folder/links.csv` for the movies of `catalog`, if there is such a file. A number may be empty, and a movie may have no
/// row; rows of movies that the catalogue lacks are left out, as they are in `movies.csv`.
///
/// # Errors
/// A folder that doesn't exist, an empty or foreign file, and the first wrong row with its file, line and the remedy.
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
    let (bytes, name, sha256) = read_file(&path)?;
    let mut numbers = BTreeMap::new();
    let rows = read_rows(&path, &bytes, &["movieId", "imdbId", "tmdbId"], |row: LinkRow, place| {
        let before = numbers.insert(row.movie_id, (row.imdb.unwrap_or(0), row.tmdb.unwrap_or(0)));
        ensure!(before.is_none(), "{place}: movie {} stands twice. Remove one of the rows.", row.movie_id);
        Ok(())
    })?;
    let own = catalog.movies().iter().map(|movie| numbers.get(&movie.id.0).copied().unwrap_or_default());
    let (imdb, tmdb) = own.unzip();
    Ok(Some((Links::new(imdb, tmdb, catalog)?, Source { name, sha256, rows })))
}
