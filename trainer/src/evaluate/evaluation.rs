//! The results of an evaluation.

use anyhow::Result;

use super::bootstrap::{Difference, Share, paired};
use super::discovery::Discovery;
use super::draws::{AfterClicks, CLICKS};
use super::few_clicks::FewClicks;
use super::label::{Group, Label, Measure, Training};
use super::leaky::Leaky;
use super::lists::Lists;
use super::method::Fit;
use super::next_movie::{FIGURES, NextMovie, next_movie};
use super::next_visit::{self, NextVisit};
use super::protocol::Protocol;
use super::reaction::{Predictions, ReactionScorer, Reactions, reactions};
use super::scorer::Scorer;
use super::wall::Wall;
use crate::data::User;
use crate::nn::curve::LossCurve;

/// Protocol P1's figures of one method on one group of users.
#[derive(Debug, Clone)]
pub struct NextMovieRow {
    /// Whose figures.
    pub label: Label,
    /// Which users.
    pub group: Group,
    /// The figures.
    pub figures: NextMovie,
}

/// The figures of one method for each number of clicks.
#[derive(Debug, Clone)]
pub struct ClicksRow<Figures> {
    /// Whose figures.
    pub label: Label,
    /// A set of figures for each number of clicks.
    pub figures: Vec<Figures>,
}

/// Protocol P2's figures of one method.
pub type FewClicksRow = ClicksRow<FewClicks>;

/// Protocol P4's figures of one method, for each number of clicks that there are users for.
pub type DiscoveryRow = ClicksRow<Discovery>;

/// How the lists of one method look.
pub type ListsRow = ClicksRow<Lists>;

/// The wall of one method.
pub type WallRow = ClicksRow<Wall>;

impl<Figures: AfterClicks> ClicksRow<Figures> {
    /// The figures after this many clicks, if there are any.
    pub fn after(&self, clicks: usize) -> Option<&Figures> {
        self.figures.iter().find(|figures| figures.clicks() == clicks)
    }
}

/// The figures after this many clicks of all rows that have them.
pub fn after_clicks<Figures: AfterClicks>(rows: &[ClicksRow<Figures>], clicks: usize) -> Vec<(&Label, &Figures)> {
    rows.iter().filter_map(|row| Some((&row.label, row.after(clicks)?))).collect()
}

/// Protocol P3's figures of one method.
#[derive(Debug, Clone)]
pub struct ReactionRow {
    /// Whose figures.
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

/// Protocol P5's figures of one method.
#[derive(Debug, Clone)]
pub struct NextVisitRow {
    /// Whose figures.
    pub label: Label,
    /// From the liked movies of the first visit, as clicks.
    pub clicks: NextVisit,
    /// From all movies of the first visit, with their ratings.
    pub rated: NextVisit,
}

impl NextVisitRow {
    /// The two sets of figures with the names of their histories in JSON.
    pub fn histories(&self) -> [(&'static str, &NextVisit); 2] {
        [("clicks", &self.clicks), ("rated", &self.rated)]
    }
}

/// Our default variant compared with the best baseline by one measure, on the same users.
///
/// There are two comparisons for each measure: with the baselines that don't know the time of the visit, which is
/// usual, and with those that we gave it to.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Which protocol.
    pub protocol: Protocol,
    /// How many clicks, for P2 and P4.
    pub clicks: Option<usize>,
    /// The measure.
    pub measure: Measure,
    /// Our method.
    pub ours: Label,
    /// The baseline with the highest mean on these very users, which flatters it a little.
    pub baseline: Label,
    /// How far ours is ahead.
    pub difference: Difference,
}

/// The parameters that a method chose for one training set.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The method's name.
    pub method: String,
    /// Which training set.
    pub training: Training,
    /// The parameters, in words.
    pub parameters: String,
}

/// The epochs of a method that trains by gradient descent.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Curve {
    /// The method's name.
    pub method: String,
    /// The name of the held-out figure.
    pub held_out_figure: &'static str,
    /// The epochs in order.
    pub epochs: Vec<CurvePoint>,
}

/// One epoch of a [`Curve`].
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct CurvePoint {
    /// From 1.
    pub epoch: usize,
    /// The training loss.
    pub loss: f64,
    /// The held-out figure.
    pub held_out: f64,
}

