//! The cast with a decoder that does as it is told: panics, counts, waits. What the real binary cannot
//! be made to do on purpose is shown here.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::panic_in_result_fn,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use tessera::actors::modules::Modules;
use tessera::actors::policy::Policy;
use tessera::actors::start::start;
use tessera::actors::{Facts, Service};
use tessera::codecs::{CodecError, Decode, StoredTile};
use tessera::config::{self, Config, Layers};
use tessera::imaging::{Pixels, Raster};
use tessera::live;
use tessera::model::image_info::ColourModel;
use tessera::model::request::{
    Conditions, Frame, OverLimit, PictureRequest, Region, ScaleTo, SizeForm, Upscale,
};
use tessera::model::{
    FaultKind, Format, ImageId, ImageInfo, ReadAt, Reply, Request, Size, StoredLevel, TileAddress,
    TileEncoding, Want,
};
use tessera::plan::Rules;

/// What the stub does and has done.
#[derive(Debug, Default)]
struct Script {
    opened: AtomicUsize,
    decoded: AtomicUsize,
    panics_left: AtomicUsize,
    panics_at_open: AtomicBool,
    malformed: AtomicBool,
    /// One tile is the whole image, and all smaller levels are made of it.
    flat: bool,
    /// Its decoding waits until another comes here.
    held: Option<Barrier>,
    /// Two of these must be at work at once for either to go on.
    meet: Option<Barrier>,
}

#[derive(Debug)]
struct Stub {
    info: Arc<ImageInfo>,
    script: Arc<Script>,
}

impl Stub {
    fn open(script: &Arc<Script>, source: &dyn ReadAt) -> Result<Arc<dyn Decode>, CodecError> {
        script.opened.fetch_add(1, Ordering::SeqCst);
        let mut first = [0];
        source.read_exact_at(&mut first, 0)?;
        assert!(!script.panics_at_open.load(Ordering::SeqCst), "the stub was told to panic");
        if script.malformed.load(Ordering::SeqCst) {
            return Err(CodecError::malformed("stub", "told to be"));
        }
        let (size, tile) = (Size::new(512, 512).unwrap(), Size::new(256, 256).unwrap());
        let stored = if script.flat && first == *b"f" {
            let size = Size::new(2001, 1501).unwrap();
            let whole = StoredLevel::in_file(size, size, size, TileEncoding::Other);
            ImageInfo::halved_to(vec![whole], tile)
        } else {
            vec![StoredLevel::in_file(size, size, tile, TileEncoding::Other)]
        };
        let info = ImageInfo::new("stub", stored, tile, ColourModel::Gray);
        Ok(Arc::new(Self { info: Arc::new(info), script: Arc::clone(script) }))
    }
}

impl Decode for Stub {
    fn info(&self) -> &Arc<ImageInfo> {
        &self.info
    }

    fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        self.script.decoded.fetch_add(1, Ordering::SeqCst);
        let take = |left: usize| left.checked_sub(1);
        let told = self.script.panics_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        assert!(told.is_err(), "the stub was told to panic");
        if let Some(meet) = &self.script.meet {
            meet.wait();
        }
        let rect = self.info.tile_rect(at).unwrap();
        if let Some(held) = self.script.held.as_ref().filter(|_| 256 < rect.width()) {
            held.wait();
        }
        Ok(Raster::zeroed(rect.size(), ColourModel::Gray, false).into())
    }

    fn stored_tile(&self, _: TileAddress, _: bool) -> Result<Option<StoredTile>, CodecError> {
        Ok(None)
    }
}

fn config(root: &std::path::Path, flags: &[(&str, &str)]) -> Config {
    let root = ("images.root".to_owned(), root.display().to_string());
    let flags = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let layers =
        Layers { flags: std::iter::once(root).chain(flags).collect(), ..Layers::default() };
    config::load(&layers).unwrap().0
}

fn tile(column: u64) -> Request {
    let region = Region::Pixels { x: column * 256, y: 0, width: 256, height: 256 };
    let size = ScaleTo {
        form: SizeForm::Exact(256, 256),
        upscale: Upscale::Refuse,
        over_limit: OverLimit::Refuse,
    };
    Request {
        image: ImageId::parse("a").unwrap(),
        want: Want::Picture(PictureRequest::plain(Frame::Region { region, size }, Format::Jpeg)),
        conditions: Conditions::default(),
    }
}

/// Runs `test` inside an actix system over a folder with one file `a`.
fn with_service<F: Future<Output = ()>>(
    script: Script,
    flags: &[(&str, &str)],
    test: impl FnOnce(Service, Arc<Script>) -> F,
) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), b"x").unwrap();
    fs::write(folder.path().join("flat"), b"f").unwrap();
    let config = config(folder.path(), flags);
    let script = Arc::new(script);
    let stub = Arc::clone(&script);
    actix_rt::System::new().block_on(async move {
        let opener =
            Arc::new(move |source: Arc<dyn ReadAt>, _, _: &_| Stub::open(&stub, source.as_ref()));
        let policy = Policy { rules: Rules::default(), ..live::policy(&config).unwrap() };
        let service = start(&config, policy, opener, Modules::default()).unwrap();
        test(service, script).await;
    });
}

