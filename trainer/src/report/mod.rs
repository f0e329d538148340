//! The evaluator's output: tables for the terminal, JSON for programs, a page with pictures for people, and the model
//! card.

mod cells;
mod click_tables;
mod external_card;
mod html;
mod json;
mod model_card;
mod plots;
mod recipe;
mod rows;
mod table;
mod template;
mod text;

use std::path::Path;

use anyhow::{Context, Result};

pub use external_card::external_card;
pub use json::json;
pub use model_card::{model_card, renew_card};
pub use recipe::Recipe;

use crate::evaluate::evaluation::Evaluation;

/// The tables for the terminal.
pub fn text(evaluation: &Evaluation) -> String {
    table::Tables(evaluation).to_string()
}

/// Writes `evaluation.json`, `report.html` and the pictures as SVG files into `folder`.
///
/// # Errors
/// A folder that can't be written to, or a picture or page that can't be made.
pub fn write(evaluation: &Evaluation, folder: &Path) -> Result<()> {
    let place = || format!("the report can't be written to {}", folder.display());
    std::fs::create_dir_all(folder).with_context(place)?;
    std::fs::write(folder.join("evaluation.json"), serde_json::to_vec_pretty(&json(evaluation))?)
        .with_context(place)?;
    let plots = plots::all(evaluation)?;
    for plot in &plots {
        std::fs::write(folder.join(format!("{}.svg", plot.name)), plot.standalone()).with_context(place)?;
    }
    std::fs::write(folder.join("report.html"), html::page(evaluation, &plots)?).with_context(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::evaluate::bootstrap::Figure;
    use crate::evaluate::discovery::{self, Discovery};
    use crate::evaluate::draws::CLICKS;
    use crate::evaluate::evaluation::{
        Choice, Curve, CurvePoint, DiscoveryRow, FewClicksRow, ListsRow, NextMovieRow, NextVisitRow, ReactionRow,
        WallRow,
    };
    use crate::evaluate::few_clicks::{FewClicks, UserFigures};
    use crate::evaluate::label::{Group, Label, Role, Training, Variant};
    use crate::evaluate::lists::Lists;
    use crate::evaluate::next_movie::NextMovie;
    use crate::evaluate::next_visit::{self, NextVisit};
    use crate::evaluate::protocol::Protocol;
    use crate::evaluate::reaction::{Prediction, Reactions};
    use crate::evaluate::wall::{WALL_CLICKS, Wall};
    use crate::nn::curve::LossCurve;

    fn around(mean: f64, by: f64) -> Figure {
        Figure { mean, low: mean - by, high: mean + by }
    }

    fn baseline(name: &str) -> Label {
        Label::of_only(name.to_owned(), Role::Baseline)
    }

    fn tower(variant: Variant) -> Label {
        Label { variant, ..Label::of_only("watchnext tower".to_owned(), Role::Ours) }
    }

    /// Five baselines and our tower, whose default is in the middle of its curve.
    fn of_everything() -> Evaluation {
        let methods = [
            (baseline("popularity"), 0.406, 0.002),
            (baseline("item kNN"), 0.496, 0.026),
            (baseline("naive Bayes"), 0.476, 0.018),
            (baseline("EASE"), 0.482, 0.049),
            (baseline("implicit ALS"), 0.463, 0.031),
            (tower(Variant::Default), 0.508, 0.05),
            (tower(Variant::Novelty(0.0)), 0.51, 0.04),
            (tower(Variant::Novelty(0.3)), 0.503, 0.07),
            (tower(Variant::Novelty(0.5)), 0.46, 0.16),
        ];
        let mut evaluation = Evaluation { setting: "Made up.".to_owned(), ..Evaluation::default() };
        for (label, gain, coverage) in &methods {
            let figures = CLICKS.into_iter().map(|clicks| few_clicks(clicks, *gain, *coverage)).collect();
            evaluation.few_clicks.push(FewClicksRow { label: label.clone(), figures });
            add_later_protocols(&mut evaluation, label, *gain, *coverage);
        }
        let further = [Variant::Novelty(0.3), Variant::Novelty(0.5)];
        for (label, gain, _) in methods.iter().filter(|(label, ..)| !further.contains(&label.variant)) {
            for group in [Group::Validation, Group::Test] {
                let figures = next_movie(*gain);
                evaluation.next_movie.push(NextMovieRow { label: label.clone(), group, figures });
            }
        }
        let reacting =
            [(baseline("movie mean"), 0.5), (baseline("item kNN of ratings"), 0.8), (tower(Variant::Only), 1.0)];
        for (label, knows) in reacting {
            let (known, clicks) = (reactions(knows), reactions(knows / 2.0));
            evaluation.reactions.push(ReactionRow { label, known, clicks });
        }
        add_training(&mut evaluation);
        evaluation
    }

    /// P4, P5, the lists and the wall. The more of the catalogue a method suggests, the more it finds in discovery and
    /// the less its lists share.
    fn add_later_protocols(evaluation: &mut Evaluation, label: &Label, gain: f64, coverage: f64) {
        let user = |user: u32, ndcg10: f64| discovery::UserFigures { user, ndcg10, recall20: ndcg10 };
        let discovered = 0.1 + coverage;
        let discovery = |clicks: usize| Discovery {
            clicks,
            users: 430,
            ndcg10: around(discovered, 0.02),
            recall20: around(discovered, 0.02),
            by_user: vec![user(1, discovered * 1.2), user(2, discovered * 0.8)],
        };
        let reasons = label.is_ours().then(|| around(11.0, 0.1));
        let lists = |clicks: usize| {
            let (shared, best_known) = (around(8.0 - 20.0 * coverage, 0.1), around(10.0, 0.1));
            Lists { clicks, users: 465, shared, best_known, reasons, coverage }
        };
        let wall = |clicks| Wall { clicks, users: 465, seen: around(18.0, 0.5), seen_of_static: around(15.0, 0.5) };
        let figures = CLICKS.into_iter().map(discovery).collect();
        evaluation.discovery.push(DiscoveryRow { label: label.clone(), figures });
        let figures = CLICKS.into_iter().map(lists).collect();
        evaluation.lists.push(ListsRow { label: label.clone(), figures });
        if label.is_shipped() {
            let figures = WALL_CLICKS.into_iter().map(wall).collect();
            evaluation.wall.push(WallRow { label: label.clone(), figures });
        }
        let by_user = vec![next_visit::UserFigures { user: 1, ndcg10: gain / 2.0, hit20: 1.0 }];
        let clicks =
            NextVisit { users: 113, ndcg10: around(gain / 2.0, 0.03), hit20: around(gain * 1.6, 0.03), by_user };
        let rated = NextVisit { ndcg10: around(gain / 2.2, 0.03), ..clicks.clone() };
        evaluation.next_visit.push(NextVisitRow { label: label.clone(), clicks, rated });
    }

    fn few_clicks(clicks: usize, gain: f64, coverage: f64) -> FewClicks {
        let gain = gain + if clicks == 1 { -0.04 } else { 0.002 * clicks as f64 };
        let user = |user: u32, gain: f64| UserFigures { user, ndcg10: gain, recall20: gain, popularity10: 20.0 };
        FewClicks {
            clicks,
            users: 465,
            ndcg10: around(gain, 0.022),
            recall20: around(gain - 0.08, 0.02),
            coverage10: coverage,
            popularity10: around(3000.0 * coverage, 400.0 * coverage),
            by_user: vec![user(1, gain * 1.1), user(2, gain * 0.9)],
        }
    }

    fn next_movie(gain: f64) -> NextMovie {
        NextMovie {
            events: 7046,
            hit10: around(gain / 4.0, 0.03),
            hit100: around(gain / 1.2, 0.05),
            ndcg10: around(gain / 8.0, 0.02),
            mrr: around(gain / 9.0, 0.01),
            hit_curve: (1..=200).map(|k| gain * (1.0 - 1.0 / (1.0 + f64::from(k) / 60.0))).collect(),
            by_user: Default::default(),
        }
    }

    /// Every probability from a twentieth on. The more the method `knows`, the closer the shares of likes are to them.
    fn reactions(knows: f64) -> Reactions {
        let event = |at: u32| {
            let value = f64::from(at % 20) / 20.0 + 0.025;
            let liked = f64::from(at * 7 % 20) / 20.0 < 0.5 + (value - 0.5) * knows;
            Prediction { value: value as f32, liked }
        };
        Reactions::new(&[(0..400).map(event).collect(), (100..300).map(event).collect()]).unwrap()
    }

    fn add_training(evaluation: &mut Evaluation) {
        for (protocol, fold, parameters) in
            [(Protocol::P1, None, "λ 400"), (Protocol::P2, Some(1), "λ 6400"), (Protocol::P2, Some(2), "λ 6400")]
        {
            let (training, parameters) = (Training { protocol, fold }, parameters.to_owned());
            evaluation.choices.push(Choice { method: "EASE".to_owned(), training, parameters });
        }
        let point = |epoch| CurvePoint { epoch, loss: 5.0 + 1.0 / epoch as f64, held_out: 0.4 - 0.1 / epoch as f64 };
        let losses = (0..40).map(|step| 3.0 - (step as f32 / 10.0).tanh()).collect();
        evaluation.losses.push(LossCurve { name: "click network 1".to_owned(), losses });
        evaluation.curves.push(Curve {
            method: "watchnext tower".to_owned(),
            held_out_figure: "hit@100 of the validation users",
            epochs: (1..=12).map(point).collect(),
        });
    }

    /// A reader of the page looks for ours first. Its default has the tinted row of every table, and its variants
    /// follow it.
    #[test]
    fn ours_stands_out_and_its_variants_follow() {
        let evaluation = of_everything();
        let page = html::page(&evaluation, &plots::all(&evaluation).unwrap()).unwrap();
        let ours = "<tr class=\"ours\"><th scope=\"row\">watchnext tower</th>";
        // P2's four tables, P4's two, six of lists and walls, P5's, P1's two and P3's two.
        assert_eq!((page.matches(ours).count(), page.matches("class=\"ours\"").count()), (17, 17));
        let variant = "<tr class=\"variant\"><th scope=\"row\" title=\"watchnext tower, novelty 0.3\">novelty 0.3</th>";
        // P2's, P4's, P5's and four of lists.
        assert_eq!(page.matches(variant).count(), 4 + 2 + 1 + 4);
    }

    /// The longest name is longer than any fixed width.
    #[test]
    fn columns_of_the_terminal_are_as_wide_as_their_longest_name() {
        let text = text(&of_everything());
        let columns: Vec<Option<usize>> = text
            .lines()
            .filter(|line| line.ends_with("popularity rank     "))
            .map(|line| line.find("NDCG@10"))
            .collect();
        assert_eq!(columns, [Some("watchnext tower, novelty 0.3".len() + 2); CLICKS.len()]);
        assert!(text.contains("watchnext tower, novelty 0.3  0."));
    }

    /// Ours has the flat keys, and every row has its reliability diagram.
    #[test]
    fn reactions_have_their_keys_and_their_pictures() {
        let evaluation = of_everything();
        let json = json(&evaluation);
        for figure in ["auc", "auc_within", "logloss", "ece"] {
            for ending in ["", "_clicks"] {
                assert!(json[format!("p3.{figure}{ending}")].is_f64(), "p3.{figure}{ending}");
            }
        }
        assert_eq!(json["p3"][2]["known"]["auc"]["mean"], json["p3.auc"]);
        assert_eq!(json["p3"][2]["clicks"]["reliability"].as_array().unwrap().len(), 10);
        assert_eq!(json["p3"][0]["method"], "movie mean");
        let text = text(&evaluation);
        assert_eq!(text.matches("AUC within users").count(), 2);
        let plots = plots::all(&evaluation).unwrap();
        let names: Vec<&str> = plots.iter().map(|plot| plot.name).filter(|name| name.starts_with("reli")).collect();
        assert_eq!(names, ["reliability", "reliability-clicks"]);
        let page = html::page(&evaluation, &plots).unwrap();
        for part in ["<h2>The reaction</h2>", "Clicks alone", "as likely as said", "AUC within users, clicks alone"] {
            assert!(page.contains(part), "{part}");
        }
    }

    /// Ours has the flat keys, and each output has its part.
    #[test]
    fn discovery_lists_and_the_next_visit_are_reported() {
        let evaluation = of_everything();
        let json = json(&evaluation);
        for key in [
            "p4.1.ndcg10",
            "p4.10.recall20",
            "p5.clicks.ndcg10",
            "p5.clicks.hit20",
            "p5.rated.ndcg10",
            "p5.rated.hit20",
            "lists.5.shared",
            "lists.5.best_known",
            "lists.5.reasons",
            "lists.5.coverage",
            "wall.0.seen",
            "wall.10.static",
        ] {
            assert!(json[key].is_f64(), "{key}");
        }
        assert_eq!(json["p4"][5]["figures"][0]["ndcg10"]["mean"], json["p4.1.ndcg10"]);
        assert!(json["lists"][0]["figures"][0]["reasons"].is_null());
        let text = text(&evaluation);
        for part in ["P4, discovery, after 3 clicks (430", "P5, the next visit", "Lists of 12", "wall's 30 tiles"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let plots = plots::all(&evaluation).unwrap();
        let page = html::page(&evaluation, &plots).unwrap();
        // The gains of P2 and of P4.
        assert_eq!(page.matches("<ul class=\"cards\">").count(), 2);
        for part in ["<h2>Discovery</h2>", "<h2>How lists look</h2>", "<h2>The next visit</h2>", "discovery, 3 clicks"]
        {
            assert!(page.contains(part), "{part}");
        }
        for name in ["discovery", "frontier", "overlap"] {
            assert!(plots.iter().any(|plot| plot.name == name), "{name}");
        }
    }

    /// What was sampled is said wherever its figures are.
    #[test]
    fn a_sample_is_named_in_every_output() {
        let evaluation = Evaluation { most_events: Some(20), ..of_everything() };
        let sample = "at most 20 of a user, evenly spread";
        // P1 and P3's two tables; the page has P1's two groups and P3.
        assert_eq!(text(&evaluation).matches(sample).count(), 3);
        let page = html::page(&evaluation, &plots::all(&evaluation).unwrap()).unwrap();
        assert_eq!(page.matches(sample).count(), 3);
        assert_eq!(json(&evaluation)["most_events"], 20);
        assert!(!text(&of_everything()).contains("evenly"));
    }

    /// The curve follows the novelty, although the default comes first in the tables.
    #[test]
    fn the_curve_of_novelty_does_not_turn_back() {
        let plots = plots::all(&of_everything()).unwrap();
        let coverage = plots.iter().find(|plot| plot.name == "coverage").unwrap().standalone();
        // Ours is the last line that is drawn; the coverage of the made-up variants grows with the novelty.
        let line = coverage.lines().rfind(|line| line.starts_with("<polyline")).unwrap();
        let points = line.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let across: Vec<u32> =
            points.split_whitespace().map(|point| point.split(',').next().unwrap().parse().unwrap()).collect();
        assert!(across.len() == 4 && across.is_sorted(), "{across:?}");
    }
}
