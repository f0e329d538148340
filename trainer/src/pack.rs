//! From a trained model to a bundle on disk, and back to a loaded recommender.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use ndarray::Array2;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::Serialize;
use watchnext::bundle::{FORMAT_VERSION, FileEntry, Manifest, MovieEmbeddings, Role, Source, Training, sha256_hex};
use watchnext::catalog::{Catalog, MovieId};
use watchnext::features::reaction::ReactionHistory;
use watchnext::features::{FEATURES_VERSION, HISTORY_LEN, LocalTime, history_inputs, time_features};
use watchnext::history::History;
use watchnext::links::Links;
use watchnext::model::{TOWER_INPUTS, TowerInputs, YEAR_INPUT};
use watchnext::recommend::Recommender;

use crate::commit::commit;
use crate::compact::CompactStates;
use crate::export::user_tower;
use crate::links::read_links;
use crate::map::{self, DrawnMap};
use crate::network::Network;
use crate::ranker::Ranker;
use crate::split::TrainingRows;
use crate::tower::folded::Tower;
use crate::tower::table::Table;

/// A trained model that can be packed: its two files, and its own arithmetic, to which tract is held.
pub trait Model {
    /// The ONNX user tower.
    ///
    /// # Errors
    /// A parameter that can't be read.
    fn onnx(&self) -> Result<Vec<u8>>;

    /// How many slots the ONNX model's history has.
    fn history_len(&self) -> usize {
        HISTORY_LEN
    }

    /// Whether the ONNX model has an input of this name.
    fn asks_for(&self, input: &str) -> bool {
        TOWER_INPUTS.contains(&input)
    }

    /// What meets the user's vector, with its bias, `[movies]`.
    ///
    /// # Errors
    /// A parameter that can't be read.
    fn movies(&self) -> Result<(Table, Vec<f32>)>;

    /// The user's vector `[dim]` by the trainer's own arithmetic.
    ///
    /// # Errors
    /// What the arithmetic refuses.
    fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>>;
}

impl Model for Network {
    fn onnx(&self) -> Result<Vec<u8>> {
        user_tower(self)
    }

    fn movies(&self) -> Result<(Table, Vec<f32>)> {
        let weight = &self.movie_weight;
        let embedding = Array2::from_shape_vec(weight.dims2()?, weight.flatten_all()?.to_vec1()?)?;
        Ok((Table::Float(embedding), self.movie_bias.to_vec1()?))
    }

    fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        let rows = TrainingRows {
            history: inputs.history.movies.clone(),
            rated_weights: inputs.history.weights.clone(),
            time: inputs.time.to_vec(),
            target: vec![0],
        };
        Ok(self.user_vectors(&rows, inputs.history.weights.clone())?.flatten_all()?.to_vec1()?)
    }
}

impl Model for Tower {
    fn onnx(&self) -> Result<Vec<u8>> {
        Ok(Self::onnx(self))
    }

    fn asks_for(&self, input: &str) -> bool {
        TOWER_INPUTS.contains(&input) || (input == YEAR_INPUT && Self::asks_for_year(self))
    }

    fn movies(&self) -> Result<(Table, Vec<f32>)> {
        Ok((self.movies.clone(), self.bias.clone()))
    }

    fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        Ok(Self::user_vector(self, &inputs.history, inputs.year))
    }
}

/// `movies.safetensors`.
fn movies_file(table: &Table, bias: &[f32]) -> Result<Vec<u8>> {
    let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let (movies, dim) = table.dim();
    let (element, embedding, scale) = match table {
        Table::Float(values) => (Dtype::F32, floats(&values.iter().copied().collect::<Vec<_>>()), None),
        Table::Int8(values, scales) => {
            (Dtype::I8, values.iter().map(|value| value.cast_unsigned()).collect(), Some(floats(scales)))
        }
    };
    let bias = floats(bias);
    let mut tensors = BTreeMap::from([
        ("embedding", TensorView::new(element, vec![movies, dim], &embedding)?),
        ("bias", TensorView::new(Dtype::F32, vec![movies], &bias)?),
    ]);
    if let Some(scale) = &scale {
        tensors.insert("scale", TensorView::new(Dtype::F32, vec![movies], scale)?);
    }
    Ok(safetensors::serialize(tensors, None)?)
}

/// The files that a bundle may do without, by role.
const OPTIONAL: [(Role, &str); 5] = [
    (Role::States, "states.safetensors"),
    (Role::Ranker, "ranker.onnx"),
    (Role::Traits, "traits.safetensors"),
    (Role::Links, "links.json"),
    (Role::Map, "map.safetensors"),
];

