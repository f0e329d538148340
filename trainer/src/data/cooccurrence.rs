//! Which movies the same users have.

use rayon::prelude::*;

use super::incidence::Incidence;

/// How often movies are had together, every user weighing what the length of the user's list allows.
#[derive(Debug, Clone, PartialEq)]
pub struct CoOccurrence {
    /// The weight of the users who have each movie, `[movies]`.
    pub totals: Vec<f32>,
    /// For each movie, by index, the other movies that share users with it and the weight of those users.
    pub rows: Vec<Vec<(u32, f32)>>,
}

impl CoOccurrence {
    /// Counts with users weighing `1 / length^power`, scaled to a mean of 1 over all events, so that a constant which is added to a
    /// count means the same for every power.
    pub fn new(incidence: &Incidence, power: f32) -> Self {
        let lengths = || incidence.movies_of.iter().map(|movies| movies.len() as f32);
        let raw: Vec<f32> = lengths().map(|length| if length > 0.0 { length.powf(-power) } else { 0.0 }).collect();
        let total: f32 = raw.iter().zip(lengths()).map(|(weight, length)| weight * length).sum();
        let scale = if total > 0.0 { lengths().sum::<f32>() / total } else { 0.0 };
        let weights: Vec<f32> = raw.into_iter().map(|weight| weight * scale).collect();
        let weight_of = |user: &u32| weights.get(*user as usize).copied().unwrap_or_default();
        let movies = incidence.users_of.len();
        let row = |sums: &mut Vec<f32>, (movie, users): (usize, &Vec<u32>)| {
            sums.clear();
            sums.resize(movies, 0.0);
            for user in users {
                let weight = weight_of(user);
                for other in incidence.movies_of.get(*user as usize).into_iter().flatten() {
                    if let Some(sum) = sums.get_mut(*other as usize) {
                        *sum += weight;
                    }
                }
            }
            let shared = (0_u32..).zip(sums.iter().copied());
            shared.filter(|(other, sum)| *sum > 0.0 && *other as usize != movie).collect()
        };
        Self {
            totals: incidence.users_of.iter().map(|users| users.iter().map(weight_of).sum()).collect(),
            rows: incidence.users_of.par_iter().enumerate().map_init(Vec::new, row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::data::incidence::Signal;
    use crate::data::{Event, User};

    fn user(id: u32, movies: &[(usize, f32)]) -> User {
        let event = |(movie, stars): &(usize, f32)| Event {
            movie: watchnext::catalog::MovieIndex::new(*movie).unwrap(),
            rating: watchnext::history::Rating::new(*stars),
            timestamp: 0,
        };
        User { id, events: movies.iter().map(event).collect() }
    }

    /// The second user has four movies and the first one: by the square root of the length, four events of weight ½ and one
    /// of weight 1, scaled by 5/3.
    #[test]
    fn long_lists_weigh_less_and_the_mean_weight_stays_one() {
        let users = [user(1, &[(0, 5.0)]), user(2, &[(0, 5.0), (1, 5.0), (2, 5.0), (3, 5.0)])];
        let incidence = Incidence::new(4, &users, Signal::Likes);
        let plain = CoOccurrence::new(&incidence, 0.0);
        assert_eq!(plain.totals, [2.0, 1.0, 1.0, 1.0]);
        assert_eq!(plain.rows[1], [(0, 1.0), (2, 1.0), (3, 1.0)]);
        let weighted = CoOccurrence::new(&incidence, 0.5);
        assert!((weighted.totals[0] - 2.5).abs() < 1e-6 && (weighted.rows[1][0].1 - 5.0 / 6.0).abs() < 1e-6);
        assert!((weighted.totals.iter().sum::<f32>() - 5.0).abs() < 1e-5);
    }
}
