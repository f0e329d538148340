//! P1-leaky: the seed notebook's published figure, reproduced to show that it is a leak.

use anyhow::{Context, Result};
use ndarray::Array2;
use rayon::prelude::*;
use serde::Serialize;
use watchnext::index::FlatIndex;
use watchnext::states::NEIGHBOURS;

use crate::dataset::{Dataset, User};
use crate::split::TrainingRows;
use crate::train::{TrainConfig, forget_ratings, train};

/// The seed notebook's published figure, reproduced to show that it is a leak: never quoted as quality.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Leaky {
    /// Hit rate at 100 of the users with dense ids 0 to 40, "validation".
    pub validation: f64,
    /// Hit rate at 100 of the users with dense ids 41 to 80, "test".
    pub test: f64,
}

/// P1-leaky: trains on all events of movies with dense ids above 80, of every user, and asks whether an event's movie is among
/// the movies of the 100 nearest training states, of which the event itself is one.
pub fn leaky(dataset: &Dataset, config: &TrainConfig) -> Result<Leaky> {
    const LAST_LEFT_OUT_MOVIE: u32 = 80;
    const LAST_VALIDATION_USER: usize = 40;
    const LAST_TEST_USER: usize = 80;
    let movies = dataset.catalog.len();
    let users = |from: usize, to: usize| dataset.users.get(from..to.min(dataset.users.len())).unwrap_or_default();
    let (validation, test) = (users(0, LAST_VALIDATION_USER + 1), users(LAST_VALIDATION_USER + 1, LAST_TEST_USER + 1));
    let rows = |users: &[User]| TrainingRows::new(&dataset.catalog, users, |_| true);
    let train_rows =
        TrainingRows::new(&dataset.catalog, &dataset.users, |event| event.movie.get() > LAST_LEFT_OUT_MOVIE)?;
    let (validation, test) = (rows(validation)?, rows(test)?);
    let (network, _) = train(movies, &train_rows, &validation, config, None)?;
    let states = |rows: &TrainingRows| -> Result<Array2<f32>> {
        let mut weights = rows.rated_weights.clone();
        forget_ratings(&mut weights);
        let states = network.states(rows, weights)?;
        Ok(Array2::from_shape_vec(states.dims2()?, states.flatten_all()?.to_vec1()?)?)
    };
    let index = FlatIndex::new(&states(&train_rows)?)?;
    let hit_rate = |rows: &TrainingRows| -> Result<f64> {
        let queries: Vec<(Vec<f32>, u32)> =
            states(rows)?.rows().into_iter().map(|row| row.to_vec()).zip(rows.target.iter().copied()).collect();
        let hits = queries
            .par_iter()
            .map(|(query, target)| -> Result<usize> {
                let near = index.search(query, NEIGHBOURS, |_| true)?;
                Ok(usize::from(near.iter().any(|near| train_rows.target.get(near.row) == Some(target))))
            })
            .sum::<Result<usize>>()
            .context("the scan over the states failed")?;
        Ok(hits as f64 / queries.len().max(1) as f64)
    };
    Ok(Leaky { validation: hit_rate(&validation)?, test: hit_rate(&test)? })
}
