//! A movie recommender that runs wholly in the visitor's browser.
//!
//! The trainer and the browser use this library alike, so what is measured offline is what a visitor gets. Bytes go in,
//! suggestions come out; nothing here does I/O, reads a clock or draws random numbers. In the order of the pipeline:
//!
//! 1. [`bundle`] checks the files that the trainer wrote, [`error`] names what is wrong with them;
//! 2. [`catalog`] holds the movies and finds them by [`title`], [`links`] names them elsewhere, [`map`] places them;
//! 3. [`history`] is what the visitor watched, [`lists`] reads it from elsewhere, [`features`] turns it and the moment into numbers;
//! 4. [`model`] runs the user tower, an ONNX model, by tract;
//! 5. [`index`] finds the movies nearest to the tower's vector, [`states`] the viewers nearest to it;
//! 6. [`ranker`] says which of them the visitor would like, by the [`traits`] of the movies;
//! 7. [`filter`] narrows the list, [`diversity`] spreads it, [`reasons`] explains it, and [`recommend`] is the facade over all
//!    of it.
//!
//! ```no_run
//! use watchnext::catalog::MovieId;
//! use watchnext::features::LocalTime;
//! use watchnext::history::History;
//! use watchnext::recommend::{Recommender, Retrieval};
//!
//! # fn read(name: &str) -> Vec<u8> { std::fs::read(format!("models/{name}")).unwrap_or_default() }
//! let (manifest, catalog) = (read("manifest.json"), read("catalog.json"));
//! let (tower, movies) = (read("user_tower.onnx"), read("movies.safetensors"));
//! let recommender = Recommender::load(&manifest, |role| match role {
//!     "catalog" => Some(&catalog),
//!     "user_tower" => Some(&tower),
//!     "movies" => Some(&movies),
//!     _ => None,
//! })?;
//! // Toy Story without a rating, then Heat with four stars, at ten past eight in the evening of a winter's day in Paris.
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
pub mod states;
pub mod title;
pub mod traits;
#[cfg(target_arch = "wasm32")]
pub mod wasm_api;
