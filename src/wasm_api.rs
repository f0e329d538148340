//! The library's interface for JavaScript. This is the only file that uses wasm-bindgen; it converts and delegates.

use std::cell::OnceCell;

use js_sys::{Float32Array, Object, Reflect, Uint8Array, Uint32Array, WebAssembly};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use web_sys::WorkerGlobalScope;

use crate::bundle::{FORMAT_VERSION, Role};
use crate::catalog::{MovieId, MovieIndex};
use crate::error::Error;
use crate::features::{FEATURES_VERSION, LocalTime};
use crate::filter::{Fame, Filter};
use crate::history::History;
use crate::index::{CODE_LANES, STREAMS, relaxed};
use crate::lists::{ListFormat, MatchedBy, UnmatchedReason, WatchedList};
use crate::reasons::Reason;
use crate::recommend::{self, DEFAULT_LIMIT, DEFAULT_NOVELTY, Retrieval, Strategy};

type JsResult<T> = Result<T, JsValue>;

/// A library error as a JavaScript `Error` with its stable `code`.
fn js_error(error: Error) -> JsValue {
    let thrown = js_sys::Error::new(&error.to_string());
    thrown.set_name("WatchNextError");
    // Setting a property of a new object can't fail. If it did, the message would still be worth throwing.
    let _ = Reflect::set(&thrown, &"code".into(), &error.code().into());
    thrown.into()
}

fn request_error(reason: impl ToString) -> JsValue {
    js_error(Error::RequestInvalid { reason: reason.to_string() })
}

fn to_js(value: &impl Serialize) -> JsResult<JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(request_error)
}

/// Runs `work` and reports its duration to the worker's performance observers and to a running profiler. No entry stays
/// in the timeline: nobody would clear it.
fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let performance = js_sys::global().dyn_into::<WorkerGlobalScope>().ok().and_then(|scope| scope.performance());
    let started = performance.as_ref().is_some_and(|performance| performance.mark(name).is_ok());
    let result = work();
    if let Some(performance) = performance.filter(|_| started) {
        // The visitor gets the answer even if the measurement fails.
        let _ = performance.measure_with_start_mark(name, name);
        performance.clear_marks_with_mark_name(name);
        performance.clear_measures_with_measure_name(name);
    }
    result
}

/// A movie as the page shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MovieView<'catalog> {
    movie_id: MovieId,
    /// The owner's own id, such as an ISBN, in catalogues whose ids aren't numbers.
    key: Option<&'catalog str>,
    title: &'catalog str,
    year: Option<u16>,
    genres: Vec<&'catalog str>,
    ratings: u32,
    /// The id as IMDb writes it, if the links are loaded.
    imdb: Option<String>,
    tmdb: Option<u32>,
}

#[derive(Serialize)]
struct SuggestionView<'catalog> {
    #[serde(flatten)]
    movie: MovieView<'catalog>,
    score: f32,
    like: Option<f32>,
    lift: Option<f32>,
}

#[derive(Serialize)]
struct Answer<'catalog> {
    suggestions: Vec<SuggestionView<'catalog>>,
    unknown: Vec<MovieId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReasonView {
    movie_id: MovieId,
    share: f32,
}

#[derive(Serialize)]
struct ListView<'catalog> {
    format: ListFormat,
    rows: usize,
    matched: Vec<MatchView<'catalog>>,
    unmatched: Vec<UnmatchedView>,
}

#[derive(Serialize)]
struct MatchView<'catalog> {
    #[serde(flatten)]
    movie: MovieView<'catalog>,
    rating: Option<f32>,
    by: MatchedBy,
}

