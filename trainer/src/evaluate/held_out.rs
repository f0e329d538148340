//! The figures of an evaluation under the keys that a manifest has for them.

use std::collections::BTreeMap;

use super::evaluation::Evaluation;
use super::label::{Group, Label, Role, Variant};

/// A figure as a manifest has it. Four digits are more than the intervals warrant and keep the file readable.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// The figures by the manifest's keys, such as `p1.test.movies.hit10` and `p2.3.popularity.ndcg10`. `recall` is that
/// of the states.
pub fn held_out_figures(evaluation: &Evaluation, recall: Option<f64>) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    for row in &evaluation.next_movie {
        for (measure, figure) in row.figures.named() {
            let key = format!("p1.{}.{}.{}", group_key(row.group), row_key(&row.label), measure.key());
            figures.insert(key, rounded(figure.mean));
        }
    }
    for row in &evaluation.few_clicks {
        // Users who liked few movies aren't measured, and a small file may have no others.
        for found in row.figures.iter().filter(|found| found.users > 0) {
            let key = |name: &str| format!("p2.{}.{}.{name}", found.clicks, row_key(&row.label));
            figures.insert(key("ndcg10"), rounded(found.ndcg10.mean));
            figures.insert(key("recall20"), rounded(found.recall20.mean));
            figures.insert(key("coverage10"), rounded(found.coverage10));
        }
    }
    insert_later_protocols(evaluation, &mut figures);
    insert_looks(evaluation, &mut figures);
    // The second stage, if the bundle has one, has the keys of `evaluation.json`.
    if let Some(row) = evaluation.reactions.iter().find(|row| row.label.is_shipped()) {
        figures.extend(row.named().map(|(key, value)| (key, rounded(value))));
    }
    figures.extend(recall.map(|recall| ("states.recall100".to_owned(), rounded(recall))));
    figures
}

/// Protocols P4 and P5.
fn insert_later_protocols(evaluation: &Evaluation, figures: &mut BTreeMap<String, f64>) {
    for row in &evaluation.discovery {
        for found in &row.figures {
            let key = |name: &str| format!("p4.{}.{}.{name}", found.clicks, row_key(&row.label));
            figures.insert(key("ndcg10"), rounded(found.ndcg10.mean));
            figures.insert(key("recall20"), rounded(found.recall20.mean));
        }
    }
    for row in &evaluation.next_visit {
        for (history, found) in row.histories() {
            for (name, figure) in found.named() {
                figures.insert(format!("p5.{history}.{}.{name}", row_key(&row.label)), rounded(figure.mean));
            }
        }
    }
}

/// How lists and the wall look.
fn insert_looks(evaluation: &Evaluation, figures: &mut BTreeMap<String, f64>) {
    for row in &evaluation.lists {
        for found in &row.figures {
            for (name, value) in found.named() {
                figures.insert(format!("lists.{}.{}.{name}", found.clicks, row_key(&row.label)), rounded(value));
            }
        }
    }
    for row in &evaluation.wall {
        for found in &row.figures {
            for (name, figure) in found.named() {
                figures.insert(format!("wall.{}.{}.{name}", found.clicks, row_key(&row.label)), rounded(figure.mean));
            }
        }
    }
}

/// A bundle's only baseline is popularity.
const fn row_key(label: &Label) -> &'static str {
    match (label.role, label.variant) {
        (Role::Baseline, _) => "popularity",
        (Role::Ours, Variant::Only | Variant::Default | Variant::Softmax) => "movies",
        (Role::Ours, Variant::Novelty(_)) => "movies-plain",
        (Role::Ours, Variant::FirstStageAlone) => "movies-first-stage",
        (Role::Ours, Variant::States) => "states",
    }
}

const fn group_key(group: Group) -> &'static str {
    match group {
        Group::Validation => "validation",
        Group::Test => "test",
        Group::UnseenUsers => "unseen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys are read by programs, so that they outlive every wording of the tables.
    #[test]
    fn every_variant_has_its_key() {
        let key =
            |role, variant| row_key(&Label { variant, ..Label::of_only("any name, neighbours".to_owned(), role) });
        let ours = [
            (Variant::Only, "movies"),
            (Variant::Default, "movies"),
            (Variant::Softmax, "movies"),
            (Variant::Novelty(0.0), "movies-plain"),
            (Variant::FirstStageAlone, "movies-first-stage"),
            (Variant::States, "states"),
        ];
        for (variant, expected) in ours {
            assert_eq!(key(Role::Ours, variant), expected);
            assert_eq!(key(Role::Baseline, variant), "popularity");
        }
        let groups = [Group::Validation, Group::Test, Group::UnseenUsers].map(group_key);
        assert_eq!(groups, ["validation", "test", "unseen"]);
    }
}
