//! The plot: time of a query against rows, both in powers of ten, a line for each scan.

use std::fmt::Write;

use super::report::Report;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 220.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;

/// Okabe and Ito's colours, which people who see few colours tell apart too.
const COLOURS: [&str; 8] = ["#000000", "#999999", "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7"];

/// A linear scale from exponents of ten to places in the picture.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// From the power of ten below the least of the values to the one above the largest.
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

/// The plot of the cold medians: what a visitor waits for after a click.
pub fn svg(report: &Report) -> String {
    let sizes: Vec<usize> = report.browser.scans.iter().map(|scans| scans.rows).collect();
    let mut names: Vec<&str> = Vec::new();
    for result in sizes.iter().flat_map(|rows| report.results(*rows)) {
        if !names.contains(&result.name.as_str()) {
            names.push(&result.name);
        }
    }
    let line = |name: &str| -> Vec<(f64, f64)> {
        let of_size = |rows: &usize| report.results(*rows).find(|result| result.name == name);
        sizes.iter().filter_map(of_size).map(|result| (result.rows as f64, result.cold.median)).collect()
    };
    let times: Vec<f64> = names.iter().flat_map(|name| line(name)).map(|(_, time)| time).collect();
    let rows: Vec<f64> = sizes.iter().map(|rows| *rows as f64).collect();
    if times.is_empty() {
        return "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n".to_owned();
    }
    let across = Axis::over(&rows, LEFT, WIDTH - RIGHT);
    let up = Axis::over(&times, HEIGHT - BOTTOM, TOP);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">Milliseconds for the 100 nearest of so many rows of 128, after \
         other work (median)</text>\n"
    );
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
    // Lines that end close to each other would have their names on top of each other, so each name has its own height.
    let mut ends: Vec<(f64, &str, &str)> = Vec::new();
    for (name, colour) in names.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<String> = line(name)
            .into_iter()
            .map(|(rows, time)| format!("{:.1} {:.1}", across.place(rows), up.place(time)))
            .collect();
        let dashes = if name.starts_with("floor") { " stroke-dasharray=\"5 4\"" } else { "" };
        let _ = writeln!(
            svg,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>",
            points.join("L")
        );
        for point in &points {
            let (x, y) = point.split_once(' ').unwrap_or_default();
            let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>");
        }
        let last = line(name).last().map_or(TOP, |(_, time)| up.place(*time));
        ends.push((last, name, colour));
    }
    ends.sort_by(|left, right| left.0.total_cmp(&right.0));
    let mut free = TOP;
    for (y, name, colour) in ends {
        let y = y.max(free);
        free = y + 15.0;
        let x = WIDTH - RIGHT + 10.0;
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>", y + 4.0);
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_spans_whole_powers_of_ten() {
        let axis = Axis::over(&[9_724.0, 1_000_000.0], 0.0, 300.0);
        assert_eq!(axis.powers().collect::<Vec<_>>(), [1e3, 1e4, 1e5, 1e6]);
        assert_eq!((axis.place(1e3), axis.place(1e6)), (0.0, 300.0));
        // A single value has an axis as well.
        assert_eq!(Axis::over(&[10.0], 0.0, 1.0).powers().count(), 2);
    }
}
