//! The figures of an evaluation under the names that a manifest has for them.

use std::collections::BTreeMap;

use watchnext::recommend::Retrieval;

use crate::evaluate::bundle_scorer::retrieval_name;
use crate::evaluate::evaluation::{Evaluation, Label};

/// The figures as a manifest names them, of which `recall` is that of the states: `p1.test.movies.hit10`, `p2.3.popularity.ndcg10`.
pub fn held_out_figures(evaluation: &Evaluation, recall: Option<f64>) -> BTreeMap<String, f64> {
    // Four digits are more than the intervals warrant and keep the file readable.
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    let short = |label: &Label| {
        if !label.ours {
            "popularity"
        } else if label.method.ends_with(retrieval_name(Retrieval::States)) {
            "states"
        } else if label.default {
            "movies"
        } else if label.knob.is_none() {
            "movies-first-stage"
        } else {
            // The plain order of the scores, without the diversity that a visitor gets who touches nothing.
            "movies-plain"
        }
    };
    let mut figures = BTreeMap::new();
    for row in &evaluation.next_movie {
        for (name, figure) in row.figures.named() {
            // A bundle's own users are all "unseen users".
            let group = row.group.trim_end_matches(" users");
            figures.insert(format!("p1.{group}.{}.{name}", short(&row.label)), rounded(figure.mean));
        }
    }
    for row in &evaluation.few_clicks {
        // Whoever liked few movies isn't measured, and a small file may have nobody else.
        for found in row.figures.iter().filter(|found| found.users > 0) {
            let key = |name: &str| format!("p2.{}.{}.{name}", found.clicks, short(&row.label));
            figures.insert(key("ndcg10"), rounded(found.ndcg10.mean));
            figures.insert(key("recall20"), rounded(found.recall20.mean));
            figures.insert(key("coverage10"), rounded(found.coverage10));
        }
    }
    // The row of the second stage, if the bundle has one, under the keys of `evaluation.json`.
    if let Some(row) = evaluation.reactions.iter().find(|row| row.label.is_shipped()) {
        figures.extend(row.named().map(|(key, value)| (key, rounded(value))));
    }
    figures.extend(recall.map(|recall| ("states.recall100".to_owned(), rounded(recall))));
    figures
}
