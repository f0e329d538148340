//! One network of the tower: pooled movie embeddings, a hidden layer, and a softmax over all movies.
//!
//! ```text
//! z     = Σ embedding[h] · factor
//! u     = z + B · leaky(A · z + a) + b
//! logit = u · output + bias + θ(n) · popularity + δ(n) · drift(year)
//! ```
//!
//! A movie's embedding is the sum of a part of its own and a part of its kinds ([`Content`]), and so is its output
//! vector. Rare movies borrow from their kinds in this way (the content features of Covington et al., learnt with the
//! rest). `θ` says how much popularity counts, and is learnt for each number of watched movies. So is `δ`, for how
//! popularity differs in the year of the visit ([`Drift`]). A network may also be told the year, whose vector joins the
//! pooled sum.

use anyhow::{Result, ensure};
use candle_core::{D, Device, Tensor, Var};
use ndarray::{Array1, Array2, Axis};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::content::Content;
use super::eras::{Drift, Eras, KNOTS};
use super::gains::{BUCKETS, bucket};
use crate::math::concat_columns;
use crate::nn::adam::Adam;
use crate::nn::dropout::dropout;
use crate::nn::initial;
use crate::nn::leaky_relu::leaky_relu;
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
    /// How much a movie that was rated but not liked counts as a target of the click task. A liked one counts 1.
    pub rated: f32,
    /// Steps, each over newly drawn rows.
    pub steps: usize,
    /// The share of a user vector's numbers that is dropped in each row.
    pub dropout: f32,
    /// Whether it is told the year of the visit; see [`Eras`].
    pub eras: bool,
    /// Adam's rate at the start. It falls to 0 along half a cosine.
    pub learning_rate: f64,
}

/// The knowledge of the networks apart from the ratings.
#[derive(Debug, Clone, PartialEq)]
pub struct SideInformation {
    /// The movies' kinds.
    pub content: Content,
    /// `[movies]`: a movie's score for an unknown visitor.
    pub popularity: Vec<f32>,
    /// The knots of the years.
    pub eras: Eras,
    /// How popularity differs between the years.
    pub drift: Drift,
}

/// One row to train on.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The history's movies with their factors in the pooled sum.
    pub slots: Vec<(u32, f32)>,
    /// How many movies the history has, which decides how much popularity counts.
    pub watched: usize,
    /// The year of the visit with its fraction.
    pub year: f32,
    /// The movies to predict.
    pub targets: RowTargets,
}

/// A source of training rows.
pub trait Task {
    /// The rows of one step.
    fn rows(&mut self, rng: &mut ChaCha8Rng) -> Vec<Row>;
}

/// A trained network as plain tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// `[movies, width]`: the vector that a watched movie adds to the pooled sum.
    pub input: Array2<f32>,
    /// `[movies, width]`: the vector that meets the user's.
    pub output: Array2<f32>,
    /// `[movies]`.
    pub bias: Array1<f32>,
    /// `θ` by [`bucket`] of the history's length.
    pub popularity: [f32; BUCKETS],
    /// The same for the drift of popularity.
    pub drift: [f32; BUCKETS],
    /// The hidden layer, if there is one.
    pub hidden: Option<Hidden>,
    /// `[KNOTS, width]`: the vector that the year of the visit adds to the pooled sum, if the network is told the year.
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

/// A hidden layer under training.
struct HiddenLayer {
    first: Var,
    first_bias: Var,
    second: Var,
    second_bias: Var,
}

/// The parameters under training.
struct Parameters {
    input: Var,
    output: Var,
    input_content: Var,
    output_content: Var,
    bias: Var,
    popularity: Var,
    drift: Var,
    eras: Option<Var>,
    hidden: Option<HiddenLayer>,
}

