//! One network of the tower: pooled movie embeddings, a hidden layer, and a softmax over all movies.
//!
//! `z = Σ embedding[h] · factor`, `u = z + B · leaky(A · z + a) + b`, `logit = u · output + bias + θ(n) · popularity
//! + δ(n) · drift(year)`.
//! A movie's embedding and its output vector are each a part of its own and a part of its kinds ([`Content`]), so that
//! rare movies borrow from them (Covington et al.'s content features, learnt with the rest). `θ`, how much popularity
//! counts, is learnt for each number of watched movies, and so is `δ` for popularity's difference in the year of the visit
//! ([`Drift`]). A network may be told the year besides, whose vector joins the pooled sum.

use anyhow::{Context, Result, ensure};
use candle_core::{D, Device, Tensor, Var};
use ndarray::{Array1, Array2, Axis};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::content::Content;
use super::eras::{Drift, Eras, KNOTS};
use super::gains::{BUCKETS, bucket};
use crate::math::concat_columns;
use crate::nn::adam::Adam;
use crate::nn::leaky_relu::NEGATIVE_SLOPE;
use crate::nn::ops::{HistoryMean, RowTargets, SoftmaxCrossEntropy};

/// The spread of the embeddings at the start.
const INITIAL_SPREAD: f32 = 0.01;
/// A network's size and training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MemberConfig {
    /// Numbers of an embedding.
    pub width: usize,
    /// Units of the hidden layer; 0 for none.
    pub hidden: usize,
    /// The L2 penalty on all parameters.
    pub weight_decay: f32,
    /// How much a movie that was rated but not liked counts as a target of the click task, against 1.
    pub rated: f32,
    /// Steps, each over rows that are drawn anew.
    pub steps: usize,
    /// The share of a user vector's numbers that are dropped in each row.
    pub dropout: f32,
    /// Whether it is told the year of the visit; see [`eras`].
    pub eras: bool,
    /// Adam's rate at the start; it falls to 0 along half a cosine.
    pub learning_rate: f64,
}

/// What the networks know besides who rated what.
#[derive(Debug, Clone, PartialEq)]
pub struct SideInformation {
    /// The movies' kinds.
    pub content: Content,
    /// `[movies]`: the score of a movie for somebody unknown.
    pub popularity: Vec<f32>,
    /// The years that are told apart.
    pub eras: Eras,
    /// How popularity differs between them.
    pub drift: Drift,
}

/// One row to train on.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Movies of the history with their factors in the pooled sum.
    pub slots: Vec<(u32, f32)>,
    /// How many movies the history holds, which decides how much popularity counts.
    pub watched: usize,
    /// The year of the visit with its fraction.
    pub year: f32,
    /// What is to be predicted.
    pub targets: RowTargets,
}

/// Where rows come from.
pub trait Task {
    /// The rows of one step.
    fn rows(&mut self, rng: &mut ChaCha8Rng) -> Vec<Row>;
}

/// A trained network as plain tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// `[movies, width]`, what a watched movie adds to the pooled sum.
    pub input: Array2<f32>,
    /// `[movies, width]`, what meets the user's vector.
    pub output: Array2<f32>,
    /// `[movies]`.
    pub bias: Array1<f32>,
    /// `θ` by [`bucket`] of the history's length.
    pub popularity: [f32; BUCKETS],
    /// The same for the drift of popularity.
    pub drift: [f32; BUCKETS],
    /// The hidden layer, if there is one.
    pub hidden: Option<Hidden>,
    /// `[KNOTS, width]`, what the year of the visit adds to the pooled sum, if it does.
    pub eras: Option<Array2<f32>>,
}

/// `z ↦ second · leaky(first · z + first_bias) + second_bias`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hidden {
    /// `[hidden, width]`.
    pub first: Array2<f32>,
    /// `[hidden]`.
    pub first_bias: Array1<f32>,
    /// `[width, hidden]`.
    pub second: Array2<f32>,
    /// `[width]`.
    pub second_bias: Array1<f32>,
}