async fn status(service: &Service, request: &Request) -> Result<(), FaultKind> {
    match service.answer(request, &mut Facts::default()).await {
        Ok(Reply::Picture(_)) => Ok(()),
        Ok(other) => panic!("no picture: {other:?}"),
        Err(error) => Err(error.fault().kind),
    }
}

#[test]
fn a_decoder_that_panics_is_replaced_and_its_image_works_again() {
    let script = Script { panics_left: AtomicUsize::new(3), ..Script::default() };
    with_service(script, &[], |service, script| async move {
        for _ in 0..3 {
            assert_eq!(status(&service, &tile(0)).await, Err(FaultKind::Bug));
        }
        assert_eq!(status(&service, &tile(0)).await, Ok(()));
        assert_eq!(script.opened.load(Ordering::SeqCst), 4, "opened anew after each panic");
    });
}

#[test]
fn many_tiles_of_one_image_are_decoded_at_once() {
    let script = Script { meet: Some(Barrier::new(2)), ..Script::default() };
    let threads = [("pool.decode_threads", "2")];
    with_service(script, &threads, |service, script| async move {
        let (left, right) = (tile(0), tile(1));
        let both = tokio::join!(status(&service, &left), status(&service, &right));
        assert_eq!(both, (Ok(()), Ok(())));
        assert_eq!(script.decoded.load(Ordering::SeqCst), 2);
        assert_eq!(script.opened.load(Ordering::SeqCst), 1, "one open for both");
    });
}

#[test]
fn a_broken_image_answers_with_its_error_and_burns_no_cpu() {
    let script = Script { malformed: AtomicBool::new(true), ..Script::default() };
    let hold = [("images.failure_hold_ms", "200")];
    with_service(script, &hold, |service, script| async move {
        for _ in 0..50 {
            assert_eq!(status(&service, &tile(0)).await, Err(FaultKind::Image));
        }
        let tries = script.opened.load(Ordering::SeqCst);
        assert!(tries < 50, "opened {tries} times for 50 requests");
        script.malformed.store(false, Ordering::SeqCst);
        let since = Instant::now();
        while status(&service, &tile(0)).await != Ok(()) {
            assert!(since.elapsed() < Duration::from_secs(30), "never tried again");
        }
    });
}

#[test]
fn names_without_a_file_leave_nothing_behind() {
    with_service(Script::default(), &[], |service, _| async move {
        for number in 0..100 {
            let image = ImageId::parse(&format!("none{number}")).unwrap();
            let request = Request { image, ..tile(0) };
            assert_eq!(status(&service, &request).await, Err(FaultKind::NotFound));
        }
        assert_eq!(service.images_known(), 0);
    });
}

