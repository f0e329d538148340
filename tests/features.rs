//! The feature code compared with numbers worked out by hand, and with the golden file that the browser's build must
//! match too.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod golden;

use proptest::prelude::*;
use watchnext::catalog::MovieIndex;
use watchnext::error::Error;
use watchnext::features::{
    EventFeatures, HISTORY_LEN, LocalTime, PartOfDay, TIME_FEATURES, history_inputs, rating_weight, time_feature_names,
    time_features,
};
use watchnext::history::{Rating, Watch};

fn at(seconds: i64, offset_minutes: i32) -> LocalTime {
    LocalTime::from_unix(seconds, offset_minutes).unwrap()
}

/// `cargo test --test features` compares. With `BLESS=1` it rewrites the file, after an intended change of a feature.
#[test]
fn features_equal_the_golden_file() {
    let found = golden::compute();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write("tests/golden/features.json", serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    let expected: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string("tests/golden/features.json").unwrap()).unwrap();
    golden::assert_equal(&found, &expected);
}

/// 2000-01-01 was a Saturday; half past eleven in the evening in London is already Sunday in Kolkata.
#[test]
fn the_clock_is_the_visitors() {
    let london = at(946_769_400, 0);
    assert_eq!((london.year, london.month, london.day, london.hour, london.weekday), (2000, 1, 1, 23, 5));
    let kolkata = at(946_769_400, 330);
    assert_eq!((kolkata.day, kolkata.hour, kolkata.weekday), (2, 5, 6));
    // Before 1970, and an offset into the previous year.
    let earlier = at(-1, -60);
    assert_eq!((earlier.year, earlier.month, earlier.day, earlier.hour), (1969, 12, 31, 22));
}

#[test]
fn the_weekend_is_saturday_and_sunday() {
    let monday = 1_704_067_200;
    let weekend: Vec<bool> = (0..7).map(|day| at(monday + day * 86_400, 0).is_weekend()).collect();
    assert_eq!(weekend, [false, false, false, false, false, true, true]);
}

#[test]
fn parts_of_the_day_change_on_the_hour() {
    let part = |hour: i64, second: i64| at(hour * 3600 + second, 0).part_of_day();
    for (hour, before, from) in [
        (6, PartOfDay::Night, PartOfDay::Morning),
        (12, PartOfDay::Morning, PartOfDay::Afternoon),
        (18, PartOfDay::Afternoon, PartOfDay::Evening),
        (22, PartOfDay::Evening, PartOfDay::Night),
    ] {
        assert_eq!((part(hour, -1), part(hour, 0)), (before, from));
    }
}

#[test]
fn a_moment_has_exactly_its_indicators() {
    // Sunday, 2015-07-19, 19:15.
    let features = time_features(&at(1_437_333_300, 0));
    let names = time_feature_names();
    assert_eq!(names.len(), TIME_FEATURES);
    let set: Vec<(&str, f32)> =
        names.iter().map(String::as_str).zip(features).filter(|(_, value)| *value != 0.0).collect();
    assert_eq!(
        set,
        [
            ("weekend", 1.0),
            ("hour", 19.0),
            ("quarter_3", 1.0),
            ("month_7", 1.0),
            ("day_19", 1.0),
            ("part_of_day_Evening", 1.0),
            ("weekend_1", 1.0)
        ]
    );
}

#[test]
fn the_first_levels_are_left_out() {
    // Monday, 2018-01-01, 12:00: first quarter, first month, first day, afternoon.
    let features = time_features(&at(1_514_808_000, 0));
    assert!(features.iter().enumerate().all(|(column, value)| (column == 1) == (*value != 0.0)));
}

#[test]
fn times_that_are_no_moment_are_errors() {
    for (seconds, offset) in [(i64::MAX, 1), (i64::MIN, 0), (0, 1441), (0, i32::MIN)] {
        assert!(matches!(LocalTime::from_unix(seconds, offset), Err(Error::TimeInvalid { .. })), "{seconds} {offset}");
    }
}

/// Zones end at 14 hours. Up to a whole day is accepted on either side, and no more.
#[test]
fn an_offset_of_a_day_is_the_farthest() {
    let days = [-1440, 0, 1440].map(|offset| at(1_437_333_300, offset).day);
    assert_eq!(days, [18, 19, 20]);
    assert!(LocalTime::from_unix(1_437_333_300, -1441).is_err());
}

