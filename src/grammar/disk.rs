//! The disks of a new machine, with the image's own disk as the first.

use serde_json::{Map, Value};

use super::{fault, is_uuid, mebibytes, nearest};
use crate::error::{Error, Result};

/// The most disks that a machine has.
pub const MAX_DISKS: usize = 8;

/// The sizes of a block, in bytes: a power of two between these.
const BLOCKS: std::ops::RangeInclusive<u64> = 512..=131_072;

const WHAT: &str = "disk";

/// A disk as CreateMachine takes it, from `SIZE`, `remaining`, `image`, `SIZE,block_size=BYTES`, with `size=` before
/// the size or without, or from a JSON object.
///
/// Sizes are MiB, or have a unit: `10G`. `image` and `{}` leave the first disk as large as the image is.
///
/// # Errors
/// A usage error that says what is wrong with it.
pub fn parse(text: &str) -> Result<Value> {
    if text.trim_start().starts_with(['{', '"', '[']) {
        return from_json(text);
    }
    let mut disk = Map::new();
    let mut at = 0;
    for (count, part) in text.split(',').enumerate() {
        let here = at;
        at += part.len() + 1;
        let (name, value) = match part.split_once('=') {
            Some(pair) => pair,
            None if count == 0 && part == "image" => continue,
            None if count == 0 => ("size", part),
            None => return Err(fault(WHAT, text, here, "this part has no name", "expected block_size=BYTES")),
        };
        let value_at = here + part.len() - value.len();
        if disk.contains_key(name) {
            return Err(fault(WHAT, text, here, &format!("{name} is given twice"), ""));
        }
        let value = match name {
            "size" => size(text, value_at, value)?,
            "block_size" => block(text, value_at, value)?,
            _ => {
                let error = fault(WHAT, text, here, &format!("there is no '{name}'"), "expected size or block_size");
                return Err(match nearest(name, &["size", "block_size"]) {
                    Some(near) => {
                        error.hint(format!("did you mean {}?", super::shell::quoted(&format!("{near}={value}"))))
                    }
                    None => error,
                });
            }
        };
        disk.insert(name.to_owned(), value);
    }
    Ok(Value::Object(disk))
}

fn size(text: &str, at: usize, value: &str) -> Result<Value> {
    if value == "remaining" {
        return Ok(value.into());
    }
    match mebibytes(value) {
        Ok(0) => Err(fault(WHAT, text, at, "a disk of no size", "expected MiB, 10G, or remaining")),
        Ok(size) => Ok(size.into()),
        Err(_) => {
            let message = format!("'{}' is not a size", value.escape_debug());
            let error = fault(WHAT, text, at, &message, "expected MiB, 10G, remaining or image");
            // The older tools read a file here.
            Err(if value.starts_with('@') { error.hint("a disk in a file: --disk \"$(cat FILE)\"") } else { error })
        }
    }
}

fn block(text: &str, at: usize, value: &str) -> Result<Value> {
    match value.parse::<u64>() {
        Ok(size) if fits(size) => Ok(size.into()),
        _ => {
            let message = format!("'{}' is not a size of a block", value.escape_debug());
            Err(fault(WHAT, text, at, &message, "expected a power of two from 512 to 131072"))
        }
    }
}

fn fits(block: u64) -> bool {
    block.is_power_of_two() && BLOCKS.contains(&block)
}

