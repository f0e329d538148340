//! The users whom a method may learn from.

use anyhow::Result;
use watchnext::bundle::Training;
use watchnext::catalog::Catalog;

use super::User;

/// The users whom a method may learn from.
#[derive(Debug, Clone)]
pub struct TrainingSet {
    /// The movies; every event's index is one of its rows. Its counts of ratings are those of `users`, so that nothing of
    /// whoever is held out is in them.
    pub catalog: Catalog,
    /// Main users first, then those who only train.
    pub users: Vec<User>,
    /// How many of `users` are main users, people like those who are measured.
    pub main: usize,
}

impl TrainingSet {
    /// A training set of `users`, of whom the first `main` are main users, over the movies of `catalog`.
    ///
    /// # Errors
    /// What the catalogue refuses, which doesn't happen for one that was made before.
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

    /// What the manifest of a bundle says that is packed only to be measured.
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
