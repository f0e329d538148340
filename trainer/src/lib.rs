//! Trains, evaluates and packs the bundles that watchnext runs in the browser.
//!
//! [`dataset`] reads the ratings, [`links`](mod@links) what movies are called elsewhere, and [`split`] parts the users; [`train`]
//! fits the [`network`] with the operations of [`ops`] and the optimiser of [`adam`]; [`export`], [`compact`] and [`pack`] make the
//! bundle, and [`foreign`] takes models that were trained elsewhere; [`evaluate`] measures what ships beside the [`methods`] and [`baselines`] that it is held against, and [`report`] shows
//! it. [`titles`] turns titles into vectors, [`map`](mod@map) draws the movies. [`cli`] is the command line, [`fixture`] makes the
//! tests' data.

pub mod adam;
pub mod baselines;
pub mod cli;
mod commands;
pub mod compact;
pub mod dataset;
pub mod evaluate;
pub mod export;
pub mod fit;
pub mod fixture;
pub mod foreign;
pub mod links;
pub mod map;
pub mod methods;
pub mod network;
mod onnx;
pub mod ops;
pub mod pack;
pub mod ranker;
pub mod report;
pub mod split;
pub mod titles;
pub mod tower;
pub mod train;
