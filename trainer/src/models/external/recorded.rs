//! What the training framework computed, and how near tract comes to it.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use watchnext::bundle::Source;
use watchnext::features::{HistoryInputs, LocalTime, TIME_FEATURES, time_features};
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT, TowerInputs, YEAR_INPUT};

use super::arrays;
use super::given::GivenFile;
use super::tower::ExternalTower;

/// How far a number of a user's vector may be off, in units of the vector's largest number or of 1, whichever is more: frameworks
/// add up in other orders.
pub const TOLERANCE: f32 = 1e-4;

/// How many histories are made up where none are recorded.
const MADE_UP: usize = 200;

/// The seed of the made-up histories.
const SEED: u64 = 20_250_404;

/// One recorded run of the model.
#[derive(Debug)]
pub struct Case {
    /// What it was given.
    pub inputs: TowerInputs,
    /// What it answered.
    pub user_vector: Vec<f32>,
}

/// How near tract came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parity {
    /// How many cases were compared.
    pub cases: usize,
    /// The largest difference of a number.
    pub worst: f32,
}

impl Parity {
    /// The parity in a sentence.
    pub fn said(&self) -> String {
        format!(
            "In {} recorded runs the program computes what the training framework did, up to {:.1e} in a number.",
            self.cases, self.worst
        )
    }
}

/// Reads recorded cases: the model's inputs by name, `[cases, …]`, and `user_vector`, `[cases, dim]`.
///
/// # Errors
/// A file that can't be read, arrays that are missing or of another shape, and histories that the program would never make.
pub(super) fn read(path: &Path, tower: &ExternalTower, items: usize) -> Result<(Vec<Case>, Source)> {
    let file = GivenFile::read(path, "--recorded")?;
    let arrays = arrays::named(&file)?;
    let path = path.display();
    let array = |name: &str| {
        arrays.get(name).with_context(|| {
            let names: Vec<&String> = arrays.keys().collect();
            format!("{path} has no array `{name}`; it has {names:?}. Record every input of the model, and its `{TOWER_OUTPUT}`.")
        })
    };
    let [history, weights, time] = TOWER_INPUTS;
    let slots = tower.history_len();
    let (shape, movies) = arrays::integers(array(history)?).with_context(|| format!("{path}: `{history}`"))?;
    let cases = match shape.as_slice() {
        [cases, width] if *width == slots && *cases > 0 => *cases,
        _ => bail!("{path}: `{history}` has shape {shape:?}, the model takes [cases, {slots}]."),
    };
    // What the model doesn't ask for may be anything.
    let rows = |name: &str, width: usize| -> Result<Vec<f32>> {
        if !tower.inputs.iter().any(|input| input == name) {
            return Ok(vec![0.0; cases * width]);
        }
        floats(name, array(name)?, [cases, width]).with_context(|| format!("{path}: `{name}`"))
    };
    let has_weights = tower.inputs.iter().any(|input| input == weights);
    let (weights, time, year) = (rows(weights, slots)?, rows(time, TIME_FEATURES)?, rows(YEAR_INPUT, 1)?);
    let (shape, vectors) = arrays::floats(array(TOWER_OUTPUT)?).with_context(|| format!("{path}: `{TOWER_OUTPUT}`"))?;
    let [rows, dim] = shape.as_slice() else {
        bail!("{path}: `{TOWER_OUTPUT}` has shape {shape:?}, not [{cases}, dim].")
    };
    ensure!(*rows == cases, "{path}: `{TOWER_OUTPUT}` has {rows} rows and `{history}` has {cases}.");
    let padding = i64::try_from(items)?;
    let mut read = Vec::with_capacity(cases);
    let chunks = movies.chunks(slots).zip(weights.chunks(slots)).zip(time.chunks(TIME_FEATURES)).zip(year);
    for (at, ((((movies, weights), time), year), vector)) in chunks.zip(vectors.chunks((*dim).max(1))).enumerate() {
        let place = |slot: usize| format!("{path}: `{history}`, case {at}, slot {slot}, both counted from 0");
        for (slot, (movie, weight)) in movies.iter().zip(weights).enumerate() {
            ensure!(
                (0..=padding).contains(movie),
                "{}: {movie} is no row of {items} items, nor {padding}, the padding.",
                place(slot)
            );
            let after_padding = slot > 0 && movies.get(slot - 1) == Some(&padding) && *movie != padding;
            ensure!(
                !after_padding,
                "{}: an item stands after padding. The program puts the oldest item into slot 0 and the padding after the latest; train the model so.",
                place(slot)
            );
            ensure!(
                !has_weights || *movie != padding || *weight == 0.0,
                "{}: padding weighs {weight}. The program gives it the weight 0; train the model so.",
                place(slot)
            );
        }
        let time = time.try_into().context("a row of time features of another width")?;
        let history = HistoryInputs { movies: movies.to_vec(), weights: weights.to_vec() };
        read.push(Case { inputs: TowerInputs { history, time, year }, user_vector: vector.to_vec() });
    }
    Ok((read, file.source(cases)))
}

