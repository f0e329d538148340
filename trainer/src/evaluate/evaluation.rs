//! What an evaluation found out.

use anyhow::Result;
use serde::Serialize;

use super::bootstrap::{Difference, Share, paired};
use super::few_clicks::{CLICKS, FewClicks};
use super::leaky::Leaky;
use super::method::{Fit, Method};
use super::next_movie::{FIGURES, NextMovie, next_movie};
use super::reaction::{Predictions, ReactionScorer, Reactions, reactions};
use super::scorer::Scorer;
use crate::data::User;
use crate::nn::curve::LossCurve;

/// Whose figures a row holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Label {
    /// The method's name, its variant included.
    pub method: String,
    /// The method's name without the variant; rows of one family that differ in a knob make a curve.
    pub family: String,
    /// Whether the method is ours.
    pub ours: bool,
    /// Whether the method is a baseline that was given the moment of the visit.
    pub of_moment: bool,
    /// Whether this is the method's default variant.
    pub default: bool,
    /// The setting of the variant's knob.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knob: Option<f64>,
}

impl Label {
    /// The label of a method without variants that isn't told of the moment.
    pub fn of_one(name: String, ours: bool) -> Self {
        Self { method: name.clone(), family: name, ours, of_moment: false, default: true, knob: None }
    }

    /// Whether the flat keys of the JSON are this row's.
    pub const fn is_shipped(&self) -> bool {
        self.ours && self.default
    }
}

/// Protocol P1's figures of one method on one group of users.
#[derive(Debug, Clone, Serialize)]
pub struct NextMovieRow {
    /// Whose figures.
    #[serde(flatten)]
    pub label: Label,
    /// Which users.
    pub group: String,
    /// The figures.
    pub figures: NextMovie,
}

/// Protocol P2's figures of one method.
#[derive(Debug, Clone, Serialize)]
pub struct FewClicksRow {
    /// Whose figures.
    #[serde(flatten)]
    pub label: Label,
    /// A set of figures for each number of clicks.
    pub figures: Vec<FewClicks>,
}

/// Protocol P3's figures of one method.
#[derive(Debug, Clone, Serialize)]
pub struct ReactionRow {
    /// Whose figures.
    #[serde(flatten)]
    pub label: Label,
    /// With the ratings of the history known.
    pub known: Reactions,
    /// With clicks alone.
    pub clicks: Reactions,
}

impl ReactionRow {
    /// The figures under their flat keys in JSON, such as `p3.auc` and `p3.auc_clicks`.
    pub fn named(&self) -> impl Iterator<Item = (String, f64)> {
        let known = self.known.named().map(|(name, value)| (format!("p3.{name}"), value));
        known.chain(self.clicks.named().map(|(name, value)| (format!("p3.{name}_clicks"), value)))
    }
}

/// Our default variant against the best baseline of one figure, on the same users: once against those that don't know the
/// moment of the visit, as baselines usually don't, and once against those to which we gave it.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// `p1`, `p2` or `p3`.
    pub protocol: &'static str,
    /// How many clicks, for P2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clicks: Option<usize>,
    /// The figure's name in JSON.
    pub figure: &'static str,
    /// Our method.
    pub ours: String,
    /// The baseline with the highest mean on these very users, which makes it a little better than it is.
    pub baseline: String,
    /// Whether that baseline was given the moment of the visit.
    pub of_moment: bool,
    /// By how much ours is ahead.
    pub difference: Difference,
}

/// The parameters that a method chose for one training set.
#[derive(Debug, Clone, Serialize)]
pub struct Choice {
    /// The method's name.
    pub method: String,
    /// `p1`, or `p2, fold 1`, `p3, fold 1` and so on.
    pub training: String,
    /// The parameters, in words.
    pub parameters: String,
}

/// The epochs of a method that trains by gradient descent.
#[derive(Debug, Clone, Serialize)]
pub struct Curve {
    /// The method's name.
    pub method: String,
    /// What the held-out figure is.
    pub held_out_figure: &'static str,
    /// The epochs in order.
    pub epochs: Vec<CurvePoint>,
}

/// One epoch of a [`Curve`].
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CurvePoint {
    /// From 1.
    pub epoch: usize,
    /// The training loss.
    pub loss: f64,
    /// The held-out figure.
    pub held_out: f64,
}

/// All that an evaluation found out.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// Protocol P1.
    pub next_movie: Vec<NextMovieRow>,
    /// Protocol P2.
    pub few_clicks: Vec<FewClicksRow>,
    /// Protocol P3.
    pub reactions: Vec<ReactionRow>,
    /// What the methods chose.
    pub choices: Vec<Choice>,
    /// How they trained.
    pub curves: Vec<Curve>,
    /// The losses by step of a method of several networks, in its first training.
    pub losses: Vec<LossCurve>,
    /// P1-leaky, where it was asked for.
    pub leaky: Option<Leaky>,
    /// Ratings of movies outside a bundle's catalogue.
    pub left_out: Option<usize>,
    /// What was measured on what, in a sentence.
    pub setting: String,
}

/// Whether P3's histories bear ratings, in the order of a row.
pub(super) const HISTORIES: [bool; 2] = [true, false];

