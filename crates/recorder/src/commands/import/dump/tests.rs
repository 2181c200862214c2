//! Dumps as rrdtool writes them, as it wrote them once, and as nobody should.

use proptest::prelude::*;

use super::*;
use crate::commands::import::restore;

/// Two sources, one archive of each kind of consolidation, the last of them one that predicts.
const DUMP: &str = include_str!("../../../../../../data/exchange/mixed.xml");

fn refused(xml: &str) -> String {
    let contents = read(xml.as_bytes()).and_then(restore::contents);
    contents.map_or_else(|error| error.to_string(), |_| "taken".to_owned())
}

/// The dump with one text in it replaced, once.
fn with(old: &str, new: &str) -> String {
    assert!(DUMP.contains(old), "{old} is not in the dump");
    DUMP.replacen(old, new, 1)
}

#[test]
fn a_dump_is_read_as_it_was_written() {
    let dump = read(DUMP.as_bytes()).unwrap();
    assert_eq!((dump.step_s, dump.last_s), (10, 1_700_000_127));
    let kinds: Vec<_> = dump.sources.iter().map(|source| source.kind.map(|kind| kind.to_string())).collect();
    let types = ["GAUGE", "COUNTER", "DERIVE", "ABSOLUTE", "DCOUNTER", "DDERIVE"];
    assert_eq!(kinds, types.map(|kind| Some(kind.to_owned())));
    assert_eq!(dump.skipped, ["HWPREDICT", "SEASONAL", "DEVSEASONAL", "DEVPREDICT", "FAILURES"]);
    let rows: Vec<_> = dump.archives.iter().map(|archive| (archive.cf, archive.values.len() / archive.width)).collect();
    assert_eq!(rows, [(Cf::Average, 8), (Cf::Min, 5), (Cf::Max, 4), (Cf::Last, 3)]);
}

#[test]
fn what_must_be_there_is_missed_by_name() {
    for name in ["step", "lastupdate", "name", "type", "minimal_heartbeat", "last_ds", "unknown_sec"] {
        let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
        let (before, rest) = DUMP.split_once(&begin).unwrap();
        let after = rest.split_once(&end).unwrap().1;
        let said = refused(&format!("{before}{after}"));
        assert!(said.contains(&format!("no <{name}> up to here")), "{name}: {said}");
    }
}

#[test]
fn what_cannot_be_is_named_with_its_line() {
    for (old, new, said) in [
        ("0005", "0006", "line 5: version `0006` of the dump is not known"),
        ("<step>10", "<step>0", "step of 0 µs is out of range"),
        ("<step>10", "<step>99999999999999999999", "line 6: `99999999999999999999` in <step> is not a whole number"),
        ("<step>10", "<step>9999999999999999999", "step of 18446744073709551615 µs is out of range"),
        ("<step>10", "<step>1e1", "in <step> is not a whole number"),
        ("1700000127</", "17000001270000000</", "last update 17000001270000000 is no time"),
        ("1700000127</", "-5</", "`-5` in <lastupdate> is not a whole number"),
        (" gauge ", " a&amp;b ", "source name `a&b` is not"),
        (" gauge ", " count ", "source name `count` is used twice"),
        ("GAUGE", "GUAGE", "source type `GUAGE` is not known"),
        ("<cf>AVERAGE", "<cf>MEDIAN", "consolidation function `MEDIAN` is not known"),
        ("<cf>AVERAGE</cf>", "", "an archive begins with its <cf>"),
        ("<pdp_per_row>1<", "<pdp_per_row>0<", "needs at least 1 PDP per row"),
        ("<pdp_per_row>3<", "<pdp_per_row>18446744073709551615<", "covers more than 73000 years"),
        ("<xff>5.0000000000e-01", "<xff>1.5", "xff `1.5` is not a number from 0 to below 1"),
        ("<row><v>", "<row><v>NaN</v><v>", "a row of "),
        ("<row><v>", "<row><v>1,5</v><v>", "`1,5` in <v> is neither a number nor NaN"),
        ("<cdp_prep>", "<cdp_prep><ds><value>1</value><unknown_datapoints>0</unknown_datapoints></ds>", "7 open rows"),
        ("<rra>", "<rrx>", "element `rrx` within <rrd> is none of rrdtool's dump"),
        ("<rra>", "x<rra>", "text `x` where an element should be"),
        ("</rrd>", "</rrd><rrd/>", "something follows after </rrd>"),
    ] {
        let got = refused(&with(old, new));
        assert!(got.contains(said), "{old} as {new}: {got}");
    }
    assert!(refused("").contains("the file ends"), "{}", refused(""));
    assert!(refused("<html><body/></html>").contains("begins with element `html`"));
}

