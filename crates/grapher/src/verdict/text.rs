//! The verdict for people: a paragraph for each source, and in the last line what that means for all.

use std::io::{self, Write};

use super::Finding;

/// Writes `findings` and the `conclusion` that is drawn from them.
pub(crate) fn write(out: &mut dyn Write, findings: &[Finding], conclusion: &str) -> io::Result<()> {
    for finding in findings {
        writeln!(out, "{}: {}. {}", plain(&finding.source), plain(&finding.title), plain(&finding.reason))?;
        for line in &finding.figures {
            writeln!(out, "    {}", plain(line))?;
        }
        if !finding.advice.is_empty() {
            writeln!(out, "    {}", plain(&finding.advice))?;
        }
        writeln!(out)?;
    }
    let by: Vec<&str> = findings.iter().filter(|f| f.is_failure()).map(|f| f.source.as_str()).collect();
    let by = if by.is_empty() { String::new() } else { format!(" ({})", plain(&by.join(", "))) };
    writeln!(out, "verdict: {conclusion}{by}")
}

/// Without characters that move a terminal's cursor, or forge a line.
pub(super) fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use heapsoak_verdict::Word;

    use super::super::findings::testing::finding;
    use super::*;

    #[test]
    fn a_hostile_name_forges_no_line_and_moves_no_cursor() {
        let mut out = Vec::new();
        let findings = [finding("a\nverdict: steady\u{1b}[2J", Word::Leak)];
        write(&mut out, &findings, "leak").unwrap();
        expect![[r"
            a\nverdict: steady\u{1b}[2J: leak. It grows.
                1 to 2
                Look.

            verdict: leak (a\nverdict: steady\u{1b}[2J)
        "]]
        .assert_eq(&String::from_utf8(out).unwrap());
    }
}
