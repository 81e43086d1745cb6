//! A JPEG 2000 file as an image. Its resolutions are levels; a tile of a level is decoded of what it
//! needs, whatever the tiles of the codestream are.

use std::num::NonZeroU16;
use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::codecs::exif::{Exif, read as read_exif};
use crate::codecs::flat::{profile, size};
use crate::codecs::iptc;
use crate::codecs::jpeg2000::area_decoder::{Area, AreaComponent};
use crate::codecs::jpeg2000::boxes::Container;
use crate::codecs::jpeg2000::channels::{Channels, decoded_components};
use crate::codecs::jpeg2000::codestream::{Codestream, tile_number};
use crate::codecs::jpeg2000::codestream_decoder::Plane;
use crate::codecs::jpeg2000::coding::{Parameters, TileCoding};
use crate::codecs::jpeg2000::component_samples::ComponentSamples;
use crate::codecs::jpeg2000::grid::{Span, TileComponent, is_empty, tile as tile_on_grid, zip};
use crate::codecs::jpeg2000::kept::KeptOfTile;
use crate::codecs::jpeg2000::markers::SizComponent;
use crate::codecs::jpeg2000::region::{Part, Region, needed};
use crate::codecs::jpeg2000::repack::{VirtualComponent, VirtualTile};
use crate::codecs::jpeg2000::samples::pixels;
use crate::codecs::jpeg2000::synthesis::reach;
use crate::codecs::jpeg2000::tile_index::TileIndex;
use crate::codecs::jpeg2000::{JPEG_2000, malformed, unsupported};
use crate::codecs::number::u64_of;
use crate::codecs::upright::upright;
use crate::codecs::{CodecError, Decode, DecodeLimits, Jpeg2000Decoders, StoredTile};
use crate::imaging::Pixels;
use crate::model::{
    ImageInfo, Metadata, QualityLayers, ReadAt, Rect, Size, StoredLevel, TileAddress, TileEncoding,
};

/// Sides of codestream tiles that are offered as they are: smaller ones would be too many requests,
/// larger ones too much work for who wants a part.
const OFFERED_PX: std::ops::RangeInclusive<u32> = 256..=512;
/// The tile that is offered of others: a common viewer's.
const TILE: Size = Size::at_least_one(256, 256);
/// The same where a tile's neighbours are decoded with it, and not kept.
const UNKEPT_TILE: Size = Size::at_least_one(512, 512);

/// Bytes that decoding holds for each sample: as coefficients, as the wavelet has them along both axes, as
/// whole numbers, and half of it once more for what lies around.
const BYTES_A_SAMPLE: u64 = 24;

/// An open JPEG 2000 file.
#[derive(Debug)]
struct Jpeg2000 {
    info: Arc<ImageInfo>,
    codestream: Codestream,
    channels: Channels,
    /// The components that are decoded.
    components: Vec<Used>,
    /// Grid points from pixel to pixel.
    unit: [u32; 2],
    decoders: Jpeg2000Decoders,
    /// What its code-blocks are kept by.
    number: u64,
    /// Quality layers that are decoded.
    layers: NonZeroU16,
    limits: DecodeLimits,
    indices: Indices,
}

/// A component that is decoded.
#[derive(Clone, Copy, Debug)]
struct Used {
    /// Its number in the file.
    component: usize,
    /// Pixels from sample to sample.
    step: [u32; 2],
}

/// Indices of tiles, as long as there is room.
type Indices = Cache<u32, Arc<TileIndex>, IndexWeight>;

/// An index weighs its bytes.
#[derive(Clone, Debug)]
struct IndexWeight;

impl Weighter<u32, Arc<TileIndex>> for IndexWeight {
    fn weight(&self, _: &u32, index: &Arc<TileIndex>) -> u64 {
        index.bytes()
    }
}

