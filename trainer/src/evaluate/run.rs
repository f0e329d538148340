//! Puts methods through the protocols: trained on a split, or as a finished bundle.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use watchnext::recommend::{DEFAULT_DIVERSITY, Recommender, Retrieval, Strategy};

use super::bootstrap::{Difference, Share, paired};
use super::few_clicks::{FOLD_SEED, FOLDS, FewClicks, Outcome, PopularityRanks, few_clicks};
use super::leaky::Leaky;
use super::next_movie::{FIGURES, NextMovie, next_movie};
use super::reaction::{Predictions, ReactionScorer, Reactions, reactions};
use super::{Scorer, Shipped, retrieval_name};
use crate::baselines::popularity::Popularity;
use crate::dataset::{Dataset, User};
use crate::methods::{Fit, Method, ReactionMethod, Role, Selection, TrainingSet};
use crate::ranker::method::OfBundle;
use crate::split::{Split, folds};
use crate::tower::LossCurve;

/// A protocol that a method can be put through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Protocol {
    /// The next movie.
    P1,
    /// A few clicks.
    P2,
    /// The reaction.
    P3,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::P1, Self::P2, Self::P3];
}

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

/// The rows of one method's fit: every variant's label with its scorer.
fn labelled<'fit>(method: &dyn Method, fit: &'fit Fit) -> Vec<(Label, &'fit dyn Scorer)> {
    let (name, ours, of_moment) = (method.name(), method.role() == Role::Ours, method.of_moment());
    let variants = fit.variants.iter().enumerate().map(|(at, variant)| {
        let full = if variant.label.is_empty() { name.to_owned() } else { format!("{name}, {}", variant.label) };
        let (family, default, knob) = (name.to_owned(), at == 0, variant.knob);
        let label = Label { method: full, family, ours, of_moment, default, knob };
        (label, variant.scorer.as_ref())
    });
    variants.collect()
}

/// Trains every method on splits of a data set and measures it on the rest by P1, where the order of ratings is known, and P2;
/// [`evaluate_reactions`] is P3's. Users whom only further files know always train.
///
/// # Errors
/// Too few users, and whatever stops a method.
pub fn evaluate_methods(dataset: &Dataset, methods: &[Box<dyn Method>], protocols: &[Protocol]) -> Result<Evaluation> {
    let extra = dataset.users.len() - dataset.main_users;
    let mut evaluation = Evaluation {
        setting: format!(
            "{} ratings of {} movies. {} users are split between training and measuring; {}.",
            dataset.ratings(),
            dataset.catalog.len(),
            dataset.main_users,
            if extra == 0 { "nobody else trains".to_owned() } else { format!("{extra} further users always train") }
        ),
        ..Evaluation::default()
    };
    for method in methods {
        let started = Instant::now();
        if protocols.contains(&Protocol::P1) && dataset.has_order() {
            split_by_user(dataset, method.as_ref(), &mut evaluation)?;
        }
        if protocols.contains(&Protocol::P2) {
            cross_validate(dataset, method.as_ref(), &mut evaluation)?;
        }
        eprintln!("{}: {:.0} s", method.name(), started.elapsed().as_secs_f64());
    }
    Ok(evaluation)
}

