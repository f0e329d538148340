//! When a visit takes place, as the sequence networks see it.
//!
//! What people watch next depends on what is new, so a history's moment says something that its movies don't. A year is
//! told by its distance from a few knots, between which the networks' vectors are interpolated (a linear spline).
//! Before the first and after the last knot it is the nearest knot's: a visitor of today is met as the latest users who
//! trained the tower.

/// The years of the knots are two apart, from this one.
pub const FIRST_YEAR: f32 = 1996.0;

/// Years from one knot to the next.
pub const YEARS_APART: f32 = 2.0;

/// How many knots there are; the last stands for 2018.
pub const KNOTS: usize = 12;

/// The share of each knot in `year`, of which at most two are above 0 and whose sum is 1; all 0 for `None`, the unknown.
pub fn shares(year: Option<f32>) -> [f32; KNOTS] {
    let Some(year) = year else { return [0.0; KNOTS] };
    let place = ((year - FIRST_YEAR) / YEARS_APART).clamp(0.0, (KNOTS - 1) as f32);
    std::array::from_fn(|knot| (1.0 - (place - knot as f32).abs()).max(0.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_year_lies_between_two_knots() {
        let shares_of = |year| shares(Some(year));
        assert_eq!(shares_of(1996.0)[0], 1.0);
        assert_eq!((shares_of(1999.5)[1], shares_of(1999.5)[2]), (0.25, 0.75));
        assert_eq!((shares_of(1990.0)[0], shares_of(2026.9)[KNOTS - 1]), (1.0, 1.0));
        assert_eq!(shares(None), [0.0; KNOTS]);
        for year in [1990.0, 1996.3, 2004.0, 2017.9, 2026.0] {
            assert!((shares_of(year).iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }
}
