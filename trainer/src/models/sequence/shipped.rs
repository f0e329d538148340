//! The exported model in tract, as the page runs it, compared with the trainer's own arithmetic.

use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;
use serde::Serialize;
use tract_onnx::prelude::{IntoTValue, Tensor, TractError, tvec};
use watchnext::model::TOWER_INPUTS;
use watchnext::onnx::{Input, OnnxModel};

use super::data::{Sequences, Target};
use super::evaluate::{Figures, for_each_user, rank, scores};
use super::tower::Tower;

/// A tower's figures on the test targets in both ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// By the trainer's own arithmetic.
    pub trainer: Figures,
    /// By the exported model in tract.
    pub tract: Figures,
    /// Users whose target has the same rank in both.
    pub equal_ranks: usize,
    /// The largest difference of any two ranks.
    pub largest_rank_difference: usize,
    /// The largest difference of any score.
    pub largest_score_difference: f32,
    /// The mean time that tract takes for a vector, in milliseconds.
    pub milliseconds: f64,
    /// The exported model's size in bytes.
    pub model_bytes: usize,
}

/// Runs the exported `model` of `tower` on every user's test history and compares the ranks.
///
/// # Errors
/// A model that tract can't run, and scores that aren't finite.
pub fn measure(sequences: &Sequences, tower: &Tower, model: &[u8]) -> Result<Measured> {
    let questions = sequences.questions(Target::Test);
    let histories: Vec<&[u32]> = questions.iter().map(|(history, _)| *history).collect();
    let vectors = tower.vectors(&histories)?;
    let [history_input, weights_input, _] = TOWER_INPUTS;
    let shape = [1, tower.window];
    let inputs = [Input::new::<i64>(history_input, shape), Input::new::<f32>(weights_input, shape)];
    let refused = |error: TractError| anyhow!("tract refuses the exported model: {error:#}");
    let runnable = OnnxModel::decode(model).and_then(|decoded| decoded.runnable(&inputs)).map_err(refused)?;
    let padding = i64::try_from(sequences.len())?;
    let run = |history: &[u32]| -> Result<Vec<f32>> {
        let (movies, weights) = filled(history, tower.window, padding);
        let outputs = (|| {
            let inputs = tvec!(
                Tensor::from_shape(&shape, &movies)?.into_tvalue(),
                Tensor::from_shape(&shape, &weights)?.into_tvalue(),
            );
            runnable.run(inputs)
        })();
        let outputs = outputs.map_err(refused)?;
        let vector = outputs.first().context("the exported model has no output")?;
        Ok(vector.to_plain_array_view::<f32>().map_err(refused)?.iter().copied().collect())
    };
    let started = Instant::now();
    let by_tract: Vec<Vec<f32>> = histories.par_iter().map(|history| run(history)).collect::<Result<_>>()?;
    let threads = rayon::current_num_threads() as f64;
    let milliseconds = started.elapsed().as_secs_f64() * 1e3 * threads / histories.len().max(1) as f64;
    let compared = for_each_user(&vectors, &tower.table, |user, own| {
        let (history, target) = questions.get(user).context("a user without a question")?;
        let theirs = scores(by_tract.get(user).map(Vec::as_slice).unwrap_or_default(), &tower.table);
        let differences = own.iter().zip(&theirs).map(|(own, theirs)| (own - theirs).abs());
        Ok((rank(own, history, *target)?, rank(&theirs, history, *target)?, differences.fold(0.0, f32::max)))
    })?;
    let own: Vec<usize> = compared.iter().map(|(own, ..)| *own).collect();
    let theirs: Vec<usize> = compared.iter().map(|(_, theirs, _)| *theirs).collect();
    let differences = || own.iter().zip(&theirs).map(|(own, theirs)| own.abs_diff(*theirs));
    Ok(Measured {
        trainer: Figures::new(&own),
        tract: Figures::new(&theirs),
        equal_ranks: differences().filter(|difference| *difference == 0).count(),
        largest_rank_difference: differences().max().unwrap_or_default(),
        largest_score_difference: compared.iter().map(|(.., difference)| *difference).fold(0.0, f32::max),
        milliseconds,
        model_bytes: model.len(),
    })
}

/// A history's last movies as a tower of this length takes them, oldest first and padded at the end, and the slots'
/// weights.
fn filled(history: &[u32], length: usize, padding: i64) -> (Vec<i64>, Vec<f32>) {
    let last = history.get(history.len().saturating_sub(length)..).unwrap_or_default();
    let mut movies: Vec<i64> = last.iter().map(|movie| i64::from(*movie)).collect();
    let mut weights = vec![1.0; movies.len()];
    movies.resize(length, padding);
    weights.resize(length, 0.0);
    (movies, weights)
}
