//! Documents of YAML or JSON as trees whose scalars keep their text. What is a number and what a text, whoever reads the
//! tree says: `1.10` is a version or an amount. Size, depth and aliases are bounded; what is wrong is told by its line,
//! without the text that is there.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::sensitive::quoted;

/// So deep may lists and maps stand in each other.
const MAX_DEPTH: usize = 32;
/// So much may a file hold, in scalars and their bytes, with what its aliases repeat.
const MAX_SIZE: usize = 1 << 20;

/// A value, and the line that it begins in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The line, from 1.
    pub line: usize,
    /// The value.
    pub value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A text in quotes or in a block.
    Text(String),
    /// A bare word, number or boolean.
    Plain(String),
    /// A list.
    List(Vec<Node>),
    /// Names with values, in their order; no name is there twice.
    Map(Vec<(String, Node)>),
}

/// Reads the documents of a file: JSON where all of it is a JSON object or array, else YAML. Empty ones are left out.
///
/// # Errors
/// A usage error that names the line.
pub fn read(text: &str) -> Result<Vec<Node>> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['{', '['])
        && let Ok(whole) = serde_json::from_str::<&RawValue>(text)
    {
        let mut json = Json { text, at: 0, line: 1 };
        return Ok(vec![json.node(whole, 0)?]);
    }
    let mut yaml = Yaml { parser: Parser::new_from_str(text), anchors: HashMap::new(), size: 0 };
    let mut documents = Vec::new();
    loop {
        match yaml.next()? {
            (Event::StreamEnd, _) => return Ok(documents),
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
            (event, span) => {
                let node = yaml.node(event, span, 0)?;
                documents.extend(Some(node).filter(|node| node.value != Value::Null));
            }
        }
    }
}

fn fault(line: usize, words: &str) -> Error {
    Error::usage(format!("line {line}: {words}"))
}

fn twice(line: usize, name: &str) -> Error {
    fault(line, &format!("{} is given twice", quoted(name)))
}

fn too_deep(line: usize) -> Error {
    fault(line, &format!("lists and maps are more than {MAX_DEPTH} deep"))
}

struct Yaml<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    size: usize,
}

impl<'a> Yaml<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span)> {
        let wrong = |error: ScanError| {
            let place = format!("line {}, column {}", error.marker().line(), error.marker().col() + 1);
            Error::usage(format!("{place}: this is not YAML: {}", error.info()))
        };
        self.parser.next_event().unwrap_or(Ok((Event::StreamEnd, Span::default()))).map_err(wrong)
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node> {
        let line = span.start.line();
        if depth > MAX_DEPTH {
            return Err(too_deep(line));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => (anchor, scalar(line, text, style, tag.as_deref())?),
            Event::SequenceStart(anchor, tag) => {
                untagged(line, tag.as_deref(), "seq")?;
                let mut list = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => list.push(self.node(event, span, depth + 1)?),
                    }
                }
                (anchor, Value::List(list))
            }
            Event::MappingStart(anchor, tag) => {
                untagged(line, tag.as_deref(), "map")?;
                (anchor, Value::Map(self.members(depth)?))
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let node = known.ok_or_else(|| fault(line, "the alias stands within what it means"))?;
                self.grow(line, size(&node))?;
                return Ok(Node { line, ..node });
            }
            _ => return Err(fault(line, "the document ends too early")),
        };
        let node = Node { line, value };
        if !matches!(node.value, Value::List(_) | Value::Map(_)) {
            self.grow(line, size(&node))?;
        }
        if anchor > 0 {
            self.grow(line, size(&node))?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn members(&mut self, depth: usize) -> Result<Vec<(String, Node)>> {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        loop {
            let (event, span) = self.next()?;
            let line = span.start.line();
            if event == Event::MappingEnd {
                return Ok(members);
            }
            let name = match self.node(event, span, depth + 1)?.value {
                Value::Text(name) | Value::Plain(name) => name,
                _ => return Err(fault(line, "a name before a colon must be text")),
            };
            if name == "<<" {
                return Err(fault(line, "maps cannot be merged with <<"));
            }
            if !names.insert(name.clone()) {
                return Err(twice(line, &name));
            }
            let (event, span) = self.next()?;
            members.push((name, self.node(event, span, depth + 1)?));
        }
    }

    fn grow(&mut self, line: usize, by: usize) -> Result<()> {
        self.size = self.size.saturating_add(by);
        match self.size > MAX_SIZE {
            true => Err(fault(line, "with all that its aliases repeat, the file is too large")),
            false => Ok(()),
        }
    }
}

/// How much a node holds, with what is in it.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::Null => 1,
        Value::Text(text) | Value::Plain(text) => 1 + text.len(),
        Value::List(list) => 1 + list.iter().map(size).sum::<usize>(),
        Value::Map(map) => 1 + map.iter().map(|(name, node)| name.len() + size(node)).sum::<usize>(),
    }
}

fn scalar(line: usize, text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value> {
    let core = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
    Ok(match (core, style) {
        (Some("str"), _) => Value::Text(text.into_owned()),
        (Some("int" | "float" | "bool"), _) => Value::Plain(text.into_owned()),
        (None, ScalarStyle::Plain) if tag.is_none() => match &*text {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            _ => Value::Plain(text.into_owned()),
        },
        (None, _) if tag.is_none() => Value::Text(text.into_owned()),
        _ => return Err(fault(line, "of tags, only !!str, !!int, !!float and !!bool are known")),
    })
}

fn untagged(line: usize, tag: Option<&Tag>, own: &str) -> Result<()> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() || tag.suffix != own => {
            Err(fault(line, "of tags, only !!str, !!int, !!float and !!bool are known"))
        }
        _ => Ok(()),
    }
}

