//! The numbers that an ONNX file holds.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::{DatumType, Tensor, TractResult};
use tract_onnx::tract_core::internal::{bail, ensure};

use super::budget;
use crate::error::Error;

/// The type of a number in the types that models here are made of.
pub fn datum_type(number: i32) -> TractResult<DatumType> {
    Ok(match DataType::try_from(number) {
        Ok(DataType::Float) => DatumType::F32,
        Ok(DataType::Double) => DatumType::F64,
        Ok(DataType::Int8) => DatumType::I8,
        Ok(DataType::Uint8) => DatumType::U8,
        Ok(DataType::Int32) => DatumType::I32,
        Ok(DataType::Int64) => DatumType::I64,
        Ok(DataType::Bool) => DatumType::Bool,
        other => bail!("type {number} ({other:?}) isn't one of float, double, int8, uint8, int32, int64 and bool"),
    })
}

/// A tensor of a file, whose size is checked against its shape. `name` is what an error calls it.
///
/// # Errors
/// Numbers that don't fill the shape, types that aren't known, and [`Error::NonFinite`] for a weight that isn't a number. An
/// infinite one may be meant, to mask with.
pub fn read(proto: &TensorProto, name: &str) -> TractResult<Tensor> {
    let tensor = decode(proto)?;
    let is_nan = match tensor.datum_type() {
        DatumType::F32 => tensor.to_plain_array_view::<f32>()?.iter().any(|value| value.is_nan()),
        DatumType::F64 => tensor.to_plain_array_view::<f64>()?.iter().any(|value| value.is_nan()),
        _ => false,
    };
    if is_nan {
        return Err(Error::NonFinite { place: name.to_owned() }.into());
    }
    Ok(tensor)
}

fn decode(proto: &TensorProto) -> TractResult<Tensor> {
    ensure!(proto.external_data.is_empty(), "it lies in another file; save the model with its weights inside");
    let shape: Vec<usize> = proto.dims.iter().map(|dim| usize::try_from(*dim)).collect::<Result<_, _>>()?;
    let size = budget::of_weights(&shape)?;
    let raw: &[u8] = &proto.raw_data;
    let typed = raw.is_empty();
    match datum_type(proto.data_type)? {
        DatumType::F32 if typed => build(&shape, size, proto.float_data.iter().copied()),
        DatumType::F32 => build(&shape, size, chunks(raw).map(f32::from_le_bytes)),
        DatumType::F64 if typed => build(&shape, size, proto.double_data.iter().copied()),
        DatumType::F64 => build(&shape, size, chunks(raw).map(f64::from_le_bytes)),
        DatumType::I64 if typed => build(&shape, size, proto.int64_data.iter().copied()),
        DatumType::I64 => build(&shape, size, chunks(raw).map(i64::from_le_bytes)),
        DatumType::I32 if typed => build(&shape, size, proto.int32_data.iter().copied()),
        DatumType::I32 => build(&shape, size, chunks(raw).map(i32::from_le_bytes)),
        // Smaller numbers that aren't raw stand in the field of 32 bits, one in each.
        DatumType::I8 if typed => build(&shape, size, proto.int32_data.iter().map(|value| *value as i8)),
        DatumType::I8 => build(&shape, size, raw.iter().map(|byte| byte.cast_signed())),
        DatumType::U8 if typed => build(&shape, size, proto.int32_data.iter().map(|value| *value as u8)),
        DatumType::U8 => build(&shape, size, raw.iter().copied()),
        DatumType::Bool if typed => build(&shape, size, proto.int32_data.iter().map(|value| *value != 0)),
        DatumType::Bool => build(&shape, size, raw.iter().map(|byte| *byte != 0)),
        other => bail!("type {other:?} can't be read"),
    }
}

fn chunks<const BYTES: usize>(raw: &[u8]) -> impl ExactSizeIterator<Item = [u8; BYTES]> {
    raw.as_chunks::<BYTES>().0.iter().copied()
}

fn build<T: tract_onnx::prelude::Datum + Copy>(
    shape: &[usize],
    size: usize,
    values: impl ExactSizeIterator<Item = T>,
) -> TractResult<Tensor> {
    ensure!(values.len() == size, "it holds {} numbers where its shape {shape:?} asks for {size}", values.len());
    Tensor::from_shape(shape, &values.collect::<Vec<T>>())
}
