//! `IsolatedDecoder`: JPEG 2000 codestreams decoded in processes of their own. All that a stranger wrote
//! is read here, in safe code; what is left to C is arithmetic in a process that can do nothing else.

use std::os::fd::AsFd as _;
use std::sync::Arc;

use crate::actors::module::{Module, Worker};
use crate::codecs::CodecError;
use crate::codecs::jpeg2000::{CodestreamDecoder, Plane};
use crate::codecs::number::{reserved_for, u64_of, usize_of_bytes, zeroed};
use crate::model::Rect;
use crate::modules::{ModuleError, Part, Reply, Request, SharedMemory};

/// Bytes of a sample.
const SAMPLE_BYTES: u64 = 4;

/// The format's name in errors.
const JPEG_2000: &str = "JPEG 2000";

/// A decoder elsewhere.
#[derive(Debug)]
pub struct IsolatedDecoder(Arc<Module>);

impl IsolatedDecoder {
    /// The one whose processes these are.
    pub const fn new(module: Arc<Module>) -> Self {
        Self(module)
    }

    fn ask(
        &self,
        worker: &mut Worker,
        codestream: &[u8],
        area: Rect,
    ) -> Result<Vec<Plane>, ModuleError> {
        let components = components(codestream)?;
        let bytes = u64::from(components) * samples_max(area) * SAMPLE_BYTES;
        let (input, memory) = (SharedMemory::holding(codestream)?, SharedMemory::new(bytes)?);
        let codestream_bytes = u64_of(codestream.len());
        let request = Request::Codestream { codestream_bytes, part: area.into(), bytes };
        let limit = self.0.limits().decode;
        let descriptors = [input.as_fd(), memory.as_fd()];
        let Reply::Planes { planes } = worker.process.ask(&request, &descriptors, limit)? else {
            return Err(ModuleError::broke("samples were asked for, and something else came"));
        };
        if planes.len() != usize::from(components) {
            let what = format!("{} components, not {components}", planes.len());
            return Err(ModuleError::Broke { what });
        }
        let mut offset = 0;
        planes.into_iter().map(|part| plane(part, area, &memory, &mut offset)).collect()
    }
}

impl CodestreamDecoder for IsolatedDecoder {
    fn decode(&self, codestream: &[u8], area: Rect) -> Result<Vec<Plane>, CodecError> {
        let planes = self.0.run(None, |worker| self.ask(worker, codestream, area));
        planes.map_err(|error| match error {
            CodecError::Malformed { what, .. } => CodecError::malformed(JPEG_2000, what),
            other => other,
        })
    }
}

/// Components that a codestream's header promises (T.800, A.5.1).
fn components(codestream: &[u8]) -> Result<u16, CodecError> {
    // Start, marker, length, capabilities, and eight sizes and offsets stand before.
    const AT: usize = 2 + 2 + 2 + 2 + 8 * 4;
    let count = codestream.get(AT..).and_then(|rest| rest.first_chunk());
    let ended = || CodecError::malformed(JPEG_2000, "the codestream ends in its header");
    count.map(|count| u16::from_be_bytes(*count)).ok_or_else(ended)
}

/// Samples that one component has in an area at most: rounding at both ends adds a row and a column.
fn samples_max(area: Rect) -> u64 {
    (u64::from(area.width()) + 1) * (u64::from(area.height()) + 1)
}

/// A component's samples, which begin at `offset`; that of the next is left there.
fn plane(
    part: Part,
    area: Rect,
    memory: &SharedMemory,
    offset: &mut u64,
) -> Result<Plane, ModuleError> {
    if samples_max(area) < part.count() {
        let Part { width, height, .. } = part;
        return Err(ModuleError::broke(format!("a component of {width}x{height} samples")));
    }
    let bytes = part.count() * SAMPLE_BYTES;
    let mut written = zeroed(usize_of_bytes(bytes))?;
    memory.read(&mut written, *offset)?;
    *offset += bytes;
    let (words, _) = written.as_chunks();
    let mut samples = reserved_for(words.len())?;
    samples.extend(words.iter().map(|word| i32::from_ne_bytes(*word)));
    let Part { left, top, width, height } = part;
    Ok(Plane { left, top, width, height, samples })
}
