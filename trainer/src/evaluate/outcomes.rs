//! What one variant of a method achieves by P2, P4 and P5, and how its lists and its wall look.

use anyhow::Result;
use watchnext::catalog::Catalog;

use super::discovery::{self, discovery};
use super::evaluation::{DiscoveryRow, Evaluation, FewClicksRow, ListsRow, WallRow};
use super::few_clicks::{self, PopularityRanks, few_clicks};
use super::label::Label;
use super::lists::{self, lists};
use super::next_visit::{self, next_visit};
use super::protocol::Protocol;
use super::scorer::Scorer;
use super::wall::{self, wall};
use crate::data::User;

/// The outcomes of one variant, to be merged over folds. What wasn't asked for is `None`.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    few_clicks: Option<few_clicks::Outcome>,
    lists: Option<lists::Outcome>,
    /// Of the default variant.
    wall: Option<wall::Outcome>,
    discovery: Option<discovery::Outcome>,
    next_visit: Option<next_visit::Outcome>,
}

impl Outcomes {
    /// Measures a variant by those of `protocols` that are P2, with the lists and the wall, P4 or P5. `catalog` has the
    /// counts of the training users.
    ///
    /// # Errors
    /// If the scorer fails, or a score isn't finite.
    pub(super) fn new(
        label: &Label,
        scorer: &dyn Scorer,
        users: &[User],
        catalog: &Catalog,
        protocols: &[Protocol],
    ) -> Result<Self> {
        let mut found = Self::default();
        if protocols.contains(&Protocol::P2) {
            found.few_clicks = Some(few_clicks(scorer, users, &PopularityRanks::of_catalog(catalog))?);
            found.lists = Some(lists(scorer, users, catalog)?);
            if label.variant.is_default() {
                found.wall = Some(wall(scorer, users, catalog)?);
            }
        }
        if protocols.contains(&Protocol::P4) {
            found.discovery = Some(discovery(scorer, users, catalog)?);
        }
        if protocols.contains(&Protocol::P5) {
            found.next_visit = Some(next_visit(scorer, users)?);
        }
        Ok(found)
    }

    /// Adds another fold's users.
    pub(super) fn merge(&mut self, other: Self) {
        fn both<T>(ours: &mut Option<T>, theirs: Option<T>, merge: impl Fn(&mut T, T)) {
            match (ours, theirs) {
                (Some(ours), Some(theirs)) => merge(ours, theirs),
                (ours, theirs) => *ours = ours.take().or(theirs),
            }
        }
        both(&mut self.few_clicks, other.few_clicks, few_clicks::Outcome::merge);
        both(&mut self.lists, other.lists, lists::Outcome::merge);
        both(&mut self.wall, other.wall, wall::Outcome::merge);
        both(&mut self.discovery, other.discovery, discovery::Outcome::merge);
        both(&mut self.next_visit, other.next_visit, next_visit::Outcome::merge);
    }

    /// Adds the rows to an evaluation over a catalogue of `movies` movies.
    pub(super) fn keep(self, label: &Label, movies: usize, evaluation: &mut Evaluation) {
        let Self { few_clicks, lists, wall, discovery, next_visit } = self;
        if let Some(outcome) = few_clicks {
            evaluation.few_clicks.push(FewClicksRow { label: label.clone(), figures: outcome.summarise(movies) });
        }
        // A small catalogue may leave nobody whom P4 can measure, and most methods have no wall.
        let mut discovery = discovery.map(discovery::Outcome::summarise).unwrap_or_default();
        discovery.retain(|figures| figures.users > 0);
        if !discovery.is_empty() {
            evaluation.discovery.push(DiscoveryRow { label: label.clone(), figures: discovery });
        }
        if let Some(outcome) = next_visit {
            evaluation.keep_next_visit(label.clone(), outcome);
        }
        let mut lists = lists.map(|outcome| outcome.summarise(movies)).unwrap_or_default();
        lists.retain(|figures| figures.users > 0);
        if !lists.is_empty() {
            evaluation.lists.push(ListsRow { label: label.clone(), figures: lists });
        }
        let wall = wall.map(|outcome| outcome.summarise()).unwrap_or_default();
        if !wall.is_empty() {
            evaluation.wall.push(WallRow { label: label.clone(), figures: wall });
        }
    }
}
