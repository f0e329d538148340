//! `traits.safetensors`: the ranker's tables about each movie.
//!
//! | tensor | type | holds |
//! |---|---|---|
//! | `everybody` | F32 `[3]` | the mean rating, the share of likes, the variance about what taste predicts |
//! | `statistics` | F32 `[movies, 5]` | see [`Statistics`] |
//! | `taste`, `taste_scale` | I8 `[movies, TASTES]`, F32 `[movies]` | the taste model's, see [`MovieTraits::loading`] |
//! | `audience`, `audience_scale` | I8 `[movies, any]`, F32 `[movies]` | movies with the same viewers are near |
//! | `titles`, `titles_scale` | I8 `[movies, any]`, F32 `[movies]` | embeddings of the titles, reduced; optional |
//! | `leaning` | F32 `[audience, TASTES]` | from watched movies to taste, see [`MovieTraits::lean`]; optional |

use safetensors::tensor::{Dtype, SafeTensors};

use crate::bundle::{Role, floats, tensor, tensors};
use crate::catalog::{Catalog, DEFAULT_RELEASE_YEAR, Movie};
use crate::error::{Error, Result};

/// The file, as errors name it.
const FILE: Role = Role::Traits;

/// How many numbers a visitor's taste has.
pub const TASTES: usize = 24;

/// How much the decade counts compared with one genre when two movies' kinds are compared.
const DECADE_SHARE: f32 = 0.7;

/// Statistics of a movie's ratings, all shrunk towards everybody's.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Statistics {
    /// The mean rating, 0.5 to 5.
    pub mean: f32,
    /// The rating that the taste model expects from an unknown user.
    pub expected: f32,
    /// The share of likes, 0 to 1.
    pub like_share: f32,
    /// The standard deviation of its ratings, above 0.
    pub spread: f32,
    /// How many ratings there are.
    pub ratings: f32,
}

impl Statistics {
    /// How well known the movie is: the logarithm of its ratings, about 0 to 1.5.
    pub fn known(&self) -> f32 {
        self.ratings.ln_1p() / 5.0
    }
}

/// Means over all ratings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Everybody {
    /// The mean rating.
    pub mean: f32,
    /// The share of likes.
    pub like_share: f32,
    /// The variance of a rating about the one that taste predicts, above 0.
    pub noise: f32,
    /// The mean of [`Statistics::expected`].
    pub expected: f32,
    /// The mean of [`Statistics::known`].
    pub known: f32,
}

/// A vector for each movie.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    width: usize,
    /// `[movies, width]`.
    values: Vec<f32>,
    /// One over each vector's length, 0 for a vector of zeros.
    inverse_lengths: Vec<f32>,
}

impl Vectors {
    fn new(width: usize, values: Vec<f32>) -> Self {
        let inverse_lengths = values.chunks_exact(width.max(1)).map(|row| {
            let length = dot(row, row).sqrt();
            if length > 0.0 { 1.0 / length } else { 0.0 }
        });
        Self { width, inverse_lengths: inverse_lengths.collect(), values }
    }

    /// The length of a vector; 0 if there are none.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// A movie's vector; empty for a movie that isn't there.
    pub fn row(&self, row: usize) -> &[f32] {
        let start = row.saturating_mul(self.width);
        self.values.get(start..start.saturating_add(self.width)).unwrap_or_default()
    }

    /// The cosine of two movies, −1 to 1; 0 for one that isn't there or has no direction.
    pub fn cosine(&self, one: usize, other: usize) -> f32 {
        let inverse_length = |row: usize| self.inverse_lengths.get(row).copied().unwrap_or_default();
        dot(self.row(one), self.row(other)) * inverse_length(one) * inverse_length(other)
    }
}

/// The inner product of two vectors.
pub fn dot(one: &[f32], other: &[f32]) -> f32 {
    // Four sums at a time, which the compiler turns into vector instructions.
    let ((ones, one_rest), (others, other_rest)) = (one.as_chunks::<4>(), other.as_chunks::<4>());
    let mut sums = [0.0_f32; 4];
    for (one, other) in ones.iter().zip(others) {
        for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
            *sum += one * other;
        }
    }
    sums.iter().sum::<f32>() + one_rest.iter().zip(other_rest).map(|(one, other)| one * other).sum::<f32>()
}

