//! Titles: parsing MovieLens's form, and the matching behind title search.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Articles that catalogues move to the end of a title, in MovieLens's languages.
const ARTICLES: [&str; 16] =
    ["The", "A", "An", "Le", "La", "Les", "L'", "Un", "Une", "Il", "Lo", "El", "Los", "Las", "Der", "Die"];

/// Parses a MovieLens title: `"Matrix, The (1999)"` becomes `("The Matrix", Some(1999))`.
///
/// The year is the one in the last parentheses, so `"2001: A Space Odyssey (1968)"` is from 1968. A span of years
/// (`"(2006–2007)"`) counts as its first. Without such parentheses the year is unknown.
pub fn parse_title(raw: &str) -> (String, Option<u16>) {
    let raw = raw.trim();
    let year_in_last_parentheses = || {
        let (title, year) = raw.strip_suffix(')')?.rsplit_once('(')?;
        let digits: String = year.trim().chars().take_while(char::is_ascii_digit).collect();
        let span_or_nothing = year.trim().chars().nth(4).is_none_or(|after| matches!(after, '-' | '–'));
        let year = digits.parse().ok().filter(|_| digits.len() == 4 && span_or_nothing)?;
        Some((title.trim(), year))
    };
    match year_in_last_parentheses() {
        Some((title, year)) if !title.is_empty() => (article_first(title), Some(year)),
        _ => (article_first(raw), None),
    }
}

/// Moves a trailing article to the front, where a reader expects it: `"Misérables, Les"` becomes `"Les Misérables"`. A
/// second title in parentheses stays after the first: `"Amelie (Fabuleux destin d'Amélie Poulain, Le)"` becomes
/// `"Amelie (Le Fabuleux destin d'Amélie Poulain)"`.
fn article_first(title: &str) -> String {
    if let Some((first, second)) = title.strip_suffix(')').and_then(|open| open.split_once(" (")) {
        return format!("{} ({})", article_first(first), article_first(second));
    }
    own_article_first(title)
}

/// The same for a name without parentheses.
fn own_article_first(title: &str) -> String {
    let moved = title.rsplit_once(", ").filter(|(_, last)| ARTICLES.contains(last));
    match moved {
        Some((rest, article)) if article.ends_with('\'') => format!("{article}{rest}"),
        Some((rest, article)) => format!("{article} {rest}"),
        None => title.to_owned(),
    }
}

/// A title or query as it is compared: lower case, no accents, words of letters and digits with one space between.
pub(crate) fn search_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    let mut add = |character: char| {
        if character.is_alphanumeric() {
            key.extend(character.to_lowercase());
        } else if !matches!(character, '\'' | '’' | '.') && !key.ends_with(' ') && !key.is_empty() {
            // Any other sign separates words; an apostrophe or a dot joins them ("schindlers", "et").
            key.push(' ');
        }
    };
    if text.is_ascii() {
        // Most titles are ASCII, which needs no decomposition.
        text.chars().for_each(add);
    } else {
        text.nfkd().filter(|character| !is_combining_mark(*character)).for_each(&mut add);
    }
    key.truncate(key.trim_end().len());
    key
}

/// All names in a title of the catalogue: the whole, the part before the parentheses, and each part in parentheses, as
/// in "City of God (Cidade de Deus)" and "Seven (a.k.a. Se7en)".
pub(crate) fn names(title: &str) -> impl Iterator<Item = &str> {
    let mut parts = title.split(" (");
    let first = parts.next().unwrap_or_default();
    let others = parts.map(|part| {
        let name = part.trim_end().trim_end_matches(')');
        ["a.k.a. ", "aka "].into_iter().find_map(|aka| strip_prefix_ignoring_case(name, aka)).unwrap_or(name)
    });
    [title, first].into_iter().chain(others)
}

fn strip_prefix_ignoring_case<'text>(text: &'text str, prefix: &str) -> Option<&'text str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The key by which names of different lists are compared: [`search_key`]'s, without an English article, wherever it
/// was, and without the word "and", for which others write a sign.
pub(crate) fn match_key(name: &str) -> String {
    let key = search_key(&own_article_first(name));
    let first = key.split_once(' ').filter(|(first, _)| matches!(*first, "the" | "a" | "an"));
    let rest = first.map_or(key.as_str(), |(_, rest)| rest);
    let words: Vec<&str> = rest.split(' ').filter(|word| *word != "and").collect();
    if words.is_empty() { rest.to_owned() } else { words.join(" ") }
}

