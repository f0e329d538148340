//! The trained parts as one tower: wide tables side by side, reduced, and stored in 8 bits.

use anyhow::{Context, Result};
use ndarray::{Array1, Array2, Axis, s};
use watchnext::features::HISTORY_LEN;
use watchnext::model::TowerInputs;

use super::compress::{Reduced, covariance, reduce};
use super::config::{Precision, TowerConfig};
use super::eras::{Eras, KNOTS};
use super::gains::{self, BUCKETS, Gains};
use super::member::{Hidden, Member, SideInformation};
use super::sampler::fading;
use crate::data::item_factors::Factors;
use crate::math::concat_columns;
use crate::math::embeddings::EmbeddingTable;
use crate::nn::leaky_relu::NEGATIVE_SLOPE;

/// The least weight of popularity, because the channels are divided by the weight.
const LEAST_POPULARITY: f32 = 0.05;

/// A channel's arithmetic after its movies are pooled: `skip · z + bias + second · leaky(first · z + first_bias)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// `[movies, pooled]`.
    pub table: EmbeddingTable,
    /// `[out, pooled]`.
    pub skip: Array2<f32>,
    /// `[out]`.
    pub bias: Array1<f32>,
    /// The hidden layer, if any.
    pub hidden: Option<Layer>,
    /// `[KNOTS, pooled]`: the vector that the year of the visit adds to the pooled sum, if any network is told the
    /// year.
    pub eras: Option<Array2<f32>>,
}

/// A channel's hidden layer. Its bias at the output is part of the channel's.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// `[hidden, pooled]`.
    pub first: EmbeddingTable,
    /// `[hidden]`.
    pub first_bias: Array1<f32>,
    /// `[out, hidden]`.
    pub second: EmbeddingTable,
}

/// The whole tower.
#[derive(Debug, Clone, PartialEq)]
pub struct Tower {
    /// The channel of a few clicks.
    pub clicks: Channel,
    /// The channel of a long history's end, if there is one.
    pub sequence: Option<Channel>,
    /// The factors of both channels and of popularity's drift at each length of the history: `[HISTORY_LEN + 1]` for a
    /// history in no order, and as many for one in order if there is a sequence channel.
    pub gains: Vec<[f32; 3]>,
    /// How much a disliked movie takes from the click channel's sum.
    pub dislike: f32,
    /// The knots of the years.
    pub eras: Eras,
    /// `[KNOTS, drift_dim]`: the user vector's part for the drift of popularity, without columns if there is no drift.
    pub drift: Array2<f32>,
    /// The vectors that meet the user's, `[movies, dim]`.
    pub movies: EmbeddingTable,
    /// `[movies]`: popularity.
    pub bias: Vec<f32>,
}

/// Networks side by side, whose logits are averaged.
struct Wide {
    /// `[movies, columns]`.
    input: Array2<f32>,
    /// `[movies, columns + 1]`. The last column is the bias, which meets a constant 1.
    output: Array2<f32>,
    hidden: Option<Hidden>,
    /// `[KNOTS, columns]`, if any network is told the year.
    eras: Option<Array2<f32>>,
}

impl Wide {
    fn new(members: &[Member], matrices: &[(&Factors, f32)]) -> Result<Self> {
        let share = 1.0 / members.len().max(1) as f32;
        let mut inputs: Vec<Array2<f32>> = members.iter().map(|member| member.input.clone()).collect();
        let mut outputs: Vec<Array2<f32>> = members.iter().map(|member| &member.output * share).collect();
        for (factors, weight) in matrices {
            inputs.push(factors.input.clone());
            outputs.push(&factors.output * *weight);
        }
        let bias = members.iter().map(|member| &member.bias * share).reduce(|sum, bias| sum + bias);
        outputs.push(bias.context("a channel needs at least one network")?.insert_axis(Axis(1)));
        let input = concat_columns(&inputs.iter().collect::<Vec<_>>())?;
        let output = concat_columns(&outputs.iter().collect::<Vec<_>>())?;
        let hidden = side_by_side(members, input.ncols());
        let eras = eras_side_by_side(members, input.ncols());
        Ok(Self { input, output, hidden, eras })
    }

