//! The table of goals.

use std::fmt::Write as _;

/// One line: a figure, its goal in the same unit, and what it was measured beside.
pub struct Goal {
    pub what: String,
    pub measured: f64,
    /// The most that it may be.
    pub limit: f64,
    pub unit: &'static str,
    pub beside: String,
}

impl Goal {
    pub fn is_reached(&self) -> bool {
        self.measured <= self.limit
    }
}

/// Columns as wide as their longest word.
pub fn render(goals: &[Goal]) -> String {
    let rows: Vec<[String; 5]> = goals
        .iter()
        .map(|goal| {
            let digits = if goal.limit < 10.0 { 2 } else { 1 };
            [
                if goal.is_reached() { "PASS" } else { "MISS" }.to_owned(),
                goal.what.clone(),
                format!("{:.digits$} {}", goal.measured, goal.unit),
                format!("≤ {} {}", goal.limit, goal.unit),
                goal.beside.clone(),
            ]
        })
        .collect();
    columns(
        &[["", "what", "measured", "goal", "beside"].map(str::to_owned)]
            .into_iter()
            .chain(rows)
            .collect::<Vec<_>>(),
    )
}

/// Rows of text in columns, two spaces between them.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _infallible = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
