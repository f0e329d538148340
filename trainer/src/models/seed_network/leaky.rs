//! The training behind P1-leaky.

use anyhow::Result;
use ndarray::Array2;

use super::rows::{TrainingRows, forget_ratings};
use super::train::{TrainConfig, train};
use crate::data::{Dataset, User};
use crate::evaluate::leaky::{Leaky, StatesWithTargets, neighbour_hit_rate};

/// P1-leaky: trains on the events of all users whose movies have dense ids above 80. It then asks if an event's movie
/// is among the movies of the 100 nearest training states. The event's own state is one of them, which is the leak.
///
/// # Errors
/// As [`train`].
pub fn leaky(dataset: &Dataset, config: &TrainConfig) -> Result<Leaky> {
    const LAST_LEFT_OUT_MOVIE: u32 = 80;
    const LAST_VALIDATION_USER: usize = 40;
    const LAST_TEST_USER: usize = 80;
    let users = |from: usize, to: usize| dataset.users.get(from..to.min(dataset.users.len())).unwrap_or_default();
    let (validation, test) = (users(0, LAST_VALIDATION_USER + 1), users(LAST_VALIDATION_USER + 1, LAST_TEST_USER + 1));
    let rows = |users: &[User]| TrainingRows::new(&dataset.catalog, users, |_| true);
    let train_rows =
        TrainingRows::new(&dataset.catalog, &dataset.users, |event| event.movie.get() > LAST_LEFT_OUT_MOVIE)?;
    let (validation, test) = (rows(validation)?, rows(test)?);
    let (network, _) = train(dataset.catalog.len(), &train_rows, &validation, config, None)?;
    let states = |rows: TrainingRows| -> Result<StatesWithTargets> {
        let mut weights = rows.rated_weights.clone();
        forget_ratings(&mut weights);
        let states = network.states(&rows, weights)?;
        let states = Array2::from_shape_vec(states.dims2()?, states.flatten_all()?.to_vec1()?)?;
        Ok(StatesWithTargets { states, targets: rows.target })
    };
    let known = states(train_rows)?;
    Ok(Leaky {
        validation: neighbour_hit_rate(&known, &states(validation)?)?,
        test: neighbour_hit_rate(&known, &states(test)?)?,
    })
}
