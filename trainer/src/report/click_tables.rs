//! The page's tables of what follows from a few clicks: P2, P4, the lists and the wall; and of P5.

use serde::Serialize;
use watchnext::recommend::DEFAULT_LIMIT;

use super::cells::{Cell, Row, Table};
use super::text::clicks_in_words;
use crate::evaluate::bootstrap::Figure;
use crate::evaluate::discovery::{BEST_KNOWN, Discovery};
use crate::evaluate::draws::{AfterClicks, CLICKS};
use crate::evaluate::evaluation::{ClicksRow, Evaluation, NextVisitRow};
use crate::evaluate::few_clicks::FewClicks;
use crate::evaluate::lists::Lists;
use crate::evaluate::next_visit::NextVisit;
use crate::evaluate::wall::{TILES, WALL_CLICKS, Wall};

/// Tables of the same users.
#[derive(Serialize)]
pub struct Part {
    users: usize,
    tables: Vec<Table>,
}

/// A table with a column for each number of clicks.
struct ByClicks<'page, Figures> {
    rows: &'page [ClicksRow<Figures>],
    clicks: [usize; 4],
}

impl<Figures: AfterClicks> ByClicks<'_, Figures> {
    fn table(&self, title: &str, note: &str, cell: impl Fn(&Figures) -> Cell) -> Table {
        let columns = std::iter::once("method".to_owned()).chain(self.clicks.into_iter().map(clicks_in_words));
        let row = |row: &ClicksRow<Figures>| {
            let cells = self.clicks.into_iter().map(|clicks| row.after(clicks).map_or_else(Cell::default, &cell));
            Row::of_method(&row.label, cells)
        };
        let rows = self.rows.iter().map(row).collect();
        Table { title: title.to_owned(), note: note.to_owned(), columns: columns.collect(), word_columns: 1, rows }
    }

    /// A table whose largest figures are the best.
    fn accuracy(&self, title: &str, note: &str, value: fn(&Figures) -> Figure) -> Table {
        let best = |clicks: usize| {
            let figures = self.rows.iter().filter_map(|row| row.after(clicks));
            figures.map(|found| value(found).mean).fold(0.0, f64::max)
        };
        self.table(title, note, |found| {
            let figure = value(found);
            Cell::figure(figure, 3, figure.mean >= best(found.clicks()))
        })
    }
}

/// Protocol P2's four figures: a table for each, with a column for each number of clicks.
pub fn few_clicks(evaluation: &Evaluation) -> Option<Part> {
    let users = evaluation.few_clicks.first()?.figures.first().map_or(0, |first: &FewClicks| first.users);
    let all = ByClicks { rows: &evaluation.few_clicks, clicks: CLICKS };
    let tables = vec![
        all.accuracy("NDCG@10", "How right the best 10 are, the first places counting most; 1 is perfect.", |found| {
            found.ndcg10
        }),
        all.accuracy(
            "Recall@20",
            "How many of the liked movies are among the best 20; 1 is as many as can be.",
            |found| found.recall20,
        ),
        all.table("Coverage@10", "How much of the catalogue is in anyone’s best 10.", |found| {
            percent(found.coverage10)
        }),
        all.table(
            "Popularity rank",
            "The mean rank of the best 10, 1 being the movie that most training users rated.",
            |found| Cell::figure(found.popularity10, 0, false),
        ),
    ];
    Some(Part { users, tables })
}

/// Protocol P4's two figures.
pub fn discovery(evaluation: &Evaluation) -> Option<Part> {
    let users = evaluation.discovery.first()?.figures.first().map_or(0, |first: &Discovery| first.users);
    let all = ByClicks { rows: &evaluation.discovery, clicks: CLICKS };
    let tables = vec![
        all.accuracy("NDCG@10 in discovery", "As above, of what isn’t well known.", |found| found.ndcg10),
        all.accuracy("Recall@20 in discovery", "As above, of what isn’t well known.", |found| found.recall20),
    ];
    Some(Part { users, tables })
}

/// Protocol P5's figures with both kinds of histories.
pub fn next_visit(evaluation: &Evaluation) -> Option<Part> {
    let users = evaluation.next_visit.first()?.rated.users;
    let rows = &evaluation.next_visit;
    let best = |value: &dyn Fn(&NextVisitRow) -> f64| rows.iter().map(value).fold(0.0, f64::max);
    let bests = [
        best(&|row| row.clicks.ndcg10.mean),
        best(&|row| row.clicks.hit20.mean),
        best(&|row| row.rated.ndcg10.mean),
        best(&|row| row.rated.hit20.mean),
    ];
    let row = |row: &NextVisitRow| {
        let NextVisitRow { clicks, rated, .. } = row;
        let both = |figures: &NextVisit| [figures.ndcg10, figures.hit20];
        let figures = both(clicks).into_iter().chain(both(rated)).zip(bests);
        Row::of_method(&row.label, figures.map(|(figure, best)| Cell::figure(figure, 3, figure.mean >= best)))
    };
    let columns = ["method", "NDCG@10, likes", "hit@20, likes", "NDCG@10, rated", "hit@20, rated"];
    let table = Table {
        title: "The next visit".to_owned(),
        note: "From the liked movies of the first visit as clicks, and from all of them with their ratings.".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        word_columns: 1,
        rows: rows.iter().map(row).collect(),
    };
    Some(Part { users, tables: vec![table] })
}

/// How lists and the wall look.
pub fn looks(evaluation: &Evaluation) -> Option<Part> {
    let users = evaluation.lists.first()?.figures.first().map_or(0, |first: &Lists| first.users);
    let all = ByClicks { rows: &evaluation.lists, clicks: CLICKS };
    let mut tables = vec![
        all.table(
            "In common",
            &format!("How many of a list’s {DEFAULT_LIMIT} movies are also in another user’s; fewer is more personal."),
            |found| Cell::figure(found.shared, 1, false),
        ),
        all.table(
            "Best known",
            &format!("How many of the {DEFAULT_LIMIT} are among the {BEST_KNOWN} that most training users rated."),
            |found| Cell::figure(found.best_known, 1, false),
        ),
        all.table("Coverage", "How much of the catalogue is in anyone’s list.", |found| percent(found.coverage)),
    ];
    let reasons = |found: &Lists| found.reasons.map_or_else(Cell::default, |reasons| Cell::figure(reasons, 1, false));
    if evaluation.lists.iter().flat_map(|row| &row.figures).any(|found| found.reasons.is_some()) {
        let note = format!("For how many of the {DEFAULT_LIMIT} the method names a clicked movie as the reason.");
        tables.push(all.table("With a reason", &note, reasons));
    }
    if !evaluation.wall.is_empty() {
        let all = ByClicks { rows: &evaluation.wall, clicks: WALL_CLICKS };
        let note =
            format!("How many of the {TILES} tiles to click on the user has seen, besides those already clicked.");
        tables.push(all.table("Seen on the wall", &note, |found| Cell::figure(found.seen, 1, false)));
        let note = "The same if the wall were the best known movies.";
        tables.push(
            all.table("Seen of the best known", note, |found: &Wall| Cell::figure(found.seen_of_static, 1, false)),
        );
    }
    Some(Part { users, tables })
}

fn percent(share: f64) -> Cell {
    Cell::number(format!("{:.1}\u{a0}%", share * 100.0), false)
}
