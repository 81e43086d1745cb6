//! Documents say what the code says: tables made from it are current, and what a document names exists.
//! `BLESS=1 cargo test --test generated` makes the tables anew; on CI it is refused.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tessera::config::keys::{KEYS, Key};
use tessera::config::reload::is_reloaded;
use tessera::config::{Layers, load};
use tessera::metrics::{LABELS, METRICS};
use tessera::model::{FaultKind, Format};

/// Documents that are held to these rules; the credits of samples spell names as their owners do.
const DOCUMENTS: [&str; 21] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "STYLE.md",
    "docs/admin.md",
    "docs/configuration.md",
    "docs/errors.md",
    "docs/fastcgi.md",
    "docs/formats.md",
    "docs/from-iipsrv.md",
    "docs/iiif.md",
    "docs/memcached.md",
    "docs/metrics.md",
    "docs/modules.md",
    "docs/protocols.md",
    "docs/runbook.md",
    "docs/scaling.md",
    "docs/security.md",
    "docs/tracing.md",
    "docs/watermarks.md",
    "tests/README.md",
];

/// Lines that may be longer than this many characters: tables, which cannot be wrapped, and addresses.
const LINE_CHARS_MAX: usize = 100;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compares the part of a document that is made from the code with what the code says now.
fn check_block(document: &str, block: &str, expected: &str) {
    let text = read(document);
    let begin = format!("<!-- made by tests/generated.rs: {block} -->\n");
    let (before, rest) = text.split_once(&begin).unwrap();
    let (found, after) = rest.split_once("<!-- end -->").unwrap();
    if found == expected {
        return;
    }
    let blessed = env::var_os("BLESS").is_some() && env::var_os("CI").is_none();
    assert!(
        blessed,
        "{document}, {block}: run `BLESS=1 cargo test --test generated`; it should say\n{expected}"
    );
    // Other tests read documents meanwhile: they see the old one or the new one, never half of it.
    let made = root().join(format!("target/blessed-{block}.md"));
    fs::write(&made, format!("{before}{begin}{expected}<!-- end -->{after}")).unwrap();
    fs::rename(made, root().join(document)).unwrap();
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", cell(text)) }
}

#[test]
fn the_configuration_page_lists_every_key() {
    let mut out = String::new();
    let mut section = "";
    for key in KEYS {
        let (of, _) = key.name.split_once('.').unwrap();
        if of != section {
            section = of;
            write!(out, "\n### {section}\n\n").unwrap();
            out.push_str(
                "| key | default | meaning | changes | environment | flag | iipsrv's name |\n",
            );
            out.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
        }
        let iipsrv = key.iipsrv.map(|(name, _)| name).unwrap_or_default();
        let cells = [
            code(key.name),
            code(key.default),
            cell(key.doc),
            if is_reloaded(key.name) { "reload" } else { "restart" }.to_owned(),
            code(&key.environment()),
            code(&format!("--{}", key.flag())),
            code(iipsrv),
        ];
        writeln!(out, "| {} |", cells.join(" | ")).unwrap();
    }
    out.push('\n');
    check_block("docs/configuration.md", "settings", &out);
}

#[test]
fn metrics_know_every_format_and_fault() {
    let values = |label| LABELS.iter().find(|(known, _)| *known == label).unwrap().1;
    for format in Format::ALL {
        assert!(values("format").contains(&format.suffix()), "{format:?}");
    }
    for kind in fault_kinds() {
        assert!(values("kind").contains(&kind.label()), "{kind:?}");
    }
}

#[test]
fn the_metrics_page_lists_every_metric_and_label() {
    let mut out =
        "\n| name | kind | labels | what it tells |\n| --- | --- | --- | --- |\n".to_owned();
    for (name, kind, labels, help) in METRICS {
        writeln!(out, "| `{name}` | {kind} | {labels} | {} |", cell(help)).unwrap();
    }
    out.push('\n');
    check_block("docs/metrics.md", "metrics", &out);

    let mut out = "\n| label | values |\n| --- | --- |\n".to_owned();
    for (label, values) in LABELS {
        let values: Vec<String> = values.iter().map(|value| code(value)).collect();
        writeln!(out, "| `{label}` | {} |", values.join(", ")).unwrap();
    }
    out.push('\n');
    check_block("docs/metrics.md", "labels", &out);
}

