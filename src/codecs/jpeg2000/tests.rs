//! Codestreams that lie, end early or come in another order than most: the right picture or the right
//! error, soon. They are made by hand of packets that say that they are empty, which is a gray picture.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::codecs::jpeg2000::open;
use crate::codecs::{CodecError, Decode, DecodeLimits, Decoders};
use crate::imaging::{Pixels, Sample};
use crate::model::{LayersRule, TileAddress};

/// What opening and decoding a small file may take, unoptimised and on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(2);

/// A codestream to be written.
#[derive(Clone)]
struct Made {
    end: [u32; 2],
    tile: [u32; 2],
    start: [u32; 2],
    components: u16,
    layers: u16,
    levels: u8,
    /// Exponents, less two.
    block: u8,
    precincts: Vec<u8>,
    /// More segments of the main header.
    more: Vec<u8>,
    /// Tile, its number of the parts, segments, packets.
    parts: Vec<(u16, u8, Vec<u8>, Vec<u8>)>,
}

impl Made {
    /// Two tiles of one component, two resolutions and two layers: 100 x 60 pixels.
    fn plain() -> Self {
        let part = |tile| (tile, 0, Vec::new(), vec![0; 4]);
        Self {
            end: [100, 60],
            tile: [64, 64],
            start: [0, 0],
            components: 1,
            layers: 2,
            levels: 1,
            block: 4,
            precincts: Vec::new(),
            more: Vec::new(),
            parts: vec![part(0), part(1)],
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut siz = vec![0, 0];
        let [right, bottom] = self.end;
        let ([left, top], [width, height]) = (self.start, self.tile);
        for number in [right, bottom, left, top, width, height, 0, 0] {
            siz.extend(number.to_be_bytes());
        }
        siz.extend(self.components.to_be_bytes());
        siz.extend([7, 1, 1].repeat(self.components.into()));
        let [high, low] = self.layers.to_be_bytes();
        let has_precincts = u8::from(!self.precincts.is_empty());
        let mut cod =
            vec![has_precincts, 0, high, low, 0, self.levels, self.block, self.block, 0, 1];
        cod.extend(&self.precincts);
        let mut qcd = vec![0x40];
        qcd.extend([8 << 3].repeat(3 * usize::from(self.levels) + 1));
        let mut out = vec![0xff, 0x4f];
        for (marker, body) in [(0x51, siz), (0x52, cod), (0x5c, qcd)] {
            out.extend(segment(marker, &body));
        }
        out.extend(&self.more);
        for (tile, number, segments, packets) in &self.parts {
            let len = u32::try_from(14 + segments.len() + packets.len()).unwrap();
            out.extend([0xff, 0x90, 0, 10]);
            out.extend(tile.to_be_bytes());
            out.extend(len.to_be_bytes());
            out.extend([*number, 0]);
            out.extend(segments);
            out.extend([0xff, 0x93]);
            out.extend(packets);
        }
        out.extend([0xff, 0xd9]);
        out
    }
}

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], &len[..], body].concat()
}

fn opened(file: Vec<u8>, limits: &DecodeLimits) -> Result<Arc<dyn Decode>, CodecError> {
    open(Arc::new(file), &Decoders::default().jpeg2000, (true, None), limits)
}

/// Opens a file and decodes the first and the last tile of each level: how many samples are gray.
fn decoded(file: Vec<u8>) -> Result<usize, CodecError> {
    decoded_within(file, &DecodeLimits::default())
}

fn decoded_within(file: Vec<u8>, limits: &DecodeLimits) -> Result<usize, CodecError> {
    let start = Instant::now();
    let result = opened(file, limits).and_then(|image| {
        let levels = image.info().stored.iter().enumerate();
        let mut grays = 0;
        for (stored, level) in levels.filter(|(_, level)| level.is_in_file()) {
            let (columns, rows) = level.size.grid(level.tile);
            for (column, row) in [(0, 0), (columns - 1, rows - 1)] {
                let pixels = image.decode_tile(TileAddress { stored, column, row })?;
                grays += gray_count(&pixels);
            }
        }
        Ok(grays)
    });
    check_soon(start);
    result
}

fn check_soon(start: Instant) {
    assert!(start.elapsed() < TIME_MAX, "took {:?}", start.elapsed());
}

fn gray_count(pixels: &Pixels) -> usize {
    // A wrong byte may make samples of another type.
    let raster = u8::unwrap(pixels);
    raster.map_or(0, |raster| raster.samples().split(|sample| *sample == 128).count() - 1)
}

/// Samples of both levels, each decoded as first and as last tile.
const ALL: usize = 2 * (100 * 60 + 50 * 30);

#[test]
fn packets_that_are_empty_are_a_gray_picture() {
    assert_eq!(decoded(Made::plain().bytes()).unwrap(), ALL);
}

#[test]
fn a_codestream_cut_anywhere_is_an_error_or_lacks_its_end_alone() {
    let whole = Made::plain().bytes();
    for len in 0..whole.len() {
        match decoded(whole[..len].to_vec()) {
            // Only the marker of the end is missing.
            Ok(grays) => assert!(whole.len() - 2 <= len && grays == ALL, "{len}"),
            Err(CodecError::Malformed { .. }) => assert!(len < whole.len() - 2, "{len}"),
            Err(error) => panic!("{len}: {error}"),
        }
    }
}

#[test]
fn a_codestream_with_any_byte_wrong_ends_soon() {
    let whole = Made::plain().bytes();
    for at in 0..whole.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff, whole[at] ^ 0x10] {
            let mut spoilt = whole.clone();
            spoilt[at] = byte;
            drop(decoded(spoilt));
        }
    }
}