/// An array of this shape, or without the second axis where that is 1.
fn floats(name: &str, array: &candle_core::Tensor, [cases, width]: [usize; 2]) -> Result<Vec<f32>> {
    let (shape, values) = arrays::floats(array)?;
    let fits = shape == [cases, width] || (width == 1 && shape == [cases]);
    ensure!(fits, "its shape is {shape:?}, the model takes [{cases}, {width}] as its `{name}`");
    Ok(values)
}

/// Runs the recorded cases through tract.
///
/// # Errors
/// A vector that is further off than [`TOLERANCE`], with the worst case, and what the model refuses.
pub(super) fn compare(cases: &[Case], tower: &ExternalTower) -> Result<Parity> {
    let mut worst: Option<(f32, String, f32)> = None;
    for (at, case) in cases.iter().enumerate() {
        let found = tower.embed(&case.inputs).with_context(|| format!("recorded case {at}, counted from 0"))?;
        ensure!(
            found.len() == case.user_vector.len(),
            "the recorded `{TOWER_OUTPUT}` has {} numbers, the model's has {}. Record it from this very model.",
            case.user_vector.len(),
            found.len()
        );
        let scale = case.user_vector.iter().fold(1.0_f32, |most, value| most.max(value.abs()));
        for (number, (found, recorded)) in found.iter().zip(&case.user_vector).enumerate() {
            let off = (found - recorded).abs();
            // A recorded number that is none is further off than any other.
            let share = if off.is_nan() { f32::INFINITY } else { off / scale };
            if worst.as_ref().is_none_or(|(most, ..)| share > *most) {
                let place = format!("case {at}, number {number}, both counted from 0: {found} against {recorded}");
                worst = Some((share, place, off));
            }
        }
    }
    let (share, place, off) = worst.context("nothing is recorded")?;
    ensure!(
        share <= TOLERANCE,
        "the program doesn't compute what was recorded. The worst is {place}; a difference of {TOLERANCE} is allowed. Export and \
         record the same model, in evaluation mode (`model.eval()`)."
    );
    Ok(Parity { cases: cases.len(), worst: off })
}

/// Random histories, to ask where nothing is recorded.
///
/// # Errors
/// None for a moment of the calendar.
pub(super) fn made_up(items: usize, slots: usize) -> Result<Vec<TowerInputs>> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let moment = LocalTime::from_unix(1_700_000_000, 0)?;
    let (padding, time, year) = (i64::try_from(items)?, time_features(&moment), moment.year_with_fraction());
    let history = |_| {
        let watched = rng.random_range(1..=slots.min(items));
        let movie = |slot: usize| if slot < watched { rng.random_range(0..padding) } else { padding };
        let movies: Vec<i64> = (0..slots).map(movie).collect();
        let weights = movies.iter().map(|movie| if *movie == padding { 0.0 } else { 1.0 }).collect();
        TowerInputs { history: HistoryInputs { movies, weights }, time, year }
    };
    Ok((0..MADE_UP).map(history).collect())
}
