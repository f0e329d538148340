//! The map of all movies: a t-SNE in which movies that the model finds similar lie close together.
//!
//! [`space`] defines the similarity, [`layout`] turns it into places on a plane, and [`spread`](mod@spread) separates
//! movies that would lie on one spot. The same bundle gives the same map, on any number of threads.
//! `models/EXPERIMENTS.md` compares the alternatives.

pub mod layout;
pub mod renew;
pub mod space;
pub mod spread;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use ndarray::Array2;
use rayon::prelude::*;
use safetensors::tensor::{Dtype, TensorView};
use watchnext::bundle::Role;
use watchnext::catalog::Catalog;
use watchnext::recommend::Recommender;

use crate::bundle::file::BundleFile;
use crate::bundle::packed::Packed;
use crate::titles::{nearest, overlap};

/// How many neighbours of each movie the map's quality is measured by.
pub const NEIGHBOURS: usize = 10;

/// A map and its quality.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnMap {
    /// Each movie's x and y, `[movies, 2]`. The larger extent fills 0 to 65,535; the smaller is centred.
    pub positions: Vec<[u16; 2]>,
    /// The share of the [`NEIGHBOURS`] nearest movies by the vectors of [`space`] that are among the nearest on the map
    /// too, from 0 to 1. A catalogue with too few movies has none.
    pub kept: Option<f64>,
}

impl DrawnMap {
    /// `map.safetensors`.
    ///
    /// # Errors
    /// An error of safetensors. A map causes none.
    pub fn file(&self) -> Result<BundleFile> {
        let bytes: Vec<u8> = self.positions.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
        let tensor = TensorView::new(Dtype::U16, vec![self.positions.len(), 2], &bytes)?;
        let bytes = safetensors::serialize(BTreeMap::from([("position", tensor)]), None)?;
        Ok(BundleFile { role: Role::Map, bytes })
    }

    /// The number of different spots per movie: 1 if no two movies share a spot.
    pub fn distinct(&self) -> f64 {
        let spots: BTreeSet<&[u16; 2]> = self.positions.iter().collect();
        spots.len() as f64 / self.positions.len().max(1) as f64
    }
}

/// Draws the map of a packed bundle's movies and adds it.
///
/// # Errors
/// As [`draw`], and a defect of the bundle.
pub fn add_map(packed: &mut Packed) -> Result<DrawnMap> {
    let drawn = draw(&packed.recommender()?, &packed.movie_embeddings()?)?;
    packed.add(drawn.file()?);
    Ok(drawn)
}

/// Draws the map of a loaded bundle. `embedding` `[movies, dim]` has its movies' output embeddings.
///
/// # Errors
/// Another number of rows than the catalogue has movies, and inputs that the model rejects.
pub fn draw(recommender: &Recommender, embedding: &Array2<f32>) -> Result<DrawnMap> {
    let catalog = recommender.catalog();
    ensure!(
        embedding.nrows() == catalog.len(),
        "there are {} embeddings for {} movies",
        embedding.nrows(),
        catalog.len()
    );
    let vectors = space::vectors(recommender, embedding)?;
    let mut points = layout::layout(&vectors, recommender.manifest().training.seed)?;
    layout::fill(&mut points);
    spread::spread(&mut points, &fame(catalog));
    layout::fill(&mut points);
    let positions: Vec<[u16; 2]> = points.iter().map(|point| point.map(|value| value.round() as u16)).collect();
    let kept = (catalog.len() > NEIGHBOURS).then(|| {
        let on_map = nearest_on_map(&positions, NEIGHBOURS);
        overlap(&nearest(&vectors, NEIGHBOURS)?, &on_map)
    });
    Ok(DrawnMap { positions, kept: kept.transpose()? })
}

/// Each movie's fame, `[movies]`, from 0 to 1: the root of its number of ratings, relative to the best-known movie's.
fn fame(catalog: &Catalog) -> Vec<f32> {
    let most = catalog.movies().iter().map(|movie| movie.ratings).max().unwrap_or_default().max(1);
    catalog.movies().iter().map(|movie| (movie.ratings as f32 / most as f32).sqrt()).collect()
}

/// The `k` nearest movies of each movie on the map, the nearest first. Of equal distances, the lower index comes first.
pub fn nearest_on_map(positions: &[[u16; 2]], k: usize) -> Vec<Vec<usize>> {
    let of_row = |(own, [x, y]): (usize, &[u16; 2])| {
        let distance = |[to_x, to_y]: &[u16; 2]| {
            let (across, along) = (u64::from(x.abs_diff(*to_x)), u64::from(y.abs_diff(*to_y)));
            across * across + along * along
        };
        let others = positions.iter().enumerate().filter(|(other, _)| *other != own);
        let mut others: Vec<(u64, usize)> = others.map(|(other, to)| (distance(to), other)).collect();
        if k < others.len() {
            others.select_nth_unstable(k);
            others.truncate(k);
        }
        others.sort_unstable();
        others.into_iter().map(|(_, other)| other).collect()
    };
    positions.par_iter().enumerate().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use watchnext::map::MovieMap;

    use super::*;

    #[test]
    fn the_library_reads_the_positions() {
        let drawn = DrawnMap { positions: vec![[0, 65_535], [65_535, 0], [0, 65_535]], kept: None };
        let map = MovieMap::from_safetensors(&drawn.file().unwrap().bytes, 3).unwrap();
        assert_eq!(map.positions().collect::<Vec<_>>(), [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]);
        assert!((drawn.distinct() - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_nearest_on_the_map_come_in_order() {
        let positions = [[0, 0], [30, 40], [0, 20], [65_535, 65_535], [0, 20]];
        let near = nearest_on_map(&positions, 3);
        assert_eq!(near.first().unwrap(), &[2, 4, 1]);
        assert_eq!(near.get(3).unwrap(), &[1, 2, 4]);
        // A list is shorter if there are fewer others.
        assert_eq!(nearest_on_map(&[[5, 5], [6, 6]], 3), [[1], [0]]);
    }
}
