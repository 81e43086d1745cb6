//! One program for all targets, since linking the server once for each would take longer than most of them
//! run: `TESSERA_FUZZ` names the one. `./dev fuzz TARGET SECONDS` builds and runs it.
#![no_main]

mod harness;

use std::env;
use std::sync::LazyLock;

use harness::{Harness, TARGETS};

static TARGET: LazyLock<Harness> = LazyLock::new(|| {
    let name = env::var("TESSERA_FUZZ").unwrap_or_default();
    let known = TARGETS.iter().find(|(known, _)| *known == name);
    let names = TARGETS.map(|(name, _)| name).join(", ");
    known.unwrap_or_else(|| panic!("TESSERA_FUZZ is `{name}`, not one of {names}")).1
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));
