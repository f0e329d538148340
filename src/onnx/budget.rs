//! Limits on a model's memory and time, counted before anything is computed.
//!
//! A file of a hundred bytes can ask for more memory than a browser has, or for hours of products. The limits are many
//! times what a tower or a ranker needs, and beyond what a visitor would wait for after a click.

use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::{TractResult, TypedModel, TypedNode};
use tract_onnx::tract_core::internal::{AxisOp, TractErrorContext, bail, ensure};
use tract_onnx::tract_core::ops::array::Slice;
use tract_onnx::tract_core::ops::einsum::EinSum;

use super::gather::CheckedGather;

/// The most axes that a tensor has.
pub const MAX_AXES: usize = 8;

/// The most nodes and weights of a graph. The time to wire and optimise it grows faster than their number.
const MAX_NODES: usize = 2_048;

/// The most inputs and outputs of a node, and the most numbers of an input that says how it works.
pub const MAX_WIRES: usize = 128;

/// The most numbers of a tensor in the file, as many as a bundle's tables may have.
const MAX_WEIGHTS: usize = 1 << 28;

/// The most numbers that all nodes together make.
const MAX_NUMBERS: usize = 1 << 24;

/// The most numbers that all nodes together read or multiply.
const MAX_WORK: usize = 1 << 28;

/// The rest of a model's limits.
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

    /// Charges a node's cost, even if tract has already folded it into a constant.
    ///
    /// # Errors
    /// Tensors that are empty, have too many axes or no fixed shape, and more numbers or work than are left.
    pub fn spend(&mut self, model: &TypedModel, node: &TypedNode) -> TractResult<()> {
        for output in &node.outputs {
            let shape = output.fact.shape.as_concrete().context("it makes something without a fixed shape")?;
            let numbers = volume(shape, MAX_NUMBERS)?;
            ensure!(numbers > 0, "it makes an empty tensor, of shape {shape:?}");
            let left = self.numbers.checked_sub(numbers);
            self.numbers = left.with_context(|| format!("the model makes more than {MAX_NUMBERS} numbers"))?;
        }
        let left = self.work.checked_sub(work(model, node)?);
        self.work = left.with_context(|| format!("the model takes more than {MAX_WORK} steps"))?;
        Ok(())
    }
}

/// How many numbers a node reads, or how many it multiplies if these are more.
fn work(model: &TypedModel, node: &TypedNode) -> TractResult<usize> {
    let numbers = |shape: &[usize]| shape.iter().fold(1_usize, |size, dim| size.saturating_mul(*dim));
    let shape = |slot: usize| -> TractResult<&[usize]> {
        let input = node.inputs.get(slot).context("an input is missing")?;
        model.outlet_fact(*input)?.shape.as_concrete().context("it reads something without a fixed shape")
    };
    let output = node.outputs.first().and_then(|output| output.fact.shape.as_concrete()).map_or(0, numbers);
    if let Some(product) = node.op_as::<EinSum>() {
        let axis = product.axes.axis('k')?.inputs.first().and_then(|axes| axes.first()).copied();
        let inner = axis.and_then(|axis| shape(0).ok()?.get(axis).copied()).unwrap_or(1);
        return Ok(output.saturating_mul(inner));
    }
    // These read only what they return, of a table that may be large.
    if node.op_is::<CheckedGather>() || node.op_is::<Slice>() || node.op_is::<AxisOp>() {
        return Ok(output);
    }
    (0..node.inputs.len()).try_fold(output, |sum, slot| Ok(sum.saturating_add(numbers(shape(slot)?))))
}

/// How many numbers a shape has. At most `most` are allowed, with a dimension of 0 counted as 1.
///
/// # Errors
/// More numbers than `most`, and too many axes.
fn volume(shape: &[usize], most: usize) -> TractResult<usize> {
    ensure!(shape.len() <= MAX_AXES, "{} axes are too many, {MAX_AXES} are the most", shape.len());
    let spread = shape.iter().try_fold(1_usize, |size, dim| size.checked_mul((*dim).max(1)));
    if spread.is_none_or(|spread| spread > most) {
        bail!("its shape is too large: {shape:?}");
    }
    Ok(shape.iter().product())
}

/// How many numbers a tensor of the file has.
///
/// # Errors
/// A shape that is too large.
pub fn tensor_len(shape: &[usize]) -> TractResult<usize> {
    volume(shape, MAX_WEIGHTS)
}

/// A shape that the model gives as numbers, for a node to make.
///
/// # Errors
/// Negative dimensions, and a shape that is too large.
pub fn checked_shape(dims: &[i64]) -> TractResult<Vec<usize>> {
    let shape: Option<Vec<usize>> = dims.iter().map(|dim| usize::try_from(*dim).ok()).collect();
    let shape = shape.with_context(|| format!("{dims:?} isn't a shape"))?;
    volume(&shape, MAX_NUMBERS)?;
    Ok(shape)
}
