//! The fold-in's graph in tract, as in the browser, compared with direct solutions of its equations.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use faer::prelude::Solve;
use faer::{Mat, Side};
use ndarray::{Array1, Array2};
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trainer::fold_in::steps::{MOST, NEAR, SPARE, TOLERANCE as REACHED};
use trainer::fold_in::{Equations, Feedback, FoldIn};
use watchnext::catalog::MovieIndex;
use watchnext::features::{HISTORY_LEN, LocalTime};
use watchnext::history::{Rating, Watch};
use watchnext::model::{TowerInputs, TractUserTower, UserTower};

const ITEMS: usize = 400;
const FACTORS: usize = 24;

/// The largest distance of a vector from the direct solution, relative to the solution's length. 32 bits need a tenth
/// of it.
const TOLERANCE: f64 = 1e-5;

/// Factors like those of real data: columns of different spread, and a few long rows.
fn items() -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut items = Array2::from_shape_fn((ITEMS, FACTORS), |_| rng.random_range(-1.0..1.0_f32));
    for (column, mut values) in items.columns_mut().into_iter().enumerate() {
        values *= 1.0 / (1.0 + column as f32);
    }
    for (row, mut values) in items.rows_mut().into_iter().enumerate() {
        values *= 2.0 / (1.0 + row as f32 / 20.0);
    }
    items
}

/// Random movies. Two in three are rated.
fn history(len: usize, seed: u64) -> Vec<Watch> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let movies = sample(&mut rng, ITEMS, len).into_vec();
    let watch = |movie| {
        let rating = rng.random_bool(2.0 / 3.0).then(|| 0.5 * f32::from(rng.random_range(1..=10_u8)));
        Watch { movie: MovieIndex::new(movie).unwrap(), rating: rating.and_then(Rating::new) }
    };
    movies.into_iter().map(watch).collect()
}

/// The equations as the papers and Spark's source write them, in as many unknowns as there are factors. The fold-in
/// solves them in another way.
fn direct(items: &Array2<f32>, rows: &Array2<f32>, watches: &[Watch], equations: &Equations) -> Vec<f64> {
    let (items, rows) = (items.mapv(f64::from), rows.mapv(f64::from));
    let mut matrix = match equations.feedback {
        Feedback::Explicit => Array2::zeros((FACTORS, FACTORS)),
        Feedback::Implicit { .. } | Feedback::Clicks { .. } => items.t().dot(&items),
    };
    let mut right: Array1<f64> = Array1::zeros(FACTORS);
    for watch in watches {
        let row = rows.row(watch.movie.as_usize());
        let stars = watch.rating.map_or(3.5, |rating| f64::from(rating.stars()));
        let (confidence, preference) = match equations.feedback {
            Feedback::Implicit { alpha } => (f64::from(alpha) * stars, 1.0 + f64::from(alpha) * stars),
            Feedback::Explicit => (1.0, stars),
            Feedback::Clicks { alpha } => (f64::from(alpha) * stars / 3.5, (1.0 + f64::from(alpha)) * stars / 3.5),
        };
        for (at, value) in row.iter().enumerate() {
            matrix.row_mut(at).scaled_add(confidence * value, &row);
        }
        right.scaled_add(preference, &row);
    }
    let count = if equations.by_count { watches.len() as f64 } else { 1.0 };
    matrix.diag_mut().mapv_inplace(|value| value + f64::from(equations.lambda) * count);
    if watches.is_empty() {
        return vec![0.0; FACTORS];
    }
    let matrix = Mat::from_fn(FACTORS, FACTORS, |row, column| matrix[(row, column)]);
    let mut solution = Mat::from_fn(FACTORS, 1, |row, _| right[row]);
    matrix.llt(Side::Lower).unwrap().solve_in_place(&mut solution);
    solution.col(0).iter().copied().collect()
}

/// The distance of two vectors over the length of the second.
fn distance(found: &[f32], expected: &[f64]) -> f64 {
    let square = |values: Vec<f64>| values.iter().map(|value| value * value).sum::<f64>().sqrt();
    let off = square(found.iter().zip(expected).map(|(found, expected)| f64::from(*found) - expected).collect());
    off / square(expected.to_vec()).max(f64::MIN_POSITIVE)
}

