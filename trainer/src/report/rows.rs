//! The tables of the cards, in Markdown.

use std::fmt::Write as _;

use watchnext::bundle::{FileEntry, Manifest, Role, Source};
use watchnext::recommend::DEFAULT_LIMIT;

use super::text::{group_name, method_name, movies_with_interval, with_interval};
use crate::evaluate::discovery::BEST_KNOWN;
use crate::evaluate::evaluation::{ClicksRow, Evaluation};
use crate::evaluate::label::Label;
use crate::evaluate::wall::TILES;

/// The table of protocol P1.
pub fn next_movie_table(evaluation: &Evaluation) -> String {
    let mut figures =
        String::from("| method | users | events | hit@10 | hit@100 | NDCG@10 | MRR |\n|---|---|---|---|---|---|---|\n");
    for row in &evaluation.next_movie {
        let _ = write!(figures, "| {} | {} | {} |", method_name(&row.label), group_name(row.group), row.figures.events);
        for (_, figure) in row.figures.named() {
            let _ = write!(figures, " {} |", with_interval(figure));
        }
        figures.push('\n');
    }
    figures
}

/// The table of protocol P2.
pub fn few_clicks_table(evaluation: &Evaluation) -> String {
    let mut few_clicks = String::from(
        "| method | clicks | users | NDCG@10 | Recall@20 | coverage@10 | popularity rank |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (label, figures) in all_figures(&evaluation.few_clicks) {
        let _ = writeln!(
            few_clicks,
            "| {} | {} | {} | {} | {} | {:.3} | {:.0} |",
            method_name(label),
            figures.clicks,
            figures.users,
            with_interval(figures.ndcg10),
            with_interval(figures.recall20),
            figures.coverage10,
            figures.popularity10.mean
        );
    }
    few_clicks
}

/// The section on protocol P4, the lists and the wall; nothing where nobody is measured.
pub fn discovery_section(evaluation: &Evaluation) -> String {
    let mut text = String::new();
    if !evaluation.discovery.is_empty() {
        let _ = write!(
            text,
            "\nProtocol P4, discovery: protocol P2 in which the {BEST_KNOWN} movies that most training users rated are \
             neither suggested nor counted, for users who liked enough others.\n\n\
             | method | clicks | users | NDCG@10 | Recall@20 |\n|---|---|---|---|---|\n"
        );
    }
    for (label, found) in all_figures(&evaluation.discovery) {
        let (gain, recall) = (with_interval(found.ndcg10), with_interval(found.recall20));
        let _ = writeln!(text, "| {} | {} | {} | {gain} | {recall} |", method_name(label), found.clicks, found.users);
    }
    text
}

/// The section on how the lists and the wall look; nothing where nobody is measured.
pub fn looks_section(evaluation: &Evaluation) -> String {
    let mut text = String::new();
    if !evaluation.lists.is_empty() {
        let _ = write!(
            text,
            "\nThe lists of {DEFAULT_LIMIT} in one visit of each user of P2: how many movies the lists of two users \
             share, how many are among the {BEST_KNOWN} best known, how many have a reason, and the share of the \
             catalogue in anyone's.\n\n\
             | method | clicks | shared | best known | with a reason | coverage |\n|---|---|---|---|---|---|\n"
        );
    }
    for (label, found) in all_figures(&evaluation.lists) {
        let reasons = found.reasons.map_or_else(|| "–".to_owned(), |reasons| format!("{:.1}", reasons.mean));
        let _ = writeln!(
            text,
            "| {} | {} | {:.2} | {:.2} | {reasons} | {:.3} |",
            method_name(label),
            found.clicks,
            found.shared.mean,
            found.best_known.mean,
            found.coverage
        );
    }
    if !evaluation.wall.is_empty() {
        let _ = write!(
            text,
            "\nThe wall: how many of {TILES} tiles to click on the same users have seen, besides those already \
             clicked, and how many if the tiles were the best known movies.\n\n\
             | method | clicks | seen | of the best known |\n|---|---|---|---|\n"
        );
    }
    for (label, found) in all_figures(&evaluation.wall) {
        let (seen, fixed) = (movies_with_interval(found.seen), movies_with_interval(found.seen_of_static));
        let _ = writeln!(text, "| {} | {} | {seen} | {fixed} |", method_name(label), found.clicks);
    }
    text
}

/// The section on protocol P5; nothing where nobody came back.
pub fn next_visit_section(evaluation: &Evaluation) -> String {
    if evaluation.next_visit.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\nProtocol P5, the next visit: from all that a user rated before the first gap of more than 30 days, what \
         they liked after it; once from the liked movies as clicks and once from all with their ratings. The history \
         is that of a visitor who imports a list.\n\n\
         | method | history | users | NDCG@10 | hit@20 |\n|---|---|---|---|---|\n",
    );
    for row in &evaluation.next_visit {
        for (history, found) in row.histories() {
            let (gain, hit) = (with_interval(found.ndcg10), with_interval(found.hit20));
            let method = method_name(&row.label);
            let _ = writeln!(text, "| {method} | {history} | {} | {gain} | {hit} |", found.users);
        }
    }
    text
}

/// Each set of figures with its row's label.
fn all_figures<Figures>(rows: &[ClicksRow<Figures>]) -> impl Iterator<Item = (&Label, &Figures)> {
    rows.iter().flat_map(|row| row.figures.iter().map(|figures| (&row.label, figures)))
}

/// The section on protocol P3; nothing for a bundle that has no ranker.
pub fn reaction_section(evaluation: &Evaluation) -> String {
    if evaluation.reactions.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\nProtocol P3, the reaction: whether the user will like a movie that they watch, from the 11th on, by the \
         history before it; once with the history's ratings and once as clicks alone. AUC is the area under the ROC \
         curve, over all events and as the mean over users within each. The same users.\n\n\
         | method | history | events | AUC | AUC within users | log loss | calibration error |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for row in &evaluation.reactions {
        for (history, figures) in [("ratings", &row.known), ("clicks", &row.clicks)] {
            let _ = writeln!(
                text,
                "| {} | {history} | {} | {} | {} | {} | {:.3} |",
                method_name(&row.label),
                figures.events,
                with_interval(figures.auc),
                with_interval(figures.auc_within),
                with_interval(figures.logloss),
                figures.ece
            );
        }
    }
    text
}

/// The rows of the table of files.
pub fn file_rows(manifest: &Manifest) -> String {
    let row = |(role, file): (&Role, &FileEntry)| {
        format!("| {role} | `{}` | {} | `{}` |\n", file.path, file.bytes, file.sha256)
    };
    manifest.files.iter().map(row).collect()
}

/// The rows of the table of sources.
pub fn source_rows(manifest: &Manifest) -> String {
    let row = |source: &Source| {
        // A file that isn't a table has none.
        let rows = if source.rows == 0 { "–".to_owned() } else { source.rows.to_string() };
        format!("| `{}` | {rows} | `{}` |\n", source.name, source.sha256)
    };
    manifest.training.sources.iter().map(row).collect()
}
