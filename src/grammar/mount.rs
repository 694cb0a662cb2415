//! A volume to be mounted in a new machine.

use serde_json::{Value, json};

use super::fault;
use crate::error::Result;

/// A volume, and where it is to be mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The volume's name.
    pub name: String,
    /// The folder, from the root on.
    pub mountpoint: String,
    /// Whether it can only be read; the service's choice without.
    pub read_only: Option<bool>,
}

impl Mount {
    /// What CreateMachine takes.
    pub fn body(&self) -> Value {
        let mut body = json!({ "name": self.name, "mountpoint": self.mountpoint });
        if let Some(read_only) = self.read_only {
            body["mode"] = if read_only { "ro" } else { "rw" }.into();
        }
        body
    }
}

/// A mount from `NAME:/mountpoint[:ro|rw]` or `NAME@/mountpoint`.
///
/// # Errors
/// A usage error that points at the fault.
pub fn parse(text: &str) -> Result<Mount> {
    let wrong = |at, message: &str, expected: &str| Err(fault("volume", text, at, message, expected));
    let Some(sign) = text.find([':', '@']) else {
        return wrong(text.len(), "the mountpoint is missing", "expected :/FOLDER");
    };
    let (name, rest) = (&text[..sign], &text[sign + 1..]);
    if name.is_empty() {
        return wrong(0, "the name of the volume is missing", "expected NAME:/FOLDER");
    }
    if let Some((at, letter)) = name.char_indices().find(|(_, letter)| letter.is_control() || *letter == '/') {
        return wrong(at, &format!("'{}' can not be in a name", letter.escape_debug()), "expected NAME:/FOLDER");
    }
    let (mountpoint, mode) = match rest.split_once(':') {
        Some((mountpoint, mode)) if text[sign..].starts_with(':') => (mountpoint, Some(mode)),
        _ => (rest, None),
    };
    if !mountpoint.starts_with('/') {
        return wrong(sign + 1, "the mountpoint is not absolute", "expected a folder that begins with /");
    }
    if mountpoint.bytes().all(|byte| byte == b'/') {
        return wrong(sign + 1, "the root can not be a mountpoint", "expected a folder below it");
    }
    if let Some(at) = mountpoint.find('\0') {
        return wrong(sign + 1 + at, "no folder has a NUL in its name", "");
    }
    let read_only = match mode {
        None => None,
        Some("ro") => Some(true),
        Some("rw") => Some(false),
        Some(mode) => {
            let message = format!("'{}' is not a mode", mode.escape_debug());
            return wrong(text.len() - mode.len(), &message, "expected ro or rw");
        }
    };
    Ok(Mount { name: name.to_owned(), mountpoint: mountpoint.to_owned(), read_only })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_volume_has_a_mountpoint_and_perhaps_a_mode() {
        for (text, body) in [
            ("data:/srv/data", r#"{"name":"data","mountpoint":"/srv/data"}"#),
            ("data:/srv:ro", r#"{"name":"data","mountpoint":"/srv","mode":"ro"}"#),
            ("data:/srv:rw", r#"{"name":"data","mountpoint":"/srv","mode":"rw"}"#),
            ("data@/srv", r#"{"name":"data","mountpoint":"/srv"}"#),
            ("data@/a:b", r#"{"name":"data","mountpoint":"/a:b"}"#),
        ] {
            assert_eq!(parse(text).unwrap().body().to_string(), body, "{text}");
        }
    }

    #[test]
    fn each_fault_is_pointed_at() {
        for (text, message, hint) in [
            ("data", "the mountpoint is missing", "data\n    ^ expected :/FOLDER"),
            (":/srv", "the name of the volume is missing", ":/srv\n^ expected NAME:/FOLDER"),
            ("/srv:/srv", "'/' can not be in a name", "/srv:/srv\n^ expected NAME:/FOLDER"),
            ("data:srv", "the mountpoint is not absolute", "data:srv\n     ^ expected a folder that begins with /"),
            ("data://", "the root can not be a mountpoint", "data://\n     ^ expected a folder below it"),
            ("data:/srv:r", "'r' is not a mode", "data:/srv:r\n          ^ expected ro or rw"),
            ("data:/srv:", "'' is not a mode", "data:/srv:\n          ^ expected ro or rw"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(
                (error.message(), error.hints()[0].as_str()),
                (format!("volume: {message}").as_str(), hint),
                "{text}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics_and_every_caret_is_within_it(text in "[a:@/row\0é]{0,12}") {
            if let Err(error) = parse(&text) {
                prop_assert!(crate::grammar::tests::caret_is_within(error.hints()[0].as_str()));
            }
        }
    }
}
