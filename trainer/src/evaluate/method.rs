//! The methods that the evaluator measures: they learn from users, and then score movies or say how likely a like is.

use anyhow::Result;

use super::label::{Role, Variant};
use super::reaction::ReactionScorer;
use super::scorer::Scorer;
use crate::data::User;
use crate::data::training_set::TrainingSet;
use crate::nn::curve::{EpochFigures, LossCurve};

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
    /// Protocol P4: by its NDCG@10, on the same users as for P2.
    Discovery,
    /// Protocol P5: by its NDCG@10, the mean over both kinds of histories, on the same fifth.
    NextVisit,
}

impl Selection<'_> {
    /// Whether histories are in the order in which movies were watched, so that a recent one may count for more.
    pub const fn is_sequential(&self) -> bool {
        matches!(self, Self::NextMovie { .. } | Self::NextVisit)
    }
}

/// A variant of a trained method, ready to be measured.
pub struct FittedVariant {
    /// Which variant.
    pub variant: Variant,
    /// Its scores.
    pub scorer: Box<dyn Scorer>,
}

/// A trained method.
pub struct Fit {
    /// Its variants, the same for every training set and in the same order; the first is the default.
    pub variants: Vec<FittedVariant>,
    /// The parameters that it chose, in words; empty if there are none.
    pub parameters: String,
    /// The epochs of a method that trains by gradient descent.
    pub epochs: Vec<EpochFigures>,
    /// The losses of the method's networks, where their tasks differ and none is held out.
    pub losses: Vec<LossCurve>,
}

impl Fit {
    /// A fit of these variants, without parameters, epochs or losses.
    pub const fn of_variants(variants: Vec<FittedVariant>) -> Self {
        Self { variants, parameters: String::new(), epochs: Vec::new(), losses: Vec::new() }
    }

    /// A fit of one variant with its parameters in words.
    pub fn of_only(scorer: Box<dyn Scorer>, parameters: String) -> Self {
        Self { parameters, ..Self::of_variants(vec![FittedVariant { variant: Variant::Only, scorer }]) }
    }
}

/// Learns from users and then scores movies.
pub trait Method: Sync {
    /// The id that `--methods` takes.
    fn id(&self) -> &'static str;

    /// The name in the tables.
    fn name(&self) -> &'static str;

    /// Whether it is ours.
    fn role(&self) -> Role {
        Role::Baseline
    }

    /// Whether it is a baseline that is given the time of the visit, which such methods usually ignore.
    fn uses_time(&self) -> bool {
        false
    }

    /// Whether the fit depends on the selection. One that doesn't is measured by several protocols.
    fn is_tuned(&self) -> bool {
        false
    }

    /// Learns from `training`, choosing its parameters as `selection` allows.
    ///
    /// # Errors
    /// If the training fails; the evaluation then stops.
    fn fit(&self, training: &TrainingSet, selection: &Selection) -> Result<Fit>;
}

/// A trained method of protocol P3.
pub struct ReactionFit {
    /// Its probabilities.
    pub scorer: Box<dyn ReactionScorer>,
    /// The parameters that it chose, in words; empty if there are none.
    pub parameters: String,
}

/// Learns from users and then says how likely a like is.
pub trait ReactionMethod: Sync {
    /// The id that `--methods` takes.
    fn id(&self) -> &'static str;

    /// The name in the tables.
    fn name(&self) -> &'static str;

    /// Whether it is ours.
    fn role(&self) -> Role {
        Role::Baseline
    }

    /// Learns from `training`, and chooses its parameters, if it has any, on a part of it.
    ///
    /// # Errors
    /// If the training fails; the evaluation then stops.
    fn fit(&self, training: &TrainingSet) -> Result<ReactionFit>;
}
