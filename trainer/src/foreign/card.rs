//! The model card of a bundle whose model was trained elsewhere.

use watchnext::bundle::Manifest;

use super::items::{Cost, Metric};
use super::recorded::Parity;
use super::{Foreign, PackArgs};
use crate::evaluate::run::Evaluation;
use crate::report::{few_clicks_table, file_rows, next_movie_table, source_rows};

/// `README.md` of the bundle.
pub(super) fn card(
    manifest: &Manifest,
    foreign: &Foreign,
    args: &PackArgs,
    parity: Option<&Parity>,
    cost: Option<&Cost>,
    evaluation: Option<&Evaluation>,
) -> String {
    let score = match args.metric {
        Metric::Dot => "the product of the user's vector and the item's, and the item's bias",
        Metric::Cosine => {
            "the product of the user's vector and the item's, which has the length 1, so its order is the cosine's"
        }
        Metric::L2 => "the order of the distances between the user's vector and the items', the nearest first",
    };
    let storage = cost.map_or_else(|| "The items' vectors are stored as floats.".to_owned(), Cost::said);
    let parity = parity.map_or_else(
        || {
            "Nobody has compared what the program computes with what the training framework does: no recorded runs were given."
                .to_owned()
        },
        Parity::said,
    );
    let figures = evaluation.map_or_else(
        || "It was packed without ratings to measure it on. `trainer evaluate --bundle` measures it.".to_owned(),
        |evaluation| {
            format!(
                "{} All users of the file are taken to be unseen; whether the model was trained without them is its author's to say.\n\n\
                 Protocol P1, the next item, by the items before it as clicks alone. Means with 95 % bootstrap intervals over \
                 users.\n\n{}\nProtocol P2, a few clicks: of what a user liked some are clicked in random order, and the others \
                 should be suggested.\n\n{}",
                evaluation.setting,
                next_movie_table(evaluation),
                few_clicks_table(evaluation).trim_end()
            )
        },
    );
    include_str!("card.md")
        .replace("{name}", &manifest.name)
        .replace("{command}", &manifest.training.command)
        .replace("{movies}", &manifest.movies.to_string())
        .replace("{dim}", &manifest.dim.to_string())
        .replace("{slots}", &foreign.tower.history_len().to_string())
        .replace("{inputs}", &foreign.tower.inputs.join("`, `"))
        .replace("{score}", score)
        .replace("{storage}", &storage)
        .replace("{parity}", &parity)
        .replace("{figures}", &figures)
        .replace("{files}", file_rows(manifest).trim_end())
        .replace("{sources}", source_rows(manifest).trim_end())
}
