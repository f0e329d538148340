//! The report's pictures: SVG with text, in colours that the colour-blind tell apart, on light and on dark.

mod frontier;
mod looks;
pub mod picture;
mod reaction;
mod suggestions;
mod training;

use anyhow::Result;

use self::picture::Plot;
use crate::evaluate::evaluation::Evaluation;

/// All pictures that the evaluation has figures for.
///
/// # Errors
/// If plotters fails.
pub fn all(evaluation: &Evaluation) -> Result<Vec<Plot>> {
    let makers = [
        suggestions::by_clicks,
        suggestions::discovery,
        frontier::against_coverage,
        frontier::against_discovery,
        frontier::against_overlap,
        suggestions::hit_curve,
        reaction::known,
        reaction::clicks,
        training::held_out_curve,
        training::loss_curve,
        training::tower_losses,
    ];
    makers.into_iter().filter_map(|make| make(evaluation).transpose()).collect()
}
