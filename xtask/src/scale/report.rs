//! The measurements of a large bundle, as a table and as JSON, and its budget.
//!
//! A bound of the budget is a constant part and a part that grows with the bundle. The constant part is a multiple of
//! the shipped bundle's own measurement, so that a small bundle on a busy machine gets a fair bound.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The constant part of each bound, in measurements of the shipped bundle.
const SHIPPED: f64 = 2.0;

/// The growing part for a click, in times of reading the vectors once. A scan is one reading; the rest is for other
/// work on each item and for cold caches.
const CLICK_READS: f64 = 4.0;

/// The growing part for the first suggestions, in milliseconds for each megabyte of the bundle. It includes the
/// transfer from the same machine.
const LOAD_MS_PER_MB: f64 = 60.0;

/// The growing part for the memory of the page's process, in sizes of the bundle: while it loads, the files and the
/// tables made from them are both in memory.
const MEMORY: f64 = 4.0;

/// The growing part for a title search, without and with a typing error, in times of reading the vectors once. Reading
/// 128 MB takes about 11 ms on an idle machine, so the titles come fast enough to feel immediate.
const SEARCH_READS: f64 = 8.0;
const TYPO_READS: f64 = 25.0;

/// All measurements of one run.
#[derive(Serialize)]
pub struct Report {
    steps: Vec<Step>,
    #[serde(flatten)]
    browser: Browser,
    budget: Vec<Bar>,
}

/// One of the commands that make the bundle.
#[derive(Serialize)]
pub struct Step {
    pub command: String,
    pub seconds: f64,
}

/// The measurements in Chromium.
#[derive(Serialize, Deserialize)]
pub struct Browser {
    browser: String,
    movies: usize,
    dim: usize,
    /// Reading as many bytes as the vectors have, once.
    floor: Floor,
    shipped: Page,
    large: Page,
}

#[derive(Serialize, Deserialize)]
struct Floor {
    bytes: u64,
    #[serde(flatten)]
    times: Times,
}

/// One bundle in the page; times are in milliseconds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    /// The size of all files that the first suggestions need.
    bytes: u64,
    /// The texts that the page showed while it loaded, in order.
    said: Vec<String>,
    /// From navigation to the first suggestions.
    first: f64,
    /// From a click to its list.
    clicks: Times,
    /// The first title search, which makes the keys of all titles.
    first_search: f64,
    search: Times,
    /// Title searches with a typing error.
    typos: Times,
    /// The memory of the page's process, in bytes.
    memory: f64,
}

#[derive(Serialize, Deserialize)]
struct Times {
    median: f64,
    p99: f64,
    rounds: usize,
}

/// One line of the budget.
#[derive(Serialize)]
struct Bar {
    name: String,
    most: f64,
    found: f64,
}

impl Bar {
    fn holds(&self) -> bool {
        self.found <= self.most
    }
}

impl Page {
    /// The size as the page must show it: megabytes with one decimal.
    fn size(&self) -> String {
        format!("{:.1} MB", self.bytes as f64 / 1e6)
    }

    fn shows_its_size(&self) -> bool {
        self.said.iter().any(|words| words.replace(',', "").contains(&self.size()))
    }
}

impl Report {
    /// A report with its budget.
    pub fn new(steps: Vec<Step>, browser: Browser) -> Self {
        let Browser { floor, shipped, large, .. } = &browser;
        let bar = |name: &str, most: f64, found: f64| Bar { name: name.to_owned(), most, found };
        let megabytes = |bytes: f64| bytes / 1e6;
        let within = |shipped: &Times, reads: f64| SHIPPED * shipped.median + reads * floor.times.median;
        let budget = vec![
            bar("the page shows the size while it loads: 0 = yes, 1 = no", 0.0, f64::from(!large.shows_its_size())),
            bar(
                "first suggestions, ms",
                SHIPPED * shipped.first + LOAD_MS_PER_MB * megabytes(large.bytes as f64),
                large.first,
            ),
            bar("click to list, ms", within(&shipped.clicks, CLICK_READS), large.clicks.median),
            bar("title search, ms", within(&shipped.search, SEARCH_READS), large.search.median),
            bar("title search with a typing error, ms", within(&shipped.typos, TYPO_READS), large.typos.median),
            bar(
                "memory of the page's process, MB",
                megabytes(SHIPPED * shipped.memory + MEMORY * large.bytes as f64),
                megabytes(large.memory),
            ),
        ];
        Self { steps, browser, budget }
    }

