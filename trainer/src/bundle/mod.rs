//! Bundles: packs a trained model, writes it to a folder, and reads it back.

pub mod commit;
pub mod file;
pub mod model;
pub mod packed;
mod parity;
pub mod read;
