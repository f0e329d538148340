//! The pictures of protocols P1 and P2.

use anyhow::Result;

use super::super::text::{method_name, users_of};
use super::looks::{look_of, looks, series_name};
use super::picture::{Frame, Plot, Series, draw, padded_range};
use crate::evaluate::evaluation::{Evaluation, FewClicksRow};
use crate::evaluate::few_clicks::CLICKS;

/// How many points of the hit rate's curve there are to a mark.
const MARKED: usize = 25;

/// The number of clicks in the picture of accuracy against coverage: few, like a visitor's.
const COVERAGE_CLICKS: usize = 3;

/// P2's gain by the number of clicks.
///
/// # Errors
/// If plotters fails.
pub fn by_clicks(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let looks = looks(evaluation);
    let rows: Vec<&FewClicksRow> =
        evaluation.few_clicks.iter().filter(|row| !row.label.variant.is_curve_point()).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let series: Vec<Series> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            // Side by side, so that intervals don't hide each other.
            let offset = (at as f64 - (rows.len() - 1) as f64 / 2.0) * 0.05;
            let places =
                || row.figures.iter().enumerate().map(move |(place, figures)| (place as f64 + offset, figures.ndcg10));
            Series {
                name: method_name(&row.label),
                look: look_of(&looks, &series_name(&row.label)),
                ours: row.label.is_ours(),
                points: places().map(|(x, figure)| (x, figure.mean)).collect(),
                intervals: places().map(|(x, figure)| (x, figure.low, figure.high)).collect(),
                marks: places().map(|(x, figure)| ((x, figure.mean), true)).collect(),
            }
        })
        .collect();
    let frame = Frame {
        x: -0.4..CLICKS.len() as f64 - 0.6,
        y: padded_range(
            series.iter().flat_map(|series| series.intervals.iter().flat_map(|(_, low, high)| [*low, *high])),
        ),
        x_name: "clicked movies",
        y_name: "NDCG@10",
        x_label: &|place| {
            let clicks = CLICKS.iter().enumerate().find(|(at, _)| (*at as f64 - place).abs() < 1e-6);
            clicks.map_or_else(String::new, |(_, clicks)| clicks.to_string())
        },
        y_label: &|gain| format!("{gain:.2}"),
        x_labels: 5,
    };
    let title = "NDCG@10 by the number of clicked movies, with 95\u{a0}% intervals".to_owned();
    draw("clicks", title, &frame, &series).map(Some)
}

/// Accuracy against coverage: a point for each method, a curve for a method of several diversities.
///
/// # Errors
/// If plotters fails.
pub fn against_coverage(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let mut series: Vec<Series> = Vec::new();
    for (name, look) in looks(evaluation) {
        let mut rows: Vec<&FewClicksRow> =
            evaluation.few_clicks.iter().filter(|row| series_name(&row.label) == name).collect();
        // The default comes first in the tables, but the curve follows the diversity.
        let diversity = |row: &FewClicksRow| row.label.variant.diversity().unwrap_or_default();
        rows.sort_by(|left, right| diversity(left).total_cmp(&diversity(right)));
        // A method that suggests hardly any movie still needs a place on the logarithmic axis.
        let place = |coverage: f64| coverage.max(1e-4).log10();
        let figures = rows.iter().filter_map(|row| {
            let figures = row.figures.iter().find(|figures| figures.clicks == COVERAGE_CLICKS)?;
            Some(((place(figures.coverage10), figures.ndcg10.mean), !row.label.variant.is_curve_point()))
        });
        let marks: Vec<((f64, f64), bool)> = figures.collect();
        if !marks.is_empty() {
            let ours = rows.iter().any(|row| row.label.is_ours());
            let points = marks.iter().map(|(point, _)| *point).collect();
            series.push(Series { name, look, ours, points, intervals: Vec::new(), marks });
        }
    }
    if series.is_empty() {
        return Ok(None);
    }
    let points = || series.iter().flat_map(|series| &series.points);
    let frame = Frame {
        x: padded_range(points().map(|(coverage, _)| *coverage)),
        y: padded_range(points().map(|(_, gain)| *gain)),
        x_name: "share of the catalogue suggested (log scale)",
        y_name: "NDCG@10",
        x_label: &|coverage| {
            let percent = 100.0 * 10_f64.powf(*coverage);
            if percent < 10.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
        },
        // Close methods need a third digit, or two grid lines would have the same label.
        y_label: &|gain| format!("{gain:.3}"),
        x_labels: 6,
    };
    let joined = series.iter().any(|series| series.points.len() > 1);
    let note = if joined { ", a line joins variants" } else { "" };
    let title = format!("After {COVERAGE_CLICKS} clicks: the upper right is better{note}");
    draw("coverage", title, &frame, &series).map(Some)
}

/// P1's hit rate by the length of the list.
///
/// # Errors
/// If plotters fails.
pub fn hit_curve(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let looks = looks(evaluation);
    let rows = evaluation.quoted_rows().filter(|row| !row.label.variant.is_curve_point());
    let series: Vec<Series> = rows
        .map(|row| {
            let points = row.figures.hit_curve.iter().enumerate().map(|(at, hit)| ((at + 1) as f64, *hit));
            Series {
                name: method_name(&row.label),
                look: look_of(&looks, &series_name(&row.label)),
                ours: row.label.is_ours(),
                points: points.clone().collect(),
                intervals: Vec::new(),
                marks: points.skip(MARKED - 1).step_by(MARKED).map(|point| (point, true)).collect(),
            }
        })
        .collect();
    let Some(group) = evaluation.quoted_group() else { return Ok(None) };
    let ends = || series.iter().flat_map(|series| &series.points);
    let frame = Frame {
        x: 0.0..ends().map(|(length, _)| *length).fold(1.0, f64::max),
        y: 0.0..ends().map(|(_, hit)| *hit).fold(0.05, f64::max) * 1.05,
        x_name: "k, the length of the list",
        y_name: "hit rate",
        x_label: &|length| format!("{length:.0}"),
        y_label: &|hit| format!("{hit:.2}"),
        x_labels: 6,
    };
    let title = format!("How often the next movie is among the first k suggestions, {}", users_of(group));
    draw("next-movie", title, &frame, &series).map(Some)
}
