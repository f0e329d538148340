//! Trains, evaluates and packs the bundles that watchnext runs in the browser.
//!
//! The modules are layers: each may use those above it in this list and none below. `tests/layers.rs` checks it.
//!
//! | module | holds |
//! |---|---|
//! | `files` | files replaced whole, hashed, named |
//! | `choice` | things that are chosen by name |
//! | [`math`] | eigenvalues, embeddings in 8 bits, bytes, random numbers |
//! | [`nn`] | networks on candle: optimiser, operations, layers, checkpoints |
//! | `onnx` | writing ONNX models |
//! | [`data`] | a catalogue and its ratings, read, checked, split and counted |
//! | [`bundle`] | packing a model, writing a bundle, reading it |
//! | [`titles`] | titles as vectors |
//! | [`map`](mod@map) | the map of the movies |
//! | [`evaluate`] | the protocols, and what a method is |
//! | [`fold_in`] | a user tower that solves for the visitor's factors |
//! | [`models`] | tower, ranker, ALS, the notebook's network, sequences, models from elsewhere |
//! | [`baselines`] | the methods to beat |
//! | [`registry`] | the lists of all methods |
//! | `config` | the configuration file of an own catalogue |
//! | [`synthetic`] | data with a known answer |
//! | [`report`] | tables, pictures, model cards |
//! | [`cli`] | the command line |

pub mod baselines;
pub mod bundle;
mod choice;
pub mod cli;
mod config;
pub mod data;
pub mod evaluate;
mod files;
pub mod fold_in;
pub mod map;
pub mod math;
pub mod models;
pub mod nn;
mod onnx;
pub mod registry;
pub mod report;
pub mod synthetic;
pub mod titles;
