//! Tables: cells from text, rows from cells.
//!
//! 1. The text is cut into cells (`|` with the specification before it, or CSV, or DSV).
//! 2. Cells fill rows of as many columns as `cols` says, or as the first line has; cells over
//!    several columns or rows are laid out, a cell over rows being repeated in each of them.
//! 3. The column's style or the cell's own says what a cell is: text, code, blocks.

use std::rc::Rc;

use super::{
    block::{Block, Cell, Table},
    inline::code_span,
    parse::{Meta, Parser},
};

/// Tables are no wider, and a cell spans no further.
const COLUMNS_MAX: usize = 64;
const ROWS_SPANNED_MAX: usize = 256;

/// How the text of a cell is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Style {
    Plain,
    Mono,
    Strong,
    Emphasis,
    Literal,
    Blocks,
}

/// A cell as it is written.
#[derive(Debug, PartialEq)]
pub struct RawCell {
    pub text: String,
    /// What the cell says of its own style; else its column decides.
    pub style: Option<Style>,
    pub columns: usize,
    pub rows: usize,
    /// How often the cell is repeated.
    pub copies: usize,
}

impl Parser<'_> {
    /// Reads the lines of a table.
    pub fn table(&mut self, delimiter: &str, lines: &[&str], meta: &Meta) -> Block {
        let lines: Vec<&str> = lines.iter().copied().filter(|line| !self.skipped(line)).collect();
        let format = meta.list.get("format").unwrap_or(match &delimiter[..1] {
            "," => "csv",
            ":" => "dsv",
            _ => "psv",
        });
        let separator = meta.list.get("separator").and_then(|it| it.chars().next());
        let (cells, first_width) = match format {
            "csv" => recorded_cells(&lines, separator.unwrap_or(',')),
            "tsv" => recorded_cells(&lines, separator.unwrap_or('\t')),
            "dsv" => recorded_cells(&lines, separator.unwrap_or(':')),
            _ => {
                let bar = if delimiter.starts_with('!') { '!' } else { '|' };
                barred_cells(&lines, separator.unwrap_or(bar))
            }
        };
        let styles = match meta.list.get("cols") {
            Some(cols) => column_styles(cols),
            None => vec![Style::Plain; first_width.clamp(1, COLUMNS_MAX)],
        };
        let has_header = meta.list.has_option("header")
            || (!meta.list.has_option("noheader")
                && (has_implicit_header(&lines) || has_bold_header(&cells, styles.len())));
        let mut rows = self.rows(&cells, &styles, usize::from(has_header));
        let header = if has_header && !rows.is_empty() { rows.remove(0) } else { Vec::new() };
        let is_empty = header.is_empty() && rows.is_empty();
        if is_empty { Block::Group(Vec::new()) } else { Block::Table(Table { header, rows }) }
    }

    fn rows(&mut self, cells: &[RawCell], styles: &[Style], header_rows: usize) -> Vec<Vec<Cell>> {
        let width = styles.len().clamp(1, COLUMNS_MAX);
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        let mut row: Vec<Option<Cell>> = vec![None; width];
        // Cells of rows above that reach into the rows to come, by column.
        let mut hanging: Vec<Option<(Cell, usize)>> = vec![None; width];
        let mut row_has_cells_of_its_own = false;
        for raw in cells.iter().flat_map(|cell| std::iter::repeat_n(cell, cell.copies)) {
            // Cells that hang from above may fill whole rows.
            while row.iter().all(Option::is_some) {
                rows.push(finished(&mut row, &mut hanging));
            }
            row_has_cells_of_its_own = true;
            let column = row.iter().position(Option::is_none).unwrap_or(0);
            // A header is text, whatever the cells below it are.
            let style = raw.style.or_else(|| styles.get(column).copied());
            let style = style.filter(|_| rows.len() >= header_rows).unwrap_or(Style::Plain);
            let cell = self.cell(&raw.text, style);
            let end = (column + raw.columns).min(width);
            for (at, slot) in row.iter_mut().enumerate().take(end).skip(column) {
                if raw.rows > 1 {
                    hanging[at] = Some((Rc::clone(&cell), raw.rows - 1));
                }
                // What spans columns is written once; the columns it covers stay empty.
                *slot = Some(if at == column { Rc::clone(&cell) } else { Cell::default() });
            }
            if row.iter().all(Option::is_some) {
                rows.push(finished(&mut row, &mut hanging));
                row_has_cells_of_its_own = false;
            }
        }
        if row_has_cells_of_its_own {
            rows.push(finished(&mut row, &mut hanging));
        }
        rows
    }

    /// The text of a cell in a column of code, unless its author formatted it otherwise.
    fn mono(&mut self, text: &str) -> String {
        let formatted = self.inline(text);
        let as_written = formatted.replace('\\', "") == text.replace('\\', "");
        if as_written { code_span(text) } else { formatted }
    }

    fn cell(&mut self, text: &str, style: Style) -> Cell {
        let text = text.trim_matches('\n');
        let marked = |mark: &str, text: String| match text.trim() {
            "" => String::new(),
            text => format!("{mark}{text}{mark}"),
        };
        Rc::new(match style {
            Style::Blocks => {
                let lines: Vec<&str> = text.lines().collect();
                let lines = match lines.split_first() {
                    // The text after the bar is indented by the bar, not by its author.
                    Some((first, rest)) => [&[first.trim_start()], rest].concat(),
                    None => lines,
                };
                self.blocks(&lines)
            }
            Style::Literal => {
                vec![Block::Code { language: String::new(), text: text.to_owned() }]
            }
            _ if text.trim().is_empty() => Vec::new(),
            style => {
                let paragraphs = text.split("\n\n").map(str::trim).filter(|it| !it.is_empty());
                let paragraphs: Vec<String> = paragraphs
                    .map(|text| match style {
                        Style::Mono => self.mono(text),
                        Style::Strong => marked("**", self.inline(text)),
                        Style::Emphasis => marked("*", self.inline(text)),
                        _ => self.inline(text),
                    })
                    .collect();
                paragraphs.into_iter().map(Block::Paragraph).collect()
            }
        })
    }
}

