//! Tables as Markdown: a grid where every cell fits in a line, else a list of rows.

use super::{
    block::{Block, Cell, List, Marker, Table},
    render::{Writer, bold},
};

/// A cell with more text is not put in a table row, which cannot be broken.
const CELL_BYTES_MAX: usize = 1500;

impl Writer<'_> {
    /// Writes a table.
    pub fn table(&mut self, table: &Table) {
        let text = |cell: &Cell| self.cell_text(cell);
        let header: Option<Vec<String>> = table.header.iter().map(text).collect();
        let rows: Option<Vec<Vec<String>>> =
            table.rows.iter().map(|row| row.iter().map(text).collect()).collect();
        match (header, rows) {
            (Some(header), Some(rows)) => self.grid(&header, &rows),
            (header, _) => self.rows_as_list(&header.unwrap_or_default(), &table.rows),
        }
    }

    fn grid(&mut self, header: &[String], rows: &[Vec<String>]) {
        let width = rows.first().map_or(header.len(), Vec::len).max(header.len());
        let row = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|it| it.replace('|', "\\|")).collect();
            format!("| {} |", cells.join(" | "))
        };
        // Markdown has no table without a header, but the header may be empty.
        let header = if header.is_empty() { vec![String::new(); width] } else { header.to_vec() };
        self.line(&row(&header));
        self.line(&format!("|{}", " --- |".repeat(width)));
        for cells in rows {
            self.line(&row(cells));
        }
    }

    /// A cell in one line, or None if it says more than one line can.
    fn cell_text(&self, cell: &Cell) -> Option<String> {
        let text = self.one_line(cell)?;
        (text.len() <= CELL_BYTES_MAX).then_some(text)
    }

    fn one_line(&self, blocks: &[Block]) -> Option<String> {
        let mut lines = Vec::new();
        for block in blocks {
            match block {
                Block::Paragraph(text) => {
                    lines.push(self.resolved(text).replace("\\\n", "<br>").replace('\n', " "));
                }
                Block::Caption(text) => lines.push(bold(&self.resolved(text))),
                Block::LostInclude(target) => lines.push(format!("*Include not found: {target}*")),
                Block::Group(blocks) => lines.push(self.one_line(blocks)?),
                Block::Admonition { label, blocks } => {
                    lines.push(format!("**{label}:** {}", self.one_line(blocks)?));
                }
                Block::List(List { marker, items }) => {
                    for (index, item) in items.iter().enumerate() {
                        let mark = match marker {
                            Marker::Bullet => "•".to_owned(),
                            Marker::Number(first) => format!("{}.", first.saturating_add(index)),
                        };
                        let text = self.resolved(&item.text).replace('\n', " ");
                        let below = self.one_line(&item.blocks)?;
                        let gap = if below.is_empty() { "" } else { "<br>" };
                        lines.push(format!("{mark} {text}{gap}{below}"));
                    }
                }
                Block::Terms(_)
                | Block::Heading { .. }
                | Block::Code { .. }
                | Block::Quote { .. }
                | Block::Tabs(_)
                | Block::Table(_)
                | Block::Rule => return None,
            }
        }
        Some(lines.join("<br>"))
    }

    /// A table whose cells hold blocks, as a list: a row is an item, led by its first cell.
    fn rows_as_list(&mut self, header: &[String], rows: &[Vec<Cell>]) {
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                self.gap();
            }
            let Some((lead, others)) = row.split_first() else { continue };
            match self.one_line(lead).filter(|lead| !lead.is_empty()) {
                Some(lead) => self.item("- ", &bold(&lead), &[]),
                None => self.item("- ", "", lead),
            }
            let length = self.enter("", "  ");
            self.marker = None;
            for (column, cell) in others.iter().enumerate() {
                let name = header.get(column + 1).map_or("", String::as_str);
                self.named_cell(name, cell, others.len());
            }
            self.leave(length);
        }
    }

    fn named_cell(&mut self, name: &str, cell: &Cell, cells_in_row: usize) {
        if cell.is_empty() {
            return;
        }
        // With two columns it is plain what the second one is.
        if cells_in_row > 1 && !name.is_empty() {
            match self.one_line(cell) {
                Some(text) => return self.item("- ", &format!("{name}: {text}"), &[]),
                None => return self.item("- ", &format!("{name}:"), cell),
            }
        }
        self.blocks(cell);
    }
}
