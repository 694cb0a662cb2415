//! A file with pairs: an object of JSON or YAML, or a line `NAME=VALUE` for each. Pure: it says what is wrong with a text, and never
//! shows a value, which may be a password.

use super::pair;
use crate::answer::scan;
use crate::api::{Field, Kind, Method, Op};
use crate::error::{Error, Result};
use crate::grammar::document::{self, Node, Value};
use crate::grammar::tag;
use crate::request::Arg;
use crate::sensitive::quoted;

/// A name and its value: text stays text, and JSON keeps its type.
pub(super) type Pair = (String, Arg);

/// What messages call standard input.
pub(super) const STDIN: &str = "standard input";
/// Words that stand before a name where a shell gives it a value.
const DECLARING: &[&str] = &["export", "declare", "readonly", "typeset", "local"];

/// Reads the pairs of a text for a field. `file` is what messages call it.
///
/// # Errors
/// A usage error that says where the text is neither JSON nor `NAME=VALUE`, or that nothing is there: a file that
/// should have had something in it must not remove all there is. An object without members says that there are none,
/// and is an error only where it would replace all that a field holds.
pub(super) fn read(field: &Field, file: &str, text: &str, doubt: &mut dyn FnMut(&str)) -> Result<Vec<Pair>> {
    let text = text.trim_start_matches('\u{feff}');
    if text.is_empty() {
        return Err(Error::usage(match file {
            STDIN => format!("{file} is empty: did the command before the pipe fail?"),
            _ => format!("{file} is empty"),
        }));
    }
    let pairs = match text.trim_start().starts_with(['{', '[']) {
        true => object(field, file, text)?,
        false if is_yaml(text) => yaml(field, file, text)?,
        false => lines(file, text, doubt)?,
    };
    let says_so = text.trim_start().starts_with('{') && !matches!(field.kind, Kind::Object);
    match pairs.is_empty() && !says_so {
        true => Err(Error::usage(format!("{file} holds no pairs: an object, or a line NAME=VALUE for each"))),
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
    match field.kind {
        Kind::FlatPairs(reserved) | Kind::FlatFiles(reserved) => {
            reserved.iter().any(|pattern| pattern.strip_prefix('+') == Some(name))
        }
        Kind::Tags(_) => tag::is_dockers(name),
        _ => false,
    }
}

/// The error for pairs of which there are none, with the verb that removes all there are where they would be removed.
pub fn nothing_set(op: &Op, words: &str) -> Error {
    let error = Error::usage(words);
    match op.method {
        Method::Put => error.hint("`delete-all` removes all of them"),
        _ => error,
    }
}

/// Whether the first line with something in it is `NAME: VALUE` and not `NAME=VALUE` or `NAME:=JSON`.
fn is_yaml(text: &str) -> bool {
    let line = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    let colon = line.find(": ").or_else(|| line.trim_end().strip_suffix(':').map(str::len));
    line == "---" || colon.is_some_and(|colon| line.find('=').is_none_or(|sign| colon < sign))
}

/// Types are those of the documents of `create -f`: `10` and `true` are no texts, and 1.10, which may be a version, is.
fn yaml(field: &Field, file: &str, text: &str) -> Result<Vec<Pair>> {
    let documents = document::read(text).map_err(|error| error.about(file))?;
    let [Node { value: Value::Map(members), .. }] = documents.as_slice() else {
        return Err(Error::usage(format!("{file} is not a YAML object: NAME: VALUE")));
    };
    let pair = |(name, node): &(String, Node)| {
        let wrong = |error: Error| error.about(&format!("{file}, line {}", node.line));
        if name.is_empty() || name.contains('=') {
            return Err(wrong(Error::usage(format!("'{}' cannot be a name here", quoted(name)))));
        }
        // Whatever it is, it is left out.
        if is_added(field, name) {
            return Ok((name.clone(), Arg::Text(String::new())));
        }
        Ok((name.clone(), pair::of_node(name, &node.value).map_err(wrong)?))
    };
    members.iter().map(pair).collect()
}

fn object(field: &Field, file: &str, text: &str) -> Result<Vec<Pair>> {
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
                Some(b'{' | b'[' | b'n') if !is_added(field, &name) => {
                    return fail("is not text, a number, true or false: nothing else can be kept");
                }
                _ => Arg::json(value)?,
            };
            Ok((name, value))
        })
        .collect()
}

