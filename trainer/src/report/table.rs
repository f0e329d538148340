//! The terminal's tables.

use std::fmt;

use watchnext::recommend::DEFAULT_LIMIT;

use super::text::{
    clicks_in_words, group_name, grouped_choices, method_name, movies_with_interval, protocol_name, sampled,
    with_interval,
};
use crate::evaluate::discovery::BEST_KNOWN;
use crate::evaluate::draws::CLICKS;
use crate::evaluate::evaluation::{Evaluation, ReactionRow, after_clicks};
use crate::evaluate::label::Label;
use crate::evaluate::reaction::Reactions;
use crate::evaluate::wall::{TILES, WALL_CLICKS};

/// An evaluation, displayed as tables.
pub struct Tables<'evaluation>(pub &'evaluation Evaluation);

impl fmt::Display for Tables<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.0.setting)?;
        self.next_movie(formatter)?;
        self.few_clicks(formatter)?;
        self.reactions(formatter)?;
        self.discovery(formatter)?;
        self.next_visit(formatter)?;
        self.lists(formatter)?;
        self.wall(formatter)?;
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

/// The width of a column with room for the longest of its words and a gap.
fn room_for<Word: AsRef<str>>(words: impl IntoIterator<Item = Word>) -> usize {
    words.into_iter().map(|word| word.as_ref().chars().count()).max().unwrap_or_default() + 2
}

/// The width of a column of methods.
fn room_for_methods<'row>(labels: impl Iterator<Item = &'row Label>) -> usize {
    room_for(labels.map(method_name).chain(["method".to_owned()]))
}

