//! The plot of the bench: the time of a query against the number of rows, on logarithmic axes, with a line for each
//! scan.

use std::fmt::Write;

use super::report::Report;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 220.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;

/// Okabe and Ito's colours, which colour-blind people can tell apart too.
const COLOURS: [&str; 8] = ["#000000", "#999999", "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7"];

/// A logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis from the power of ten below the smallest value to the one above the largest, drawn between two places.
    fn over(values: &[f64], from: f64, to: f64) -> Self {
        let exponents = || values.iter().filter(|value| **value > 0.0).map(|value| value.log10());
        let low = exponents().fold(f64::INFINITY, f64::min).floor();
        let high = exponents().fold(f64::NEG_INFINITY, f64::max).ceil();
        Self { low, high: high.max(low + 1.0), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        self.from + (value.log10() - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        (self.low as i32..=self.high as i32).map(|exponent| 10_f64.powi(exponent))
    }
}

/// The line of one scan.
struct Line<'a> {
    name: &'a str,
    colour: &'static str,
    /// Rows and the median of the cold times, which is what a visitor waits for after a click.
    points: Vec<(f64, f64)>,
}

/// The lines of all scans, in the order of the tables.
fn lines(report: &Report) -> Vec<Line<'_>> {
    let mut lines: Vec<Line> = Vec::new();
    for rows in report.browser.scans.iter().map(|scans| scans.rows) {
        for result in report.results(rows) {
            let point = (result.rows as f64, result.cold.median);
            match lines.iter_mut().find(|line| line.name == result.name) {
                Some(line) => line.points.push(point),
                None => lines.push(Line { name: &result.name, colour: "", points: vec![point] }),
            }
        }
    }
    for (line, colour) in lines.iter_mut().zip(COLOURS.iter().cycle()) {
        line.colour = colour;
    }
    lines
}

/// The plot of the cold medians.
pub fn svg(report: &Report) -> String {
    let lines = lines(report);
    let (rows, times): (Vec<f64>, Vec<f64>) = lines.iter().flat_map(|line| line.points.iter().copied()).unzip();
    if times.is_empty() {
        return "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n".to_owned();
    }
    let across = Axis::over(&rows, LEFT, WIDTH - RIGHT);
    let up = Axis::over(&times, HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">Milliseconds for the 100 nearest rows of 128 numbers, after \
         other work (median)</text>\n"
    );
    draw_grid(&mut svg, &across, &up);
    for line in &lines {
        draw_line(&mut svg, line, &across, &up);
    }
    draw_names(&mut svg, &lines, &up);
    svg.push_str("</svg>\n");
    svg
}

/// A grid line and its label for each power of ten.
fn draw_grid(svg: &mut String, across: &Axis, up: &Axis) {
    for rows in across.powers() {
        let x = across.place(rows);
        let (bottom, label) = (HEIGHT - BOTTOM, HEIGHT - BOTTOM + 18.0);
        let _ = writeln!(svg, "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>");
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{label}\" text-anchor=\"middle\">{rows}</text>");
    }
    for time in up.powers() {
        let (y, right, label) = (up.place(time), WIDTH - RIGHT, LEFT - 8.0);
        let _ = writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/>");
        let _ = writeln!(svg, "<text x=\"{label}\" y=\"{:.1}\" text-anchor=\"end\">{time}</text>", y + 4.0);
    }
}

/// A line with a dot for each measurement. The floors are dashed.
fn draw_line(svg: &mut String, Line { name, colour, points }: &Line, across: &Axis, up: &Axis) {
    let places: Vec<(f64, f64)> = points.iter().map(|(rows, time)| (across.place(*rows), up.place(*time))).collect();
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let dashes = if name.starts_with("floor") { " stroke-dasharray=\"5 4\"" } else { "" };
    let path = path.join("L");
    let _ = writeln!(svg, "<path d=\"M{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>");
    for (x, y) in places {
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
}

/// The name of each line at its end. Lines may end close to each other, so each name gets its own height.
fn draw_names(svg: &mut String, lines: &[Line], up: &Axis) {
    let end = |line: &Line| line.points.last().map_or(TOP, |(_, time)| up.place(*time));
    let mut ends: Vec<(f64, &Line)> = lines.iter().map(|line| (end(line), line)).collect();
    ends.sort_by(|left, right| left.0.total_cmp(&right.0));
    let mut free = TOP;
    for (y, Line { name, colour, .. }) in ends {
        let y = y.max(free);
        free = y + 15.0;
        let x = WIDTH - RIGHT + 10.0;
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>", y + 4.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_spans_whole_powers_of_ten() {
        let axis = Axis::over(&[9_724.0, 1_000_000.0], 0.0, 300.0);
        assert_eq!(axis.powers().collect::<Vec<_>>(), [1e3, 1e4, 1e5, 1e6]);
        assert_eq!((axis.place(1e3), axis.place(1e6)), (0.0, 300.0));
        // A single value has an axis too.
        assert_eq!(Axis::over(&[10.0], 0.0, 1.0).powers().count(), 2);
    }
}
