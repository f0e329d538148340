//! Names that are alike, for a "did you mean".

/// Names at least this alike are offered in place of a wrong one. At 0.7, four letters are near any longer word that
/// has them in some order: `asin` is near `ratings`.
pub(super) const NEAR: f64 = 0.8;

/// The known name that is most like `name`, if any is near.
pub(crate) fn nearest_name<'known>(name: &str, known: impl IntoIterator<Item = &'known str>) -> Option<&'known str> {
    let best = known
        .into_iter()
        .map(|known| (similarity(known, name), known))
        .max_by(|left, right| left.0.total_cmp(&right.0));
    best.filter(|(similarity, _)| *similarity >= NEAR).map(|(_, name)| name)
}

/// How alike two names are, from 0 to 1. A name that contains the other is near it.
pub(super) fn similarity(left: &str, right: &str) -> f64 {
    let (left, right) = (letters_of(left), letters_of(right));
    let contained = left.len().min(right.len()) > 2 && (left.contains(&right) || right.contains(&left));
    strsim::jaro_winkler(&left, &right).max(if contained { 0.9 } else { 0.0 })
}

/// A name's letters and digits in lower case.
pub(super) fn letters_of(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
