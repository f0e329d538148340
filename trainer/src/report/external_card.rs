//! The model card of a bundle whose model was trained elsewhere.

use anyhow::Result;
use serde::Serialize;

use super::rows::{few_clicks_table, file_rows, next_movie_table, source_rows};
use super::template::render;
use crate::models::external::PackedExternal;
use crate::models::external::items::Cost;
use crate::models::external::recorded::Parity;
use crate::models::external::request::Metric;

/// The values of `external_card.md`.
#[derive(Serialize)]
struct Card<'card> {
    name: &'card str,
    command: &'card str,
    movies: usize,
    dim: usize,
    slots: usize,
    inputs: String,
    score: &'static str,
    storage: String,
    parity: String,
    figures: String,
    files: String,
    sources: String,
}

/// `README.md` of the bundle.
///
/// # Errors
/// A mistake in the template.
pub fn external_card(external: &PackedExternal) -> Result<String> {
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
            "Nobody has compared what the program computes with what the training framework does: no recorded runs \
             were given."
                .to_owned()
        },
        Parity::describe,
    );
    let figures = evaluation.as_ref().map_or_else(
        || "It was packed without ratings to measure it on. `trainer evaluate --bundle` measures it.".to_owned(),
        |evaluation| {
            format!(
                "{} All users of the file are taken to be unseen; whether the model was trained without them is its \
                 author's to say.\n\n\
                 Protocol P1, the next item, by the items before it as clicks alone. Means with 95 % bootstrap \
                 intervals over users.\n\n{}\nProtocol P2, a few clicks: of what a user liked some are clicked in \
                 random order, and the others should be suggested.\n\n{}",
                evaluation.setting,
                next_movie_table(evaluation),
                few_clicks_table(evaluation).trim_end()
            )
        },
    );
    let card = Card {
        name: &manifest.name,
        command: &manifest.training.command,
        movies: manifest.movies,
        dim: manifest.dim,
        slots: *history_len,
        inputs: inputs.join("`, `"),
        score,
        storage,
        parity,
        figures,
        files: file_rows(manifest).trim_end().to_owned(),
        sources: source_rows(manifest).trim_end().to_owned(),
    };
    render(&[("external_card.md", include_str!("external_card.md"))], card)
}
