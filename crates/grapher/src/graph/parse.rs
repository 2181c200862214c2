//! From the words of a command line to a [`Script`]. Pure: no file is opened.

use std::path::Path;

use heapsoak_chart::{Align, Color, Dash};
use heapsoak_cli::duration::parse_period;
use heapsoak_rrd::Cf;

use super::elements::{Def, Definition, Kind, Number, NumberFormat, Of, Part, Rule, Script, Shape, What, kind};
use super::format::{Format, TimeFormat};
use super::rpn::{self, Known};
use super::vdef;
use super::words::{self, WordError};

type Parsed<T> = Result<T, WordError>;

/// More words than a command line of this kind has.
const MOST_WORDS: usize = 2_000;

impl Script {
    /// Reads the elements in their order: a name has to be defined before it is used.
    pub(crate) fn parse(words: &[String]) -> Parsed<Script> {
        let mut script = Script::default();
        if let Some(word) = words.get(MOST_WORDS) {
            return Err(WordError::new(word, format!("more than {MOST_WORDS} elements are not drawn: leave some out")));
        }
        for word in words {
            Word::split(word)?.read(&mut script)?;
        }
        Ok(script)
    }

    fn known(&self, name: &str) -> Option<Known> {
        let index = self.definitions.iter().position(|definition| definition.name == name)?;
        Some(match self.definitions[index].what {
            What::Vdef { .. } => Known::Single(index),
            _ => Known::Rows(index),
        })
    }
}

/// One word in its parts.
struct Word<'a> {
    word: &'a str,
    kind: Kind,
    /// The digits of `LINE2`.
    width: &'a str,
    /// What follows the kind.
    parts: Vec<String>,
    /// How many of the parts were read.
    read: usize,
}

impl<'a> Word<'a> {
    fn split(word: &'a str) -> Parsed<Self> {
        let Some((kind, width)) = kind(word) else {
            return Err(WordError::new(word, "is no element of a graph: DEF, CDEF, VDEF, LINE, AREA … and a colon"));
        };
        let parts = words::parts(word).split_off(1);
        Ok(Self { word, kind, width, parts, read: 0 })
    }

    fn error(&self, what: impl Into<String>) -> WordError {
        WordError::new(self.word, what)
    }

    /// The next part; empty where there is none.
    fn next(&mut self) -> String {
        let part = self.parts.get(self.read).cloned().unwrap_or_default();
        self.read += 1;
        part
    }

    /// The next part as a text below the picture.
    fn text(&mut self) -> Parsed<String> {
        let text = self.next();
        if text.ends_with("\\u") {
            return Err(
                self.error("\\u goes up a line, and lines go down: put both texts in one line, with \\j or spaces")
            );
        }
        Ok(text)
    }

    /// The next part, which has to be there.
    fn need(&mut self, what: &str) -> Parsed<String> {
        match self.next() {
            part if part.is_empty() => Err(self.error(format!("{what} is not there, and has to be"))),
            part => Ok(part),
        }
    }

    /// Takes out the options of this name, wherever they stand among the parts that are not read yet; with its value.
    fn option(&mut self, name: &str) -> Option<String> {
        let value = |part: &String| part.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
        let index = (self.read..self.parts.len()).find(|&index| value(&self.parts[index]).is_some())?;
        value(&self.parts.remove(index))
    }

    /// Takes out the flag of this name behind the legend.
    fn flag(&mut self, name: &str) -> bool {
        let found = (self.read..self.parts.len()).find(|&index| self.parts[index] == name);
        found.map(|index| self.parts.remove(index)).is_some()
    }

    fn end(&self) -> Parsed<()> {
        match self.parts.get(self.read) {
            None => Ok(()),
            Some(more) => Err(self.error(format!("`{more}` is not understood there: write \\: for a colon in a text"))),
        }
    }

    fn read(mut self, script: &mut Script) -> Parsed<()> {
        match self.kind {
            Kind::Def | Kind::Cdef | Kind::Vdef => {
                let (name, rest) = self.name(script)?;
                let what = match self.kind {
                    Kind::Def => What::Def(self.def(&rest)?),
                    Kind::Cdef => {
                        let program = rpn::parse(&rest, &|name| script.known(name));
                        What::Cdef(program.map_err(|error| self.error(error.to_string()))?)
                    }
                    _ => self.vdef(script, &rest)?,
                };
                script.definitions.push(Definition { name, word: self.word.to_owned(), what });
            }
            Kind::Shift => {
                return Err(self.error("SHIFT is not drawn: give the DEF its own times by :start= and :end="));
            }
            Kind::XPort => return Err(self.error("XPORT is not drawn: use `grapher fetch` or `grapher export`")),
            _ => {
                let part = self.part(script)?;
                script.parts.push(part);
            }
        }
        self.end()
    }

