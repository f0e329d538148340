//! The parts of the library that the bench in the browser measures: the user tower, and each scan with a loop that only
//! reads its table.

mod floor;
mod vectors;

use ndarray::Array2;
use wasm_bindgen::prelude::*;
use watchnext::features::{HistoryInputs, TIME_FEATURES};
use watchnext::index::{FlatIndex, Int8Index, Neighbour};
use watchnext::model::{TowerInputs, TractUserTower, UserTower};

type JsResult<T> = Result<T, JsError>;

/// The shipped user tower, run by tract.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Tower(TractUserTower);

#[wasm_bindgen]
impl Tower {
    /// Loads an ONNX model whose vector has `dim` numbers, for a catalogue of `movies` movies.
    ///
    /// # Errors
    /// The library's own.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], dim: usize, movies: usize) -> JsResult<Tower> {
        Ok(Self(TractUserTower::load(bytes, dim, movies)?))
    }

    /// The vector of one visitor, from the same arrays that ONNX Runtime Web gets.
    ///
    /// # Errors
    /// Arrays of another length than the model's inputs, and the library's own.
    pub fn run(&self, history: &[i64], weights: &[f32], time: &[f32], year: f32) -> JsResult<Vec<f32>> {
        let (movies, weights) = (history.to_vec(), weights.to_vec());
        let time: [f32; TIME_FEATURES] = time.try_into()?;
        let history = HistoryInputs { movies, likes: weights.clone(), weights };
        Ok(self.0.embed(&TowerInputs { history, time, year, in_order: 0.0 })?)
    }
}

/// One table of vectors with both indexes over it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Scans {
    floats: FlatIndex,
    codes: Int8Index,
}

#[wasm_bindgen]
impl Scans {
    /// Indexes over `rows` × `dim` generated numbers.
    ///
    /// # Errors
    /// The library's own.
    #[wasm_bindgen(constructor)]
    pub fn new(rows: usize, dim: usize) -> JsResult<Scans> {
        let table = Array2::from_shape_fn((rows, dim), |(row, column)| vectors::code(row, column, dim));
        let codes = Int8Index::new(&table, (0..rows).map(vectors::scale).collect())?;
        drop(table);
        let floats = FlatIndex::from_rows(dim, rows, (0..rows).map(|row| codes.row(row)))?;
        Ok(Self { floats, codes })
    }

    /// The rows nearest to the query, by the index of floats.
    ///
    /// # Errors
    /// The library's own.
    pub fn floats(&self, query: &[f32], k: usize) -> JsResult<Vec<u32>> {
        Ok(numbers(&self.floats.search(query, k, |_| true)?))
    }

    /// The rows nearest to the query, by the index of 8 bits.
    ///
    /// # Errors
    /// The library's own.
    pub fn codes(&self, query: &[f32], k: usize) -> JsResult<Vec<u32>> {
        Ok(numbers(&self.codes.search(query, k, |_| true)?))
    }

    /// The rows nearest to the query by the rounded distances, without the exact comparison of the candidates.
    ///
    /// # Errors
    /// The library's own.
    pub fn codes_rounded(&self, query: &[f32], k: usize) -> JsResult<Vec<u32>> {
        Ok(numbers(&self.codes.search_rounded(query, k, |_| true)?))
    }

    /// Reads the table of floats and does nothing else.
    pub fn floats_floor(&self) -> u32 {
        floor::read_floats(self.floats.table())
    }

    /// Reads the table of 8 bits and does nothing else.
    pub fn codes_floor(&self) -> u32 {
        floor::read_codes(self.codes.table())
    }

    /// Where the table of floats begins in the module's memory, in bytes, for JavaScript that reads it.
    pub fn floats_address(&self) -> usize {
        self.floats.table().as_ptr() as usize
    }

    /// The distance between rows of the table of floats, in numbers.
    pub fn floats_stride(&self) -> usize {
        self.floats.table().len() / self.floats.len().max(1)
    }
}

/// The generated query with this number.
#[wasm_bindgen]
pub fn query(number: usize, dim: usize) -> Vec<f32> {
    (0..dim).map(|column| vectors::query(number, column, dim)).collect()
}

fn numbers(neighbours: &[Neighbour]) -> Vec<u32> {
    neighbours.iter().map(|near| near.row as u32).collect()
}
