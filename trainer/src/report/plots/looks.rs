//! The colours and marks of the methods, which the colour-blind tell apart.

use plotters::prelude::RGBColor;

use super::super::text::method_name;
use crate::evaluate::evaluation::Evaluation;
use crate::evaluate::label::{Label, POPULARITY};

/// Okabe and Ito's palette without its yellow and its black, which vanish on the light and on the dark background. Its
/// orange comes last, since it is the nearest to ours.
pub const PALETTE: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// The corners of the palette's marks, in tenths of a mark's radius; ours and the ground have circles. They tell the
/// methods apart without colours.
pub const MARKS: [&[(i32, i32)]; 5] = [
    &[(-9, -9), (9, -9), (9, 9), (-9, 9)],
    &[(0, -12), (11, 8), (-11, 8)],
    &[(0, -13), (13, 0), (0, 13), (-13, 0)],
    &[(0, 12), (11, -8), (-11, -8)],
    &[
        (-4, -11),
        (4, -11),
        (4, -4),
        (11, -4),
        (11, 4),
        (4, 4),
        (4, 11),
        (-4, 11),
        (-4, 4),
        (-11, 4),
        (-11, -4),
        (-4, -4),
    ],
];

/// The palette's vermilion, for our methods.
pub const OURS: RGBColor = RGBColor(213, 94, 0);

/// Grey, for popularity, the ground that the others stand on.
pub const GROUND: RGBColor = RGBColor(128, 128, 128);

/// The colour and the mark of a method in all pictures.
#[derive(Clone, Copy)]
pub struct Look {
    /// The colour of lines and marks.
    pub colour: RGBColor,
    /// The mark's corners in tenths of its radius; empty for a circle.
    pub corners: &'static [(i32, i32)],
}

impl Look {
    /// A circle of this colour.
    pub const fn circle(colour: RGBColor) -> Self {
        Self { colour, corners: &[] }
    }
}

/// A look for each name of a series, the same in every picture.
pub fn looks(evaluation: &Evaluation) -> Vec<(String, Look)> {
    let labels = evaluation.next_movie.iter().map(|row| &row.label);
    let mut looks: Vec<(String, Look)> = Vec::new();
    let mut others = PALETTE.into_iter().zip(MARKS).map(|(colour, corners)| Look { colour, corners }).cycle();
    let labels = labels.chain(evaluation.few_clicks.iter().map(|row| &row.label));
    let labels = labels.chain(evaluation.discovery.iter().map(|row| &row.label));
    for label in labels.chain(evaluation.reactions.iter().map(|row| &row.label)) {
        let name = series_name(label);
        if looks.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let first_of_ours = label.is_ours() && !looks.iter().any(|(_, look)| look.colour == OURS);
        let look = match label.method.as_str() {
            POPULARITY => None,
            _ if first_of_ours => Some(Look::circle(OURS)),
            _ => others.next(),
        };
        looks.push((name, look.unwrap_or(Look::circle(GROUND))));
    }
    looks
}

/// The name of a method's line. Points on the curve of accuracy against coverage share their method's.
pub fn series_name(label: &Label) -> String {
    if label.variant.is_curve_point() { label.method.clone() } else { method_name(label) }
}

/// The look of a series.
pub fn look_of(looks: &[(String, Look)], name: &str) -> Look {
    looks.iter().find(|(known, _)| known == name).map_or(Look::circle(GROUND), |(_, look)| *look)
}
