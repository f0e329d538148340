//! Changes that turn a good input into a hostile one: bytes, numbers and words of a text, and parts of an ONNX model.
#![allow(missing_docs)]

use prost::Message;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};
use watchnext::onnx::{OPERATORS, Operator};

/// Whole numbers at which arithmetic breaks.
const NUMBERS: [i64; 16] =
    [0, 1, -1, 2, 7, 8, 9, 127, 255, 65_536, 1 << 24, 1 << 31, 1 << 32, 1 << 40, i64::MAX, i64::MIN];

/// Floats at which arithmetic breaks.
const FLOATS: [f32; 8] = [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, -1.0];

/// Words that may replace a number in a text.
const WORDS: [&str; 16] = [
    "0",
    "-1",
    "1e999",
    "-0.0",
    "0.1",
    "4294967296",
    "18446744073709551616",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "NaN",
    ",",
    "\"",
    "\u{202e}\u{0}😀",
];

/// `seed` with one to four changes. One may put in a piece of `other`.
pub fn bytes(seed: &[u8], other: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut changed = seed.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        change(&mut changed, other, rng);
    }
    changed
}

fn change(bytes: &mut Vec<u8>, other: &[u8], rng: &mut impl Rng) {
    let len = bytes.len();
    let at = rng.random_range(0..=len);
    let piece = |len: usize, rng: &mut dyn Rng| {
        let start = rng.random_range(0..=len);
        start..rng.random_range(start..=len.min(start + 64))
    };
    let write = |bytes: &mut Vec<u8>, at: usize, new: &[u8]| {
        bytes.iter_mut().skip(at).zip(new).for_each(|(byte, new)| *byte = *new);
    };
    let number = NUMBERS.choose(rng).copied().unwrap_or_default();
    match rng.random_range(0..11) {
        0 => write(bytes, at, &[rng.random()]),
        1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << rng.random_range(0..8)),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(piece(len, rng))),
        4 => drop(bytes.splice(at..at, other.get(piece(other.len(), rng)).unwrap_or_default().to_vec())),
        5 => drop(bytes.splice(at.., other.iter().copied().skip(at))),
        6 => write(bytes, at & !3, &FLOATS.choose(rng).copied().unwrap_or_default().to_le_bytes()),
        7 => write(bytes, at & !3, &(number as u32).to_le_bytes()),
        8 => write(bytes, at & !7, &number.to_le_bytes()),
        // A number of a text becomes another number or a word.
        9 | 10 => {
            let start = (at..len).find(|at| bytes.get(*at).is_some_and(u8::is_ascii_digit)).unwrap_or(len);
            let digits = bytes.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count();
            let word = WORDS.choose(rng).copied().unwrap_or_default();
            let new = if rng.random() { word.to_owned() } else { number.to_string() };
            bytes.splice(start..start + digits, new.into_bytes());
        }
        _ => {}
    }
}

/// An ONNX model with one to three parts changed; `None` if the bytes aren't a model.
pub fn model(seed: &[u8], rng: &mut impl Rng) -> Option<Vec<u8>> {
    let mut model = ModelProto::decode(seed).ok()?;
    for _ in 0..rng.random_range(1..=3) {
        change_model(&mut model, rng)?;
    }
    Some(model.encode_to_vec())
}

fn change_model(model: &mut ModelProto, rng: &mut impl Rng) -> Option<()> {
    let graph = model.graph.as_mut()?;
    let mut names: Vec<String> = graph.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    names.extend(graph.input.iter().map(|input| input.name.clone()));
    names.extend(graph.node.iter().flat_map(|node| node.output.clone()));
    let (nodes, tensors) = (graph.node.len(), graph.initializer.len());
    if tensors > 0 && rng.random_bool(0.3) {
        change_tensor(graph.initializer.get_mut(rng.random_range(0..tensors))?, rng);
        return Some(());
    }
    if nodes == 0 {
        return Some(());
    }
    let at = rng.random_range(0..nodes);
    let name = names.choose(rng)?.clone();
    let node = graph.node.get_mut(at)?;
    let number = NUMBERS.choose(rng).copied().unwrap_or_default();
    match rng.random_range(0..9) {
        0 => node.op_type = OPERATORS.choose(rng).map_or("", Operator::name).to_owned(),
        1 | 2 if !node.input.is_empty() => {
            let len = node.input.len();
            *node.input.get_mut(rng.random_range(0..len))? = name;
        }
        1 | 2 => node.input.push(name),
        3 => node.input.push(name),
        4 => drop(node.input.pop()),
        5 => {
            let attribute = node.attribute.first_mut()?;
            attribute.i = rng.random_range(-3..4);
            attribute.f = FLOATS.choose(rng).copied().unwrap_or_default();
            attribute.ints.push(number);
            if let Some(tensor) = &mut attribute.t {
                change_tensor(tensor, rng);
            }
        }
        6 => copy_node(graph, at)?,
        7 => {
            let axis = rng.random_range(-3..4);
            node.attribute.iter_mut().for_each(|attribute| attribute.i = axis);
        }
        _ => {
            let to = [1, 2, 3, 6, 7, 9, 11].choose(rng).copied().unwrap_or(1);
            cast_input(graph, at, to)?;
        }
    }
    Some(())
}

/// Adds the node a second time. The copy's result becomes the model's.
fn copy_node(graph: &mut GraphProto, at: usize) -> Option<()> {
    let output = graph.output.first()?.name.clone();
    let inner = format!("inner {}", graph.node.len());
    let node = graph.node.get_mut(at)?;
    let mut copy = node.clone();
    copy.name.clear();
    if *node.output.first()? == output {
        node.output = vec![inner.clone()];
        copy.input.first_mut()?.clone_from(&inner);
        graph.node.insert(at + 1, copy);
    }
    Some(())
}

/// Puts a cast to the type of this number in front of a node's first input.
fn cast_input(graph: &mut GraphProto, at: usize, to: i64) -> Option<()> {
    let cast = format!("cast {}", graph.node.len());
    let input = graph.node.get_mut(at)?.input.first_mut()?;
    let source = std::mem::replace(input, cast.clone());
    let attribute = AttributeProto { name: "to".to_owned(), i: to, ..Default::default() };
    let node = NodeProto {
        op_type: "Cast".to_owned(),
        input: vec![source],
        output: vec![cast],
        attribute: vec![attribute],
        ..Default::default()
    };
    graph.node.insert(at, node);
    Some(())
}

fn change_tensor(tensor: &mut TensorProto, rng: &mut impl Rng) {
    let number = NUMBERS.choose(rng).copied().unwrap_or_default();
    match rng.random_range(0..6) {
        0 => tensor.dims.push(number),
        1 => drop(tensor.dims.pop()),
        2 => {
            if let Some(value) = tensor.int64_data.iter_mut().next_back() {
                *value = if rng.random() { number } else { rng.random_range(-3..8) };
            }
            if let Some(value) = tensor.float_data.iter_mut().next_back() {
                *value = FLOATS.choose(rng).copied().unwrap_or_default();
            }
        }
        3 => tensor.dims.reverse(),
        // Drops numbers until the shape fits again.
        4 => {
            let len = rng.random_range(0..4_usize);
            tensor.dims = vec![len as i64];
            tensor.int64_data.truncate(len);
            tensor.float_data.truncate(len);
        }
        _ => {
            tensor.int64_data.push(number);
            tensor.dims = vec![tensor.int64_data.len() as i64];
        }
    }
}
