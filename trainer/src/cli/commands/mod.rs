//! The commands for users, each with its arguments.

pub(crate) mod books;
pub(crate) mod evaluate;
pub(crate) mod fold_in;
pub(crate) mod map;
pub(crate) mod new;
pub(crate) mod pack;
pub(crate) mod suggest;
pub(crate) mod titles;
pub(crate) mod train;
