//! Draws series into SVG, on light and on dark.

use std::fmt;

use anyhow::{Result, anyhow};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::text::escape;
use super::looks::Look;

/// A picture is drawn this much larger than it is shown, since the plotter rounds coordinates to whole units.
const SCALE: u32 = 2;

/// As wide as a phone's window or half of a desktop's, so that its text is readable on both.
const WIDTH: u32 = 480 * SCALE;

/// The height without the legend, whose height depends on its rows.
const HEIGHT: u32 = 320 * SCALE;

/// The height of a line of text; the letters are four fifths of it.
const TEXT: u32 = 17 * SCALE;

const MARGIN: u32 = 8 * SCALE;

/// The height of a row of the legend.
const LEGEND_ROW: u32 = 22 * SCALE;

/// One picture.
pub struct Plot {
    /// The file's name without its ending.
    pub name: &'static str,
    /// Its title, one line.
    pub title: String,
    /// An SVG element without background; its text takes the colour of the page's text.
    svg: String,
    height: u32,
}

impl Plot {
    /// The picture for a page, which sets its width and colours.
    pub fn inline(&self) -> String {
        let size = format!("width=\"{WIDTH}\" height=\"{}\"", self.height);
        let label = format!("role=\"img\" aria-label=\"{}\"", escape(&self.title));
        self.svg.replacen(&size, &label, 1)
    }

    /// The picture as a file of its own, on white.
    pub fn standalone(&self) -> String {
        self.svg.replacen("<svg ", "<svg style=\"background:#fff;color:#000\" ", 1)
    }
}

/// One method's line or points.
pub struct Series {
    /// The name in the legend.
    pub name: String,
    /// The colour and the mark.
    pub look: Look,
    /// Whether it is ours, and so drawn on top.
    pub ours: bool,
    /// `(x, y)`, joined if there are several.
    pub points: Vec<(f64, f64)>,
    /// `(x, low, high)`.
    pub intervals: Vec<(f64, f64, f64)>,
    /// The points with a mark, and whether it is large. Further points of a curve and epochs have small ones.
    pub marks: Vec<((f64, f64), bool)>,
}

/// The axes that series are drawn in.
pub struct Frame<'frame> {
    /// The range of the horizontal axis.
    pub x: std::ops::Range<f64>,
    /// The range of the vertical axis.
    pub y: std::ops::Range<f64>,
    /// The horizontal axis's name.
    pub x_name: &'frame str,
    /// The vertical axis's name.
    pub y_name: &'frame str,
    /// Writes a label of the horizontal axis.
    pub x_label: &'frame dyn Fn(&f64) -> String,
    /// Writes a label of the vertical axis.
    pub y_label: &'frame dyn Fn(&f64) -> String,
    /// About how many labels the horizontal axis has.
    pub x_labels: usize,
}

/// The range of the values with a margin of a twelfth.
pub fn padded_range(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let margin = ((high - low) * 0.08).max(0.005);
    if low.is_finite() { low - margin..high + margin } else { 0.0..1.0 }
}

fn drawing_error(error: &dyn fmt::Display) -> anyhow::Error {
    anyhow!("a picture can't be drawn: {error}")
}

/// Draws series as a picture.
///
/// # Errors
/// If plotters fails.
pub fn draw(name: &'static str, title: String, frame: &Frame, series: &[Series]) -> Result<Plot> {
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
            .map_err(|error| drawing_error(&error))?;
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
            .map_err(|error| drawing_error(&error))?;
        // Ours last, on top of the others.
        for series in series.iter().filter(|series| !series.ours).chain(series.iter().filter(|series| series.ours)) {
            draw_series(&mut chart, series)?;
        }
        root.present().map_err(|error| drawing_error(&error))?;
    }
    // Text takes the colour of the page.
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
    chart.draw_series(bars).map_err(|error| drawing_error(&error))?;
    if series.points.len() > 1 {
        chart
            .draw_series(LineSeries::new(series.points.iter().copied(), line))
            .map_err(|error| drawing_error(&error))?;
    }
    let radius = |default: bool| match (series.ours, default) {
        (true, true) => 5 * SCALE,
        (false, true) => 4 * SCALE,
        (_, false) => 3 * SCALE,
    };
    let marks = series.marks.iter().map(|(point, default)| (*point, radius(*default)));
    if series.look.corners.is_empty() {
        let circles = marks.map(|(point, radius)| Circle::new(point, radius, colour.filled()));
        chart.draw_series(circles).map_err(|error| drawing_error(&error))?;
    } else {
        let polygons = marks.map(|(point, radius)| EmptyElement::at(point) + polygon(series.look, radius));
        chart.draw_series(polygons).map_err(|error| drawing_error(&error))?;
    }
    Ok(())
}

/// The width of a name in the legend, in a wide font, since there is no font to measure it with.
fn text_width(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX / TEXT) * TEXT / 2
}

/// Each name's left end and row in the legend, in as few rows as possible. Ours come first.
fn legend_places(series: &[Series]) -> Vec<((&Series, u32), u32)> {
    let (mut left, mut row) = (MARGIN, 0);
    let ours_first = series.iter().filter(|series| series.ours).chain(series.iter().filter(|series| !series.ours));
    let size = |series: &'_ Series| (TEXT * 2 + text_width(&series.name), TEXT);
    ours_first
        .map(|series| {
            let (taken, gap) = size(series);
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
            .map_err(|error| drawing_error(&error))?;
        let radius = if series.ours { 5 * SCALE } else { 4 * SCALE };
        let at = (left + length / 2, middle);
        let drawn = if series.look.corners.is_empty() {
            area.draw(&Circle::new(at, radius, series.look.colour.filled()))
        } else {
            area.draw(&(EmptyElement::at(at) + polygon(series.look, radius)))
        };
        drawn.map_err(|error| drawing_error(&error))?;
        let style = if series.ours { FontStyle::Bold } else { FontStyle::Normal };
        let font = ("sans-serif", TEXT).into_font().style(style);
        let text = TextStyle::from(font).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(series.name.clone(), (left + length + half, middle), text))
            .map_err(|error| drawing_error(&error))?;
    }
    Ok(())
}