    /// The channel in `dim` columns, and its part of the movies' table `[movies, dim]`.
    fn reduce(&self, weights: &[f32], dim: usize, precision: Precision) -> Result<(Channel, Array2<f32>)> {
        let columns = self.input.ncols();
        let output_covariance = covariance(&self.output.slice(s![.., ..columns]).to_owned(), weights);
        // Both movies' and years' rows are pooled. All years together count as much as all movies.
        let total: f32 = weights.iter().sum();
        let movies = self.input.nrows();
        let (pooled, weights_of_pooled) = match &self.eras {
            Some(eras) => {
                let of_eras = vec![total / eras.nrows() as f32; eras.nrows()];
                (ndarray::concatenate(Axis(0), &[self.input.view(), eras.view()])?, [weights, &of_eras].concat())
            }
            None => (self.input.clone(), weights.to_vec()),
        };
        let input = reduce(&pooled, &weights_of_pooled, &output_covariance, dim)?;
        // A user's vector varies as the rows that it is pooled from, and its last number is always 1.
        let mut metric = Array2::zeros((columns + 1, columns + 1));
        let spread = covariance(&pooled, &weights_of_pooled) / f64::from(total);
        metric.slice_mut(s![..columns, ..columns]).assign(&spread);
        metric.slice_mut(s![columns.., columns..]).fill(1.0);
        let Reduced { table, decoder } = reduce(&self.output, weights, &metric, dim)?;
        let (encoder, constant) = decoder.view().split_at(Axis(1), columns);
        let mut bias = constant.sum_axis(Axis(1));
        let unfold = input.decoder.t();
        let hidden = self.hidden.as_ref().map(|hidden| {
            bias += &encoder.dot(&hidden.second_bias);
            let table = |values: Array2<f32>| match precision {
                Precision::Float => EmbeddingTable::Float(values),
                Precision::Int8 { .. } => EmbeddingTable::fine(&values),
            };
            Layer {
                first: table(hidden.first.dot(&unfold)),
                first_bias: hidden.first_bias.clone(),
                second: table(encoder.dot(&hidden.second)),
            }
        });
        let (table_of_movies, table_of_eras) = input.table.view().split_at(Axis(0), movies);
        let channel = Channel {
            table: precision.table(table_of_movies.to_owned(), weights),
            skip: encoder.dot(&unfold),
            bias,
            hidden,
            eras: self.eras.as_ref().map(|_| table_of_eras.to_owned()),
        };
        Ok((channel, table))
    }
}

/// The hidden layers of `members`, each over its own columns of `columns`.
fn side_by_side(members: &[Member], columns: usize) -> Option<Hidden> {
    let units = members.iter().filter_map(|member| member.hidden.as_ref()).map(|hidden| hidden.first.nrows()).sum();
    if units == 0 {
        return None;
    }
    let mut wide = Hidden {
        first: Array2::zeros((units, columns)),
        first_bias: Array1::zeros(units),
        second: Array2::zeros((columns, units)),
        second_bias: Array1::zeros(columns),
    };
    let (mut column, mut unit) = (0, 0);
    for member in members {
        let width = member.input.ncols();
        if let Some(hidden) = &member.hidden {
            let end = unit + hidden.first.nrows();
            wide.first.slice_mut(s![unit..end, column..column + width]).assign(&hidden.first);
            wide.first_bias.slice_mut(s![unit..end]).assign(&hidden.first_bias);
            wide.second.slice_mut(s![column..column + width, unit..end]).assign(&hidden.second);
            wide.second_bias.slice_mut(s![column..column + width]).assign(&hidden.second_bias);
            unit = end;
        }
        column += width;
    }
    Some(wide)
}

/// The years' vectors of `members`, each in its own columns of `columns`.
fn eras_side_by_side(members: &[Member], columns: usize) -> Option<Array2<f32>> {
    members.iter().any(|member| member.eras.is_some()).then(|| {
        let mut wide = Array2::zeros((KNOTS, columns));
        let mut column = 0;
        for member in members {
            let end = column + member.input.ncols();
            if let Some(own) = &member.eras {
                wide.slice_mut(s![.., column..end]).assign(own);
            }
            column = end;
        }
        wide
    })
}

