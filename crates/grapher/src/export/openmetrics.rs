//! OpenMetrics text: `promtool tsdb create-blocks-from openmetrics` makes blocks of Prometheus' of it.
//!
//! A source becomes a gauge `heapsoak_NAME_UNIT`, whatever its type: what is stored are rates. Labels tell the function of
//! the archive (`cf`), and the run and the target it belongs to. Unknown is a sample that is not there. Times are unix
//! seconds. After <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>.

use std::collections::BTreeMap;
use std::io::{self, Write};

use heapsoak_rrd::{Reading, Time};
use heapsoak_store::{NewSource, Run, Table, Whole};

/// Families one after the other, and in each the series one after the other, each ascending in time, as the format wants it.
pub(crate) fn write(out: &mut dyn Write, whole: &Whole) -> io::Result<()> {
    let names = whole.tables.first().map_or(&[][..], |table| &table.names);
    // Two sources may have one name here, where there is no hyphen: a family may be written only once.
    let mut families: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (column, name) in names.iter().enumerate() {
        families.entry(family(name, unit(whole, name))).or_default().push(column);
    }
    for (family, columns) in &families {
        describe(out, whole, family, &names[columns[0]])?;
        for column in columns {
            for table in &whole.tables {
                series(out, whole, table, family, *column)?;
            }
        }
    }
    writeln!(out, "# EOF")
}

/// Name, type, unit and help of a family.
fn describe(out: &mut dyn Write, whole: &Whole, family: &str, name: &str) -> io::Result<()> {
    writeln!(out, "# TYPE {family} gauge")?;
    let unit = unit(whole, name);
    if !unit.is_empty() {
        writeln!(out, "# UNIT {family} {unit}")?;
    }
    match source(whole, name).map(|known| escaped(&known.description)) {
        Some(help) if !help.is_empty() => writeln!(out, "# HELP {family} {help}"),
        _ => Ok(()),
    }
}

/// The known samples of one source in one archive.
fn series(out: &mut dyn Write, whole: &Whole, table: &Table, family: &str, column: usize) -> io::Result<()> {
    let name = escaped(&table.names[column]);
    let cf = whole.info.archives.get(table.window.archive).map(|about| about.archive.cf.to_string());
    let plain = format!("source=\"{name}\",cf=\"{}\"", cf.unwrap_or_default().to_ascii_lowercase());
    let mut runs = Runs::new(&whole.info.runs);
    let mut labels = (None, plain.clone());
    for (time, values) in &table.rows {
        let Some(value) = values.get(column).copied().flatten() else { continue };
        let run = runs.at(*time);
        if run.map(|run| run.id) != labels.0 {
            let told = run.map_or_else(String::new, |run| {
                format!(",run=\"{}\",target=\"{}\"", run.id, escaped(&run.begun.target))
            });
            labels = (run.map(|run| run.id), format!("{plain}{told}"));
        }
        writeln!(out, "{family}{{{}}} {} {time}", labels.1, number(value))?;
    }
    Ok(())
}

/// Which run a time belongs to, for ascending times: the last one that had begun, or the first. So the rows of a series
/// stay together, as the format wants it.
struct Runs<'a> {
    runs: &'a [Run],
}

impl<'a> Runs<'a> {
    fn new(runs: &'a [Run]) -> Self {
        Self { runs }
    }

    fn at(&mut self, time: Time) -> Option<&'a Run> {
        while let [_, next, ..] = self.runs
            && next.begun.started < time
        {
            self.runs = &self.runs[1..];
        }
        self.runs.first()
    }
}

fn source<'a>(whole: &'a Whole, name: &str) -> Option<&'a NewSource> {
    whole.info.sources.iter().find(|known| known.source.name.as_str() == name)
}

/// The unit as the end of a name: `bytes`, `per_second`, `milliseconds`; nothing for a plain count.
fn unit(whole: &Whole, name: &str) -> String {
    match source(whole, name).map_or("", |known| known.unit.as_str()) {
        "count" => String::new(),
        "ms" => "milliseconds".to_owned(),
        unit => word(unit),
    }
}

fn family(name: &str, unit: String) -> String {
    let name = word(name);
    // `# UNIT` must be how the name ends; a name that ends so already need not say it twice.
    if unit.is_empty() || name.ends_with(&format!("_{unit}")) {
        format!("heapsoak_{name}")
    } else {
        format!("heapsoak_{name}_{unit}")
    }
}

/// A text as a part of a name, which has `[a-zA-Z0-9_]` only.
fn word(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    Reading::from(value).as_text().to_owned()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use heapsoak_rrd::Cf;

    use crate::export::{Choice, Format, testing};

    #[test]
    fn families_have_type_unit_and_help_and_unknown_is_left_out() {
        let choice = Choice { functions: vec![Cf::Average, Cf::Max], ..Choice::default() };
        let text = testing::store(13).export(Format::Openmetrics, &choice).unwrap();
        expect![[r##"
            # TYPE heapsoak_heap_used_bytes gauge
            # UNIT heapsoak_heap_used_bytes bytes
            # HELP heapsoak_heap_used_bytes of \"a\" test\n\\
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 1000 1700000041
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 2000 1700000042
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 3000 1700000043
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 4000 1700000044
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 5000 1700000045
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 6000 1700000046
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 8000 1700000048
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 9000 1700000049
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 10000 1700000050
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 11000 1700000051
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 12000 1700000052
            heapsoak_heap_used_bytes{source="heap_used",cf="average",run="1",target="node \"app.js\" <&>"} 13000 1700000053
            heapsoak_heap_used_bytes{source="heap_used",cf="max",run="1",target="node \"app.js\" <&>"} 10000 1700000050
            # TYPE heapsoak_hits_in_per_second gauge
            # UNIT heapsoak_hits_in_per_second per_second
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000042
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000043
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000044
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000045
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000046
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000047
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000048
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000049
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000050
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000051
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000052
            heapsoak_hits_in_per_second{source="hits-in",cf="average",run="1",target="node \"app.js\" <&>"} 2 1700000053
            heapsoak_hits_in_per_second{source="hits-in",cf="max",run="1",target="node \"app.js\" <&>"} 2 1700000050
            # EOF
        "##]].assert_eq(&text);
    }

    #[test]
    fn names_that_become_one_are_one_family() {
        let sources = ["DS:a-b:GAUGE:2:U:U", "DS:c:GAUGE:2:U:U", "DS:a_b:GAUGE:2:U:U"];
        let sources = sources.map(|text| text.parse::<heapsoak_rrd::Source>().unwrap().into());
        let store = testing::Store::with(&sources, &["AVERAGE:1:60"]);
        store.update(testing::START_S * 1_000_000 + 1_000_000, &[1.0.into(), f64::INFINITY.into(), 1e-300.into()]);
        let text = store.export(Format::Openmetrics, &Choice::default()).unwrap();
        expect![[r##"
            # TYPE heapsoak_a_b gauge
            heapsoak_a_b{source="a-b",cf="average"} 1 1700000041
            heapsoak_a_b{source="a_b",cf="average"} 1e-300 1700000041
            # TYPE heapsoak_c gauge
            heapsoak_c{source="c",cf="average"} +Inf 1700000041
            # EOF
        "##]]
        .assert_eq(&text);
    }
}
