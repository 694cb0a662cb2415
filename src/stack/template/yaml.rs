//! Reads the text of a template or an environment into a tree whose values know their places. The dialect is that of
//! Heat: YAML 1.1 scalars, merge keys, the last of repeated keys. `grammar::document` reads the stricter files of this
//! program. Size, depth and what aliases repeat are bounded.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::Value;

use super::fault::{Fault, Faults, Kind, Place};
use super::scalar;
use crate::sensitive::quoted;

/// The longest file, in bytes: that of Heat.
pub const MAX_LEN: usize = 512 * 1024;
/// So deep may lists and maps stand in each other.
const MAX_DEPTH: usize = 100;
/// So much may a file hold, with what its aliases repeat: about the memory that its values take.
const MAX_SIZE: usize = 12 << 20;
/// What a value takes besides its text.
const VALUE: usize = 96;
/// No name before a colon is longer, in bytes.
const MAX_NAME: usize = 1024;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub place: Place,
    pub tree: Tree,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A scalar as it was written, and what it means.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scalar {
    pub text: String,
    /// It is neither in quotes nor in a block, so that YAML's versions decide what it means.
    pub plain: bool,
    pub value: Value,
}

/// A member of a map.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub name: String,
    pub place: Place,
    pub node: Node,
}

impl Node {
    /// The members, where it is a map.
    pub fn members(&self) -> Option<&[Member]> {
        match &self.tree {
            Tree::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, where it is a list.
    pub fn list(&self) -> Option<&[Node]> {
        match &self.tree {
            Tree::List(list) => Some(list),
            _ => None,
        }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Scalar(Scalar { value: Value::String(text), .. }) => Some(text),
            _ => None,
        }
    }

    /// Whether nothing stands there.
    pub fn is_null(&self) -> bool {
        matches!(&self.tree, Tree::Scalar(Scalar { value: Value::Null, .. }))
    }

    /// The value, without its places.
    pub fn value(&self) -> Value {
        match &self.tree {
            Tree::Scalar(scalar) => scalar.value.clone(),
            Tree::List(list) => Value::Array(list.iter().map(Node::value).collect()),
            Tree::Map(members) => {
                Value::Object(members.iter().map(|member| (member.name.clone(), member.node.value())).collect())
            }
        }
    }

    /// What it is, in a word.
    pub fn word(&self) -> &'static str {
        match &self.tree {
            Tree::Scalar(scalar) => super::data::word(&scalar.value),
            Tree::List(_) => "a list",
            Tree::Map(_) => "a map",
        }
    }

    /// How deep lists and maps stand in it.
    fn depth(&self) -> usize {
        match &self.tree {
            Tree::Scalar(_) => 0,
            Tree::List(list) => 1 + list.iter().map(Node::depth).max().unwrap_or_default(),
            Tree::Map(members) => 1 + members.iter().map(|one| one.node.depth()).max().unwrap_or_default(),
        }
    }

    /// How much it holds, with what is in it.
    fn size(&self) -> usize {
        match &self.tree {
            Tree::Scalar(scalar) => VALUE + scalar.text.len(),
            Tree::List(list) => VALUE + list.iter().map(Node::size).sum::<usize>(),
            Tree::Map(members) => VALUE + members.iter().map(|one| one.name.len() + one.node.size()).sum::<usize>(),
        }
    }
}

