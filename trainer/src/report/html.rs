//! `report.html`: one file without scripts or outside requests, light or dark as its reader prefers. Its text is in
//! `page.html`.

use anyhow::Result;
use serde::Serialize;

use super::cells::{Cell, Row, Table, certainty, signed};
use super::click_tables::{Part, discovery, few_clicks, looks, next_visit};
use super::plots::picture::Plot;
use super::template::render;
use super::text::{clicks_in_words, grouped_choices, measure_name, method_name, sampled, users_of};
use crate::evaluate::discovery::BEST_KNOWN;
use crate::evaluate::evaluation::{Comparison, Evaluation, ReactionRow};
use crate::evaluate::label::{Group, Measure};
use crate::evaluate::protocol::Protocol;
use crate::evaluate::reaction::Reactions;

/// The page's values. A part without figures is `None` and isn't shown.
#[derive(Serialize)]
struct Page<'page> {
    style: &'static str,
    setting: &'page str,
    pictures: Pictures<'page>,
    gains: Option<Gains>,
    discovery_gains: Option<Gains>,
    few_clicks: Option<Part>,
    best_known: usize,
    discovery: Option<Part>,
    looks: Option<Part>,
    next_visit: Option<Part>,
    next_movie: Option<NextMoviePart>,
    sampled: String,
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
    discovery: Option<Picture<'page>>,
    frontier: Option<Picture<'page>>,
    overlap: Option<Picture<'page>>,
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
            discovery: picture("discovery"),
            frontier: picture("frontier"),
            overlap: picture("overlap"),
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
        gains: gains(&comparisons, Protocol::P2),
        discovery_gains: gains(&comparisons, Protocol::P4),
        few_clicks: few_clicks(evaluation),
        best_known: BEST_KNOWN,
        discovery: discovery(evaluation),
        looks: looks(evaluation),
        next_visit: next_visit(evaluation),
        next_movie: next_movie(evaluation),
        sampled: sampled(evaluation),
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

/// The gain over the best baseline at each number of clicks.
fn gains(comparisons: &[Comparison], protocol: Protocol) -> Option<Gains> {
    let is_shown =
        |row: &&Comparison| row.protocol == protocol && row.measure == Measure::Ndcg10 && !row.baseline.uses_time;
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
        note: format!("{events} ratings{}; 95\u{a0}% intervals over users.", sampled(evaluation)),
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

/// What two methods are compared in.
fn task_name(row: &Comparison) -> String {
    let clicks = row.clicks.map(clicks_in_words).unwrap_or_default();
    match row.protocol {
        Protocol::P1 => "next movie".to_owned(),
        Protocol::P2 => clicks,
        Protocol::P3 => "reaction".to_owned(),
        Protocol::P4 => format!("discovery, {clicks}"),
        Protocol::P5 => "next visit".to_owned(),
    }
}

fn against_baselines(comparisons: &[Comparison]) -> Option<Table> {
    let first = comparisons.first()?;
    let row = |row: &Comparison| {
        let cells = vec![
            Cell::header(task_name(row)),
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
        note: "For P1 by hit@10 + hit@100 of the validation users; on an inner fifth of the training users, for P3 by \
               log loss and for the others by NDCG@10."
            .to_owned(),
        columns: ["method", "trained for", "parameters"].map(str::to_owned).to_vec(),
        word_columns: 3,
        rows: rows.collect(),
    })
}