/// The parts of a tower.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'parts> {
    /// The click channel's networks.
    pub clicks: &'parts [Member],
    /// Movies that are liked together.
    pub liked_together: &'parts Factors,
    /// Movies that the same users rated.
    pub rated_together: &'parts Factors,
    /// The linear autoencoder.
    pub linear: &'parts Factors,
    /// The sequence channel's networks.
    pub sequences: &'parts [Member],
    /// Movies that follow each other. Without them there is no sequence channel.
    pub followers: Option<&'parts Factors>,
}

impl Parts<'_> {
    /// The factors of the channels and of the drift of popularity, all over popularity's weight: dividing a list's
    /// scores by one number keeps its order, and then popularity needs no column of its own.
    fn gains(&self, gains: &Gains) -> [f32; 3] {
        let both = |weights: fn(&Member) -> &[f32; BUCKETS]| {
            let of = |members: &[Member]| mean(members, weights).get(gains.bucket).copied().unwrap_or(1.0);
            gains.clicks * of(self.clicks) + gains.sequence * of(self.sequences)
        };
        let popularity = both(|member| &member.popularity).max(LEAST_POPULARITY);
        let drift = both(|member| &member.drift);
        let confidence = gains.confidence / popularity;
        [gains.clicks * confidence, gains.sequence * confidence, drift / popularity]
    }
}

/// The mean of the networks' weights by the history's length.
fn mean(members: &[Member], weights: fn(&Member) -> &[f32; BUCKETS]) -> [f32; BUCKETS] {
    let at = |at: usize| {
        members.iter().filter_map(|member| weights(member).get(at)).sum::<f32>() / members.len().max(1) as f32
    };
    std::array::from_fn(at)
}

impl Tower {
    /// Folds the networks and the item-item matrices into one tower.
    ///
    /// # Errors
    /// A channel without a network, and eigenvalues that don't converge.
    pub fn fold(parts: &Parts, side: &SideInformation, config: &TowerConfig) -> Result<Self> {
        // A movie's errors matter as often as it is clicked or suggested.
        let weights: Vec<f32> = side.popularity.iter().map(|log| log.exp()).collect();
        let alike = [
            (parts.liked_together, config.liked_weight),
            (parts.rated_together, config.rated_weight),
            (parts.linear, config.linear_weight),
        ];
        let clicks = Wide::new(parts.clicks, &alike)?;
        let (clicks, click_movies) = clicks.reduce(&weights, config.click_dim, config.precision)?;
        let sequence = match parts.followers {
            Some(followers) => {
                let sequence = Wide::new(parts.sequences, &[(followers, config.follower_weight)])?;
                Some(sequence.reduce(&weights, config.sequence_dim, config.precision)?)
            }
            None => None,
        };
        let (sequence, sequence_movies) = sequence.unzip();
        let gains = |in_order: bool| {
            let TowerConfig { first_click, sequence_in_clicks, clicks_in_sequence, .. } = *config;
            let gains = gains::by_length(first_click, sequence_in_clicks, clicks_in_sequence, in_order);
            let of_parts = |gains: &Gains| parts.gains(gains);
            gains.iter().map(of_parts).collect::<Vec<_>>()
        };
        let orders: &[bool] = if sequence.is_some() { &[false, true] } else { &[false] };
        let has_drift = config.drift_dim > 0;
        let movies: Vec<&Array2<f32>> = std::iter::once(&click_movies)
            .chain(&sequence_movies)
            .chain(has_drift.then_some(&side.drift.movies))
            .collect();
        Ok(Self {
            clicks,
            sequence,
            gains: orders.iter().flat_map(|in_order| gains(*in_order)).collect(),
            dislike: config.dislike,
            eras: side.eras,
            drift: if has_drift { side.drift.eras.clone() } else { Array2::zeros((KNOTS, 0)) },
            movies: config.precision.table(concat_columns(&movies)?, &weights),
            bias: side.popularity.clone(),
        })
    }