/// Whether the first row is all bold, which is how a header is written without being one.
fn has_bold_header(cells: &[RawCell], width: usize) -> bool {
    let is_bold = |cell: &RawCell| {
        let inner = cell.text.trim().strip_prefix('*').and_then(|it| it.strip_suffix('*'));
        inner.is_some_and(|inner| !inner.is_empty() && !inner.trim_matches('*').contains('*'))
    };
    cells.len() > width && cells[..width].iter().all(is_bold)
}

/// Takes a full row, and starts the next one with the cells that hang into it.
fn finished(row: &mut [Option<Cell>], hanging: &mut [Option<(Cell, usize)>]) -> Vec<Cell> {
    let cells = row.iter_mut().map(|slot| slot.take().unwrap_or_default()).collect();
    for (slot, hung) in row.iter_mut().zip(hanging) {
        if let Some((cell, rows)) = hung.take() {
            *slot = Some(Rc::clone(&cell));
            *hung = Some((cell, rows - 1)).filter(|(_, rows)| *rows > 0);
        }
    }
    cells
}

/// The cells of a table with bars, and how many columns its first line fills.
fn barred_cells(lines: &[&str], bar: char) -> (Vec<RawCell>, usize) {
    let mut cells: Vec<RawCell> = Vec::new();
    let mut first_width = 0;
    for line in lines {
        cut_line(line, bar, &mut cells);
        if first_width == 0 {
            first_width = cells.iter().map(|cell| cell.columns * cell.copies).sum();
        }
    }
    (cells, first_width)
}

/// Cuts a line at its bars, reading the specification before each one.
fn cut_line(line: &str, bar: char, cells: &mut Vec<RawCell>) {
    let mut text = String::new();
    let mut specification = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek() == Some(&bar) {
            text.extend(chars.next());
        } else if c == bar {
            let (before, next) = split_specification(&text);
            close(cells, specification.take(), before);
            specification = Some(next);
            text.clear();
        } else {
            text.push(c);
        }
    }
    close(cells, specification, &text);
    if let Some(cell) = cells.last_mut() {
        cell.text.push('\n');
    }
}

/// Ends a piece of a line: it starts a cell if a specification stands before it, else it goes on
/// with the cell of the line above.
fn close(cells: &mut Vec<RawCell>, specification: Option<RawCell>, text: &str) {
    match (specification, cells.last_mut()) {
        (Some(mut cell), _) => {
            cell.text.push_str(text.trim());
            cells.push(cell);
        }
        (None, Some(cell)) => cell.text.push_str(text),
        (None, None) => {}
    }
}