#[test]
fn the_metrics_page_explains_every_reason_of_a_refusal() {
    let page = read("docs/metrics.md");
    let (_, reasons) = LABELS.iter().find(|(label, _)| *label == "reason").unwrap();
    for reason in reasons.iter().filter(|reason| **reason != "other") {
        assert!(page.contains(&format!("\n| `{reason}` | ")), "docs/metrics.md lacks `{reason}`");
    }
}

#[test]
fn the_errors_page_has_a_row_for_every_kind_of_fault() {
    let page = read("docs/errors.md");
    for kind in fault_kinds() {
        let row = format!("| `{}` | {} |", kind.label(), kind.status());
        assert!(page.contains(&row), "docs/errors.md lacks a row that begins {row}");
    }
}

/// All kinds.
fn fault_kinds() -> Vec<FaultKind> {
    let mut kinds = vec![FaultKind::BadRequest];
    while let Some(next) = kinds.last().copied().and_then(after) {
        kinds.push(next);
    }
    assert_eq!(kinds.len(), 10);
    kinds
}

/// The kinds in order; a new one does not compile until it stands here.
const fn after(kind: FaultKind) -> Option<FaultKind> {
    Some(match kind {
        FaultKind::BadRequest => FaultKind::NotFound,
        FaultKind::NotFound => FaultKind::MethodNotAllowed,
        FaultKind::MethodNotAllowed => FaultKind::TooLarge,
        FaultKind::TooLarge => FaultKind::UriTooLong,
        FaultKind::UriTooLong => FaultKind::UnsupportedFormat,
        FaultKind::UnsupportedFormat => FaultKind::Image,
        FaultKind::Image => FaultKind::NotImplemented,
        FaultKind::NotImplemented => FaultKind::Busy,
        FaultKind::Busy => FaultKind::Bug,
        FaultKind::Bug => return None,
    })
}

#[test]
fn examples_of_settings_are_taken() {
    let pages = ["docs/configuration.md", "docs/watermarks.md"].map(read);
    let examples: Vec<&str> = pages
        .iter()
        .flat_map(|page| page.split("```toml\n").skip(1))
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 2);
    let folder = tempfile::tempdir().unwrap();
    for example in examples {
        let file = folder.path().join("tessera.toml");
        fs::write(&file, example).unwrap();
        let images = folder.path().to_str().unwrap().to_owned();
        let flags = vec![("images.root".to_owned(), images)];
        load(&Layers { environment: Vec::new(), file: Some(file), flags, ..Layers::default() })
            .unwrap();
    }
}

#[test]
fn settings_that_documents_name_exist() {
    let sections: BTreeSet<&str> =
        KEYS.iter().filter_map(|key| key.name.split('.').next()).collect();
    let mut named = 0;
    for document in DOCUMENTS {
        for word in code_words(&read(document)) {
            let Some((section, name)) = word.split_once('.') else { continue };
            let is_key = sections.contains(section) && !is_suffix(name);
            if is_key {
                named += 1;
                assert!(KEYS.iter().any(|key| key.name == word), "{document}: `{word}`");
            }
            let is_environment = word.starts_with("TESSERA_") && !word.contains(['=', '*']);
            assert!(!is_environment || is_known_environment(&word), "{document}: `{word}`");
        }
    }
    assert!(KEYS.len() < named, "only {named} settings were found in the documents");
}

fn is_suffix(name: &str) -> bool {
    matches!(name, "rs" | "md" | "toml")
}

fn is_known_environment(word: &str) -> bool {
    word == "TESSERA_URL" || KEYS.iter().map(Key::environment).any(|known| known == word)
}

#[test]
fn files_that_documents_name_exist() {
    let mut named = 0;
    for document in DOCUMENTS {
        let bases = bases_of(document);
        for word in code_words(&read(document)).into_iter().filter(|word| is_path(word)) {
            named += 1;
            let exists = bases.iter().any(|base| exists(&root().join(base).join(&word)));
            assert!(exists, "{document}: there is no `{word}` below {bases:?}");
        }
    }
    assert!(100 < named, "only {named} files were found in the documents");
}

/// Folders that a document's paths may be relative to.
fn bases_of(document: &str) -> &'static [&'static str] {
    match document {
        "docs/protocols.md" => &["", "src/protocols"],
        "docs/iiif.md" => &["", "tests", "src", "src/protocols", "src/protocols/iiif"],
        "docs/errors.md" | "ARCHITECTURE.md" => &["", "src"],
        "tests/README.md" => &["", "tests"],
        _ => &[""],
    }
}

