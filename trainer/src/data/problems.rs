//! Collects the wrong rows of a file: one error reports all of them.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Wrong rows that are shown. More would scroll the first away, and most files repeat one mistake.
const SHOWN: usize = 5;

/// Characters of a value that are shown. A field with half a file in it must not fill the screen.
const SHOWN_VALUE: usize = 60;

/// The wrong rows of one file: their number, and the first of them in words.
#[derive(Debug)]
pub(crate) struct Problems {
    path: PathBuf,
    /// `line` or `row`.
    unit: &'static str,
    /// How many rows are wrong. A row with several defects counts once.
    count: usize,
    last: Option<u32>,
    first: Vec<String>,
    notes: Vec<String>,
}

impl Problems {
    /// No problems yet. `unit` names the place of a row: `line` or `row`.
    pub(crate) fn new(path: &Path, unit: &'static str) -> Self {
        Self { path: path.to_owned(), unit, count: 0, last: None, first: Vec::new(), notes: Vec::new() }
    }

    /// Adds a defect of a row; `words` say what is wrong and give the remedy.
    pub(crate) fn row(&mut self, row: u32, words: impl FnOnce() -> String) {
        self.count += usize::from(self.last != Some(row));
        self.last = Some(row);
        if self.first.len() < SHOWN {
            self.first.push(format!("{} {row}{}", self.unit, words()));
        }
    }

    /// Adds a defect of a value; `words` say what is wrong with it and give the remedy.
    pub(crate) fn value(&mut self, row: u32, column: &str, value: &str, words: impl Display) {
        self.row(row, || format!(", column `{column}`: {} {words}", quoted(value)));
    }

    /// Adds a note about the whole file, which comes after the rows. A note is shown once.
    pub(crate) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// How many rows are wrong.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Succeeds if there are no problems.
    ///
    /// # Errors
    /// The number of wrong rows, and the first of them with their places.
    pub(crate) fn settle(self) -> Result<()> {
        let path = self.path.display();
        let notes: String = self.notes.iter().map(|note| format!(" {note}")).collect();
        match self.first.as_slice() {
            [] => Ok(()),
            [only] if self.count == 1 => bail!("{path}: {only}{notes}"),
            [first, second, ..] if self.count == 1 => bail!("{path}: {first} And {second}{notes}"),
            first => {
                let shown = first.iter().map(|row| format!("\n  {path}: {row}")).collect::<String>();
                let which = if self.count > first.len() { format!("; the first {SHOWN}") } else { String::new() };
                let after = if notes.is_empty() { String::new() } else { format!("\n {notes}") };
                bail!("{path}: {} rows are wrong{which}:{shown}{after}", self.count)
            }
        }
    }
}

/// The beginning of a value in backticks, with invisible characters escaped.
pub(crate) fn quoted(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN_VALUE).flat_map(char::escape_debug).collect();
    // Quotes are often what is wrong, and read worse with a backslash.
    shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    if value.chars().nth(SHOWN_VALUE).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_wrong_row_is_one_line_and_more_are_counted() {
        let of = |rows: u32| {
            let mut problems = Problems::new(Path::new("r.csv"), "line");
            (2..2 + rows).for_each(|row| problems.value(row, "rating", "four", "isn't a number."));
            problems.settle().map_err(|error| error.to_string())
        };
        assert_eq!(of(0), Ok(()));
        assert_eq!(of(1).unwrap_err(), "r.csv: line 2, column `rating`: `four` isn't a number.");
        let three = of(3).unwrap_err();
        assert!(three.starts_with("r.csv: 3 rows are wrong:\n  r.csv: line 2,") && three.contains("line 4"), "{three}");
        let seven = of(7).unwrap_err();
        assert!(seven.contains("7 rows are wrong; the first 5:") && !seven.contains("line 7"), "{seven}");
    }

    #[test]
    fn values_are_shown_short_and_visible() {
        assert_eq!(quoted("a\tb\0"), "`a\\tb\\0`");
        assert_eq!(quoted(&"é".repeat(100)), format!("`{}…`", "é".repeat(60)));
    }
}
