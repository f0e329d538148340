//! The pictures of what one gains and another loses: a point for each method, a curve for a method with a knob.

use anyhow::Result;
use watchnext::recommend::DEFAULT_LIMIT;

use super::looks::{looks, series_name};
use super::picture::{Frame, Plot, Series, draw, padded_range};
use crate::evaluate::evaluation::{ClicksRow, Evaluation, FewClicksRow};
use crate::evaluate::few_clicks::FewClicks;
use crate::evaluate::label::Label;

/// The number of clicks in these pictures: few, like a visitor's.
const FRONTIER_CLICKS: usize = 3;

/// P2's gain against coverage.
///
/// # Errors
/// If plotters fails.
pub fn against_coverage(evaluation: &Evaluation) -> Result<Option<Plot>> {
    // A method that suggests hardly any movie still needs a place on the logarithmic axis.
    let series = by_variant(evaluation, |_, found| Some((found.coverage10.max(1e-4).log10(), found.ndcg10.mean)));
    let axes = Axes {
        x_name: "share of the catalogue suggested (log scale)",
        y_name: "NDCG@10",
        x_label: |coverage| {
            let percent = 100.0 * 10_f64.powf(*coverage);
            if percent < 10.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
        },
    };
    frontier("coverage", "the upper right is better", &axes, &series)
}

/// P4's gain against P2's.
///
/// # Errors
/// If plotters fails.
pub fn against_discovery(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let series = by_variant(evaluation, |label, found| {
        Some((found.ndcg10.mean, of_label(&evaluation.discovery, label)?.after(FRONTIER_CLICKS)?.ndcg10.mean))
    });
    let axes = Axes {
        x_name: "NDCG@10 among all movies",
        y_name: "NDCG@10 in discovery",
        x_label: |gain| format!("{gain:.2}"),
    };
    frontier("frontier", "the upper right is better", &axes, &series)
}

/// P2's gain against what the lists of different users have in common.
///
/// # Errors
/// If plotters fails.
pub fn against_overlap(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let series = by_variant(evaluation, |label, found| {
        Some((of_label(&evaluation.lists, label)?.after(FRONTIER_CLICKS)?.shared.mean, found.ndcg10.mean))
    });
    let x_name = format!("movies of {DEFAULT_LIMIT} that two users’ lists share");
    let axes = Axes { x_name: &x_name, y_name: "NDCG@10", x_label: |shared| format!("{shared:.1}") };
    frontier("overlap", "the upper left is better", &axes, &series)
}

/// The row of this method and variant.
fn of_label<'row, Figures>(rows: &'row [ClicksRow<Figures>], label: &Label) -> Option<&'row ClicksRow<Figures>> {
    rows.iter().find(|row| row.label == *label)
}

/// A series for each method of P2, whose points follow the knob. `point` may lack a figure.
fn by_variant(evaluation: &Evaluation, point: impl Fn(&Label, &FewClicks) -> Option<(f64, f64)>) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for (name, look) in looks(evaluation) {
        let mut rows: Vec<&FewClicksRow> =
            evaluation.few_clicks.iter().filter(|row| series_name(&row.label) == name).collect();
        // The default comes first in the tables, but the curve follows the novelty.
        let novelty = |row: &FewClicksRow| row.label.variant.novelty().unwrap_or_default();
        rows.sort_by(|left, right| novelty(left).total_cmp(&novelty(right)));
        let mark = |row: &&FewClicksRow| {
            let place = point(&row.label, row.after(FRONTIER_CLICKS)?)?;
            Some((place, !row.label.variant.is_curve_point()))
        };
        let marks: Vec<((f64, f64), bool)> = rows.iter().filter_map(mark).collect();
        if !marks.is_empty() {
            let ours = rows.iter().any(|row| row.label.is_ours());
            let points = marks.iter().map(|(point, _)| *point).collect();
            series.push(Series { name, look, ours, points, intervals: Vec::new(), marks });
        }
    }
    series
}

/// The axes' names and the labels of the horizontal one.
struct Axes<'name> {
    x_name: &'name str,
    y_name: &'name str,
    x_label: fn(&f64) -> String,
}

fn frontier(name: &'static str, better: &str, axes: &Axes, series: &[Series]) -> Result<Option<Plot>> {
    if series.is_empty() {
        return Ok(None);
    }
    let points = || series.iter().flat_map(|series| &series.points);
    let frame = Frame {
        x: padded_range(points().map(|(across, _)| *across)),
        y: padded_range(points().map(|(_, gain)| *gain)),
        x_name: axes.x_name,
        y_name: axes.y_name,
        x_label: &axes.x_label,
        // Close methods need a third digit, or two grid lines would have the same label.
        y_label: &|gain| format!("{gain:.3}"),
        x_labels: 6,
    };
    let joined = series.iter().any(|series| series.points.len() > 1);
    let note = if joined { ", a line joins variants" } else { "" };
    let title = format!("After {FRONTIER_CLICKS} clicks: {better}{note}");
    draw(name, title, &frame, series).map(Some)
}
