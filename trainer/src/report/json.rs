//! `evaluation.json`.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::text::{group_name, method_name, protocol_name, training_name};
use crate::evaluate::bootstrap::Difference;
use crate::evaluate::evaluation::{Choice, Comparison, Evaluation, NextMovieRow, NextVisitRow, ReactionRow};
use crate::evaluate::label::Label;
use crate::evaluate::next_movie::NextMovie;
use crate::evaluate::next_visit::NextVisit;
use crate::evaluate::reaction::Reactions;

/// All rows, and the figures of our default under flat keys such as `p1.hit10`, `p2.3.ndcg10`, `p3.auc`, `p4.3.ndcg10`,
/// `p5.rated.hit20`, `lists.3.shared` and `wall.3.seen`. P1's are of the last group of users; P3's keys with clicks
/// alone end in `_clicks`.
pub fn json(evaluation: &Evaluation) -> Value {
    let mut object = flat_figures(evaluation);
    object.insert("setting".to_owned(), json!(evaluation.setting));
    let next_movie: Vec<_> = evaluation.next_movie.iter().map(NextMovieJson::new).collect();
    object.insert("p1".to_owned(), json!(next_movie));
    let by_clicks = evaluation.few_clicks.iter().map(|row| ByClicksJson::new(&row.label, &row.figures));
    object.insert("p2".to_owned(), json!(by_clicks.collect::<Vec<_>>()));
    let reactions: Vec<_> = evaluation.reactions.iter().map(ReactionJson::new).collect();
    object.insert("p3".to_owned(), json!(reactions));
    let by_clicks = evaluation.discovery.iter().map(|row| ByClicksJson::new(&row.label, &row.figures));
    object.insert("p4".to_owned(), json!(by_clicks.collect::<Vec<_>>()));
    let next_visit: Vec<_> = evaluation.next_visit.iter().map(NextVisitJson::new).collect();
    object.insert("p5".to_owned(), json!(next_visit));
    let by_clicks = evaluation.lists.iter().map(|row| ByClicksJson::new(&row.label, &row.figures));
    object.insert("lists".to_owned(), json!(by_clicks.collect::<Vec<_>>()));
    let by_clicks = evaluation.wall.iter().map(|row| ByClicksJson::new(&row.label, &row.figures));
    object.insert("wall".to_owned(), json!(by_clicks.collect::<Vec<_>>()));
    let comparisons: Vec<_> = evaluation.comparisons().iter().map(ComparisonJson::new).collect();
    object.insert("comparisons".to_owned(), json!(comparisons));
    let choices: Vec<_> = evaluation.choices.iter().map(ChoiceJson::new).collect();
    object.insert("parameters".to_owned(), json!(choices));
    object.insert("curves".to_owned(), json!(evaluation.curves));
    object.insert("losses".to_owned(), json!(evaluation.losses));
    if let Some(leaky) = evaluation.leaky {
        object.insert("p1_leaky".to_owned(), json!(leaky));
    }
    if let Some(most) = evaluation.most_events {
        object.insert("most_events".to_owned(), json!(most));
    }
    if let Some(left_out) = evaluation.left_out {
        object.insert("left_out".to_owned(), json!(left_out));
    }
    Value::Object(object)
}