impl Parameters {
    /// Initial parameters. Every trained tower depends on the order of the draws here.
    fn new(config: &MemberConfig, content: &Content, rng: &mut ChaCha8Rng) -> Result<Self> {
        let (movies, kinds, width) = (content.movies(), content.kinds(), config.width);
        let mut random = |rows: usize| initial::normal((rows, width), INITIAL_SPREAD, rng);
        // A network that isn't told the year draws the same numbers as if there were no eras.
        let eras = if config.eras { Some(random(KNOTS)?) } else { None };
        let (input, output) = (random(movies)?, random(movies)?);
        let (input_content, output_content) = (random(kinds)?, random(kinds)?);
        let mut uniform = |rows: usize, columns: usize, inputs: usize| {
            initial::uniform((rows, columns), 1.0 / (inputs as f32).sqrt(), rng)
        };
        let hidden = if config.hidden > 0 {
            Some(HiddenLayer {
                first: uniform(config.hidden, width, width)?,
                first_bias: uniform(1, config.hidden, width)?,
                second: uniform(width, config.hidden, config.hidden)?,
                second_bias: uniform(1, width, config.hidden)?,
            })
        } else {
            None
        };
        Ok(Self {
            input,
            output,
            input_content,
            output_content,
            bias: initial::filled((1, movies), 0.0)?,
            popularity: initial::filled((BUCKETS, 1), 1.0)?,
            drift: initial::filled((BUCKETS, 1), 1.0)?,
            eras,
            hidden,
        })
    }

    /// All parameters by name, in a fixed order.
    fn named(&self) -> impl Iterator<Item = (&'static str, &Var)> {
        let own = [
            ("input", &self.input),
            ("output", &self.output),
            ("input_content", &self.input_content),
            ("output_content", &self.output_content),
            ("bias", &self.bias),
            ("popularity", &self.popularity),
            ("drift", &self.drift),
        ];
        let eras = self.eras.iter().map(|eras| ("eras", eras));
        let hidden = self.hidden.iter().flat_map(|hidden| {
            [
                ("first", &hidden.first),
                ("first_bias", &hidden.first_bias),
                ("second", &hidden.second),
                ("second_bias", &hidden.second_bias),
            ]
        });
        own.into_iter().chain(eras).chain(hidden)
    }
}

/// A network under training.
struct Network {
    parameters: Parameters,
    content: Content,
    /// `[movies, 1 + drift]`: popularity, and how it drifts.
    popularity: Tensor,
    /// `[KNOTS, drift]`.
    drift: Tensor,
    eras: Eras,
    dropout: f32,
}

impl Network {
    fn new(config: &MemberConfig, side: &SideInformation, rng: &mut ChaCha8Rng) -> Result<Self> {
        let parameters = Parameters::new(config, &side.content, rng)?;
        let popularity = Array1::from_vec(side.popularity.clone()).insert_axis(Axis(1));
        let tensor = |table: Array2<f32>| Tensor::from_vec(table.iter().copied().collect(), table.dim(), &Device::Cpu);
        Ok(Self {
            parameters,
            content: side.content.clone(),
            popularity: tensor(concat_columns(&[&popularity, &side.drift.movies])?)?,
            drift: tensor(side.drift.eras.clone())?,
            eras: side.eras,
            dropout: config.dropout,
        })
    }

    /// The movies' own rows and those of their kinds, added up: `[movies, width]`.
    fn table(&self, own: &Var, of_kinds: &Var) -> Result<Tensor> {
        Ok((own.as_tensor() + self.content.pooled(of_kinds)?)?)
    }

    fn input(&self) -> Result<Tensor> {
        self.table(&self.parameters.input, &self.parameters.input_content)
    }

    fn output(&self) -> Result<Tensor> {
        self.table(&self.parameters.output, &self.parameters.output_content)
    }

