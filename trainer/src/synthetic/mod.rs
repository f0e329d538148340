//! Data with a known answer, made by the trainer itself.

pub mod books;
mod groups;
pub mod items;
pub mod ratings;
pub mod small;