#[test]
fn parts_may_come_in_any_order() {
    let mut made = Made::plain();
    let part = |tile, number, packets| (tile, number, Vec::new(), vec![0; packets]);
    made.parts = vec![part(1, 0, 1), part(0, 0, 3), part(1, 1, 3), part(0, 1, 1)];
    assert_eq!(decoded(made.bytes()).unwrap(), ALL);
}

#[test]
fn lengths_that_are_wrong_are_passed_over() {
    let long = u32::MAX.to_be_bytes();
    for (name, told) in [
        ("half", [[0_u8, 0, 0, 9], [0, 0, 0, 9]].concat()),
        ("swapped", [[0, 0, 0, 17], [0, 0, 0, 19]].concat()),
        ("long", [long, long].concat()),
        ("too many", [0, 0, 0, 18].repeat(99)),
    ] {
        let mut made = Made::plain();
        made.more = segment(0x55, &[&[0, 0x40], &told[..]].concat());
        assert_eq!(decoded(made.bytes()).unwrap(), ALL, "TLM, {name}");
    }
    for (name, told) in [
        ("none", &[0][..]),
        ("zeros", &[0, 0, 0, 0, 0]),
        ("long", &[0, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ("open", &[0, 1, 1, 1, 0x81]),
        ("other", &[0, 1, 2, 0, 1]),
    ] {
        let mut made = Made::plain();
        made.parts[0].2 = segment(0x58, told);
        let grays = decoded(made.bytes());
        if name == "other" {
            // Whose sum is right: the packets are then where none are.
            assert!(grays.is_err() || grays.unwrap() == ALL);
        } else {
            assert_eq!(grays.unwrap(), ALL, "PLT, {name}");
        }
    }
    let mut right = Made::plain();
    right.more = segment(0x55, &[0, 0x40, 0, 0, 0, 18, 0, 0, 0, 18]);
    assert_eq!(decoded(right.bytes()).unwrap(), ALL);
}

/// What a file that asks for too much, or for what cannot be, is refused as.
#[derive(Debug, PartialEq)]
enum Refusal {
    Malformed,
    OverLimit,
}

#[test]
fn headers_that_lie_are_refused_before_anything_is_allocated() {
    use Refusal::{Malformed, OverLimit};
    let plain = Made::plain();
    let large = [u32::MAX, u32::MAX];
    let of_one = |made: Made| Made { parts: vec![plain.parts[0].clone()], ..made };
    let side = 8_000_000;
    for (name, made, expected) in [
        ("no pixels", Made { end: [0, 0], ..plain.clone() }, Malformed),
        ("no tiles", Made { tile: [0, 0], ..plain.clone() }, Malformed),
        ("no components", Made { components: 0, ..plain.clone() }, Malformed),
        ("16384 components", Made { components: 16_384, ..plain.clone() }, OverLimit),
        ("starts behind its end", Made { start: [100, 0], ..plain.clone() }, Malformed),
        ("65536 tiles", Made { end: [256, 256], tile: [1, 1], ..plain.clone() }, Malformed),
        ("a side of 2^32", Made { end: large, tile: large, ..plain.clone() }, OverLimit),
        ("no layers", Made { layers: 0, ..plain.clone() }, Malformed),
        ("33 levels", Made { levels: 33, ..plain.clone() }, Malformed),
        ("blocks of 2^20", Made { block: 8, ..plain.clone() }, Malformed),
        ("precincts of nothing", Made { precincts: vec![0x11, 0x10], ..plain.clone() }, Malformed),
        ("no parts", Made { parts: Vec::new(), ..plain.clone() }, Malformed),
        (
            "a part of no tile",
            Made { parts: vec![(9, 0, Vec::new(), vec![0])], ..plain.clone() },
            Malformed,
        ),
        ("a tile without parts", of_one(plain.clone()), Malformed),
        (
            "packets without end",
            of_one(Made {
                end: [side; 2],
                tile: [side; 2],
                precincts: vec![0x11, 0x11],
                layers: 65_535,
                ..plain.clone()
            }),
            OverLimit,
        ),
        (
            "code-blocks without end",
            of_one(Made { end: [side; 2], tile: [side; 2], block: 0, layers: 1, ..plain.clone() }),
            OverLimit,
        ),
    ] {
        let found = match decoded(made.bytes()) {
            Err(CodecError::Malformed { .. }) => Malformed,
            Err(CodecError::OverLimit { .. }) => OverLimit,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_part_without_data_is_malformed() {
    let mut made = Made::plain();
    // The segment of a comment takes all that there is.
    made.parts[0].2 = segment(0x64, &[0, 0]);
    assert_eq!(decoded(made.bytes()).unwrap(), ALL);
    let mut file = made.bytes();
    let at = file.windows(2).position(|pair| pair == [0xff, 0x93]).unwrap();
    file[at + 1] = 0x64;
    let error = decoded(file).unwrap_err();
    assert!(matches!(error, CodecError::Malformed { .. }), "{error}");
}

#[test]
fn layers_beyond_what_packets_hold_are_missing_and_not_guessed() {
    let mut made = Made::plain();
    made.layers = 3;
    let error = decoded(made.bytes()).unwrap_err();
    assert_eq!(error.to_string(), "malformed JPEG 2000: a packet is missing or damaged");
    // Whoever wants no more than there are is not told of others.
    let layers = LayersRule::of_number(2);
    let limits = DecodeLimits { layers, ..DecodeLimits::default() };
    assert_eq!(decoded_within(made.bytes(), &limits).unwrap(), ALL);
}
