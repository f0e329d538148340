//! The pipeline's facade: a loaded bundle, and what a visitor can ask of it.
//!
//! [`Recommender::suggest`] goes from a history by way of features and user tower to the index's candidates, then to
//! the ranker and a diverse list; see `recommend/suggest.rs`.

mod suggest;
mod wall;

use serde::{Deserialize, Serialize};

use crate::bundle::{Manifest, MovieEmbeddings, Role, movie_index};
use crate::catalog::{Catalog, MovieIndex};
use crate::error::{Error, Result};
use crate::features::LocalTime;
use crate::features::reaction::{REACTION_WIDTH, ReactionHistory};
use crate::filter::Fame;
use crate::history::History;
use crate::index::InnerProductIndex;
use crate::links::Links;
use crate::map::MovieMap;
use crate::model::{TowerInputs, TractUserTower, UserTower};
use crate::ranker::{Ranker, Reaction, TractRanker};
use crate::reasons::{Reason, reasons};
use crate::seen::SeenModel;
use crate::states::StateIndex;
use crate::traits::MovieTraits;

/// Where candidates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retrieval {
    /// The movies whose embeddings are nearest to the user vector, in the order of the model's softmax.
    #[default]
    Movies,
    /// The movies that were watched next in the training states nearest to the user vector; see [`crate::states`].
    States,
}

/// How a list of suggestions is made.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Strategy {
    /// Where candidates come from.
    pub retrieval: Retrieval,
    /// The knob from well known to hidden: 0 is the plain order of the scores; up to 1, movies that the visitor has
    /// probably seen, and movies that resemble each other, move back; see [`crate::diversity`].
    pub novelty: f32,
    /// Skips the ranker even if it is loaded, to measure what it adds.
    pub first_stage_alone: bool,
    /// Asks the tower what comes next in the order of the history, as protocol P1 does, and not what is liked with it.
    pub in_order: bool,
}

impl From<Retrieval> for Strategy {
    /// The plain order of a retrieval's scores.
    fn from(retrieval: Retrieval) -> Self {
        Self { retrieval, ..Self::default() }
    }
}

/// How many suggestions an answer holds if the request names no limit.
pub const DEFAULT_LIMIT: usize = 12;

/// The novelty until the visitor turns the knob.
pub const DEFAULT_NOVELTY: f32 = 0.3;

/// A suggested movie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suggestion {
    /// The movie.
    pub movie: MovieIndex,
    /// Higher is better. Without the second stage it is the softmax's logit for [`Retrieval::Movies`] and the share of
    /// the votes for [`Retrieval::States`]. With the second stage it is the logarithm of the expected value; see
    /// [`expected_value`](crate::ranker::expected_value).
    pub score: f32,
    /// The chance that the visitor likes it, 0 to 1, if the ranker looked at it.
    pub like: Option<f32>,
    /// How much higher that chance is than the visitor's own average, −1 to 1. The average is that of the candidates,
    /// the movies that the visitor would most likely watch.
    pub lift: Option<f32>,
}

/// The second stage's model and tables.
struct SecondStage {
    ranker: Box<dyn Ranker>,
    traits: MovieTraits,
}

/// A loaded bundle, ready to suggest.
pub struct Recommender {
    manifest: Manifest,
    catalog: Catalog,
    /// By movie.
    fame: Vec<Fame>,
    seen: SeenModel,
    tower: Box<dyn UserTower>,
    movies: InnerProductIndex,
    states: Option<StateIndex>,
    second_stage: Option<SecondStage>,
    links: Option<Links>,
    map: Option<MovieMap>,
}

