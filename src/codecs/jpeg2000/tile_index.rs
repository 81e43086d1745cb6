//! `TileIndex`: where each packet of a tile is. Its lengths come of `PLT`; where that is missing or
//! wrong, all headers of packets are read once, and their bodies skipped.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::codestream::{Apart, Body, Codestream, TileHeader};
use crate::codecs::jpeg2000::coding::{ComponentCoding, TileCoding};
use crate::codecs::jpeg2000::grid::{Span, TileComponent, area, tile};
use crate::codecs::jpeg2000::malformed;
use crate::codecs::jpeg2000::markers::SizComponent;
use crate::codecs::jpeg2000::packet_header::Precinct;
use crate::codecs::jpeg2000::progression::{Ground, Precincts, Stop, walk};
use crate::codecs::jpeg2000::stretch::Stretch;
use crate::codecs::number::{filled, reserved_for, u64_of, usize_of, usize_of_bytes};
use crate::model::ReadAt;

/// Bytes of a packet in an index: a place and a length.
const ENTRY_BYTES: u64 = 12;
/// More of one whose header stands apart.
const APART_BYTES: u64 = 4;
/// Where a header begins that does not stand apart.
const IN_PLACE: u32 = u32::MAX;
/// Code-blocks whose state is kept while headers are read, some 80 bytes each.
const WALKED_BLOCKS_MAX: u64 = 4 << 20;

/// What is known of one tile.
#[derive(Debug)]
pub(super) struct TileIndex {
    pub(super) coding: TileCoding,
    /// The tile on the reference grid.
    pub(super) spans: [Span; 2],
    pub(super) precincts: Precincts,
    /// Where packets begin, by precinct and layer.
    starts: Vec<u64>,
    /// Their bytes; 0 for those that are missing, and for empty ones whose headers stand apart.
    lengths: Vec<u32>,
    /// Where their headers begin among `headers`; nothing where none stands apart.
    header_starts: Vec<u32>,
    headers: Vec<u8>,
}

/// A packet, and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    /// Its place in the file, and its bytes there.
    pub(super) place: (u64, u32),
    /// Its header and what comes after, where it stands apart.
    pub(super) header: Option<&'a [u8]>,
}

impl TileIndex {
    /// Finds the packets of a tile.
    ///
    /// # Errors
    /// `OverLimit` where there would be more than `bytes_max` allow; as [`Codestream::tile_header`].
    pub(super) fn read(
        codestream: &Codestream,
        number: u32,
        bytes_max: u64,
    ) -> Result<Self, CodecError> {
        let header = codestream.tile_header(number)?;
        let spans = tile(&codestream.siz, number);
        let components = components(codestream, &header.coding, spans);
        let precincts = Precincts::of(&components);
        let packets = precincts.count.saturating_mul(header.coding.style.layers.into());
        let is_apart = header.apart != Apart::Not;
        let entry_bytes = ENTRY_BYTES + if is_apart { APART_BYTES } else { 0 };
        let apart_bytes = u64_of(header.headers.len());
        let bytes = packets.saturating_mul(entry_bytes).saturating_add(apart_bytes);
        if bytes_max < bytes {
            let what = "bytes of an index of JPEG 2000 packets";
            return Err(CodecError::OverLimit { what, value: bytes, limit: bytes_max });
        }
        let ground = Ground {
            siz: &codestream.siz,
            tile: spans,
            components: &components,
            precincts: &precincts,
        };
        let count = usize_of_bytes(packets);
        let mut found = Found {
            layers: header.coding.style.layers,
            starts: filled(count, 0)?,
            lengths: filled(count, 0)?,
            header_starts: filled(if is_apart { count } else { 0 }, IN_PLACE)?,
        };
        // The lengths that `PLT` names would be those of bodies alone.
        if is_apart || !found.take_told(ground, &header.coding, &header.bodies)? {
            found.lengths.fill(0);
            let mut walker = Walker::new(&*codestream.source, &header);
            found.take_walked(ground, &header.coding, &mut walker)?;
        }
        drop(components);
        let Found { starts, lengths, header_starts, .. } = found;
        let TileHeader { coding, headers, .. } = header;
        Ok(Self { coding, spans, precincts, starts, lengths, header_starts, headers })
    }

