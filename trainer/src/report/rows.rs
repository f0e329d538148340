//! The tables of the cards, in Markdown.

use std::fmt::Write as _;

use watchnext::bundle::{FileEntry, Manifest, Role, Source};

use super::text::{group_name, method_name, with_interval};
use crate::evaluate::evaluation::Evaluation;

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
    for (row, figures) in
        evaluation.few_clicks.iter().flat_map(|row| row.figures.iter().map(move |figures| (row, figures)))
    {
        let _ = writeln!(
            few_clicks,
            "| {} | {} | {} | {} | {} | {:.3} | {:.0} |",
            method_name(&row.label),
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
