//! Item-based k-nearest-neighbours on ratings (Sarwar et al. 2001): predicts a movie's stars from the visitor's
//! ratings of movies that the same users rated alike, as deviations from the biases (Bell and Koren 2007).

use std::fmt;

use rayon::prelude::*;
use watchnext::catalog::MovieIndex;
use watchnext::history::{History, Watch};

use super::Stars;
use super::biases::BiasParameters;
use super::movie_mean::MovieStars;
use crate::data::split::watches;
use crate::data::training_set::TrainingSet;
use crate::evaluate::ranking::descending;
use crate::evaluate::tune::{Axis, axis};

/// The neighbourhood method.
#[derive(Debug)]
pub struct ItemKnnStars;

/// `bias + Σ_i sim_ij · deviation_i / (Σ_i sim_ij + damping)` over the most similar rated movies `i` of the history.
/// `sim_ij` is the adjusted cosine of the deviations over the users who rated both, times `both / (both + shrink)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ItemKnnStarsParameters {
    /// The shrinkage of a similarity, in users.
    pub shrink: f32,
    /// The similarity of an added deviation of 0.
    pub damping: f32,
    /// The number k of the history's movies that count.
    pub neighbours: usize,
}

impl fmt::Display for ItemKnnStarsParameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "shrink {}, damping {}, {} neighbours", self.shrink, self.damping, self.neighbours)
    }
}

/// The biases that deviations are measured from; tuning the biases alone chooses similar ones.
const BIASES: BiasParameters = BiasParameters { movie_shrink: 5.0, user_shrink: 5.0 };

/// Pairs of movies with fewer shared users aren't worth their memory.
const LEAST_SHARED: u32 = 3;

/// Another movie that the same users rated.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Neighbour {
    movie: u32,
    /// The adjusted cosine, above 0.
    cosine: f32,
    /// How many rated both.
    shared: f32,
}

/// The movies' means, and each movie's neighbours.
#[derive(Debug, Clone, PartialEq)]
pub struct RatedAlike {
    movies: MovieStars,
    /// `[movies]` lists by ascending index.
    rows: Vec<Vec<Neighbour>>,
}

/// The sums of a cosine while it is computed.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    product: f32,
    own_square: f32,
    other_square: f32,
    shared: u32,
}

impl RatedAlike {
    fn new(training: &TrainingSet) -> Self {
        let count = training.catalog.len();
        let movies = MovieStars::new(count, &training.users);
        // Each user's movies with their deviations, and each movie's users with theirs.
        let mut of_user: Vec<Vec<(u32, f32)>> = Vec::with_capacity(training.users.len());
        let mut of_movie: Vec<Vec<(usize, f32)>> = vec![Vec::new(); count];
        for (user, events) in training.users.iter().map(|user| watches(&user.events)).enumerate() {
            let bias = BIASES.of_user(&movies, &events);
            let deviations =
                events.iter().filter_map(|watch| Some((watch.movie.get(), deviation(&movies, bias, watch)?)));
            let deviations: Vec<(u32, f32)> = deviations.collect();
            for (movie, above) in &deviations {
                if let Some(users) = of_movie.get_mut(*movie as usize) {
                    users.push((user, *above));
                }
            }
            of_user.push(deviations);
        }
        let row = |sums: &mut Vec<Sums>, (movie, users): (usize, &Vec<(usize, f32)>)| {
            sums.clear();
            sums.resize(count, Sums::default());
            for (user, own) in users {
                for (other, theirs) in of_user.get(*user).into_iter().flatten() {
                    if let Some(sums) = sums.get_mut(*other as usize) {
                        sums.product += own * theirs;
                        sums.own_square += own * own;
                        sums.other_square += theirs * theirs;
                        sums.shared += 1;
                    }
                }
            }
            let alike = (0_u32..)
                .zip(sums.iter())
                .filter(|(other, sums)| *other as usize != movie && sums.shared >= LEAST_SHARED && sums.product > 0.0);
            let neighbour = |(movie, sums): (u32, &Sums)| {
                let cosine = sums.product / (sums.own_square * sums.other_square).sqrt();
                Neighbour { movie, cosine, shared: sums.shared as f32 }
            };
            alike.map(neighbour).collect()
        };
        let rows = of_movie.par_iter().enumerate().map_init(Vec::new, row).collect();
        Self { movies, rows }
    }
}

/// How far a watch is rated above its prediction by the biases; `None` if it isn't rated.
fn deviation(movies: &MovieStars, bias: f32, watch: &Watch) -> Option<f32> {
    Some(watch.rating?.stars() - movies.mean(watch.movie, BIASES.movie_shrink) - bias)
}

impl Stars for ItemKnnStars {
    type Parameters = ItemKnnStarsParameters;
    type Statistics = RatedAlike;

    fn id(&self) -> &'static str {
        "item-knn-stars"
    }

    fn name(&self) -> &'static str {
        "item kNN of ratings"
    }

    fn start(&self) -> ItemKnnStarsParameters {
        ItemKnnStarsParameters { shrink: 80.0, damping: 0.25, neighbours: 40 }
    }

    fn axes(&self) -> Vec<Axis<ItemKnnStarsParameters>> {
        vec![
            axis(&[10.0, 20.0, 40.0, 80.0, 160.0, 320.0], |parameters, shrink| parameters.shrink = shrink),
            axis(&[0.0, 0.25, 0.5, 1.0, 2.0], |parameters, damping| parameters.damping = damping),
            axis(&[20, 40, 80, 1000], |parameters, neighbours| parameters.neighbours = neighbours),
        ]
    }

    fn statistics(training: &TrainingSet) -> RatedAlike {
        RatedAlike::new(training)
    }

    fn stars(alike: &RatedAlike, parameters: &ItemKnnStarsParameters, history: &History, movie: MovieIndex) -> f32 {
        let RatedAlike { movies, rows } = alike;
        let bias = BIASES.of_user(movies, history.watches());
        let row = rows.get(movie.as_usize()).map(Vec::as_slice).unwrap_or_default();
        let similar = |watch: &Watch| {
            let above = deviation(movies, bias, watch)?;
            let at = row.binary_search_by_key(&watch.movie.get(), |neighbour| neighbour.movie).ok()?;
            let Neighbour { cosine, shared, .. } = row.get(at)?;
            Some((cosine * shared / (shared + parameters.shrink), above))
        };
        let mut near: Vec<(f32, f32)> = history.watches().iter().filter_map(similar).collect();
        if parameters.neighbours < near.len() {
            near.select_nth_unstable_by(parameters.neighbours, |left, right| descending(left.0, right.0));
            near.truncate(parameters.neighbours);
        }
        let (sum, weight) = near
            .iter()
            .fold((0.0, 0.0), |(sum, weight), (similarity, above)| (sum + similarity * above, weight + similarity));
        let all = weight + parameters.damping;
        movies.mean(movie, BIASES.movie_shrink) + bias + if all > 0.0 { sum / all } else { 0.0 }
    }
}