#[derive(Serialize)]
struct UnmatchedView {
    row: usize,
    title: Option<String>,
    year: Option<u16>,
    reason: &'static str,
    detail: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'manifest> {
    name: &'manifest str,
    movies: usize,
    genres: &'manifest [String],
    decades: Vec<u16>,
    retrievals: Vec<Retrieval>,
    format_version: u32,
    features_version: u32,
    default_novelty: f32,
    ranker: bool,
    links: bool,
    map: bool,
    dataset: &'manifest str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a request")]
struct Request {
    history: Vec<WatchRequest>,
    time_ms: f64,
    utc_offset_minutes: i32,
    limit: Option<usize>,
    #[serde(default)]
    retrieval: Retrieval,
    novelty: Option<f32>,
    /// The older name of `novelty`.
    diversity: Option<f32>,
    #[serde(default)]
    in_order: bool,
    genres: Option<Vec<String>>,
    decades: Option<Vec<u16>>,
    fame: Option<Fame>,
    exclude: Option<Vec<u32>>,
}

impl Request {
    /// Takes the filter out of the request.
    fn take_filter(&mut self) -> Filter {
        Filter {
            genres: self.genres.take().unwrap_or_default(),
            decades: self.decades.take().unwrap_or_default(),
            fame: self.fame,
            exclude: self.exclude.take().unwrap_or_default().into_iter().map(MovieId).collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a watched movie")]
struct WatchRequest {
    movie_id: u32,
    rating: Option<f32>,
}

/// A loaded bundle.
#[wasm_bindgen]
pub struct Recommender(recommend::Recommender);

#[wasm_bindgen]
impl Recommender {
    /// Loads a bundle from the bytes of `manifest.json` and an object of role → bytes for the required files. `digests`
    /// is an object of role → SHA-256, for the files that the browser has hashed already.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8], files: &Object, digests: &Object) -> JsResult<Recommender> {
        let bytes_of = |object: &Object, role: &str| -> JsResult<Option<Vec<u8>>> {
            Ok(Reflect::get(object, &role.into())?.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec()))
        };
        let mut found = Vec::new();
        for role in Role::ALL.into_iter().filter(|role| role.is_required()) {
            found.push((role, bytes_of(files, role.as_str())?, bytes_of(digests, role.as_str())?));
        }
        let file = |role: Role| {
            let (_, bytes, sha256) = found.iter().find(|(own, ..)| *own == role)?;
            Some((bytes.as_deref()?, sha256.as_deref()))
        };
        recommend::Recommender::load_hashed(manifest, file).map(Self).map_err(js_error)
    }

    /// Facts about the bundle, and which of its optional parts are loaded.
    pub fn info(&self) -> JsResult<JsValue> {
        let manifest = self.0.manifest();
        to_js(&Info {
            name: &manifest.name,
            movies: manifest.movies,
            genres: self.0.catalog().genres(),
            decades: self.0.catalog().decades(),
            retrievals: self.0.retrievals(),
            format_version: FORMAT_VERSION,
            features_version: FEATURES_VERSION,
            default_novelty: DEFAULT_NOVELTY,
            ranker: self.0.has_ranker(),
            links: self.0.links().is_some(),
            map: self.0.map().is_some(),
            dataset: &manifest.training.dataset,
        })
    }

    /// Movies whose titles match, best first.
    pub fn search(&self, query: &str, limit: usize) -> JsResult<JsValue> {
        self.views(self.0.catalog().search(query, limit))
    }

    /// Well-known and varied movies to start from. With a request, movies that its visitor has most likely seen,
    /// without those in its `history` and `exclude`, and not filtered otherwise. One function, because each costs
    /// code to download.
    pub fn wall(&self, limit: usize, request: JsValue) -> JsResult<JsValue> {
        let catalog = self.0.catalog();
        if request.is_undefined() {
            return self.views(catalog.wall(limit));
        }
        let (mut request, history, _, moment) = self.parse(request)?;
        let exclude: Vec<MovieIndex> =
            request.take_filter().exclude.into_iter().filter_map(|id| catalog.index_of(id)).collect();
        self.views(self.0.wall(&history, &moment, &exclude, limit).map_err(js_error)?)
    }

    /// The movies with these ids, null for an unknown id.
    pub fn movies(&self, ids: &[u32]) -> JsResult<JsValue> {
        let catalog = self.0.catalog();
        let views: Vec<Option<MovieView<'_>>> =
            ids.iter().map(|id| catalog.index_of(MovieId(*id)).and_then(|movie| self.view(movie))).collect();
        to_js(&views)
    }

    /// Suggestions for a history at a moment, among the movies that pass the request's filter.
    pub fn suggest(&self, request: JsValue) -> JsResult<JsValue> {
        let (mut request, history, unknown, moment) = self.parse(request)?;
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT.min(self.0.catalog().len()));
        let strategy = Strategy {
            retrieval: request.retrieval,
            novelty: request.novelty.or(request.diversity).unwrap_or(DEFAULT_NOVELTY),
            first_stage_alone: false,
            in_order: request.in_order,
        };
        let filter = request.take_filter();
        let found = timed("watchnext:suggest", || self.0.suggest_among(&filter, &history, &moment, limit, strategy));
        let found = found.map_err(js_error)?;
        let view = |suggestion: recommend::Suggestion| {
            let recommend::Suggestion { movie, score, like, lift } = suggestion;
            Some(SuggestionView { movie: self.view(movie)?, score, like, lift })
        };
        to_js(&Answer { suggestions: found.into_iter().filter_map(view).collect(), unknown })
    }

    /// The user vector of a request.
    #[wasm_bindgen(js_name = userVector)]
    pub fn user_vector(&self, request: JsValue) -> JsResult<Vec<f32>> {
        let (_, history, _, moment) = self.parse(request)?;
        self.0.user_vector(&history, &moment).map_err(js_error)
    }

