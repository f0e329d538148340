//! The cast from one type of number to another.

use tract_onnx::prelude::{DatumType, IntoTValue, TVec, Tensor, TractResult, TypedFact, TypedModel};
use tract_onnx::tract_core::internal::{
    EvalContext, EvalOp, Op, StaticName, TValue, TractErrorContext, TypedOp, as_op, bail, op_as_typed_op,
    op_out_of_plan, tvec,
};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::cast;

use super::super::node::{Node, Wires};
use super::super::tensor;

pub fn cast(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let to = i32::try_from(node.integer("to").context("it doesn't say to what")?)?;
    let (from, to) = (node.input(0)?, tensor::datum_type(to)?);
    if (model.outlet_fact(from)?.datum_type, to) == (DatumType::I8, DatumType::F32) {
        return model.wire_node(node.name, WidenInt8, &[from]);
    }
    model.wire_node(node.name, cast::cast(to), &[from])
}

/// The cast from int8 to float. Models that keep their tables in 8 bits apply it to each row that they look up.
///
/// tract's own cast is one function for all pairs of types. A browser that finds it busy compiles it again while the
/// page comes up, and so large a function takes a tenth of a second.
#[derive(Debug, Clone, Hash, PartialEq, Eq)]
struct WidenInt8;

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