    /// Whether every measurement is within its bound.
    pub fn is_within_budget(&self) -> bool {
        self.budget.iter().all(Bar::holds)
    }

    /// The tables.
    pub fn text(&self) -> String {
        let Browser { browser, movies, dim, floor, shipped, large } = &self.browser;
        let mut text = format!("Chromium {browser}; times in milliseconds, medians (p99)\n\n");
        for Step { command, seconds } in &self.steps {
            let _ = writeln!(text, "{command:<34}{seconds:>18.1} s");
        }
        let named = format!("{movies} x {dim}");
        let _ = writeln!(text, "\n{:<34}{:>20}{named:>20}", "in the page", "shipped");
        let times = |times: &Times| format!("{:.1} ({:.1})", times.median, times.p99);
        let mut line = |name: &str, of: &dyn Fn(&Page) -> String| {
            let _ = writeln!(text, "{name:<34}{:>20}{:>20}", of(shipped), of(large));
        };
        line("bundle", &Page::size);
        line("first suggestions", &|page| format!("{:.0}", page.first));
        line("click to list", &|page| times(&page.clicks));
        line("first title search", &|page| format!("{:.1}", page.first_search));
        line("title search", &|page| times(&page.search));
        line("title search with a typing error", &|page| times(&page.typos));
        line("memory of the page's process", &|page| format!("{:.0} MB", page.memory / 1e6));
        let _ = writeln!(text, "reading {} MB once: {}", floor.bytes / 1_000_000, times(&floor.times));
        let said = large.said.iter().enumerate().filter(|(at, _)| *at < 3 || at + 1 == large.said.len());
        let said: Vec<&str> = said.map(|(_, words)| words.as_str()).collect();
        let _ = writeln!(text, "texts while loading, the first three and the last: {}", said.join(" | "));
        let _ = writeln!(text, "\n{:<54}{:>10}{:>10}", "budget", "at most", "found");
        for bar in &self.budget {
            let verdict = if bar.holds() { "holds" } else { "missed" };
            let _ = writeln!(text, "{:<54}{:>10.1}{:>10.1}  {verdict}", bar.name, bar.most, bar.found);
        }
        text
    }

    /// The report for programs.
    pub fn json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).context("the results can't be written as JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(bytes: u64, said: &str, click: f64) -> Page {
        let times = |median| Times { median, p99: median, rounds: 20 };
        Page {
            bytes,
            said: vec![said.to_owned()],
            first: bytes as f64 * 20e-6,
            clicks: times(click),
            first_search: 5.0,
            search: times(2.0),
            typos: times(3.0),
            memory: 1e8 + bytes as f64 * 3.0,
        }
    }

    fn report(said: &str, click: f64) -> Report {
        let floor = Floor { bytes: 128_000_000, times: Times { median: 10.0, p99: 11.0, rounds: 15 } };
        let (shipped, large) = (page(3_100_000, "", 8.0), page(1_315_000_000, said, click));
        Report::new(Vec::new(), Browser { browser: "1".to_owned(), movies: 1_000_000, dim: 128, floor, shipped, large })
    }

    #[test]
    fn a_slow_click_and_a_silent_page_exceed_the_budget() {
        // The bound is 2 × 8 ms and 4 readings of 10 ms.
        assert!(report("Loading 7.2 MB of 1,315.0 MB", 56.0).is_within_budget());
        assert!(!report("Loading 7.2 MB of 1,315.0 MB", 56.1).is_within_budget());
        let silent = report("Loading …", 56.0);
        assert!(!silent.is_within_budget());
        assert!(silent.text().contains("missed") && silent.json().unwrap().contains("\"budget\""));
    }
}