/// The parameters under training.
struct Parameters {
    named: Vec<(&'static str, Var)>,
    content: Content,
    /// `[movies, 1 + drift]`: popularity, and how it drifts.
    popularity: Tensor,
    /// `[KNOTS, drift]`.
    drift: Tensor,
    eras: Eras,
    movies: usize,
    dropout: f32,
}

impl Parameters {
    fn new(config: &MemberConfig, side: &SideInformation, rng: &mut ChaCha8Rng) -> Result<Self> {
        let (movies, kinds) = (side.content.movies(), side.content.kinds());
        let device = &Device::Cpu;
        let var = |values: Vec<f32>, shape: (usize, usize)| -> Result<Var> {
            Ok(Var::from_tensor(&Tensor::from_vec(values, shape, device)?)?)
        };
        // Box and Muller's transformation: two uniform numbers make a normal one.
        let mut normal = |rows: usize, columns: usize| {
            let mut one = || {
                let (radius, angle): (f32, f32) = (1.0 - rng.random::<f32>(), rng.random());
                INITIAL_SPREAD * (-2.0 * radius.ln()).sqrt() * (std::f32::consts::TAU * angle).cos()
            };
            var((0..rows * columns).map(|_| one()).collect(), (rows, columns))
        };
        let width = config.width;
        // A network that isn't told the year draws the same numbers as if there were no eras.
        let eras = if config.eras { Some(normal(KNOTS, width)?) } else { None };
        let mut named = vec![
            ("input", normal(movies, width)?),
            ("output", normal(movies, width)?),
            ("input_content", normal(kinds, width)?),
            ("output_content", normal(kinds, width)?),
        ];
        named.push(("bias", var(vec![0.0; movies], (1, movies))?));
        named.push(("popularity", var(vec![1.0; BUCKETS], (BUCKETS, 1))?));
        named.push(("drift", var(vec![1.0; BUCKETS], (BUCKETS, 1))?));
        named.extend(eras.map(|eras| ("eras", eras)));
        if config.hidden > 0 {
            let mut uniform = |rows: usize, columns: usize, inputs: usize| {
                let bound = 1.0 / (inputs as f32).sqrt();
                var((0..rows * columns).map(|_| rng.random_range(-bound..bound)).collect(), (rows, columns))
            };
            named.push(("first", uniform(config.hidden, width, width)?));
            named.push(("first_bias", uniform(1, config.hidden, width)?));
            named.push(("second", uniform(width, config.hidden, config.hidden)?));
            named.push(("second_bias", uniform(1, width, config.hidden)?));
        }
        let popularity = Array1::from_vec(side.popularity.clone()).insert_axis(Axis(1));
        let tensor = |table: Array2<f32>| Tensor::from_vec(table.iter().copied().collect(), table.dim(), device);
        let popularity = tensor(concat_columns(&[&popularity, &side.drift.movies])?)?;
        let drift = tensor(side.drift.eras.clone())?;
        Ok(Self {
            named,
            content: side.content.clone(),
            popularity,
            drift,
            eras: side.eras,
            movies,
            dropout: config.dropout,
        })
    }

    fn find(&self, name: &str) -> Option<&Tensor> {
        self.named.iter().find(|(own, _)| *own == name).map(|(_, var)| var.as_tensor())
    }

    fn get(&self, name: &str) -> Result<&Tensor> {
        self.find(name).with_context(|| format!("the network has no parameter {name}"))
    }

    /// A movie's own part and that of its kind, `[movies, width]`.
    fn table(&self, own: &str, of_kind: &str) -> Result<Tensor> {
        Ok((self.get(own)? + self.content.pooled(self.get(of_kind)?)?)?)
    }

