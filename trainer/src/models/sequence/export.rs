//! Causal towers as one ONNX model with a fixed history length. The networks' vectors lie side by side and meet one
//! table of movies.
//!
//! [`watchnext::features::history_inputs`] puts the oldest movie first and pads at the end. So a causal network needs
//! no mask: nothing that counts comes after padding. A recurrence becomes a scan by doubling steps (Hillis and Steele,
//! *Data Parallel Algorithms*, CACM 1986). Only the step of the last movie goes through the rest of the last layer.

use anyhow::{Context, Result, bail};
use candle_core::{DType, Tensor, Var};
use ndarray::Array2;
use tract_onnx::pb::tensor_proto::DataType;
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT};

use super::evaluate::MovieTable;
use super::followers::Followers;
use super::network::{Mixing, SequenceNetwork};
use crate::math::concat_columns;
use crate::nn::layers::EPSILON;
use crate::onnx::graph::Graph;
use crate::onnx::model::sequence_tower;
use crate::onnx::proto::float_attribute;

/// The bias of the score of a step that lies ahead: its exponential is 0.
const NEVER: f32 = -1e9;

/// The graph of a tower under construction.
struct TowerGraph {
    graph: Graph,
    /// Slots of a history.
    length: usize,
}

impl TowerGraph {
    fn layer_norm(&mut self, from: &str, norm: &str, output: String) -> String {
        let (scale, bias) = (format!("{norm}_scale"), format!("{norm}_bias"));
        let epsilon = float_attribute("epsilon", EPSILON);
        self.graph.add_with("LayerNormalization", &[from, &scale, &bias], output, [epsilon])
    }

