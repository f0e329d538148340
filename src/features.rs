//! The feature code: history and time in, model inputs out. The trainer and the browser call the same functions.
//!
//! Nothing here reads a clock, does I/O or depends on the platform. The moment is an input, so a training row, a test
//! and a visitor's click go through the same arithmetic. If a change alters a number that a model sees, raise
//! [`FEATURES_VERSION`]; a bundle of another version is refused at load.
//!
//! The features are those of the notebook that this recommender began as, a two-stage recommender after Covington,
//! Adams and Sargin, *Deep Neural Networks for YouTube Recommendations*, RecSys 2016.

pub mod reaction;

use time::OffsetDateTime;

pub use crate::catalog::DEFAULT_RELEASE_YEAR;
use crate::catalog::{Catalog, MovieIndex};
use crate::error::{Error, Result};
use crate::history::{DISLIKED_STARS, LIKED_STARS, Rating, Watch};

/// The version of every computation in this file.
pub const FEATURES_VERSION: u32 = 1;

/// How many of the last watched movies a user tower with a fixed number of slots sees, if the trainer made it. Its
/// default tower sees all, and a tower from elsewhere declares its own number.
pub const HISTORY_LEN: usize = 50;

/// The width of [`time_features`].
pub const TIME_FEATURES: usize = 50;

/// The neutral rating, in stars. A movie without a rating weighs as much as one with this rating.
pub const NEUTRAL_RATING: f32 = 3.5;

/// A moment on a wall clock: UTC in training, the visitor's own zone in the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// The calendar year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// Days since Monday, 0 to 6.
    pub weekday: u8,
}

impl LocalTime {
    /// The wall clock at `seconds` since 1970-01-01T00:00:00Z, `offset_minutes` east of UTC.
    ///
    /// # Errors
    /// [`Error::TimeInvalid`] outside the calendar's years or for an offset of more than a day.
    pub fn from_unix(seconds: i64, offset_minutes: i32) -> Result<Self> {
        let invalid = || Error::TimeInvalid { seconds, offset_minutes };
        if offset_minutes.unsigned_abs() > 24 * 60 {
            return Err(invalid());
        }
        let local = seconds.checked_add(i64::from(offset_minutes) * 60).ok_or_else(invalid)?;
        let moment = OffsetDateTime::from_unix_timestamp(local).map_err(|_| invalid())?;
        Ok(Self {
            year: moment.year(),
            month: u8::from(moment.month()),
            day: moment.day(),
            hour: moment.hour(),
            weekday: moment.weekday().number_days_from_monday(),
        })
    }

    /// The year with its elapsed fraction, to the day: 2015.5 is early in July.
    pub fn year_with_fraction(&self) -> f32 {
        let month = f32::from(self.month.saturating_sub(1)) + f32::from(self.day.saturating_sub(1)) / 31.0;
        self.year as f32 + month / 12.0
    }

    /// Whether it is Saturday or Sunday.
    pub const fn is_weekend(&self) -> bool {
        self.weekday >= 5
    }

    /// The quarter of the year, 1 to 4.
    pub const fn quarter(&self) -> u8 {
        self.month.saturating_sub(1) / 3 + 1
    }

    /// Morning from 6, afternoon from 12, evening from 18, night from 22.
    pub const fn part_of_day(&self) -> PartOfDay {
        match self.hour {
            6..12 => PartOfDay::Morning,
            12..18 => PartOfDay::Afternoon,
            18..22 => PartOfDay::Evening,
            _ => PartOfDay::Night,
        }
    }
}

/// The four parts of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartOfDay {
    /// 12:00 to 17:59, the first level, which the one-hot coding leaves out.
    Afternoon,
    /// 18:00 to 21:59.
    Evening,
    /// 6:00 to 11:59.
    Morning,
    /// 22:00 to 5:59.
    Night,
}

/// The time features in order: `weekend`, `hour` (0 to 23, as a number), `quarter_2..4`, `month_2..12`, `day_2..31`,
/// `part_of_day` Evening, Morning, Night, `weekend_1`.
///
/// One-hot coding leaves out each first level. The notebook has the weekend twice, once as a number and once as an
/// indicator; both columns stay, so that the network has the notebook's width.
pub fn time_features(moment: &LocalTime) -> [f32; TIME_FEATURES] {
    let indicator = |on: bool| if on { 1.0 } else { 0.0 };
    let mut features = [0.0; TIME_FEATURES];
    let weekend = indicator(moment.is_weekend());
    let numbers = [weekend, f32::from(moment.hour)].into_iter();
    let quarters = (2..=4).map(|quarter| indicator(moment.quarter() == quarter));
    let months = (2..=12).map(|month| indicator(moment.month == month));
    let days = (2..=31).map(|day| indicator(moment.day == day));
    let parts = [PartOfDay::Evening, PartOfDay::Morning, PartOfDay::Night]
        .into_iter()
        .map(|part| indicator(moment.part_of_day() == part));
    let columns = numbers.chain(quarters).chain(months).chain(days).chain(parts).chain([weekend]);
    for (feature, value) in features.iter_mut().zip(columns) {
        *feature = value;
    }
    features
}

