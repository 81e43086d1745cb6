//! Stored values in IIP's words: `PFL` as JSON, `SPECTRA` as XML, laid out as iipsrv does.

use std::fmt::Write as _;

use serde_json::Value;

use crate::model::samples::ViewSamples;
use crate::protocols::answer::Document;

/// A profile: one list of values, or one for each page or view by its name.
pub(crate) fn profile(views: &[ViewSamples]) -> Document {
    let body = match views {
        [one] => format!("{{\n\t\"profile\": [{}]\n}}", list(one)),
        many => {
            let line = |view: &ViewSamples| {
                let name = Value::from(view.name.as_str());
                format!("\t\t{name}: [{}]", list(view))
            };
            let lines: Vec<String> = many.iter().map(line).collect();
            format!("{{\n\t\"profile\": {{\n{}\n\t}}\n}}", lines.join(",\n"))
        }
    };
    Document { content_type: "application/json", body }
}

fn list(view: &ViewSamples) -> String {
    let values: Vec<String> = view.values.iter().map(|value| number(*value, view)).collect();
    values.join(",")
}

/// A value by its page's scale: whole where it is, nine decimals for floats; JSON has no word for what is no
/// number but `null`.
fn number(value: f32, view: &ViewSamples) -> String {
    let scaled = value * view.scale;
    match (scaled.is_finite(), view.is_float) {
        (false, _) => "null".to_owned(),
        (true, true) => format!("{scaled:.9}"),
        (true, false) => scaled.to_string(),
    }
}

/// A spectrum: a point for each page or view, and for each of its bands where it has several.
pub(crate) fn spectra(views: &[ViewSamples]) -> Document {
    let mut body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<spectra>\n".to_owned();
    for view in views {
        for (band, value) in view.values.iter().enumerate() {
            let name = match (views.len(), view.bands) {
                (_, 1) => view.name.clone(),
                (1, _) => band.to_string(),
                _ => format!("{}:{band}", view.name),
            };
            let reflectance = value / view.white;
            // Writing to a String cannot fail.
            write!(
                body,
                "\t<point>\n\t\t<wavelength>{}</wavelength>\n\t\t\
                 <reflectance>{reflectance:.6}</reflectance>\n\t</point>\n",
                escaped(&name)
            )
            .unwrap_or_default();
        }
    }
    body.push_str("</spectra>");
    Document { content_type: "application/xml", body }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str, bands: usize, values: &[f32]) -> ViewSamples {
        let (name, values) = (name.to_owned(), values.to_vec());
        ViewSamples { name, scale: 1.0, bands, is_float: false, white: 255.0, values }
    }

    #[test]
    fn a_profile_is_laid_out_as_iipsrv_does() {
        let one = profile(&[view("0", 1, &[3.0, 4.0])]);
        assert_eq!(one.body, "{\n\t\"profile\": [3,4]\n}");
        let page = |name, scale, value| ViewSamples { scale, ..view(name, 1, &[value, value]) };
        let two = profile(&[page("layer0", 0.5, 50.0), page("a\"b", 1.0, 100.0)]);
        assert_eq!(
            two.body,
            "{\n\t\"profile\": {\n\t\t\"layer0\": [25,25],\n\t\t\"a\\\"b\": [100,100]\n\t}\n}"
        );
        let floats = ViewSamples { is_float: true, ..view("0", 1, &[0.03, f32::NAN]) };
        assert_eq!(profile(&[floats]).body, "{\n\t\"profile\": [0.029999999,null]\n}");
    }

    #[test]
    fn a_spectrum_has_a_point_for_each_page_or_band() {
        let found = spectra(&[view("red & <blue>", 1, &[5.0])]);
        assert_eq!(
            found.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<spectra>\n\t<point>\n\t\t\
             <wavelength>red &amp; &lt;blue&gt;</wavelength>\n\t\t\
             <reflectance>0.019608</reflectance>\n\t</point>\n</spectra>"
        );
        let bands = spectra(&[view("0", 3, &[0.0, 255.0, 51.0])]).body;
        for line in ["<wavelength>2</wavelength>", "<reflectance>1.000000", "<reflectance>0.200000"]
        {
            assert!(bands.contains(line), "{bands}");
        }
    }
}
