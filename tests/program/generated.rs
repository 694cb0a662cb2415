//! What the program writes of itself is committed, and this says when it is stale.
#![cfg(feature = "cli")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn completions_reference_and_man_pages_are_current() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut stale = Vec::new();
    let mut known = BTreeSet::new();
    for (name, text) in
        sdc::cli::generate::files(sdc::cli::Trees { plain: sdc::cli::tree, pages: sdc::cli::pages }).unwrap()
    {
        if fs::read(top.join(&name)).ok().as_deref() != Some(&text) {
            stale.push(name.clone());
        }
        known.insert(name);
    }
    for dir in ["completions", "docs/reference", "docs/man"] {
        for entry in fs::read_dir(top.join(dir)).into_iter().flatten().flatten() {
            let name = format!("{dir}/{}", entry.file_name().to_string_lossy());
            if !known.contains(&name) {
                stale.push(format!("{name} (nothing writes it any more)"));
            }
        }
    }
    assert!(stale.is_empty(), "stale, run `cargo run -- generate .`: {}", stale.join(", "));
}

#[test]
fn each_page_of_the_reference_shows_an_example_that_was_run() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut without = Vec::new();
    for entry in fs::read_dir(top.join("docs/reference")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let example = fs::read_to_string(top.join("docs/examples").join(&name)).unwrap_or_default();
        let block = example.find("```console").map(|at| example[at..].trim_end().to_owned());
        let page = fs::read_to_string(entry.path()).unwrap();
        if !block.is_some_and(|block| block.contains("sdc ") && page.contains(&block)) {
            without.push(name);
        }
    }
    assert!(without.is_empty(), "no example: {}", without.join(", "));
}
