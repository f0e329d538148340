//! `report.html`: one file without scripts or outside requests, light or dark as its reader prefers. Its text is in
//! `page.html`.

use anyhow::Result;
use serde::Serialize;

use super::plots::picture::Plot;
use super::template::render;
use super::text::{grouped_choices, measure_name, method_name, users_of, variant_name};
use crate::evaluate::bootstrap::Figure;
use crate::evaluate::evaluation::{Comparison, Evaluation, ReactionRow};
use crate::evaluate::few_clicks::{CLICKS, FewClicks};
use crate::evaluate::label::{Group, Label, Measure};
use crate::evaluate::protocol::Protocol;
use crate::evaluate::reaction::Reactions;

/// The page's values. A part without figures is `None` and isn't shown.
#[derive(Serialize)]
struct Page<'page> {
    style: &'static str,
    setting: &'page str,
    pictures: Pictures<'page>,
    gains: Option<Gains>,
    few_clicks: Option<FewClicksPart>,
    next_movie: Option<NextMoviePart>,
    reactions: Option<ReactionsPart>,
    comparisons: Option<Table>,
    has_curves: bool,
    has_losses: bool,
    choices: Option<Table>,
    leaky: Option<LeakyPart>,
    left_out: Option<usize>,
}

#[derive(Serialize)]
struct Picture<'page> {
    title: &'page str,
    svg: String,
}

#[derive(Serialize)]
struct Pictures<'page> {
    clicks: Option<Picture<'page>>,
    coverage: Option<Picture<'page>>,
    next_movie: Option<Picture<'page>>,
    reliability: Option<Picture<'page>>,
    reliability_clicks: Option<Picture<'page>>,
    held_out: Option<Picture<'page>>,
    loss: Option<Picture<'page>>,
    tower_loss: Option<Picture<'page>>,
}

impl<'page> Pictures<'page> {
    fn new(plots: &'page [Plot]) -> Self {
        let picture = |name: &str| {
            let plot = plots.iter().find(|plot| plot.name == name)?;
            Some(Picture { title: &plot.title, svg: plot.inline() })
        };
        Self {
            clicks: picture("clicks"),
            coverage: picture("coverage"),
            next_movie: picture("next-movie"),
            reliability: picture("reliability"),
            reliability_clicks: picture("reliability-clicks"),
            held_out: picture("held-out"),
            loss: picture("loss"),
            tower_loss: picture("tower-loss"),
        }
    }
}

/// The gains over the best baseline, large.
#[derive(Serialize)]
struct Gains {
    method: String,
    cards: Vec<Gain>,
}

#[derive(Serialize)]
struct Gain {
    class: &'static str,
    clicks: String,
    mean: String,
    low: String,
    high: String,
    baseline: String,
}

#[derive(Serialize)]
struct FewClicksPart {
    users: usize,
    tables: Vec<Table>,
}

#[derive(Serialize)]
struct NextMoviePart {
    /// The users whose figures may be quoted.
    quoted: Table,
    /// The other users, folded.
    others: Vec<OtherUsers>,
}

#[derive(Serialize)]
struct OtherUsers {
    summary: String,
    table: Table,
}

#[derive(Serialize)]
struct ReactionsPart {
    events: usize,
    likes: usize,
    users_within: usize,
    tables: [Table; 2],
}

#[derive(Serialize)]
struct LeakyPart {
    validation: String,
    test: String,
}

/// A table with a title and a note, both outside the scroller so that a narrow window shows them whole.
#[derive(Serialize)]
struct Table {
    title: String,
    note: String,
    columns: Vec<String>,
    /// The first columns that hold words; the others hold numbers.
    word_columns: usize,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    /// The class that the style sheet colours.
    class: &'static str,
    cells: Vec<Cell>,
}

#[derive(Serialize, Default)]
struct Cell {
    /// Makes the cell the header of its row or rows.
    scope: Option<&'static str>,
    /// How many rows a header is for.
    rows: Option<usize>,
    title: Option<String>,
    class: &'static str,
    text: String,
    interval: Option<String>,
}

impl Cell {
    fn header(text: String) -> Self {
        Self { scope: Some("row"), text, ..Self::default() }
    }

