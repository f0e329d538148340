//! The command that made a bundle, for its manifest. It is read from what was typed, so a new option can't be missing.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, ValueHint};

use crate::files;

/// A command line as it was typed, without the folders of the machine: paths are cut to their last part.
///
/// [`Display`](fmt::Display) writes the arguments in the order typed. Defaults are left out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommandLine<'run> {
    program: &'run Command,
    matches: &'run ArgMatches,
}

impl<'run> CommandLine<'run> {
    /// The command line that `program` parsed into `matches`.
    pub(crate) const fn new(program: &'run Command, matches: &'run ArgMatches) -> Self {
        Self { program, matches }
    }

    /// Whether an argument of the subcommand was typed; a value alone doesn't show it, since it may be the default.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.matches.subcommand().is_some_and(|(_, matches)| is_typed(matches, id))
    }
}

impl fmt::Display for CommandLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.program.get_name())?;
        let (mut command, mut matches) = (self.program, self.matches);
        loop {
            for argument in arguments(command, matches) {
                write!(formatter, " {argument}")?;
            }
            let Some((name, inner)) = matches.subcommand() else { return Ok(()) };
            let Some(subcommand) = command.find_subcommand(name) else { return Ok(()) };
            write!(formatter, " {name}")?;
            (command, matches) = (subcommand, inner);
        }
    }
}

fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// A command's own arguments in the order typed, each with its values.
fn arguments(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let mut found: Vec<(usize, String)> = command
        .get_arguments()
        .filter(|argument| is_typed(matches, argument.get_id().as_str()))
        .flat_map(|argument| occurrences(argument, matches))
        .collect();
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, text)| text).collect()
}

/// Every time that an argument was typed: its place on the command line, and the argument with its values.
fn occurrences(argument: &Arg, matches: &ArgMatches) -> Vec<(usize, String)> {
    let id = argument.get_id().as_str();
    let mut places = matches.indices_of(id).into_iter().flatten();
    let mut occurrence = |values: Vec<String>| {
        // Each value has a place of its own; the first is the occurrence's.
        let place = places.by_ref().take(values.len()).reduce(|first, _| first).unwrap_or_default();
        (place, with_name(argument, &values))
    };
    let raw = matches.get_raw_occurrences(id).into_iter().flatten();
    raw.map(|values| occurrence(values.map(|value| shown(argument, value)).collect())).collect()
}

/// `--name value`, `--flag`, or the values alone of an argument that has no name.
fn with_name(argument: &Arg, values: &[String]) -> String {
    let name = match (argument.get_long(), argument.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => String::new(),
    };
    if !argument.get_action().takes_values() {
        return name;
    }
    let values = match argument.get_value_delimiter() {
        Some(delimiter) => quoted(&values.join(&delimiter.to_string())),
        None => values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(" "),
    };
    // A value such as -10..10 must not be taken for an option.
    let separator = if values.starts_with('-') { "=" } else { " " };
    if name.is_empty() { values } else { format!("{name}{separator}{values}") }
}

/// A value as the record has it: of a path its last part.
fn shown(argument: &Arg, value: &OsStr) -> String {
    match argument.get_value_hint() {
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath | ValueHint::ExecutablePath => {
            files::name(Path::new(value))
        }
        _ => value.to_string_lossy().into_owned(),
    }
}

/// A value as a shell takes it: in single quotes if one of its characters means something there.
fn quoted(text: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./=,:@%+".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::PathBuf;

    use clap::{CommandFactory, Parser, Subcommand};

    use super::*;

    /// A program that the recorder was never told of.
    #[derive(Debug, Parser)]
    #[command(name = "trainer")]
    struct Program {
        #[command(subcommand)]
        command: Verb,
    }

    #[derive(Debug, Subcommand)]
    enum Verb {
        Brew {
            #[arg(long)]
            leaves: PathBuf,
            #[arg(long, value_hint = ValueHint::FilePath)]
            kettle: Option<String>,
            #[arg(long)]
            cup: Vec<PathBuf>,
            #[arg(long, default_value_t = 4)]
            minutes: u32,
            #[arg(long, value_delimiter = ',')]
            with: Vec<String>,
            #[arg(long, allow_hyphen_values = true)]
            degrees: Option<String>,
            #[arg(long)]
            stir: bool,
            #[arg(short)]
            x: Option<u8>,
            guests: Vec<String>,
        },
        Inner {
            #[command(subcommand)]
            command: Inner,
        },
    }

    #[derive(Debug, Subcommand)]
    enum Inner {
        Wash {
            #[arg(long)]
            hot: bool,
        },
    }

    fn record(typed: &[&str]) -> String {
        let mut program = Program::command();
        let matches = program.try_get_matches_from_mut([&["target/debug/trainer"], typed].concat()).unwrap();
        CommandLine::new(&program, &matches).to_string()
    }

    #[test]
    fn the_record_is_exactly_what_was_typed() {
        assert_eq!(record(&["brew", "--leaves", "/home/anna/shelf/tea"]), "trainer brew --leaves tea");
        // The order is that of typing. A path may end in a slash, or be text with a hint.
        assert_eq!(
            record(&["brew", "--stir", "--cup", "../a/one", "--leaves=tea/", "--cup", "two", "--kettle", "/k/steel"]),
            "trainer brew --stir --cup one --leaves tea --cup two --kettle steel"
        );
        // A default that is typed is recorded, one that isn't is left out.
        assert_eq!(record(&["brew", "--minutes", "4", "--leaves", "tea"]), "trainer brew --minutes 4 --leaves tea");
        assert_eq!(
            record(&["brew", "--with", "milk,sugar", "--leaves", "tea", "--with", "love", "-x", "3", "anna", "ben"]),
            "trainer brew --with milk,sugar --leaves tea --with love -x 3 anna ben"
        );
        assert_eq!(record(&["inner", "wash", "--hot"]), "trainer inner wash --hot");
    }

    #[test]
    fn values_are_written_as_a_shell_takes_them() {
        assert_eq!(record(&["brew", "--leaves", "/x/my tea"]), "trainer brew --leaves 'my tea'");
        assert_eq!(
            record(&["brew", "--leaves", "tea", "--with", "it's"]),
            r"trainer brew --leaves tea --with 'it'\''s'"
        );
        assert_eq!(
            record(&["brew", "--leaves", "tea", "--degrees", "-10..10", "--with", ""]),
            "trainer brew --leaves tea --degrees=-10..10 --with ''"
        );
    }

    #[test]
    fn an_argument_is_typed_or_has_its_default() {
        let mut program = Program::command();
        let line = ["trainer", "brew", "--leaves", "tea", "--stir"];
        let matches = program.try_get_matches_from_mut(line).unwrap();
        let line = CommandLine::new(&program, &matches);
        assert_eq!(["leaves", "stir", "minutes", "cup"].map(|id| line.has(id)), [true, true, false, false]);
    }
}