/// The pairs of lines: values are all that stands behind the `=`, quotes too.
fn lines(file: &str, text: &str, doubt: &mut dyn FnMut(&str)) -> Result<Vec<Pair>> {
    let mut in_quotes: Vec<String> = Vec::new();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let pairs = lines
        .map(|(at, line)| {
            let place = format!("{file}, line {}", at + 1);
            let fail = |words: &str| Error::usage(format!("{place}: {words}"));
            let (name, value) = line.split_once('=').ok_or_else(|| fail("this is not NAME=VALUE"))?;
            if let Some((word, own)) = name.trim().split_once(char::is_whitespace)
                && DECLARING.contains(&word)
            {
                let own = quoted(own.trim());
                return Err(fail(&format!("'{word} {own}' is no name: `{word}` is a word of a shell"))
                    .hint(format!("without it: {own}=VALUE")));
            }
            let quotes =
                ['"', '\''].iter().any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote));
            if quotes && !name.ends_with(':') {
                in_quotes.push(quoted(name.trim()).into_owned());
            }
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
        .collect::<Result<Vec<Pair>>>()?;
    if !in_quotes.is_empty() {
        let of = in_quotes.join(", ");
        doubt(&format!("{file}: the quotes around the value of {of} are part of it: no shell reads these lines"));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cloudapi::tags;

    fn read(file: &str, text: &str) -> Result<Vec<Pair>> {
        super::read(&tags::SET.fields[0], file, text, &mut |_| {})
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
        let yaml = "# comment\nversion: 1.10\nzip: \"01234\"\nurl: http://x/?a=b\nmotd: |\n  a\n  b\n\
                    weight: 10\ntriton.cns.disable: true\nlike: \"10\"\nso: 'true'\n";
        let expected = [
            "version=1.10",
            "zip=01234",
            "url=http://x/?a=b",
            "motd=a\nb\n",
            "weight:=10",
            "triton.cns.disable:=true",
            "like=10",
            "so=true",
        ];
        assert_eq!(shown(yaml), expected);
        let lines = "# comment\nversion=1.10\r\n\nzip=01234\nweight:=3\nempty=\nurl=http://x/?a=b\n";
        assert_eq!(shown(lines), ["version=1.10", "zip=01234", "weight:=3", "empty=", "url=http://x/?a=b"]);
    }

    #[test]
    fn a_fault_is_placed_and_shows_no_value() {
        for (text, message) in [
            ("", "f is empty"),
            ("# a comment\n", "f holds no pairs: an object, or a line NAME=VALUE for each"),
            ("a=1\nexport PW=s3cret", "f, line 2: 'export PW' is no name: `export` is a word of a shell"),
            ("[\"s3cret\"]", "f is not a JSON object"),
            ("{\"a\": s3cret}", "f is not a JSON object"),
            ("{\"a\": {\"b\": \"s3cret\"}}", "f: 'a' is not text, a number, true or false: nothing else can be kept"),
            ("a: 1\nb: {c: s3cret}", "f, line 2: 'b' is not text, a number, true or false: nothing else can be kept"),
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

    #[test]
    fn an_object_without_members_has_no_pairs_and_an_empty_pipe_is_a_fault() {
        assert!(read("f", " {}\n").unwrap().is_empty());
        let error = read(STDIN, "").unwrap_err();
        assert_eq!(error.message(), "standard input is empty: did the command before the pipe fail?");
        assert!(error.hints().is_empty());
        // There it would replace all tags.
        let images = crate::api::cloudapi::images::UPDATE.fields.iter().find(|field| field.name == "tags").unwrap();
        assert!(super::read(images, "f", "{}", &mut |_| {}).is_err());
    }

    #[test]
    fn quotes_that_only_a_shell_takes_away_are_told_by_the_name_alone() {
        let mut doubts = Vec::new();
        let text = "PW=\"s3cret s3cret\"\nB='x'\nC=it's\nD:=\"typed\"\n";
        let pairs = super::read(&tags::SET.fields[0], "f", text, &mut |doubt| doubts.push(doubt.to_owned())).unwrap();
        assert_eq!(pairs.len(), 4);
        assert_eq!(doubts, ["f: the quotes around the value of PW, B are part of it: no shell reads these lines"]);
    }
}
