//! The other side: a decoder of JPEG 2000 codestreams within this binary, answering the server.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::{CodestreamDecoder, Plane};
use crate::codecs::number::{u64_of, usize_of_bytes, zeroed};
use crate::model::{Rect, Size};
use crate::modules::channel::{Channel, Received};
use crate::modules::confinement::only_compute;
use crate::modules::message::{
    ErrorKind, Hello, Numbered, PROTOCOL, Part, Reply, Request, to_bytes,
};

/// Answers requests until the server goes. From the first one on this process can only compute.
///
/// # Errors
/// Where the server is lost.
pub fn serve(decoder: &dyn CodestreamDecoder) -> io::Result<()> {
    let mut channel = Channel::inherited()?;
    if let Err(error) = only_compute() {
        writeln!(io::stderr(), "no filter of system calls here: {error}")?;
    }
    let hello = Reply::Hello(Hello { protocol: PROTOCOL, ..Hello::default() });
    channel.send(&to_bytes(&Numbered { number: 0, message: hello })?, &[])?;
    loop {
        let (received, descriptors) = channel.receive_all()?;
        let Received::Message(message) = received else { return Ok(()) };
        let Numbered { number, message: request } = serde_json::from_slice(message)?;
        let message = match planes(decoder, &request, descriptors) {
            Ok(planes) => Reply::Planes { planes },
            Err(error) => refusal(error),
        };
        channel.send(&to_bytes(&Numbered { number, message })?, &[])?;
    }
}

/// Decodes a codestream into the memory that came with it.
fn planes(
    decoder: &dyn CodestreamDecoder,
    request: &Request,
    descriptors: Vec<OwnedFd>,
) -> Result<Vec<Part>, CodecError> {
    let Request::Codestream { codestream_bytes, part, bytes } = request else {
        return Err(CodecError::unsupported("image", "any request but for codestreams"));
    };
    let files: Vec<File> = descriptors.into_iter().map(File::from).collect();
    let [codestream, memory] = files.as_slice() else {
        return Err(CodecError::malformed("image", "a request without its descriptors"));
    };
    let area = Size::new(part.width, part.height)
        .and_then(|size| Rect::new(part.left, part.top, size))
        .ok_or_else(|| CodecError::malformed("image", "an empty area"))?;
    let mut input = zeroed(usize_of_bytes(*codestream_bytes))?;
    codestream.read_exact_at(&mut input, 0)?;
    let planes = decoder.decode(&input, area)?;
    let mut at = 0;
    for plane in &planes {
        let written = bytes_of(plane)?;
        let end = at + u64_of(written.len());
        if *bytes < end {
            let what = "bytes of samples";
            return Err(CodecError::OverLimit { what, value: end, limit: *bytes });
        }
        memory.write_all_at(&written, at)?;
        at = end;
    }
    let part = |plane: &Plane| {
        let Plane { left, top, width, height, .. } = *plane;
        Part { left, top, width, height }
    };
    Ok(planes.iter().map(part).collect())
}

fn bytes_of(plane: &Plane) -> Result<Vec<u8>, CodecError> {
    let mut bytes = zeroed(plane.samples.len() * 4)?;
    let (words, _) = bytes.as_chunks_mut();
    for (word, sample) in words.iter_mut().zip(&plane.samples) {
        *word = sample.to_ne_bytes();
    }
    Ok(bytes)
}

fn refusal(error: CodecError) -> Reply {
    let (kind, text) = match error {
        CodecError::Malformed { what, .. } => (ErrorKind::Malformed, what),
        CodecError::Unsupported { feature, .. } => (ErrorKind::Unsupported, feature),
        CodecError::Io(error) => (ErrorKind::Io, error.to_string()),
        other => (ErrorKind::Malformed, other.to_string()),
    };
    Reply::Error { kind, text }
}