/// A bundle's files in memory, by role.
#[derive(Debug)]
pub struct Packed {
    /// `manifest.json` before its bytes are made.
    pub manifest: Manifest,
    files: Vec<(Role, &'static str, Vec<u8>)>,
    parity: Parity,
}

/// The user vectors `[rows, STATE_DIM]` of rows whose histories are clicks alone.
pub fn click_vectors(network: &Network, rows: &TrainingRows) -> Result<Array2<f32>> {
    let mut weights = rows.rated_weights.clone();
    crate::train::forget_ratings(&mut weights);
    let vectors = network.user_vectors(rows, weights)?;
    Ok(Array2::from_shape_vec(vectors.dims2()?, vectors.flatten_all()?.to_vec1()?)?)
}

impl Packed {
    /// Packs a model with its catalogue and, where there are any, its compact states.
    ///
    /// # Errors
    /// What the model can't give.
    pub fn new(
        model: &dyn Model,
        catalog: &Catalog,
        states: Option<&CompactStates>,
        name: &str,
        training: Training,
    ) -> Result<Self> {
        let (movies, bias) = model.movies()?;
        let mut files = vec![
            (Role::Catalog, "catalog.json", catalog.to_json()?),
            (Role::UserTower, "user_tower.onnx", model.onnx()?),
            (Role::Movies, "movies.safetensors", movies_file(&movies, &bias)?),
        ];
        files.extend(states.map(|states| (Role::States, "states.safetensors", states.bytes.clone())));
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            features_version: FEATURES_VERSION,
            name: name.to_owned(),
            movies: catalog.len(),
            dim: movies.dim().1,
            files: files.iter().map(|(role, path, bytes)| entry(*role, path, bytes)).collect(),
            training,
            held_out: BTreeMap::new(),
        };
        let parity = parity_cases(model, catalog)?;
        Ok(Self { manifest, files, parity })
    }

    /// Adds the second stage, and to the parity cases what its own arithmetic answers.
    ///
    /// # Errors
    /// Tables that can't be written.
    pub fn with_ranker(mut self, ranker: &Ranker, catalog: &Catalog) -> Result<Self> {
        let traits = ranker.traits.load(catalog)?;
        for case in &mut self.parity.cases {
            let (history, moment) = &case.asked;
            let history = ReactionHistory::new(catalog, &traits, history.watches());
            let movies = case.top.iter().filter_map(|id| catalog.index_of(MovieId(*id)));
            let like = |movie| ranker.network.reactions(&history.features(movie, moment)).last().copied();
            case.likes = movies.filter_map(like).collect();
        }
        let files = [
            (Role::Ranker, "ranker.onnx", ranker.network.onnx()),
            (Role::Traits, "traits.safetensors", ranker.traits.bytes()?),
        ];
        self.manifest.files.extend(files.iter().map(|(role, path, bytes)| entry(*role, path, bytes)));
        self.files.extend(files);
        Ok(self)
    }

    /// Adds what the movies are called elsewhere, which `source` says.
    ///
    /// # Errors
    /// Links that can't be written.
    pub fn with_links(mut self, links: &Links, source: Source) -> Result<Self> {
        let file = links_file(links)?;
        name_source(&mut self.manifest, source);
        self.add(file);
        Ok(self)
    }

    /// Draws the map of the movies that were packed, and adds it.
    ///
    /// # Errors
    /// As [`map::draw`], and what the library refuses of the bundle.
    pub fn with_map(mut self) -> Result<(Self, DrawnMap)> {
        let Manifest { movies, dim, .. } = self.manifest;
        let embeddings = MovieEmbeddings::from_safetensors(self.file(Role::Movies).unwrap_or_default(), movies, dim)?;
        let drawn = map::draw(&self.recommender()?, &embeddings.embedding)?;
        self.add(map_file(&drawn)?);
        Ok((self, drawn))
    }

    fn add(&mut self, file: (Role, &'static str, Vec<u8>)) {
        let (role, path, bytes) = &file;
        self.manifest.files.extend([entry(*role, path, bytes)]);
        self.files.push(file);
    }

    fn file(&self, role: Role) -> Option<&[u8]> {
        self.files.iter().find(|(name, ..)| *name == role).map(|(.., bytes)| bytes.as_slice())
    }

    /// Loads what was packed, exactly as a browser would, whatever is optional included.
    pub fn recommender(&self) -> Result<Recommender> {
        load(&serde_json::to_vec(&self.manifest)?, |role| self.file(role))
    }

    /// Makes these files the bundle of `folder`, with `parity.json` beside them. Killed at any moment, it leaves the old bundle whole
    /// or the new one; see [`commit`](mod@crate::commit).
    ///
    /// # Errors
    /// A folder that can't be written to.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let files: Vec<_> = self.files.iter().map(|(_, path, bytes)| (*path, bytes.as_slice())).collect();
        let retired: Vec<_> = OPTIONAL.iter().filter(|(role, _)| !self.manifest.files.contains_key(role)).collect();
        commit(folder, &self.manifest, &files, &retired.iter().map(|(_, path)| *path).collect::<Vec<_>>())?;
        let parity = folder.join("parity.json");
        fs::write(&parity, serde_json::to_vec(&self.parity)?)
            .with_context(|| format!("{} can't be written. Free the disk or mend the rights.", parity.display()))
    }
}

