//! `trainer fold-in`.

use std::fs;

use anyhow::{Context, Result};

use crate::cli::{AlsFeedback, FoldInArgs};
use crate::fold_in::check::{Recorded, read_rows_of_items};
use crate::fold_in::{Equations, Feedback, FoldIn};
use crate::models::external::arrays::only_table;

/// The numbers of steps whose error is shown.
const SHOWN: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Writes the user tower that folds a visitor into item factors which were trained elsewhere.
pub fn fold_in(args: &FoldInArgs) -> Result<()> {
    let items = only_table(&args.items)?;
    let recorded = args.recorded.as_deref().zip(args.catalog.as_deref());
    let recorded =
        recorded.map(|(recorded, catalog)| anyhow::Ok((Recorded::read(recorded)?, read_rows_of_items(catalog)?)));
    let recorded = recorded.transpose()?;
    let feedback = match args.als {
        AlsFeedback::Implicit => Feedback::Implicit { alpha: args.alpha },
        AlsFeedback::Explicit => Feedback::Explicit,
    };
    let by_count = !args.constant_regularisation;
    let fold_in = FoldIn::new(&items, Equations { feedback, lambda: args.regularisation, by_count }, args.float)?;
    let onnx = fold_in.onnx();
    let place = || format!("{} can't be written. Free the disk or mend the rights.", args.out.display());
    fs::write(&args.out, &onnx).with_context(place)?;
    let (movies, factors) = items.dim();
    println!(
        "{} steps of conjugate gradients against {movies} items of {factors} factors, {} bytes: {}",
        fold_in.steps(),
        onnx.len(),
        args.out.display()
    );
    let shown = SHOWN.iter().filter_map(|steps| Some(format!("{steps}: {:.1e}", fold_in.errors().get(steps - 1)?)));
    println!("largest relative error on made-up histories by steps: {}", shown.collect::<Vec<_>>().join(", "));
    if let Some((recorded, rows)) = recorded {
        println!("{}", recorded.compare(&onnx, &items, &rows)?);
    }
    Ok(())
}
