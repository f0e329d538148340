//! The report's pictures: SVG with text, in colours that the colour-blind tell apart, on light and on dark.

mod reaction;

use std::fmt;

use anyhow::{Result, anyhow};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::evaluate::evaluation::{Evaluation, FewClicksRow, Label};
use crate::evaluate::few_clicks::CLICKS;

/// A picture is drawn this much larger than it is shown, since the plotter rounds coordinates to whole units.
const SCALE: u32 = 2;

/// As wide as a phone's window or half of a desktop's, so that its text needs no magnifying on either.
const WIDTH: u32 = 480 * SCALE;

/// The height without the legend, which is as high as it must be.
const HEIGHT: u32 = 320 * SCALE;

/// The plotter takes this for a line's height; the letters are four fifths of it.
const TEXT: u32 = 17 * SCALE;
const MARGIN: u32 = 8 * SCALE;

/// The height of a row of the legend.
const LEGEND_ROW: u32 = 22 * SCALE;

/// Okabe and Ito's palette without its yellow and its black, each of which vanishes on one of the two backgrounds.
/// Its orange comes last, being the nearest to ours.
const PALETTE: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// The corners of the marks that go with the palette, in tenths of a mark's radius; ours and the ground have circles. Whoever
/// sees no colours still tells the methods apart.
const MARKS: [&[(i32, i32)]; 5] = [
    &[(-9, -9), (9, -9), (9, 9), (-9, 9)],
    &[(0, -12), (11, 8), (-11, 8)],
    &[(0, -13), (13, 0), (0, 13), (-13, 0)],
    &[(0, 12), (11, -8), (-11, -8)],
    &[
        (-4, -11),
        (4, -11),
        (4, -4),
        (11, -4),
        (11, 4),
        (4, 4),
        (4, 11),
        (-4, 11),
        (-4, 4),
        (-11, 4),
        (-11, -4),
        (-4, -4),
    ],
];

/// The palette's vermilion, for what is ours.
const OURS: RGBColor = RGBColor(213, 94, 0);

/// Popularity is the ground that the others stand on.
const GROUND: RGBColor = RGBColor(128, 128, 128);

/// Steps whose mean loss makes a point.
const STEPS_OF_A_POINT: usize = 10;

/// Every so many points of the hit rate's curve have a mark.
const MARKED: usize = 25;

/// The clicks whose accuracy is held against coverage: few, as a visitor's are.
const COVERAGE_CLICKS: usize = 3;

/// One picture.
pub struct Plot {
    /// The file's name without its ending.
    pub name: &'static str,
    /// What it shows, in a line.
    pub title: String,
    /// An SVG element without background, whose text has the colour of the text around it.
    svg: String,
    height: u32,
}

impl Plot {
    /// The picture for a page that sets its own colours: it takes the width that it is given.
    pub fn inline(&self) -> String {
        let size = format!("width=\"{WIDTH}\" height=\"{}\"", self.height);
        let label = format!("role=\"img\" aria-label=\"{}\"", super::html::escape(&self.title));
        self.svg.replacen(&size, &label, 1)
    }

    /// The picture as a file of its own, on white.
    pub fn standalone(&self) -> String {
        self.svg.replacen("<svg ", "<svg style=\"background:#fff;color:#000\" ", 1)
    }
}

/// One method's line or points.
struct Series {
    name: String,
    look: Look,
    ours: bool,
    /// `(x, y)`, joined if there are several.
    points: Vec<(f64, f64)>,
    /// `(x, low, high)`.
    intervals: Vec<(f64, f64, f64)>,
    /// The points that have a mark, and whether it is a large one: those of a knob's other settings and of epochs are small.
    marks: Vec<((f64, f64), bool)>,
}

/// What a method is known by in all pictures.
#[derive(Clone, Copy)]
struct Look {
    colour: RGBColor,
    /// Empty for a circle.
    corners: &'static [(i32, i32)],
}

impl Look {
    const fn circle(colour: RGBColor) -> Self {
        Self { colour, corners: &[] }
    }
}

/// The frame that series are drawn in.
struct Frame<'frame> {
    x: std::ops::Range<f64>,
    y: std::ops::Range<f64>,
    x_name: &'frame str,
    y_name: &'frame str,
    x_label: &'frame dyn Fn(&f64) -> String,
    y_label: &'frame dyn Fn(&f64) -> String,
    x_labels: usize,
}

/// All pictures for which there are figures.
///
/// # Errors
/// What the plotter refuses.
pub fn all(evaluation: &Evaluation) -> Result<Vec<Plot>> {
    let makers = [
        by_clicks,
        against_coverage,
        hit_curve,
        reaction::known,
        reaction::clicks,
        held_out_curve,
        loss_curve,
        tower_losses,
    ];
    makers.into_iter().filter_map(|make| make(evaluation).transpose()).collect()
}

