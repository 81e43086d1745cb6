//! The way of a run, top to bottom: tools, image, floor, every scenario on every server, report.

use std::fs;
use std::io::{self, Write as _};
use std::time::Duration;

use crate::args::{Extent, Options, Subject};
use crate::ask::Ask;
use crate::budgets::Run;
use crate::environment;
use crate::error::{LoadError, Trying as _};
use crate::harvest;
use crate::image;
use crate::measure::{Effort, measure};
use crate::report;
use crate::scenarios::{self, Lengths, Scenario};
use crate::servers::{Kind, Rig};
use crate::swarm::{self, Sessions};
use crate::tools::{self, progress};

/// [`Extent::Full`].
const FULL: (Lengths, Effort) = (
    Lengths { cold_tiles_max: usize::MAX, exports: 150, visits: 60 },
    Effort {
        cpu_min: Duration::from_secs(3),
        wall_max: Duration::from_secs(20),
        passes_max: 40,
        turns: 2,
    },
);
/// [`Extent::Quick`].
const QUICK: (Lengths, Effort) = (
    Lengths { cold_tiles_max: 1500, exports: 40, visits: 12 },
    Effort {
        cpu_min: Duration::from_millis(700),
        wall_max: Duration::from_millis(2500),
        passes_max: 12,
        turns: 1,
    },
);

/// Measures and reports; the faults of the run, in words, none where all is well.
///
/// # Errors
/// Where something is missing, a server does not start, or Ctrl-C was pressed.
pub(crate) fn run(options: &Options) -> Result<Vec<String>, LoadError> {
    let (extent_name, (lengths, effort)) = match options.extent {
        Extent::Full => ("full", FULL),
        Extent::Quick => ("quick", QUICK),
    };
    let vips = tools::vips()?;
    let rig = rig(options)?;
    image::ensure(&vips, &options.samples, &rig.images)?;
    if options.subject == Subject::Swarm {
        let sessions = options.swarm_s.map(Sessions::lasting_s);
        return beside_a_swarm(&rig, sessions.unwrap_or(Sessions::of(lengths.visits)));
    }
    let mut scenarios = scenarios::all(lengths);
    scenarios.retain(|s| options.only.is_empty() || options.only.iter().any(|o| o == s.name));
    harvest::fill_floor(&rig, &scenarios)?;
    let figures = measure_all(&rig, &scenarios, effort)?;
    let environment = environment::look(&rig, &options.repository, extent_name);
    let text = report::to_markdown(&figures, &environment);
    io::stdout().lock().write_all(text.as_bytes()).trying("cannot print the report")?;
    let json = format!("{:#}\n", report::to_json(&figures, &environment));
    fs::write(&options.json, json).trying("cannot write the figures")?;
    if options.update_readme {
        report::update(&options.repository.join("load-tests/README.md"), &text)?;
    }
    Ok(figures.faults())
}

fn beside_a_swarm(rig: &Rig, sessions: Sessions) -> Result<Vec<String>, LoadError> {
    let measured = swarm::measure(rig, sessions)?;
    let text = swarm::to_markdown(&measured);
    io::stdout().lock().write_all(text.as_bytes()).trying("cannot print the report")?;
    Ok(swarm::faults(&measured))
}

fn rig(options: &Options) -> Result<Rig, LoadError> {
    let images = options.data.join("images");
    fs::create_dir_all(&images).trying("cannot make a folder for the images")?;
    // Sockets' paths may have no more than 107 bytes, so not below the data folder.
    let scratch = std::env::temp_dir().join(format!("tessera-load-{}", std::process::id()));
    let iipsrv =
        if options.with_peer { Some(tools::iipsrv(options.iipsrv.as_deref())?) } else { None };
    let (tessera, nginx) = (tools::tessera(&options.tessera)?, tools::nginx()?);
    let rig = Rig { images, scratch, tessera, nginx, iipsrv };
    fs::create_dir_all(rig.floor()).trying("cannot make a scratch folder")?;
    Ok(rig)
}

fn measure_all(rig: &Rig, scenarios: &[Scenario], effort: Effort) -> Result<Run, LoadError> {
    let mut figures = Run::default();
    for scenario in scenarios {
        for _ in 0..effort.turns {
            for kind in rig.kinds() {
                let is_spelt = |ask: &Ask| ask.is_spelt_in(kind.syntax());
                if (kind == Kind::Floor && !scenario.floor) || !scenario.asks.iter().all(is_spelt) {
                    continue;
                }
                let measured = measure(rig, kind, scenario, effort)?;
                let (server, cpu_ms) = (kind.name(), measured.cpu_ms());
                progress(&format!(
                    "{:22} {server:24} {cpu_ms:8.3} ms CPU a request",
                    scenario.name
                ));
                figures.keep_better(measured);
            }
        }
    }
    Ok(figures)
}
