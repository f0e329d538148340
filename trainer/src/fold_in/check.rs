//! Compares a fold-in's graph with the answers of another program to the same histories: vectors and best items.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use ndarray::{Array1, Array2};
use serde::Deserialize;
use watchnext::catalog::MovieIndex;
use watchnext::features::{HISTORY_LEN, LocalTime};
use watchnext::history::{Rating, Watch};
use watchnext::model::{TowerInputs, TractUserTower, UserTower};

use crate::data::{Items, Layout};

/// `recorded.json`: histories with their recorded answers.
#[derive(Debug, Deserialize)]
pub struct Recorded {
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    /// Oldest first.
    history: Vec<RecordedWatch>,
    user_vector: Vec<f32>,
    /// The ids of the best items, watched or not, best first.
    top: Vec<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedWatch {
    movie_id: u32,
    rating: f32,
}

/// Scores tie if they differ by no more than this share of the largest score: 32 bits can't tell them apart.
const TIE: f32 = 2e-6;

/// How far a graph's answers are from the recorded ones.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Agreement {
    /// How many histories were compared.
    pub histories: usize,
    /// The largest difference of one number of a vector.
    pub largest: f64,
    /// The largest distance of two vectors over the recorded one's length.
    pub largest_relative: f64,
    /// Lists of best items that are equal, order included.
    pub equal_tops: usize,
    /// Lists that are equal, or differ only in the order of items that tie.
    pub tied_tops: usize,
    /// How many of the recorded best items are in our own lists.
    pub shared: usize,
    /// How many best items are recorded.
    pub recorded: usize,
}

impl fmt::Display for Agreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} recorded histories: no number of a vector differs by more than {:.1e}, no vector by more than {:.1e} \
             of its length; {} of the lists of best movies are equal, {} but for ties; {} of their {} movies are \
             shared",
            self.histories,
            self.largest,
            self.largest_relative,
            self.equal_tops,
            self.tied_tops,
            self.shared,
            self.recorded
        )
    }
}

impl Agreement {
    fn add_vector(&mut self, own: &[f32], recorded: &[f32]) {
        let (mut distance, mut length) = (0.0_f64, 0.0_f64);
        for (own, recorded) in own.iter().zip(recorded) {
            let off = (f64::from(*own) - f64::from(*recorded)).abs();
            self.largest = self.largest.max(off);
            distance += off * off;
            length += f64::from(*recorded).powi(2);
        }
        let relative = distance.sqrt() / length.sqrt().max(f64::MIN_POSITIVE);
        self.largest_relative = self.largest_relative.max(relative);
        self.histories += 1;
    }

    /// Adds a recorded list of best items, given the scores of all items.
    fn add_top(&mut self, scores: &BTreeMap<u32, f32>, recorded: &[u32]) {
        let mut best: Vec<(u32, f32)> = scores.iter().map(|(id, score)| (*id, *score)).collect();
        best.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
        best.truncate(recorded.len());
        let tie = TIE * best.first().map_or(0.0, |(_, score)| score.abs());
        let same = |((id, score), recorded): (&(u32, f32), &u32)| {
            id == recorded || scores.get(recorded).is_some_and(|other| (score - other).abs() <= tie)
        };
        self.equal_tops += usize::from(best.iter().map(|(id, _)| id).eq(recorded));
        self.tied_tops += usize::from(best.len() == recorded.len() && best.iter().zip(recorded).all(same));
        self.shared += best.iter().filter(|(id, _)| recorded.contains(id)).count();
        self.recorded += recorded.len();
    }
}

impl Recorded {
    /// Reads `recorded.json`.
    ///
    /// # Errors
    /// A file that can't be read, that has another form (with the line and column), or that holds no history.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read(path)
            .with_context(|| format!("{} can't be read. Check the path and the rights.", path.display()))?;
        let recorded: Self = serde_json::from_slice(&text).with_context(|| {
            format!("{} isn't a file of recorded histories. Write it as examples/spark/train.py does.", path.display())
        })?;
        ensure!(!recorded.cases.is_empty(), "{} holds no history. Record at least one.", path.display());
        Ok(recorded)
    }

    /// Runs a graph on the histories and compares the answers. `items`, `[items, factors]`, are the factors whose
    /// products with a vector rank the items. `rows` gives each item's row.
    ///
    /// # Errors
    /// A graph that the browser would refuse, items that aren't in `rows`, longer histories than a tower sees, and
    /// vectors of another length.
    pub fn compare(&self, onnx: &[u8], items: &Array2<f32>, rows: &BTreeMap<u32, usize>) -> Result<Agreement> {
        let (count, dim) = items.dim();
        let tower = TractUserTower::load(onnx, dim, count)?;
        let mut agreement = Agreement::default();
        for (number, case) in (1..).zip(&self.cases) {
            let watches = case.watches(rows).with_context(|| format!("recorded history {number}"))?;
            ensure!(
                case.user_vector.len() == dim,
                "recorded history {number} has a vector of {} numbers, but the items have {dim} factors. Write \
                 both from one model.",
                case.user_vector.len()
            );
            let moment = LocalTime::from_unix(0, 0)?;
            let vector = tower.embed(&TowerInputs::new(&watches, count, HISTORY_LEN, &moment, false))?;
            agreement.add_vector(&vector, &case.user_vector);
            let scores = items.dot(&Array1::from(vector));
            let scores = rows.iter().filter_map(|(id, row)| Some((*id, *scores.get(*row)?))).collect();
            agreement.add_top(&scores, &case.top);
        }
        Ok(agreement)
    }
}

impl Case {
    fn watches(&self, rows: &BTreeMap<u32, usize>) -> Result<Vec<Watch>> {
        let len = self.history.len();
        ensure!(len <= HISTORY_LEN, "it has {len} movies, and a tower sees {HISTORY_LEN}. Record shorter histories.");
        let watch = |watched: &RecordedWatch| {
            let RecordedWatch { movie_id, rating } = watched;
            let Some(movie) = rows.get(movie_id).and_then(|row| MovieIndex::new(*row)) else {
                bail!("movie {movie_id} isn't among the items. Write items.csv and the histories from one model.")
            };
            let rating = Rating::new(*rating)
                .with_context(|| format!("the rating {rating} of movie {movie_id} is outside 0.5 to 5. Correct it."))?;
            Ok(Watch { movie, rating: Some(rating) })
        };
        self.history.iter().map(watch).collect()
    }
}

/// Each item's row of the factors, by the order of the items' file.
///
/// # Errors
/// As [`Items::read`].
pub fn read_rows_of_items(path: &Path) -> Result<BTreeMap<u32, usize>> {
    let items = Items::read(path, Some(&Layout::default()))?;
    Ok(items.ids.numbered().into_iter().zip(0..).collect())
}
