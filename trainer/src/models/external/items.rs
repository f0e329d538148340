//! The items' vectors, as the scan takes them: a table and a bias. A score is `q · x + b`.

use anyhow::{Context, Result, bail, ensure};
use ndarray::Array2;
use watchnext::bundle::Source;
use watchnext::index::InnerProductIndex;

use super::arrays::{self, Kind, names};
use super::given::GivenFile;
use super::request::{Metric, PackRequest, Storage};
use crate::math::embeddings::EmbeddingTable;

/// The items' vectors as the bundle stores them, and as they were given.
#[derive(Debug)]
pub struct Items {
    /// `[items, dim]`, as it is stored.
    pub table: EmbeddingTable,
    /// `[items]`.
    pub bias: Vec<f32>,
    exact: Array2<f32>,
    exact_bias: Vec<f32>,
}

/// How much is lost by storing vectors in 8 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// The share of the exact scan's best items that the stored vectors find too, averaged over the histories.
    pub recall: f64,
    /// How many best items: 100, or half the catalogue if that is fewer.
    pub among: usize,
    /// Over how many histories.
    pub histories: usize,
}

impl Cost {
    /// The cost in a sentence.
    pub fn describe(&self) -> String {
        format!(
            "The vectors are stored in 8 bits with a scale an item. Their scan finds {:.2} % of the exact scan's \
             best {}, averaged over {} histories.",
            self.recall * 100.0,
            self.among,
            self.histories
        )
    }
}

impl Items {
    /// Reads the vectors and their bias for a catalogue of `count` items.
    ///
    /// # Errors
    /// Files and options that don't go together, another number of vectors than of items, numbers that aren't finite,
    /// and vectors that the metric can't take.
    pub(super) fn read(request: &PackRequest, count: usize) -> Result<(Self, Vec<Source>)> {
        let file = GivenFile::read(&request.items, "--items")?;
        let path = request.items.display();
        let mut sources = Vec::new();
        let (embedding, bias) = match Kind::of(&request.items) {
            Some(Kind::Npy) => {
                let bias = match &request.bias {
                    Some(path) => {
                        ensure!(
                            Kind::of(path) == Some(Kind::Npy),
                            "{}, given with --bias, isn't a .npy. Save it with numpy.save.",
                            path.display()
                        );
                        let file = GivenFile::read(path, "--bias")?;
                        sources.push(file.source(count));
                        Some((path.display().to_string(), arrays::npy(&file)?))
                    }
                    None => None,
                };
                (arrays::npy(&file)?, bias)
            }
            Some(Kind::Safetensors) => {
                ensure!(
                    request.bias.is_none(),
                    "--bias goes with vectors of a .npy. Put the tensor `bias` into {path} next to `embedding`."
                );
                let mut tensors = arrays::named(&file)?;
                let embedding = tensors.remove("embedding").with_context(|| {
                    format!(
                        "{path} has no tensor `embedding`; it has {}. Name the items' vectors `embedding`.",
                        names(&tensors)
                    )
                })?;
                (embedding, tensors.remove("bias").map(|bias| (format!("{path}: `bias`"), bias)))
            }
            _ => bail!("{path}, given with --items, is neither a .npy nor a .safetensors. Save it as one of them."),
        };
        sources.insert(0, file.source(count));
        let vectors =
            arrays::table(&embedding).with_context(|| format!("{path} can't be used as the items' vectors"))?;
        let (rows, dim) = vectors.dim();
        ensure!(
            dim > 0,
            "{path}: its shape is [{rows}, 0], so its vectors are empty. Write one number or more for each item."
        );
        ensure!(
            rows == count,
            "{path} has {rows} vectors and {} has {count} items. Write a row for each vector, in their order, and \
             none for the padding.",
            request.catalog.display()
        );
        let bias = bias.map(|(place, bias)| read_bias(&place, &bias, count)).transpose()?;
        Ok((Self::new(vectors, bias, request)?, sources))
    }

    fn new(mut vectors: Array2<f32>, bias: Option<Vec<f32>>, request: &PackRequest) -> Result<Self> {
        ensure!(
            bias.is_none() || request.metric == Metric::Dot,
            "--metric {} can't use a bias. Leave the bias out, or use --metric dot.",
            request.metric
        );
        if request.metric == Metric::Cosine {
            for (row, mut vector) in vectors.rows_mut().into_iter().enumerate() {
                let length = vector.dot(&vector).sqrt();
                ensure!(
                    length.is_normal(),
                    "{}: the vector in row {row}, counted from 0, has the length {length} and so no direction. \
                     Remove the item, or use --metric dot.",
                    request.items.display()
                );
                vector /= length;
            }
        }
        let table = match request.precision {
            Storage::Int8 => EmbeddingTable::fine(&vectors),
            Storage::Float => EmbeddingTable::Float(vectors.clone()),
        };
        let bias_of = |vectors: &Array2<f32>| match (request.metric, &bias) {
            // ‖q − x‖² = ‖q‖² − 2 (q · x − ‖x‖² / 2), and the first part is the same for all items.
            (Metric::L2, _) => vectors.rows().into_iter().map(|row| row.dot(&row) / -2.0).collect(),
            (_, Some(bias)) => bias.clone(),
            (_, None) => vec![0.0; vectors.nrows()],
        };
        // By the stored vectors' own lengths, so that the scan orders the stored vectors exactly.
        let stored = bias_of(&table.values());
        ensure!(
            stored.iter().all(|bias| bias.is_finite()),
            "{}: its vectors are too long for --metric l2. Divide them and the user's vector by a constant.",
            request.items.display()
        );
        Ok(Self { table, bias: stored, exact_bias: bias_of(&vectors), exact: vectors })
    }

