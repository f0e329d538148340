//! Separates movies that overlap. t-SNE puts movies with nearly the same vector on one spot, where nobody could see or
//! click them. A catalogue has many: those that only one user has rated.

use std::collections::BTreeMap;

/// The radius of a movie that nobody knows, as a share of the room that it would have if all were spread evenly.
const RADIUS: f64 = 0.1;

/// How many more of those radii the best-known movie gets, since people look for it.
const FAME: f64 = 1.0;

/// The passes in which the movies grow to their radii. Grown at once, a heap would throw its movies far from their
/// neighbours.
const GROWTH: usize = 100;

/// The most passes over all movies. Ten thousand movies take 150.
const PASSES: usize = 800;

/// The share of an overlap that one pass removes. Less than all of it lets a crowd give way.
const STEP: f64 = 0.6;

/// The share of the two radii by which movies may still overlap at the end.
const SLACK: f64 = 0.02;

/// The angle in radians between a movie and the next by index if both lie on exactly the same spot. It is the golden
/// angle, which never repeats.
const GOLDEN_ANGLE: f64 = 2.399_963_229_728_653;

/// Moves `points`, which fill 0 to 65,535, until no two of them overlap by more than 2% of their radii. A movie's
/// `fame`, from 0 to 1, makes it larger. Pairs are taken in the order of the movies, so the outcome is reproducible.
pub fn spread(points: &mut [[f64; 2]], fame: &[f32]) {
    let room = f64::from(u16::MAX) / (points.len().max(1) as f64).sqrt();
    for turn in 1..=PASSES {
        let grown = (turn as f64 / GROWTH as f64).min(1.0);
        let radius = |fame: &f32| grown * RADIUS * room * (1.0 + FAME * f64::from(*fame));
        let radii: Vec<f64> = fame.iter().map(radius).collect();
        if !pass(points, &radii) && turn >= GROWTH {
            return;
        }
    }
}

/// Separates each overlapping pair a little. Returns whether there was one.
fn pass(points: &mut [[f64; 2]], radii: &[f64]) -> bool {
    // Only movies in the same cell or in adjacent cells can overlap.
    let width = 2.0 * radii.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let cell = |[x, y]: [f64; 2]| [(x / width).floor() as i64, (y / width).floor() as i64];
    let mut cells: BTreeMap<[i64; 2], Vec<usize>> = BTreeMap::new();
    for (movie, point) in points.iter().enumerate() {
        cells.entry(cell(*point)).or_default().push(movie);
    }
    let mut separated = false;
    let placed: Vec<[i64; 2]> = points.iter().map(|point| cell(*point)).collect();
    for (one, [x, y]) in placed.into_iter().enumerate() {
        let around = (x - 1..=x + 1).flat_map(|x| (y - 1..=y + 1).map(move |y| [x, y]));
        for other in around.filter_map(|cell| cells.get(&cell)).flatten().copied().filter(|other| *other > one) {
            let Ok([a, b]) = points.get_disjoint_mut([one, other]) else { continue };
            let least = radii.get(one).copied().unwrap_or_default() + radii.get(other).copied().unwrap_or_default();
            separated |= separate(a, b, least, other);
        }
    }
    separated
}

/// Moves two points equally towards the distance `least`, if they overlap by more than [`SLACK`]. Returns whether they
/// did. `index` chooses the direction for points on the same spot.
fn separate(one: &mut [f64; 2], other: &mut [f64; 2], least: f64, index: usize) -> bool {
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

    /// The smallest distance of a pair, relative to the sum of its radii.
    fn tightest(points: &[[f64; 2]], fame: &[f32]) -> f64 {
        let room = f64::from(u16::MAX) / (points.len() as f64).sqrt();
        let radius = |at: usize| RADIUS * room * (1.0 + FAME * f64::from(fame[at]));
        let pairs = (0..points.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
        let share = |(one, other): (usize, usize)| {
            let distance = (points[one][0] - points[other][0]).hypot(points[one][1] - points[other][1]);
            distance / (radius(one) + radius(other))
        };
        pairs.map(share).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn a_heap_is_spread_until_every_movie_has_room() {
        let mut points = vec![[30_000.0, 30_000.0]; 60];
        points.extend([[0.0, 0.0], [65_535.0, 65_535.0]]);
        let fame: Vec<f32> = (0..62).map(|movie| (movie % 5) as f32 / 4.0).collect();
        let corner = points[60];
        spread(&mut points, &fame);
        assert!(tightest(&points, &fame) >= 1.0 - SLACK, "{points:?}");
        // A movie that has room stays.
        assert_eq!(points[60], corner);
    }

    #[test]
    fn movies_that_are_apart_stay() {
        let before = vec![[0.0, 0.0], [40_000.0, 0.0], [0.0, 65_535.0]];
        let mut points = before.clone();
        spread(&mut points, &[1.0, 0.5, 0.0]);
        assert_eq!(points, before);
        spread(&mut [], &[]);
    }
}
