//! The user tower, an ONNX model, behind a trait that tests can implement.

use std::sync::Arc;

use tract_onnx::prelude::{Datum, DatumType, IntoTValue, TValue, TVec, Tensor, TractResult, TypedRunnableModel};
use tract_onnx::tract_core::internal::{TractErrorContext, bail, ensure};

use crate::bundle::Role;
use crate::error::{Error, Result};
use crate::features::{HISTORY_LEN, HistoryInputs, TIME_FEATURES};
use crate::onnx::{DeclaredInput, Input, OnnxModel, error_chain, load_error, type_name};

/// The tower's file, as errors name it.
const FILE: Role = Role::UserTower;

/// The names of the tower's inputs, in the order of [`TowerInputs`]. Every tower has the first. The others are optional
/// and may come in any order.
pub const TOWER_INPUTS: [&str; 3] = ["history", "weights", "time"];

/// The name of a fourth input, optional too.
pub const YEAR_INPUT: &str = "year";

/// The most slots of a tower's history. A click runs the tower once, and explaining its suggestions once for each
/// movie.
pub const MAX_HISTORY_LEN: usize = 512;

/// The tower's output.
pub const TOWER_OUTPUT: &str = "user_vector";

/// One visitor, one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct TowerInputs {
    /// `history` `[1, L]` of int64 and `weights` `[1, L]` of float, `L` being [`UserTower::history_len`].
    pub history: HistoryInputs,
    /// `time` `[1, TIME_FEATURES]` of float.
    pub time: [f32; TIME_FEATURES],
    /// `year` `[1, 1]` of float: the year with its elapsed fraction, for a tower that has this input.
    pub year: f32,
}

/// A model that turns a history and a moment into the vector that the movies' embeddings are multiplied by.
pub trait UserTower: Send + Sync {
    /// The length of the vector.
    fn dim(&self) -> usize;

    /// How many slots its history has.
    fn history_len(&self) -> usize {
        HISTORY_LEN
    }

    /// The vector, all finite.
    ///
    /// # Errors
    /// [`Error::ModelFailed`] and [`Error::NonFinite`].
    fn embed(&self, inputs: &TowerInputs) -> Result<Vec<f32>>;
}

/// An input that a tower may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TowerInput {
    History,
    Weights,
    Time,
    Year,
}

impl TowerInput {
    const ALL: [Self; 4] = [Self::History, Self::Weights, Self::Time, Self::Year];

    const fn name(self) -> &'static str {
        let [history, weights, time] = TOWER_INPUTS;
        match self {
            Self::History => history,
            Self::Weights => weights,
            Self::Time => time,
            Self::Year => YEAR_INPUT,
        }
    }

    /// The input of this name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|input| input.name() == name)
    }

    /// Its type and the length of its second axis, if the history has this many slots. The first axis has length 1.
    const fn form(self, slots: usize) -> (DatumType, usize) {
        match self {
            Self::History => (DatumType::I64, slots),
            Self::Weights => (DatumType::F32, slots),
            Self::Time => (DatumType::F32, TIME_FEATURES),
            Self::Year => (DatumType::F32, 1),
        }
    }
}

/// A user tower run by tract.
#[derive(Debug, Clone)]
pub struct TractUserTower {
    plan: Arc<TypedRunnableModel>,
    dim: usize,
    history_len: usize,
    /// In the model's own order.
    inputs: Vec<TowerInput>,
}

impl TractUserTower {
    /// Loads and optimises an ONNX model. Runs it twice, so that a model that can't run fails here and not at a
    /// visitor's click. `MODEL_CONTRACT.md` has the contract for models that are trained elsewhere.
    ///
    /// The model has the input `history`, `[1, L]` of int64, whose `L` from 1 to [`MAX_HISTORY_LEN`] the file declares.
    /// It may have `weights` `[1, L]`, `time` `[1, TIME_FEATURES]` and `year` `[1, 1]` of float, in any order. Its only
    /// output is [`TOWER_OUTPUT`], `[1, dim]`. A first axis that the file leaves open counts as 1.
    ///
    /// `catalog_len` is the id for padding in `history`, the largest that the model must know.
    ///
    /// # Errors
    /// [`Error::ModelInvalid`] for bytes that aren't ONNX, operators that aren't among
    /// [`OPERATORS`](crate::onnx::OPERATORS), and inputs or outputs of other names, types or shapes.
    /// [`Error::ShapeMismatch`] for an output of another shape. [`Error::NonFinite`] if the model's answer isn't
    /// finite.
    pub fn load(bytes: &[u8], dim: usize, catalog_len: usize) -> Result<Self> {
        let tower = Self::optimise(bytes, dim).map_err(|error| load_error(FILE.as_str(), &error))?;
        let padding = i64::try_from(catalog_len).unwrap_or(i64::MAX);
        // Once with nothing watched, as a visit begins, and once with every slot filled.
        for (movie, weight) in [(padding, 0.0), (0, 1.0)] {
            let slots = tower.history_len;
            let history = HistoryInputs { movies: vec![movie; slots], weights: vec![weight; slots] };
            tower.embed(&TowerInputs { history, time: [0.0; TIME_FEATURES], year: 2000.0 }).map_err(
                |error| match error {
                    Error::ModelFailed { file, reason } => Error::ModelInvalid { file, reason },
                    other => other,
                },
            )?;
        }
        Ok(tower)
    }

