//! Arrays from NumPy's `.npy` and `.npz` and from `.safetensors`, by candle's readers.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::npy::NpzTensors;
use candle_core::{DType, Device, Tensor};
use ndarray::Array2;

use super::given::GivenFile;

/// More numbers than any bundle's table has. A header that states more would only allocate memory for nothing.
const MOST_NUMBERS: usize = 1 << 28;

/// Arrays by name.
pub(crate) type ByName = std::collections::BTreeMap<String, Tensor>;

/// The arrays' names for an error, such as "`a`, `b`".
pub(crate) fn names(arrays: &ByName) -> String {
    if arrays.is_empty() {
        return "no arrays".to_owned();
    }
    arrays.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The kind of file that a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One array.
    Npy,
    /// Several arrays by name.
    Npz,
    /// Several arrays by name.
    Safetensors,
}

impl Kind {
    /// The kind by the ending of the file's name.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "npy" => Some(Self::Npy),
            "npz" => Some(Self::Npz),
            "safetensors" => Some(Self::Safetensors),
            _ => None,
        }
    }
}

/// The one array of a `.npy`.
///
/// # Errors
/// A file that is cut short or isn't NumPy's.
pub(crate) fn npy(file: &GivenFile) -> Result<Tensor> {
    let place = || format!("{} can't be read as a .npy. Save it again with numpy.save", file.path.display());
    let stated = stated_numbers(&file.bytes);
    // A number takes at least one byte.
    if let Some(stated) = stated.filter(|stated| *stated > file.bytes.len()) {
        bail!("{}: its header states {stated} numbers, but it has {} bytes", place(), file.bytes.len());
    }
    Tensor::read_npy(&file.path).with_context(place)
}

/// How many numbers the header of a `.npy` states, if it is written as NumPy writes it.
fn stated_numbers(bytes: &[u8]) -> Option<usize> {
    let header = String::from_utf8_lossy(bytes.get(..bytes.len().min(1024))?);
    let (_, after) = header.split_once("'shape':")?;
    let (shape, _) = after.split_once('(')?.1.split_once(')')?;
    let mut dims = shape.split(',').map(str::trim).filter(|dim| !dim.is_empty());
    Some(dims.try_fold(1_usize, |count, dim| count.checked_mul(dim.parse().ok()?)).unwrap_or(usize::MAX))
}

/// The arrays of a `.npz` or a `.safetensors`.
///
/// # Errors
/// A file that is cut short, or neither of the two.
pub(crate) fn named(file: &GivenFile) -> Result<ByName> {
    let path = file.path.display();
    match Kind::of(&file.path) {
        Some(Kind::Npz) => {
            let place = || format!("{path} can't be read as a .npz. Save it again with numpy.savez");
            let arrays = NpzTensors::new(&file.path).with_context(place)?;
            let mut names: Vec<&String> = arrays.names();
            names.sort();
            let mut found = ByName::new();
            for name in names {
                let (shape, _) = arrays.get_shape_and_dtype(name).with_context(place)?;
                let count = shape.dims().iter().try_fold(1_usize, |count, dim| count.checked_mul(*dim));
                ensure!(
                    count.is_some_and(|count| count <= MOST_NUMBERS),
                    "{}: the header of `{name}` states the shape {:?}, which is too large",
                    place(),
                    shape.dims()
                );
                found.extend(arrays.get(name).with_context(place)?.map(|array| (name.clone(), array)));
            }
            Ok(found)
        }
        Some(Kind::Safetensors) => {
            let tensors = candle_core::safetensors::load_buffer(&file.bytes, &Device::Cpu);
            let place = || format!("{path} can't be read as a .safetensors. Save it again, whole");
            Ok(tensors.with_context(place)?.into_iter().collect())
        }
        _ => bail!("{path} is neither a .npz nor a .safetensors. Save the arrays by name in one of the two."),
    }
}

/// The table `[rows, columns]` of finite floats that a `.npy` holds, or a `.safetensors` of one tensor.
///
/// # Errors
/// A file that can't be read, another form, and the first number that isn't finite, with its row and column.
pub fn only_table(path: &Path) -> Result<Array2<f32>> {
    let file = GivenFile::read(path, "--items")?;
    let array = match Kind::of(path) {
        Some(Kind::Npy) => npy(&file)?,
        _ => {
            let arrays: Vec<Tensor> = named(&file)?.into_values().collect();
            let [array] = arrays.as_slice() else {
                bail!("{} has {} arrays instead of one. Save the factors alone.", path.display(), arrays.len())
            };
            array.clone()
        }
    };
    table(&array)
        .with_context(|| format!("{} isn't a table of factors. Save one row of floats an item", path.display()))
}

/// The numbers of an array as floats, in order, with the array's shape.
///
/// # Errors
/// An array that candle can't turn into floats.
pub(crate) fn floats(array: &Tensor) -> Result<(Vec<usize>, Vec<f32>)> {
    Ok((array.dims().to_vec(), array.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?))
}

/// The numbers of an array as whole numbers, in order, with the array's shape.
///
/// # Errors
/// An array of another type.
pub(crate) fn integers(array: &Tensor) -> Result<(Vec<usize>, Vec<i64>)> {
    let whole = matches!(array.dtype(), DType::I64 | DType::I32 | DType::I16 | DType::U32 | DType::U8);
    ensure!(whole, "its numbers are of type {}. Save whole numbers", array.dtype().as_str());
    Ok((array.dims().to_vec(), array.to_dtype(DType::I64)?.flatten_all()?.to_vec1()?))
}

/// A table `[rows, columns]` of finite floats.
///
/// # Errors
/// Another shape, and the first number that isn't finite, with its row and column.
pub(crate) fn table(array: &Tensor) -> Result<Array2<f32>> {
    let (shape, values) = floats(array)?;
    let [rows, columns] = shape.as_slice() else { bail!("its shape is {shape:?} instead of [rows, columns]") };
    let table = Array2::from_shape_vec((*rows, *columns), values)?;
    if let Some(((row, column), value)) = table.indexed_iter().find(|(_, value)| !value.is_finite()) {
        bail!("the number in row {row}, column {column}, both counted from 0, is {value}");
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_header_states_its_numbers() {
        let header = |shape: &str| {
            format!("\u{1}NUMPY..v.{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}").into_bytes()
        };
        assert_eq!(stated_numbers(&header("60, 8")), Some(480));
        assert_eq!(stated_numbers(&header("7,")), Some(7));
        assert_eq!(stated_numbers(&header("")), Some(1));
        assert_eq!(stated_numbers(&header("9999999999, 9999999999")), Some(usize::MAX));
        assert_eq!(stated_numbers(b"<html>"), None);
    }
}
