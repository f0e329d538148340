//! `parity.json`: answers of the trainer's own network. Tests compare tract, ONNX Runtime and the browser with them.

use anyhow::{Result, bail};
use serde::Serialize;
use watchnext::catalog::{Catalog, MovieId, MovieIndex};
use watchnext::features::LocalTime;
use watchnext::history::History;
use watchnext::model::{LIKES_INPUT, ORDER_INPUT, TOWER_INPUTS, TowerInputs, YEAR_INPUT};

use super::model::Model;

/// The cases.
#[derive(Debug, Serialize)]
pub(super) struct Parity {
    cases: Vec<ParityCase>,
}

impl Parity {
    /// The answers of `model` to a few histories.
    ///
    /// # Errors
    /// Inputs that the model's arithmetic rejects.
    pub(super) fn new(model: &dyn Model, catalog: &Catalog) -> Result<Self> {
        // No movie, one, a few with ratings, and more than the tower sees, in different quarters, times of day and time
        // zones.
        let well_known: Vec<MovieId> =
            catalog.wall(60).iter().filter_map(|movie| catalog.movie(*movie)).map(|movie| movie.id).collect();
        let few = [Some(5.0), None, Some(0.5), Some(3.5), None];
        let plain = |count: usize| well_known.iter().take(count).map(|id| (*id, None)).collect::<Vec<_>>();
        let rated = well_known.iter().rev().copied().zip(few).collect();
        let cases = [
            (plain(0), 1_700_000_000_i64, 0),
            (plain(1), 1_709_208_000, 330),
            (plain(3), 1_720_000_000, -480),
            (rated, 1_735_689_599, 60),
            (plain(60), 951_782_400, 0),
        ];
        let cases =
            cases.into_iter().map(|(watched, seconds, offset)| parity_case(model, catalog, watched, seconds, offset));
        Ok(Self { cases: cases.collect::<Result<_>>()? })
    }

    /// Adds how likely a like of each case's best movies is.
    pub(super) fn add_likes(
        &mut self,
        catalog: &Catalog,
        like: impl Fn(&History, &LocalTime, MovieIndex) -> Option<f32>,
    ) {
        for case in &mut self.cases {
            let (history, moment) = &case.asked;
            let movies = case.top.iter().filter_map(|id| catalog.index_of(MovieId(*id)));
            case.likes = movies.filter_map(|movie| like(history, moment, movie)).collect();
        }
    }
}

/// One history at one moment.
#[derive(Debug, Serialize)]
struct ParityCase {
    request: ParityRequest,
    inputs: ParityInputs,
    user_vector: Vec<f32>,
    /// The ids of the ten best unwatched movies, in the first stage's order.
    top: Vec<u32>,
    /// How likely a like of each of them is, if there is a second stage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    likes: Vec<f32>,
    /// The request as the library takes it.
    #[serde(skip)]
    asked: (History, LocalTime),
}

/// The request as the browser's API takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ParityRequest {
    history: Vec<ParityWatch>,
    time_ms: i64,
    utc_offset_minutes: i32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ParityWatch {
    movie_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<f32>,
}

/// The user tower's inputs. Only `history` is required.
#[derive(Debug, Serialize)]
struct ParityInputs {
    history: [Vec<i64>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<[Vec<f32>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<[Vec<f32>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<[[f32; 1]; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    likes: Option<[Vec<f32>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_order: Option<[[f32; 1]; 1]>,
}

fn parity_case(
    model: &dyn Model,
    catalog: &Catalog,
    watched: Vec<(MovieId, Option<f32>)>,
    seconds: i64,
    offset: i32,
) -> Result<ParityCase> {
    let (history, unknown) = History::from_ids(catalog, watched.iter().copied())?;
    if !unknown.is_empty() {
        let ids: Vec<String> = unknown.iter().map(|id| id.0.to_string()).collect();
        bail!("the catalogue doesn't know its own movies {}", ids.join(", "));
    }
    let moment = LocalTime::from_unix(seconds, offset)?;
    let slots = model.slots(history.len());
    let inputs = TowerInputs::new(history.watches(), catalog.len(), slots, &moment, false);
    let vector = model.user_vector(&inputs)?;
    let (movies, bias) = model.movies()?;
    let seen = history.seen(catalog.len());
    let score = |row: usize| {
        let row = movies.row(row).unwrap_or_default();
        row.iter().zip(&vector).map(|(movie, user)| movie * user).sum::<f32>()
    };
    let mut ranked: Vec<(f32, usize)> = bias
        .iter()
        .zip(0..)
        .filter(|(_, row)| !seen.get(*row).copied().unwrap_or(true))
        .map(|(bias, row)| (score(row) + bias, row))
        .collect();
    ranked.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    let top =
        ranked.iter().take(10).filter_map(|(_, row)| catalog.movies().get(*row)).map(|movie| movie.id.0).collect();
    let [_, weights, time] = TOWER_INPUTS;
    let watches = watched.iter().map(|(id, rating)| ParityWatch { movie_id: id.0, rating: *rating }).collect();
    Ok(ParityCase {
        request: ParityRequest { history: watches, time_ms: seconds * 1000, utc_offset_minutes: offset },
        inputs: ParityInputs {
            weights: model.asks_for(weights).then_some([inputs.history.weights]),
            history: [inputs.history.movies],
            time: model.asks_for(time).then(|| [inputs.time.to_vec()]),
            year: model.asks_for(YEAR_INPUT).then_some([[inputs.year]]),
            likes: model.asks_for(LIKES_INPUT).then_some([inputs.history.likes]),
            in_order: model.asks_for(ORDER_INPUT).then_some([[inputs.in_order]]),
        },
        user_vector: vector,
        top,
        likes: Vec::new(),
        asked: (history, moment),
    })
}
