//! The size parameter: IIIF Image API 3.0, 2.1 and 1.1, section 4.2. Version 3 marks upscaling with `^`;
//! the older ones leave it to the server.

use crate::model::request::{OverLimit, ScaleTo, SizeForm, Upscale};
use crate::model::{Fault, FaultKind, UpscaleUnmarked};
use crate::protocols::number::{decimal, whole};
use crate::protocols::percent::excerpt;
use crate::protocols::settings::{IiifVersion, Settings};

/// Reads a decoded size. Whether it is above the region or the limits is for the plan to say.
///
/// # Errors
/// Bad request for anything but the forms of this version, for a side of 0, and in version 3 for more
/// than 100 per cent without `^`; not implemented for `^` where upscaling is switched off.
pub(crate) fn parse(
    text: &str,
    version: IiifVersion,
    settings: &Settings,
) -> Result<ScaleTo, Fault> {
    let (marked, rest) = match (version, text.strip_prefix('^')) {
        (IiifVersion::V3, Some(rest)) => (true, rest),
        _ => (false, text),
    };
    let form = form(rest, version).ok_or_else(|| malformed(text, version))?;
    if marked && !settings.limits.upscaling_allowed {
        return Err(Fault::new(
            FaultKind::NotImplemented,
            "this server does not enlarge images: the size must stand without ^",
        ));
    }
    let upscale = match version {
        IiifVersion::V1 | IiifVersion::V2 => upscale_v2(form, settings),
        IiifVersion::V3 if marked => Upscale::Allow,
        IiifVersion::V3 => upscale_unmarked_v3(form, settings)?,
    };
    Ok(ScaleTo { form, upscale, over_limit: OverLimit::Refuse })
}

fn form(text: &str, version: IiifVersion) -> Option<SizeForm> {
    match (text, version) {
        ("full", IiifVersion::V1 | IiifVersion::V2)
        | ("max", IiifVersion::V2 | IiifVersion::V3) => {
            return Some(SizeForm::Max);
        }
        _ => {}
    }
    if let Some(percent) = text.strip_prefix("pct:") {
        return decimal(percent).filter(|percent| 0.0 < *percent).map(SizeForm::Percent);
    }
    let (confined, sides) = match text.strip_prefix('!') {
        Some(sides) => (true, sides),
        None => (false, text),
    };
    match (confined, sides.split_once(',')?) {
        (true, (width, height)) => Some(SizeForm::Within(side(width)?, side(height)?)),
        (false, (width, "")) => Some(SizeForm::Width(side(width)?)),
        (false, ("", height)) => Some(SizeForm::Height(side(height)?)),
        (false, (width, height)) => Some(SizeForm::Exact(side(width)?, side(height)?)),
    }
}

fn side(text: &str) -> Option<u32> {
    whole(text).filter(|side| *side != 0)
}

/// Version 2 has no mark: whoever asks for more pixels gets them where the server enlarges at all.
fn upscale_v2(form: SizeForm, settings: &Settings) -> Upscale {
    match form {
        SizeForm::Max => Upscale::Clip,
        _ if settings.limits.upscaling_allowed => Upscale::Allow,
        SizeForm::Within(..) => Upscale::Clip,
        _ => Upscale::Refuse,
    }
}

fn upscale_unmarked_v3(form: SizeForm, settings: &Settings) -> Result<Upscale, Fault> {
    match form {
        SizeForm::Max => Ok(Upscale::Clip),
        SizeForm::Within(..) => Ok(match settings.iiif_upscale_unmarked {
            UpscaleUnmarked::Clip => Upscale::Clip,
            UpscaleUnmarked::Refuse => Upscale::Refuse,
        }),
        // A small region may round to its own size at 101 per cent; the number is wrong all the same.
        SizeForm::Percent(percent) if 100.0 < percent => {
            Err(Fault::bad_request("a size above 100 per cent must be written with ^: ^pct:n"))
        }
        _ => Ok(Upscale::Refuse),
    }
}

