//! Ctrl-C and SIGTERM set a flag that every loop looks at, so that servers are stopped and folders
//! removed on the way out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::{LoadError, Trying as _};

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Takes over SIGINT and SIGTERM.
pub(crate) fn install() -> Result<(), LoadError> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&REQUESTED))
            .trying("cannot catch signals")?;
    }
    Ok(())
}

/// Whether it is time to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// An error where it is time to stop.
pub(crate) fn check() -> Result<(), LoadError> {
    if requested() { Err(LoadError::Interrupted) } else { Ok(()) }
}
