//! `trainer train`.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use watchnext::bundle::{Source, Training, sha256_hex};

use super::map::said;
use crate::bundle::packed::Packed;
use crate::cli::TrainArgs;
use crate::data::links::{LINKS_FILE, read_links};
use crate::data::split::Split;
use crate::data::{Dataset, User};
use crate::evaluate::evaluation::Evaluation;
use crate::evaluate::held_out::held_out_figures;
use crate::evaluate::run::evaluate_held_out;
use crate::map::add_map;
use crate::models::als::{self, AlsConfig};
use crate::models::seed_network::fit::fit;
use crate::models::seed_network::train::TrainConfig;
use crate::models::tower::limits::ensure_fits;
use crate::models::tower::{self, TowerConfig};
use crate::models::{ModelKind, ranker};
use crate::nn::checkpoint::Checkpoint;
use crate::report::{Recipe, model_card, text};
use crate::titles::reduced_titles;

/// The command as a reader of the manifest would type it: the settings that differ from the defaults, and no path of a machine.
fn command_line(args: &TrainArgs) -> String {
    let name = |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let out = match args.model {
        ModelKind::Tower => "models",
        ModelKind::SeedNetwork => "models/seed-network",
        ModelKind::Als => "models/als",
    };
    let (read, how) = args.data.typed();
    let mut command = format!("trainer train {read} --out {out}{how}");
    let (config, default) = (args.options.config(), TrainConfig::default());
    let mut option = |name: &str, value: String, default: String| {
        if value != default {
            command.push_str(&format!(" --{name} {value}"));
        }
    };
    option("seed", config.seed.to_string(), default.seed.to_string());
    if args.model == ModelKind::SeedNetwork {
        option("epochs", config.epochs.to_string(), default.epochs.to_string());
        option("batch", config.batch.to_string(), default.batch.to_string());
        option("learning-rate", config.learning_rate.to_string(), default.learning_rate.to_string());
        option("ratings-known", config.ratings_known.to_string(), default.ratings_known.to_string());
    }
    if args.model == ModelKind::Als {
        let (config, default) = (args.als.config(config.seed).settings, AlsConfig::default().settings);
        option("factors", config.factors.to_string(), default.factors.to_string());
        option("alpha", config.alpha.to_string(), default.alpha.to_string());
        option("regularisation", config.lambda.to_string(), default.lambda.to_string());
        option("iterations", config.iterations.to_string(), default.iterations.to_string());
    }
    match args.model {
        ModelKind::Tower => {}
        ModelKind::SeedNetwork => command.push_str(" --model seed-network"),
        ModelKind::Als => command.push_str(" --model als"),
    }
    if let Some(titles) = &args.titles {
        command.push_str(&format!(" --titles {}", name(titles)));
    }
    if args.no_states {
        command.push_str(" --no-states");
    }
    if args.no_map {
        command.push_str(" --no-map");
    }
    command
}

/// A fingerprint of the data that a checkpoint belongs to.
fn fingerprint(sources: &[Source]) -> String {
    let hashes: Vec<&str> = sources.iter().map(|source| source.sha256.as_str()).collect();
    sha256_hex(hashes.join(" ").as_bytes())
}

/// A bundle that is ready to be written, with what its card says.
struct Finished {
    packed: Packed,
    recipe: Recipe,
    evaluation: Evaluation,
}

