//! The user tower, an ONNX model, behind a trait that tests can implement.

use std::sync::{Arc, OnceLock};

use tract_onnx::prelude::{Datum, DatumType, IntoTValue, TValue, TVec, Tensor, TractResult, TypedRunnableModel};
use tract_onnx::tract_core::internal::{TractErrorContext, bail, ensure};

use crate::bundle::Role;
use crate::error::{Error, Result};
use crate::features::{HISTORY_LEN, HistoryInputs, LocalTime, TIME_FEATURES, history_inputs, time_features};
use crate::history::Watch;
use crate::onnx::{DeclaredInput, Input, OnnxModel, error_chain, load_error, type_name};

/// The tower's file, as errors name it.
const FILE: Role = Role::UserTower;

/// The names of the tower's inputs, in the order of [`TowerInputs`]. Every tower has the first. The others are optional
/// and may come in any order.
pub const TOWER_INPUTS: [&str; 3] = ["history", "weights", "time"];

/// The name of a fourth input, optional too.
pub const YEAR_INPUT: &str = "year";

/// The name of a fifth input, optional too: how each movie of the history was received.
pub const LIKES_INPUT: &str = "likes";

/// The name of a sixth input, optional too: whether the order of the history says what comes next.
pub const ORDER_INPUT: &str = "in_order";

/// The most slots of a tower's history whose number is fixed. A click runs the tower once, and explaining its
/// suggestions once for each movie.
pub const MAX_HISTORY_LEN: usize = 512;

/// The numbers of slots of a tower that leaves it open. A history gets the fewest that hold it, so that a few clicks
/// cost no more than they must. Of a longer one than the last of these, the latest movies count.
pub const OPEN_SLOTS: [usize; 4] = [HISTORY_LEN, 250, 1_250, 6_250];

/// The tower's output.
pub const TOWER_OUTPUT: &str = "user_vector";

/// The fewest of [`OPEN_SLOTS`] that hold `watched` movies, or the most that there are.
pub fn open_slots(watched: usize) -> usize {
    fewest(&OPEN_SLOTS, watched)
}

fn fewest(choices: &[usize], watched: usize) -> usize {
    let holding = choices.iter().find(|slots| **slots >= watched);
    holding.or(choices.last()).copied().unwrap_or(HISTORY_LEN)
}

/// One visitor, one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct TowerInputs {
    /// `history` `[1, L]` of int64, `weights` and `likes` `[1, L]` of float, `L` being [`UserTower::slots`].
    pub history: HistoryInputs,
    /// `time` `[1, TIME_FEATURES]` of float.
    pub time: [f32; TIME_FEATURES],
    /// `year` `[1, 1]` of float: the year with its elapsed fraction, for a tower that has this input.
    pub year: f32,
    /// `in_order` `[1, 1]` of float: 1 if what comes next is asked for and the history's order says it, or else 0, for
    /// a tower that has this input.
    pub in_order: f32,
}

impl TowerInputs {
    /// The inputs of a tower of this many slots, over a catalogue of `catalog_len` movies.
    pub fn new(watches: &[Watch], catalog_len: usize, slots: usize, moment: &LocalTime, in_order: bool) -> Self {
        Self {
            history: history_inputs(watches, catalog_len, slots),
            time: time_features(moment),
            year: moment.year_with_fraction(),
            in_order: if in_order { 1.0 } else { 0.0 },
        }
    }
}

/// A model that turns a history and a moment into the vector that the movies' embeddings are multiplied by.
pub trait UserTower: Send + Sync {
    /// The length of the vector.
    fn dim(&self) -> usize;

    /// How many slots its history has if `watched` movies were watched.
    fn slots(&self, _watched: usize) -> usize {
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
    Likes,
    InOrder,
}

impl TowerInput {
    const ALL: [Self; 6] = [Self::History, Self::Weights, Self::Time, Self::Year, Self::Likes, Self::InOrder];

