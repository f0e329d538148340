//! `trainer train`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use watchnext::bundle::{Source, Training, sha256_hex};

use super::map::describe;
use crate::bundle::packed::{Packed, add_source};
use crate::choice::Choice;
use crate::cli::data::DataArgs;
use crate::cli::network::NetworkOptions;
use crate::cli::origin::CommandLine;
use crate::cli::values::one_of;
use crate::config::Config;
use crate::data::links::{LINKS_FILE, read_links};
use crate::data::split::Split;
use crate::data::{Dataset, User};
use crate::evaluate::evaluation::Evaluation;
use crate::evaluate::held_out::held_out_figures;
use crate::evaluate::run::evaluate_held_out;
use crate::files;
use crate::map::add_map;
use crate::models::als::solver::Settings;
use crate::models::als::{self, AlsConfig};
use crate::models::seed_network::fit::fit;
use crate::models::tower;
use crate::models::tower::config::TowerConfig;
use crate::models::tower::limits::ensure_fits;
use crate::models::{ModelKind, ranker};
use crate::nn::checkpoint::Checkpoint;
use crate::report::{Recipe, model_card, text};
use crate::titles::reduced_titles;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trainer train --data ml-latest-small --out models\n  \
    trainer train --config my-books/watchnext.toml")]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    data: DataArgs,
    /// A configuration file, as `trainer new` writes it. Options of the command line override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The bundle's folder.
    #[arg(long, value_name = "FOLDER", required_unless_present = "config")]
    out: Option<PathBuf>,
    /// The model: tower for most catalogues, als for millions of ratings, seed-network (the notebook's) to compare
    /// with.
    #[arg(long, value_parser = one_of::<ModelKind>(), default_value = ModelKind::Tower.name())]
    model: ModelKind,
    /// The titles' embeddings that `trainer titles` wrote, for the ranker [default: without titles].
    #[arg(long, value_name = "FILE")]
    titles: Option<PathBuf>,
    #[command(flatten)]
    network: NetworkOptions,
    #[command(flatten)]
    als: AlsOptions,
    /// With --model seed-network: leave out the states, a second way to find suggestions.
    #[arg(long)]
    no_states: bool,
    /// Leave out the map of the movies.
    #[arg(long)]
    no_map: bool,
}

/// The settings of ALS. The other models don't use them.
#[derive(Debug, Args)]
struct AlsOptions {
    /// With --model als: numbers in a vector.
    #[arg(long, default_value_t = AlsConfig::default().settings.factors)]
    factors: usize,
    /// With --model als: extra weight of a movie that a user likes.
    #[arg(long, default_value_t = AlsConfig::default().settings.alpha)]
    alpha: f32,
    /// With --model als: L2 regularisation.
    #[arg(long, default_value_t = AlsConfig::default().settings.lambda)]
    regularisation: f32,
    /// With --model als: rounds of solving for the movies and then the users.
    #[arg(long, default_value_t = AlsConfig::default().settings.iterations)]
    iterations: usize,
}

impl AlsOptions {
    fn config(&self, seed: u64) -> AlsConfig {
        let Self { factors, alpha, regularisation: lambda, iterations } = *self;
        AlsConfig { settings: Settings { factors, alpha, lambda, iterations, seed }, ..AlsConfig::default() }
    }
}

impl TrainArgs {
    /// Fills in from the configuration file what wasn't typed, and returns that file as a source of the bundle.
    fn complete(&mut self, line: &CommandLine<'_>) -> Result<Option<Source>> {
        let Some(path) = &self.config else { return Ok(None) };
        let (config, source) = Config::read(path)?;
        let data = &mut self.data;
        if data.data.is_none() && data.items.is_none() {
            data.items = Some(config.items);
            if data.ratings.is_empty() {
                data.ratings = config.ratings;
            }
        }
        let layout = &mut data.layout;
        layout.columns = layout.columns.take().or(Some(config.columns)).filter(|columns| !columns.is_empty());
        layout.separator = layout.separator.take().or(config.separator);
        layout.scale = layout.scale.or(config.scale);
        layout.ordered |= config.ordered;
        // These two have defaults, so their values don't show whether they were typed.
        if let Some(model) = config.model.filter(|_| !line.has("model")) {
            self.model = model;
        }
        if let Some(seed) = config.seed.filter(|_| !line.has("seed")) {
            self.network.seed = seed;
        }
        self.out = self.out.take().or(Some(config.out));
        Ok(Some(source))
    }