/// Spark's equations with default settings, and with strong confidence and weak regularisation, which take the most
/// steps; and our own.
const EQUATIONS: [Equations; 6] = [
    Equations { feedback: Feedback::Implicit { alpha: 1.0 }, lambda: 0.1, by_count: true },
    Equations { feedback: Feedback::Implicit { alpha: 40.0 }, lambda: 0.01, by_count: true },
    Equations { feedback: Feedback::Implicit { alpha: 10.0 }, lambda: 5.0, by_count: false },
    Equations { feedback: Feedback::Explicit, lambda: 0.1, by_count: true },
    Equations { feedback: Feedback::Explicit, lambda: 0.01, by_count: true },
    Equations { feedback: Feedback::Clicks { alpha: 0.5 }, lambda: 20.0, by_count: false },
];

#[test]
fn the_graph_solves_the_equations() {
    let items = items();
    for equations in EQUATIONS {
        for as_floats in [true, false] {
            let fold_in = FoldIn::new(&items, equations, as_floats).unwrap();
            let tower = TractUserTower::load(&fold_in.onnx(), FACTORS, ITEMS).unwrap();
            for len in [0, 1, 10, 50] {
                for seed in 0..4 {
                    let watches = history(len, seed);
                    let moment = LocalTime::from_unix(1_577_836_800, 0).unwrap();
                    let inputs = TowerInputs::new(&watches, ITEMS, HISTORY_LEN, &moment, false);
                    let found = tower.embed(&inputs).unwrap();
                    let expected = direct(&items, &fold_in.items().values(), &watches, &equations);
                    let off = distance(&found, &expected);
                    let steps = fold_in.steps();
                    assert!(off <= TOLERANCE, "{equations:?}, {len} movies, {steps} steps: off by {off:.1e}");
                    let own = distance(&fold_in.user_vector(&inputs).unwrap(), &expected);
                    assert!(own <= 1e-6, "{equations:?}, {len} movies, own arithmetic: off by {own:.1e}");
                    if len == 0 {
                        assert!(found.iter().all(|value| *value == 0.0));
                    }
                }
            }
        }
    }
}

/// 8 bits move a vector, and with it the order of near neighbours, by a few hundredths at most. More would be a fault
/// of the scales.
#[test]
fn eight_bits_move_a_vector_a_little() {
    let items = items();
    let equations = EQUATIONS[0];
    let fold_in = FoldIn::new(&items, equations, false).unwrap();
    for seed in 0..8 {
        let watches = history(10, seed);
        let watched: Vec<(usize, f32)> = watches
            .iter()
            .map(|watch| (watch.movie.as_usize(), watchnext::features::rating_weight(watch.rating)))
            .collect();
        let found: Vec<f32> = fold_in.solve(&watched).unwrap().into_iter().map(|value| value as f32).collect();
        let off = distance(&found, &direct(&items, &items, &watches, &equations));
        assert!(off > 1e-6 && off < 0.1, "{off}");
    }
}

/// Strong confidence needs more steps than weak confidence. All equations need fewer steps than the graph may take, so
/// it can always take enough.
#[test]
fn the_steps_are_as_many_as_the_equations_need() {
    let items = items();
    let steps = EQUATIONS.map(|equations| FoldIn::new(&items, equations, true).unwrap().steps());
    assert!(steps[0] < steps[1] && steps[3] < steps[4], "{steps:?}");
    assert!(steps.iter().all(|steps| (2..MOST).contains(steps)), "{steps:?}");
    let fold_in = FoldIn::new(&items, EQUATIONS[1], true).unwrap();
    let errors = fold_in.errors();
    let goal = REACHED.max(NEAR * errors.iter().copied().fold(f64::INFINITY, f64::min));
    let needed = steps[1] - SPARE;
    assert!(errors[needed - 1] <= goal && errors[needed - 2] > goal, "{needed}: {errors:?}");
    assert!(errors[0] > 0.1, "one step is far off: {}", errors[0]);
}

#[test]
fn the_same_factors_give_the_same_bytes() {
    let onnx = || FoldIn::new(&items(), EQUATIONS[0], false).unwrap().onnx();
    assert_eq!(onnx(), onnx());
}

#[test]
fn equations_without_a_solution_are_refused() {
    let refusal = |feedback, lambda| {
        let equations = Equations { feedback, lambda, by_count: true };
        FoldIn::new(&items(), equations, true).unwrap_err().to_string()
    };
    assert!(refusal(Feedback::Explicit, 0.0).contains("regularisation is 0"));
    assert!(refusal(Feedback::Implicit { alpha: 0.0 }, 1.0).contains("α is 0"));
    assert!(refusal(Feedback::Clicks { alpha: f32::NAN }, 1.0).contains("α is NaN"));
}
