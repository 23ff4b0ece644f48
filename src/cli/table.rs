//! How commands print rows: as columns for people, as JSON or CSV for programs.

use serde_json::{Map, Value};

use crate::cli::say;

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns.
    Columns,
    /// One JSON object.
    Json,
    /// Comma-separated values with a head (RFC 4180).
    Csv,
}

/// Rows under a head, each as long as the head.
#[derive(Debug, Default)]
pub struct Table {
    /// What the rows are called in JSON.
    pub name: &'static str,
    /// The head.
    pub head: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// What is true of all of them, for JSON and people.
    pub notes: Vec<(&'static str, Value)>,
}

impl Table {
    /// Prints it.
    pub fn print(&self, form: Form) {
        match form {
            Form::Columns => self.columns().iter().for_each(say),
            Form::Json => say(self.json()),
            Form::Csv => self.csv().iter().for_each(say),
        }
    }

    /// A part of a table that is too long to be held: lines whose head is printed once, before the
    /// first part; as JSON, one object for each row (JSON Lines).
    pub fn part(&self, form: Form) -> Vec<String> {
        match form {
            Form::Columns => self.rows.iter().map(|row| words(row)).collect(),
            Form::Json => self.rows.iter().map(|row| self.object(row).to_string()).collect(),
            Form::Csv => self.csv().split_off(1),
        }
    }

    /// The head of a table that is printed in parts.
    pub fn head(&self, form: Form) -> Option<String> {
        (form == Form::Csv).then(|| self.head.join(","))
    }

    fn object(&self, row: &[Value]) -> Value {
        let pairs = self.head.iter().zip(row);
        Value::Object(pairs.map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    fn columns(&self) -> Vec<String> {
        let head: Vec<_> = self.head.iter().map(|&name| name.to_owned()).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(shown).collect());
        let lines: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<_> = (0..self.head.len()).map(|at| width(at).unwrap_or(0)).collect();
        let padded = |line: &Vec<String>| {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let notes = self.notes.iter().map(|(name, value)| format!("{name}: {}", shown(value)));
        lines.iter().map(padded).chain(notes).collect()
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| self.object(row)).collect();
        let mut all = Map::from_iter([(self.name.to_owned(), Value::Array(rows))]);
        all.extend(self.notes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Value::Object(all)
    }

    fn csv(&self) -> Vec<String> {
        let rows = self.rows.iter().map(|row| {
            let cells: Vec<_> = row.iter().map(|value| cell(&shown(value))).collect();
            cells.join(",")
        });
        std::iter::once(self.head.join(",")).chain(rows).collect()
    }
}

fn words(row: &[Value]) -> String {
    let shown = row.iter().filter(|value| !value.is_null()).map(shown);
    shown.collect::<Vec<_>>().join("  ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// A cell that no spreadsheet takes for a formula: names of clients are written by strangers.
fn cell(text: &str) -> String {
    let text = match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text.to_owned(),
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_written_for_people_and_programs() {
        let table = Table {
            name: "usage",
            head: vec!["product", "calls"],
            rows: vec![vec![json!("Cursor, \"pro\""), json!(12)], vec![json!("=1+1"), Value::Null]],
            notes: vec![("since", json!("2026-11-23"))],
        };
        assert_eq!(
            table.columns(),
            ["product        calls", "Cursor, \"pro\"  12", "=1+1", "since: 2026-11-23"]
        );
        assert_eq!(table.csv(), ["product,calls", "\"Cursor, \"\"pro\"\"\",12", "'=1+1,"]);
        let head = table.head(Form::Csv).into_iter();
        assert_eq!(head.chain(table.part(Form::Csv)).collect::<Vec<_>>(), table.csv());
        assert_eq!(table.head(Form::Json), None);
        assert_eq!(table.part(Form::Json)[1], "{\"calls\":null,\"product\":\"=1+1\"}");
        assert_eq!(table.part(Form::Columns), ["Cursor, \"pro\"  12", "=1+1"]);
        assert_eq!(table.json()["usage"][0], json!({"product": "Cursor, \"pro\"", "calls": 12}));
        assert_eq!(table.json()["since"], "2026-11-23");
    }
}
