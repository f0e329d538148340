//! What a model may cost, counted before any of it is computed.
//!
//! A file of a hundred bytes can ask for more memory than a browser has, or for hours of products. The limits are many times what
//! a tower or a ranker needs, and what a visitor's click could wait for.

use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::{TractResult, TypedModel, TypedNode};
use tract_onnx::tract_core::internal::{AxisOp, TractErrorContext, bail, ensure};
use tract_onnx::tract_core::ops::array::Slice;
use tract_onnx::tract_core::ops::einsum::EinSum;

use super::gather::CheckedGather;

/// The most axes that a tensor has.
pub const MAX_AXES: usize = 8;

/// The most nodes and weights of a graph, since the time to wire and optimise one grows faster than their number.
const MAX_NODES: usize = 2_048;

/// The most inputs and outputs of a node, and numbers that say how it works.
pub const MAX_WIRES: usize = 128;

/// The most numbers that a tensor of the file has, as many as a bundle's tables.
const MAX_WEIGHTS: usize = 1 << 28;

/// The most numbers that all nodes make together.
const MAX_NUMBERS: usize = 1 << 24;

/// The most numbers that all nodes read, and products that they take, together.
const MAX_WORK: usize = 1 << 28;

/// What is left of a model's limits.
#[derive(Debug)]
pub struct Budget {
    numbers: usize,
    work: usize,
}

impl Budget {
    /// The budget of a graph.
    ///
    /// # Errors
    /// Too many nodes or weights, or too many inputs and outputs of one node.
    pub fn new(graph: &GraphProto) -> TractResult<Self> {
        let parts = graph.node.len() + graph.initializer.len();
        ensure!(parts <= MAX_NODES, "it has {parts} nodes and weights, {MAX_NODES} are the most");
        let wires = graph.node.iter().map(|node| node.input.len() + node.output.len()).max().unwrap_or(0);
        ensure!(wires <= MAX_WIRES, "a node has {wires} inputs and outputs, {MAX_WIRES} are the most");
        Ok(Self { numbers: MAX_NUMBERS, work: MAX_WORK })
    }

    /// Takes what a node of the model costs, be it that tract has computed it already.
    ///
    /// # Errors
    /// Tensors without numbers, of too many axes or without a fixed shape, and more numbers or work than are left.
    pub fn spend(&mut self, model: &TypedModel, node: &TypedNode) -> TractResult<()> {
        for output in &node.outputs {
            let shape = output.fact.shape.as_concrete().context("it makes something without a fixed shape")?;
            let numbers = volume(shape, MAX_NUMBERS)?;
            ensure!(numbers > 0, "it makes nothing, a tensor of shape {shape:?}");
            let left = self.numbers.checked_sub(numbers);
            self.numbers = left.with_context(|| format!("the model makes more than {MAX_NUMBERS} numbers"))?;
        }
        let left = self.work.checked_sub(work(model, node)?);
        self.work = left.with_context(|| format!("the model takes more than {MAX_WORK} steps"))?;
        Ok(())
    }
}

/// How many numbers a node reads, or products it takes where they are more.
fn work(model: &TypedModel, node: &TypedNode) -> TractResult<usize> {
    let made = |shape: &[usize]| shape.iter().fold(1_usize, |size, dim| size.saturating_mul(*dim));
    let shape = |slot: usize| -> TractResult<&[usize]> {
        let input = node.inputs.get(slot).context("it lacks an input")?;
        model.outlet_fact(*input)?.shape.as_concrete().context("it reads something without a fixed shape")
    };
    let output = node.outputs.first().and_then(|output| output.fact.shape.as_concrete()).map_or(0, made);
    if let Some(product) = node.op_as::<EinSum>() {
        let axis = product.axes.axis('k')?.inputs.first().and_then(|axes| axes.first()).copied();
        let inner = axis.and_then(|axis| shape(0).ok()?.get(axis).copied()).unwrap_or(1);
        return Ok(output.saturating_mul(inner));
    }
    // These take what they want of what may be a large table.
    if node.op_is::<CheckedGather>() || node.op_is::<Slice>() || node.op_is::<AxisOp>() {
        return Ok(output);
    }
    (0..node.inputs.len()).try_fold(output, |sum, slot| Ok(sum.saturating_add(made(shape(slot)?))))
}

/// The number of numbers of a shape, of which no more than `most` are allowed even where a dimension of 0 leaves none.
///
/// # Errors
/// More than `most`, and too many axes.
fn volume(shape: &[usize], most: usize) -> TractResult<usize> {
    ensure!(shape.len() <= MAX_AXES, "{} axes are too many, {MAX_AXES} are the most", shape.len());
    let spread = shape.iter().try_fold(1_usize, |size, dim| size.checked_mul((*dim).max(1)));
    if spread.is_none_or(|spread| spread > most) {
        bail!("its shape is too large: {shape:?}");
    }
    Ok(shape.iter().product())
}

/// The number of numbers of a tensor of the file.
///
/// # Errors
/// A shape that no model has.
pub fn of_weights(shape: &[usize]) -> TractResult<usize> {
    volume(shape, MAX_WEIGHTS)
}

/// A shape that stands in the model as numbers, to be made by a node.
///
/// # Errors
/// Negative dimensions, and a shape that is too large.
pub fn to_shape(dims: &[i64]) -> TractResult<Vec<usize>> {
    let shape: Option<Vec<usize>> = dims.iter().map(|dim| usize::try_from(*dim).ok()).collect();
    let shape = shape.with_context(|| format!("{dims:?} isn't a shape"))?;
    volume(&shape, MAX_NUMBERS)?;
    Ok(shape)
}