    fn keep(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        self.graph.floats(name, tensor.dims(), tensor.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    }

    /// Which slot holds the last movie, `[1, length]` of 0 and one 1, and which slots hold any movie.
    fn places(&mut self, weights: &str) -> (String, String) {
        let length = self.length;
        let graph = &mut self.graph;
        let zero = graph.number("zero", 0.0);
        let padding = graph.add("Equal", &[weights, &zero], "is_padding");
        let held = graph.add("Not", &[&padding], "is_held");
        let held = graph.cast(&held, "held", DataType::Float);
        let after = graph.slice(&held, 1, 1..length, "held_after");
        let after = graph.concat(&[&after, &zero], 1, "held_next");
        (graph.add("Sub", &[&held, &after], "last"), held)
    }

    /// The recurrence's outputs after every step, `[length, channels]`.
    fn recurrence(&mut self, read: &str, channels: usize, at: &str) -> String {
        let length = self.length;
        let graph = &mut self.graph;
        let named = |part: &str| format!("{at}.{part}");
        let part = |graph: &mut Graph, number: usize, name: &str| {
            graph.slice(read, 1, number * channels..(number + 1) * channels, named(name))
        };
        let (input, forget, output) = (part(graph, 0, "input"), part(graph, 1, "forget"), part(graph, 2, "output"));
        let one = graph.number("one", 1.0);
        let mut keep = graph.add("Sigmoid", &[&forget], named("keep"));
        let against = graph.add("Neg", &[&forget], named("against"));
        let lose = graph.add("Sigmoid", &[&against], named("lose"));
        let sum = graph.add("Add", &[&keep, &one], named("keep_and_one"));
        let product = graph.add("Mul", &[&lose, &sum], named("rest"));
        let scale = graph.add("Sqrt", &[&product], named("scale"));
        let mut states = graph.add("Mul", &[&scale, &input], named("states"));
        let mut shift = 1;
        while shift < length {
            // After this step a state holds all inputs of the last `2 · shift` steps, and `keep` the product of as many
            // gates.
            let zeros = vec![0.0; shift * channels];
            let zeros = graph.floats_once(&format!("zeros_{shift}_{channels}"), &[shift, channels], zeros);
            let end = length - shift;
            let earlier = graph.slice(&states, 0, 0..end, named(&format!("cut_{shift}")));
            let earlier = graph.concat(&[&zeros, &earlier], 0, named(&format!("earlier_{shift}")));
            let kept = graph.add("Mul", &[&keep, &earlier], named(&format!("kept_{shift}")));
            states = graph.add("Add", &[&states, &kept], named(&format!("states_{shift}")));
            let is_last = 2 * shift >= length;
            if !is_last {
                let before = graph.slice(&keep, 0, 0..end, named(&format!("keep_cut_{shift}")));
                let before = graph.concat(&[&zeros, &before], 0, named(&format!("keep_before_{shift}")));
                keep = graph.add("Mul", &[&keep, &before], named(&format!("keep_{shift}")));
            }
            shift *= 2;
        }
        let open = graph.add("Sigmoid", &[&output], named("open"));
        let gated = graph.add("Mul", &[&states, &output], named("gated"));
        graph.add("Mul", &[&gated, &open], named("mixed"))
    }

    /// Attention's results after every step, `[length, channels]`.
    fn attention(&mut self, read: &str, channels: usize, distance_bias: &Var, at: &str) -> Result<String> {
        let length = self.length;
        let graph = &mut self.graph;
        let biases = distance_bias.to_vec2::<f32>()?;
        let (heads, width) = (biases.len(), channels / biases.len());
        let named = |part: &str| format!("{at}.{part}");
        let shape = [i64::try_from(length)?, i64::try_from(heads)?, i64::try_from(width)?];
        let mut of_heads: Vec<String> = Vec::with_capacity(3);
        for (number, name) in ["queries", "keys", "values"].into_iter().enumerate() {
            let part = graph.slice(read, 1, number * channels..(number + 1) * channels, named(name));
            let part = graph.reshape(&part, &shape, named(&format!("{name}_by_head")));
            let order = if name == "keys" { [1, 2, 0] } else { [1, 0, 2] };
            of_heads.push(graph.transpose(&part, &order, named(&format!("{name}_of_heads"))));
        }
        let [queries, keys, values] = of_heads.as_slice() else { bail!("attention has three parts") };
        let (distances, factor) = (named("distances"), named("factor"));
        graph.floats(&distances, &[heads, length, length], biases_by_steps(&biases, length));
        graph.floats(&factor, &[1, 1, 1], [1.0 / (width as f32).sqrt()]);
        let products = graph.add("MatMul", &[queries, keys], named("products"));
        let scaled = graph.add("Mul", &[&products, &factor], named("scaled"));
        let scores = graph.add("Add", &[&scaled, &distances], named("scores"));
        let looked = graph.softmax(&scores, -1, named("looked"));
        let seen = graph.add("MatMul", &[&looked, values], named("seen"));
        let by_step = graph.transpose(&seen, &[1, 0, 2], named("seen_by_step"));
        Ok(graph.reshape(&by_step, &[shape[0], i64::try_from(channels)?], named("mixed")))
    }

    /// One network's vector, `[1, dim]`.
    fn network(&mut self, network: &SequenceNetwork, history: &str, last: &str, at: &str) -> Result<String> {
        let named = |part: &str| format!("{at}.{part}");
        let (dim, channels) = (network.sizes.dim, network.sizes.channels);
        for (name, var) in network.parameters() {
            // The movies' side of the score isn't the tower's.
            if name != "movie_bias" && name != "embedding" && !name.ends_with("distance_bias") {
                self.keep(&named(&name), var)?;
            }
        }
        let padding = Tensor::zeros((1, dim), DType::F32, network.embedding.device())?;
        self.keep(&named("embedding"), &Tensor::cat(&[network.embedding.as_tensor(), &padding], 0)?)?;
        let looked_up = self.graph.add("Gather", &[&named("embedding"), history], named("looked_up"));
        let first = self.graph.ints(&[0]);
        let looked_up = self.graph.add("Squeeze", &[&looked_up, &first], named("steps"));
        let mut x = self.layer_norm(&looked_up, &named("input_norm"), named("input_norm"));
        for (number, layer) in network.layers.iter().enumerate() {
            let at = named(&format!("layer{number}"));
            let of = |part: &str| format!("{at}.{part}");
            let read = self.layer_norm(&x, &of("mix_norm"), of("mix_norm"));
            let read = self.graph.dense(&read, &of("in"), of("read"));
            let mut mixed = match &layer.mixing {
                Mixing::Recurrence => self.recurrence(&read, channels, &at),
                Mixing::Attention { distance_bias } => self.attention(&read, channels, distance_bias, &at)?,
            };
            if number + 1 == network.layers.len() {
                mixed = self.graph.add("MatMul", &[last, &mixed], of("last_mixed"));
                x = self.graph.add("MatMul", &[last, &x], of("last_before"));
            }
            let added = self.graph.dense(&mixed, &of("out"), of("out"));
            x = self.graph.add("Add", &[&x, &added], of("after_mixing"));
            let read = self.layer_norm(&x, &of("step_norm"), of("step_norm"));
            let hidden = self.graph.dense(&read, &of("up"), of("up"));
            let hidden = self.graph.add("Relu", &[&hidden], of("hidden"));
            let added = self.graph.dense(&hidden, &of("down"), of("down"));
            x = self.graph.add("Add", &[&x, &added], of("after"));
        }
        Ok(self.layer_norm(&x, &named("output_norm"), named("vector")))
    }

    /// The followers' vector, `[1, rank]`.
    fn followers(&mut self, followers: &Followers, history: &str, held: &str) -> Result<String> {
        let length = self.length;
        let graph = &mut self.graph;
        // A movie's distance from the last one: how many slots are held, less one, less the slot's own place.
        graph.floats("places", &[1, length], (0..length).map(|place| place as f32 + 1.0));
        let (zero, first, second) = (graph.number("zero", 0.0), graph.ints(&[0]), graph.ints(&[1]));
        let count = graph.sum(held, &second, "held_count");
        let ago = graph.add("Sub", &[&count, "places"], "places_ago");
        // Padding would be a negative time ago, whose exponential may be infinite.
        let ago = graph.add("Max", &[&ago, &zero], "ago");
        let mut vectors: Vec<String> = Vec::with_capacity(followers.left.len());
        for (way, (decay, left)) in followers.left.iter().enumerate() {
            let named = |part: &str| format!("followers{way}.{part}");
            let (movies, rank) = left.dim();
            let rows = left.iter().copied().chain(vec![0.0; rank]);
            graph.floats(&named("table"), &[movies + 1, rank], rows);
            let rate = graph.number(&named("rate"), decay.ln());
            let power = graph.add("Mul", &[&ago, &rate], named("power"));
            let memory = graph.add("Exp", &[&power], named("memory_of_slots"));
            let memory = graph.add("Mul", &[&memory, held], named("memory"));
            let looked_up = graph.add("Gather", &[&named("table"), history], named("looked_up"));
            let rows = graph.add("Squeeze", &[&looked_up, &first], named("rows"));
            let vector = graph.add("MatMul", &[&memory, &rows], named("vector"));
            let sum = match vectors.pop() {
                Some(others) => graph.add("Add", &[&others, &vector], named("sum")),
                None => vector,
            };
            vectors.push(sum);
        }
        vectors.pop().context("followers count in one way at least")
    }
}

/// `[heads, length, length]`: what the score of a step, a row, gains by each other step, a column.
fn biases_by_steps(biases: &[Vec<f32>], length: usize) -> impl Iterator<Item = f32> {
    biases.iter().flat_map(move |biases| {
        let last = biases.len().saturating_sub(1);
        (0..length).flat_map(move |step| {
            (0..length).map(move |other| match step.checked_sub(other) {
                Some(distance) => biases.get(distance.min(last)).copied().unwrap_or_default(),
                None => NEVER,
            })
        })
    })
}

/// The ONNX model of these networks, and of followers if there are any, for the last `length` movies of a history.
///
/// Inputs: `history` `[1, length]` int64 and `weights` `[1, length]` float. It only matters which weights are 0.
/// Output: `user_vector`.
///
/// # Errors
/// Parameters that can't be read.
pub fn tower(networks: &[&SequenceNetwork], followers: Option<&Followers>, length: usize) -> Result<Vec<u8>> {
    let [history, weights, _] = TOWER_INPUTS;
    let mut graph = TowerGraph { graph: Graph::default(), length };
    let (last, held) = graph.places(weights);
    let mut vectors: Vec<String> = Vec::new();
    let mut dim = 0;
    for (number, network) in networks.iter().enumerate() {
        vectors.push(graph.network(network, history, &last, &format!("network{number}"))?);
        dim += network.sizes.dim;
    }
    if let Some(followers) = followers {
        vectors.push(graph.followers(followers, history, &held)?);
        dim += followers.right.ncols();
    }
    let parts: Vec<&str> = vectors.iter().map(String::as_str).collect();
    graph.graph.concat(&parts, 1, TOWER_OUTPUT);
    Ok(sequence_tower(graph.graph, length, dim))
}

/// Tables side by side, each times its weight. Their biases are added up with the same weights.
///
/// # Errors
/// Tables of different numbers of movies.
pub fn side_by_side(tables: &[(f32, MovieTable)]) -> Result<MovieTable> {
    let scaled: Vec<Array2<f32>> = tables.iter().map(|(weight, table)| &table.vectors * *weight).collect();
    let vectors = concat_columns(&scaled.iter().collect::<Vec<_>>())?.as_standard_layout().into_owned();
    let mut bias = vec![0.0; vectors.nrows()];
    for (weight, table) in tables {
        for (sum, bias) in bias.iter_mut().zip(&table.bias) {
            *sum += weight * bias;
        }
    }
    Ok(MovieTable { vectors, bias })
}
