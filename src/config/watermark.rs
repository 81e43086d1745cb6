//! The marks on answers: the section `watermark`, and the rules for folders beside it, each a table
//! `[[watermark.rules]]` of the same names that says only what is different there.

use std::path::PathBuf;

use toml::{Table, Value};

use crate::config::keys::{KEYS, Key};
use crate::config::load::{ConfigError, FileTables, Origin, text_of, unknown};
use crate::config::value::Allowed;
use crate::config::{Config, WatermarkRule, WatermarkSettings};
use crate::model::{Blend, Position};

/// What the rules are called, in the file and in messages.
pub(super) const RULES: &str = "watermark.rules";

/// The longest text: what is longer is no mark but a page.
const TEXT_CHARS_MAX: usize = 200;

/// How marks are blended.
pub(super) const BLENDS: &[(&str, Blend)] =
    &[("normal", Blend::Normal), ("additive", Blend::Additive)];

/// Where marks lie.
pub(super) const POSITIONS: &[(&str, Position)] = &[
    ("random", Position::Random),
    ("centre", Position::Centre),
    ("tiled", Position::Tiled),
    ("top-left", Position::TopLeft),
    ("top-right", Position::TopRight),
    ("bottom-left", Position::BottomLeft),
    ("bottom-right", Position::BottomRight),
];

/// A text of few lines.
pub(super) fn mark_text(text: &str) -> Result<String, Allowed> {
    let is_plain = text.chars().all(|c| c == '\n' || !c.is_control());
    if is_plain && text.chars().count() <= TEXT_CHARS_MAX {
        return Ok(text.to_owned());
    }
    Err(format!("up to {TEXT_CHARS_MAX} characters, of control characters line feeds only"))
}

/// Refuses two marks in one place, and adds the rules to a configuration that holds all else.
///
/// # Errors
/// The first setting that is unknown or impossible.
pub(super) fn complete(
    config: &mut Config,
    tables: Option<FileTables>,
    origins: &mut Vec<Origin>,
) -> Result<(), ConfigError> {
    let text = origins.iter().find(|origin| origin.name == "watermark.text");
    let from = text.map(|origin| origin.origin.clone()).unwrap_or_default();
    check_one(&config.watermark.elsewhere, from)?;
    let Some(FileTables { path, tables }) = tables else { return Ok(()) };
    for table in tables {
        let rule = rule(&table, config, &path)?;
        let told: Vec<String> =
            table.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        if config.watermark.rules.iter().any(|other| other.folder == rule.folder) {
            return Err(refused(rule.folder, path, "one rule a folder"));
        }
        config.watermark.rules.push(rule);
        origins.push(Origin { name: RULES, value: told.join(", "), origin: path.clone() });
    }
    Ok(())
}

/// One rule: what its table does not say is as in the section.
fn rule(table: &Table, config: &Config, path: &str) -> Result<WatermarkRule, ConfigError> {
    let Some(Value::String(folder)) = table.get("folder") else {
        let what = format!("a rule of `{RULES}` lacks its `folder`");
        return Err(ConfigError::File { path: path.to_owned(), what });
    };
    let folder =
        folder_of(folder).map_err(|allowed| refused(folder.clone(), path.to_owned(), &allowed))?;
    let origin = format!("{path}, the rule for {folder}");
    let told = table.iter().filter(|(name, _)| !matches!(name.as_str(), "folder" | "off"));
    if let Some(off) = table.get("off") {
        if *off != Value::Boolean(true) || table.len() != 2 {
            return Err(refused(
                "off".to_owned(),
                origin,
                "`off = true` beside the folder and nothing else",
            ));
        }
        return Ok(WatermarkRule { folder, settings: None });
    }
    let mut changed = config.clone();
    let settings = &mut changed.watermark.elsewhere;
    // A rule that names one kind of mark has none of the other kind.
    if table.contains_key("image") {
        settings.text.clear();
    }
    if table.contains_key("text") {
        settings.image = PathBuf::new();
    }
    for (name, value) in told {
        let Some(key) = own_key(name) else {
            let known = KEYS.iter().filter_map(|key| own_name(key)).chain(["folder", "off"]);
            return Err(unknown(name, &origin, known.map(str::to_owned)));
        };
        let impossible = |value: String, allowed: Allowed| ConfigError::Value {
            name: key.name,
            value,
            origin: origin.clone(),
            allowed,
        };
        let Some(text) = text_of(value) else {
            let allowed = "text, a number, true or false".to_owned();
            return Err(impossible(value.to_string(), allowed));
        };
        (key.set)(&mut changed, &text).map_err(|allowed| impossible(text, allowed))?;
    }
    let settings = changed.watermark.elsewhere;
    check_one(&settings, origin.clone())?;
    if settings.is_none() {
        return Err(refused(
            folder,
            origin,
            "a rule with an image or a text, here or in the section",
        ));
    }
    Ok(WatermarkRule { folder, settings: Some(settings) })
}

/// The name of a setting that a rule may change.
fn own_name(key: &Key) -> Option<&'static str> {
    key.name.strip_prefix("watermark.").filter(|name| *name != "px_max")
}

