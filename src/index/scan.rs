//! The parts shared by both indexes: going through a table, and keeping the nearest rows.

use std::cmp::Ordering;

use super::{Neighbour, STREAMS};

/// How many groups of rows are computed before any is looked at, few enough to stay in the first cache.
const BLOCK: usize = 256;

/// How many rows may gather beyond twice the wanted ones before the farther ones are dropped.
const SPARE: usize = 64;

/// How a table of `len` rows is read: in four parts of equal length in parallel, a group being one row of each. At most
/// three rows are left over, the last group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    len: usize,
    part: usize,
}

impl Layout {
    pub(super) const fn new(len: usize) -> Self {
        Self { len, part: len / STREAMS }
    }

    /// How many groups there are.
    pub(super) const fn groups(self) -> usize {
        self.len.div_ceil(STREAMS)
    }

    /// The row of a group's lane; a row beyond the table for the last group's spare lanes.
    pub(super) const fn row(self, group: usize, lane: usize) -> usize {
        if group < self.part { lane * self.part + group } else { STREAMS * self.part + lane }
    }

    /// Runs `kernel` over the rows, `[len, stride]`. Calls `visit` with the number of a block's first group and the
    /// results of its groups. Ignore the results in the last group's spare lanes.
    pub(super) fn scan<T, U: Copy + Default>(
        self,
        stride: usize,
        rows: &[T],
        kernel: impl Fn([&[T]; STREAMS], &mut [[U; STREAMS]]),
        mut visit: impl FnMut(usize, &[[U; STREAMS]]),
    ) {
        let mut found = [[U::default(); STREAMS]; BLOCK];
        let (body, rest) = rows.split_at((STREAMS * self.part * stride).min(rows.len()));
        if self.part > 0 {
            let mut parts = body.chunks_exact(self.part * stride).map(|part| part.chunks(BLOCK * stride));
            if let (Some(first), Some(second), Some(third), Some(fourth)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            {
                for (block, ((first, second), (third, fourth))) in first.zip(second).zip(third.zip(fourth)).enumerate()
                {
                    if let Some(found) = found.get_mut(..first.len() / stride) {
                        kernel([first, second, third, fourth], found);
                        visit(block * BLOCK, found);
                    }
                }
            }
        }
        // The spare lanes read the first of the rows left over again.
        let mut left_over = rest.chunks_exact(stride);
        if let Some(first) = left_over.next()
            && let Some(found) = found.get_mut(..1)
        {
            let parts = [first, left_over.next().unwrap_or(first), left_over.next().unwrap_or(first), first];
            kernel(parts, found);
            visit(self.part, found);
        }
    }
}

/// The `k` nearest of many rows, in time that is linear in their number and hardly depends on `k`. Rows farther than
/// the limit are skipped. Each time twice the wanted rows have gathered, the farther half is dropped and the limit
/// falls.
///
/// With a `slack`, rows up to that much farther than the `k`-th nearest are kept too.
pub(super) struct Nearest {
    k: usize,
    slack: f32,
    limit: f32,
    room: usize,
    rows: Vec<Neighbour>,
}

impl Nearest {
    /// A choice among `len` rows.
    pub(super) fn new(k: usize, len: usize, slack: f32) -> Self {
        let room = k.saturating_mul(2).saturating_add(SPARE).min(len);
        let limit = if k == 0 { f32::NEG_INFINITY } else { f32::INFINITY };
        Self { k, slack, limit, room, rows: Vec::with_capacity(if k == 0 { 0 } else { room }) }
    }

    /// Rows farther than this needn't be offered.
    pub(super) const fn limit(&self) -> f32 {
        self.limit
    }

    /// Takes a row into account.
    pub(super) fn offer(&mut self, neighbour: Neighbour) {
        if neighbour.distance > self.limit {
            return;
        }
        if self.rows.len() >= self.room {
            self.prune();
            // Rows within the slack of each other can't be told apart yet, so all of them must be kept.
            self.room = self.room.max(self.rows.len().saturating_mul(2));
        }
        self.rows.push(neighbour);
    }

    /// Drops the rows that can't be in the answer.
    fn prune(&mut self) {
        if self.k == 0 || self.k >= self.rows.len() {
            return;
        }
        let (_, farthest, _) = self.rows.select_nth_unstable_by(self.k - 1, Neighbour::order);
        self.limit = farthest.distance + self.slack;
        if self.slack > 0.0 {
            let limit = self.limit;
            self.rows.retain(|neighbour| neighbour.distance <= limit);
        } else {
            self.rows.truncate(self.k);
        }
    }

    /// The rows within the slack of the `k`-th nearest, in no order.
    pub(super) fn candidates(mut self) -> Vec<Neighbour> {
        self.prune();
        self.rows
    }

    /// The nearest rows, nearest first.
    pub(super) fn sorted(self) -> Vec<Neighbour> {
        let k = self.k;
        let mut rows = self.candidates();
        rows.sort_unstable_by(Neighbour::order);
        rows.truncate(k);
        rows
    }
}

impl Neighbour {
    /// Nearest first; equal distances in the order of rows, so that the order is total.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.row.cmp(&other.row))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Few different distances make many ties. With a slack, all rows within it must be kept too.
        #[test]
        fn keeps_what_a_sort_keeps(
            distances in prop::collection::vec(0_u8..40, 0..600), k in 0_usize..80, slack in 0_u8..3,
        ) {
            let all: Vec<Neighbour> = distances.iter().enumerate()
                .map(|(row, distance)| Neighbour { row, distance: f32::from(*distance) }).collect();
            let mut sorted = all.clone();
            sorted.sort_by(Neighbour::order);
            let gather = |slack| {
                let mut nearest = Nearest::new(k, all.len(), slack);
                all.iter().for_each(|neighbour| nearest.offer(*neighbour));
                nearest
            };
            prop_assert_eq!(gather(0.0).sorted(), sorted.iter().copied().take(k).collect::<Vec<_>>());
            let mut candidates = gather(f32::from(slack) + 0.5).candidates();
            candidates.sort_by(Neighbour::order);
            let limit = k.checked_sub(1).and_then(|last| sorted.get(last)).map_or(f32::INFINITY, |last| last.distance);
            let within = |near: &&Neighbour| k > 0 && near.distance <= limit + f32::from(slack) + 0.5;
            prop_assert_eq!(candidates, sorted.iter().filter(within).copied().collect::<Vec<_>>());
        }

        /// Every row is visited once, whatever number is left over.
        #[test]
        fn a_scan_visits_every_row_once(len in 0_usize..700, stride in 1_usize..3) {
            let rows: Vec<usize> = (0..len * stride).map(|place| place / stride).collect();
            let layout = Layout::new(len);
            let mut visited = Vec::new();
            let kernel = |parts: [&[usize]; STREAMS], found: &mut [[usize; STREAMS]]| {
                for (group, found) in found.iter_mut().enumerate() {
                    *found = parts.map(|part| part[group * stride]);
                }
            };
            layout.scan(stride, &rows, kernel, |first, block| {
                for (group, values) in block.iter().enumerate() {
                    let lanes = values.iter().enumerate();
                    for (lane, value) in lanes.filter(|(lane, _)| layout.row(first + group, *lane) < len) {
                        assert_eq!(*value, layout.row(first + group, lane));
                        visited.push(*value);
                    }
                }
            });
            visited.sort_unstable();
            prop_assert_eq!(visited, (0..len).collect::<Vec<_>>());
        }
    }
}
