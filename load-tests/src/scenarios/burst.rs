//! A burst: 200 clients ask for the same export at the same moment, of a server that has just
//! started. A server that joins equal requests decodes and encodes once; one that does not, 200
//! times.

use crate::ask::Ask;
use crate::pyramid::Image;
use crate::scenarios::{BURST, Scenario, State};

const CLIENT_COUNT: usize = 200;

pub(super) fn scenario() -> Scenario {
    // Midway between two levels, so that all servers take the same one.
    let ask =
        Ask::Export { image: Image::Deflate, left: 5001, top: 3001, width: 6000, height: 4500 };
    Scenario {
        name: BURST,
        state: State::Cold,
        connection_count: CLIENT_COUNT,
        floor: false,
        asks: vec![ask; CLIENT_COUNT],
    }
}
