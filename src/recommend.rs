//! The pipeline's facade: history → features → user tower → flat index → candidates without what was seen → ranker → list.

use serde::{Deserialize, Serialize};

use crate::bundle::{Manifest, MovieEmbeddings, STATES, movie_index};
use crate::catalog::{Catalog, MovieIndex};
use crate::diversity::{Candidate, WINDOW, maximal_marginal_relevance};
use crate::error::{Error, Result};
use crate::features::reaction::{REACTION_WIDTH, ReactionHistory};
use crate::features::{LocalTime, history_inputs, time_features};
use crate::filter::{Fame, Filter};
use crate::history::History;
use crate::index::InnerProductIndex;
use crate::links::{LINKS, Links};
use crate::map::{MAP, MovieMap};
use crate::model::{TowerInputs, TractUserTower, USER_TOWER, UserTower};
use crate::ranker::{CANDIDATES, RANKER, Ranker, Reaction, TractRanker, expected_value};
use crate::reasons::{Reason, reasons};
use crate::states::StateIndex;
use crate::traits::{MovieTraits, TRAITS};

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
    /// Leaves out the ranker where it is loaded, to see what it adds.
    pub first_stage_alone: bool,
}

impl From<Retrieval> for Strategy {
    /// The plain order of a retrieval's scores.
    fn from(retrieval: Retrieval) -> Self {
        Self { retrieval, ..Self::default() }
    }
}

/// From this many movies on diversity takes its full part of popularity away, and of fewer in proportion.
const ENOUGH_FOR_NOVELTY: f32 = 3.0;

/// How many suggestions an answer holds if the request names no limit.
pub const DEFAULT_LIMIT: usize = 12;

/// The diversity that a visitor gets who never touches the knob.
pub const DEFAULT_DIVERSITY: f32 = 0.2;

/// A suggested movie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suggestion {
    /// The movie.
    pub movie: MovieIndex,
    /// Higher is better: the softmax's logit for [`Retrieval::Movies`], the share of the votes for [`Retrieval::States`]; with
    /// the second stage the logarithm of the expected value, see [`expected_value`].
    pub score: f32,
    /// The chance that the visitor likes it, 0 to 1, if the ranker is loaded and the movie was among the candidates that it
    /// looked at.
    pub like: Option<f32>,
}

/// What the second stage needs.
struct SecondStage {
    ranker: Box<dyn Ranker>,
    traits: MovieTraits,
}

