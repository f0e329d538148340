//! `report.html`: one file without scripts or anything from elsewhere, light or dark as its reader prefers.

use std::fmt::Write as _;

use super::plots::Plot;
use super::table::grouped_choices;
use crate::evaluate::bootstrap::Figure;
use crate::evaluate::evaluation::{Comparison, Evaluation, Label, ReactionRow};
use crate::evaluate::few_clicks::{CLICKS, FewClicks};
use crate::evaluate::reaction::Reactions;

/// Text that is safe inside an element and inside an attribute's quotes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The whole page.
pub fn page(evaluation: &Evaluation, plots: &[Plot]) -> String {
    let figure = |name: &str| plots.iter().find(|plot| plot.name == name).map(picture).unwrap_or_default();
    let comparisons = evaluation.comparisons();
    let mut body = format!(
        "<h1>How good the suggestions are</h1>\n<p class=\"quiet\">{}</p>\n{}",
        escape(&evaluation.setting),
        cards(&comparisons)
    );
    if !evaluation.few_clicks.is_empty() {
        let users = evaluation.few_clicks.first().and_then(|row| row.figures.first()).map_or(0, |first| first.users);
        let _ = writeln!(
            body,
            "<h2>After a few clicks</h2>\n<p>Some of the movies that somebody liked are clicked, in random order and \
             without ratings; the others should be suggested. The {users} users had no part in the training, and ties \
             count against the method. Small print is the 95\u{a0}% interval over users, bold is the best of its column \
             (protocol P2).</p>"
        );
        body.push_str(&side_by_side(&[figure("clicks"), figure("coverage")]));
        body.push_str(&few_clicks(evaluation));
    }
    if !evaluation.next_movie.is_empty() {
        body.push_str(
            "<h2>The next movie</h2>\n<p>For every rating of somebody who had no part in the training, all movies not \
             rated yet are ranked from the ratings before it, as clicks alone (protocol P1).</p>\n",
        );
        let (quoted, others) = next_movie(evaluation);
        body.push_str(&side_by_side(&[figure("next-movie"), quoted]));
        body.push_str(&others);
    }
    if let Some(first) = evaluation.reactions.first() {
        let Reactions { events, likes, users_within, .. } = &first.known;
        let _ = writeln!(
            body,
            "<h2>The reaction</h2>\n<p>How likely is somebody who had no part in the training to like a movie that they watch, to give it 4 \
             stars or more? It is asked at every rating from a user’s 11th on, from all before it: {events} ratings, {likes} of \
             them likes. Within users is over the {users_within} who have both kinds (protocol P3).</p>"
        );
        body.push_str(&side_by_side(&[figure("reliability"), figure("reliability-clicks")]));
        body.push_str(&side_by_side(&[
            reactions(
                evaluation,
                "Ratings known",
                "The history bears its ratings. ECE is the expected calibration error.",
                |row| &row.known,
            ),
            reactions(
                evaluation,
                "Clicks alone",
                "The history is movies without ratings. ECE is the expected calibration error.",
                |row| &row.clicks,
            ),
        ]));
    }
    body.push_str(&against_baselines(&comparisons));
    if !evaluation.curves.is_empty() {
        body.push_str("<h2>Training</h2>\n");
        body.push_str(&side_by_side(&[figure("held-out"), figure("loss")]));
    }
    if !evaluation.losses.is_empty() {
        if evaluation.curves.is_empty() {
            body.push_str("<h2>Training</h2>\n");
        }
        body.push_str(&side_by_side(&[figure("tower-loss")]));
    }
    body.push_str(&choices(evaluation));
    body.push_str(&remarks(evaluation));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>How good the suggestions are</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        include_str!("report.css")
    )
}

fn picture(plot: &Plot) -> String {
    format!("<figure>\n<figcaption>{}</figcaption>\n{}</figure>\n", escape(&plot.title), plot.inline())
}

/// Parts that share a row where the window is wide enough.
fn side_by_side(parts: &[String]) -> String {
    format!("<div class=\"parts\">\n{}</div>\n", parts.concat())
}

fn clicks_in_words(clicks: usize) -> String {
    if clicks == 1 { "1 click".to_owned() } else { format!("{clicks} clicks") }
}

/// A number with its sign, the minus being as wide as the plus.
fn signed(value: f64, digits: usize) -> String {
    format!("{value:+.digits$}").replace('-', "−")
}