/// The key of a query's words, and the year at its end, if there is one.
pub(crate) fn split_query(query: &str) -> (String, Option<u16>) {
    let key = search_key(query);
    let last = key.rsplit(' ').next().unwrap_or_default();
    let year = Some(last).filter(|last| last.len() == 4).and_then(|last| last.parse().ok());
    match year {
        Some(year) if (1870..2200).contains(&year) => {
            let words = key.get(..key.len() - last.len()).unwrap_or_default();
            (words.trim_end().to_owned(), Some(year))
        }
        _ => (key, None),
    }
}

/// How well `query` matches `key` (both from [`search_key`]): 0 for the whole title, 1 for its start, 2 if every word
/// of the query starts a word of the title, 3 for anywhere, `None` for no match. A leading article of the title may be
/// left out.
pub(crate) fn match_rank(key: &str, query: &str) -> Option<u8> {
    if query.is_empty() {
        return None;
    }
    let without_article = key.split_once(' ').filter(|(first, _)| is_article(first)).map_or(key, |(_, rest)| rest);
    if key == query || without_article == query {
        Some(0)
    } else if key.starts_with(query) || without_article.starts_with(query) {
        Some(1)
    } else if query.split(' ').all(|word| key.split(' ').any(|candidate| candidate.starts_with(word))) {
        Some(2)
    } else {
        key.contains(query).then_some(3)
    }
}

fn is_article(word: &str) -> bool {
    ARTICLES.iter().any(|article| article.eq_ignore_ascii_case(word))
}

/// Whether every word of `query` is the start of a word of `key`, with at most one typing error in each. Words of up to
/// three letters must match exactly, since with an error they would match anything.
pub(crate) fn matches_with_typo(key: &str, query: &str) -> bool {
    query.split(' ').all(|word| {
        let is_long = word.chars().nth(3).is_some();
        key.split(' ').any(|candidate| candidate.starts_with(word) || (is_long && starts_with_typo(candidate, word)))
    })
}

/// Whether some start of `text` is `word` with at most one error: a letter too many, too few or wrong, or two
/// neighbours swapped. That is an optimal string alignment distance of at most 1. It is called for all words of all
/// titles, so it allocates nothing and mostly returns at the first letters.
fn starts_with_typo(text: &str, word: &str) -> bool {
    let (mut text, mut word) = (text.chars(), word.chars());
    loop {
        let (text_here, word_here) = (text.as_str(), word.as_str());
        let (letter, typed) = (text.next(), word.next());
        if typed.is_none() {
            return true;
        }
        if letter != typed {
            let (text_after, word_after) = (text.as_str(), word.as_str());
            let mut is_swapped =
                || word.next() == letter && text.next() == typed && text.as_str().starts_with(word.as_str());
            return text_here.starts_with(word_after)
                || text_after.starts_with(word_here)
                || text_after.starts_with(word_after)
                || is_swapped();
        }
    }
}

/// The keys of all titles in one text, one on each line, so that one pass over it finds the few that contain a word.
#[derive(Debug, Clone)]
pub(crate) struct SearchKeys {
    text: String,
    /// Where each key ends in the text.
    ends: Vec<usize>,
}