/// The movies' kinds: their genres, as sets of bits, and the first years of their decades.
#[derive(Debug, Clone, PartialEq)]
struct Kinds {
    /// How many words of 64 bits a movie's genres take.
    words: usize,
    /// `[movies, words]`.
    genres: Vec<u64>,
    decades: Vec<u16>,
    /// One over the root of a movie's product with itself, which is above 0.
    inverse_lengths: Vec<f32>,
}

impl Kinds {
    fn new(catalog: &Catalog) -> Self {
        let words = catalog.genres().len().div_ceil(64).max(1);
        let mut genres = vec![0_u64; catalog.len() * words];
        for (set, movie) in genres.chunks_exact_mut(words).zip(catalog.movies()) {
            for genre in &movie.genres {
                if let Some(word) = set.get_mut(usize::from(*genre) / 64) {
                    *word |= 1 << (genre % 64);
                }
            }
        }
        let decades = catalog.movies().iter().map(decade).collect();
        let kinds = Self { words, genres, decades, inverse_lengths: Vec::new() };
        let inverse_lengths = (0..catalog.len()).map(|row| 1.0 / kinds.product(row, row).sqrt()).collect();
        Self { inverse_lengths, ..kinds }
    }

    fn set(&self, row: usize) -> &[u64] {
        let start = row.saturating_mul(self.words);
        self.genres.get(start..start.saturating_add(self.words)).unwrap_or_default()
    }

    fn product(&self, one: usize, other: usize) -> f32 {
        let shared: u32 =
            self.set(one).iter().zip(self.set(other)).map(|(one, other)| (one & other).count_ones()).sum();
        let is_same_decade = self.decades.get(one) == self.decades.get(other);
        shared as f32 + if is_same_decade { DECADE_SHARE * DECADE_SHARE } else { 0.0 }
    }

    fn cosine(&self, one: usize, other: usize) -> f32 {
        let inverse_length = |row: usize| self.inverse_lengths.get(row).copied().unwrap_or_default();
        self.product(one, other) * inverse_length(one) * inverse_length(other)
    }
}

fn decade(movie: &Movie) -> u16 {
    let year = movie.year.unwrap_or(DEFAULT_RELEASE_YEAR);
    year - year % 10
}

/// The whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct MovieTraits {
    statistics: Vec<Statistics>,
    everybody: Everybody,
    /// The loadings of taste.
    loadings: Vectors,
    /// The loadings less their mean. Their directions tell movies apart.
    tastes: Vectors,
    /// By who watched them.
    pub audience: Vectors,
    /// By their titles; of width 0 if the bundle has none.
    pub titles: Vectors,
    /// `[audience.width()]` of `[TASTES]`; empty if the file doesn't have it.
    leaning: Vec<[f32; TASTES]>,
    kinds: Kinds,
}

impl MovieTraits {
    /// Reads the file of a bundle with this catalogue.
    ///
    /// # Errors
    /// [`Error::TensorInvalid`], [`Error::ShapeMismatch`], [`Error::NonFinite`].
    pub fn from_safetensors(bytes: &[u8], catalog: &Catalog) -> Result<Self> {
        let (file, movies) = (tensors(FILE, bytes)?, catalog.len());
        let all = floats(FILE, &file, "everybody", &[Some(3)])?;
        let rows = floats(FILE, &file, "statistics", &[Some(movies), Some(5)])?;
        let (rows, _) = rows.as_chunks::<5>();
        let statistics: Vec<Statistics> = rows
            .iter()
            .map(|[mean, expected, like_share, spread, ratings]| Statistics {
                mean: *mean,
                expected: *expected,
                like_share: *like_share,
                spread: *spread,
                ratings: *ratings,
            })
            .collect();
        let [mean, like_share, noise] = *all.as_slice() else {
            return Err(invalid("`everybody` doesn't hold three numbers".to_owned()));
        };
        if noise <= 0.0 {
            return Err(invalid(format!("the variance in `everybody` is {noise}, which isn't above 0")));
        }
        if statistics.iter().any(|movie| movie.mean < 0.0 || movie.ratings < 0.0) {
            return Err(invalid("`statistics` has a negative mean or number of ratings".to_owned()));
        }
        let weights: Vec<f32> = statistics.iter().map(|movie| movie.ratings).collect();
        let total = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        let mean_of = |value: fn(&Statistics) -> f32| {
            statistics.iter().zip(&weights).map(|(movie, weight)| weight * value(movie)).sum::<f32>() / total
        };
        let everybody = Everybody {
            mean,
            like_share,
            noise,
            expected: mean_of(|movie| movie.expected),
            known: mean_of(Statistics::known),
        };
        let loadings = vectors(&file, "taste", movies)?;
        if loadings.width != TASTES {
            return Err(invalid(format!("`taste` has {} numbers a movie instead of {TASTES}", loadings.width)));
        }
        let tastes = less_mean(&loadings, &weights, total);
        let titles = match file.tensor("titles").is_ok() {
            true => vectors(&file, "titles", movies)?,
            false => Vectors::new(0, Vec::new()),
        };
        let audience = vectors(&file, "audience", movies)?;
        let leaning = match file.tensor("leaning").is_ok() {
            true => floats(FILE, &file, "leaning", &[Some(audience.width), Some(TASTES)])?,
            false => Vec::new(),
        };
        let leaning = leaning.as_chunks::<TASTES>().0.to_vec();
        let kinds = Kinds::new(catalog);
        Ok(Self { statistics, everybody, loadings, tastes, audience, titles, leaning, kinds })
    }