/// Reads a file: JSON where all of it is JSON, else YAML. It holds one document.
///
/// # Errors
/// The fault that makes the rest unreadable.
pub(super) fn read(bytes: &[u8], faults: &Faults) -> Result<Node, Fault> {
    let whole = |words: String| Fault::new(Kind::Syntax, Place::default(), "", words);
    if bytes.len() > MAX_LEN {
        let words = format!("the file has {} bytes, and at most {MAX_LEN} are allowed", bytes.len());
        return Err(whole(words));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        whole(format!("the file is not UTF-8: byte {at} (0x{:02x})", bytes.get(at).copied().unwrap_or_default()))
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            faults.lint(Place { line: 1, column: 1 }, "", "the file begins with a byte order mark, which is left out");
            rest
        }
        None => text,
    };
    let is_json = text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), size: 0, faults, is_json };
    let mut found: Option<Node> = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => break,
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
            (event, span) => {
                let node = reader.node(event, span, 0)?;
                if found.is_some() {
                    let words = "a second document begins here, and a file holds one";
                    return Err(Fault::new(Kind::Syntax, node.place, "", words));
                }
                found = Some(node);
            }
        }
    }
    found.filter(|node| !node.is_null()).ok_or_else(|| whole("the file is empty".to_owned()))
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// What aliases mean, and how deep that is.
    anchors: HashMap<usize, (Node, usize)>,
    size: usize,
    faults: &'a Faults,
    /// Numbers are JSON's then, in which `1e3` is one.
    is_json: bool,
}

fn place(span: Span) -> Place {
    Place { line: span.start.line(), column: span.start.col() + 1 }
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Fault> {
        self.parser.next_event().unwrap_or(Ok((Event::StreamEnd, Span::default()))).map_err(|error| {
            let place = Place { line: error.marker().line(), column: error.marker().col() + 1 };
            let fault = Fault::new(Kind::Syntax, place, "", format!("this is not YAML: {}", error.info()));
            match error.info().contains("tab") {
                true => fault.right("indent with spaces"),
                false => fault,
            }
        })
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Fault> {
        let place = place(span);
        let fault = |words: &str| Fault::new(Kind::Syntax, place, "", words);
        if depth > MAX_DEPTH {
            return Err(fault(&format!("lists and maps are more than {MAX_DEPTH} deep")));
        }
        let (anchor, tree) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, Tree::Scalar(self.scalar(place, &text, style, tag.as_deref())?))
            }
            Event::SequenceStart(anchor, tag) => {
                untagged(place, tag.as_deref(), "seq")?;
                let mut list = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => list.push(self.node(event, span, depth + 1)?),
                    }
                }
                (anchor, Tree::List(list))
            }
            Event::MappingStart(anchor, tag) => {
                untagged(place, tag.as_deref(), "map")?;
                (anchor, Tree::Map(self.members(depth)?))
            }
            Event::Alias(anchor) => {
                let Some((node, deep)) = self.anchors.get(&anchor) else {
                    return Err(fault("the alias stands within what it means"));
                };
                if depth + deep > MAX_DEPTH {
                    return Err(fault(&format!("lists and maps are more than {MAX_DEPTH} deep")));
                }
                let (node, size) = (node.clone(), node.size());
                self.grow(place, size)?;
                return Ok(node);
            }
            _ => return Err(fault("the document ends too early")),
        };
        let node = Node { place, tree };
        if matches!(node.tree, Tree::Scalar(_)) {
            self.grow(place, node.size())?;
        }
        if anchor > 0 {
            self.grow(place, node.size())?;
            self.anchors.insert(anchor, (node.clone(), node.depth()));
        }
        Ok(node)
    }

    fn members(&mut self, depth: usize) -> Result<Vec<Member>, Fault> {
        let (mut members, mut merged) = (Members::default(), Vec::new());
        loop {
            let (event, span) = self.next()?;
            let place = place(span);
            if event == Event::MappingEnd {
                break;
            }
            let plain = matches!(event, Event::Scalar(_, ScalarStyle::Plain, _, None));
            let name = match self.node(event, span, depth + 1)?.tree {
                Tree::Scalar(Scalar { text, .. }) => text,
                _ => return Err(Fault::new(Kind::Syntax, place, "", "a name before a colon must be text")),
            };
            if name.len() > MAX_NAME {
                let words = format!("a name before a colon has at most {MAX_NAME} bytes");
                return Err(Fault::new(Kind::Syntax, place, "", words));
            }
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1)?;
            if plain && name == "<<" {
                // Of several keys the later one is stronger, and within a list the earlier map.
                let mut own = Vec::new();
                merge(node, &mut own)?;
                own.append(&mut merged);
                merged = own;
                continue;
            }
            if let Some(before) = members.put(Member { name: name.clone(), place, node }) {
                let words =
                    format!("{} is given twice: this one counts, not that of line {}", quoted(&name), before.line);
                self.faults.lint(place, "", words);
            }
        }
        // What is merged gives way to what the map has itself, and to what was merged before.
        merged.into_iter().for_each(|member| members.put_new(member));
        Ok(members.list)
    }

    fn scalar(&self, place: Place, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Scalar, Fault> {
        let fault = |words: &str| Fault::new(Kind::Syntax, place, "", words);
        let resolved = || match self.is_json {
            true => Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))),
            false => scalar::resolve(text).map_err(|error| fault(error.words())),
        };
        let core = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
        let (plain, value) = match (core, style) {
            (Some("str"), _) => (false, Value::String(text.to_owned())),
            (Some(word @ ("int" | "float" | "bool" | "null")), _) => {
                let value = resolved()?;
                let fits = match word {
                    "int" => value.is_i64() || value.is_u64(),
                    "float" => value.is_number(),
                    "bool" => value.is_boolean(),
                    _ => value.is_null(),
                };
                if !fits {
                    return Err(fault(&format!("this is not what its tag !!{word} says")));
                }
                (false, value)
            }
            (None, ScalarStyle::Plain) if tag.is_none() => (!self.is_json, resolved()?),
            (None, _) if tag.is_none() => (false, Value::String(text.to_owned())),
            _ => return Err(unknown_tag(place)),
        };
        Ok(Scalar { text: text.to_owned(), plain, value })
    }

    fn grow(&mut self, place: Place, by: usize) -> Result<(), Fault> {
        self.size = self.size.saturating_add(by);
        match self.size > MAX_SIZE {
            true => Err(Fault::new(Kind::Syntax, place, "", "with all that its aliases repeat, the file is too large")),
            false => Ok(()),
        }
    }
}

