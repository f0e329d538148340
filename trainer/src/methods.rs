//! The methods that the evaluator knows, and what a method is: something that learns from users and then scores movies.

use std::fmt::Display;
use std::sync::Arc;

use anyhow::{Context, Result};
use watchnext::bundle::Training;
use watchnext::catalog::Catalog;

use crate::als::method::AlsMethod;
use crate::baselines::als::Als;
use crate::baselines::ease::Ease;
use crate::baselines::item_knn::ItemKnn;
use crate::baselines::naive_bayes::NaiveBayes;
use crate::baselines::popularity::ByPopularity;
use crate::baselines::reaction::Calibrated;
use crate::baselines::reaction::biases::Biases;
use crate::baselines::reaction::item_knn::ItemKnnStars;
use crate::baselines::reaction::movie_mean::MovieMean;
use crate::baselines::seed_network::SeedNetwork;
use crate::dataset::{Times, User};
use crate::evaluate::few_clicks::{PopularityRanks, few_clicks};
use crate::evaluate::reaction::ReactionScorer;
use crate::evaluate::{Scorer, next_movie};
use crate::ranker::method::RankerMethod;
use crate::split::folds;
use crate::tower::method::TowerMethod;
use crate::tower::table::Table;
use crate::tower::{LossCurve, TowerConfig};
use crate::train::{EpochFigures, TrainConfig};

/// Every method of protocols P1 and P2, in the order of the tables: here and in [`reaction_methods`] methods are entered. `config` is for those that
/// train by gradient descent, `titles` are the titles' reduced embeddings, for the ranker.
pub fn methods(config: &TrainConfig, titles: Option<Table>) -> Vec<Box<dyn Method>> {
    methods_for(Times::Known, config, titles)
}

/// The same for data of which less may be known of when movies were rated.
pub fn methods_for(times: Times, config: &TrainConfig, titles: Option<Table>) -> Vec<Box<dyn Method>> {
    vec![
        Box::new(Tuned(ByPopularity { of_moment: false })),
        Box::new(Tuned(ByPopularity { of_moment: true })),
        Box::new(Tuned(ItemKnn { of_moment: false })),
        Box::new(Tuned(ItemKnn { of_moment: true })),
        Box::new(Tuned(NaiveBayes)),
        Box::new(Tuned(Ease)),
        Box::new(Tuned(Als)),
        Box::new(SeedNetwork { config: *config }),
        Box::new(AlsMethod::default()),
        Box::new(TowerMethod { id: "tower", name: "watchnext tower", config: TowerConfig::for_times(times), titles }),
    ]
}

/// Every method of protocol P3, in the order of the tables. A method of all three protocols is in both lists under one id.
/// `titles` are the titles' reduced embeddings, for the ranker.
pub fn reaction_methods(titles: Option<Table>) -> Vec<Box<dyn ReactionMethod>> {
    vec![
        Box::new(Calibrated(MovieMean)),
        Box::new(Calibrated(Biases)),
        Box::new(Calibrated(ItemKnnStars)),
        Box::new(RankerMethod { titles, seed: TowerConfig::default().seed }),
    ]
}

/// Whether a method is ours or one that ours is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The paired comparison holds it against the best baseline, and its figures stand under the flat keys of the JSON.
    Ours,
    /// One of the methods to beat.
    Baseline,
}

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

/// How a method may choose its parameters: never by the users whom it is measured on.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'data> {
    /// Protocol P1: by hit@10 plus hit@100 of the validation users, who don't train the method.
    NextMovie {
        /// The users of ranks 1 to 40.
        validation: &'data [User],
    },
    /// Protocol P2: by its NDCG@10, the mean over the numbers of clicks, on an inner fifth of the main training users.
    FewClicks,
}

impl Selection<'_> {
    /// Whether histories are in the order in which movies were watched, so that a recent one may count for more.
    pub const fn is_sequential(&self) -> bool {
        matches!(self, Self::NextMovie { .. })
    }
}

/// One way to read a fitted method, such as one setting of a knob that trades accuracy for diversity.
pub struct Variant {
    /// What is added to the method's name; empty for a method with one variant.
    pub label: String,
    /// The knob's setting, for the curve of accuracy against coverage.
    pub knob: Option<f64>,
    /// What is measured.
    pub scorer: Box<dyn Scorer>,
}