/// Opens a file of boxes or a raw codestream, of which so many quality layers are decoded; reads headers
/// and the index of tile-parts.
///
/// # Errors
/// As [`crate::codecs::open`].
pub(in crate::codecs) fn open(
    source: Arc<dyn ReadAt>,
    decoders: &Jpeg2000Decoders,
    (is_raw, layers): (bool, Option<NonZeroU16>),
    limits: &DecodeLimits,
) -> Result<Arc<dyn Decode>, CodecError> {
    let container = if is_raw {
        Container::bare(source.len_bytes())
    } else {
        Container::read(&*source, limits)?
    };
    let place = container.codestream.ok_or_else(|| malformed("there is no codestream (jp2c)"))?;
    let codestream = Codestream::open(source, place.0, place.1)?;
    let channels = Channels::of(&container, &codestream.siz)?;
    let (unit, components) = used(&channels, &codestream)?;
    let exif = container.blocks[0].as_deref().map_or_else(Exif::default, read_exif);
    let decoded = (unit, &components[..]);
    let info = info(&container, &codestream, &channels, decoded, (decoders.all, limits))?;
    let stored = codestream.parameters.layers();
    let layers = QualityLayers {
        stored,
        decoded: limits.layers.decoded(stored, layers),
        rule: limits.layers,
    };
    let info = ImageInfo {
        layers: Some(layers),
        resolution: container.resolution.or(exif.resolution),
        metadata: Arc::new(metadata(&container, &exif)),
        ..info
    };
    let image = Jpeg2000 {
        info: Arc::new(info),
        codestream,
        channels,
        components,
        unit,
        decoders: decoders.clone(),
        number: decoders.kept.new_image(),
        layers: layers.decoded,
        limits: limits.clone(),
        indices: indices(limits.index_bytes_max)?,
    };
    Ok(upright(Arc::new(image), exif.orientation))
}

/// Room for indices of so many bytes. One shard, so that one of them may take all.
fn indices(bytes_max: u64) -> Result<Indices, CodecError> {
    let options = OptionsBuilder::new()
        .shards(1)
        .estimated_items_capacity(16)
        .weight_capacity(bytes_max.saturating_mul(2))
        .build();
    let options = options.map_err(|error| CodecError::Io(std::io::Error::other(error)))?;
    let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
    Ok(Cache::with_options(options, IndexWeight, hasher, lifecycle))
}

/// The distance of pixels on the reference grid, and the components that are decoded.
fn used(channels: &Channels, codestream: &Codestream) -> Result<([u32; 2], Vec<Used>), CodecError> {
    let siz = &codestream.siz;
    let decoded = decoded_components(channels, siz);
    let steps = decoded.iter().filter_map(|at| Some(siz.components.get(*at)?.step.map(u32::from)));
    let unit = steps.clone().fold([u32::MAX; 2], |unit, step| zip(unit, step, u32::min));
    let relative = decoded.iter().zip(steps).map(|(component, step)| {
        let [across, down] = zip(step, unit, |step, unit| (step / unit, step % unit));
        if across.1 != 0 || down.1 != 0 {
            return Err(unsupported(format!("components with steps of {unit:?} and {step:?}")));
        }
        Ok(Used { component: *component, step: [across.0, down.0] })
    });
    Ok((unit, relative.collect::<Result<_, _>>()?))
}

fn info(
    container: &Container,
    codestream: &Codestream,
    channels: &Channels,
    (unit, components): ([u32; 2], &[Used]),
    (all, limits): (bool, &DecodeLimits),
) -> Result<ImageInfo, CodecError> {
    let siz = &codestream.siz;
    let whole = zip(siz.start, siz.end, Span::new);
    let sides = |reduction: u32| {
        let spans = zip(whole, unit, Span::every).map(|span| span.every_power(reduction));
        spans.map(Span::len).into()
    };
    let full = size(JPEG_2000, sides(0), limits)?;
    let [tile_width, tile_height] = zip(siz.tile, unit, u32::div_ceil);
    let is_cut = 1 < codestream.tile_count();
    let is_offered =
        is_cut && OFFERED_PX.contains(&tile_width) && OFFERED_PX.contains(&tile_height);
    let count = u16::try_from(siz.components.len()).unwrap_or(u16::MAX);
    let coding = TileCoding::of(&codestream.parameters, &Parameters::default(), count)?;
    let tile = if is_offered {
        Size::at_least_one(tile_width, tile_height)
    } else if all {
        UNKEPT_TILE
    } else {
        TILE
    };
    let levels = components.iter().filter_map(|used| coding.components.get(used.component));
    let reductions = levels.map(|coding| coding.style.levels).min().unwrap_or(0);
    let mut stored: Vec<StoredLevel> = Vec::new();
    for reduction in 0..=reductions {
        let (width, height) = sides(reduction.into());
        let Some(size) = Size::new(width, height) else { break };
        if stored.last().is_some_and(|last| last.size == size) {
            break;
        }
        stored.push(StoredLevel::in_file(full, size, tile, TileEncoding::Other));
    }
    let stored = ImageInfo::halved_to(stored, tile);
    let first = channels.colours.first().map_or(8, |channel| channel.stated.bits);
    let is_looked_up = channels.all().any(|channel| channel.table.is_some());
    let name = if container.is_bare() { "JPEG 2000 codestream" } else { JPEG_2000 };
    Ok(ImageInfo {
        alpha: channels.alpha.is_some(),
        samples: channels.sample_type(),
        bits: if is_looked_up { 8 } else { first },
        bands_stored: count,
        ranges: channels.ranges(),
        icc: profile(channels.icc.as_deref(), limits),
        held_bytes: tile.area() * u64_of(components.len()) * BYTES_A_SAMPLE,
        ..ImageInfo::new(name, stored, tile, channels.space.model())
    })
}

