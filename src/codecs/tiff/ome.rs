//! OME-XML to the planes of a stack: which directory is which depth, channel and time. Reads text and
//! knows no file. A document type is refused, and with it every entity; what lies in other files of a
//! set is left out.
//!
//! # Source
//! The OME-TIFF specification and the OME model, 2016-06: `Pixels`, `TiffData`.

use std::collections::BTreeMap;

use roxmltree::{Document, Node, ParsingOptions};

use crate::model::Associated;

/// Elements and texts of a document: some for each plane of a long series.
const NODES_MAX: u32 = 200_000;

/// Planes that one document may assign, in all of its `TiffData`.
const PLANES_MAX: usize = 65_536;

/// What a document says of the directories of its file, by their number in the chain.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ome {
    /// The planes of the first image, and what each shows.
    pub(super) planes: BTreeMap<usize, String>,
    /// The first planes of further images that are named as something beside it.
    pub(super) associated: Vec<(Associated, usize)>,
}

/// Whether a description may be OME-XML.
pub(super) fn is_ome(description: &str) -> bool {
    description.starts_with("<?xml") || description.starts_with("<OME")
}

/// Reads the description of a file with so many directories; nothing where it is no OME-XML.
pub(super) fn parse(xml: &str, directories: usize) -> Option<Ome> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..Default::default() };
    let document = Document::parse_with_options(xml.trim_end(), options).ok()?;
    let root = Some(document.root_element()).filter(|root| root.tag_name().name() == "OME")?;
    let file = root.attribute("UUID");
    let mut images = elements(root, "Image");
    let planes = planes(images.next()?, file, directories)?;
    let associated = images.filter_map(|image| {
        let name = image.attribute("Name")?.split(' ').next()?;
        let planes = self::planes(image, file, directories)?;
        Some((Associated::of_word(name)?, *planes.first_key_value()?.0))
    });
    let associated = associated.take(Associated::ALL.len()).collect();
    Some(Ome { planes, associated })
}

fn elements<'a>(of: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    of.children().filter(move |child| child.tag_name().name() == name)
}

fn number(of: Node<'_, '_>, name: &str) -> Option<usize> {
    of.attribute(name)?.trim().parse().ok()
}

/// The planes of an image by their directories.
fn planes(
    image: Node<'_, '_>,
    file: Option<&str>,
    directories: usize,
) -> Option<BTreeMap<usize, String>> {
    let pixels = elements(image, "Pixels").next()?;
    let grid = Grid::read(pixels)?;
    let mut blocks: Vec<Block> = elements(pixels, "TiffData")
        .filter(|data| is_of(file, *data))
        .map(|data| Block::read(data, &grid, directories))
        .collect();
    if elements(pixels, "TiffData").next().is_none() {
        blocks.push(Block { directory: 0, first: 0, count: directories });
    }
    let mut planes = BTreeMap::new();
    let assigned = blocks.iter().flat_map(|block| {
        (0..block.count)
            .map(|step| (block.directory.saturating_add(step), block.first.saturating_add(step)))
    });
    for (directory, plane) in assigned.take(PLANES_MAX) {
        if directory < directories && plane < grid.count() {
            planes.entry(directory).or_insert_with(|| grid.name(plane));
        }
    }
    Some(planes)
}

/// Whether planes are in this file, and not in another of its set.
fn is_of(file: Option<&str>, data: Node<'_, '_>) -> bool {
    let named = elements(data, "UUID").next().and_then(|uuid| uuid.text());
    named.zip(file).is_none_or(|(named, file)| named.trim() == file.trim())
}

/// A run of planes in a run of directories.
struct Block {
    directory: usize,
    /// The first plane, counted in the order of dimensions.
    first: usize,
    count: usize,
}

impl Block {
    fn read(data: Node<'_, '_>, grid: &Grid, directories: usize) -> Self {
        let directory = number(data, "IFD");
        let count = number(data, "PlaneCount");
        let first = ["FirstZ", "FirstC", "FirstT"].map(|name| number(data, name).unwrap_or(0));
        Self {
            directory: directory.unwrap_or(0),
            first: grid.index(first),
            count: count.unwrap_or(if directory.is_some() { 1 } else { directories }),
        }
    }
}

/// The dimensions of a stack.
struct Grid {
    /// Depths, channels, times; each at least 1.
    sizes: [usize; 3],
    /// Which of the three runs fastest, which next, which slowest.
    order: [usize; 3],
    /// Names of channels, empty for those without.
    channels: Vec<String>,
}

impl Grid {
    fn read(pixels: Node<'_, '_>) -> Option<Self> {
        let letters = pixels.attribute("DimensionOrder")?.strip_prefix("XY")?;
        let mut order = [0; 3];
        if letters.len() != order.len() {
            return None;
        }
        for (axis, letter) in order.iter_mut().zip(letters.chars()) {
            *axis = ['Z', 'C', 'T'].iter().position(|known| *known == letter)?;
        }
        let channels: Vec<String> = elements(pixels, "Channel")
            .map(|channel| channel.attribute("Name").unwrap_or_default().to_owned())
            .collect();
        // A channel of several samples, such as RGB, is one plane.
        let planes = if channels.is_empty() { number(pixels, "SizeC")? } else { channels.len() };
        let sizes = [number(pixels, "SizeZ")?, planes, number(pixels, "SizeT")?];
        let whole = sizes.iter().all(|size| (1..=PLANES_MAX).contains(size));
        whole.then_some(Self { sizes, order, channels })
    }

    fn count(&self) -> usize {
        self.sizes.iter().fold(1, |count, size| count.saturating_mul(*size))
    }

    fn size(&self, axis: usize) -> usize {
        self.sizes.get(axis).copied().unwrap_or(1)
    }