    /// The user's vector `[dim]`, as the ONNX graph computes it.
    pub fn user_vector(&self, inputs: &TowerInputs) -> Vec<f32> {
        let history = &inputs.history;
        let slots = history.movies.iter().zip(&history.weights).zip(&history.likes);
        let watched: Vec<(usize, f32, f32)> = slots
            .filter(|((_, weight), _)| **weight > 0.0)
            .map(|((movie, weight), like)| (usize::try_from(*movie).unwrap_or(usize::MAX), *weight, *like))
            .collect();
        let count = watched.len();
        let liked = watched.iter().filter(|(.., like)| *like > 0.0).count();
        let root = (liked.max(1) as f32).sqrt();
        let in_order = self.sequence.is_some() && inputs.in_order > 0.0;
        let (length, first) = if in_order { (count, HISTORY_LEN + 1) } else { (liked, 0) };
        let [click_gain, sequence_gain, drift_gain] =
            self.gains.get(first + length.min(HISTORY_LEN)).copied().unwrap_or([1.0, 0.0, 1.0]);
        let shares = self.eras.shares(inputs.year);
        let factor = |like: f32| (like.max(0.0) - self.dislike * (-like).max(0.0)) / root;
        let clicks = self.clicks.apply(watched.iter().map(|(movie, _, like)| (*movie, factor(*like))), &shares);
        let fading_root = (0..count).map(fading).sum::<f32>().max(1e-6).sqrt();
        let slots = watched.iter().rev().enumerate();
        let sequence = slots.map(|(ago, (movie, weight, _))| (*movie, fading(ago) * weight / fading_root));
        let sequence = self.sequence.as_ref().map(|channel| channel.apply(sequence, &shares) * sequence_gain);
        let drift = self.drift.t().dot(&Array1::from_iter(shares)) * drift_gain;
        (clicks * click_gain).into_iter().chain(sequence.into_iter().flatten()).chain(drift).collect()
    }

    /// Whether the year of the visit has a part in the vector.
    pub fn asks_for_year(&self) -> bool {
        let of_year = |channel: &Channel| channel.eras.is_some();
        self.drift.ncols() > 0 || of_year(&self.clicks) || self.sequence.as_ref().is_some_and(of_year)
    }
}