/// Reads a bundle's folder.
///
/// # Errors
/// A missing file, with its path, and every defect that the library finds.
pub fn read_bundle(folder: &Path) -> Result<Recommender> {
    let BundleFiles { manifest, files } = read_files(folder)?;
    load(&manifest, |role| files.get(&role).map(Vec::as_slice))
}

/// A bundle's files as they lie in its folder.
struct BundleFiles {
    manifest: Vec<u8>,
    /// By role.
    files: BTreeMap<Role, Vec<u8>>,
}

fn read_files(folder: &Path) -> Result<BundleFiles> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).with_context(|| {
            format!(
                "{} can't be read. Give a bundle's folder, as `trainer train` writes it, with --bundle.",
                path.display()
            )
        })
    };
    let manifest = read("manifest.json")?;
    let entries = Manifest::from_json(&manifest)?.files;
    let files = entries.into_iter().map(|(role, entry)| Ok((role, read(&entry.path)?))).collect::<Result<_>>()?;
    Ok(BundleFiles { manifest, files })
}

/// Loads a bundle with whatever is optional of it.
fn load<'bytes>(manifest: &[u8], file: impl Fn(Role) -> Option<&'bytes [u8]>) -> Result<Recommender> {
    let mut recommender = Recommender::load(manifest, &file)?;
    if let Some(states) = file(Role::States) {
        recommender.load_states(states)?;
    }
    if let (Some(ranker), Some(traits)) = (file(Role::Ranker), file(Role::Traits)) {
        recommender.load_ranker(ranker, traits)?;
    }
    if let Some(links) = file(Role::Links) {
        recommender.load_links(links)?;
    }
    if let Some(map) = file(Role::Map) {
        recommender.load_map(map)?;
    }
    Ok(recommender)
}

/// What [`renew`] wrote.
#[derive(Debug)]
pub struct Renewed {
    /// The bundle's new manifest.
    pub manifest: Manifest,
    /// The new map.
    pub map: DrawnMap,
}

/// Gives a bundle on disk its links, if the folder of its `data` has them, and its map, the very bytes that training on the same
/// data writes. Its other files stay as they are.
///
/// # Errors
/// As [`read_bundle`], [`read_links`] and [`map::draw`], and a folder that can't be written to.
pub fn renew(folder: &Path, data: &Path) -> Result<Renewed> {
    let BundleFiles { manifest: bytes, mut files } = read_files(folder)?;
    let mut manifest = Manifest::from_json(&bytes)?;
    // What is about to be replaced may be of another catalogue.
    for role in [Role::Links, Role::Map] {
        files.remove(&role);
    }
    let recommender = load(&bytes, |role| files.get(&role).map(Vec::as_slice))?;
    let mut new = Vec::new();
    if let Some((links, source)) = read_links(data, recommender.catalog())? {
        new.push(links_file(&links)?);
        name_source(&mut manifest, source);
    }
    let movies = files.get(&Role::Movies).map(Vec::as_slice).unwrap_or_default();
    let embeddings = MovieEmbeddings::from_safetensors(movies, manifest.movies, manifest.dim)?;
    let map = map::draw(&recommender, &embeddings.embedding)?;
    new.push(map_file(&map)?);
    manifest.files.extend(new.iter().map(|(role, path, bytes)| entry(*role, path, bytes)));
    let changed: Vec<_> = new.iter().map(|(_, path, bytes)| (*path, bytes.as_slice())).collect();
    commit(folder, &manifest, &changed, &[])?;
    Ok(Renewed { manifest, map })
}

/// Puts a file among those that the bundle was made from, after the ratings, in place of an earlier one of its name.
fn name_source(manifest: &mut Manifest, source: Source) {
    manifest.training.sources.retain(|known| known.name != source.name);
    manifest.training.sources.push(source);
}

/// The links as a file of the bundle.
fn links_file(links: &Links) -> Result<(Role, &'static str, Vec<u8>)> {
    Ok((Role::Links, "links.json", links.to_json()?))
}

/// The map as a file of the bundle.
fn map_file(map: &DrawnMap) -> Result<(Role, &'static str, Vec<u8>)> {
    Ok((Role::Map, "map.safetensors", map.bytes()?))
}