    /// Adds the states from the bytes of their file.
    #[wasm_bindgen(js_name = loadStates)]
    pub fn load_states(&mut self, bytes: &[u8]) -> JsResult<()> {
        self.0.load_states(bytes).map_err(js_error)
    }

    /// Adds the ranker from the bytes of its two files.
    #[wasm_bindgen(js_name = loadRanker)]
    pub fn load_ranker(&mut self, ranker: &[u8], traits: &[u8]) -> JsResult<()> {
        self.0.load_ranker(ranker, traits).map_err(js_error)
    }

    /// Adds the links from the bytes of their file.
    #[wasm_bindgen(js_name = loadLinks)]
    pub fn load_links(&mut self, bytes: &[u8]) -> JsResult<()> {
        self.0.load_links(bytes).map_err(js_error)
    }

    /// Adds the map from the bytes of its file.
    #[wasm_bindgen(js_name = loadMap)]
    pub fn load_map(&mut self, bytes: &[u8]) -> JsResult<()> {
        self.0.load_map(bytes).map_err(js_error)
    }

    /// For each of these movies, at most `most` watched movies that speak for it, strongest first. None for an unknown
    /// id.
    pub fn reasons(&self, request: JsValue, movie_ids: &[u32], most: usize) -> JsResult<JsValue> {
        let (_, history, _, moment) = self.parse(request)?;
        let catalog = self.0.catalog();
        let asked: Vec<Option<MovieIndex>> = movie_ids.iter().map(|id| catalog.index_of(MovieId(*id))).collect();
        let known: Vec<MovieIndex> = asked.iter().copied().flatten().collect();
        let found = timed("watchnext:reasons", || self.0.reasons(&history, &moment, &known, most)).map_err(js_error)?;
        let view = |reason: Reason| Some(ReasonView { movie_id: catalog.movie(reason.movie)?.id, share: reason.share });
        let mut found = found.into_iter().map(|reasons| reasons.into_iter().filter_map(view).collect());
        let views: Vec<Vec<ReasonView>> =
            asked.iter().map(|movie| movie.and_then(|_| found.next()).unwrap_or_default()).collect();
        to_js(&views)
    }

    /// Reads a list of watched movies from another site.
    #[wasm_bindgen(js_name = readList)]
    pub fn read_list(&self, bytes: &[u8]) -> JsResult<JsValue> {
        let read = timed("watchnext:read-list", || WatchedList::read(bytes, self.0.catalog(), self.0.links()));
        let WatchedList { format, rows, matched, unmatched } = read.map_err(js_error)?;
        let matched = matched.into_iter().filter_map(|found| {
            let rating = found.rating.map(|rating| rating.stars());
            Some(MatchView { movie: self.view(found.movie)?, rating, by: found.by })
        });
        let unmatched = unmatched.into_iter().map(|row| {
            let (reason, detail) = match row.reason {
                UnmatchedReason::NotInCatalog => ("not-in-catalog", None),
                UnmatchedReason::Ambiguous => ("ambiguous", None),
                UnmatchedReason::NotAMovie => ("not-a-movie", None),
                UnmatchedReason::Invalid { detail } => ("invalid", Some(detail)),
            };
            UnmatchedView { row: row.row, title: row.title, year: row.year, reason, detail }
        });
        to_js(&ListView { format, rows, matched: matched.collect(), unmatched: unmatched.collect() })
    }

    /// The map, in the catalogue's order: the movies' ids, x and y of each movie in turn, from 0 to 1, and a bit mask
    /// of each movie's genres. Bit i is `info.genres[i]`.
    pub fn map(&self) -> JsResult<Object> {
        let map = self.0.map().ok_or(Error::MapNotLoaded).map_err(js_error)?;
        let movies = self.0.catalog().movies();
        let ids: Vec<u32> = movies.iter().map(|movie| movie.id.0).collect();
        let positions: Vec<f32> = map.positions().flatten().collect();
        // A genre beyond the mask's 32 bits is left out.
        let bit = |genre: &u16| 1_u32.checked_shl(u32::from(*genre)).unwrap_or_default();
        let genres: Vec<u32> =
            movies.iter().map(|movie| movie.genres.iter().map(bit).fold(0, std::ops::BitOr::bitor)).collect();
        let view = Object::new();
        Reflect::set(&view, &"movieIds".into(), &Uint32Array::from(ids.as_slice()))?;
        Reflect::set(&view, &"positions".into(), &Float32Array::from(positions.as_slice()))?;
        Reflect::set(&view, &"genres".into(), &Uint32Array::from(genres.as_slice()))?;
        Ok(view)
    }