/// A look for each method, the same in every picture. Variants along a knob share their family's.
fn looks(evaluation: &Evaluation) -> Vec<(String, Look)> {
    let labels = evaluation.next_movie.iter().map(|row| &row.label);
    let mut looks: Vec<(String, Look)> = Vec::new();
    let mut others = PALETTE.into_iter().zip(MARKS).map(|(colour, corners)| Look { colour, corners }).cycle();
    let labels = labels.chain(evaluation.few_clicks.iter().map(|row| &row.label));
    for label in labels.chain(evaluation.reactions.iter().map(|row| &row.label)) {
        let name = series_name(label);
        if looks.iter().any(|(known, _)| known == name) {
            continue;
        }
        let first_of_ours = label.ours && !looks.iter().any(|(_, look)| look.colour == OURS);
        let look = match name {
            "popularity" => None,
            _ if first_of_ours => Some(Look::circle(OURS)),
            _ => others.next(),
        };
        looks.push((name.to_owned(), look.unwrap_or(Look::circle(GROUND))));
    }
    looks
}

fn series_name(label: &Label) -> &str {
    if label.knob.is_some() { &label.family } else { &label.method }
}

fn look_of(looks: &[(String, Look)], name: &str) -> Look {
    looks.iter().find(|(known, _)| known == name).map_or(Look::circle(GROUND), |(_, look)| *look)
}