    /// The length of a vector.
    pub fn dim(&self) -> usize {
        self.table.dim().1
    }

    /// The cost of 8 bits, measured by these users' vectors. There is none for vectors that are stored as floats.
    ///
    /// # Errors
    /// Vectors that the index refuses.
    pub fn cost(&self, users: &[Vec<f32>]) -> Result<Option<Cost>> {
        let EmbeddingTable::Int8(codes, scales) = &self.table else { return Ok(None) };
        let exact = InnerProductIndex::new(&self.exact, &self.exact_bias)?;
        let stored = InnerProductIndex::from_codes(codes, scales.clone(), self.bias.clone())?;
        let among = (stored.len() / 2).clamp(1, 100);
        let mut found = 0_usize;
        for user in users {
            let best = |index: &InnerProductIndex| -> Result<Vec<usize>> {
                Ok(index.search(user, among, |_| true)?.into_iter().map(|(row, _)| row).collect())
            };
            let of_stored = best(&stored)?;
            found += best(&exact)?.into_iter().filter(|row| of_stored.contains(row)).count();
        }
        let recall = found as f64 / (among * users.len()).max(1) as f64;
        Ok(Some(Cost { recall, among, histories: users.len() }))
    }
}

fn read_bias(place: &str, bias: &candle_core::Tensor, count: usize) -> Result<Vec<f32>> {
    let (shape, values) = arrays::floats(bias).with_context(|| format!("{place} can't be used as the items' bias"))?;
    ensure!(
        shape == [count],
        "{place} has the shape {shape:?}, but the items' bias is [{count}]. Save one number an item."
    );
    if let Some((row, value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        bail!("{place}: the bias of row {row}, counted from 0, is {value}. Save a finite number.");
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::data::Layout;

    fn request(metric: Metric, precision: Storage) -> PackRequest {
        PackRequest {
            layout: Layout::default(),
            user_tower: "tower.onnx".into(),
            items: "vectors.npy".into(),
            bias: None,
            catalog: "items.csv".into(),
            name: None,
            metric,
            precision,
            recorded: None,
            ratings: None,
            command: String::new(),
        }
    }

    fn vectors() -> Array2<f32> {
        Array2::from_shape_fn((40, 6), |(row, column)| {
            (row * 6 + column) as f32 % 7.0 - 3.0 + ((row + 1) as f32 * 0.37 * (column + 1) as f32).sin()
        })
    }

    /// The scan's order is the metric's own, worked out plainly.
    #[test]
    fn each_metric_orders_as_it_says() {
        let (vectors, user) = (vectors(), vec![0.5, -1.0, 2.0, 0.1, 0.7, -0.3]);
        let at = ndarray::arr1(&user);
        for metric in [Metric::Dot, Metric::Cosine, Metric::L2] {
            let items = Items::new(vectors.clone(), None, &request(metric, Storage::Float)).unwrap();
            let index = InnerProductIndex::new(&items.table.values(), &items.bias).unwrap();
            let found: Vec<usize> = index.search(&user, 40, |_| true).unwrap().iter().map(|(row, _)| *row).collect();
            let value = |row: usize| match metric {
                Metric::Dot => vectors.row(row).dot(&at),
                Metric::Cosine => vectors.row(row).dot(&at) / vectors.row(row).dot(&vectors.row(row)).sqrt(),
                Metric::L2 => -(&vectors.row(row) - &at).mapv(|value| value * value).sum(),
            };
            let mut expected: Vec<usize> = (0..40).collect();
            expected.sort_by(|one, other| value(*other).total_cmp(&value(*one)));
            assert_eq!(found, expected, "{metric}");
        }
    }

    #[test]
    fn eight_bits_cost_little_and_floats_nothing() {
        let users: Vec<Vec<f32>> =
            (0..9).map(|at| (0..6).map(|column| (at * 6 + column) as f32 % 5.0 - 2.0).collect()).collect();
        let items = Items::new(vectors(), None, &request(Metric::L2, Storage::Int8)).unwrap();
        let cost = items.cost(&users).unwrap().unwrap();
        assert!(cost.recall > 0.95 && cost.among == 20 && cost.histories == 9, "{cost:?}");
        let floats = Items::new(vectors(), None, &request(Metric::L2, Storage::Float)).unwrap();
        assert_eq!(floats.cost(&users).unwrap(), None);
    }
}