fn flat_figures(evaluation: &Evaluation) -> Map<String, Value> {
    let mut object = Map::new();
    if let Some(shipped) = evaluation.quoted_rows().find(|row| row.label.is_shipped()) {
        for (measure, figure) in shipped.figures.named() {
            object.insert(format!("p1.{}", measure.key()), json!(figure.mean));
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
    object.extend(flat_later(evaluation).into_iter().map(|(key, value)| (key, json!(value))));
    object
}

/// The flat keys of P4, P5, the lists and the wall.
fn flat_later(evaluation: &Evaluation) -> Vec<(String, f64)> {
    let mut flat = Vec::new();
    if let Some(shipped) = evaluation.discovery.iter().find(|row| row.label.is_shipped()) {
        for found in &shipped.figures {
            flat.push((format!("p4.{}.ndcg10", found.clicks), found.ndcg10.mean));
            flat.push((format!("p4.{}.recall20", found.clicks), found.recall20.mean));
        }
    }
    if let Some(shipped) = evaluation.next_visit.iter().find(|row| row.label.is_shipped()) {
        for (history, found) in shipped.histories() {
            flat.extend(found.named().map(|(name, figure)| (format!("p5.{history}.{name}"), figure.mean)));
        }
    }
    if let Some(shipped) = evaluation.lists.iter().find(|row| row.label.is_shipped()) {
        for found in &shipped.figures {
            flat.extend(found.named().map(|(name, value)| (format!("lists.{}.{name}", found.clicks), value)));
        }
    }
    if let Some(shipped) = evaluation.wall.iter().find(|row| row.label.is_shipped()) {
        for found in &shipped.figures {
            flat.extend(found.named().map(|(name, figure)| (format!("wall.{}.{name}", found.clicks), figure.mean)));
        }
    }
    flat
}

#[derive(Serialize)]
struct LabelJson<'row> {
    method: String,
    family: &'row str,
    ours: bool,
    of_moment: bool,
    default: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    knob: Option<f64>,
}

impl<'row> LabelJson<'row> {
    fn new(label: &'row Label) -> Self {
        Self {
            method: method_name(label),
            family: &label.method,
            ours: label.is_ours(),
            of_moment: label.uses_time,
            default: label.variant.is_default(),
            knob: label.variant.novelty().map(f64::from),
        }
    }
}

#[derive(Serialize)]
struct NextMovieJson<'row> {
    #[serde(flatten)]
    label: LabelJson<'row>,
    group: &'static str,
    figures: &'row NextMovie,
}

impl<'row> NextMovieJson<'row> {
    fn new(row: &'row NextMovieRow) -> Self {
        Self { label: LabelJson::new(&row.label), group: group_name(row.group), figures: &row.figures }
    }
}

/// A row with a set of figures for each number of clicks.
#[derive(Serialize)]
struct ByClicksJson<'row, Figures> {
    #[serde(flatten)]
    label: LabelJson<'row>,
    figures: &'row [Figures],
}

impl<'row, Figures> ByClicksJson<'row, Figures> {
    fn new(label: &'row Label, figures: &'row [Figures]) -> Self {
        Self { label: LabelJson::new(label), figures }
    }
}

#[derive(Serialize)]
struct NextVisitJson<'row> {
    #[serde(flatten)]
    label: LabelJson<'row>,
    clicks: &'row NextVisit,
    rated: &'row NextVisit,
}

impl<'row> NextVisitJson<'row> {
    fn new(row: &'row NextVisitRow) -> Self {
        Self { label: LabelJson::new(&row.label), clicks: &row.clicks, rated: &row.rated }
    }
}

#[derive(Serialize)]
struct ReactionJson<'row> {
    #[serde(flatten)]
    label: LabelJson<'row>,
    known: &'row Reactions,
    clicks: &'row Reactions,
}

impl<'row> ReactionJson<'row> {
    fn new(row: &'row ReactionRow) -> Self {
        Self { label: LabelJson::new(&row.label), known: &row.known, clicks: &row.clicks }
    }
}

#[derive(Serialize)]
struct ComparisonJson {
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    clicks: Option<usize>,
    figure: &'static str,
    ours: String,
    baseline: String,
    of_moment: bool,
    difference: Difference,
}

impl ComparisonJson {
    fn new(row: &Comparison) -> Self {
        Self {
            protocol: protocol_name(row.protocol),
            clicks: row.clicks,
            figure: row.measure.key(),
            ours: method_name(&row.ours),
            baseline: method_name(&row.baseline),
            of_moment: row.baseline.uses_time,
            difference: row.difference,
        }
    }
}

#[derive(Serialize)]
struct ChoiceJson<'row> {
    method: &'row str,
    training: String,
    parameters: &'row str,
}

impl<'row> ChoiceJson<'row> {
    fn new(choice: &'row Choice) -> Self {
        let Choice { method, training, parameters } = choice;
        Self { method, training: training_name(*training), parameters }
    }
}
