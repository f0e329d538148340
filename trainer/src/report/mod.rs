//! The evaluator's output: tables for the terminal, JSON for programs, a page with pictures for people, and the model card.

mod external_card;
mod html;
mod model_card;
mod plots;
mod table;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

pub use external_card::external_card;
pub use model_card::{Recipe, model_card, renew_card};

use crate::evaluate::bootstrap::Figure;
use crate::evaluate::evaluation::Evaluation;

/// A figure with its interval, to three digits.
fn shown(figure: Figure) -> String {
    format!("{:.3} [{:.3}, {:.3}]", figure.mean, figure.low, figure.high)
}

/// What a group of users is called.
fn users(group: &str) -> String {
    if group.ends_with("users") { group.to_owned() } else { format!("{group} users") }
}

/// All rows, and the figures of the shipped default under flat keys such as `p1.hit10`, `p2.3.ndcg10` and `p3.auc`, P1's of the
/// last group of users; P3's with clicks alone end in `_clicks`.
pub fn json(evaluation: &Evaluation) -> Value {
    let mut object = serde_json::Map::new();
    if let Some(shipped) = evaluation.quoted_rows().find(|row| row.label.is_shipped()) {
        for (name, figure) in shipped.figures.named() {
            object.insert(format!("p1.{name}"), json!(figure.mean));
        }
    }
    let shipped = evaluation.few_clicks.iter().find(|row| row.label.is_shipped());
    for figures in shipped.into_iter().flat_map(|row| &row.figures) {
        let named = [
            ("ndcg10", figures.ndcg10.mean),
            ("recall20", figures.recall20.mean),
            ("coverage10", figures.coverage10),
            ("popularity10", figures.popularity10.mean),
        ];
        for (name, value) in named {
            object.insert(format!("p2.{}.{name}", figures.clicks), json!(value));
        }
    }
    if let Some(shipped) = evaluation.reactions.iter().find(|row| row.label.is_shipped()) {
        object.extend(shipped.named().map(|(key, value)| (key, json!(value))));
    }
    object.insert("setting".to_owned(), json!(evaluation.setting));
    object.insert("p1".to_owned(), json!(evaluation.next_movie));
    object.insert("p2".to_owned(), json!(evaluation.few_clicks));
    object.insert("p3".to_owned(), json!(evaluation.reactions));
    object.insert("comparisons".to_owned(), json!(evaluation.comparisons()));
    object.insert("parameters".to_owned(), json!(evaluation.choices));
    object.insert("curves".to_owned(), json!(evaluation.curves));
    object.insert("losses".to_owned(), json!(evaluation.losses));
    if let Some(leaky) = evaluation.leaky {
        object.insert("p1_leaky".to_owned(), json!(leaky));
    }
    if let Some(left_out) = evaluation.left_out {
        object.insert("left_out".to_owned(), json!(left_out));
    }
    Value::Object(object)
}

/// The tables for the terminal.
pub fn text(evaluation: &Evaluation) -> String {
    table::Tables(evaluation).to_string()
}

