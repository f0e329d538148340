//! Parses the texts of a row: ratings on a scale, times, years and ids.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use anyhow::{Result, ensure};
use arrow_cast::parse::string_to_timestamp_nanos;
use watchnext::features::LocalTime;
use watchnext::history::Rating;

/// The scale on which ratings are kept: MovieLens's.
const STARS: Scale = Scale { low: 0.5, high: 5.0 };

/// Whole numbers from here on are milliseconds. As seconds this would be in the year 5138; as milliseconds it is in
/// 1973.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// The first year that no rating can have. A time in it is in another unit.
const FUTURE: i64 = 2200;

/// The longest id in bytes. A longer one is a text in the wrong column.
const MAX_ID: usize = 200;

/// Scales that sites use. One of them is suggested for ratings that don't fit.
const KNOWN_SCALES: [(f32, f32); 9] = [
    (0.0, 5.0),
    (1.0, 10.0),
    (0.0, 10.0),
    (0.0, 1.0),
    (-1.0, 1.0),
    (1.0, 100.0),
    (0.0, 100.0),
    (-5.0, 5.0),
    (-10.0, 10.0),
];

/// The lowest and the highest rating of a site. They become half a star and five stars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f32,
    high: f32,
}

impl Default for Scale {
    fn default() -> Self {
        STARS
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.low, self.high)
    }
}

impl FromStr for Scale {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split_once("..").and_then(|(low, high)| {
            let number = |text: &str| text.trim().parse::<f32>().ok().filter(|number| number.is_finite());
            Some((number(low)?, number(high)?))
        });
        let (low, high) = numbers.ok_or_else(|| {
            anyhow::anyhow!("{text:?} isn't a scale. Write it as LOW..HIGH, such as 1..10 or -10..10.")
        })?;
        ensure!(low < high, "the scale {text} is empty: write the lower number first");
        Ok(Self { low, high })
    }
}

impl Scale {
    /// A site's rating in stars, or `None` outside the scale. The scale of 0.5 to 5 changes no rating.
    pub fn stars(&self, rating: f32) -> Option<Rating> {
        if *self == STARS {
            return Rating::new(rating);
        }
        if !(self.low..=self.high).contains(&rating) {
            return None;
        }
        // Multiply before you divide: 8 on a scale of 1 to 10 is then exactly 4, and a like.
        let [low, high, rating] = [self.low, self.high, rating].map(f64::from);
        let [least, most] = [STARS.low, STARS.high].map(f64::from);
        Rating::new((least + (rating - low) * (most - least) / (high - low)).clamp(least, most) as f32)
    }
}

/// Parses the ratings of a file, and keeps their range to suggest a scale.
#[derive(Debug)]
pub(crate) struct Ratings {
    scale: Scale,
    lowest: f32,
    highest: f32,
}

impl Ratings {
    /// No ratings yet, on this scale.
    pub(crate) const fn new(scale: Scale) -> Self {
        Self { scale, lowest: f32::INFINITY, highest: f32::NEG_INFINITY }
    }

    /// A rating's stars.
    ///
    /// # Errors
    /// The defect of the text, and the remedy.
    pub(crate) fn parse(&mut self, text: &str) -> Result<Rating, String> {
        let Ok(rating) = text.parse::<f32>() else {
            let comma = text.contains(',') && text.replace(',', ".").parse::<f32>().is_ok();
            let remedy = if comma {
                "Write a point in place of the comma."
            } else {
                "Write it in digits (4.5), or remove the row."
            };
            return Err(format!("isn't a number. {remedy}"));
        };
        if rating.is_finite() {
            (self.lowest, self.highest) = (self.lowest.min(rating), self.highest.max(rating));
        }
        let Scale { low, high } = self.scale;
        self.scale.stars(rating).ok_or_else(|| {
            format!("is a rating outside {low} to {high}. Correct or remove the row, or give another --scale.")
        })
    }

    /// A known scale that holds all ratings so far, if there is one.
    pub(crate) fn fitting_scale(&self) -> Option<Scale> {
        let fits = |(low, high): &(f32, f32)| *low <= self.lowest && self.highest <= *high;
        KNOWN_SCALES.into_iter().find(fits).map(|(low, high)| Scale { low, high })
    }
}

