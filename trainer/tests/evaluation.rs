//! The evaluator end to end on two taste groups: methods trained on splits, a finished bundle, and the reports.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::{Arc, Mutex};

use anyhow::Result;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use trainer::data::training_set::TrainingSet;
use trainer::data::{Dataset, Event, Times, User};
use trainer::evaluate::bundle_scorer::{BundleScorer, strategy};
use trainer::evaluate::evaluation::Evaluation;
use trainer::evaluate::held_out::held_out_figures;
use trainer::evaluate::label::{Group, Label, Measure, Role, Training, Variant};
use trainer::evaluate::method::{Fit, FittedVariant, Method, ReactionFit, ReactionMethod, Selection};
use trainer::evaluate::protocol::Protocol;
use trainer::evaluate::reaction::ReactionScorer;
use trainer::evaluate::run::{evaluate_bundle, evaluate_held_out, evaluate_methods, evaluate_reactions};
use trainer::evaluate::scorer::Scorer;
use trainer::models::seed_network::fit::fit;
use trainer::models::seed_network::train::TrainConfig;
use trainer::registry::{methods, reaction_methods};
use trainer::report;
use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
use watchnext::features::LocalTime;
use watchnext::history::{History, Rating, Watch};
use watchnext::recommend::Recommender;

/// Even movies are one group's and odd ones the other's.
const MOVIES: usize = 80;

/// `main` users and `further` ones who only train. Each likes 30 movies of a group and one of the other's, so that the
/// groups are connected.
fn taste_groups(main: usize, further: usize) -> Dataset {
    let movie = |id: usize| {
        let id = u32::try_from(id).unwrap();
        Movie { id: MovieId(id), key: None, title: format!("Movie {id}"), year: None, genres: Vec::new(), ratings: 1 }
    };
    let catalog = Catalog::new(Vec::new(), (0..MOVIES).map(movie).collect()).unwrap();
    let user = |number: usize| {
        let own = (0..30).map(|at| (number % 2 + 2 * (7 * at + 3 * number)) % MOVIES);
        let movies = own.chain([(number + 1 + 2 * (number % 5)) % MOVIES]);
        let event = |(at, movie): (usize, usize)| Event {
            movie: MovieIndex::new(movie).unwrap(),
            rating: Rating::new(if at == 30 { 2.0 } else { 4.5 }),
            timestamp: i64::try_from(1000 * number + at).unwrap(),
        };
        User { id: u32::try_from(number).unwrap() + 1, events: movies.enumerate().map(event).collect() }
    };
    Dataset {
        catalog,
        users: (0..main + further).map(user).collect(),
        main_users: main,
        times: Times::Known,
        sources: Vec::new(),
    }
}

/// Knows the groups, and orders a group by index. It records the users that it was trained on.
#[derive(Default)]
struct Oracle(Arc<Mutex<Vec<Vec<u32>>>>);

/// Over so many movies.
struct SameGroup(usize);

impl Scorer for SameGroup {
    fn scores(&self, history: &History, _: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let odd = history.watches().iter().filter(|watch| watch.movie.as_usize() % 2 == 1).count() * 2 > history.len();
        let seen = history.seen(self.0);
        let score = |movie: usize| (movie, if (movie % 2 == 1) == odd { 1.0 } else { 0.0 } - movie as f32 / 1000.0);
        Ok((0..self.0).filter(|movie| !seen[*movie]).map(score).collect())
    }
}

impl Method for Oracle {
    fn id(&self) -> &'static str {
        "oracle"
    }

    fn name(&self) -> &'static str {
        "oracle"
    }

    fn role(&self) -> Role {
        Role::Ours
    }

    fn fit(&self, training: &TrainingSet, _: &Selection) -> Result<Fit> {
        // The counts are of the training users alone: nothing of the held-out users is in them.
        let ratings: u32 = training.catalog.movies().iter().map(|movie| movie.ratings).sum();
        assert_eq!(ratings as usize, training.users.iter().map(|user| user.events.len()).sum::<usize>());
        self.0.lock().unwrap().push(training.users.iter().map(|user| user.id).collect());
        let fitted = |variant: Variant| FittedVariant { variant, scorer: Box::new(SameGroup(training.catalog.len())) };
        let variants = vec![fitted(Variant::Default), fitted(Variant::Novelty(0.5))];
        Ok(Fit { parameters: "none".to_owned(), ..Fit::of_variants(variants) })
    }
}