/// A file as the manifest states it.
fn entry(role: Role, path: &str, bytes: &[u8]) -> (Role, FileEntry) {
    let optional = OPTIONAL.iter().any(|(known, _)| *known == role);
    (role, FileEntry { path: path.to_owned(), bytes: bytes.len() as u64, sha256: sha256_hex(bytes), optional })
}

/// `parity.json`: what the trainer's own network answers, for the tests that hold tract, ONNX Runtime and the browser to it.
#[derive(Debug, Serialize)]
struct Parity {
    cases: Vec<ParityCase>,
}

/// One history at one moment.
#[derive(Debug, Serialize)]
struct ParityCase {
    request: ParityRequest,
    inputs: ParityInputs,
    user_vector: Vec<f32>,
    /// The ids of the ten best movies that weren't watched, in the first stage's order.
    top: Vec<u32>,
    /// How likely a like of each of them is, if there is a second stage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    likes: Vec<f32>,
    /// The request as the library takes it.
    #[serde(skip)]
    asked: (History, LocalTime),
}

/// The request as the browser's API takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ParityRequest {
    history: Vec<ParityWatch>,
    time_ms: i64,
    utc_offset_minutes: i32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ParityWatch {
    movie_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<f32>,
}

/// The user tower's inputs, of which it may leave out all but the first.
#[derive(Debug, Serialize)]
struct ParityInputs {
    history: [Vec<i64>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<[Vec<f32>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<[Vec<f32>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<[[f32; 1]; 1]>,
}

fn parity_cases(model: &dyn Model, catalog: &Catalog) -> Result<Parity> {
    // No movie, one, a few with ratings, and more than the tower sees; moments in different quarters, parts of the day and
    // zones.
    let well_known: Vec<MovieId> =
        catalog.wall(60).iter().filter_map(|movie| catalog.movie(*movie)).map(|movie| movie.id).collect();
    let few = [Some(5.0), None, Some(0.5), Some(3.5), None];
    let plain = |count: usize| well_known.iter().take(count).map(|id| (*id, None)).collect::<Vec<_>>();
    let rated = well_known.iter().rev().copied().zip(few).collect();
    let cases = [
        (plain(0), 1_700_000_000_i64, 0),
        (plain(1), 1_709_208_000, 330),
        (plain(3), 1_720_000_000, -480),
        (rated, 1_735_689_599, 60),
        (plain(60), 951_782_400, 0),
    ];
    let cases =
        cases.into_iter().map(|(watched, seconds, offset)| parity_case(model, catalog, watched, seconds, offset));
    Ok(Parity { cases: cases.collect::<Result<_>>()? })
}

fn parity_case(
    model: &dyn Model,
    catalog: &Catalog,
    watched: Vec<(MovieId, Option<f32>)>,
    seconds: i64,
    offset: i32,
) -> Result<ParityCase> {
    let (history, unknown) = History::from_ids(catalog, watched.iter().copied())?;
    if !unknown.is_empty() {
        bail!("the catalogue doesn't know its own movies {unknown:?}");
    }
    let moment = LocalTime::from_unix(seconds, offset)?;
    let inputs = TowerInputs {
        history: history_inputs(history.watches(), catalog.len(), model.history_len()),
        time: time_features(&moment),
        year: moment.year_with_fraction(),
    };
    let vector = model.user_vector(&inputs)?;
    let (movies, bias) = model.movies()?;
    let seen = history.seen(catalog.len());
    let score = |row: usize| {
        let row = movies.row(row).unwrap_or_default();
        row.iter().zip(&vector).map(|(movie, user)| movie * user).sum::<f32>()
    };
    let mut ranked: Vec<(f32, usize)> = bias
        .iter()
        .zip(0..)
        .filter(|(_, row)| !seen.get(*row).copied().unwrap_or(true))
        .map(|(bias, row)| (score(row) + bias, row))
        .collect();
    ranked.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    let top =
        ranked.iter().take(10).filter_map(|(_, row)| catalog.movies().get(*row)).map(|movie| movie.id.0).collect();
    let [_, weights, time] = TOWER_INPUTS;
    let watches = watched.iter().map(|(id, rating)| ParityWatch { movie_id: id.0, rating: *rating }).collect();
    Ok(ParityCase {
        request: ParityRequest { history: watches, time_ms: seconds * 1000, utc_offset_minutes: offset },
        inputs: ParityInputs {
            weights: model.asks_for(weights).then_some([inputs.history.weights]),
            history: [inputs.history.movies],
            time: model.asks_for(time).then(|| [inputs.time.to_vec()]),
            year: model.asks_for(YEAR_INPUT).then_some([[inputs.year]]),
        },
        user_vector: vector,
        top,
        likes: Vec::new(),
        asked: (history, moment),
    })
}