/// A time in seconds since 1970.
///
/// Whole numbers are seconds, or milliseconds from 10¹¹ on. Anything else is a date of ISO 8601, with or without a time
/// of day and a zone; without a zone it is UTC.
///
/// # Errors
/// The defect of the text, and the remedy.
pub(crate) fn time(text: &str) -> Result<i64, String> {
    const REMEDY: &str =
        "Write seconds or milliseconds since 1970, or a date such as 2021-03-04 or 2021-03-04T05:06:07Z.";
    let seconds = if let Ok(number) = text.parse::<i64>() {
        if number.unsigned_abs() >= FIRST_MILLISECONDS.unsigned_abs() { number.div_euclid(1000) } else { number }
    } else if looks_like_date(text)
        && let Ok(nanoseconds) = string_to_timestamp_nanos(text)
    {
        nanoseconds.div_euclid(1_000_000_000)
    } else {
        return Err(format!("isn't a time. {REMEDY} Or remove the row."));
    };
    let year = LocalTime::from_unix(seconds, 0).ok().map(|moment| moment.year_with_fraction() as i64);
    match year {
        Some(year) if year < FUTURE => Ok(seconds),
        Some(year) => Err(format!("is a time of the year {year}. {REMEDY}")),
        None => Err(format!("is a timestamp outside the calendar. {REMEDY}")),
    }
}

/// Whether a text begins like an ISO date. The parser alone would accept other forms too.
fn looks_like_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits =
        |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    digits(0..4) && bytes.get(4) == Some(&b'-') && digits(5..7) && bytes.get(7) == Some(&b'-') && digits(8..10)
}

/// A year of release, or `None` if the text is empty.
///
/// # Errors
/// The defect of the text, and the remedy.
pub(crate) fn year(text: &str) -> Result<Option<u16>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let year =
        text.strip_suffix(".0").unwrap_or(text).parse::<u16>().ok().filter(|year| (1..FUTURE as u16).contains(year));
    year.map(Some).ok_or_else(|| "isn't a year. Write it in digits (1994), or leave it empty.".to_owned())
}