    fn loss(&self, rows: Vec<Row>, rng: &mut ChaCha8Rng) -> Result<Tensor> {
        let count = rows.len();
        let slots = rows.iter().map(|row| row.slots.len()).max().unwrap_or(0).max(1);
        let (mut movies, mut factors) = (Vec::new(), Vec::new());
        for row in &rows {
            // The pooled sum is a mean over the slots, so each factor makes up for their number.
            movies.extend(row.slots.iter().map(|(movie, _)| i64::from(*movie)));
            factors.extend(row.slots.iter().map(|(_, factor)| factor * slots as f32));
            movies.resize(movies.len() + slots - row.slots.len(), 0);
            factors.resize(factors.len() + slots - row.slots.len(), 0.0);
        }
        let buckets: Vec<u32> = rows.iter().map(|row| bucket(row.watched) as u32).collect();
        let buckets = Tensor::from_vec(buckets, count, &Device::Cpu)?;
        let input = self.table("input", "input_content")?;
        let output = self.table("output", "output_content")?;
        let mut user = input.apply_op1(HistoryMean::new(movies, factors, slots))?;
        let shares: Vec<f32> = rows.iter().flat_map(|row| self.eras.shares(row.year)).collect();
        let shares = Tensor::from_vec(shares, (count, KNOTS), &Device::Cpu)?;
        if let Some(eras) = self.find("eras") {
            user = (user + shares.matmul(eras)?)?;
        }
        if let (Some(first), Some(second)) = (self.find("first"), self.find("second")) {
            let inner = user.matmul(&first.t()?)?.broadcast_add(self.get("first_bias")?)?;
            let inner = inner.maximum(&(&inner * NEGATIVE_SLOPE)?)?;
            user = (&user + inner.matmul(&second.t()?)?.broadcast_add(self.get("second_bias")?)?)?;
        }
        let user = (&user * dropout(self.dropout, user.elem_count(), user.dims(), rng)?)?;
        // Popularity and its drift are more columns of the movies, and their weights more numbers of the user.
        let scale = |name: &str| -> Result<Tensor> { Ok(self.get(name)?.index_select(&buckets, 0)?) };
        let drift = shares.matmul(&self.drift)?.broadcast_mul(&scale("drift")?)?;
        let user = Tensor::cat(&[&user, &scale("popularity")?, &drift], D::Minus1)?.contiguous()?;
        let output = Tensor::cat(&[&output, &self.popularity], D::Minus1)?.contiguous()?;
        let bias = self.get("bias")?.reshape(self.movies)?;
        let targets: Vec<RowTargets> = rows.into_iter().map(|row| row.targets).collect();
        Ok(user.apply_op3(&output, &bias, SoftmaxCrossEntropy::new(targets))?)
    }

    fn finish(&self) -> Result<Member> {
        let table = |tensor: &Tensor| -> Result<Array2<f32>> {
            Ok(Array2::from_shape_vec(tensor.dims2()?, tensor.flatten_all()?.to_vec1()?)?)
        };
        let row =
            |name: &str| -> Result<Array1<f32>> { Ok(Array1::from_vec(self.get(name)?.flatten_all()?.to_vec1()?)) };
        let hidden = match (self.find("first"), self.find("second")) {
            (Some(first), Some(second)) => Some(Hidden {
                first: table(first)?,
                first_bias: row("first_bias")?,
                second: table(second)?,
                second_bias: row("second_bias")?,
            }),
            _ => None,
        };
        let by_length = |name: &str| -> Result<[f32; BUCKETS]> {
            let mut weights = [0.0; BUCKETS];
            weights.iter_mut().zip(row(name)?).for_each(|(slot, value)| *slot = value);
            Ok(weights)
        };
        Ok(Member {
            input: table(&self.table("input", "input_content")?)?,
            output: table(&self.table("output", "output_content")?)?,
            bias: row("bias")?,
            popularity: by_length("popularity")?,
            drift: by_length("drift")?,
            hidden,
            eras: self.find("eras").map(table).transpose()?,
        })
    }
}

/// A mask of inverted dropout of a `share`, drawn from `rng`, since candle's own can't be seeded.
fn dropout(share: f32, count: usize, shape: &[usize], rng: &mut ChaCha8Rng) -> Result<Tensor> {
    let keep = 1.0 - share;
    let threshold = (f64::from(keep) * f64::from(u32::MAX)) as u32;
    let mask: Vec<f32> = (0..count).map(|_| if rng.next_u32() <= threshold { 1.0 / keep } else { 0.0 }).collect();
    Ok(Tensor::from_vec(mask, shape, &Device::Cpu)?)
}

/// Trains a network on what `task` draws, telling `each` the loss of every step.
///
/// # Errors
/// A loss that isn't finite.
pub fn train(
    config: &MemberConfig,
    side: &SideInformation,
    task: &mut dyn Task,
    rng: &mut ChaCha8Rng,
    mut each: impl FnMut(f32),
) -> Result<(Member, Vec<f32>)> {
    let parameters = Parameters::new(config, side, rng)?;
    let mut adam =
        Adam::new(parameters.named.iter().map(|(name, var)| (*name, var))).with_weight_decay(config.weight_decay);
    let mut losses = Vec::with_capacity(config.steps);
    for step in 0..config.steps {
        let loss = parameters.loss(task.rows(rng), rng)?;
        let gradients = loss.backward()?;
        let progress = step as f64 / config.steps as f64;
        adam.step(&gradients, config.learning_rate * (1.0 + (std::f64::consts::PI * progress).cos()) / 2.0)?;
        let loss = loss.to_scalar::<f32>()?;
        ensure!(loss.is_finite(), "the loss of step {} isn't finite. Try a smaller learning rate.", step + 1);
        losses.push(loss);
        each(loss);
    }
    Ok((parameters.finish()?, losses))
}