    /// The tile's components.
    pub(super) fn components(&self, codestream: &Codestream) -> Vec<TileComponent<'_>> {
        components(codestream, &self.coding, self.spans)
    }

    /// Where a packet is: its place in the file and its bytes.
    ///
    /// # Errors
    /// `Malformed` where it is missing.
    fn packet(&self, precinct: u64, layer: u16) -> Result<Packet<'_>, CodecError> {
        let at = usize_of_bytes(precinct * u64::from(self.coding.style.layers) + u64::from(layer));
        let apart = self.header_starts.get(at).filter(|start| **start != IN_PLACE);
        let header = apart.and_then(|start| self.headers.get(usize_of(*start)..));
        match (self.starts.get(at), self.lengths.get(at)) {
            (Some(start), Some(length)) if 0 < *length || header.is_some() => {
                Ok(Packet { place: (*start, *length), header })
            }
            _ => Err(malformed("a packet is missing or damaged")),
        }
    }

    /// Where the packets of the first layers of a precinct are.
    ///
    /// # Errors
    /// As [`TileIndex::packet`].
    pub(super) fn packets(
        &self,
        precinct: u64,
        layers: u16,
    ) -> Result<Vec<Packet<'_>>, CodecError> {
        (0..layers).map(|layer| self.packet(precinct, layer)).collect()
    }

    /// Bytes that this takes.
    pub(super) fn bytes(&self) -> u64 {
        let apart_bytes =
            u64_of(self.header_starts.len()) * APART_BYTES + u64_of(self.headers.len());
        u64_of(size_of::<Self>()) + u64_of(self.starts.len()) * ENTRY_BYTES + apart_bytes
    }
}

/// The components of a tile that is coded so.
fn components<'a>(
    codestream: &Codestream,
    coding: &'a TileCoding,
    spans: [Span; 2],
) -> Vec<TileComponent<'a>> {
    let stated = codestream.siz.components.iter();
    let component = |(stated, coding): (&SizComponent, &'a ComponentCoding)| {
        let [x, y] = stated.step.map(u32::from);
        let [columns, rows] = spans;
        TileComponent { spans: [columns.every(x), rows.every(y)], style: &coding.style }
    };
    stated.zip(&coding.components).map(component).collect()
}

/// An index that is being filled.
struct Found {
    layers: u16,
    starts: Vec<u64>,
    lengths: Vec<u32>,
    header_starts: Vec<u32>,
}

impl Found {
    fn put(&mut self, stop: &Stop, layer: u16, (start, length): (u64, u32), header: Option<u32>) {
        let at = usize_of_bytes(stop.number * u64::from(self.layers) + u64::from(layer));
        if let (Some(to_header), Some(header)) = (self.header_starts.get_mut(at), header) {
            *to_header = header;
        }
        if let (Some(to_start), Some(to_length)) =
            (self.starts.get_mut(at), self.lengths.get_mut(at))
        {
            (*to_start, *to_length) = (start, length);
        }
    }

    /// Takes the lengths that `PLT` names, and says whether they are right.
    fn take_told(
        &mut self,
        ground: Ground<'_>,
        coding: &TileCoding,
        bodies: &[Body],
    ) -> Result<bool, CodecError> {
        let told: usize = bodies.iter().map(|body| body.packets.len()).sum();
        let fills = |body: &Body| {
            let sum: u64 = body.packets.iter().copied().map(u64::from).sum();
            body.start + sum == body.end
        };
        if told != self.starts.len() || !bodies.iter().all(fills) {
            return Ok(false);
        }
        let mut places = bodies.iter().flat_map(|body| {
            body.packets.iter().scan(body.start, |start, length| {
                let place = (*start, *length);
                *start += u64::from(*length);
                Some(place)
            })
        });
        walk(ground, coding, |stop, layer| {
            if let Some(place) = places.next() {
                self.put(stop, layer, place, None);
            }
            Ok(())
        })?;
        Ok(true)
    }

    /// Reads all headers of packets, up to the first that cannot be.
    fn take_walked(
        &mut self,
        ground: Ground<'_>,
        coding: &TileCoding,
        walker: &mut Walker<'_>,
    ) -> Result<(), CodecError> {
        check_blocks(ground)?;
        let count = usize_of_bytes(ground.precincts.count);
        let mut precincts: Vec<Option<Box<Precinct>>> = reserved_for(count)?;
        precincts.resize_with(count, || None);
        let mut is_over = false;
        walk(ground, coding, |stop, layer| {
            let slot = precincts.get_mut(usize_of_bytes(stop.number));
            let Some(slot) = slot.filter(|_| !is_over && walker.go_on()) else { return Ok(()) };
            let precinct = match slot {
                Some(precinct) => precinct,
                None => slot.insert(Box::new(new_precinct(ground, coding, stop)?)),
            };
            match walker.pass(precinct, coding, layer) {
                Ok((place, header)) => self.put(stop, layer, place, header),
                Err(CodecError::Malformed { .. }) => is_over = true,
                Err(error) => return Err(error),
            }
            if layer + 1 == self.layers {
                // Nobody asks for it again.
                *slot = None;
            }
            Ok(())
        })
    }
}