fn baselines(ids: &[&str]) -> Vec<Box<dyn Method>> {
    methods(&TrainConfig::default(), None).into_iter().filter(|method| ids.contains(&method.id())).collect()
}

fn with_oracle(ids: &[&str]) -> Vec<Box<dyn Method>> {
    baselines(ids).into_iter().chain([Box::new(Oracle::default()) as Box<dyn Method>]).collect()
}

fn gain(evaluation: &Evaluation, method: &str, clicks: usize) -> f64 {
    let row = evaluation.few_clicks.iter().find(|row| row.label.method == method).unwrap();
    row.figures.iter().find(|figures| figures.clicks == clicks).unwrap().ndcg10.mean
}

#[test]
fn tuned_baselines_find_the_groups_and_popularity_does_not() {
    let ids = ["popularity", "item-knn", "naive-bayes", "ease", "als"];
    let evaluation = evaluate_methods(&taste_groups(60, 0), &baselines(&ids), &Protocol::ALL).unwrap();
    assert_eq!(evaluation.few_clicks.len(), 5);
    assert!(evaluation.few_clicks.iter().flat_map(|row| &row.figures).all(|figures| figures.users == 60));
    for method in ["item kNN", "naive Bayes", "EASE", "implicit ALS"] {
        let (theirs, popularity) = (gain(&evaluation, method, 3), gain(&evaluation, "popularity", 3));
        assert!(theirs > 0.7 && theirs > 1.3 * popularity, "{method}: {theirs} against {popularity}");
    }
    // One choice for P1 and one for each fold of P2.
    assert_eq!(evaluation.choices.len(), 5 * 6);
    // None of these is ours.
    assert!(evaluation.comparisons().is_empty());
    assert!(report::json(&evaluation).get("p1.hit10").is_none());
}

#[test]
fn further_users_train_in_every_split_and_are_never_measured() {
    let dataset = taste_groups(60, 20);
    let trained_on = Arc::new(Mutex::new(Vec::new()));
    let methods: Vec<Box<dyn Method>> = vec![Box::new(Oracle(Arc::clone(&trained_on)))];
    let with = evaluate_methods(&dataset, &methods, &Protocol::ALL).unwrap();
    let trained_on = trained_on.lock().unwrap();
    // Once for P1 and once for each fold of P2.
    assert_eq!(trained_on.len(), 6);
    assert!(trained_on.iter().all(|users| (61..=80).all(|further| users.contains(&further))));
    let without = evaluate_methods(&taste_groups(60, 0), &with_oracle(&[]), &Protocol::ALL).unwrap();
    // The oracle doesn't learn, so the same users with the same clicks give the same figures.
    assert_eq!(with.few_clicks[0].figures[1].ndcg10, without.few_clicks[0].figures[1].ndcg10);
    assert_eq!(with.next_movie[0].figures, without.next_movie[0].figures);
    assert!(with.few_clicks[0].figures[0].by_user.iter().all(|user| user.user <= 60));
    assert!(with.setting.contains("20 further users"), "{}", with.setting);
}

#[test]
fn ours_is_compared_with_the_best_baseline_and_has_the_flat_keys() {
    let evaluation =
        evaluate_methods(&taste_groups(60, 0), &with_oracle(&["popularity", "ease"]), &Protocol::ALL).unwrap();
    let comparisons = evaluation.comparisons();
    // Four figures of P1 and two of P2 at each of four numbers of clicks.
    assert_eq!(comparisons.len(), 4 + 2 * 4);
    let after_three = comparisons.iter().find(|row| row.clicks == Some(3) && row.measure == Measure::Ndcg10).unwrap();
    assert_eq!((after_three.ours.method.as_str(), after_three.baseline.method.as_str()), ("oracle", "EASE"));
    let expected = gain(&evaluation, "oracle", 3) - gain(&evaluation, "EASE", 3);
    assert!((after_three.difference.absolute.mean - expected).abs() < 1e-12);
    let json = report::json(&evaluation);
    for key in ["p1.hit10", "p1.hit100", "p1.ndcg10", "p1.mrr"] {
        assert!(json[key].is_f64(), "{key}");
    }
    for clicks in [1, 3, 5, 10] {
        for figure in ["ndcg10", "recall20", "coverage10", "popularity10"] {
            assert!(json[format!("p2.{clicks}.{figure}")].is_f64(), "p2.{clicks}.{figure}");
        }
    }
    assert_eq!(json["p2"][2]["figures"][1]["clicks"], 3);
}