/// A method after it has learnt.
pub struct Fit {
    /// Its variants, the same for every training set and in the same order; the first is the default.
    pub variants: Vec<Variant>,
    /// The parameters that it chose, in words; empty if there are none.
    pub parameters: String,
    /// The epochs of a method that trains by gradient descent.
    pub epochs: Vec<EpochFigures>,
    /// The losses of a method's networks, where their tasks differ and none is held out.
    pub losses: Vec<LossCurve>,
}

impl Fit {
    /// A fit of one variant.
    pub fn of(scorer: Box<dyn Scorer>, parameters: String) -> Self {
        let variant = Variant { label: String::new(), knob: None, scorer };
        Self { variants: vec![variant], parameters, epochs: Vec::new(), losses: Vec::new() }
    }
}

/// Something that learns from users and then scores movies.
pub trait Method: Sync {
    /// What `--methods` calls it.
    fn id(&self) -> &'static str;

    /// What the tables call it.
    fn name(&self) -> &'static str;

    /// Whether it is ours.
    fn role(&self) -> Role {
        Role::Baseline
    }

    /// Whether it is a baseline that was given the moment of the visit, which such methods usually don't know.
    fn of_moment(&self) -> bool {
        false
    }

    /// Learns from `training`, choosing its parameters as `selection` allows.
    ///
    /// # Errors
    /// Whatever keeps it from learning; the evaluation stops.
    fn fit(&self, training: &TrainingSet, selection: &Selection) -> Result<Fit>;
}

/// A method of protocol P3 after it has learnt.
pub struct ReactionFit {
    /// What is measured.
    pub scorer: Box<dyn ReactionScorer>,
    /// The parameters that it chose, in words; empty if there are none.
    pub parameters: String,
}

/// Something that learns from users and then says how likely a like is.
pub trait ReactionMethod: Sync {
    /// What `--methods` calls it.
    fn id(&self) -> &'static str;

    /// What the tables call it.
    fn name(&self) -> &'static str;

    /// Whether it is ours.
    fn role(&self) -> Role {
        Role::Baseline
    }

    /// Learns from `training`, and chooses its parameters on a part of it if it has any.
    ///
    /// # Errors
    /// Whatever keeps it from learning; the evaluation stops.
    fn fit(&self, training: &TrainingSet) -> Result<ReactionFit>;
}

/// The values to try for one parameter, each as a change of the others' current choice.
pub type Axis<Parameters> = Vec<Box<dyn Fn(&mut Parameters)>>;

/// An axis of `values`, written into the parameters by `set`.
pub fn axis<Parameters: 'static, Value: Copy + 'static>(
    values: &[Value],
    set: fn(&mut Parameters, Value),
) -> Axis<Parameters> {
    let change = |value: Value| -> Box<dyn Fn(&mut Parameters)> { Box::new(move |parameters| set(parameters, value)) };
    values.iter().copied().map(change).collect()
}

/// Methods of one kind that differ in a few parameters.
pub trait Family: Sync {
    /// The parameters, shown in words.
    type Parameters: Clone + PartialEq + Display;
    /// What all members need of the training users, computed once.
    type Statistics: Send + Sync;

    /// See [`Method::id`].
    fn id(&self) -> &'static str;

    /// See [`Method::name`].
    fn name(&self) -> &'static str;

    /// See [`Method::of_moment`].
    fn of_moment(&self) -> bool {
        false
    }

    /// Where the search begins.
    fn start(&self) -> Self::Parameters;

    /// The values to try, parameter by parameter, the weightiest first.
    fn axes(&self, selection: &Selection) -> Vec<Axis<Self::Parameters>>;

    /// Counts what the members need.
    ///
    /// # Errors
    /// A timestamp outside the calendar, which the reader refuses.
    fn statistics(&self, training: &TrainingSet) -> Result<Self::Statistics>;

    /// The member with these parameters.
    ///
    /// # Errors
    /// A computation that fails for them.
    fn scorer(&self, statistics: &Arc<Self::Statistics>, parameters: &Self::Parameters) -> Result<Box<dyn Scorer>>;
}

/// The best member of a family for a training set.
pub struct Tuned<F>(pub F);

