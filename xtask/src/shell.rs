//! Running other programs. Each command is shown before it runs; an error names the command and its exit code.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::files;

/// How often a long step reports, so that neither you nor a CI system thinks that it hangs.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// How many of a log's last lines an error shows.
const LOG_TAIL: usize = 30;

/// Announces a step. Steps start at the margin, and their notes are indented.
pub fn step(text: &str) {
    println!("==> {text}");
}

/// Prints a note on the current step.
pub fn note(text: &str) {
    println!("    {text}");
}

/// The cargo that started this program, so that the compiler is the same for all commands.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program that npm installs, or npm itself: these are batch files on Windows.
pub fn script(name: &str) -> Command {
    Command::new(if cfg!(windows) { format!("{name}.cmd") } else { name.to_owned() })
}

/// Runs a program and shows its output. It gets no input, so it never waits for a key.
pub fn run(command: &mut Command) -> Result<()> {
    note(&format!("$ {}", shown(command)));
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("{} can't be started", program_name(command)))?;
    check(status, command)
}

/// Runs a program and writes its output to a log file. The log's last line is shown now and then; if the program fails,
/// the last lines are shown.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    files::make_parent(log)?;
    let file = File::create(log).with_context(|| format!("{} can't be written", log.display()))?;
    let errors = file.try_clone().with_context(|| format!("{} can't be written", log.display()))?;
    note(&format!("$ {}", shown(command)));
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .spawn()
        .with_context(|| format!("{} can't be started", program_name(command)))?;
    let mut next = HEARTBEAT;
    let status = loop {
        if let Some(status) = child.try_wait().with_context(|| format!("can't wait for {}", program_name(command)))? {
            break status;
        }
        if start.elapsed() >= next {
            let lines = last_lines(log, 1);
            note(&format!("{}: {}", human(start.elapsed()), lines.first().map_or("", |line| line.trim())));
            next += HEARTBEAT;
        }
        thread::sleep(Duration::from_millis(100));
    };
    if !status.success() {
        for line in last_lines(log, LOG_TAIL) {
            eprintln!("    | {line}");
        }
        eprintln!("    the complete log: {}", log.display());
    }
    check(status, command)
}

/// The output of a short command such as `node --version`. `None` if the program is missing or fails.
pub fn ask(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The file of a program on PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd"] } else { &[""] };
    env::split_paths(&folders)
        .flat_map(|folder| endings.iter().map(move |ending| folder.join(format!("{name}{ending}"))))
        .find(|file| file.is_file())
}

/// PATH with more folders in front.
pub fn path_with(folders: &[PathBuf]) -> Result<OsString> {
    let old = env::var_os("PATH").unwrap_or_default();
    env::join_paths(folders.iter().cloned().chain(env::split_paths(&old)))
        .context("a folder's name contains the character that separates the folders of PATH")
}

/// A time for people, no finer than it matters.
pub fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

fn check(status: ExitStatus, command: &Command) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    match status.code() {
        Some(code) => bail!("exit code {code} from: {}", shown(command)),
        None => bail!("killed ({status}): {}", shown(command)),
    }
}

/// The command as you would type it, without the folder of the program.
pub fn shown(command: &Command) -> String {
    let mut words = vec![program_name(command)];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

fn program_name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// The last lines of a file that aren't empty.
fn last_lines(file: &Path, count: usize) -> Vec<String> {
    let text = fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let mut lines: Vec<String> =
        text.lines().rev().filter(|line| !line.trim().is_empty()).take(count).map(str::to_owned).collect();
    lines.reverse();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_given_no_finer_than_they_matter() {
        assert_eq!(human(Duration::from_millis(850)), "0.8 s");
        assert_eq!(human(Duration::from_millis(59_900)), "59 s");
        assert_eq!(human(Duration::from_secs(185)), "3 min 05 s");
    }

    #[test]
    fn a_command_is_shown_as_you_would_type_it() {
        let mut command = Command::new("/some/folder/trunk");
        command.args(["build", "--release"]);
        assert_eq!(shown(&command), "trunk build --release");
    }

    #[test]
    fn a_program_that_is_not_there_answers_nothing() {
        assert_eq!(ask(&mut Command::new("no-such-program-as-this")), None);
        assert_eq!(on_path("no-such-program-as-this"), None);
    }

    #[test]
    fn a_failure_names_the_exit_code_and_the_command() {
        // A shell's exit status is the simplest failure that every Unix can produce.
        if cfg!(unix) {
            let error = run(Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
            assert_eq!(error.to_string(), "exit code 7 from: sh -c exit 7");
        }
    }
}
