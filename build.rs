//! Assembles the kernel that needs relaxed SIMD: a separate module, which the browser's module contains as bytes.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

const KERNEL: &str = "src/index/relaxed.wat";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={KERNEL}");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo didn't set OUT_DIR")?);
    fs::write(out.join("relaxed.wasm"), wat::parse_file(KERNEL)?)?;
    Ok(())
}
