//! Measures methods by the protocols: trained on a split, or as a finished bundle.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use watchnext::catalog::Catalog;
use watchnext::recommend::{Recommender, Retrieval};

use super::bundle_scorer::{BundleReactions, BundleScorer, distinct, strategy};
use super::discovery::BEST_KNOWN;
use super::evaluation::{Curve, CurvePoint, Evaluation, HISTORIES};
use super::few_clicks::{FOLD_SEED, FOLDS};
use super::label::{Group, Label, POPULARITY, Role, Training, Variant};
use super::method::{Fit, Method, ReactionMethod, Selection};
use super::next_visit;
use super::outcomes::Outcomes;
use super::protocol::Protocol;
use super::reaction::{Predictions, reactions};
use super::sample::sample;
use super::scorer::Scorer;
use crate::data::popularity::Popularity;
use crate::data::split::{Split, folds};
use crate::data::training_set::TrainingSet;
use crate::data::{Dataset, User};
use crate::nn::curve::EpochFigures;

/// How many events of each user P1 and P3 measure for a finished bundle, whose users may be thousands.
const MOST_EVENTS: usize = 20;

/// How many users a finished bundle is measured on by each protocol.
const MOST_USERS: usize = 1000;

/// Every variant of a trained method, with its label.
fn labelled<'fit>(method: &dyn Method, fit: &'fit Fit) -> impl Iterator<Item = (Label, &'fit dyn Scorer)> {
    let (name, role, uses_time) = (method.name(), method.role(), method.uses_time());
    fit.variants.iter().map(move |fitted| {
        let label = Label { method: name.to_owned(), role, uses_time, variant: fitted.variant };
        (label, fitted.scorer.as_ref())
    })
}

/// Trains every method on splits of a data set and measures it on the rest: by P1, if the order of ratings is known, by
/// P2 and P4, and by P5, if anybody came back. Users from further files always train, but P5 measures them too, since
/// few users come back. [`evaluate_reactions`] measures P3.
///
/// # Errors
/// Too few users, or a method that fails.
pub fn evaluate_methods(dataset: &Dataset, methods: &[Box<dyn Method>], protocols: &[Protocol]) -> Result<Evaluation> {
    let extra = dataset.users.len() - dataset.main_users;
    let mut evaluation = Evaluation {
        setting: format!(
            "{} ratings of {} movies. {} users are split between training and measuring; {}.",
            dataset.ratings(),
            dataset.catalog.len(),
            dataset.main_users,
            match extra {
                0 => "nobody else trains".to_owned(),
                _ if protocols.contains(&Protocol::P5) =>
                    format!("{extra} further users always train, except in P5, which measures them too"),
                _ => format!("{extra} further users always train"),
            }
        ),
        ..Evaluation::default()
    };
    for method in methods {
        let started = Instant::now();
        if protocols.contains(&Protocol::P1) && dataset.has_order() {
            split_by_user(dataset, method.as_ref(), &mut evaluation)?;
        }
        for task in tasks(dataset, method.is_tuned(), protocols) {
            cross_validate(dataset, method.as_ref(), &task, &mut evaluation)?;
        }
        eprintln!("{}: measured in {:.0} s", method.name(), started.elapsed().as_secs_f64());
    }
    Ok(evaluation)
}

