//! Decoders in processes of their own: the section `modules`, and a table `[[modules.decoders]]` for each
//! that says more than its program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::config::keys::{KEYS, Key};
use crate::config::load::{ConfigError, FileTables, Origin, text_of, unknown};
use crate::config::value::Allowed;
use crate::config::{Config, ModuleConfig, ModuleSettings};
use crate::model::FileMark;

/// What the tables are called, in the file and in messages.
pub(super) const DECODERS: &str = "modules.decoders";

/// The key of programs without a table.
const PROGRAMS: &str = "modules.programs";

/// Names of a table that are no settings of the section.
const OWN_NAMES: [&str; 5] = ["name", "command", "magic", "suffixes", "first"];

/// What a shared object is answered.
const NO_OBJECT: &str = "an executable: iipsrv loaded modules as shared objects, here each is a program \
    that runs in processes of its own (docs/modules.md)";

/// Adds the modules to a configuration that holds all else: those of tables first.
///
/// # Errors
/// The first that is impossible.
pub(super) fn complete(
    config: &mut Config,
    path: &str,
    tables: Option<FileTables>,
    origins: &mut Vec<Origin>,
) -> Result<(), ConfigError> {
    path.clone_into(&mut config.modules.path);
    if let Some(FileTables { path: file, tables }) = tables {
        for table in tables {
            let module = of_table(&table, config, path, &file)?;
            add(config, module, &file)?;
            let told = table.iter().map(|(name, value)| format!("{name} = {value}"));
            let value = told.collect::<Vec<_>>().join(", ");
            origins.push(Origin { name: DECODERS, value, origin: file.clone() });
        }
    }
    let programs = origins.iter().find(|origin| origin.name == PROGRAMS);
    let from = programs.map(|origin| origin.origin.clone()).unwrap_or_default();
    for text in config.modules.programs.clone() {
        let impossible = |allowed: Allowed| ConfigError::Value {
            name: PROGRAMS,
            value: text.clone(),
            origin: from.clone(),
            allowed,
        };
        let program = executable(&text, path).map_err(impossible)?;
        let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let settings = config.modules.settings;
        add(config, ModuleConfig { name, program, settings, ..ModuleConfig::default() }, &from)?;
    }
    Ok(())
}

fn add(config: &mut Config, module: ModuleConfig, from: &str) -> Result<(), ConfigError> {
    if config.modules.decoders.iter().any(|other| other.name == module.name) {
        return Err(refused(&module.name, from, "one module of a name"));
    }
    config.modules.decoders.push(module);
    Ok(())
}

/// One table: what it does not say is as in the section.
fn of_table(
    table: &Table,
    config: &Config,
    path: &str,
    file: &str,
) -> Result<ModuleConfig, ConfigError> {
    let name = match table.get("name") {
        Some(Value::String(name)) if is_name(name) => name.clone(),
        other => {
            let value = other.map(Value::to_string).unwrap_or_default();
            return Err(refused(&value, file, "`name`: letters, digits, `-` and `_`"));
        }
    };
    let from = format!("{file}, the module {name}");
    let command = texts(table, "command", &from)?;
    let [program, arguments @ ..] = command.as_slice() else {
        return Err(refused(
            "",
            &from,
            "`command`: a program and its arguments, as a list of texts",
        ));
    };
    let program = executable(program, path).map_err(|allowed| refused(program, &from, &allowed))?;
    let marks = texts(table, "magic", &from)?.into_iter().map(|text| {
        let no_mark =
            || refused(&text, &from, "bytes in hexadecimal, such as 0a05 or 4449434d@128");
        FileMark::parse(&text).ok_or_else(no_mark)
    });
    let suffixes = texts(table, "suffixes", &from)?;
    let first = match table.get("first") {
        None => false,
        Some(Value::Boolean(first)) => *first,
        Some(other) => return Err(refused(&other.to_string(), &from, "`first`: true or false")),
    };
    Ok(ModuleConfig {
        name,
        program,
        arguments: arguments.to_vec(),
        marks: marks.collect::<Result<_, _>>()?,
        suffixes: suffixes.iter().map(|text| text.trim_start_matches('.').to_lowercase()).collect(),
        first,
        settings: settings(table, config, &from)?,
    })
}

/// The settings of the section, as this table changes them.
fn settings(table: &Table, config: &Config, from: &str) -> Result<ModuleSettings, ConfigError> {
    let mut changed = config.clone();
    for (name, value) in table.iter().filter(|(name, _)| !OWN_NAMES.contains(&name.as_str())) {
        let own = |key: &&Key| key.name.strip_prefix("modules.") == Some(name);
        let Some(key) = KEYS.iter().find(own).filter(|key| key.name != PROGRAMS) else {
            let known = KEYS.iter().filter_map(|key| key.name.strip_prefix("modules."));
            let known = known.filter(|name| *name != "programs").chain(OWN_NAMES);
            return Err(unknown(name, from, known.map(str::to_owned)));
        };
        let impossible = |value: String, allowed: Allowed| ConfigError::Value {
            name: key.name,
            value,
            origin: from.to_owned(),
            allowed,
        };
        let Some(text) = text_of(value) else {
            let allowed = "text, a number, true or false".to_owned();
            return Err(impossible(value.to_string(), allowed));
        };
        (key.set)(&mut changed, &text).map_err(|allowed| impossible(text, allowed))?;
    }
    Ok(changed.modules.settings)
}

