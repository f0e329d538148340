//! The pictures of protocols P1, P2 and P4.

use anyhow::Result;

use super::super::text::{method_name, users_of};
use super::looks::{look_of, looks, series_name};
use super::picture::{Frame, Plot, Series, draw, padded_range};
use crate::evaluate::bootstrap::Figure;
use crate::evaluate::draws::CLICKS;
use crate::evaluate::evaluation::{ClicksRow, Evaluation};

/// How many points of the hit rate's curve there are to a mark.
const MARKED: usize = 25;

/// P2's gain by the number of clicks.
///
/// # Errors
/// If plotters fails.
pub fn by_clicks(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let title = "NDCG@10 by the number of clicked movies, with 95\u{a0}% intervals";
    gain_by_clicks(evaluation, &evaluation.few_clicks, |found| (found.clicks, found.ndcg10), "clicks", title)
}

/// P4's gain by the number of clicks.
///
/// # Errors
/// If plotters fails.
pub fn discovery(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let title = "NDCG@10 among movies that aren’t well known, with 95\u{a0}% intervals";
    gain_by_clicks(evaluation, &evaluation.discovery, |found| (found.clicks, found.ndcg10), "discovery", title)
}

fn gain_by_clicks<Figures>(
    evaluation: &Evaluation,
    rows: &[ClicksRow<Figures>],
    gain: fn(&Figures) -> (usize, Figure),
    name: &'static str,
    title: &str,
) -> Result<Option<Plot>> {
    let looks = looks(evaluation);
    let rows: Vec<&ClicksRow<Figures>> = rows.iter().filter(|row| !row.label.variant.is_curve_point()).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let series = |(at, row): (usize, &&ClicksRow<Figures>)| {
        // Side by side, so that intervals don't hide each other.
        let offset = (at as f64 - (rows.len() - 1) as f64 / 2.0) * 0.05;
        let place = |clicks: usize| CLICKS.iter().take_while(|known| **known != clicks).count() as f64 + offset;
        let gains = row.figures.iter().map(gain).map(|(clicks, figure)| (place(clicks), figure));
        let gains: Vec<(f64, Figure)> = gains.collect();
        Series {
            name: method_name(&row.label),
            look: look_of(&looks, &series_name(&row.label)),
            ours: row.label.is_ours(),
            points: gains.iter().map(|(x, figure)| (*x, figure.mean)).collect(),
            intervals: gains.iter().map(|(x, figure)| (*x, figure.low, figure.high)).collect(),
            marks: gains.iter().map(|(x, figure)| ((*x, figure.mean), true)).collect(),
        }
    };
    let series: Vec<Series> = rows.iter().enumerate().map(series).collect();
    let ends = series.iter().flat_map(|series| series.intervals.iter().flat_map(|(_, low, high)| [*low, *high]));
    let frame = Frame {
        x: -0.4..CLICKS.len() as f64 - 0.6,
        y: padded_range(ends),
        x_name: "clicked movies",
        y_name: "NDCG@10",
        x_label: &|place| {
            let clicks = CLICKS.iter().enumerate().find(|(at, _)| (*at as f64 - place).abs() < 1e-6);
            clicks.map_or_else(String::new, |(_, clicks)| clicks.to_string())
        },
        y_label: &|gain| format!("{gain:.2}"),
        x_labels: 5,
    };
    draw(name, title.to_owned(), &frame, &series).map(Some)
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
