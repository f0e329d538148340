//! Trains, evaluates and packs the bundles that watchnext runs in the browser.
//!
//! [`dataset`] reads the ratings, [`links`](mod@links) what movies are called elsewhere, and [`split`] parts the users; [`train`]
//! fits the [`network`] with the operations of [`ops`] and the optimiser of [`adam`]; [`export`], [`compact`] and [`pack`] make the
//! bundle, which [`commit`](mod@commit) puts in place of another, and [`foreign`] takes models that were trained elsewhere;
//! [`evaluate`] measures what ships beside the [`methods`] and [`baselines`] that it is held against, and [`report`] shows it.
//! [`als`] is for data that outgrow the tower, and [`fold_in`] the user tower of its factors and of those that are trained
//! elsewhere. [`titles`] turns titles into vectors, [`map`](mod@map) draws the movies. [`cli`] is the command line,
//! [`config`](mod@config) its file for catalogues of one's own, [`fixture`] and [`books`] make data with a known answer, [`made_up`]
//! as much as wanted.

pub mod adam;
pub mod als;
pub mod baselines;
pub mod books;
pub mod cli;
mod commands;
pub mod commit;
pub mod compact;
pub mod config;
pub mod dataset;
pub mod evaluate;
pub mod export;
pub mod fit;
pub mod fixture;
pub mod fold_in;
pub mod foreign;
pub mod links;
pub mod made_up;
pub mod map;
pub mod methods;
pub mod network;
mod onnx;
pub mod ops;
pub mod pack;
pub mod ranker;
pub mod report;
pub mod sequence;
pub mod split;
pub mod titles;
pub mod tower;
pub mod train;
