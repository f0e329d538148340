//! The library's errors, one variant for each defect.
//!
//! A variant's [`code`](Error::code) is part of the public contract: JavaScript receives it as `error.code`, and tests
//! and pages branch on it. The message may be reworded at any time. It names the place and, if there is one, the
//! remedy.

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A defect, its place, and the remedy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `manifest.json` isn't JSON of the expected form.
    #[error("manifest.json can't be read: {reason}. Make the bundle again with `trainer train`.")]
    ManifestInvalid {
        /// The parser's message.
        reason: String,
    },
    /// The bundle was written by a version of the format that this build doesn't know.
    #[error(
        "this bundle has format version {found}, this build reads version {supported}. Update the program, or make the \
         bundle again with the trainer of this release."
    )]
    FormatVersionUnsupported {
        /// The version in the manifest.
        found: u32,
        /// The one that this build reads.
        supported: u32,
    },
    /// The model was trained on features computed by other code than this build's.
    #[error(
        "this bundle's model was trained on features of version {found}, this build computes version {supported}. \
         Train it again with the trainer of this release."
    )]
    FeaturesVersionMismatch {
        /// The version in the manifest.
        found: u32,
        /// The one that this build computes.
        supported: u32,
    },
    /// A file is missing from the manifest or wasn't given.
    #[error("the bundle has no file `{file}`. Put the whole bundle folder in place.")]
    FileMissing {
        /// The file's role in the manifest.
        file: String,
    },
    /// A file doesn't have the size in the manifest, so it is truncated or from another bundle.
    #[error(
        "`{file}` has {found} bytes where the manifest says {expected}: it is truncated or belongs to another bundle. \
         Load it again, or copy the whole bundle folder."
    )]
    FileSizeMismatch {
        /// The file's path in the bundle.
        file: String,
        /// Bytes by the manifest.
        expected: u64,
        /// Bytes received.
        found: u64,
    },
    /// A file's SHA-256 differs from the manifest's.
    #[error(
        "`{file}` isn't the file that the manifest describes (its SHA-256 differs): it is damaged or belongs to \
         another bundle. Load it again, or copy the whole bundle folder."
    )]
    FileHashMismatch {
        /// The file's path in the bundle.
        file: String,
    },
    /// A safetensors file is malformed: header too large, not JSON, holes, offsets out of range.
    #[error("`{file}` isn't a valid safetensors file: {reason}")]
    TensorInvalid {
        /// The file's role.
        file: String,
        /// The defect.
        reason: String,
    },
    /// A tensor or a model's input or output doesn't have the shape that the rest of the bundle needs.
    #[error("`{place}` has shape {found}, expected {expected}")]
    ShapeMismatch {
        /// File and tensor.
        place: String,
        /// The expected shape, as text.
        expected: String,
        /// The shape found, as text.
        found: String,
    },
    /// A weight, an embedding or a model's output is NaN or infinite.
    #[error("`{place}` holds a number that is not finite")]
    NonFinite {
        /// File and tensor, or the model.
        place: String,
    },
    /// `catalog.json` is malformed or contradicts itself.
    #[error("catalog.json can't be used: {reason}")]
    CatalogInvalid {
        /// The defect.
        reason: String,
    },
    /// `links.json` is malformed.
    #[error("links.json can't be used: {reason}. Make the bundle again with `trainer train`.")]
    LinksInvalid {
        /// The parser's message.
        reason: String,
    },
    /// The ONNX file can't be loaded: not ONNX, unknown operator, inputs or outputs of another contract.
    #[error("`{file}` can't be loaded: {reason}")]
    ModelInvalid {
        /// The file's role.
        file: String,
        /// The runtime's message.
        reason: String,
    },
    /// A loaded model failed while it ran.
    #[error("`{file}` failed while it ran: {reason}")]
    ModelFailed {
        /// The file's role.
        file: String,
        /// The runtime's message.
        reason: String,
    },
    /// A history holds too many movies.
    #[error("the watch history can't be used: {reason}")]
    HistoryInvalid {
        /// The defect.
        reason: String,
    },
    /// A file isn't a list of watched movies in a known form, or it is too large.
    #[error("the list can't be read: {reason}.")]
    ListInvalid {
        /// The defect and the remedy.
        reason: String,
    },
    /// A rating is outside MovieLens's scale.
    #[error("the rating {rating} of movie {movie_id} is outside the scale of 0.5 to 5")]
    RatingInvalid {
        /// The movie's id.
        movie_id: u32,
        /// The rating.
        rating: f32,
    },
    /// A time is outside the calendar's years, or its offset is longer than a day.
    #[error("the time {seconds} s since 1970 with an offset of {offset_minutes} min is not a moment of the calendar")]
    TimeInvalid {
        /// Seconds since 1970-01-01T00:00:00Z.
        seconds: i64,
        /// Minutes east of UTC.
        offset_minutes: i32,
    },
    /// The requested number of results is zero or larger than the catalogue.
    #[error("a limit of {limit} can't be served: ask for 1 to {most} movies")]
    LimitInvalid {
        /// The value in the request.
        limit: usize,
        /// The catalogue's size.
        most: usize,
    },
    /// The requested novelty isn't a number from 0 to 1.
    #[error("a novelty of {novelty} isn't a number from 0 to 1")]
    NoveltyInvalid {
        /// The value in the request.
        novelty: f32,
    },
    /// A filter names a genre that the catalogue doesn't have.
    #[error("the catalogue has no genre {genre:?}. It has {known}.")]
    GenreUnknown {
        /// The value in the request.
        genre: String,
        /// The catalogue's genres.
        known: String,
    },
    /// A request needs the states before their file is loaded.
    #[error("the states aren't loaded yet. Load `states.safetensors` first, or use the retrieval \"movies\".")]
    StatesNotLoaded,
    /// A request needs the ranker before its files are loaded.
    #[error("the ranker isn't loaded yet. Load `ranker.onnx` and `traits.safetensors` first.")]
    RankerNotLoaded,
    /// A request needs the map before its file is loaded.
    #[error("the map isn't loaded yet. Load `map.safetensors` first.")]
    MapNotLoaded,
    /// A request is about a movie that the catalogue doesn't have.
    #[error("the catalogue has no movie {movie_id}")]
    MovieUnknown {
        /// The movie's id.
        movie_id: u32,
    },
    /// A request from JavaScript doesn't have the API's form.
    #[error("the request doesn't have the expected form: {reason}")]
    RequestInvalid {
        /// The deserialiser's message.
        reason: String,
    },
}

