//! The verdict for GitHub Actions: an annotation for each source on stdout, and a summary in Markdown.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use super::Finding;
use super::text::plain;

/// The longest summary that is added, in bytes.
const LONGEST: usize = 100 * 1024 - 1;
/// Room for the last line, which says how many rows are left out.
const LAST_LINE: usize = 64;

/// Writes an annotation for each of `findings`: an error where a leak counts, else a notice.
pub(crate) fn annotations(out: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        let kind = if finding.is_failure() { "error" } else { "notice" };
        let title = property(&format!("{}: {}", finding.source, finding.title));
        let message = data(format!("{} {}", finding.reason, finding.advice).trim_end());
        writeln!(out, "::{kind} title={title}::{message}")?;
    }
    Ok(())
}

/// Adds a summary to the file that GitHub shows under the job.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn add_summary(path: &Path, name: &str, findings: &[Finding], conclusion: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(summary(name, findings, conclusion).as_bytes())
}

/// A headline and a table, shorter than 100 KiB whatever the findings are.
fn summary(name: &str, findings: &[Finding], conclusion: &str) -> String {
    let name: String = name.chars().take(255).collect();
    let mut text = format!(
        "### {}: {}\n\n| source | verdict | rate | why |\n| --- | --- | --- | --- |\n",
        cell(&name),
        conclusion
    );
    for (number, finding) in findings.iter().enumerate() {
        let why = format!("{} {}", finding.reason, finding.advice);
        let cells = [&finding.source, &finding.title, &finding.rate, why.trim_end()].map(cell);
        let row = format!("| {} |\n", cells.join(" | "));
        if text.len() + row.len() + LAST_LINE > LONGEST {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "\nAnd {} more sources.", findings.len() - number);
            return text;
        }
        text.push_str(&row);
    }
    text.push('\n');
    text
}

/// The message of a workflow command.
fn data(text: &str) -> String {
    plain_but_lines(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Control characters are shown, line ends are kept for the escape that is theirs.
fn plain_but_lines(text: &str) -> String {
    text.split_inclusive(['\r', '\n'])
        .map(|line| {
            let body = line.trim_end_matches(['\r', '\n']);
            plain(body) + &line[body.len()..]
        })
        .collect()
}

/// Text in a cell of a Markdown table, never markup.
fn cell(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '@' => shown.push_str("&#64;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '~' | '$' => shown.extend(['\\', c]),
            _ => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use heapsoak_verdict::Word;

    use super::super::findings::testing::finding;
    use super::*;

    #[test]
    fn a_hostile_name_gives_no_command_of_its_own() {
        let mut out = Vec::new();
        annotations(&mut out, &[finding("a\n::set-env name=X::%0A,y:", Word::Leak)]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert_eq!(text, "::error title=a%0A%3A%3Aset-env name=X%3A%3A%250A%2Cy%3A%3A leak::It grows. Look.\n");
    }

    #[test]
    fn only_a_leak_that_counts_is_an_error() {
        let kind = |finding: Finding| {
            let mut out = Vec::new();
            annotations(&mut out, &[finding]).unwrap();
            String::from_utf8(out).unwrap().split(' ').next().unwrap().to_owned()
        };
        assert_eq!(kind(finding("a", Word::Leak)), "::error");
        assert_eq!(kind(Finding { counts: false, ..finding("a", Word::Leak) }), "::notice");
        assert_eq!(kind(finding("a", Word::Undecided)), "::notice");
    }

    #[test]
    fn a_summary_stays_below_100_kib_and_its_cells_are_no_markup() {
        let long = "<img src=x>|`@all`".repeat(100);
        let findings: Vec<Finding> = (0..100).map(|_| finding(&long, Word::Leak)).collect();
        let text = summary("soak.db", &findings, "leak");
        assert!(text.len() < 100 * 1024 && text.ends_with("more sources.\n"), "{} bytes", text.len());
        assert!(!text.contains("<img") && !text.contains("@all"));
        let short = summary("a.db", &findings[..1], "leak");
        assert!(short.starts_with("### a.db: leak\n\n| source | verdict |"), "{short}");
    }
}