/// Trains the model that was asked for and writes its bundle.
pub fn train(args: &TrainArgs) -> Result<()> {
    let started = Instant::now();
    let out = args.out()?;
    let dataset = args.data.read()?;
    eprintln!(
        "{} ratings of {} movies by {} users, read in {:.1} s",
        dataset.ratings(),
        dataset.catalog.len(),
        dataset.users.len(),
        started.elapsed().as_secs_f64()
    );
    dataset.lacks().iter().for_each(|line| eprintln!("{line}"));
    let mut partial = out.to_owned().into_os_string();
    partial.push(".partial");
    let checkpoint = Checkpoint::new(Path::new(&partial), &fingerprint(&dataset.sources));
    // Before anything that takes minutes, so that a wrong row is named at once.
    let links = match &args.data.data {
        Some(folder) => read_links(folder, &dataset.catalog)?,
        None => None,
    };
    let Finished { mut packed, recipe, evaluation } = match args.model {
        ModelKind::Tower => train_tower(args, &dataset)?,
        ModelKind::SeedNetwork => train_seed_network(args, &dataset, &checkpoint)?,
        ModelKind::Als => train_als(args, &dataset)?,
    };
    match (links, &args.data.data) {
        (Some((links, source)), _) => packed.add_links(&links, source)?,
        (None, Some(folder)) => eprintln!("{} holds no {LINKS_FILE}, so the bundle has no links", folder.display()),
        (None, None) => {}
    }
    if !args.no_map {
        let drawing = Instant::now();
        let map = add_map(&mut packed)?;
        eprintln!("{}", said(&map, drawing));
    }
    packed.write(out)?;
    let card = model_card(&packed.manifest, &recipe, &evaluation)?;
    let card_path = out.join("README.md");
    std::fs::write(&card_path, card).with_context(|| format!("{} can't be written", card_path.display()))?;
    checkpoint.remove();
    println!("{}", text(&evaluation));
    for file in packed.manifest.files.values() {
        println!("{:>10} bytes  {}  {}", file.bytes, file.sha256.get(..12).unwrap_or_default(), file.path);
    }
    println!("wrote {} in {:.0} s", out.display(), started.elapsed().as_secs_f64());
    Ok(())
}

/// The tower is trained twice: without the held-out users, to measure it, and on everybody, to ship it.
fn train_tower(args: &TrainArgs, dataset: &Dataset) -> Result<Finished> {
    ensure_fits(&dataset.catalog, &dataset.users)?;
    let config = TowerConfig { seed: args.options.seed, ..TowerConfig::for_times(dataset.times) };
    let titles = reduced_titles(args.titles.as_deref(), &dataset.catalog)?;
    // The first of the users are those of the main file, as the visitors are.
    let pack = |users: &[User], main: usize| -> Result<Packed> {
        let (tower, _) = tower::fit(&dataset.catalog, users, &config)?;
        let training = Training {
            command: command_line(args),
            seed: config.seed,
            dataset: args.data.name(),
            sources: dataset.sources.clone(),
            users: users.len(),
            ratings: users.iter().map(|user| user.events.len()).sum(),
        };
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
    let recipe = Recipe::tower(&packed.manifest, &config, split.train.len(), args.data.data.is_some());
    Ok(Finished { packed, recipe, evaluation })
}

/// ALS is trained twice, as the tower is: without the held-out users, and on everybody.
fn train_als(args: &TrainArgs, dataset: &Dataset) -> Result<Finished> {
    let config = args.als.config(args.options.seed);
    let pack = |users: &[User]| -> Result<(Packed, usize)> {
        let started = Instant::now();
        let model = als::fit(&dataset.catalog, users, &config)?;
        let training = Training {
            command: command_line(args),
            seed: config.settings.seed,
            dataset: args.data.name(),
            sources: dataset.sources.clone(),
            users: users.len(),
            ratings: users.iter().map(|user| user.events.len()).sum(),
        };
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

fn train_seed_network(args: &TrainArgs, dataset: &Dataset, checkpoint: &Checkpoint) -> Result<Finished> {
    ensure!(
        dataset.has_order(),
        "the seed's network predicts the next movie, and these ratings have no times. Take --model tower, or say --ordered if the \
         file's order is that of watching."
    );
    let config = args.options.config();
    let command = command_line(args);
    let mut fitted = fit(dataset, &config, !args.no_states, &args.data.name(), &command, Some(checkpoint))?;
    eprintln!("trained; measuring on the held-out users");
    let evaluation = evaluate_held_out(dataset, &fitted.packed.recommender()?)?;
    fitted.packed.manifest.held_out = held_out_figures(&evaluation, fitted.recall);
    let recipe = Recipe::seed_network(
        &fitted.packed.manifest,
        &config,
        &fitted.epochs,
        fitted.compact.as_ref(),
        args.data.data.is_some(),
    );
    Ok(Finished { packed: fitted.packed, recipe, evaluation })
}
