//! The tower as an ONNX model.

use ndarray::{Array1, Array2};
use tract_onnx::pb::tensor_proto::DataType;
use watchnext::features::HISTORY_LEN;
use watchnext::model::{LIKES_INPUT, ORDER_INPUT, TOWER_INPUTS, TOWER_OUTPUT, YEAR_INPUT};

use super::eras::KNOTS;
use super::folded::{Channel, Tower};
use super::sampler::MEMORY;
use crate::math::embeddings::EmbeddingTable;
use crate::nn::leaky_relu::NEGATIVE_SLOPE;
use crate::onnx::graph::Graph;
use crate::onnx::model::open_user_tower;

/// A channel, from its slots' factors, `[1, slots]`, to its part of the user's vector.
fn add_channel(graph: &mut Graph, name: &str, channel: &Channel, factors: &str, output: &str) {
    let named = |part: &str| format!("{name}_{part}");
    graph.lookup(name, &channel.table);
    let scaled = match &channel.table {
        EmbeddingTable::Float(_) => graph.add("Identity", &[factors], named("scaled")),
        EmbeddingTable::Int8(..) => graph.add("Mul", &[factors, &named("scales")], named("scaled")),
    };
    let row = graph.add("Unsqueeze", &[&scaled, "slot_axis"], named("row"));
    let sum = graph.add("MatMul", &[&row, &named("slots")], named("sum"));
    let movies_alone = if channel.eras.is_some() { named("movies") } else { named("pooled") };
    let mut pooled = graph.add("Squeeze", &[&sum, "slot_axis"], movies_alone);
    if let Some(eras) = &channel.eras {
        graph.matrix(&named("eras"), eras);
        let era = graph.add("MatMul", &["year_shares", &named("eras")], named("era"));
        pooled = graph.add("Add", &[&pooled, &era], named("pooled"));
    }
    graph.matrix(&named("skip_weight"), &channel.skip);
    graph.vector(&named("skip_bias"), &channel.bias);
    let mut plain = graph.dense(&pooled, &named("skip"), named("direct"));
    if let Some(hidden) = &channel.hidden {
        graph.weights(&named("first_weight"), &hidden.first);
        graph.vector(&named("first_bias"), &hidden.first_bias);
        graph.weights(&named("second_weight"), &hidden.second);
        // The layer's own bias is part of the channel's.
        graph.vector(&named("second_bias"), &Array1::zeros(hidden.second.dim().0));
        let units = graph.dense(&pooled, &named("first"), named("units"));
        let active = graph.leaky_relu(NEGATIVE_SLOPE, &units, named("active"));
        let bent = graph.dense(&active, &named("second"), named("bent"));
        plain = graph.add("Add", &[&plain, &bent], named("plain"));
    }
    let gain = graph.add("Gather", &[&named("gains"), "length"], named("gain"));
    graph.add("Mul", &[&plain, &gain], output);
}

/// The factors of the click channel's slots: all liked movies alike, over the root of their number, and disliked ones
/// against them.
fn add_click_factors(graph: &mut Graph, dislike: f32) -> String {
    // The disliked slots are below 0, so what is taken is above it.
    graph.number("minus_dislike", -dislike);
    graph.add("Relu", &[LIKES_INPUT], "liked");
    graph.sum("liked", "slot_axis", "liked_count");
    graph.add("Min", &[LIKES_INPUT, "zero"], "disliked");
    graph.add("Mul", &["disliked", "minus_dislike"], "taken");
    graph.add("Sub", &["liked", "taken"], "reception");
    graph.add("Max", &["liked_count", "one"], "some");
    graph.add("Sqrt", &["some"], "click_root");
    graph.add("Div", &["reception", "click_root"], "click_factors")
}

/// The place of the factors for the history's length in the tables of gains, `[1]`. If `has_order`, those for a history
/// in order follow those for one in none.
fn add_length(graph: &mut Graph, has_order: bool) {
    graph.number("longest", HISTORY_LEN as f32);
    if has_order {
        graph.number("lengths", (HISTORY_LEN + 1) as f32);
        graph.add("Sub", &["count", "liked_count"], "not_liked");
        graph.add("Mul", &["not_liked", ORDER_INPUT], "also");
        graph.add("Add", &["liked_count", "also"], "free_length");
        graph.add("Min", &["free_length", "longest"], "short_length");
        graph.add("Mul", &["lengths", ORDER_INPUT], "first_length");
        graph.add("Add", &["short_length", "first_length"], "length_place");
    } else {
        graph.add("Min", &["liked_count", "longest"], "length_place");
    }
    graph.cast("length_place", "length_places", DataType::Int64);
    graph.add("Squeeze", &["length_places", "slot_axis"], "length");
}

/// The slots' numbers from 0, `[1, slots]`.
fn add_places(graph: &mut Graph) {
    let [history, ..] = TOWER_INPUTS;
    graph.named_ints("row_axis", &[0]);
    graph.named_int("first_place", 0);
    graph.named_int("next_place", 1);
    graph.add("Shape", &[history], "shape");
    graph.add("Gather", &["shape", "next_place"], "slots");
    graph.add("Range", &["first_place", "slots", "next_place"], "numbers");
    graph.cast("numbers", "number_row", DataType::Float);
    graph.add("Unsqueeze", &["number_row", "row_axis"], "places");
}