    fn words(text: &str) -> Self {
        Self { class: "words", text: text.to_owned(), ..Self::default() }
    }

    fn number(text: String, is_best: bool) -> Self {
        Self { class: if is_best { "best" } else { "" }, text, ..Self::default() }
    }

    /// A figure over its interval.
    fn figure(figure: Figure, digits: usize, is_best: bool) -> Self {
        let Figure { mean, low, high } = figure;
        let interval = Some(format!("{low:.digits$}–{high:.digits$}"));
        Self { interval, ..Self::number(format!("{mean:.digits$}"), is_best) }
    }

    /// A gain or a loss over its interval, coloured where it is sure.
    fn change(figure: Figure, unit: &str, scale: f64, digits: usize) -> Self {
        let [mean, low, high] = [figure.mean, figure.low, figure.high].map(|value| signed(value * scale, digits));
        Self {
            class: certainty(figure),
            text: format!("{mean}{unit}"),
            interval: Some(format!("{low} to {high}")),
            ..Self::default()
        }
    }
}

impl Row {
    /// A method's row, whose first cell is its name. Variants follow their default, so that they needn't repeat its
    /// name.
    fn of_method(label: &Label, cells: impl IntoIterator<Item = Cell>) -> Self {
        let class = match (label.is_ours(), label.variant.is_default()) {
            (true, true) => "ours",
            (_, false) => "variant",
            (false, true) => "",
        };
        let name = method_name(label);
        let header = match variant_name(label.variant).filter(|_| !label.variant.is_default()) {
            Some(variant) => Cell { title: Some(name), ..Cell::header(variant) },
            None => Cell::header(name),
        };
        Self { class, cells: std::iter::once(header).chain(cells).collect() }
    }
}

/// The whole page.
///
/// # Errors
/// A mistake in the template.
pub fn page(evaluation: &Evaluation, plots: &[Plot]) -> Result<String> {
    let comparisons = evaluation.comparisons();
    let page = Page {
        style: include_str!("report.css"),
        setting: &evaluation.setting,
        pictures: Pictures::new(plots),
        gains: gains(&comparisons),
        few_clicks: few_clicks(evaluation),
        next_movie: next_movie(evaluation),
        reactions: reactions(evaluation),
        comparisons: against_baselines(&comparisons),
        has_curves: !evaluation.curves.is_empty(),
        has_losses: !evaluation.losses.is_empty(),
        choices: choices(evaluation),
        leaky: evaluation
            .leaky
            .map(|leak| LeakyPart { validation: format!("{:.3}", leak.validation), test: format!("{:.3}", leak.test) }),
        left_out: evaluation.left_out,
    };
    render(&[("page.html", include_str!("page.html"))], page)
}

fn clicks_in_words(clicks: usize) -> String {
    if clicks == 1 { "1 click".to_owned() } else { format!("{clicks} clicks") }
}

/// A number with its sign; the minus is as wide as the plus.
fn signed(value: f64, digits: usize) -> String {
    format!("{value:+.digits$}").replace('-', "−")
}

/// How sure a gain or a loss is, as a class of the style sheet.
fn certainty(figure: Figure) -> &'static str {
    if figure.low > 0.0 {
        "up"
    } else if figure.high < 0.0 {
        "down"
    } else {
        "unsure"
    }
}

/// The gain over the best baseline at each number of clicks.
fn gains(comparisons: &[Comparison]) -> Option<Gains> {
    let is_shown =
        |row: &&Comparison| row.protocol == Protocol::P2 && row.measure == Measure::Ndcg10 && !row.baseline.uses_time;
    let card = |row: &Comparison| {
        let gain = row.difference.relative;
        let [mean, low, high] = [gain.mean, gain.low, gain.high].map(|value| signed(value * 100.0, 1));
        let clicks = clicks_in_words(row.clicks.unwrap_or_default());
        Gain { class: certainty(gain), clicks, mean, low, high, baseline: method_name(&row.baseline) }
    };
    let first = comparisons.iter().find(is_shown)?;
    let cards = comparisons.iter().filter(is_shown).map(card).collect();
    Some(Gains { method: method_name(&first.ours), cards })
}

