//! From a file of fields to arguments: documents of YAML or JSON whose names are those of an operation's fields, on the
//! wire or as options. Errors name the line and the field, and never show what may be a secret.
//!
//! ```
//! use sdc::api::cloudapi::machines::CREATE;
//! use sdc::tasks::document;
//! use sdc::tasks::values::Folders;
//!
//! let files = Folders { folder: "/nowhere".as_ref(), home: None };
//! let text = "image: base-64\npackage: g1-small\ntags: {version: 1.10}\n---\nimage: base-64\npackage: g1-nano\n";
//! let machines = document::arguments(&CREATE, "machines.yaml", text, &files)?;
//! assert_eq!(machines.len(), 2);
//! assert_eq!(machines[0].text("tag.version"), Some("1.10"));
//!
//! let error = document::arguments(&CREATE, "machines.yaml", "imgae: base-64", &files).unwrap_err();
//! assert_eq!(error.message(), "machines.yaml: line 1: there is no field 'imgae'");
//! # Ok::<(), sdc::Error>(())
//! ```

use std::path::{Path, PathBuf};

use super::recipe::{self, NOT_HERE};
use super::secrets::Place;
use super::values::{self, FILE_LIMIT, Files};
use crate::api::{Field, Kind, Op};
use crate::error::{Error, Result};
use crate::grammar::document::{self, Node, Value};
use crate::grammar::nearest;
use crate::request::{Arg, Args};
use crate::sensitive::quoted;

/// Options of commands, which say how something is made and not what.
const OPTIONS: &[&str] = &["idempotency-key", "if-absent", "count", "on-failure", "wait", "timeout", "parallel"];

/// Reads a file of documents, `-` for standard input. Paths in it are relative to its folder.
///
/// # Errors
/// A usage error that names the file, the line and the field.
pub fn read(op: &Op, file: &str, files: &dyn Files) -> Result<Vec<Args>> {
    let bytes = files.read(file, FILE_LIMIT)?;
    let text =
        String::from_utf8(bytes).map_err(|_| Error::usage(format!("{} is not text (UTF-8)", values::shown(file))))?;
    arguments(op, file, &text, files)
}

/// Reads the arguments of each document of a text. `file` is where it is from.
///
/// # Errors
/// As [`read`].
pub fn arguments(op: &Op, file: &str, text: &str, files: &dyn Files) -> Result<Vec<Args>> {
    let about = |error: Error| error.about(&values::shown(file));
    let documents = document::read(text).map_err(about)?;
    if documents.is_empty() {
        return Err(Error::usage(format!("{} holds nothing: NAME: VALUE, as YAML or JSON", values::shown(file))));
    }
    for (at, line) in text.lines().enumerate() {
        // A document that was made of a machine says what it cannot say.
        if let Some(words) = line.strip_prefix(NOT_HERE).filter(|words| recipe::is_told(words)) {
            let place = format!("{}, line {}", values::shown(file), at + 1);
            files.doubt(&format!("{place}: it is made without {}", quoted(words)));
        }
    }
    let reader = Reader { op, files: &Beside { file, files } };
    // A list of them is several documents.
    let lists = |node: Node| match node.value {
        Value::List(list) => list,
        value => vec![Node { line: node.line, value }],
    };
    documents.into_iter().flat_map(lists).map(|node| reader.document(&node).map_err(about)).collect()
}

/// Files whose paths are relative to the folder of another file.
struct Beside<'a> {
    file: &'a str,
    files: &'a dyn Files,
}

impl Beside<'_> {
    fn at(&self, file: &str) -> String {
        let path = Path::new(file);
        let folder = Path::new(self.file).parent().filter(|folder| self.file != "-" && !folder.as_os_str().is_empty());
        match folder {
            Some(folder) if file != "-" && path.is_relative() && !path.starts_with("~") => {
                folder.join(path).to_string_lossy().into_owned()
            }
            _ => file.to_owned(),
        }
    }
}

impl Files for Beside<'_> {
    fn read(&self, file: &str, limit: u64) -> Result<Vec<u8>> {
        self.files.read(&self.at(file), limit)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.files.path(&self.at(file))
    }
}

struct Reader<'a> {
    op: &'a Op,
    files: &'a dyn Files,
}