/// Protocol P3 in cross-validation over users, by P2's folds. Data without ratings have nothing to predict.
///
/// # Errors
/// A method that fails.
pub fn evaluate_reactions(
    dataset: &Dataset,
    methods: &[Box<dyn ReactionMethod>],
    evaluation: &mut Evaluation,
) -> Result<()> {
    if !dataset.has_reactions() {
        return Ok(());
    }
    for method in methods {
        let started = Instant::now();
        let mut found = [Predictions::new(), Predictions::new()];
        for (number, fold) in (1..).zip(folds(&dataset.users, dataset.main_users, FOLDS, FOLD_SEED)) {
            let fit = method.fit(&TrainingSet::new(&dataset.catalog, fold.train, fold.main)?)?;
            for (found, known) in found.iter_mut().zip(HISTORIES) {
                found.extend(reactions(fit.scorer.as_ref(), &fold.held_out, known, None)?);
            }
            let training = Training { protocol: Protocol::P3, fold: Some(number) };
            evaluation.keep_choice(method.name(), training, fit.parameters);
        }
        evaluation.keep_reactions(Label::of_only(method.name().to_owned(), method.role()), &found);
        eprintln!("{}: P3 measured in {:.0} s", method.name(), started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Protocol P1 of one method.
fn split_by_user(dataset: &Dataset, method: &dyn Method, evaluation: &mut Evaluation) -> Result<()> {
    let main = dataset.users.get(..dataset.main_users).context("more main users than users")?;
    let split = Split::by_user(main)?;
    let extra = dataset.users.get(dataset.main_users..).unwrap_or_default();
    let users = [split.train, extra].concat();
    let training = TrainingSet::new(&dataset.catalog, users, split.train.len())?;
    let fit = method.fit(&training, &Selection::NextMovie { validation: split.validation })?;
    for (label, scorer) in labelled(method, &fit) {
        evaluation.measure_next_movie(&label, scorer, &groups(&split))?;
    }
    evaluation.keep_losses(&fit);
    if !fit.epochs.is_empty() {
        let point = |epoch: &EpochFigures| CurvePoint {
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
    evaluation.keep_choice(method.name(), Training { protocol: Protocol::P1, fold: None }, fit.parameters);
    Ok(())
}

const fn groups<'users>(split: &Split<'users>) -> [(Group, &'users [User]); 2] {
    [(Group::Validation, split.validation), (Group::Test, split.test)]
}

/// Protocols that one cross-validation measures.
struct Task {
    selection: Selection<'static>,
    protocols: Vec<Protocol>,
    /// How many users are dealt out to the folds, from the first on. The others train in every fold.
    main: usize,
}

/// The cross-validations that `protocols` ask for. A method that is tuned is fitted for each protocol by itself.
fn tasks(dataset: &Dataset, is_tuned: bool, protocols: &[Protocol]) -> Vec<Task> {
    let by_clicks = [(Protocol::P2, Selection::FewClicks), (Protocol::P4, Selection::Discovery)];
    // A catalogue may be so small that all of it is well known.
    let possible = |protocol: Protocol| protocol != Protocol::P4 || dataset.catalog.len() > BEST_KNOWN;
    let asked = |protocol: Protocol| protocols.contains(&protocol) && possible(protocol);
    let mut tasks: Vec<Task> = Vec::new();
    for (protocol, selection) in by_clicks.into_iter().filter(|(protocol, _)| asked(*protocol)) {
        match tasks.last_mut().filter(|_| !is_tuned) {
            Some(task) => task.protocols.push(protocol),
            None => tasks.push(Task { selection, protocols: vec![protocol], main: dataset.main_users }),
        }
    }
    // Few users come back, so those of further files are measured too.
    if protocols.contains(&Protocol::P5) && dataset.users.iter().any(next_visit::is_measured) {
        let (selection, main) = (Selection::NextVisit, dataset.users.len());
        tasks.push(Task { selection, protocols: vec![Protocol::P5], main });
    }
    tasks
}

/// A cross-validation of one method over users.
fn cross_validate(dataset: &Dataset, method: &dyn Method, task: &Task, evaluation: &mut Evaluation) -> Result<()> {
    let mut found: Vec<(Label, Outcomes)> = Vec::new();
    for (number, fold) in (1..).zip(folds(&dataset.users, task.main, FOLDS, FOLD_SEED)) {
        let training = TrainingSet::new(&dataset.catalog, fold.train, fold.main)?;
        let fit = method.fit(&training, &task.selection)?;
        for (at, (label, scorer)) in labelled(method, &fit).enumerate() {
            let outcomes = Outcomes::new(&label, scorer, &fold.held_out, &training.catalog, &task.protocols)?;
            match found.get_mut(at) {
                Some((known, all)) => {
                    ensure!(*known == label, "{} has other variants in fold {number} than before", method.name());
                    all.merge(outcomes);
                }
                None => found.push((label, outcomes)),
            }
        }
        evaluation.keep_losses(&fit);
        if let Some(protocol) = task.protocols.first() {
            let training = Training { protocol: *protocol, fold: Some(number) };
            evaluation.keep_choice(method.name(), training, fit.parameters);
        }
    }
    for (label, outcomes) in found {
        outcomes.keep(&label, dataset.catalog.len(), evaluation);
    }
    Ok(())
}

/// A bundle's variants: the defaults, the plain order of the scores, that of the first stage if there is a second, and
/// the votes of the states if there are any.
fn bundle_variants(recommender: &Recommender) -> Vec<Variant> {
    let mut variants = vec![Variant::Default, Variant::Novelty(0.0), Variant::FirstStageAlone];
    if recommender.retrievals().contains(&Retrieval::States) {
        variants.push(Variant::States);
    }
    distinct(recommender, &variants)
}

/// The users that a finished bundle is measured on.
struct BundleTask<'task> {
    protocols: &'task [Protocol],
    /// P1's users.
    groups: &'task [(Group, &'task [User])],
    /// The users of P2, P3 and P4.
    users: &'task [User],
    /// The users of P5, if they are others.
    returned: &'task [User],
    /// The movies with the counts of the training users.
    catalog: &'task Catalog,
    /// The popularity of the movies, the one baseline that needs no training.
    popularity: Popularity,
}

impl BundleTask<'_> {
    fn measure(&self, recommender: &Recommender, evaluation: &mut Evaluation) -> Result<()> {
        let popularity = Label::of_only(POPULARITY.to_owned(), Role::Baseline);
        self.measure_suggestions(&popularity, &self.popularity, evaluation)?;
        let ours = Label::of_only(recommender.manifest().name.clone(), Role::Ours);
        for variant in bundle_variants(recommender) {
            let scorer = BundleScorer { recommender, strategy: strategy(variant) };
            self.measure_suggestions(&Label { variant, ..ours.clone() }, &scorer, evaluation)?;
        }
        if self.protocols.contains(&Protocol::P3) && recommender.has_ranker() {
            evaluation.measure_reactions(ours, &BundleReactions(recommender), self.users)?;
        }
        Ok(())
    }

    /// All protocols but P3.
    fn measure_suggestions(&self, label: &Label, scorer: &dyn Scorer, evaluation: &mut Evaluation) -> Result<()> {
        if self.protocols.contains(&Protocol::P1) {
            evaluation.measure_next_movie(label, scorer, self.groups)?;
        }
        let (returning, clicking): (Vec<_>, Vec<_>) =
            self.protocols.iter().partition(|protocol| **protocol == Protocol::P5);
        let mut outcomes = Outcomes::new(label, scorer, self.users, self.catalog, &clicking)?;
        outcomes.merge(Outcomes::new(label, scorer, self.returned, self.catalog, &returning)?);
        outcomes.keep(label, self.catalog.len(), evaluation);
        Ok(())
    }
}

/// What of the users' ratings is measured, in a sentence; empty if all are.
fn sampling(users: usize, measured: usize, most_events: Option<usize>) -> String {
    let users = (measured < users).then(|| format!(" {measured} of these users are measured, evenly spread."));
    let events = most_events
        .map(|most| format!(" P1 and P3 measure at most {most} ratings of each user, evenly spread over their time."));
    users.into_iter().chain(events).collect()
}

/// Measures a finished bundle on users whom it was not trained on, and the popularity in its catalogue on the same
/// users. Of many users and ratings, samples are measured.
///
/// # Errors
/// No users, an input that the bundle rejects, or P3 alone for a bundle without a second stage.
pub fn evaluate_bundle(recommender: &Recommender, users: &[User], protocols: &[Protocol]) -> Result<Evaluation> {
    let catalog = recommender.catalog();
    ensure!(
        protocols != [Protocol::P3] || recommender.has_ranker(),
        "P3 measures a bundle's second stage, and this bundle has none; measure it by P1 or P2"
    );
    let ratings: usize = users.iter().map(|user| user.events.len()).sum();
    let measured = sample(users, MOST_USERS);
    let returned: Vec<User> = users.iter().filter(|user| next_visit::is_measured(user)).cloned().collect();
    let has_long = measured.iter().any(|user| user.events.len() > MOST_EVENTS);
    let by_events = protocols.contains(&Protocol::P1) || protocols.contains(&Protocol::P3);
    let most_events = (has_long && by_events).then_some(MOST_EVENTS);
    let mut evaluation = Evaluation {
        setting: format!(
            "A finished bundle of {} movies; {ratings} ratings by {} users.{}",
            catalog.len(),
            users.len(),
            sampling(users.len(), measured.len(), most_events)
        ),
        most_events,
        ..Evaluation::default()
    };
    let task = BundleTask {
        protocols,
        groups: &[(Group::UnseenUsers, &measured)],
        users: &measured,
        returned: &sample(&returned, MOST_USERS),
        catalog,
        popularity: Popularity::of_catalog(catalog),
    };
    task.measure(recommender, &mut evaluation)?;
    Ok(evaluation)
}

/// Measures a model on the users whom its training held out, and the popularity among the training users on the same
/// users.
///
/// Only P1 keeps validation and test users apart, since forty users are few. These figures can't be compared with those
/// of a cross-validation.
///
/// # Errors
/// Too few users, or an input that the model rejects.
pub fn evaluate_held_out(dataset: &Dataset, recommender: &Recommender) -> Result<Evaluation> {
    let split = Split::by_user(&dataset.users)?;
    let training = TrainingSet::new(&dataset.catalog, split.train.to_vec(), split.train.len())?;
    let held_out = [split.validation, split.test].concat();
    let groups = groups(&split);
    let task = BundleTask {
        protocols: &Protocol::ALL,
        groups: if dataset.has_order() { &groups } else { &[] },
        users: &held_out,
        returned: &held_out,
        catalog: &training.catalog,
        popularity: Popularity::new(dataset.catalog.len(), split.train),
    };
    let mut evaluation = Evaluation::default();
    task.measure(recommender, &mut evaluation)?;
    Ok(evaluation)
}