fn own_key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| own_name(key) == Some(name))
}

/// A folder as image names begin: without slashes at either end.
fn folder_of(text: &str) -> Result<String, Allowed> {
    let segments: Vec<&str> =
        text.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect();
    if segments.is_empty() || segments.contains(&"..") {
        return Err("a folder below images.root, or an image".to_owned());
    }
    Ok(segments.join("/"))
}

fn check_one(settings: &WatermarkSettings, origin: String) -> Result<(), ConfigError> {
    if settings.image.as_os_str().is_empty() || settings.text.is_empty() {
        return Ok(());
    }
    Err(ConfigError::Value {
        name: "watermark.text",
        value: settings.text.clone(),
        origin,
        allowed: format!("no text beside watermark.image = `{}`", settings.image.display()),
    })
}

fn refused(value: String, origin: String, allowed: &str) -> ConfigError {
    ConfigError::Value { name: RULES, value, origin, allowed: allowed.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Layers, load};

    /// What a file with these lines leads to.
    fn loaded(lines: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.toml");
        fs::write(&file, lines).unwrap();
        let root = dir.path().display().to_string();
        let flags = vec![("images.root".to_owned(), root)];
        let layers =
            Layers { environment: Vec::new(), file: Some(file), flags, ..Layers::default() };
        load(&layers).map(|(config, _)| config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rule_says_what_is_different_in_its_folder() {
        let config = loaded(
            "[watermark]\ntext = \"Museum\"\nopacity = 0.5\n\
             [[watermark.rules]]\nfolder = \"/prints//\"\nposition = \"tiled\"\nopacity = 1\n\
             [[watermark.rules]]\nfolder = \"maps/old\"\nimage = \"logo.png\"\n\
             [[watermark.rules]]\nfolder = \"free\"\noff = true\n",
        );
        let watermark = config.unwrap().watermark;
        let elsewhere = watermark.elsewhere;
        assert_eq!((elsewhere.text.as_str(), elsewhere.opacity), ("Museum", 0.5));
        let (opacity, position) = (1.0, Position::Tiled);
        let prints = WatermarkSettings { opacity, position, ..elsewhere.clone() };
        let (image, text) = (PathBuf::from("logo.png"), String::new());
        let maps = WatermarkSettings { image, text, ..elsewhere };
        let rules = [("prints", Some(prints)), ("maps/old", Some(maps)), ("free", None)];
        let rules =
            rules.map(|(folder, settings)| WatermarkRule { folder: folder.to_owned(), settings });
        assert_eq!(watermark.rules, rules);
    }

    #[test]
    fn what_cannot_be_is_refused_with_key_value_and_what_is_allowed() {
        for (lines, expected) in [
            ("[watermark]\nopacity = 1.5\n", "watermark.opacity = `1.5`"),
            ("[watermark]\nopacity = 1.5\n", "a number from 0 to 1"),
            ("[watermark]\nprobability = \"NaN\"\n", "a number from 0 to 1"),
            ("[watermark]\nblend = \"multiply\"\n", "normal or additive"),
            ("[watermark]\nposition = \"middle\"\n", "random or centre or tiled or top-left"),
            ("[watermark]\ntext_px = 5\n", "a number from 6 to 512"),
            ("[watermark]\ntext = \"a\\tb\"\n", "up to 200 characters"),
            ("[watermark]\ntext = \"a\"\nimage = \"b\"\n", "no text beside watermark.image = `b`"),
            ("[watermark]\nopacty = 1\n", "did you mean watermark.opacity?"),
            ("[watermark]\nrules = 7\n", "`watermark.rules` is no list of tables"),
            ("[[watermark.rules]]\noff = true\n", "lacks its `folder`"),
            ("[[watermark.rules]]\nfolder = \"/\"\n", "a folder below images.root"),
            ("[[watermark.rules]]\nfolder = \"a/../b\"\n", "`a/../b`"),
            ("[[watermark.rules]]\nfolder = \"a\"\n", "a rule with an image or a text"),
            ("[[watermark.rules]]\nfolder = \"a\"\noff = false\n", "`off = true` beside"),
            ("[[watermark.rules]]\nfolder = \"a\"\noff = true\ntext = \"b\"\n", "nothing else"),
            ("[[watermark.rules]]\nfolder = \"a\"\npx_max = 1\n", "did you mean"),
            (
                "[[watermark.rules]]\nfolder = \"a\"\ntxt = \"b\"\n",
                "the rule for a) is no setting; did you mean text?",
            ),
            ("[[watermark.rules]]\nfolder = \"a\"\ntext = [1]\n", "watermark.text = `[1]`"),
            (
                "[[watermark.rules]]\nfolder = \"a\"\ntext = \"b\"\nopacity = 2\n",
                "watermark.opacity = `2`",
            ),
            (
                "[[watermark.rules]]\nfolder = \"a\"\noff = true\n\
                 [[watermark.rules]]\nfolder = \"a/\"\noff = true\n",
                "one rule a folder",
            ),
        ] {
            let error = loaded(lines).unwrap_err();
            assert!(error.contains(expected), "{lines}\n{error}");
        }
    }
}
