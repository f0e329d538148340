//! The pipeline's facade: history → features → user tower → flat index → candidates without what was seen.

use serde::{Deserialize, Serialize};

use crate::bundle::{Manifest, MovieEmbeddings, STATES};
use crate::catalog::{Catalog, MovieIndex};
use crate::diversity::{Candidate, WINDOW, maximal_marginal_relevance};
use crate::error::{Error, Result};
use crate::features::{LocalTime, history_inputs, time_features};
use crate::history::History;
use crate::index::InnerProductIndex;
use crate::model::{TowerInputs, TractUserTower, USER_TOWER, UserTower};
use crate::states::StateIndex;

/// How candidates are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retrieval {
    /// The movies whose embeddings are nearest to the user vector; their order is the softmax's.
    #[default]
    Movies,
    /// The movies that were watched next from the training states nearest to the user vector (seed row 13).
    States,
}

/// How a list of suggestions is made.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Strategy {
    /// Where candidates come from.
    pub retrieval: Retrieval,
    /// From 0, the plain order of the scores, to 1; see [`crate::diversity`].
    pub diversity: f32,
}

impl From<Retrieval> for Strategy {
    /// The plain order of a retrieval's scores.
    fn from(retrieval: Retrieval) -> Self {
        Self { retrieval, diversity: 0.0 }
    }
}

/// From this many movies on diversity takes its full part of popularity away, and of fewer in proportion.
const ENOUGH_FOR_NOVELTY: f32 = 3.0;

/// The diversity that a visitor gets who never touches the knob.
pub const DEFAULT_DIVERSITY: f32 = 0.25;

/// A suggested movie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suggestion {
    /// The movie.
    pub movie: MovieIndex,
    /// Higher is better: the softmax's logit for [`Retrieval::Movies`], the share of the votes for [`Retrieval::States`].
    pub score: f32,
}

/// A loaded bundle, ready to suggest.
pub struct Recommender {
    manifest: Manifest,
    catalog: Catalog,
    tower: Box<dyn UserTower>,
    movies: InnerProductIndex,
    states: Option<StateIndex>,
}

impl std::fmt::Debug for Recommender {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Recommender").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl Recommender {
    /// Loads a bundle from the bytes of its manifest and of its required files, by role.
    ///
    /// # Errors
    /// Every defect of a bundle has its variant; see [`Error`].
    pub fn load<'bytes>(manifest: &[u8], file: impl Fn(&str) -> Option<&'bytes [u8]>) -> Result<Self> {
        let manifest = Manifest::from_json(manifest)?;
        let checked = |role: &str| manifest.checked(role, file(role));
        let catalog = Catalog::from_json(checked("catalog")?)?;
        if catalog.len() != manifest.movies {
            return Err(Error::ShapeMismatch {
                place: "catalog".to_owned(),
                expected: format!("{} movies", manifest.movies),
                found: format!("{} movies", catalog.len()),
            });
        }
        let movies = MovieEmbeddings::from_safetensors(checked("movies")?, manifest.movies, manifest.dim)?;
        let movies = InnerProductIndex::new(&movies.embedding, &movies.bias)?;
        let tower = TractUserTower::load(checked(USER_TOWER)?, manifest.dim, catalog.len())?;
        Ok(Self { manifest, catalog, tower: Box::new(tower), movies, states: None })
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
                expected: format!("{expected:?}"),
                found: format!("{found:?}"),
            });
        }
        Ok(Self { manifest, catalog, tower, movies, states: None })
    }

    /// Adds the states from the bytes of their file.
    ///
    /// # Errors
    /// [`Error::FileMissing`] for a bundle without states, and what is wrong with the bytes.
    pub fn load_states(&mut self, bytes: &[u8]) -> Result<()> {
        let bytes = self.manifest.checked(STATES, Some(bytes))?;
        self.states = Some(StateIndex::from_safetensors(bytes, self.manifest.dim, self.catalog.len())?);
        Ok(())
    }

    /// The bundle's manifest.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bundle's movies.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The retrievals that can be asked for now.
    pub fn retrievals(&self) -> Vec<Retrieval> {
        let states = self.states.as_ref().map(|_| Retrieval::States);
        std::iter::once(Retrieval::Movies).chain(states).collect()
    }

    /// The user tower's vector for a history at a moment, `[dim]`.
    ///
    /// # Errors
    /// [`Error::ModelFailed`], [`Error::NonFinite`].
    pub fn user_vector(&self, history: &History, moment: &LocalTime) -> Result<Vec<f32>> {
        let history = history_inputs(history.watches(), self.catalog.len());
        self.tower.embed(&TowerInputs { history, time: time_features(moment), year: moment.year_with_fraction() })
    }

    /// The best `limit` movies that aren't in `history`, best first; equal scores by index. Fewer where fewer are left, or
    /// where the states vote for fewer. With diversity the order isn't that of the scores.
    ///
    /// # Errors
    /// [`Error::LimitInvalid`] for 0 or more than the catalogue holds, [`Error::DiversityInvalid`] outside 0 to 1,
    /// [`Error::StatesNotLoaded`], and what the model refuses.
    pub fn suggest(
        &self,
        history: &History,
        moment: &LocalTime,
        limit: usize,
        strategy: impl Into<Strategy>,
    ) -> Result<Vec<Suggestion>> {
        let Strategy { retrieval, diversity } = strategy.into();
        let all = self.catalog.len();
        if limit == 0 || limit > all {
            return Err(Error::LimitInvalid { limit, most: all });
        }
        if !(0.0..=1.0).contains(&diversity) {
            return Err(Error::DiversityInvalid { diversity });
        }
        let seen = history.seen(all);
        let unseen = |row: usize| !seen.get(row).copied().unwrap_or(true);
        let vector = self.user_vector(history, moment)?;
        let count = if diversity > 0.0 { limit.max(WINDOW).min(all) } else { limit };
        let found = match retrieval {
            Retrieval::Movies => self.movies.search(&vector, count, unseen)?,
            Retrieval::States => self.states.as_ref().ok_or(Error::StatesNotLoaded)?.vote(&vector, count, unseen)?,
        };
        let suggestion =
            |(row, score): &(usize, f32)| Some(Suggestion { movie: MovieIndex::new(*row)?, score: *score });
        if diversity == 0.0 {
            return Ok(found.iter().filter_map(suggestion).collect());
        }
        // One click says too little to give up much of what everybody likes.
        let known = (history.len() as f32 / ENOUGH_FOR_NOVELTY).min(1.0);
        let candidates: Vec<Candidate> = found
            .iter()
            .map(|(row, score)| {
                // Votes are shares, from which a logarithm can't be taken away.
                let popularity = if retrieval == Retrieval::Movies { self.movies.bias(*row) } else { 0.0 };
                Candidate { score: *score, popularity: popularity * known }
            })
            .collect();
        let row = |at: usize| found.get(at).map_or(usize::MAX, |(row, _)| *row);
        let order =
            maximal_marginal_relevance(&candidates, diversity, |one, other| self.movies.likeness(row(one), row(other)));
        Ok(order.iter().take(limit).filter_map(|at| found.get(*at)).filter_map(suggestion).collect())
    }
}