    const fn name(self) -> &'static str {
        let [history, weights, time] = TOWER_INPUTS;
        match self {
            Self::History => history,
            Self::Weights => weights,
            Self::Time => time,
            Self::Year => YEAR_INPUT,
            Self::Likes => LIKES_INPUT,
            Self::InOrder => ORDER_INPUT,
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
            Self::Weights | Self::Likes => (DatumType::F32, slots),
            Self::Time => (DatumType::F32, TIME_FEATURES),
            Self::Year | Self::InOrder => (DatumType::F32, 1),
        }
    }
}

/// How many slots the history of a tower has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slots {
    /// As many as the file says.
    Fixed(usize),
    /// One of [`OPEN_SLOTS`], as the history needs.
    Open,
}

impl Slots {
    /// The numbers of slots that the tower may be run with, ascending.
    fn choices(&self) -> &[usize] {
        match self {
            Self::Fixed(slots) => std::slice::from_ref(slots),
            Self::Open => &OPEN_SLOTS,
        }
    }

    /// The fewest slots that hold `watched` movies, or the most that there are.
    fn holding(self, watched: usize) -> usize {
        fewest(self.choices(), watched)
    }
}

/// A user tower run by tract.
#[derive(Debug)]
pub struct TractUserTower {
    model: OnnxModel,
    /// For each choice of [`Slots::choices`], made when a history first needs it. The first is made at the load.
    plans: Vec<OnceLock<Arc<TypedRunnableModel>>>,
    dim: usize,
    slots: Slots,
    /// In the model's own order.
    inputs: Vec<TowerInput>,
}

impl TractUserTower {
    /// Loads and optimises an ONNX model. Runs it twice, so that a model that can't run fails here and not at a
    /// visitor's click. `MODEL_CONTRACT.md` has the contract for models that are trained elsewhere.
    ///
    /// The model has the input `history`, `[1, L]` of int64, whose `L` from 1 to [`MAX_HISTORY_LEN`] the file declares
    /// or leaves open. It may have `weights` and `likes` `[1, L]`, `time` `[1, TIME_FEATURES]`, `year` and `in_order`
    /// `[1, 1]` of float, in any order. Its only output is [`TOWER_OUTPUT`], `[1, dim]`. A first axis that the file
    /// leaves open counts as 1.
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
            let slots = tower.slots(0);
            let history =
                HistoryInputs { movies: vec![movie; slots], weights: vec![weight; slots], likes: vec![weight; slots] };
            let inputs = TowerInputs { history, time: [0.0; TIME_FEATURES], year: 2000.0, in_order: 0.0 };
            tower.embed(&inputs).map_err(|error| match error {
                Error::ModelFailed { file, reason } => Error::ModelInvalid { file, reason },
                other => other,
            })?;
        }
        Ok(tower)
    }

    fn optimise(bytes: &[u8], dim: usize) -> TractResult<Self> {
        let model = OnnxModel::decode(bytes)?;
        let declared = model.declared_inputs()?;
        let slots = history_slots(&declared)?;
        let mut inputs = Vec::new();
        for input in &declared {
            let own = declared_input(input, slots)?;
            ensure!(!inputs.contains(&own), "its input `{}` is there twice", input.name);
            inputs.push(own);
        }
        let outputs = model.outputs();
        ensure!(
            outputs == [TOWER_OUTPUT],
            "its outputs are {outputs:?}, the contract is one, {TOWER_OUTPUT:?}. Name it when you export"
        );
        let plans = slots.choices().iter().map(|_| OnceLock::new()).collect();
        let tower = Self { model, plans, dim, slots, inputs };
        // Every other number of slots makes the same graph, only longer.
        tower.plan(tower.slots(0))?;
        Ok(tower)
    }

    /// The model that is optimised for this many slots.
    fn plan(&self, slots: usize) -> TractResult<&Arc<TypedRunnableModel>> {
        let place = self.slots.choices().iter().position(|choice| *choice == slots);
        let plan = place.and_then(|place| self.plans.get(place)).with_context(|| format!("it has no {slots} slots"))?;
        if plan.get().is_none() {
            let contract: Vec<Input<'_>> = self
                .inputs
                .iter()
                .map(|input| {
                    let (datum_type, width) = input.form(slots);
                    Input { name: input.name(), datum_type, shape: [1, width] }
                })
                .collect();
            // Where two threads come here at once, both make the same plan, and one is kept.
            let _ = plan.set(self.model.runnable(&contract)?);
        }
        plan.get().context("its plan is gone")
    }

    fn run(&self, inputs: &TowerInputs) -> TractResult<(Vec<usize>, Vec<f32>)> {
        let HistoryInputs { movies, weights, likes } = &inputs.history;
        let slots = movies.len();
        ensure!(
            self.slots.choices().contains(&slots) && weights.len() == slots && likes.len() == slots,
            "it was given {slots} movies, {} weights and {} likes for {:?} slots",
            weights.len(),
            likes.len(),
            self.slots.choices()
        );
        let tensor = |input: &TowerInput| -> TractResult<TValue> {
            let tensor = match input {
                TowerInput::History => row(movies),
                TowerInput::Weights => row(weights),
                TowerInput::Likes => row(likes),
                TowerInput::Time => row(&inputs.time),
                TowerInput::Year => row(&[inputs.year]),
                TowerInput::InOrder => row(&[inputs.in_order]),
            };
            Ok(tensor?.into_tvalue())
        };
        let outputs = self.plan(slots)?.run(self.inputs.iter().map(tensor).collect::<TractResult<TVec<_>>>()?)?;
        let output = outputs.first().context("it has no output")?;
        Ok((output.shape().to_vec(), output.to_plain_array_view::<f32>()?.iter().copied().collect()))
    }
}