    fn optimise(bytes: &[u8], dim: usize) -> TractResult<Self> {
        let model = OnnxModel::decode(bytes)?;
        let declared = model.declared_inputs()?;
        let slots = history_slots(&declared)?;
        let (mut inputs, mut contract) = (Vec::new(), Vec::new());
        for input in &declared {
            let own = TowerInput::from_name(input.name).with_context(|| {
                format!(
                    "its input `{}` isn't one of history, weights, time and year. Rename it, or make what it needs a \
                     part of the model",
                    input.name
                )
            })?;
            ensure!(!inputs.contains(&own), "its input `{}` is there twice", input.name);
            let (datum_type, width) = own.form(slots);
            ensure!(
                input.datum_type == datum_type,
                "its input `{}` is of {}, the contract is {}. Cast it within the model",
                input.name,
                type_name(input.datum_type),
                type_name(datum_type)
            );
            // An axis that is left open takes any length.
            let fits = match input.shape.as_slice() {
                [rows, columns] => rows.is_none_or(|rows| rows == 1) && columns.is_none_or(|len| len == width),
                _ => false,
            };
            ensure!(
                fits,
                "its input `{}` has shape {}, the contract is [1, {width}]. Export it for one visitor at a time",
                input.name,
                input.shape_text()
            );
            inputs.push(own);
            contract.push(Input { name: own.name(), datum_type, shape: [1, width] });
        }
        let outputs = model.outputs();
        ensure!(
            outputs == [TOWER_OUTPUT],
            "its outputs are {outputs:?}, the contract is one, {TOWER_OUTPUT:?}. Name it when you export"
        );
        let plan = model.into_runnable(&contract)?;
        Ok(Self { plan, dim, history_len: slots, inputs })
    }

    fn run(&self, inputs: &TowerInputs) -> TractResult<(Vec<usize>, Vec<f32>)> {
        let HistoryInputs { movies, weights } = &inputs.history;
        ensure!(
            movies.len() == self.history_len && weights.len() == self.history_len,
            "it was given {} movies and {} weights for {} slots",
            movies.len(),
            weights.len(),
            self.history_len
        );
        let tensor = |input: &TowerInput| -> TractResult<TValue> {
            let tensor = match input {
                TowerInput::History => row(movies),
                TowerInput::Weights => row(weights),
                TowerInput::Time => row(&inputs.time),
                TowerInput::Year => row(&[inputs.year]),
            };
            Ok(tensor?.into_tvalue())
        };
        let outputs = self.plan.run(self.inputs.iter().map(tensor).collect::<TractResult<TVec<_>>>()?)?;
        let output = outputs.first().context("it has no output")?;
        Ok((output.shape().to_vec(), output.to_plain_array_view::<f32>()?.iter().copied().collect()))
    }
}

/// How many slots the history has, as the file declares it.
fn history_slots(declared: &[DeclaredInput]) -> TractResult<usize> {
    let [history, ..] = TOWER_INPUTS;
    let Some(input) = declared.iter().find(|input| input.name == history) else {
        let names: Vec<&str> = declared.iter().map(|input| input.name).collect();
        bail!("it has no input `{history}`, int64 of [1, L]; its inputs are {names:?}");
    };
    match input.shape.as_slice() {
        [_, Some(slots)] if (1..=MAX_HISTORY_LEN).contains(slots) => Ok(*slots),
        [_, Some(slots)] => bail!("its input `{history}` has {slots} slots, 1 to {MAX_HISTORY_LEN} are taken"),
        [_, None] => bail!(
            "its input `{history}` leaves open how many slots it has, {}. Export it with a fixed length, without a \
             dynamic second axis",
            input.shape_text()
        ),
        _ => bail!("its input `{history}` has shape {}, the contract is [1, L] with a fixed L", input.shape_text()),
    }
}

fn row<T: Datum + Copy>(values: &[T]) -> TractResult<Tensor> {
    Tensor::from_shape(&[1, values.len()], values)
}

impl UserTower for TractUserTower {
    fn dim(&self) -> usize {
        self.dim
    }

    fn history_len(&self) -> usize {
        self.history_len
    }

    fn embed(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        let failed = |reason: String| Error::ModelFailed { file: FILE.to_string(), reason };
        let (shape, vector) = self.run(inputs).map_err(|error| failed(error_chain(&error)))?;
        if shape != [1, self.dim] {
            return Err(Error::ShapeMismatch {
                place: format!("{FILE}: {TOWER_OUTPUT}"),
                expected: format!("[1, {}]", self.dim),
                found: format!("{shape:?}"),
            });
        }
        if vector.iter().any(|value| !value.is_finite()) {
            return Err(Error::NonFinite { place: format!("{FILE}: {TOWER_OUTPUT}") });
        }
        Ok(vector)
    }
}
