//! Inverted dropout (Srivastava et al., *Dropout*, JMLR 2014) with masks that are drawn from a seeded generator, since
//! candle's own can't be seeded.
//!
//! The two ways draw different numbers, and every trained model depends on which numbers are drawn. The next retraining
//! can merge them: [`dropout_by_halves`] needs half as many draws.

use anyhow::Result;
use candle_core::Tensor;
use rand::Rng;

/// Drops numbers, deciding each by a draw of its own. `keep` is the chance that a number stays, and what stays is
/// multiplied by `scale`, which is `1 / keep` in the caller's precision.
pub(crate) fn dropout(values: &Tensor, keep: f64, scale: f32, rng: &mut impl Rng) -> Result<Tensor> {
    let threshold = (keep * f64::from(u32::MAX)) as u32;
    let mask = (0..values.elem_count()).map(|_| if rng.next_u32() <= threshold { scale } else { 0.0 });
    masked(values, mask.collect())
}

/// Drops a share of the numbers, to within a part of 65,536. Each draw decides two numbers. A share of 0 draws nothing.
pub(crate) fn dropout_by_halves(values: &Tensor, share: f64, rng: &mut impl Rng) -> Result<Tensor> {
    if share == 0.0 {
        return Ok(values.clone());
    }
    let threshold = (share * 65_536.0).round() as u32;
    let scale = (1.0 / (1.0 - f64::from(threshold) / 65_536.0)) as f32;
    let count = values.elem_count();
    let mut mask: Vec<f32> = Vec::with_capacity(count + 1);
    while mask.len() < count {
        let drawn = rng.next_u32();
        for half in [drawn & 0xffff, drawn >> 16] {
            mask.push(if half < threshold { 0.0 } else { scale });
        }
    }
    mask.truncate(count);
    masked(values, mask)
}

fn masked(values: &Tensor, mask: Vec<f32>) -> Result<Tensor> {
    Ok((values * Tensor::from_vec(mask, values.shape(), values.device())?)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::math::random::stream;
    use candle_core::{DType, Device};

    #[test]
    fn dropout_keeps_the_mean() {
        let ones = Tensor::ones(20_000, DType::F32, &Device::Cpu).unwrap();
        let by_halves = dropout_by_halves(&ones, 0.3, &mut stream(3, 0)).unwrap();
        let one_by_one = dropout(&ones, 0.7, 1.0 / 0.7, &mut stream(3, 0)).unwrap();
        for dropped in [by_halves, one_by_one] {
            let dropped = dropped.to_vec1::<f32>().unwrap();
            let zeros = dropped.iter().filter(|value| **value == 0.0).count();
            assert!((5_700..6_300).contains(&zeros), "{zeros}");
            assert!((dropped.iter().sum::<f32>() / 20_000.0 - 1.0).abs() < 0.03);
        }
    }
}