    fn loss(&self, rows: Vec<Row>, rng: &mut ChaCha8Rng) -> Result<Tensor> {
        let parameters = &self.parameters;
        let count = rows.len();
        let buckets: Vec<u32> = rows.iter().map(|row| bucket(row.watched) as u32).collect();
        let buckets = Tensor::from_vec(buckets, count, &Device::Cpu)?;
        let (input, output) = (self.input()?, self.output()?);
        let mut user = input.apply_op1(pooling(&rows))?;
        let shares: Vec<f32> = rows.iter().flat_map(|row| self.eras.shares(row.year)).collect();
        let shares = Tensor::from_vec(shares, (count, KNOTS), &Device::Cpu)?;
        if let Some(eras) = &parameters.eras {
            user = (user + shares.matmul(eras)?)?;
        }
        if let Some(hidden) = &parameters.hidden {
            let inner = user.matmul(&hidden.first.t()?)?.broadcast_add(&hidden.first_bias)?;
            let inner = leaky_relu(&inner)?;
            user = (&user + inner.matmul(&hidden.second.t()?)?.broadcast_add(&hidden.second_bias)?)?;
        }
        let keep = 1.0 - self.dropout;
        let user = dropout(&user, f64::from(keep), 1.0 / keep, rng)?;
        // Popularity and its drift are more columns of the movies, and their weights more numbers of the user.
        let of_lengths = |weights: &Var| weights.index_select(&buckets, 0);
        let drift = shares.matmul(&self.drift)?.broadcast_mul(&of_lengths(&parameters.drift)?)?;
        let user = Tensor::cat(&[&user, &of_lengths(&parameters.popularity)?, &drift], D::Minus1)?.contiguous()?;
        let output = Tensor::cat(&[&output, &self.popularity], D::Minus1)?.contiguous()?;
        let bias = parameters.bias.reshape(self.content.movies())?;
        let targets: Vec<RowTargets> = rows.into_iter().map(|row| row.targets).collect();
        Ok(user.apply_op3(&output, &bias, SoftmaxCrossEntropy::new(targets))?)
    }

    fn finish(&self) -> Result<Member> {
        let parameters = &self.parameters;
        let table = |tensor: &Tensor| -> Result<Array2<f32>> {
            Ok(Array2::from_shape_vec(tensor.dims2()?, tensor.flatten_all()?.to_vec1()?)?)
        };
        let row = |var: &Var| -> Result<Array1<f32>> { Ok(Array1::from_vec(var.flatten_all()?.to_vec1()?)) };
        let hidden = |layer: &HiddenLayer| -> Result<Hidden> {
            Ok(Hidden {
                first: table(&layer.first)?,
                first_bias: row(&layer.first_bias)?,
                second: table(&layer.second)?,
                second_bias: row(&layer.second_bias)?,
            })
        };
        let by_length = |var: &Var| -> Result<[f32; BUCKETS]> {
            let mut weights = [0.0; BUCKETS];
            weights.iter_mut().zip(row(var)?).for_each(|(slot, value)| *slot = value);
            Ok(weights)
        };
        Ok(Member {
            input: table(&self.input()?)?,
            output: table(&self.output()?)?,
            bias: row(&parameters.bias)?,
            popularity: by_length(&parameters.popularity)?,
            drift: by_length(&parameters.drift)?,
            hidden: parameters.hidden.as_ref().map(hidden).transpose()?,
            eras: parameters.eras.as_ref().map(|eras| table(eras)).transpose()?,
        })
    }
}

/// The pooled sums of the rows' movies.
fn pooling(rows: &[Row]) -> HistoryMean {
    let slots = rows.iter().map(|row| row.slots.len()).max().unwrap_or(0).max(1);
    let (mut movies, mut factors) = (Vec::new(), Vec::new());
    for row in rows {
        // The operation takes a mean over the slots, so each factor makes up for their number.
        movies.extend(row.slots.iter().map(|(movie, _)| i64::from(*movie)));
        factors.extend(row.slots.iter().map(|(_, factor)| factor * slots as f32));
        movies.resize(movies.len() + slots - row.slots.len(), 0);
        factors.resize(factors.len() + slots - row.slots.len(), 0.0);
    }
    HistoryMean::new(movies, factors, slots)
}

/// Trains a network on the rows that `task` draws. `each` gets the loss of every step.
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
    let network = Network::new(config, side, rng)?;
    let mut adam = Adam::new(network.parameters.named()).with_weight_decay(config.weight_decay);
    let mut losses = Vec::with_capacity(config.steps);
    for step in 0..config.steps {
        let loss = network.loss(task.rows(rng), rng)?;
        let gradients = loss.backward()?;
        let progress = step as f64 / config.steps as f64;
        adam.step(&gradients, config.learning_rate * (1.0 + (std::f64::consts::PI * progress).cos()) / 2.0)?;
        let loss = loss.to_scalar::<f32>()?;
        ensure!(loss.is_finite(), "the loss of step {} isn't finite. Try a smaller learning rate.", step + 1);
        losses.push(loss);
        each(loss);
    }
    Ok((network.finish()?, losses))
}