impl Tables<'_> {
    fn next_movie(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.next_movie.is_empty() {
            return Ok(());
        }
        let sampled = sampled(self.0);
        writeln!(formatter, "\nP1, the next movie (mean and 95 % interval over users; all events{sampled})\n")?;
        let name = room_for_methods(self.0.next_movie.iter().map(|row| &row.label));
        writeln!(
            formatter,
            "{:<name$}{:<14}{:>7}   {:<22}{:<22}{:<22}{:<22}",
            "method", "users", "events", "hit@10", "hit@100", "NDCG@10", "MRR"
        )?;
        for row in &self.0.next_movie {
            let (method, group) = (method_name(&row.label), group_name(row.group));
            write!(formatter, "{method:<name$}{group:<14}{:>7}   ", row.figures.events)?;
            for (_, figure) in row.figures.named() {
                write!(formatter, "{:<22}", with_interval(figure))?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }

    fn few_clicks(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = room_for_methods(self.0.few_clicks.iter().map(|row| &row.label));
        for clicks in CLICKS {
            let rows = after_clicks(&self.0.few_clicks, clicks);
            let Some((_, first)) = rows.first() else { continue };
            let after = clicks_in_words(clicks);
            writeln!(formatter, "\nP2, after {after} ({} users, mean and 95 % interval over them)\n", first.users)?;
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
                    method_name(label),
                    with_interval(figures.ndcg10),
                    with_interval(figures.recall20),
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
        let name = room_for_methods(self.0.reactions.iter().map(|row| &row.label));
        let figures: [fn(&ReactionRow) -> &Reactions; 2] = [|row| &row.known, |row| &row.clicks];
        for (figures, history) in figures.into_iter().zip(["the ratings of the history known", "with clicks alone"]) {
            let Reactions { events, likes, users_within, .. } = figures(first);
            writeln!(
                formatter,
                "\nP3, the reaction, {history} ({events} events{}, {likes} of them likes; \
                 {users_within} users have both kinds)\n",
                sampled(self.0)
            )?;
            writeln!(
                formatter,
                "{:<name$}{:<22}{:<22}{:<22}calibration error",
                "method", "AUC", "AUC within users", "log loss"
            )?;
            for row in &self.0.reactions {
                let Reactions { auc, auc_within, logloss, ece, .. } = figures(row);
                write!(formatter, "{:<name$}", method_name(&row.label))?;
                for figure in [auc, auc_within, logloss] {
                    write!(formatter, "{:<22}", with_interval(*figure))?;
                }
                writeln!(formatter, "{ece:.3}")?;
            }
        }
        Ok(())
    }

    fn discovery(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = room_for_methods(self.0.discovery.iter().map(|row| &row.label));
        for clicks in CLICKS {
            let rows = after_clicks(&self.0.discovery, clicks);
            let Some((_, first)) = rows.first() else { continue };
            writeln!(
                formatter,
                "\nP4, discovery, after {} ({} users; the {BEST_KNOWN} best known movies left out)\n",
                clicks_in_words(clicks),
                first.users
            )?;
            writeln!(formatter, "{:<name$}{:<22}Recall@20", "method", "NDCG@10")?;
            for (label, found) in rows {
                let (gain, recall) = (with_interval(found.ndcg10), with_interval(found.recall20));
                writeln!(formatter, "{:<name$}{gain:<22}{recall}", method_name(label))?;
            }
        }
        Ok(())
    }

    fn next_visit(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.next_visit.first() else { return Ok(()) };
        let name = room_for_methods(self.0.next_visit.iter().map(|row| &row.label));
        for (at, history) in ["the liked movies as clicks", "all movies with their ratings"].into_iter().enumerate() {
            writeln!(formatter, "\nP5, the next visit, from {history} ({} users)\n", first.rated.users)?;
            writeln!(formatter, "{:<name$}{:<22}hit@20", "method", "NDCG@10")?;
            for row in &self.0.next_visit {
                let Some((_, found)) = row.histories().get(at).copied() else { continue };
                let (gain, hit) = (with_interval(found.ndcg10), with_interval(found.hit20));
                writeln!(formatter, "{:<name$}{gain:<22}{hit}", method_name(&row.label))?;
            }
        }
        Ok(())
    }

    fn lists(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = room_for_methods(self.0.lists.iter().map(|row| &row.label));
        for clicks in CLICKS {
            let rows = after_clicks(&self.0.lists, clicks);
            let Some((_, first)) = rows.first() else { continue };
            writeln!(
                formatter,
                "\nLists of {DEFAULT_LIMIT}, after {} ({} users)\n",
                clicks_in_words(clicks),
                first.users
            )?;
            let best_known = format!("in best {BEST_KNOWN}");
            writeln!(
                formatter,
                "{:<name$}{:<22}{best_known:<22}{:<22}{:>8}",
                "method", "shared by two users", "with a reason", "coverage"
            )?;
            for (label, found) in rows {
                let reasons = found.reasons.map_or_else(|| "–".to_owned(), movies_with_interval);
                writeln!(
                    formatter,
                    "{:<name$}{:<22}{:<22}{reasons:<22}{:>7.1}%",
                    method_name(label),
                    movies_with_interval(found.shared),
                    movies_with_interval(found.best_known),
                    found.coverage * 100.0
                )?;
            }
        }
        Ok(())
    }

    fn wall(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = room_for_methods(self.0.wall.iter().map(|row| &row.label));
        for clicks in WALL_CLICKS {
            let rows = after_clicks(&self.0.wall, clicks);
            let Some((_, first)) = rows.first() else { continue };
            let (after, users) = (clicks_in_words(clicks), first.users);
            writeln!(formatter, "\nSeen of the wall's {TILES} tiles, after {after} ({users} users)\n")?;
            writeln!(formatter, "{:<name$}{:<22}the best known", "method", "seen")?;
            for (label, found) in rows {
                let (seen, fixed) = (movies_with_interval(found.seen), movies_with_interval(found.seen_of_static));
                writeln!(formatter, "{:<name$}{seen:<22}{fixed}", method_name(label))?;
            }
        }
        Ok(())
    }

    fn comparisons(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comparisons = self.0.comparisons();
        let Some(first) = comparisons.first() else { return Ok(()) };
        let ours = method_name(&first.ours);
        writeln!(formatter, "\n{ours} against the best baseline, on the same users (paired bootstrap)\n")?;
        let baselines = comparisons.iter().map(|row| method_name(&row.baseline));
        let name = room_for(baselines.chain(["baseline".to_owned()]));
        let figure = room_for(comparisons.iter().map(|row| row.measure.key()).chain(["figure"]));
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
                protocol_name(row.protocol),
                row.measure.key(),
                method_name(&row.baseline),
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
            "\nChosen parameters: P1's by hit@10 + hit@100 of the validation users, those of P2, P4 and P5 by NDCG@10"
        )?;
        writeln!(formatter, "on an inner fifth of the training users, P3's by log loss on the same\n")?;
        let name = room_for(grouped.iter().map(|(method, ..)| *method));
        let trained_for = room_for(grouped.iter().map(|(_, training, _)| training));
        for (method, training, parameters) in grouped {
            writeln!(formatter, "{method:<name$}{training:<trained_for$}{parameters}")?;
        }
        Ok(())
    }
}
