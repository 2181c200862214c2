//! CSV: `time` (unix seconds), `at` (the same for people and spreadsheets), a column for each source.
//!
//! These are the columns of the store's view `average`, and `recorder import` takes them back.

use std::io::{self, Write};

use heapsoak_cli::spreadsheet::inert;
use heapsoak_cli::time::iso_utc;
use heapsoak_rrd::Reading;
use heapsoak_store::Whole;

/// No field needs quotes: names are `[-A-Za-z0-9_]`, all else is a number. Unknown is empty. A source named `time` or
/// `at` is called `source_time` or `source_at`, as in the views; no name is a formula.
pub(crate) fn write(out: &mut dyn Write, whole: &Whole) -> io::Result<()> {
    let Some(table) = whole.tables.first() else { return Ok(()) };
    write!(out, "time,at")?;
    for name in &table.names {
        let taken = ["time", "at"].iter().any(|own| own.eq_ignore_ascii_case(name));
        write!(out, ",{}{}", if taken { "source_" } else { "" }, inert(name))?;
    }
    writeln!(out)?;
    for (time, values) in &table.rows {
        write!(out, "{time},{}", iso_utc(time.as_micros()))?;
        for value in values {
            match value {
                Some(value) => write!(out, ",{}", Reading::from(*value))?,
                None => write!(out, ",")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use heapsoak_rrd::{Reading, Source};

    use crate::export::{Choice, Format, testing};

    #[test]
    fn unknown_is_empty_and_each_row_has_its_time_twice() {
        let text = testing::store(8).export(Format::Csv, &Choice::default()).unwrap();
        expect![[r#"
            time,at,heap_used,hits-in
            1700000041,2023-11-14T22:14:01Z,1000,
            1700000042,2023-11-14T22:14:02Z,2000,2
            1700000043,2023-11-14T22:14:03Z,3000,2
            1700000044,2023-11-14T22:14:04Z,4000,2
            1700000045,2023-11-14T22:14:05Z,5000,2
            1700000046,2023-11-14T22:14:06Z,6000,2
            1700000047,2023-11-14T22:14:07Z,,2
            1700000048,2023-11-14T22:14:08Z,8000,2
        "#]]
        .assert_eq(&text);
    }
    #[test]
    fn a_name_is_no_formula_and_a_number_is_left_as_it_is() {
        let store = testing::Store::with(&["DS:-2-3:GAUGE:2:U:U".parse::<Source>().unwrap().into()], &["AVERAGE:1:60"]);
        store.update((testing::START_S + 1) * 1_000_000, &[Reading::from(-5.0)]);
        let text = store.export(Format::Csv, &Choice::default()).unwrap();
        assert_eq!(text, "time,at,'-2-3\n1700000041,2023-11-14T22:14:01Z,-5\n");
    }
}