/// The factors of the sequence channel's slots: fading with the places from the end.
fn add_sequence_factors(graph: &mut Graph, weights: &str) -> String {
    graph.add("Sub", &["count", "one"], "last");
    graph.add("Sub", &["last", "places"], "ago_everywhere");
    // Padding comes after the last movie. Without a limit, the exponential of a long one would be infinite.
    graph.add("Max", &["ago_everywhere", "zero"], "ago");
    graph.add("Mul", &["ago", "fading_rate"], "exponents");
    graph.add("Exp", &["exponents"], "fading_everywhere");
    graph.add("Mul", &["fading_everywhere", "mask"], "fading");
    graph.sum("fading", "slot_axis", "fading_sum");
    graph.add("Max", &["fading_sum", "least"], "fading_some");
    graph.add("Sqrt", &["fading_some"], "fading_root");
    graph.add("Div", &["fading", "fading_root"], "fading_share");
    graph.add("Mul", &["fading_share", weights], "sequence_factors")
}

impl Tower {
    /// The length of the user's vector.
    pub fn dim(&self) -> usize {
        self.movies.dim().1
    }

    /// The shares of the knots in the year, `[1, KNOTS]`, as [`Eras::shares`](super::eras::Eras::shares) computes them.
    fn year_shares(&self, graph: &mut Graph) {
        graph.number("first_year", self.eras.first);
        graph.number("knots_a_year", 1.0 / self.eras.apart);
        graph.number("last_knot", (KNOTS - 1) as f32);
        graph.matrix("knots", &Array2::from_shape_fn((1, KNOTS), |(_, knot)| knot as f32));
        graph.add("Sub", &[YEAR_INPUT, "first_year"], "years_on");
        graph.add("Mul", &["years_on", "knots_a_year"], "free_place");
        graph.add("Max", &["free_place", "zero"], "place_from_first");
        graph.add("Min", &["place_from_first", "last_knot"], "place");
        graph.add("Sub", &["place", "knots"], "off_knots");
        graph.add("Abs", &["off_knots"], "from_knots");
        graph.add("Sub", &["one", "from_knots"], "near_knots");
        graph.add("Max", &["near_knots", "zero"], "year_shares");
    }

    /// The ONNX model. It ignores the time features, which know no year: they gained nothing (`models/EXPERIMENTS.md`).
    /// The year itself has a part in the answer.
    pub fn onnx(&self) -> Vec<u8> {
        let [_, weights, _] = TOWER_INPUTS;
        let mut graph = Graph::default();
        graph.number("zero", 0.0);
        graph.number("one", 1.0);
        if self.sequence.is_some() {
            graph.number("least", 1e-6);
            graph.number("fading_rate", -1.0 / MEMORY);
            add_places(&mut graph);
        }
        graph.named_ints("slot_axis", &[1]);
        let has_drift = self.drift.ncols() > 0;
        let parts = [("clicks", true), ("sequence", self.sequence.is_some()), ("drift", has_drift)];
        let gains = parts.iter().enumerate().filter(|(_, (_, has))| *has);
        for (at, name) in gains.map(|(at, (part, _))| (at, format!("{part}_gains"))) {
            let gains: Vec<f32> = self.gains.iter().filter_map(|gains| gains.get(at)).copied().collect();
            graph.floats(&name, &[gains.len(), 1], gains);
        }
        // How many slots hold a movie.
        graph.add("Greater", &[weights, "zero"], "used");
        graph.cast("used", "mask", DataType::Float);
        graph.sum("mask", "slot_axis", "count");
        let click_factors = add_click_factors(&mut graph, self.dislike);
        add_length(&mut graph, self.sequence.is_some());
        let sequence = self.sequence.as_ref().map(|channel| (channel, add_sequence_factors(&mut graph, weights)));
        if self.asks_for_year() {
            self.year_shares(&mut graph);
        }
        if has_drift {
            graph.matrix("drift_eras", &self.drift);
            graph.add("MatMul", &["year_shares", "drift_eras"], "drift");
            graph.add("Gather", &["drift_gains", "length"], "drift_gain");
            graph.add("Mul", &["drift", "drift_gain"], "drift_vector");
        }
        add_channel(&mut graph, "clicks", &self.clicks, &click_factors, "clicks_vector");
        if let Some((channel, factors)) = &sequence {
            add_channel(&mut graph, "sequence", channel, factors, "sequence_vector");
        }
        let vectors: Vec<String> =
            parts.iter().filter(|(_, has)| *has).map(|(part, _)| format!("{part}_vector")).collect();
        let vectors: Vec<&str> = vectors.iter().map(String::as_str).collect();
        match vectors.as_slice() {
            [alone] => graph.add("Identity", &[alone], TOWER_OUTPUT),
            several => graph.concat(several, 1, TOWER_OUTPUT),
        };
        let optional =
            [(YEAR_INPUT, self.asks_for_year()), (LIKES_INPUT, true), (ORDER_INPUT, self.sequence.is_some())];
        let optional: Vec<&str> = optional.iter().filter(|(_, asks)| *asks).map(|(input, _)| *input).collect();
        open_user_tower(graph, self.dim(), &optional)
    }
}
