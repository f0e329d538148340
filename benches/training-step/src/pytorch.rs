//! PyTorch: it runs `step.py` in a separate process.

use std::env;
use std::io::{BufWriter, Write};
use std::process::{ChildStdin, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use trainer::models::seed_network::network::{EMBEDDING_DIM, HIDDEN_DIM, STATE_DIM};
use trainer::nn::leaky_relu::NEGATIVE_SLOPE;
use trainer::models::seed_network::rows::TrainingRows;
use watchnext::features::{HISTORY_LEN, TIME_FEATURES};

use crate::Args;
use crate::batch::{DROPOUT, LEARNING_RATE, MOVIES, Parameters};

/// The script is part of the executable, so that it runs from any folder.
const SCRIPT: &str = include_str!("../step.py");
/// The environment variable that names the interpreter.
const INTERPRETER: &str = "PYTORCH_PYTHON";
/// The script's exit status if the interpreter has no PyTorch.
const NO_PYTORCH: i32 = 3;

/// The first line that the script reads.
#[derive(Serialize)]
struct Plan {
    movies: usize,
    embedding: usize,
    time: usize,
    hidden: usize,
    state: usize,
    slots: usize,
    slope: f64,
    dropout: f64,
    learning_rate: f64,
    rows: usize,
    threads: usize,
    warm_up: usize,
    steps: usize,
    seed: u64,
}

/// The script's measurements.
#[derive(Deserialize)]
pub struct Report {
    /// PyTorch's version.
    pub version: String,
    /// The threads that it used.
    pub threads: usize,
    /// The time of each step after the warm-up.
    pub milliseconds: Vec<f64>,
    /// The loss of each step, with the warm-up.
    pub losses: Vec<f32>,
}

/// Times PyTorch. If there is no interpreter or no PyTorch, prints the reason and returns `None`.
///
/// # Errors
/// The script fails after it has started to measure.
pub fn measure(args: &Args, threads: usize, rows: &TrainingRows, parameters: &Parameters) -> Result<Option<Report>> {
    let interpreter = env::var_os(INTERPRETER).unwrap_or_else(|| "python3".into());
    let interpreter_name = interpreter.display().to_string();
    let child = Command::new(&interpreter).args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            eprintln!("PyTorch is skipped: {interpreter_name} doesn't start ({error}). Set {INTERPRETER} to another.");
            return Ok(None);
        }
    };
    let plan = Plan {
        movies: MOVIES,
        embedding: EMBEDDING_DIM,
        time: TIME_FEATURES,
        hidden: HIDDEN_DIM,
        state: STATE_DIM,
        slots: HISTORY_LEN,
        slope: NEGATIVE_SLOPE,
        dropout: DROPOUT,
        learning_rate: LEARNING_RATE,
        rows: rows.len(),
        threads,
        warm_up: args.warm_up,
        steps: args.steps,
        seed: args.seed,
    };
    let stdin = child.stdin.take().context("PyTorch's process has no input")?;
    // An interpreter without PyTorch ends before it reads, so check its status before this result.
    let written = write(stdin, &plan, rows, parameters);
    let output = child.wait_with_output().context("can't wait for PyTorch's process")?;
    if output.status.code() == Some(NO_PYTORCH) {
        eprintln!("PyTorch is skipped: {interpreter_name} doesn't have it. Set {INTERPRETER} to another.");
        return Ok(None);
    }
    ensure!(output.status.success(), "step.py ended with {}; its message is above", output.status);
    written.context("step.py didn't read the batch")?;
    Ok(Some(serde_json::from_slice(&output.stdout).context("step.py's report can't be read")?))
}

fn write(stdin: ChildStdin, plan: &Plan, rows: &TrainingRows, parameters: &Parameters) -> Result<()> {
    let mut pipe = BufWriter::new(stdin);
    serde_json::to_writer(&mut pipe, plan)?;
    pipe.write_all(b"\n")?;
    for movie in &rows.history {
        pipe.write_all(&movie.to_le_bytes())?;
    }
    for value in &rows.time {
        pipe.write_all(&value.to_le_bytes())?;
    }
    for target in &rows.target {
        pipe.write_all(&i64::from(*target).to_le_bytes())?;
    }
    for value in parameters.in_order().into_iter().flatten() {
        pipe.write_all(&value.to_le_bytes())?;
    }
    Ok(pipe.flush()?)
}
