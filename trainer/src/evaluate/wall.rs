//! The wall's tiles: how many of the movies that a visitor is offered to click on they have seen. The visits are P2's,
//! one draw for each user.

use std::collections::BTreeSet;

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;
use watchnext::catalog::{Catalog, MovieIndex};

use super::bootstrap::{Figure, Share, interval};
use super::draws::{AfterClicks, draws, is_measured};
use super::lists::list;
use super::scorer::Scorer;
use crate::data::User;

/// How many movies were clicked before the wall is looked at.
pub const WALL_CLICKS: [usize; 4] = [0, 1, 3, 10];

/// How many tiles are looked at.
pub const TILES: usize = 30;

/// Seen tiles, for one user.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tiles {
    seen: usize,
    seen_of_static: usize,
}

/// A method's walls for some users, to be merged over folds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    by_clicks: [Vec<Tiles>; WALL_CLICKS.len()],
}

/// How many of the wall's [`TILES`] a user has rated, besides the clicked ones, which it never shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wall {
    /// How many movies were clicked.
    pub clicks: usize,
    /// How many users were measured.
    pub users: usize,
    /// Tiles that the user has rated.
    pub seen: Figure,
    /// The same of a wall that doesn't follow the clicks: the best known movies.
    #[serde(rename = "static")]
    pub seen_of_static: Figure,
}

impl AfterClicks for Wall {
    fn clicks(&self) -> usize {
        self.clicks
    }
}

impl Wall {
    /// The figures with their names in JSON.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Figure)> {
        [("seen", self.seen), ("static", self.seen_of_static)].into_iter()
    }
}

impl Outcome {
    /// Adds another fold's users.
    pub fn merge(&mut self, other: Self) {
        for (ours, theirs) in self.by_clicks.iter_mut().zip(other.by_clicks) {
            ours.extend(theirs);
        }
    }

    /// The figures for each number of clicks; empty for a method without a wall.
    pub fn summarise(&self) -> Vec<Wall> {
        let row = |(clicks, tiles): (usize, &Vec<Tiles>)| {
            let figure = |value: fn(&Tiles) -> usize| {
                interval(&tiles.iter().map(|tiles| Share::once(value(tiles) as f64)).collect::<Vec<_>>())
            };
            let (seen, seen_of_static) = (figure(|tiles| tiles.seen), figure(|tiles| tiles.seen_of_static));
            Wall { clicks, users: tiles.len(), seen, seen_of_static }
        };
        WALL_CLICKS.into_iter().zip(&self.by_clicks).filter(|(_, tiles)| !tiles.is_empty()).map(row).collect()
    }
}

/// The walls for those of `users` whom P2 measures, each beside the list of suggestions. `catalog` has the counts of
/// the training users. Before the first click, the moment is that of the first.
///
/// # Errors
/// If the scorer fails, or a score isn't finite.
pub fn wall(scorer: &dyn Scorer, users: &[User], catalog: &Catalog) -> Result<Outcome> {
    let measured = users.par_iter().filter(|user| is_measured(user));
    let of_user = |user: &User| -> Result<Vec<Option<Tiles>>> {
        WALL_CLICKS.into_iter().map(|clicks| tiles(scorer, user, clicks, catalog)).collect()
    };
    let found: Vec<Vec<Option<Tiles>>> = measured.map(of_user).collect::<Result<_>>()?;
    let mut outcome = Outcome::default();
    for user in found {
        for (walls, tiles) in outcome.by_clicks.iter_mut().zip(user) {
            walls.extend(tiles);
        }
    }
    Ok(outcome)
}

fn tiles(scorer: &dyn Scorer, user: &User, clicks: usize, catalog: &Catalog) -> Result<Option<Tiles>> {
    let Some(draw) = draws(user).next() else { return Ok(None) };
    let (Some(visit), Some(first)) = (draw.after(clicks), draw.after(clicks.max(1))) else { return Ok(None) };
    let (history, moment) = (visit.history(), first.moment()?);
    let beside = list(scorer, &history, &moment)?;
    let Some(wall) = scorer.wall(&history, &moment, &beside, TILES)? else { return Ok(None) };
    let clicked = history.seen(catalog.len());
    let is_left = |movie: &&MovieIndex| !clicked.get(movie.as_usize()).copied().unwrap_or_default();
    let fixed: Vec<MovieIndex> = catalog.best_known().iter().filter(is_left).take(TILES).copied().collect();
    let unclicked: BTreeSet<MovieIndex> =
        user.events.iter().map(|event| event.movie).filter(|movie| is_left(&movie)).collect();
    let seen = |tiles: &[MovieIndex]| tiles.iter().filter(|movie| unclicked.contains(movie)).count();
    Ok(Some(Tiles { seen: seen(&wall), seen_of_static: seen(&fixed) }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::evaluate::draws::made_up::{catalog, user};
    use watchnext::features::LocalTime;
    use watchnext::history::History;

    /// Suggests the movies by their index. Its wall begins at movie 100, behind the list and what was clicked.
    struct Shelf;

    impl Scorer for Shelf {
        fn scores(&self, history: &History, _: &LocalTime) -> Result<Vec<(usize, f32)>> {
            let seen = history.seen(200);
            Ok((0..200).filter(|movie| !seen[*movie]).map(|movie| (movie, -(movie as f32))).collect())
        }

        fn wall(
            &self,
            history: &History,
            moment: &LocalTime,
            beside: &[MovieIndex],
            limit: usize,
        ) -> Result<Option<Vec<MovieIndex>>> {
            assert_eq!((beside.len(), limit, moment.year), (12, 30, 1970));
            let seen = history.seen(200);
            let tiles = (100..200).filter(|movie| !seen[*movie]).take(limit);
            Ok(Some(tiles.filter_map(MovieIndex::new).collect()))
        }
    }

    /// The user has rated the movies 0 to 9 and 95 to 109. Before the first click the best known hold ten of them, and
    /// the other wall ten. Each click takes a movie from either wall, or one of 95 to 99, which are on none.
    #[test]
    fn clicked_tiles_are_neither_shown_nor_counted() {
        let rated = user(1, (0..10).chain(95..110));
        let rows = wall(&Shelf, &[rated.clone(), user(2, 0..19)], &catalog(200)).unwrap().summarise();
        assert_eq!(
            rows.iter().map(|row| (row.clicks, row.users)).collect::<Vec<_>>(),
            [(0, 1), (1, 1), (3, 1), (10, 1)]
        );
        let draw = draws(&rated).next().unwrap();
        for row in &rows {
            let history = draw.after(row.clicks).unwrap().history();
            let clicked = |from: usize, to: usize| {
                history.watches().iter().filter(|watch| (from..to).contains(&watch.movie.as_usize())).count()
            };
            let expected = ((10 - clicked(100, 110)) as f64, (10 - clicked(0, 10)) as f64);
            assert_eq!((row.seen.mean, row.seen_of_static.mean), expected, "after {} clicks", row.clicks);
        }
    }

    struct NoWall;

    impl Scorer for NoWall {
        fn scores(&self, _: &History, _: &LocalTime) -> Result<Vec<(usize, f32)>> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_method_without_a_wall_has_no_figures() {
        assert!(wall(&NoWall, &[user(1, 0..20)], &catalog(200)).unwrap().summarise().is_empty());
    }
}