/// P2's gain by the number of clicks.
fn by_clicks(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let looks = looks(evaluation);
    let rows: Vec<&FewClicksRow> =
        evaluation.few_clicks.iter().filter(|row| row.label.default || row.label.knob.is_none()).collect();
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
                name: row.label.method.clone(),
                look: look_of(&looks, series_name(&row.label)),
                ours: row.label.ours,
                points: places().map(|(x, figure)| (x, figure.mean)).collect(),
                intervals: places().map(|(x, figure)| (x, figure.low, figure.high)).collect(),
                marks: places().map(|(x, figure)| ((x, figure.mean), true)).collect(),
            }
        })
        .collect();
    let frame = Frame {
        x: -0.4..CLICKS.len() as f64 - 0.6,
        y: around(series.iter().flat_map(|series| series.intervals.iter().flat_map(|(_, low, high)| [*low, *high]))),
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

/// Accuracy against coverage: a point for each method, a curve for each knob.
fn against_coverage(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let mut series: Vec<Series> = Vec::new();
    for (name, look) in looks(evaluation) {
        let mut rows: Vec<&FewClicksRow> =
            evaluation.few_clicks.iter().filter(|row| series_name(&row.label) == name).collect();
        // The default comes first in the tables, but the curve follows the knob.
        let knob = |row: &FewClicksRow| row.label.knob.unwrap_or_default();
        rows.sort_by(|left, right| knob(left).total_cmp(&knob(right)));
        // A method that suggests next to nothing still needs a place on the logarithmic axis.
        let place = |coverage: f64| coverage.max(1e-4).log10();
        let figures = rows.iter().filter_map(|row| {
            let figures = row.figures.iter().find(|figures| figures.clicks == COVERAGE_CLICKS)?;
            Some(((place(figures.coverage10), figures.ndcg10.mean), row.label.default || row.label.knob.is_none()))
        });
        let marks: Vec<((f64, f64), bool)> = figures.collect();
        if !marks.is_empty() {
            let ours = rows.iter().any(|row| row.label.ours);
            let points = marks.iter().map(|(point, _)| *point).collect();
            series.push(Series { name, look, ours, points, intervals: Vec::new(), marks });
        }
    }
    if series.is_empty() {
        return Ok(None);
    }
    let points = || series.iter().flat_map(|series| &series.points);
    let frame = Frame {
        x: around(points().map(|(coverage, _)| *coverage)),
        y: around(points().map(|(_, gain)| *gain)),
        x_name: "share of the catalogue suggested (log scale)",
        y_name: "NDCG@10",
        x_label: &|coverage| {
            let percent = 100.0 * 10_f64.powf(*coverage);
            if percent < 10.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
        },
        // Methods that are near each other need a third digit, or two lines of the grid would have one name.
        y_label: &|gain| format!("{gain:.3}"),
        x_labels: 6,
    };
    let joined = series.iter().any(|series| series.points.len() > 1);
    let knob = if joined { ", a line joins variants" } else { "" };
    let title = format!("After {COVERAGE_CLICKS} clicks: the upper right is better{knob}");
    draw("coverage", title, &frame, &series).map(Some)
}

/// P1's hit rate by the length of the list.
fn hit_curve(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let looks = looks(evaluation);
    let rows = evaluation.quoted_rows().filter(|row| row.label.default || row.label.knob.is_none());
    let series: Vec<Series> = rows
        .map(|row| {
            let points = row.figures.hit_curve.iter().enumerate().map(|(at, hit)| ((at + 1) as f64, *hit));
            Series {
                name: row.label.method.clone(),
                look: look_of(&looks, series_name(&row.label)),
                ours: row.label.ours,
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
    let title = format!("How often the next movie is among the first k suggestions, {}", super::users(group));
    draw("next-movie", title, &frame, &series).map(Some)
}

fn held_out_curve(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let figure = evaluation.curves.first().map_or("held-out figure", |curve| curve.held_out_figure);
    training(evaluation, "held-out", figure, |point| point.held_out)
}

fn loss_curve(evaluation: &Evaluation) -> Result<Option<Plot>> {
    training(evaluation, "loss", "training loss", |point| point.loss)
}

/// The losses of the tower's networks. Their tasks differ, so each is told as a share of where it began.
fn tower_losses(evaluation: &Evaluation) -> Result<Option<Plot>> {
    let looks = PALETTE.into_iter().zip(MARKS).map(|(colour, corners)| Look { colour, corners });
    let looks = looks.chain([Look::circle(OURS), Look::circle(GROUND)]).cycle();
    let series: Vec<Series> = evaluation
        .losses
        .iter()
        .zip(looks)
        .map(|(curve, look)| {
            // A step's rows are drawn anew, so a single step's loss says more about them than about the network.
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
        y: around(points().map(|(_, value)| *value)),
        x_name: "step",
        y_name: "loss, against the first ten steps",
        x_label: &|step| format!("{step:.0}"),
        y_label: &|value| format!("{value:.2}"),
        x_labels: 6,
    };
    draw("tower-loss", "How the tower's networks learn, in its first training".to_owned(), &frame, &series).map(Some)
}

fn training(
    evaluation: &Evaluation,
    name: &'static str,
    figure: &str,
    value: fn(&crate::evaluate::evaluation::CurvePoint) -> f64,
) -> Result<Option<Plot>> {
    let looks = looks(evaluation);
    let series: Vec<Series> = evaluation
        .curves
        .iter()
        .map(|curve| {
            let label = evaluation.next_movie.iter().map(|row| &row.label).find(|label| label.family == curve.method);
            let points = curve.epochs.iter().map(|point| (point.epoch as f64, value(point)));
            Series {
                name: curve.method.clone(),
                look: label.map_or(Look::circle(GROUND), |label| look_of(&looks, series_name(label))),
                ours: label.is_some_and(|label| label.ours),
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
        y: around(points().map(|(_, value)| *value)),
        x_name: "epoch",
        y_name: figure,
        x_label: &|epoch| format!("{epoch:.0}"),
        y_label: &|value| format!("{value:.2}"),
        x_labels: 6,
    };
    draw(name, format!("By epoch: {figure}"), &frame, &series).map(Some)
}

/// The range of the values with a little air.
fn around(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let air = ((high - low) * 0.08).max(0.005);
    if low.is_finite() { low - air..high + air } else { 0.0..1.0 }
}

fn failed(error: &dyn fmt::Display) -> anyhow::Error {
    anyhow!("a picture can't be drawn: {error}")
}

fn draw(name: &'static str, title: String, frame: &Frame, series: &[Series]) -> Result<Plot> {
    let mut svg = String::new();
    let places = legend_places(series);
    let rows = places.last().map_or(0, |(_, row)| row + 1);
    let legend_height = MARGIN + rows * LEGEND_ROW;
    let height = legend_height + HEIGHT;
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let (head, body) = root.split_vertically(legend_height);
        legend(&head, &places)?;
        let text = ("sans-serif", TEXT).into_font();
        let mut chart = ChartBuilder::on(&body)
            .margin(MARGIN)
            .margin_right(TEXT)
            .x_label_area_size(TEXT * 5 / 2)
            .y_label_area_size(TEXT * 7 / 2)
            .build_cartesian_2d(frame.x.clone(), frame.y.clone())
            .map_err(|error| failed(&error))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.15))
            .axis_style(BLACK.mix(0.5))
            .label_style(text.clone())
            .axis_desc_style(text)
            .x_desc(frame.x_name)
            .y_desc(frame.y_name)
            .x_labels(frame.x_labels)
            .y_labels(6)
            .x_label_formatter(frame.x_label)
            .y_label_formatter(frame.y_label)
            .draw()
            .map_err(|error| failed(&error))?;
        // Ours last, on top of the others.
        for series in series.iter().filter(|series| !series.ours).chain(series.iter().filter(|series| series.ours)) {
            draw_series(&mut chart, series)?;
        }
        root.present().map_err(|error| failed(&error))?;
    }
    // The text takes the colour of the page that it stands on.
    let svg = svg.replace("\"#000000\"", "\"currentColor\"");
    Ok(Plot { name, title, svg, height })
}

type Area<'svg> = DrawingArea<SVGBackend<'svg>, plotters::coord::Shift>;
type Chart<'a, 'svg> = ChartContext<'a, SVGBackend<'svg>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn width(series: &Series) -> u32 {
    if series.ours { 3 * SCALE } else { 2 * SCALE }
}

/// A mark with corners, of about `radius`, around the origin.
fn polygon(look: Look, radius: u32) -> Polygon<(i32, i32)> {
    let radius = i32::try_from(radius).unwrap_or_default();
    let corners: Vec<(i32, i32)> = look.corners.iter().map(|(x, y)| (x * radius / 10, y * radius / 10)).collect();
    Polygon::new(corners, look.colour.filled())
}

fn draw_series(chart: &mut Chart, series: &Series) -> Result<()> {
    let colour = series.look.colour;
    let line = colour.stroke_width(width(series));
    let bars = series
        .intervals
        .iter()
        .map(|(x, low, high)| PathElement::new(vec![(*x, *low), (*x, *high)], colour.mix(0.55).stroke_width(SCALE)));
    chart.draw_series(bars).map_err(|error| failed(&error))?;
    if series.points.len() > 1 {
        chart.draw_series(LineSeries::new(series.points.iter().copied(), line)).map_err(|error| failed(&error))?;
    }
    let radius = |default: bool| match (series.ours, default) {
        (true, true) => 5 * SCALE,
        (false, true) => 4 * SCALE,
        (_, false) => 3 * SCALE,
    };
    let marks = series.marks.iter().map(|(point, default)| (*point, radius(*default)));
    if series.look.corners.is_empty() {
        let circles = marks.map(|(point, radius)| Circle::new(point, radius, colour.filled()));
        chart.draw_series(circles).map_err(|error| failed(&error))?;
    } else {
        let polygons = marks.map(|(point, radius)| EmptyElement::at(point) + polygon(series.look, radius));
        chart.draw_series(polygons).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// The width of a name in the legend. No font is at hand to measure it with, so this is that of a wide one.
fn text_width(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX / TEXT) * TEXT / 2
}

/// Each name's left end and row in the legend, in as few rows as they fit into. Ours is the first.
fn legend_places(series: &[Series]) -> Vec<((&Series, u32), u32)> {
    let (mut left, mut row) = (MARGIN, 0);
    let ours_first = series.iter().filter(|series| series.ours).chain(series.iter().filter(|series| !series.ours));
    let place = |series: &'_ Series| (TEXT * 2 + text_width(&series.name), TEXT);
    ours_first
        .map(|series| {
            let (taken, gap) = place(series);
            if left > MARGIN && left + taken > WIDTH {
                (left, row) = (MARGIN, row + 1);
            }
            let at = ((series, left), row);
            left += taken + gap;
            at
        })
        .collect()
}

/// The series' names above the picture, in rows.
fn legend(area: &Area, places: &[((&Series, u32), u32)]) -> Result<()> {
    for ((series, left), row) in places {
        let left = i32::try_from(*left)?;
        let middle = i32::try_from(MARGIN + row * LEGEND_ROW + LEGEND_ROW / 2)?;
        let (half, length) = (i32::try_from(TEXT / 2)?, i32::try_from(TEXT)? * 3 / 2);
        let line = vec![(left, middle), (left + length, middle)];
        area.draw(&PathElement::new(line, series.look.colour.stroke_width(width(series))))
            .map_err(|error| failed(&error))?;
        let radius = if series.ours { 5 * SCALE } else { 4 * SCALE };
        let at = (left + length / 2, middle);
        let drawn = if series.look.corners.is_empty() {
            area.draw(&Circle::new(at, radius, series.look.colour.filled()))
        } else {
            area.draw(&(EmptyElement::at(at) + polygon(series.look, radius)))
        };
        drawn.map_err(|error| failed(&error))?;
        let style = if series.ours { FontStyle::Bold } else { FontStyle::Normal };
        let font = ("sans-serif", TEXT).into_font().style(style);
        let text = TextStyle::from(font).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(series.name.clone(), (left + length + half, middle), text))
            .map_err(|error| failed(&error))?;
    }
    Ok(())
}
