//! The file is an interface: what plain SQL answers.

use std::path::Path;

use expect_test::{Expect, expect};
use heapsoak_rrd::{Archive, Step, Time};
use heapsoak_store::{Existing, Writer};
use rusqlite::types::Value;

use crate::help::{archives, at, create, feed, folder, gauges, reading, second, source};

/// One line for each row, as any SQL tool would show it, and as safe as that tool may be set.
fn query(path: &Path, sql: &str) -> String {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.pragma_update(None, "trusted_schema", false).unwrap();
    let mut statement = conn.prepare(sql).unwrap();
    let columns = statement.column_count();
    let mut lines = vec![statement.column_names().collect::<Vec<_>>().join("|")];
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let cells = (0..columns).map(|column| match row.get(column).unwrap() {
            Value::Null => "NULL".to_owned(),
            Value::Integer(value) => value.to_string(),
            Value::Real(value) => format!("{value:?}"),
            Value::Text(value) => value,
            Value::Blob(_) => "blob".to_owned(),
        });
        lines.push(cells.collect::<Vec<_>>().join("|"));
    }
    lines.join("\n") + "\n"
}

fn check(path: &Path, sql: &str, expect: &Expect) {
    expect.assert_eq(&query(path, sql));
}

#[test]
fn the_views_answer_while_the_file_is_written() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 4);
    writer.update(at(9), &[reading(9), reading(90)]).unwrap();
    writer.commit().unwrap();
    check(
        &path,
        "select * from average",
        &expect![[r#"
            time|at|heap_used|heap-total
            1700000043|2023-11-14T22:14:03Z|2.0|20.0
            1700000046|2023-11-14T22:14:06Z|NULL|NULL
            1700000049|2023-11-14T22:14:09Z|NULL|NULL
        "#]],
    );
    check(
        &path,
        "select at, heap_used/1048576.0 as mib from average order by time desc limit 1",
        &expect![[r#"
            at|mib
            2023-11-14T22:14:09Z|NULL
        "#]],
    );
    check(
        &path,
        r#"select a."heap-total" as low, b."heap-total" as high from minimum a join maximum b using (time) limit 1"#,
        &expect![[r#"
            low|high
            10.0|30.0
        "#]],
    );
    check(
        &path,
        "select * from series limit 3",
        &expect![[r#"
            time|source|value
            1700000043|heap_used|2.0
            1700000043|heap-total|20.0
            1700000046|heap_used|NULL
        "#]],
    );
    feed(&mut writer, 10, 12);
    writer.commit().unwrap();
    check(
        &path,
        "select * from latest",
        &expect![[r#"
            source|at|value|unit
            heap_used|2023-11-14T22:14:12Z|11.0|bytes
            heap-total|2023-11-14T22:14:12Z|110.0|bytes
        "#]],
    );
}

#[test]
fn without_an_archive_of_its_function_a_view_is_empty_and_has_its_columns() {
    let (_folder, path) = folder();
    let sources = gauges(&["heap_used"]);
    let mut writer =
        Writer::create(&path, second(), &sources, &archives(&["MAX:1:10"]), at(0), Existing::Refuse).unwrap();
    writer.update(at(1), &[reading(7)]).unwrap();
    writer.commit().unwrap();
    for view in ["average", "minimum"] {
        check(&path, &format!("select * from {view}"), &expect!["time|at|heap_used\n"]);
    }
    check(&path, "select * from series", &expect!["time|source|value\n"]);
    check(
        &path,
        "select * from latest",
        &expect![[r#"
            source|at|value|unit
            heap_used|2023-11-14T22:14:01Z|7.0|bytes
        "#]],
    );
}

#[test]
fn before_the_first_row_latest_names_every_source() {
    let (_folder, path) = folder();
    drop(create(&path));
    check(
        &path,
        "select * from latest",
        &expect![[r#"
            source|at|value|unit
            heap_used|NULL|NULL|bytes
            heap-total|NULL|NULL|bytes
        "#]],
    );
}

#[test]
fn fractions_of_seconds_are_told_to_the_microsecond_and_only_when_there_are_some() {
    let (_folder, path) = folder();
    let step = Step::new(333_333).unwrap();
    let fine = Archive::parse("AVERAGE:1:10", step).unwrap();
    let start = Time::from_micros(333_333 * 2_999_998);
    let mut writer = Writer::create(&path, step, &gauges(&["a"]), &[fine], start, Existing::Refuse).unwrap();
    for row in 2_999_999..=3_000_001 {
        writer.update(Time::from_micros(333_333 * row), &[reading(1)]).unwrap();
    }
    writer.commit().unwrap();
    check(
        &path,
        "select time, at from average",
        &expect![[r#"
            time|at
            999998.666667|1970-01-12T13:46:38.666667Z
            999999|1970-01-12T13:46:39Z
            999999.333333|1970-01-12T13:46:39.333333Z
        "#]],
    );
}

#[test]
fn a_new_source_gets_its_column_and_names_that_collide_are_told_apart() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 3);
    let names = ["time", "AT", "Heap_used", "select", "9-"].map(|name| source(&format!("DS:{name}:GAUGE:2:U:U")));
    writer.add_sources(&names).unwrap();
    writer.commit().unwrap();
    check(
        &path,
        "select * from average",
        &expect![[r#"
            time|at|heap_used|heap-total|source_time|source_AT|source_Heap_used|select|9-
            1700000043|2023-11-14T22:14:03Z|2.0|20.0|NULL|NULL|NULL|NULL|NULL
        "#]],
    );
}

#[test]
fn the_tables_explain_themselves() {
    let (_folder, path) = folder();
    drop(create(&path));
    let schema = query(&path, "select sql from sqlite_schema where type = 'table'");
    assert!(schema.contains("-- One value of one row of one archive."), "{schema}");
    assert_eq!(schema.matches(") STRICT").count(), 12, "{schema}");
    check(
        &path,
        "select application_id, user_version from pragma_application_id, pragma_user_version",
        &expect![[r#"
            application_id|user_version
            1213419339|1
        "#]],
    );
}