/// Takes the specification of the next cell (`2.3+^.>s`) off the end of a text.
fn split_specification(text: &str) -> (&str, RawCell) {
    let trimmed = text.trim_end_matches([' ', '\t']);
    let start = trimmed.rfind([' ', '\t']).map_or(0, |at| at + 1);
    let word = if trimmed.len() == text.len() { &trimmed[start..] } else { "" };
    match specification(word) {
        Some(cell) if !word.is_empty() => (&text[..start], cell),
        _ => (text, RawCell::plain()),
    }
}

impl RawCell {
    fn plain() -> Self {
        Self { text: String::new(), style: None, columns: 1, rows: 1, copies: 1 }
    }
}

fn specification(word: &str) -> Option<RawCell> {
    let mut cell = RawCell::plain();
    let mut rest = word;
    if let Some(at) = rest.find(['+', '*']) {
        let (columns, rows) = rest[..at].split_once('.').unwrap_or((&rest[..at], ""));
        let number = |text: &str| if text.is_empty() { Some(1) } else { text.parse().ok() };
        let (columns, rows): (usize, usize) = (number(columns)?, number(rows)?);
        if rest[at..].starts_with('*') {
            cell.copies = columns.clamp(1, COLUMNS_MAX);
        } else {
            cell.columns = columns.clamp(1, COLUMNS_MAX);
            cell.rows = rows.clamp(1, ROWS_SPANNED_MAX);
        }
        rest = &rest[at + 1..];
    }
    rest = rest.trim_start_matches(['<', '>', '^', '.']);
    cell.style = match rest {
        "" => None,
        letter => Some(style(letter)?),
    };
    Some(cell)
}

fn style(letter: &str) -> Option<Style> {
    Some(match letter {
        "a" => Style::Blocks,
        "m" => Style::Mono,
        "s" | "h" => Style::Strong,
        "e" => Style::Emphasis,
        "l" => Style::Literal,
        "d" | "v" => Style::Plain,
        _ => return None,
    })
}

/// The styles of the columns, as in `1,2a,3*m`.
fn column_styles(cols: &str) -> Vec<Style> {
    // A number alone says how many columns there are.
    if let Ok(count) = cols.trim().parse::<usize>() {
        return vec![Style::Plain; count.clamp(1, COLUMNS_MAX)];
    }
    let mut styles = Vec::new();
    for column in cols.split(if cols.contains(',') { ',' } else { ';' }) {
        let (copies, column) = match column.trim().split_once('*') {
            Some((copies, column)) => (copies.parse().unwrap_or(1), column),
            None => (1, column.trim()),
        };
        let letter = column.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        let style = style(letter).unwrap_or(Style::Plain);
        let room = COLUMNS_MAX - styles.len();
        styles.extend(std::iter::repeat_n(style, copies.min(room)));
    }
    styles
}

/// Whether the first row is a header without being called one: a first line with a blank one
/// below, if it is not a blank inside a cell.
fn has_implicit_header(lines: &[&str]) -> bool {
    let [first, second, rest @ ..] = lines else { return false };
    let below = rest.iter().find(|line| !line.trim().is_empty());
    !first.trim().is_empty()
        && second.trim().is_empty()
        && below.is_none_or(|line| line.contains(['|', '!', ',', ':', '\t']))
}

/// The cells of a table of records (CSV, DSV), and how many its first record has.
fn recorded_cells(lines: &[&str], separator: char) -> (Vec<RawCell>, usize) {
    let mut cells = Vec::new();
    let mut first_width = 0;
    let mut field = String::new();
    let mut in_quotes = false;
    for line in lines {
        if line.trim().is_empty() && !in_quotes {
            continue;
        }
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' if in_quotes && chars.peek() == Some(&'"') => field.extend(chars.next()),
                '"' if in_quotes || field.trim().is_empty() => in_quotes = !in_quotes,
                '\\' if chars.peek() == Some(&separator) => field.extend(chars.next()),
                c if c == separator && !in_quotes => {
                    cells.push(RawCell { text: std::mem::take(&mut field), ..RawCell::plain() });
                }
                c => field.push(c),
            }
        }
        if in_quotes {
            field.push('\n');
            continue;
        }
        cells.push(RawCell { text: std::mem::take(&mut field), ..RawCell::plain() });
        if first_width == 0 {
            first_width = cells.len();
        }
    }
    if !field.is_empty() {
        cells.push(RawCell { text: field, ..RawCell::plain() });
    }
    (cells, first_width)
}
