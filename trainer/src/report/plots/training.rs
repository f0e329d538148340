//! The pictures of training.

use anyhow::Result;

use super::looks::{GROUND, Look, MARKS, OURS, PALETTE, look_of, looks, series_name};
use super::picture::{Frame, Plot, Series, draw, padded_range};
use crate::evaluate::evaluation::{CurvePoint, Evaluation};
use crate::evaluate::label::Label;

/// How many steps are averaged into a point.
const STEPS_OF_A_POINT: usize = 10;

/// The held-out figure by epoch.
///
/// # Errors
/// If plotters fails.
pub fn held_out_curve(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let figure = evaluation.curves.first().map_or("held-out figure", |curve| curve.held_out_figure);
    by_epoch(evaluation, "held-out", figure, |point| point.held_out)
}

/// The training loss by epoch.
///
/// # Errors
/// If plotters fails.
pub fn loss_curve(evaluation: &Evaluation) -> Result<Option<Plot>> {
    by_epoch(evaluation, "loss", "training loss", |point| point.loss)
}

/// The losses of the tower's networks. Their tasks differ, so each loss is divided by its first point.
///
/// # Errors
/// If plotters fails.
pub fn tower_losses(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let looks = PALETTE.into_iter().zip(MARKS).map(|(colour, corners)| Look { colour, corners });
    let looks = looks.chain([Look::circle(OURS), Look::circle(GROUND)]).cycle();
    let series: Vec<Series> = evaluation
        .losses
        .iter()
        .zip(looks)
        .map(|(curve, look)| {
            // Each step draws other rows, so that one step's loss says more about them than about the network.
            let means: Vec<f64> = curve
                .losses
                .chunks(STEPS_OF_A_POINT)
                .map(|losses| losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len() as f64)
                .collect();
            let start = means.first().copied().unwrap_or(1.0);
            let points =
                means.iter().enumerate().map(|(at, mean)| (((at + 1) * STEPS_OF_A_POINT) as f64, mean / start));
            Series {
                name: curve.name.clone(),
                look,
                ours: false,
                points: points.clone().collect(),
                intervals: Vec::new(),
                marks: points.skip(1).step_by(4).map(|point| (point, false)).collect(),
            }
        })
        .collect();
    if series.is_empty() {
        return Ok(None);
    }
    let points = || series.iter().flat_map(|series| &series.points);
    let frame = Frame {
        x: 0.0..points().map(|(step, _)| *step).fold(1.0, f64::max),
        y: padded_range(points().map(|(_, value)| *value)),
        x_name: "step",
        y_name: "loss, against the first ten steps",
        x_label: &|step| format!("{step:.0}"),
        y_label: &|value| format!("{value:.2}"),
        x_labels: 6,
    };
    draw("tower-loss", "How the tower's networks learn, in its first training".to_owned(), &frame, &series).map(Some)
}

fn by_epoch(
    evaluation: &Evaluation,
    name: &'static str,
    figure: &str,
    value: fn(&CurvePoint) -> f64,
) -> Result<Option<Plot>> {
    let looks = looks(evaluation);
    let series: Vec<Series> = evaluation
        .curves
        .iter()
        .map(|curve| {
            let label = evaluation.next_movie.iter().map(|row| &row.label).find(|label| label.method == curve.method);
            let points = curve.epochs.iter().map(|point| (point.epoch as f64, value(point)));
            Series {
                name: curve.method.clone(),
                look: label.map_or(Look::circle(GROUND), |label| look_of(&looks, &series_name(label))),
                ours: label.is_some_and(Label::is_ours),
                points: points.clone().collect(),
                intervals: Vec::new(),
                marks: points.map(|point| (point, false)).collect(),
            }
        })
        .collect();
    if series.is_empty() {
        return Ok(None);
    }
    let points = || series.iter().flat_map(|series| &series.points);
    let frame = Frame {
        x: 0.0..points().map(|(epoch, _)| *epoch).fold(1.0, f64::max) + 0.5,
        y: padded_range(points().map(|(_, value)| *value)),
        x_name: "epoch",
        y_name: figure,
        x_label: &|epoch| format!("{epoch:.0}"),
        y_label: &|value| format!("{value:.2}"),
        x_labels: 6,
    };
    draw(name, format!("By epoch: {figure}"), &frame, &series).map(Some)
}