/// A disk as node-triton takes it: an object, or the text `"remaining"`.
fn from_json(text: &str) -> Result<Value> {
    let wrong = |words: String| Error::usage(format!("disk {text}: {words}"));
    let value: Value =
        serde_json::from_str(text).map_err(|error| wrong("this is not JSON".to_owned()).because(error))?;
    let disk = match value {
        Value::Object(disk) => disk,
        Value::String(word) if word == "remaining" => Map::from_iter([("size".to_owned(), word.into())]),
        _ => return Err(wrong("it is not an object".to_owned()).hint(r#"as in {"size":10240} for 10 GiB"#)),
    };
    for (name, value) in &disk {
        let (good, expected) = match name.as_str() {
            "size" => (
                value == "remaining" || value.as_u64().is_some_and(|size| size > 0),
                "a number of MiB, or \"remaining\"",
            ),
            "block_size" => (value.as_u64().is_some_and(fits), "a power of two from 512 to 131072"),
            "boot" => (value.is_boolean(), "true or false"),
            "id" | "image" => (value.as_str().is_some_and(is_uuid), "a UUID"),
            _ => return Err(wrong(format!("there is no '{name}'")).hint("known: size, block_size, boot, image, id")),
        };
        if !good {
            return Err(wrong(format!("{name} must be {expected}")));
        }
    }
    Ok(Value::Object(disk))
}

/// Checks all disks of a machine together.
///
/// # Errors
/// A usage error: too many, more than one that takes what remains, or a block size on the image's own disk.
pub fn check(list: &[Value]) -> Result<()> {
    if list.len() > MAX_DISKS {
        return Err(Error::usage(format!("a machine has at most {MAX_DISKS} disks, and here are {}", list.len())));
    }
    let remaining = list.iter().filter(|disk| disk.get("size").is_some_and(|size| size == "remaining"));
    if remaining.count() > 1 {
        return Err(Error::usage("only one disk can take what remains"));
    }
    for (at, disk) in list.iter().enumerate() {
        if at == 0 && disk.get("block_size").is_some() {
            return Err(Error::usage("the first disk is the image's, whose block size can not be chosen")
                .hint("put the image's disk before it: --disk image"));
        }
        if at > 0 && disk.get("size").is_none() {
            return Err(Error::usage(format!(
                "disk {} has no size; only the first can be as large as the image",
                at + 1
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_disk_is_what_the_service_takes() {
        for (text, body) in [
            ("10240", r#"{"size":10240}"#),
            ("10G", r#"{"size":10240}"#),
            ("remaining", r#"{"size":"remaining"}"#),
            ("image", "{}"),
            ("{}", "{}"),
            ("1T,block_size=4096", r#"{"size":1048576,"block_size":4096}"#),
            ("size=10G,block_size=512", r#"{"size":10240,"block_size":512}"#),
            ("size=remaining", r#"{"size":"remaining"}"#),
            (r#"{"size":10240}"#, r#"{"size":10240}"#),
            (r#""remaining""#, r#"{"size":"remaining"}"#),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), body, "{text}");
        }
    }

    #[test]
    fn each_fault_is_pointed_at() {
        for (text, message, hint) in [
            ("", "'' is not a size", "\n^ expected MiB, 10G, remaining or image"),
            ("10X", "'10X' is not a size", "10X\n^ expected MiB, 10G, remaining or image"),
            ("0", "a disk of no size", "0\n^ expected MiB, 10G, or remaining"),
            ("1G,2G", "this part has no name", "1G,2G\n   ^ expected block_size=BYTES"),
            ("1G,size=2G", "size is given twice", "1G,size=2G\n   ^"),
            (
                "1G,block_size=1000",
                "'1000' is not a size of a block",
                "1G,block_size=1000\n              ^ expected a power of two from 512 to 131072",
            ),
            (
                "1G,block_size=262144",
                "'262144' is not a size of a block",
                "1G,block_size=262144\n              ^ expected a power of two from 512 to 131072",
            ),
            ("1G,blocksize=512", "there is no 'blocksize'", "1G,blocksize=512\n   ^ expected size or block_size"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(
                (error.message(), error.hints()[0].as_str()),
                (format!("disk: {message}").as_str(), hint),
                "{text}"
            );
        }
        for (text, message) in [
            ("[1]", "disk [1]: it is not an object"),
            (r#"{"size":"10G"}"#, r#"disk {"size":"10G"}: size must be a number of MiB, or "remaining""#),
            (r#"{"sise":1}"#, r#"disk {"sise":1}: there is no 'sise'"#),
            ("{", "disk {: this is not JSON"),
        ] {
            assert_eq!(parse(text).unwrap_err().message(), message, "{text}");
        }
    }

    #[test]
    fn the_disks_of_a_machine_fit_together() {
        let list = |texts: &[&str]| texts.iter().map(|text| parse(text).unwrap()).collect::<Vec<_>>();
        assert!(check(&list(&["image", "10G,block_size=4096", "remaining"])).is_ok());
        assert!(check(&[]).is_ok());
        for (texts, message) in [
            (&["1G"; 9][..], "a machine has at most 8 disks, and here are 9"),
            (&["image", "remaining", "remaining"], "only one disk can take what remains"),
            (&["1G,block_size=512"], "the first disk is the image's, whose block size can not be chosen"),
            (&["image", "image"], "disk 2 has no size; only the first can be as large as the image"),
        ] {
            assert_eq!(check(&list(texts)).unwrap_err().message(), message);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics(text in "((size|block_size|image|[0-9]{1,6}|[=,GMT{}\":é]){1,2}){0,8}") {
            let _ = parse(&text);
        }
    }
}
