//! Which user has which movie: the matrix that every neighbourhood method counts on.

use std::fmt;

use super::user::{Event, User};

/// The events that count as having a movie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Likes: ratings of 4.0 and up, and clicks.
    Likes,
    /// All ratings and clicks.
    Ratings,
}

impl Signal {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Likes, Self::Ratings];

    /// The events of `user` that count.
    pub(crate) fn events(self, user: &User) -> impl Iterator<Item = &Event> {
        user.events.iter().filter(move |event| self == Self::Ratings || event.liked())
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Likes => "likes",
            Self::Ratings => "all ratings",
        })
    }
}

/// The binary matrix of users and movies, by rows and by columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Incidence {
    /// Each user's movies, `[users]` lists of dense indices.
    pub movies_of: Vec<Vec<u32>>,
    /// Each movie's users, `[movies]` lists of indices into `movies_of`, ascending.
    pub users_of: Vec<Vec<u32>>,
}

impl Incidence {
    /// The incidence of `users` and `movies` movies.
    pub fn new(movies: usize, users: &[User], signal: Signal) -> Self {
        let movies_of: Vec<Vec<u32>> =
            users.iter().map(|user| signal.events(user).map(|event| event.movie.get()).collect()).collect();
        let mut users_of = vec![Vec::new(); movies];
        for (user, had) in (0_u32..).zip(&movies_of) {
            for movie in had {
                if let Some(users) = users_of.get_mut(*movie as usize) {
                    users.push(user);
                }
            }
        }
        Self { movies_of, users_of }
    }

    /// How many users have each movie, `[movies]`.
    pub fn counts(&self) -> Vec<f32> {
        self.users_of.iter().map(|users| users.len() as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use crate::data::user::user_with_stars;

    #[test]
    fn likes_are_ratings_of_four_stars_and_up() {
        let users = [user_with_stars(1, &[(0, 5.0), (2, 3.0)]), user_with_stars(2, &[(2, 4.0)])];
        let likes = Incidence::new(3, &users, Signal::Likes);
        assert_eq!((likes.counts(), &likes.users_of[2]), (vec![1.0, 0.0, 1.0], &vec![1]));
        assert_eq!(Incidence::new(3, &users, Signal::Ratings).counts(), [1.0, 0.0, 2.0]);
    }
}