/// What the file says in blocks and in their texts.
fn metadata(container: &Container, exif: &Exif) -> Metadata {
    let mut metadata = Metadata::of_blocks(container.blocks.clone());
    if let Some(records) = &metadata.iptc {
        let texts = iptc::texts(records);
        metadata.add_all(&texts);
    }
    metadata.add_all(&exif.texts);
    metadata
}

impl Decode for Jpeg2000 {
    fn info(&self) -> &Arc<ImageInfo> {
        &self.info
    }

    fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        let rect = self.rect(at)?;
        let reduction = u32::try_from(at.stored).unwrap_or(u32::MAX);
        let siz = &self.codestream.siz;
        let image = zip(zip(siz.start, siz.end, Span::new), self.unit, Span::every)
            .map(|span| span.every_power(reduction));
        let area = zip(
            image,
            [(rect.left(), rect.right()), (rect.top(), rect.bottom())],
            |image, (start, end)| Span::new(image.start + start, image.start + end),
        );
        let empty = |used: &Used| ComponentSamples::empty(used.component, used.step, image, area);
        let mut components = self.components.iter().map(empty).collect::<Result<Vec<_>, _>>()?;
        self.decode(reduction, image, &mut components)?;
        pixels(&self.channels, area, &components)
    }

    fn stored_tile(&self, at: TileAddress, _: bool) -> Result<Option<StoredTile>, CodecError> {
        self.rect(at).map(|_| None)
    }
}

impl Jpeg2000 {
    /// The pixels of a tile of a level that the file has.
    fn rect(&self, at: TileAddress) -> Result<Rect, CodecError> {
        let level = self.info.stored.get(at.stored).filter(|level| level.is_in_file());
        let rect = level.and_then(|_| self.info.tile_rect(at));
        rect.ok_or_else(|| malformed("there is no such tile"))
    }

    /// Decodes what components need of each tile of the codestream.
    fn decode(
        &self,
        reduction: u32,
        image: [Span; 2],
        components: &mut [ComponentSamples],
    ) -> Result<(), CodecError> {
        let extent = components.iter().fold([Span::new(u32::MAX, 0); 2], |extent, component| {
            let own = zip(component.spans, component.step, |span, step| {
                Span::new(span.start * step, (span.end - 1).saturating_mul(step).saturating_add(1))
            });
            zip(extent, own, |one, other| {
                Span::new(one.start.min(other.start), one.end.max(other.end))
            })
        });
        let extent = zip(extent, image, Span::intersect);
        let [columns, rows] = self.tiles_around(reduction, extent);
        for row in rows.start..rows.end {
            for column in columns.start..columns.end {
                let number = tile_number(&self.codestream.siz, [column, row]);
                let whole = tile_on_grid(&self.codestream.siz, number);
                let tile =
                    zip(whole, self.unit, Span::every).map(|span| span.every_power(reduction));
                let area = zip(tile, extent, Span::intersect);
                if !is_empty(area) {
                    self.decode_part(number, reduction, (tile, area), components)?;
                }
            }
        }
        Ok(())
    }

    /// Columns and rows of tiles that may touch an extent of a level.
    fn tiles_around(&self, reduction: u32, extent: [Span; 2]) -> [Span; 2] {
        let siz = &self.codestream.siz;
        let points = zip(extent, self.unit, |span, unit| {
            let scale = |edge: u32| (u64::from(edge) << reduction).saturating_mul(unit.into());
            [scale(span.start.saturating_sub(1)), scale(span.end)]
        });
        let tiles = zip(
            points,
            zip(siz.tile_start, siz.tile, |start, side| (start, side)),
            |points, (start, side)| {
                points.map(|point| point.saturating_sub(start.into()) / u64::from(side.max(1)))
            },
        );
        zip(tiles, siz.tile_grid(), |[first, last], count| {
            let small = |tile: u64| u32::try_from(tile).unwrap_or(u32::MAX);
            Span::new(small(first), small(last).saturating_add(1).min(count))
        })
    }

