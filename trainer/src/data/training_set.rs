//! The users that a method may learn from.

use anyhow::Result;
use watchnext::bundle::Training;
use watchnext::catalog::Catalog;

use super::user::User;

/// The users that a method may learn from.
#[derive(Debug, Clone)]
pub struct TrainingSet {
    /// The movies. Every event's index is one of its rows. Its counts of ratings come from `users` alone, so nothing
    /// leaks from held-out users.
    pub catalog: Catalog,
    /// Main users first, then users who only train.
    pub users: Vec<User>,
    /// How many of `users` are main users, like those who are measured.
    pub main: usize,
}

impl TrainingSet {
    /// A training set over the movies of `catalog`. The first `main` of `users` are main users.
    ///
    /// # Errors
    /// Any defect of the catalogue. One that was made before has none.
    pub fn new(catalog: &Catalog, users: Vec<User>, main: usize) -> Result<Self> {
        let mut movies = catalog.movies().to_vec();
        movies.iter_mut().for_each(|movie| movie.ratings = 0);
        for event in users.iter().flat_map(|user| &user.events) {
            if let Some(movie) = movies.get_mut(event.movie.as_usize()) {
                movie.ratings += 1;
            }
        }
        Ok(Self { catalog: Catalog::new(catalog.genres().to_vec(), movies)?, users, main })
    }

    /// The training record of a bundle that is packed only to be measured.
    pub fn origin(&self, seed: u64) -> Training {
        Training {
            command: String::new(),
            seed,
            dataset: "evaluation".to_owned(),
            sources: Vec::new(),
            users: self.users.len(),
            ratings: self.users.iter().map(|user| user.events.len()).sum(),
        }
    }
}
