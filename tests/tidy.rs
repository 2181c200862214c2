//! Keeps the house in order: who may use whom, and what every file owes its reader.
//!
//! It reads the manifests and the sources as text; it compiles nothing.

#![allow(clippy::unwrap_used, reason = "a check that cannot read the tree must fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The allowed edges between our own crates: the table of README, "How it is put together".
const MAY_USE: &[(&str, &[&str])] = &[
    ("rrd", &[]),
    ("verdict", &[]),
    ("store", &["rrd"]),
    ("judge", &["rrd", "store", "verdict"]),
    ("devtools", &[]),
    ("browser", &["devtools"]),
    ("probe", &["devtools"]),
    ("chart", &[]),
    ("cli", &[]),
    ("recorder", &["rrd", "store", "judge", "verdict", "devtools", "browser", "probe", "cli"]),
    ("grapher", &["rrd", "store", "judge", "verdict", "chart", "cli"]),
];

/// Libraries that live behind one door: only the crates named may depend on them.
const ONE_DOOR: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("fantoccini", &["browser"]),
    ("plotters", &["chart"]),
    ("tokio-tungstenite", &["devtools", "probe"]),
    ("anyhow", &["recorder", "grapher"]),
];

/// A file with more lines than this has two subjects.
const LONGEST_FILE: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Crate folder name → its manifest.
fn manifests() -> BTreeMap<String, toml::Table> {
    fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|folder| {
            let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            (folder.file_name().unwrap().to_str().unwrap().to_owned(), text.parse().unwrap())
        })
        .collect()
}

fn dependencies(manifest: &toml::Table, section: &str) -> BTreeSet<String> {
    manifest.get(section).and_then(|table| table.as_table()).map(|t| t.keys().cloned().collect()).unwrap_or_default()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(&root().join("crates"), &mut found);
    sources(&root().join("tests"), &mut found);
    assert!(found.len() > 20, "only {} source files found: is this the right folder?", found.len());
    found
}

#[test]
fn every_crate_stands_in_the_table_and_is_named_by_its_folder() {
    let manifests = manifests();
    let table: BTreeSet<_> = MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(manifests.keys().cloned().collect::<BTreeSet<_>>(), table);
    for (folder, manifest) in manifests {
        assert_eq!(manifest["package"]["name"].as_str().unwrap(), format!("heapsoak-{folder}"));
        assert!(manifest["lints"]["workspace"].as_bool().unwrap(), "{folder} does not inherit the lints");
    }
}

#[test]
fn no_edge_that_the_table_forbids() {
    let manifests = manifests();
    for (name, allowed) in MAY_USE {
        for used in dependencies(&manifests[*name], "dependencies") {
            if let Some(ours) = used.strip_prefix("heapsoak-") {
                assert!(allowed.contains(&ours), "crates/{name} may not use crates/{ours}");
            }
        }
    }
}

#[test]
fn a_library_behind_one_door_stays_there() {
    for (name, manifest) in manifests() {
        for (library, doors) in ONE_DOOR {
            let used = dependencies(&manifest, "dependencies").contains(*library);
            assert!(
                !used || doors.contains(&name.as_str()),
                "crates/{name} may not use {library}: that is for {doors:?}"
            );
        }
    }
}

#[test]
fn versions_stand_in_one_place() {
    for (name, manifest) in manifests() {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = manifest.get(section).and_then(|t| t.as_table()) else { continue };
            for (dependency, value) in table {
                let inherited = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                assert!(inherited, "crates/{name}: {dependency} must be `{dependency}.workspace = true`");
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_for_and_has_one_subject() {
    for path in all_sources() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not begin with `//! `", path.display());
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines: split it", path.display());
    }
}

#[test]
fn nothing_is_left_to_do_without_an_issue_number() {
    // Spelled in two halves so that this file does not find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    for path in all_sources() {
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            for mark in marks {
                let ok = !line.contains(mark) || line.contains(&format!("{mark}(#"));
                assert!(ok, "{}:{}: {mark} without an issue number", path.display(), number + 1);
            }
        }
    }
}