impl Reader<'_> {
    fn document(&self, node: &Node) -> Result<Args> {
        let Value::Map(map) = &node.value else {
            return Err(Error::usage(format!("line {}: these are not fields: NAME: VALUE", node.line)));
        };
        let mut args = Args::new();
        for (name, node) in map {
            let field = self.field(name).map_err(|error| at(node, error))?;
            match (field.kind, &node.value) {
                // Each has a line of its own.
                (Kind::Pairs(_) | Kind::Object, Value::Map(map)) if !map.is_empty() => {
                    map.iter().try_for_each(|(name, node)| {
                        pair(&mut args, field, name, node).map_err(|error| at(node, error))
                    })?;
                }
                _ => self.set(&mut args, field, name, node).map_err(|error| at(node, error))?,
            }
        }
        Ok(args)
    }

    /// The field that a name means: its name on the wire, its option, or one of a group.
    fn field(&self, name: &str) -> Result<&'static Field> {
        let fields = self.op.fields.iter().filter(|field| !matches!(field.kind, Kind::CopyOf(_)));
        let mut fields = fields.collect::<Vec<_>>();
        // What the option reads from a file stands here by its name on the wire.
        fields.sort_by_key(|field| field.name != name);
        let in_group = |field: &&Field| matches!(field.kind, Kind::Pairs(group) if is_in(group, name).is_some());
        // As machines show them.
        let called = if name == "tags" && fields.iter().all(|field| field.name != name) { "tag" } else { name };
        let found = fields.iter().copied().find(|field| field.is_called(called));
        found.or_else(|| fields.iter().copied().find(in_group)).ok_or_else(|| {
            let mut known: Vec<String> = Vec::new();
            for name in fields.iter().flat_map(|field| [field.name.to_owned(), field.long_name()]) {
                if !known.contains(&name) && !name.is_empty() {
                    known.push(name);
                }
            }
            let error = Error::usage(format!("there is no field '{}'", quoted(name)));
            if let Some(option) = OPTIONS.iter().find(|option| option.replace('-', "_") == name.replace('-', "_")) {
                return error.hint(format!("it goes on the command line: --{option}"));
            }
            match nearest(name, &known.iter().map(String::as_str).collect::<Vec<_>>()) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error.hint(format!("known: {}", known.join(", "))),
            }
        })
    }

    fn set(&self, args: &mut Args, field: &'static Field, name: &str, node: &Node) -> Result<()> {
        let wrong = |expected: &str| Err(Error::usage(format!("{name} is not {expected}")));
        if node.value == Value::Null && !matches!(field.kind, Kind::TextOrEmpty) {
            return Err(Error::usage(format!("{name} has no value")));
        }
        match (field.kind, &node.value) {
            (Kind::Pairs(group), _) if let Some(one) = is_in(group, name) => pair(args, field, one, node),
            (Kind::Object, Value::Map(_)) if self.op.assigns => {
                args.push(field.name, Arg::json("{}")?);
                Ok(())
            }
            (Kind::Pairs(_) | Kind::Object, Value::Map(_)) => Ok(()),
            (Kind::Pairs(_) | Kind::Object, _) => wrong("a map of names and values"),
            (Kind::PairFiles(_), Value::Map(map)) => map.iter().try_for_each(|(name, file)| {
                let Some(file) = text(file) else { return wrong("a map of names and files") };
                values::add(args, field, &format!("{name}=@{file}"), self.files)
            }),
            (Kind::PairFiles(_), _) => wrong("a map of names and files"),
            (Kind::Json, _) => {
                args.push(field.name, Arg::json(&json(node))?);
                Ok(())
            }
            // By its name on the wire it is the text itself.
            (Kind::File | Kind::Secret, Value::Text(text) | Value::Plain(text)) if field.name == name => {
                args.push(field.name, Arg::Text(text.clone()));
                Ok(())
            }
            (Kind::Flag(value), Value::Plain(typed)) => match typed.as_str() {
                "true" => values::add(args, field, value, self.files),
                "false" => Ok(()),
                _ => wrong("true or false"),
            },
            (Kind::Flag(_), _) => wrong("true or false"),
            (kind, Value::List(list)) if values::several(kind) => {
                if list.is_empty() && self.op.assigns {
                    let name = if matches!(kind, Kind::Members(_)) { "members" } else { field.name };
                    args.push(name, Arg::json("[]")?);
                }
                list.iter().try_for_each(|entry| self.entry(args, field, name, entry))
            }
            _ => self.entry(args, field, name, node),
        }
    }

    /// Adds one value, or one of several.
    fn entry(&self, args: &mut Args, field: &'static Field, name: &str, node: &Node) -> Result<()> {
        if let Value::Map(map) = &node.value
            && let Some((field, typed)) = self.object(field, map)
        {
            return values::add(args, field, &typed, self.files);
        }
        match text(node) {
            Some(typed) => {
                if let Some(sort) = Place::of_field(field, "", typed).0.refuses(typed, self.files) {
                    return Err(Error::usage(format!("{name} holds {sort}, which does not belong there")));
                }
                values::one_of(field, typed)?;
                if typed.is_empty() && !matches!(field.kind, Kind::TextOrEmpty) {
                    return Err(Error::usage(format!("{name} is empty")));
                }
                values::add(args, field, typed, self.files)
            }
            None if values::several(field.kind) => Err(Error::usage(format!("{name} is not a list of texts"))),
            None => Err(Error::usage(format!("{name} is not a single value"))),
        }
    }

    /// The text of what is an object on the wire, and the field that takes it.
    fn object(&self, field: &'static Field, map: &[(String, Node)]) -> Option<(&'static Field, String)> {
        match field.kind {
            Kind::Interfaces(_) => Some((field, json_map(map))),
            Kind::Refs(_) | Kind::Nics => {
                let nics = self.op.fields.iter().find(|field| matches!(field.kind, Kind::Nics))?;
                let part = |(name, node): &(String, Node)| match &node.value {
                    Value::List(list) => {
                        Some(format!("{name}={}", list.iter().map(text).collect::<Option<Vec<_>>>()?.join(" ")))
                    }
                    _ => Some(format!("{name}={}", text(node)?)),
                };
                Some((nics, map.iter().map(part).collect::<Option<Vec<_>>>()?.join(",")))
            }
            Kind::Mounts => {
                let of = |wanted: &str| map.iter().find(|(name, _)| name == wanted).and_then(|(_, node)| text(node));
                let known = ["name", "mountpoint", "mode", "type"];
                if map.iter().any(|(name, _)| !known.contains(&name.as_str())) {
                    return None;
                }
                let mode = of("mode").map(|mode| format!(":{mode}")).unwrap_or_default();
                Some((field, format!("{}:{}{mode}", of("name")?, of("mountpoint")?)))
            }
            // Sizes may have units, unless there is what only the API's own form has.
            Kind::Disks if !map.is_empty() && map.iter().all(|(name, _)| name == "size" || name == "block_size") => {
                let parts = map.iter().map(|(name, node)| Some(format!("{name}={}", text(node)?)));
                Some((field, parts.collect::<Option<Vec<_>>>()?.join(",")))
            }
            Kind::Disks => Some((field, json_map(map))),
            _ => None,
        }
    }
}

