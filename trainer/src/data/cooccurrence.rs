//! How often the same users have two movies.

use rayon::prelude::*;

use super::incidence::Incidence;

/// How often two movies have the same users. The longer a user's list, the less the user weighs.
#[derive(Debug, Clone, PartialEq)]
pub struct CoOccurrence {
    /// The weight of the users who have each movie, `[movies]`.
    pub totals: Vec<f32>,
    /// For each movie, the other movies that share users with it, and the weight of those users: `[movies]` lists.
    pub rows: Vec<Vec<(u32, f32)>>,
}

impl CoOccurrence {
    /// Counts with a weight of `1 / length^power` for each user. The weights are scaled to a mean of 1 over all events,
    /// so a constant that is added to a count means the same for every power.
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
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use crate::data::incidence::Signal;
    use crate::data::user::user_with_stars;

    /// The second user has four movies and the first has one. By the square root of the length, that is four events of
    /// weight ½ and one of weight 1, scaled by 5/3.
    #[test]
    fn long_lists_weigh_less_and_the_mean_weight_stays_one() {
        let users = [user_with_stars(1, &[(0, 5.0)]), user_with_stars(2, &[(0, 5.0), (1, 5.0), (2, 5.0), (3, 5.0)])];
        let incidence = Incidence::new(4, &users, Signal::Likes);
        let plain = CoOccurrence::new(&incidence, 0.0);
        assert_eq!(plain.totals, [2.0, 1.0, 1.0, 1.0]);
        assert_eq!(plain.rows[1], [(0, 1.0), (2, 1.0), (3, 1.0)]);
        let weighted = CoOccurrence::new(&incidence, 0.5);
        assert!((weighted.totals[0] - 2.5).abs() < 1e-6 && (weighted.rows[1][0].1 - 5.0 / 6.0).abs() < 1e-6);
        assert!((weighted.totals.iter().sum::<f32>() - 5.0).abs() < 1e-5);
    }
}
