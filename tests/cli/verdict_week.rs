//! A week in the usual archives is judged whole. How long that takes is measured by an example of `heapsoak-judge`.

#[path = "../../crates/judge/examples/support/week.rs"]
mod sample;

use super::place;
use super::store::judged;

#[test]
fn a_week_of_archives_is_judged_from_its_first_day() {
    let (_folder, path) = place();
    sample::make(&path);
    let said = judged(&path, &[]);
    assert_eq!(said.status, 0, "{}", said.stdout);
    let heap = said.of("heap_used");
    let days = (heap["to"].as_f64().unwrap() - heap["from"].as_f64().unwrap()) / 86_400.0;
    // The first fifth is warm-up.
    assert!(days > 5.5 && heap["basis"] == "natural_gc", "{heap}");
}
