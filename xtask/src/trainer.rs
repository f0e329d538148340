//! Running the trainer, this project's other program.

use std::path::PathBuf;
use std::process::Command;

use crate::project::Project;
use crate::shell::cargo;

/// The trainer with the words of its subcommand, built first if it must be.
///
/// The build is in the development profile, which is optimised for it. The release profile is the browser's, where
/// small is better than fast.
pub fn trainer(project: &Project, subcommand: &[&str]) -> Command {
    let mut command = cargo();
    command.args(["run", "--package", "trainer", "--"]).args(subcommand).current_dir(project.root());
    command
}

/// Where the small bundle lies that the tests use: made-up movies in groups.
pub fn fixture_folder(project: &Project) -> PathBuf {
    project.path("target/fixture")
}

/// The command that makes that bundle.
pub fn fixture(project: &Project) -> Command {
    let mut command = trainer(project, &["internal", "fixture"]);
    command.arg("--out").arg(fixture_folder(project));
    command
}
