//! Made-up data with a known answer.

pub mod books;
mod groups;
pub(crate) mod items;
pub(crate) mod ratings;
pub mod small;