/// A loaded bundle, ready to suggest.
pub struct Recommender {
    manifest: Manifest,
    catalog: Catalog,
    /// Of each movie.
    fame: Vec<Fame>,
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
    /// Loads a bundle from the bytes of its manifest and of its required files, by role.
    ///
    /// # Errors
    /// Every defect of a bundle has its variant; see [`Error`].
    pub fn load<'bytes>(manifest: &[u8], file: impl Fn(&str) -> Option<&'bytes [u8]>) -> Result<Self> {
        Self::load_hashed(manifest, |role| file(role).map(|bytes| (bytes, None)))
    }

    /// As [`Recommender::load`], from the files with the SHA-256 of each that the caller has computed: browsers have quicker code for it
    /// than a module can have, and run it beside what else goes on.
    ///
    /// # Errors
    /// As [`Recommender::load`].
    pub fn load_hashed<'bytes>(
        manifest: &[u8],
        file: impl Fn(&str) -> Option<(&'bytes [u8], Option<&'bytes [u8]>)>,
    ) -> Result<Self> {
        let manifest = Manifest::from_json(manifest)?;
        let checked = |role: &str| {
            let (bytes, sha256) = file(role).unzip();
            manifest.checked_by(role, bytes, sha256.flatten())
        };
        let catalog = Catalog::from_json(checked("catalog")?)?;
        if catalog.len() != manifest.movies {
            return Err(Error::ShapeMismatch {
                place: "catalog".to_owned(),
                expected: format!("{} movies", manifest.movies),
                found: format!("{} movies", catalog.len()),
            });
        }
        let movies = movie_index(checked("movies")?, manifest.movies, manifest.dim)?;
        let tower = TractUserTower::load(checked(USER_TOWER)?, manifest.dim, catalog.len())?;
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
                expected: format!("{expected:?}"),
                found: format!("{found:?}"),
            });
        }
        Ok(Self::new(manifest, catalog, tower, movies))
    }

    /// With what every bundle has, and nothing of what is optional.
    fn new(manifest: Manifest, catalog: Catalog, tower: Box<dyn UserTower>, movies: InnerProductIndex) -> Self {
        let fame = Fame::of_all(&catalog);
        Self { manifest, catalog, fame, tower, movies, states: None, second_stage: None, links: None, map: None }
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

    /// Adds the second stage from the bytes of its two files.
    ///
    /// # Errors
    /// [`Error::FileMissing`] for a bundle without a ranker, and what is wrong with the bytes.
    pub fn load_ranker(&mut self, ranker: &[u8], traits: &[u8]) -> Result<()> {
        let ranker = TractRanker::load(self.manifest.checked(RANKER, Some(ranker))?)?;
        let traits = MovieTraits::from_safetensors(self.manifest.checked(TRAITS, Some(traits))?, &self.catalog)?;
        self.second_stage = Some(SecondStage { ranker: Box::new(ranker), traits });
        Ok(())
    }

    /// Adds the links from the bytes of their file.
    ///
    /// # Errors
    /// [`Error::FileMissing`] for a bundle without links, and what is wrong with the bytes.
    pub fn load_links(&mut self, bytes: &[u8]) -> Result<()> {
        let bytes = self.manifest.checked(LINKS, Some(bytes))?;
        self.links = Some(Links::from_json(bytes, &self.catalog)?);
        Ok(())
    }

    /// Adds the map from the bytes of its file.
    ///
    /// # Errors
    /// [`Error::FileMissing`] for a bundle without a map, and what is wrong with the bytes.
    pub fn load_map(&mut self, bytes: &[u8]) -> Result<()> {
        let bytes = self.manifest.checked(MAP, Some(bytes))?;
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
        let history = history_inputs(history.watches(), self.catalog.len(), self.tower.history_len());
        self.tower.embed(&TowerInputs { history, time: time_features(moment), year: moment.year_with_fraction() })
    }

    /// How likely each reaction to each of `movies` is, if the visitor watches it.
    ///
    /// # Errors
    /// [`Error::RankerNotLoaded`], and what the ranker refuses.
    pub fn reactions(&self, history: &History, moment: &LocalTime, movies: &[MovieIndex]) -> Result<Vec<Reaction>> {
        let SecondStage { ranker, traits } = self.second_stage.as_ref().ok_or(Error::RankerNotLoaded)?;
        let history = ReactionHistory::new(&self.catalog, traits, history.watches());
        let features: Vec<[f32; REACTION_WIDTH]> =
            movies.iter().map(|movie| history.features(*movie, moment)).collect();
        ranker.reactions(&features)
    }

    /// At most `limit` movies of similar titles, genres and decade, the most similar first; better-known movies first where
    /// they are equally so.
    ///
    /// # Errors
    /// [`Error::RankerNotLoaded`], since its tables hold the titles.
    pub fn similar(&self, movie: MovieIndex, limit: usize) -> Result<Vec<MovieIndex>> {
        let SecondStage { traits, .. } = self.second_stage.as_ref().ok_or(Error::RankerNotLoaded)?;
        let own = movie.as_usize();
        let likeness = |row: usize| traits.titles.cosine(own, row) + traits.genre_cosine(own, row);
        let known = |row: &usize| std::cmp::Reverse(self.catalog.movies().get(*row).map_or(0, |movie| movie.ratings));
        let mut rows: Vec<(usize, f32)> =
            (0..self.catalog.len()).filter(|row| *row != own).map(|row| (row, likeness(row))).collect();
        rows.sort_by(|one, other| {
            other.1.total_cmp(&one.1).then(known(&one.0).cmp(&known(&other.0))).then(one.0.cmp(&other.0))
        });
        Ok(rows.iter().take(limit).filter_map(|(row, _)| MovieIndex::new(*row)).collect())
    }

    /// The best `limit` movies that aren't in `history`, best first; equal scores by index. Fewer where fewer are left, or
    /// where the states vote for fewer. With the second stage the order of the best [`CANDIDATES`] is that of the expected
    /// value of watching and liking, which is then the score. With diversity the order isn't that of the scores.
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
        self.suggest_among(&Filter::default(), history, moment, limit, strategy)
    }

    /// As [`Recommender::suggest`], but only movies that `filter` lets through, which are looked for among all movies and not
    /// among the best ones. Fewer than `limit` where fewer are left.
    ///
    /// # Errors
    /// As [`Recommender::suggest`], and [`Error::GenreUnknown`].
    pub fn suggest_among(
        &self,
        filter: &Filter,
        history: &History,
        moment: &LocalTime,
        limit: usize,
        strategy: impl Into<Strategy>,
    ) -> Result<Vec<Suggestion>> {
        let Strategy { retrieval, diversity, first_stage_alone } = strategy.into();
        let is_ranked = self.has_ranker() && !first_stage_alone;
        let all = self.catalog.len();
        if limit == 0 || limit > all {
            return Err(Error::LimitInvalid { limit, most: all });
        }
        if !(0.0..=1.0).contains(&diversity) {
            return Err(Error::DiversityInvalid { diversity });
        }
        let mut wanted = filter.mask(&self.catalog, &self.fame)?;
        for (wanted, seen) in wanted.iter_mut().zip(history.seen(all)) {
            *wanted &= !seen;
        }
        let wanted = |row: usize| wanted.get(row).copied().unwrap_or(false);
        let vector = self.user_vector(history, moment)?;
        let candidates = if is_ranked { CANDIDATES } else { 0 };
        let window = if diversity > 0.0 { WINDOW } else { 0 };
        let count = limit.max(window).max(candidates).min(all);
        let found = match retrieval {
            Retrieval::Movies => self.movies.search(&vector, count, wanted)?,
            Retrieval::States => self.states.as_ref().ok_or(Error::StatesNotLoaded)?.vote(&vector, count, wanted)?,
        };
        let suggestion =
            |(row, score): (usize, f32)| Some(Suggestion { movie: MovieIndex::new(row)?, score, like: None });
        let mut found: Vec<Suggestion> = found.into_iter().filter_map(suggestion).collect();
        if is_ranked {
            self.rank(&mut found, history, moment, retrieval)?;
        }
        if diversity == 0.0 {
            found.truncate(limit);
            return Ok(found);
        }
        // One click says too little to give up much of what everybody likes.
        let known = (history.len() as f32 / ENOUGH_FOR_NOVELTY).min(1.0);
        let candidates: Vec<Candidate> = found
            .iter()
            .map(|suggestion| {
                // Votes are shares, from which a logarithm can't be taken away.
                let popularity = match retrieval {
                    Retrieval::Movies => self.movies.bias(suggestion.movie.as_usize()),
                    Retrieval::States => 0.0,
                };
                Candidate { score: suggestion.score, popularity: popularity * known }
            })
            .collect();
        let row = |at: usize| found.get(at).map_or(usize::MAX, |suggestion| suggestion.movie.as_usize());
        let order =
            maximal_marginal_relevance(&candidates, diversity, |one, other| self.movies.likeness(row(one), row(other)));
        Ok(order.iter().take(limit).filter_map(|at| found.get(*at)).copied().collect())
    }

    /// For each of `suggestions` the watched movies that speak for it, strongest first, at most `most`; see
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

    /// Gives the best [`CANDIDATES`] of `found` their chances of a like, makes the expected value the score of all, and puts them
    /// into its order.
    fn rank(
        &self,
        found: &mut [Suggestion],
        history: &History,
        moment: &LocalTime,
        retrieval: Retrieval,
    ) -> Result<()> {
        let movies: Vec<MovieIndex> = found.iter().take(CANDIDATES).map(|suggestion| suggestion.movie).collect();
        let reactions = self.reactions(history, moment, &movies)?;
        let likes = reactions.iter().map(|reaction| Some(reaction.like)).chain(std::iter::repeat(None));
        for (suggestion, like) in found.iter_mut().zip(likes) {
            let score = match retrieval {
                Retrieval::Movies => suggestion.score,
                // Shares of votes become what the softmax's logits are.
                Retrieval::States => suggestion.score.max(f32::MIN_POSITIVE).ln(),
            };
            // What the ranker didn't look at stays behind what it did.
            suggestion.score = expected_value(score, like.unwrap_or_default());
            suggestion.like = like;
        }
        found.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.movie.cmp(&other.movie)));
        Ok(())
    }
}
