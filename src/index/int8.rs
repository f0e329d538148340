//! The flat index over rows of 8 bits: a quarter of the memory, and so about a quarter of the time.
//!
//! A row is `scale · codes`. Its squared distance from a query is `‖x‖² + ‖q‖² − 2 · scale · (codes · q)`. The scan
//! computes only the last product, in whole numbers of 8 by 16 bits, or 8 by 14 with relaxed SIMD.
//!
//! Rounding the query to so many bits moves a distance by at most a known bound. So the rows that could be among the
//! nearest are known. Those few are compared by the distances that [`FlatIndex`](super::FlatIndex) computes, and the
//! answer is exact.

use ndarray::Array2;

use super::scan::{Layout, Nearest};
use super::{CODE_LANES, LANES, Neighbour, STREAMS, check_query, kernel, largest, relaxed, rows_of, scalar};
use crate::error::{Error, Result};

/// The largest magnitude of a code, −128's.
const LARGEST_CODE: f64 = 128.0;

/// What a scan needs besides the codes, for one row of each part of the table.
#[derive(Debug, Clone, Copy)]
struct Group {
    scale: [f32; STREAMS],
    /// The part of a row's squared distance that doesn't depend on the query, as a rule its squared length. Infinite
    /// for the spare lanes of the last group, so that they are never near.
    offset: [f32; STREAMS],
    /// The excess of a product by relaxed SIMD; see [`relaxed::lift_of`].
    lift: [i32; STREAMS],
}

/// A flat index whose rows are 8-bit numbers with a scale for each row.
///
/// Its answers are those of a [`FlatIndex`](super::FlatIndex) over the rows `scale · codes`, to the bit.
#[derive(Debug, Clone)]
pub struct Int8Index {
    dim: usize,
    stride: usize,
    layout: Layout,
    codes: Vec<i8>,
    scales: Vec<f32>,
    groups: Vec<Group>,
    /// The largest sum of a row's magnitudes. An error of 1 in each number of a query moves a product by at most this.
    largest_sum: f64,
    /// The largest magnitude of a row's squared length and of an offset.
    largest_offset: f64,
}

impl Int8Index {
    /// An index over the rows of `codes`, `[rows, dim]`, each times its scale.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for a scale or a row's length that isn't finite. [`Error::ShapeMismatch`] for rows without
    /// a column, and unless there are as many scales as rows.
    pub fn new(codes: &Array2<i8>, scales: Vec<f32>) -> Result<Self> {
        let norms = codes.rows().into_iter().zip(&scales).map(|(row, scale)| {
            f64::from(*scale).powi(2) * row.iter().map(|code| f64::from(*code).powi(2)).sum::<f64>()
        });
        let norms: Vec<f64> = norms.collect();
        let largest = norms.iter().copied().fold(0.0, f64::max);
        Self::with_offsets(codes, scales, &norms, largest)
    }

    /// As [`Int8Index::new`], with an offset in place of each row's squared length: a row's squared distance is its
    /// offset less twice its product with the query, up to a term of the query alone. No squared length and no offset
    /// may have a larger magnitude than `largest_offset`.
    pub(super) fn with_offsets(
        codes: &Array2<i8>,
        scales: Vec<f32>,
        offsets: &[f64],
        largest_offset: f64,
    ) -> Result<Self> {
        let (len, dim) = codes.dim();
        if dim == 0 || scales.len() != len {
            return Err(Error::ShapeMismatch {
                place: "the index's rows".to_owned(),
                expected: format!("[{}, 1 or more]", scales.len()),
                found: format!("[{len}, {dim}]"),
            });
        }
        let is_finite = scales.iter().all(|scale| scale.is_finite()) && offsets.iter().all(|offset| offset.is_finite());
        if !is_finite || !(largest_offset as f32).is_finite() {
            return Err(Error::NonFinite { place: "the index's rows".to_owned() });
        }
        let stride = dim.next_multiple_of(CODE_LANES);
        let layout = Layout::new(len);
        let mut padded = Vec::with_capacity(len * stride);
        let mut lifts = Vec::with_capacity(len);
        let mut largest_sum = 0.0_f64;
        for (row, scale) in rows_of(codes).zip(&scales) {
            let end = padded.len() + stride;
            padded.extend_from_slice(&row);
            padded.resize(end, 0);
            lifts.push(relaxed::lift_of(&row));
            let sum: u64 = row.iter().map(|code| u64::from(code.unsigned_abs())).sum();
            largest_sum = largest_sum.max(f64::from(scale.abs()) * sum as f64);
        }
        let groups = (0..layout.groups()).map(|group| {
            let rows: [usize; STREAMS] = std::array::from_fn(|lane| layout.row(group, lane));
            Group {
                scale: rows.map(|row| scales.get(row).copied().unwrap_or(0.0)),
                offset: rows.map(|row| offsets.get(row).map_or(f32::INFINITY, |offset| *offset as f32)),
                lift: rows.map(|row| lifts.get(row).copied().unwrap_or_default()),
            }
        });
        let groups = groups.collect();
        Ok(Self { dim, stride, layout, codes: padded, scales, groups, largest_sum, largest_offset })
    }