    /// Decodes an area of one tile of the codestream at a level, and puts it where it belongs.
    fn decode_part(
        &self,
        number: u32,
        reduction: u32,
        (tile, area): ([Span; 2], [Span; 2]),
        components: &mut [ComponentSamples],
    ) -> Result<(), CodecError> {
        let index = self.index(number)?;
        let tiles = index.components(&self.codestream);
        let of_each = self
            .components
            .iter()
            .map(|used| area_component(&self.codestream, &index, &tiles, *used, (reduction, area)));
        let of_each = of_each.collect::<Result<Vec<_>, _>>()?;
        let kept = self.decoders.kept.of_tile(self.number, number);
        let (planes, shift) = if self.decoders.all {
            self.decode_virtual((&index, kept), of_each, (tile, area))?
        } else {
            let mixed = index.coding.style.mixed;
            let area = Area { components: of_each, mixed, kept, spare: &self.decoders.spare };
            let source = &*self.codestream.source;
            (area.decode(source, &index, self.layers.get(), &self.limits)?, [0, 0])
        };
        if planes.len() != components.len() {
            return Err(malformed("the decoder gave other components than were asked for"));
        }
        for (plane, component) in planes.into_iter().zip(components) {
            component.take(plane, shift)?;
        }
        Ok(())
    }

    /// Has an area of a tile decoded elsewhere, as a codestream of its own: the planes, and how far it
    /// was moved.
    fn decode_virtual(
        &self,
        (index, kept): (&TileIndex, KeptOfTile<'_>),
        components: Vec<AreaComponent<'_>>,
        (tile, area): ([Span; 2], [Span; 2]),
    ) -> Result<(Vec<Plane>, [u32; 2]), CodecError> {
        let of_each = components.into_iter().map(|component| {
            VirtualComponent::new(component.stated, component.coding, component.part)
        });
        let capabilities = self.codestream.capabilities.as_deref();
        let cut =
            VirtualTile::cut(of_each.collect(), tile, index.coding.style.mixed, capabilities)?;
        let (source, limits) = (&*self.codestream.source, &self.limits);
        let mut region =
            Region::find(source, index, &cut.parts(), self.layers.get(), (kept, limits))?;
        region.read(source, |_| true, limits)?;
        let rect = cut.area(area, &self.limits)?;
        Ok((self.decoders.codestreams.decode(&cut.write(&region)?, rect)?, cut.shift))
    }

    /// The index of a tile; made by the first who asks, while others wait.
    fn index(&self, number: u32) -> Result<Arc<TileIndex>, CodecError> {
        self.indices.get_or_insert_with(&number, || {
            let index = TileIndex::read(&self.codestream, number, self.limits.index_bytes_max)?;
            Ok(Arc::new(index))
        })
    }
}

/// What an area of a level needs of a component of a tile.
fn area_component<'a>(
    codestream: &Codestream,
    index: &'a TileIndex,
    tiles: &[TileComponent<'a>],
    Used { component, step }: Used,
    (reduction, area): (u32, [Span; 2]),
) -> Result<AreaComponent<'a>, CodecError> {
    let stated = codestream.siz.components.get(component).zip(tiles.get(component));
    let found = stated.zip(index.coding.components.get(component));
    let ((stated, tile), coding) = found.ok_or_else(|| malformed("there is no such component"))?;
    let reduction = u8::try_from(reduction).unwrap_or(u8::MAX);
    let fewer = || unsupported("tiles with fewer resolutions than the image");
    let top = tile.style.levels.checked_sub(reduction).ok_or_else(fewer)?;
    let own_area = zip(area, step, Span::every);
    let small = |step: u32| u8::try_from(step).unwrap_or(u8::MAX);
    let stated = SizComponent { step: step.map(small), ..*stated };
    let reach = reach(coding.style.reversible);
    let part = Part { tile: *tile, component, needed: needed(own_area, top, reach) };
    let wanted = zip(own_area, tile.resolution(top), Span::intersect);
    Ok(AreaComponent { part, stated, coding, wanted })
}
