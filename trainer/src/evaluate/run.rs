//! Puts methods through the protocols: trained on a split, or as a finished bundle.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use watchnext::recommend::{DEFAULT_DIVERSITY, Recommender, Retrieval, Strategy};

use super::bundle_scorer::{OfBundle, Shipped, retrieval_name};
use super::evaluation::{Choice, Curve, CurvePoint, Evaluation, FewClicksRow, HISTORIES, Label};
use super::few_clicks::{FOLD_SEED, FOLDS, Outcome, PopularityRanks, few_clicks};
use super::method::{Fit, Method, ReactionMethod, Role, Selection};
use super::protocol::Protocol;
use super::reaction::{Predictions, ReactionScorer, reactions};
use super::scorer::Scorer;
use crate::data::popularity::Popularity;
use crate::data::split::{Split, folds};
use crate::data::training_set::TrainingSet;
use crate::data::{Dataset, User};

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
        let point = |epoch: &crate::nn::curve::EpochFigures| CurvePoint {
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
