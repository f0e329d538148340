//! Holds a fold-in's graph to what another program has for the same histories: vectors and best items.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use ndarray::{Array1, Array2};
use serde::Deserialize;
use watchnext::catalog::MovieIndex;
use watchnext::features::{HISTORY_LEN, TIME_FEATURES, history_inputs};
use watchnext::history::{Rating, Watch};
use watchnext::model::{TowerInputs, TractUserTower, UserTower};

use crate::dataset::{read_file, read_rows};

/// `recorded.json`: histories with the answers that were recorded for them.
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

/// How far a graph's answers are from the recorded ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// How many histories were compared.
    pub histories: usize,
    /// The largest difference of one number of a vector.
    pub largest: f64,
    /// The largest distance of two vectors over the recorded one's length.
    pub largest_relative: f64,
    /// Lists of best items that are equal, order included.
    pub equal_tops: usize,
    /// The share of the recorded best items that are in the own lists, over all histories.
    pub shared_tops: f64,
}

impl fmt::Display for Agreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} recorded histories: no number of a vector differs by more than {:.1e}, no vector by more than {:.1e} of its \
             length; {} of the lists of best movies are equal, {:.2} % of their movies are shared",
            self.histories,
            self.largest,
            self.largest_relative,
            self.equal_tops,
            self.shared_tops * 100.0
        )
    }
}

impl Recorded {
    /// Reads `recorded.json`.
    ///
    /// # Errors
    /// A file that can't be read or has another form, with the line and column, or holds no history.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read(path)
            .with_context(|| format!("{} can't be read. Check the path and the rights.", path.display()))?;
        let recorded: Self = serde_json::from_slice(&text).with_context(|| {
            format!("{} isn't a file of recorded histories, as examples/spark/train.py writes it", path.display())
        })?;
        ensure!(!recorded.cases.is_empty(), "{} holds no history. Record at least one.", path.display());
        Ok(recorded)
    }

    /// Runs a graph on the histories and compares. `items`, `[items, factors]`, are the factors whose products with a vector
    /// rank the items, and `rows` says which row is whose.
    ///
    /// # Errors
    /// A graph that the browser would refuse, items that `rows` lacks, longer histories than a tower sees, and vectors of
    /// another length.
    pub fn compare(&self, onnx: &[u8], items: &Array2<f32>, rows: &BTreeMap<u32, usize>) -> Result<Agreement> {
        let (count, dim) = items.dim();
        let tower = TractUserTower::load(onnx, dim, count)?;
        let mut agreement = Agreement {
            histories: self.cases.len(),
            largest: 0.0,
            largest_relative: 0.0,
            equal_tops: 0,
            shared_tops: 0.0,
        };
        let mut recorded_tops = 0;
        for (number, case) in (1..).zip(&self.cases) {
            let watches = case.watches(rows).with_context(|| format!("recorded history {number}"))?;
            ensure!(
                case.user_vector.len() == dim,
                "recorded history {number} has a vector of {} numbers, the items have {dim} factors",
                case.user_vector.len()
            );
            let history = history_inputs(&watches, count);
            let vector = tower.embed(&TowerInputs { history, time: [0.0; TIME_FEATURES], year: 0.0 })?;
            let (mut distance, mut length) = (0.0_f64, 0.0_f64);
            for (own, recorded) in vector.iter().zip(&case.user_vector) {
                let off = (f64::from(*own) - f64::from(*recorded)).abs();
                agreement.largest = agreement.largest.max(off);
                distance += off * off;
                length += f64::from(*recorded).powi(2);
            }
            let relative = distance.sqrt() / length.sqrt().max(f64::MIN_POSITIVE);
            agreement.largest_relative = agreement.largest_relative.max(relative);
            let scores = items.dot(&Array1::from(vector));
            let mut best: Vec<(&u32, f32)> =
                rows.iter().filter_map(|(id, row)| Some((id, *scores.get(*row)?))).collect();
            best.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(right.0)));
            best.truncate(case.top.len());
            agreement.equal_tops += usize::from(best.iter().map(|(id, _)| *id).eq(&case.top));
            agreement.shared_tops += best.iter().filter(|(id, _)| case.top.contains(id)).count() as f64;
            recorded_tops += case.top.len();
        }
        agreement.shared_tops /= recorded_tops.max(1) as f64;
        Ok(agreement)
    }
}

impl Case {
    fn watches(&self, rows: &BTreeMap<u32, usize>) -> Result<Vec<Watch>> {
        let len = self.history.len();
        ensure!(len <= HISTORY_LEN, "it has {len} movies, of which a tower sees {HISTORY_LEN}. Record shorter ones.");
        let watch = |watched: &RecordedWatch| {
            let RecordedWatch { movie_id, rating } = watched;
            let Some(movie) = rows.get(movie_id).and_then(|row| MovieIndex::new(*row)) else {
                bail!("movie {movie_id} isn't among the items. Write items.csv and the histories from one model.")
            };
            let rating = Rating::new(*rating)
                .with_context(|| format!("the rating {rating} of movie {movie_id} is outside 0.5 to 5"))?;
            Ok(Watch { movie, rating: Some(rating) })
        };
        self.history.iter().map(watch).collect()
    }
}

#[derive(Debug, Deserialize)]
struct ItemRow {
    #[serde(rename = "movieId")]
    movie_id: u32,
}

/// Which row of the factors is whose, by the order of `items.csv`.
///
/// # Errors
/// As a file of movies, and an id that stands twice.
pub fn read_rows_of_items(path: &Path) -> Result<BTreeMap<u32, usize>> {
    let (bytes, ..) = read_file(path)?;
    let mut rows = BTreeMap::new();
    read_rows(path, &bytes, &["movieId"], |row: ItemRow, place| {
        let at = rows.len();
        ensure!(rows.insert(row.movie_id, at).is_none(), "{place}: movie {} stands twice.", row.movie_id);
        Ok(())
    })?;
    Ok(rows)
}
