//! The training framework's own answers, and how near tract comes to them.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::Tensor;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use watchnext::bundle::Source;
use watchnext::features::{HistoryInputs, LocalTime, TIME_FEATURES, time_features};
use watchnext::model::{LIKES_INPUT, ORDER_INPUT, TOWER_INPUTS, TOWER_OUTPUT, TowerInputs, YEAR_INPUT};

use super::arrays::{self, ByName, names};
use super::given::GivenFile;
use super::tower::ExternalTower;

/// How far a number of a user's vector may be off, relative to the vector's largest number or to 1, whichever is more.
/// Frameworks add up in different orders.
pub const TOLERANCE: f32 = 1e-4;

/// How many histories are made up if none are recorded.
const MADE_UP: usize = 200;

/// The seed of the made-up histories.
const SEED: u64 = 20_250_404;

/// One recorded run of the model.
#[derive(Debug)]
pub struct Case {
    /// The model's inputs.
    pub inputs: TowerInputs,
    /// The model's answer.
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
    pub fn describe(&self) -> String {
        format!(
            "In {} recorded runs the program computes the training framework's vectors, and no number differs by \
             more than {:.1e}.",
            self.cases, self.worst
        )
    }
}

/// Reads recorded cases: the model's inputs by name, `[cases, …]`, and `user_vector`, `[cases, dim]`.
///
/// # Errors
/// A file that can't be read, arrays that are missing or of another shape, and histories that the program would never
/// make.
pub(super) fn read(path: &Path, tower: &ExternalTower, items: usize) -> Result<(Vec<Case>, Source)> {
    let file = GivenFile::read(path, "--recorded")?;
    let recorded = RecordedArrays { path, arrays: arrays::named(&file)?, tower };
    let [history, weights, time] = TOWER_INPUTS;
    let slots = tower.slots(0);
    let (cases, movies) = recorded.histories(slots)?;
    let has_weights = tower.asks_for(weights);
    let weights = recorded.floats(weights, cases, slots)?;
    let times = recorded.floats(time, cases, TIME_FEATURES)?;
    let years = recorded.floats(YEAR_INPUT, cases, 1)?;
    let likes = recorded.floats(LIKES_INPUT, cases, slots)?;
    let orders = recorded.floats(ORDER_INPUT, cases, 1)?;
    let (dim, vectors) = recorded.vectors(cases)?;
    let padding = i64::try_from(items)?;
    let mut read = Vec::with_capacity(cases);
    let histories = movies.chunks(slots).zip(weights.chunks(slots)).zip(likes.chunks(slots));
    let moments = times.chunks(TIME_FEATURES).zip(years).zip(orders);
    let cases = histories.zip(moments).zip(vectors.chunks(dim.max(1))).enumerate();
    for (at, ((((movies, weights), likes), ((time, year), in_order)), vector)) in cases {
        check_history(movies, has_weights.then_some(weights), padding)
            .with_context(|| format!("{}: `{history}`, case {at} (cases and slots count from 0)", path.display()))?;
        let time = time.try_into().context("a row of time features of another width")?;
        let history = HistoryInputs { movies: movies.to_vec(), weights: weights.to_vec(), likes: likes.to_vec() };
        read.push(Case { inputs: TowerInputs { history, time, year, in_order }, user_vector: vector.to_vec() });
    }
    let count = read.len();
    Ok((read, file.source(count)))
}

/// The arrays of a file of recorded runs.
struct RecordedArrays<'given> {
    path: &'given Path,
    arrays: ByName,
    tower: &'given ExternalTower,
}

impl RecordedArrays<'_> {
    fn array(&self, name: &str) -> Result<&Tensor> {
        self.arrays.get(name).with_context(|| {
            format!(
                "{} has no array `{name}`; it has {}. Record every input of the model, and its `{TOWER_OUTPUT}`.",
                self.path.display(),
                names(&self.arrays)
            )
        })
    }

    fn place(&self, name: &str) -> String {
        format!("{}: `{name}`", self.path.display())
    }

    /// How many cases there are, and their histories, `[cases, slots]`.
    fn histories(&self, slots: usize) -> Result<(usize, Vec<i64>)> {
        let [history, ..] = TOWER_INPUTS;
        let (shape, movies) = arrays::integers(self.array(history)?).with_context(|| self.place(history))?;
        match shape.as_slice() {
            [cases, width] if *width == slots && *cases > 0 => Ok((*cases, movies)),
            _ => bail!("{} has the shape {shape:?}, but the model takes [cases, {slots}].", self.place(history)),
        }
    }

    /// An input of floats, `[cases, width]`, or zeros if the model doesn't ask for it.
    fn floats(&self, name: &str, cases: usize, width: usize) -> Result<Vec<f32>> {
        if !self.tower.asks_for(name) {
            return Ok(vec![0.0; cases * width]);
        }
        let (shape, values) = arrays::floats(self.array(name)?).with_context(|| self.place(name))?;
        // The second axis may be missing if it is 1.
        let fits = shape == [cases, width] || (width == 1 && shape == [cases]);
        ensure!(fits, "{} has the shape {shape:?}, but the model takes [{cases}, {width}].", self.place(name));
        Ok(values)
    }

    /// The vectors' length, and the vectors, `[cases, dim]`.
    fn vectors(&self, cases: usize) -> Result<(usize, Vec<f32>)> {
        let place = || self.place(TOWER_OUTPUT);
        let (shape, vectors) = arrays::floats(self.array(TOWER_OUTPUT)?).with_context(place)?;
        let [rows, dim] = shape.as_slice() else {
            bail!("{} has the shape {shape:?} instead of [{cases}, dim].", place())
        };
        let [history, ..] = TOWER_INPUTS;
        ensure!(*rows == cases, "{} has {rows} rows, but `{history}` has {cases}.", place());
        Ok((*dim, vectors))
    }
}

