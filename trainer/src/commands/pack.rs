//! `trainer pack`.

use anyhow::{Context, Result};

use crate::foreign::{self, PackArgs, PackedForeign};
use crate::report;

/// Makes a bundle of a model that was trained elsewhere, and says what was found out about it.
pub fn pack(args: &PackArgs) -> Result<()> {
    let PackedForeign { packed, card, parity, cost, evaluation, warnings, given_bytes } = foreign::pack(args)?;
    for warning in &warnings {
        eprintln!("{warning}");
    }
    packed.write(&args.out)?;
    let card_path = args.out.join("README.md");
    std::fs::write(&card_path, card).with_context(|| format!("{} can't be written", card_path.display()))?;
    if let Some(parity) = parity {
        println!("{}", parity.said());
    }
    if let Some(cost) = cost {
        println!("{}", cost.said());
    }
    if let Some(evaluation) = &evaluation {
        println!("{}", report::text(evaluation));
    }
    for (role, file) in &packed.manifest.files {
        let given = if *role == watchnext::bundle::Role::UserTower {
            format!(" (of {given_bytes} given)")
        } else {
            String::new()
        };
        println!("{:>10} bytes  {}  {}{given}", file.bytes, file.sha256.get(..12).unwrap_or_default(), file.path);
    }
    println!("wrote {}", args.out.display());
    Ok(())
}
