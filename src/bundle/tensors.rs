//! Reading tensors from safetensors files.

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::Role;
use crate::error::{Error, Result};

/// The largest header that is parsed, in bytes. A bundle's headers are far smaller, and a larger one would make the
/// parser allocate.
const MAX_TENSOR_HEADER: usize = 64 * 1024;

/// The tensors of a safetensors file, after a check of its header's size.
///
/// # Errors
/// [`Error::TensorInvalid`].
pub(crate) fn tensors<'bytes>(role: Role, bytes: &'bytes [u8]) -> Result<SafeTensors<'bytes>> {
    let invalid = |reason: String| Error::TensorInvalid { file: role.to_string(), reason };
    let header = bytes.first_chunk::<8>().map(|len| u64::from_le_bytes(*len));
    match header.map(usize::try_from) {
        Some(Ok(len)) if len <= MAX_TENSOR_HEADER => {}
        Some(_) => return Err(invalid(format!("its header is larger than {MAX_TENSOR_HEADER} bytes"))),
        None => return Err(invalid("it is shorter than a header".to_owned())),
    }
    SafeTensors::deserialize(bytes).map_err(|error| invalid(error.to_string()))
}

/// One tensor of a file, of the type and shape that it must have. A `None` in `shape` takes any length.
///
/// # Errors
/// [`Error::TensorInvalid`] if it is missing or of another type, [`Error::ShapeMismatch`].
pub(crate) fn tensor<'bytes>(
    role: Role,
    tensors: &SafeTensors<'bytes>,
    name: &str,
    dtype: Dtype,
    shape: &[Option<usize>],
) -> Result<TensorView<'bytes>> {
    let invalid = |reason: String| Error::TensorInvalid { file: role.to_string(), reason };
    let view = tensors.tensor(name).map_err(|_| invalid(format!("the tensor `{name}` is missing")))?;
    if view.dtype() != dtype {
        return Err(invalid(format!("the tensor `{name}` is of type {} instead of {dtype}", view.dtype())));
    }
    let fits = |(found, expected): (&usize, &Option<usize>)| expected.is_none_or(|expected| expected == *found);
    if view.shape().len() != shape.len() || !view.shape().iter().zip(shape).all(fits) {
        let expected: Vec<String> =
            shape.iter().map(|len| len.map_or("any".to_owned(), |len| len.to_string())).collect();
        return Err(Error::ShapeMismatch {
            place: format!("{role}: {name}"),
            expected: format!("[{}]", expected.join(", ")),
            found: format!("{:?}", view.shape()),
        });
    }
    Ok(view)
}

/// The finite numbers of an F32 tensor.
///
/// # Errors
/// As [`tensor`], and [`Error::NonFinite`].
pub(crate) fn floats(role: Role, tensors: &SafeTensors<'_>, name: &str, shape: &[Option<usize>]) -> Result<Vec<f32>> {
    let view = tensor(role, tensors, name, Dtype::F32, shape)?;
    let (words, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Error::NonFinite { place: format!("{role}: {name}") });
    }
    Ok(values)
}
