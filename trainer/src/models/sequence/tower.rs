//! The average of several networks and the followers, which is a wider tower: their vectors side by side meet their
//! tables side by side, each table times its weight. The weights are chosen on the validation targets.

use anyhow::{Context, Result};
use ndarray::Array2;
use serde::Serialize;

use super::data::{Sequences, Target};
use super::evaluate::{MovieTable, mean_ndcg, ranks};
use super::export;
use super::followers::Followers;
use super::train::{Trained, table, vectors};
use crate::math::concat_columns;

/// The weights that are tried for the followers' scores. The scores are shares, and the mean of the networks' logits
/// counts 1.
const FOLLOWERS_WEIGHTS: [f32; 10] = [0.0, 5.0, 10.0, 20.0, 30.0, 45.0, 65.0, 90.0, 130.0, 180.0];

/// A finished tower.
#[derive(Debug)]
pub struct Tower {
    networks: Vec<Trained>,
    followers: Option<Followers>,
    /// The movies' side of the scores.
    pub table: MovieTable,
    /// The most movies of a history that the tower gets.
    pub window: usize,
}

/// A part or a mixture with its validation figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// Its name.
    pub what: String,
    /// NDCG@10 of the validation targets.
    pub validation_ndcg10: f64,
}

impl Tower {
    /// The best tower of these networks and followers, with the figures of each part and each mixture that was tried.
    ///
    /// # Errors
    /// No network, and parameters that can't be read.
    pub fn choose(
        sequences: &Sequences,
        networks: Vec<Trained>,
        followers: Option<Followers>,
    ) -> Result<(Self, Vec<Choice>)> {
        let window = networks.first().context("a tower needs a network")?.config.window;
        let mut tower = Self {
            networks,
            followers,
            table: MovieTable { vectors: Array2::zeros((0, 0)), bias: Vec::new() },
            window,
        };
        let questions = sequences.questions(Target::Validation);
        let histories: Vec<&[u32]> = questions.iter().map(|(history, _)| *history).collect();
        let mut choices: Vec<Choice> = Vec::new();
        let mut look = |what: String, vectors: &Array2<f32>, table: &MovieTable| -> Result<f64> {
            let validation_ndcg10 = mean_ndcg(&ranks(&questions, vectors, table)?);
            choices.push(Choice { what, validation_ndcg10 });
            Ok(validation_ndcg10)
        };
        for (at, trained) in tower.networks.iter().enumerate() {
            let own = vectors(&trained.network, &histories, window)?;
            look(format!("network {}", at + 1), &own, &table(&trained.network)?)?;
        }
        if let Some(followers) = &tower.followers {
            look("followers".to_owned(), &followers.vectors(&tail(&histories, window))?, &followers.table())?;
        }
        let mut best = f64::NEG_INFINITY;
        let mut chosen: Vec<f32> = Vec::new();
        let of_networks = tower.network_vectors(&histories)?;
        for shares in shares(tower.networks.len()) {
            let named: Vec<String> = shares.iter().map(|share| format!("{share:.2}")).collect();
            let figure =
                look(format!("networks by {}", named.join(" : ")), &of_networks, &tower.network_table(&shares)?)?;
            if figure > best {
                (best, chosen) = (figure, shares);
            }
        }
        let all = tower.vectors(&histories)?;
        let weights = if tower.followers.is_some() { FOLLOWERS_WEIGHTS.as_slice() } else { &[0.0] };
        let mut best = f64::NEG_INFINITY;
        for weight in weights {
            let table = tower.table_with(&chosen, *weight)?;
            let figure = look(format!("all, followers times {weight}"), &all, &table)?;
            if figure > best {
                (best, tower.table) = (figure, table);
            }
        }
        Ok((tower, choices))
    }

    /// The movies' side of the networks' mean with these shares.
    fn network_table(&self, shares: &[f32]) -> Result<MovieTable> {
        let tables = self.networks.iter().zip(shares).map(|(trained, share)| Ok((*share, table(&trained.network)?)));
        export::side_by_side(&tables.collect::<Result<Vec<_>>>()?)
    }

    /// The movies' side with the followers' scores counting so much against that mean.
    fn table_with(&self, shares: &[f32], followers_weight: f32) -> Result<MovieTable> {
        let mut tables = vec![(1.0, self.network_table(shares)?)];
        tables.extend(self.followers.as_ref().map(|followers| (followers_weight, followers.table())));
        export::side_by_side(&tables)
    }

    /// The networks' vectors of histories, side by side.
    fn network_vectors(&self, histories: &[&[u32]]) -> Result<Array2<f32>> {
        let parts = self.networks.iter().map(|trained| vectors(&trained.network, histories, self.window));
        side_by_side(&parts.collect::<Result<Vec<_>>>()?)
    }

    /// The vectors of histories, `[histories, dim]`, by the trainer's own arithmetic.
    ///
    /// # Errors
    /// An empty history, and movies that the networks don't know.
    pub fn vectors(&self, histories: &[&[u32]]) -> Result<Array2<f32>> {
        let mut parts = vec![self.network_vectors(histories)?];
        if let Some(followers) = &self.followers {
            parts.push(followers.vectors(&tail(histories, self.window))?);
        }
        side_by_side(&parts)
    }

    /// The ONNX model that computes the same vectors.
    ///
    /// # Errors
    /// Parameters that can't be read.
    pub fn onnx(&self) -> Result<Vec<u8>> {
        let networks: Vec<_> = self.networks.iter().map(|trained| &trained.network).collect();
        export::tower(&networks, self.followers.as_ref(), self.window)
    }
}

/// Matrices side by side, in row-major order.
fn side_by_side(parts: &[Array2<f32>]) -> Result<Array2<f32>> {
    Ok(concat_columns(&parts.iter().collect::<Vec<_>>())?.as_standard_layout().into_owned())
}

/// The shares of several networks that are tried in their mean: all alike, each one twice as much as the others, and
/// each one alone. They add up to 1.
fn shares(networks: usize) -> Vec<Vec<f32>> {
    let mut choices = vec![vec![1.0 / networks as f32; networks]];
    let others = if networks > 1 { [1.0, 0.0].as_slice() } else { &[] };
    for other in others {
        for favoured in 0..networks {
            let own = if *other > 0.0 { 2.0 } else { 1.0 };
            let sum = own + other * (networks as f32 - 1.0);
            choices.push((0..networks).map(|at| if at == favoured { own / sum } else { other / sum }).collect());
        }
    }
    choices
}

/// The last movies of each history.
fn tail<'histories>(histories: &[&'histories [u32]], window: usize) -> Vec<&'histories [u32]> {
    let last = |history: &&'histories [u32]| history.get(history.len().saturating_sub(window)..).unwrap_or_default();
    histories.iter().map(last).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn shares_add_up_to_1() {
        assert_eq!(shares(1), [[1.0]]);
        let of_two = shares(2);
        assert_eq!((of_two.len(), &of_two[0], &of_two[4]), (5, &vec![0.5, 0.5], &vec![0.0, 1.0]));
        for choice in shares(3) {
            assert!((choice.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{choice:?}");
        }
    }
}