    /// A movie's statistics; those of a movie that isn't there are zeros.
    pub fn statistics(&self, row: usize) -> Statistics {
        self.statistics.get(row).copied().unwrap_or_default()
    }

    /// The means over all ratings.
    pub const fn everybody(&self) -> &Everybody {
        &self.everybody
    }

    /// A movie's loadings `w`, `[TASTES]`: a visitor of taste `z` is expected to rate it `expected + w · z`.
    pub fn loading(&self, row: usize) -> &[f32] {
        self.loadings.row(row)
    }

    /// The expected taste of a visitor who watched these movies, whatever their ratings. It is a linear function of the
    /// sum of the movies' audience vectors over `√(n + 1)` for `n` movies, since one movie says little. Zeros if
    /// nothing was watched or the file has no `leaning`.
    pub fn lean(&self, watched: impl ExactSizeIterator<Item = usize>) -> [f32; TASTES] {
        let length = (watched.len() as f32 + 1.0).sqrt();
        let mut sums = vec![0.0_f32; self.audience.width];
        for row in watched {
            sums.iter_mut().zip(self.audience.row(row)).for_each(|(sum, value)| *sum += value);
        }
        let mut taste = [0.0; TASTES];
        for (sum, line) in sums.iter().zip(&self.leaning) {
            taste.iter_mut().zip(line).for_each(|(taste, value)| *taste += sum / length * value);
        }
        taste
    }

    /// The cosine of two movies' loadings less the mean.
    pub fn taste_cosine(&self, one: usize, other: usize) -> f32 {
        self.tastes.cosine(one, other)
    }

    /// The cosine of two movies' genres and decades.
    pub fn genre_cosine(&self, one: usize, other: usize) -> f32 {
        self.kinds.cosine(one, other)
    }
}

fn invalid(reason: String) -> Error {
    Error::TensorInvalid { file: FILE.to_string(), reason }
}

/// Vectors of 8-bit numbers with a scale for each movie.
fn vectors(file: &SafeTensors<'_>, name: &str, movies: usize) -> Result<Vectors> {
    let scales = floats(FILE, file, &format!("{name}_scale"), &[Some(movies)])?;
    let view = tensor(FILE, file, name, Dtype::I8, &[Some(movies), None])?;
    let width = view.shape().get(1).copied().unwrap_or_default();
    let rows = view.data().chunks_exact(width.max(1)).zip(&scales);
    let values = rows.flat_map(|(row, scale)| row.iter().map(move |byte| f32::from(byte.cast_signed()) * scale));
    let values: Vec<f32> = values.collect();
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Error::NonFinite { place: format!("{FILE}: {name}") });
    }
    Ok(Vectors::new(width, values))
}

/// The vectors less their mean, weighted by the movies' ratings.
fn less_mean(vectors: &Vectors, weights: &[f32], total: f32) -> Vectors {
    let mut mean = vec![0.0; vectors.width];
    for (row, weight) in vectors.values.chunks_exact(vectors.width.max(1)).zip(weights) {
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += weight / total * value);
    }
    let rows = vectors.values.chunks_exact(vectors.width.max(1));
    let values = rows.flat_map(|row| row.iter().zip(&mean).map(|(value, mean)| value - mean));
    Vectors::new(vectors.width, values.collect())
}