    /// The plane at a depth, channel and time.
    fn index(&self, at: [usize; 3]) -> usize {
        self.order.iter().rev().fold(0, |index: usize, axis| {
            let along = at.get(*axis).copied().unwrap_or(0);
            index.saturating_mul(self.size(*axis)).saturating_add(along)
        })
    }

    /// What a plane shows, in the dimensions that there is more than one of: `C1 DAPI Z0 T4`.
    fn name(&self, plane: usize) -> String {
        let (mut at, mut rest) = ([0; 3], plane);
        for axis in self.order {
            if let Some(along) = at.get_mut(axis) {
                *along = rest % self.size(axis);
            }
            rest /= self.size(axis);
        }
        let [depth, channel, time] = at;
        let [depths, channels, times] = self.sizes;
        let numbered = |letter: char, index: usize, count: usize| {
            if 1 < count { format!("{letter}{index}") } else { String::new() }
        };
        let parts = [
            numbered('C', channel, channels),
            self.channels.get(channel).cloned().unwrap_or_default(),
            numbered('Z', depth, depths),
            numbered('T', time, times),
        ];
        let told: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        told.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(attributes: &str, inside: &str) -> String {
        format!(
            "<Image ID=\"Image:0\"><Pixels Type=\"uint8\" {attributes}>{inside}</Pixels></Image>"
        )
    }

    fn document(images: &str) -> String {
        let space = "http://www.openmicroscopy.org/Schemas/OME/2016-06";
        format!("<?xml version=\"1.0\"?><OME xmlns=\"{space}\" UUID=\"urn:a\">{images}</OME>")
    }

    const SIZES: &str = "DimensionOrder=\"XYCZT\" SizeC=\"2\" SizeZ=\"3\" SizeT=\"1\"";

    fn names(xml: &str, directories: usize) -> Vec<(usize, String)> {
        parse(xml, directories).unwrap().planes.into_iter().collect()
    }

    fn owned(names: &[(usize, &str)]) -> Vec<(usize, String)> {
        names.iter().map(|(at, name)| (*at, (*name).to_owned())).collect()
    }

    #[test]
    fn planes_without_a_word_lie_in_the_order_of_dimensions() {
        let channels = "<Channel Name=\"red\"/><Channel/>";
        for data in ["", "<TiffData/>"] {
            let xml = document(&image(SIZES, &format!("{channels}{data}")));
            let expected = [
                (0, "C0 red Z0"),
                (1, "C1 Z0"),
                (2, "C0 red Z1"),
                (3, "C1 Z1"),
                (4, "C0 red Z2"),
                (5, "C1 Z2"),
            ];
            assert_eq!(names(&xml, 9), owned(&expected));
            assert_eq!(names(&xml, 2), owned(&expected[..2]));
        }
    }

    #[test]
    fn planes_lie_where_their_data_says() {
        let data = "<TiffData FirstZ=\"2\" FirstC=\"1\" IFD=\"0\"/>\
            <TiffData IFD=\"3\" PlaneCount=\"2\"/>\
            <TiffData FirstZ=\"1\" IFD=\"1\"><UUID FileName=\"b.tif\">urn:b</UUID></TiffData>\
            <TiffData FirstZ=\"1\" IFD=\"2\"><UUID FileName=\"a.tif\">urn:a</UUID></TiffData>\
            <TiffData FirstZ=\"9\" IFD=\"5\"/><TiffData IFD=\"99\"/>";
        let xml = document(&image(SIZES, data));
        let expected = [(0, "C1 Z2"), (2, "C0 Z1"), (3, "C0 Z0"), (4, "C1 Z0")];
        assert_eq!(names(&xml, 6), owned(&expected));
    }

    #[test]
    fn further_images_count_where_they_are_named() {
        let one = "DimensionOrder=\"XYZCT\" SizeC=\"3\" SizeZ=\"1\" SizeT=\"1\"";
        let channel = "<Channel SamplesPerPixel=\"3\" Name=\"RGB\"/>";
        let main = image(one, &format!("{channel}<TiffData IFD=\"0\"/>"));
        let named = |name: &str, at: u32| {
            let image = image(one, &format!("{channel}<TiffData IFD=\"{at}\"/>"));
            image.replace("<Image ", &format!("<Image Name=\"{name}\" "))
        };
        let more = [named("label image", 1), named("Image 2", 2), named("Macro", 3)].concat();
        let ome = parse(&document(&format!("{main}{more}")), 4).unwrap();
        assert_eq!(ome.planes.into_iter().collect::<Vec<_>>(), owned(&[(0, "RGB")]));
        assert_eq!(ome.associated, [(Associated::Label, 1), (Associated::Macro, 3)]);
    }

    #[test]
    fn what_is_no_such_document_is_none() {
        let huge = SIZES.replace('3', "4000000000");
        for xml in [
            "<a/>".to_owned(),
            "no xml".to_owned(),
            document(""),
            document("<Image/>"),
            document(&image("", "")),
            document(&image(&SIZES.replace("XYCZT", "XYCZ"), "")),
            document(&image(&SIZES.replace("XYCZT", "XYCZQ"), "")),
            document(&image(&huge, "")),
            document(&image(SIZES, "")).replace("<OME", "<!DOCTYPE x [<!ENTITY a \"b\">]><OME"),
        ] {
            assert_eq!(parse(&xml, 6), None, "{xml}");
        }
    }

    #[test]
    fn a_document_that_says_too_much_is_read_in_no_time() {
        let data = "<TiffData PlaneCount=\"4000000000\"/>".repeat(10_000);
        assert_eq!(names(&document(&image(SIZES, &data)), 1024).len(), 6);
    }
}