/// A list of texts, empty where there is none.
fn texts(table: &Table, name: &str, from: &str) -> Result<Vec<String>, ConfigError> {
    let Some(value) = table.get(name) else { return Ok(Vec::new()) };
    let list = value.as_array().and_then(|list| {
        list.iter().map(|entry| entry.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    list.ok_or_else(|| refused(&value.to_string(), from, &format!("`{name}`: a list of texts")))
}

/// A name that a metric's label and a log line can have.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=64).contains(&name.len()) && name.chars().all(plain)
}

/// The program that a text names: with a slash, its path; else what `path` leads to. Its links are not
/// resolved: many programs look at the name that they were called by.
fn executable(text: &str, path: &str) -> Result<PathBuf, Allowed> {
    let name = Path::new(text);
    if is_shared_object(name) {
        return Err(NO_OBJECT.to_owned());
    }
    let found = if text.contains('/') {
        std::path::absolute(name).ok().filter(|file| file.is_file())
    } else {
        let folders = path.split(':').filter(|folder| folder.starts_with('/'));
        folders.map(|folder| Path::new(folder).join(name)).find(|file| is_executable(file))
    };
    let file = found.ok_or_else(|| "a program that is there".to_owned())?;
    if is_executable(&file) { Ok(file) } else { Err("a program that may be executed".to_owned()) }
}

fn is_shared_object(name: &Path) -> bool {
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').skip(1).any(|part| part == "so")
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn refused(value: &str, origin: &str, allowed: &str) -> ConfigError {
    ConfigError::Value {
        name: DECODERS,
        value: value.to_owned(),
        origin: origin.to_owned(),
        allowed: allowed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Layers, load};

    /// What a file with these lines, and this `DECODER_MODULES`, lead to.
    fn loaded(lines: &str, programs: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.toml");
        fs::write(&file, lines).unwrap();
        let flags = vec![("images.root".to_owned(), dir.path().display().to_string())];
        let environment = [("PATH", "/usr/bin:/bin"), ("DECODER_MODULES", programs)];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let layers = Layers {
            environment: environment.to_vec(),
            file: Some(file),
            flags,
            ..Layers::default()
        };
        load(&layers).map(|(config, _)| config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_table_says_what_is_different_for_one_module() {
        let config = loaded(
            "[modules]\ndecode_s = 7\nprocesses_max = 3\n\
             [[modules.decoders]]\nname = \"pcx\"\ncommand = [\"sh\", \"-c\", \"x\"]\n\
             magic = [\"0a05\"]\nsuffixes = [\".PCX\", \"dcx\"]\nmemory_bytes_max = \"64MiB\"\n",
            "/bin/cat, /bin/true",
        );
        let modules = config.unwrap().modules;
        let names: Vec<&str> = modules.decoders.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["pcx", "cat", "true"]);
        let pcx = &modules.decoders[0];
        assert_eq!(pcx.program, Path::new("/usr/bin/sh"));
        assert_eq!(pcx.arguments, ["-c", "x"]);
        assert_eq!(pcx.suffixes, ["pcx", "dcx"]);
        assert!(pcx.marks[0].is_on(&[10, 5]) && !pcx.first);
        let (decode, processes_max) = (Duration::from_secs(7), 3);
        let expected = ModuleSettings {
            decode,
            processes_max,
            memory_bytes_max: 64 << 20,
            ..modules.decoders[1].settings
        };
        assert_eq!(pcx.settings, expected);
        assert_eq!(modules.decoders[1].settings.memory_bytes_max, 1 << 30);
    }

    #[test]
    fn a_shared_object_is_refused_with_the_reason_and_the_remedy() {
        for object in ["/usr/lib/kakadu.so", "kakadu.so.1", "/no/such.so"] {
            let error = loaded("", object).unwrap_err();
            let reason = format!("modules.programs = `{object}` (from DECODER_MODULES)");
            assert!(error.contains(&reason) && error.contains(NO_OBJECT), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_key_value_and_what_is_allowed() {
        let table = |rest: &str| {
            format!("[[modules.decoders]]\nname = \"a\"\ncommand = [\"sh\"]\n{rest}\n")
        };
        for (lines, expected) in [
            ("[modules]\ndecode_s = 0\n".to_owned(), "modules.decode_s = `0`"),
            ("[modules]\ndecoders = 7\n".to_owned(), "`modules.decoders` is no list of tables"),
            ("[modules]\nprograms = \"/no/such\"\n".to_owned(), "a program that is there"),
            ("[modules]\nprograms = \"/etc/passwd\"\n".to_owned(), "that may be executed"),
            ("[[modules.decoders]]\ncommand = [\"sh\"]\n".to_owned(), "`name`: letters"),
            ("[[modules.decoders]]\nname = \"a b\"\n".to_owned(), "`name`: letters"),
            ("[[modules.decoders]]\nname = \"a\"\n".to_owned(), "`command`: a program"),
            (
                "[[modules.decoders]]\nname = \"a\"\ncommand = \"sh\"\n".to_owned(),
                "`command`: a list",
            ),
            (
                "[[modules.decoders]]\nname = \"a\"\ncommand = [\"no-such\"]\n".to_owned(),
                "`no-such` (from",
            ),
            (table("magic = [\"0x12\"]"), "such as 0a05"),
            (table("first = 1"), "`first`: true or false"),
            (table("suffixes = [1]"), "`suffixes`: a list of texts"),
            (table("decode_s = 0"), "the module a) is not allowed: a number from 1"),
            (table("memory_bytes_max = \"1KiB\""), "modules.memory_bytes_max = `1KiB`"),
            (table("decod_s = 1"), "did you mean decode_s?"),
            (table("programs = \"x\""), "is no setting"),
            (format!("{}{}", table(""), table("")), "one module of a name"),
        ] {
            let error = loaded(&lines, "").unwrap_err();
            assert!(error.contains(expected), "{lines}\n{error}");
        }
    }
}