/// The results of an evaluation.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// Protocol P1.
    pub next_movie: Vec<NextMovieRow>,
    /// Protocol P2.
    pub few_clicks: Vec<FewClicksRow>,
    /// Protocol P3.
    pub reactions: Vec<ReactionRow>,
    /// Protocol P4.
    pub discovery: Vec<DiscoveryRow>,
    /// Protocol P5.
    pub next_visit: Vec<NextVisitRow>,
    /// How lists look.
    pub lists: Vec<ListsRow>,
    /// The wall of the methods that have one.
    pub wall: Vec<WallRow>,
    /// How many events of each user P1 and P3 measure at most, evenly spread; `None` if they measure all.
    pub most_events: Option<usize>,
    /// The parameters that the methods chose.
    pub choices: Vec<Choice>,
    /// The training by epoch.
    pub curves: Vec<Curve>,
    /// The losses by step of a method of several networks, in its first training.
    pub losses: Vec<LossCurve>,
    /// P1-leaky, if it was asked for.
    pub leaky: Option<Leaky>,
    /// Ratings of movies outside a bundle's catalogue.
    pub left_out: Option<usize>,
    /// The data and their use, in a sentence.
    pub setting: String,
}

/// Whether P3's histories bear ratings, in the order of a row.
pub(super) const HISTORIES: [bool; 2] = [true, false];

/// Our label or a baseline's, with the mean and each user's part of it.
type Compared = (Label, f64, Vec<Share>);

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
        groups: &[(Group, &[User])],
    ) -> Result<()> {
        for (group, users) in groups {
            let figures = next_movie(scorer, users, self.most_events)?;
            self.next_movie.push(NextMovieRow { label: label.clone(), group: *group, figures });
        }
        Ok(())
    }

    /// Measures a trained scorer by protocol P3 on `users`, none of whom it has learnt from.
    ///
    /// # Errors
    /// If the scorer fails, or its answer isn't a probability.
    pub fn measure_reactions(&mut self, label: Label, scorer: &dyn ReactionScorer, users: &[User]) -> Result<()> {
        let [known, clicks] = HISTORIES.map(|known| reactions(scorer, users, known, self.most_events));
        self.keep_reactions(label, &[known?, clicks?]);
        Ok(())
    }

    /// Adds a row of protocol P3, unless all events are of one kind, so that there is nothing to predict.
    pub(super) fn keep_reactions(&mut self, label: Label, [known, clicks]: &[Predictions; 2]) {
        if let (Some(known), Some(clicks)) = (Reactions::new(known), Reactions::new(clicks)) {
            self.reactions.push(ReactionRow { label, known, clicks });
        }
    }

    /// Adds a row of protocol P5, if there are users whom it measures.
    pub(super) fn keep_next_visit(&mut self, label: Label, outcome: next_visit::Outcome) {
        let [clicks, rated] = outcome.summarise();
        if rated.users > 0 {
            self.next_visit.push(NextVisitRow { label, clicks, rated });
        }
    }

    pub(super) fn keep_choice(&mut self, method: &str, training: Training, parameters: String) {
        if !parameters.is_empty() {
            self.choices.push(Choice { method: method.to_owned(), training, parameters });
        }
    }

    /// The last group of users in P1's rows, the one whose figures may be quoted.
    pub fn quoted_group(&self) -> Option<Group> {
        self.next_movie.last().map(|row| row.group)
    }

    /// P1's rows of that group.
    pub fn quoted_rows(&self) -> impl Iterator<Item = &NextMovieRow> {
        let group = self.quoted_group();
        self.next_movie.iter().filter(move |row| Some(row.group) == group)
    }

    /// Our default variant compared with the best baselines, measure by measure; empty without ours or without
    /// baselines.
    pub fn comparisons(&self) -> Vec<Comparison> {
        let mut comparisons = Vec::new();
        for (at, measure) in FIGURES.into_iter().enumerate() {
            let entry = |row: &NextMovieRow| {
                let mean = row.figures.figures().get(at).map_or(0.0, |figure| figure.mean);
                (row.label.clone(), mean, row.figures.by_user.get(at).cloned().unwrap_or_default())
            };
            let rows: Vec<_> = self.quoted_rows().map(entry).collect();
            comparisons.extend(compare(Protocol::P1, None, measure, &rows));
        }
        comparisons.extend(self.compare_few_clicks());
        let within = |figures: fn(&ReactionRow) -> &Reactions| -> Vec<Compared> {
            let entry = |row: &ReactionRow| {
                let figures = figures(row);
                (row.label.clone(), figures.auc_within.mean, figures.within_by_user.clone())
            };
            self.reactions.iter().map(entry).collect()
        };
        comparisons.extend(compare(Protocol::P3, None, Measure::AucWithin, &within(|row| &row.known)));
        comparisons.extend(compare(Protocol::P3, None, Measure::AucWithinClicks, &within(|row| &row.clicks)));
        comparisons.extend(self.compare_discovery());
        comparisons.extend(self.compare_next_visit());
        comparisons
    }
}

