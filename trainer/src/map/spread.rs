//! Moving apart what lies on one spot. t-SNE puts movies of nearly one vector, of which a catalogue has many that one user alone has rated,
//! onto each other, where nobody could see or click them.

use std::collections::BTreeMap;

/// A movie's radius where nobody knows it, as a share of the room that it would have if all were spread evenly.
const RADIUS: f64 = 0.1;

/// How many times more of that the best known movie has, since it is the one that eyes look for.
const KNOWN: f64 = 1.0;

/// Over how many passes the movies grow to their radii. Grown at once, a heap throws its movies far out; so they stay beside
/// their neighbours.
const GROWTH: usize = 100;

/// How often all movies are looked at, at most; ten thousand take 150 passes.
const PASSES: usize = 800;

/// How much of an overlap goes at a time. Less than all of it leaves a crowd room to give way.
const STEP: f64 = 0.6;

/// An overlap below this share of the two radii may stay.
const SLACK: f64 = 0.02;

/// The angle between a movie and the next by index when both lie on the very same spot, in radians: the golden one, which never
/// repeats.
const GOLDEN_ANGLE: f64 = 2.399_963_229_728_653;

/// Moves `points`, which fill 0 to 65,535, until no two of them overlap by more than a trace; `known`, from 0 to 1, makes a movie
/// larger. Pairs are taken in the order of the movies, so the outcome is one.
pub fn spread(points: &mut [[f64; 2]], known: &[f32]) {
    let room = f64::from(u16::MAX) / (points.len().max(1) as f64).sqrt();
    for turn in 1..=PASSES {
        let grown = (turn as f64 / GROWTH as f64).min(1.0);
        let radius = |known: &f32| grown * RADIUS * room * (1.0 + KNOWN * f64::from(*known));
        let radii: Vec<f64> = known.iter().map(radius).collect();
        if !pass(points, &radii) && turn >= GROWTH {
            return;
        }
    }
}

/// Parts each overlapping pair a little, and says whether there was any.
fn pass(points: &mut [[f64; 2]], radii: &[f64]) -> bool {
    // Two movies overlap only in one cell or in cells side by side.
    let width = 2.0 * radii.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let cell = |[x, y]: [f64; 2]| [(x / width).floor() as i64, (y / width).floor() as i64];
    let mut cells: BTreeMap<[i64; 2], Vec<usize>> = BTreeMap::new();
    for (movie, point) in points.iter().enumerate() {
        cells.entry(cell(*point)).or_default().push(movie);
    }
    let mut parted = false;
    let placed: Vec<[i64; 2]> = points.iter().map(|point| cell(*point)).collect();
    for (one, [x, y]) in placed.into_iter().enumerate() {
        let around = (x - 1..=x + 1).flat_map(|x| (y - 1..=y + 1).map(move |y| [x, y]));
        for other in around.filter_map(|cell| cells.get(&cell)).flatten().copied().filter(|other| *other > one) {
            let Ok([a, b]) = points.get_disjoint_mut([one, other]) else { continue };
            let least = radii.get(one).copied().unwrap_or_default() + radii.get(other).copied().unwrap_or_default();
            parted |= part(a, b, least, other);
        }
    }
    parted
}

/// Moves two points towards the distance `least`, both equally, if they overlap by more than a trace.
fn part(one: &mut [f64; 2], other: &mut [f64; 2], least: f64, index: usize) -> bool {
    let (across, along) = (other[0] - one[0], other[1] - one[1]);
    let distance = across.hypot(along);
    if distance >= least * (1.0 - SLACK) {
        return false;
    }
    let direction = if distance > 0.0 {
        [across / distance, along / distance]
    } else {
        let (sine, cosine) = (GOLDEN_ANGLE * index as f64).sin_cos();
        [cosine, sine]
    };
    let half = STEP * (least - distance) / 2.0;
    for ((from, to), axis) in one.iter_mut().zip(other).zip(direction) {
        *from -= axis * half;
        *to += axis * half;
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// The least of all distances over what the pair's radii ask for.
    fn tightest(points: &[[f64; 2]], known: &[f32]) -> f64 {
        let room = f64::from(u16::MAX) / (points.len() as f64).sqrt();
        let radius = |at: usize| RADIUS * room * (1.0 + KNOWN * f64::from(known[at]));
        let pairs = (0..points.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
        let share = |(one, other): (usize, usize)| {
            let distance = (points[one][0] - points[other][0]).hypot(points[one][1] - points[other][1]);
            distance / (radius(one) + radius(other))
        };
        pairs.map(share).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn a_heap_is_spread_until_everybody_has_room() {
        let mut points = vec![[30_000.0, 30_000.0]; 60];
        points.extend([[0.0, 0.0], [65_535.0, 65_535.0]]);
        let known: Vec<f32> = (0..62).map(|movie| (movie % 5) as f32 / 4.0).collect();
        let corner = points[60];
        spread(&mut points, &known);
        assert!(tightest(&points, &known) >= 1.0 - SLACK, "{points:?}");
        // Whoever has room stays.
        assert_eq!(points[60], corner);
    }

    #[test]
    fn what_lies_apart_stays_where_it_is() {
        let before = vec![[0.0, 0.0], [40_000.0, 0.0], [0.0, 65_535.0]];
        let mut points = before.clone();
        spread(&mut points, &[1.0, 0.5, 0.0]);
        assert_eq!(points, before);
        spread(&mut [], &[]);
    }
}