/// The input that a file declares, if it fits the contract of a tower with these slots.
fn declared_input(input: &DeclaredInput<'_>, slots: Slots) -> TractResult<TowerInput> {
    let own = TowerInput::from_name(input.name).with_context(|| {
        format!(
            "its input `{}` isn't one of history, weights, time, year, likes and in_order. Rename it, or make what it \
             needs a part of the model",
            input.name
        )
    })?;
    let (datum_type, width) = own.form(slots.holding(0));
    ensure!(
        input.datum_type == datum_type,
        "its input `{}` is of {}, the contract is {}. Cast it within the model",
        input.name,
        type_name(input.datum_type),
        type_name(datum_type)
    );
    // An axis that is left open takes any length. If the history's is, no other may fix it.
    let of_slots = own.form(0).1 == 0;
    let fits = match input.shape.as_slice() {
        [rows, columns] if of_slots && slots == Slots::Open => rows.is_none_or(|rows| rows == 1) && columns.is_none(),
        [rows, columns] => rows.is_none_or(|rows| rows == 1) && columns.is_none_or(|len| len == width),
        _ => false,
    };
    ensure!(
        fits,
        "its input `{}` has shape {}, the contract is [1, {}]. Export it for one visitor at a time",
        input.name,
        input.shape_text(),
        if of_slots && slots == Slots::Open { "?".to_owned() } else { width.to_string() }
    );
    Ok(own)
}

/// How many slots the history has, as the file declares it.
fn history_slots(declared: &[DeclaredInput]) -> TractResult<Slots> {
    let [history, ..] = TOWER_INPUTS;
    let Some(input) = declared.iter().find(|input| input.name == history) else {
        let names: Vec<&str> = declared.iter().map(|input| input.name).collect();
        bail!("it has no input `{history}`, int64 of [1, L]; its inputs are {names:?}");
    };
    match input.shape.as_slice() {
        [_, Some(slots)] if (1..=MAX_HISTORY_LEN).contains(slots) => Ok(Slots::Fixed(*slots)),
        [_, Some(slots)] => bail!("its input `{history}` has {slots} slots, 1 to {MAX_HISTORY_LEN} are taken"),
        [_, None] => Ok(Slots::Open),
        _ => bail!("its input `{history}` has shape {}, the contract is [1, L]", input.shape_text()),
    }
}

fn row<T: Datum + Copy>(values: &[T]) -> TractResult<Tensor> {
    Tensor::from_shape(&[1, values.len()], values)
}

impl UserTower for TractUserTower {
    fn dim(&self) -> usize {
        self.dim
    }

    fn slots(&self, watched: usize) -> usize {
        self.slots.holding(watched)
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
