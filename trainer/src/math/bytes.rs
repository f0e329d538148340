//! Numbers as little-endian bytes, the order of safetensors and ONNX.

/// Floats as bytes.
pub(crate) fn floats<'values>(values: impl IntoIterator<Item = &'values f32>) -> Vec<u8> {
    values.into_iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Signed bytes as bytes.
pub(crate) fn int8<'values>(values: impl IntoIterator<Item = &'values i8>) -> Vec<u8> {
    values.into_iter().map(|value| value.cast_unsigned()).collect()
}
