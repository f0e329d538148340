//! From vectors to places on a plane: t-SNE by Barnes and Hut's approximation (van der Maaten, *Accelerating t-SNE
//! using Tree-Based Algorithms*, JMLR 15, 2014), as the crate `bhtsne` computes it.
//!
//! It starts from the two principal axes, so distant movies stay distant and the same vectors give the same map. A
//! random start tears groups apart (Kobak and Linderman, Nature Biotechnology 39, 2021).

use anyhow::{Context, Result};
use bhtsne::{Neighbor, tSNE};
use ndarray::{Array2, Axis};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::math::eigen::principal_axes;
use crate::titles::nearest;

/// The largest coordinate on the map.
const EXTENT: f64 = u16::MAX as f64;

/// How many neighbours a movie effectively has. Fewer break genres into pieces, more blur them.
const PERPLEXITY: f32 = 30.0;

/// Fewer movies than this have too few neighbours for t-SNE. They are placed in a circle.
const FEWEST: usize = 10;

const EPOCHS: usize = 1000;

/// The apparent size up to which a cell counts as one point.
const THETA: f32 = 0.5;

/// How much stronger the attraction is in the first quarter of the epochs.
const EXAGGERATION: f32 = 12.0;

/// The standard deviation of the start on its first axis. It is small, so the first steps decide.
const START: f32 = 1e-4;

/// The range of the noise that separates movies with the same vector.
const NOISE: f32 = 1e-6;

/// Each row's place on a plane of no particular scale, for `vectors` `[movies, columns]`.
///
/// # Errors
/// Eigenvalues that don't converge.
pub fn layout(vectors: &Array2<f32>, seed: u64) -> Result<Vec<[f64; 2]>> {
    let movies = vectors.nrows();
    if movies < FEWEST {
        return Ok(circle(movies));
    }
    let perplexity = PERPLEXITY.min((movies - 1) as f32 / 3.0);
    let neighbours = neighbours(vectors, (3.0 * perplexity) as usize)?;
    let start = start(vectors, seed)?;
    // The crate leaves out the gradient's usual factor of 4, so this is a quarter of the usual rate for few movies. For
    // many, it is the rate of Belkina et al., Nature Communications 10, 2019.
    let rate = (movies as f32 / EXAGGERATION).max(50.0);
    // The crate sums the mean in an order that depends on the number of threads. One thread takes only seconds.
    let single_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let places = single_thread.install(|| {
        let rows = vec![(); movies];
        let mut tsne: tSNE<f32, ()> = tSNE::new(&rows);
        tsne.perplexity(perplexity)
            .epochs(EPOCHS)
            .early_exaggeration(EXAGGERATION)
            .stop_lying_epoch(EPOCHS / 4)
            .momentum_switch_epoch(EPOCHS / 4)
            .learning_rate(rate)
            .initial_embedding(start)
            .barnes_hut_with_neighbors(THETA, &neighbours)
            .embedding()
    });
    let (places, _) = places.as_chunks::<2>();
    Ok(places.iter().map(|place| place.map(f64::from)).collect())
}

/// Each row's `k` nearest others with their distances, the nearest first.
fn neighbours(vectors: &Array2<f32>, k: usize) -> Result<Vec<Vec<Neighbor<f32>>>> {
    let rows: Vec<_> = vectors.rows().into_iter().collect();
    let of_row = |(own, others): (usize, Vec<usize>)| {
        let distance = |other: usize| {
            let pair = rows.get(own).zip(rows.get(other));
            pair.map_or(0.0, |(one, other)| (one - other).mapv(|value| value * value).sum().sqrt())
        };
        let mut others: Vec<Neighbor<f32>> =
            others.into_iter().map(|index| Neighbor { index, distance: distance(index) }).collect();
        others.sort_by(|one, other| one.distance.total_cmp(&other.distance).then(one.index.cmp(&other.index)));
        others
    };
    Ok(nearest(vectors, k)?.into_iter().enumerate().map(of_row).collect())
}

/// The coordinates on the two principal axes, x and y of each row in turn. The first has the standard deviation
/// [`START`].
fn start(vectors: &Array2<f32>, seed: u64) -> Result<Vec<f32>> {
    let mean = vectors.mean_axis(Axis(0)).context("there are no movies to draw")?;
    let centered = vectors - &mean;
    let (axes, deviations) = principal_axes(&centered, 2)?;
    let widest = deviations.first().copied().unwrap_or_default().max(f32::MIN_POSITIVE);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Movies that start from the same spot don't push each other apart.
    let noisy = |value: f32| (value / widest).mul_add(START, rng.random_range(-NOISE..NOISE));
    Ok(centered.dot(&axes.t()).into_iter().map(noisy).collect())
}

