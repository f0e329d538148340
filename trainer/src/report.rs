//! The evaluator's output: a table for people, JSON for programs, a picture, and the model card.

use std::fmt;
use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use watchnext::bundle::Manifest;

use crate::compact::CompactStates;
use crate::evaluate::{Figure, MOST_K, NextMovie};
use crate::train::{EpochFigures, TrainConfig};

/// One method on one group of users.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The method's name.
    pub method: String,
    /// Which users.
    pub group: String,
    /// Its figures.
    pub figures: NextMovie,
}

impl NextMovie {
    /// The figures with their names in JSON.
    pub const fn named(&self) -> [(&'static str, Figure); 4] {
        [("hit10", self.hit10), ("hit100", self.hit100), ("ndcg10", self.ndcg10), ("mrr", self.mrr)]
    }
}

/// Rows to show.
pub struct Table<'rows>(pub &'rows [Row]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "P1, the next movie (mean and 95 % interval over users)\n")?;
        writeln!(
            formatter,
            "{:<26}{:<14}{:>7}   {:<22}{:<22}{:<22}{:<22}",
            "method", "users", "events", "hit@10", "hit@100", "NDCG@10", "MRR"
        )?;
        for row in self.0 {
            write!(formatter, "{:<26}{:<14}{:>7}   ", row.method, row.group, row.figures.events)?;
            for (_, figure) in row.figures.named() {
                write!(formatter, "{:<22}", format!("{:.3} [{:.3}, {:.3}]", figure.mean, figure.low, figure.high))?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

impl Table<'_> {
    /// All rows, and the figures of the shipped default under flat keys such as `p1.hit10`, of the last group of users.
    pub fn json(&self) -> Value {
        let mut object = serde_json::Map::new();
        if let Some(shipped) = self.0.iter().rfind(|row| row.method.ends_with("softmax")) {
            for (name, figure) in shipped.figures.named() {
                object.insert(format!("p1.{name}"), json!(figure.mean));
            }
        }
        object.insert("p1".to_owned(), json!(self.0));
        Value::Object(object)
    }

    /// The hit rate against the number of suggestions, a line for each method on the last group of users.
    ///
    /// # Errors
    /// What the plotter refuses.
    pub fn svg(&self) -> Result<String> {
        // Distinct to the colour-blind (Okabe and Ito's palette).
        const COLOURS: [RGBColor; 4] =
            [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];
        let failed = |error: &dyn fmt::Display| anyhow!("the picture can't be drawn: {error}");
        let group = self.0.last().map(|row| row.group.clone()).unwrap_or_default();
        let rows: Vec<&Row> = self.0.iter().filter(|row| row.group == group).collect();
        let most = rows.iter().flat_map(|row| row.figures.hit_curve.iter()).copied().fold(0.05, f64::max);
        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, (820, 480)).into_drawing_area();
            root.fill(&WHITE).map_err(|error| failed(&error))?;
            let mut chart = ChartBuilder::on(&root)
                .caption(format!("The next movie among the first k suggestions, {group} users"), ("sans-serif", 18))
                .margin(16)
                .x_label_area_size(40)
                .y_label_area_size(52)
                .build_cartesian_2d(1..MOST_K, 0.0..most * 1.08)
                .map_err(|error| failed(&error))?;
            chart
                .configure_mesh()
                .x_desc("k")
                .y_desc("hit rate")
                .light_line_style(WHITE)
                .draw()
                .map_err(|error| failed(&error))?;
            for (row, colour) in rows.iter().zip(COLOURS) {
                let points = row.figures.hit_curve.iter().enumerate().map(|(at, hit)| (at + 1, *hit));
                chart
                    .draw_series(LineSeries::new(points, colour.stroke_width(2)))
                    .map_err(|error| failed(&error))?
                    .label(row.method.clone())
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperLeft)
                .background_style(WHITE)
                .border_style(BLACK.mix(0.3))
                .draw()
                .map_err(|error| failed(&error))?;
            root.present().map_err(|error| failed(&error))?;
        }
        Ok(svg)
    }
}

/// The model card, `README.md` of the bundle, with every figure from this very run.
pub fn model_card(
    manifest: &Manifest,
    config: &TrainConfig,
    rows: &[Row],
    epochs: &[EpochFigures],
    states: Option<&CompactStates>,
) -> String {
    let mut figures =
        String::from("| method | users | events | hit@10 | hit@100 | NDCG@10 | MRR |\n|---|---|---|---|---|---|---|\n");
    for row in rows {
        let _ = write!(figures, "| {} | {} | {} |", row.method, row.group, row.figures.events);
        for (_, figure) in row.figures.named() {
            let _ = write!(figures, " {:.3} [{:.3}, {:.3}] |", figure.mean, figure.low, figure.high);
        }
        figures.push('\n');
    }
    let files: String = manifest
        .files
        .iter()
        .map(|(role, file)| format!("| {role} | `{}` | {} | `{}` |\n", file.path, file.bytes, file.sha256))
        .collect();
    let sources: String = manifest
        .training
        .sources
        .iter()
        .map(|source| format!("| `{}` | {} | `{}` |\n", source.name, source.rows, source.sha256))
        .collect();
    let states = states.map_or_else(
        || "The bundle holds no states.".to_owned(),
        |states| {
            let recall = manifest.held_out.get("states.recall100").copied().unwrap_or_default();
            format!(
                "The states are {} user vectors of {} numbers, kept as {} principal coordinates of 8 bits and {} of 4. Of the \
                 100 states that the exact f32 scan finds nearest to a held-out user, theirs finds {:.1} %.",
                states.kept.len(),
                manifest.dim,
                states.fine,
                states.coarse,
                recall * 100.0
            )
        },
    );
    let loss = epochs.last().map_or(0.0, |epoch| epoch.training_loss);
    include_str!("model_card.md")
        .replace("{name}", &manifest.name)
        .replace("{command}", &manifest.training.command)
        .replace("{dataset}", &manifest.training.dataset)
        .replace("{seed}", &config.seed.to_string())
        .replace("{epochs}", &config.epochs.to_string())
        .replace("{loss}", &format!("{loss:.3}"))
        .replace("{ratings_known}", &format!("{:.0}", config.ratings_known * 100.0))
        .replace("{movies}", &manifest.movies.to_string())
        .replace("{dim}", &manifest.dim.to_string())
        .replace("{users}", &manifest.training.users.to_string())
        .replace("{ratings}", &manifest.training.ratings.to_string())
        .replace("{states}", &states)
        .replace("{figures}", figures.trim_end())
        .replace("{files}", files.trim_end())
        .replace("{sources}", sources.trim_end())
}
