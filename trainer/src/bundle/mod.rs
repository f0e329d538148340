//! Bundles: packing a trained model, writing it to a folder at one moment, and reading it back.

pub mod commit;
pub mod file;
pub mod model;
pub mod packed;
mod parity;
pub mod read;
