//! Reading what a node is given: its axes, its shapes and the constants that say how it works.

use std::sync::Arc;

use tract_onnx::prelude::{DatumType, Tensor, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{OutletId, TVec, TractErrorContext, ensure};

use super::budget;

/// An axis counted from the end where it is negative.
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
    ensure!(sorted.is_sorted_by(|one, next| one < next), "an axis stands twice in {axes:?}");
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
    ensure!(datum_type == DatumType::F32, "it takes float, not {datum_type:?}; cast its inputs");
    Ok(())
}

/// The numbers of a shape, of axes or of parts, which are never many.
pub(super) fn integers(tensor: &Tensor) -> TractResult<Vec<i64>> {
    let most = budget::MAX_WIRES;
    ensure!(tensor.len() <= most, "{} numbers say how it works, {most} are the most", tensor.len());
    Ok(tensor.cast_to::<i64>()?.to_plain_array_view::<i64>()?.iter().copied().collect())
}

/// The only number of a tensor, which tract would read even from an empty one.
pub(super) fn number(tensor: &Tensor) -> TractResult<f32> {
    ensure!(tensor.len() == 1, "{} numbers stand where one is asked for", tensor.len());
    tensor.cast_to_scalar()
}

pub(super) fn one(wires: TVec<OutletId>) -> TractResult<OutletId> {
    wires.first().copied().context("it makes nothing")
}
