//! Numbers as little-endian bytes, the order of safetensors and ONNX.

use std::borrow::Borrow;

/// 32-bit floats as bytes.
pub(crate) fn floats<V: Borrow<f32>>(values: impl IntoIterator<Item = V>) -> Vec<u8> {
    values.into_iter().flat_map(|value| value.borrow().to_le_bytes()).collect()
}

/// Signed 8-bit integers as bytes.
pub(crate) fn int8<V: Borrow<i8>>(values: impl IntoIterator<Item = V>) -> Vec<u8> {
    values.into_iter().map(|value| value.borrow().cast_unsigned()).collect()
}

/// Signed 64-bit integers as bytes.
pub(crate) fn int64<V: Borrow<i64>>(values: impl IntoIterator<Item = V>) -> Vec<u8> {
    values.into_iter().flat_map(|value| value.borrow().to_le_bytes()).collect()
}

/// Unsigned 32-bit integers as bytes.
pub(crate) fn uint32<V: Borrow<u32>>(values: impl IntoIterator<Item = V>) -> Vec<u8> {
    values.into_iter().flat_map(|value| value.borrow().to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_byte_comes_first() {
        assert_eq!(floats([1.0_f32]), [0, 0, 0x80, 0x3f]);
        assert_eq!(int8([-1_i8, 2]), [0xff, 2]);
        assert_eq!(int64([-2_i64]), [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(uint32([0x0102_0304_u32]), [4, 3, 2, 1]);
    }
}