impl Channel {
    fn apply(&self, slots: impl Iterator<Item = (usize, f32)>, shares: &[f32; KNOTS]) -> Array1<f32> {
        let mut pooled = Array1::zeros(self.table.dim().1);
        for (movie, factor) in slots {
            if let Some(row) = self.table.row(movie) {
                pooled.scaled_add(factor, &Array1::from_vec(row));
            }
        }
        for (row, share) in self.eras.iter().flat_map(|eras| eras.rows()).zip(shares) {
            pooled.scaled_add(*share, &row);
        }
        let mut out = self.skip.dot(&pooled) + &self.bias;
        if let Some(hidden) = &self.hidden {
            let inner = hidden.first.values().dot(&pooled) + &hidden.first_bias;
            out += &hidden.second.values().dot(&inner.mapv(|value| value.max(value * NEGATIVE_SLOPE as f32)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::models::tower::content::Content;
    use crate::models::tower::eras::Drift;
    use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
    use watchnext::features::LocalTime;
    use watchnext::history::{Rating, Watch};

    fn wave(rows: usize, columns: usize, step: f32) -> Array2<f32> {
        Array2::from_shape_fn((rows, columns), |(row, column)| ((row * columns + column) as f32 * step).sin())
    }

    fn member(movies: usize, width: usize, hidden: usize, step: f32) -> Member {
        let layer = (hidden > 0).then(|| Hidden {
            first: wave(hidden, width, step),
            first_bias: wave(1, hidden, 0.3).row(0).to_owned(),
            second: wave(width, hidden, step * 1.7),
            second_bias: wave(1, width, 0.9).row(0).to_owned(),
        });
        Member {
            input: wave(movies, width, step * 0.77),
            output: wave(movies, width, step * 1.31),
            bias: wave(1, movies, step * 0.2).row(0).to_owned(),
            popularity: [0.8; BUCKETS],
            drift: [0.8; BUCKETS],
            hidden: layer,
            eras: None,
        }
    }

    fn logits(member: &Member, slots: &[(usize, f32)]) -> Array1<f32> {
        let mut z = Array1::zeros(member.input.ncols());
        slots.iter().for_each(|(movie, factor)| z.scaled_add(*factor, &member.input.row(*movie)));
        let mut user = z.clone();
        if let Some(hidden) = &member.hidden {
            let inner = hidden.first.dot(&z) + &hidden.first_bias;
            user += &(hidden.second.dot(&inner.mapv(|v| v.max(0.2 * v))) + &hidden.second_bias);
        }
        member.output.dot(&user) + &member.bias
    }

    /// With as many columns as the networks have, folding only rearranges: the scores are the mean of the networks'
    /// logits, the matrix and popularity, all over popularity's weight.
    #[test]
    fn folding_keeps_the_scores_where_nothing_is_cut() {
        let members = [member(40, 6, 5, 0.9), member(40, 4, 0, 0.61)];
        let liked_together = Factors { input: wave(40, 3, 0.5), output: wave(40, 3, 0.7) };
        let rated_together = Factors { input: wave(40, 2, 0.8), output: wave(40, 2, 1.1) };
        let linear = Factors { input: wave(40, 1, 0.6), output: wave(40, 1, 0.9) };
        let sequences = [member(40, 5, 0, 0.43)];
        let followers = Factors { input: wave(40, 2, 0.3), output: wave(40, 2, 0.2) };
        let popularity: Vec<f32> = (0..40).map(|movie| (movie as f32 * 0.1).cos()).collect();
        let config = TowerConfig {
            first_click: 1.0,
            sequence_in_clicks: 0.0,
            linear_weight: 0.5,
            click_dim: 17,
            sequence_dim: 8,
            precision: Precision::Float,
            ..TowerConfig::default()
        };
        let parts = Parts {
            clicks: &members,
            liked_together: &liked_together,
            rated_together: &rated_together,
            linear: &linear,
            sequences: &sequences,
            followers: Some(&followers),
        };
        let heat =
            Movie { id: MovieId(6), key: None, title: "Heat".to_owned(), year: None, genres: Vec::new(), ratings: 1 };
        let catalog = Catalog::new(Vec::new(), vec![heat]).unwrap();
        let side = SideInformation {
            content: Content::new(&catalog),
            popularity: popularity.clone(),
            eras: Eras::spanning([]),
            drift: Drift { eras: Array2::zeros((KNOTS, 2)), movies: Array2::zeros((40, 2)) },
        };
        let tower = Tower::fold(&parts, &side, &config).unwrap();
        // The fourth is neither liked nor disliked, and has no part in the answer.
        let watched = [3_usize, 17, 22];
        let watch = |(row, stars): (usize, Option<f32>)| Watch {
            movie: MovieIndex::new(row).unwrap(),
            rating: stars.and_then(Rating::new),
        };
        let watches = [(3, None), (17, Some(4.5)), (22, None), (30, Some(3.5))].map(watch);
        let moment = LocalTime::from_unix(946_684_800, 0).unwrap();
        let vector = tower.user_vector(&TowerInputs::new(&watches, 40, HISTORY_LEN, &moment, false));
        let vector = Array1::from_vec(vector);
        let EmbeddingTable::Float(movies) = &tower.movies else { panic!("nothing is quantised here") };
        let found = movies.dot(&vector) + &Array1::from_vec(tower.bias.clone());
        let slots: Vec<(usize, f32)> = watched.iter().map(|movie| (*movie, 1.0 / 3_f32.sqrt())).collect();
        let matrix = |factors: &Factors| {
            let mut z = Array1::zeros(factors.input.ncols());
            slots.iter().for_each(|(movie, factor)| z.scaled_add(*factor, &factors.input.row(*movie)));
            factors.output.dot(&z)
        };
        let alike = matrix(&liked_together) * config.liked_weight
            + matrix(&rated_together) * config.rated_weight
            + matrix(&linear) * config.linear_weight;
        let mean = (logits(&members[0], &slots) + logits(&members[1], &slots)) / 2.0;
        let expected = (mean + alike) / 0.8 + Array1::from_vec(popularity);
        assert!((&found - &expected).iter().all(|error| error.abs() < 2e-3), "{found} against {expected}");
    }
}
