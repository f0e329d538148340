//! Reading item factors that were trained elsewhere: NumPy's `.npy` or safetensors.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use ndarray::Array2;
use ndarray_npy::{ReadNpyError, ReadNpyExt};
use safetensors::tensor::{Dtype, SafeTensors};

/// The factors of a file, `[items, factors]`: an array of 32- or 64-bit floats in a `.npy` file, or the only tensor of a
/// safetensors file, of 32-bit floats.
///
/// # Errors
/// A file that can't be read, another form, and a number that isn't finite, with its row and column from 0.
pub fn read_factors(path: &Path) -> Result<Array2<f32>> {
    let bytes =
        fs::read(path).with_context(|| format!("{} can't be read. Check the path and the rights.", path.display()))?;
    let factors = match path.extension().and_then(|extension| extension.to_str()) {
        Some("npy") => npy(&bytes),
        Some("safetensors") => safetensors(&bytes),
        _ => bail!("{} is neither .npy nor .safetensors. Write the factors in one of these forms.", path.display()),
    };
    let factors = factors.with_context(|| {
        format!("{} holds no table of item factors. Write one row of floats an item.", path.display())
    })?;
    ensure!(!factors.is_empty(), "{} holds a table of {:?}, which is empty", path.display(), factors.dim());
    if let Some(((row, column), value)) = factors.indexed_iter().find(|(_, value)| !value.is_finite()) {
        bail!("{}: row {row}, column {column} is {value}. Train the factors again, or mend the row.", path.display());
    }
    Ok(factors)
}

fn npy(bytes: &[u8]) -> Result<Array2<f32>> {
    match Array2::<f32>::read_npy(Cursor::new(bytes)) {
        Err(ReadNpyError::WrongDescriptor(_)) => {
            Ok(Array2::<f64>::read_npy(Cursor::new(bytes))?.mapv(|value| value as f32))
        }
        read => Ok(read?),
    }
}

fn safetensors(bytes: &[u8]) -> Result<Array2<f32>> {
    let file = SafeTensors::deserialize(bytes)?;
    let tensors = file.tensors();
    let [(name, tensor)] = tensors.as_slice() else {
        bail!("it holds {} tensors instead of one", tensors.len());
    };
    ensure!(tensor.dtype() == Dtype::F32, "`{name}` is of type {:?} instead of F32", tensor.dtype());
    let [items, factors] = tensor.shape() else { bail!("`{name}` has the shape {:?}", tensor.shape()) };
    let (words, _) = tensor.data().as_chunks::<4>();
    let values = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    Ok(Array2::from_shape_vec((*items, *factors), values)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ndarray::{ShapeBuilder as _, array};
    use ndarray_npy::WriteNpyExt as _;

    /// Doubles, and columns one after the other, are what NumPy writes when nobody asks for anything else.
    #[test]
    fn every_form_is_read_alike() {
        let factors = array![[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.5]];
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let mut plain = Vec::new();
        factors.write_npy(&mut plain).unwrap();
        let mut doubles = Vec::new();
        factors.mapv(f64::from).write_npy(&mut doubles).unwrap();
        let mut by_column = Array2::<f32>::zeros((2, 3).f());
        by_column.assign(&factors);
        let mut columns = Vec::new();
        by_column.write_npy(&mut columns).unwrap();
        let raw: Vec<u8> = factors.iter().flat_map(|value| value.to_le_bytes()).collect();
        let tensor = safetensors::tensor::TensorView::new(Dtype::F32, vec![2, 3], &raw).unwrap();
        let tensors = safetensors::serialize([("anything", tensor)], None).unwrap();
        for (name, bytes) in [("a.npy", plain), ("b.npy", doubles), ("c.npy", columns), ("d.safetensors", tensors)] {
            assert_eq!(read_factors(&write(name, bytes)).unwrap(), factors, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("factors.npy");
        let refusal = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            format!("{:#}", read_factors(&path).unwrap_err())
        };
        let mut bytes = Vec::new();
        array![[1.0_f32, 2.0], [3.0, f32::NAN]].write_npy(&mut bytes).unwrap();
        assert!(refusal(&bytes).contains("factors.npy: row 1, column 1 is NaN"));
        let mut bytes = Vec::new();
        array![1_i64, 2].write_npy(&mut bytes).unwrap();
        assert!(refusal(&bytes).contains("holds no table of item factors"));
        assert!(refusal(b"no array").contains("factors.npy holds no table"));
    }
}
