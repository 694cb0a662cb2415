//! A file with pairs: an object of JSON or YAML, or a line `NAME=VALUE` for each. Pure: it says what is wrong with a text, and never
//! shows a value, which may be a password.

use crate::answer::scan;
use crate::api::{Field, Kind};
use crate::error::{Error, Result};
use crate::grammar::document::{self, Node, Value};
use crate::request::Arg;
use crate::sensitive::quoted;

/// A name and its value: text stays text, and JSON keeps its type.
pub(super) type Pair = (String, Arg);

/// Reads the pairs of a text for a field. `file` is what messages call it.
///
/// # Errors
/// A usage error that says where the text is neither JSON nor `NAME=VALUE`, or that nothing is there: a file that
/// should have had something in it must not remove all there is.
pub(super) fn read(field: &Field, file: &str, text: &str) -> Result<Vec<Pair>> {
    let text = text.trim_start_matches('\u{feff}');
    let pairs = match text.trim_start().starts_with(['{', '[']) {
        true => object(file, text)?,
        false if is_yaml(text) => yaml(file, text)?,
        false => lines(file, text)?,
    };
    match pairs.is_empty() {
        true => Err(nothing_set(field, &format!("{file} holds no pairs: an object, or a line NAME=VALUE for each"))),
        false => Ok(pairs),
    }
}

/// Refuses names that would redirect the request, or that the service drops without a word.
pub(super) fn check_name(name: &str, reserved: &[&str]) -> Result<()> {
    let fits = |pattern: &&&str| match pattern.strip_prefix('*') {
        Some(end) => name.ends_with(end),
        None => pattern.trim_start_matches('+') == name,
    };
    match reserved.iter().find(fits) {
        Some(_) => Err(Error::usage(format!(
            "'{}' cannot be a name here: the service would take it for something else, or drop it",
            quoted(name)
        ))),
        None => Ok(()),
    }
}

/// Whether the service adds this name by itself, so that a copy of what it shows has it.
pub(super) fn is_added(field: &Field, name: &str) -> bool {
    let (Kind::FlatPairs(reserved) | Kind::FlatFiles(reserved)) = field.kind else { return false };
    reserved.iter().any(|pattern| pattern.strip_prefix('+') == Some(name))
}

/// The error for pairs of which there are none, with the verb that removes all there are.
pub fn nothing_set(field: &Field, words: &str) -> Error {
    let error = Error::usage(words);
    match field.positional || matches!(field.kind, Kind::FlatFiles(_)) {
        true => error.hint("`delete-all` removes all of them"),
        false => error,
    }
}

/// Whether the first line with something in it is `NAME: VALUE` and not `NAME=VALUE` or `NAME:=JSON`.
fn is_yaml(text: &str) -> bool {
    let line = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    let colon = line.find(": ").or_else(|| line.trim_end().strip_suffix(':').map(str::len));
    line == "---" || colon.is_some_and(|colon| line.find('=').is_none_or(|sign| colon < sign))
}

/// What is written without quotes stays the text that it is, as in the documents of `--from`: 1.10 may be a version.
fn yaml(file: &str, text: &str) -> Result<Vec<Pair>> {
    let wrong = |line: usize, words: &str| Error::usage(format!("{file}, line {line}: {words}"));
    let documents = document::read(text).map_err(|error| error.about(file))?;
    let [Node { value: Value::Map(members), .. }] = documents.as_slice() else {
        return Err(Error::usage(format!("{file} is not a YAML object: NAME: VALUE")));
    };
    let pair = |(name, node): &(String, Node)| match &node.value {
        _ if name.is_empty() || name.contains('=') => {
            Err(wrong(node.line, &format!("'{}' cannot be a name here", quoted(name))))
        }
        Value::Plain(text) | Value::Text(text) => Ok((name.clone(), Arg::Text(text.clone()))),
        _ => Err(wrong(node.line, &format!("'{}' is not text, a number, true or false", quoted(name)))),
    };
    members.iter().map(pair).collect()
}