impl Evaluation {
    /// Keeps the losses of the first training that has any.
    pub(super) fn keep_losses(&mut self, fit: &Fit) {
        if self.losses.is_empty() {
            self.losses.clone_from(&fit.losses);
        }
    }

    pub(super) fn measure_next_movie(
        &mut self,
        label: &Label,
        scorer: &dyn Scorer,
        groups: &[(&str, &[User])],
    ) -> Result<()> {
        for (group, users) in groups {
            let figures = next_movie(scorer, users, false)?;
            self.next_movie.push(NextMovieRow { label: label.clone(), group: (*group).to_owned(), figures });
        }
        Ok(())
    }

    /// Puts a scorer that is ready through protocol P3 on `users`, none of whom it has learnt from.
    ///
    /// # Errors
    /// What the scorer refuses, and what isn't a probability.
    pub fn measure_reactions(&mut self, label: Label, scorer: &dyn ReactionScorer, users: &[User]) -> Result<()> {
        let [known, clicks] = HISTORIES.map(|known| reactions(scorer, users, known));
        self.keep_reactions(label, &[known?, clicks?]);
        Ok(())
    }

    /// A row of protocol P3; none where there is nothing to tell apart, whoever tries.
    pub(super) fn keep_reactions(&mut self, label: Label, [known, clicks]: &[Predictions; 2]) {
        if let (Some(known), Some(clicks)) = (Reactions::new(known), Reactions::new(clicks)) {
            self.reactions.push(ReactionRow { label, known, clicks });
        }
    }

    pub(super) fn choose(&mut self, method: &dyn Method, training: String, fit: &Fit) {
        if !fit.parameters.is_empty() {
            let (method, parameters) = (method.name().to_owned(), fit.parameters.clone());
            self.choices.push(Choice { method, training, parameters });
        }
    }

    /// The last group of users in P1's rows, the one whose figures may be quoted.
    pub fn quoted_group(&self) -> Option<&str> {
        self.next_movie.last().map(|row| row.group.as_str())
    }

    /// P1's rows of that group.
    pub fn quoted_rows(&self) -> impl Iterator<Item = &NextMovieRow> {
        let group = self.quoted_group();
        self.next_movie.iter().filter(move |row| Some(row.group.as_str()) == group)
    }

    /// Our default variant against the best baselines, figure by figure; nothing where ours or they are missing.
    pub fn comparisons(&self) -> Vec<Comparison> {
        let mut comparisons = Vec::new();
        for (at, figure) in FIGURES.into_iter().enumerate() {
            let entry = |row: &NextMovieRow| {
                let mean = row.figures.figures().get(at).map_or(0.0, |figure| figure.mean);
                (row.label.clone(), mean, row.figures.by_user.get(at).cloned().unwrap_or_default())
            };
            comparisons.extend(compare("p1", None, figure, &self.quoted_rows().map(entry).collect::<Vec<_>>()));
        }
        for clicks in CLICKS {
            let rows = || {
                let with = |row: &'_ FewClicksRow| {
                    row.figures
                        .iter()
                        .find(|figures| figures.clicks == clicks)
                        .map(|figures| (row.label.clone(), figures.clone()))
                };
                self.few_clicks.iter().filter_map(with)
            };
            let gains = rows().map(|(label, figures)| (label, figures.ndcg10.mean, figures.ndcg10_by_user()));
            comparisons.extend(compare("p2", Some(clicks), "ndcg10", &gains.collect::<Vec<_>>()));
            let recalls = rows().map(|(label, figures)| (label, figures.recall20.mean, figures.recall20_by_user()));
            comparisons.extend(compare("p2", Some(clicks), "recall20", &recalls.collect::<Vec<_>>()));
        }
        let within = |figures: fn(&ReactionRow) -> &Reactions| -> Vec<(Label, f64, Vec<Share>)> {
            let entry = |row: &ReactionRow| {
                let figures = figures(row);
                (row.label.clone(), figures.auc_within.mean, figures.within_by_user.clone())
            };
            self.reactions.iter().map(entry).collect()
        };
        comparisons.extend(compare("p3", None, "auc_within", &within(|row| &row.known)));
        comparisons.extend(compare("p3", None, "auc_within_clicks", &within(|row| &row.clicks)));
        comparisons
    }
}

fn compare(
    protocol: &'static str,
    clicks: Option<usize>,
    figure: &'static str,
    rows: &[(Label, f64, Vec<Share>)],
) -> impl Iterator<Item = Comparison> {
    let ours = rows.iter().find(|(label, ..)| label.is_shipped());
    let against = move |of_moment: bool| {
        let (ours, _, values) = ours?;
        let baselines = rows.iter().filter(|(label, ..)| !label.ours && label.of_moment == of_moment);
        let (best, _, theirs) = baselines.max_by(|left, right| left.1.total_cmp(&right.1))?;
        let difference = paired(values, theirs);
        let (ours, baseline) = (ours.method.clone(), best.method.clone());
        Some(Comparison { protocol, clicks, figure, ours, baseline, of_moment, difference })
    };
    [false, true].into_iter().filter_map(against)
}