/// How sure a gain or a loss is, as a class that the style sheet colours.
fn certainty(figure: Figure) -> &'static str {
    if figure.low > 0.0 {
        "up"
    } else if figure.high < 0.0 {
        "down"
    } else {
        "unsure"
    }
}

/// The gain over the best baseline at each number of clicks, large.
fn cards(comparisons: &[Comparison]) -> String {
    let rows = || comparisons.iter().filter(|row| row.protocol == "p2" && row.figure == "ndcg10" && !row.of_moment);
    let Some(first) = rows().next() else { return String::new() };
    let mut cards = format!(
        "<p><strong>{}</strong> against the best baseline, by NDCG@10 with 95\u{a0}% intervals:</p>\n<ul class=\"cards\">\n",
        escape(&first.ours)
    );
    for row in rows() {
        let gain = row.difference.relative;
        let _ = writeln!(
            cards,
            "<li><b class=\"{}\">{}\u{a0}%</b>after {}<small>{} to {}\u{a0}%<br>over {}</small></li>",
            certainty(gain),
            signed(gain.mean * 100.0, 1),
            clicks_in_words(row.clicks.unwrap_or_default()),
            signed(gain.low * 100.0, 1),
            signed(gain.high * 100.0, 1),
            escape(&row.baseline)
        );
    }
    cards.push_str("</ul>\n");
    cards
}

/// A table's row: the class that the style sheet knows it by, and its cells as markup.
struct Row {
    class: &'static str,
    cells: Vec<String>,
}

impl Row {
    /// A method's row, whose first cell is the method's name. Variants follow their default, so they needn't repeat its name.
    fn of_method(label: &Label, cells: impl IntoIterator<Item = String>) -> Self {
        let class = match (label.ours, label.default) {
            (true, true) => "ours",
            (_, false) => "variant",
            (false, true) => "",
        };
        let variant = label.method.strip_prefix(&label.family).and_then(|rest| rest.strip_prefix(", "));
        let name = match variant {
            Some(variant) if !label.default => {
                format!("<th scope=\"row\" title=\"{}\">{}</th>", escape(&label.method), escape(variant))
            }
            _ => format!("<th scope=\"row\">{}</th>", escape(&label.method)),
        };
        Self { class, cells: std::iter::once(name).chain(cells).collect() }
    }
}

/// A table under its title and what is to be said of it, both outside the scroller so that a narrow window shows them whole.
/// The first `of_words` columns are of words, the others of numbers.
fn table(title: &str, note: &str, columns: &[String], of_words: usize, rows: impl IntoIterator<Item = Row>) -> String {
    let title = escape(title);
    let mut table = format!(
        "<section>\n<h3>{title}</h3>\n<p class=\"quiet\">{}</p>\n<div class=\"scroll\" role=\"region\" aria-label=\"{title}\" \
         tabindex=\"0\"><table aria-label=\"{title}\">\n<thead><tr>",
        escape(note)
    );
    for (at, column) in columns.iter().enumerate() {
        let class = if at < of_words { " class=\"words\"" } else { "" };
        let _ = write!(table, "<th scope=\"col\"{class}>{}</th>", escape(column));
    }
    table.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        let class = if row.class.is_empty() { String::new() } else { format!(" class=\"{}\"", row.class) };
        let _ = writeln!(table, "<tr{class}>{}</tr>", row.cells.concat());
    }
    table.push_str("</tbody></table></div>\n</section>\n");
    table
}

fn words(text: &str) -> String {
    format!("<td class=\"words\">{}</td>", escape(text))
}

/// A figure over its interval, emphasised if it is the column's best.
fn cell(figure: Figure, digits: usize, best: bool) -> String {
    let class = if best { " class=\"best\"" } else { "" };
    let Figure { mean, low, high } = figure;
    format!("<td{class}>{mean:.digits$}<small>{low:.digits$}–{high:.digits$}</small></td>")
}

