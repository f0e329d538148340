//! The measurements, as tables with the bars that they should stay under, and as JSON.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The contenders' names, as the measuring scripts give them.
const FLOAT_FLOOR: &str = "floor f32";
const CODE_FLOOR: &str = "floor int8";
const FLOATS: &str = "watchnext f32";
const CODES: &str = "watchnext int8, exact";
const RELAXED: &str = "watchnext int8, relaxed SIMD";
const PAGE: &str = "watchnext";
const TRACT: &str = "tract";
const RUNTIME: &str = "ONNX Runtime Web";
const FAISS: &str = "FAISS IndexFlatL2, native";
const PEERS: [&str; 3] = ["typed arrays", "hnswlib-wasm", "voy-search"];

/// All measurements of one run.
#[derive(Serialize)]
pub struct Report {
    pub browser: Browser,
    pub native: Native,
}

/// The measurements in Chromium.
#[derive(Serialize, Deserialize)]
pub struct Browser {
    pub browser: String,
    /// From navigation to the frame with the first suggestions.
    pub loads: Vec<Page>,
    /// From a click to the list that follows it.
    pub clicks: Vec<Page>,
    pub tower: Tower,
    pub scans: Vec<Scans>,
}

/// A whole page.
#[derive(Serialize, Deserialize)]
pub struct Page {
    pub name: String,
    #[serde(flatten)]
    pub times: Times,
}

/// The user tower by each runtime.
#[derive(Serialize, Deserialize)]
pub struct Tower {
    /// The largest difference between the runtimes' vectors, relative to the largest number.
    pub difference: f64,
    pub results: Vec<TowerResult>,
}

/// One runtime, in milliseconds: loading it and the model, the first call, and later calls.
#[derive(Serialize, Deserialize)]
pub struct TowerResult {
    pub name: String,
    pub load: f64,
    pub first: f64,
    pub median: f64,
    pub p99: f64,
    pub least: f64,
    pub rounds: usize,
}

/// All scans over one table.
#[derive(Serialize, Deserialize)]
pub struct Scans {
    pub rows: usize,
    pub results: Vec<ScanResult>,
    pub skipped: Vec<Skipped>,
    /// The answer to the first query.
    pub nearest: Vec<usize>,
}

/// One scan over one table.
#[derive(Serialize, Deserialize)]
pub struct ScanResult {
    pub name: String,
    pub rows: usize,
    /// Queries in a row.
    pub hot: Times,
    /// Single queries, each after other work.
    pub cold: Times,
    /// The share of the exact answer's rows that it finds. `None` for a loop that only reads.
    pub recall: Option<f64>,
}

/// Times in milliseconds.
#[derive(Serialize, Deserialize)]
pub struct Times {
    pub median: f64,
    pub p99: f64,
    pub least: f64,
    pub rounds: usize,
}

/// A contender that wasn't measured, and why.
#[derive(Serialize, Deserialize)]
pub struct Skipped {
    pub name: String,
    pub why: String,
}

/// The measurements outside the browser.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Native {
    Measured(Faiss),
    Skipped(String),
}

/// FAISS on the same vectors.
#[derive(Serialize, Deserialize)]
pub struct Faiss {
    pub version: String,
    pub options: String,
    pub scans: Vec<FaissScan>,
}

/// FAISS over one table.
#[derive(Serialize, Deserialize)]
pub struct FaissScan {
    pub rows: usize,
    pub result: ScanResult,
    pub nearest: Vec<usize>,
}

impl Report {
    /// All scans of the table with this many rows, the native one last.
    pub fn results(&self, rows: usize) -> impl Iterator<Item = &ScanResult> {
        let faiss = match &self.native {
            Native::Measured(faiss) => faiss.scans.as_slice(),
            Native::Skipped(_) => &[],
        };
        let in_browser =
            self.browser.scans.iter().filter(move |scans| scans.rows == rows).flat_map(|scans| &scans.results);
        in_browser.chain(faiss.iter().filter(move |scan| scan.rows == rows).map(|scan| &scan.result))
    }

    fn named(&self, rows: usize, name: &str) -> Option<&ScanResult> {
        self.results(rows).find(|result| result.name == name)
    }

    fn click(&self, name: &str) -> Option<&Times> {
        self.browser.clicks.iter().find(|page| page.name == name).map(|page| &page.times)
    }

    fn tower(&self, name: &str) -> Option<&TowerResult> {
        self.browser.tower.results.iter().find(|result| result.name == name)
    }

