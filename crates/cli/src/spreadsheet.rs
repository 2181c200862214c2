//! Texts in CSV that no spreadsheet computes: a cell that begins like a formula is one, quoted or not.
//!
//! Names and texts come from outside, and a source may be called `-2-3`. Numbers are left as they are.

use std::borrow::Cow;

/// What makes a formula of a cell, at its beginning.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The text of a cell, behind an apostrophe where it would else be a formula: spreadsheets take that for the sign of a
/// text and do not show it.
///
/// ```
/// use heapsoak_cli::spreadsheet::{inert, original};
///
/// assert_eq!(inert("heap_used"), "heap_used");
/// assert_eq!(inert("-2-3"), "'-2-3");
/// assert_eq!(original("'-2-3"), "-2-3");
/// ```
#[must_use]
pub fn inert(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text that [`inert`] was given; an apostrophe before anything else is part of the text.
#[must_use]
pub fn original(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| text.starts_with(FORMULA)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_begins_like_a_formula_stays_one_and_everything_comes_back() {
        for text in ["=cmd()", "+1", "-2-3", "@SUM(A1)", "\t=1", "\r=1", "-"] {
            assert_eq!(inert(text), format!("'{text}"));
            assert_eq!(original(&inert(text)), text);
        }
        for text in ["", "heap_used", "a-b", "'", "'heap'", "2-3", "\u{e9}"] {
            assert_eq!(inert(text), text);
            assert_eq!(original(text), text);
        }
    }
}
