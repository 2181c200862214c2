//! The open row of one source in one archive: PDPs go in, the row's value comes out.

use crate::archive::{Archive, Cf};
use crate::pdp::known;
use crate::state::CdpState;

/// Where some PDPs of equal value fall in the rows of an archive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placing {
    /// How many PDPs.
    pub(crate) pdps: u64,
    /// How many of them the open row still takes; more than `pdps` if the row stays open.
    pub(crate) room: u64,
    /// How many rows they close.
    pub(crate) closes: u64,
    /// How many of them begin the next row.
    pub(crate) into_next: u64,
}

impl Placing {
    /// `open`: how many PDPs the open row has already.
    pub(crate) fn new(pdps_per_row: u64, open: u64, pdps: u64) -> Placing {
        let room = pdps_per_row - open;
        match pdps.checked_sub(room) {
            None => Placing { pdps, room, closes: 0, into_next: 0 },
            Some(more) => Placing { pdps, room, closes: more / pdps_per_row + 1, into_next: more % pdps_per_row },
        }
    }
}

/// Puts PDPs of one value into the open row. If that closes it, returns its value (the rows after it have the value of
/// the PDPs) and opens the next row.
pub(crate) fn put(cdp: &mut CdpState, archive: &Archive, placing: Placing, pdp: Option<f64>) -> Option<f64> {
    if placing.closes == 0 {
        *cdp = joined(*cdp, archive.cf, pdp, placing.pdps);
        return None;
    }
    let row = joined(*cdp, archive.cf, pdp, placing.room);
    let next = CdpState { value: None, unknown_pdps: 0 };
    *cdp = if placing.into_next == 0 { next } else { joined(next, archive.cf, pdp, placing.into_next) };
    finished(row, archive, pdp)
}

/// The open row with `count` more PDPs of one value.
#[expect(clippy::cast_precision_loss, reason = "2^53 PDPs are more than an average can show")]
fn joined(cdp: CdpState, cf: Cf, pdp: Option<f64>, count: u64) -> CdpState {
    let Some(pdp) = pdp else {
        return CdpState { unknown_pdps: cdp.unknown_pdps + count, ..cdp };
    };
    let value = match (cf, cdp.value) {
        (Cf::Average, value) => known(value.unwrap_or(0.0) + pdp * count as f64),
        (Cf::Min, Some(value)) => Some(value.min(pdp)),
        (Cf::Max, Some(value)) => Some(value.max(pdp)),
        (Cf::Min | Cf::Max, None) | (Cf::Last, _) => Some(pdp),
    };
    CdpState { value, ..cdp }
}

/// The value of a row that is full; `last` is its last PDP.
#[expect(clippy::cast_precision_loss, reason = "2^53 PDPs are more than an average can show")]
fn finished(row: CdpState, archive: &Archive, last: Option<f64>) -> Option<f64> {
    // With one PDP per row the row is the PDP, whatever xff says; a PDP that is not known fails below anyway.
    if row.unknown_pdps as f64 > archive.pdps_per_row as f64 * archive.xff.get() {
        return None;
    }
    match archive.cf {
        Cf::Average => known(row.value? / (archive.pdps_per_row - row.unknown_pdps) as f64),
        Cf::Min | Cf::Max => row.value,
        Cf::Last => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Xff;

    fn row(cf: Cf, xff: f64, pdps: &[Option<f64>]) -> Option<f64> {
        let n = pdps.len() as u64;
        let archive = Archive { cf, xff: Xff::new(xff).unwrap(), pdps_per_row: n, rows: 1 };
        let mut cdp = CdpState { value: None, unknown_pdps: 0 };
        let mut value = None;
        for (open, pdp) in pdps.iter().enumerate() {
            value = put(&mut cdp, &archive, Placing::new(n, open as u64, 1), *pdp);
        }
        assert_eq!(cdp, CdpState { value: None, unknown_pdps: 0 });
        value
    }

    const GAPPY: [Option<f64>; 4] = [Some(4.0), None, Some(1.0), Some(7.0)];

    #[test]
    fn each_function_consolidates_the_known_pdps_only() {
        assert_eq!(row(Cf::Average, 0.5, &GAPPY), Some(4.0));
        assert_eq!(row(Cf::Min, 0.5, &GAPPY), Some(1.0));
        assert_eq!(row(Cf::Max, 0.5, &GAPPY), Some(7.0));
        assert_eq!(row(Cf::Last, 0.5, &GAPPY), Some(7.0));
    }

    #[test]
    fn as_much_unknown_as_xff_allows_is_known_and_more_is_not() {
        assert_eq!(row(Cf::Average, 0.25, &GAPPY), Some(4.0));
        assert_eq!(row(Cf::Average, 0.24, &GAPPY), None);
        assert_eq!(row(Cf::Average, 0.0, &[Some(0.0), Some(0.0)]), Some(0.0));
    }

    #[test]
    fn last_is_unknown_when_the_last_pdp_is_even_if_xff_would_allow_it() {
        assert_eq!(row(Cf::Last, 0.9, &[Some(1.0), Some(2.0), None]), None);
    }

    #[test]
    fn a_long_stretch_closes_its_rows_by_counting_and_not_by_looping() {
        let all = u64::MAX;
        assert_eq!(Placing::new(3, 1, 1), Placing { pdps: 1, room: 2, closes: 0, into_next: 0 });
        assert_eq!(Placing::new(3, 1, 9), Placing { pdps: 9, room: 2, closes: 3, into_next: 1 });
        assert_eq!(Placing::new(1, 0, all), Placing { pdps: all, room: 1, closes: all, into_next: 0 });
    }
}
