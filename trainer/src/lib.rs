//! Trains, evaluates and packs the bundles that watchnext runs in the browser.
//!
//! [`dataset`] reads the ratings and [`split`] parts the users; [`train`] fits the [`network`] with the operations of [`ops`]
//! and the optimiser of [`adam`]; [`export`], [`compact`] and [`pack`] make the bundle; [`evaluate`] measures what ships and
//! [`report`] shows it. [`cli`] is the command line, [`fixture`] makes the tests' data.

pub mod adam;
pub mod cli;
mod commands;
pub mod compact;
pub mod dataset;
pub mod evaluate;
pub mod export;
pub mod fit;
pub mod fixture;
pub mod network;
pub mod ops;
pub mod pack;
pub mod report;
pub mod split;
pub mod train;