    /// An index over the rows of `table`, `[rows, dim]`, rounded to 8 bits: a row's largest number becomes 127 or −127.
    ///
    /// # Errors
    /// As [`Int8Index::new`].
    pub fn quantise(table: &Array2<f32>) -> Result<Self> {
        let largest: Vec<f32> =
            table.rows().into_iter().map(|row| row.iter().fold(0.0, |most, value| value.abs().max(most))).collect();
        let mut codes = Array2::zeros(table.dim());
        for ((mut codes, row), largest) in codes.rows_mut().into_iter().zip(table.rows()).zip(&largest) {
            let steps = if *largest > 0.0 { 127.0 / largest } else { 0.0 };
            for (code, value) in codes.iter_mut().zip(row) {
                if !value.is_finite() {
                    return Err(Error::NonFinite { place: "the index's rows".to_owned() });
                }
                *code = (value * steps).round() as i8;
            }
        }
        Self::new(&codes, largest.into_iter().map(|largest| largest / 127.0).collect())
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// The length of a row and of a query.
    pub const fn dim(&self) -> usize {
        self.dim
    }

    /// A row's numbers, `scale · codes`; none beyond the last row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = f32> {
        let scale = self.scales.get(row).copied().unwrap_or_default();
        self.codes_of(row).iter().map(move |code| f32::from(*code) * scale)
    }

    /// A row's codes; none beyond the last row.
    fn codes_of(&self, row: usize) -> &[i8] {
        let start = row.saturating_mul(self.stride);
        self.codes.get(start..start.saturating_add(self.dim)).unwrap_or_default()
    }

