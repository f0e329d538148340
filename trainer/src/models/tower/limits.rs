//! The largest data for a tower. Its networks and matrices grow faster than the data, so the trainer refuses early
//! instead of filling the memory for an hour.

use anyhow::{Result, ensure};
use watchnext::catalog::Catalog;

use crate::data::User;

/// Users × items. A step of a click network scores every item for every user. A billion scores take about an hour a
/// training on two cores, and a bundle takes two trainings.
const MOST_SCORES: u64 = 1_000_000_000;

/// Pairs of items in users' lists: the sum of the squares of the lists' lengths. An item-item matrix counts them all,
/// about 10⁷ a second and core.
const MOST_PAIRS: u64 = 4_000_000_000;

/// Entries of an item-item matrix. With 8 bytes each, these are 2 GB.
const MOST_ENTRIES: u64 = 250_000_000;

/// Refuses data that are too large for the tower.
///
/// # Errors
/// The limit that is exceeded, and the model to train instead.
pub fn ensure_fits(catalog: &Catalog, users: &[User]) -> Result<()> {
    let lengths = users.iter().map(|user| user.events.len() as u64);
    fits(catalog.len() as u64, users.len() as u64, lengths.map(|length| length * length).sum())
}

fn fits(items: u64, users: u64, pairs: u64) -> Result<()> {
    let limits = [
        (users * items, MOST_SCORES, "scores a training step (users × items)"),
        (pairs, MOST_PAIRS, "pairs of items in users' lists"),
        (pairs.min(items * items), MOST_ENTRIES, "entries of an item-item matrix"),
    ];
    for (found, most, what) in limits {
        ensure!(
            found <= most,
            "{users} users and {items} items are too much for the tower: {found} {what}, and at most {most} are \
             feasible. Use --model als, whose time grows with the ratings alone, or train on some of the users."
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The shipped data, MovieLens 1M, and ten million ratings of 20,000 items by 100,000 users.
    #[test]
    fn what_fits_and_what_does_not() {
        assert!(fits(9_724, 1_278, 130_000_000).is_ok());
        assert!(fits(3_706, 6_040, 400_000_000).is_ok());
        assert!(fits(20_000, 100_000, 1_500_000_000).unwrap_err().to_string().contains("--model als"));
        assert!(fits(20_000, 10_000, 5_000_000_000).unwrap_err().to_string().contains("pairs"));
        assert!(fits(20_000, 10_000, 1_000_000_000).unwrap_err().to_string().contains("entries"));
    }
}
