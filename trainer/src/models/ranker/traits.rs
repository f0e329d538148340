//! The movies' traits: how they are computed from users, and how `traits.safetensors` stores them.

use std::collections::BTreeMap;

use anyhow::Result;
use ndarray::{Array2, Axis};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use watchnext::catalog::Catalog;
use watchnext::traits::MovieTraits;

use super::{leaning, taste};
use crate::data::{User, item_factors};
use crate::math::bytes::{floats, int8};
use crate::math::embeddings::EmbeddingTable;

/// The length of a movie's audience vector.
const AUDIENCE_DIM: usize = 24;

/// Average ratings added to each movie's own.
const PRIOR_RATINGS: f32 = 5.0;

/// The variance of the added ratings.
const PRIOR_VARIANCE: f32 = 0.9;

/// See [`watchnext::traits`] for the tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitTables {
    /// The mean rating, the share of likes and the noise.
    everybody: [f32; 3],
    /// `[movies, 5]`.
    statistics: Vec<[f32; 5]>,
    taste: EmbeddingTable,
    audience: EmbeddingTable,
    titles: Option<EmbeddingTable>,
    /// `[columns of audience, TASTES]`.
    leaning: Array2<f32>,
}

impl TraitTables {
    /// The traits of a catalogue's movies, by the ratings of `users` and the titles' reduced embeddings, if there are
    /// any.
    ///
    /// # Errors
    /// No ratings, and matrices that can't be factorised.
    pub fn new(catalog: &Catalog, users: &[User], titles: Option<&EmbeddingTable>, seed: u64) -> Result<Self> {
        let taste = taste::fit(catalog, users, seed)?;
        let mut ratings: Vec<Vec<f32>> = vec![Vec::new(); catalog.len()];
        for event in users.iter().flat_map(|user| &user.events) {
            let Some(rating) = event.rating else { continue };
            ratings.get_mut(event.movie.as_usize()).into_iter().for_each(|all| all.push(rating.stars()));
        }
        let liked = |stars: &&f32| **stars >= watchnext::history::LIKED_STARS;
        let count = ratings.iter().map(Vec::len).sum::<usize>() as f32;
        let mean = ratings.iter().flatten().map(|stars| f64::from(*stars)).sum::<f64>() as f32 / count;
        let like_share = ratings.iter().flatten().filter(liked).count() as f32 / count;
        let of_movie = |(stars, expected): (&Vec<f32>, &f32)| {
            let count = stars.len() as f32 + PRIOR_RATINGS;
            let own_mean = (stars.iter().sum::<f32>() + PRIOR_RATINGS * mean) / count;
            let likes = stars.iter().filter(liked).count() as f32;
            let squares: f32 = stars.iter().map(|stars| (stars - own_mean).powi(2)).sum();
            let spread = ((squares + PRIOR_RATINGS * PRIOR_VARIANCE) / count).sqrt();
            [own_mean, *expected, (likes + PRIOR_RATINGS * like_share) / count, spread, stars.len() as f32]
        };
        let statistics = ratings.iter().zip(&taste.expected).map(of_movie).collect();
        let width = watchnext::traits::TASTES;
        let loadings = taste.loadings.iter().flatten().copied().collect();
        let loadings = Array2::from_shape_vec((catalog.len(), width), loadings)?;
        let lists: Vec<Vec<u32>> =
            users.iter().map(|user| user.events.iter().map(|event| event.movie.get()).collect()).collect();
        let audience = item_factors::viewer_vectors(catalog.len(), &lists, seed)?;
        let audience = audience.select(Axis(1), &(0..AUDIENCE_DIM.min(audience.ncols())).collect::<Vec<_>>());
        let audience = EmbeddingTable::fine(&audience);
        Ok(Self {
            everybody: [mean, like_share, taste.noise],
            statistics,
            taste: EmbeddingTable::fine(&loadings),
            leaning: leaning::fit(&lists, &audience.values(), &taste.users, seed)?,
            audience,
            titles: titles.cloned(),
        })
    }

    /// `traits.safetensors`.
    ///
    /// # Errors
    /// None: all tables have the catalogue's length.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let movies = self.statistics.len();
        let mut tensors = vec![
            ("everybody".to_owned(), Dtype::F32, vec![3], floats(self.everybody)),
            ("statistics".to_owned(), Dtype::F32, vec![movies, 5], floats(self.statistics.iter().flatten())),
            ("leaning".to_owned(), Dtype::F32, self.leaning.shape().to_vec(), floats(&self.leaning)),
        ];
        let tables =
            [("taste", Some(&self.taste)), ("audience", Some(&self.audience)), ("titles", self.titles.as_ref())];
        for (name, table) in tables {
            let Some(EmbeddingTable::Int8(values, scales)) = table else { continue };
            tensors.push((name.to_owned(), Dtype::I8, vec![values.nrows(), values.ncols()], int8(values)));
            tensors.push((format!("{name}_scale"), Dtype::F32, vec![values.nrows()], floats(scales)));
        }
        let views: BTreeMap<&str, TensorView<'_>> = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<_>>()?;
        Ok(safetensors::serialize(views, None)?)
    }

    /// The traits as the browser reads them, so that training sees the numbers that ship, rounded to 8 bits.
    ///
    /// # Errors
    /// Traits that the library refuses.
    pub fn load(&self, catalog: &Catalog) -> Result<MovieTraits> {
        Ok(MovieTraits::from_safetensors(&self.bytes()?, catalog)?)
    }
}