/// Members by their names, each once.
#[derive(Default)]
struct Members {
    list: Vec<Member>,
    at: HashMap<String, usize>,
}

impl Members {
    /// Puts one in the place of what has its name, and returns where that was.
    fn put(&mut self, member: Member) -> Option<Place> {
        match self.at.get(&member.name).and_then(|at| self.list.get_mut(*at)) {
            Some(known) => Some(std::mem::replace(known, member).place),
            None => {
                self.at.insert(member.name.clone(), self.list.len());
                self.list.push(member);
                None
            }
        }
    }

    /// Adds one, unless there is one of its name.
    fn put_new(&mut self, member: Member) {
        if !self.at.contains_key(&member.name) {
            self.put(member);
        }
    }
}

/// The members that a merge key adds: of a map, or of each of a list.
fn merge(node: Node, merged: &mut Vec<Member>) -> Result<(), Fault> {
    let fault = |place| Fault::new(Kind::Syntax, place, "", "<< merges a map, or a list of maps");
    let maps = match node.tree {
        Tree::List(list) => list,
        tree => vec![Node { place: node.place, tree }],
    };
    for map in maps {
        match map.tree {
            Tree::Map(members) => merged.extend(members),
            _ => return Err(fault(map.place)),
        }
    }
    Ok(())
}

fn unknown_tag(place: Place) -> Fault {
    let words = "of tags, only !!str, !!int, !!float, !!bool, !!null, !!map and !!seq are known";
    Fault::new(Kind::Syntax, place, "", words)
}

