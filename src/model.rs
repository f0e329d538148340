//! The ONNX models, behind traits small enough that a test can stand in for them.

use std::sync::Arc;

use tract_onnx::prelude::{Datum, IntoTValue, Tensor, TractError, TractResult, TypedRunnableModel, tvec};

use crate::error::{Error, Result};
use crate::features::{HISTORY_LEN, HistoryInputs, TIME_FEATURES};
use crate::onnx::{Input, OnnxModel};

/// The role of the user tower's file in the manifest, and its name in errors.
pub const USER_TOWER: &str = "user_tower";

/// The tower's inputs by name, in the order of [`TowerInputs`].
pub const TOWER_INPUTS: [&str; 3] = ["history", "weights", "time"];

/// A fourth input, which a tower may have or leave out.
pub const YEAR_INPUT: &str = "year";

/// The tower's output.
pub const TOWER_OUTPUT: &str = "user_vector";

/// One visitor, one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct TowerInputs {
    /// `history` `[1, HISTORY_LEN]` of int64 and `weights` `[1, HISTORY_LEN]` of float.
    pub history: HistoryInputs,
    /// `time` `[1, TIME_FEATURES]` of float.
    pub time: [f32; TIME_FEATURES],
    /// `year` `[1, 1]` of float: the year with its elapsed fraction, for a tower that asks for it.
    pub year: f32,
}

/// A model that turns a history and a moment into the vector that meets the movies' embeddings.
pub trait UserTower: Send + Sync {
    /// The length of the vector.
    fn dim(&self) -> usize;

    /// The vector, all finite.
    ///
    /// # Errors
    /// [`Error::ModelFailed`] and [`Error::NonFinite`].
    fn embed(&self, inputs: &TowerInputs) -> Result<Vec<f32>>;
}

/// A user tower run by tract.
#[derive(Debug, Clone)]
pub struct TractUserTower {
    plan: Arc<TypedRunnableModel>,
    dim: usize,
    asks_for_year: bool,
}

impl TractUserTower {
    /// Loads and optimises an ONNX model with the inputs [`TOWER_INPUTS`], after which [`YEAR_INPUT`] may follow, and
    /// the one output [`TOWER_OUTPUT`] of `[1, dim]`, and runs it once, so that a model that can't run is refused here
    /// and not at a visitor's click.
    ///
    /// `catalog_len` is the id that stands for padding in `history`; the largest id that the model must know.
    ///
    /// # Errors
    /// [`Error::ModelInvalid`] for bytes that aren't ONNX, an operator that isn't one of
    /// [`OPERATORS`](crate::onnx::OPERATORS), inputs or outputs of other
    /// names; [`Error::ShapeMismatch`] for an output of another shape; [`Error::NonFinite`] for weights that make one.
    pub fn load(bytes: &[u8], dim: usize, catalog_len: usize) -> Result<Self> {
        let (plan, asks_for_year) = optimise(bytes).map_err(|error| refusal(USER_TOWER, &error))?;
        let tower = Self { plan, dim, asks_for_year };
        let padding = i64::try_from(catalog_len).unwrap_or(i64::MAX);
        for movie in [0, padding] {
            let history = HistoryInputs { movies: [movie; HISTORY_LEN], weights: [1.0; HISTORY_LEN] };
            tower.embed(&TowerInputs { history, time: [0.0; TIME_FEATURES], year: 0.0 }).map_err(
                |error| match error {
                    Error::ModelFailed { file, reason } => Error::ModelInvalid { file, reason },
                    other => other,
                },
            )?;
        }
        Ok(tower)
    }
}

/// The messages of an error and of its causes, outermost first.
pub(crate) fn chain(error: &TractError) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Why a model isn't loaded: that a weight isn't a number is an error of its own.
pub(crate) fn refusal(file: &str, error: &TractError) -> Error {
    match error.downcast_ref::<Error>() {
        Some(Error::NonFinite { place }) => Error::NonFinite { place: format!("{file}: {place}") },
        _ => Error::ModelInvalid { file: file.to_owned(), reason: chain(error) },
    }
}

/// The model ready to run, and whether it asks for the year.
fn optimise(bytes: &[u8]) -> TractResult<(Arc<TypedRunnableModel>, bool)> {
    let model = OnnxModel::decode(bytes)?;
    let [history, weights, time] = TOWER_INPUTS;
    let mut contract = vec![
        Input::new::<i64>(history, [1, HISTORY_LEN]),
        Input::new::<f32>(weights, [1, HISTORY_LEN]),
        Input::new::<f32>(time, [1, TIME_FEATURES]),
    ];
    let inputs = model.inputs();
    let asks_for_year = inputs.last() == Some(&YEAR_INPUT);
    if asks_for_year {
        contract.push(Input::new::<f32>(YEAR_INPUT, [1, 1]));
    }
    if !contract.iter().map(|input| input.name).eq(inputs.iter().copied()) {
        return Err(TractError::msg(format!(
            "its inputs are {inputs:?}, the contract is {TOWER_INPUTS:?} and, if wanted, {YEAR_INPUT:?}"
        )));
    }
    let outputs = model.outputs();
    if outputs != [TOWER_OUTPUT] {
        return Err(TractError::msg(format!("its outputs are {outputs:?}, the contract is one, {TOWER_OUTPUT:?}")));
    }
    Ok((model.into_runnable(&contract)?, asks_for_year))
}

fn row<T: Datum + Copy>(values: &[T]) -> TractResult<Tensor> {
    Tensor::from_shape(&[1, values.len()], values)
}

impl UserTower for TractUserTower {
    fn dim(&self) -> usize {
        self.dim
    }

    fn embed(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        let run = || -> TractResult<(Vec<usize>, Vec<f32>)> {
            let mut tensors = tvec!(
                row(&inputs.history.movies)?.into_tvalue(),
                row(&inputs.history.weights)?.into_tvalue(),
                row(&inputs.time)?.into_tvalue(),
            );
            if self.asks_for_year {
                tensors.push(row(&[inputs.year])?.into_tvalue());
            }
            let outputs = self.plan.run(tensors)?;
            let output = outputs.first().ok_or_else(|| TractError::msg("it has no output"))?;
            Ok((output.shape().to_vec(), output.to_plain_array_view::<f32>()?.iter().copied().collect()))
        };
        let failed = |reason: String| Error::ModelFailed { file: USER_TOWER.to_owned(), reason };
        let (shape, vector) = run().map_err(|error| failed(chain(&error)))?;
        if shape != [1, self.dim] {
            return Err(Error::ShapeMismatch {
                place: format!("{USER_TOWER}: {TOWER_OUTPUT}"),
                expected: format!("[1, {}]", self.dim),
                found: format!("{shape:?}"),
            });
        }
        if vector.iter().any(|value| !value.is_finite()) {
            return Err(Error::NonFinite { place: format!("{USER_TOWER}: {TOWER_OUTPUT}") });
        }
        Ok(vector)
    }
}
