//! Comma-separated values (RFC 4180) that no spreadsheet takes for formulas.
//!
//! Names of clients, pages and organizations are written by strangers. A cell that begins like a
//! formula gets an apostrophe in front, which spreadsheets take for "this is text" (OWASP, CSV
//! Injection); and every cell that could be read in two ways is quoted.

use serde_json::Value;

/// Rows under a head; what a row lacks stays empty.
pub fn text(columns: &[&str], rows: impl Iterator<Item = Value>) -> String {
    let mut text = columns.join(",");
    text.push_str("\r\n");
    for row in rows {
        let cells: Vec<_> = columns.iter().map(|column| cell(&shown(&row[*column]))).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// One cell.
pub fn cell(text: &str) -> String {
    // Spreadsheets pass over blanks before they look for a formula, and take full-width signs too.
    let first = text.trim_start().chars().next();
    let is_formula = matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
        || text.starts_with(['\t', '\r', '\n']);
    // A plain number is none, negative or not.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let guarded = if is_formula && !is_number { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\n', '\r', ';', '\t']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_written_under_their_head() {
        let rows = [
            json!({"name": "Cursor, \"pro\"", "calls": 12, "extra": 1}),
            json!({"name": "=HYPERLINK(\"https://evil.example\")", "uris": ["a", "b"]}),
            json!({"name": "line\nbreak", "calls": -3}),
        ];
        assert_eq!(
            text(&["name", "calls", "uris"], rows.into_iter()),
            "name,calls,uris\r\n\"Cursor, \"\"pro\"\"\",12,\r\n\
             \"'=HYPERLINK(\"\"https://evil.example\"\")\",,a b\r\n\"line\nbreak\",-3,\r\n"
        );
    }

    #[test]
    fn what_begins_like_a_formula_is_text() {
        for formula in ["=1", "+1+1", "-1+1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\u{a0}=1", "＝1"]
        {
            let cell = cell(formula);
            let cell = cell.trim_matches('"');
            assert!(cell.starts_with('\''), "{formula:?}: {cell:?}");
        }
        for plain in ["", "1", "-1", "a=1", "example.com", "2027-01-15T08:00:00Z"] {
            assert_eq!(cell(plain), plain);
        }
    }
}
