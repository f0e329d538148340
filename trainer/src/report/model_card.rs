//! The model card, `README.md` of a bundle.

use anyhow::Result;
use serde::Serialize;
use watchnext::bundle::Manifest;

use super::recipe::Recipe;
use super::rows::{
    discovery_section, few_clicks_table, file_rows, looks_section, next_movie_table, next_visit_section,
    reaction_section, source_rows,
};
use super::template::render;
use crate::evaluate::evaluation::Evaluation;

/// The values of `model_card.md`.
#[derive(Serialize)]
struct Card<'card> {
    name: &'card str,
    command: &'card str,
    dataset: &'card str,
    what: &'card str,
    verdict: &'card str,
    seed: u64,
    users: usize,
    movielens: bool,
    has_next_movie: bool,
    next_movie: String,
    few_clicks: String,
    reactions: String,
    discovery: String,
    looks: String,
    next_visit: String,
    files: String,
    sources: String,
}

/// The model card, `README.md` of the bundle, with every figure from this very run.
///
/// # Errors
/// A mistake in the template.
pub fn model_card(manifest: &Manifest, recipe: &Recipe, evaluation: &Evaluation) -> Result<String> {
    let training = &manifest.training;
    let card = Card {
        name: &manifest.name,
        command: &training.command,
        dataset: &training.dataset,
        what: &recipe.what,
        verdict: &recipe.verdict,
        seed: recipe.seed,
        users: training.users,
        movielens: recipe.movielens,
        has_next_movie: !evaluation.next_movie.is_empty(),
        next_movie: next_movie_table(evaluation).trim_end().to_owned(),
        few_clicks: few_clicks_table(evaluation).trim_end().to_owned(),
        reactions: reaction_section(evaluation),
        discovery: discovery_section(evaluation),
        looks: looks_section(evaluation),
        next_visit: next_visit_section(evaluation),
        files: file_rows(manifest).trim_end().to_owned(),
        sources: source_rows(manifest).trim_end().to_owned(),
    };
    let templates = [
        ("model_card.md", include_str!("model_card.md")),
        ("movielens.md", include_str!("model_card/movielens.md")),
        ("own.md", include_str!("model_card/own.md")),
    ];
    render(&templates, card)
}

/// The head of the table of files.
const FILES: &str = "| role | file | bytes | SHA-256 |\n|---|---|---|---|\n";

/// The head of the table of sources.
const SOURCES: &str = "| file | rows | SHA-256 |\n|---|---|---|\n";

/// A model card with the files and sources of this manifest instead of those that it has.
pub fn renew_card(card: &str, manifest: &Manifest) -> String {
    let with_rows = |card: String, head: &str, rows: &str| match card.split_once(head) {
        Some((before, after)) => {
            let after: String = after.split_inclusive('\n').skip_while(|line| line.starts_with('|')).collect();
            format!("{before}{head}{rows}{after}")
        }
        None => card,
    };
    let card = with_rows(card.to_owned(), SOURCES, &source_rows(manifest));
    with_rows(card, FILES, &file_rows(manifest))
}