/// The mean gain and the mean recall of one set of figures, each with the users' parts of it.
type GainAndRecall = [(f64, Vec<Share>); 2];

/// The comparisons of P2 or P4.
fn compare_by_clicks<Figures: AfterClicks>(
    protocol: Protocol,
    rows: &[ClicksRow<Figures>],
    figures: impl Fn(&Figures) -> GainAndRecall,
) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for clicks in CLICKS {
        let rows: Vec<_> =
            after_clicks(rows, clicks).into_iter().map(|(label, found)| (label, figures(found))).collect();
        for (at, measure) in [Measure::Ndcg10, Measure::Recall20].into_iter().enumerate() {
            let entry = |(label, figures): &(&Label, GainAndRecall)| {
                let (mean, by_user) = figures.get(at).cloned().unwrap_or_default();
                ((*label).clone(), mean, by_user)
            };
            let rows: Vec<Compared> = rows.iter().map(entry).collect();
            comparisons.extend(compare(protocol, Some(clicks), measure, &rows));
        }
    }
    comparisons
}

/// Protocols P2, P4 and P5.
impl Evaluation {
    fn compare_few_clicks(&self) -> Vec<Comparison> {
        compare_by_clicks(Protocol::P2, &self.few_clicks, |found| {
            [(found.ndcg10.mean, found.ndcg10_by_user()), (found.recall20.mean, found.recall20_by_user())]
        })
    }

    fn compare_discovery(&self) -> Vec<Comparison> {
        compare_by_clicks(Protocol::P4, &self.discovery, |found| {
            [(found.ndcg10.mean, found.ndcg10_by_user()), (found.recall20.mean, found.recall20_by_user())]
        })
    }

    fn compare_next_visit(&self) -> Vec<Comparison> {
        let gains = |figures: fn(&NextVisitRow) -> &NextVisit| -> Vec<Compared> {
            let entry = |row: &NextVisitRow| {
                let figures = figures(row);
                (row.label.clone(), figures.ndcg10.mean, figures.ndcg10_by_user())
            };
            self.next_visit.iter().map(entry).collect()
        };
        let clicks = compare(Protocol::P5, None, Measure::Ndcg10Clicks, &gains(|row| &row.clicks)).collect::<Vec<_>>();
        let rated = gains(|row| &row.rated);
        clicks.into_iter().chain(compare(Protocol::P5, None, Measure::Ndcg10Rated, &rated)).collect()
    }
}

fn compare(
    protocol: Protocol,
    clicks: Option<usize>,
    measure: Measure,
    rows: &[Compared],
) -> impl Iterator<Item = Comparison> {
    let ours = rows.iter().find(|(label, ..)| label.is_shipped());
    let against = move |uses_time: bool| {
        let (ours, _, values) = ours?;
        let baselines = rows.iter().filter(|(label, ..)| !label.is_ours() && label.uses_time == uses_time);
        let (best, _, theirs) = baselines.max_by(|left, right| left.1.total_cmp(&right.1))?;
        let difference = paired(values, theirs);
        Some(Comparison { protocol, clicks, measure, ours: ours.clone(), baseline: best.clone(), difference })
    };
    [false, true].into_iter().filter_map(against)
}
