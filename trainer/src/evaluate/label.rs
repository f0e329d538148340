//! Who a row of figures is about: a method, one of its variants, a group of users. The texts are made in
//! [`crate::report`].

use watchnext::recommend::DEFAULT_NOVELTY;

use super::protocol::Protocol;

/// The name of the baseline that suggests the movies that most users have.
pub const POPULARITY: &str = "popularity";

/// Whether a method is ours or one to beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is compared with the best baseline, and its figures have the flat keys of the JSON.
    Ours,
    /// One of the methods to beat.
    Baseline,
}

/// One way to make suggestions with a trained method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Variant {
    /// The method has no other.
    Only,
    /// A visitor's defaults: the scores, with the knob at [`DEFAULT_NOVELTY`].
    Default,
    /// The scores, made diverse by this much, 0 to 1; 0 is their plain order.
    Novelty(f32),
    /// The plain order of the first stage, without the second.
    FirstStageAlone,
    /// The scores of the seed network, which has the states besides.
    Softmax,
    /// The votes of the nearest states.
    States,
}

impl Variant {
    /// Whether the method's figures are quoted from this variant.
    pub const fn is_default(self) -> bool {
        matches!(self, Self::Only | Self::Default | Self::Softmax)
    }

    /// The novelty, where the variant is a point on the curve of accuracy against coverage.
    pub fn novelty(self) -> Option<f32> {
        match self {
            Self::Default => Some(DEFAULT_NOVELTY),
            Self::Novelty(novelty) => Some(novelty),
            Self::Only | Self::FirstStageAlone | Self::Softmax | Self::States => None,
        }
    }

    /// Whether the variant is a further point on the curve of accuracy against coverage, without a line of its own.
    pub const fn is_curve_point(self) -> bool {
        matches!(self, Self::Novelty(_))
    }
}

/// Whose figures a row holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// The method's name.
    pub method: String,
    /// Whether the method is ours.
    pub role: Role,
    /// Whether the method is a baseline that is given the time of the visit.
    pub uses_time: bool,
    /// Which variant of the method.
    pub variant: Variant,
}

impl Label {
    /// The label of a method that has one variant and doesn't use the time of the visit.
    pub const fn of_only(method: String, role: Role) -> Self {
        Self { method, role, uses_time: false, variant: Variant::Only }
    }

    /// Whether the method is ours.
    pub fn is_ours(&self) -> bool {
        self.role == Role::Ours
    }

    /// Whether the flat keys of the JSON are this row's.
    pub fn is_shipped(&self) -> bool {
        self.is_ours() && self.variant.is_default()
    }
}

/// Users whom P1 measures together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Parameters were chosen on them.
    Validation,
    /// Nothing was chosen on them.
    Test,
    /// Users whom a finished bundle was not trained on.
    UnseenUsers,
}

/// The training set of a method, by the protocol and the fold that it is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Training {
    /// The protocol.
    pub protocol: Protocol,
    /// The held-out fold, from 1; none for P1, which has one split.
    pub fold: Option<usize>,
}

/// A figure that methods are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The share of next movies among the best 10.
    Hit10,
    /// The share of next movies among the best 100.
    Hit100,
    /// Normalised discounted cumulative gain of the best 10.
    Ndcg10,
    /// The mean reciprocal rank.
    Mrr,
    /// Recall of the best 20.
    Recall20,
    /// The area under the ROC curve within users, with the ratings of the history known.
    AucWithin,
    /// The same with clicks alone.
    AucWithinClicks,
    /// [`Measure::Ndcg10`] from the liked movies of the first visit, as clicks.
    Ndcg10Clicks,
    /// The same from all movies of the first visit, with their ratings.
    Ndcg10Rated,
}

impl Measure {
    /// The measure's key in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Hit10 => "hit10",
            Self::Hit100 => "hit100",
            Self::Ndcg10 => "ndcg10",
            Self::Mrr => "mrr",
            Self::Recall20 => "recall20",
            Self::AucWithin => "auc_within",
            Self::AucWithinClicks => "auc_within_clicks",
            Self::Ndcg10Clicks => "ndcg10_clicks",
            Self::Ndcg10Rated => "ndcg10_rated",
        }
    }
}