    fn part(&mut self, script: &Script) -> Parsed<Part> {
        Ok(match self.kind {
            Kind::Line | Kind::Area | Kind::Stack => Part::Shape(self.shape(script)?),
            Kind::HRule => Part::Across(self.rule(script)?),
            Kind::VRule => Part::Upright(self.rule(script)?),
            Kind::Tick => self.tick(script)?,
            Kind::GPrint => Part::Written(self.number(script)?),
            Kind::Print => Part::Printed(self.number(script)?),
            Kind::TextAlign => Part::Align(match self.next().as_str() {
                "left" => Align::Left,
                "right" => Align::Right,
                "center" => Align::Center,
                "justified" => Align::Justified,
                other => return Err(self.error(format!("`{other}` is none of left, right, center, justified"))),
            }),
            _ => Part::Comment(self.text()?),
        })
    }

    /// `name` and the rest of `name=rest`.
    fn name(&mut self, script: &Script) -> Parsed<(String, String)> {
        let text = self.next();
        let Some((name, rest)) = text.split_once('=') else {
            return Err(self.error("a name and = belong behind the first colon"));
        };
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        if name.is_empty() || name.len() > 255 || !name.chars().all(plain) {
            return Err(self.error(format!("`{name}` is no name: use 1 to 255 letters, digits, - and _")));
        }
        if script.known(name).is_some() {
            return Err(self.error(format!("the name {name} is taken: choose another")));
        }
        Ok((name.to_owned(), rest.to_owned()))
    }

    fn cf(&self, text: &str) -> Parsed<Cf> {
        text.parse().map_err(|_| {
            let seasonal = ["HWPREDICT", "MHWPREDICT", "SEASONAL", "DEVPREDICT", "DEVSEASONAL", "FAILURES"];
            self.error(match seasonal.contains(&text) {
                true => format!(
                    "{text} belongs to rrdtool's forecasts, which no store holds: use AVERAGE, MIN, MAX or LAST"
                ),
                false => format!("`{text}` is no consolidation function: use AVERAGE, MIN, MAX or LAST"),
            })
        })
    }

    fn def(&mut self, path: &str) -> Parsed<Def> {
        if path.is_empty() {
            return Err(self.error("the file is not named"));
        }
        if Path::new(path).extension().is_some_and(|end| end.eq_ignore_ascii_case("rrd")) {
            return Err(self.error(import(path)));
        }
        let source = self.need("the name of the source")?;
        let cf = self.need("the consolidation function")?;
        let cf = self.cf(&cf)?;
        let time = |word: &mut Self, name: &str| {
            word.option(name)
                .map(|text| text.parse().map_err(|error| word.error(format!("{name}: {error}"))))
                .transpose()
        };
        let (start, end) = (time(self, "start")?, time(self, "end")?);
        let step_us = match self.option("step") {
            Some(text) => {
                let step = parse_period(&text).map_err(|error| self.error(format!("step: {error}")))?;
                Some(i64::try_from(step.as_micros()).unwrap_or(i64::MAX))
            }
            None => None,
        };
        let reduce = match self.option("reduce") {
            Some(text) => self.cf(&text)?,
            None => cf,
        };
        if let Some(daemon) = self.option("daemon") {
            return Err(self.error(format!("daemon={daemon}: there is no daemon, a store is read beside its writer")));
        }
        Ok(Def { path: path.into(), source, cf, step_us, start, end, reduce })
    }

    fn vdef(&self, script: &Script, text: &str) -> Parsed<What> {
        let Some((name, function)) = text.split_once(',') else {
            return Err(self.error("a name, a comma and a function are needed, as in heap,MAXIMUM"));
        };
        match script.known(name) {
            Some(Known::Rows(of)) => {
                let function = vdef::function(function).map_err(|what| self.error(what))?;
                Ok(What::Vdef { of, function })
            }
            Some(Known::Single(_)) => Err(self.error(format!("{name} is a VDEF already: name a DEF or CDEF"))),
            None => Err(self.undefined(name)),
        }
    }

