//! What an emulator begins with, as `--seed` says it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Number};

use crate::cli::console::Console;
use crate::emulator::{Document, MAX_DOCUMENT, Seed};
use crate::error::{Error, Result};
use crate::grammar::document::{self, Node, Value};
use crate::sensitive;
use crate::tasks::values::Files;

/// Reads `demo`, `empty`, `sdcadmin`, `grown`, or a file of JSON or YAML, `-` for standard input.
///
/// # Errors
/// The file cannot be read, or is neither. What it means is checked by the emulator.
pub fn read(console: &Console, what: &str) -> Result<Seed> {
    match what {
        "demo" => return Ok(Seed::Demo),
        "empty" => return Ok(Seed::Empty),
        "sdcadmin" => return Ok(Seed::Sdcadmin),
        "grown" => return Ok(Seed::Grown),
        _ => {}
    }
    let text = console
        .read(what, MAX_DOCUMENT)
        .map_err(|error| error.hint("--seed takes demo, empty, sdcadmin, grown, or a FILE"))?;
    let (name, folder) = match what {
        "-" => ("standard input".to_owned(), PathBuf::new()),
        file => (sensitive::path(Path::new(file)), console.at_home(file).parent().unwrap_or(Path::new("")).to_owned()),
    };
    let text = match std::str::from_utf8(&text) {
        Ok(yaml) if !yaml.trim_start_matches('\u{feff}').trim_start().starts_with('{') => json(yaml, &name)?,
        // Whatever is wrong with it the emulator says.
        _ => text,
    };
    Ok(Seed::Document(Document { name, text, folder }))
}

/// The JSON of a document of YAML.
fn json(yaml: &str, name: &str) -> Result<Vec<u8>> {
    let mut documents = document::read(yaml).map_err(|error| error.about(name))?;
    match (documents.pop(), documents.is_empty()) {
        (Some(one), true) => serde_json::to_vec(&value(one))
            .map_err(|error| Error::other(format!("cannot read {name} as JSON")).because(error)),
        (None, _) => Err(Error::usage(format!("{name} holds nothing"))),
        _ => Err(Error::usage(format!("{name} holds several documents, and an emulator begins with one"))),
    }
}

fn value(node: Node) -> serde_json::Value {
    match node.value {
        Value::Null => serde_json::Value::Null,
        Value::Text(text) => text.into(),
        Value::Plain(word) => match word.as_str() {
            "true" => true.into(),
            "false" => false.into(),
            _ => match word.parse::<Number>() {
                Ok(number) => number.into(),
                Err(_) => word.into(),
            },
        },
        Value::List(list) => list.into_iter().map(value).collect::<Vec<_>>().into(),
        Value::Map(fields) => fields.into_iter().map(|(name, node)| (name, value(node))).collect::<Map<_, _>>().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_says_what_json_says() {
        let yaml =
            "format: sdc-emulator/1\nmachines:\n- {name: web1, tags: {role: web, weight: 10, up: true}}\n- name: '7'\n";
        let json = String::from_utf8(json(yaml, "x").unwrap()).unwrap();
        let expected = r#"{"format":"sdc-emulator/1","machines":[{"name":"web1","tags":{"role":"web","weight":10,"up":true}},{"name":"7"}]}"#;
        assert_eq!(json, expected);
    }

    #[test]
    fn what_is_not_one_document_is_refused() {
        for (yaml, words) in [
            ("", "x holds nothing"),
            ("a: 1\n---\na: 2\n", "x holds several documents, and an emulator begins with one"),
            ("a: 1\na: 2\n", "x: line 2: a is given twice"),
        ] {
            assert_eq!(json(yaml, "x").unwrap_err().message(), words);
        }
    }
}
