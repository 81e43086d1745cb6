//! Fills the floor: asks Tessera once for everything that the floor will be asked for, and keeps
//! the answers as files. So nginx sends the very same bytes.

use std::collections::HashSet;
use std::fs;

use crate::ask::{Ask, Syntax};
use crate::client::Connection;
use crate::error::{LoadError, Trying as _};
use crate::interrupt;
use crate::scenarios::Scenario;
use crate::servers::{Kind, Rig};
use crate::tools::progress;

/// Stores the answers to all asks of the scenarios that have a floor. Tiles are asked for by IIP,
/// so that the floor needs no other syntax than the peer.
///
/// # Errors
/// Where Tessera does not start or answers anything with something else than asked for.
pub(crate) fn fill_floor(rig: &Rig, scenarios: &[Scenario]) -> Result<(), LoadError> {
    let asks: HashSet<Ask> =
        scenarios.iter().filter(|scenario| scenario.floor).flat_map(|s| s.asks.clone()).collect();
    if asks.is_empty() {
        return Ok(());
    }
    progress("storing answers for the static floor ...");
    let donor = rig.start(Kind::TesseraIip)?;
    let mut connection = Connection::open(donor.address).trying("cannot connect to tessera")?;
    for ask in asks {
        interrupt::check()?;
        store(rig, &mut connection, ask)?;
    }
    Ok(())
}

fn store(rig: &Rig, connection: &mut Connection, ask: Ask) -> Result<(), LoadError> {
    let path = ask.path(Syntax::Iip);
    let refused = |text| LoadError::Harvest { path: path.clone(), text };
    let (status, body) = connection.get(&path).map_err(|error| refused(error.to_string()))?;
    ask.expect().check(status, body).map_err(refused)?;
    let file = rig.floor().join(ask.path(Syntax::Static).trim_start_matches('/'));
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).trying("cannot make a folder for the floor")?;
    }
    fs::write(&file, body).trying("cannot write a file of the floor")
}