/// Reads JSON that is known to be JSON, in the order of the text.
struct Json<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Json<'a> {
    fn node(&mut self, raw: &'a RawValue, depth: usize) -> Result<Node> {
        let json = raw.get();
        let at = (json.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let between = self.text.as_bytes().get(self.at..at).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count();
        self.at = self.at.max(at);
        let line = self.line;
        let wrong = |error: serde_json::Error| fault(line, "this is not JSON").because(error);
        if depth > MAX_DEPTH {
            return Err(too_deep(line));
        }
        let value = match json.as_bytes().first() {
            Some(b'{') => {
                let Members(raw) = serde_json::from_str(json).map_err(wrong)?;
                let mut members: Vec<(String, Node)> = Vec::new();
                let mut names = std::collections::HashSet::new();
                for (name, value) in raw {
                    let node = self.node(value, depth + 1)?;
                    if !names.insert(name.clone()) {
                        return Err(twice(node.line, &name));
                    }
                    members.push((name, node));
                }
                Value::Map(members)
            }
            Some(b'[') => {
                let list: Vec<&RawValue> = serde_json::from_str(json).map_err(wrong)?;
                Value::List(list.into_iter().map(|value| self.node(value, depth + 1)).collect::<Result<_>>()?)
            }
            Some(b'"') => Value::Text(serde_json::from_str(json).map_err(wrong)?),
            Some(b'n') => Value::Null,
            _ => Value::Plain(json.to_owned()),
        };
        Ok(Node { line, value })
    }
}

/// The members of an object, those of one name too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Null => "null".to_owned(),
            Value::Text(text) => format!("{text:?}"),
            Value::Plain(text) => text.clone(),
            Value::List(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(",")),
            Value::Map(map) => {
                let members: Vec<String> = map.iter().map(|(name, node)| format!("{name}:{}", shown(node))).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    fn all(text: &str) -> String {
        read(text).unwrap().iter().map(shown).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn scalars_keep_their_text_in_yaml_and_in_json() {
        let yaml =
            "version: 1.10\nzip: 01234\non: yes\nquoted: \"10\"\nblock: |\n  a: b\n  c\nnone:\nlist: [a, 'b', 1e5]\n";
        let expected = r#"{version:1.10,zip:01234,on:yes,quoted:"10",block:"a: b\nc\n",none:null,list:[a,"b",1e5]}"#;
        assert_eq!(all(yaml), expected);
        let json = "{\"version\": 1.10, \"quoted\": \"\\ud83d\\ude00\", \"list\": [true, {\"a\": null}]}";
        assert_eq!(all(json), "{version:1.10,quoted:\"😀\",list:[true,{a:null}]}");
        assert_eq!(all("a: &x {b: 1}\nc: *x\nd: !!str 10\n"), "{a:{b:1},c:{b:1},d:\"10\"}");
    }

    #[test]
    fn several_documents_are_several_and_empty_ones_are_left_out() {
        assert_eq!(all("---\na: 1\n---\n---\nb: 2\n...\n"), "{a:1} | {b:2}");
        assert_eq!(all(""), "");
        assert_eq!(all("# nothing\n"), "");
    }

    #[test]
    fn every_value_knows_its_line() {
        for text in ["{\n \"a\": [1,\n 2],\n\n \"b\": 3}", "\na: [1,\n 2]\n\nb: 3\n"] {
            let nodes = read(text).unwrap();
            let Value::Map(map) = &nodes[0].value else { panic!("{nodes:?}") };
            let Value::List(list) = &map[0].1.value else { panic!("{nodes:?}") };
            assert_eq!((list[0].line, list[1].line, map[1].1.line), (2, 3, 5), "{text}");
        }
    }

    #[test]
    fn a_fault_is_told_by_its_line_and_shows_no_value() {
        for (text, message) in [
            ("a: 1\na: 2\n", "line 2: a is given twice"),
            ("{\"a\": 1,\n\"a\": \"s3cret\"}", "line 2: a is given twice"),
            ("a: &x {b: *x}\n", "line 1: the alias stands within what it means"),
            ("<<: {a: 1}\n", "line 1: maps cannot be merged with <<"),
            ("? [a]\n: b\n", "line 1: a name before a colon must be text"),
            ("a: !secret s3cret\n", "line 1: of tags, only !!str, !!int, !!float and !!bool are known"),
        ] {
            assert_eq!(read(text).unwrap_err().message(), message, "{text}");
        }
        for text in ["a: 's3cret\n", "a: b: s3cret\n", "{\"a\": s3cret\n", "a: \"\\q s3cret\"\n", "a: *s3cret\n"] {
            let error = read(text).unwrap_err();
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn depth_and_what_aliases_repeat_are_bounded() {
        for text in ["[".repeat(5000), "[".repeat(200) + &"]".repeat(200), "- ".repeat(5000), "{a: ".repeat(5000)] {
            assert!(read(&text).is_err(), "{}", &text[..20]);
        }
        let mut bomb = format!("a0: &a0 {}\n", "x".repeat(1000));
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(
            read(&bomb).unwrap_err().message().ends_with("with all that its aliases repeat, the file is too large")
        );
    }
}
