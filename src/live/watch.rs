//! When the configuration is read anew: at SIGHUP, and when its file changes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use actix_web::rt;
use tokio::signal::unix::Signal;

use crate::actors::Service;
use crate::actors::purge::Purge;
use crate::live::Live;

/// How often a configuration file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// At each signal, reads the configuration anew and empties this process' caches, as iipsrv does. A log file that was
/// rotated is begun anew without being told to.
pub async fn on_hangup(live: Arc<Live>, service: Service, mut signal: Signal) {
    while signal.recv().await.is_some() {
        read_again(&live).await;
        let purged = service.purge_here(&Purge::All);
        tracing::info!(?purged, "caches emptied");
    }
}

/// Reads the configuration anew when its file has changed; ends at once where there is none.
pub async fn on_change(live: Arc<Live>) {
    let Some(path) = live.layers.file.clone() else { return };
    let mut interval = rt::time::interval(LOOK_INTERVAL);
    let mut known = FileState::of(&path);
    loop {
        interval.tick().await;
        let now = FileState::of(&path);
        if now != known {
            known = now;
            read_again(&live).await;
        }
    }
}

/// Reading files, and perhaps asking for addresses, is not for this thread.
async fn read_again(live: &Arc<Live>) {
    let live = Arc::clone(live);
    // A panic in there is in the log.
    let _panicked = rt::task::spawn_blocking(move || live.reload()).await;
}

/// What tells that a file was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileState(Option<(SystemTime, u64)>);

impl FileState {
    fn of(path: &Path) -> Self {
        let look = || -> io::Result<_> {
            let metadata = fs::metadata(path)?;
            Ok((metadata.modified()?, metadata.len()))
        };
        Self(look().ok())
    }
}
