//! The command line: its parser, and the function behind each command.

mod commands;
mod data;
mod internal;
mod network;
mod origin;
mod values;

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::commands::books::{BooksArgs, books};
use self::commands::evaluate::{EvaluateArgs, evaluate};
use self::commands::fold_in::{FoldInArgs, fold_in};
use self::commands::map::{MapArgs, map};
use self::commands::new::{NewArgs, new};
use self::commands::pack::{PackArgs, pack};
use self::commands::suggest::{SuggestArgs, suggest};
use self::commands::titles::{TitlesArgs, titles};
use self::commands::train::{TrainArgs, train};
use self::internal::Internal;
use self::origin::CommandLine;

/// Train, evaluate and pack the bundles that watchnext runs in the browser.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a folder for your own catalogue, with a configuration file to fill in.
    New(NewArgs),
    /// Train a model on ratings or clicks and write its bundle.
    Train(Box<TrainArgs>),
    /// Measure methods on splits of your data, or a finished bundle on users it never saw.
    Evaluate(EvaluateArgs),
    /// Suggest movies in the terminal.
    Suggest(SuggestArgs),
    /// Pack a model that was trained elsewhere into a bundle; MODEL_CONTRACT.md describes such models.
    Pack(Box<PackArgs>),
    /// Write a user tower (ONNX) that solves for the visitor's factors, given item factors of ALS.
    FoldIn(FoldInArgs),
    /// Write the titles' embeddings (all-MiniLM-L6-v2) and show the cost of reducing them.
    Titles(TitlesArgs),
    /// Add links and a map of the movies to a finished bundle, without retraining.
    Map(MapArgs),
    /// Write made-up books and readers with known tastes, in CSV and Parquet, to try the trainer on.
    Books(BooksArgs),
    /// The project's own commands, for its tests, benchmarks and experiments.
    #[command(subcommand, hide = true)]
    Internal(Internal),
}

/// Runs the command that the program's arguments name.
///
/// # Errors
/// Anything that stops the command, as a message for the user.
pub fn run() -> Result<()> {
    let mut program = Cli::command();
    let matches = program.get_matches_mut();
    let line = CommandLine::new(&program, &matches);
    match Cli::from_arg_matches(&matches)?.command {
        Command::New(args) => new(&args),
        Command::Train(args) => train(*args, &line),
        Command::Evaluate(args) => evaluate(&args),
        Command::Suggest(args) => suggest(&args),
        Command::Pack(args) => pack(&args, &line),
        Command::FoldIn(args) => fold_in(&args),
        Command::Titles(args) => titles(&args),
        Command::Map(args) => map(&args),
        Command::Books(args) => books(&args),
        Command::Internal(command) => command.run(&line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without this, clap finds mistakes such as a twice-defined option only when a command is run.
    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// Help names the users' commands alone; each command shows an example.
    #[test]
    fn help_shows_an_example_of_every_command_and_hides_the_projects_own() {
        assert!(!Cli::command().render_help().to_string().contains("internal"));
        let program = Cli::command();
        let internal = |name: &str| name == "internal";
        let (own, users): (Vec<_>, Vec<_>) =
            program.get_subcommands().partition(|command| internal(command.get_name()));
        let own = own.into_iter().flat_map(clap::Command::get_subcommands).map(|command| ("trainer internal", command));
        for (start, command) in users.into_iter().map(|command| ("trainer", command)).chain(own) {
            let help = command.clone().render_help().to_string();
            assert!(help.contains(&format!("\n  {start} {} ", command.get_name())), "{help}");
        }
    }
}
