//! Aligned columns, two spaces between them, no borders, nothing wrapped and nothing cut off: what is wider
//! than the terminal is the terminal's to wrap. Only the cells are kept, not the rows they came from.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};
use unicode_width::UnicodeWidthStr;

use super::columns::{Chosen, fitting};
use super::{View, cell, escape, sort};

/// How many rows are laid out at once: a laid out cell takes ten times the room of its text.
const CHUNK: usize = 500;
/// What a row's sort keys take, more or less.
const KEY: usize = 100;
/// A row with a longer cell is told as it is: aligned, it would push every other row out of sight.
const MAX_CELL: usize = 1000;

/// The cells of a table that is still growing.
#[derive(Default)]
pub(super) struct Grid {
    /// The text of all cells, one after another.
    text: String,
    /// Where each row's text begins.
    starts: Vec<usize>,
    /// Where each cell ends.
    ends: Vec<usize>,
    keys: Vec<sort::Keys>,
}

impl Grid {
    pub(super) fn add(&mut self, row: &str, columns: &[Chosen], view: &View) {
        self.starts.push(self.text.len());
        let room = view.room_for_values();
        for (value, column) in cell::values(row, columns).iter().zip(columns) {
            let text = cell::shown(value, column.show, view);
            let room = room.filter(|_| column.path == ["value"]);
            self.text.push_str(&room.map_or(text.clone(), |room| cell::one_line(value, text, room)));
            self.ends.push(self.text.len());
        }
        if !view.sort.is_empty() {
            self.keys.push(sort::keys(row, view));
        }
    }

    /// How many bytes it keeps.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + (self.starts.len() + self.ends.len()) * size_of::<usize>() + self.keys.len() * KEY
    }

    fn cells(&self, row: usize, width: usize) -> Vec<&str> {
        let mut from = self.starts.get(row).copied().unwrap_or_default();
        let ends = self.ends.get(row * width..(row + 1) * width).unwrap_or_default();
        ends.iter().map(|end| self.text.get(std::mem::replace(&mut from, *end)..*end).unwrap_or_default()).collect()
    }

    pub(super) fn finish(self, columns: &[Chosen], view: &View, out: &mut String) {
        let mut order: Vec<usize> = (0..self.starts.len()).collect();
        if !self.keys.is_empty() {
            order.sort_by(|a, b| match (self.keys.get(*a), self.keys.get(*b)) {
                (Some(a), Some(b)) => sort::compare(a, b, &view.sort),
                _ => a.cmp(b),
            });
            order = order.into_iter().skip(view.skip).take(view.most).collect();
        }
        let headers: Vec<String> =
            columns.iter().map(|column| escape::visible(&column.header()).into_owned()).collect();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let mut widths = vec![0; columns.len()];
        if view.header {
            widen(&mut widths, &headers);
        }
        for row in &order {
            widen(&mut widths, &self.cells(*row, columns.len()));
        }
        let all = columns.len();
        let kept: Vec<usize> = match view.width.filter(|_| view.fits()) {
            Some(room) => fitting(columns, &widths, view.known, room),
            None => (0..all).collect(),
        };
        let columns: Vec<Chosen> = kept.iter().filter_map(|at| columns.get(*at).cloned()).collect();
        let widths = kept.iter().filter_map(|at| widths.get(*at).copied()).collect();
        let layout = Layout { columns: &columns, widths, colour: view.colour };
        if view.header {
            layout.lines(&[chosen(&headers, &kept)], true, out);
        }
        for chunk in order.chunks(CHUNK) {
            let rows: Vec<Vec<&str>> = chunk.iter().map(|row| chosen(&self.cells(*row, all), &kept)).collect();
            layout.lines(&rows, false, out);
        }
    }
}

/// The cells of the columns that are kept.
fn chosen<'a>(cells: &[&'a str], kept: &[usize]) -> Vec<&'a str> {
    kept.iter().filter_map(|at| cells.get(*at).copied()).collect()
}

fn widen(widths: &mut [usize], cells: &[&str]) {
    if !is_narrow(cells) {
        return;
    }
    for (most, text) in widths.iter_mut().zip(cells) {
        let width = if text.is_ascii() { text.len() } else { text.width() };
        *most = width.max(*most);
    }
}

/// How rows are laid out, the same in every chunk.
struct Layout<'a> {
    columns: &'a [Chosen],
    widths: Vec<usize>,
    colour: bool,
}

impl Layout<'_> {
    /// Appends these rows, one line each, without blanks at their ends.
    fn lines(&self, rows: &[Vec<&str>], header: bool, out: &mut String) {
        for part in rows.chunk_by(|a, b| is_narrow(a) && is_narrow(b)) {
            match part {
                [row] if !is_narrow(row) => {
                    out.push_str(row.join("  ").trim_end_matches(' '));
                    out.push('\n');
                }
                rows => {
                    for line in self.table(rows, header).lines() {
                        out.push_str(line.trim_end_matches(' '));
                        out.push('\n');
                    }
                }
            }
        }
    }

    fn table(&self, rows: &[Vec<&str>], header: bool) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if self.colour {
            table.enforce_styling();
            table.style_text_only();
        } else {
            table.force_no_tty();
        }
        for row in rows {
            table.add_row(row.iter().zip(self.columns).map(|(text, column)| self.cell(text, column, header)));
        }
        let last = self.widths.len().saturating_sub(1);
        for (index, (column, width)) in table.column_iter_mut().zip(&self.widths).enumerate() {
            let gap = if index == last { 0 } else { 2 };
            column.set_padding((0, gap));
            let width = u16::try_from(*width).unwrap_or(u16::MAX) + gap;
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
        }
        table
    }

    fn cell(&self, text: &str, column: &Chosen, header: bool) -> Cell {
        let cell = Cell::new(text);
        match (self.colour, header) {
            (false, _) => cell,
            (true, true) => cell.add_attribute(Attribute::Bold),
            (true, false) if column.path == ["state"] => match of_state(text) {
                Some(colour) => cell.fg(colour),
                None => cell,
            },
            (true, false) => cell,
        }
    }
}

fn is_narrow(row: &[&str]) -> bool {
    row.iter().all(|text| text.len() <= MAX_CELL)
}

/// Green for what is well, red for what is not, yellow for what is under way. The word says it too.
fn of_state(state: &str) -> Option<Color> {
    match state {
        "running" | "ready" | "active" | "created" | "successful" => Some(Color::Green),
        "failed" | "offline" | "aborted" => Some(Color::Red),
        "provisioning" | "stopping" | "creating" | "queued" | "deleting" | "resizing" | "paused" => Some(Color::Yellow),
        _ => None,
    }
}
/// Short texts in columns of one width, as many as the terminal has room for, filled from top to bottom. Each line is
/// indented by two.
pub fn in_columns(texts: &[String], width: usize) -> Vec<String> {
    let widest = texts.iter().map(|text| text.width()).max().unwrap_or_default() + 2;
    let across = (width.saturating_sub(3) / widest).max(1);
    let lines = texts.len().div_ceil(across).max(1);
    let line = |at: usize| {
        let row =
            texts.iter().skip(at).step_by(lines).fold(String::new(), |row, text| {
                format!("{row}{text}{}", " ".repeat(widest.saturating_sub(text.width())))
            });
        format!("  {}", row.trim_end())
    };
    (0..lines.min(texts.len())).map(line).collect()
}
