//! Whole numbers of 8 bits as floats.

use tract_onnx::prelude::{DatumType, IntoTValue, TVec, Tensor, TractResult, TypedFact};
use tract_onnx::tract_core::internal::{
    EvalContext, EvalOp, Op, StaticName, TValue, TractErrorContext, TypedOp, as_op, bail, op_as_typed_op,
    op_out_of_plan, tvec,
};

/// The cast from int8 to float, which models whose tables are kept in 8 bits do with every row that they look up. tract's own is one
/// function for all pairs of types, so large that a browser which finds it busy takes a tenth of a second of a core to compile it
/// anew, just while the page comes up.
#[derive(Debug, Clone, Hash, PartialEq, Eq)]
pub struct WidenInt8;

impl Op for WidenInt8 {
    fn name(&self) -> StaticName {
        "WidenInt8".into()
    }

    op_as_typed_op!();
}

impl EvalOp for WidenInt8 {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let [codes] = inputs.as_slice() else { bail!("it has {} inputs instead of 1", inputs.len()) };
        let mut wide = Tensor::zero::<f32>(codes.shape())?;
        let codes = codes.try_as_plain_ram()?.as_slice::<i8>()?;
        for (value, code) in wide.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?.iter_mut().zip(codes) {
            *value = f32::from(*code);
        }
        Ok(tvec!(wide.into_tvalue()))
    }
}

impl TypedOp for WidenInt8 {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let codes = inputs.first().context("it has no input")?;
        Ok(tvec!(TypedFact::dt_shape(DatumType::F32, codes.shape.clone())))
    }

    as_op!();
}
