//! Popularity: the same list for everybody, without the movies that they have seen.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;

use super::counts::Counts;
use crate::data::incidence::Signal;
use crate::data::timed_popularity::Season;
use crate::evaluate::label::POPULARITY;
use crate::evaluate::method::Selection;
use crate::evaluate::scorer::Scorer;
use crate::evaluate::tune::{Axis, Family, axis};

/// Popularity by likes or by ratings.
#[derive(Debug)]
pub struct ByPopularity {
    /// Whether events near the visit may count more. The usual baseline counts all times alike.
    pub uses_time: bool,
}

/// Which events count, and how far in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    signal: Signal,
    season: Season,
}

impl fmt::Display for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}", self.signal, self.season)
    }
}

impl Family for ByPopularity {
    type Parameters = Counted;
    type Statistics = Counts;

    fn id(&self) -> &'static str {
        if self.uses_time { "popularity-of-moment" } else { POPULARITY }
    }

    fn name(&self) -> &'static str {
        if self.uses_time { "popularity of the moment" } else { POPULARITY }
    }

    fn uses_time(&self) -> bool {
        self.uses_time
    }

    fn start(&self) -> Counted {
        Counted { signal: Signal::Ratings, season: Season(None) }
    }

    fn axes(&self, _selection: &Selection) -> Vec<Axis<Counted>> {
        vec![
            axis(&Signal::ALL, |counted, signal| counted.signal = signal),
            axis(Season::choices(self.uses_time), |counted, season| counted.season = season),
        ]
    }

    fn scorer(&self, counts: &Arc<Counts>, counted: &Counted) -> Result<Box<dyn Scorer>> {
        Ok(Box::new(counts.popularity(counted.signal, counted.season)))
    }
}