#[test]
fn the_report_is_one_file_without_requests() {
    let folder = tempfile::tempdir().unwrap();
    let evaluation =
        evaluate_methods(&taste_groups(60, 0), &with_oracle(&["popularity", "ease"]), &Protocol::ALL).unwrap();
    report::write(&evaluation, folder.path()).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let page = read("report.html");
    for request in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(request), "{request}");
    }
    // Clicks, coverage, what lists share and the next movie; nothing here has epochs.
    assert_eq!((page.matches("<svg ").count(), page.matches("</svg>").count()), (4, 4));
    assert!(page.contains("oracle, novelty 0.5") && page.contains("prefers-color-scheme: dark"));
    assert!(read("clicks.svg").starts_with("<svg ") && read("coverage.svg").contains("oracle"));
    let json: serde_json::Value = serde_json::from_str(&read("evaluation.json")).unwrap();
    assert_eq!(json["parameters"], report::json(&evaluation)["parameters"]);
    let text = report::text(&evaluation);
    for part in ["P1, the next movie", "P2, after 10 clicks", "paired bootstrap", "Chosen parameters", "λ"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// A bundle is measured on any users without training, and on the users whom its own training held out.
#[test]
fn a_finished_bundle_is_measured_by_both_protocols() {
    let dataset = taste_groups(60, 0);
    let config = TrainConfig { epochs: 3, batch: 256, ..TrainConfig::default() };
    let recommender = fit(&dataset, &config, true, "made up", "", None).unwrap().packed.recommender().unwrap();
    let evaluation = evaluate_bundle(&recommender, &dataset.users, &Protocol::ALL).unwrap();
    // Popularity, the default, the plain order and the states.
    assert_eq!((evaluation.next_movie.len(), evaluation.few_clicks.len()), (4, 4));
    let shipped: Vec<bool> = evaluation.few_clicks.iter().map(|row| row.label.is_shipped()).collect();
    assert_eq!(shipped, [false, true, false, false]);
    let json = report::json(&evaluation);
    for key in ["p2.5.ndcg10", "lists.5.reasons", "wall.0.seen", "wall.3.static"] {
        assert!(json[key].is_f64(), "{key}");
    }
    // Users have 31 events, of which P1 measures 20.
    assert!(evaluation.next_movie.iter().all(|row| row.figures.events == 60 * 20));
    assert!(evaluation.setting.contains("at most 20 ratings of each user"), "{}", evaluation.setting);
    assert_best_are_the_first(&recommender);
    let held_out = evaluate_held_out(&dataset, &recommender).unwrap();
    assert_eq!(held_out.few_clicks[0].figures[0].users, 12);
    let groups: Vec<Group> = held_out.next_movie.iter().map(|row| row.group).collect();
    assert_eq!(groups, [Group::Validation, Group::Test].repeat(4));
    let figures = held_out_figures(&held_out, Some(0.5));
    for group in ["validation", "test"] {
        for row in ["popularity", "movies", "movies-plain", "states"] {
            assert!(figures.contains_key(&format!("p1.{group}.{row}.hit10")), "p1.{group}.{row}.hit10");
        }
    }
    for key in ["lists.3.states.shared", "lists.1.popularity.best_known", "wall.10.movies.static"] {
        assert!(figures.contains_key(key), "{key}");
    }
    assert!(figures.contains_key("p2.3.states.coverage10") && figures["states.recall100"] == 0.5);
    assert!(held_out_figures(&evaluation, None).contains_key("p1.unseen.movies-plain.mrr"));
}

/// For each variant, the best scores are the first of all, and others take the places of movies that are left out.
fn assert_best_are_the_first(recommender: &Recommender) {
    let watch = Watch { movie: MovieIndex::new(3).unwrap(), rating: None };
    let (history, moment) = (History::new([watch]), LocalTime::from_unix(0, 0).unwrap());
    for variant in [Variant::Default, Variant::Novelty(0.0), Variant::States] {
        let scorer = BundleScorer { recommender, strategy: strategy(variant) };
        let all = scorer.scores(&history, &moment).unwrap();
        let first: Vec<MovieIndex> = all[..4].iter().map(|(movie, _)| MovieIndex::new(*movie).unwrap()).collect();
        let best = scorer.best_scores(&history, &moment, &[], 4).unwrap();
        assert!(best.len() >= 4 && best[..4] == all[..4], "{variant:?}: {best:?} against {all:?}");
        let others = scorer.best_scores(&history, &moment, &first, 4).unwrap();
        assert!(others.len() >= 4, "{variant:?}: {others:?}");
        assert!(others.iter().all(|(movie, _)| first.iter().all(|left_out| left_out.as_usize() != *movie)));
        if variant == Variant::Novelty(0.0) {
            assert_eq!(others[..4], all[4..8]);
        }
    }
}

/// The catalogue of [`returning`].
const MANY_MOVIES: usize = 300;

/// Two taste groups over 300 movies, of which the first 100 are well known. Each user likes 20 of these and 20 others
/// in a first visit, and ten more others 40 days later.
fn returning(main: usize, further: usize) -> Dataset {
    let dataset = taste_groups(main, further);
    let movie = |row: usize| {
        let (id, ratings) = (MovieId(u32::try_from(row).unwrap() + 1), 1);
        Movie { id, key: None, title: format!("Movie {row}"), year: None, genres: Vec::new(), ratings }
    };
    let catalog = Catalog::new(Vec::new(), (0..MANY_MOVIES).map(movie).collect()).unwrap();
    let user = |number: usize| {
        let mut known: Vec<usize> = (0..50).map(|at| 2 * at + number % 2).collect();
        let mut others: Vec<usize> = (50..150).map(|at| 2 * at + number % 2).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(number as u64);
        known.shuffle(&mut rng);
        others.shuffle(&mut rng);
        let event = |(at, movie): (usize, &usize)| Event {
            movie: MovieIndex::new(*movie).unwrap(),
            rating: Rating::new(4.5),
            timestamp: i64::try_from(1000 * number + at + if at < 40 { 0 } else { 40 * 24 * 3600 }).unwrap(),
        };
        let movies = known[..20].iter().chain(&others[..30]);
        User { id: u32::try_from(number).unwrap() + 1, events: movies.enumerate().map(event).collect() }
    };
    Dataset { catalog, users: (0..main + further).map(user).collect(), ..dataset }
}

/// A tuned method is fitted for each protocol, the oracle once for P2 and P4 and once for P5. P5 also measures the
/// further users, in folds that they don't train.
#[test]
fn discovery_and_the_next_visit_are_cross_validated() {
    let trained_on = Arc::new(Mutex::new(Vec::new()));
    let oracle: Box<dyn Method> = Box::new(Oracle(Arc::clone(&trained_on)));
    let methods: Vec<Box<dyn Method>> = baselines(&["popularity", "item-knn"]).into_iter().chain([oracle]).collect();
    let protocols = [Protocol::P2, Protocol::P4, Protocol::P5];
    let evaluation = evaluate_methods(&returning(40, 10), &methods, &protocols).unwrap();
    let trained_on = trained_on.lock().unwrap();
    let sizes: Vec<usize> = trained_on.iter().map(Vec::len).collect();
    assert_eq!(sizes, [vec![32 + 10; 5], vec![40; 5]].concat());
    let choices = |protocol: Protocol| {
        let of_knn = evaluation.choices.iter().filter(|choice| choice.method == "item kNN");
        of_knn.filter(|choice| choice.training.protocol == protocol).count()
    };
    assert_eq!(protocols.map(choices), [5, 5, 5]);
    let discovery = |row: usize| &evaluation.discovery[row].figures[1];
    assert_eq!((discovery(0).clicks, discovery(0).users, evaluation.discovery.len()), (3, 40, 4));
    assert!(discovery(1).ndcg10.mean > 1.3 * discovery(0).ndcg10.mean, "{:?}", evaluation.discovery);
    assert_eq!(evaluation.next_visit.iter().map(|row| row.rated.users).collect::<Vec<_>>(), [50; 4]);
    let compared: Vec<_> = evaluation.comparisons().iter().map(|row| (row.protocol, row.clicks, row.measure)).collect();
    for clicks in [1, 3, 5, 10] {
        assert!(compared.contains(&(Protocol::P4, Some(clicks), Measure::Ndcg10)), "{compared:?}");
    }
    assert!(
        compared.ends_with(&[(Protocol::P5, None, Measure::Ndcg10Clicks), (Protocol::P5, None, Measure::Ndcg10Rated)])
    );
    let json = report::json(&evaluation);
    for key in ["p4.10.ndcg10", "p5.clicks.ndcg10", "p5.rated.ndcg10", "p5.rated.hit20", "lists.1.shared"] {
        assert!(json[key].is_f64(), "{key}");
    }
    // The oracle gives no reasons and has no wall.
    assert!(json.get("lists.1.reasons").is_none() && json.get("wall.0.seen").is_none());
    let figures = held_out_figures(&evaluation, None);
    assert!(figures.contains_key("p4.5.movies.recall20") && figures.contains_key("p5.clicks.popularity.hit20"));
    let text = report::text(&evaluation);
    for part in ["P4, discovery, after 1 click (40 users", "P5, the next visit", "Lists of 12, after 10 clicks"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Its two retrievals are variants of one fit. Only P1 holds out users for a curve by epoch.
#[test]
fn the_seed_network_is_measured_in_both_of_its_ways() {
    let config = TrainConfig { epochs: 3, batch: 256, ..TrainConfig::default() };
    let network: Vec<Box<dyn Method>> =
        methods(&config, None).into_iter().filter(|method| method.id() == "seed-network").collect();
    let evaluation = evaluate_methods(&taste_groups(60, 0), &network, &Protocol::ALL).unwrap();
    let variants: Vec<Variant> = evaluation.few_clicks.iter().map(|row| row.label.variant).collect();
    assert_eq!(variants, [Variant::Softmax, Variant::States]);
    let json = report::json(&evaluation);
    let names: Vec<&str> = [0, 1].iter().map(|row| json["p2"][row]["method"].as_str().unwrap()).collect();
    assert_eq!(names, ["seed network, softmax", "seed network, neighbours"]);
    assert!(evaluation.few_clicks.iter().flat_map(|row| &row.figures).all(|figures| figures.users == 60));
    let epochs: Vec<usize> = evaluation.curves.iter().map(|curve| curve.epochs.len()).collect();
    assert_eq!(epochs, [3]);
    let folder = tempfile::tempdir().unwrap();
    report::write(&evaluation, folder.path()).unwrap();
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert_eq!(page.matches("<svg ").count(), 6);
}

/// Users who rate 15 movies of their own group, mostly well, and 15 of the other's, mostly badly, in turn. Every third
/// user is harder to please. The movies' means are all alike.
fn reacting(main: usize, further: usize) -> Dataset {
    let dataset = taste_groups(main, further);
    let user = |number: usize| {
        // Users draw their movies at random, so that a movie's mean doesn't depend on who is hard to please.
        let mut movies: Vec<usize> = (0..MOVIES / 2).collect();
        movies.shuffle(&mut ChaCha8Rng::seed_from_u64(number as u64));
        let event = |at: usize| {
            let group = (number + at) % 2;
            let strict = number.is_multiple_of(3);
            let liked = at.is_multiple_of(2) != (at * 5 + number).is_multiple_of(if strict { 6 } else { 13 });
            Event {
                movie: MovieIndex::new(group + 2 * movies[at / 2]).unwrap(),
                rating: Rating::new(if liked { 4.5 } else { 2.0 } - if strict { 0.5 } else { 0.0 }),
                timestamp: i64::try_from(1000 * number + at).unwrap(),
            }
        };
        User { id: u32::try_from(number).unwrap() + 1, events: (0..30).map(event).collect() }
    };
    Dataset { users: (0..main + further).map(user).collect(), ..dataset }
}

/// Knows the groups, and predicts by the ratings of the same group; with clicks alone it can't.
struct GroupsReaction;

impl ReactionScorer for GroupsReaction {
    fn like(&self, history: &History, movie: MovieIndex, _: &LocalTime) -> Result<f32> {
        let in_group = |movie: MovieIndex| movie.as_usize() % 2;
        let own = history.watches().iter().filter(|watch| in_group(watch.movie) == in_group(movie));
        let stars: Vec<f32> = own.filter_map(|watch| Some(watch.rating?.stars())).collect();
        Ok(if stars.is_empty() { 0.5 } else { stars.iter().sum::<f32>() / stars.len() as f32 / 5.0 })
    }
}

impl ReactionMethod for GroupsReaction {
    fn id(&self) -> &'static str {
        "groups"
    }

    fn name(&self) -> &'static str {
        "groups"
    }

    fn role(&self) -> Role {
        Role::Ours
    }

    fn fit(&self, training: &TrainingSet) -> Result<ReactionFit> {
        assert!(training.users.iter().any(|user| user.id > 60));
        Ok(ReactionFit { scorer: Box::new(GroupsReaction), parameters: String::new() })
    }
}

#[test]
fn reactions_are_predicted_by_the_ratings_of_the_same_group() {
    let baselines = reaction_methods(None).into_iter().filter(|method| method.role() == Role::Baseline);
    let methods: Vec<Box<dyn ReactionMethod>> =
        baselines.chain([Box::new(GroupsReaction) as Box<dyn ReactionMethod>]).collect();
    let mut evaluation = Evaluation::default();
    evaluate_reactions(&reacting(60, 5), &methods, &mut evaluation).unwrap();
    let row = |name: &str| evaluation.reactions.iter().find(|row| row.label.method == name).unwrap();
    // The main users' events from the 11th on, in both passes.
    for row in &evaluation.reactions {
        assert_eq!((row.known.events, row.clicks.events, row.known.users_within), (60 * 20, 60 * 20, 60));
        assert!((row.clicks.auc.mean - 0.5).abs() < 0.1, "{}: {:?}", row.label.method, row.clicks.auc);
    }
    let (mean, neighbours) = (row("movie mean"), row("item kNN of ratings"));
    assert!(neighbours.known.auc_within.mean > 0.85, "{:?}", neighbours.known);
    assert!(mean.known.auc_within.mean < 0.6, "{:?}", mean.known);
    assert!(neighbours.known.logloss.high < mean.known.logloss.low);
    assert!(neighbours.known.ece < 0.08, "{}", neighbours.known.ece);
    assert_eq!(mean.known, mean.clicks);
    // Three baselines chose for each fold; ours is compared with the best of them.
    let last = Training { protocol: Protocol::P3, fold: Some(5) };
    assert_eq!(evaluation.choices.iter().filter(|choice| choice.training == last).count(), 3);
    let comparisons = evaluation.comparisons();
    let measures: Vec<Measure> = comparisons.iter().map(|row| row.measure).collect();
    assert_eq!(measures, [Measure::AucWithin, Measure::AucWithinClicks]);
    let first = (comparisons[0].protocol, comparisons[0].baseline.method.as_str());
    assert_eq!(first, (Protocol::P3, "item kNN of ratings"));
    let json = report::json(&evaluation);
    assert_eq!(json["p3.auc"], json["p3"][3]["known"]["auc"]["mean"]);
    assert_eq!(json["p3.auc_clicks"], 0.5);
}

/// A trained scorer, such as a finished bundle's second stage, needs users with more than ten events.
#[test]
fn a_trained_scorer_is_measured_on_any_users() {
    let dataset = reacting(12, 0);
    let mut evaluation = Evaluation::default();
    let label = Label::of_only("groups".to_owned(), Role::Ours);
    evaluation.measure_reactions(label.clone(), &GroupsReaction, &dataset.users).unwrap();
    assert_eq!(evaluation.reactions[0].known.events, 12 * 20);
    assert!(report::json(&evaluation)["p3.logloss_clicks"].is_f64());
    // Nobody has eleven events.
    let short: Vec<User> =
        dataset.users.iter().map(|user| User { id: user.id, events: user.events[..10].to_vec() }).collect();
    evaluation.measure_reactions(label, &GroupsReaction, &short).unwrap();
    assert_eq!(evaluation.reactions.len(), 1);
}
