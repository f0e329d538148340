//! The features of a few histories and moments as JSON, computed by native tests and by the browser's build.

use serde_json::{Value, json};
use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
use watchnext::features::{
    EventFeatures, FEATURES_VERSION, HISTORY_LEN, LocalTime, genre_features, history_inputs, time_feature_names,
    time_features,
};
use watchnext::history::{Rating, Watch};

/// Moments in both halves of a day and of a year, a leap day, a weekend, and zones on both sides of UTC.
const MOMENTS: [(i64, i32); 5] =
    [(964_982_703, 0), (951_782_400, 0), (1_437_333_300, -480), (1_735_689_599, 345), (-86_401, 60)];

/// All features of this build.
pub fn compute() -> Value {
    let moments: Vec<Value> = MOMENTS
        .into_iter()
        .map(|(seconds, offset)| {
            let moment = LocalTime::from_unix(seconds, offset).unwrap();
            let event = EventFeatures::new(Some(1977), &moment, 7, 123_456);
            json!({
                "seconds": seconds,
                "offset_minutes": offset,
                "time": time_features(&moment).to_vec(),
                "event": event.columns().to_vec(),
            })
        })
        .collect();
    let stars = [None, Some(0.5), Some(3.0), Some(3.5), Some(5.0)];
    let watches: Vec<Watch> = (0..57)
        .map(|row| Watch {
            movie: MovieIndex::new(row * 31 % 97).unwrap(),
            rating: stars[row % stars.len()].and_then(Rating::new),
        })
        .collect();
    let histories: Vec<Value> = [0, 1, 12, 57]
        .into_iter()
        .map(|len| {
            let inputs = history_inputs(&watches[..len], 97, HISTORY_LEN);
            json!({"len": len, "movies": inputs.movies, "weights": inputs.weights})
        })
        .collect();
    let movie =
        Movie { id: MovieId(1), key: None, title: "Heat".to_owned(), year: Some(1995), genres: vec![0, 2], ratings: 1 };
    let catalog = Catalog::new(["Action", "Comedy", "Crime"].map(str::to_owned).to_vec(), vec![movie]).unwrap();
    json!({
        "features_version": FEATURES_VERSION,
        "time_feature_names": time_feature_names(),
        "moments": moments,
        "histories": histories,
        "genres": genre_features(&catalog, MovieIndex::new(0).unwrap()),
    })
}

/// Equal structure, and equal numbers up to the last digit that JSON keeps of a float.
pub fn assert_equal(found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{found} against {expected}");
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len());
            found.iter().zip(expected).for_each(|(found, expected)| assert_equal(found, expected));
        }
        (Value::Object(found), Value::Object(expected)) => {
            assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
            found.iter().for_each(|(key, value)| assert_equal(value, &expected[key]));
        }
        (found, expected) => assert_eq!(found, expected),
    }
}
