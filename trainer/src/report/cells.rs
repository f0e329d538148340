//! The tables of the page.

use serde::Serialize;

use super::text::{method_name, variant_name};
use crate::evaluate::bootstrap::Figure;
use crate::evaluate::label::Label;

/// A table with a title and a note, both outside the scroller so that a narrow window shows them whole.
#[derive(Serialize)]
pub struct Table {
    pub title: String,
    pub note: String,
    pub columns: Vec<String>,
    /// The first columns that hold words; the others hold numbers.
    pub word_columns: usize,
    pub rows: Vec<Row>,
}

#[derive(Serialize)]
pub struct Row {
    /// The class that the style sheet colours.
    pub class: &'static str,
    pub cells: Vec<Cell>,
}

#[derive(Serialize, Default)]
pub struct Cell {
    /// Makes the cell the header of its row or rows.
    pub scope: Option<&'static str>,
    /// How many rows a header is for.
    pub rows: Option<usize>,
    pub title: Option<String>,
    pub class: &'static str,
    pub text: String,
    pub interval: Option<String>,
}

impl Cell {
    pub fn header(text: String) -> Self {
        Self { scope: Some("row"), text, ..Self::default() }
    }

    pub fn words(text: &str) -> Self {
        Self { class: "words", text: text.to_owned(), ..Self::default() }
    }

    pub fn number(text: String, is_best: bool) -> Self {
        Self { class: if is_best { "best" } else { "" }, text, ..Self::default() }
    }

    /// A figure over its interval.
    pub fn figure(figure: Figure, digits: usize, is_best: bool) -> Self {
        let Figure { mean, low, high } = figure;
        let interval = Some(format!("{low:.digits$}–{high:.digits$}"));
        Self { interval, ..Self::number(format!("{mean:.digits$}"), is_best) }
    }

    /// A gain or a loss over its interval, coloured where it is sure.
    pub fn change(figure: Figure, unit: &str, scale: f64, digits: usize) -> Self {
        let [mean, low, high] = [figure.mean, figure.low, figure.high].map(|value| signed(value * scale, digits));
        Self {
            class: certainty(figure),
            text: format!("{mean}{unit}"),
            interval: Some(format!("{low} to {high}")),
            ..Self::default()
        }
    }
}

impl Row {
    /// A method's row, whose first cell is its name. Variants follow their default, so that they needn't repeat its
    /// name.
    pub fn of_method(label: &Label, cells: impl IntoIterator<Item = Cell>) -> Self {
        let class = match (label.is_ours(), label.variant.is_default()) {
            (true, true) => "ours",
            (_, false) => "variant",
            (false, true) => "",
        };
        let name = method_name(label);
        let header = match variant_name(label.variant).filter(|_| !label.variant.is_default()) {
            Some(variant) => Cell { title: Some(name), ..Cell::header(variant) },
            None => Cell::header(name),
        };
        Self { class, cells: std::iter::once(header).chain(cells).collect() }
    }
}

/// A number with its sign; the minus is as wide as the plus.
pub fn signed(value: f64, digits: usize) -> String {
    format!("{value:+.digits$}").replace('-', "−")
}

/// How sure a gain or a loss is, as a class of the style sheet.
pub fn certainty(figure: Figure) -> &'static str {
    if figure.low > 0.0 {
        "up"
    } else if figure.high < 0.0 {
        "down"
    } else {
        "unsure"
    }
}