/// Protocol P2's four figures: a table for each, with a column for each number of clicks.
fn few_clicks(evaluation: &Evaluation) -> String {
    let accuracy = |title: &str, note: &str, value: fn(&FewClicks) -> Figure| {
        let best = |clicks: usize| {
            let figures = evaluation.few_clicks.iter().flat_map(|row| &row.figures);
            figures.filter(|found| found.clicks == clicks).map(|found| value(found).mean).fold(0.0, f64::max)
        };
        by_clicks(evaluation, title, note, |found| {
            let figure = value(found);
            cell(figure, 3, figure.mean >= best(found.clicks))
        })
    };
    side_by_side(&[
        accuracy("NDCG@10", "How right the best 10 are, the first places counting most; 1 is perfect.", |found| {
            found.ndcg10
        }),
        accuracy("Recall@20", "How many of the liked movies are among the best 20; 1 is as many as can be.", |found| {
            found.recall20
        }),
        by_clicks(evaluation, "Coverage@10", "How much of the catalogue is in anyone’s best 10.", |found| {
            format!("<td>{:.1}\u{a0}%</td>", found.coverage10 * 100.0)
        }),
        by_clicks(
            evaluation,
            "Popularity rank",
            "The mean rank of the best 10, 1 being the movie that most training users rated.",
            |found| cell(found.popularity10, 0, false),
        ),
    ])
}

fn by_clicks(evaluation: &Evaluation, title: &str, note: &str, cell: impl Fn(&FewClicks) -> String) -> String {
    let columns: Vec<String> =
        std::iter::once("method".to_owned()).chain(CLICKS.into_iter().map(clicks_in_words)).collect();
    let rows = evaluation.few_clicks.iter().map(|row| {
        let figures = |clicks: usize| row.figures.iter().find(|found| found.clicks == clicks);
        let cells = CLICKS.into_iter().map(|clicks| figures(clicks).map_or_else(|| "<td></td>".to_owned(), &cell));
        Row::of_method(&row.label, cells)
    });
    table(title, note, &columns, 1, rows)
}

/// Protocol P1's table of the users whose figures may be quoted, and those of all others, folded.
fn next_movie(evaluation: &Evaluation) -> (String, String) {
    let quoted = evaluation.quoted_group().unwrap_or_default();
    let mut others: Vec<&str> = Vec::new();
    for row in &evaluation.next_movie {
        if row.group != quoted && !others.contains(&row.group.as_str()) {
            others.push(&row.group);
        }
    }
    let others = others.into_iter().map(|group| {
        let chosen = if group == "validation" { ", on whom the parameters were chosen" } else { "" };
        let summary = format!("The same for the {}{chosen}", super::users(group));
        format!("<details>\n<summary>{}</summary>\n{}</details>\n", escape(&summary), group_table(evaluation, group))
    });
    (group_table(evaluation, quoted), others.collect())
}

fn group_table(evaluation: &Evaluation, group: &str) -> String {
    let rows = || evaluation.next_movie.iter().filter(|row| row.group == group);
    let best = rows().map(|row| row.figures.figures().map(|figure| figure.mean)).fold([0.0; 4], |best, means| {
        let mut both = best.into_iter().zip(means).map(|(best, mean)| f64::max(best, mean));
        [(); 4].map(|()| both.next().unwrap_or_default())
    });
    let cells = rows().map(|row| {
        let figures = row.figures.figures().into_iter().zip(best);
        Row::of_method(&row.label, figures.map(|(figure, best)| cell(figure, 3, figure.mean >= best)))
    });
    let events = rows().next().map_or(0, |row| row.figures.events);
    let mut title = super::users(group);
    title.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
    let columns = ["method", "hit@10", "hit@100", "NDCG@10", "MRR"].map(str::to_owned);
    table(&title, &format!("{events} ratings; 95\u{a0}% intervals over users."), &columns, 1, cells)
}

/// Protocol P3's figures with one kind of history. Of the areas the largest is the best, of the loss and of the error the least.
fn reactions(evaluation: &Evaluation, title: &str, note: &str, figures: fn(&ReactionRow) -> &Reactions) -> String {
    let all = || evaluation.reactions.iter().map(figures);
    let most = |value: fn(&Reactions) -> f64| all().map(value).fold(0.0, f64::max);
    let least = |value: fn(&Reactions) -> f64| all().map(value).fold(f64::INFINITY, f64::min);
    let (auc, within) = (most(|row| row.auc.mean), most(|row| row.auc_within.mean));
    let (loss, error) = (least(|row| row.logloss.mean), least(|row| row.ece));
    let rows = evaluation.reactions.iter().map(|row| {
        let found = figures(row);
        let class = if found.ece <= error { " class=\"best\"" } else { "" };
        let cells = [
            cell(found.auc, 3, found.auc.mean >= auc),
            cell(found.auc_within, 3, found.auc_within.mean >= within),
            cell(found.logloss, 3, found.logloss.mean <= loss),
            format!("<td{class}>{:.3}</td>", found.ece),
        ];
        Row::of_method(&row.label, cells)
    });
    let columns = ["method", "AUC", "within users", "log loss", "ECE"].map(str::to_owned);
    table(title, note, &columns, 1, rows)
}

