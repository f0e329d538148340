//! Reading what a node is given: its axes, its shapes and the constants that say how it works.

use std::sync::Arc;

use tract_onnx::prelude::{Datum, DatumType, Tensor, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{OutletId, TVec, TractErrorContext, ensure};

use super::budget;
use super::tensor::type_name;

/// An axis, which counts from the end if it is negative.
pub(super) fn axis(at: i64, rank: usize) -> TractResult<usize> {
    let rank_signed = i64::try_from(rank)?;
    let at = if at < 0 { at + rank_signed } else { at };
    ensure!((0..rank_signed).contains(&at), "there is no axis {at} among {rank}");
    Ok(usize::try_from(at)?)
}

/// Several such axes, each once, in order.
pub(super) fn sorted_axes(axes: &[i64], rank: usize) -> TractResult<Vec<usize>> {
    ensure!(rank <= budget::MAX_AXES, "{rank} axes are too many, {} are the most", budget::MAX_AXES);
    let mut sorted: Vec<usize> = axes.iter().map(|at| axis(*at, rank)).collect::<TractResult<_>>()?;
    sorted.sort_unstable();
    ensure!(sorted.is_sorted_by(|axis, next| axis < next), "an axis is repeated in {axes:?}");
    Ok(sorted)
}

pub(super) fn rank(model: &TypedModel, outlet: OutletId) -> TractResult<usize> {
    Ok(model.outlet_fact(outlet)?.rank())
}

pub(super) fn shape(model: &TypedModel, outlet: OutletId) -> TractResult<Vec<usize>> {
    let shape = model.outlet_fact(outlet)?.shape.as_concrete();
    Ok(shape.context("its input has no fixed shape")?.to_vec())
}

/// A value that is known before the model runs.
pub(super) fn constant(model: &TypedModel, outlet: OutletId) -> TractResult<Arc<Tensor>> {
    model.outlet_fact(outlet)?.konst.clone().context("an input that says how, not what, must be a constant")
}

pub(super) fn ensure_float(model: &TypedModel, outlet: OutletId) -> TractResult<()> {
    let datum_type = model.outlet_fact(outlet)?.datum_type;
    ensure!(datum_type == DatumType::F32, "it takes float, not {}; cast its inputs", type_name(datum_type));
    Ok(())
}

/// The numbers of a shape, of axes or of parts, which are never many.
pub(super) fn integers(tensor: &Tensor) -> TractResult<Vec<i64>> {
    let most = budget::MAX_WIRES;
    ensure!(tensor.len() <= most, "{} numbers say how it works, {most} are the most", tensor.len());
    Ok(tensor.cast_to::<i64>()?.to_plain_array_view::<i64>()?.iter().copied().collect())
}

/// Refuses a tensor of no number or several. tract would read the first number even of an empty one.
pub(super) fn ensure_only_number(tensor: &Tensor) -> TractResult<()> {
    ensure!(tensor.len() == 1, "it takes one number, not {}", tensor.len());
    Ok(())
}

/// The only number of a tensor.
pub(super) fn only_number<T: Datum + Copy>(tensor: &Tensor) -> TractResult<T> {
    ensure_only_number(tensor)?;
    tensor.cast_to_scalar()
}

/// A length as a double, exact.
pub(super) fn double(len: usize) -> TractResult<f64> {
    Ok(u32::try_from(len)?.into())
}

pub(super) fn only_output(wires: TVec<OutletId>) -> TractResult<OutletId> {
    wires.first().copied().context("it makes nothing")
}