#[test]
fn older_forms_of_the_dump_are_read_too() {
    let old = with("0005", "0001").replace("<params>", "").replace("</params>", "").replace("-01</xff>", "-01 </xff>");
    let plain = read(DUMP.as_bytes()).and_then(restore::contents).unwrap();
    assert_eq!(read(old.as_bytes()).and_then(restore::contents).unwrap(), plain);
}

#[test]
fn a_computed_source_keeps_its_rows_and_that_is_said() {
    let computed = with(
        "<type> GAUGE </type>\n\t\t<minimal_heartbeat>20</minimal_heartbeat>\n\t\t<min>0.0000000000e+00</min>\n\t\t<max>NaN</max>",
        "<type> COMPUTE </type>\n\t\t<cdef> count,2,* </cdef>",
    );
    let (contents, said) = read(computed.as_bytes()).and_then(restore::contents).unwrap();
    assert_eq!(contents.sources[0].source.to_string(), "DS:gauge:GAUGE:40:U:U");
    assert!(said.iter().any(|line| line.contains("source gauge is computed")), "{said:?}");
}

#[test]
fn claims_of_more_unknown_time_than_there_was_are_cut() {
    let claims = with("<unknown_sec> ", "<unknown_sec> 1844674407370955161")
        .replace("<unknown_datapoints>0", "<unknown_datapoints>18446744073709551615");
    let (contents, _) = read(claims.as_bytes()).and_then(restore::contents).unwrap();
    assert_eq!(contents.state.sources[0].unknown_us, 7_000_000);
    // One PDP a row: none is ever open.
    assert_eq!(contents.state.cdps[0][0].unknown_pdps, 0);
    assert_eq!(contents.state.cdps[1][0].unknown_pdps, 2);
}

#[test]
fn a_file_cut_off_anywhere_is_an_error() {
    for end in (0..DUMP.trim_end().len()).step_by(97) {
        assert!(read(&DUMP.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_changed_anywhere_never_panic(changes in proptest::collection::vec((0..DUMP.len(), any::<u8>()), 1..20)) {
        let mut bytes = DUMP.as_bytes().to_vec();
        for (place, byte) in changes {
            bytes[place] = byte;
        }
        drop(read(bytes.as_slice()).and_then(restore::contents));
    }

    #[test]
    fn pieces_of_dumps_in_any_order_never_panic(pieces in proptest::collection::vec(piece(), 0..60)) {
        drop(read(pieces.concat().as_bytes()).and_then(restore::contents));
    }
}

fn piece() -> impl Strategy<Value = String> {
    let tags = [
        "rrd",
        "step",
        "lastupdate",
        "ds",
        "name",
        "type",
        "minimal_heartbeat",
        "last_ds",
        "value",
        "unknown_sec",
        "rra",
        "cf",
        "pdp_per_row",
        "xff",
        "params",
        "cdp_prep",
        "unknown_datapoints",
        "database",
        "row",
        "v",
    ];
    let texts =
        ["1", "0", "NaN", "18446744073709551615", "AVERAGE", "GAUGE", "0.5", "-inf", "&lt;", "<!--", "<![CDATA["];
    prop_oneof![
        proptest::sample::select(tags.to_vec()).prop_map(|tag| format!("<{tag}>")),
        proptest::sample::select(tags.to_vec()).prop_map(|tag| format!("</{tag}>")),
        proptest::sample::select(texts.to_vec()).prop_map(str::to_owned),
    ]
}
