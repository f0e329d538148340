//! The terminal's tables.

use std::collections::BTreeMap;
use std::fmt;

use super::shown;
use crate::evaluate::evaluation::{Choice, Evaluation, ReactionRow};
use crate::evaluate::few_clicks::CLICKS;
use crate::evaluate::reaction::Reactions;

/// An evaluation, to be displayed.
pub struct Tables<'evaluation>(pub &'evaluation Evaluation);

impl fmt::Display for Tables<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.0.setting)?;
        self.next_movie(formatter)?;
        self.few_clicks(formatter)?;
        self.reactions(formatter)?;
        self.comparisons(formatter)?;
        self.choices(formatter)?;
        if let Some(leak) = self.0.leaky {
            writeln!(
                formatter,
                "\nP1-leaky, the seed notebook's way, in which every query finds itself: {:.3} validation, {:.3} test",
                leak.validation, leak.test
            )?;
        }
        if let Some(left_out) = self.0.left_out.filter(|left_out| *left_out > 0) {
            writeln!(formatter, "\n{left_out} ratings were left out: their movies aren't in the bundle's catalogue")?;
        }
        Ok(())
    }
}

/// The width of a column that has room for the longest of its words and for a gap.
fn room_for<'words>(words: impl IntoIterator<Item = &'words str>) -> usize {
    words.into_iter().map(|word| word.chars().count()).max().unwrap_or_default() + 2
}

