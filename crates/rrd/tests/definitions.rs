//! Definitions as people type them: what is read, and what each mistake is told.

#![allow(clippy::unwrap_used, reason = "tests: the texts are ours")]

use expect_test::{Expect, expect};
use heapsoak_rrd::{Archive, Schema, SchemaError, Source, Step};

fn step() -> Step {
    Step::new(1_000_000).unwrap()
}

/// What is made of a text, or the error.
fn shown<T: ToString>(result: Result<T, SchemaError>) -> String {
    result.map_or_else(|error| format!("error: {error}"), |read| read.to_string())
}

fn check_sources(texts: &[&str], want: Expect) {
    let lines: Vec<String> = texts.iter().map(|text| shown(text.parse::<Source>())).collect();
    want.assert_eq(&(lines.join("\n") + "\n"));
}

fn check_archives(texts: &[&str], want: Expect) {
    let lines: Vec<String> = texts.iter().map(|text| shown(Archive::parse(text, step()))).collect();
    want.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn sources_are_read_as_rrdtool_reads_them_and_below_a_second_too() {
    check_sources(
        &[
            "DS:heap_used:GAUGE:1:U:U",
            "DS:a:COUNTER:2m:0:1e3",
            "DS:a-B_9:DDERIVE:50ms:-5.5:U",
            "DS:a:DCOUNTER:0.05:U:7",
            "DS:a:ABSOLUTE:1.5h:U:U",
            "DS:abcdefghijklmnopqrs:DERIVE:1:U:U",
        ],
        expect![[r#"
            DS:heap_used:GAUGE:1:U:U
            DS:a:COUNTER:120:0:1000
            DS:a-B_9:DDERIVE:0.05:-5.5:U
            DS:a:DCOUNTER:0.05:U:7
            DS:a:ABSOLUTE:5400:U:U
            DS:abcdefghijklmnopqrs:DERIVE:1:U:U
        "#]],
    );
}

#[test]
fn a_mistake_in_a_source_is_named_with_its_remedy() {
    check_sources(
        &[
            "",
            "heap_used:GAUGE:1:U:U",
            "DS:heap_used:GAUGE:1:U",
            "DS:heap used:GAUGE:1:U:U",
            "DS::GAUGE:1:U:U",
            "DS:abcdefghijklmnopqrst:GAUGE:1:U:U",
            "DS:a:gauge:1:U:U",
            "DS:a:GAUGE:0:U:U",
            "DS:a:GAUGE:-1:U:U",
            "DS:a:GAUGE:0.0000001:U:U",
            "DS:a:GAUGE:1:U:x",
            "DS:a:GAUGE:1:nan:U",
            "DS:a:GAUGE:1:U:inf",
            "DS:a:GAUGE:1:5:5",
            "DS:a:GAUGE:1:5:-5",
        ],
        expect![[r#"
            error: source definition `` has another form than DS:name:TYPE:heartbeat:min:max: write it like DS:heap_used:GAUGE:2:0:U
            error: source definition `heap_used:GAUGE:1:U:U` has another form than DS:name:TYPE:heartbeat:min:max: write it like DS:heap_used:GAUGE:2:0:U
            error: source definition `DS:heap_used:GAUGE:1:U` has another form than DS:name:TYPE:heartbeat:min:max: write it like DS:heap_used:GAUGE:2:0:U
            error: source name `heap used` is not 1 to 19 of A-Z a-z 0-9 - _: choose another name
            error: source name `` is not 1 to 19 of A-Z a-z 0-9 - _: choose another name
            error: source name `abcdefghijklmnopqrst` is not 1 to 19 of A-Z a-z 0-9 - _: choose another name
            error: source type `gauge` is not known: use GAUGE, COUNTER, DERIVE, DCOUNTER, DDERIVE or ABSOLUTE
            error: heartbeat of 0 µs is out of range: give 1 µs to 73000 years, such as 2s
            error: duration `-1` is not a number of seconds or a number with us, ms, s, m, h, d, w, M or y: write 0.05, 50ms or 5s
            error: duration `0.0000001` is not a number of seconds or a number with us, ms, s, m, h, d, w, M or y: write 0.05, 50ms or 5s
            error: limit `x` is not a finite number: give a number, or U for no limit
            error: limit `nan` is not a finite number: give a number, or U for no limit
            error: limit `inf` is not a finite number: give a number, or U for no limit
            error: limits of source `a` are not in order: minimum 5 must be below maximum 5, or U for no limit
            error: limits of source `a` are not in order: minimum 5 must be below maximum -5, or U for no limit
        "#]],
    );
}

#[test]
fn archives_are_read_with_counts_or_durations_and_with_or_without_xff() {
    check_archives(
        &[
            "RRA:AVERAGE:0.5:3:2400",
            "RRA:AVERAGE:0.5:3s:2h",
            "MIN:0:1:1",
            "MAX:60:10080",
            "LAST:1m:7d",
            "AVERAGE:3000ms:2h",
        ],
        expect![[r#"
            RRA:AVERAGE:0.5:3:2400
            RRA:AVERAGE:0.5:3:2400
            RRA:MIN:0:1:1
            RRA:MAX:0.5:60:10080
            RRA:LAST:0.5:60:10080
            RRA:AVERAGE:0.5:3:2400
        "#]],
    );
}

#[test]
fn a_mistake_in_an_archive_is_named_with_its_remedy() {
    check_archives(
        &[
            "",
            "AVERAGE",
            "RRA:AVERAGE:0.5:3:2400:1",
            "RRA:MEAN:0.5:3:2400",
            "RRA:AVERAGE:1:3:2400",
            "RRA:AVERAGE:x:3:2400",
            "RRA:AVERAGE:nan:3:2400",
            "RRA:AVERAGE:0.5:0:2400",
            "RRA:AVERAGE:0.5:3:0",
            "RRA:AVERAGE:0.5:3:100000001",
            "RRA:AVERAGE:0.5:-3:2400",
            "RRA:AVERAGE:0.5:3.5:2400",
            "RRA:AVERAGE:0.5:1500ms:2400",
            "RRA:AVERAGE:0.5:3s:10s",
            "RRA:AVERAGE:0.5:3x:10",
            "RRA:AVERAGE:0.5:99999999999:100000000",
            "RRA:AVERAGE:0.5:18446744073709551615:1",
            "RRA:AVERAGE:0.5:0:2h",
        ],
        expect![[r#"
            error: archive definition `` has another form than RRA:CF:xff:n:rows or CF:n:rows: write it like RRA:AVERAGE:0.5:3:2400
            error: archive definition `AVERAGE` has another form than RRA:CF:xff:n:rows or CF:n:rows: write it like RRA:AVERAGE:0.5:3:2400
            error: archive definition `RRA:AVERAGE:0.5:3:2400:1` has another form than RRA:CF:xff:n:rows or CF:n:rows: write it like RRA:AVERAGE:0.5:3:2400
            error: consolidation function `MEAN` is not known: use AVERAGE, MIN, MAX or LAST
            error: xff `1` is not a number from 0 to below 1: give the part of a row that may be unknown, such as 0.5
            error: xff `x` is not a number from 0 to below 1: give the part of a row that may be unknown, such as 0.5
            error: xff `NaN` is not a number from 0 to below 1: give the part of a row that may be unknown, such as 0.5
            error: archive `RRA:AVERAGE:0.5:0:2400` needs at least 1 PDP per row and 1 to 100000000 rows: change the last two fields
            error: archive `RRA:AVERAGE:0.5:3:0` needs at least 1 PDP per row and 1 to 100000000 rows: change the last two fields
            error: archive `RRA:AVERAGE:0.5:3:100000001` needs at least 1 PDP per row and 1 to 100000000 rows: change the last two fields
            error: count `-3` is not a whole number: write a number such as 2400, or a duration with a unit such as 2h
            error: count `3.5` is not a whole number: write a number such as 2400, or a duration with a unit such as 2h
            error: duration `1500ms` is not a multiple of 1 s: give a multiple, or a plain count
            error: duration `10s` is not a multiple of 3 s: give a multiple, or a plain count
            error: duration `3x` is not a number of seconds or a number with us, ms, s, m, h, d, w, M or y: write 0.05, 50ms or 5s
            error: archive `RRA:AVERAGE:0.5:99999999999:100000000` covers more than 73000 years: keep fewer rows or fewer PDPs per row
            error: archive `RRA:AVERAGE:0.5:18446744073709551615:1` covers more than 73000 years: keep fewer rows or fewer PDPs per row
            error: archive `RRA:AVERAGE:0.5:0:2h` needs at least 1 PDP per row and 1 to 100000000 rows: change the last two fields
        "#]],
    );
}

#[test]
fn a_schema_is_checked_as_a_whole() {
    let source = |text: &str| text.parse::<Source>().unwrap();
    let archive = Archive::parse("AVERAGE:3:2400", step()).unwrap();
    let a = source("DS:a:GAUGE:1:U:U");
    let upside_down = Source { min: Some(1.0), max: Some(0.0), ..a.clone() };
    let endless = Archive { pdps_per_row: u64::MAX, ..archive };
    let schema = |sources: &[&Source], archives: &[Archive]| {
        let sources = sources.iter().map(|s| (*s).clone()).collect();
        Schema::new(step(), sources, archives.to_vec()).map_or_else(|error| error.to_string(), |_| "good".to_owned())
    };
    let lines = [
        schema(&[&a], &[archive, archive]),
        schema(&[], &[archive]),
        schema(&[&a], &[]),
        schema(&[&a, &a], &[archive]),
        schema(&[&upside_down], &[archive]),
        schema(&[&a], &[archive, endless]),
    ];
    expect![[r#"
        good
        no data source is defined: give at least one, such as DS:heap_used:GAUGE:2:0:U
        no archive is defined: give at least one, such as RRA:AVERAGE:0.5:3:2400
        source name `a` is used twice: give each source its own name
        limits of source `a` are not in order: minimum 1 must be below maximum 0, or U for no limit
        archive `RRA:AVERAGE:0.5:18446744073709551615:2400` covers more than 73000 years: keep fewer rows or fewer PDPs per row
    "#]].assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn a_step_or_heartbeat_of_nothing_or_of_for_ever_is_refused() {
    let lines = [0, u64::MAX].map(|us| Step::new(us).unwrap_err().to_string());
    expect![[r#"
        step of 0 µs is out of range: give 1 µs to 73000 years, such as 1s
        step of 18446744073709551615 µs is out of range: give 1 µs to 73000 years, such as 1s
    "#]]
    .assert_eq(&(lines.join("\n") + "\n"));
    assert_eq!(Step::new(1).unwrap().micros(), 1);
}
