//! A movie recommender that runs wholly in the visitor's browser.
//!
//! The trainer and the browser use the same library, so the figures measured offline hold for a visitor. Bytes go in
//! and suggestions come out; nothing here does I/O, reads a clock or draws random numbers. In the order of the
//! pipeline:
//!
//! 1. [`bundle`] checks the files that the trainer wrote, [`error`] has an error for each defect;
//! 2. [`catalog`] holds the movies and finds them by [`title`], [`links`] has their numbers elsewhere, [`map`] their
//!    places;
//! 3. [`history`] is what the visitor watched, [`lists`] reads it from files, [`features`] makes numbers of it and the
//!    moment;
//! 4. [`model`] runs the user tower, a model that [`onnx`] wires into tract;
//! 5. [`index`] finds the movies nearest to the tower's vector, [`states`] the training states nearest to it;
//! 6. [`ranker`] says how likely the visitor is to like each of them, by the [`traits`] of the movies;
//! 7. [`filter`] narrows the list, [`diversity`] spreads it and makes it new by what the visitor has [`seen`],
//!    [`reasons`] explains it, and [`recommend`] is the facade over all of it.
//!
//! ```no_run
//! use watchnext::bundle::Role;
//! use watchnext::catalog::MovieId;
//! use watchnext::features::LocalTime;
//! use watchnext::history::History;
//! use watchnext::recommend::{Recommender, Retrieval};
//!
//! # fn read(name: &str) -> Vec<u8> { std::fs::read(format!("models/{name}")).unwrap_or_default() }
//! let (manifest, catalog) = (read("manifest.json"), read("catalog.json"));
//! let (tower, movies) = (read("user_tower.onnx"), read("movies.safetensors"));
//! let recommender = Recommender::load(&manifest, |role| match role {
//!     Role::Catalog => Some(&catalog),
//!     Role::UserTower => Some(&tower),
//!     Role::Movies => Some(&movies),
//!     _ => None,
//! })?;
//! // Toy Story without a rating, then Heat with four stars, at ten past eight on a winter's evening in Paris.
//! let watched = [(MovieId(1), None), (MovieId(6), Some(4.0))];
//! let (history, _unknown) = History::from_ids(recommender.catalog(), watched)?;
//! let moment = LocalTime::from_unix(1_768_417_800, 60)?;
//! for suggestion in recommender.suggest(&history, &moment, 10, Retrieval::Movies)? {
//!     println!("{:?}", recommender.catalog().movie(suggestion.movie));
//! }
//! # Ok::<(), watchnext::error::Error>(())
//! ```

pub mod bundle;
pub mod catalog;
pub mod diversity;
pub mod error;
pub mod features;
pub mod filter;
pub mod history;
pub mod index;
pub mod links;
pub mod lists;
pub mod map;
pub mod model;
pub mod onnx;
pub mod ranker;
pub mod reasons;
pub mod recommend;
pub mod seen;
pub mod states;
pub mod title;
pub mod traits;
#[cfg(target_arch = "wasm32")]
pub mod wasm_api;

#[cfg(test)]
#[path = "../tests/random/mod.rs"]
mod random;
