//! HTML by hand: every text that comes from outside goes through `escaped`.

use std::fmt::Write as _;

pub(super) use crate::domain::text::escaped;

/// A cell of a table.
pub(super) enum Cell {
    Text(String),
    /// A longer text, which may have several lines.
    Words(String),
    Number(String),
    Code(String),
}

impl Cell {
    fn put(&self, into: &mut String) {
        let _ = match self {
            Self::Text(text) => write!(into, "<td>{}</td>", escaped(text)),
            Self::Words(text) => write!(into, "<td class=\"words\">{}</td>", escaped(text)),
            Self::Number(text) => write!(into, "<td class=\"number\">{}</td>", escaped(text)),
            Self::Code(text) => write!(into, "<td><code>{}</code></td>", escaped(text)),
        };
    }
}

/// Names on the left, what they are on the right.
pub(super) fn facts(rows: &[(&str, Cell)]) -> String {
    let mut out = String::from("<table class=\"facts\">\n");
    for (name, cell) in rows {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escaped(name));
        cell.put(&mut out);
        out.push_str("</tr>\n");
    }
    out.push_str("</table>\n");
    out
}

/// Rows below their names; numbers stand on the right.
pub(super) fn table(names: &[&str], rows: &[Vec<Cell>]) -> String {
    let mut out = String::from("<div class=\"scroll\"><table class=\"figures\">\n<tr>");
    for (at, name) in names.iter().enumerate() {
        let is_number = rows
            .first()
            .is_some_and(|row| matches!(row.get(at), Some(Cell::Number(_))));
        let class = if is_number { " class=\"number\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escaped(name));
    }
    out.push_str("</tr>\n");
    for row in rows {
        out.push_str("<tr>");
        row.iter().for_each(|cell| cell.put(&mut out));
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div>\n");
    out
}