/// The names of [`time_features`], in order.
pub fn time_feature_names() -> Vec<String> {
    let mut names = vec!["weekend".to_owned(), "hour".to_owned()];
    names.extend((2..=4).map(|quarter| format!("quarter_{quarter}")));
    names.extend((2..=12).map(|month| format!("month_{month}")));
    names.extend((2..=31).map(|day| format!("day_{day}")));
    names.extend(["Evening", "Morning", "Night"].map(|part| format!("part_of_day_{part}")));
    names.push("weekend_1".to_owned());
    names
}

/// A history as the user tower reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryInputs {
    /// Dense indices of the last movies, oldest first, padded at the end with the catalogue's length.
    pub movies: Vec<i64>,
    /// The weight of each slot, 0 for padding; see [`rating_weight`].
    pub weights: Vec<f32>,
    /// How each slot's movie was received, 0 for padding; see [`reception`].
    pub likes: Vec<f32>,
}

/// The last `slots` movies of `watches` (oldest first) as the inputs of a user tower of that many slots.
///
/// `catalog_len` is the row of the embedding table that stands for padding.
pub fn history_inputs(watches: &[Watch], catalog_len: usize, slots: usize) -> HistoryInputs {
    let padding = i64::try_from(catalog_len).unwrap_or(i64::MAX);
    let mut inputs = HistoryInputs { movies: vec![padding; slots], weights: vec![0.0; slots], likes: vec![0.0; slots] };
    let recent = watches.get(watches.len().saturating_sub(slots)..).unwrap_or_default();
    let slots = inputs.movies.iter_mut().zip(&mut inputs.weights).zip(&mut inputs.likes);
    for (((movie, weight), like), watch) in slots.zip(recent) {
        *movie = i64::from(watch.movie.get());
        *weight = rating_weight(watch.rating);
        *like = reception(watch.rating);
    }
    inputs
}

/// How much a movie counts in the history's mean: its rating over [`NEUTRAL_RATING`], from 0.14 to 1.43, and 1 without
/// a rating. So a click without a rating counts as much as a neutral rating.
///
/// The notebook weighs by the rating's rank (1 to 10, twice the stars) and gives padding 0.01; here padding weighs
/// nothing.
pub fn rating_weight(rating: Option<Rating>) -> f32 {
    rating.map_or(1.0, |rating| rating.stars() / NEUTRAL_RATING)
}

/// How a movie was received: 1 for a like and for a movie without a rating, which most visitors click because they like
/// it; −1 for a dislike; 0 for what is neither.
pub fn reception(rating: Option<Rating>) -> f32 {
    match rating.map(Rating::stars) {
        Some(stars) if stars <= DISLIKED_STARS => -1.0,
        Some(stars) if stars < LIKED_STARS => 0.0,
        Some(_) | None => 1.0,
    }
}

/// The features of a movie and a moment that the ranker reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventFeatures {
    /// The year in the title, or [`DEFAULT_RELEASE_YEAR`].
    pub release_year: f32,
    /// The first year of the release's decade.
    pub release_decade: f32,
    /// Years from the release year to the event, at least 0.
    pub movie_age: f32,
    /// The ordinal of this watch in the user's history, from 1.
    pub time: f32,
    /// Its square root.
    pub time_sqrt: f32,
    /// Seconds since the user's previous watch, whole days included; 0 for the first.
    pub time_dif: f32,
    /// Its square root.
    pub time_dif_sqrt: f32,
    /// Its square.
    pub time_dif_square: f32,
}

/// The names of [`EventFeatures`]'s columns, in the order of [`EventFeatures::columns`].
pub const EVENT_FEATURE_NAMES: [&str; 8] = [
    "release_year",
    "release_decade",
    "movie_age",
    "time",
    "time_sqrt",
    "time_dif",
    "time_dif_sqrt",
    "time_dif_square",
];

impl EventFeatures {
    /// Features of watching a movie of `release_year` at `moment`, as the `ordinal`-th watch (from 1), `elapsed`
    /// seconds after the previous one. A negative `elapsed`, from a clock that was set back, counts as 0.
    pub fn new(release_year: Option<u16>, moment: &LocalTime, ordinal: usize, elapsed: i64) -> Self {
        let year = f32::from(release_year.unwrap_or(DEFAULT_RELEASE_YEAR));
        let time = ordinal as f32;
        let time_dif = elapsed.max(0) as f32;
        Self {
            release_year: year,
            release_decade: (year / 10.0).floor() * 10.0,
            movie_age: (moment.year as f32 - year).max(0.0),
            time,
            time_sqrt: time.sqrt(),
            time_dif,
            time_dif_sqrt: time_dif.sqrt(),
            time_dif_square: time_dif * time_dif,
        }
    }

    /// The columns in the order of [`EVENT_FEATURE_NAMES`].
    pub const fn columns(&self) -> [f32; 8] {
        [
            self.release_year,
            self.release_decade,
            self.movie_age,
            self.time,
            self.time_sqrt,
            self.time_dif,
            self.time_dif_sqrt,
            self.time_dif_square,
        ]
    }
}

/// Genre indicators of a movie, one for each genre of the catalogue, in its order.
pub fn genre_features(catalog: &Catalog, movie: MovieIndex) -> Vec<f32> {
    let mut features = vec![0.0; catalog.genres().len()];
    for genre in catalog.movie(movie).map(|movie| movie.genres.as_slice()).unwrap_or_default() {
        if let Some(feature) = features.get_mut(usize::from(*genre)) {
            *feature = 1.0;
        }
    }
    features
}
