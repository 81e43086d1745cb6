//! What a connection does with the bytes that it is sent, without its socket: for fuzzing.

use crate::front::fastcgi::intake::{Bounds, Event, Intake};
use crate::front::fastcgi::params::Variables;
use crate::front::fastcgi::record;

/// Enough for any stream to pass it, and no more than a record or two hold.
const BOUNDS: Bounds = Bounds { body_bytes_max: 1 << 12, connections_max: 16 };

/// Takes records in until one is not whole or makes no sense, and reads the variables of each request.
pub fn rehearse(bytes: &[u8]) {
    let mut intake = Intake::new(BOUNDS);
    let mut rest = bytes;
    while let Ok(Some((record, taken))) = record::parse(rest) {
        match intake.take(&record) {
            Ok(Some(Event::Request(request))) => {
                // What makes no sense is the client's mistake, and answered as such.
                drop(request.params.as_deref().map(Variables::read));
                intake.answered();
            }
            Ok(Some(Event::Aborted)) => intake.answered(),
            Ok(Some(Event::Send { .. }) | None) => {}
            Err(_nonsense) => return,
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
}
