//! The table at the end of a test run. Its last line counts the suites by outcome.

use std::time::Duration;

use crate::shell::human;

/// How a suite ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed, or it couldn't run: what happened and where.
    Failed(String),
    /// It was skipped: why.
    Skipped(String),
}

/// The outcome of each suite, in the order in which they ran.
#[derive(Default)]
pub struct Summary {
    rows: Vec<(String, Outcome, Duration)>,
    notes: Vec<String>,
}

impl Summary {
    /// Adds a suite's row.
    pub fn add(&mut self, suite: impl Into<String>, outcome: Outcome, time: Duration) {
        self.rows.push((suite.into(), outcome, time));
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, sentence: String) {
        self.notes.push(sentence);
    }

    /// Whether a suite has run and failed.
    pub fn has_failed(&self, suite: &str) -> bool {
        self.rows.iter().any(|(name, outcome, _)| name == suite && matches!(outcome, Outcome::Failed(_)))
    }

    /// Whether nothing failed.
    pub fn is_green(&self) -> bool {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_))) == 0
    }

    /// The table, the notes, and the last line.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for (suite, outcome, time) in &self.rows {
            let (word, reason) = match outcome {
                Outcome::Passed => ("passed", ""),
                Outcome::Failed(reason) => ("failed", reason.as_str()),
                Outcome::Skipped(reason) => ("skipped", reason.as_str()),
            };
            let time = if matches!(outcome, Outcome::Skipped(_)) { "-".to_owned() } else { human(*time) };
            lines.push(format!("    {word:<8} {suite:<14} {time:>12}   {reason}").trim_end().to_owned());
        }
        lines.extend(self.notes.iter().map(|note| format!("    {note}")));
        lines.push(format!(
            "{} passed, {} failed, {} skipped",
            self.count(|outcome| *outcome == Outcome::Passed),
            self.count(|outcome| matches!(outcome, Outcome::Failed(_))),
            self.count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        ));
        lines.join("\n")
    }

    fn count(&self, is_counted: impl Fn(&Outcome) -> bool) -> usize {
        self.rows.iter().filter(|(_, outcome, _)| is_counted(outcome)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_the_suites() {
        let mut summary = Summary::default();
        summary.add("format", Outcome::Passed, Duration::from_millis(900));
        summary.add("browser", Outcome::Failed("exit code 1".to_owned()), Duration::from_secs(75));
        summary.add("deny", Outcome::Skipped("cargo-deny isn't on PATH".to_owned()), Duration::ZERO);
        summary.note("MovieLens is there.".to_owned());
        let expected = "    \
            passed   format                0.9 s\n    \
            failed   browser          1 min 15 s   exit code 1\n    \
            skipped  deny                      -   cargo-deny isn't on PATH\n    \
            MovieLens is there.\n\
            1 passed, 1 failed, 1 skipped";
        assert_eq!(summary.text(), expected);
        assert!(!summary.is_green());
        assert!(summary.has_failed("browser") && !summary.has_failed("deny"));
    }

    #[test]
    fn a_skipped_suite_does_not_fail_the_run() {
        let mut summary = Summary::default();
        summary.add("deny", Outcome::Skipped(String::new()), Duration::ZERO);
        assert!(summary.is_green());
    }
}
