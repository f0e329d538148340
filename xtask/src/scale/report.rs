//! What a bundle of some size was measured to take, as a table and as JSON, and the budget that it is held to.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// What the shipped bundle takes counts this often in each bound that grows with the bundle, so that a small bundle on a busy machine
/// isn't held to nothing.
const SHIPPED: f64 = 2.0;

/// Beyond that, how often a click may take as long as reading the vectors once. Scanning is reading; the rest is for what is done
/// for each item beside it, and for caches that other work has emptied.
const CLICK_READS: f64 = 4.0;

/// Beyond that, how many milliseconds each megabyte of the bundle may keep the visitor waiting for the first suggestions, its transfer
/// from the same machine included.
const LOAD_MS_PER_MB: f64 = 60.0;

/// Beyond that, how much memory the page's process may have, over the bundle's bytes: while it is loaded the files stand beside what
/// is made of them.
const MEMORY: f64 = 4.0;

/// Beyond that, how often the titles for a query may take as long as reading the vectors once, and those that match it but for a
/// typing error. Reading 128 MB takes about 11 ms on an idle machine, where the titles then come within what feels immediate.
const SEARCH_READS: f64 = 8.0;
const TYPO_READS: f64 = 25.0;

/// Everything that one run has measured.
#[derive(Serialize)]
pub struct Report {
    steps: Vec<Step>,
    #[serde(flatten)]
    browser: Browser,
    budget: Vec<Bar>,
}

/// One command on the way to the bundle.
#[derive(Serialize)]
pub struct Step {
    pub command: String,
    pub seconds: f64,
}

/// What Chromium has measured.
#[derive(Serialize, Deserialize)]
pub struct Browser {
    browser: String,
    movies: usize,
    dim: usize,
    /// Reading as many bytes as the vectors have.
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
    /// Of all files that must have come before the first suggestions.
    bytes: u64,
    /// The words that were shown meanwhile, in their order.
    said: Vec<String>,
    /// From navigation to the first suggestions.
    first: f64,
    /// From a click to its list.
    clicks: Times,
    /// The first title that is asked for; the keys of all titles are made then.
    first_search: f64,
    search: Times,
    /// Titles with a typing error.
    typos: Times,
    /// Of the page's process, in bytes.
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
    /// The weight as the page must name it: megabytes with one place.
    fn weight(&self) -> String {
        format!("{:.1} MB", self.bytes as f64 / 1e6)
    }

    fn says_its_weight(&self) -> bool {
        self.said.iter().any(|words| words.replace(',', "").contains(&self.weight()))
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
            bar("the weight isn't named while it loads (1) or is (0)", 0.0, f64::from(!large.says_its_weight())),
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

    /// Whether no line of the budget is missed.
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
        line("bundle", &Page::weight);
        line("first suggestions", &|page| format!("{:.0}", page.first));
        line("click to list", &|page| times(&page.clicks));
        line("first title search", &|page| format!("{:.1}", page.first_search));
        line("title search", &|page| times(&page.search));
        line("title search with a typing error", &|page| times(&page.typos));
        line("memory of the page's process", &|page| format!("{:.0} MB", page.memory / 1e6));
        let _ = writeln!(text, "reading {} MB once: {}", floor.bytes / 1_000_000, times(&floor.times));
        let said = large.said.iter().enumerate().filter(|(at, _)| *at < 3 || at + 1 == large.said.len());
        let said: Vec<&str> = said.map(|(_, words)| words.as_str()).collect();
        let _ = writeln!(text, "said while loading, the first words and the last: {}", said.join(" | "));
        let _ = writeln!(text, "\n{:<54}{:>10}{:>10}", "budget", "at most", "found");
        for bar in &self.budget {
            let verdict = if bar.holds() { "holds" } else { "missed" };
            let _ = writeln!(text, "{:<54}{:>10.1}{:>10.1}  {verdict}", bar.name, bar.most, bar.found);
        }
        text
    }

    /// All of it, for programs.
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
    fn a_slow_click_and_a_silent_page_miss_the_budget() {
        // Twice 8 ms and four reads of 10.
        assert!(report("Loading 7.2 MB of 1,315.0 MB", 56.0).is_within_budget());
        assert!(!report("Loading 7.2 MB of 1,315.0 MB", 56.1).is_within_budget());
        let silent = report("Loading …", 56.0);
        assert!(!silent.is_within_budget());
        assert!(silent.text().contains("missed") && silent.json().unwrap().contains("\"budget\""));
    }
}
