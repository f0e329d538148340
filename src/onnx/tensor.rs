//! The numbers that an ONNX file holds.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::{DatumType, Tensor, TractResult};
use tract_onnx::tract_core::internal::{bail, ensure};

use super::budget;
use crate::error::Error;

/// The types that models here are made of, and their names in ONNX.
const TYPES: [(DataType, DatumType, &str); 7] = [
    (DataType::Float, DatumType::F32, "float"),
    (DataType::Double, DatumType::F64, "double"),
    (DataType::Int8, DatumType::I8, "int8"),
    (DataType::Uint8, DatumType::U8, "uint8"),
    (DataType::Int32, DatumType::I32, "int32"),
    (DataType::Int64, DatumType::I64, "int64"),
    (DataType::Bool, DatumType::Bool, "bool"),
];

/// The type that a file names by this number.
pub fn datum_type(number: i32) -> TractResult<DatumType> {
    let found = TYPES.iter().find(|(in_file, ..)| i32::from(*in_file) == number);
    if let Some((_, datum_type, _)) = found {
        return Ok(*datum_type);
    }
    let name = DataType::try_from(number).map_or("unknown", |unknown| unknown.as_str_name()).to_ascii_lowercase();
    let known = TYPES.map(|(.., name)| name).join(", ");
    bail!("ONNX's type {number} ({name}) isn't one of {known}. Cast it when you export")
}

/// A type's name in ONNX, as errors show it.
pub fn type_name(datum_type: DatumType) -> &'static str {
    TYPES.iter().find(|(_, own, _)| *own == datum_type).map_or("another type", |(.., name)| name)
}

/// A tensor of a file, whose size is checked against its shape. Errors call it `name`.
///
/// # Errors
/// Numbers that don't fill the shape, unknown types, and [`Error::NonFinite`] for a weight that isn't a number.
/// Infinite weights are allowed: models mask with them.
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
    let size = budget::tensor_len(&shape)?;
    let raw: &[u8] = &proto.raw_data;
    let is_typed = raw.is_empty();
    match datum_type(proto.data_type)? {
        DatumType::F32 if is_typed => build(&shape, size, proto.float_data.iter().copied()),
        DatumType::F32 => build(&shape, size, chunks(raw).map(f32::from_le_bytes)),
        DatumType::F64 if is_typed => build(&shape, size, proto.double_data.iter().copied()),
        DatumType::F64 => build(&shape, size, chunks(raw).map(f64::from_le_bytes)),
        DatumType::I64 if is_typed => build(&shape, size, proto.int64_data.iter().copied()),
        DatumType::I64 => build(&shape, size, chunks(raw).map(i64::from_le_bytes)),
        DatumType::I32 if is_typed => build(&shape, size, proto.int32_data.iter().copied()),
        DatumType::I32 => build(&shape, size, chunks(raw).map(i32::from_le_bytes)),
        // Smaller numbers that aren't raw are in the field for 32 bits, one in each.
        DatumType::I8 if is_typed => {
            build(&shape, size, proto.int32_data.iter().map(|value| low_byte(*value).cast_signed()))
        }
        DatumType::I8 => build(&shape, size, raw.iter().map(|byte| byte.cast_signed())),
        DatumType::U8 if is_typed => build(&shape, size, proto.int32_data.iter().map(|value| low_byte(*value))),
        DatumType::U8 => build(&shape, size, raw.iter().copied()),
        DatumType::Bool if is_typed => build(&shape, size, proto.int32_data.iter().map(|value| *value != 0)),
        DatumType::Bool => build(&shape, size, raw.iter().map(|byte| *byte != 0)),
        other => bail!("numbers of {} can't be read", type_name(other)),
    }
}

/// The lowest 8 bits, where the field for 32 bits keeps a number of 8.
const fn low_byte(value: i32) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low
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