fn malformed(text: &str, version: IiifVersion) -> Fault {
    let forms = match version {
        IiifVersion::V1 => "full, w, ,h pct:n w,h or !w,h with w, h and n above 0",
        IiifVersion::V2 => "full, max, w, ,h pct:n w,h or !w,h with w, h and n above 0",
        IiifVersion::V3 => {
            "max, w, ,h pct:n w,h or !w,h with w, h and n above 0, each perhaps behind ^"
        }
    };
    Fault::bad_request(format!("the size is {forms}, not {}", excerpt(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Limits;

    fn v3(text: &str) -> Option<(SizeForm, Upscale)> {
        let size = parse(text, IiifVersion::V3, &Settings::default()).ok()?;
        Some((size.form, size.upscale))
    }

    #[test]
    fn sizes_of_version_3_are_read_as_the_standard_writes_them() {
        use SizeForm::{Exact, Height, Max, Percent, Width, Within};
        use Upscale::{Allow, Clip, Refuse};
        for (text, expected) in [
            ("max", Some((Max, Clip))),
            ("^max", Some((Max, Allow))),
            ("150,", Some((Width(150), Refuse))),
            ("^360,", Some((Width(360), Allow))),
            (",150", Some((Height(150), Refuse))),
            ("^,240", Some((Height(240), Allow))),
            ("pct:50", Some((Percent(50.0), Refuse))),
            ("pct:100", Some((Percent(100.0), Refuse))),
            ("^pct:120", Some((Percent(120.0), Allow))),
            ("225,100", Some((Exact(225, 100), Refuse))),
            ("^360,360", Some((Exact(360, 360), Allow))),
            ("!225,100", Some((Within(225, 100), Clip))),
            ("^!360,360", Some((Within(360, 360), Allow))),
            ("full", None),
            ("pct:120", None),
            ("pct:0", None),
            ("pct:", None),
            ("0,", None),
            (",0", None),
            ("0,10", None),
            ("10,0", None),
            (",", None),
            ("!,", None),
            ("!10,", None),
            ("!,10", None),
            ("!^10,10", None),
            ("^^10,", None),
            ("^", None),
            ("", None),
            ("10", None),
            ("10,10,10", None),
            ("-10,", None),
            ("1.5,", None),
            ("4294967296,", None),
            ("!pct:50", None),
            ("Max", None),
        ] {
            assert_eq!(v3(text), expected, "{text}");
        }
    }

    #[test]
    fn version_2_has_full_and_no_mark() {
        let mut settings = Settings::default();
        let upscale = |text: &str, settings: &Settings| {
            parse(text, IiifVersion::V2, settings).ok().map(|size| size.upscale)
        };
        for text in ["full", "max"] {
            assert_eq!(upscale(text, &settings), Some(Upscale::Clip), "{text}");
        }
        for text in ["10,", ",10", "pct:200", "10,10", "!10,10"] {
            assert_eq!(upscale(text, &settings), Some(Upscale::Allow), "{text}");
        }
        assert_eq!(upscale("^10,", &settings), None);
        let first = |text| parse(text, IiifVersion::V1, &settings).is_ok();
        assert!(first("full") && first("10,") && !first("max") && !first("^10,"));
        settings.limits.upscaling_allowed = false;
        assert_eq!(upscale("10,", &settings), Some(Upscale::Refuse));
        assert_eq!(upscale("!10,10", &settings), Some(Upscale::Clip));
    }

    #[test]
    fn the_mark_is_not_implemented_where_upscaling_is_off() {
        let limits = Limits { upscaling_allowed: false, ..Limits::default() };
        let settings = Settings { limits, ..Settings::default() };
        let fault = parse("^10,", IiifVersion::V3, &settings).unwrap_err();
        assert_eq!(fault.kind, FaultKind::NotImplemented);
        let fault = parse("^junk", IiifVersion::V3, &settings).unwrap_err();
        assert_eq!(fault.kind, FaultKind::BadRequest);
    }

    #[test]
    fn a_box_above_the_region_is_refused_where_the_switch_says_so() {
        let iiif_upscale_unmarked = UpscaleUnmarked::Refuse;
        let settings = Settings { iiif_upscale_unmarked, ..Settings::default() };
        let size = parse("!10,10", IiifVersion::V3, &settings).unwrap();
        assert_eq!(size.upscale, Upscale::Refuse);
    }

    fn print(size: ScaleTo) -> String {
        let mark = if size.upscale == Upscale::Allow { "^" } else { "" };
        match size.form {
            SizeForm::Max => format!("{mark}max"),
            SizeForm::Width(width) => format!("{mark}{width},"),
            SizeForm::Height(height) => format!("{mark},{height}"),
            SizeForm::Percent(percent) => format!("{mark}pct:{percent}"),
            SizeForm::Exact(width, height) => format!("{mark}{width},{height}"),
            SizeForm::Within(width, height) => format!("{mark}!{width},{height}"),
        }
    }

    proptest! {
        #[test]
        fn a_printed_size_is_read_back(
            w in 1..=u32::MAX, h in 1..=u32::MAX, percent in 1e-9..100.0, marked: bool,
        ) {
            let forms = [
                SizeForm::Max, SizeForm::Width(w), SizeForm::Height(h), SizeForm::Percent(percent),
                SizeForm::Exact(w, h), SizeForm::Within(w, h),
            ];
            for form in forms {
                let upscale = match form {
                    _ if marked => Upscale::Allow,
                    SizeForm::Max | SizeForm::Within(..) => Upscale::Clip,
                    _ => Upscale::Refuse,
                };
                let size = ScaleTo { form, upscale, over_limit: OverLimit::Refuse };
                let read = parse(&print(size), IiifVersion::V3, &Settings::default());
                prop_assert_eq!(read, Ok(size));
            }
        }

        #[test]
        fn junk_never_panics_and_is_never_repeated_raw(text in "[\\^!,.a-z0-9:]{0,12}|\\PC*") {
            for version in [IiifVersion::V1, IiifVersion::V2, IiifVersion::V3] {
                if let Err(fault) = parse(&text, version, &Settings::default()) {
                    prop_assert!(!fault.text.contains(char::is_control));
                }
            }
        }
    }
}
