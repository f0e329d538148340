//! The model card of a bundle whose model was trained elsewhere.

use super::model_card::{few_clicks_table, file_rows, next_movie_table, source_rows};
use crate::models::external::PackedExternal;
use crate::models::external::items::Cost;
use crate::models::external::recorded::Parity;
use crate::models::external::request::Metric;

/// `README.md` of the bundle.
pub fn external_card(external: &PackedExternal) -> String {
    let PackedExternal { packed, metric, history_len, inputs, parity, cost, evaluation, .. } = external;
    let manifest = &packed.manifest;
    let score = match metric {
        Metric::Dot => "the product of the user's vector and the item's, and the item's bias",
        Metric::Cosine => {
            "the product of the user's vector and the item's, which has the length 1, so its order is the cosine's"
        }
        Metric::L2 => "the order of the distances between the user's vector and the items', the nearest first",
    };
    let storage = cost.as_ref().map_or_else(|| "The items' vectors are stored as floats.".to_owned(), Cost::describe);
    let parity = parity.as_ref().map_or_else(
        || {
            "Nobody has compared what the program computes with what the training framework does: no recorded runs were given."
                .to_owned()
        },
        Parity::describe,
    );
    let figures = evaluation.as_ref().map_or_else(
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
    include_str!("external_card.md")
        .replace("{name}", &manifest.name)
        .replace("{command}", &manifest.training.command)
        .replace("{movies}", &manifest.movies.to_string())
        .replace("{dim}", &manifest.dim.to_string())
        .replace("{slots}", &history_len.to_string())
        .replace("{inputs}", &inputs.join("`, `"))
        .replace("{score}", score)
        .replace("{storage}", &storage)
        .replace("{parity}", &parity)
        .replace("{figures}", &figures)
        .replace("{files}", file_rows(manifest).trim_end())
        .replace("{sources}", source_rows(manifest).trim_end())
}