    /// Movies of similar titles and themes, the most similar first.
    pub fn similar(&self, movie_id: u32, limit: usize) -> JsResult<JsValue> {
        let movie = self.0.catalog().index_of(MovieId(movie_id));
        let movie = movie.ok_or(Error::MovieUnknown { movie_id }).map_err(js_error)?;
        self.views(self.0.similar(movie, limit).map_err(js_error)?)
    }

    fn parse(&self, request: JsValue) -> JsResult<(Request, History, Vec<MovieId>, LocalTime)> {
        let request: Request = serde_wasm_bindgen::from_value(request).map_err(request_error)?;
        if !request.time_ms.is_finite() {
            return Err(request_error("timeMs isn't a finite number"));
        }
        let watched = request.history.iter().map(|watch| (MovieId(watch.movie_id), watch.rating));
        let (history, unknown) = History::from_ids(self.0.catalog(), watched).map_err(js_error)?;
        let seconds = (request.time_ms / 1000.0).floor() as i64;
        let moment = LocalTime::from_unix(seconds, request.utc_offset_minutes).map_err(js_error)?;
        Ok((request, history, unknown, moment))
    }

    fn view(&self, movie: MovieIndex) -> Option<MovieView<'_>> {
        let catalog = self.0.catalog();
        let link = self.0.links().map(|links| links.of(movie)).unwrap_or_default();
        let movie = catalog.movie(movie)?;
        Some(MovieView {
            movie_id: movie.id,
            key: movie.key.as_deref(),
            title: &movie.title,
            year: movie.year,
            genres: catalog.genre_names(movie).collect(),
            ratings: movie.ratings,
            // IMDb writes its numbers with at least seven digits.
            imdb: link.imdb.map(|number| format!("tt{number:07}")),
            tmdb: link.tmdb,
        })
    }

    fn views(&self, movies: Vec<MovieIndex>) -> JsResult<JsValue> {
        let views: Vec<MovieView<'_>> = movies.into_iter().filter_map(|movie| self.view(movie)).collect();
        to_js(&views)
    }
}

/// Logs a Rust panic to the console with its stack. No input should cause one.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
}

#[wasm_bindgen]
extern "C" {
    /// The exports of the module of `relaxed.wat`.
    type Relaxed;

    // Addresses are `i32`, as in WebAssembly. Converting each would be more code to download.
    #[wasm_bindgen(method)]
    fn dot(
        this: &Relaxed,
        query: i32,
        stride: i32,
        first: i32,
        second: i32,
        third: i32,
        fourth: i32,
        found: i32,
        rows: i32,
    );
}

thread_local! {
    static RELAXED: OnceCell<Option<Relaxed>> = const { OnceCell::new() };
    static IS_RIGHT: OnceCell<bool> = const { OnceCell::new() };
}

/// The kernel's module, `None` if this browser can't run it.
fn relaxed() -> Option<Relaxed> {
    const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/relaxed.wasm"));
    let module = WebAssembly::Module::new(&Uint8Array::from(MODULE)).ok()?;
    let (imports, memory) = (Object::new(), Object::new());
    Reflect::set(&memory, &"memory".into(), &wasm_bindgen::memory()).ok()?;
    Reflect::set(&imports, &"watchnext".into(), &memory).ok()?;
    let instance = WebAssembly::Instance::new(&module, &imports).ok()?;
    Some(Reflect::get(&instance, &"exports".into()).ok()?.unchecked_into())
}

fn relaxed_dot_of_four(query: &[i8], parts: [&[i8]; STREAMS], found: &mut [[i32; STREAMS]]) {
    let (stride, rows) = (query.len() / 2, found.len());
    // The other module reads and writes this one's memory. Only these checks keep it within the slices.
    assert!(stride > 0 && stride.is_multiple_of(CODE_LANES) && query.len() == 2 * stride);
    assert!(parts.iter().all(|part| part.len() == rows * stride));
    let [first, second, third, fourth] = parts.map(|part| part.as_ptr() as i32);
    let (query, found) = (query.as_ptr() as i32, found.as_mut_ptr() as i32);
    RELAXED.with(|module| {
        if let Some(Some(module)) = module.get() {
            module.dot(query, stride as i32, first, second, third, fourth, found, rows as i32);
        }
    });
}

/// Makes scans of 8 bits use relaxed SIMD, or stop using it. Returns whether they use it now: not every browser has it.
/// The answers are the same either way.
#[wasm_bindgen(js_name = useRelaxedSimd)]
pub fn use_relaxed_simd(wanted: bool) -> bool {
    let is_there = wanted
        && RELAXED.with(|module| module.get_or_init(relaxed).is_some())
        && IS_RIGHT.with(|right| *right.get_or_init(|| relaxed::is_right(relaxed_dot_of_four)));
    relaxed::set_kernel(is_there.then_some(relaxed_dot_of_four));
    is_there
}