    fn read(&self) -> Result<Dataset> {
        let started = Instant::now();
        let dataset = self.data.read()?;
        eprintln!(
            "{} ratings of {} movies by {} users, read in {:.1} s",
            dataset.ratings(),
            dataset.catalog.len(),
            dataset.users.len(),
            started.elapsed().as_secs_f64()
        );
        dataset.limitations().iter().for_each(|line| eprintln!("{line}"));
        Ok(dataset)
    }
}

/// What a training works on, and what its manifest says of its origin.
struct Run<'run> {
    args: &'run TrainArgs,
    dataset: &'run Dataset,
    command: String,
}

impl Run<'_> {
    /// The manifest's record of a training on these users.
    fn training(&self, seed: u64, users: &[User]) -> Training {
        Training {
            command: self.command.clone(),
            seed,
            dataset: self.args.data.name(),
            sources: self.dataset.sources.clone(),
            users: users.len(),
            ratings: users.iter().map(|user| user.events.len()).sum(),
        }
    }
}

/// A bundle that is ready to be written, and the contents of its card.
struct Finished {
    packed: Packed,
    recipe: Recipe,
    evaluation: Evaluation,
}

/// Trains the model that was asked for and writes its bundle.
pub(crate) fn train(mut args: TrainArgs, line: &CommandLine<'_>) -> Result<()> {
    let started = Instant::now();
    let config = args.complete(line)?;
    // The parser lets nobody leave out both --out and --config.
    let out = args.out.as_deref().context("name the bundle's folder with --out")?;
    let dataset = args.read()?;
    let checkpoint = checkpoint(out, &dataset.sources);
    // Before anything that takes minutes, so that errors in links.csv come at once.
    let links = match &args.data.data {
        Some(folder) => read_links(folder, &dataset.catalog)?,
        None => None,
    };
    let run = Run { args: &args, dataset: &dataset, command: line.to_string() };
    let Finished { mut packed, recipe, evaluation } = match args.model {
        ModelKind::Tower => train_tower(&run)?,
        ModelKind::SeedNetwork => train_seed_network(&run, &checkpoint)?,
        ModelKind::Als => train_als(&run)?,
    };
    if let Some(source) = config {
        add_source(&mut packed.manifest, source);
    }
    match (links, &args.data.data) {
        (Some((links, source)), _) => packed.add_links(&links, source)?,
        (None, Some(folder)) => eprintln!("{} holds no {LINKS_FILE}, so the bundle has no links", folder.display()),
        (None, None) => {}
    }
    if !args.no_map {
        let drawing = Instant::now();
        let map = add_map(&mut packed)?;
        eprintln!("{}", describe(&map, drawing));
    }
    packed.write(out)?;
    files::write(&out.join("README.md"), model_card(&packed.manifest, &recipe, &evaluation)?.as_bytes())?;
    checkpoint.remove();
    println!("{}", text(&evaluation));
    for file in packed.manifest.files.values() {
        println!("{:>10} bytes  {}  {}", file.bytes, file.sha256.get(..12).unwrap_or_default(), file.path);
    }
    println!("wrote {} in {:.0} s", out.display(), started.elapsed().as_secs_f64());
    Ok(())
}

/// The checkpoint of a training on these files, next to the bundle's folder.
fn checkpoint(out: &Path, sources: &[Source]) -> Checkpoint {
    let mut folder = out.to_owned().into_os_string();
    folder.push(".partial");
    let hashes: Vec<&str> = sources.iter().map(|source| source.sha256.as_str()).collect();
    Checkpoint::new(Path::new(&folder), &sha256_hex(hashes.join(" ").as_bytes()))
}

