//! Gather for indices that nobody has checked.

use tract_onnx::prelude::{TVec, TractResult, TypedFact};
use tract_onnx::tract_core::internal::{
    EvalContext, EvalOp, Op, StaticName, TValue, TractErrorContext, TypedOp, as_op, bail, ensure, op_as_typed_op,
    op_out_of_plan,
};
use tract_onnx::tract_core::ops::array::Gather;

/// tract's Gather after a check of the indices. tract itself would end the program at one that is out of range, such as
/// a movie that the model's table is too small for.
#[derive(Debug, Clone, Hash, PartialEq, Eq)]
pub struct CheckedGather {
    gather: Gather,
}

impl CheckedGather {
    /// A gather along `axis`.
    pub fn new(axis: usize) -> Self {
        Self { gather: Gather::new(axis) }
    }
}

impl Op for CheckedGather {
    fn name(&self) -> StaticName {
        "CheckedGather".into()
    }

    op_as_typed_op!();
}

impl EvalOp for CheckedGather {
    op_out_of_plan!();

    fn eval(&self, context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let [table, indices] = inputs.as_slice() else { bail!("it has {} inputs instead of 2", inputs.len()) };
        let rows = *table.shape().get(self.gather.axis).context("its table doesn't have the axis")?;
        let least = -i64::try_from(rows)?;
        for index in indices.to_plain_array_view::<i64>()? {
            ensure!((least..-least).contains(index), "it looks up row {index} in a table of {rows}");
        }
        self.gather.eval(context, inputs)
    }
}

impl TypedOp for CheckedGather {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        self.gather.output_facts(inputs)
    }

    as_op!();
}