#[test]
fn the_year_goes_on_by_month_and_day() {
    let year = |seconds| f64::from(at(seconds, 0).year_with_fraction());
    // The first of January, 2015-07-19, and the last of December.
    for (seconds, expected) in [
        (1_420_070_400, 2015.0),
        (1_437_333_300, 2015.0 + (6.0 + 18.0 / 31.0) / 12.0),
        (1_451_520_000, 2015.0 + (11.0 + 30.0 / 31.0) / 12.0),
    ] {
        assert!((year(seconds) - expected).abs() < 1e-3, "{} instead of {expected}", year(seconds));
    }
}

fn watch(movie: usize, stars: Option<f32>) -> Watch {
    Watch { movie: MovieIndex::new(movie).unwrap(), rating: stars.and_then(Rating::new) }
}

#[test]
fn a_short_history_is_padded_at_its_end() {
    let inputs = history_inputs(&[watch(3, None), watch(1, Some(5.0))], 9, HISTORY_LEN);
    assert_eq!(&inputs.movies[..3], [3, 1, 9]);
    assert_eq!(&inputs.weights[..3], [1.0, 5.0 / 3.5, 0.0]);
    assert!(
        inputs.movies[2..].iter().all(|movie| *movie == 9) && inputs.weights[2..].iter().all(|weight| *weight == 0.0)
    );
}

/// Four stars are a like, three a dislike, and no rating counts as a like.
#[test]
fn likes_tell_how_each_movie_was_received() {
    let stars = [None, Some(4.0), Some(5.0), Some(3.5), Some(3.0), Some(0.5)];
    let watches: Vec<Watch> = stars.iter().enumerate().map(|(movie, stars)| watch(movie, *stars)).collect();
    assert_eq!(history_inputs(&watches, 9, 7).likes, [1.0, 1.0, 1.0, 0.0, -1.0, -1.0, 0.0]);
}

#[test]
fn a_neutral_rating_weighs_as_much_as_none() {
    assert_eq!(rating_weight(None), rating_weight(Rating::new(3.5)));
    assert!(
        rating_weight(Rating::new(0.5)) < rating_weight(None) && rating_weight(None) < rating_weight(Rating::new(5.0))
    );
}

#[test]
fn the_event_features_are_true_to_their_names() {
    // Ten days and a second: the days count, and each column is what its name says.
    let features = EventFeatures::new(Some(1999), &at(1_437_333_300, 0), 4, 864_001);
    assert_eq!(
        features.columns(),
        [1999.0, 1990.0, 16.0, 4.0, 2.0, 864_001.0, 864_001.0_f32.sqrt(), 864_001.0_f32 * 864_001.0]
    );
    let unknown_year = EventFeatures::new(None, &at(0, 0), 1, -5);
    assert_eq!(unknown_year.columns(), [1995.0, 1990.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
}

proptest! {
    #[test]
    fn the_history_is_the_last_fifty(len in 0_usize..120) {
        let watches: Vec<Watch> = (0..len).map(|movie| watch(movie, None)).collect();
        let inputs = history_inputs(&watches, 1000, HISTORY_LEN);
        let mut expected: Vec<i64> = (len.saturating_sub(HISTORY_LEN)..len).map(|movie| movie as i64).collect();
        expected.resize(HISTORY_LEN, 1000);
        prop_assert_eq!(inputs.movies, expected);
        prop_assert_eq!(inputs.weights.iter().filter(|weight| **weight > 0.0).count(), len.min(HISTORY_LEN));
    }

    /// Every moment of 400 years has one part of the day, at most one day, month and quarter, and finite numbers.
    #[test]
    fn indicators_exclude_one_another(seconds in -5_000_000_000_i64..8_000_000_000, offset in -840_i32..=840) {
        let features = time_features(&at(seconds, offset));
        let ones = |columns: std::ops::Range<usize>| features[columns].iter().sum::<f32>();
        prop_assert!(ones(2..5) <= 1.0 && ones(5..16) <= 1.0 && ones(16..46) <= 1.0 && ones(46..49) <= 1.0);
        prop_assert_eq!(features[0], features[49]);
        prop_assert!((0.0..24.0).contains(&features[1]));
    }
}