/// Checks that the program could make this history. `weights` are given if the model asks for them.
fn check_history(movies: &[i64], weights: Option<&[f32]>, padding: i64) -> Result<()> {
    let mut earlier = None;
    for (slot, movie) in movies.iter().enumerate() {
        ensure!(
            (0..=padding).contains(movie),
            "slot {slot}: {movie} is neither a row of the {padding} items nor {padding}, the padding."
        );
        ensure!(
            earlier != Some(padding) || *movie == padding,
            "slot {slot}: an item stands after padding. The program puts the oldest item into slot 0 and the padding \
             after the latest item. Train the model so."
        );
        let weight = weights.and_then(|weights| weights.get(slot)).copied().unwrap_or_default();
        ensure!(
            *movie != padding || weight == 0.0,
            "slot {slot}: the padding has the weight {weight}. The program gives it the weight 0. Train the model so."
        );
        earlier = Some(*movie);
    }
    Ok(())
}

/// Runs the recorded cases through tract.
///
/// # Errors
/// A vector that is further off than [`TOLERANCE`], with the worst case, and inputs that the model refuses.
pub(super) fn compare(cases: &[Case], tower: &ExternalTower) -> Result<Parity> {
    let mut worst: Option<(f32, String, f32)> = None;
    for (at, case) in cases.iter().enumerate() {
        let found = tower.embed(&case.inputs).with_context(|| format!("recorded case {at}, counted from 0"))?;
        ensure!(
            found.len() == case.user_vector.len(),
            "the recorded `{TOWER_OUTPUT}` has {} numbers, but the model's has {}. Record it from the model that you \
             pack.",
            case.user_vector.len(),
            found.len()
        );
        let scale = case.user_vector.iter().fold(1.0_f32, |most, value| most.max(value.abs()));
        for (number, (found, recorded)) in found.iter().zip(&case.user_vector).enumerate() {
            let off = (found - recorded).abs();
            // A recorded NaN is further off than any number.
            let share = if off.is_nan() { f32::INFINITY } else { off / scale };
            if worst.as_ref().is_none_or(|(most, ..)| share > *most) {
                let place = format!("case {at}, number {number}, both counted from 0: {found} instead of {recorded}");
                worst = Some((share, place, off));
            }
        }
    }
    let (share, place, off) = worst.context("nothing is recorded")?;
    ensure!(
        share <= TOLERANCE,
        "the program computes other vectors than the recorded ones. The worst is {place}. A difference of \
         {TOLERANCE} is allowed. Export and record the same model, in evaluation mode (`model.eval()`)."
    );
    Ok(Parity { cases: cases.len(), worst: off })
}

/// Random histories, for models without recorded runs.
///
/// # Errors
/// None: the moment is in the calendar.
pub(super) fn made_up(items: usize, slots: usize) -> Result<Vec<TowerInputs>> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let moment = LocalTime::from_unix(1_700_000_000, 0)?;
    let (padding, time, year) = (i64::try_from(items)?, time_features(&moment), moment.year_with_fraction());
    let history = |_| {
        let watched = rng.random_range(1..=slots.min(items));
        let movie = |slot: usize| if slot < watched { rng.random_range(0..padding) } else { padding };
        let movies: Vec<i64> = (0..slots).map(movie).collect();
        let weights: Vec<f32> = movies.iter().map(|movie| if *movie == padding { 0.0 } else { 1.0 }).collect();
        let likes = weights.clone();
        TowerInputs { history: HistoryInputs { movies, weights, likes }, time, year, in_order: 0.0 }
    };
    Ok((0..MADE_UP).map(history).collect())
}