/// Whether a word is the path of a file or folder of ours: `a/b.rs`, `a/`.
fn is_path(word: &str) -> bool {
    let suffixes = [".rs", ".py", ".mjs", ".sh", ".md", "/"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let begins = word.starts_with(|c: char| c.is_ascii_alphabetic());
    let made = word.starts_with("target/");
    begins && !made && word.chars().all(plain) && suffixes.iter().any(|end| word.ends_with(end))
}

fn exists(path: &Path) -> bool {
    path.try_exists().unwrap_or(false)
}

/// Texts between backticks, outside of fenced blocks.
fn code_words(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn tests_that_the_protocols_page_names_are_there() {
    let page = read("docs/protocols.md");
    let mut checked = 0;
    let mut tells = false;
    for row in page.lines() {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [.., files, tests] = cells.as_slice() else {
            tells = false;
            continue;
        };
        tells |= *tests == "test";
        if !tells {
            continue;
        }
        let mut named = code_words(tests);
        if tests.starts_with("there") {
            named.extend(code_words(files));
        }
        for file in named.into_iter().filter(|word| word.strip_suffix(".rs").is_some()) {
            checked += 1;
            let is_whole = ["tests/", "src/"].iter().any(|folder| file.starts_with(folder));
            let folder = if is_whole { "" } else { "src/protocols/" };
            let text = read(&format!("{folder}{file}"));
            assert!(text.contains("#[test]"), "{row}\n{file} holds no test");
        }
    }
    assert!(20 < checked, "only {checked} tests were found in the page");
}

#[test]
fn every_suite_is_listed_in_the_tests_page() {
    let page = read("tests/README.md");
    let mut suites = BTreeSet::new();
    for extension in ["rs", "py", "mjs", "sh"] {
        suites.extend(files_below("tests", extension));
    }
    let names: Vec<String> = suites
        .iter()
        .filter_map(|path| path.strip_prefix(root().join("tests")).ok())
        .map(|path| path.to_string_lossy().into_owned())
        .filter(|name| !name.contains("node_modules") && !name.ends_with("main.rs"))
        .collect();
    assert!(20 < names.len(), "{names:?}");
    let missing: Vec<&String> =
        names.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "tests/README.md lacks {missing:?}");
}

#[test]
fn the_layer_table_is_the_one_that_is_kept() {
    let kept = read("tests/arch.rs");
    let (_, rest) = kept.split_once("const MAY_IMPORT").unwrap();
    let (_, rest) = rest.split_once("= &[").unwrap();
    let (table, _) = rest.split_once("\n];").unwrap();
    let page = read("ARCHITECTURE.md");
    let table: String = table.split_whitespace().collect();
    let mut layers = 0;
    for entry in table.replace("],)", "])").split("])").filter(|entry| entry.contains('"')) {
        let names: Vec<String> = entry.split('"').skip(1).step_by(2).map(code).collect();
        let [layer, allowed @ ..] = names.as_slice() else { panic!("{entry}") };
        let allowed = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
        layers += 1;
        let row = format!("| {layer} | {allowed} |");
        assert!(page.contains(&row), "ARCHITECTURE.md lacks a row that begins {row}");
    }
    assert_eq!(layers, 16);
}

#[test]
fn documents_are_ascii_and_wrapped_and_their_links_lead_somewhere() {
    let mut links = 0;
    for document in DOCUMENTS {
        let text = read(document);
        assert!(text.is_ascii(), "{document} is not ASCII");
        let path = root().join(document);
        let folder = path.parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            links += 1;
            let file = link.split('#').next().unwrap();
            assert!(exists(&folder.join(file)), "{document}: {link}");
        }
        for line in text.lines().filter(|line| !line.starts_with('|')) {
            let sentence = document == "docs/protocols.md";
            let fits = line.len() <= LINE_CHARS_MAX || sentence || line.contains("http");
            assert!(fits, "{document}: wrap at {LINE_CHARS_MAX}: {line}");
        }
    }
    assert!(10 < links, "only {links} links were found");
}

fn files_below(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&root().join(folder), extension, &mut files);
    files.sort();
    files
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("node_modules") {
                collect(&path, extension, files);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}
