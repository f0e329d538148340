//! The reliability diagrams of protocol P3.

use anyhow::Result;

use super::super::text::method_name;
use super::looks::{GROUND, Look, look_of, looks, series_name};
use super::picture::{Frame, Plot, Series, draw};
use crate::evaluate::evaluation::{Evaluation, ReactionRow};
use crate::evaluate::reaction::{BINS, Reactions};

/// Bins with less than this share of the events have small marks, since their share of likes is less sure.
const LARGE: f64 = 0.02;

/// With the ratings of the history known.
///
/// # Errors
/// If plotters fails.
pub fn known(evaluation: &Evaluation) -> Result<Option<Plot>> {
    reliability(evaluation, "reliability", "the ratings of the history known", |row| &row.known)
}

/// With clicks alone.
///
/// # Errors
/// If plotters fails.
pub fn clicks(evaluation: &Evaluation) -> Result<Option<Plot>> {
    reliability(evaluation, "reliability-clicks", "clicks alone", |row| &row.clicks)
}

/// The share of likes by their predicted probability, with the diagonal where the two are equal.
fn reliability(
    evaluation: &Evaluation,
    name: &'static str,
    history: &str,
    figures: fn(&ReactionRow) -> &Reactions,
) -> Result<Option<Plot>> {
    if evaluation.reactions.is_empty() {
        return Ok(None);
    }
    let looks = looks(evaluation);
    let diagonal = Series {
        name: "as likely as said".to_owned(),
        look: Look::circle(GROUND),
        ours: false,
        points: vec![(0.0, 0.0), (1.0, 1.0)],
        intervals: Vec::new(),
        marks: Vec::new(),
    };
    let of_method = |row: &ReactionRow| {
        let Reactions { events, reliability, .. } = figures(row);
        let large = *events as f64 * LARGE;
        let filled = reliability.iter().filter(|bin| bin.events > 0);
        let marks: Vec<_> = filled.map(|bin| ((bin.predicted, bin.liked), bin.events as f64 >= large)).collect();
        Series {
            name: method_name(&row.label),
            look: look_of(&looks, &series_name(&row.label)),
            ours: row.label.is_ours(),
            points: marks.iter().map(|(point, _)| *point).collect(),
            intervals: Vec::new(),
            marks,
        }
    };
    let series: Vec<Series> = std::iter::once(diagonal).chain(evaluation.reactions.iter().map(of_method)).collect();
    let frame = Frame {
        x: 0.0..1.0,
        y: 0.0..1.0,
        x_name: "probability of a like",
        y_name: "share of likes",
        x_label: &|probability| format!("{probability:.1}"),
        y_label: &|share| format!("{share:.1}"),
        x_labels: BINS,
    };
    let title = format!("How often a movie is liked by how likely that was said to be, {history}");
    draw(name, title, &frame, &series).map(Some)
}