/// An id: a short text without control characters.
///
/// # Errors
/// The defect of the text, and the remedy.
pub(crate) fn id(text: &str) -> Result<&str, String> {
    if text.is_empty() {
        return Err("is empty where an id is needed. Add it, or remove the row.".to_owned());
    }
    if text.len() > MAX_ID {
        return Err(format!(
            "is too long for an id, which may have {MAX_ID} bytes at most. Name another column with --columns, or \
             shorten it."
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(
            "isn't an id: it goes over several lines, or holds invisible characters. A quote may be open.".to_owned()
        );
    }
    Ok(text)
}

/// An id that must be a whole number below 2³², as MovieLens's are.
///
/// # Errors
/// The defect of the text, and the remedy.
pub(crate) fn number(text: &str) -> Result<u32, String> {
    let id = id(text)?;
    id.parse().map_err(|_| {
        "isn't a whole number from 0 to 4294967295. Correct or remove it; ids of another form can be read with --items."
            .to_owned()
    })
}

/// An id as a number, if it is below 2³² and written as numbers are. A leading zero has a meaning, so `007` stays a
/// text.
pub(crate) fn plain_number(id: &str) -> Option<u32> {
    let plain = id.bytes().all(|byte| byte.is_ascii_digit()) && (id == "0" || !id.starts_with('0'));
    id.parse().ok().filter(|_| plain)
}

/// Ids in the order of their first occurrence, each with its place. Numbers are stored without their texts.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    numbers: HashMap<u32, u32>,
    texts: HashMap<Box<str>, u32>,
}

impl Ids {
    /// The place of an id, which is added if it is new.
    fn enter(&mut self, id: &str) -> u32 {
        match plain_number(id) {
            Some(number) => self.enter_number(number),
            None => match self.texts.get(id) {
                Some(place) => *place,
                None => {
                    let next = self.len();
                    self.texts.insert(id.into(), next);
                    next
                }
            },
        }
    }

    /// As [`enter`](Self::enter), if the text is an id. With `numbers_only`, it must be a number.
    ///
    /// # Errors
    /// As [`id`] and [`number`].
    pub(crate) fn enter_checked(&mut self, text: &str, numbers_only: bool) -> Result<u32, String> {
        if numbers_only {
            number(text).map(|number| self.enter_number(number))
        } else {
            id(text).map(|text| self.enter(text))
        }
    }

    /// As [`enter`](Self::enter), for a number.
    fn enter_number(&mut self, number: u32) -> u32 {
        let next = self.len();
        *self.numbers.entry(number).or_insert(next)
    }

    /// The place of an id that was entered before.
    pub(crate) fn place(&self, id: &str) -> Option<u32> {
        match plain_number(id) {
            Some(number) => self.place_of_number(number),
            None => self.texts.get(id).copied(),
        }
    }

    /// As [`place`](Self::place), for a number.
    pub(crate) fn place_of_number(&self, number: u32) -> Option<u32> {
        self.numbers.get(&number).copied()
    }

    /// How many ids there are.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.numbers.len() + self.texts.len()).unwrap_or(u32::MAX)
    }

    /// The first id that isn't a plain number, if there is one.
    pub(crate) fn first_text(&self) -> Option<&str> {
        self.texts.iter().min_by_key(|(_, place)| **place).map(|(text, _)| text.as_ref())
    }

    /// The number of each place: the ids themselves if all of them are numbers, else 1, 2, 3 and so on.
    pub(crate) fn numbered(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = (1..=self.len()).collect();
        if self.texts.is_empty() {
            for (number, place) in &self.numbers {
                if let Some(slot) = numbers.get_mut(*place as usize) {
                    *slot = *number;
                }
            }
        }
        numbers
    }

    /// The ids as texts by place, unless all are plain numbers.
    pub(crate) fn texts_by_place(&self) -> Option<Vec<String>> {
        if self.texts.is_empty() {
            return None;
        }
        let mut texts = vec![String::new(); self.len() as usize];
        let numbers = self.numbers.iter().map(|(number, place)| (number.to_string(), *place));
        for (text, place) in self.texts.iter().map(|(text, place)| (text.to_string(), *place)).chain(numbers) {
            texts.get_mut(place as usize).into_iter().for_each(|slot| *slot = text.clone());
        }
        Some(texts)
    }

    /// The text of a place, for a message.
    pub(crate) fn text(&self, place: u32) -> String {
        let number = self.numbers.iter().find(|(_, own)| **own == place).map(|(number, _)| number.to_string());
        let text = || self.texts.iter().find(|(_, own)| **own == place).map(|(text, _)| text.to_string());
        number.or_else(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn scales_end_at_half_a_star_and_five() {
        let stars =
            |scale: &str, rating: f32| scale.parse::<Scale>().unwrap().stars(rating).map(|rating| rating.stars());
        assert_eq!((stars("1..10", 1.0), stars("1..10", 10.0), stars("1..10", 0.9)), (Some(0.5), Some(5.0), None));
        assert_eq!((stars("-10..10", 0.0), stars("0..100", 50.0)), (Some(2.75), Some(2.75)));
        assert_eq!((stars("1..10", 8.0), stars("0..5", 4.0)), (Some(4.0), Some(4.1)));
        // MovieLens's own scale changes no bit.
        assert_eq!((stars("0.5..5", 3.7), stars("0.5..5", 0.0), stars("0..5", f32::NAN)), (Some(3.7), None, None));
        for wrong in ["10", "5..1", "1..1", "a..b", "0..inf"] {
            assert!(wrong.parse::<Scale>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_scale_that_holds_all_ratings_is_suggested() {
        let suggested = |ratings: &[&str]| {
            let mut found = Ratings::new(Scale::default());
            ratings.iter().for_each(|rating| drop(found.parse(rating)));
            found.fitting_scale().map(|scale| scale.to_string())
        };
        assert_eq!(suggested(&["1", "9"]).as_deref(), Some("1..10"));
        assert_eq!(suggested(&["0", "9"]).as_deref(), Some("0..10"));
        assert_eq!(suggested(&["-3", "87"]), None);
        assert_eq!(suggested(&["-3", "7.5", "NaN"]).as_deref(), Some("-10..10"));
    }

    #[test]
    fn times_are_seconds_milliseconds_or_dates() {
        for (text, seconds) in [
            ("964982703", 964_982_703),
            ("964982703000", 964_982_703),
            ("-5", -5),
            ("2000-07-30T18:45:03Z", 964_982_703),
            ("2000-07-30 20:45:03+02:00", 964_982_703),
            ("2000-07-30T18:45:03.500", 964_982_703),
            ("2000-07-30", 964_915_200),
        ] {
            assert_eq!(time(text), Ok(seconds), "{text}");
        }
        for text in [
            "",
            "5.5",
            "yesterday",
            "30.07.2000",
            "07/30/2000",
            "2000-13-01",
            "99999999999",
            "1700000000000000",
            "99999999999999999",
        ] {
            let error = time(text).unwrap_err();
            assert!(error.contains("seconds or milliseconds"), "{text}: {error}");
        }
    }

    #[test]
    fn ids_stay_numbers_if_all_are_numbers() {
        let mut ids = Ids::default();
        assert_eq!(["70", "5", "70"].map(|id| ids.enter(id)), [0, 1, 0]);
        assert_eq!((ids.numbered(), ids.first_text()), (vec![70, 5], None));
        assert_eq!((ids.enter("0070"), ids.enter("4294967296"), ids.place("0070")), (2, 3, Some(2)));
        assert_eq!((ids.numbered(), ids.first_text()), (vec![1, 2, 3, 4], Some("0070")));
        assert_eq!((ids.text(1), ids.text(2)), ("5".to_owned(), "0070".to_owned()));
        assert_eq!(
            [plain_number("0"), plain_number("+1"), plain_number("-1"), plain_number("01")],
            [Some(0), None, None, None]
        );
    }
}
