//! XML as a stream of elements and their texts: what a dump is made of, and no more. Entities beside XML's own five,
//! documents that declare some, and endless pieces are refused, so that a small file cannot become a large one.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::bounded::Bounded;
use super::error::{ImportError, shown};

/// Bytes of one tag, one comment, or one stretch of text.
const PIECE_BYTES: usize = 64 << 10;

/// Bytes of the text of one element.
const TEXT_BYTES: usize = 4 << 10;

/// Elements within one that is passed over.
const DEPTH: usize = 16;

/// What comes next between elements.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// An element begins.
    Open(String),
    /// The element ends in which we are.
    Close,
    /// The file ends.
    End,
}

pub(super) struct Markup<R: BufRead> {
    reader: Reader<Bounded<R>>,
    piece: Vec<u8>,
}

/// An event that matters, free of the buffer.
enum Token {
    Part(Part),
    Text(String),
}

impl<R: BufRead> Markup<R> {
    pub(super) fn new(input: R) -> Self {
        let mut reader = Reader::from_reader(Bounded::new(input));
        reader.config_mut().expand_empty_elements = true;
        Self { reader, piece: Vec::new() }
    }

    /// An error in the line that was read last.
    pub(super) fn error(&mut self, what: impl Into<String>) -> ImportError {
        ImportError::at(self.line(), what)
    }

    /// The line that was read last.
    pub(super) fn line(&mut self) -> u64 {
        self.reader.get_mut().line()
    }

    /// The next element's begin, or the end of this one; text in between is refused.
    pub(super) fn part(&mut self) -> Result<Part, ImportError> {
        loop {
            match self.token()? {
                Token::Part(part) => return Ok(part),
                Token::Text(text) if text.trim().is_empty() => {}
                Token::Text(text) => {
                    return Err(self.error(format!("text {} where an element should be", shown(text.trim()))));
                }
            }
        }
    }

    /// The text of the element that has just begun, white space around it cut off, up to its end.
    pub(super) fn text(&mut self, name: &str) -> Result<String, ImportError> {
        let mut all = String::new();
        loop {
            match self.token()? {
                Token::Text(text) => all.push_str(&text),
                Token::Part(Part::Close) => return Ok(all.trim().to_owned()),
                Token::Part(Part::Open(inner)) => {
                    return Err(self.error(format!("element <{inner}> within <{name}>, which should hold text only")));
                }
                Token::Part(Part::End) => return Err(self.cut_off()),
            }
            if all.len() > TEXT_BYTES {
                return Err(self.error(format!("text of <{name}> is longer than {TEXT_BYTES} bytes")));
            }
        }
    }

    /// Passes over the rest of the element in which we are.
    pub(super) fn skip(&mut self) -> Result<(), ImportError> {
        let mut depth = 0_usize;
        loop {
            match self.token()? {
                Token::Text(_) => {}
                Token::Part(Part::End) => return Err(self.cut_off()),
                Token::Part(Part::Open(_)) if depth == DEPTH => {
                    return Err(self.error(format!("elements are nested more than {DEPTH} deep")));
                }
                Token::Part(Part::Open(_)) => depth += 1,
                Token::Part(Part::Close) => match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return Ok(()),
                },
            }
        }
    }

    /// The error for an element that does not belong where it is.
    pub(super) fn unexpected(&mut self, part: &Part, within: &str) -> ImportError {
        match part {
            Part::Open(name) => {
                let name = shown(name);
                self.error(format!("element {name} within <{within}> is none of rrdtool's dump: is this one?"))
            }
            Part::Close => self.error(format!("</{within}> comes too early")),
            Part::End => self.cut_off(),
        }
    }

    pub(super) fn cut_off(&mut self) -> ImportError {
        self.error("the file ends in the middle: it was cut off, dump it again")
    }

    fn token(&mut self) -> Result<Token, ImportError> {
        loop {
            self.piece.clear();
            self.reader.get_mut().renew(PIECE_BYTES);
            let event = match self.reader.read_event_into(&mut self.piece) {
                Ok(event) => event,
                Err(error) => {
                    let line = self.reader.get_mut().line();
                    return Err(ImportError::at(line, format!("this is not XML as it should be: {error}")));
                }
            };
            let found = match event {
                Event::Start(tag) => Ok(Token::Part(Part::Open(tag.name().as_ref().to_owned()))),
                Event::End(_) => Ok(Token::Part(Part::Close)),
                Event::Eof => Ok(Token::Part(Part::End)),
                Event::Text(text) => Ok(Token::Text(text.xml10_content().into_owned())),
                Event::CData(text) => Ok(Token::Text(text.xml10_content().into_owned())),
                Event::GeneralRef(entity) => resolve(&entity).map(Token::Text),
                Event::DocType(doctype) if doctype.contains('[') => {
                    Err("the document declares something of its own, which a dump never does".to_owned())
                }
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            };
            return found.map_err(|what| self.error(what));
        }
    }
}

/// The text of XML's own entities and of character references.
fn resolve(entity: &BytesRef<'_>) -> Result<String, String> {
    let text = match &**entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        other => {
            let character = entity.resolve_char_ref().ok().flatten();
            let refused = || format!("entity {} is none of XML's own, and others are not taken", shown(other));
            return character.map(String::from).ok_or_else(refused);
        }
    };
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(xml: &str) -> Result<String, String> {
        let mut markup = Markup::new(xml.as_bytes());
        match markup.part() {
            Ok(Part::Open(name)) => markup.text(&name).map_err(|error| error.to_string()),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn text_is_whole_whatever_stands_in_it() {
        assert_eq!(text_of("<a> 1<!-- x -->2&lt;&#51;<![CDATA[<]]> </a>").unwrap(), "12<3<");
        assert_eq!(text_of("<?xml version=\"1.0\"?><!DOCTYPE rrd SYSTEM \"u\"><!-- c -->\n<a/>").unwrap(), "");
    }

    #[test]
    fn small_files_cannot_become_large_ones() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\">]><a>&b;</a>";
        assert!(text_of(bomb).unwrap_err().contains("declares something of its own"));
        assert!(text_of("<a>&b;</a>").unwrap_err().contains("entity `b` is none of XML's own"));
        assert!(text_of("<a>&#0;</a>").unwrap_err().contains("entity"));
        let endless = format!("<a>{}</a>", "1".repeat(100_000));
        assert!(text_of(&endless).unwrap_err().contains("too long"));
        let chopped = format!("<a>{}</a>", "1<!---->".repeat(10_000));
        assert!(text_of(&chopped).unwrap_err().contains("longer than 4096 bytes"));
        let tag = format!("<a {}>", "x ".repeat(100_000));
        assert!(text_of(&tag).unwrap_err().contains("too long"));
    }

    #[test]
    fn errors_name_their_line() {
        assert!(text_of("<a>\n\n<b/></a>").unwrap_err().starts_with("line 3: element <b> within <a>"));
        assert!(text_of("<a>\n1").unwrap_err().starts_with("line 2: the file ends in the middle"));
        assert!(text_of("<a>\n</b>").unwrap_err().starts_with("line 2: this is not XML"));
    }

    #[test]
    fn depth_has_an_end() {
        let deep = "<a>".repeat(1_000_000);
        let mut markup = Markup::new(deep.as_bytes());
        assert_eq!(markup.part().unwrap(), Part::Open("a".to_owned()));
        assert!(markup.skip().unwrap_err().to_string().contains("more than 16 deep"));
    }
}