    /// The tables, and each bar with its measurement.
    pub fn text(&self) -> String {
        let mut text = format!("Chromium {}; medians (p99) in milliseconds\n\n", self.browser.browser);
        let _ = writeln!(text, "{:<32}{:>20}{:>20}", "whole page", "first suggestions", "click");
        for Page { name, times } in &self.browser.loads {
            let load = format!("{:.0} ({:.0})", times.median, times.p99);
            let click =
                self.click(name).map_or("-".to_owned(), |click| format!("{:.1} ({:.1})", click.median, click.p99));
            let _ = writeln!(text, "{name:<32}{load:>20}{click:>20}");
        }
        let _ = writeln!(text, "\n{:<28}{:>10}{:>10}{:>20}", "user tower", "load", "first", "call");
        for TowerResult { name, load, first, median, p99, .. } in &self.browser.tower.results {
            let _ = writeln!(text, "{name:<28}{load:>10.1}{first:>10.2}{:>20}", format!("{median:.3} ({p99:.3})"));
        }
        let _ = writeln!(text, "largest difference of their vectors: {:.1e}", self.browser.tower.difference);
        for scans in &self.browser.scans {
            let title = format!("{} x 128, top 100", scans.rows);
            let _ = writeln!(text, "\n{title:<28}{:>20}{:>20}{:>10}", "hot, in blocks", "cold, interleaved", "recall");
            for ScanResult { name, hot, cold, recall, .. } in self.results(scans.rows) {
                let recall = recall.map_or("-".to_owned(), |recall| format!("{recall:.4}"));
                let _ = writeln!(text, "{name:<28}{:>20}{:>20}{recall:>10}", shown(hot), shown(cold));
            }
            for Skipped { name, why } in &scans.skipped {
                let _ = writeln!(text, "{name:<28}skipped: {why}");
            }
            if let Some(agreement) = self.agreement(scans) {
                let _ = writeln!(text, "{agreement}");
            }
        }
        if let Native::Skipped(reason) = &self.native {
            let _ = writeln!(text, "\n{FAISS}: skipped: {reason}");
        }
        let _ = writeln!(text, "\n{:<62}{:>10}{:>10}{:>10}", "bar", "at most", "hot", "cold");
        for Bar { name, most, hot, cold } in self.bars() {
            let verdict = if hot.max(cold) <= most { "holds" } else { "missed" };
            let _ = writeln!(text, "{name:<62}{most:>10.3}{hot:>10.3}{cold:>10.3}  {verdict}");
        }
        text
    }

    /// How many rows FAISS's answer shares with ours.
    fn agreement(&self, scans: &Scans) -> Option<String> {
        let Native::Measured(faiss) = &self.native else { return None };
        let other = faiss.scans.iter().find(|scan| scan.rows == scans.rows)?;
        let shared = other.nearest.iter().filter(|row| scans.nearest.contains(row)).count();
        Some(format!("FAISS's first answer shares {shared} of {} rows with ours", scans.nearest.len()))
    }

    /// The bars that have their measurements.
    fn bars(&self) -> Vec<Bar> {
        let mut bars = self.page_bars();
        self.browser.scans.iter().for_each(|scans| bars.extend(self.scan_bars(scans.rows)));
        bars
    }

    /// The bars of the whole page and of the user tower.
    fn page_bars(&self) -> Vec<Bar> {
        let mut bars = Vec::new();
        let page = |name: &str| self.browser.loads.iter().find(|load| load.name == name);
        if let (Some(ours), Some(other)) = (page(PAGE), page(RUNTIME)) {
            let ratio = ours.times.median / other.times.median;
            bars.push(Bar::single(format!("first suggestions, {PAGE} / {RUNTIME}"), 0.5, ratio));
        }
        if let Some(Times { median, p99, .. }) = self.click(PAGE) {
            for (name, most, time) in [("median", 4.0, *median), ("99th percentile", 10.0, *p99)] {
                bars.push(Bar::single(format!("a click in {PAGE}, {name}, ms"), most, time));
            }
        }
        if let (Some(tract), Some(runtime)) = (self.tower(TRACT), self.tower(RUNTIME)) {
            bars.push(Bar::single(format!("{TRACT} / {RUNTIME}"), 1.0, tract.median / runtime.median));
        }
        bars
    }

    /// The bars of the scans of a table.
    fn scan_bars(&self, rows: usize) -> Vec<Bar> {
        let ours_with_peers = [FLOATS, CODES].into_iter().flat_map(|ours| PEERS.map(|peer| (ours, peer, 1.0 / 3.0)));
        let pairs = [
            (FLOATS, FLOAT_FLOOR, 1.25),
            (CODES, CODE_FLOOR, 1.7),
            (RELAXED, CODE_FLOOR, 1.2),
            (CODES, FAISS, 1.0),
            (RELAXED, FAISS, 1.0),
        ];
        let ratio = |(one, other, most): (&str, &str, f64)| -> Option<Bar> {
            let (left, right) = (self.named(rows, one)?, self.named(rows, other)?);
            Some(Bar {
                name: format!("{rows:>9}: {one} / {other}"),
                most,
                hot: left.hot.median / right.hot.median,
                cold: left.cold.median / right.cold.median,
            })
        };
        let recall = self.named(rows, CODES).and_then(|codes| codes.recall);
        let missed = |recall: f64| Bar::single(format!("{rows:>9}: 1 - recall@100 of {CODES}"), 0.001, 1.0 - recall);
        pairs.into_iter().chain(ours_with_peers).filter_map(ratio).chain(recall.map(missed)).collect()
    }

    /// The report for programs.
    pub fn json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).context("the results can't be written as JSON")
    }
}

/// A measurement and the most that it should be: a ratio, or milliseconds for the clicks.
struct Bar {
    name: String,
    most: f64,
    hot: f64,
    cold: f64,
}

impl Bar {
    /// A bar whose measurement isn't hot or cold.
    fn single(name: String, most: f64, found: f64) -> Self {
        Self { name, most, hot: found, cold: found }
    }
}

fn shown(Times { median, p99, .. }: &Times) -> String {
    format!("{median:.3} ({p99:.3})")
}
