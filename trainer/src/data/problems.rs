//! What is wrong with a file's rows, gathered so that whoever mends the file learns of all of it at once.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Wrong rows that are shown; more would scroll the first away, and a file that is wrong in one row is wrong in the others alike.
const SHOWN: usize = 5;

/// Characters of a value that are shown: a field with half a file in it must not fill the screen.
const SHOWN_VALUE: usize = 60;

/// The wrong rows of one file: how many, and the first of them in words.
#[derive(Debug)]
pub(crate) struct Problems {
    path: PathBuf,
    /// `line` or `row`.
    unit: &'static str,
    /// Rows, of which one may be wrong in several ways.
    count: usize,
    last: Option<u32>,
    first: Vec<String>,
    notes: Vec<String>,
}

impl Problems {
    /// None yet, of a file whose rows are counted in `unit`.
    pub(crate) fn new(path: &Path, unit: &'static str) -> Self {
        Self { path: path.to_owned(), unit, count: 0, last: None, first: Vec::new(), notes: Vec::new() }
    }

    /// One more: the row that it is in, and what is wrong with it and how to mend it.
    pub(crate) fn row(&mut self, row: u32, words: impl FnOnce() -> String) {
        self.count += usize::from(self.last != Some(row));
        self.last = Some(row);
        if self.first.len() < SHOWN {
            self.first.push(format!("{} {row}{}", self.unit, words()));
        }
    }

    /// One more in a column: its value, what is wrong with that, and how to mend it.
    pub(crate) fn value(&mut self, row: u32, column: &str, value: &str, words: impl Display) {
        self.row(row, || format!(", column `{column}`: {} {words}", quoted(value)));
    }

    /// Something to say after the rows, about all of them; once.
    pub(crate) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Goes on if there are none.
    ///
    /// # Errors
    /// All that was gathered, the first rows by their places.
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

/// A value as a message shows it: in backticks, its first characters, with what can't be seen written out.
pub(crate) fn quoted(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN_VALUE).flat_map(char::escape_debug).collect();
    // Quotes are part of what is wrong in many a file, and read worse with a backslash.
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