fn at(node: &Node, error: Error) -> Error {
    error.about(&format!("line {}", node.line))
}

/// The name within a group, such as `role` of `tag.role`. `tags` and `metadata` are the groups as a whole.
fn is_in<'a>(group: &str, name: &'a str) -> Option<&'a str> {
    name.strip_prefix(group).filter(|rest| !rest.is_empty())
}

/// Adds a tag or metadata.
fn pair(args: &mut Args, field: &Field, name: &str, node: &Node) -> Result<()> {
    let value = match &node.value {
        Value::List(_) | Value::Map(_) if field.deep => Arg::json(&json(node))?,
        value => super::pair::of_node(name, value)?,
    };
    super::pair::check_name(name)?;
    if name.is_empty() || name.contains('=') {
        return Err(Error::usage(format!("'{}' cannot be a name here", quoted(name))));
    }
    values::add_one(args, field, name, value)
}

/// The text of a scalar.
fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Text(text) | Value::Plain(text) => Some(text),
        Value::Null => Some(""),
        Value::List(_) | Value::Map(_) => None,
    }
}

/// A node as JSON.
fn json(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Plain(text) if serde_json::from_str::<serde_json::Number>(text).is_ok() => text.clone(),
        Value::Plain(text) if matches!(text.as_str(), "true" | "false") => text.clone(),
        Value::Plain(text) | Value::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::List(list) => format!("[{}]", list.iter().map(json).collect::<Vec<_>>().join(",")),
        Value::Map(map) => json_map(map),
    }
}

