//! One word of rrdtool's graph language: its parts between colons, its names, numbers and colours.

use heapsoak_chart::Color;

/// A word that cannot be read, or that asks for what is not drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}`: {what}")]
pub(crate) struct WordError {
    word: String,
    what: String,
}

impl WordError {
    pub(crate) fn new(word: &str, what: impl Into<String>) -> Self {
        Self { word: word.to_owned(), what: what.into() }
    }
}

/// The parts between colons; `\:` is a colon within a part, every other backslash stays.
pub(crate) fn parts(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&':') => {
                letters.next();
                push(&mut parts, ':');
            }
            ':' => parts.push(String::new()),
            other => push(&mut parts, other),
        }
    }
    parts
}

fn push(parts: &mut [String], letter: char) {
    if let Some(last) = parts.last_mut() {
        last.push(letter);
    }
}

/// `heap` and the colours of `heap#ff0000#00ff00`.
pub(crate) fn name_and_colors(text: &str) -> (&str, Vec<&str>) {
    let mut pieces = text.split('#');
    (pieces.next().unwrap_or_default(), pieces.collect())
}

/// `rgb`, `rgba`, `rrggbb` or `rrggbbaa`, with or without `#`.
pub(crate) fn color(text: &str) -> Option<Color> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let long: String = match digits.len() {
        3 | 4 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => digits.to_owned(),
    };
    long.parse().ok()
}

/// A decimal number as in RPN: a sign, digits, a point, an exponent; neither `nan` nor `0x10` nor spaces.
pub(crate) fn number(text: &str) -> Option<f64> {
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b'e' | b'E');
    text.bytes().all(plain).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_colon_belongs_to_its_part() {
        assert_eq!(parts(r"DEF:a=C\:\x.db:heap:AVERAGE"), ["DEF", r"a=C:\x.db", "heap", "AVERAGE"]);
        assert_eq!(parts(r"COMMENT:at 12\:30\l"), ["COMMENT", r"at 12:30\l"]);
        assert_eq!(parts("LINE1:a#f00::STACK"), ["LINE1", "a#f00", "", "STACK"]);
        assert_eq!(parts(""), [""]);
    }

    #[test]
    fn short_colours_are_long_ones_and_no_others_are_taken() {
        assert_eq!(color("#f00"), Some(Color::RED));
        assert_eq!(color("ff000080"), color("f008").map(|c| Color { alpha: 0x80, ..c }));
        for wrong in ["", "#", "ff", "fffff", "gg0000", "öö", "ff00000000"] {
            assert_eq!(color(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_plain_decimals_are_numbers() {
        assert_eq!(number("-1.5e3"), Some(-1500.0));
        assert_eq!(number("1e400"), Some(f64::INFINITY));
        for wrong in ["", " 5", "5 ", "inf", "nan", "0x10", "-", "e", "1e", "--5"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