    fn undefined(&self, name: &str) -> WordError {
        self.error(format!("{name} is not defined: a DEF, CDEF or VDEF of this name has to stand further left"))
    }

    /// A name, or a number.
    fn of(&self, script: &Script, text: &str) -> Parsed<Of> {
        match script.known(text) {
            Some(Known::Rows(index)) => Ok(Of::Rows(index)),
            Some(Known::Single(index)) => Ok(Of::Single(index)),
            None => match words::number(text) {
                Some(value) => Ok(Of::Constant(value)),
                None => Err(self.undefined(text)),
            },
        }
    }

    fn color(&self, text: &str) -> Parsed<Color> {
        words::color(text).ok_or_else(|| self.error(format!("`#{text}` is no colour: write #rrggbb or #rrggbbaa")))
    }

    /// The value and the colour of `heap#ff0000`.
    fn value_and_color(&mut self, script: &Script) -> Parsed<(Of, Option<Color>)> {
        let text = self.need("the name of what is drawn")?;
        let (name, colors) = words::name_and_colors(&text);
        let of = self.of(script, name)?;
        match colors.as_slice() {
            [] => Ok((of, None)),
            [color] => Ok((of, Some(self.color(color)?))),
            _ => Err(self.error("a second colour asks for a gradient, and areas have one colour: leave it out")),
        }
    }

    fn shape(&mut self, script: &Script) -> Parsed<Shape> {
        let last = script.parts.iter().rev().find_map(|part| match part {
            Part::Shape(shape) => Some(shape),
            _ => None,
        });
        let width = match (self.kind, last) {
            (Kind::Line, _) => Some(self.line_width()?),
            (Kind::Stack, Some(below)) => below.width,
            (Kind::Stack, None) => return Err(self.error("there is no LINE or AREA before it to lie on")),
            _ => None,
        };
        let (of, color) = self.value_and_color(script)?;
        let dash = self.dash()?;
        if self.option("gradheight").is_some() {
            return Err(self.error("gradheight is for gradients, and areas have one colour: leave it out"));
        }
        let legend = self.text()?;
        let dash = if self.flag("dashes") { Some(Dash::Dashed) } else { dash };
        // The first of all lies on zero, as it would without.
        let stacked = (self.flag("STACK") && last.is_some()) || self.kind == Kind::Stack;
        if self.flag("skipscale") {
            return Err(self.error(
                "skipscale is not known: give the value axis its ends by --lower-limit, --upper-limit, --rigid",
            ));
        }
        Ok(Shape { width, of, color, legend, stacked, dash })
    }

    fn line_width(&self) -> Parsed<f64> {
        if self.width.is_empty() {
            return Ok(1.0);
        }
        let width = words::number(self.width).filter(|width| (0.0..=20.0).contains(width));
        width.ok_or_else(|| self.error(format!("`{}` is no width of a line: use 0 to 20 pixels", self.width)))
    }

    /// rrdtool's lengths of strokes and gaps, as the nearer of two patterns.
    fn dash(&mut self) -> Parsed<Option<Dash>> {
        if self.option("dash-offset").is_some() {
            return Err(self.error("dash-offset is not known: a pattern begins at the line's left end"));
        }
        let Some(text) = self.option("dashes") else { return Ok(None) };
        let lengths: Option<Vec<f64>> = text.split(',').map(words::number).collect();
        match lengths.as_deref() {
            Some([first, ..]) if *first > 2.0 => Ok(Some(Dash::Dashed)),
            Some([first, ..]) if *first > 0.0 => Ok(Some(Dash::Dotted)),
            _ => Err(self.error(format!("`dashes={text}` is no pattern: write lengths in pixels, as in dashes=5,3"))),
        }
    }

    fn rule(&mut self, script: &Script) -> Parsed<Rule> {
        let (at, color) = self.value_and_color(script)?;
        if matches!(at, Of::Rows(_)) {
            return Err(self.error("it needs one value: a number, or the name of a VDEF"));
        }
        let Some(color) = color else { return Err(self.error("it needs a colour, as in #ff0000")) };
        let dash = self.dash()?;
        let legend = self.text()?;
        let dash = if self.flag("dashes") { Some(Dash::Dashed) } else { dash };
        Ok(Rule { at, color, legend, dash })
    }