impl std::fmt::Debug for Recommender {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Recommender").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl Recommender {
    /// Loads a bundle from the bytes of its manifest and of its required files.
    ///
    /// # Errors
    /// Every defect of a bundle has its variant; see [`Error`].
    pub fn load<'bytes>(manifest: &[u8], file: impl Fn(Role) -> Option<&'bytes [u8]>) -> Result<Self> {
        Self::load_hashed(manifest, |role| file(role).map(|bytes| (bytes, None)))
    }

    /// As [`Recommender::load`], with the SHA-256 of each file if the caller has computed it. A browser's own code for
    /// it is faster than a module's, and runs in parallel.
    ///
    /// # Errors
    /// As [`Recommender::load`].
    pub fn load_hashed<'bytes>(
        manifest: &[u8],
        file: impl Fn(Role) -> Option<(&'bytes [u8], Option<&'bytes [u8]>)>,
    ) -> Result<Self> {
        let manifest = Manifest::from_json(manifest)?;
        let checked = |role: Role| {
            let (bytes, sha256) = file(role).unzip();
            manifest.checked_by(role, bytes, sha256.flatten())
        };
        let catalog = Catalog::from_json(checked(Role::Catalog)?)?;
        if catalog.len() != manifest.movies {
            return Err(Error::ShapeMismatch {
                place: Role::Catalog.to_string(),
                expected: format!("{} movies", manifest.movies),
                found: format!("{} movies", catalog.len()),
            });
        }
        let movies = movie_index(checked(Role::Movies)?, manifest.movies, manifest.dim)?;
        let tower = TractUserTower::load(checked(Role::UserTower)?, manifest.dim, catalog.len())?;
        Ok(Self::new(manifest, catalog, Box::new(tower), movies))
    }

    /// A recommender over any tower and index, for tests and for callers who load their own.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] unless tower, index and catalogue agree.
    pub fn from_parts(
        manifest: Manifest,
        catalog: Catalog,
        tower: Box<dyn UserTower>,
        movies: &MovieEmbeddings,
    ) -> Result<Self> {
        let movies = InnerProductIndex::new(&movies.embedding, &movies.bias)?;
        let (found, expected) = ((movies.len(), movies.dim()), (catalog.len(), tower.dim()));
        if found != expected {
            return Err(Error::ShapeMismatch {
                place: "movies: embedding".to_owned(),
                expected: format!("[{}, {}]", expected.0, expected.1),
                found: format!("[{}, {}]", found.0, found.1),
            });
        }
        Ok(Self::new(manifest, catalog, tower, movies))
    }

    /// With the required files and none of the optional ones.
    fn new(manifest: Manifest, catalog: Catalog, tower: Box<dyn UserTower>, movies: InnerProductIndex) -> Self {
        let fame = Fame::of_all(&catalog);
        let seen = SeenModel::new(&catalog, manifest.training.users);
        Self { manifest, catalog, fame, seen, tower, movies, states: None, second_stage: None, links: None, map: None }
    }

    /// Adds the states from the bytes of their file.
    ///
    /// # Errors
    /// [`Error::FileMissing`] for a bundle without states, and the errors of its contents.
    pub fn load_states(&mut self, bytes: &[u8]) -> Result<()> {
        let bytes = self.manifest.checked(Role::States, Some(bytes))?;
        self.states = Some(StateIndex::from_safetensors(bytes, self.manifest.dim, self.catalog.len())?);
        Ok(())
    }

    /// Adds the second stage from the bytes of its two files.
    ///
    /// # Errors
    /// [`Error::FileMissing`] for a bundle without a ranker, and the errors of its contents.
    pub fn load_ranker(&mut self, ranker: &[u8], traits: &[u8]) -> Result<()> {
        let ranker = TractRanker::load(self.manifest.checked(Role::Ranker, Some(ranker))?)?;
        let traits = MovieTraits::from_safetensors(self.manifest.checked(Role::Traits, Some(traits))?, &self.catalog)?;
        self.second_stage = Some(SecondStage { ranker: Box::new(ranker), traits });
        Ok(())
    }

    /// Adds the links from the bytes of their file.
    ///
    /// # Errors
    /// [`Error::FileMissing`] for a bundle without links, and the errors of its contents.
    pub fn load_links(&mut self, bytes: &[u8]) -> Result<()> {
        let bytes = self.manifest.checked(Role::Links, Some(bytes))?;
        self.links = Some(Links::from_json(bytes, &self.catalog)?);
        Ok(())
    }

    /// Adds the map from the bytes of its file.
    ///
    /// # Errors
    /// [`Error::FileMissing`] for a bundle without a map, and the errors of its contents.
    pub fn load_map(&mut self, bytes: &[u8]) -> Result<()> {
        let bytes = self.manifest.checked(Role::Map, Some(bytes))?;
        self.map = Some(MovieMap::from_safetensors(bytes, self.catalog.len())?);
        Ok(())
    }

    /// The links, once they are loaded.
    pub const fn links(&self) -> Option<&Links> {
        self.links.as_ref()
    }

    /// The map, once it is loaded.
    pub const fn map(&self) -> Option<&MovieMap> {
        self.map.as_ref()
    }

    /// Whether the second stage is loaded.
    pub const fn has_ranker(&self) -> bool {
        self.second_stage.is_some()
    }

    /// The bundle's manifest.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bundle's movies.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The retrievals whose files are loaded.
    pub fn retrievals(&self) -> Vec<Retrieval> {
        let states = self.states.as_ref().map(|_| Retrieval::States);
        std::iter::once(Retrieval::Movies).chain(states).collect()
    }

    /// The user tower's vector `[dim]` for a history at a moment.
    ///
    /// # Errors
    /// [`Error::ModelFailed`], [`Error::NonFinite`].
    pub fn user_vector(&self, history: &History, moment: &LocalTime) -> Result<Vec<f32>> {
        self.vector(history, moment, false)
    }

    /// The user tower's vector `[dim]`, for what comes next in the history's order or for what is liked with it.
    fn vector(&self, history: &History, moment: &LocalTime, in_order: bool) -> Result<Vec<f32>> {
        let slots = self.tower.slots(history.len());
        self.tower.embed(&TowerInputs::new(history.watches(), self.catalog.len(), slots, moment, in_order))
    }

    /// The chance of each reaction to each of `movies`, if the visitor watches it.
    ///
    /// # Errors
    /// [`Error::RankerNotLoaded`], and the ranker's own errors.
    pub fn reactions(&self, history: &History, moment: &LocalTime, movies: &[MovieIndex]) -> Result<Vec<Reaction>> {
        let SecondStage { ranker, traits } = self.second_stage.as_ref().ok_or(Error::RankerNotLoaded)?;
        let history = ReactionHistory::new(&self.catalog, traits, history.watches());
        let features: Vec<[f32; REACTION_WIDTH]> =
            movies.iter().map(|movie| history.features(*movie, moment)).collect();
        ranker.reactions(&features)
    }

    /// At most `limit` movies of similar title, genres and decade: the most similar first, then better-known ones.
    ///
    /// # Errors
    /// [`Error::RankerNotLoaded`], since the ranker's tables hold the titles' embeddings.
    pub fn similar(&self, movie: MovieIndex, limit: usize) -> Result<Vec<MovieIndex>> {
        let SecondStage { traits, .. } = self.second_stage.as_ref().ok_or(Error::RankerNotLoaded)?;
        let own = movie.as_usize();
        let likeness = |row: usize| traits.titles.cosine(own, row) + traits.genre_cosine(own, row);
        let ratings = |row: usize| self.catalog.movies().get(row).map_or(0, |movie| movie.ratings);
        let mut rows: Vec<(usize, f32)> =
            (0..self.catalog.len()).filter(|row| *row != own).map(|row| (row, likeness(row))).collect();
        rows.sort_by(|(left, left_likeness), (right, right_likeness)| {
            let by_likeness = right_likeness.total_cmp(left_likeness);
            by_likeness.then_with(|| ratings(*right).cmp(&ratings(*left))).then(left.cmp(right))
        });
        Ok(rows.iter().take(limit).filter_map(|(row, _)| MovieIndex::new(*row)).collect())
    }

    /// For each of `suggestions` the watched movies that speak for it, the strongest first, at most `most`; see
    /// [`crate::reasons`].
    ///
    /// # Errors
    /// [`Error::ModelFailed`], [`Error::NonFinite`].
    pub fn reasons(
        &self,
        history: &History,
        moment: &LocalTime,
        suggestions: &[MovieIndex],
        most: usize,
    ) -> Result<Vec<Vec<Reason>>> {
        reasons(&*self.tower, &self.movies, history, moment, suggestions, most)
    }
}