/// Writes `evaluation.json`, `report.html` and the pictures as SVG files into `folder`.
///
/// # Errors
/// A folder that can't be written to, and what the plotter refuses.
pub fn write(evaluation: &Evaluation, folder: &Path) -> Result<()> {
    let place = || format!("the report can't be written to {}", folder.display());
    std::fs::create_dir_all(folder).with_context(place)?;
    std::fs::write(folder.join("evaluation.json"), serde_json::to_vec_pretty(&json(evaluation))?)
        .with_context(place)?;
    let plots = plots::all(evaluation)?;
    for plot in &plots {
        std::fs::write(folder.join(format!("{}.svg", plot.name)), plot.standalone()).with_context(place)?;
    }
    std::fs::write(folder.join("report.html"), html::page(evaluation, &plots)).with_context(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::evaluate::evaluation::{Choice, Curve, CurvePoint, FewClicksRow, Label, NextMovieRow, ReactionRow};
    use crate::evaluate::few_clicks::{CLICKS, FewClicks, UserFigures};
    use crate::evaluate::next_movie::NextMovie;
    use crate::evaluate::reaction::{Reactions, Told};
    use crate::nn::curve::LossCurve;

    fn around(mean: f64, by: f64) -> Figure {
        Figure { mean, low: mean - by, high: mean + by }
    }

    /// As an evaluation of everything there is: five baselines and our tower, whose default is in the middle of its knob.
    fn of_everything() -> Evaluation {
        let label = |family: &str, variant: &str, ours: bool, default: bool, knob: Option<f64>| Label {
            method: if variant.is_empty() { family.to_owned() } else { format!("{family}, {variant}") },
            family: family.to_owned(),
            ours,
            of_moment: false,
            default,
            knob,
        };
        let baseline = |name: &str| label(name, "", false, true, None);
        let tower = |variant: &str, knob: f64| label("watchnext tower", variant, true, variant.is_empty(), Some(knob));
        let methods = [
            (baseline("popularity"), 0.406, 0.002),
            (baseline("item kNN"), 0.496, 0.026),
            (baseline("naive Bayes"), 0.476, 0.018),
            (baseline("EASE"), 0.482, 0.049),
            (baseline("implicit ALS"), 0.463, 0.031),
            (tower("", 0.05), 0.508, 0.05),
            (tower("diversity 0", 0.0), 0.51, 0.04),
            (tower("diversity 0.1", 0.1), 0.503, 0.07),
            (tower("diversity 0.5", 0.5), 0.46, 0.16),
        ];
        let mut evaluation = Evaluation { setting: "Made up.".to_owned(), ..Evaluation::default() };
        for (label, gain, coverage) in &methods {
            let figures = CLICKS.into_iter().map(|clicks| {
                let gain = gain + if clicks == 1 { -0.04 } else { 0.002 * clicks as f64 };
                let user =
                    |user: u32, gain: f64| UserFigures { user, ndcg10: gain, recall20: gain, popularity10: 20.0 };
                FewClicks {
                    clicks,
                    users: 465,
                    ndcg10: around(gain, 0.022),
                    recall20: around(gain - 0.08, 0.02),
                    coverage10: *coverage,
                    popularity10: around(3000.0 * coverage, 400.0 * coverage),
                    by_user: vec![user(1, gain * 1.1), user(2, gain * 0.9)],
                }
            });
            evaluation.few_clicks.push(FewClicksRow { label: label.clone(), figures: figures.collect() });
        }
        for (label, gain, _) in methods.iter().filter(|(label, ..)| label.knob.is_none_or(|knob| knob < 0.1)) {
            for group in ["validation", "test"] {
                let figures = NextMovie {
                    events: 7046,
                    hit10: around(gain / 4.0, 0.03),
                    hit100: around(gain / 1.2, 0.05),
                    ndcg10: around(gain / 8.0, 0.02),
                    mrr: around(gain / 9.0, 0.01),
                    hit_curve: (1..=200).map(|k| gain * (1.0 - 1.0 / (1.0 + f64::from(k) / 60.0))).collect(),
                    by_user: Default::default(),
                };
                evaluation.next_movie.push(NextMovieRow { label: label.clone(), group: group.to_owned(), figures });
            }
        }
        // Every likelihood from a twentieth on, the more of it heard the more the method knows.
        for (label, knows) in
            [(baseline("movie mean"), 0.5), (baseline("item kNN of ratings"), 0.8), (tower("", 0.05), 1.0)]
        {
            let figures = |knows: f64| {
                let event = |at: u32| {
                    let said = f64::from(at % 20) / 20.0 + 0.025;
                    Told { said: said as f32, liked: f64::from(at * 7 % 20) / 20.0 < 0.5 + (said - 0.5) * knows }
                };
                Reactions::new(&[(0..400).map(event).collect(), (100..300).map(event).collect()]).unwrap()
            };
            evaluation.reactions.push(ReactionRow { label, known: figures(knows), clicks: figures(knows / 2.0) });
        }
        for training in ["p1", "p2, fold 1", "p2, fold 2"] {
            let choice = |method: &str, parameters: &str| Choice {
                method: method.to_owned(),
                training: training.to_owned(),
                parameters: parameters.to_owned(),
            };
            evaluation.choices.push(choice("EASE", if training == "p1" { "λ 400" } else { "λ 6400" }));
        }
        let point = |epoch| CurvePoint { epoch, loss: 5.0 + 1.0 / epoch as f64, held_out: 0.4 - 0.1 / epoch as f64 };
        let losses = (0..40).map(|step| 3.0 - (step as f32 / 10.0).tanh()).collect();
        evaluation.losses.push(LossCurve { name: "click network 1".to_owned(), losses });
        evaluation.curves.push(Curve {
            method: "watchnext tower".to_owned(),
            held_out_figure: "hit@100 of the validation users",
            epochs: (1..=12).map(point).collect(),
        });
        evaluation
    }

    /// Somebody who opens the page looks for ours first: its default has the tinted row of every table, its variants follow it.
    #[test]
    fn ours_stands_out_and_its_variants_follow() {
        let evaluation = of_everything();
        let page = html::page(&evaluation, &plots::all(&evaluation).unwrap());
        let ours = "<tr class=\"ours\"><th scope=\"row\">watchnext tower</th>";
        // P2's four tables, P1's two and P3's two.
        assert_eq!((page.matches(ours).count(), page.matches("class=\"ours\"").count()), (8, 8));
        let variant =
            "<tr class=\"variant\"><th scope=\"row\" title=\"watchnext tower, diversity 0.1\">diversity 0.1</th>";
        assert_eq!(page.matches(variant).count(), 4);
    }

    /// The longest name is longer than any fixed column was.
    #[test]
    fn columns_of_the_terminal_are_as_wide_as_their_longest_name() {
        let text = text(&of_everything());
        let columns: Vec<Option<usize>> = text
            .lines()
            .filter(|line| line.ends_with("popularity rank     "))
            .map(|line| line.find("NDCG@10"))
            .collect();
        assert_eq!(columns, [Some("watchnext tower, diversity 0.1".len() + 2); CLICKS.len()]);
        assert!(text.contains("watchnext tower, diversity 0.1  0."));
    }

    /// Ours has the flat keys, and every row its table of reliability.
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
        let page = html::page(&evaluation, &plots);
        for part in ["<h2>The reaction</h2>", "Clicks alone", "as likely as said", "AUC within users, clicks alone"] {
            assert!(page.contains(part), "{part}");
        }
    }

    /// The curve of a knob is drawn along the knob, although the default is the first in the tables.
    #[test]
    fn a_knobs_curve_does_not_turn_back() {
        let plots = plots::all(&of_everything()).unwrap();
        let coverage = plots.iter().find(|plot| plot.name == "coverage").unwrap().standalone();
        // Ours is the last line that is drawn; the coverage of the made-up variants grows with the knob.
        let line = coverage.lines().rfind(|line| line.starts_with("<polyline")).unwrap();
        let points = line.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let across: Vec<u32> =
            points.split_whitespace().map(|point| point.split(',').next().unwrap().parse().unwrap()).collect();
        assert!(across.len() == 4 && across.is_sorted(), "{across:?}");
    }
}
