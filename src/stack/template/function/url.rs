//! `make_url`: a URL of its parts, escaped as Python does. Pure.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::super::data::word;
use super::super::python;
use super::args::{Limits, short, string};
use crate::sensitive::quoted;

const PARTS: &[&str] = &["scheme", "username", "password", "host", "port", "path", "query", "fragment"];
/// What is escaped everywhere.
const ALL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');
/// The same but for slashes.
const PATH: &AsciiSet = &ALL.remove(b'/');
/// The same but for colons.
const HOST: &AsciiSet = &ALL.remove(b':');
/// Spaces become a plus by hand.
const QUERY: &AsciiSet = &ALL.remove(b' ').remove(b'/');
/// Schemes that have a host, also where none is given.
const WITH_HOST: &[&str] = &[
    "ftp", "http", "gopher", "nntp", "telnet", "imap", "wais", "file", "mms", "https", "shttp", "snews", "prospero",
    "rtsp", "rtsps", "rtspu", "rsync", "svn", "svn+ssh", "sftp", "nfs", "git", "git+ssh", "ws", "wss",
];

pub(super) fn make(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    let Value::Object(mut parts) = value else {
        return Err(format!("its argument must be a map, not {}", word(&value)));
    };
    let unknown: Vec<_> =
        parts.keys().filter(|name| !PARTS.contains(&name.as_str())).map(|name| quoted(name)).collect();
    if !unknown.is_empty() {
        return Err(format!("unknown parts: {}; a URL has {}", unknown.join(", "), PARTS.join(", ")));
    }
    let query = match parts.remove("query") {
        None => String::new(),
        Some(Value::Object(map)) => query(&map)?,
        Some(other) => return Err(format!("query must be a map, not {}", word(&other))),
    };
    let port = parts.remove("port").map(port).transpose()?.unwrap_or_default();
    let mut part = |name: &str| parts.remove(name).map_or(Ok(String::new()), |value| string(value, name));
    let (scheme, username, password) = (part("scheme")?, part("username")?, part("password")?);
    let (host, path, fragment) = (part("host")?, part("path")?, part("fragment")?);
    if scheme.contains(':') {
        return Err("scheme has a colon".to_owned());
    }
    let escaped = |text: &str, set| utf8_percent_encode(text, set).to_string();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    let host = escaped(host, HOST);
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let user = match (username.is_empty(), password.is_empty()) {
        (true, true) => String::new(),
        (_, true) => format!("{}@", escaped(&username, ALL)),
        _ => format!("{}:{}@", escaped(&username, ALL), escaped(&password, ALL)),
    };
    let location = format!("{user}{host}{port}");
    let mut url = escaped(&path, PATH);
    if !location.is_empty() || (WITH_HOST.contains(&scheme.as_str()) && !url.starts_with("//")) {
        let slash = if url.is_empty() || url.starts_with('/') { "" } else { "/" };
        url = format!("//{location}{slash}{url}");
    }
    if !scheme.is_empty() {
        url = format!("{scheme}:{url}");
    }
    if !query.is_empty() {
        url = format!("{url}?{query}");
    }
    if !fragment.is_empty() {
        url = format!("{url}#{}", escaped(&fragment, PATH));
    }
    short(url.len())?;
    Ok(Value::String(url))
}

/// `:80`; nothing for an empty text.
fn port(value: Value) -> Result<String, String> {
    let number = match &value {
        Value::String(text) if text.is_empty() => return Ok(String::new()),
        Value::String(text) => python::int(text),
        Value::Number(number) => number.as_i64(),
        _ => None,
    };
    match number {
        Some(port @ 1..=65535) => Ok(format!(":{port}")),
        _ => Err("port must be a number from 1 to 65535".to_owned()),
    }
}

fn query(map: &Map<String, Value>) -> Result<String, String> {
    let escaped = |text: &str| utf8_percent_encode(text, QUERY).to_string().replace(' ', "+");
    let pair = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::Null => Some("None".to_owned()),
            value => python::text(value),
        };
        let text = text.ok_or_else(|| format!("query: {} must be a text, not {}", quoted(name), word(value)))?;
        Ok(format!("{}={}", escaped(name), escaped(&text)))
    };
    map.iter().map(pair).collect::<Result<Vec<_>, String>>().map(|pairs| pairs.join("&"))
}
