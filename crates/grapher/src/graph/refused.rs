//! rrdtool's options that grapher does not have, each with what to do instead: none is ignored.

/// Long name, short name, and why not.
const REFUSED: [(&str, &str, &str); 40] = [
    ("--alt-autoscale", "-A", AXIS),
    ("--alt-autoscale-min", "-J", AXIS),
    ("--alt-autoscale-max", "-M", AXIS),
    ("--logarithmic", "-o", "the value axis is linear; draw the logarithm by CDEF:x=name,LOG"),
    ("--units", "", "an axis has the prefix that reads well: use --units-exponent"),
    ("--units-length", "-L", "the labels get the room that they need: leave it out"),
    ("--x-grid", "-x", "the time axis chooses its own ticks: leave it out"),
    ("--y-grid", "-y", "the value axis chooses its own ticks: leave it out"),
    ("--alt-y-grid", "-Y", "the labels of the value axis always differ: leave it out"),
    ("--no-gridfit", "-N", "the grid is drawn on whole pixels: leave it out"),
    ("--no-minor", "-I", "the axes choose their own lines: leave it out"),
    ("--week-fmt", "", "the time axis chooses its own texts: leave it out"),
    ("--left-axis-format", "", AXIS_TEXT),
    ("--left-axis-formatter", "", AXIS_TEXT),
    ("--right-axis-format", "", AXIS_TEXT),
    ("--right-axis-formatter", "", AXIS_TEXT),
    ("--force-rules-legend", "-F", "the legend of a rule is always shown: leave it out"),
    ("--legend-position", "", "the legend is below: leave it out"),
    ("--legend-direction", "", "the legend goes from the top: leave it out"),
    ("--dynamic-labels", "", "the sign of a line in the legend is a line: leave it out"),
    ("--border", "", "there is no border: leave it out"),
    ("--grid-dash", "", "the grid is a pale line: leave it out"),
    ("--zoom", "-m", "use --scale, as in --scale 2"),
    ("--font-render-mode", "-R", DRAWN),
    ("--font-smoothing-threshold", "-B", DRAWN),
    ("--graph-render-mode", "-G", DRAWN),
    ("--pango-markup", "-P", "texts are shown as they are: leave it out"),
    ("--tabwidth", "-T", "a tab is a space: align by the width of a number, as in %8.2lf"),
    ("--interlaced", "-i", "the picture is written whole: leave it out"),
    ("--imginfo", "-f", "its size is printed as WxH: put it together from that"),
    ("--daemon", "-d", "there is no daemon, a store is read beside its writer: leave it out"),
    ("--use-nan-for-all-missing-data", "-Z", "a store that is not there is an error: leave it out"),
    ("--disable-rrdtool-tag", "", "nothing is written at the side: leave it out"),
    ("--allow-shrink", "", "the picture has the size asked for: leave it out"),
    ("--add-jsontime", "", "use `grapher fetch --format json`"),
    ("--showtime", "", "use `grapher fetch`"),
    ("--enumds", "", "use `grapher export`"),
    ("--json", "", "use `grapher fetch --format json`"),
    ("--maxrows", "", "use --step"),
    ("--utc", "", "run it with TZ=UTC"),
];

const AXIS: &str = "the value axis fits the data: use --y auto, --lower-limit, --upper-limit, --rigid";
const AXIS_TEXT: &str = "an axis is written by its unit: use --units-exponent or --base";
const DRAWN: &str = "everything is drawn with smooth edges: leave it out";

/// Why an option that clap does not know is not there, if it is one of rrdtool's.
pub(crate) fn reason(option: &str) -> Option<String> {
    let name = option.split('=').next().unwrap_or(option);
    let found = REFUSED.iter().find(|(long, short, _)| name == *long || (!short.is_empty() && name == *short));
    found.map(|(long, _, why)| format!("{long} is an option of rrdtool's that grapher does not have: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_of_rrdtools_is_named_whatever_its_form_and_another_is_not() {
        assert!(reason("-o").is_some_and(|text| text.starts_with("--logarithmic is an option of rrdtool's")));
        assert!(reason("--border=0").is_some_and(|text| text.starts_with("--border")));
        assert_eq!(reason("--logarithm"), None);
        assert_eq!(reason(""), None);
    }
}