/// Protocol P2's four figures: a table for each, with a column for each number of clicks.
fn few_clicks(evaluation: &Evaluation) -> Option<FewClicksPart> {
    let users = evaluation.few_clicks.first()?.figures.first().map_or(0, |first| first.users);
    let accuracy = |title: &str, note: &str, value: fn(&FewClicks) -> Figure| {
        let best = |clicks: usize| {
            let figures = evaluation.few_clicks.iter().flat_map(|row| &row.figures);
            figures.filter(|found| found.clicks == clicks).map(|found| value(found).mean).fold(0.0, f64::max)
        };
        by_clicks(evaluation, title, note, |found| {
            let figure = value(found);
            Cell::figure(figure, 3, figure.mean >= best(found.clicks))
        })
    };
    let tables = vec![
        accuracy("NDCG@10", "How right the best 10 are, the first places counting most; 1 is perfect.", |found| {
            found.ndcg10
        }),
        accuracy("Recall@20", "How many of the liked movies are among the best 20; 1 is as many as can be.", |found| {
            found.recall20
        }),
        by_clicks(evaluation, "Coverage@10", "How much of the catalogue is in anyone’s best 10.", |found| {
            Cell::number(format!("{:.1}\u{a0}%", found.coverage10 * 100.0), false)
        }),
        by_clicks(
            evaluation,
            "Popularity rank",
            "The mean rank of the best 10, 1 being the movie that most training users rated.",
            |found| Cell::figure(found.popularity10, 0, false),
        ),
    ];
    Some(FewClicksPart { users, tables })
}

fn by_clicks(evaluation: &Evaluation, title: &str, note: &str, cell: impl Fn(&FewClicks) -> Cell) -> Table {
    let columns = std::iter::once("method".to_owned()).chain(CLICKS.into_iter().map(clicks_in_words)).collect();
    let row = |row: &crate::evaluate::evaluation::FewClicksRow| {
        let figures = |clicks: usize| row.figures.iter().find(|found| found.clicks == clicks);
        let cells = CLICKS.into_iter().map(|clicks| figures(clicks).map_or_else(Cell::default, &cell));
        Row::of_method(&row.label, cells)
    };
    let rows = evaluation.few_clicks.iter().map(row).collect();
    Table { title: title.to_owned(), note: note.to_owned(), columns, word_columns: 1, rows }
}

/// Protocol P1's tables.
fn next_movie(evaluation: &Evaluation) -> Option<NextMoviePart> {
    let quoted = evaluation.quoted_group()?;
    let mut groups: Vec<Group> = Vec::new();
    for row in evaluation.next_movie.iter().filter(|row| row.group != quoted) {
        if !groups.contains(&row.group) {
            groups.push(row.group);
        }
    }
    let other = |group: Group| {
        let chosen = if group == Group::Validation { ", on whom the parameters were chosen" } else { "" };
        let summary = format!("The same for the {}{chosen}", users_of(group));
        OtherUsers { summary, table: group_table(evaluation, group) }
    };
    Some(NextMoviePart { quoted: group_table(evaluation, quoted), others: groups.into_iter().map(other).collect() })
}

fn group_table(evaluation: &Evaluation, group: Group) -> Table {
    let rows = || evaluation.next_movie.iter().filter(|row| row.group == group);
    let best = rows().map(|row| row.figures.figures().map(|figure| figure.mean)).fold([0.0; 4], |best, means| {
        let mut both = best.into_iter().zip(means).map(|(best, mean)| f64::max(best, mean));
        [(); 4].map(|()| both.next().unwrap_or_default())
    });
    let cells = rows().map(|row| {
        let figures = row.figures.figures().into_iter().zip(best);
        Row::of_method(&row.label, figures.map(|(figure, best)| Cell::figure(figure, 3, figure.mean >= best)))
    });
    let events = rows().next().map_or(0, |row| row.figures.events);
    let mut title = users_of(group).to_owned();
    title.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
    Table {
        title,
        note: format!("{events} ratings; 95\u{a0}% intervals over users."),
        columns: ["method", "hit@10", "hit@100", "NDCG@10", "MRR"].map(str::to_owned).to_vec(),
        word_columns: 1,
        rows: cells.collect(),
    }
}