/// Protocol P3 in cross-validation over users, by P2's folds; nothing for data without ratings to predict.
///
/// # Errors
/// Whatever stops a method.
pub fn evaluate_reactions(
    dataset: &Dataset,
    methods: &[Box<dyn ReactionMethod>],
    evaluation: &mut Evaluation,
) -> Result<()> {
    for method in methods.iter().filter(|_| dataset.has_reactions()) {
        let started = Instant::now();
        let mut found = [Predictions::new(), Predictions::new()];
        for (at, fold) in folds(&dataset.users, dataset.main_users, FOLDS, FOLD_SEED).into_iter().enumerate() {
            let fit = method.fit(&TrainingSet::new(&dataset.catalog, fold.train, fold.main)?)?;
            for (found, known) in found.iter_mut().zip(HISTORIES) {
                found.extend(reactions(fit.scorer.as_ref(), &fold.held_out, known)?);
            }
            if !fit.parameters.is_empty() {
                let (method, parameters) = (method.name().to_owned(), fit.parameters);
                evaluation.choices.push(Choice { method, training: format!("p3, fold {}", at + 1), parameters });
            }
        }
        let (name, ours) = (method.name().to_owned(), method.role() == Role::Ours);
        evaluation.keep_reactions(Label::of_one(name, ours), &found);
        eprintln!("{}, P3: {:.0} s", method.name(), started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Whether P3's histories bear ratings, in the order of a row.
const HISTORIES: [bool; 2] = [true, false];

/// Protocol P1 of one method.
fn split_by_user(dataset: &Dataset, method: &dyn Method, evaluation: &mut Evaluation) -> Result<()> {
    let main = dataset.users.get(..dataset.main_users).context("more main users than users")?;
    let split = Split::by_user(main)?;
    let extra = dataset.users.get(dataset.main_users..).unwrap_or_default();
    let users = [split.train, extra].concat();
    let training = TrainingSet::new(&dataset.catalog, users, split.train.len())?;
    let fit = method.fit(&training, &Selection::NextMovie { validation: split.validation })?;
    for (label, scorer) in labelled(method, &fit) {
        evaluation.measure_next_movie(&label, scorer, &[("validation", split.validation), ("test", split.test)])?;
    }
    evaluation.choose(method, "p1".to_owned(), &fit);
    evaluation.keep_losses(&fit);
    if !fit.epochs.is_empty() {
        let point = |epoch: &crate::train::EpochFigures| CurvePoint {
            epoch: epoch.epoch,
            loss: epoch.training_loss,
            held_out: epoch.held_out_hit100,
        };
        evaluation.curves.push(Curve {
            method: method.name().to_owned(),
            held_out_figure: "hit@100 of the validation users",
            epochs: fit.epochs.iter().map(point).collect(),
        });
    }
    Ok(())
}

/// Protocol P2 of one method.
fn cross_validate(dataset: &Dataset, method: &dyn Method, evaluation: &mut Evaluation) -> Result<()> {
    let catalog = &dataset.catalog;
    let mut found: Vec<(Label, Outcome)> = Vec::new();
    for (at, fold) in folds(&dataset.users, dataset.main_users, FOLDS, FOLD_SEED).into_iter().enumerate() {
        let training = TrainingSet::new(catalog, fold.train, fold.main)?;
        let popularity = PopularityRanks::of_catalog(&training.catalog);
        let fit = method.fit(&training, &Selection::FewClicks)?;
        for (variant, (label, scorer)) in labelled(method, &fit).into_iter().enumerate() {
            let outcome = few_clicks(scorer, &fold.held_out, &popularity)?;
            match found.get_mut(variant) {
                Some((known, all)) => {
                    ensure!(*known == label, "{} has other variants in fold {}", method.name(), at + 1);
                    all.merge(outcome);
                }
                None => found.push((label, outcome)),
            }
        }
        evaluation.choose(method, format!("p2, fold {}", at + 1), &fit);
        evaluation.keep_losses(&fit);
    }
    let rows =
        found.into_iter().map(|(label, outcome)| FewClicksRow { label, figures: outcome.summarise(catalog.len()) });
    evaluation.few_clicks.extend(rows);
    Ok(())
}

/// What a bundle's rows are: what a visitor gets who touches nothing, the plain order of the scores, that of the first stage if
/// there is a second, and the votes of the states if there are any.
fn bundle_methods(recommender: &Recommender) -> Vec<(Label, Shipped<&Recommender>)> {
    let family = &recommender.manifest().name;
    let plain = Strategy::from(Retrieval::Movies);
    let shipped = Strategy { diversity: DEFAULT_DIVERSITY, ..plain };
    let alone = recommender.has_ranker().then_some(Strategy { first_stage_alone: true, ..plain });
    let has_states = recommender.retrievals().contains(&Retrieval::States);
    let states = has_states.then(|| Strategy::from(Retrieval::States));
    let method = |(at, strategy): (usize, Strategy)| {
        let method = match strategy.retrieval {
            Retrieval::States => format!("{family}, {}", retrieval_name(strategy.retrieval)),
            Retrieval::Movies if at == 0 => family.clone(),
            Retrieval::Movies if strategy.first_stage_alone => format!("{family}, diversity 0, first stage alone"),
            Retrieval::Movies => format!("{family}, diversity {}", strategy.diversity),
        };
        let is_on_curve = strategy.retrieval == Retrieval::Movies && !strategy.first_stage_alone;
        let knob = is_on_curve.then_some(f64::from(strategy.diversity));
        let label = Label { method, family: family.clone(), ours: true, of_moment: false, default: at == 0, knob };
        (label, Shipped { recommender, strategy })
    };
    [shipped, plain].into_iter().chain(alone).chain(states).enumerate().map(method).collect()
}

/// The row of popularity, the one baseline that needs no more than a bundle's catalogue.
fn popularity_label() -> Label {
    Label::of_one("popularity".to_owned(), false)
}

/// Whose reactions a bundle's rows of P3 are: its second stage's, if it has one.
fn bundle_reactions(recommender: &Recommender) -> Vec<(Label, Box<dyn ReactionScorer + '_>)> {
    if !recommender.has_ranker() {
        return Vec::new();
    }
    vec![(Label::of_one(recommender.manifest().name.clone(), true), Box::new(OfBundle(recommender)))]
}

/// Measures a finished bundle on users whom it never saw, beside the popularity that its catalogue knows of.
///
/// # Errors
/// Nobody to measure on, and what the bundle refuses.
pub fn evaluate_bundle(recommender: &Recommender, users: &[User], protocols: &[Protocol]) -> Result<Evaluation> {
    let catalog = recommender.catalog();
    let ratings: usize = users.iter().map(|user| user.events.len()).sum();
    let mut evaluation = Evaluation {
        setting: format!("A finished bundle of {} movies; {ratings} ratings by {} users.", catalog.len(), users.len()),
        ..Evaluation::default()
    };
    let groups = [("unseen users", users)];
    let popularity = Popularity::of_catalog(catalog);
    let ranks = PopularityRanks::of_catalog(catalog);
    let rows = bundle_methods(recommender);
    let rows = rows.iter().map(|(label, scorer)| (label.clone(), scorer as &dyn Scorer));
    for (label, scorer) in std::iter::once((popularity_label(), &popularity as &dyn Scorer)).chain(rows) {
        if protocols.contains(&Protocol::P1) {
            evaluation.measure_next_movie(&label, scorer, &groups)?;
        }
        if protocols.contains(&Protocol::P2) {
            let figures = few_clicks(scorer, users, &ranks)?.summarise(catalog.len());
            evaluation.few_clicks.push(FewClicksRow { label, figures });
        }
    }
    if protocols.contains(&Protocol::P3) {
        let rows = bundle_reactions(recommender);
        ensure!(
            protocols != [Protocol::P3] || !rows.is_empty(),
            "P3 measures a second stage, which this bundle hasn't got"
        );
        for (label, scorer) in rows {
            evaluation.measure_reactions(label, scorer.as_ref(), users)?;
        }
    }
    Ok(evaluation)
}

/// Measures a model on the users whom its own training held out, as the split by user has them, beside the popularity among
/// those who trained it. Its P2 and P3 are of validation and test users together, since forty of them are few; it is no
/// cross-validation and its figures aren't those of one.
///
/// # Errors
/// Too few users, and what the model refuses.
pub fn evaluate_held_out(dataset: &Dataset, recommender: &Recommender) -> Result<Evaluation> {
    let movies = dataset.catalog.len();
    let split = Split::by_user(&dataset.users)?;
    let mut evaluation = Evaluation::default();
    let groups = [("validation", split.validation), ("test", split.test)];
    let popularity = Popularity::new(movies, split.train);
    let training = TrainingSet::new(&dataset.catalog, split.train.to_vec(), split.train.len())?;
    let ranks = PopularityRanks::of_catalog(&training.catalog);
    let held_out = [split.validation, split.test].concat();
    let rows = bundle_methods(recommender);
    let rows = rows.iter().map(|(label, scorer)| (label.clone(), scorer as &dyn Scorer));
    for (label, scorer) in std::iter::once((popularity_label(), &popularity as &dyn Scorer)).chain(rows) {
        if dataset.has_order() {
            evaluation.measure_next_movie(&label, scorer, &groups)?;
        }
        let figures = few_clicks(scorer, &held_out, &ranks)?.summarise(movies);
        evaluation.few_clicks.push(FewClicksRow { label, figures });
    }
    for (label, scorer) in bundle_reactions(recommender) {
        evaluation.measure_reactions(label, scorer.as_ref(), &held_out)?;
    }
    Ok(evaluation)
}

impl Evaluation {
    /// Keeps the losses of the first training that has any.
    fn keep_losses(&mut self, fit: &Fit) {
        if self.losses.is_empty() {
            self.losses.clone_from(&fit.losses);
        }
    }

    fn measure_next_movie(&mut self, label: &Label, scorer: &dyn Scorer, groups: &[(&str, &[User])]) -> Result<()> {
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
    fn keep_reactions(&mut self, label: Label, [known, clicks]: &[Predictions; 2]) {
        if let (Some(known), Some(clicks)) = (Reactions::new(known), Reactions::new(clicks)) {
            self.reactions.push(ReactionRow { label, known, clicks });
        }
    }

    fn choose(&mut self, method: &dyn Method, training: String, fit: &Fit) {
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
        for clicks in super::few_clicks::CLICKS {
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