#[test]
fn one_answer_is_made_once_and_then_found() {
    with_service(Script::default(), &[], |service, script| async move {
        let mut facts = Facts::default();
        service.answer(&tile(0), &mut facts).await.unwrap();
        assert_eq!(facts.outcome, "miss");
        service.answer(&tile(0), &mut facts).await.unwrap();
        assert_eq!(facts.outcome, "hit");
        assert_eq!(script.decoded.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn an_image_whose_opening_panics_is_held_to_be_broken_and_works_when_mended() {
    let script = Script { panics_at_open: AtomicBool::new(true), ..Script::default() };
    let hold = [("images.failure_hold_ms", "300")];
    with_service(script, &hold, |service, script| async move {
        for _ in 0..20 {
            assert_eq!(status(&service, &tile(0)).await, Err(FaultKind::Bug));
        }
        let tries = script.opened.load(Ordering::SeqCst);
        assert!(tries < 10, "opened {tries} times for 20 requests");
        script.panics_at_open.store(false, Ordering::SeqCst);
        let since = Instant::now();
        while status(&service, &tile(0)).await != Ok(()) {
            assert!(since.elapsed() < Duration::from_secs(30), "never tried again");
        }
    });
}

#[test]
fn an_image_that_only_panics_is_held_to_be_broken() {
    let script = Script { panics_left: AtomicUsize::new(usize::MAX), ..Script::default() };
    let hold = [("images.failure_hold_ms", "86400000")];
    with_service(script, &hold, |service, script| async move {
        for _ in 0..50 {
            assert_eq!(status(&service, &tile(0)).await, Err(FaultKind::Bug));
        }
        assert_eq!(script.decoded.load(Ordering::SeqCst), 5);
    });
}

#[test]
fn a_hit_is_answered_while_the_decode_pool_is_full_though_its_file_is_looked_at_again() {
    let script = Script { meet: Some(Barrier::new(2)), ..Script::default() };
    let flags = [("pool.decode_threads", "1"), ("pool.jobs_max", "1"), ("images.recheck_ms", "1")];
    with_service(script, &flags, |service, script| async move {
        let meet = script.meet.as_ref().unwrap();
        let ask = |column| {
            let service = service.clone();
            actix_rt::spawn(async move { status(&service, &tile(column)).await })
        };
        let hot = ask(0);
        until_decoding(&script, 1).await;
        meet.wait();
        assert_eq!(hot.await.unwrap(), Ok(()));

        let cold = ask(1);
        until_decoding(&script, 2).await;
        for _ in 0..20 {
            // Past `recheck_ms` each time, so that each hit has its file looked at.
            actix_rt::time::sleep(Duration::from_millis(2)).await;
            assert_eq!(status(&service, &tile(0)).await, Ok(()));
        }
        meet.wait();
        assert_eq!(cold.await.unwrap(), Ok(()));
        assert_eq!(script.opened.load(Ordering::SeqCst), 1);
    });
}

/// IIP's tile of the flat image: resolution 0 is the smallest.
fn iip_tile(resolution: u32, index: u32) -> Request {
    let mut request = Request { image: ImageId::parse("flat").unwrap(), ..tile(0) };
    if let Want::Picture(picture) = &mut request.want {
        picture.frame = Frame::IipTile { resolution, index };
    }
    request
}

#[test]
fn a_session_of_zooming_into_a_flat_image_costs_one_decode() {
    let script = Script { flat: true, ..Script::default() };
    with_service(script, &[], |service, script| async move {
        // 2001 x 1501 halved to 1000 x 750, 500 x 375, 250 x 187: in tiles of 256 x 256.
        for (resolution, tiles) in [(0, 1), (1, 2 * 2), (2, 4 * 3), (3, 8 * 6)] {
            for index in 0..tiles {
                assert_eq!(status(&service, &iip_tile(resolution, index)).await, Ok(()));
            }
            let beyond = status(&service, &iip_tile(resolution, tiles)).await;
            assert_eq!(beyond, Err(FaultKind::NotFound));
        }
        assert_eq!(script.decoded.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_flat_image_that_is_being_decoded_leaves_other_threads_to_other_images() {
    let held = Some(Barrier::new(2));
    let script = Script { flat: true, held, ..Script::default() };
    let threads = [("pool.decode_threads", "2")];
    with_service(script, &threads, |service, script| async move {
        let ask = |index| {
            let service = service.clone();
            actix_rt::spawn(async move { status(&service, &iip_tile(3, index)).await })
        };
        let tiles: Vec<_> = (0..8).map(ask).collect();
        until_decoding(&script, 1).await;
        assert_eq!(status(&service, &tile(0)).await, Ok(()), "while all of these wait");
        script.held.as_ref().unwrap().wait();
        for asked in tiles {
            assert_eq!(asked.await.unwrap(), Ok(()));
        }
        assert_eq!(script.decoded.load(Ordering::SeqCst), 2, "each image once");
    });
}

/// An export of the flat image.
fn export(width: u32) -> Request {
    let mut request = Request { image: ImageId::parse("flat").unwrap(), ..tile(0) };
    if let Want::Picture(picture) = &mut request.want {
        let size = ScaleTo {
            form: SizeForm::Width(width),
            upscale: Upscale::Refuse,
            over_limit: OverLimit::Refuse,
        };
        picture.frame = Frame::Region { region: Region::Full, size };
    }
    request
}

#[test]
fn exports_that_hang_hold_up_no_tile_of_any_image() {
    let held = Some(Barrier::new(2));
    let script = Script { flat: true, held, ..Script::default() };
    let flags = [
        ("pool.decode_threads", "1"),
        ("pool.dear_threads", "1"),
        ("pool.dear_deadline_ms", "600000"),
    ];
    with_service(script, &flags, |service, script| async move {
        let ask = |number| {
            let service = service.clone();
            actix_rt::spawn(async move { status(&service, &export(1900 - number)).await })
        };
        let exports: Vec<_> = (0..6_u32).map(ask).collect();
        until_decoding(&script, 1).await;
        for column in 0..2 {
            assert_eq!(status(&service, &tile(column)).await, Ok(()));
        }
        script.held.as_ref().unwrap().wait();
        for asked in exports {
            assert_eq!(asked.await.unwrap(), Ok(()));
        }
    });
}

#[test]
fn what_is_made_of_a_larger_level_needs_no_room_in_the_cache() {
    let script = Script { flat: true, ..Script::default() };
    let no_room = [("cache.decoded_bytes_max", "0")];
    with_service(script, &no_room, |service, script| async move {
        assert_eq!(status(&service, &iip_tile(0, 0)).await, Ok(()));
        assert_eq!(script.decoded.load(Ordering::SeqCst), 1);
        assert_eq!(status(&service, &iip_tile(1, 0)).await, Ok(()));
        assert_eq!(script.decoded.load(Ordering::SeqCst), 2);
    });
}

/// Waits until as many decodes have begun.
async fn until_decoding(script: &Script, count: usize) {
    let since = Instant::now();
    while script.decoded.load(Ordering::SeqCst) < count {
        assert!(since.elapsed() < Duration::from_secs(30), "no decode began");
        actix_rt::task::yield_now().await;
    }
}