impl Error {
    /// A stable, kebab-case name of the kind of error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ManifestInvalid { .. } => "manifest-invalid",
            Self::FormatVersionUnsupported { .. } => "format-version-unsupported",
            Self::FeaturesVersionMismatch { .. } => "features-version-mismatch",
            Self::FileMissing { .. } => "file-missing",
            Self::FileSizeMismatch { .. } => "file-size-mismatch",
            Self::FileHashMismatch { .. } => "file-hash-mismatch",
            Self::TensorInvalid { .. } => "tensor-invalid",
            Self::ShapeMismatch { .. } => "shape-mismatch",
            Self::NonFinite { .. } => "non-finite",
            Self::CatalogInvalid { .. } => "catalog-invalid",
            Self::LinksInvalid { .. } => "links-invalid",
            Self::ModelInvalid { .. } => "model-invalid",
            Self::ModelFailed { .. } => "model-failed",
            Self::HistoryInvalid { .. } => "history-invalid",
            Self::ListInvalid { .. } => "list-invalid",
            Self::RatingInvalid { .. } => "rating-invalid",
            Self::TimeInvalid { .. } => "time-invalid",
            Self::LimitInvalid { .. } => "limit-invalid",
            Self::NoveltyInvalid { .. } => "novelty-invalid",
            Self::GenreUnknown { .. } => "genre-unknown",
            Self::StatesNotLoaded => "states-not-loaded",
            Self::RankerNotLoaded => "ranker-not-loaded",
            Self::MapNotLoaded => "map-not-loaded",
            Self::MovieUnknown { .. } => "movie-unknown",
            Self::RequestInvalid { .. } => "request-invalid",
        }
    }
}
