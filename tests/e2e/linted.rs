//! What is never run here, the container file and the Kubernetes example: valid by their own rules, and with
//! settings that the binary knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Of Kubernetes: the first that has `preStop.sleep`, and the newest whose schemas are here.
const KUBERNETES: [&str; 2] = ["1.30.0", "1.37.0"];

fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

/// What a linter of the tests' own Python says of a file.
fn lint(linter: &str, arguments: &[&str], file: &Path) -> Output {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin").join(linter);
    assert!(program.is_file(), "no {}: run ./dev unit", program.display());
    Command::new(program).args(arguments).arg(file).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// The file passes, and with a fault put in it does not: a linter that finds nothing at all is none.
fn passes_and_fails_with(name: &str, fault: (&str, &str), lint: impl Fn(&Path) -> Output) {
    let file = deployed(name);
    let output = lint(&file);
    assert!(output.status.success(), "{}", said(&output));
    let text = fs::read_to_string(&file).unwrap();
    let spoilt = text.replacen(fault.0, fault.1, 1);
    assert_ne!(text, spoilt, "{name}");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(file.file_name().unwrap());
    fs::write(&copy, spoilt).unwrap();
    let output = lint(&copy);
    assert!(!output.status.success(), "{fault:?} was not found: {}", said(&output));
}

#[test]
fn the_container_file_pleases_hadolint() {
    let fault = ("WORKDIR /tessera", "WORKDIR tessera");
    passes_and_fails_with("container/Containerfile", fault, |file| lint("hadolint", &[], file));
}

#[test]
fn the_kubernetes_example_keeps_to_the_schemas() {
    let fault = ("readOnlyRootFilesystem", "readOnlyRoot");
    for version in KUBERNETES {
        passes_and_fails_with("kubernetes/tessera.yaml", fault, |file| {
            lint("kubernetes-validate", &["--strict", "-k", version], file)
        });
    }
}

/// `TESSERA_*` and their values, as Dockerfiles and as lists of Kubernetes have them.
fn settings(text: &str) -> Vec<(String, String)> {
    let words = text.split("TESSERA_").skip(1);
    let pairs = words.map(|rest| {
        let pair = rest.split(['}', '\n', '\\']).next().unwrap();
        let (name, value) = pair.split_once(['=', ',']).unwrap();
        let value = value.trim().trim_start_matches("value:").trim().trim_matches('"');
        (format!("TESSERA_{name}"), value.to_owned())
    });
    pairs.collect()
}

#[test]
fn their_settings_are_ones_that_the_binary_takes() {
    for (name, count) in [("container/Containerfile", 3), ("kubernetes/tessera.yaml", 5)] {
        let settings = settings(&fs::read_to_string(deployed(name)).unwrap());
        assert_eq!(settings.len(), count, "{name}: {settings:?}");
        let folder = tempfile::tempdir().unwrap();
        let check = |more: &[(&str, &str)]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
            command.arg("check-config").envs(settings.clone());
            command.env("TESSERA_IMAGES_ROOT", folder.path()).envs(more.iter().copied());
            command.output().unwrap()
        };
        let output = check(&[]);
        assert!(output.status.success(), "{name}: {}", said(&output));
        assert!(!check(&[("TESSERA_SERVER_BIN", "0.0.0.0:1")]).status.success(), "{name}");
    }
}