    fn tick(&mut self, script: &Script) -> Parsed<Part> {
        let (of, color) = self.value_and_color(script)?;
        let Of::Rows(of) = of else { return Err(self.error("it needs the name of a DEF or CDEF")) };
        let Some(color) = color else { return Err(self.error("it needs a colour, as in #ff0000")) };
        let share = match self.next() {
            text if text.is_empty() => 0.1,
            text => match words::number(&text).filter(|share| share.is_finite()) {
                Some(share) => share.clamp(-1.0, 1.0),
                None => return Err(self.error(format!("`{text}` is no share of the height: write 0 to 1, as in 0.1"))),
            },
        };
        Ok(Part::Tick { of, share, color, legend: self.text()? })
    }

    fn number(&mut self, script: &Script) -> Parsed<Number> {
        let name = self.need("the name of what is written")?;
        let (of, cf) = match script.known(&name) {
            Some(Known::Single(index)) => (Of::Single(index), Cf::Average),
            Some(Known::Rows(index)) => {
                let cf = self.need("the consolidation function")?;
                (Of::Rows(index), self.cf(&cf)?)
            }
            None => return Err(self.undefined(&name)),
        };
        let text = self.text()?;
        let format = match self.next().as_str() {
            "" => NumberFormat::Value(Format::parse(&text).map_err(|what| self.error(what))?),
            "strftime" if matches!(of, Of::Single(_)) => {
                NumberFormat::Time(TimeFormat::parse(&text).map_err(|what| self.error(what))?)
            }
            "strftime" => return Err(self.error("strftime writes the time of a VDEF: name one")),
            other => {
                return Err(
                    self.error(format!("`{other}` is not known there: strftime is; write \\: for a colon in a text"))
                );
            }
        };
        Ok(Number { of, cf, format })
    }
}