/// Protocol P3's two tables.
fn reactions(evaluation: &Evaluation) -> Option<ReactionsPart> {
    let Reactions { events, likes, users_within, .. } = evaluation.reactions.first()?.known;
    let ece = "ECE is the expected calibration error.";
    let known = format!("The history bears its ratings. {ece}");
    let clicks = format!("The history is movies without ratings. {ece}");
    let tables = [
        reaction_table(evaluation, "Ratings known", known, |row| &row.known),
        reaction_table(evaluation, "Clicks alone", clicks, |row| &row.clicks),
    ];
    Some(ReactionsPart { events, likes, users_within, tables })
}

/// Protocol P3's figures with one kind of history. The best area is the largest, the best loss and error the least.
fn reaction_table(
    evaluation: &Evaluation,
    title: &str,
    note: String,
    figures: fn(&ReactionRow) -> &Reactions,
) -> Table {
    let all = || evaluation.reactions.iter().map(figures);
    let most = |value: fn(&Reactions) -> f64| all().map(value).fold(0.0, f64::max);
    let least = |value: fn(&Reactions) -> f64| all().map(value).fold(f64::INFINITY, f64::min);
    let (auc, within) = (most(|row| row.auc.mean), most(|row| row.auc_within.mean));
    let (loss, error) = (least(|row| row.logloss.mean), least(|row| row.ece));
    let rows = evaluation.reactions.iter().map(|row| {
        let found = figures(row);
        let cells = [
            Cell::figure(found.auc, 3, found.auc.mean >= auc),
            Cell::figure(found.auc_within, 3, found.auc_within.mean >= within),
            Cell::figure(found.logloss, 3, found.logloss.mean <= loss),
            Cell::number(format!("{:.3}", found.ece), found.ece <= error),
        ];
        Row::of_method(&row.label, cells)
    });
    Table {
        title: title.to_owned(),
        note,
        columns: ["method", "AUC", "within users", "log loss", "ECE"].map(str::to_owned).to_vec(),
        word_columns: 1,
        rows: rows.collect(),
    }
}

fn against_baselines(comparisons: &[Comparison]) -> Option<Table> {
    let first = comparisons.first()?;
    let row = |row: &Comparison| {
        let without_clicks = if row.protocol == Protocol::P3 { "reaction" } else { "next movie" };
        let cells = vec![
            Cell::header(row.clicks.map_or_else(|| without_clicks.to_owned(), clicks_in_words)),
            Cell::words(measure_name(row.measure)),
            Cell::words(&method_name(&row.baseline)),
            Cell::change(row.difference.relative, "\u{a0}%", 100.0, 1),
            Cell::change(row.difference.absolute, "", 1.0, 3),
        ];
        Row { class: "", cells }
    };
    Some(Table {
        title: format!("{} less the best baseline", method_name(&first.ours)),
        note: "The same users for both, drawn again a thousand times; in colour where the 95\u{a0}% interval is clear \
               of zero."
            .to_owned(),
        columns: ["task", "figure", "best baseline", "gain", "difference"].map(str::to_owned).to_vec(),
        word_columns: 3,
        rows: comparisons.iter().map(row).collect(),
    })
}

fn choices(evaluation: &Evaluation) -> Option<Table> {
    let grouped = grouped_choices(&evaluation.choices);
    grouped.first()?;
    let mut before = "";
    let rows = grouped.iter().map(|(method, training, parameters)| {
        let mut cells = Vec::new();
        if *method != before {
            let rows = grouped.iter().skip_while(|row| row.0 != *method).take_while(|row| row.0 == *method).count();
            cells.push(Cell { scope: Some("rowgroup"), rows: Some(rows), ..Cell::header((*method).to_owned()) });
        }
        before = *method;
        cells.push(Cell::words(training));
        cells.push(Cell { class: "words wraps", ..Cell::words(parameters) });
        Row { class: "", cells }
    });
    Some(Table {
        title: "Chosen parameters".to_owned(),
        note: "For P1 by hit@10 + hit@100 of the validation users; on an inner fifth of the training users, for P2 by \
               NDCG@10 and for P3 by log loss."
            .to_owned(),
        columns: ["method", "trained for", "parameters"].map(str::to_owned).to_vec(),
        word_columns: 3,
        rows: rows.collect(),
    })
}
