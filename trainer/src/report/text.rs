//! Texts that the outputs share. The names of methods, variants, users and measures are made here alone.

use std::collections::BTreeMap;

use crate::evaluate::bootstrap::Figure;
use crate::evaluate::evaluation::{Choice, Evaluation};
use crate::evaluate::label::{Group, Label, Measure, Training, Variant};
use crate::evaluate::protocol::Protocol;

/// A figure with its interval, to three digits.
pub fn with_interval(figure: Figure) -> String {
    format!("{:.3} [{:.3}, {:.3}]", figure.mean, figure.low, figure.high)
}

/// A number of movies with its interval, to two digits.
pub fn movies_with_interval(figure: Figure) -> String {
    format!("{:.2} [{:.2}, {:.2}]", figure.mean, figure.low, figure.high)
}

/// Text that is safe inside an HTML element and inside an attribute's double quotes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A variant's name, which follows its method's; `None` for the variant that has the method's name.
pub fn variant_name(variant: Variant) -> Option<String> {
    match variant {
        Variant::Only | Variant::Default => None,
        Variant::Novelty(novelty) => Some(format!("novelty {novelty}")),
        Variant::FirstStageAlone => Some("novelty 0, first stage alone".to_owned()),
        Variant::Softmax => Some("softmax".to_owned()),
        Variant::States => Some("neighbours".to_owned()),
    }
}

/// A method's name with its variant's.
pub fn method_name(label: &Label) -> String {
    match variant_name(label.variant) {
        Some(variant) => format!("{}, {variant}", label.method),
        None => label.method.clone(),
    }
}

/// A number of clicks in words.
pub fn clicks_in_words(clicks: usize) -> String {
    if clicks == 1 { "1 click".to_owned() } else { format!("{clicks} clicks") }
}

/// What of the users' events P1 and P3 measure, to follow their number; empty if they measure all.
pub fn sampled(evaluation: &Evaluation) -> String {
    evaluation.most_events.map_or_else(String::new, |most| format!(", at most {most} of a user, evenly spread"))
}

/// A group's name in a column of users.
pub const fn group_name(group: Group) -> &'static str {
    match group {
        Group::Validation => "validation",
        Group::Test => "test",
        Group::UnseenUsers => "unseen users",
    }
}

/// A group's name in a sentence.
pub const fn users_of(group: Group) -> &'static str {
    match group {
        Group::Validation => "validation users",
        Group::Test => "test users",
        Group::UnseenUsers => "unseen users",
    }
}

/// A protocol's name in JSON and in the terminal.
pub const fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::P1 => "p1",
        Protocol::P2 => "p2",
        Protocol::P3 => "p3",
        Protocol::P4 => "p4",
        Protocol::P5 => "p5",
    }
}

/// A training set's name in JSON, such as `p2, fold 1`.
pub fn training_name(training: Training) -> String {
    let protocol = protocol_name(training.protocol);
    training.fold.map_or_else(|| protocol.to_owned(), |fold| format!("{protocol}, fold {fold}"))
}

/// A measure's name for people.
pub const fn measure_name(measure: Measure) -> &'static str {
    match measure {
        Measure::Hit10 => "hit@10",
        Measure::Hit100 => "hit@100",
        Measure::Ndcg10 => "NDCG@10",
        Measure::Mrr => "MRR",
        Measure::Recall20 => "Recall@20",
        Measure::AucWithin => "AUC within users",
        Measure::AucWithinClicks => "AUC within users, clicks alone",
        Measure::Ndcg10Clicks => "NDCG@10, likes as clicks",
        Measure::Ndcg10Rated => "NDCG@10, all with ratings",
    }
}

/// `(method, training sets, parameters)`: training sets for which a method chose the same parameters share a line.
pub fn grouped_choices(choices: &[Choice]) -> Vec<(&str, String, &str)> {
    let mut order: Vec<(&str, Protocol, &str)> = Vec::new();
    let mut folds: BTreeMap<(&str, Protocol, &str), Vec<String>> = BTreeMap::new();
    for choice in choices {
        let key = (choice.method.as_str(), choice.training.protocol, choice.parameters.as_str());
        if !folds.contains_key(&key) {
            order.push(key);
        }
        folds.entry(key).or_default().extend(choice.training.fold.map(|fold| fold.to_string()));
    }
    let training = |key: &(&'_ str, Protocol, &'_ str)| -> Option<String> {
        let folds = folds.get(key)?;
        let noun = if folds.len() == 1 { "fold" } else { "folds" };
        let (protocol, folds) = (protocol_name(key.1).to_uppercase(), folds.join(", "));
        Some(if folds.is_empty() { protocol } else { format!("{protocol}, {noun} {folds}") })
    };
    order.iter().filter_map(|key| Some((key.0, training(key)?, key.2))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::label::Role;

    #[test]
    fn folds_with_the_same_choice_share_a_line() {
        let choice = |protocol: Protocol, fold: Option<usize>, parameters: &str| Choice {
            method: "EASE".to_owned(),
            training: Training { protocol, fold },
            parameters: parameters.to_owned(),
        };
        let choices = [
            choice(Protocol::P1, None, "λ 400"),
            choice(Protocol::P2, Some(1), "λ 200"),
            choice(Protocol::P2, Some(2), "λ 400"),
            choice(Protocol::P2, Some(3), "λ 200"),
        ];
        let lines: Vec<String> = grouped_choices(&choices).into_iter().map(|(_, training, _)| training).collect();
        assert_eq!(lines, ["P1", "P2, folds 1, 3", "P2, fold 2"]);
        let names: Vec<String> = choices.iter().map(|choice| training_name(choice.training)).collect();
        assert_eq!(names, ["p1", "p2, fold 1", "p2, fold 2", "p2, fold 3"]);
    }

    #[test]
    fn variants_follow_their_methods_name() {
        let names = [
            (Variant::Only, "tower"),
            (Variant::Default, "tower"),
            (Variant::Novelty(0.25), "tower, novelty 0.25"),
            (Variant::Novelty(0.0), "tower, novelty 0"),
            (Variant::FirstStageAlone, "tower, novelty 0, first stage alone"),
            (Variant::Softmax, "tower, softmax"),
            (Variant::States, "tower, neighbours"),
        ];
        for (variant, name) in names {
            assert_eq!(method_name(&Label { variant, ..Label::of_only("tower".to_owned(), Role::Ours) }), name);
        }
    }
}