fn untagged(place: Place, tag: Option<&Tag>, own: &str) -> Result<(), Fault> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() || tag.suffix != own => Err(unknown_tag(place)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, Vec<String>) {
        let faults = Faults::default();
        let node = read(text.as_bytes(), &faults);
        let shown = node.map_or_else(|fault| fault.to_string(), |node| node.value().to_string());
        (shown, faults.lints().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn values_are_those_of_yaml_1_1_and_of_json() {
        let yaml = "on: yes\nsize: 0777\nquoted: \"yes\"\nblock: |\n  a\n  b\nroute: 10.11.0.0/24:10.10.0.50\nnone:\n";
        let expected =
            r#"{"on":true,"size":511,"quoted":"yes","block":"a\nb\n","route":"10.11.0.0/24:10.10.0.50","none":null}"#;
        assert_eq!(parsed(yaml).0, expected);
        assert_eq!(parsed(r#"{"a": 1e3, "b": "😀", "c": [true, null]}"#).0, r#"{"a":1000.0,"b":"😀","c":[true,null]}"#);
        assert_eq!(parsed("[get_param: a, get_attr: [b, c]]").0, r#"[{"get_param":"a"},{"get_attr":["b","c"]}]"#);
        assert_eq!(parsed("a: !!str 12\nb: !!int '7'\n").0, r#"{"a":"12","b":7}"#);
    }

    #[test]
    fn merged_maps_give_way_to_their_own_members_and_to_earlier_ones() {
        let yaml = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  <<: [*x, *y]\n  a: 9\n";
        assert_eq!(parsed(yaml).0, r#"{"x":{"a":1,"b":2},"y":{"b":3,"c":4},"z":{"a":9,"b":2,"c":4}}"#);
        assert_eq!(parsed("a: {<<: 3}").0, "1:9: << merges a map, or a list of maps");
        assert_eq!(parsed("a: {'<<': 3}").0, r#"{"a":{"<<":3}}"#);
    }

    #[test]
    fn of_repeated_names_the_last_counts_and_a_lint_tells_both_lines() {
        let (shown, lints) = parsed("a: 1\nb: 2\na: 3\n");
        assert_eq!(shown, r#"{"a":3,"b":2}"#);
        assert_eq!(lints, ["3:1: a is given twice: this one counts, not that of line 1"]);
    }

    #[test]
    fn every_value_and_name_knows_its_place() {
        let faults = Faults::default();
        let node = read(b"a:\n  bc: [1,\n    x]\n", &faults).unwrap();
        let inner = &node.members().unwrap()[0].node;
        let member = &inner.members().unwrap()[0];
        assert_eq!(member.place, Place { line: 2, column: 3 });
        assert_eq!(member.node.list().unwrap()[1].place, Place { line: 3, column: 5 });
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_place() {
        for (text, words) in [
            ("", "the file is empty"),
            ("# nothing\n", "the file is empty"),
            ("a: 1\n---\nb: 2\n", "3:1: a second document begins here, and a file holds one"),
            ("? [a]\n: b\n", "1:3: a name before a colon must be text"),
            ("a: &x {b: *x}\n", "1:11: the alias stands within what it means"),
            (
                "a: !include other.yaml\n",
                "1:4: of tags, only !!str, !!int, !!float, !!bool, !!null, !!map and !!seq are known",
            ),
            ("a: .inf\n", "1:4: infinity and not-a-number cannot be sent"),
            ("a: !!int web\n", "1:4: this is not what its tag !!int says"),
        ] {
            assert_eq!(parsed(text).0, words, "{text}");
        }
        let tab = parsed("a:\n\tb: 1\n").0;
        assert!(tab.starts_with("2:") && tab.contains("indent with spaces"), "{tab}");
        let binary = read(b"a: \xff\n", &Faults::default()).unwrap_err().to_string();
        assert_eq!(binary, "the file is not UTF-8: byte 3 (0xff)");
        assert!(read(&vec![b'a'; MAX_LEN + 1], &Faults::default()).unwrap_err().words.contains("at most 524288"));
        let (shown, lints) = parsed("\u{feff}a: 1\r\n");
        assert_eq!((shown.as_str(), lints.len()), (r#"{"a":1}"#, 1));
    }

    #[test]
    fn depth_and_what_aliases_repeat_are_bounded() {
        for text in ["[".repeat(10_000), "[".repeat(200) + &"]".repeat(200), "- ".repeat(10_000), "{a: ".repeat(5000)] {
            assert!(read(text.as_bytes(), &Faults::default()).is_err(), "{}", &text[..20]);
        }
        let mut bomb = format!("a0: &a0 {}\n", "x".repeat(1000));
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(parsed(&bomb).0.ends_with("with all that its aliases repeat, the file is too large"));
    }
}
