//! `trainer fold-in`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::files;
use crate::fold_in::check::{Recorded, read_rows_of_items};
use crate::fold_in::{Equations, Feedback, FoldIn};
use crate::models::external::arrays::only_table;

/// The numbers of steps whose error is shown.
const SHOWN: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// How ALS reads ratings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AlsFeedback {
    /// As the confidence that a movie is watched and liked: Spark's implicitPrefs.
    Implicit,
    /// As the values to predict.
    Explicit,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    trainer fold-in --als implicit --regularisation 0.1 --items factors.npy --out user_tower.onnx")]
pub(crate) struct FoldInArgs {
    /// The item factors, a row per item in the catalogue's order: .npy or .safetensors.
    #[arg(long, value_name = "FILE")]
    items: PathBuf,
    /// How the factors were trained.
    #[arg(long, value_enum)]
    als: AlsFeedback,
    /// The regularisation of their training: Spark's regParam.
    #[arg(long)]
    regularisation: f32,
    /// With --als implicit: the α of their training.
    #[arg(long, default_value_t = 1.0)]
    alpha: f32,
    /// Count the regularisation once, instead of once per movie of the history as Spark does.
    #[arg(long)]
    constant_regularisation: bool,
    /// Keep the factors as 32-bit floats instead of 8 bits, at four times the size.
    #[arg(long)]
    float: bool,
    /// The ONNX file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Compare with these recorded histories, vectors and best movies, as examples/spark/train.py writes them.
    #[arg(long, value_name = "FILE", requires = "catalog")]
    recorded: Option<PathBuf>,
    /// With --recorded: a CSV file whose column movieId names the movie of each row.
    #[arg(long, value_name = "FILE", requires = "recorded")]
    catalog: Option<PathBuf>,
}

/// Writes the user tower that folds a visitor into given item factors.
pub(crate) fn fold_in(args: &FoldInArgs) -> Result<()> {
    let items = only_table(&args.items)?;
    let recorded = match (&args.recorded, &args.catalog) {
        (Some(recorded), Some(catalog)) => Some((Recorded::read(recorded)?, read_rows_of_items(catalog)?)),
        _ => None,
    };
    let feedback = match args.als {
        AlsFeedback::Implicit => Feedback::Implicit { alpha: args.alpha },
        AlsFeedback::Explicit => Feedback::Explicit,
    };
    let by_count = !args.constant_regularisation;
    let fold_in = FoldIn::new(&items, Equations { feedback, lambda: args.regularisation, by_count }, args.float)?;
    let onnx = fold_in.onnx();
    files::write(&args.out, &onnx)?;
    let (movies, factors) = items.dim();
    println!(
        "{} steps of conjugate gradients against {movies} items of {factors} factors, {} bytes: {}",
        fold_in.steps(),
        onnx.len(),
        args.out.display()
    );
    let shown = SHOWN.iter().filter_map(|steps| Some(format!("{steps}: {:.1e}", fold_in.errors().get(steps - 1)?)));
    println!("largest relative error on made-up histories, by steps: {}", shown.collect::<Vec<_>>().join(", "));
    if let Some((recorded, rows)) = recorded {
        println!("{}", recorded.compare(&onnx, &items, &rows)?);
    }
    Ok(())
}