/// Trains the tower twice: without the held-out users, to measure it, and on all users, to ship it.
fn train_tower(run: &Run<'_>) -> Result<Finished> {
    let Run { args, dataset, .. } = run;
    ensure_fits(&dataset.catalog, &dataset.users)?;
    let config = TowerConfig { seed: args.network.seed, ..TowerConfig::for_times(dataset.times) };
    let titles = reduced_titles(args.titles.as_deref(), &dataset.catalog)?;
    // The first `main` users are those of the main file; visitors are like them.
    let pack = |users: &[User], main: usize| -> Result<Packed> {
        let (tower, _) = tower::fit(&dataset.catalog, users, &config)?;
        let training = run.training(config.seed, users);
        let mut packed = Packed::new(&tower, &dataset.catalog, "watchnext-tower", training)?;
        if !dataset.has_reactions() {
            return Ok(packed);
        }
        let ranker = ranker::fit(&dataset.catalog, users, main, titles.as_ref(), config.seed)?;
        ranker.add_to(&mut packed, &dataset.catalog)?;
        Ok(packed)
    };
    let split = Split::by_user(&dataset.users)?;
    let held_out = split.validation.len() + split.test.len();
    eprintln!("first without the {held_out} held-out users, to measure it");
    let evaluation =
        evaluate_held_out(dataset, &pack(split.train, dataset.main_users.saturating_sub(held_out))?.recommender()?)?;
    eprintln!("then on all {} users, to ship it", dataset.users.len());
    let mut packed = pack(&dataset.users, dataset.main_users)?;
    packed.manifest.held_out = held_out_figures(&evaluation, None);
    if let Some(titles) = &args.titles {
        // The ranker learns from them as from any other file of data.
        let source = Source { name: files::name(titles), sha256: files::sha256(titles)?, rows: 0 };
        add_source(&mut packed.manifest, source);
    }
    let recipe = Recipe::tower(&packed.manifest, &config, split.train.len(), args.data.data.is_some());
    Ok(Finished { packed, recipe, evaluation })
}

/// Trains ALS twice, as the tower: without the held-out users, and on all users.
fn train_als(run: &Run<'_>) -> Result<Finished> {
    let Run { args, dataset, .. } = run;
    let config = args.als.config(args.network.seed);
    let pack = |users: &[User]| -> Result<(Packed, usize)> {
        let started = Instant::now();
        let model = als::fit(&dataset.catalog, users, &config)?;
        let training = run.training(config.settings.seed, users);
        eprintln!("trained on {} ratings in {:.1} s", training.ratings, started.elapsed().as_secs_f64());
        let packed = Packed::new(&model, &dataset.catalog, "watchnext-als", training)?;
        Ok((packed, model.fold_in().steps()))
    };
    let split = Split::by_user(&dataset.users)?;
    eprintln!("first without the {} held-out users, to measure it", split.validation.len() + split.test.len());
    let evaluation = evaluate_held_out(dataset, &pack(split.train)?.0.recommender()?)?;
    eprintln!("then on all {} users, to ship it", dataset.users.len());
    let (mut packed, steps) = pack(&dataset.users)?;
    packed.manifest.held_out = held_out_figures(&evaluation, None);
    let recipe = Recipe::als(&packed.manifest, &config, steps, split.train.len(), args.data.data.is_some());
    Ok(Finished { packed, recipe, evaluation })
}

/// Trains the seed network on the training users, and measures it on the held-out ones.
fn train_seed_network(run: &Run<'_>, checkpoint: &Checkpoint) -> Result<Finished> {
    let Run { args, dataset, command } = run;
    ensure!(
        dataset.has_order(),
        "the seed network predicts the next movie, but these ratings have no times. Use --model tower, or add \
         --ordered if the file's order is that of watching."
    );
    let config = args.network.config();
    let mut fitted = fit(dataset, &config, !args.no_states, &args.data.name(), command, Some(checkpoint))?;
    eprintln!("trained; measuring on the held-out users");
    let evaluation = evaluate_held_out(dataset, &fitted.packed.recommender()?)?;
    fitted.packed.manifest.held_out = held_out_figures(&evaluation, fitted.recall);
    let recipe = Recipe::seed_network(
        &fitted.packed.manifest,
        &config,
        &fitted.epochs,
        fitted.states.as_ref(),
        args.data.data.is_some(),
    );
    Ok(Finished { packed: fitted.packed, recipe, evaluation })
}