fn json_map(map: &[(String, Node)]) -> String {
    let members = map.iter().map(|(name, node)| format!("{}:{}", serde_json::Value::from(name.as_str()), json(node)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cloudapi::{account, machines};
    use crate::request::Request;
    use crate::tasks::values::Folders;

    fn files() -> Folders<'static> {
        Folders { folder: Path::new("/nowhere"), home: None }
    }

    fn body(op: &Op, text: &str) -> Result<String> {
        let args = arguments(op, "f", text, &files())?.remove(0);
        let (_, body) = Request::new(op, &args, "acme")?.body.unwrap();
        Ok(String::from_utf8(body).unwrap())
    }

    #[test]
    fn what_a_document_of_a_machine_says_it_leaves_out_is_told() {
        struct Heard(std::cell::RefCell<Vec<String>>);
        impl Files for Heard {
            fn read(&self, _: &str, _: u64) -> Result<Vec<u8>> {
                Ok(Vec::new())
            }
            fn path(&self, file: &str) -> PathBuf {
                file.into()
            }
            fn doubt(&self, words: &str) {
                self.0.borrow_mut().push(words.to_owned());
            }
        }
        let heard = Heard(std::cell::RefCell::default());
        let text = "name: a\n# not here: volume data: unseen\n# not here: affinity: the service does not show it\n";
        arguments(&machines::CREATE, "a.yaml", text, &heard).unwrap();
        assert_eq!(*heard.0.borrow(), ["a.yaml, line 2: it is made without volume data: unseen"]);
    }

    #[test]
    fn what_a_service_is_set_up_with_may_hold_lists_and_objects() {
        let text = "name: probe\napplication: a\nparams: {networks: [admin], tags: {role: probe}, alias: probe0}\n";
        assert_eq!(
            body(&crate::api::admin::sapi::CREATE_SERVICE, text).unwrap(),
            r#"{"name":"probe","application_uuid":"a","params":{"networks":["admin"],"tags":{"role":"probe"},"alias":"probe0"}}"#
        );
    }

    #[test]
    fn a_machine_is_read_in_the_names_of_options_and_of_the_api() {
        let options = "image: i\npackage: p\nname: web\nnetwork: [a, {network: b, ip: 10.0.0.7}]\ntag: {version: 1.10, weight: 10, on: true, zip: \"7\"}\n\
                       metadata: {user-script: \"#!/bin/sh\\n\"}\nfirewall: true\ndeletion-protection: false\n\
                       affinity: instance!=web*\nvolume: [data:/srv:ro]\ndisk: [image, 10G]\n";
        let api = r##"{"image":"i","package":"p","name":"web","networks":["a",{"network":"b","ipv4_ips":["10.0.0.7"]}],
                      "tag.version":"1.10","tag.weight":10,"tag.on":true,"tag.zip":"7",
                      "metadata.user-script":"#!/bin/sh\n","firewall_enabled":true,"deletion_protection":false,
                      "affinity":["instance!=web*"],"volumes":[{"name":"data","mountpoint":"/srv","mode":"ro","type":"tritonnfs"}],
                      "disks":[{},{"size":10240}]}"##;
        let expected = r##"{"image":"i","package":"p","name":"web","networks":["a",{"ipv4_uuid":"b","ipv4_ips":["10.0.0.7"]}],"tag.version":"1.10","tag.weight":10,"tag.on":true,"tag.zip":"7","metadata.user-script":"#!/bin/sh\n","firewall_enabled":true,"affinity":["instance!=web*"],"volumes":[{"name":"data","mountpoint":"/srv","mode":"ro"}],"disks":[{},{"size":10240}]}"##;
        assert_eq!(body(&machines::CREATE, options).unwrap(), expected);
        assert_eq!(body(&machines::CREATE, api).unwrap(), expected);
    }

    #[test]
    fn fields_are_checked_and_faults_have_a_line_and_show_no_secret() {
        for (text, message) in [
            ("image: i\nimgae: p\n", "f: line 2: there is no field 'imgae'"),
            ("image: [a]\n", "f: line 1: image is not a single value"),
            ("firewall: yes\n", "f: line 1: firewall is not true or false"),
            ("brand: lx\n", "f: line 1: 'lx' is not a valid brand"),
            ("tags: [s3cret]\n", "f: line 1: tags is not a map of names and values"),
            (
                "metadata:\n  a: {b: s3cret}\n",
                "f: line 2: 'a' is not text, a number, true or false: nothing else can be kept",
            ),
            ("name:\n", "f: line 1: name has no value"),
            ("- s3cret\n", "f: line 1: these are not fields: NAME: VALUE"),
            ("image: i\nimage: s3cret\n", "f: line 2: image is given twice"),
            ("", "f holds nothing: NAME: VALUE, as YAML or JSON"),
        ] {
            let error = arguments(&machines::CREATE, "f", text, &files()).unwrap_err();
            assert_eq!(error.message(), message, "{text}");
            assert!(!format!("{error:?}").contains("s3cret"));
        }
        let error = arguments(&machines::CREATE, "f", "imgae: p", &files()).unwrap_err();
        assert_eq!(error.hints(), ["did you mean image?"]);
    }

    #[test]
    fn data_of_an_account_keeps_its_types() {
        let text = "phone: 0123\ntriton_cns_enabled: true\n";
        assert_eq!(body(&account::UPDATE, text).unwrap(), r#"{"phone":"0123","triton_cns_enabled":true}"#);
        assert!(body(&account::UPDATE, "triton_cns_enabled: maybe\n").is_err());
    }
}
