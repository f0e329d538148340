//! Option values that are chosen by name.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::choice::Choice;

/// Parses one of the names of a [`Choice`]; help lists them.
pub(crate) fn one_of<T: Choice + Send + Sync>() -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(T::names()).try_map(|name| T::from_name(&name).ok_or("no such choice"))
}
