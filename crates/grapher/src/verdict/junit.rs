//! The verdict as JUnit's XML: a case for each source. A leak is a failure, undecided is skipped with its reason.

use std::io::{self, Write};

use heapsoak_verdict::Word;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Finding;

/// Writes `findings` as the suite `name`.
pub(crate) fn write(out: &mut dyn Write, name: &str, findings: &[Finding]) -> io::Result<()> {
    let name = valid(name);
    let failures = findings.iter().filter(|finding| finding.is_failure()).count();
    let skipped = findings.iter().filter(|finding| is_skipped(finding)).count();
    let counts = [
        ("tests", findings.len().to_string()),
        ("failures", failures.to_string()),
        ("errors", "0".to_owned()),
        ("skipped", skipped.to_string()),
    ];
    let counts = counts.each_ref().map(|(key, count)| (*key, count.as_str()));
    let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = xml.create_element("testsuites").with_attribute(("name", "heapsoak verdict")).with_attributes(counts);
    all.write_inner_content(|xml| {
        let suite = xml.create_element("testsuite").with_attribute(("name", name.as_str())).with_attributes(counts);
        suite.write_inner_content(|xml| findings.iter().try_for_each(|finding| case(xml, &name, finding)))?;
        Ok(())
    })?;
    writeln!(out)
}

fn case<W: Write>(xml: &mut Writer<W>, name: &str, finding: &Finding) -> io::Result<()> {
    let source = valid(&finding.source);
    let case = xml.create_element("testcase").with_attributes([("name", source.as_str()), ("classname", name)]);
    case.write_inner_content(|xml| {
        let tag = if finding.is_failure() { Some("failure") } else { is_skipped(finding).then_some("skipped") };
        if let Some(tag) = tag {
            let message = valid(&format!("{}: {}", finding.title, finding.reason));
            xml.create_element(tag)
                .with_attributes([("type", finding.word.as_str()), ("message", message.as_str())])
                .write_text_content(BytesText::new(&valid(&finding.advice)))?;
        }
        let said = [&[finding.reason.clone()][..], &finding.figures].concat().join("\n");
        xml.create_element("system-out").write_text_content(BytesText::new(&valid(&said)))?;
        Ok(())
    })?;
    Ok(())
}

fn is_skipped(finding: &Finding) -> bool {
    finding.word != Word::Steady && !finding.is_failure()
}

/// Without the characters that XML 1.0 cannot hold in any spelling.
fn valid(text: &str) -> String {
    let is_valid =
        |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_valid).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::findings::testing::finding;
    use super::*;

    fn written(name: &str, findings: &[Finding]) -> String {
        let mut out = Vec::new();
        write(&mut out, name, findings).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_leak_is_a_failure_and_one_that_does_not_count_is_skipped() {
        let findings = [
            finding("a", Word::Leak),
            Finding { counts: false, ..finding("b", Word::Leak) },
            finding("c", Word::Steady),
        ];
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="heapsoak verdict" tests="3" failures="1" errors="0" skipped="1">
              <testsuite name="soak.db" tests="3" failures="1" errors="0" skipped="1">
                <testcase name="a" classname="soak.db">
                  <failure type="leak" message="leak: It grows.">Look.</failure>
                  <system-out>It grows.
            1 to 2</system-out>
                </testcase>
                <testcase name="b" classname="soak.db">
                  <skipped type="leak" message="leak: It grows.">Look.</skipped>
                  <system-out>It grows.
            1 to 2</system-out>
                </testcase>
                <testcase name="c" classname="soak.db">
                  <system-out>It grows.
            1 to 2</system-out>
                </testcase>
              </testsuite>
            </testsuites>
        "#]]
        .assert_eq(&written("soak.db", &findings));
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let xml = written("]]><a b=\"'&\u{0}\u{1b}[2J\u{ffff}", &[finding("</testcase><x>\u{8}", Word::Undecided)]);
        let mut reader = quick_xml::Reader::from_str(&xml);
        let mut tags = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Start(tag) | Event::Empty(tag) => tags.push(format!("{:?}", tag.name())),
                _ => {}
            }
        }
        assert_eq!(tags.len(), 5, "{tags:?}");
        assert!(!xml.contains(['\u{0}', '\u{8}', '\u{1b}', '\u{ffff}']), "{xml}");
    }
}
