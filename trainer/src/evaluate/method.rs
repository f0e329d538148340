//! What a method of the evaluator is: something that learns from users and then scores movies.

use anyhow::Result;

use super::reaction::ReactionScorer;
use super::scorer::Scorer;
use crate::data::User;
use crate::data::training_set::TrainingSet;
use crate::nn::curve::{EpochFigures, LossCurve};

/// Whether a method is ours or one that ours is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The paired comparison holds it against the best baseline, and its figures stand under the flat keys of the JSON.
    Ours,
    /// One of the methods to beat.
    Baseline,
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
