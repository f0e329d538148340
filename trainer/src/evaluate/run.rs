//! Measures methods by the protocols: trained on a split, or as a finished bundle.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use watchnext::recommend::{Recommender, Retrieval};

use super::bundle_scorer::{BundleReactions, BundleScorer, strategy};
use super::evaluation::{Curve, CurvePoint, Evaluation, FewClicksRow, HISTORIES};
use super::few_clicks::{FOLD_SEED, FOLDS, Outcome, PopularityRanks, few_clicks};
use super::label::{Group, Label, POPULARITY, Role, Training, Variant};
use super::method::{Fit, Method, ReactionMethod, Selection};
use super::protocol::Protocol;
use super::reaction::{Predictions, reactions};
use super::scorer::Scorer;
use crate::data::popularity::Popularity;
use crate::data::split::{Split, folds};
use crate::data::training_set::TrainingSet;
use crate::data::{Dataset, User};
use crate::nn::curve::EpochFigures;

/// Every variant of a trained method, with its label.
fn labelled<'fit>(method: &dyn Method, fit: &'fit Fit) -> impl Iterator<Item = (Label, &'fit dyn Scorer)> {
    let (name, role, uses_time) = (method.name(), method.role(), method.uses_time());
    fit.variants.iter().map(move |fitted| {
        let label = Label { method: name.to_owned(), role, uses_time, variant: fitted.variant };
        (label, fitted.scorer.as_ref())
    })
}

/// Trains every method on splits of a data set and measures it on the rest: by P1, if the order of ratings is known,
/// and by P2. Users from further files always train. [`evaluate_reactions`] measures P3.
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
                found.extend(reactions(fit.scorer.as_ref(), &fold.held_out, known)?);
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

/// Protocol P2 of one method.
fn cross_validate(dataset: &Dataset, method: &dyn Method, evaluation: &mut Evaluation) -> Result<()> {
    let catalog = &dataset.catalog;
    let mut found: Vec<(Label, Outcome)> = Vec::new();
    for (number, fold) in (1..).zip(folds(&dataset.users, dataset.main_users, FOLDS, FOLD_SEED)) {
        let training = TrainingSet::new(catalog, fold.train, fold.main)?;
        let popularity = PopularityRanks::of_catalog(&training.catalog);
        let fit = method.fit(&training, &Selection::FewClicks)?;
        for (at, (label, scorer)) in labelled(method, &fit).enumerate() {
            let outcome = few_clicks(scorer, &fold.held_out, &popularity)?;
            match found.get_mut(at) {
                Some((known, all)) => {
                    ensure!(*known == label, "{} has other variants in fold {number} than before", method.name());
                    all.merge(outcome);
                }
                None => found.push((label, outcome)),
            }
        }
        evaluation.keep_losses(&fit);
        let training = Training { protocol: Protocol::P2, fold: Some(number) };
        evaluation.keep_choice(method.name(), training, fit.parameters);
    }
    let rows =
        found.into_iter().map(|(label, outcome)| FewClicksRow { label, figures: outcome.summarise(catalog.len()) });
    evaluation.few_clicks.extend(rows);
    Ok(())
}

/// A bundle's variants: the defaults, the plain order of the scores, that of the first stage if there is a second, and
/// the votes of the states if there are any.
fn bundle_variants(recommender: &Recommender) -> Vec<Variant> {
    let mut variants = vec![Variant::Default, Variant::Diversity(0.0)];
    if recommender.has_ranker() {
        variants.push(Variant::FirstStageAlone);
    }
    if recommender.retrievals().contains(&Retrieval::States) {
        variants.push(Variant::States);
    }
    variants
}

/// The users that a finished bundle is measured on.
struct BundleTask<'task> {
    /// P1's users; empty if P1 isn't measured.
    next_movie: &'task [(Group, &'task [User])],
    /// P2's users.
    few_clicks: Option<&'task [User]>,
    /// P3's users.
    reactions: Option<&'task [User]>,
    /// The popularity of the movies, the one baseline that needs no training.
    popularity: Popularity,
    ranks: PopularityRanks,
    /// How many movies the catalogue has.
    movies: usize,
}

impl BundleTask<'_> {
    fn measure(&self, recommender: &Recommender, evaluation: &mut Evaluation) -> Result<()> {
        let popularity = Label::of_only(POPULARITY.to_owned(), Role::Baseline);
        self.measure_suggestions(popularity, &self.popularity, evaluation)?;
        let ours = Label::of_only(recommender.manifest().name.clone(), Role::Ours);
        for variant in bundle_variants(recommender) {
            let scorer = BundleScorer { recommender, strategy: strategy(variant) };
            self.measure_suggestions(Label { variant, ..ours.clone() }, &scorer, evaluation)?;
        }
        match self.reactions.filter(|_| recommender.has_ranker()) {
            Some(users) => evaluation.measure_reactions(ours, &BundleReactions(recommender), users),
            None => Ok(()),
        }
    }

    /// Protocols P1 and P2.
    fn measure_suggestions(&self, label: Label, scorer: &dyn Scorer, evaluation: &mut Evaluation) -> Result<()> {
        evaluation.measure_next_movie(&label, scorer, self.next_movie)?;
        if let Some(users) = self.few_clicks {
            let figures = few_clicks(scorer, users, &self.ranks)?.summarise(self.movies);
            evaluation.few_clicks.push(FewClicksRow { label, figures });
        }
        Ok(())
    }
}

/// Measures a finished bundle on users whom it was not trained on, and the popularity in its catalogue on the same
/// users.
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
    let mut evaluation = Evaluation {
        setting: format!("A finished bundle of {} movies; {ratings} ratings by {} users.", catalog.len(), users.len()),
        ..Evaluation::default()
    };
    let measured = |protocol: Protocol| protocols.contains(&protocol).then_some(users);
    let groups = [(Group::UnseenUsers, users)];
    let task = BundleTask {
        next_movie: if protocols.contains(&Protocol::P1) { &groups } else { &[] },
        few_clicks: measured(Protocol::P2),
        reactions: measured(Protocol::P3),
        popularity: Popularity::of_catalog(catalog),
        ranks: PopularityRanks::of_catalog(catalog),
        movies: catalog.len(),
    };
    task.measure(recommender, &mut evaluation)?;
    Ok(evaluation)
}

/// Measures a model on the users whom its training held out, and the popularity among the training users on the same
/// users.
///
/// Its P2 and P3 are of validation and test users together, since forty users are few. These figures can't be compared
/// with those of a cross-validation.
///
/// # Errors
/// Too few users, or an input that the model rejects.
pub fn evaluate_held_out(dataset: &Dataset, recommender: &Recommender) -> Result<Evaluation> {
    let split = Split::by_user(&dataset.users)?;
    let training = TrainingSet::new(&dataset.catalog, split.train.to_vec(), split.train.len())?;
    let held_out = [split.validation, split.test].concat();
    let groups = groups(&split);
    let task = BundleTask {
        next_movie: if dataset.has_order() { &groups } else { &[] },
        few_clicks: Some(&held_out),
        reactions: Some(&held_out),
        popularity: Popularity::new(dataset.catalog.len(), split.train),
        ranks: PopularityRanks::of_catalog(&training.catalog),
        movies: dataset.catalog.len(),
    };
    let mut evaluation = Evaluation::default();
    task.measure(recommender, &mut evaluation)?;
    Ok(evaluation)
}