fn object(file: &str, text: &str) -> Result<Vec<Pair>> {
    let wrong = || Error::usage(format!("{file} is not a JSON object"));
    serde_json::from_str::<&serde_json::value::RawValue>(text).map_err(|error| wrong().because(error))?;
    let members = scan::members(text).ok_or_else(wrong)?;
    members
        .map(|(name, value)| {
            let name = scan::unquote(name).ok_or_else(wrong)?.into_owned();
            let fail = |words: &str| Err(Error::usage(format!("{file}: '{}' {words}", quoted(&name))));
            let value = match value.as_bytes().first() {
                _ if name.is_empty() => return fail("cannot be a name here"),
                Some(b'"') => Arg::Text(scan::unquote(value).ok_or_else(wrong)?.into_owned()),
                Some(b'{' | b'[' | b'n') => {
                    return fail("is not text, a number, true or false: nothing else can be kept");
                }
                _ => Arg::json(value)?,
            };
            Ok((name, value))
        })
        .collect()
}

fn lines(file: &str, text: &str) -> Result<Vec<Pair>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(at, line)| {
            let place = format!("{file}, line {}", at + 1);
            let fail = |words: &str| Error::usage(format!("{place}: {words}"));
            let (name, value) = line.split_once('=').ok_or_else(|| fail("this is not NAME=VALUE"))?;
            let (name, value) = match name.strip_suffix(':') {
                Some(name) if value.trim_start().starts_with(['{', '[', 'n']) => {
                    return Err(fail(&format!("'{}' is not text, a number, true or false", quoted(name))));
                }
                Some(name) => {
                    let value = Arg::json(value).map_err(|_| fail(&format!("'{}' has no JSON value", quoted(name))))?;
                    (name, value)
                }
                None => (name, Arg::Text(value.to_owned())),
            };
            match name.trim() {
                "" => Err(fail("there is no name before the =")),
                name => Ok((name.to_owned(), value)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cloudapi::tags;

    fn read(file: &str, text: &str) -> Result<Vec<Pair>> {
        super::read(&tags::SET.fields[0], file, text)
    }

    fn shown(text: &str) -> Vec<String> {
        let shown = |(name, value): Pair| match value {
            Arg::Text(text) => format!("{name}={text}"),
            Arg::Json(raw) => format!("{name}:={}", raw.get()),
        };
        read("f", text).unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn texts_stay_texts_and_json_keeps_its_types() {
        let json = "\u{feff} {\"version\": \"1.10\", \"weight\": 1.10, \"on\": true, \"motd\": \"@a\\nb=c\"}\n";
        assert_eq!(shown(json), ["version=1.10", "weight:=1.10", "on:=true", "motd=@a\nb=c"]);
        let yaml = "# comment\nversion: 1.10\nzip: \"01234\"\nurl: http://x/?a=b\nmotd: |\n  a\n  b\n";
        assert_eq!(shown(yaml), ["version=1.10", "zip=01234", "url=http://x/?a=b", "motd=a\nb\n"]);
        let lines = "# comment\nversion=1.10\r\n\nzip=01234\nweight:=3\nempty=\nurl=http://x/?a=b\n";
        assert_eq!(shown(lines), ["version=1.10", "zip=01234", "weight:=3", "empty=", "url=http://x/?a=b"]);
    }

    #[test]
    fn a_fault_is_placed_and_shows_no_value() {
        for (text, message) in [
            ("", "f holds no pairs: an object, or a line NAME=VALUE for each"),
            ("{}", "f holds no pairs: an object, or a line NAME=VALUE for each"),
            ("[\"s3cret\"]", "f is not a JSON object"),
            ("{\"a\": s3cret}", "f is not a JSON object"),
            ("{\"a\": {\"b\": \"s3cret\"}}", "f: 'a' is not text, a number, true or false: nothing else can be kept"),
            ("a: 1\nb: {c: s3cret}", "f, line 2: 'b' is not text, a number, true or false"),
            (
                "a: 1\n- s3cret",
                "f: line 2, column 3: this is not YAML: while parsing a block mapping, did not find expected key",
            ),
            ("a=1\ns3cret", "f, line 2: this is not NAME=VALUE"),
            ("a:=s3cret", "f, line 1: 'a' has no JSON value"),
            ("=s3cret", "f, line 1: there is no name before the ="),
        ] {
            let error = read("f", text).unwrap_err();
            assert_eq!(error.message(), message);
            assert!(!format!("{error:?} {:?}", error.causes()).contains("s3cret"), "{error:?}");
        }
    }
}