impl Tables<'_> {
    fn next_movie(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.next_movie.is_empty() {
            return Ok(());
        }
        writeln!(formatter, "\nP1, the next movie (mean and 95 % interval over users)\n")?;
        let name = room_for(self.0.next_movie.iter().map(|row| row.label.method.as_str()).chain(["method"]));
        writeln!(
            formatter,
            "{:<name$}{:<14}{:>7}   {:<22}{:<22}{:<22}{:<22}",
            "method", "users", "events", "hit@10", "hit@100", "NDCG@10", "MRR"
        )?;
        for row in &self.0.next_movie {
            write!(formatter, "{:<name$}{:<14}{:>7}   ", row.label.method, row.group, row.figures.events)?;
            for (_, figure) in row.figures.named() {
                write!(formatter, "{:<22}", shown(figure))?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }

    fn few_clicks(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = room_for(self.0.few_clicks.iter().map(|row| row.label.method.as_str()).chain(["method"]));
        for clicks in CLICKS {
            let with =
                self.0.few_clicks.iter().flat_map(|row| row.figures.iter().map(move |figures| (&row.label, figures)));
            let rows: Vec<_> = with.filter(|(_, figures)| figures.clicks == clicks).collect();
            let Some((_, first)) = rows.first() else { continue };
            let noun = if clicks == 1 { "click" } else { "clicks" };
            writeln!(
                formatter,
                "\nP2, after {clicks} {noun} ({} users, mean and 95 % interval over them)\n",
                first.users
            )?;
            writeln!(
                formatter,
                "{:<name$}{:<22}{:<22}{:>11}   {:<20}",
                "method", "NDCG@10", "Recall@20", "coverage@10", "popularity rank"
            )?;
            for (label, figures) in rows {
                let rank = figures.popularity10;
                writeln!(
                    formatter,
                    "{:<name$}{:<22}{:<22}{:>10.1}%   {:.0} [{:.0}, {:.0}]",
                    label.method,
                    shown(figures.ndcg10),
                    shown(figures.recall20),
                    figures.coverage10 * 100.0,
                    rank.mean,
                    rank.low,
                    rank.high
                )?;
            }
        }
        Ok(())
    }

    fn reactions(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.reactions.first() else { return Ok(()) };
        let name = room_for(self.0.reactions.iter().map(|row| row.label.method.as_str()).chain(["method"]));
        let figures: [fn(&ReactionRow) -> &Reactions; 2] = [|row| &row.known, |row| &row.clicks];
        for (figures, history) in figures.into_iter().zip(["the ratings of the history known", "with clicks alone"]) {
            let Reactions { events, likes, users_within, .. } = figures(first);
            writeln!(
                formatter,
                "\nP3, the reaction, {history} ({events} events, {likes} of them likes; {users_within} users have both kinds)\n"
            )?;
            writeln!(
                formatter,
                "{:<name$}{:<22}{:<22}{:<22}calibration error",
                "method", "AUC", "AUC within users", "log loss"
            )?;
            for row in &self.0.reactions {
                let Reactions { auc, auc_within, logloss, ece, .. } = figures(row);
                write!(formatter, "{:<name$}", row.label.method)?;
                for figure in [auc, auc_within, logloss] {
                    write!(formatter, "{:<22}", shown(*figure))?;
                }
                writeln!(formatter, "{ece:.3}")?;
            }
        }
        Ok(())
    }

    fn comparisons(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comparisons = self.0.comparisons();
        let Some(first) = comparisons.first() else { return Ok(()) };
        writeln!(formatter, "\n{} against the best baseline, on the same users (paired bootstrap)\n", first.ours)?;
        let name = room_for(comparisons.iter().map(|row| row.baseline.as_str()).chain(["baseline"]));
        let figure = room_for(comparisons.iter().map(|row| row.figure).chain(["figure"]));
        writeln!(
            formatter,
            "{:<6}{:>7}  {:<figure$}{:<name$}{:<26}gain",
            "", "clicks", "figure", "baseline", "difference"
        )?;
        for row in &comparisons {
            let clicks = row.clicks.map_or_else(String::new, |clicks| clicks.to_string());
            let (difference, gain) = (row.difference.absolute, row.difference.relative);
            let difference = format!("{:+.3} [{:+.3}, {:+.3}]", difference.mean, difference.low, difference.high);
            writeln!(
                formatter,
                "{:<6}{clicks:>7}  {:<figure$}{:<name$}{difference:<26}{:+.1} % [{:+.1}, {:+.1}]",
                row.protocol,
                row.figure,
                row.baseline,
                gain.mean * 100.0,
                gain.low * 100.0,
                gain.high * 100.0
            )?;
        }
        Ok(())
    }

    fn choices(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grouped = grouped_choices(&self.0.choices);
        if grouped.is_empty() {
            return Ok(());
        }
        writeln!(
            formatter,
            "\nChosen parameters: P1's by hit@10 + hit@100 of the validation users, P2's by NDCG@10 on an inner"
        )?;
        writeln!(formatter, "fifth of the training users, P3's by log loss on the same\n")?;
        let name = room_for(grouped.iter().map(|(method, ..)| *method));
        let trained_for = room_for(grouped.iter().map(|(_, training, _)| training.as_str()));
        for (method, training, parameters) in grouped {
            writeln!(formatter, "{method:<name$}{training:<trained_for$}{parameters}")?;
        }
        Ok(())
    }
}

/// `(method, training sets, parameters)`: the training sets for which a method chose the same stand together.
pub fn grouped_choices(choices: &[Choice]) -> Vec<(&str, String, &str)> {
    let mut order: Vec<(&str, &str, &str)> = Vec::new();
    let mut folds: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
    for choice in choices {
        let (protocol, fold) = choice.training.split_once(", fold ").unwrap_or((&choice.training, ""));
        let key = (choice.method.as_str(), protocol, choice.parameters.as_str());
        if !folds.contains_key(&key) {
            order.push(key);
        }
        folds.entry(key).or_default().push(fold);
    }
    let line = |key: (&'_ str, &'_ str, &'_ str)| -> Option<String> {
        let folds = folds.get(&key)?;
        let noun = if folds.len() == 1 { "fold" } else { "folds" };
        let (protocol, folds) = (key.1.to_uppercase(), folds.join(", "));
        Some(if folds.is_empty() { protocol } else { format!("{protocol}, {noun} {folds}") })
    };
    order.iter().filter_map(|key| Some((key.0, line(*key)?, key.2))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_that_chose_alike_share_a_line() {
        let choice = |training: &str, parameters: &str| Choice {
            method: "EASE".to_owned(),
            training: training.to_owned(),
            parameters: parameters.to_owned(),
        };
        let choices = [
            choice("p1", "λ 400"),
            choice("p2, fold 1", "λ 200"),
            choice("p2, fold 2", "λ 400"),
            choice("p2, fold 3", "λ 200"),
        ];
        let lines: Vec<String> = grouped_choices(&choices).into_iter().map(|(_, training, _)| training).collect();
        assert_eq!(lines, ["P1", "P2, folds 1, 3", "P2, fold 2"]);
    }
}