/// Places around a circle, in order.
fn circle(movies: usize) -> Vec<[f64; 2]> {
    let angle = |movie: usize| std::f64::consts::TAU * movie as f64 / movies as f64;
    (0..movies).map(|movie| [angle(movie).cos(), angle(movie).sin()]).collect()
}

/// Scales places until the larger extent fills 0 to 65,535, and centres the smaller. A single place goes to the middle.
pub fn fill(points: &mut [[f64; 2]]) {
    let bounds = [0, 1].map(|axis| {
        let values = || points.iter().filter_map(|point| point.get(axis)).copied();
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    });
    let extent = bounds.iter().map(|(low, high)| high - low).fold(0.0, f64::max);
    let scale = if extent > 0.0 { EXTENT / extent } else { 0.0 };
    for point in points {
        for (value, (low, high)) in point.iter_mut().zip(bounds) {
            *value = ((*value - low.midpoint(high)) * scale + EXTENT / 2.0).clamp(0.0, EXTENT);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// Three groups of `size` rows, each near an axis of its own.
    fn groups(size: usize) -> Array2<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        Array2::from_shape_fn((3 * size, 8), |(row, column)| {
            f32::from(u8::from(row / size == column)) + rng.random_range(-0.2..0.2)
        })
    }

    fn distance(one: [f64; 2], other: [f64; 2]) -> f64 {
        (one[0] - other[0]).hypot(one[1] - other[1])
    }

    #[test]
    fn groups_lie_apart_from_each_other() {
        let places = layout(&groups(40), 1).unwrap();
        for (own, place) in places.iter().enumerate() {
            let nearest = (0..places.len())
                .filter(|other| *other != own)
                .min_by(|one, other| distance(*place, places[*one]).total_cmp(&distance(*place, places[*other])));
            assert_eq!(nearest.unwrap() / 40, own / 40, "movie {own}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_places_on_any_number_of_threads() {
        let vectors = groups(40);
        let first = layout(&vectors, 1).unwrap();
        let pool = |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for threads in [1, 3] {
            assert_eq!(first, pool(threads).install(|| layout(&vectors, 1)).unwrap(), "{threads} threads");
        }
        assert_ne!(first, layout(&vectors, 2).unwrap());
    }

    #[test]
    fn movies_with_the_same_vector_separate() {
        let mut places = layout(&Array2::ones((50, 4)), 1).unwrap();
        assert!(places.iter().flatten().all(|value| value.is_finite()));
        // The layout alone leaves heaps of movies on separate spots.
        fill(&mut places);
        let corners = places.iter().filter(|place| distance(**place, places[0]) > EXTENT / 10.0).count();
        assert!(corners > 10, "{places:?}");
        super::super::spread::spread(&mut places, &[0.0; 50]);
        let apart = |one: usize| (0..one).all(|other| distance(places[one], places[other]) > 1000.0);
        assert!((0..50).all(apart), "{places:?}");
    }

    #[test]
    fn few_movies_have_places_too() {
        for movies in 0..=FEWEST {
            let mut places = layout(&groups(4).slice(ndarray::s![..movies, ..]).to_owned(), 1).unwrap();
            fill(&mut places);
            assert_eq!(places.len(), movies);
            assert!(places.iter().flatten().all(|value| (0.0..=EXTENT).contains(value)), "{places:?}");
            let apart = |one: usize| (0..one).all(|other| distance(places[one], places[other]) > 1000.0);
            assert!((0..movies).all(apart), "{places:?}");
        }
    }

    #[test]
    fn the_larger_extent_fills_the_map_and_the_smaller_is_centred() {
        let mut points = [[-3.0, 10.0], [1.0, 11.0], [0.0, 12.0]];
        fill(&mut points);
        assert_eq!(points[0], [0.0, EXTENT / 4.0]);
        assert_eq!(points[1], [EXTENT, EXTENT / 2.0]);
        assert_eq!(points[2], [EXTENT * 0.75, EXTENT * 0.75]);
        let mut alone = [[7.0, -7.0]];
        fill(&mut alone);
        assert_eq!(alone, [[EXTENT / 2.0; 2]]);
    }
}
