//! The tower as an ONNX model.

use ndarray::{Array1, Array2};
use tract_onnx::pb::tensor_proto::DataType;
use watchnext::features::HISTORY_LEN;
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT, YEAR_INPUT};

use super::eras::KNOTS;
use super::folded::{Channel, Tower};
use super::sampler::MEMORY;
use crate::math::embeddings::EmbeddingTable;
use crate::nn::leaky_relu::NEGATIVE_SLOPE;
use crate::onnx::graph::Graph;
use crate::onnx::model::user_tower;

/// A channel, from its slots' factors, `[1, HISTORY_LEN]`, to its part of the user's vector.
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

/// The factors of the click channel's slots: all movies alike, over the root of their number.
fn add_click_factors(graph: &mut Graph, weights: &str) -> String {
    graph.add("Max", &["count", "one"], "some");
    graph.add("Sqrt", &["some"], "click_root");
    graph.add("Div", &[weights, "click_root"], "click_factors")
}

/// The factors of the sequence channel's slots: fading with the places from the end.
fn add_sequence_factors(graph: &mut Graph, weights: &str) -> String {
    graph.add("Sub", &["count", "one"], "last");
    graph.add("Sub", &["last", "places"], "ago");
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
            graph.matrix("places", &Array2::from_shape_fn((1, HISTORY_LEN), |(_, place)| place as f32));
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
        graph.cast("count", "counts", DataType::Int64);
        graph.add("Squeeze", &["counts", "slot_axis"], "length");
        let click_factors = add_click_factors(&mut graph, weights);
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
        user_tower(graph, self.dim(), self.asks_for_year())
    }
}