impl SearchKeys {
    /// The keys of titles, by row.
    pub(crate) fn new<'title>(titles: impl Iterator<Item = &'title str>) -> Self {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for title in titles {
            text.push_str(&search_key(title));
            ends.push(text.len());
            text.push('\n');
        }
        Self { text, ends }
    }

    /// The key of a row; empty beyond the last one.
    pub(crate) fn key(&self, row: usize) -> &str {
        let before = row.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.map_or(0, |end| end + 1);
        self.ends.get(row).and_then(|end| self.text.get(start..*end)).unwrap_or_default()
    }

    /// The rows whose keys contain `part`, which isn't empty, in order.
    pub(crate) fn containing(&self, part: &str) -> impl Iterator<Item = usize> {
        let (mut row, mut last) = (0, None);
        self.text.match_indices(part).filter_map(move |(at, _)| {
            while self.ends.get(row).is_some_and(|end| *end <= at) {
                row += 1;
            }
            (last.replace(row) != Some(row)).then_some(row)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn year_is_the_one_in_the_last_parentheses() {
        let cases = [
            ("Toy Story (1995)", "Toy Story", Some(1995)),
            // The first four digits are part of the title and not the year.
            ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", Some(1968)),
            ("Matrix, The (1999) ", "The Matrix", Some(1999)),
            (
                "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)",
                "Amelie (Le Fabuleux destin d'Amélie Poulain)",
                Some(2001),
            ),
            ("Avventura, L' (Adventure, The) (1960)", "L'Avventura (The Adventure)", Some(1960)),
            // MovieLens has titles of series with a span, titles without a year and titles that are only a year.
            ("Fawlty Towers (1975-1979)", "Fawlty Towers", Some(1975)),
            ("Babylon 5", "Babylon 5", None),
            ("Nocturnal Animals", "Nocturnal Animals", None),
            ("(2009)", "(2009)", None),
            ("Seven (a.k.a. Se7en) (1995)", "Seven (a.k.a. Se7en)", Some(1995)),
            ("", "", None),
        ];
        for (raw, title, year) in cases {
            assert_eq!(parse_title(raw), (title.to_owned(), year), "{raw}");
        }
    }

    #[test]
    fn search_keys_lose_accents_case_and_punctuation() {
        assert_eq!(search_key("Amélie: L'été  — 2!"), "amelie lete 2");
        assert_eq!(search_key("E.T. the Extra-Terrestrial"), "et the extra terrestrial");
        assert_eq!(search_key(" ¡! "), "");
        assert_eq!(search_key("千と千尋"), "千と千尋");
    }

    #[test]
    fn a_title_holds_its_names() {
        let of = |title| names(title).collect::<Vec<_>>();
        assert_eq!(of("Heat"), ["Heat", "Heat"]);
        let title = "Bicycle Thieves (a.k.a. The Bicycle Thief) (AKA Thieves) (Ladri di biciclette)";
        assert_eq!(of(title), [title, "Bicycle Thieves", "The Bicycle Thief", "Thieves", "Ladri di biciclette"]);
        // Short, and with a sign of several bytes where the prefix would end.
        assert_eq!(of("X (é) (akaé)"), ["X (é) (akaé)", "X", "é", "akaé"]);
        assert_eq!(of(""), ["", ""]);
    }

    #[test]
    fn match_keys_lose_articles_and_the_word_and() {
        for name in ["The Matrix", "Matrix, The", "  matrix", "MATRIX!"] {
            assert_eq!(match_key(name), "matrix", "{name}");
        }
        assert_eq!(match_key("Fast & Furious"), match_key("Fast and Furious"));
        // An article that is the whole title stays, and so does a word of another language that is none here.
        assert_eq!(match_key("The"), "the");
        assert_eq!(match_key("Die Hard"), "die hard");
        assert_eq!(match_key("And"), "and");
        assert_eq!(match_key("¡!"), "");
    }

    #[test]
    fn a_trailing_year_is_split_off_but_other_numbers_are_not() {
        assert_eq!(split_query("Heat (1995)"), ("heat".to_owned(), Some(1995)));
        assert_eq!(split_query("12 angry men"), ("12 angry men".to_owned(), None));
        assert_eq!(split_query("3001"), ("3001".to_owned(), None));
        assert_eq!(split_query("1984"), (String::new(), Some(1984)));
    }

    #[test]
    fn typing_errors_are_forgiven_in_long_words_only() {
        assert!(matches_with_typo("the godfather", "godfahter"));
        assert!(matches_with_typo("pulp fiction", "plup fict"));
        assert!(!matches_with_typo("heat", "hot"));
        assert!(!matches_with_typo("the godfather", "goodfellas"));
    }

    proptest! {
        /// Words of few letters have much in common. One of the letters takes two bytes.
        #[test]
        fn one_typing_error_is_a_distance_of_one_from_a_start(text in "[abé]{0,7}", word in "[abé]{1,6}") {
            let letters: Vec<char> = text.chars().collect();
            let is_near = |len: usize| {
                let start: String = letters.iter().take(len).collect();
                strsim::osa_distance(&word, &start) <= 1
            };
            prop_assert_eq!(starts_with_typo(&text, &word), (0..=letters.len()).any(is_near));
        }

        #[test]
        fn the_rows_that_contain_a_part_are_found_in_order(
            titles in prop::collection::vec("[ab é]{0,9}", 0..9),
            part in "[abe]{1,3}",
        ) {
            let keys = SearchKeys::new(titles.iter().map(String::as_str));
            let expected: Vec<String> = titles.iter().map(|title| search_key(title)).collect();
            let own: Vec<&str> = (0..titles.len()).map(|row| keys.key(row)).collect();
            prop_assert_eq!(&own, &expected);
            let holding: Vec<usize> = (0..titles.len()).filter(|row| expected[*row].contains(&part)).collect();
            prop_assert_eq!(keys.containing(&part).collect::<Vec<_>>(), holding);
        }
    }
}
