//! The evaluator: measures every model and every baseline by the same code, through the path that ships.
//!
//! | protocol | question |
//! |---|---|
//! | P1, [`next_movie`] | which movie did a held-out user rate next? |
//! | P2, [`few_clicks`] | what else does a user like who clicked one to ten movies? |
//! | P3, [`reaction`] | will a user like a movie that they watch? |
//! | P4, [`discovery`] | the same as P2 without the movies that everybody knows |
//! | P5, [`next_visit`] | what did a user like who came back after rating many movies? |
//! | P1-leaky, [`leaky`] | none: it reproduces the notebook's published figure and shows that it is a leak |
//!
//! P2's visits also show how [`lists`] look and what is on the [`wall`].
//!
//! [`run`] puts methods through the protocols, [`bootstrap`] says how sure the figures are.

pub mod bootstrap;
pub mod bundle_scorer;
pub mod discovery;
pub mod draws;
pub mod evaluation;
pub mod few_clicks;
pub mod held_out;
pub mod label;
pub mod leaky;
pub mod lists;
pub mod method;
pub mod next_movie;
pub mod next_visit;
mod outcomes;
pub mod protocol;
pub(crate) mod ranking;
pub mod reaction;
mod replay;
pub mod run;
mod sample;
pub mod scorer;
pub mod tune;
pub mod wall;