/// The name that people know a figure of the JSON by.
fn figure_name(figure: &str) -> &str {
    match figure {
        "hit10" => "hit@10",
        "hit100" => "hit@100",
        "ndcg10" => "NDCG@10",
        "mrr" => "MRR",
        "recall20" => "Recall@20",
        "auc_within" => "AUC within users",
        "auc_within_clicks" => "AUC within users, clicks alone",
        other => other,
    }
}

fn against_baselines(comparisons: &[Comparison]) -> String {
    let Some(first) = comparisons.first() else { return String::new() };
    let rows = comparisons.iter().map(|row| {
        let (difference, gain) = (row.difference.absolute, row.difference.relative);
        let without_clicks = if row.protocol == "p3" { "reaction" } else { "next movie" };
        let task = row.clicks.map_or_else(|| without_clicks.to_owned(), clicks_in_words);
        let change = |figure: Figure, unit: &str, scale: f64, digits: usize| {
            format!(
                "<td class=\"{}\">{}{unit}<small>{} to {}</small></td>",
                certainty(figure),
                signed(figure.mean * scale, digits),
                signed(figure.low * scale, digits),
                signed(figure.high * scale, digits)
            )
        };
        let cells = vec![
            format!("<th scope=\"row\">{task}</th>"),
            words(figure_name(row.figure)),
            words(&row.baseline),
            change(gain, "\u{a0}%", 100.0, 1),
            change(difference, "", 1.0, 3),
        ];
        Row { class: "", cells }
    });
    let columns = ["task", "figure", "best baseline", "gain", "difference"].map(str::to_owned);
    let note = "The same users for both, drawn anew a thousand times; in colour where the 95\u{a0}% interval is clear of zero.";
    format!(
        "<h2>Against the best baseline</h2>\n{}",
        table(&format!("{} less the best baseline", first.ours), note, &columns, 3, rows)
    )
}

fn choices(evaluation: &Evaluation) -> String {
    let grouped = grouped_choices(&evaluation.choices);
    if grouped.is_empty() {
        return String::new();
    }
    let mut before = "";
    let rows = grouped.iter().map(|(method, training, parameters)| {
        let name = if *method == before {
            String::new()
        } else {
            let rows = grouped.iter().skip_while(|row| row.0 != *method).take_while(|row| row.0 == *method).count();
            format!("<th scope=\"rowgroup\" rowspan=\"{rows}\">{}</th>", escape(method))
        };
        before = *method;
        let parameters = format!("<td class=\"words wraps\">{}</td>", escape(parameters));
        Row { class: "", cells: vec![name, words(training), parameters] }
    });
    let rows: Vec<Row> = rows.collect();
    let note = "For P1 by hit@10 + hit@100 of the validation users; on an inner fifth of the training users, for P2 by NDCG@10 and for P3 by \
                log loss.";
    let columns = ["method", "trained for", "parameters"].map(str::to_owned);
    format!(
        "<details>\n<summary>Which parameters the methods chose</summary>\n{}</details>\n",
        table("Chosen parameters", note, &columns, 3, rows)
    )
}

fn remarks(evaluation: &Evaluation) -> String {
    let mut remarks = String::new();
    if let Some(leak) = evaluation.leaky {
        let _ = writeln!(
            remarks,
            "<h2>The seed’s published figure</h2>\n<p>Measured the seed notebook’s way, in which every query finds itself, the hit \
             rate at 100 is {:.3} on validation and {:.3} on test. It is a leak and says nothing of quality.</p>",
            leak.validation, leak.test
        );
    }
    if let Some(left_out) = evaluation.left_out.filter(|left_out| *left_out > 0) {
        let _ = writeln!(
            remarks,
            "<p>{left_out} ratings were left out: their movies aren’t in the bundle’s catalogue.</p>"
        );
    }
    remarks
}