/// Refuses to keep the state of too many code-blocks at once.
fn check_blocks(ground: Ground<'_>) -> Result<(), CodecError> {
    let blocks = ground.components.iter().flat_map(|component| {
        (0..=component.style.levels).map(|resolution| {
            let [width, height] = component.style.block(resolution);
            area(component.resolution(resolution)) >> (width + height)
        })
    });
    let (value, limit) = (blocks.sum(), WALKED_BLOCKS_MAX);
    if limit < value {
        let what = "code-blocks of a JPEG 2000 tile without PLT";
        return Err(CodecError::OverLimit { what, value, limit });
    }
    Ok(())
}

fn new_precinct(
    ground: Ground<'_>,
    coding: &TileCoding,
    stop: &Stop,
) -> Result<Precinct, CodecError> {
    let at = usize::from(stop.component);
    let component = ground.components.get(at).zip(coding.components.get(at));
    let (component, coding) = component.ok_or_else(|| malformed("there is no such component"))?;
    Precinct::new(component, coding, stop.resolution, stop.place)
}

/// Goes over the packets of a tile, from part to part.
struct Walker<'a> {
    source: &'a dyn ReadAt,
    bodies: std::slice::Iter<'a, Body>,
    stretch: Stretch<'a>,
    apart: Apart,
    /// All headers that stand apart.
    headers: &'a [u8],
    /// Those that are left, and where they end among all.
    left: (&'a [u8], usize),
}

impl<'a> Walker<'a> {
    fn new(source: &'a dyn ReadAt, header: &'a TileHeader) -> Self {
        let headers = &*header.headers;
        let left = match header.apart {
            Apart::AllInTurn => (headers, headers.len()),
            Apart::Not | Apart::ByPart => Default::default(),
        };
        let stretch = Stretch::new(source, 0, 0);
        Self { source, bodies: header.bodies.iter(), stretch, apart: header.apart, headers, left }
    }

    /// Goes on to the next tile-part where one is over: whether there is a packet.
    fn go_on(&mut self) -> bool {
        loop {
            let has_headers = !self.left.0.is_empty();
            let is_here = match self.apart {
                Apart::Not => !self.stretch.is_over(),
                // Packets without a byte may be left behind the bytes of a part.
                Apart::ByPart => has_headers,
                Apart::AllInTurn => has_headers && !self.stretch.is_over(),
            };
            if is_here || self.apart == Apart::AllInTurn && !has_headers {
                return is_here;
            }
            let Some(body) = self.bodies.next() else {
                return self.apart == Apart::AllInTurn;
            };
            self.stretch = Stretch::new(self.source, body.start, body.end);
            if self.apart == Apart::ByPart {
                let own = self.headers.get(body.own_headers.clone()).unwrap_or_default();
                self.left = (own, body.own_headers.end);
            }
        }
    }

    /// Reads a packet's header and goes on behind its body: where it began, all its bytes there, and
    /// where its header begins if that stands apart.
    fn pass(
        &mut self,
        precinct: &mut Precinct,
        coding: &TileCoding,
        layer: u16,
    ) -> Result<((u64, u32), Option<u32>), CodecError> {
        let start = self.stretch.position();
        let (headers, end) = &mut self.left;
        let at = u32::try_from(*end - headers.len()).ok();
        let (header, apart) = match self.apart {
            Apart::Not => (None, None),
            Apart::ByPart | Apart::AllInTurn => (at, Some(headers)),
        };
        let body_bytes = self.stretch.packet_header(precinct, (coding.style, layer), apart)?;
        self.stretch.skip(body_bytes)?;
        let too_long = |_| malformed("a packet is longer than its tile-part can be");
        let length = u32::try_from(self.stretch.position() - start).map_err(too_long)?;
        Ok(((start, length), header))
    }
}