/// Parts of the training users of which one judges the parameters (protocols P2 and P3).
pub(crate) const INNER_FOLDS: usize = 5;

/// The seed of that split.
pub(crate) const INNER_SEED: u64 = 20_250_303;

impl<F: Family> Method for Tuned<F> {
    fn id(&self) -> &'static str {
        self.0.id()
    }

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn of_moment(&self) -> bool {
        self.0.of_moment()
    }

    fn fit(&self, training: &TrainingSet, selection: &Selection) -> Result<Fit> {
        let Self(family) = self;
        let statistics = Arc::new(family.statistics(training)?);
        let axes = family.axes(selection);
        let parameters = match selection {
            Selection::NextMovie { validation } => search(family.start(), &axes, |parameters| {
                next_movie::objective(family.scorer(&statistics, parameters)?.as_ref(), validation)
            })?,
            Selection::FewClicks => {
                let inner = folds(&training.users, training.main, INNER_FOLDS, INNER_SEED);
                let inner = inner.into_iter().next().context("the training users can't be split")?;
                let held_out = inner.held_out;
                let inner = TrainingSet::new(&training.catalog, inner.train, inner.main)?;
                let popularity = PopularityRanks::of_catalog(&inner.catalog);
                let inner_statistics = Arc::new(family.statistics(&inner)?);
                search(family.start(), &axes, |parameters| {
                    let scorer = family.scorer(&inner_statistics, parameters)?;
                    Ok(few_clicks(scorer.as_ref(), &held_out, &popularity)?.objective())
                })?
            }
        };
        Ok(Fit::of(family.scorer(&statistics, &parameters)?, parameters.to_string()))
    }
}

/// The parameters of the highest `objective` found by going along one axis after the other, round by round, until a round
/// changes nothing, three times at most. A full grid would take the product of the axes' lengths; this takes a few times
/// their sum.
pub(crate) fn search<Parameters: Clone + PartialEq>(
    start: Parameters,
    axes: &[Axis<Parameters>],
    objective: impl Fn(&Parameters) -> Result<f64>,
) -> Result<Parameters> {
    const ROUNDS: usize = 3;
    let mut tried = vec![(start.clone(), objective(&start)?)];
    let mut best = tried.first().cloned().context("the search has no start")?;
    for _ in 0..ROUNDS {
        let before = best.0.clone();
        for axis in axes {
            let around = best.0.clone();
            for change in axis {
                let mut candidate = around.clone();
                change(&mut candidate);
                if tried.iter().any(|(known, _)| *known == candidate) {
                    continue;
                }
                let value = objective(&candidate)?;
                tried.push((candidate.clone(), value));
                if value > best.1 {
                    best = (candidate, value);
                }
            }
        }
        if best.0 == before {
            break;
        }
    }
    Ok(best.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The two parameters pull on each other: after the first round the first axis has a better value than before.
    #[test]
    fn the_search_goes_round_until_nothing_changes() {
        let axes: Vec<Axis<(i32, i32)>> = vec![
            axis(&[0, 1, 2, 3], |point, value| point.0 = value),
            axis(&[0, 1, 2, 3], |point, value| point.1 = value),
        ];
        let objective = |point: &(i32, i32)| {
            let (x, y) = (f64::from(point.0), f64::from(point.1));
            Ok(-(x - 3.0).powi(2) - 2.0 * (y - x).powi(2))
        };
        assert_eq!(search((0, 3), &axes, objective).unwrap(), (3, 3));
        assert_eq!(search((0, 0), &[], objective).unwrap(), (0, 0));
    }

    #[test]
    fn ids_and_names_tell_methods_apart() {
        let methods = methods(&TrainConfig::default(), None);
        let ids: std::collections::BTreeSet<&str> = methods.iter().map(|method| method.id()).collect();
        let names: std::collections::BTreeSet<&str> = methods.iter().map(|method| method.name()).collect();
        assert_eq!((ids.len(), names.len()), (methods.len(), methods.len()));
        let reactions = reaction_methods(None);
        let ids: std::collections::BTreeSet<&str> = reactions.iter().map(|method| method.id()).collect();
        let names: std::collections::BTreeSet<&str> = reactions.iter().map(|method| method.name()).collect();
        assert_eq!((ids.len(), names.len()), (reactions.len(), reactions.len()));
    }
}