    /// The cosine of two rows, from −1 to 1; 0 for a row that doesn't exist or is zero. The scales cancel, so
    /// the sums are of whole numbers.
    pub(super) fn likeness(&self, one: usize, other: usize) -> f32 {
        let sign =
            |row: usize| self.scales.get(row).map_or(0.0, |scale| if *scale == 0.0 { 0.0 } else { scale.signum() });
        let product = |left: &[i8], right: &[i8]| -> f32 {
            left.iter().zip(right).map(|(left, right)| i32::from(*left) * i32::from(*right)).sum::<i32>() as f32
        };
        let (left, right) = (self.codes_of(one), self.codes_of(other));
        let lengths = (product(left, left) * product(right, right)).sqrt();
        if lengths > 0.0 { (sign(one) * sign(other) * product(left, right) / lengths).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// All codes with their padding, for a bench that reads the same memory as a scan.
    #[doc(hidden)]
    pub fn table(&self) -> &[i8] {
        &self.codes
    }

    /// The `k` rows nearest to `query` among those for which `keep` is true, nearest first, ties by row.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a query of another length, [`Error::NonFinite`] for a query that isn't finite or
    /// whose distances might not be.
    pub fn search(&self, query: &[f32], k: usize, keep: impl Fn(usize) -> bool) -> Result<Vec<Neighbour>> {
        check_query(query, self.dim)?;
        let stride = self.dim.next_multiple_of(LANES);
        let mut padded = Vec::with_capacity(stride);
        padded.extend_from_slice(query);
        padded.resize(stride, 0.0);
        let mut values = vec![0.0; stride];
        self.search_by(query, 0.0, k, keep, |row| {
            for (value, number) in values.iter_mut().zip(self.row(row)) {
                *value = number;
            }
            scalar::squared_l2(&padded, &values)
        })
    }

    /// The `k` rows that are nearest by `distance`. It may differ from the sum of offset, product, the query's squared
    /// length and `more_norm` only by rounding in single precision.
    pub(super) fn search_by(
        &self,
        query: &[f32],
        more_norm: f64,
        k: usize,
        keep: impl Fn(usize) -> bool,
        mut distance: impl FnMut(usize) -> f32,
    ) -> Result<Vec<Neighbour>> {
        let rounded = RoundedQuery::new(query, self.stride, more_norm, relaxed::kernel());
        let mut candidates = self.scan(&rounded, k, self.slack(&rounded), keep)?.candidates();
        let mut nearest = Nearest::new(k, candidates.len(), 0.0);
        // In the table's order, so that memory is read forwards.
        candidates.sort_unstable_by_key(|candidate| candidate.row);
        for Neighbour { row, .. } in candidates {
            let distance = distance(row);
            if !distance.is_finite() {
                return Err(Error::NonFinite { place: "a distance of the scan".to_owned() });
            }
            nearest.offer(Neighbour { row, distance });
        }
        Ok(nearest.sorted())
    }

    /// As [`Int8Index::search`], but only by the scan's rounded distances, to measure what comparing the candidates
    /// adds in time and in recall.
    ///
    /// # Errors
    /// As [`Int8Index::search`].
    #[doc(hidden)]
    pub fn search_rounded(&self, query: &[f32], k: usize, keep: impl Fn(usize) -> bool) -> Result<Vec<Neighbour>> {
        check_query(query, self.dim)?;
        let rounded = RoundedQuery::new(query, self.stride, 0.0, relaxed::kernel());
        Ok(self.scan(&rounded, k, 0.0, keep)?.sorted())
    }

    /// How much the rounded distance of a row in the answer may exceed the `k`-th smallest one: twice the error of one.
    fn slack(&self, query: &RoundedQuery) -> f32 {
        // A number of the query is off by half a step at most, and a product counts twice in a distance.
        let rounding = query.step * self.largest_sum;
        // In single precision the rounded distance takes half a dozen operations. The one that it is compared with
        // takes one addition for every eight columns and a few more. Each is off by half an epsilon of twice this
        // magnitude.
        let operations = self.dim.div_ceil(2 * LANES) + 16;
        let arithmetic = 2.0 * (self.largest_offset + query.norm) * operations as f64 * f64::from(f32::EPSILON);
        (2.0 * (rounding + arithmetic)) as f32
    }

    fn scan(&self, query: &RoundedQuery, k: usize, slack: f32, keep: impl Fn(usize) -> bool) -> Result<Nearest> {
        if !((4.0 * (self.largest_offset + query.norm)) as f32).is_finite() {
            return Err(Error::NonFinite { place: "a distance of the scan".to_owned() });
        }
        let (factor, constant) = ((-2.0 * query.step) as f32, query.norm as f32);
        let mut nearest = Nearest::new(k, self.len(), slack);
        let kernel = |parts: [&[i8]; STREAMS], found: &mut [[i32; STREAMS]]| match &query.codes {
            Codes::Whole(codes) => kernel::dot_of_four(codes, parts, found),
            Codes::Halves(halves, kernel) => kernel(halves, parts, found),
        };
        // All bits or none, so that one loop serves both without a branch.
        let lifted = if matches!(query.codes, Codes::Halves(..)) { -1 } else { 0 };
        self.layout.scan(self.stride, &self.codes, kernel, |first, products| {
            let groups = self.groups.get(first..).unwrap_or_default();
            // Copies stay in registers; borrowed values would be read again for each group.
            let (factor, constant, lifted, mut limit) = (factor, constant, lifted, nearest.limit());
            for (group, (products, of_rows)) in products.iter().zip(groups).enumerate() {
                let mut distances = of_rows.offset;
                let of_rows = of_rows.scale.into_iter().zip(of_rows.lift);
                for (distance, (product, (scale, lift))) in distances.iter_mut().zip(products.iter().zip(of_rows)) {
                    *distance += constant + product.wrapping_sub(lift & lifted) as f32 * (scale * factor);
                }
                // Nearly every group ends here. Comparing all lanes first avoids branches.
                if !distances.iter().fold(false, |any, distance| any | (*distance <= limit)) {
                    continue;
                }
                for (lane, distance) in distances.into_iter().enumerate() {
                    let row = self.layout.row(first + group, lane);
                    if distance <= nearest.limit() && row < self.len() && keep(row) {
                        nearest.offer(Neighbour { row, distance });
                    }
                }
                limit = nearest.limit();
            }
        });
        Ok(nearest)
    }
}

/// A query in whole numbers times a step.
struct RoundedQuery {
    codes: Codes,
    step: f64,
    /// The squared length of the query with its additional numbers.
    norm: f64,
}

/// A query's whole numbers, `[stride]`.
enum Codes {
    /// Of 16 bits, for the kernel of every build.
    Whole(Vec<i16>),
    /// Of 14 bits in two halves, and the kernel for them.
    Halves(Vec<i8>, relaxed::Kernel),
}

impl RoundedQuery {
    /// Rounds to steps for which a kernel's bits suffice for each number, and 32 bits for the product with any row. The
    /// length of a query that isn't finite isn't finite either, which the scan refuses.
    fn new(query: &[f32], stride: usize, more_norm: f64, kernel: Option<relaxed::Kernel>) -> Self {
        let most = if kernel.is_some() { relaxed::LARGEST } else { i16::MAX };
        let sum: f64 = query.iter().map(|value| f64::from(*value).abs()).sum();
        // Each number may be rounded up by half a step, so the number of columns is subtracted.
        let room = f64::from(i32::MAX) / LARGEST_CODE - query.len() as f64;
        let step = (f64::from(largest(query)) / f64::from(most)).max(sum / room);
        let mut codes: Vec<i16> = Vec::with_capacity(stride);
        let steps = if step > 0.0 { 1.0 / step } else { 0.0 };
        codes.extend(query.iter().map(|value| (f64::from(*value) * steps).round() as i16));
        codes.resize(stride, 0);
        let codes = match kernel {
            Some(kernel) => Codes::Halves(relaxed::halves(&codes), kernel),
            None => Codes::Whole(codes),
        };
        let norm = more_norm + query.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
        Self { codes, step, norm }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used)]
    use super::super::FlatIndex;
    use super::*;
    use crate::random::Random;

    /// How many columns lie just at the middle of two steps, and how many just below.
    const PAIRS: usize = 60;

    /// The kernel of every build, and the reference for relaxed SIMD.
    const KERNELS: [Option<relaxed::Kernel>; 2] = [None, Some(relaxed::dot_of_four)];

    /// The worst case of rounding: every number of the query is off by half a step, in the direction that favours the
    /// farther of two rows. The row that is nearer looks farther by almost the whole slack.
    #[test]
    fn a_row_that_rounding_sends_back_as_far_as_it_can_is_found() {
        for kernel in KERNELS {
            relaxed::set_kernel(kernel);
            sends_back(if kernel.is_some() { relaxed::LARGEST } else { i16::MAX });
        }
    }

    fn sends_back(most: i16) {
        let step = 2.0_f32;
        let below = f32::from_bits(10.5_f32.to_bits() - 1);
        // The largest number makes the step, and the last tells the rows apart.
        let mut query = vec![step * f32::from(most)];
        query.extend([10.5, below].repeat(PAIRS).iter().map(|steps| step * steps));
        query.push(step * 10.0);
        let mut codes = Array2::zeros((2, query.len()));
        for (column, code) in (1..=2 * PAIRS).zip([-127_i8, 127].into_iter().cycle()) {
            (codes[[0, column]], codes[[1, column]]) = (code, -code);
        }
        (codes[[0, query.len() - 1]], codes[[1, query.len() - 1]]) = (3, -3);
        let index = Int8Index::new(&codes, vec![40.0; 2]).unwrap();

        let rounded = RoundedQuery::new(&query, index.stride, 0.0, relaxed::kernel());
        let slack = index.slack(&rounded);
        let looks = index.search_rounded(&query, 2, |_| true).unwrap();
        let back = looks[1].distance - looks[0].distance;
        assert_eq!(looks[0].row, 1, "the farther one looks nearer");
        assert!(back > 0.9 * slack && back <= slack, "{back} of {slack}");
        assert_eq!(index.search(&query, 1, |_| true).unwrap()[0].row, 0);
    }

    /// The rows are tiny compared with the query, so their distances differ only by rounding in single precision, which
    /// the answer must repeat.
    #[test]
    fn where_single_precision_decides_it_decides_the_same() {
        let (rows, dim) = (4000, 128);
        let mut random = Random::new(7);
        let codes = Array2::from_shape_fn((rows, dim), |_| random.byte());
        let index = Int8Index::new(&codes, vec![1e-7; rows]).unwrap();
        let floats = FlatIndex::from_rows(dim, rows, (0..rows).map(|row| index.row(row))).unwrap();
        for k in [1, 10, 100] {
            let query: Vec<f32> = (0..dim).map(|_| 4096.0 * random.signed()).collect();
            for kernel in KERNELS {
                relaxed::set_kernel(kernel);
                assert_eq!(index.search(&query, k, |_| true).unwrap(), floats.search(&query, k, |_| true).unwrap());
            }
        }
    }

    /// Rows and queries at the ends of their ranges, whose lifted products exceed 32 bits, and rows whose lengths
    /// aren't multiples of a register's.
    #[test]
    fn a_lifted_query_finds_the_same() {
        let mut random = Random::new(3);
        for (rows, dim) in [(1, 1), (3, 16), (7, 17), (300, 128), (5, 4000)] {
            for extreme in [false, true] {
                let codes = Array2::from_shape_fn((rows, dim), |(row, _)| {
                    if extreme { [i8::MIN, i8::MAX][row % 2] } else { random.byte() }
                });
                let index = Int8Index::new(&codes, (0..rows).map(|row| 0.01 + 1e-4 * row as f32).collect()).unwrap();
                let query: Vec<f32> = (0..dim).map(|_| if extreme { -1.0 } else { random.signed() }).collect();
                let [whole, lifted] = KERNELS.map(|kernel| {
                    relaxed::set_kernel(kernel);
                    index.search(&query, 10, |_| true).unwrap()
                });
                assert_eq!(whole, lifted);
                // A wrong product would show in the rounded distances.
                let rounded = index.search_rounded(&query, 10, |_| true).unwrap();
                let error = index.slack(&RoundedQuery::new(&query, index.stride, 0.0, relaxed::kernel()));
                for near in rounded {
                    let truth = scalar::squared_l2(
                        &query.iter().copied().chain([0.0; 3]).take(dim.next_multiple_of(LANES)).collect::<Vec<_>>(),
                        &index.row(near.row).chain([0.0; 3]).take(dim.next_multiple_of(LANES)).collect::<Vec<_>>(),
                    );
                    assert!((near.distance - truth).abs() <= error, "{} for {truth}", near.distance);
                }
            }
        }
    }

    /// A slack wider than necessary costs comparisons, up to comparing every row.
    #[test]
    fn the_slack_is_no_wider_than_it_must_be() {
        let dim = 128;
        let of = |scale: f32, size: f32| {
            let index = Int8Index::new(&Array2::from_elem((1, dim), 100), vec![scale]).unwrap();
            let query = RoundedQuery::new(&vec![size; dim], index.stride, 0.0, None);
            (f64::from(index.slack(&query)), query.step * index.largest_sum, query.norm + index.largest_offset)
        };
        // Besides rounding the query: 32 operations, each off by half an epsilon of twice the magnitude, for two
        // distances.
        for (slack, rounding, magnitude) in [of(1e-9, 3.0), of(1.0, 1e-4), of(1.0, 100.0)] {
            let epsilons = (slack - 2.0 * rounding) / (magnitude * f64::from(f32::EPSILON));
            assert!((127.0..129.0).contains(&epsilons), "{epsilons}");
        }
    }

    /// The largest distance is the square of the sum of two lengths, four times the mean of their squares.
    #[test]
    fn distances_that_may_not_be_finite_are_refused() {
        let search = |scale: f32, size: f32| {
            let index = Int8Index::new(&Array2::from_elem((1, 1), 100), vec![scale]).unwrap();
            index.search(&[size], 1, |_| true)
        };
        let most = (f32::MAX / 4.0).sqrt();
        assert!(search(1e-9, 0.99 * most).is_ok() && search(0.0099 * most, 1e-9).is_ok());
        for (scale, size) in [(1e-9, 1.01 * most), (0.0101 * most, 1e-9), (0.008 * most, 0.8 * most)] {
            assert!(matches!(search(scale, size), Err(Error::NonFinite { .. })), "{scale} {size}");
        }
    }
}