/// The one-line way from rrdtool's file to a store.
pub(crate) fn import(path: &str) -> String {
    let stem = Path::new(path).with_extension("db");
    let db = stem.display();
    format!("{path} is a file of rrdtool's: run `rrdtool dump {path} | recorder import --db {db} -` and name {db} here")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEF: &str = "DEF:a=soak.db:heap_used:AVERAGE";
    const VDEF: &str = "VDEF:v=a,MAXIMUM";

    fn script(words: &[&str]) -> Result<Script, WordError> {
        let words: Vec<String> = [DEF, VDEF].iter().chain(words).map(|word| (*word).to_owned()).collect();
        Script::parse(&words)
    }

    #[track_caller]
    fn part(word: &str) -> Part {
        script(&["AREA:a#00f", word]).unwrap().parts.remove(1)
    }

    #[track_caller]
    fn said(word: &str) -> String {
        script(&[word]).map_or_else(|error| error.to_string(), |script| format!("accepted as {:?}", script.parts))
    }

    #[test]
    fn the_original_command_line_is_read() {
        let words = ["DEF:heap_used=soak.db:heap_used:AVERAGE".to_owned(), "AREA:heap_used#ff0000".to_owned()];
        let script = Script::parse(&words).unwrap();
        let What::Def(def) = &script.definitions[0].what else { panic!("no DEF") };
        assert_eq!((def.path.to_str(), def.source.as_str(), def.cf), (Some("soak.db"), "heap_used", Cf::Average));
        let shape = Shape {
            width: None,
            of: Of::Rows(0),
            color: Some(Color::RED),
            legend: String::new(),
            stacked: false,
            dash: None,
        };
        assert_eq!(script.parts, [Part::Shape(shape)]);
    }

    #[test]
    fn a_def_has_its_own_step_times_and_reduction() {
        let words = [r"DEF:b=C\:\x.db:rss:AVERAGE:step=60:start=end-1h:end=now-10m:reduce=MAX".to_owned()];
        let script = Script::parse(&words).unwrap();
        let What::Def(def) = &script.definitions[0].what else { panic!("no DEF") };
        assert_eq!(def.path.to_str(), Some(r"C:\x.db"));
        assert_eq!((def.step_us, def.reduce), (Some(60_000_000), Cf::Max));
        assert_eq!(def.start.as_ref().map(ToString::to_string).as_deref(), Some("end-1h"));
    }

    #[test]
    fn both_ways_of_stacking_are_the_same_and_the_first_of_all_lies_on_zero() {
        let Part::Shape(old) = part("STACK:a#0f0:x") else { panic!("no shape") };
        let Part::Shape(new) = part("AREA:a#0f0:x:STACK") else { panic!("no shape") };
        assert_eq!(old, new);
        assert!(said("STACK:a#0f0").contains("no LINE or AREA before it"));
        assert_eq!(script(&["LINE1:a#0f0::STACK"]).unwrap().parts, script(&["LINE1:a#0f0"]).unwrap().parts);
    }

    #[test]
    fn rules_ticks_and_numbers_take_what_rrdtools_take() {
        for word in [
            "LINE:a",
            "LINE1.5:a#ff000080:l:dashes=5,3",
            "LINE2:60e6#f00:limit:dashes",
            "LINE:v#f00",
            "HRULE:5#f00",
            "HRULE:v#ff0000:x:dashes=2",
            "VRULE:1700004100#ff0000:leg",
            "VRULE:v#ff0000",
            "TICK:a#ff0000",
            "TICK:a#ff0000:-0.5:leg",
            r"COMMENT:at 12\:30\l",
            "COMMENT:",
            "GPRINT:a:AVERAGE:%lf",
            r"GPRINT:v:%6.2lf %SB\n",
            "PRINT:v:%H%M:strftime",
            "TEXTALIGN:left",
            "LINE1:a#f00:leg:STACK",
        ] {
            part(word);
        }
    }

    #[test]
    fn what_is_not_drawn_is_refused_by_name_with_a_way_out() {
        for (word, name) in [
            ("SHIFT:a:60", "SHIFT is not drawn: give"),
            ("XPORT:a", "XPORT is not drawn: use"),
            ("AREA:a#ff0000#00ff00", "a second colour asks for a gradient"),
            ("AREA:a#ff0000:x:gradheight=5", "gradheight is for gradients"),
            ("LINE1:a#ff0000:x:skipscale", "skipscale is not known"),
            ("LINE1:a#ff0000:x:dashes:dash-offset=4", "dash-offset is not known"),
            ("DEF:b=x.db:a:AVERAGE:daemon=unix", "daemon=unix: there is no daemon"),
            ("DEF:b=x.db:a:HWPREDICT", "HWPREDICT belongs to rrdtool's forecasts"),
            ("CDEF:b=a,3,SORT", "SORT is an operator of rrdtool's"),
            ("PRINT:v:%lf:valstrftime", "`valstrftime` is not known there"),
            ("FOO:a", "is no element of a graph"),
        ] {
            assert!(said(word).contains(name), "{word}: {}", said(word));
            assert!(said(word).starts_with(&format!("`{word}`: ")), "{word}: {}", said(word));
        }
    }

    #[test]
    fn an_rrd_file_is_refused_with_the_line_that_imports_it() {
        let line = "`rrdtool dump dir/heap.rrd | recorder import --db dir/heap.db -`";
        assert!(said("DEF:b=dir/heap.rrd:a:AVERAGE").contains(line));
        assert!(said("DEF:b=HEAP.RRD:a:AVERAGE").contains("recorder import"));
    }

    #[test]
    fn what_is_not_defined_or_twice_or_no_value_is_said() {
        for (word, what) in [
            ("AREA:b#f00", "b is not defined"),
            ("CDEF:a=a,1,+", "the name a is taken"),
            ("CDEF:ä=a", "`ä` is no name"),
            ("CDEF:b", "a name and ="),
            ("VDEF:b=a", "a comma and a function"),
            ("VDEF:b=v,LAST", "v is a VDEF already"),
            ("HRULE:a#f00", "it needs one value"),
            ("HRULE:5", "it needs a colour"),
            ("AREA:a#gg0000", "`#gg0000` is no colour"),
            ("LINE21:a", "`21` is no width"),
            ("LINEx:a", "`x` is no width"),
            ("TICK:a#f00:high", "`high` is no share"),
            ("DEF:b=x.db:a", "the consolidation function is not there"),
            ("DEF:b=x.db:a:AVERAGE:step=0", "step: "),
            ("GPRINT:a:%lf", "`%lf` is no consolidation function"),
            ("PRINT:v:%d", "does not write one number"),
            ("COMMENT:a:b", "`b` is not understood there"),
        ] {
            assert!(said(word).contains(what), "{word}: {}", said(word));
        }
    }

    proptest! {
        #[test]
        fn no_word_panics(kind in prop::sample::select(vec!["DEF", "CDEF", "VDEF", "LINE9", "AREA", "STACK", "TICK", "GPRINT"]), rest in "\\PC{0,40}") {
            drop(said(&format!("{kind}:{rest}")));
        }
    }
}
